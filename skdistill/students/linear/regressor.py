"""A linear model of values, on integer inputs and in integer weights."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.limits import value_limits
from skdistill.quantization.linear_weights import linear_values
from skdistill.students._student import StudentRegressorMixin, relative_importances
from skdistill.students.linear._base import BaseSoftLinear
from skdistill.students.linear.design import design_matrix, ridge, weight_importances
from skdistill.students.training_data import RegressionData


class SoftLinearRegressor(StudentRegressorMixin, BaseSoftLinear):
    """Ridge regression with integer inputs and weights.

    Every column is read as an integer around its mean. The weights are learnt on these
    integers, standardized, and then rounded, with a scale for each target.

    Parameters
    ----------
    l2_regularization : float, default=1e-4
        Penalty ``l2_regularization / 2 * sum(W ** 2)`` on standardized columns, beside half the
        mean squared error.
    input_bits : int, default=8
        Bits of an input, 2 to 16.
    weight_bits : int or "ternary", default=8
        Bits of a weight, 2 to 16; "ternary" is −1, 0 or 1.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes those
        of a data frame that have a categorical type or hold strings; None takes none. Categories
        are numbered in the order of their mean targets.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the summed absolute weights on standardized columns and targets.

    Warns
    -----
    UserWarning
        Where a target lies so far from 0 that little resolution is left to the weights: scores
        are int32, and the mean of the target is part of them. Subtract the mean then. The limit
        is near a mean of ``2 ** (24 - input_bits)`` times the target's spread.

    See Also
    --------
    DistilledRegressor : Fits a student on a teacher's predictions.
    SoftLinearClassifier : The same for classification.

    Notes
    -----
    A missing value (NaN) is read as the offset of its column, which is near the mean of the
    values that are there. A column without any value gets no weight. Sparse rows stay sparse,
    but for some columns at a time.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill import SoftLinearRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> linear = SoftLinearRegressor().fit(X, y)
    >>> round(linear.score(X, y), 2), linear.compact_.tables[0].weights.shape
    (0.52, (10, 1))
    """

    def _learn(self, data: RegressionData) -> None:
        design = design_matrix(data.X, data.weight, self.input_bits)
        scaling, Q = design.scaling, design.integers()
        W, b = ridge(design.Z, data.y, data.weight, self.l2_regularization)
        total = weight_importances(W / data.deviation, scaling.features, data.n_features)
        W, b = design.on_integers(W, b)
        weights, bias, scale = linear_values(Q, W, b, data.weight, self.weight_bits, scaling.q_max)
        _warn_of_coarse_weights(data.y, weights, self.weight_bits)
        tables = [scaling.table(weights, self.weight_bits)] if weights.any() else []
        self.compact_ = data.model(bias, scale, *tables)
        self.feature_importances_ = relative_importances(total)


def _warn_of_coarse_weights(
    y: NDArray[np.float64], weights: NDArray[np.int32], weight_bits: int | str
) -> None:
    _, high = value_limits(weight_bits, signed=True)
    coarse = np.abs(weights).max(axis=0, initial=0) < min(high, 8)
    spread = np.ptp(y, axis=0)
    far = coarse & (np.abs(y).max(axis=0) > 2**10 * spread) & (spread > 0)
    if far.any():
        warnings.warn(
            f"targets {np.flatnonzero(far).tolist()} of y lie so far from 0 that int32 scores "
            "leave few levels to their weights: subtract the mean of y, or lower input_bits",
            UserWarning,
            stacklevel=5,  # the caller of `fit`
        )
