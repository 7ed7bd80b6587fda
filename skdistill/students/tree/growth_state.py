"""The nodes of a tree that grows, and the memory that they share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import partition_rows
from skdistill.students.tree.splitting import SplitConstraints
from skdistill.utils.jit import njit


class Nodes(NamedTuple):
    """Nodes in the order in which they are made; splits of leaves are candidates."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.int32]
    nan_left: NDArray[np.bool_]
    children: NDArray[np.int32]
    gain: NDArray[np.float64]
    sums: NDArray[np.int64]
    depth: NDArray[np.int32]
    start: NDArray[np.int64]  # a node has rows[start:stop] of the workspace
    stop: NDArray[np.int64]
    slot: NDArray[np.int32]  # its histogram in the workspace, −1 without one
    lower: NDArray[np.float64]  # bounds of the mean of the last target
    upper: NDArray[np.float64]


class GrowthProblem(NamedTuple):
    """What a tree is grown on, and within which limits."""

    codes: NDArray[Any]  # uint8 or uint16, of shape (n_features, n_samples)
    bin_offsets: NDArray[np.int64]
    row_stats: NDArray[Any]
    constraints: SplitConstraints
    max_depth: int
    min_rows: int  # of a node whose histogram is kept
    feature_penalty: NDArray[np.float64]  # a penalty that a split has paid becomes 0
    threshold_penalty: NDArray[np.float64]


class Workspace(NamedTuple):
    """Memory that all nodes share."""

    rows: NDArray[np.int32]  # row numbers, those of a node side by side
    buffer: NDArray[np.int32]
    node_stats: NDArray[np.int32]  # of nodes without histogram
    histograms: NDArray[np.int64]
    free_slots: NDArray[np.int64]  # a stack, of which the first n_free[0] are free
    n_free: NDArray[np.int64]
    scratch: NDArray[np.int64]  # histogram of one feature, all 0
    signs: NDArray[np.int8]  # of the features, see `ValueBounds`


@njit
def allocate_nodes(n_nodes, n_stats):  # type: ignore[no-untyped-def]
    """So many nodes without children."""
    return Nodes(
        np.full(n_nodes, -1, np.int32),
        np.zeros(n_nodes, np.int32),
        np.zeros(n_nodes, np.bool_),
        np.full((n_nodes, 2), -1, np.int32),
        np.zeros(n_nodes),
        np.zeros((n_nodes, n_stats), np.int64),
        np.zeros(n_nodes, np.int32),
        np.zeros(n_nodes, np.int64),
        np.zeros(n_nodes, np.int64),
        np.full(n_nodes, -1, np.int32),
        np.full(n_nodes, -np.inf),
        np.full(n_nodes, np.inf),
    )


@njit
def allocate_workspace(n_samples, n_stats, bin_offsets, n_slots, signs):  # type: ignore[no-untyped-def]
    """Memory for so many rows and histograms; pages that are never written cost nothing."""
    most_bins = 0
    for j in range(len(bin_offsets) - 1):
        most_bins = max(most_bins, bin_offsets[j + 1] - bin_offsets[j])
    rows = np.empty(n_samples, np.int32)
    for row in range(n_samples):  # np.arange would take eight bytes a row beside them
        rows[row] = row
    return Workspace(
        rows,
        np.empty(n_samples, np.int32),
        np.empty((n_samples, n_stats), np.int32),
        np.empty((n_slots, bin_offsets[-1], n_stats), np.int64),
        np.arange(n_slots),
        np.full(1, n_slots),
        np.zeros((most_bins, n_stats), np.int64),
        signs,
    )


@njit
def sum_rows(row_stats, rows, sums):  # type: ignore[no-untyped-def]
    """Add the statistics of some rows to `sums`."""
    for row in rows:
        for c in range(len(sums)):
            sums[c] += row_stats[row, c]


@njit
def release_slot(nodes, work, node):  # type: ignore[no-untyped-def]
    """Give up the histogram of a node, if it has one."""
    if nodes.slot[node] >= 0:
        work.free_slots[work.n_free[0]] = nodes.slot[node]
        work.n_free[0] += 1
        nodes.slot[node] = -1


@njit
def store_split(nodes, node, split):  # type: ignore[no-untyped-def]
    """Note the best split of a node, which is not made yet."""
    nodes.gain[node] = split.gain
    nodes.feature[node] = split.feature
    nodes.threshold[node] = split.threshold
    nodes.nan_left[node] = split.nan_left


@njit
def make_children(nodes, node, left, middle):  # type: ignore[no-untyped-def]
    """Make the children `left` and ``left + 1`` of a node whose rows were parted at `middle`."""
    right = left + 1
    nodes.children[node, 0], nodes.children[node, 1] = left, right
    nodes.start[left], nodes.stop[left] = nodes.start[node], middle
    nodes.start[right], nodes.stop[right] = middle, nodes.stop[node]
    nodes.depth[left] = nodes.depth[right] = nodes.depth[node] + 1


@njit
def smaller_child(nodes, node):  # type: ignore[no-untyped-def]
    """The child of fewer rows, then the other; the left one first if they have as many."""
    left, right = np.int64(nodes.children[node, 0]), np.int64(nodes.children[node, 1])
    if nodes.stop[left] - nodes.start[left] <= nodes.stop[right] - nodes.start[right]:
        return left, right
    return right, left


@njit
def split_node(nodes, work, problem, node, left):  # type: ignore[no-untyped-def]
    """Make the children `left` and ``left + 1`` of a node: their rows, depths and sums."""
    feature, row_stats = nodes.feature[node], problem.row_stats
    middle = partition_rows(
        problem.codes[feature],
        work.rows,
        nodes.start[node],
        nodes.stop[node],
        problem.bin_offsets[feature + 1] - problem.bin_offsets[feature] - 2,
        nodes.threshold[node],
        nodes.nan_left[node],
        work.buffer,
    )
    make_children(nodes, node, left, middle)
    small, large = smaller_child(nodes, node)
    sum_rows(row_stats, work.rows[nodes.start[small] : nodes.stop[small]], nodes.sums[small])
    for c in range(row_stats.shape[1]):
        nodes.sums[large, c] = nodes.sums[node, c] - nodes.sums[small, c]


@njit
def assign_slots(nodes, work, parent, min_rows):  # type: ignore[no-untyped-def]
    """Slots for the histograms of both children, where their rows are many enough.

    The larger child gets its parent's. Returns whether there are histograms.
    """
    small, large = smaller_child(nodes, parent)
    if nodes.slot[parent] < 0 or nodes.stop[large] - nodes.start[large] < min_rows:
        release_slot(nodes, work, parent)
        return False
    work.n_free[0] -= 1
    nodes.slot[small] = work.free_slots[work.n_free[0]]
    nodes.slot[large], nodes.slot[parent] = nodes.slot[parent], -1
    return True


@njit
def close_leaves(nodes, rows, leaf, n_nodes):  # type: ignore[no-untyped-def]
    """Write the leaf of every row; candidate splits that were not made are forgotten."""
    for node in range(n_nodes):
        if nodes.children[node, 0] < 0:
            nodes.feature[node], nodes.threshold[node] = -1, 0
            nodes.nan_left[node], nodes.gain[node] = False, 0.0
            for t in range(nodes.start[node], nodes.stop[node]):
                leaf[rows[t]] = node
