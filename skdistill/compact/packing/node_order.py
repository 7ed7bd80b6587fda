"""Nodes in the order in which they are stored: depth first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.jit import njit

if TYPE_CHECKING:
    from skdistill.compact.tables.tree_table import TreeTable

_MOST_NODES = 2**40  # more than any memory holds


class Order(NamedTuple):
    """A node, its left subtree, its right subtree; tree after tree.

    In this order a node needs no pointer to its left child, which is the next one, and finds its
    right child by the size of its left subtree.

    Attributes
    ----------
    nodes : int array of shape (n_nodes,)
        Inner nodes of the table.
    leaves : int array of shape (n_leaves,)
        Leaves of the table.
    left : int array of shape (n_nodes,)
        Inner nodes in the left subtree of each of `nodes`.
    sizes : int array of shape (n_trees,)
        Inner nodes of each tree.
    steps : float
        Inner nodes that a row passes in all trees, mean over the leaves of each.
    """

    nodes: NDArray[np.int64]
    leaves: NDArray[np.int64]
    left: NDArray[np.int64]
    sizes: NDArray[np.int64]
    steps: float


def depth_first(trees: TreeTable) -> Order | None:
    """Order of the nodes and leaves of all trees.

    Parameters
    ----------
    trees : TreeTable
        Whose nodes and leaves may be shared.

    Returns
    -------
    order : Order or None
        None where subtrees or leaves are shared, which have no single place.
    """
    uses = np.concatenate([trees.roots, trees.left, trees.right])
    if len(np.unique(uses)) < len(uses):
        return None
    nodes, leaves, sizes, steps = _depth_first(trees.roots, trees.left, trees.right)
    count = inner_nodes(trees)
    child = trees.left[nodes]
    left = np.where(child >= 0, np.append(count, 0)[np.maximum(child, 0)], 0)
    return Order(nodes, leaves, left, sizes, float(steps))


def inner_nodes(trees: TreeTable) -> NDArray[np.int64]:
    """Size of the subtree of each node.

    Parameters
    ----------
    trees : TreeTable
        Whose subtrees may be shared; each use counts.

    Returns
    -------
    count : int64 array of shape (n_nodes,)
        Inner nodes, the node itself included; 2^40 stands for more.
    """
    count: NDArray[np.int64] = _inner_nodes(trees.left, trees.right)
    return count


def depths(trees: TreeTable) -> NDArray[np.int64]:
    """Depth of each tree.

    Parameters
    ----------
    trees : TreeTable
        Whose subtrees may be shared.

    Returns
    -------
    depths : int64 array of shape (n_trees,)
        Most inner nodes on a path from the root to a leaf; 0 for a leaf alone.
    """
    below = np.append(_depths(trees.left, trees.right), 0)  # an entry to look at for leaves
    is_inner = trees.roots >= 0
    depths: NDArray[np.int64] = np.where(is_inner, below[np.maximum(trees.roots, 0)], 0)
    return depths


@njit
def _inner_nodes(left, right):  # type: ignore[no-untyped-def]
    """Sizes of subtrees, from the bottom up; see `inner_nodes`."""
    count = np.ones(len(left), np.int64)
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        if left[node] >= 0:
            count[node] += count[left[node]]
        if right[node] >= 0:
            count[node] += count[right[node]]
        # Shared subtrees double from node to node: 63 of them would wrap around.
        count[node] = min(count[node], _MOST_NODES)
    return count


@njit
def _depths(left, right):  # type: ignore[no-untyped-def]
    """Depths of subtrees, from the bottom up; see `depths`."""
    depth = np.ones(len(left), np.int64)
    for node in range(len(left) - 1, -1, -1):
        for child in (left[node], right[node]):
            if child >= 0:
                depth[node] = max(depth[node], depth[child] + 1)
    return depth


@njit
def _depth_first(roots, left, right):  # type: ignore[no-untyped-def]
    """Walk all trees with a stack of their own: a chain of nodes would exhaust Python's.

    `waiting` holds nodes that are still to be visited and `level` their depths. The right child is
    pushed first, so that the left subtree comes right behind its node.
    """
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
