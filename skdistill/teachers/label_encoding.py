"""Classifiers that accept the labels 0, 1, … only, as XGBoost's do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, is_classifier
from sklearn.utils import Tags, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers._fit import fit_copy, route_fit_params
from skdistill.teachers.steps import last_step
from skdistill.utils._sklearn_compat import _raise_for_params


class LabelEncodedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier that is fitted on class numbers in place of labels.

    Distillers put it around XGBoost's classifiers, also at the end of Pipelines and searches:
    these refuse labels such as "a" and "b", and folds in which a class is missing.

    Parameters
    ----------
    estimator : classifier
        Cloned and fitted.

    Attributes
    ----------
    estimator_ : fitted classifier
        Its labels are 0, 1, …
    classes_ : array of shape (n_classes,)
        Sorted labels.

    Examples
    --------
    >>> from xgboost import XGBClassifier
    >>> from skdistill.teachers import LabelEncodedClassifier
    >>> model = LabelEncodedClassifier(XGBClassifier(n_estimators=3, n_jobs=1))
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"]).classes_.tolist()
    ['no', 'yes']
    """

    _passes_weights_on = True

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    @property
    def _encoded_for(self) -> Any:
        """What messages name."""
        return self.estimator

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, **fit_params: Any
    ) -> LabelEncodedClassifier:
        """Fit a clone of the estimator on class numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Passed on if the estimator takes it; with metadata routing enabled, if it
            requested it.
        **fit_params : dict
            Metadata that the estimator requested; only with metadata routing enabled.

        Returns
        -------
        self : LabelEncodedClassifier
            The fitted classifier.
        """
        _raise_for_params(fit_params, self, "fit")
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if sample_weight is not None:
            fit_params["sample_weight"] = sample_weight
        routed = route_fit_params(self, ["estimator"], fit_params)
        self.estimator_ = fit_copy(self.estimator, X, codes, **routed["estimator"])
        return self

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        P : array of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        P: NDArray[Any] = self.estimator_.predict_proba(X)
        return P

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : array of shape (n_samples,)
            Labels as they were in `fit`.
        """
        check_is_fitted(self, "estimator_")
        y: NDArray[Any] = self.classes_[self.estimator_.predict(X)]
        return y

    def get_metadata_routing(self) -> MetadataRouter:
        """What the estimator requests of `fit`.

        Returns
        -------
        routing : MetadataRouter
            With the one child `estimator`.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def needs_encoded_labels(estimator: Any) -> bool:
    """Whether an estimator is a classifier of XGBoost, also at the end of Pipelines and searches.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    needs : bool
        True if it accepts the labels 0, 1, … only.
    """
    last, _, _ = last_step(estimator)
    from_xgboost = any(kind.__module__.split(".")[0] == "xgboost" for kind in type(last).__mro__)
    return from_xgboost and is_classifier(last)


def without_encoding(teacher: Any) -> Any:
    """What a user passed as teacher, without the `LabelEncodedClassifier` around it.

    Parameters
    ----------
    teacher : estimator
        Fitted or not.

    Returns
    -------
    teacher : estimator
        The fitted estimator inside where there is one, else its parameter; anything else as
        it is.
    """
    if not isinstance(teacher, LabelEncodedClassifier):
        return teacher
    return getattr(teacher, "estimator_", teacher.estimator)
