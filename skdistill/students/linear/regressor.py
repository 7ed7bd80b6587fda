"""A linear model of values, on integer inputs and in integer weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import CategoryTable, LinearTable, Table
from skdistill.model import CompactModel
from skdistill.quantization.linear_weights import linear_values
from skdistill.students._student import StudentRegressorMixin, relative_importances
from skdistill.students.linear._base import BaseSoftLinear
from skdistill.students.linear.byte_budget import fit_within
from skdistill.students.linear.design import (
    DesignMatrix,
    design_matrix,
    ridge,
    weight_importances,
)
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
        Bits of a weight, 2 to 16; "ternary" is −1, 0 or 1. With `max_bytes` their maximum.
    max_bytes : int or None, default=None
        Maximum ``compact_.nbytes``. Where all columns do not fit at `weight_bits`, fewer bits and
        fewer columns are tried: for each number of bits as many of the most important columns
        as fit, with weights learnt anew. The model of the least training loss is taken. None
        sets no limit.
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

    See Also
    --------
    DistilledRegressor : Fits a student on a teacher's predictions.
    SoftLinearClassifier : The same for classification.

    Notes
    -----
    A missing value (NaN) is read as the offset of its column, which is near the mean of the
    values that are there. A column without any value gets no weight. Sparse rows stay sparse,
    but for some columns at a time.

    Scores are int32, and the mean of a target is part of them: one that lies far from 0 leaves
    few levels to the weights, and `fit` warns of it. With fewer `input_bits` the limit lies
    farther out; without the mean there is none.

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
        problem = _RegressionProblem(data, self.l2_regularization)
        W, b = problem.learn(design)
        fitted = fit_within(problem, design, W, b, self.weight_bits, self.max_bytes)
        model, scaling = fitted.compact, fitted.design.scaling
        tables: list[Table] = list(model.tables)
        if fitted.W.any() and not tables:  # rounding made all weights 0
            tables = [scaling.table(np.zeros(fitted.W.shape, np.int32), self.weight_bits)]
        data.warn_of_lost_resolution(model.bias, model.scale, tables)
        self.compact_ = model
        total = weight_importances(fitted.W / data.deviation, scaling.features, data.n_features)
        self.feature_importances_ = relative_importances(total)


@dataclass(frozen=True)
class _RegressionProblem:
    """Training data of a linear regressor, as a `LinearProblem`."""

    data: RegressionData
    l2_regularization: float

    @property
    def categories(self) -> CategoryTable:
        """Columns of categories."""
        return self.data.categories

    def learn(
        self, design: DesignMatrix, *start: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and bias in closed form, which needs no first guess."""
        return ridge(design.Z, self.data.y, self.data.weight, self.l2_regularization)

    def rounded(
        self,
        design: DesignMatrix,
        W: NDArray[np.float64],
        b: NDArray[np.float64],
        weight_bits: int | str,
    ) -> CompactModel:
        """The compact model of weights and bias."""
        scaling, Q = design.scaling, design.integers()
        W, b = design.on_integers(W, b)
        weight = self.data.weight
        weights, bias, scale = linear_values(Q, W, b, weight, weight_bits, scaling.q_max)
        tables = [scaling.table(weights, weight_bits)] if weights.any() else []
        return self.data.model(bias, scale, *tables)

    def model(self, bias: Any, scale: Any, *tables: LinearTable) -> CompactModel:
        """The compact model of some tables."""
        return self.data.model(bias, scale, *tables)

    def loss(self, z: NDArray[np.float64]) -> float:
        """Mean squared error in units of the standard deviations."""
        error = ((self.data.y - z) / self.data.deviation) ** 2
        return float(self.data.weight / self.data.weight.sum() @ error.sum(axis=1))

    def importances(self, W: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights in units of the standard deviations of the targets."""
        importances: NDArray[np.float64] = W / self.data.deviation
        return importances
