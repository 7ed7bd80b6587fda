"""A linear model of class probabilities, on integer inputs and in integer weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from skdistill.compact import CategoryTable, LinearTable
from skdistill.model import CompactModel
from skdistill.quantization.linear_weights import linear_logits
from skdistill.students._student import StudentClassifierMixin, relative_importances
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.linear._base import BaseSoftLinear
from skdistill.students.linear.byte_budget import fit_within
from skdistill.students.linear.design import DesignMatrix, design_matrix, weight_importances
from skdistill.students.loss import soft_cross_entropy
from skdistill.students.training_data import ClassificationData
from skdistill.utils._sklearn_compat import Interval


class SoftLinearClassifier(StudentClassifierMixin, BaseSoftLinear):
    """Multinomial logistic regression on soft targets, with integer inputs and weights.

    Every column is read as an integer around its mean. The weights are learnt on these
    integers, standardized, and then rounded; the standardization is folded into them.

    Parameters
    ----------
    l2_regularization : float, default=1e-4
        Penalty ``l2_regularization / 2 * sum(W ** 2)`` on standardized columns, beside the mean
        loss.
    max_iter : int, default=1000
        Maximum number of steps of L-BFGS.
    tol : float, default=1e-7
        L-BFGS stops where no entry of the gradient is larger.
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
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" is
        ``n_samples / (n_classes * mass)``, where the mass of a class is the total weight of its
        rows. A row of probabilities without label weighs ``sum_k P_ik w_k``, and gives each
        class its share of the mass. None gives every class the weight 1.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    n_iter_ : int
        Steps that L-BFGS took, for all choices of columns that `max_bytes` asked for.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the summed absolute weights on standardized columns.

    See Also
    --------
    DistilledClassifier : Makes the soft targets and fits a student on them.
    SoftLinearRegressor : The same for regression.

    Notes
    -----
    A missing value (NaN) is read as the offset of its column, which is near the mean of the
    values that are there. A column without any value gets no weight. Sparse rows stay sparse,
    but for some columns at a time.

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
        **BaseSoftLinear._parameter_constraints,
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
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
        max_bytes: int | None = None,
        categorical_features: Any = "from_dtype",
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        super().__init__(
            l2_regularization,
            input_bits=input_bits,
            weight_bits=weight_bits,
            max_bytes=max_bytes,
            categorical_features=categorical_features,
        )
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight

    def _learn(self, data: ClassificationData) -> None:
        design = design_matrix(data.X, data.weight, self.input_bits)
        W, b = np.zeros((design.Z.shape[1], data.n_scores)), np.zeros(data.n_scores)
        self.n_iter_ = 0
        if len(data.classes) > 1:
            W, b = self._minimize(design.Z, data, W, b)
        problem = _ClassificationProblem(data, self._minimize)
        fitted = fit_within(problem, design, W, b, self.weight_bits, self.max_bytes)
        self.compact_ = fitted.compact
        total = weight_importances(fitted.W, fitted.design.scaling.features, data.n_features)
        self.feature_importances_ = relative_importances(total)

    def _minimize(
        self,
        Z: Any,
        data: ClassificationData,
        W: NDArray[np.float64],
        b: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and bias of the least penalised loss."""
        loss = soft_cross_entropy(data.targets, data.weight)
        shape = (Z.shape[1] + 1, len(b))  # the last row is the bias, which is not penalised

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            W, b = flat.reshape(shape)[:-1], flat.reshape(shape)[-1]
            value, gradient = loss(Z @ W + b)
            slope = np.vstack([Z.T @ gradient + self.l2_regularization * W, gradient.sum(axis=0)])
            return value + self.l2_regularization / 2 * float((W**2).sum()), slope.ravel()

        result = minimize(
            objective,
            np.vstack([W, b]).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "gtol": self.tol, "ftol": 64 * np.finfo(float).eps},
        )
        self.n_iter_ += int(result.nit)
        if result.nit >= self.max_iter:
            warnings.warn(
                f"L-BFGS stopped after max_iter={self.max_iter} steps with a gradient of "
                f"{np.abs(result.jac).max():.3g}: raise max_iter or l2_regularization",
                ConvergenceWarning,
                stacklevel=5,  # the caller of `fit`
            )
        solution = result.x.reshape(shape)
        return solution[:-1], solution[-1]


@dataclass(frozen=True)
class _ClassificationProblem:
    """Training data of a linear classifier, as a `LinearProblem`."""

    data: ClassificationData
    minimize: Callable[..., tuple[NDArray[np.float64], NDArray[np.float64]]]

    @property
    def categories(self) -> CategoryTable:
        """Columns of categories."""
        return self.data.categories

    def learn(
        self, design: DesignMatrix, W: NDArray[np.float64], b: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and bias of the least penalised loss."""
        return self.minimize(design.Z, self.data, W, b)

    def rounded(
        self,
        design: DesignMatrix,
        W: NDArray[np.float64],
        b: NDArray[np.float64],
        weight_bits: int | str,
    ) -> CompactModel:
        """The compact model of weights and bias."""
        return logits_model(self.data, design, W, b, weight_bits)

    def model(self, bias: Any, scale: Any, *tables: LinearTable) -> CompactModel:
        """The compact model of some tables."""
        return self.data.model(bias, scale, *tables)

    def loss(self, z: NDArray[np.float64]) -> float:
        """Soft cross-entropy of logits."""
        return float(soft_cross_entropy(self.data.targets, self.data.weight)(z)[0])

    def importances(self, W: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights themselves."""
        return W


def logits_model(
    data: ClassificationData,
    design: DesignMatrix,
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    weight_bits: int | str,
) -> CompactModel:
    """The compact model of a linear classifier, its weights rounded.

    Parameters
    ----------
    data : ClassificationData
        Training data.
    design : DesignMatrix
        Of its rows.
    W : float64 array of shape (n_used, n_scores)
        Weights on the design matrix.
    b : float64 array of shape (n_scores,)
        Bias.
    weight_bits : int in [2, 16] or "ternary"
        Bits of a weight.

    Returns
    -------
    model : CompactModel
    """
    scaling, Q = design.scaling, design.integers()
    W, b = design.on_integers(W, b)
    weights, bias, scale = linear_logits(Q, W, b, data.weight, weight_bits, scaling.q_max)
    tables = [scaling.table(weights, weight_bits)] if len(weights) else []
    return data.model(bias, scale, *tables)
