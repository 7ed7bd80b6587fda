"""Classifiers that learn the labels 0, 1, … only, as XGBoost's do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers._fit import fit_copy
from skdistill.utils._sklearn_compat import BaseSearchCV


class LabelEncodedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier that is told the numbers of the classes in place of their labels.

    Distillers put it around XGBoost's classifiers, alone or at the end of a Pipeline: they
    refuse labels such as "a" and "b", and folds in which a class is missing.

    Parameters
    ----------
    estimator : classifier

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : array of shape (K,)

    Examples
    --------
    >>> from xgboost import XGBClassifier
    >>> from skdistill.teachers import LabelEncodedClassifier
    >>> model = LabelEncodedClassifier(XGBClassifier(n_estimators=3, n_jobs=1))
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]).classes_.tolist()
    ['no', 'yes']
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> LabelEncodedClassifier:
        """Fit a copy of the estimator on class numbers.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : array-like of shape (n,)
        sample_weight : array-like of shape (n,), default=None
            Handed on if the estimator takes it.

        Returns
        -------
        self : LabelEncodedClassifier
        """
        self.classes_, numbers = np.unique(np.asarray(y), return_inverse=True)
        self.estimator_ = fit_copy(self.estimator, X, numbers, sample_weight)
        return self

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        P : array of shape (n, K)
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict_proba(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        y : array of shape (n,)
        """
        check_is_fitted(self, "estimator_")
        return self.classes_[self.estimator_.predict(X)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def learns_numbers_only(estimator: Any) -> bool:
    """Whether it is a classifier of XGBoost, perhaps at the end of Pipelines and searches."""
    last = estimator
    while isinstance(last, Pipeline | BaseSearchCV):
        last = last.steps[-1][1] if isinstance(last, Pipeline) else last.estimator
    from_xgboost = any(kind.__module__.split(".")[0] == "xgboost" for kind in type(last).__mro__)
    return from_xgboost and is_classifier(last)
