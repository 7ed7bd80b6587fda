"""Linear models of probabilities or values, on integer inputs and in integer weights."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags

from skdistill.compact.tables.limits import value_limits
from skdistill.quantization.linear_weights import linear_values
from skdistill.students._base import CompactClassifierMixin, CompactRegressorMixin
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.linear.design import (
    _table,
    columns_of,
    importances,
    integers_of,
    ridge,
    to_compact,
)
from skdistill.students.loss import soft_cross_entropy
from skdistill.students.training_data import regression_set, training_set
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import Interval, _fit_context

_BITS = {"input_bits": BITS["threshold_bits"], "weight_bits": BITS["value_bits"]}


class SoftLinearClassifier(CompactClassifierMixin, BaseEstimator):
    """Multinomial regression on soft targets, with integer inputs and weights.

    Every column is read as an integer of `input_bits` around its mean; the weights are
    learnt on these integers, standardised, and then rounded to `weight_bits`. The
    standardisation is folded into the weights.

    Parameters
    ----------
    l2_regularization : float, default=1e-4
        Penalty ``l2_regularization / 2 * sum(W ** 2)`` on standardised columns, beside the mean
        loss.
    max_iter : int, default=1000
        Of L-BFGS.
    tol : float, default=1e-7
        Largest gradient at which L-BFGS stops.
    input_bits : int in [2, 16], default=8
        Of the inputs.
    weight_bits : int in [2, 16] or "ternary", default=8
        Of the weights.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes
        those of a data frame that are of a categorical type or hold strings. Categories are
        ordered by their mean targets, and every split parts them by this order.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" are
        ``n / (K * mass)``, where the mass of a class adds up the weights of its rows. A row
        with probabilities and no label weighs the expectation ``sum_k P_ik w_k``, and gives
        each class its share of the mass.

    Attributes
    ----------
    classes_ : array of shape (K,)
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    n_iter_ : int
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)
        Share of each column in the summed absolute weights, standardised.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftLinearClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> linear = SoftLinearClassifier().fit(X, y)
    >>> linear.compact_.tables[0].weights.shape
    (4, 3)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        **_BITS,
        **CATEGORIES,
        "class_weight": CLASS_WEIGHT,
    }

    def __init__(
        self,
        l2_regularization: float = 1e-4,
        *,
        max_iter: int = 1000,
        tol: float = 1e-7,
        input_bits: int = 8,
        weight_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.l2_regularization = l2_regularization
        self.max_iter = max_iter
        self.tol = tol
        self.input_bits = input_bits
        self.weight_bits = weight_bits
        self.categorical_features = categorical_features
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | SoftTargets,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> SoftLinearClassifier:
        """Learn the weights.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            ±inf is refused. NaN reads as the offset of its column, which is near the mean of
            the values that are there; a column that is all NaN gets no weight. Sparse rows
            stay sparse, but for some columns at a time.
        y : array-like of shape (n,) or (n, K), or SoftTargets
            Labels, or probabilities whose rows sum to 1.
        sample_weight : array-like of shape (n,), default=None
        classes : array-like of shape (K,), default=None
            Names of the columns of a 2-D `y` (default 0 … K−1, or a data frame's
            columns), or all classes that a 1-D `y` may have.

        Returns
        -------
        self : SoftLinearClassifier
        """
        given = training_set(
            self,
            X,
            y,
            sample_weight,
            classes,
            allow_nan=True,
            class_weight=self.class_weight,
            sparse=True,
        )
        reading, Z, unit, shift = columns_of(given.X, given.weight, self.input_bits)
        W, b = np.zeros((Z.shape[1], given.n_scores)), np.zeros(given.n_scores)
        self.n_iter_ = 0
        if len(given.classes) > 1:
            W, b = self._minimise(Z, given.targets, given.weight, W, b)
        B, b, Q = W * unit[:, None], b - shift @ W, integers_of(Z, unit, shift)
        self.compact_ = to_compact(given, reading, B, b, self.weight_bits, Q)
        self.feature_importances_ = importances(W, reading[0], given.X.shape[1])
        self.classes_ = given.classes
        return self

    def _minimise(
        self,
        Z: NDArray[np.float64],
        targets: SoftTargets,
        weight: NDArray[np.float64],
        W: NDArray[np.float64],
        b: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        loss = soft_cross_entropy(targets, weight)
        shape = (Z.shape[1] + 1, len(b))  # the last row is the bias, which is not penalised

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            W, b = flat.reshape(shape)[:-1], flat.reshape(shape)[-1]
            value, gradient = loss(Z @ W + b)
            step = np.vstack([Z.T @ gradient + self.l2_regularization * W, gradient.sum(axis=0)])
            return value + self.l2_regularization / 2 * float((W**2).sum()), step.ravel()

        found = minimize(
            objective,
            np.vstack([W, b]).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "gtol": self.tol, "ftol": 64 * np.finfo(float).eps},
        )
        self.n_iter_ = int(found.nit)
        if found.nit >= self.max_iter:
            warnings.warn(
                f"L-BFGS stopped after max_iter={self.max_iter} steps with a gradient of "
                f"{np.abs(found.jac).max():.3g}: raise max_iter or l2_regularization",
                ConvergenceWarning,
                stacklevel=4,
            )
        table = found.x.reshape(shape)
        return table[:-1], table[-1]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags


class SoftLinearRegressor(CompactRegressorMixin, BaseEstimator):
    """Ridge regression with integer inputs and weights.

    Every column is read as an integer of `input_bits` around its mean; the weights are
    learnt on these integers, standardised, and then rounded to `weight_bits`, with a scale
    for each target.

    Scores are int32 and the mean of a target is part of them: where it is more than about
    2^(24 − `input_bits`) times the target's spread, weights lose resolution. `fit` warns
    where little of it is left; subtract the mean then.

    Parameters
    ----------
    l2_regularization : float, default=1e-4
        Penalty ``l2_regularization / 2 * sum(W ** 2)`` on standardised columns, beside half the
        mean
        squared error.
    input_bits : int in [2, 16], default=8
        Of the inputs.
    weight_bits : int in [2, 16] or "ternary", default=8
        Of the weights.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes
        those of a data frame that are of a categorical type or hold strings. Categories are
        ordered by their mean targets, and every split parts them by this order.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)
        Share of each column in the summed absolute weights, standardised.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill import SoftLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> linear = SoftLinearRegressor().fit(X, y)
    >>> round(linear.score(X, y), 2), linear.compact_.tables[0].weights.shape
    (0.52, (10, 1))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        **_BITS,
        **CATEGORIES,
    }

    def __init__(
        self,
        l2_regularization: float = 1e-4,
        *,
        input_bits: int = 8,
        weight_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
    ) -> None:
        self.l2_regularization = l2_regularization
        self.input_bits = input_bits
        self.weight_bits = weight_bits
        self.categorical_features = categorical_features

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> SoftLinearRegressor:
        """Learn the weights.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            ±inf is refused. NaN reads as the offset of its column, which is near the mean of
            the values that are there; a column that is all NaN gets no weight. Sparse rows
            stay sparse, but for some columns at a time.
        y : array-like of shape (n,) or (n, S)
            Finite, and within float32.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : SoftLinearRegressor
        """
        given = regression_set(self, X, y, sample_weight, allow_nan=True, sparse=True)
        reading, Z, unit, shift = columns_of(given.X, given.weight, self.input_bits)
        W, b = ridge(Z, given.y, given.weight, self.l2_regularization)
        b = b - shift @ W
        Q, q_max = integers_of(Z, unit, shift), (1 << (reading[3] - 1)) - 1
        weights, bias, scale = linear_values(
            Q, W * unit[:, None], b, given.weight, self.weight_bits, q_max
        )
        tables = [_table(reading, weights, self.weight_bits)] if weights.any() else []
        _warn_of_coarse_weights(given.y, weights, self.weight_bits)
        self.compact_ = given.model(bias, scale, *tables)
        self.feature_importances_ = importances(W / given.deviation, reading[0], given.X.shape[1])
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        return tags


def _warn_of_coarse_weights(
    y: NDArray[np.float64], weights: NDArray[np.int32], bits: int | str
) -> None:
    _, high = value_limits(bits, signed=True)
    few = np.abs(weights).max(axis=0, initial=0) < min(high, 8)
    spread = np.ptp(y, axis=0)
    far = few & (np.abs(y).max(axis=0) > 2**10 * spread) & (spread > 0)
    if far.any():
        warnings.warn(
            f"targets {np.flatnonzero(far).tolist()} of y lie so far from 0 that int32 scores "
            "leave few levels to their weights: subtract the mean of y, or lower input_bits",
            UserWarning,
            stacklevel=4,
        )
