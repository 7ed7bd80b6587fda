"""Growing one tree from histograms that are added up over parts of the rows.

The parts may lie in other processes or on other machines. A part sends the histograms of the nodes
that it is asked for; their sums are integers, hence those that one machine with all rows would
have. Splits are found in the sums as `grow_tree` finds them, and the tree is the same bit for bit.

Parts keep no state: they are sent the splits so far and pass their rows through them. A part that
is lost is computed anew from its codes. So that a tree of many leaves takes few rounds, the
children of all leaves that may be split next are asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, nsmallest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grower import SplitPenalties
from skdistill.students.tree.grown_tree import GrownTree, find_leaves
from skdistill.students.tree.growth_state import sum_rows
from skdistill.students.tree.histogram import first_bins, sum_histogram
from skdistill.students.tree.monotonic import ValueBounds, bound_children
from skdistill.students.tree.splitting import (
    RELATIVE_GAIN,
    SplitConstraints,
    find_best_split,
    node_score,
)
from skdistill.utils.threads import blocks

_ROWS = 1 << 20  # of a part that are sorted by nodes at a time
_ROUND_BYTES = 1 << 25  # of the histograms that a part sends at a time
_STORED_BYTES = 1 << 28  # of the histograms of leaves; further ones are asked for anew


class NodeRequest(NamedTuple):
    """Nodes whose histograms are asked for.

    Attributes
    ----------
    tree : GrownTree
        The splits so far, and those under which the nodes lie.
    nodes : int array of shape (n_nodes,)
        Leaves of this tree.
    """

    tree: GrownTree
    nodes: NDArray[np.intp]


def node_histograms(
    codes: NDArray[Any],
    row_stats: NDArray[Any],
    n_edges: NDArray[np.int32],
    request: NodeRequest,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What a part of the rows adds to the histograms of some nodes.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        Codes of the rows of this part.
    row_stats : int32 or uint16 array of shape (n_samples, n_stats)
        Their statistics.
    n_edges : int32 array of shape (n_features,)
        Edges of each feature.
    request : NodeRequest
        Which nodes.

    Returns
    -------
    histograms : int64 array of shape (n_nodes, n_bins, n_stats)
    sums : int64 array of shape (n_nodes, n_stats)
        Of all rows of each node.
    """
    offsets = first_bins(n_edges)
    tree, nodes = request
    position = np.full(len(tree.feature), -1, np.int16)
    position[nodes] = np.arange(len(nodes))
    histograms = np.zeros((len(nodes), int(offsets[-1]), row_stats.shape[1]), np.int64)
    sums = np.zeros((len(nodes), row_stats.shape[1]), np.int64)
    scratch = np.empty_like(histograms[0])
    for part in blocks(len(row_stats), _ROWS):
        some, stats = np.ascontiguousarray(codes[:, part]), row_stats[part]
        of_row = position[find_leaves(tree, some, n_edges)]
        asked = np.flatnonzero(of_row >= 0).astype(np.int32)
        asked = asked[np.argsort(of_row[asked], kind="stable")]
        ends = np.cumsum(np.bincount(of_row[asked], minlength=len(nodes)))
        for i, rows in enumerate(np.split(asked, ends[:-1])):
            if len(rows):
                sum_histogram(some, offsets, rows, stats, scratch, 0, len(some))
                histograms[i] += scratch
                sum_rows(stats, rows, sums[i])
    return histograms, sums


