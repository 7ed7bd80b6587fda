"""Growing the trees of a boosted student, one a round, by Newton steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid
from skdistill.students.boosting.leaf_refit import add_rows_to_leaves
from skdistill.students.boosting.problem import BoostingProblem
from skdistill.students.loss import Loss
from skdistill.students.tree.fixed_point import round_stats
from skdistill.students.tree.grower import SplitPenalties, grow_tree
from skdistill.students.tree.grown_tree import GrownTree, find_leaves
from skdistill.students.tree.splitting import SQUARED_ERROR


class BoostedTrees(NamedTuple):
    """Trees as they were grown.

    Attributes
    ----------
    trees : list of GrownTree
        Their splits, on the codes of the grid.
    leaves : int32 array of shape (n_samples, n_trees)
        Leaf of each row in each tree, numbered through all trees.
    tree_of_leaf : int array of shape (n_leaves,)
        Tree that each leaf belongs to.
    leaf_values : float64 array of shape (n_leaves, n_scores)
        Newton steps times the learning rate: the first values of the leaves.
    """

    trees: list[GrownTree]
    leaves: NDArray[np.int32]
    tree_of_leaf: NDArray[np.intp]
    leaf_values: NDArray[np.float64]


class TreeGrower:
    """Grows trees on the gradients of the loss, a tree a round, as many as are asked for.

    Parameters
    ----------
    student : SoftBoostingClassifier or SoftBoostingRegressor
        Its parameters are read, nothing else.
    problem : BoostingProblem
        Training rows and their loss.
    grid : InputGrid
        Thresholds that splits may use.
    z : float64 array of shape (n_samples, n_scores)
        Raw predictions to start from.
    rng : RandomState
        Draws rows to hold out, and subsamples.
    excluded : frozenset of int, default=frozenset()
        Columns that no split may use.
    """

    def __init__(
        self,
        student: Any,
        problem: BoostingProblem,
        grid: InputGrid,
        z: NDArray[np.float64],
        rng: np.random.RandomState,
        excluded: frozenset[int] = frozenset(),
    ) -> None:
        self._student, self._problem, self._z, self._rng = student, problem, z, rng
        self._codes, self._n_edges = grid.encode(problem.X), grid.counts
        self._newton = problem.newton_terms()
        self._penalties = _SplitPenalties(student, problem, grid, excluded)
        # Gradients and Hessians are sums over rows: beside these, a penalty beside the mean loss is
        # multiplied by the total weight. So only the proportions of the weights count. The least
        # penalty keeps steps finite where a leaf has no curvature left.
        self._l2 = max(student.l2_regularization, 1e-15) * float(problem.weight.sum())
        self._hints = None
        if problem.hints is not None:
            self._hints = _HintResiduals(problem.hints, student.learning_rate)
        self._rows, self._losses, self._validation_loss = np.arange(len(z)), [], None
        if student.n_iter_no_change is not None:
            self._rows, self._validation_loss = _hold_out(problem, student.validation_fraction, rng)
            self._losses.append(self._validation_loss(z)[0])
        self._trees: list[GrownTree] = []
        self._nodes: list[NDArray[np.int32]] = []
        self._steps: list[NDArray[np.float64]] = []

    @property
    def n_trees(self) -> int:
        """Trees so far; with early stopping those up to the least loss of the rows held out."""
        if not self._losses or not self._trees:
            return len(self._trees)
        return max(1, int(np.argmin(self._losses)))

    def grow(self, n_trees: int) -> bool:
        """Grow up to a number of trees.

        Parameters
        ----------
        n_trees : int
            Trees in all, with those of earlier calls.

        Returns
        -------
        grows_on : bool
            False where early stopping ended the growth.
        """
        while len(self._trees) < n_trees:
            if self._has_stopped():
                return False
            self._grow_tree()
        return not self._has_stopped()

    def _has_stopped(self) -> bool:
        waiting = len(self._trees) - int(np.argmin(self._losses)) if self._losses else 0
        return bool(self._losses) and waiting >= self._student.n_iter_no_change

    def _grow_tree(self) -> None:
        """One round."""
        descent, curvature = self._newton(self._z)
        rows = _draw_rows(self._rows, self._student.subsample, self._rng)
        # A split serves all scores. Its gain weighs a row by one Hessian, the sum of the diagonal.
        weight = curvature.sum(axis=1, keepdims=True)
        hint_stats = [] if self._hints is None else [self._hints.scaled(descent, weight)]
        stats = np.hstack([descent, *hint_stats, weight])
        tree, node = _grow_on_stats(
            self._student, stats, rows, self._codes, self._n_edges, self._penalties, self._l2
        )
        hessian = self._problem.hessian_factor * curvature
        step = self._student.learning_rate * _newton_steps(
            descent, hessian, node, rows, len(tree.feature), self._l2
        )
        self._z = self._z + step[node]
        if self._hints is not None:
            self._hints.subtract_means(node, rows, weight)
        self._trees.append(tree)
        self._nodes.append(node)
        self._steps.append(step[tree.is_leaf])
        if self._validation_loss is not None:
            self._losses.append(self._validation_loss(self._z)[0])

    def first(self, n_trees: int) -> BoostedTrees:
        """The first trees.

        Parameters
        ----------
        n_trees : int
            At most `n_trees`, the property, and at least 1.

        Returns
        -------
        boosted : BoostedTrees
        """
        leaf_values = np.concatenate(self._steps[:n_trees])
        return _number_leaves(self._trees[:n_trees], self._nodes[:n_trees], leaf_values)

    @property
    def trees(self) -> list[GrownTree]:
        """All trees so far, in the order of their growth."""
        return self._trees


def _grow_on_stats(
    student: Any,
    stats: NDArray[np.float64],
    rows: NDArray[np.intp],
    codes: NDArray[Any],
    n_edges: NDArray[np.int32],
    penalties: _SplitPenalties,
    l2_regularization: float,
) -> tuple[GrownTree, NDArray[np.int32]]:
    """A tree grown on some rows, and the leaf of every row."""
    n_samples = len(stats)
    every = len(rows) == n_samples
    row_stats, unit = round_stats(stats if every else stats[rows])
    if student.min_samples_leaf > 1:
        row_stats = np.column_stack([row_stats, np.ones(len(row_stats), np.int32)])
    tree = grow_tree(
        codes if every else np.ascontiguousarray(codes[:, rows]),
        n_edges,
        row_stats,
        criterion=SQUARED_ERROR,
        max_leaf_nodes=student.max_leaf_nodes or n_samples,
        max_depth=student.max_depth or n_samples,
        min_samples_leaf=student.min_samples_leaf,
        l2_regularization=l2_regularization * unit,
        penalties=penalties.in_units(unit),
    )
    penalties.pay(tree)
    return tree, tree.leaf if every else find_leaves(tree, codes, n_edges)


def _newton_steps(
    descent: NDArray[np.float64],
    hessian: NDArray[np.float64],
    node: NDArray[np.int32],
    rows: NDArray[np.intp],
    n_nodes: int,
    l2_regularization: float,
) -> NDArray[np.float64]:
    """Newton step of every node, shape (n_nodes, n_scores)."""
    descents, hessians = np.zeros((2, n_nodes, descent.shape[1]))
    add_rows_to_leaves(node[rows, None], descent[rows], descents)
    add_rows_to_leaves(node[rows, None], hessian[rows], hessians)
    steps: NDArray[np.float64] = descents / (hessians + l2_regularization)
    return steps


def _number_leaves(
    trees: list[GrownTree], nodes: list[NDArray[np.int32]], leaf_values: NDArray[np.float64]
) -> BoostedTrees:
    """Number the leaves through all trees, in the order of their nodes."""
    leaves: list[NDArray[np.int32]] = []
    n_leaves: list[int] = []
    for tree, node in zip(trees, nodes, strict=True):
        number = sum(n_leaves) + np.cumsum(tree.is_leaf) - 1
        leaves.append(number[node].astype(np.int32))
        n_leaves.append(int(tree.is_leaf.sum()))
    tree_of_leaf = np.repeat(np.arange(len(trees)), n_leaves)
    return BoostedTrees(trees, np.column_stack(leaves), tree_of_leaf, leaf_values)


def _draw_rows(
    rows: NDArray[np.intp], subsample: float, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """The rows of a round, in ascending order."""
    if subsample == 1:
        return rows
    drawn = rng.permutation(len(rows))[: max(1, int(subsample * len(rows)))]
    return rows[np.sort(drawn)]


def _hold_out(
    problem: BoostingProblem, fraction: float, rng: np.random.RandomState
) -> tuple[NDArray[np.intp], Loss]:
    """Rows to grow on, and the loss of the others."""
    n_samples = len(problem.X)
    n_held_out = max(1, int(fraction * n_samples))
    if n_held_out == n_samples:
        raise ValueError(
            f"n_iter_no_change needs two rows or more to hold some out, got {n_samples}"
        )
    order = rng.permutation(n_samples)
    held_out = order[:n_held_out]
    weight = np.zeros(n_samples)
    weight[held_out] = problem.weight[held_out]
    return np.sort(order[n_held_out:]), problem.loss(weight)


class _SplitPenalties:
    """What a split has to gain for a feature, or a stored threshold, that no split used yet.

    Herrmann et al. 2026, see `SoftBoostingClassifier`. Evenly spaced thresholds are not stored
    and have no penalty. That of an excluded column is infinite.
    """

    def __init__(
        self, student: Any, problem: BoostingProblem, grid: InputGrid, excluded: frozenset[int]
    ) -> None:
        # The gain in squared error is twice the decrease of the loss to second order.
        decrease = problem.hessian_factor * student.reuse_penalty * float(problem.weight.sum())
        self.penalty = 2 * decrease
        self.excluded = np.isin(grid.features, list(excluded))
        self.bin_offsets = np.cumsum([0, *(grid.counts.astype(np.int64) + 2)])
        self.feature_paid = np.zeros(len(grid.counts), bool)
        self.threshold_paid = np.full(self.bin_offsets[-1], student.binning == "uniform")

    def in_units(self, unit: float) -> SplitPenalties:
        """Penalties in the unit of a round's row statistics."""
        of_feature = np.where(self.feature_paid, 0.0, self.penalty * unit)
        return SplitPenalties(
            np.where(self.excluded, np.inf, of_feature),
            np.where(self.threshold_paid, 0.0, self.penalty * unit),
        )

    def pay(self, tree: GrownTree) -> None:
        """Take note of what a tree uses."""
        split = ~tree.is_leaf
        feature, threshold = tree.feature[split], tree.threshold[split]
        self.feature_paid[feature] = True
        self.threshold_paid[self.bin_offsets[feature] + threshold] = True


