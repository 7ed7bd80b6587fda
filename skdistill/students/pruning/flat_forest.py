"""Many trees of given structure as flat arrays, and how nodes are removed from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid
from skdistill.quantization.assemble import QuantizedTree
from skdistill.utils.jit import njit

KEEP, TO_LEAF, TO_LEFT_CHILD, TO_RIGHT_CHILD = 0, 1, 2, 3


class FlatForest(NamedTuple):
    """Trees on the codes of one grid; the nodes of a tree lie together, depth first.

    Attributes
    ----------
    grid : InputGrid
        Thresholds of the splits.
    roots : int array of shape (n_trees,)
        Root of each tree.
    feature : int array of shape (n_nodes,)
        Feature of the grid that the node compares, −1 for a leaf.
    threshold : int32 array of shape (n_nodes,)
        A row goes left where its code is at most this.
    nan_left : bool array of shape (n_nodes,)
        Whether missing values go left.
    left : int array of shape (n_nodes,)
        Left child, −1 for a leaf.
    right : int array of shape (n_nodes,)
        Right child, −1 for a leaf.
    values : float64 array of shape (n_nodes, n_scores)
        Values of the nodes; those of leaves count.
    leaves : int32 array of shape (n_samples, n_trees)
        Node that each training row ends in.
    """

    grid: InputGrid
    roots: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: NDArray[np.int32]
    nan_left: NDArray[np.bool_]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    values: NDArray[np.float64]
    leaves: NDArray[np.int32]

    @property
    def is_leaf(self) -> NDArray[np.bool_]:
        """Whether each node is a leaf, bool array of shape (n_nodes,)."""
        return self.feature < 0

    @property
    def tree(self) -> NDArray[np.intp]:
        """Tree of each node, int array of shape (n_nodes,)."""
        sizes = np.diff(np.append(self.roots, len(self.feature)))
        return np.repeat(np.arange(len(self.roots)), sizes)


def flatten_trees(grid: InputGrid, trees: Sequence[QuantizedTree], X: NDArray[Any]) -> FlatForest:
    """Join trees to flat arrays, with the leaf that each row of `X` ends in.

    A split with no row on one side is replaced by the child on the other side.

    Parameters
    ----------
    grid : InputGrid
        Thresholds of the splits.
    trees : sequence of QuantizedTree
        Trees with real values.
    X : float32 or int32 array of shape (n_samples, n_features)
        Training rows.

    Returns
    -------
    forest : FlatForest
    """
    sizes = [len(tree.feature) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    children = np.vstack(
        [np.where(t.children >= 0, t.children + r, -1) for t, r in zip(trees, roots, strict=True)]
    )
    feature = np.concatenate([tree.feature for tree in trees])
    forest = FlatForest(
        grid,
        roots,
        feature,
        np.concatenate([tree.threshold for tree in trees]).astype(np.int32),
        np.concatenate([tree.nan_left for tree in trees]),
        np.where(feature >= 0, children[:, 0], -1),
        np.where(feature >= 0, children[:, 1], -1),
        np.vstack([tree.values for tree in trees]).astype(np.float64),
        np.zeros((len(X), len(trees)), np.int32),
    )
    return without_empty_children(route(forest, X))


def route(forest: FlatForest, X: NDArray[Any]) -> FlatForest:
    """Find the leaves of some rows.

    Parameters
    ----------
    forest : FlatForest
        It is not changed.
    X : float32 or int32 array of shape (n_samples, n_features)
        Rows to send through the trees.

    Returns
    -------
    forest : FlatForest
        With ``leaves`` of these rows.
    """
    leaves = np.zeros((len(X), len(forest.roots)), np.int32)
    codes = np.ascontiguousarray(forest.grid.encode(X).T)
    _route(codes, forest.grid.counts, *forest[1:7], leaves)
    return forest._replace(leaves=leaves)


@njit
def _route(codes, n_edges, roots, feature, threshold, nan_left, left, right, leaves):  # type: ignore[no-untyped-def]
    for i in range(codes.shape[0]):
        for t in range(len(roots)):
            node = roots[t]
            while feature[node] >= 0:
                code = codes[i, feature[node]]
                missing = code > n_edges[feature[node]]
                goes_left = nan_left[node] if missing else code <= threshold[node]
                node = left[node] if goes_left else right[node]
            leaves[i, t] = node


def without_empty_children(forest: FlatForest) -> FlatForest:
    """Replace each split that has no row on one side by the child on the other side.

    Parameters
    ----------
    forest : FlatForest
        It is not changed.

    Returns
    -------
    forest : FlatForest
        Gives every training row the same values.
    """
    n_rows = np.bincount(forest.leaves.ravel(), minlength=len(forest.feature))
    add_children(forest.left, forest.right, n_rows[:, None])
    empty = n_rows == 0
    action = np.full(len(n_rows), KEEP, np.int8)
    split = ~forest.is_leaf
    action[split & empty[forest.left]] = TO_RIGHT_CHILD
    action[split & empty[forest.right]] = TO_LEFT_CHILD
    return remove_nodes(forest, action)


def remove_nodes(
    forest: FlatForest, action: NDArray[np.int8], values: NDArray[np.float64] | None = None
) -> FlatForest:
    """Turn some splits into leaves, or replace them by one of their children.

    Parameters
    ----------
    forest : FlatForest
        It is not changed.
    action : int8 array of shape (n_nodes,)
        `KEEP`, `TO_LEAF`, `TO_LEFT_CHILD` or `TO_RIGHT_CHILD` for each node. Those of nodes that
        are removed, and of leaves, do not matter.
    values : float64 array of shape (n_nodes, n_scores), default=None
        New values of the nodes. None keeps the old ones.

    Returns
    -------
    forest : FlatForest
        Rows of a removed child stay in ``leaves`` with the node that took its parent's place;
        `route` sends them on.
    """
    order, place, roots = _remaining(forest.roots, forest.left, forest.right, action)
    split = (forest.feature[order] >= 0) & (action[order] != TO_LEAF)
    left, right = (np.where(split, place[side[order]], -1) for side in (forest.left, forest.right))
    values = forest.values if values is None else values
    return forest._replace(
        roots=roots,
        feature=np.where(split, forest.feature[order], -1),
        threshold=np.where(split, forest.threshold[order], 0),
        nan_left=forest.nan_left[order] & split,
        left=left,
        right=right,
        values=values[order],
        leaves=place[forest.leaves].astype(np.int32),
    )


@njit
def _remaining(roots, left, right, action):  # type: ignore[no-untyped-def]
    """Nodes that remain, depth first; the new place of every old node; the new roots."""
    n_nodes = len(left)
    order = np.empty(n_nodes, np.int64)
    place = np.zeros(n_nodes, np.int64)
    new_roots = np.empty(len(roots), np.int64)
    stack = np.empty(n_nodes + 1, np.int64)
    merged_into = np.full(n_nodes, -1, np.int64)  # place of the node that a removed one becomes
    n_remaining = 0
    for t in range(len(roots)):
        new_roots[t] = n_remaining
        stack[0], top = roots[t], 1
        while top > 0:
            top -= 1
            node = stack[top]
            is_split = left[node] >= 0
            to_child = action[node] == TO_LEFT_CHILD or action[node] == TO_RIGHT_CHILD
            if merged_into[node] >= 0:
                place[node] = merged_into[node]
            elif is_split and to_child:
                place[node] = n_remaining  # the child that takes its place comes next
            else:
                order[n_remaining], place[node] = node, n_remaining
                n_remaining += 1
            if not is_split:
                continue
            first, second = left[node], right[node]
            if merged_into[node] >= 0 or action[node] == TO_LEAF:
                merged_into[first] = merged_into[second] = place[node]
            elif action[node] == TO_LEFT_CHILD:
                merged_into[second] = place[node]
            elif action[node] == TO_RIGHT_CHILD:
                merged_into[first] = place[node]
                first, second = second, first
            stack[top], stack[top + 1] = second, first
            top += 2
    return order[:n_remaining], place, new_roots


@njit
def add_children(left, right, sums):  # type: ignore[no-untyped-def]
    """Set the sums of each split to those of its children, from the leaves up.

    Parameters
    ----------
    left : int array of shape (n_nodes,)
        Left child, −1 for a leaf; children come after their parents.
    right : int array of shape (n_nodes,)
        Right child.
    sums : array of shape (n_nodes, n_values)
        Changed in place.
    """
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            for k in range(sums.shape[1]):
                sums[node, k] = sums[left[node], k] + sums[right[node], k]


def without_trees(forest: FlatForest, gone: NDArray[np.bool_]) -> FlatForest:
    """The forest without some of its trees.

    Parameters
    ----------
    forest : FlatForest
        It is not changed.
    gone : bool array of shape (n_trees,)
        Trees to leave out.

    Returns
    -------
    forest : FlatForest
    """
    stays = ~gone[forest.tree]
    place = np.cumsum(stays) - 1
    split = ~forest.is_leaf[stays]
    return forest._replace(
        roots=place[forest.roots[~gone]],
        feature=forest.feature[stays],
        threshold=forest.threshold[stays],
        nan_left=forest.nan_left[stays],
        left=np.where(split, place[forest.left[stays]], -1),
        right=np.where(split, place[forest.right[stays]], -1),
        values=forest.values[stays],
        leaves=np.ascontiguousarray(place[forest.leaves[:, ~gone]].astype(np.int32)),
    )


def quantized_trees(forest: FlatForest, values: NDArray[np.int32]) -> list[QuantizedTree]:
    """The trees one by one, with integer values.

    Parameters
    ----------
    forest : FlatForest
        Structure of the trees.
    values : int32 array of shape (n_nodes, n_scores)
        Values of all nodes.

    Returns
    -------
    trees : list of QuantizedTree
    """
    stops = np.append(forest.roots[1:], len(forest.feature))
    trees = []
    for start, stop in zip(forest.roots, stops, strict=True):
        nodes = slice(start, stop)
        children = np.column_stack([forest.left[nodes], forest.right[nodes]])
        trees.append(
            QuantizedTree(
                forest.feature[nodes],
                forest.threshold[nodes],
                forest.nan_left[nodes],
                np.where(children >= 0, children - start, -1),
                values[nodes],
            )
        )
    return trees
