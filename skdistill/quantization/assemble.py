"""From trees as learners grow them, node by node, to the tables of a compact model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.tree_table import TreeTable


class QuantizedTree(NamedTuple):
    """One tree on the codes of a grid; node 0 is the root, children come after their parents.

    Attributes
    ----------
    feature : int array of shape (n_nodes,)
        Feature of the grid, −1 for a leaf.
    threshold : int array of shape (n_nodes,)
        Codes up to this go left.
    nan_left : bool array of shape (n_nodes,)
    children : int array of shape (n_nodes, 2)
    values : int array of shape (n_nodes, n_scores)
        Read at leaves only.
    """

    feature: NDArray[Any]
    threshold: NDArray[Any]
    nan_left: NDArray[np.bool_]
    children: NDArray[Any]
    values: NDArray[Any]


def drop_idle_splits(tree: QuantizedTree) -> QuantizedTree:
    """Leave out splits whose two sides are leaves of the same values, from the bottom up.

    Parameters
    ----------
    tree : QuantizedTree

    Returns
    -------
    tree : QuantizedTree
        Gives every row the same values.
    """
    feature, values = tree.feature.copy(), tree.values.copy()
    for node in range(len(feature) - 1, -1, -1):
        if feature[node] >= 0:
            a, b = tree.children[node]
            if feature[a] < 0 and feature[b] < 0 and (values[a] == values[b]).all():
                feature[node], values[node] = -1, values[a]
    kept = np.zeros(len(feature), bool)
    kept[0] = True
    for node in range(len(feature)):
        if kept[node] and feature[node] >= 0:
            kept[tree.children[node]] = True
    inner = (feature >= 0)[kept]
    number = np.cumsum(kept) - 1
    children = np.where(inner[:, None], number[tree.children[kept]], -1)
    return QuantizedTree(
        feature[kept], tree.threshold[kept], tree.nan_left[kept], children, values[kept]
    )


def assemble(
    grid: InputGrid, trees: Sequence[QuantizedTree], value_bits: int | str, unit: int = 1
) -> TreeTable:
    """Join trees into one table, on a grid that holds only the edges that some node uses.

    Parameters
    ----------
    grid : InputGrid
        On which the trees were learnt.
    trees : sequence of QuantizedTree
    value_bits : int in [2, 16] or "ternary"
    unit : int, default=1
        Scores that a value of 1 is worth.

    Returns
    -------
    table : TreeTable
    """
    roots, parts, n_nodes, n_leaves = [], [], 0, 0
    for tree in trees:
        inner = tree.feature >= 0
        number = np.where(
            inner, n_nodes + np.cumsum(inner) - 1, ~(n_leaves + np.cumsum(~inner) - 1)
        )
        roots.append(number[0])
        children = number[tree.children[inner]]
        parts.append(
            (
                tree.feature[inner],
                tree.threshold[inner],
                children,
                tree.nan_left[inner],
                tree.values[~inner],
            )
        )
        n_nodes, n_leaves = n_nodes + int(inner.sum()), n_leaves + int((~inner).sum())
    feature, threshold, children, nan_left, values = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    edge = grid.offsets[feature] + threshold
    used, edge = np.unique(edge, return_inverse=True)
    owner = np.repeat(np.arange(len(grid.features)), grid.counts)[used]
    features, counts = np.unique(owner, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    small = InputGrid(grid.features[features], offsets, grid.edges[used])
    feature = np.searchsorted(features, feature)
    return TreeTable(
        small,
        np.array(roots),
        feature,
        edge - offsets[feature],
        children[:, 0],
        children[:, 1],
        nan_left,
        values,
        value_bits,
        unit,
    )
