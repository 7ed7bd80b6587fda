"""Growing one tree on integer codes, best-first.

The leaf whose split gains most is split next (Friedman, Hastie & Tibshirani 2000, "Additive
logistic regression", section 8; LightGBM's leaf-wise growth), until there are enough leaves or no
split gains anything. Each node finds its best split in a histogram of its rows: the smaller child
of a split is summed up, the larger one is its parent's histogram minus it.

Kernels call kernels of `histogram`, `splitting` and `grown_tree`. numba's cache watches this file
alone: after an edit of theirs the cached kernels here are stale (the tests remove them).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import GrownTree, partition_rows
from skdistill.students.tree.histogram import build_histogram, gather_stats, subtract_histogram
from skdistill.students.tree.monotonic import ValueBounds, bound_children
from skdistill.students.tree.splitting import (
    SplitConstraints,
    find_best_split,
    find_best_split_of_rows,
    node_score,
)
from skdistill.utils.jit import njit

_HISTOGRAM_BYTES = 1 << 28  # for the histograms of open leaves; further leaves are summed up anew
_RELATIVE_GAIN = 1e-13  # of a split, so that rounding errors of the scores split no pure node


class SplitPenalties(NamedTuple):
    """What a split has to gain beyond 0, in units of the row statistics.

    A penalty is paid once in a tree: it counts no more for later splits by the same feature or
    threshold.

    Attributes
    ----------
    feature : float64 array of shape (n_features,)
        For each feature.
    threshold : float64 array of shape (n_bins,)
        For each threshold, at the bin of its code; a feature has ``n_edges + 2`` bins.
    """

    feature: NDArray[np.float64]
    threshold: NDArray[np.float64]


def grow_tree(
    codes: NDArray[Any],
    n_edges: NDArray[np.int32],
    row_stats: NDArray[np.int32],
    *,
    criterion: int,
    max_leaf_nodes: int,
    max_depth: int,
    min_samples_leaf: int,
    min_weight_fraction: float = 0.0,
    l2_regularization: float = 0.0,
    penalties: SplitPenalties | None = None,
    signs: NDArray[np.int8] | None = None,
) -> GrownTree:
    """Grow a tree, always splitting the leaf that gains most.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        As `InputGrid.encode` returns them; the code ``n_edges[j] + 1`` is NaN.
    n_edges : int32 array of shape (n_features,)
        Edges of each feature, which are its possible thresholds.
    row_stats : int32 array of shape (n_samples, n_stats)
        Weighted targets and weight of each row in fixed point, followed by a 1 if
        `min_samples_leaf` is above 1. Weights are above 0.
    criterion : {SQUARED_ERROR, ENTROPY}
        The impurity.
    max_leaf_nodes : int
        Maximum number of leaves.
    max_depth : int
        Maximum number of splits on the way to a leaf.
    min_samples_leaf : int
        Minimum number of rows in a leaf.
    min_weight_fraction : float, default=0.0
        Minimum weight of a leaf, as a fraction of the total weight.
    l2_regularization : float, default=0.0
        Added to the weight of a node in its squared error, in units of the row statistics.
    penalties : SplitPenalties, default=None
        What a split has to gain; None is 0 for all. They are not changed.
    signs : int8 array of shape (n_features,), default=None
        1 where the mean of the last target has to rise with a feature, −1 where it has to fall;
        None is 0 for all.

    Returns
    -------
    tree : GrownTree
        A feature that no row lacks learns no side for NaN: it goes right, which costs no byte.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.tree.fixed_point import to_fixed_point
    >>> from skdistill.students.tree.grower import grow_tree
    >>> from skdistill.students.tree.splitting import SQUARED_ERROR
    >>> codes = np.array([[0, 1, 2, 3]], np.uint8)
    >>> row_stats = to_fixed_point(np.array([[0.0], [0.0], [1.0], [1.0]]), np.ones(4))
    >>> limits = {"max_leaf_nodes": 2, "max_depth": 1, "min_samples_leaf": 1}
    >>> tree = grow_tree(
    ...     codes, np.array([3], np.int32), row_stats, criterion=SQUARED_ERROR, **limits
    ... )
    >>> tree.threshold[0], tree.leaf.tolist()
    (np.int32(1), [1, 1, 2, 2])
    """
    bin_offsets = np.zeros(len(n_edges) + 1, np.int64)
    np.cumsum(n_edges.astype(np.int64) + 2, out=bin_offsets[1:])
    n_bins, n_stats = int(bin_offsets[-1]), row_stats.shape[1]
    slots = _HISTOGRAM_BYTES // max(1, n_bins * n_stats * 8)
    if penalties is None:
        penalties = SplitPenalties(np.zeros(len(n_edges)), np.zeros(n_bins))
    if signs is None:
        signs = np.zeros(len(n_edges), np.int8)
    tree = GrownTree(
        *_grow(
            codes,
            bin_offsets,
            row_stats,
            criterion,
            max_leaf_nodes,
            max_depth,
            min_samples_leaf,
            float(min_weight_fraction),
            float(l2_regularization),
            min(max_leaf_nodes + 1, max(2, slots)),
            penalties.feature.copy(),
            penalties.threshold.copy(),
            signs,
        )
    )
    has_nan = codes.max(axis=1) > n_edges
    return tree._replace(nan_left=tree.nan_left & has_nan[tree.feature])


class _Nodes(NamedTuple):
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


class _Workspace(NamedTuple):
    """Memory that all nodes share."""

    rows: NDArray[np.int32]  # row numbers, those of a node side by side
    buffer: NDArray[np.int32]
    node_stats: NDArray[np.int32]
    histograms: NDArray[np.int64]
    free_slots: NDArray[np.int64]  # a stack, of which the first n_free[0] are free
    n_free: NDArray[np.int64]
    scratch: NDArray[np.int64]  # histogram of one feature, all 0


@njit
def _grow(  # type: ignore[no-untyped-def]
    codes,
    bin_offsets,
    row_stats,
    criterion,
    max_leaf_nodes,
    max_depth,
    min_samples_leaf,
    min_weight_fraction,
    l2_regularization,
    n_slots,
    feature_penalty,
    threshold_penalty,
    signs,
):
    """Arrays of a `GrownTree`."""
    n_samples, n_stats = row_stats.shape
    nodes = _allocate_nodes(2 * min(max_leaf_nodes, n_samples) - 1, n_stats)
    work = _allocate_workspace(n_samples, n_stats, bin_offsets, n_slots)
    nodes.stop[0] = n_samples
    _sum_rows(row_stats, work.rows, nodes.sums[0])
    n_targets = n_stats - 1 - (min_samples_leaf > 1)
    total = np.float64(nodes.sums[0, n_targets])
    root_score = node_score(nodes.sums[0], n_targets, criterion, l2_regularization)
    constraints = SplitConstraints(
        n_targets,
        criterion,
        min_weight_fraction * total,
        _RELATIVE_GAIN * max(abs(root_score), total),
        min_samples_leaf,
        l2_regularization,
    )
    # With fewer rows than a feature has bins, summing them is cheaper than subtracting.
    min_rows = bin_offsets[-1] // max(1, codes.shape[0])
    if n_samples >= min_rows:
        _sum_histogram(nodes, work, 0, codes, bin_offsets, row_stats)

    candidates = _empty_heap()
    first_new, n_nodes, n_leaves = 0, 1, 1
    while n_leaves < max_leaf_nodes:
        for node in range(first_new, n_nodes):
            n_rows = nodes.stop[node] - nodes.start[node]
            if nodes.depth[node] < max_depth and n_rows >= 2 * min_samples_leaf:
                split = _best_split(
                    nodes,
                    work,
                    node,
                    codes,
                    bin_offsets,
                    row_stats,
                    constraints,
                    feature_penalty,
                    threshold_penalty,
                    ValueBounds(signs, nodes.lower[node], nodes.upper[node]),
                )
                if split.feature >= 0:
                    _store_split(nodes, node, split)
                    heappush(candidates, (-split.gain, np.int64(node)))
        for node in range(first_new, n_nodes):
            n_rows = nodes.stop[node] - nodes.start[node]
            # One slot has to stay free for the smaller child of the next split.
            if nodes.feature[node] < 0 or n_rows < min_rows or work.n_free[0] < 1:
                _release_slot(nodes, work, node)
        if len(candidates) == 0:
            break
        node = heappop(candidates)[1]
        feature, threshold = nodes.feature[node], nodes.threshold[node]
        feature_penalty[feature] = 0.0
        threshold_penalty[bin_offsets[feature] + threshold] = 0.0
        _split_node(nodes, work, node, n_nodes, codes, bin_offsets, row_stats)
        bound_children(
            nodes.lower, nodes.upper, nodes.sums, node, n_nodes, signs[feature], n_targets
        )
        first_new, n_nodes, n_leaves = n_nodes, n_nodes + 2, n_leaves + 1
        if n_leaves < max_leaf_nodes:
            _histograms_of_children(nodes, work, node, min_rows, codes, bin_offsets, row_stats)

    leaf = _close_leaves(nodes, work.rows, n_nodes)
    return (
        nodes.feature[:n_nodes],
        nodes.threshold[:n_nodes],
        nodes.nan_left[:n_nodes],
        nodes.children[:n_nodes],
        nodes.gain[:n_nodes] / total,
        nodes.sums[:n_nodes],
        leaf,
    )


@njit
def _empty_heap():  # type: ignore[no-untyped-def]
    """A heap of pairs: minus the gain of a leaf's split, and the leaf.

    It has a function of its own because in one with a list comprehension numba 0.68 drops
    assignments to arrays that are fields of a tuple.
    """
    return [(0.0, np.int64(0)) for _ in range(0)]


@njit
def _allocate_nodes(n_nodes, n_stats):  # type: ignore[no-untyped-def]
    return _Nodes(
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
def _allocate_workspace(n_samples, n_stats, bin_offsets, n_slots):  # type: ignore[no-untyped-def]
    most_bins = 0
    for j in range(len(bin_offsets) - 1):
        most_bins = max(most_bins, bin_offsets[j + 1] - bin_offsets[j])
    return _Workspace(
        np.arange(n_samples).astype(np.int32),
        np.empty(n_samples, np.int32),
        np.empty((n_samples, n_stats), np.int32),
        np.empty((n_slots, bin_offsets[-1], n_stats), np.int64),
        np.arange(n_slots),
        np.full(1, n_slots),
        np.zeros((most_bins, n_stats), np.int64),
    )


@njit
def _sum_rows(row_stats, rows, sums):  # type: ignore[no-untyped-def]
    """Add the statistics of some rows to `sums`."""
    for row in rows:
        for c in range(len(sums)):
            sums[c] += row_stats[row, c]


@njit
def _release_slot(nodes, work, node):  # type: ignore[no-untyped-def]
    """Give up the histogram of a node, if it has one."""
    if nodes.slot[node] >= 0:
        work.free_slots[work.n_free[0]] = nodes.slot[node]
        work.n_free[0] += 1
        nodes.slot[node] = -1


@njit
def _sum_histogram(nodes, work, node, codes, bin_offsets, row_stats):  # type: ignore[no-untyped-def]
    """Sum up the rows of a node into a free slot."""
    work.n_free[0] -= 1
    nodes.slot[node] = work.free_slots[work.n_free[0]]
    rows = work.rows[nodes.start[node] : nodes.stop[node]]
    gather_stats(row_stats, rows, work.node_stats)
    build_histogram(codes, bin_offsets, rows, work.node_stats, work.histograms[nodes.slot[node]])


@njit
def _histograms_of_children(  # type: ignore[no-untyped-def]
    nodes, work, parent, min_rows, codes, bin_offsets, row_stats
):
    """Sum up the smaller child, and turn the parent's histogram into that of the larger one."""
    small = np.int64(nodes.children[parent, 0])
    large = small + 1
    if nodes.stop[small] - nodes.start[small] > nodes.stop[large] - nodes.start[large]:
        small, large = large, small
    if nodes.slot[parent] >= 0 and nodes.stop[large] - nodes.start[large] >= min_rows:
        _sum_histogram(nodes, work, small, codes, bin_offsets, row_stats)
        nodes.slot[large], nodes.slot[parent] = nodes.slot[parent], -1
        subtract_histogram(work.histograms[nodes.slot[large]], work.histograms[nodes.slot[small]])
    _release_slot(nodes, work, parent)


