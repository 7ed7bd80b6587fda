"""Rounds of boosting on coded rows: gradients, leaves and raw predictions, shard by shard.

What shards send is integers: histograms, and sums of gradients and Hessians by leaf in fixed point.
So trees and their Newton steps are the same bit for bit, however rows are divided. Raw predictions
are float32 and stay with their rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.chunks import Chunk, CodedChunk, CodedRows
from skdistill.compact import InputGrid
from skdistill.students.boosting.problem import BoostingProblem
from skdistill.students.boosting.rounds import BoostedTrees, SplitPenaltyState, number_leaves
from skdistill.students.chunk_fit import ChunkSource, RowEncoder
from skdistill.students.loss import Loss, soft_cross_entropy
from skdistill.students.squared_error import SquaredError
from skdistill.students.tree.fixed_point import UNITS, fixed_point_unit, in_units
from skdistill.students.tree.grown_tree import GrownTree, find_leaves, sum_by_leaf
from skdistill.students.tree.growth_rows import grow_on
from skdistill.students.tree.splitting import SQUARED_ERROR
from skdistill.targets import SoftTargets
from skdistill.utils.threads import blocks, run_tasks

_ROWS = 1 << 15  # whose gradients are there at a time


@dataclass(frozen=True)
class ProbabilityTargets:
    """Probabilities of a shard in two bytes, as the loss takes them.

    Parameters
    ----------
    temperature : float
        As in `SoftTargets`. At 1 the probabilities are the mixture with hard labels.
    alpha : float
        Weight of the teacher in rows with a label.
    has_labels : bool
        Whether hard labels follow the probabilities.
    largest : float
        A bound of the weights.
    n_scores : int
        Logits of a row.
    """

    temperature: float
    alpha: float
    has_labels: bool
    largest: float
    n_scores: int

    def arrays(
        self, targets: SoftTargets, weight: NDArray[np.float64] | None
    ) -> tuple[NDArray[Any], ...]:
        """What stays of targets and weights."""
        at_one = self.temperature == 1
        arrays: list[NDArray[Any]] = [in_units(targets.mixture() if at_one else targets.teacher)]
        if self.has_labels:
            arrays.append(np.asarray(targets.hard).astype(np.int16))
        if weight is not None:
            arrays.append(weight)
        return tuple(arrays)

    def weight(self, shard: CodedChunk, rows: slice) -> NDArray[np.float64]:
        """Weights of some rows."""
        if len(shard.arrays) == 1 + self.has_labels:
            return np.ones(len(shard.arrays[0][rows]))
        weight: NDArray[np.float64] = shard.arrays[-1][rows]
        return weight

    def loss(self, shard: CodedChunk, rows: slice) -> Loss:
        """The loss of some rows, a sum."""
        P = shard.arrays[0][rows] / float(UNITS)
        hard = shard.arrays[1][rows].astype(np.intp) if self.has_labels else None
        targets = SoftTargets(P, hard, self.alpha, self.temperature)
        return soft_cross_entropy(targets, self.weight(shard, rows), total=1.0)

    def bound(self, shard: CodedChunk, z: NDArray[np.float32]) -> float:
        """A bound of gradients and summed Hessians, which no shard is asked for."""
        return self.largest * max(1.0, self.temperature)


@dataclass(frozen=True)
class ValueTargets:
    """Standardized targets of a shard.

    Parameters
    ----------
    has_weight : bool
        Whether weights follow the targets.
    n_scores : int
        Targets of a row.
    """

    has_weight: bool
    n_scores: int

    def weight(self, shard: CodedChunk, rows: slice) -> NDArray[np.float64]:
        """Weights of some rows."""
        if not self.has_weight:
            return np.ones(len(shard.arrays[0][rows]))
        weight: NDArray[np.float64] = shard.arrays[1][rows]
        return weight

    def loss(self, shard: CodedChunk, rows: slice) -> Loss:
        """The loss of some rows, a sum."""
        return SquaredError(shard.arrays[0][rows], self.weight(shard, rows), total=1.0)

    def bound(self, shard: CodedChunk, z: NDArray[np.float32]) -> float:
        """The largest gradient or summed Hessian of a shard."""
        largest = 0.0
        for rows in blocks(len(z), _ROWS):
            weight = self.weight(shard, rows)[:, None]
            descent = weight * (shard.arrays[0][rows] - z[rows])
            largest = max(
                largest,
                float(np.abs(descent).max(initial=0)),
                float(weight.max(initial=0)) * self.n_scores,
            )
        return largest


@dataclass(frozen=True)
class ProbabilityEncoder(RowEncoder):
    """Codes and probabilities of chunks.

    Parameters
    ----------
    source, grid
        As in `RowEncoder`.
    targets : ProbabilityTargets
        What stays of the targets.
    """

    targets: ProbabilityTargets

    def __call__(self, chunk: Chunk) -> CodedChunk:
        """Codes and probabilities of a chunk."""
        targets, weight = self.source.targets.read(chunk)
        return CodedChunk(self.codes(chunk), self.targets.arrays(targets, weight))


@dataclass(frozen=True)
class StandardizedEncoder(RowEncoder):
    """Codes and standardized targets of chunks.

    Parameters
    ----------
    source, grid
        As in `RowEncoder`.
    center, unit : float64 arrays of shape (n_outputs,)
        Targets become ``(y - center) / unit``.
    """

    center: NDArray[np.float64]
    unit: NDArray[np.float64]

    def __call__(self, chunk: Chunk) -> CodedChunk:
        """Codes, targets and weights of a chunk; weights are left out where all are 1."""
        y, weight = self.source.targets.read(chunk)
        standardized = (y - self.center) / self.unit
        if self.source.targets.largest_weight is None:
            return CodedChunk(self.codes(chunk), (standardized,))
        return CodedChunk(self.codes(chunk), (standardized, weight))


class ChunkedGrower:
    """Grows trees on all rows, a tree a round; see `TreeGrower`, whose methods it has.

    Parameters
    ----------
    student : SoftBoostingClassifier or SoftBoostingRegressor
        Its parameters are read, nothing else.
    sample : BoostingProblem
        Rows of the sample, whose leaves `first` returns.
    grid : InputGrid
        Thresholds that splits may use.
    rows : CodedRows
        All rows.
    targets : ProbabilityTargets or ValueTargets
        Reads the arrays of their shards.
    intercept : float64 array of shape (n_scores,)
        Raw predictions to start from.
    excluded : frozenset of int
        Columns that no split may use.
    signs : int8 array of shape (n_used,)
        Signs of the columns of the grid.
    """

    def __init__(
        self,
        student: Any,
        sample: BoostingProblem,
        grid: InputGrid,
        rows: CodedRows,
        targets: Any,
        intercept: NDArray[np.float64],
        excluded: frozenset[int],
        signs: NDArray[np.int8],
    ) -> None:
        self._student, self._sample, self._grid = student, sample, grid
        self._rows, self._targets, self._signs = rows, targets, signs
        self._sample_codes = grid.encode(sample.X)
        self._z = rows.each(_start, intercept=intercept.astype(np.float32))
        unit = self._unit()
        # In fixed point, so that it does not hang on how rows are divided.
        self._total = int(rows.total(_total_weight, targets=targets, unit=unit)) / unit
        self._l2 = max(student.l2_regularization, 1e-15) * self._total
        self._penalties = SplitPenaltyState(student, sample, grid, excluded)
        self._trees: list[GrownTree] = []
        self._leaves: list[NDArray[Any]] = []
        self._steps: list[NDArray[np.float64]] = []

    @property
    def n_trees(self) -> int:
        """Trees so far."""
        return len(self._trees)

    @property
    def trees(self) -> list[GrownTree]:
        """All trees so far, in the order of their growth."""
        return self._trees

    def grow(self, n_trees: int) -> bool:
        """Grow up to a number of trees; True, for growth never ends by itself."""
        while len(self._trees) < n_trees:
            self._grow_tree()
        return True

    def first(self, n_trees: int) -> BoostedTrees:
        """The first trees, with the leaves of the sample."""
        return number_leaves(
            self._trees[:n_trees],
            self._leaves[:n_trees],
            np.concatenate(self._steps[:n_trees]),
        )

    def _unit(self) -> float:
        """What gradients are multiplied by before they are rounded."""
        return fixed_point_unit(max(self._rows.gather(_bound, self._z, targets=self._targets)))

    def _grow_tree(self) -> None:
        """One round."""
        student, rows, counts = self._student, self._rows, self._grid.counts
        unit = self._unit()
        shared = {"targets": self._targets, "unit": unit}
        count = student.min_samples_leaf > 1
        row_stats = rows.each(_statistics, self._z, count=count, **shared)
        tree = grow_on(
            rows,
            row_stats,
            counts,
            criterion=SQUARED_ERROR,
            max_leaf_nodes=student.max_leaf_nodes or rows.n_samples,
            max_depth=student.max_depth or rows.n_samples,
            min_samples_leaf=student.min_samples_leaf,
            l2_regularization=self._l2 * unit,
            penalties=self._penalties.in_units(unit * self._total),
            signs=self._signs,
        )
        del row_stats
        self._penalties.pay(tree)
        tree = tree._replace(leaf=tree.leaf[:0])
        of_rows = {"tree": tree, "n_edges": counts}
        sums = rows.total(_leaf_sums, self._z, **of_rows, **shared)[tree.is_leaf] / unit
        descents, curvatures = np.split(sums, 2, axis=1)
        factor = self._sample.hessian_factor
        steps = student.learning_rate * descents / (factor * curvatures + self._l2)
        of_nodes = np.zeros((len(tree.feature), steps.shape[1]), np.float32)
        of_nodes[tree.is_leaf] = steps
        self._z = rows.each(_moved, self._z, steps=of_nodes, **of_rows)
        number = np.cumsum(tree.is_leaf) - 1
        leaf = number.astype(np.min_scalar_type(int(number[-1])))
        self._trees.append(tree)
        self._leaves.append(leaf[find_leaves(tree, self._sample_codes, counts)])
        self._steps.append(steps)


def _start(shard: CodedChunk, *, intercept: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.tile(intercept, (shard.n_samples, 1))


def _bound(shard: CodedChunk, z: NDArray[np.float32], *, targets: Any) -> float:
    bound: float = targets.bound(shard, z)
    return bound


def _total_weight(shard: CodedChunk, *, targets: Any, unit: float) -> NDArray[np.int64]:
    total = 0
    for rows in blocks(shard.n_samples, _ROWS):
        total += int(np.rint(targets.weight(shard, rows) * unit).astype(np.int64).sum())
    return np.array(total, np.int64)


def _terms(
    shard: CodedChunk, z: NDArray[np.float32], targets: Any, rows: slice
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minus gradients and Hessians of some rows."""
    at = z[rows].astype(np.float64)
    gradient, curvature = np.empty_like(at), np.empty_like(at)
    every = slice(0, len(at))
    targets.loss(shard, rows).newton(every, at.shape[1], at, gradient, curvature)
    return -gradient, curvature


