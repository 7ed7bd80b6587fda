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
def grow_small(  # type: ignore[no-untyped-def]
    nodes,
    work,
    n_nodes,
    codes,
    bin_offsets,
    row_stats,
    constraints,
    max_leaf_nodes,
    max_depth,
    min_rows,
    large_rows,
    feature_penalty,
    threshold_penalty,
):
    """Split the leaf that gains most, time and again, until one is large.

    Returns this leaf, and the number of nodes; −1 in place of the leaf if growth has ended.
    """
    candidates = _empty_heap()
    for node in range(n_nodes):
        if nodes.feature[node] >= 0 and nodes.children[node, 0] < 0:
            heappush(candidates, (-nodes.gain[node], np.int64(node)))
    while n_nodes // 2 + 1 < max_leaf_nodes and len(candidates) > 0:
        node = candidates[0][1]
        if nodes.slot[node] >= 0 and nodes.stop[node] - nodes.start[node] >= large_rows:
            return node, n_nodes
        heappop(candidates)
        pay_penalties(nodes, node, bin_offsets, feature_penalty, threshold_penalty)
        split_node(nodes, work, node, n_nodes, codes, bin_offsets, row_stats)
        bound_both(nodes, work, node, constraints)
        n_nodes += 2
        if n_nodes // 2 + 1 == max_leaf_nodes:
            break
        find_child_splits(
            nodes,
            work,
            node,
            codes,
            bin_offsets,
            row_stats,
            constraints,
            max_depth,
            min_rows,
            feature_penalty,
            threshold_penalty,
        )
        for child in range(n_nodes - 2, n_nodes):
            if nodes.feature[child] >= 0:
                heappush(candidates, (-nodes.gain[child], np.int64(child)))
        release_idle(nodes, work, n_nodes - 2, n_nodes, min_rows)
    return np.int64(-1), n_nodes


@njit
def split_and_search(  # type: ignore[no-untyped-def]
    nodes,
    work,
    node,
    left,
    codes,
    bin_offsets,
    row_stats,
    constraints,
    max_depth,
    min_rows,
    feature_penalty,
    threshold_penalty,
):
    """Make the children `left` and ``left + 1`` of a node, and find the best split of each."""
    split_node(nodes, work, node, left, codes, bin_offsets, row_stats)
    bound_both(nodes, work, node, constraints)
    find_child_splits(
        nodes,
        work,
        node,
        codes,
        bin_offsets,
        row_stats,
        constraints,
        max_depth,
        min_rows,
        feature_penalty,
        threshold_penalty,
    )


@njit
def find_child_splits(  # type: ignore[no-untyped-def]
    nodes,
    work,
    node,
    codes,
    bin_offsets,
    row_stats,
    constraints,
    max_depth,
    min_rows,
    feature_penalty,
    threshold_penalty,
):
    """Find the best splits of both children of a node, in histograms where rows are many."""
    small, large = smaller_child(nodes, node)
    if assign_slots(nodes, work, node, min_rows):
        splits = sum_and_search(
            nodes,
            work,
            small,
            large,
            codes,
            bin_offsets,
            row_stats,
            constraints,
            max_depth,
            feature_penalty,
            threshold_penalty,
            np.int64(0),  # a literal would be a type of its own: all below compiled once more
            codes.shape[0],
        )
        if splits[0].feature >= 0:
            store_split(nodes, small, splits[0])
        if splits[1].feature >= 0:
            store_split(nodes, large, splits[1])
    else:
        for child in (small, large):
            search_rows(
                nodes,
                work,
                child,
                codes,
                bin_offsets,
                row_stats,
                constraints,
                max_depth,
                feature_penalty,
                threshold_penalty,
            )


@njit
def _empty_heap():  # type: ignore[no-untyped-def]
    """A heap of pairs: minus the gain of a leaf's split, and the leaf.

    It has a function of its own because in one with a list comprehension numba 0.68 drops
    assignments to arrays that are fields of a tuple.
    """
    return [(0.0, np.int64(0)) for _ in range(0)]