@njit
def _best_split(  # type: ignore[no-untyped-def]
    nodes,
    work,
    node,
    codes,
    bin_offsets,
    row_stats,
    constraints,
    feature_penalty,
    threshold_penalty,
    bounds,
):
    """Best split of a node, with or without a histogram of it."""
    sums = nodes.sums[node]
    if nodes.slot[node] >= 0:
        histogram = work.histograms[nodes.slot[node]]
        return find_best_split(
            histogram, bin_offsets, sums, constraints, feature_penalty, threshold_penalty, bounds
        )
    rows = work.rows[nodes.start[node] : nodes.stop[node]]
    gather_stats(row_stats, rows, work.node_stats)
    return find_best_split_of_rows(
        codes,
        bin_offsets,
        rows,
        work.node_stats,
        sums,
        constraints,
        feature_penalty,
        threshold_penalty,
        bounds,
        work.scratch,
    )


@njit
def _store_split(nodes, node, split):  # type: ignore[no-untyped-def]
    nodes.gain[node] = split.gain
    nodes.feature[node] = split.feature
    nodes.threshold[node] = split.threshold
    nodes.nan_left[node] = split.nan_left


@njit
def _split_node(nodes, work, node, left, codes, bin_offsets, row_stats):  # type: ignore[no-untyped-def]
    """Make the children `left` and ``left + 1`` of a node: their rows, depths and sums."""
    right, feature = left + 1, nodes.feature[node]
    middle = partition_rows(
        codes[feature],
        work.rows,
        nodes.start[node],
        nodes.stop[node],
        bin_offsets[feature + 1] - bin_offsets[feature] - 2,
        nodes.threshold[node],
        nodes.nan_left[node],
        work.buffer,
    )
    nodes.children[node, 0], nodes.children[node, 1] = left, right
    nodes.start[left], nodes.stop[left] = nodes.start[node], middle
    nodes.start[right], nodes.stop[right] = middle, nodes.stop[node]
    nodes.depth[left] = nodes.depth[right] = nodes.depth[node] + 1
    left_is_smaller = middle - nodes.start[node] <= nodes.stop[node] - middle
    small, large = (left, right) if left_is_smaller else (right, left)
    _sum_rows(row_stats, work.rows[nodes.start[small] : nodes.stop[small]], nodes.sums[small])
    for c in range(row_stats.shape[1]):
        nodes.sums[large, c] = nodes.sums[node, c] - nodes.sums[small, c]


@njit
def _close_leaves(nodes, rows, n_nodes):  # type: ignore[no-untyped-def]
    """Leaf of every row; candidate splits that were not made are forgotten."""
    leaf = np.empty(len(rows), np.int32)
    for node in range(n_nodes):
        if nodes.children[node, 0] < 0:
            nodes.feature[node], nodes.threshold[node] = -1, 0
            nodes.nan_left[node], nodes.gain[node] = False, 0.0
            for t in range(nodes.start[node], nodes.stop[node]):
                leaf[rows[t]] = node
    return leaf
