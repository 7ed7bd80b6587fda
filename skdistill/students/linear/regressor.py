"""A linear model of values, on integer inputs and in integer weights."""

from __future__ import annotations

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
        scaling, Q = design.scaling, design.integers()
        W, b = ridge(design.Z, data.y, data.weight, self.l2_regularization)
        total = weight_importances(W / data.deviation, scaling.features, data.n_features)
        W, b = design.on_integers(W, b)
        weights, bias, scale = linear_values(Q, W, b, data.weight, self.weight_bits, scaling.q_max)
        tables = [scaling.table(weights, self.weight_bits)] if W.any() else []
        data.warn_of_lost_resolution(bias, scale, tables)
        self.compact_ = data.model(bias, scale, *(tables if weights.any() else []))
        self.feature_importances_ = relative_importances(total)