class _HintResiduals:
    """Residuals of the hints, which later rounds learn as they learn those of the targets.

    Hints count as much beside the gradients of every round as beside the targets.
    """

    def __init__(self, hints: tuple[NDArray[np.float64], float], learning_rate: float) -> None:
        self.residuals, self.hint_weight = hints
        self.learning_rate = learning_rate

    def scaled(
        self, descent: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Weighted residuals to stand beside `descent`, which `weight` divides."""
        ours, theirs = (descent**2 / weight).sum(), (weight * self.residuals**2).sum()
        if theirs == 0:
            return self.residuals
        scaled: NDArray[np.float64] = (
            np.sqrt(self.hint_weight * ours / theirs) * weight * self.residuals
        )
        return scaled

    def subtract_means(
        self, node: NDArray[np.int32], rows: NDArray[np.intp], weight: NDArray[np.float64]
    ) -> None:
        """Subtract the means of the leaves, as learnt from the `rows` of a round."""
        total = np.zeros((node.max() + 1, self.residuals.shape[1] + 1))
        add_rows_to_leaves(
            node[rows, None], np.hstack([weight * self.residuals, weight])[rows], total
        )
        mean = total[:, :-1] / np.maximum(total[:, -1:], np.finfo(float).tiny)
        self.residuals = self.residuals - self.learning_rate * mean[node]
