"""Scorers of students, for `scoring` in searches and cross-validation.

They behave as those of scikit-learn's `make_scorer`: ``scorer(estimator, X, y,
sample_weight=None)``, greater is better, and ``set_score_request`` under metadata routing. They
find the distiller inside Pipelines, searches and `FrozenEstimator`, and transform the rows
as the steps before it do.

Examples
--------
>>> from sklearn.datasets import load_iris
>>> from sklearn.model_selection import cross_val_score
>>> from sklearn.naive_bayes import GaussianNB
>>> from skdistill import DistilledClassifier, SoftTreeClassifier
>>> from skdistill.metrics import fidelity_scorer
>>> X, y = load_iris(return_X_y=True)
>>> distiller = DistilledClassifier(GaussianNB(), SoftTreeClassifier(), random_state=0)
>>> bool((cross_val_score(distiller, X, y, scoring=fidelity_scorer) > 0.8).all())
True
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.pipeline import Pipeline

from skdistill.metrics.scores import fidelity_score, kl_divergence, retention_score
from skdistill.targets import soft_log_loss
from skdistill.teachers import probabilities
from skdistill.utils._sklearn_compat import _BaseScorer


class StudentScorer(_BaseScorer):
    """A scorer that is called with the student or distiller inside an estimator.

    Parameters
    ----------
    score_func : callable
        Called as ``score_func(student, X, y, sample_weight=None)`` with the rows that reach the
        student; returns a float.
    sign : {1, -1}, default=1
        -1 for losses, so that greater scores are better.
    **settings : dict
        Further arguments of `score_func`.
    """

    def __init__(self, score_func: Callable[..., float], sign: int = 1, **settings: Any) -> None:
        super().__init__(score_func, sign, settings)
        self.__doc__ = score_func.__doc__  # what `help` of one scorer shows

    def __call__(
        self,
        estimator: Any,
        X: Any = None,
        y_true: Any = None,
        *,
        sample_weight: ArrayLike | None = None,
        **kwargs: Any,
    ) -> float:
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
            Student or distiller, or a Pipeline, search or `FrozenEstimator` around one.
        X : array-like of shape (n_samples, n_features), default=None
            Rows that neither teacher nor student was fitted on; ignored by
            `model_size_scorer`.
        y_true : array-like of shape (n_samples,), default=None
            Labels, which only `retention_scorer` reads.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        **kwargs : dict
            No other metadata is accepted.

        Returns
        -------
        score : float
            Greater is better.

        Raises
        ------
        ValueError
            If the estimator holds no compact model.
        """
        score: float = super().__call__(estimator, X, y_true, sample_weight=sample_weight, **kwargs)
        return score

    def set_score_request(self, **kwargs: Any) -> StudentScorer:
        """Request metadata, as ``sample_weight=True``; only with metadata routing enabled.

        Parameters
        ----------
        **kwargs : dict
            Names of metadata, with True, False, None or an alias.

        Returns
        -------
        scorer : StudentScorer
            A copy: the scorers of this module are shared.
        """
        copy = deepcopy(self)
        super(StudentScorer, copy).set_score_request(**kwargs)
        return copy

    def _score(
        self, method_caller: Any, estimator: Any, X: Any, y_true: Any = None, **kwargs: Any
    ) -> float:
        student, X = _last_step(estimator, X)
        return float(self._sign * self._score_func(student, X, y_true, **self._kwargs, **kwargs))

    def __repr__(self) -> str:
        loss = ", greater_is_better=False" if self._sign < 0 else ""
        settings = "".join(f", {name}={value!r}" for name, value in self._kwargs.items())
        return f"{type(self).__name__}({self._score_func.__name__.strip('_')}{loss}{settings})"


class TeacherScorer(StudentScorer):
    """A scorer that compares a student with its teacher; NaN, with a warning, without one."""

    def _score(
        self, method_caller: Any, estimator: Any, X: Any, y_true: Any = None, **kwargs: Any
    ) -> float:
        student, _ = _last_step(estimator, None)
        if not hasattr(student, "teacher_"):
            warnings.warn(
                f"{self!r} is NaN: {type(student).__name__} holds no teacher to compare with, as "
                "with alpha=0, with teacher_proba and transfer_set=None, or a student that was "
                "fitted alone; score it by accuracy or log loss",
                UndefinedMetricWarning,
                stacklevel=4,
            )
            return float("nan")
        return super()._score(method_caller, estimator, X, y_true, **kwargs)


