"""A tree in the DOT language of Graphviz, for those who have it."""

from __future__ import annotations

import json

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.readable.outcome import leaf_lines
from skdistill.export.readable.walk import check_tree, walk


def to_dot(model: ModelTables, *, tree: int = 0, max_depth: int | None = None) -> str:
    """Write a tree in the DOT language.

    Subtrees that several parents share are drawn once. A dashed edge is the way of missing
    values.

    Parameters
    ----------
    model : ModelTables
        With trees.
    tree : int, default=0
        Number of the tree.
    max_depth : int, default=None
        Depth below which branches are cut; None writes the whole tree.

    Returns
    -------
    text : str
        A digraph.

    Raises
    ------
    ValueError
        If there is no such tree.
    """
    trees = model.table(TreeTable)
    tree = check_tree(trees, tree)
    lines = [f"digraph tree_{tree} {{", '  node [shape=box, fontname="sans-serif"];']
    seen: set[int] = set()
    for node in walk(model, trees, tree, max_depth):
        if node.number in seen:
            continue
        seen.add(node.number)
        if node.split is None:
            label = "\n".join(leaf_lines(model, node.scores))
            lines.append(f"  n{node.number} [label={_quoted(label)}, style=rounded];")
            continue
        label = f"{node.split.name} {node.split.question}" + (
            f"\n… {node.n_hidden:,.0f} leaves" * bool(node.n_hidden)
        )
        lines.append(f"  n{node.number} [label={_quoted(label)}];")
        if node.n_hidden:
            continue
        for child, is_left in zip(node.children, (True, False), strict=True):
            style = ", style=dashed" if node.split.missing_left == is_left else ""
            answer = "yes" if is_left else "no"
            lines.append(f'  n{node.number} -> n{child} [label="{answer}"{style}];')
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
