"""A few small trees that learn values, their leaves refitted together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state

from skdistill.compact import Table, TreeTable
from skdistill.model import CompactModel
from skdistill.quantization.leaf_values import as_scale, constant_scale
from skdistill.students._base import CompactRegressorMixin
from skdistill.students.boosting.classifier import SoftBoostingClassifier
from skdistill.students.boosting.gradient_boosting import boost
from skdistill.students.loss import Loss, Newton, SquaredError, squared_newton_terms
from skdistill.students.training_data import RegressionSet, regression_set
from skdistill.utils._sklearn_compat import _fit_context


class SoftBoostingRegressor(CompactRegressorMixin, BaseEstimator):
    """Boosted regression trees, in integers of few bits.

    Each round grows one tree on the residuals; its leaves hold a value for each target.
    When the structure stands, the values of all leaves are refitted together, and then
    rounded a part of the trees at a time. Targets are learnt in units of their standard
    deviation around their mean; both go into the scale and the bias.

    Parameters
    ----------
    n_estimators : int, default=16
        Trees.
    learning_rate : float, default=0.3
        Shrinks the steps while trees grow; the refit is not shrunk.
    max_leaf_nodes : int or None, default=8
    max_depth : int or None, default=None
    min_samples_leaf : int, default=1
    l2_regularization : float, default=1.0
        Added to the weight of a leaf while trees grow.
    refit_l2_regularization : float, default=3e-3
        Penalty ``refit_l2_regularization / 2 * sum(W ** 2)`` of the refit, beside half the mean
        squared
        error; more where rows are few or noisy.
    subsample : float in (0, 1], default=1.0
        Share of the rows that each round sees.
    reuse_penalty : float, default=0.0
        Decrease of the mean loss that a split must promise for a feature that no split
        used yet, and for a threshold likewise where thresholds are kept in a table
        (``binning="quantile"``); after Herrmann, Stenkamp et al. 2026.
    n_iter_no_change : int or None, default=None
        Early stopping: growth ends when the loss of rows that it does not see has not
        fallen for so many rounds, and goes back to the best of them. The refit sees all
        rows.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out for early stopping.
    init : {"linear"} or None, default=None
        "linear" starts from a linear model on rounded inputs; its weights are refitted
        with the leaves, and both are one score.
    linear_bits : int in [2, 16] or "ternary", default=8
        Of the weights of the linear start.
    threshold_bits : int in [2, 16], default=8
        Of the thresholds, and of the inputs of a linear start.
    binning : {"uniform", "quantile"}, default="uniform"
        Where trees may cut a column: at even steps, those of the rounded inputs of a
        linear start if there is one, or at quantiles. Even ones take fewer bytes, a
        quarter to a third of a small model's; columns as skewed as sums of money may want
        quantiles.
    value_bits : int in [2, 16] or "ternary", default=8
        Of the leaf values.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes
        those of a data frame that are of a categorical type or hold strings. Categories are
        ordered by their mean targets, and every split parts them by this order.
    random_state : int, RandomState instance or None, default=None
        Of the subsampling, of the rows held out and of the order in which trees are rounded.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    n_estimators_ : int
        Trees after early stopping.
    feature_importances_ : float64 array of shape (d,)
        Share of each column in the total gain of the splits.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skdistill import SoftBoostingRegressor
    >>> X, y = make_friedman1(500, random_state=0)
    >>> boosted = SoftBoostingRegressor(random_state=0).fit(X, y)
    >>> boosted.score(X, y) > 0.9
    True
    """

    _parameter_constraints: dict[str, list[Any]] = {
        name: allowed
        for name, allowed in SoftBoostingClassifier._parameter_constraints.items()
        if name != "class_weight"
    }

    def __init__(
        self,
        n_estimators: int = 16,
        *,
        learning_rate: float = 0.3,
        max_leaf_nodes: int | None = 8,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        l2_regularization: float = 1.0,
        refit_l2_regularization: float = 3e-3,
        subsample: float = 1.0,
        reuse_penalty: float = 0.0,
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        init: str | None = None,
        linear_bits: int | str = 8,
        threshold_bits: int = 8,
        binning: str = "uniform",
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        random_state: Any = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.refit_l2_regularization = refit_l2_regularization
        self.subsample = subsample
        self.reuse_penalty = reuse_penalty
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.init = init
        self.linear_bits = linear_bits
        self.threshold_bits = threshold_bits
        self.binning = binning
        self.value_bits = value_bits
        self.categorical_features = categorical_features
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> SoftBoostingRegressor:
        """Grow the trees, refit and round their values.

        Parameters
        ----------
        X : array-like of shape (n, d)
            ±inf is refused. Where a column has NaN, nodes learn its side; in other columns NaN
            goes right. A linear start reads it as the offset of its column.
        y : array-like of shape (n,) or (n, S)
            Finite, and within float32.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : SoftBoostingRegressor
        """
        given = regression_set(self, X, y, sample_weight, allow_nan=True)
        scaled = _Scaled.of(given)
        if scaled.varies.any():
            boosted = boost(self, scaled, check_random_state(self.random_state))
            self.compact_, self.feature_importances_, self.n_estimators_ = boosted
        else:
            self.compact_ = scaled.model(np.zeros(scaled.n_scores), 1.0)
            self.feature_importances_, self.n_estimators_ = np.zeros(given.X.shape[1]), 0
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


@dataclass(frozen=True)
class _Scaled:
    """Targets around 0 in units of their deviation, and the way back; see `TrainingSet`."""

    given: RegressionSet
    centre: NDArray[np.float64]
    unit: NDArray[np.float64]
    varies: NDArray[np.bool_]
    hessian_factor: int = 1  # the Hessian is diagonal
    intercept: bool = False  # the targets are centred
    hints: None = None

    @classmethod
    def of(cls, given: RegressionSet) -> _Scaled:
        """Choose centre and unit, by numbers that the order of the rows does not change."""
        y, unit = given.y, given.deviation
        varies = y.min(axis=0) < y.max(axis=0)
        mean = given.weight / given.weight.sum() @ (y / unit)
        return cls(
            given, np.where(varies, unit * np.rint(mean * 2**16) / 2**16, y[0]), unit, varies
        )

    @property
    def X(self) -> NDArray[Any]:
        return self.given.X

    @property
    def weight(self) -> NDArray[np.float64]:
        return self.given.weight

    @property
    def n_scores(self) -> int:
        return len(self.centre)

    @property
    def _y(self) -> NDArray[np.float64]:
        return (self.given.y - self.centre) / self.unit

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        return SquaredError(self._y, self.weight if weight is None else weight)

    def newton_terms(self) -> Newton:
        return squared_newton_terms(self._y, self.weight)

    @property
    def _least(self) -> NDArray[np.float64]:
        """Least worth of a score: the centre takes 29 bits of it, and float32 holds it."""
        least = np.maximum(np.abs(self.centre) / 2**29, np.finfo(np.float32).tiny)
        return np.where(self.varies, least / self.unit, 0.0)

    @property
    def least_scale(self) -> float:
        return float(self._least.max())

    def model(self, bias: NDArray[Any], scale: float, *tables: Table) -> CompactModel:
        """The compact model, in the units of the targets."""
        if len(tables) == 1 and isinstance(tables[0], TreeTable):
            trees, scale = self._room_for_centre(tables[0], scale)
            tables = (trees,)
        with np.errstate(over="ignore"):  # where a target is constant both are replaced
            scales = as_scale(np.maximum(scale, self._least) * self.unit)
        scales = np.where(self.varies, scales, constant_scale(self.centre))
        bias = bias + np.rint(self.centre / scales)
        return self.given.model(bias.astype(np.int64), scales, *tables)

    def _room_for_centre(self, trees: TreeTable, step: float) -> tuple[TreeTable, float]:
        """Finer scores than leaf values, for the centre; coarser values where it is too far."""
        most = max(1, int(np.abs(trees.values).max()))
        with np.errstate(divide="ignore"):
            room = float(step / self.least_scale)
        unit = int(np.clip(room, 1, max(1, min(2**15 // most, 2**29 // (most * len(trees.roots))))))
        if room >= 1:
            return replace(trees, unit=unit), step / unit
        values = np.rint(trees.values * (step / np.maximum(step, self._least)))
        return replace(trees, values=values.astype(np.int32)), step
