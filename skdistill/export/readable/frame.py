"""A model as a table: a row for each node, weight or hidden unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.net_table import NetTable
from skdistill.compact.tables.table import Table
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.readable.conditions import column_name, score_names
from skdistill.export.readable.walk import Node, walk

Row = dict[str, Any]
_SCORE = "score "
_WHOLE = ("tree", "node", "depth", "left", "right", "layer", "bias", "shift")


def to_frame(model: ModelTables) -> Any:
    """Write a model as a data frame.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.

    Returns
    -------
    frame : pandas.DataFrame
        A row for each node of trees, for each weight of linear models, for each hidden unit and
        score of nets; `table` says which kind it is. Cells that a kind does not have are empty.

    Raises
    ------
    ImportError
        Without pandas, the extra "cli".
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("to_frame needs pandas: pip install 'skdistill[cli]'") from error
    rows = [row for table in model.tables for row in ROWS[type(table)](model, table)]
    frame = pd.DataFrame(rows)
    whole = [name for name in frame if name in _WHOLE or str(name).startswith(_SCORE)]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _scores(model: ModelTables, scores: Any) -> Row:
    return {
        _SCORE + name: int(score) for name, score in zip(score_names(model), scores, strict=True)
    }


def _nodes(model: ModelTables, trees: TreeTable) -> Iterator[Row]:
    for tree in range(len(trees.roots)):
        seen: set[int] = set()
        for node in walk(model, trees, tree):
            if node.number not in seen:
                seen.add(node.number)
                yield {"table": trees.kind, "tree": tree} | _node(model, node)


def _node(model: ModelTables, node: Node) -> Row:
    row: Row = {"node": node.number, "depth": node.depth}
    if node.split is None:
        return row | _scores(model, node.scores)
    split = node.split
    row |= {"column": split.name, "threshold": float(split.threshold)}
    row |= {"missing": "left" if split.missing_left else "right"}
    row |= {"left": node.children[0], "right": node.children[1]}
    if split.categories is not None:
        row |= {"categories_left": ", ".join(split.categories[0])}
    return row


def _weights(model: ModelTables, linear: LinearTable) -> Iterator[Row]:
    for f, column in enumerate(linear.features):
        row: Row = {"table": linear.kind, "column": column_name(model, int(column))}
        row |= {"offset": float(linear.offset[f]), "step": 1 / float(linear.inv_step[f])}
        yield row | _scores(model, linear.weights[f])


def _units(model: ModelTables, net: NetTable) -> Iterator[Row]:
    for number, layer in enumerate(net.hidden):
        for unit, weights in enumerate(layer.weights):
            row: Row = {"table": net.kind, "layer": number, "unit": unit}
            row |= {"bias": int(layer.bias[unit]), "shift": int(layer.shift[unit])}
            yield row | {"weights": weights.tolist()}
    for name, weights in zip(score_names(model), net.weights, strict=True):
        row = {"table": net.kind, "layer": len(net.hidden), "unit": _SCORE + name}
        yield row | {"weights": np.asarray(weights).tolist()}


ROWS: dict[type[Table], Callable[[ModelTables, Any], Iterator[Row]]] = {
    TreeTable: _nodes,
    LinearTable: _weights,
    NetTable: _units,
}
"""What makes the rows of each kind of table."""
