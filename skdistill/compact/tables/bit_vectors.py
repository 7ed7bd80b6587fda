"""Scores of many rows by bit vectors: all nodes of a tree are compared, and no branch is taken.

QuickScorer (Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees", section 3) turned from one row and all trees to one tree and many
rows: a node where a row goes right clears the bits of the leaves on its left, and the lowest bit
that stays is the leaf. Rows lie side by side, so that vector units compare several at once.
Trees of more than 32 leaves are walked from node to node instead, as the definition in
`tree_table` does; both find the same leaves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.jit import njit
from skdistill.utils.vectors import add_row, padded_width

MOST_LEAVES = 32
BLOCK = 256  # rows at a time: columns and scores of them stay in the first-level cache
_DE_BRUIJN = np.uint32(0x077CB531)  # its 32 windows of five bits all differ


class BitVectors(NamedTuple):
    """Trees of few leaves as masks, and the values of their leaves.

    Attributes
    ----------
    columns : int32 array of shape (n_columns,)
        Columns that the nodes compare.
    first : int32 array of shape (n_trees + 1,)
        Where the nodes of each tree begin.
    column : int32 array of shape (n_nodes,)
        Number of the column among `columns`.
    threshold : float32 or float64 array of shape (n_nodes,)
        Rows with at most this go left.
    nan_left : bool array of shape (n_nodes,)
        Whether NaN goes left.
    mask : uint32 array of shape (n_nodes,)
        Bits that stay where a row goes right.
    start : uint32 array of shape (n_trees,)
        Bits of all leaves.
    leaf : int32 array of shape (n_trees, 32)
        Leaf of each lowest bit, by its number in the de Bruijn sequence.
    walked : int32 array of shape (n_walked,)
        Roots of the other trees.
    """

    columns: NDArray[np.int32]
    first: NDArray[np.int32]
    column: NDArray[np.int32]
    threshold: NDArray[np.floating]
    nan_left: NDArray[np.bool_]
    mask: NDArray[np.uint32]
    start: NDArray[np.uint32]
    leaf: NDArray[np.int32]
    walked: NDArray[np.int32]


def bit_vectors(
    roots: NDArray[np.int32],
    column: NDArray[np.int32],
    threshold: NDArray[np.floating],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    nan_left: NDArray[np.bool_],
) -> BitVectors:
    """Masks of trees.

    Parameters
    ----------
    roots, column, threshold, left, right, nan_left
        As `TreeTable.walk` has them.

    Returns
    -------
    trees : BitVectors
        Leaves that several paths lead to are several bits.
    """
    count = _count_leaves(left, right)
    nodes: list[int] = []
    masks: list[int] = []
    first, leaves, walked = [0], [], []
    for root in roots.tolist():
        n_leaves = int(count[root]) if root >= 0 else 1
        if n_leaves > MOST_LEAVES:
            walked.append(root)
            continue
        tree: list[int] = []
        # From the left to the right; each node with the number of leaves before it.
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node < 0:
                tree.append(~node)
                continue
            below = int(left[node])
            n_left = int(count[below]) if below >= 0 else 1
            nodes.append(node)
            masks.append(0xFFFFFFFF ^ ((1 << n_left) - 1 << len(tree)))
            waiting += [int(right[node]), below]
        first.append(len(nodes))
        leaves.append(tree)
    window = np.array([(int(_DE_BRUIJN) << bit & 0xFFFFFFFF) >> 27 for bit in range(32)])
    leaf = np.zeros((len(leaves), MOST_LEAVES), np.int32)
    for t, tree in enumerate(leaves):
        leaf[t, window[: len(tree)]] = tree
    used = np.array(nodes, np.intp)
    columns = np.unique(column[used]).astype(np.int32)
    return BitVectors(
        columns,
        np.array(first, np.int32),
        np.searchsorted(columns, column[used]).astype(np.int32),
        threshold[used].astype(np.float32 if threshold.dtype == np.float32 else np.float64),
        nan_left[used],
        np.array(masks, np.uint32),
        np.array([(1 << len(tree)) - 1 for tree in leaves], np.uint32),
        leaf,
        np.array(walked, np.int32),
    )


@njit
def _count_leaves(left, right):  # type: ignore[no-untyped-def]
    """Leaves below each node, once for each path that leads to them."""
    count = np.zeros(len(left))  # beyond 2**53 it hardly matters how many
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        for child in (left[node], right[node]):
            count[node] += count[child] if child >= 0 else 1
    return count


def padded_values(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Leaf values as the kernel takes them.

    Parameters
    ----------
    values : int32 array of shape (n_leaves, n_scores)
        What each leaf adds to the scores.

    Returns
    -------
    flat : int32 array of shape (n_leaves * width,)
        With zeros beside the scores.
    """
    table = np.zeros((len(values), padded_width(values.shape[1])), np.int32)
    table[:, : values.shape[1]] = values
    return table.ravel()


@njit
def add_bit_vectors(X, trees, values, out):  # type: ignore[no-untyped-def]
    """Add to the scores of rows the values of their leaves in all trees that are not walked.

    Parameters
    ----------
    X : float32 or float64 array of shape (n_samples, n_features)
        Rows, as `InputGrid.cast` returns them.
    trees : BitVectors
        Masks of the trees.
    values : int32 array of shape (n_leaves * width,)
        From `padded_values`.
    out : int32 array of shape (n_samples, n_scores)
        Scores, changed in place.
    """
    n_samples, n_scores = out.shape
    width = 1 if n_scores == 1 else (n_scores + 3) // 4 * 4
    x = np.zeros((len(trees.columns), BLOCK), X.dtype)
    bits, sums = np.empty(BLOCK, np.uint32), np.empty(BLOCK * width, np.int32)
    for begin in range(0, n_samples, BLOCK):
        n = min(BLOCK, n_samples - begin)
        for i in range(n):
            for j in range(len(trees.columns)):
                x[j, i] = X[begin + i, trees.columns[j]]
        sums[:] = 0
        for t in range(len(trees.start)):
            for i in range(BLOCK):
                bits[i] = trees.start[t]
            for node in range(trees.first[t], trees.first[t + 1]):
                _clear_bits(
                    x[trees.column[node]],
                    trees.threshold[node],
                    trees.nan_left[node],
                    trees.mask[node],
                    bits,
                )
            # The lowest bit, times the sequence, has its number in the first five bits.
            for i in range(BLOCK):
                lowest = bits[i] & (~bits[i] + np.uint32(1))
                bits[i] = np.uint32(lowest * _DE_BRUIJN) >> np.uint32(27)
            leaf = trees.leaf[t]
            if width == 1:
                for i in range(n):
                    sums[i] += values[leaf[bits[i]]]
                continue
            for i in range(n):
                a = np.intp(leaf[bits[i]]) * width
                for k in range(0, width, 4):
                    add_row(sums, i * width + k, values, a + k, 4)
        for i in range(n):
            for k in range(n_scores):
                out[begin + i, k] += sums[i * width + k]


@njit
def _clear_bits(x, threshold, nan_left, mask, bits):  # type: ignore[no-untyped-def]
    """Clear the bits of the leaves on the left of a node, where rows go right."""
    every = np.uint32(0xFFFFFFFF)
    if nan_left:
        for i in range(BLOCK):
            bits[i] &= mask if x[i] > threshold else every  # NaN is not
    else:
        for i in range(BLOCK):
            bits[i] &= every if x[i] <= threshold else mask
