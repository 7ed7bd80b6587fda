"""Growing one tree on integer codes, best-first.

The leaf whose split gains most is split next (Friedman, Hastie & Tibshirani 2000, "Additive
logistic regression", section 8; LightGBM's leaf-wise growth), until there are enough leaves or no
split gains anything. Each node finds its best split in a histogram of its rows: the smaller child
of a split is summed up, the larger one is its parent's histogram minus it.

Threads divide the rows of a large node where these are parted, and the features where histograms
are summed up and searched. Sums are of integers, and of equal splits the first stays, so that the
tree does not depend on the number of threads. One kernel grows what is small.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import GrownTree, partition_block
from skdistill.students.tree.growth_kernels import (
    bound_both,
    grow_small,
    pay_penalties,
    release_idle,
    search_rows,
    sum_and_search,
)
from skdistill.students.tree.growth_state import (
    allocate_nodes,
    allocate_workspace,
    assign_slots,
    close_leaves,
    make_children,
    smaller_child,
    store_split,
    sum_rows,
)
from skdistill.students.tree.histogram import first_bins
from skdistill.students.tree.splitting import SplitConstraints, node_score
from skdistill.utils.threads import blocks, even_slices, run_tasks, thread_count

_HISTOGRAM_BYTES = 1 << 28  # for the histograms of open leaves; further leaves are summed up anew
_LARGE = 1 << 19  # rows times features of a node that threads divide
_ROWS = 1 << 17  # of a task that parts or adds rows: fewer are done before a thread has started
RELATIVE_GAIN = 1e-13  # of a split, so that rounding errors of the scores split no pure node


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
    bin_offsets = first_bins(n_edges)
    n_bins, n_stats = int(bin_offsets[-1]), row_stats.shape[1]
    slots = _HISTOGRAM_BYTES // max(1, n_bins * n_stats * 8)
    if penalties is None:
        penalties = SplitPenalties(np.zeros(len(n_edges)), np.zeros(n_bins))
    if signs is None:
        signs = np.zeros(len(n_edges), np.int8)
    n_slots = min(max_leaf_nodes + 1, max(2, slots))
    growth = _Growth(codes, bin_offsets, row_stats, n_slots, max_leaf_nodes, signs)
    growth.start(
        criterion, max_depth, min_samples_leaf, float(min_weight_fraction), float(l2_regularization)
    )
    tree = growth.grow(penalties.feature.copy(), penalties.threshold.copy())
    has_nan = codes.max(axis=1) > n_edges
    return tree._replace(nan_left=tree.nan_left & has_nan[tree.feature])


_Penalties = tuple[NDArray[np.float64], NDArray[np.float64]]


class _Growth:
    """A tree while it grows.

    Parameters
    ----------
    codes, bin_offsets, row_stats
        Rows, and where the bins of each feature begin.
    n_slots : int
        Histograms that there is memory for.
    max_leaf_nodes : int
        Maximum number of leaves.
    signs : int8 array of shape (n_features,)
        See `ValueBounds`.
    """

    def __init__(
        self,
        codes: NDArray[Any],
        bin_offsets: NDArray[np.int64],
        row_stats: NDArray[np.int32],
        n_slots: int,
        max_leaf_nodes: int,
        signs: NDArray[np.int8],
    ) -> None:
        n_samples, n_stats = row_stats.shape
        self.rows = codes, bin_offsets, row_stats
        self.max_leaf_nodes = max_leaf_nodes
        self.nodes = allocate_nodes(2 * min(max_leaf_nodes, n_samples) - 1, n_stats)
        self.work = allocate_workspace(n_samples, n_stats, bin_offsets, n_slots, signs)
        # With fewer rows than a feature has bins, summing them is cheaper than subtracting.
        self.min_rows = int(bin_offsets[-1]) // max(1, len(codes))
        self.n_features = len(codes)
        self.large_rows = n_samples + 1
        if thread_count() > 1:
            self.large_rows = max(2, self.min_rows, _LARGE // max(1, self.n_features))

    def start(
        self,
        criterion: int,
        max_depth: int,
        min_samples_leaf: int,
        min_weight_fraction: float,
        l2_regularization: float,
    ) -> None:
        """Sum up the root, which the constraints hang on."""
        row_stats, nodes = self.rows[2], self.nodes
        n_samples, n_stats = row_stats.shape
        nodes.stop[0] = n_samples
        nodes.sums[0] = self._sum(0, n_samples)
        n_targets = n_stats - 1 - (min_samples_leaf > 1)
        self.total = float(nodes.sums[0, n_targets])
        root_score = node_score(nodes.sums[0], n_targets, criterion, l2_regularization)
        self.max_depth = max_depth
        self.constraints = SplitConstraints(
            n_targets,
            criterion,
            min_weight_fraction * self.total,
            RELATIVE_GAIN * max(abs(root_score), self.total),
            min_samples_leaf,
            l2_regularization,
        )

    def grow(
        self, feature_penalty: NDArray[np.float64], threshold_penalty: NDArray[np.float64]
    ) -> GrownTree:
        """The tree; penalties that a split has paid become 0."""
        nodes, work, penalties = self.nodes, self.work, (feature_penalty, threshold_penalty)
        n_nodes = 1
        if self.max_leaf_nodes > 1:
            has_histogram = len(work.rows) >= self.min_rows
            if has_histogram:
                work.n_free[0] -= 1
                nodes.slot[0] = work.free_slots[work.n_free[0]]
            self._find_splits(0, -1, has_histogram, penalties)
            release_idle(nodes, work, 0, 1, self.min_rows)
        while True:
            node, n_nodes = grow_small(
                nodes,
                work,
                n_nodes,
                *self.rows,
                self.constraints,
                self.max_leaf_nodes,
                self.max_depth,
                self.min_rows,
                self.large_rows,
                *penalties,
            )
            if node < 0:
                break
            pay_penalties(nodes, node, self.rows[1], *penalties)
            self._split(node, n_nodes)
            bound_both(nodes, work, node, self.constraints)
            n_nodes += 2
            if n_nodes // 2 + 1 < self.max_leaf_nodes:
                has_histogram = assign_slots(nodes, work, node, self.min_rows)
                small, large = smaller_child(nodes, node)
                self._find_splits(small, large, has_histogram, penalties)
                release_idle(nodes, work, n_nodes - 2, n_nodes, self.min_rows)
        close_leaves(nodes, work.rows, work.buffer, n_nodes)
        return GrownTree(
            nodes.feature[:n_nodes],
            nodes.threshold[:n_nodes],
            nodes.nan_left[:n_nodes],
            nodes.children[:n_nodes],
            nodes.gain[:n_nodes] / self.total,
            nodes.sums[:n_nodes],
            work.buffer,
        )

    def _find_splits(
        self, small: int, large: int, has_histogram: bool, penalties: _Penalties
    ) -> None:
        """Best splits of both children of a node, or of a root, which has no sibling."""
        if has_histogram:
            self._sum_and_search(small, large, penalties)
            return
        for node in (small, large) if large >= 0 else (small,):
            search_rows(
                self.nodes,
                self.work,
                node,
                *self.rows,
                self.constraints,
                self.max_depth,
                *penalties,
            )

    def _sum(self, start: int, stop: int) -> NDArray[np.int64]:
        """Sums of the statistics of a part of the rows."""
        parts = blocks(stop - start, _ROWS)
        sums = np.zeros((len(parts), self.rows[2].shape[1]), np.int64)

        def add(number: int) -> None:
            part = slice(start + parts[number].start, start + parts[number].stop)
            sum_rows(self.rows[2], self.work.rows[part], sums[number])

        run_tasks(add, range(len(parts)))
        total: NDArray[np.int64] = sums.sum(axis=0)
        return total

    def _split(self, node: int, left: int) -> None:
        """Make the children `left` and ``left + 1`` of a large node."""
        nodes, rows, (codes, bin_offsets, _) = self.nodes, self.work.rows, self.rows
        feature = int(nodes.feature[node])
        n_edges = bin_offsets[feature + 1] - bin_offsets[feature] - 2
        start, stop = int(nodes.start[node]), int(nodes.stop[node])
        parts = [
            slice(start + part.start, start + part.stop) for part in blocks(stop - start, _ROWS)
        ]
        n_left = np.zeros(len(parts), np.int64)

        def partition(number: int) -> None:
            part = parts[number]
            n_left[number] = partition_block(
                codes[feature],
                rows[part],
                n_edges,
                nodes.threshold[node],
                nodes.nan_left[node],
                self.work.buffer[part],
            )

        def move(number: int) -> None:
            part, n = self.work.buffer[parts[number]], n_left[number]
            rows[lefts[number] : lefts[number] + n] = part[:n]
            rows[rights[number] : rights[number] + len(part) - n] = part[n:]

        run_tasks(partition, range(len(parts)))
        lefts = start + np.cumsum(n_left) - n_left
        middle = start + int(n_left.sum())
        n_right = np.array([part.stop - part.start for part in parts]) - n_left
        rights = middle + np.cumsum(n_right) - n_right
        run_tasks(move, range(len(parts)))
        make_children(nodes, node, left, middle)
        small, large = smaller_child(nodes, node)
        nodes.sums[small] = self._sum(int(nodes.start[small]), int(nodes.stop[small]))
        nodes.sums[large] = nodes.sums[node] - nodes.sums[small]

    def _sum_and_search(self, small: int, large: int, penalties: _Penalties) -> None:
        """Histograms and best splits of both children, or of a root, by features."""
        # One task a thread: each copies the statistics of the rows before it adds them.
        parts = even_slices(self.n_features, max(1, self.n_features))
        splits: list[Any] = [None] * len(parts)

        def search(number: int) -> None:
            part = parts[number]
            splits[number] = sum_and_search(
                self.nodes,
                self.work,
                small,
                large,
                *self.rows,
                self.constraints,
                self.max_depth,
                *penalties,
                part.start,
                part.stop,
            )

        run_tasks(search, range(len(parts)))
        # Of equal gains the first split stays: that of the lowest feature.
        for child, found in zip((small, large), zip(*splits, strict=True), strict=True):
            best = max(found, key=lambda split: split.gain)
            if child >= 0 and best.feature >= 0:
                store_split(self.nodes, child, best)