@njit
def pay_penalties(nodes, node, bin_offsets, feature_penalty, threshold_penalty):  # type: ignore[no-untyped-def]
    """A split that is made pays its penalties, for all that follow."""
    feature, threshold = nodes.feature[node], nodes.threshold[node]
    feature_penalty[feature] = 0.0
    threshold_penalty[bin_offsets[feature] + threshold] = 0.0


@njit
def bound_both(nodes, work, node, constraints):  # type: ignore[no-untyped-def]
    """Bounds of both children of a node."""
    bound_children(
        nodes.lower,
        nodes.upper,
        nodes.sums,
        node,
        nodes.children[node, 0],
        work.signs[nodes.feature[node]],
        constraints.n_targets,
    )


@njit
def release_idle(nodes, work, first, last, min_rows):  # type: ignore[no-untyped-def]
    """Give up the histograms of new nodes that are not split, or small, or one too many."""
    for node in range(first, last):
        n_rows = nodes.stop[node] - nodes.start[node]
        # One slot has to stay free for the smaller child of the next split.
        if nodes.feature[node] < 0 or n_rows < min_rows or work.n_free[0] < 1:
            release_slot(nodes, work, node)


@njit
def _may_split(nodes, node, max_depth, min_samples_leaf):  # type: ignore[no-untyped-def]
    n_rows = nodes.stop[node] - nodes.start[node]
    return nodes.depth[node] < max_depth and n_rows >= 2 * min_samples_leaf


@njit
def sum_and_search(  # type: ignore[no-untyped-def]
    nodes,
    work,
    small,
    large,
    codes,
    bin_offsets,
    row_stats,
    constraints,
    max_depth,
    feature_penalty,
    threshold_penalty,
    first,
    last,
):
    """Histograms of two children by some features, and the best splits by these.

    The histogram of the smaller child is summed up, that of the larger one is the parent's, which
    lies in its slot, minus it. `large` is −1 for a root.
    """
    rows = work.rows[nodes.start[small] : nodes.stop[small]]
    histogram = work.histograms[nodes.slot[small]]
    sum_histogram(codes, bin_offsets, rows, row_stats, histogram, first, last)
    best = Split(constraints.min_gain, -1, 0, False)
    splits = (best, best)
    for which in range(2):
        child = small if which == 0 else large
        if child < 0:
            continue
        if which == 1:
            bins = slice(bin_offsets[first], bin_offsets[last])
            subtract_histogram(work.histograms[nodes.slot[large], bins], histogram[bins])
        if not _may_split(nodes, child, max_depth, constraints.min_samples_leaf):
            continue
        split = find_best_split(
            work.histograms[nodes.slot[child]],
            bin_offsets,
            nodes.sums[child],
            constraints,
            feature_penalty,
            threshold_penalty,
            ValueBounds(work.signs, nodes.lower[child], nodes.upper[child]),
            first,
            last,
        )
        splits = (split, splits[1]) if which == 0 else (splits[0], split)
    return splits


@njit
def search_rows(  # type: ignore[no-untyped-def]
    nodes,
    work,
    node,
    codes,
    bin_offsets,
    row_stats,
    constraints,
    max_depth,
    feature_penalty,
    threshold_penalty,
):
    """Find the best split of a node without histogram."""
    if not _may_split(nodes, node, max_depth, constraints.min_samples_leaf):
        return
    rows = work.rows[nodes.start[node] : nodes.stop[node]]
    gather_stats(row_stats, rows, work.node_stats)
    split = find_best_split_of_rows(
        codes,
        bin_offsets,
        rows,
        work.node_stats,
        nodes.sums[node],
        constraints,
        feature_penalty,
        threshold_penalty,
        ValueBounds(work.signs, nodes.lower[node], nodes.upper[node]),
        work.scratch,
    )
    if split.feature >= 0:
        store_split(nodes, node, split)
