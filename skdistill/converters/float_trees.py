"""Trees of other libraries as arrays. Reads what they write about themselves, imports none.

All comparisons become ``x <= threshold``: a strict one, ``x < t`` on float32, is ``x <= `` the
number just below t. Rounding a threshold toward −inf, to the type that rows are compared in,
then changes the way of no row.

Symbols: N nodes of a tree, S score columns, K classes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.tree_table import TreeTable
from skdistill.model import CompactModel


class FloatTree(NamedTuple):
    """One tree on the columns of its input; node 0 is the root, children follow their parents.

    Attributes
    ----------
    feature : int array of shape (N,)
        Column of the input, −1 for a leaf.
    threshold : float64 array of shape (N,)
        A row goes left where its value is at most this.
    nan_left : bool array of shape (N,)
    children : int array of shape (N, 2)
    values : float64 array of shape (N, S)
        Read at leaves only.
    number : int array of shape (N,)
        What the library calls the node; read at leaves only.
    """

    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    nan_left: NDArray[np.bool_]
    children: NDArray[np.intp]
    values: NDArray[np.float64]
    number: NDArray[np.intp]


class Ensemble(NamedTuple):
    """Trees whose values add up to margins.

    Attributes
    ----------
    trees : list of FloatTree
    column : int array of shape (T,)
        The score that each tree adds to.
    start : float64 array of shape (S,)
        Margins before the first tree.
    link : {"sigmoid", "softmax", "identity"}
        What is made of the margins.
    """

    trees: list[FloatTree]
    column: NDArray[np.intp]
    start: NDArray[np.float64]
    link: str


def in_column(values: NDArray[Any], column: int, n_scores: int) -> NDArray[np.float64]:
    """Values of a tree that adds to one of several scores, shape (N, S)."""
    wide = np.zeros((len(values), n_scores))
    wide[:, column] = values
    return wide


class _Rows:
    """Nodes of one tree, gathered from the root down."""

    def __init__(self, n_scores: int) -> None:
        self.nodes: list[tuple[int, float, bool, Any, int]] = []
        self.children: list[list[int]] = []
        self.nothing = np.zeros(n_scores)

    def add(
        self,
        parent: int,
        side: int,
        feature: int = -1,
        threshold: float = 0.0,
        nan_left: bool = False,
        value: NDArray[np.float64] | None = None,
        number: int = -1,
    ) -> int:
        """Append a node as a child of `parent`, if that is one; return its place."""
        if parent >= 0:
            self.children[parent][side] = len(self.nodes)
        value = self.nothing if value is None else value
        self.nodes.append((feature, threshold, nan_left, value, number))
        self.children.append([-1, -1])
        return len(self.nodes) - 1

    def tree(self) -> FloatTree:
        feature, threshold, nan_left, value, number = zip(*self.nodes, strict=True)
        return FloatTree(
            np.array(feature, np.intp),
            np.array(threshold, np.float64),
            np.array(nan_left, np.bool_),
            np.array(self.children, np.intp),
            np.array(value, np.float64),
            np.array(number, np.intp),
        )


def compact_trees(model: CompactModel) -> list[FloatTree]:
    """Trees of a compact model, each with its own nodes; values are in units of the link.

    Parameters
    ----------
    model : CompactModel
        With trees. ``number`` is what `execute.leaves` gives.

    Returns
    -------
    trees : list of FloatTree
    """
    table = model.table(TreeTable)
    values = table.scaled_values * model.scale
    edges = table.edges.astype(np.float64)
    columns = table.grid.features[table.feature]
    trees = []
    for root in table.roots.tolist():
        rows = _Rows(model.n_scores)
        waiting = [(root, -1, 0)]
        while waiting:
            node, parent, side = waiting.pop()
            if node < 0:
                rows.add(parent, side, value=values[~node], number=~node)
                continue
            here = rows.add(parent, side, columns[node], edges[node], table.nan_left[node])
            waiting += [(int(table.right[node]), here, 1), (int(table.left[node]), here, 0)]
        trees.append(rows.tree())
    return trees


def _parents_first(tree: FloatTree) -> FloatTree:
    """The nodes that the root leads to, depth first."""
    order, waiting = [], [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if tree.feature[node] >= 0:
            waiting += [int(tree.children[node, 1]), int(tree.children[node, 0])]
    kept = np.array(order)
    place = np.full(len(tree.feature), -1)
    place[kept] = np.arange(len(kept))
    children = np.where(tree.feature[kept, None] >= 0, place[tree.children[kept]], -1)
    return FloatTree(*(part[kept] for part in tree))._replace(children=children)
