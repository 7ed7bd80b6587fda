"""A grown tree on integer codes, and how rows pass through it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.quantization.assemble import QuantizedTree
from skdistill.utils.jit import njit


class GrownTree(NamedTuple):
    """A tree in the order of its growth: node 0 is the root, children come after their parents.

    Attributes
    ----------
    feature : int32 array of shape (n_nodes,)
        Row of the codes that the node compares, −1 for a leaf.
    threshold : int32 array of shape (n_nodes,)
        A row goes left where its code is at most this.
    nan_left : bool array of shape (n_nodes,)
        Whether rows whose code stands for NaN go left.
    children : int32 array of shape (n_nodes, 2)
        Left and right child, −1 for a leaf.
    gain : float64 array of shape (n_nodes,)
        Decrease of the total impurity by the split, divided by the total weight; 0 for a leaf.
    sums : int64 array of shape (n_nodes, n_stats)
        Sums of the row statistics over the rows of each node, in fixed point.
    leaf : int32 array of shape (n_samples,)
        Node that each training row ends in.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.int32]
    nan_left: NDArray[np.bool_]
    children: NDArray[np.int32]
    gain: NDArray[np.float64]
    sums: NDArray[np.int64]
    leaf: NDArray[np.int32]

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Whether each node is a leaf, bool array of shape (n_nodes,)."""
        return self.feature < 0

    def gain_by_feature(self, n_features: int) -> NDArray[np.float64]:
        """Sum of the gains of each feature's splits.

        Parameters
        ----------
        n_features : int
            Rows of the codes that the tree was grown on.

        Returns
        -------
        gain : float64 array of shape (n_features,)
        """
        split = ~self.is_leaf
        gain = np.bincount(self.feature[split], self.gain[split], minlength=n_features)
        return gain.astype(np.float64, copy=False)

    def with_values(self, values: NDArray[Any]) -> QuantizedTree:
        """The same tree with values in its nodes.

        Parameters
        ----------
        values : int array of shape (n_nodes, n_scores)
            Those of leaves count.

        Returns
        -------
        tree : QuantizedTree
        """
        return QuantizedTree(self.feature, self.threshold, self.nan_left, self.children, values)


def first_leaves(tree: GrownTree, n_leaves: int) -> GrownTree:
    """The tree as it was when it had fewer leaves.

    Parameters
    ----------
    tree : GrownTree
        In the order of its growth. It is not changed.
    n_leaves : int
        Number of leaves, at least 1.

    Returns
    -------
    tree : GrownTree
        What growing up to so many leaves gives; all of it where it has no more.
    """
    if n_leaves > len(tree.feature) // 2:
        return tree
    return remove_nodes(tree, np.arange(len(tree.feature)) < 2 * n_leaves - 1)


def remove_nodes(tree: GrownTree, stays: NDArray[np.bool_]) -> GrownTree:
    """Remove nodes, whose rows then end in the lowest ancestor that stays.

    Parameters
    ----------
    tree : GrownTree
        It is not changed.
    stays : bool array of shape (n_nodes,)
        Whether each node stays: the root, and both children of a node or none, with all those
        above them.

    Returns
    -------
    tree : GrownTree
        Children still come after their parents.
    """
    nodes = np.flatnonzero(stays)
    number = np.cumsum(stays) - 1
    children = tree.children[nodes]
    split = (children[:, 0] >= 0) & stays[children[:, 0]]
    return GrownTree(
        np.where(split, tree.feature[nodes], -1).astype(np.int32),
        np.where(split, tree.threshold[nodes], 0).astype(np.int32),
        tree.nan_left[nodes] & split,
        np.where(split[:, None], number[children], -1).astype(np.int32),
        np.where(split, tree.gain[nodes], 0.0),
        tree.sums[nodes],
        _lowest_remaining(tree.children, stays, number.astype(np.int32))[tree.leaf],
    )


def find_leaves(
    tree: GrownTree, codes: NDArray[Any], n_edges: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Leaf that each row ends in, for rows that the tree was not grown on.

    Parameters
    ----------
    tree : GrownTree
        The tree.
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        Codes of the rows, as `InputGrid.encode` returns them.
    n_edges : int32 array of shape (n_features,)
        Edges of each feature; a code above it is NaN.

    Returns
    -------
    leaf : int32 array of shape (n_samples,)
        Node numbers.
    """
    leaf: NDArray[np.int32] = _find_leaves(
        tree.feature, tree.threshold, tree.nan_left, tree.children, codes, n_edges
    )
    return leaf


