"""Many trees of given structure as flat arrays, and how they are cut.

Symbols: n rows, T trees, N nodes of all trees, S score columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from skdistill.compact import InputGrid
from skdistill.quantization.assemble import QuantizedTree

KEEP, CUT, LEFT_ONLY, RIGHT_ONLY = 0, 1, 2, 3


class Forest(NamedTuple):
    """Trees on the codes of one grid; a tree's nodes lie together, depth first.

    Attributes
    ----------
    grid : InputGrid
    roots : int array of shape (T,)
    feature, threshold : int arrays of shape (N,)
        Feature −1 is a leaf.
    nan_left : bool array of shape (N,)
    left, right : int arrays of shape (N,)
        Nodes; −1 for a leaf.
    values : float64 array of shape (N, S)
        Read at leaves only.
    leaves : int32 array of shape (n, T)
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
        """Whether each node is a leaf, bool array of shape (N,)."""
        return self.feature < 0

    @property
    def tree(self) -> NDArray[np.intp]:
        """Tree of each node, int array of shape (N,)."""
        return np.repeat(
            np.arange(len(self.roots)), np.diff(np.append(self.roots, len(self.feature)))
        )


def plant(
    grid: InputGrid,
    trees: Sequence[QuantizedTree],
    X: NDArray[Any],
) -> Forest:
    """Flat arrays of `trees`, with the leaf that each row of `X` ends in.

    A split that leaves one side without a row is left out.

    Parameters
    ----------
    grid : InputGrid
    trees : sequence of QuantizedTree
        With real values.
    X : array of shape (n, d)

    Returns
    -------
    forest : Forest
    """
    sizes = [len(tree.feature) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    children = np.vstack(
        [np.where(t.children >= 0, t.children + r, -1) for t, r in zip(trees, roots, strict=True)]
    )
    feature = np.concatenate([tree.feature for tree in trees])
    forest = Forest(
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
    return without_empty_sides(route(forest, X))


def route(forest: Forest, X: NDArray[Any]) -> Forest:
    """The forest with the leaves of the rows of `X`."""
    leaves = np.zeros((len(X), len(forest.roots)), np.int32)
    codes = np.ascontiguousarray(forest.grid.encode(X).T)
    _route(codes, forest.grid.counts, *forest[1:7], leaves)
    return forest._replace(leaves=leaves)


@njit(nogil=True, cache=True)
def _route(codes, n_edges, roots, feature, threshold, nan_left, left, right, leaves):
    for i in range(codes.shape[0]):
        for t in range(len(roots)):
            node = roots[t]
            while feature[node] >= 0:
                code = codes[i, feature[node]]
                missing = code > n_edges[feature[node]]
                goes_left = nan_left[node] if missing else code <= threshold[node]
                node = left[node] if goes_left else right[node]
            leaves[i, t] = node


def without_empty_sides(forest: Forest) -> Forest:
    """Put the other child in the place of each split that has no row on one side."""
    count = np.bincount(forest.leaves.ravel(), minlength=len(forest.feature))
    _add_up(count, forest.left, forest.right)
    empty = np.append(count == 0, False)
    state = np.full(len(count), KEEP, np.int8)
    inner = ~forest.is_leaf
    state[inner & empty[forest.left]] = RIGHT_ONLY
    state[inner & empty[forest.right]] = LEFT_ONLY
    return cut(forest, state)


def cut(
    forest: Forest, state: NDArray[np.int8], values: NDArray[np.float64] | None = None
) -> Forest:
    """The forest with some nodes cut to leaves, or replaced by one of their children.

    Parameters
    ----------
    forest : Forest
    state : int8 array of shape (N,)
        `KEEP`, `CUT` (the node becomes a leaf), `LEFT_ONLY` or `RIGHT_ONLY` (that child takes
        its place).
    values : float64 array of shape (N, S), default=None
        New values of the nodes.

    Returns
    -------
    forest : Forest
    """
    order, place, roots = _reduce(forest.roots, forest.left, forest.right, state)
    stays = (forest.feature[order] >= 0) & (state[order] != CUT)
    child = [np.where(stays, place[side[order]], -1) for side in (forest.left, forest.right)]
    values = forest.values if values is None else values
    return forest._replace(
        roots=roots,
        feature=np.where(stays, forest.feature[order], -1),
        threshold=np.where(stays, forest.threshold[order], 0),
        nan_left=forest.nan_left[order] & stays,
        left=child[0],
        right=child[1],
        values=values[order],
        leaves=place[forest.leaves].astype(np.int32),
    )


@njit(nogil=True, cache=True)
def _reduce(roots, left, right, state):
    """Nodes that stay, depth first; the new place of every old node; new roots."""
    N = len(left)
    order = np.empty(N, np.int64)
    place = np.zeros(N, np.int64)
    new_roots = np.empty(len(roots), np.int64)
    stack = np.empty(N + 1, np.int64)
    under = np.full(N, -1, np.int64)  # place of the node that a removed one belongs to
    kept = 0
    for t in range(len(roots)):
        new_roots[t] = kept
        stack[0], top = roots[t], 1
        while top > 0:
            top -= 1
            node = stack[top]
            inner = left[node] >= 0
            if under[node] >= 0:
                place[node] = under[node]
            elif inner and (state[node] == LEFT_ONLY or state[node] == RIGHT_ONLY):
                place[node] = kept  # the child that takes its place comes next
            else:
                order[kept], place[node] = node, kept
                kept += 1
            if not inner:
                continue
            a, b = left[node], right[node]
            if under[node] >= 0 or state[node] == CUT:
                under[a] = under[b] = place[node]
            elif state[node] == LEFT_ONLY:
                under[b] = place[node]
            elif state[node] == RIGHT_ONLY:
                under[a] = place[node]
                a, b = b, a
            stack[top], stack[top + 1] = b, a
            top += 2
    return order[:kept], place, new_roots


@njit(nogil=True, cache=True)
def _add_up(count, left, right):
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            count[node] = count[left[node]] + count[right[node]]


def without_trees(forest: Forest, gone: NDArray[np.bool_]) -> Forest:
    """The forest without some of its trees.

    Parameters
    ----------
    forest : Forest
    gone : bool array of shape (T,)

    Returns
    -------
    forest : Forest
    """
    stays = ~gone[forest.tree]
    place = np.cumsum(stays) - 1
    inner = ~forest.is_leaf[stays]
    return forest._replace(
        roots=place[forest.roots[~gone]],
        feature=forest.feature[stays],
        threshold=forest.threshold[stays],
        nan_left=forest.nan_left[stays],
        left=np.where(inner, place[forest.left[stays]], -1),
        right=np.where(inner, place[forest.right[stays]], -1),
        values=forest.values[stays],
        leaves=np.ascontiguousarray(place[forest.leaves[:, ~gone]].astype(np.int32)),
    )


def quantized_trees(forest: Forest, values: NDArray[np.int32]) -> list[QuantizedTree]:
    """Trees with integer values of all nodes, one by one.

    Parameters
    ----------
    forest : Forest
    values : int32 array of shape (N, S)

    Returns
    -------
    trees : list of QuantizedTree
    """
    stops = np.append(forest.roots[1:], len(forest.feature))
    trees = []
    for start, stop in zip(forest.roots, stops, strict=True):
        part = slice(start, stop)
        children = np.column_stack([forest.left[part], forest.right[part]])
        trees.append(
            QuantizedTree(
                forest.feature[part],
                forest.threshold[part],
                forest.nan_left[part],
                np.where(children >= 0, children - start, -1),
                values[part],
            )
        )
    return trees