def _fidelity(distilled: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
    """Scorer of `fidelity_score` between a distiller and its teacher, from 0 to 1.

    For regressors it is R² with the teacher's predictions as truth. NaN, with a warning, if the
    distiller holds no teacher.
    """
    y_student = distilled.predict(X)
    if distilled.compact_.classes is None:
        y_teacher = distilled.teacher_.predict(X)
        return float(r2_score(y_teacher, y_student, sample_weight=sample_weight))
    return fidelity_score(_teacher_labels(distilled, X), y_student, sample_weight)


def _retention(distilled: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
    """Scorer of `retention_score`, the accuracy of a student divided by its teacher's.

    For regressors it is the R² of the student divided by that of its teacher; NaN, with a warning,
    where the teacher's is not positive. NaN, with a warning, if the distiller holds no teacher.
    """
    if distilled.compact_.classes is None:
        teacher = r2_score(y, distilled.teacher_.predict(X), sample_weight=sample_weight)
        student = r2_score(y, distilled.predict(X), sample_weight=sample_weight)
        if teacher > 0:
            return float(student / teacher)
        warnings.warn(
            f"TeacherScorer(retention) is NaN: R² of the teacher is {teacher:.3g}, of which there "
            "is nothing to retain; score the student by R²",
            UndefinedMetricWarning,
            stacklevel=6,
        )
        return float("nan")
    return retention_score(y, _teacher_labels(distilled, X), distilled.predict(X), sample_weight)


def _soft_log_loss(distilled: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
    """Scorer of minus the `soft_log_loss` of a distilled classifier against its teacher.

    At most 0. NaN, with a warning, if the distiller holds no teacher. Regressors are refused.
    """
    P_teacher = _teacher_probabilities(distilled, X)
    return soft_log_loss(P_teacher, distilled.predict_proba(X), sample_weight)


def _kl_divergence(distilled: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
    """Scorer of minus the `kl_divergence` of a distilled classifier from its teacher.

    At most 0, where both are equal. NaN, with a warning, if the distiller holds no teacher.
    Regressors are refused.
    """
    P_teacher = _teacher_probabilities(distilled, X)
    return kl_divergence(P_teacher, distilled.predict_proba(X), sample_weight)


def _model_size(student: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
    """Scorer of minus the bytes of the compact model of a student or distiller."""
    return float(student.compact_.nbytes)


fidelity_scorer = TeacherScorer(_fidelity)
retention_scorer = TeacherScorer(_retention)
soft_log_loss_scorer = TeacherScorer(_soft_log_loss, sign=-1)
kl_divergence_scorer = TeacherScorer(_kl_divergence, sign=-1)
model_size_scorer = StudentScorer(_model_size, sign=-1)


def _last_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """The student or distiller inside, and the rows as they arrive there."""
    if hasattr(estimator, "best_estimator_"):
        return _last_step(estimator.best_estimator_, X)
    if isinstance(estimator, FrozenEstimator):
        return _last_step(estimator.estimator, X)
    if isinstance(estimator, Pipeline):
        before = estimator[:-1]
        return _last_step(
            estimator[-1], before.transform(X) if X is not None and len(before) else X
        )
    if not hasattr(estimator, "compact_"):
        raise ValueError(
            f"{type(estimator).__name__} holds no compact model: fit a student or a distiller"
        )
    return estimator, X


def _teacher_labels(distilled: Any, X: Any) -> NDArray[Any]:
    return np.ravel(distilled._labelled_teacher.predict(X))  # CatBoost's are a column


def _teacher_probabilities(distilled: Any, X: Any) -> NDArray[np.float64]:
    """The teacher's probabilities, by the response method of the distiller.

    Under "predict" they are still its probabilities, if it has any.
    """
    if distilled.compact_.classes is None:
        raise ValueError(
            f"probabilities of student and teacher are compared, and {type(distilled).__name__} "
            "predicts none: use fidelity_scorer, which is R² there, or retention_scorer"
        )
    method = getattr(distilled, "response_method", "auto")
    method = "any" if method == "predict" else method
    return probabilities(distilled._labelled_teacher, X, distilled.classes_, method)
