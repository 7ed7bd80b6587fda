"""Boosting a student: start, grow round by round, refit, round, assemble.

Trees are grown by Newton boosting (Chen & Guestrin 2016, "XGBoost", section 2.2), one tree a
round with a vector of values in each leaf. The values of all leaves are then refitted together
and rounded. `BoostingProblem` is what classification and regression differ in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid, LinearTable, Table
from skdistill.compact.tables.limits import value_limits
from skdistill.model import CompactModel
from skdistill.quantization.assemble import QuantizedTree, assemble, drop_idle_splits
from skdistill.quantization.binning import fit_grid, rounding_grid
from skdistill.quantization.linear_weights import RANGE_FRACTIONS, linear_weights
from skdistill.students._student import relative_importances
from skdistill.students.boosting.byte_budget import boost_within
from skdistill.students.boosting.leaf_refit import AdditiveModel, refit, round_values
from skdistill.students.boosting.leaf_sums import add_rows_to_leaves
from skdistill.students.boosting.monotonic import ValueRanges, put_in_order, value_ranges
from skdistill.students.boosting.problem import BoostingProblem
from skdistill.students.boosting.rounds import BoostedTrees, TreeGrower
from skdistill.students.linear.design import DesignMatrix, design_matrix, empty_design
from skdistill.students.tree.grown_tree import GrownTree

_DEFAULT_TREES = 16
LINEAR_L2 = 1e-4  # penalty of the linear start
_RANGES = 3  # times that ranges of leaf values are drawn around the last values
INTERCEPT_STEP = 16  # scores of a leaf value of 1, so that the bias is finer than the leaves


class BoostingResult(NamedTuple):
    """What boosting ends in.

    Attributes
    ----------
    model : CompactModel
        The integer model.
    importances : float64 array of shape (n_features,)
        Share of each column in the total gain.
    n_trees : int
        Trees after early stopping, and within `max_bytes`.
    """

    model: CompactModel
    importances: NDArray[np.float64]
    n_trees: int


def boost(
    student: Any,
    problem: BoostingProblem,
    rng: np.random.RandomState,
    signs: NDArray[np.int8],
    make_booster: Callable[..., Booster] | None = None,
) -> BoostingResult:
    """Learn a boosted model.

    Parameters
    ----------
    student : SoftBoostingClassifier or SoftBoostingRegressor
        Its parameters are read, nothing else.
    problem : BoostingProblem
        Training rows and their loss.
    rng : RandomState
        Draws rows to hold out, subsamples, and the order in which trees are rounded.
    signs : int8 array of shape (n_features,)
        1 where predictions have to rise with a column, −1 where they have to fall, else 0.
    make_booster : callable, default=None
        Takes what `Booster` takes. None is `Booster`.

    Returns
    -------
    result : BoostingResult

    Raises
    ------
    ValueError
        If one tree takes more than `max_bytes`.
    """
    booster = (make_booster or Booster)(student, problem, rng, signs)
    if student.max_bytes is None:
        n_trees = _DEFAULT_TREES if student.n_estimators == "auto" else student.n_estimators
        grower = booster.grower()
        grower.grow(n_trees)
        boosted = grower.first(grower.n_trees)
        del grower  # what it has of each row would take as much memory as the refit
        model = booster.finish(boosted)
    else:
        boosted, model = boost_within(student, booster, problem.categories)
    importances = _importances(boosted.trees, booster.grid, problem.X.shape[1])
    return BoostingResult(model, importances, len(boosted.trees))


class Booster:
    """The steps of boosting: a start, trees that grow from it, and the integers of both.

    Parameters
    ----------
    student, problem, rng, signs
        As in `boost`.
    """

    def __init__(
        self,
        student: Any,
        problem: BoostingProblem,
        rng: np.random.RandomState,
        signs: NDArray[np.int8],
    ) -> None:
        self._student, self._problem, self.rng = student, problem, rng
        self._loss = problem.loss()
        if student.init == "linear":
            design = design_matrix(problem.X, problem.weight, student.threshold_bits)
        else:
            design = empty_design(len(problem.X), student.threshold_bits)
        self._design, self.has_linear = design, design.Z.shape[1] > 0
        self.grid = _threshold_grid(student, problem, design)
        self._signs, self._input_signs = signs[self.grid.features], signs[design.scaling.features]
        self._linear_options = {
            "fit_linear": self.has_linear or problem.has_intercept,
            "l2_linear": LINEAR_L2,
        }
        start = _without_trees(problem, design)
        if self._linear_options["fit_linear"]:
            start = refit(
                start,
                self._loss,
                l2_regularization=0.0,
                max_iter=60,
                ranges=self._ranges([], start) if signs.any() else None,
                **self._linear_options,
            )
        self._start = start

    def grower(self, excluded: frozenset[int] = frozenset()) -> TreeGrower:
        """What grows trees from the start.

        Parameters
        ----------
        excluded : frozenset of int, default=frozenset()
            Columns that no split may use.

        Returns
        -------
        grower : TreeGrower
        """
        z = self._start.raw_predictions()
        return TreeGrower(
            self._student,
            self._problem,
            self._loss,
            self.grid,
            z,
            self.rng,
            excluded,
            self._signs,
        )

    def finish(self, boosted: BoostedTrees) -> CompactModel:
        """Refit all values together, and round them.

        Parameters
        ----------
        boosted : BoostedTrees
            Trees that were grown from the start.

        Returns
        -------
        model : CompactModel
        """
        student, problem, loss = self._student, self._problem, self._loss
        real = replace(
            self._start,
            leaves=boosted.leaves,
            tree_of_leaf=boosted.tree_of_leaf,
            leaf_values=boosted.leaf_values,
        )
        real, ranges = self._refit(real, boosted.trees)
        linear_tables, bias, score_step = self._linear_part(real)
        if linear_tables:  # its rounding errors come first: the leaf values make up for them
            coef = linear_tables[0].weights * score_step / self._design.unit[:, None]
            real = replace(real, coef=coef, intercept=bias.astype(np.float64) * score_step)
        values, step = round_values(
            real,
            loss,
            problem.weight,
            student.value_bits,
            l2_regularization=student.refit_l2_regularization,
            rng=self.rng,
            score_step=score_step,
            ranges=ranges,
        )
        scale, unit = step, 1
        if linear_tables:
            scale, unit = score_step, round(step / score_step)
        elif problem.has_intercept:
            values, bias, scale, unit = with_fine_intercept(values, step, real.intercept)

        candidates = []
        trees = _with_values(boosted.trees, values)
        for each in (trees, [drop_idle_splits(tree) for tree in trees]):
            table = assemble(self.grid, each, student.value_bits, unit)
            candidates.append(problem.model(bias, scale, table, *linear_tables))
        # Trees of one size are stored without their sizes, so that dropping splits may cost bytes.
        return min(candidates, key=lambda each: each.nbytes)

    def _refit(
        self, model: AdditiveModel, trees: list[GrownTree]
    ) -> tuple[AdditiveModel, ValueRanges | None]:
        """Refit all values; with them the ranges of those that have to keep an order."""
        options = {
            "l2_regularization": self._student.refit_l2_regularization,
            **self._linear_options,
        }
        if not (self._signs.any() or self._input_signs.any()):
            return refit(model, self._loss, **options), None
        leaf_weight = np.zeros((len(model.leaf_values), 1))
        add_rows_to_leaves(model.leaves, self._problem.weight[:, None], leaf_weight)
        ordered = put_in_order(trees, model.leaf_values, leaf_weight, self._signs)
        model = replace(model, leaf_values=ordered)
        for _ in range(_RANGES):
            ranges = self._ranges(trees, model)
            model = refit(model, self._loss, ranges=ranges, **options)
        return model, ranges

    def _ranges(self, trees: list[GrownTree], model: AdditiveModel) -> ValueRanges:
        return value_ranges(trees, model.leaf_values, self._signs, self._input_signs)

    def draft(self, trees: list[GrownTree]) -> CompactModel:
        """A model of the same structure whose leaf values are random, and share nothing.

        Parameters
        ----------
        trees : list of GrownTree
            Trees that were grown from the start; may be empty.

        Returns
        -------
        model : CompactModel
            About as large as what `finish` makes, or larger.
        """
        linear_tables, bias, scale = self._linear_part(self._start)
        if not linear_tables and self._problem.has_intercept:
            bias = np.resize(np.array([1, -1], np.int32) << 8, len(bias))
        low, high = value_limits(self._student.value_bits, signed=True)
        n_leaves = sum(int(tree.is_leaf.sum()) for tree in trees)
        values = np.random.default_rng(0).integers(low, high + 1, (n_leaves, len(bias)))
        tables: list[Table] = []
        if trees:
            quantized = _with_values(trees, values.astype(np.int32))
            tables.append(assemble(self.grid, quantized, self._student.value_bits, INTERCEPT_STEP))
        return self._problem.model(bias, scale or 1.0, *tables, *linear_tables)

    def _linear_part(
        self, model: AdditiveModel
    ) -> tuple[list[LinearTable], NDArray[np.int32], float]:
        """The integer linear part, if there is one, the bias, and the value of a score."""
        if not self.has_linear:
            return [], np.zeros(self._problem.n_scores, np.int32), 0.0
        linear, bias, score_step = _round_linear(
            model, self._design, self._student, self._problem.min_scale
        )
        return [linear], bias, score_step


def _without_trees(problem: BoostingProblem, design: DesignMatrix) -> AdditiveModel:
    """The model that is 0 everywhere."""
    n_samples, n_inputs = design.Z.shape
    return AdditiveModel(
        leaves=np.zeros((n_samples, 0), np.int32),
        tree_of_leaf=np.zeros(0, np.intp),
        leaf_values=np.zeros((0, problem.n_scores)),
        inputs=design.Z,
        coef=np.zeros((n_inputs, problem.n_scores)),
        intercept=np.zeros(problem.n_scores),
    )


def _threshold_grid(student: Any, problem: BoostingProblem, design: DesignMatrix) -> InputGrid:
    """Thresholds that trees may use.

    Those between the rounded inputs of a linear start cost no byte: the device compares the
    integers that it has computed for the linear part.
    """
    uniform = student.binning == "uniform"
    if uniform and design.Z.shape[1] and problem.X.dtype != np.int32:
        return rounding_grid(*design.scaling)
    return fit_grid(problem.X, student.threshold_bits, problem.weight, binning=student.binning)


def _round_linear(
    model: AdditiveModel, design: DesignMatrix, student: Any, min_scale: float
) -> tuple[LinearTable, NDArray[np.int32], float]:
    """The integer linear part, the bias, and the value of a score."""
    scaling, unit, bits = design.scaling, design.unit, student.linear_bits
    W, b = design.on_integers(model.coef, model.intercept)
    # A score is one unit of the linear part. Leaves must stay within 2**24 scores, which
    # rounding to few bits may come near to; all trees and the linear part within int32.
    largest_leaf = float(np.abs(model.leaf_values).max(initial=0))
    leaf = largest_leaf / min(2**20, 2**28 / max(1, model.leaves.shape[1]))
    total = float((np.abs(W).sum(axis=0) * scaling.q_max + np.abs(b)).max()) / 2**30
    min_scale = max(leaf, total, min_scale)
    few_levels = bits == "ternary" or bits < 8
    candidates = [
        linear_weights(W, b, bits, scaling.q_max, fraction, min_scale)
        for fraction in (RANGE_FRACTIONS if few_levels else RANGE_FRACTIONS[:1])
    ]

    def error(candidate: tuple[NDArray[np.int32], NDArray[np.int32], float]) -> float:
        """Change of the raw predictions, as if inputs were uncorrelated.

        Inputs are standardized: a weight on one that hardly varies may be far off.
        """
        weights, _, scale = candidate
        return float((((weights * scale - W) / unit[:, None]) ** 2).sum())

    weights, bias, scale = min(candidates, key=error)
    return scaling.table(weights, bits), bias, scale


def with_fine_intercept(
    values: NDArray[np.int32], step: float, intercept: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], float, int]:
    """Leaf values beside an integer bias that is finer than they are.

    Parameters
    ----------
    values : int32 array of shape (n_leaves, n_scores)
        Rounded leaf values.
    step : float
        ``step * values`` are the leaf values.
    intercept : float64 array of shape (n_scores,)
        Constant of the raw predictions.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
        All 0 where leaves are negligible beside the intercept.
    bias : int32 array of shape (n_scores,)
    scale : float
        ``scale * bias`` is the intercept.
    unit : int
        ``scale * unit * values`` are the leaf values.
    """
    largest = float(np.abs(intercept).max())
    if step < largest / 2**20:
        values, step = np.zeros_like(values), largest / 2**11
    scale = step / INTERCEPT_STEP
    return values, np.rint(intercept / scale).astype(np.int32), scale, INTERCEPT_STEP


def _with_values(trees: list[GrownTree], values: NDArray[np.int32]) -> list[QuantizedTree]:
    """Trees with the values of their leaves, which are numbered through all of them."""
    quantized, first = [], 0
    for tree in trees:
        n_leaves = int(tree.is_leaf.sum())
        of_nodes = np.zeros((len(tree.feature), values.shape[1]), np.int32)
        of_nodes[tree.is_leaf] = values[first : first + n_leaves]
        first += n_leaves
        quantized.append(tree.with_values(of_nodes))
    return quantized


def _importances(trees: list[GrownTree], grid: InputGrid, n_features: int) -> NDArray[np.float64]:
    """Share of each column in the total gain."""
    total = np.zeros(n_features)
    for tree in trees:
        total[grid.features] += tree.gain_by_feature(len(grid.features))
    return relative_importances(total)
