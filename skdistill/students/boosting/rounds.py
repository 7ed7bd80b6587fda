"""Growing the trees of a boosted student, one a round, by Newton steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid
from skdistill.students.boosting.gradients import Gradients
from skdistill.students.boosting.leaf_sums import add_rows_to_leaves
from skdistill.students.boosting.problem import BoostingProblem
from skdistill.students.loss import Loss
from skdistill.students.tree.fixed_point import round_stats
from skdistill.students.tree.grower import SplitPenalties, grow_tree
from skdistill.students.tree.grown_tree import GrownTree, find_leaves
from skdistill.students.tree.histogram import first_bins
from skdistill.students.tree.splitting import SQUARED_ERROR


class BoostedTrees(NamedTuple):
    """Trees as they were grown.

    Attributes
    ----------
    trees : list of GrownTree
        Their splits, on the codes of the grid.
    leaves : uint array of shape (n_samples, n_trees)
        Leaf of each row in each tree, numbered through all trees.
    tree_of_leaf : int array of shape (n_leaves,)
        Tree that each leaf belongs to.
    leaf_values : float64 array of shape (n_leaves, n_scores)
        Newton steps times the learning rate: the first values of the leaves.
    """

    trees: list[GrownTree]
    leaves: NDArray[Any]
    tree_of_leaf: NDArray[np.intp]
    leaf_values: NDArray[np.float64]


class TreeGrower:
    """Grows trees on the gradients of the loss, a tree a round, as many as are asked for.

    Parameters
    ----------
    student : SoftBoostingClassifier or SoftBoostingRegressor
        Its parameters are read, nothing else.
    problem : BoostingProblem
        Training rows.
    loss : Loss
        Their loss.
    grid : InputGrid
        Thresholds that splits may use.
    z : float64 array of shape (n_samples, n_scores)
        Raw predictions to start from.
    rng : RandomState
        Draws rows to hold out, and subsamples.
    excluded : frozenset of int, default=frozenset()
        Columns that no split may use.
    signs : int8 array of shape (n_used,), default=None
        Signs of the columns of the grid, see `grow_tree`.
    """

    def __init__(
        self,
        student: Any,
        problem: BoostingProblem,
        loss: Loss,
        grid: InputGrid,
        z: NDArray[np.float64],
        rng: np.random.RandomState,
        excluded: frozenset[int] = frozenset(),
        signs: NDArray[np.int8] | None = None,
    ) -> None:
        self._student, self._problem, self._rng, self._signs = student, problem, rng, signs
        self._codes, self._n_edges = grid.encode(problem.X), grid.counts
        self._gradients = Gradients(loss, z)
        self._penalties = SplitPenaltyState(student, problem, grid, excluded)
        # The least penalty keeps steps finite where a leaf has no curvature left.
        self._l2 = max(student.l2_regularization, 1e-15)
        self._hints = None
        if problem.hints is not None:
            self._hints = _HintResiduals(problem.hints, student.learning_rate)
        self._rows: NDArray[np.intp] | None = None  # to grow on; None is all
        self._losses: list[float] = []
        self._validation_loss = None
        if student.n_iter_no_change is not None:
            self._rows, self._validation_loss = _hold_out(problem, student.validation_fraction, rng)
            self._losses.append(self._gradients.loss(self._validation_loss))
        self._trees: list[GrownTree] = []
        self._leaves: list[NDArray[Any]] = []
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
        n_samples = len(self._codes[0])
        rows = _draw_rows(self._rows, n_samples, self._student.subsample, self._rng)
        # A split serves all scores. Its gain weighs a row by one Hessian, the sum of the diagonal.
        if self._hints is None:
            row_stats, unit = self._gradients.row_stats(rows)
        else:
            descent, weight = self._gradients.all_rows()
            scaled = self._hints.scaled(descent, weight)
            stats = np.hstack([descent, scaled, weight])
            row_stats, unit = round_stats(stats if rows is None else stats[rows])
        tree = self._grow_on(row_stats, unit, rows)
        del row_stats
        node = tree.leaf if rows is None else find_leaves(tree, self._codes, self._n_edges)
        is_leaf = tree.is_leaf
        number = np.cumsum(is_leaf) - 1
        leaf = number.astype(np.min_scalar_type(int(number[-1])))[node]
        steps = self._student.learning_rate * self._gradients.newton_steps(
            leaf, rows, int(number[-1]) + 1, self._problem.hessian_factor, self._l2
        )
        self._gradients.move(leaf, steps)
        if self._hints is not None:
            self._hints.subtract_means(node, rows, weight)
        # The leaf of each row stays in few bytes.
        self._trees.append(tree._replace(leaf=np.zeros(0, np.int32)))
        self._leaves.append(leaf)
        self._steps.append(steps)
        if self._validation_loss is not None:
            self._losses.append(self._gradients.loss(self._validation_loss))

    def _grow_on(
        self, row_stats: NDArray[np.int32], unit: float, rows: NDArray[np.intp] | None
    ) -> GrownTree:
        """A tree grown on some rows."""
        student, n_samples = self._student, len(self._codes[0])
        if student.min_samples_leaf > 1:
            row_stats = np.column_stack([row_stats, np.ones(len(row_stats), np.int32)])
        tree = grow_tree(
            self._codes if rows is None else np.ascontiguousarray(self._codes[:, rows]),
            self._n_edges,
            row_stats,
            criterion=SQUARED_ERROR,
            max_leaf_nodes=student.max_leaf_nodes or n_samples,
            max_depth=student.max_depth or n_samples,
            min_samples_leaf=student.min_samples_leaf,
            l2_regularization=self._l2 * unit,
            penalties=self._penalties.in_units(unit),
            signs=self._signs,
        )
        self._penalties.pay(tree)
        return tree

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
        return number_leaves(self._trees[:n_trees], self._leaves[:n_trees], leaf_values)

    @property
    def trees(self) -> list[GrownTree]:
        """All trees so far, in the order of their growth."""
        return self._trees


def number_leaves(
    trees: list[GrownTree], leaves: list[NDArray[Any]], leaf_values: NDArray[np.float64]
) -> BoostedTrees:
    """Number the leaves through all trees, in the order of their nodes.

    Parameters
    ----------
    trees : list of GrownTree
        Trees as they were grown.
    leaves : list of uint array of shape (n_samples,)
        Leaf of each row in each tree, numbered within the tree.
    leaf_values : float64 array of shape (n_leaves, n_scores)
        Values of the leaves of all trees.

    Returns
    -------
    boosted : BoostedTrees
    """
    n_leaves = [int(tree.is_leaf.sum()) for tree in trees]
    first = np.cumsum([0, *n_leaves])
    numbers = np.empty((len(trees), len(leaves[0])), np.min_scalar_type(int(first[-1]) - 1))
    for t, leaf in enumerate(leaves):
        np.add(leaf, numbers.dtype.type(first[t]), out=numbers[t], dtype=numbers.dtype)
    tree_of_leaf = np.repeat(np.arange(len(trees)), n_leaves)
    return BoostedTrees(trees, numbers.T, tree_of_leaf, leaf_values)


def _draw_rows(
    rows: NDArray[np.intp] | None, n_samples: int, subsample: float, rng: np.random.RandomState
) -> NDArray[np.intp] | None:
    """The rows of a round, in ascending order; None is all."""
    if subsample == 1:
        return rows
    if rows is None:
        rows = np.arange(n_samples)
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


class SplitPenaltyState:
    """What a split has to gain for a feature, or a stored threshold, that no split used yet.

    Herrmann et al. 2026, see `SoftBoostingClassifier`. Evenly spaced thresholds are not stored
    and have no penalty. That of an excluded column is infinite.

    Parameters
    ----------
    student, problem, grid, excluded
        As in `TreeGrower`.
    """

    def __init__(
        self, student: Any, problem: BoostingProblem, grid: InputGrid, excluded: frozenset[int]
    ) -> None:
        # The gain in squared error is twice the decrease of the loss to second order.
        self.penalty = 2 * problem.hessian_factor * student.reuse_penalty
        self.excluded = np.isin(grid.features, list(excluded))
        self.bin_offsets = first_bins(grid.counts)
        self.feature_paid = np.zeros(len(grid.counts), bool)
        self.threshold_paid = np.full(self.bin_offsets[-1], student.binning == "uniform")

    def in_units(self, unit: float) -> SplitPenalties:
        """Penalties in the unit of a round's row statistics.

        Parameters
        ----------
        unit : float
            What statistics of a total weight of 1 were multiplied by.

        Returns
        -------
        penalties : SplitPenalties
        """
        of_feature = np.where(self.feature_paid, 0.0, self.penalty * unit)
        return SplitPenalties(
            np.where(self.excluded, np.inf, of_feature),
            np.where(self.threshold_paid, 0.0, self.penalty * unit),
        )

    def pay(self, tree: GrownTree) -> None:
        """Take note of what a tree uses.

        Parameters
        ----------
        tree : GrownTree
            The tree of this round.
        """
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
        self,
        node: NDArray[np.int32],
        rows: NDArray[np.intp] | None,
        weight: NDArray[np.float64],
    ) -> None:
        """Subtract the means of the leaves, as learnt from the `rows` of a round."""
        total = np.zeros((node.max() + 1, self.residuals.shape[1] + 1))
        values, used = np.hstack([weight * self.residuals, weight]), np.arange(len(node))
        if rows is not None:
            values, used = values[rows], rows
        add_rows_to_leaves(node[used, None], values, total)
        mean = total[:, :-1] / np.maximum(total[:, -1:], np.finfo(float).tiny)
        self.residuals = self.residuals - self.learning_rate * mean[node]
