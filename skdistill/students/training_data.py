"""Validated training rows of students, on one footing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from skdistill.compact import NO_CATEGORIES, CategoryTable, Table
from skdistill.model import CompactModel
from skdistill.students._validation import check_rows, check_targets, check_values, check_weights
from skdistill.students.category_order import fit_categories
from skdistill.students.class_weight import class_weights, row_weights, weigh_rows
from skdistill.students.loss import Loss, Newton, newton_terms, soft_cross_entropy
from skdistill.targets import SoftTargets


class TrainingSet(NamedTuple):
    """What a student learns from; rows without weight are left out.

    Attributes
    ----------
    X : float32 or int32 array of shape (n, d)
        Ranks in columns of categories.
    targets : SoftTargets
    weight : float64 array of shape (n,), > 0
    classes : array of shape (K,), sorted
    names : array of shape (d,) or None
        Column names.
    categories : CategoryTable
    """

    X: NDArray[Any]
    targets: SoftTargets
    weight: NDArray[np.float64]
    classes: NDArray[Any]
    names: NDArray[Any] | None
    categories: CategoryTable = NO_CATEGORIES

    @property
    def n_scores(self) -> int:
        """Score columns of a classifier: one for two classes, else one a class."""
        return len(self.classes) if len(self.classes) > 2 else 1

    def model(
        self, bias: Any, scale: float, *tables: Table, link: str | None = None
    ) -> CompactModel:
        """The compact model of some tables; the link is that of logits unless named."""
        if link is None:
            link = "sigmoid" if self.n_scores == 1 else "softmax"
        about = {"feature_names": self.names, "categories": self.categories}
        return CompactModel(self.X.shape[1], bias, scale, link, self.classes, tables, **about)

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        """The loss as a function of the logits."""
        return soft_cross_entropy(self.targets, self.weight if weight is None else weight)

    def newton_terms(self) -> Newton:
        """What a boosting round reads."""
        return newton_terms(self.targets, self.weight)

    @property
    def hints(self) -> tuple[NDArray[np.float64], float] | None:
        """Further targets for growth around their means, and their weight."""
        if self.targets.hints is None:
            return None
        given = self.targets.hints
        return given - np.average(given, axis=0, weights=self.weight), self.targets.hint_weight

    @property
    def hessian_factor(self) -> int:
        """By how much the diagonal of the Hessian may fall short of it: with several logits."""
        return 1 if self.n_scores == 1 else 2

    @property
    def intercept(self) -> bool:
        """Whether a model without linear part has a bias of its own."""
        return True

    @property
    def least_scale(self) -> float:
        """Least worth of a score; none is asked for."""
        return 0.0

    def single_class_model(self) -> CompactModel:
        """The model that knows no other class."""
        return self.model(np.zeros(1, np.int32), 1.0)


class RegressionSet(NamedTuple):
    """What a regressor learns from; rows without weight are left out.

    Attributes
    ----------
    X : float32 or int32 array of shape (n, d)
        Ranks in columns of categories.
    y : float64 array of shape (n, S)
    weight : float64 array of shape (n,), > 0
    names : array of shape (d,) or None
        Column names.
    categories : CategoryTable
    """

    X: NDArray[Any]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    names: NDArray[Any] | None
    categories: CategoryTable = NO_CATEGORIES

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Weighted standard deviation of each target, 1 where it is constant, shape (S,).

        To eleven binary digits, which the order of the rows does not change.
        """
        reach = self.y.max(axis=0) - self.y.min(axis=0)  # first, for targets of any size
        reach = np.where(reach > 0, reach, 1.0)
        y = self.y / reach
        share = self.weight / self.weight.sum()
        variance = share @ (y - share @ y) ** 2
        mantissa, exponent = np.frexp(reach * np.where(variance > 0, np.sqrt(variance), 1.0))
        return np.ldexp(np.rint(np.ldexp(mantissa, 11)), exponent - 11)

    def model(self, bias: Any, scale: Any, *tables: Table) -> CompactModel:
        """The compact model of some tables."""
        about = {"feature_names": self.names, "categories": self.categories}
        return CompactModel(self.X.shape[1], bias, scale, "identity", None, tables, **about)


def training_set(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
    *,
    allow_nan: bool,
    hints: bool = False,
    class_weight: Any = None,
    sparse: bool = False,
) -> TrainingSet:
    """Validate what `fit` was given; `hints` says whether the estimator can use them."""
    wanted = getattr(estimator, "categorical_features", None)
    X, labels = check_rows(
        estimator, X, allow_nan=allow_nan, categorical_features=wanted, sparse=sparse
    )
    targets, classes = check_targets(y, classes, X.shape[0])
    if targets.hints is not None and not hints:
        raise ValueError(
            f"{type(estimator).__name__} cannot use hints: give them to a SoftTreeClassifier or "
            "a SoftBoostingClassifier"
        )
    weight = check_weights(sample_weight, X)
    if class_weight is not None:
        w = class_weights(class_weight, classes, targets, weight)
        weight = weigh_rows(class_weight, weight, row_weights(targets, w))
    seen = weight > 0
    if not seen.all():
        X, targets, weight = X[seen], targets.take(seen), weight[seen]
    X, categories = _ranked(X, labels, targets.mixture, weight)
    names = getattr(estimator, "feature_names_in_", None)
    return TrainingSet(X, targets, weight, classes, names, categories)


def regression_set(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    *,
    allow_nan: bool,
    sparse: bool = False,
) -> RegressionSet:
    """Validate what a regressor's `fit` was given."""
    wanted = getattr(estimator, "categorical_features", None)
    X, labels = check_rows(
        estimator, X, allow_nan=allow_nan, categorical_features=wanted, sparse=sparse
    )
    y = check_values(y, X.shape[0])
    weight = check_weights(sample_weight, X)
    seen = weight > 0
    if not seen.all():
        X, y, weight = X[seen], y[seen], weight[seen]
    plain = RegressionSet(X, y, weight, getattr(estimator, "feature_names_in_", None))
    X, categories = _ranked(X, labels, lambda: y / plain.deviation, weight)
    return plain._replace(X=X, categories=categories)


def _ranked(
    X: NDArray[Any],
    labels: tuple[NDArray[Any] | None, ...],
    responses: Callable[[], NDArray[np.float64]],
    weight: NDArray[np.float64],
) -> tuple[NDArray[Any], CategoryTable]:
    """Ranks in place of indexes, and the table that says so."""
    if all(each is None for each in labels):
        return X, NO_CATEGORIES
    categories = fit_categories(X, labels, responses(), weight)
    return categories.rank(X), categories
