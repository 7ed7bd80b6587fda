"""A tree while it grows: whose turn it is, and what its threads do.

Threads divide the rows of a large node where these are parted, and the features where histograms
are summed up and searched. Of smaller nodes each thread takes some: besides the leaf that gains
most those that gain most after it are split, for their turn mostly comes. A leaf whose turn does
not come stays whole. What takes no longer than a thread to start is split by one, in its turn.
Sums are of integers, and of equal splits the first stays, so that the tree does not depend on the
number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import GrownTree, partition_block
from skdistill.students.tree.growth_kernels import (
    bound_both,
    grow_small,
    pay_penalties,
    release_idle,
    search_rows,
    split_and_search,
    sum_and_search,
)
from skdistill.students.tree.growth_state import (
    GrowthProblem,
    Nodes,
    Workspace,
    allocate_nodes,
    allocate_workspace,
    assign_slots,
    close_leaves,
    make_children,
    smaller_child,
    store_split,
    sum_rows,
)
from skdistill.students.tree.splitting import RELATIVE_GAIN, SplitConstraints, node_score
from skdistill.utils.threads import blocks, even_slices, run_tasks, thread_count

_LARGE = 1 << 19  # rows times features of a node that threads divide
_COSTLY = 1 << 13  # the same of a node that takes longer than a thread to start
_ROWS = 1 << 17  # of a task that parts or adds rows: fewer are done before a thread has started
_AHEAD = 8  # splits a thread that may wait for their turn


class Growth:
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
        self._rows = codes, bin_offsets, row_stats
        self.max_leaf_nodes = max_leaf_nodes
        self.most_ahead = _AHEAD * thread_count()
        n_nodes = 2 * (min(max_leaf_nodes, n_samples) + self.most_ahead) - 1
        self.nodes = allocate_nodes(n_nodes, n_stats)
        self.work = allocate_workspace(n_samples, n_stats, bin_offsets, n_slots, signs)
        # With fewer rows than a feature has bins, summing them is cheaper than subtracting.
        self.min_rows = int(bin_offsets[-1]) // max(1, len(codes))
        self.large_rows = self.costly_rows = n_samples + 1
        least_large = max(2, self.min_rows, _LARGE // max(1, len(codes)))
        if thread_count() > 1 and n_samples >= least_large:
            # While there are few nodes beside a large one, threads would wait for it.
            self.large_rows = max(least_large, n_samples // (2 * thread_count()))
            self.costly_rows = min(self.large_rows, max(2, _COSTLY // max(1, len(codes))))

    def start(
        self,
        criterion: int,
        max_depth: int,
        min_samples_leaf: int,
        min_weight_fraction: float,
        l2_regularization: float,
        feature_penalty: NDArray[np.float64],
        threshold_penalty: NDArray[np.float64],
    ) -> None:
        """Sum up the root, which the constraints hang on. Penalties that are paid become 0."""
        row_stats, nodes = self._rows[2], self.nodes
        n_samples, n_stats = row_stats.shape
        nodes.stop[0] = n_samples
        nodes.sums[0] = self._sum(0, n_samples)
        n_targets = n_stats - 1 - (min_samples_leaf > 1)
        self.total = float(nodes.sums[0, n_targets])
        root_score = node_score(nodes.sums[0], n_targets, criterion, l2_regularization)
        constraints = SplitConstraints(
            n_targets,
            criterion,
            min_weight_fraction * self.total,
            RELATIVE_GAIN * max(abs(root_score), self.total),
            min_samples_leaf,
            l2_regularization,
        )
        penalties = feature_penalty, threshold_penalty
        self.problem = GrowthProblem(*self._rows, constraints, max_depth, self.min_rows, *penalties)
        # A penalty that a split pays changes the gains of all others: each waits for its turn.
        self.waits = any(((each > 0) & (each < np.inf)).any() for each in penalties)

    def grow(self) -> GrownTree:
        """The tree."""
        nodes, work = self.nodes, self.work
        if self.max_leaf_nodes > 1:
            has_histogram = len(work.rows) >= self.min_rows
            if has_histogram:
                work.n_free[0] -= 1
                nodes.slot[0] = work.free_slots[work.n_free[0]]
            self._find_splits(0, -1, has_histogram)
            release_idle(nodes, work, self.problem, 0)
        nodes = self._grow()
        close_leaves(nodes, work.rows, work.buffer, len(nodes.feature))
        return GrownTree(
            nodes.feature,
            nodes.threshold,
            nodes.nan_left,
            nodes.children,
            nodes.gain / self.total,
            nodes.sums,
            work.buffer,
        )

    def _grow(self) -> Nodes:
        """Split the leaf that gains most, time and again; nodes in the order of these splits."""
        order = np.zeros(len(self.nodes.feature), np.int32)
        n_ordered = n_nodes = 1
        while True:
            node, n_ordered, n_nodes = grow_small(
                self.nodes,
                self.work,
                self.problem,
                order,
                n_ordered,
                n_nodes,
                self.max_leaf_nodes,
                self.large_rows if self.waits else self.costly_rows,
            )
            if node < 0:
                return _in_order(self.nodes, order[:n_ordered])
            n_splits = self.max_leaf_nodes - (n_ordered // 2 + 1)
            if self.waits or self._is_large(node):
                pay_penalties(self.nodes, self.problem, node)
                self._split_large(node, n_nodes, n_splits == 1)
                n_nodes += 2
            else:
                n_nodes = self._split_ahead(order[:n_ordered], n_nodes, n_splits)

    def _is_large(self, node: int) -> bool:
        """Whether threads divide a node."""
        nodes = self.nodes
        return bool(
            nodes.slot[node] >= 0 and nodes.stop[node] - nodes.start[node] >= self.large_rows
        )

    def _split_large(self, node: int, left: int, is_last: bool) -> None:
        """Make the children `left` and ``left + 1`` of a node that threads divide."""
        self._split(node, left)
        bound_both(self.nodes, self.work, self.problem, node)
        if not is_last:
            has_histogram = assign_slots(self.nodes, self.work, node, self.min_rows)
            small, large = smaller_child(self.nodes, node)
            self._find_splits(small, large, has_histogram)
            release_idle(self.nodes, self.work, self.problem, left)

    def _split_ahead(self, order: NDArray[np.int32], n_nodes: int, n_splits: int) -> int:
        """Split the leaves of many rows that gain most, each by one thread.

        Returns the number of nodes.
        """
        nodes, work = self.nodes, self.work
        n_waiting = (n_nodes - len(order)) // 2
        most = max(1, min(self.most_ahead, n_splits) - n_waiting)
        is_open = (nodes.feature[order] >= 0) & (nodes.children[order, 0] < 0)
        n_rows = nodes.stop[order] - nodes.start[order]
        leaves = order[is_open & (n_rows >= self.costly_rows)]
        tasks: list[tuple[int, int, Workspace]] = []
        for node in leaves[np.argsort(-nodes.gain[leaves], kind="stable")].tolist():
            if self._is_large(node):
                continue
            needs_slot = bool(nodes.slot[node] >= 0)
            if len(tasks) == most or (needs_slot and work.n_free[0] == 0):
                break
            own = _part_of(work, nodes.start[node], nodes.stop[node], needs_slot)
            tasks.append((node, n_nodes + 2 * len(tasks), own))

        def split(task: tuple[int, int, Workspace]) -> None:
            node, left, own = task
            split_and_search(nodes, own, self.problem, node, left)

        run_tasks(split, tasks)
        for *_, own in tasks:
            n_left, n_free = int(own.n_free[0]), int(work.n_free[0])
            work.free_slots[n_free : n_free + n_left] = own.free_slots[:n_left]
            work.n_free[0] += n_left
        for _, left, _ in tasks:
            release_idle(nodes, work, self.problem, left)
        return n_nodes + 2 * len(tasks)

    def _find_splits(self, small: int, large: int, has_histogram: bool) -> None:
        """Best splits of both children of a node, or of a root, which has no sibling."""
        if has_histogram:
            self._sum_and_search(small, large)
            return
        for node in (small, large) if large >= 0 else (small,):
            search_rows(self.nodes, self.work, self.problem, node)

    def _sum(self, start: int, stop: int) -> NDArray[np.int64]:
        """Sums of the statistics of a part of the rows."""
        parts = blocks(stop - start, _ROWS)
        row_stats = self._rows[2]
        sums = np.zeros((len(parts), row_stats.shape[1]), np.int64)

        def add(number: int) -> None:
            part = slice(start + parts[number].start, start + parts[number].stop)
            sum_rows(row_stats, self.work.rows[part], sums[number])

        run_tasks(add, range(len(parts)))
        total: NDArray[np.int64] = sums.sum(axis=0)
        return total

    def _split(self, node: int, left: int) -> None:
        """Make the children `left` and ``left + 1`` of a large node."""
        nodes, rows, (codes, bin_offsets, _) = self.nodes, self.work.rows, self._rows
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

    def _sum_and_search(self, small: int, large: int) -> None:
        """Histograms and best splits of both children, or of a root, by features."""
        # One task a thread: each copies the statistics of the rows before it adds them.
        n_features = len(self._rows[0])
        parts = even_slices(n_features, max(1, n_features))
        splits: list[Any] = [None] * len(parts)

        def search(number: int) -> None:
            first, last = parts[number].start, parts[number].stop
            splits[number] = sum_and_search(
                self.nodes, self.work, self.problem, small, large, first, last
            )

        run_tasks(search, range(len(parts)))
        # Of equal gains the first split stays: that of the lowest feature.
        for child, found in zip((small, large), zip(*splits, strict=True), strict=True):
            best = max(found, key=lambda split: split.gain)
            if child >= 0 and best.feature >= 0:
                store_split(self.nodes, child, best)


def _part_of(work: Workspace, start: int, stop: int, has_slot: bool) -> Workspace:
    """Memory for one node alone, with a slot for a histogram if it needs one."""
    slots = np.zeros(2, np.int64)  # the node gives its own back if its children have none
    if has_slot:
        work.n_free[0] -= 1
        slots[0] = work.free_slots[work.n_free[0]]
    return work._replace(
        buffer=work.buffer[start:stop],
        node_stats=work.node_stats[start:stop],
        scratch=np.zeros_like(work.scratch),
        free_slots=slots,
        n_free=np.array([int(has_slot)]),
    )


def _in_order(nodes: Nodes, order: NDArray[np.int32]) -> Nodes:
    """Nodes whose turn has come; leaves that were split ahead are whole again."""
    number = np.full(len(nodes.feature) + 1, -1, np.int32)  # the last is of no node
    number[order] = np.arange(len(order))
    fields: tuple[Any, ...] = nodes
    ordered = Nodes(*(field[order] for field in fields))
    return ordered._replace(children=number[ordered.children])