def _statistics(
    shard: CodedChunk, z: NDArray[np.float32], *, targets: Any, unit: float, count: bool
) -> NDArray[np.int32]:
    """Minus gradient and summed Hessian in fixed point, and a 1 to count by."""
    row_stats = np.ones((shard.n_samples, targets.n_scores + 1 + count), np.int32)

    def fill(rows: slice) -> None:
        descent, curvature = _terms(shard, z, targets, rows)
        row_stats[rows, : targets.n_scores] = np.rint(descent * unit)
        row_stats[rows, targets.n_scores] = np.rint(curvature.sum(axis=1) * unit)
        if count:
            row_stats[rows, -1] = targets.weight(shard, rows) > 0

    run_tasks(fill, blocks(shard.n_samples, _ROWS))
    return row_stats


def _leaf_sums(
    shard: CodedChunk,
    z: NDArray[np.float32],
    *,
    targets: Any,
    unit: float,
    tree: GrownTree,
    n_edges: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Minus gradients and Hessians of each score, added up by node, in fixed point."""
    parts = blocks(shard.n_samples, _ROWS)
    sums: list[Any] = [None] * len(parts)

    def add(number: int) -> None:
        rows = parts[number]
        terms = np.hstack(_terms(shard, z, targets, rows))
        leaf = find_leaves(tree, np.ascontiguousarray(shard.codes[:, rows]), n_edges)
        sums[number] = sum_by_leaf(np.rint(terms * unit).astype(np.int32), leaf, len(tree.feature))

    run_tasks(add, range(len(parts)))
    total: NDArray[np.int64] = np.sum(sums, axis=0)
    return total


def _moved(
    shard: CodedChunk,
    z: NDArray[np.float32],
    *,
    steps: NDArray[np.float32],
    tree: GrownTree,
    n_edges: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Raw predictions with those of another tree."""
    moved = np.empty_like(z)

    def move(rows: slice) -> None:
        codes = np.ascontiguousarray(shard.codes[:, rows])
        moved[rows] = z[rows] + steps[find_leaves(tree, codes, n_edges)]

    run_tasks(move, blocks(shard.n_samples, _ROWS))
    return moved


def probability_targets(
    source: ChunkSource, targets: SoftTargets, n_scores: int
) -> ProbabilityTargets:
    """How probabilities of all rows stay, from those of the sample.

    Parameters
    ----------
    source : ChunkSource
        All rows.
    targets : SoftTargets
        Of the sample.
    n_scores : int
        Logits of a row.

    Returns
    -------
    targets : ProbabilityTargets

    Raises
    ------
    ValueError
        If rows have an alpha each.
    """
    temperature = targets.temperature
    has_labels = temperature != 1 and targets.hard is not None
    if has_labels and np.ndim(targets.alpha):
        raise ValueError("alpha must be one number for all rows of chunks")
    alpha = float(np.ravel(targets.alpha)[0])
    largest = source.targets.largest_weight
    return ProbabilityTargets(
        temperature, alpha, has_labels, 1.0 if largest is None else largest, n_scores
    )
