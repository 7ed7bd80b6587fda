"""Classifiers without probabilities: the softmax of their margins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers._fit import fit_copy
from skdistill.teachers.response import as_probabilities


class MarginTeacher(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier that has a `decision_function` as a teacher.

    Its probabilities are the softmax of the margins, of one margin the sigmoid. For
    boosters and linear models with a logistic loss that is `predict_proba`; margins of
    other losses, as those of `LinearSVC`, have a unit of their own, which
    ``temperature="auto"`` of the distiller calibrates on out-of-fold labels.

    Parameters
    ----------
    estimator : classifier
        Cloned and fitted, unless it is a `FrozenEstimator`.

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : array of shape (K,)

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import LinearSVC
    >>> from skdistill import DistilledClassifier, MarginTeacher
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = MarginTeacher(LinearSVC())
    >>> distilled = DistilledClassifier(teacher, temperature="auto", random_state=0).fit(X, y)
    >>> distilled.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MarginTeacher:
        """Fit a copy of the estimator.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,), default=None
            Handed on if the estimator takes it.

        Returns
        -------
        self : MarginTeacher
        """
        name = type(self.estimator).__name__
        if not hasattr(self.estimator, "decision_function"):
            raise TypeError(f"estimator={name} of MarginTeacher has no decision_function")
        self.estimator_ = fit_copy(self.estimator, X, y, sample_weight)
        self.classes_ = self.estimator_.classes_
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Margins of the estimator.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        z : array of shape (n,) for two classes, else (n, K)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.decision_function(X)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Softmax of the margins.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        P : float64 array of shape (n, K)
        """
        name = f"decision_function of {type(self.estimator).__name__}"
        return as_probabilities(self.decision_function(X), "decision_function", name)

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels of the estimator.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        y : array of shape (n,)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict(X)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