def grow_merged(
    histograms_of: Callable[[NodeRequest], tuple[NDArray[np.int64], NDArray[np.int64]]],
    n_edges: NDArray[np.int32],
    has_nan: NDArray[np.bool_],
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
    """Grow the tree that `grow_tree` grows, from sums over parts of the rows.

    Parameters
    ----------
    histograms_of : callable
        Takes a `NodeRequest`; returns what `node_histograms` returns, added up over all parts.
    n_edges : int32 array of shape (n_features,)
        Edges of each feature.
    has_nan : bool array of shape (n_features,)
        Whether any row of any part has NaN.
    criterion, max_leaf_nodes, max_depth, min_samples_leaf, min_weight_fraction, \
l2_regularization, penalties, signs
        As in `grow_tree`.

    Returns
    -------
    tree : GrownTree
        Its `leaf` is empty: rows are elsewhere.
    """
    offsets = first_bins(n_edges)
    if penalties is None:
        penalties = SplitPenalties(np.zeros(len(n_edges)), np.zeros(int(offsets[-1])))
    if signs is None:
        signs = np.zeros(len(n_edges), np.int8)
    growth = _MergedGrowth(histograms_of, offsets, signs, penalties, max_leaf_nodes, max_depth)
    growth.start(criterion, min_samples_leaf, float(min_weight_fraction), float(l2_regularization))
    tree = growth.grow()
    return tree._replace(nan_left=tree.nan_left & has_nan[tree.feature])


class _MergedGrowth:
    """A tree while it grows; nodes are numbered as `grow_tree` numbers them."""

    def __init__(
        self,
        histograms_of: Callable[[NodeRequest], tuple[NDArray[np.int64], NDArray[np.int64]]],
        offsets: NDArray[np.int64],
        signs: NDArray[np.int8],
        penalties: SplitPenalties,
        max_leaf_nodes: int,
        max_depth: int,
    ) -> None:
        self.histograms_of, self.offsets, self.signs = histograms_of, offsets, signs
        self.feature_penalty = penalties.feature.copy()
        self.threshold_penalty = penalties.threshold.copy()
        self.max_leaf_nodes, self.max_depth = max_leaf_nodes, max_depth
        self.feature: list[int] = []  # of the best split, −1 without one
        self.threshold: list[int] = []
        self.nan_left: list[bool] = []
        self.children: list[tuple[int, int]] = []
        self.gain: list[float] = []
        self.depth: list[int] = []
        self.sums: list[NDArray[np.int64]] = []
        self.bounds: list[tuple[float, float]] = []
        self.histograms: dict[int, NDArray[np.int64]] = {}  # of leaves that may be split
        # Histograms and sums of the children of leaves, which are asked for before these are split.
        self.ahead: dict[int, list[Any]] = {}

    def start(
        self,
        criterion: int,
        min_samples_leaf: int,
        min_weight_fraction: float,
        l2_regularization: float,
    ) -> None:
        """Sum up the root, which the constraints hang on."""
        root = NodeRequest(self._splits([]), np.zeros(1, np.intp))
        histograms, sums = self.histograms_of(root)
        n_targets = sums.shape[1] - 1 - (min_samples_leaf > 1)
        self.total = float(sums[0, n_targets])
        score = node_score(sums[0], n_targets, criterion, l2_regularization)
        self.constraints = SplitConstraints(
            n_targets,
            criterion,
            min_weight_fraction * self.total,
            RELATIVE_GAIN * max(abs(score), self.total),
            min_samples_leaf,
            l2_regularization,
        )
        self.histogram_bytes = max(1, histograms[0].nbytes)
        self._add(sums[0], 0, (-np.inf, np.inf))
        if self.max_leaf_nodes > 1:
            self._search(0, histograms[0])

    def grow(self) -> GrownTree:
        """Split the leaf that gains most, time and again."""
        candidates: list[tuple[float, int]] = []
        if self.feature[0] >= 0:
            candidates.append((-self.gain[0], 0))
        n_leaves = 1
        while n_leaves < self.max_leaf_nodes and candidates:
            if candidates[0][1] not in self.ahead:
                room = max(1, _ROUND_BYTES // self.histogram_bytes)
                most = min(self.max_leaf_nodes - n_leaves, room)
                self._ask([node for _, node in nsmallest(most, candidates)])
            node = heappop(candidates)[1]
            n_leaves += 1
            for child in self._split(node, search=n_leaves < self.max_leaf_nodes):
                if self.feature[child] >= 0:
                    heappush(candidates, (-self.gain[child], child))
        return self._tree()

    def _add(self, sums: NDArray[np.int64], depth: int, bounds: tuple[float, float]) -> int:
        """A new leaf, which has no split yet."""
        self.feature.append(-1)
        self.threshold.append(0)
        self.nan_left.append(False)
        self.children.append((-1, -1))
        self.gain.append(0.0)
        self.depth.append(depth)
        self.sums.append(sums)
        self.bounds.append(bounds)
        return len(self.feature) - 1

    def _search(self, node: int, histogram: NDArray[np.int64]) -> None:
        """Find the best split of a leaf, and keep its histogram if there is one."""
        if self.depth[node] >= self.max_depth:
            return
        split = find_best_split(
            histogram,
            self.offsets,
            self.sums[node],
            self.constraints,
            self.feature_penalty,
            self.threshold_penalty,
            ValueBounds(self.signs, *self.bounds[node]),
            0,
            len(self.offsets) - 1,
        )
        if split.feature < 0:
            return
        self.gain[node], self.feature[node] = float(split.gain), int(split.feature)
        self.threshold[node], self.nan_left[node] = int(split.threshold), bool(split.nan_left)
        if (len(self.histograms) + 1) * self.histogram_bytes <= _STORED_BYTES:
            self.histograms[node] = histogram

    def _ask(self, leaves: list[int]) -> None:
        """Get the children of leaves that have a split: of two the lighter, the other by minus."""
        leaves = [leaf for leaf in leaves if leaf not in self.ahead]
        tree = self._splits(leaves)
        asked: list[int] = []
        for leaf in leaves:
            both = tree.children[leaf].tolist()
            if leaf in self.histograms:
                left = self._left_weight(leaf)
                both = (
                    both[:1]
                    if 2 * left <= self.sums[leaf][self.constraints.n_targets]
                    else both[1:]
                )
            asked += both
        answers: dict[int, Any] = {}
        most = max(1, _ROUND_BYTES // self.histogram_bytes)
        for first in range(0, len(asked), most):
            nodes = np.array(asked[first : first + most], np.intp)
            answers |= zip(
                nodes.tolist(),
                zip(*self.histograms_of(NodeRequest(tree, nodes)), strict=True),
                strict=True,
            )
        for leaf in leaves:
            parent = self.histograms.pop(leaf, None)
            pair: list[Any] = [answers.get(child) for child in tree.children[leaf].tolist()]
            for side in range(2):
                if pair[side] is None:
                    assert parent is not None
                    histogram, sums = pair[1 - side]
                    pair[side] = parent - histogram, self.sums[leaf] - sums
            self.ahead[leaf] = pair

    def _left_weight(self, leaf: int) -> int:
        """Weight of the rows of a leaf that its split sends left."""
        feature = self.feature[leaf]
        bins = self.histograms[leaf][self.offsets[feature] : self.offsets[feature + 1]]
        weight = bins[:, self.constraints.n_targets]
        nan = int(weight[-1]) if self.nan_left[leaf] else 0
        return int(weight[: self.threshold[leaf] + 1].sum()) + nan

    def _split(self, node: int, *, search: bool) -> tuple[int, int]:
        """Make the children of a leaf."""
        feature, threshold = self.feature[node], self.threshold[node]
        self.feature_penalty[feature] = 0.0
        self.threshold_penalty[self.offsets[feature] + threshold] = 0.0
        pair = self.ahead.pop(node)
        sums = np.array([self.sums[node], *(sums for _, sums in pair)])
        lower, upper = (np.full(3, bound) for bound in self.bounds[node])
        bound_children(lower, upper, sums, 0, 1, self.signs[feature], self.constraints.n_targets)
        made = [
            self._add(sums[i], self.depth[node] + 1, (float(lower[i]), float(upper[i])))
            for i in (1, 2)
        ]
        self.children[node] = made[0], made[1]
        if search:
            for child, (histogram, _) in zip(made, pair, strict=True):
                self._search(child, histogram)
        return made[0], made[1]

    def _splits(self, leaves: list[int]) -> GrownTree:
        """The tree so far, with the splits of some leaves made; others are leaves."""
        n_nodes = max(1, len(self.feature))
        children = np.full((n_nodes + 2 * len(leaves), 2), -1, np.int32)
        if self.children:
            children[:n_nodes] = self.children
        children[leaves] = n_nodes + np.arange(2 * len(leaves)).reshape(-1, 2)
        is_split = children[:, 0] >= 0

        def of_splits(values: list[Any], empty: Any, dtype: Any) -> NDArray[Any]:
            column = np.full(len(children), empty, dtype)
            column[: len(values)] = values
            column[~is_split] = empty
            return column

        nothing = np.zeros(0)
        return GrownTree(
            of_splits(self.feature, -1, np.int32),
            of_splits(self.threshold, 0, np.int32),
            of_splits(self.nan_left, False, np.bool_),
            children,
            nothing,
            nothing.astype(np.int64),
            nothing.astype(np.int32),
        )

    def _tree(self) -> GrownTree:
        """The tree when it has grown."""
        tree = self._splits([])
        gain = np.where(tree.is_leaf, 0.0, self.gain) / self.total
        return tree._replace(gain=gain, sums=np.array(self.sums))
