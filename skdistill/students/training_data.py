"""The training data of a student: validated rows of positive weight, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skdistill.compact import NO_CATEGORIES, CategoryTable, Table
from skdistill.model import CompactModel
from skdistill.quantization.resolution import rounding_error, warn_of_lost_resolution
from skdistill.students._validation import check_rows, check_targets, check_values, check_weights
from skdistill.students.category_order import fit_categories
from skdistill.students.class_weight import class_weights, row_weights, weigh_rows
from skdistill.targets import SoftTargets


@dataclass(frozen=True)
class TrainingData:
    """Rows of positive weight, in the type in which they are compared.

    Parameters
    ----------
    X : float32 or int32 array, or float32 CSR, of shape (n_samples, n_features)
        Columns of categories hold ranks.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, > 0.
    feature_names : array of shape (n_features,) or None
        Column names.
    categories : CategoryTable
        Labels and ranks of the columns of categories, if there are any.
    """

    X: Any
    weight: NDArray[np.float64]
    feature_names: NDArray[Any] | None
    categories: CategoryTable

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    def _model(
        self, bias: Any, scale: Any, link: str, classes: NDArray[Any] | None, *tables: Table
    ) -> CompactModel:
        names: Any = self.feature_names
        return CompactModel(
            self.n_features,
            bias,
            scale,
            link,
            classes,
            tables,
            feature_names=names,
            categories=self.categories,
        )


@dataclass(frozen=True)
class ClassificationData(TrainingData):
    """Training data of a classifier.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    classes : array of shape (n_classes,)
        Labels in the order of the targets' columns.
    """

    targets: SoftTargets
    classes: NDArray[Any]

    @property
    def n_scores(self) -> int:
        """Score columns: one for two classes, else one a class."""
        return len(self.classes) if len(self.classes) > 2 else 1

    def model(
        self, bias: Any, scale: float, *tables: Table, link: str | None = None
    ) -> CompactModel:
        """The compact model of some tables.

        Parameters
        ----------
        bias : int array of shape (n_scores,)
            Scores before all tables.
        scale : float
            Value of a score before the link.
        *tables : Table
            What adds up to the scores.
        link : str, default=None
            None is the link of logits: "sigmoid" for two classes, "softmax" for more.

        Returns
        -------
        model : CompactModel
        """
        if link is None:
            link = "sigmoid" if self.n_scores == 1 else "softmax"
        return self._model(bias, scale, link, self.classes, *tables)

    def single_class_model(self) -> CompactModel:
        """The model that predicts the only class there is."""
        return self.model(np.zeros(1, np.int32), 1.0)


@dataclass(frozen=True)
class RegressionData(TrainingData):
    """Training data of a regressor.

    Parameters
    ----------
    y : float64 array of shape (n_samples, n_outputs)
        Targets of the rows.
    """

    y: NDArray[np.float64]

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Weighted standard deviation of each target, float64 array of shape (n_outputs,).

        It is 1 where a target is constant, and has eleven binary digits, which the order of the
        rows does not change.
        """
        span = self.y.max(axis=0) - self.y.min(axis=0)  # first, for targets of any size
        span = np.where(span > 0, span, 1.0)
        y = self.y / span
        weight = self.weight / self.weight.sum()
        variance = weight @ (y - weight @ y) ** 2
        mantissa, exponent = np.frexp(span * np.where(variance > 0, np.sqrt(variance), 1.0))
        rounded: NDArray[np.float64] = np.ldexp(np.rint(np.ldexp(mantissa, 11)), exponent - 11)
        return rounded

    def warn_of_lost_resolution(self, bias: Any, scale: Any, tables: Iterable[Table]) -> None:
        """Warn where a target lies so far from 0 that int32 scores do not resolve it.

        Parameters
        ----------
        bias, scale, tables
            As in `model`; a linear table with the weights that rounding made 0.

        Warns
        -----
        UserWarning
            That names the target and what it loses.
        """
        center = self.weight / self.weight.sum() @ self.y
        deviation = np.where(np.ptp(self.y, axis=0) > 0, self.deviation, 0)
        error = rounding_error(bias, scale, tables, self.X)
        warn_of_lost_resolution(error, deviation, center, stacklevel=5)  # the caller of `fit`

    def model(self, bias: Any, scale: Any, *tables: Table) -> CompactModel:
        """The compact model of some tables.

        Parameters
        ----------
        bias : int array of shape (n_outputs,)
            Scores before all tables.
        scale : float, or float64 array of shape (n_outputs,)
            Value of a score in units of the target.
        *tables : Table
            What adds up to the scores.

        Returns
        -------
        model : CompactModel
        """
        return self._model(bias, scale, "identity", None, *tables)