@njit
def sum_by_leaf(row_stats, leaf, n_nodes):  # type: ignore[no-untyped-def]
    """Sums of row statistics over the rows of each leaf.

    Parameters
    ----------
    row_stats : int32 array of shape (n_samples, n_stats)
        Statistics in fixed point, as `to_fixed_point` returns them.
    leaf : int32 array of shape (n_samples,)
        Node that each row ends in.
    n_nodes : int
        Nodes of the tree.

    Returns
    -------
    sums : int64 array of shape (n_nodes, n_stats)
        Exact, hence independent of the order of the rows; 0 for inner nodes.
    """
    sums = np.zeros((n_nodes, row_stats.shape[1]), np.int64)
    for i in range(len(leaf)):
        for c in range(row_stats.shape[1]):
            sums[leaf[i], c] += row_stats[i, c]
    return sums


@njit
def goes_left(code, n_edges, threshold, nan_left):  # type: ignore[no-untyped-def]
    """Whether a row goes left.

    Parameters
    ----------
    code : int
        Code of the row in the feature of the split.
    n_edges : int
        Edges of the feature: codes are 0 … n_edges, and ``n_edges + 1`` for NaN.
    threshold : int
        Codes up to this go left.
    nan_left : bool
        Whether NaN goes left.

    Returns
    -------
    left : bool
    """
    return nan_left if code > n_edges else code <= threshold


@njit
def partition_rows(code, rows, start, stop, n_edges, threshold, nan_left, buffer):  # type: ignore[no-untyped-def]
    """Move the rows of ``rows[start:stop]`` that go left before the others.

    Both sides keep their order, so that codes are still read in ascending order of rows.

    Parameters
    ----------
    code : uint8 or uint16 array of shape (n_samples,)
        Codes of the feature that is split.
    rows : int32 array of shape (n_samples,)
        Row numbers, changed in place.
    start, stop : int
        The part of `rows` that belongs to the node.
    n_edges, threshold, nan_left : int, int, bool
        As `goes_left` takes them.
    buffer : int32 array of shape (n_samples,)
        Overwritten.

    Returns
    -------
    middle : int
        The left child has ``rows[start:middle]``, the right one ``rows[middle:stop]``.
    """
    middle, n_right = start, 0
    for t in range(start, stop):
        row = rows[t]
        left = goes_left(code[row], n_edges, threshold, nan_left)
        rows[middle] = buffer[n_right] = row  # one counts: there is no branch to mispredict
        middle += left
        n_right += not left
    for t in range(n_right):
        rows[middle + t] = buffer[t]
    return middle


@njit
def partition_block(code, rows, n_edges, threshold, nan_left, out):  # type: ignore[no-untyped-def]
    """Copy rows, those that go left before the others.

    Parameters
    ----------
    code : uint8 or uint16 array of shape (n_samples,)
        Codes of the feature that is split.
    rows : int32 array of shape (n_rows,)
        Row numbers.
    n_edges, threshold, nan_left : int, int, bool
        As `goes_left` takes them.
    out : int32 array of shape (n_rows,)
        Overwritten; both sides keep their order.

    Returns
    -------
    n_left : int
        Rows that go left.
    """
    n_left, n_right, right = 0, 0, np.empty(len(rows), np.int32)
    for row in rows:
        left = goes_left(code[row], n_edges, threshold, nan_left)
        out[n_left] = right[n_right] = row  # one of them is overwritten: no branch to mispredict
        n_left += left
        n_right += not left
    out[n_left:] = right[:n_right]
    return n_left


@njit
def _find_leaves(feature, threshold, nan_left, children, codes, n_edges):  # type: ignore[no-untyped-def]
    leaf = np.zeros(codes.shape[1], np.int32)
    for i in range(len(leaf)):
        node = 0
        while feature[node] >= 0:
            j = feature[node]
            left = goes_left(codes[j, i], n_edges[j], threshold[node], nan_left[node])
            node = children[node, 0 if left else 1]
        leaf[i] = node
    return leaf


@njit
def _lowest_remaining(children, stays, number):  # type: ignore[no-untyped-def]
    """New number of each node, or of its lowest ancestor that stays."""
    remaining = np.zeros(len(children), np.int32)
    for node in range(len(children)):
        if stays[node]:
            remaining[node] = number[node]
        for child in children[node]:
            if child >= 0:
                remaining[child] = remaining[node]
    return remaining
