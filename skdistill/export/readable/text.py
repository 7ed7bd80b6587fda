"""A model as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.net_table import NetTable
from skdistill.compact.tables.table import Table
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.readable.conditions import column_name, number, score_names
from skdistill.export.readable.outcome import leaf_lines, scores_text
from skdistill.export.readable.walk import check_tree, walk


def export_text(model: ModelTables, *, tree: int | None = None, max_depth: int | None = 10) -> str:
    """Write a model as text: each tree with its questions, weights, layers.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    tree : int, default=None
        Number of the only tree to write; None writes all tables.
    max_depth : int, default=10
        Depth at which trees are cut; None writes them whole.

    Returns
    -------
    text : str

    Raises
    ------
    ValueError
        If there is no such tree.
    """
    if tree is not None:
        trees = model.table(TreeTable)
        return "\n".join(_tree_lines(model, trees, check_tree(trees, tree), max_depth)) + "\n"
    bias = scores_text(model, model.bias.tolist())
    what = "scores" if model.n_scores > 1 else f"score of {score_names(model)[0]}"
    lines = [f"{what}: start at {bias}; scale {number(np.float32(np.max(model.scale)))}"]
    for table in model.tables:
        lines += TEXTS[type(table)](model, table, max_depth)
    return "\n".join(lines) + "\n"


def _trees(model: ModelTables, trees: TreeTable, max_depth: int | None) -> Iterator[str]:
    for tree in range(len(trees.roots)):
        yield f"tree {tree}"
        yield from _tree_lines(model, trees, tree, max_depth)


def _tree_lines(
    model: ModelTables, trees: TreeTable, tree: int, max_depth: int | None
) -> Iterator[str]:
    """Lines of a tree: a condition a child, indented by its depth."""
    questions: list[Any] = []
    for node in walk(model, trees, tree, max_depth):
        del questions[node.depth :]
        if node.is_left is not None:
            split = questions[node.depth - 1]
            yield _indented(node.depth - 1, split.left_text if node.is_left else split.right_text)
        if node.n_hidden:
            yield _indented(node.depth, f"… {node.n_hidden:,.0f} leaves")
        elif node.split is None:
            yield _indented(node.depth, ", ".join(leaf_lines(model, node.scores)))
        questions.append(node.split)


def _indented(depth: int, text: str) -> str:
    return "|   " * depth + "|--- " + text


def _weights(model: ModelTables, linear: LinearTable, max_depth: int | None) -> Iterator[str]:
    yield "weights: (column - offset) / step, rounded, times"
    names = [column_name(model, int(column)) for column in linear.features]
    width = max(map(len, names))
    for f, name in enumerate(names):
        weights = scores_text(model, linear.weights[f].tolist())
        offset, step = number(linear.offset[f]), number(1 / linear.inv_step[f])
        yield f"|--- {name:<{width}}  offset {offset}, step {step}: {weights}"


def _layers(model: ModelTables, net: NetTable, max_depth: int | None) -> Iterator[str]:
    columns = ", ".join(column_name(model, int(column)) for column in net.columns[:8])
    more = f", {len(net.columns) - 8} more" if len(net.columns) > 8 else ""
    yield f"net: {net.n_codes} inputs from {columns}{more}"
    for i, layer in enumerate(net.hidden):
        yield (
            f"|--- layer {i}: {len(layer.weights)} units, weights of {_bits(layer.value_bits)}, "
            f"{np.mean(layer.weights == 0):.0%} of them 0"
        )
    yield f"|--- output: {net.n_scores} scores, weights of {_bits(net.value_bits)}"


def _bits(bits: int | str) -> str:
    return "three levels" if bits == "ternary" else f"{bits} bits"


TEXTS: dict[type[Table], Callable[[ModelTables, Any, int | None], Iterator[str]]] = {
    TreeTable: _trees,
    LinearTable: _weights,
    NetTable: _layers,
}
"""What writes each kind of table."""