def classification_data(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
    *,
    accepts_hints: bool,
) -> ClassificationData:
    """Validate what a classifier's `fit` was called with.

    Parameters
    ----------
    estimator : estimator instance
        Its tags say whether `X` may be sparse or have NaN; its parameters
        `categorical_features` and `class_weight` are read, where it has them.
    X, y, sample_weight, classes
        As they were passed to `fit`.
    accepts_hints : bool
        Whether the estimator can use the hints of `SoftTargets`.

    Returns
    -------
    data : ClassificationData

    Raises
    ------
    ValueError
        For what `check_rows`, `check_targets`, `check_weights` and `class_weights` refuse, and
        for hints that the estimator cannot use.
    """
    rows, labels = _check_rows(estimator, X)
    targets, classes = check_targets(y, classes, rows.shape[0])
    if targets.hints is not None and not accepts_hints:
        raise ValueError(
            f"{type(estimator).__name__} cannot use hints: give them to a SoftTreeClassifier, a "
            "SoftBoostingClassifier or a SoftNetClassifier"
        )
    weight = check_weights(sample_weight, rows)
    class_weight = getattr(estimator, "class_weight", None)
    if class_weight is not None:
        w = class_weights(class_weight, classes, targets, weight)
        weight = weigh_rows(class_weight, weight, row_weights(targets, w))
    used = weight > 0
    if not used.all():
        rows, targets, weight = rows[used], targets.take(used), weight[used]
    names = getattr(estimator, "feature_names_in_", None)
    rows, categories = _rank_categories(rows, labels, targets.mixture, weight)
    return ClassificationData(rows, weight, names, categories, targets, classes)


def regression_data(
    estimator: BaseEstimator, X: Any, y: Any, sample_weight: ArrayLike | None
) -> RegressionData:
    """Validate what a regressor's `fit` was called with.

    Parameters
    ----------
    estimator : estimator instance
        As for `classification_data`.
    X, y, sample_weight
        As they were passed to `fit`.

    Returns
    -------
    data : RegressionData

    Raises
    ------
    ValueError
        For what `check_rows`, `check_values` and `check_weights` refuse.
    """
    rows, labels = _check_rows(estimator, X)
    y = check_values(y, rows.shape[0])
    weight = check_weights(sample_weight, rows)
    used = weight > 0
    if not used.all():
        rows, y, weight = rows[used], y[used], weight[used]
    names = getattr(estimator, "feature_names_in_", None)
    data = RegressionData(rows, weight, names, NO_CATEGORIES, y)
    rows, categories = _rank_categories(rows, labels, lambda: y / data.deviation, weight)
    return replace(data, X=rows, categories=categories)


def _check_rows(estimator: BaseEstimator, X: Any) -> tuple[Any, tuple[NDArray[Any] | None, ...]]:
    tags = get_tags(estimator).input_tags
    return check_rows(
        estimator,
        X,
        allow_nan=tags.allow_nan,
        categorical_features=getattr(estimator, "categorical_features", None),
        sparse=tags.sparse,
    )


def _rank_categories(
    X: Any,
    labels: tuple[NDArray[Any] | None, ...],
    responses: Callable[[], NDArray[np.float64]],
    weight: NDArray[np.float64],
) -> tuple[Any, CategoryTable]:
    """Ranks in place of the indexes of categories, and the table of both."""
    if all(each is None for each in labels):
        return X, NO_CATEGORIES  # without asking for responses
    categories = fit_categories(X, labels, responses(), weight)
    return categories.rank(X), categories
