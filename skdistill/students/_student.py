"""What students have in common: `fit` validates the rows, learns, and keeps a compact model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags

from skdistill.chunks import as_chunks, refuse_beside_chunks
from skdistill.students._base import CompactClassifierMixin, CompactMixin, CompactRegressorMixin
from skdistill.students.chunk_fit import fit_classifier, fit_regressor
from skdistill.students.training_data import (
    ClassificationData,
    RegressionData,
    classification_data,
    regression_data,
)
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import _fit_context


class _StudentMixin(CompactMixin):
    """Students read missing values, unless they say otherwise."""

    feature_importances_: NDArray[np.float64]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class StudentClassifierMixin(_StudentMixin, CompactClassifierMixin, ABC):
    """A classifier that learns from labels or probabilities.

    A student implements `_learn`, which sets ``compact_`` and ``feature_importances_``.
    """

    _accepts_hints: ClassVar[bool] = False

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | SoftTargets | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Fit the student on labels or probabilities.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features), or Chunks
            Training rows. Infinities are refused. NaN is a missing value where the tag
            ``input_tags.allow_nan`` of the estimator is true, and a sparse matrix is allowed
            where ``input_tags.sparse`` is. A table in chunks, a `Chunks` or a list of tuples
            ``(X, y)``, is never held in memory.
        y : array-like of shape (n_samples,) or (n_samples, n_classes), or SoftTargets, \
default=None
            Labels, or probabilities whose rows sum to 1. None only with chunks, which hold them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. None gives every row the weight 1; rows of weight 0 are left
            out.
        classes : array-like of shape (n_classes,), default=None
            Names of the columns of a 2-D `y`, or all classes that a 1-D `y` may have. None are
            the column names of a data frame `y`, 0 … n_classes − 1 for another 2-D `y`, and the
            labels that occur for a 1-D `y`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows, targets and weights that do not fit together or cannot be learnt from; the
            message names what is wrong.
        """
        classes = self._check_before_fit(y, classes)
        chunks = as_chunks(X)
        if chunks is not None:
            refuse_beside_chunks(y=y, sample_weight=sample_weight)
            all_classes = fit_classifier(self, chunks, classes)
            if all_classes is not None:
                self.classes_ = all_classes
            return self
        data = classification_data(
            self, X, y, sample_weight, classes, accepts_hints=self._accepts_hints
        )
        self._learn(data)
        self.classes_ = data.classes
        return self

    def _check_before_fit(self, y: Any, classes: ArrayLike | None) -> ArrayLike | None:
        """Refuse parameters that no data can be fitted with; returns the `classes` to use."""
        return classes

    @abstractmethod
    def _learn(self, data: ClassificationData) -> None:
        """Learn, and set ``compact_`` and ``feature_importances_``."""


class StudentRegressorMixin(_StudentMixin, CompactRegressorMixin, ABC):
    """A regressor of one or several targets.

    A student implements `_learn`, which sets ``compact_`` and ``feature_importances_``.
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Fit the student on values.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features), or Chunks
            Training rows. Infinities are refused, NaN is a missing value. A sparse matrix is
            allowed where the tag ``input_tags.sparse`` of the estimator is true. A table in
            chunks, a `Chunks` or a list of tuples ``(X, y)``, is never held in memory.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets: finite, and within float32. None only with chunks, which hold them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. None gives every row the weight 1; rows of weight 0 are left
            out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            For rows, targets and weights that do not fit together or cannot be learnt from; the
            message names what is wrong.

        Warns
        -----
        UserWarning
            If a target lies so far from 0 that int32 scores lose more than a hundredth of its
            standard deviation: about from a mean of 1e7 standard deviations on. Subtract the
            mean then.
        """
        chunks = as_chunks(X)
        if chunks is not None:
            refuse_beside_chunks(y=y, sample_weight=sample_weight)
            fit_regressor(self, chunks)
            return self
        self._learn(regression_data(self, X, y, sample_weight))
        return self

    @abstractmethod
    def _learn(self, data: RegressionData) -> None:
        """Learn, and set ``compact_`` and ``feature_importances_``."""


def relative_importances(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Importances of the columns that sum to 1.

    Parameters
    ----------
    total : float64 array of shape (n_features,)
        What each column contributes, >= 0.

    Returns
    -------
    importances : float64 array of shape (n_features,)
        All 0 where no column contributes.
    """
    return total / total.sum() if total.sum() > 0 else total
