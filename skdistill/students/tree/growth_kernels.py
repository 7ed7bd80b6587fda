"""The kernels that a tree grows by: from the leaf that gains most to its children's best splits.

They call kernels of `growth_state`, `histogram` and `splitting`. numba's cache watches this file
alone: after an edit of theirs the cached kernels here are stale (the tests remove them).
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from skdistill.students.tree.growth_state import (
    assign_slots,
    release_slot,
    smaller_child,
    split_node,
    store_split,
)
from skdistill.students.tree.histogram import gather_stats, subtract_histogram, sum_histogram
from skdistill.students.tree.monotonic import ValueBounds, bound_children
from skdistill.students.tree.splitting import Split, find_best_split, find_best_split_of_rows
from skdistill.utils.jit import njit


@njit
def grow_small(nodes, work, problem, order, n_ordered, n_nodes, max_leaf_nodes, many_rows):  # type: ignore[no-untyped-def]
    """Split the leaf that gains most, time and again, until one has many rows.

    Leaves that were split ahead are not split again. Returns the leaf of many rows, how many nodes
    are in `order`, and how many there are; −1 in place of the leaf if growth has ended.
    """
    candidates = _empty_heap()
    has_place = np.zeros(n_nodes, np.bool_)
    has_place[order[:n_ordered]] = True
    for place in range(n_ordered):
        node = order[place]
        left = nodes.children[node, 0]
        if nodes.feature[node] >= 0 and (left < 0 or not has_place[left]):
            heappush(candidates, (-nodes.gain[node], np.int64(place)))
    while n_ordered // 2 + 1 < max_leaf_nodes and len(candidates) > 0:
        node = np.int64(order[candidates[0][1]])
        if nodes.children[node, 0] < 0:
            if nodes.stop[node] - nodes.start[node] >= many_rows:
                return node, n_ordered, n_nodes
            pay_penalties(nodes, problem, node)
            split_node(nodes, work, problem, node, n_nodes)
            bound_both(nodes, work, problem, node)
            if n_ordered // 2 + 2 < max_leaf_nodes:
                find_child_splits(nodes, work, problem, node)
                release_idle(nodes, work, problem, n_nodes)
            n_nodes += 2
        heappop(candidates)
        for child in nodes.children[node]:
            if nodes.feature[child] >= 0:
                heappush(candidates, (-nodes.gain[child], np.int64(n_ordered)))
            order[n_ordered] = child
            n_ordered += 1
    return np.int64(-1), n_ordered, n_nodes


@njit
def split_and_search(nodes, work, problem, node, left):  # type: ignore[no-untyped-def]
    """Make the children `left` and ``left + 1`` of a node, and find the best split of each."""
    split_node(nodes, work, problem, node, left)
    bound_both(nodes, work, problem, node)
    find_child_splits(nodes, work, problem, node)


@njit
def find_child_splits(nodes, work, problem, node):  # type: ignore[no-untyped-def]
    """Find the best splits of both children of a node, in histograms where rows are many."""
    small, large = smaller_child(nodes, node)
    if not assign_slots(nodes, work, node, problem.min_rows):
        search_rows(nodes, work, problem, small)
        search_rows(nodes, work, problem, large)
        return
    # A literal 0 would be a type of its own: all below would be compiled once more.
    first, last = np.int64(0), np.int64(len(problem.codes))
    splits = sum_and_search(nodes, work, problem, small, large, first, last)
    if splits[0].feature >= 0:
        store_split(nodes, small, splits[0])
    if splits[1].feature >= 0:
        store_split(nodes, large, splits[1])


@njit
def _empty_heap():  # type: ignore[no-untyped-def]
    """A heap of pairs: minus the gain of a leaf's split, and the place of the leaf in the order.

    It has a function of its own because in one with a list comprehension numba 0.68 drops
    assignments to arrays that are fields of a tuple.
    """
    return [(0.0, np.int64(0)) for _ in range(0)]


@njit
def pay_penalties(nodes, problem, node):  # type: ignore[no-untyped-def]
    """A split that is made pays its penalties, for all that follow."""
    feature, threshold = nodes.feature[node], nodes.threshold[node]
    problem.feature_penalty[feature] = 0.0
    problem.threshold_penalty[problem.bin_offsets[feature] + threshold] = 0.0


@njit
def bound_both(nodes, work, problem, node):  # type: ignore[no-untyped-def]
    """Bounds of both children of a node."""
    bound_children(
        nodes.lower,
        nodes.upper,
        nodes.sums,
        node,
        nodes.children[node, 0],
        work.signs[nodes.feature[node]],
        problem.constraints.n_targets,
    )


@njit
def release_idle(nodes, work, problem, left):  # type: ignore[no-untyped-def]
    """Give up histograms of two new nodes that are not split, or small, or one too many."""
    for node in range(left, left + 2):
        n_rows = nodes.stop[node] - nodes.start[node]
        # One slot has to stay free for the smaller child of the next split.
        if nodes.feature[node] < 0 or n_rows < problem.min_rows or work.n_free[0] < 1:
            release_slot(nodes, work, node)


@njit
def _may_split(nodes, problem, node):  # type: ignore[no-untyped-def]
    n_rows = nodes.stop[node] - nodes.start[node]
    return (
        nodes.depth[node] < problem.max_depth and n_rows >= 2 * problem.constraints.min_samples_leaf
    )


@njit
def sum_and_search(nodes, work, problem, small, large, first, last):  # type: ignore[no-untyped-def]
    """Histograms of two children by some features, and the best splits by these.

    The histogram of the smaller child is summed up, that of the larger one is the parent's, which
    lies in its slot, minus it. `large` is −1 for a root.
    """
    bin_offsets, constraints = problem.bin_offsets, problem.constraints
    rows = work.rows[nodes.start[small] : nodes.stop[small]]
    histogram = work.histograms[nodes.slot[small]]
    sum_histogram(problem.codes, bin_offsets, rows, problem.row_stats, histogram, first, last)
    best = Split(constraints.min_gain, -1, 0, False)
    splits = (best, best)
    for which in range(2):
        child = small if which == 0 else large
        if child < 0:
            continue
        if which == 1:
            bins = slice(bin_offsets[first], bin_offsets[last])
            subtract_histogram(work.histograms[nodes.slot[large], bins], histogram[bins])
        if not _may_split(nodes, problem, child):
            continue
        split = find_best_split(
            work.histograms[nodes.slot[child]],
            bin_offsets,
            nodes.sums[child],
            constraints,
            problem.feature_penalty,
            problem.threshold_penalty,
            ValueBounds(work.signs, nodes.lower[child], nodes.upper[child]),
            first,
            last,
        )
        splits = (split, splits[1]) if which == 0 else (splits[0], split)
    return splits


@njit
def search_rows(nodes, work, problem, node):  # type: ignore[no-untyped-def]
    """Find the best split of a node without histogram."""
    if not _may_split(nodes, problem, node):
        return
    rows = work.rows[nodes.start[node] : nodes.stop[node]]
    gather_stats(problem.row_stats, rows, work.node_stats)
    split = find_best_split_of_rows(
        problem.codes,
        problem.bin_offsets,
        rows,
        work.node_stats,
        nodes.sums[node],
        problem.constraints,
        problem.feature_penalty,
        problem.threshold_penalty,
        ValueBounds(work.signs, nodes.lower[node], nodes.upper[node]),
        work.scratch,
    )
    if split.feature >= 0:
        store_split(nodes, node, split)
