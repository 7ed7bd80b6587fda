"""Trees of other libraries as arrays. Reads what they write about themselves, imports none.

All comparisons become ``x <= threshold``: a strict one, ``x < t`` on float32, is ``x <= `` the
number just below t. Rounding a threshold toward −inf, to the type that rows are compared in,
then changes the way of no row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import TreeTable
from skdistill.model import CompactModel


class FloatTree(NamedTuple):
    """One tree on the columns of its input; node 0 is the root, children follow their parents.

    Attributes
    ----------
    feature : int array of shape (n_nodes,)
        Column of the input, −1 for a leaf.
    threshold : float64 array of shape (n_nodes,)
        A row goes left where its value is at most this.
    nan_left : bool array of shape (n_nodes,)
        Whether a row without a value goes left.
    children : int array of shape (n_nodes, 2)
        Left and right child; −1 for a leaf.
    values : float64 array of shape (n_nodes, n_scores)
        Read at leaves only.
    node_id : int array of shape (n_nodes,)
        Number that the library gives the node; read at leaves only.
    """

    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    nan_left: NDArray[np.bool_]
    children: NDArray[np.intp]
    values: NDArray[np.float64]
    node_id: NDArray[np.intp]


class TreeEnsemble(NamedTuple):
    """What was read of a fitted estimator that is made of trees.

    Attributes
    ----------
    trees : list of FloatTree
        In the order of the library; of boosters, the trees of an iteration in the order of scores.
    link : {"sigmoid", "softmax", "normalize", "identity", "exp"}
        What makes predictions of the scores, as in a `CompactModel`. "normalize" is for
        class probabilities that are averaged over the trees.
    baseline : float64 array of shape (n_scores,)
        Scores before the first tree.
    node_weights : list of float64 arrays of shape (n_nodes,), or None
        Weight of the training rows in each node, by `FloatTree.node_id`, of trees whose
        values are averaged; None where the values add up.
    casts_to_float32 : bool
        Whether the library rounds its input to float32 before it compares.
    is_strict : bool
        Whether a row that equals a threshold of the library goes right there.
    behind_steps : bool
        Whether steps that read float64 rows have been folded into the thresholds.
    """

    trees: list[FloatTree]
    link: str
    baseline: NDArray[np.float64]
    node_weights: list[NDArray[np.float64]] | None = None
    casts_to_float32: bool = True
    is_strict: bool = False
    behind_steps: bool = False

    def columns_read(self) -> NDArray[np.intp]:
        """Columns that some tree splits, ascending."""
        return np.unique(np.concatenate([tree.feature[tree.feature >= 0] for tree in self.trees]))


def in_column(values: NDArray[Any], column: int, n_scores: int) -> NDArray[np.float64]:
    """Values of a tree that adds to one of several scores.

    Parameters
    ----------
    values : array of shape (n_nodes,)
        Values of the nodes.
    column : int
        The score that the tree adds to.
    n_scores : int
        Scores of the ensemble.

    Returns
    -------
    wide : float64 array of shape (n_nodes, n_scores)
        Zeros in all other columns.
    """
    wide = np.zeros((len(values), n_scores))
    wide[:, column] = values
    return wide


def depth_first(tree: FloatTree, root: int = 0) -> FloatTree:
    """Nodes that a root leads to, in depth-first order, so that parents precede children.

    Parameters
    ----------
    tree : FloatTree
        In any order of nodes.
    root : int, default=0
        Where the tree begins.

    Returns
    -------
    tree : FloatTree
        Without the nodes that `root` does not lead to.
    """
    order, stack = [], [root]
    while stack:
        node = stack.pop()
        order.append(node)
        if tree.feature[node] >= 0:
            stack += [int(tree.children[node, 1]), int(tree.children[node, 0])]
    nodes = np.array(order)
    position = np.full(len(tree.feature), -1)
    position[nodes] = np.arange(len(nodes))
    children = np.where(tree.feature[nodes, None] >= 0, position[tree.children[nodes]], -1)
    return FloatTree(*(part[nodes] for part in tree))._replace(children=children)


def compact_trees(model: CompactModel) -> list[FloatTree]:
    """Trees of a compact model, each with its own nodes; values are in units of the link.

    A node that several trees of the model share is repeated in each of them.

    Parameters
    ----------
    model : CompactModel
        With trees.

    Returns
    -------
    trees : list of FloatTree
        ``node_id`` is what `skdistill.compact.evaluate.leaves` gives.

    Raises
    ------
    ValueError
        If the model has no trees.
    """
    table = model.table(TreeTable)
    leaf_values = table.scaled_values * model.scale
    edges = table.edges.astype(np.float64)
    columns = table.grid.features[table.feature]
    trees = []
    for root in table.roots.tolist():
        nodes = _NodeList(model.n_scores)
        stack = [(root, -1, 0)]
        while stack:
            node, parent, side = stack.pop()
            if node < 0:  # a leaf, as in `TreeTable`
                nodes.add(parent, side, value=leaf_values[~node], node_id=~node)
                continue
            added = nodes.add(parent, side, columns[node], edges[node], table.nan_left[node])
            stack += [(int(table.right[node]), added, 1), (int(table.left[node]), added, 0)]
        trees.append(nodes.as_tree())
    return trees


class _NodeList:
    """Nodes of one tree, appended from the root down."""

    def __init__(self, n_scores: int) -> None:
        self.nodes: list[tuple[int, float, bool, Any, int]] = []
        self.children: list[list[int]] = []
        self.no_value = np.zeros(n_scores)

    def add(
        self,
        parent: int,
        side: int,
        feature: int = -1,
        threshold: float = 0.0,
        nan_left: bool = False,
        value: NDArray[np.float64] | None = None,
        node_id: int = -1,
    ) -> int:
        """Append a node, as a child of `parent` unless that is negative; return its position."""
        if parent >= 0:
            self.children[parent][side] = len(self.nodes)
        value = self.no_value if value is None else value
        self.nodes.append((feature, threshold, nan_left, value, node_id))
        self.children.append([-1, -1])
        return len(self.nodes) - 1

    def as_tree(self) -> FloatTree:
        feature, threshold, nan_left, value, node_id = zip(*self.nodes, strict=True)
        return FloatTree(
            np.array(feature, np.intp),
            np.array(threshold, np.float64),
            np.array(nan_left, np.bool_),
            np.array(self.children, np.intp),
            np.array(value, np.float64),
            np.array(node_id, np.intp),
        )
