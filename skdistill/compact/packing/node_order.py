"""Nodes in the order in which they are kept: depth first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skdistill.compact.tables.tree_table import TreeTable


class Order(NamedTuple):
    """A node, its left subtree, its right subtree; tree after tree.

    Attributes
    ----------
    nodes : int array of shape (N,)
        Inner nodes of the table.
    leaves : int array of shape (L,)
        Leaves of the table.
    left : int array of shape (N,)
        Inner nodes in the left subtree of each of `nodes`.
    sizes : int array of shape (T,)
        Inner nodes of each tree.
    steps : float
        Inner nodes on a way through all trees, mean over leaves.
    """

    nodes: NDArray[np.int64]
    leaves: NDArray[np.int64]
    left: NDArray[np.int64]
    sizes: NDArray[np.int64]
    steps: float


def depth_first(trees: TreeTable) -> Order | None:
    """Order of the nodes and leaves of all trees; None where subtrees or leaves are shared."""
    uses = np.concatenate([trees.roots, trees.left, trees.right])
    if len(np.unique(uses)) < len(uses):
        return None
    nodes, leaves, sizes, steps = _depth_first(trees.roots, trees.left, trees.right)
    count = inner_nodes(trees)
    child = trees.left[nodes]
    left = np.where(child >= 0, np.append(count, 0)[np.maximum(child, 0)], 0)
    return Order(nodes, leaves, left, sizes, float(steps))


def inner_nodes(trees: TreeTable) -> NDArray[np.int64]:
    """Inner nodes of the subtree below and with each node, int64 array of shape (N,)."""
    count: NDArray[np.int64] = _inner_nodes(trees.left, trees.right)
    return count


def depths(trees: TreeTable) -> NDArray[np.int64]:
    """Most inner nodes on a way from each tree's root to a leaf, int64 array of shape (T,)."""
    below = _depths(trees.left, trees.right)
    found: NDArray[np.int64] = np.where(
        trees.roots >= 0, np.append(below, 0)[np.maximum(trees.roots, 0)], 0
    )
    return found


@njit(nogil=True, cache=True)
def _inner_nodes(left, right):  # type: ignore[no-untyped-def]
    count = np.ones(len(left), np.int64)
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        if left[node] >= 0:
            count[node] += count[left[node]]
        if right[node] >= 0:
            count[node] += count[right[node]]
    return count


@njit(nogil=True, cache=True)
def _depths(left, right):  # type: ignore[no-untyped-def]
    depth = np.ones(len(left), np.int64)
    for node in range(len(left) - 1, -1, -1):
        for child in (left[node], right[node]):
            if child >= 0:
                depth[node] = max(depth[node], depth[child] + 1)
    return depth


@njit(nogil=True, cache=True)
def _depth_first(roots, left, right):  # type: ignore[no-untyped-def]
    n, T = len(left), len(roots)
    nodes, leaves = np.empty(n, np.int64), np.empty(n + T, np.int64)
    sizes = np.zeros(T, np.int64)
    waiting, level = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    i, j, steps = 0, 0, 0.0
    for t in range(T):
        first_node, first_leaf, total = i, j, 0
        waiting[0], level[0], top = roots[t], 0, 1
        while top > 0:
            top -= 1
            node, depth = waiting[top], level[top]
            if node < 0:
                leaves[j], j = ~node, j + 1
                total += depth
                continue
            nodes[i], i = node, i + 1
            waiting[top], waiting[top + 1] = right[node], left[node]
            level[top], level[top + 1] = depth + 1, depth + 1
            top += 2
        sizes[t] = i - first_node
        steps += total / (j - first_leaf)
    return nodes[:i], leaves[:j], sizes, steps
