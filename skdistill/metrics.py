"""How well a student does what its teacher does, and what it costs.

The functions compare arrays. The scorers take ``(estimator, X, y)`` and go wherever
scikit-learn takes a scorer; they find teacher and student inside Pipelines and searches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length

from skdistill.targets import check_probabilities, soft_log_loss
from skdistill.teachers import probabilities

__all__ = [
    "bytes_scorer",
    "fidelity_score",
    "fidelity_scorer",
    "kl_divergence",
    "kl_scorer",
    "retention_score",
    "retention_scorer",
    "soft_log_loss",
    "soft_log_loss_scorer",
]


def fidelity_score(
    y_teacher: ArrayLike, y_student: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Share of rows on which student and teacher give the same label.

    Of regressors scikit-learn's ``r2_score(y_teacher, y_student)`` tells the like, as
    `fidelity_scorer` does.

    Parameters
    ----------
    y_teacher, y_student : array-like of shape (n,) or (n, K)
        Labels; or both probabilities, of which the argmax counts.
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    fidelity : float in [0, 1]

    Examples
    --------
    >>> from skdistill.metrics import fidelity_score
    >>> fidelity_score(["a", "b", "b", "b"], ["a", "b", "b", "a"])
    0.75
    """
    teacher, student = np.asarray(y_teacher), np.asarray(y_student)
    if teacher.ndim != student.ndim:
        raise ValueError(
            f"y_teacher has {teacher.ndim} dimensions and y_student {student.ndim}: "
            "compare like with like"
        )
    if teacher.ndim == 2:
        teacher, student = teacher.argmax(axis=1), student.argmax(axis=1)
    check_consistent_length(teacher, student)
    return float(np.average(teacher == student, weights=sample_weight))


def retention_score(
    y_true: ArrayLike,
    y_teacher: ArrayLike,
    y_student: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Accuracy of the student as a share of the teacher's.

    Parameters
    ----------
    y_true, y_teacher, y_student : array-like of shape (n,)
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    retention : float
        1 is all of it; above 1 the student is better than its teacher. NaN if the
        teacher is never right.

    Examples
    --------
    >>> from skdistill.metrics import retention_score
    >>> retention_score([0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 0])
    0.75
    """
    teacher = accuracy_score(y_true, y_teacher, sample_weight=sample_weight)
    student = accuracy_score(y_true, y_student, sample_weight=sample_weight)
    return float(student / teacher) if teacher > 0 else float("nan")


def kl_divergence(
    P_teacher: ArrayLike, P_student: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Mean Kullback-Leibler divergence KL(teacher ‖ student), in nats.

    Parameters
    ----------
    P_teacher, P_student : array-like of shape (n, K)
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    divergence : float
        `soft_log_loss` less the entropy of the teacher; 0 where both are equal.

    Examples
    --------
    >>> from skdistill.metrics import kl_divergence
    >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    """
    cross = soft_log_loss(P_teacher, P_student, sample_weight)
    P = check_probabilities(P_teacher, "P_teacher")
    return cross - float(np.average(-xlogy(P, P).sum(axis=1), weights=sample_weight))


def fidelity_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer: `fidelity_score` of a fitted distiller on rows that neither has seen.

    Of a regressor it is R², the teacher's predictions taken as truth.

    Parameters
    ----------
    estimator : fitted DistilledClassifier or DistilledRegressor, or Pipeline or search \
that ends in one
    X : array-like of shape (n, d)
    y : ignored

    Returns
    -------
    fidelity : float

    Raises
    ------
    ValueError
        If the distiller holds no teacher, as with ``alpha=0``.
    """
    distilled, X = _last_step(estimator, X)
    learnt = distilled.predict(X)
    if distilled.compact_.classes is None:
        return float(r2_score(_teacher(distilled).predict(X), learnt))
    return fidelity_score(_taught_labels(distilled, X), learnt)


def retention_scorer(estimator: Any, X: Any, y: Any) -> float:
    """Scorer: `retention_score` of a fitted distiller.

    Parameters
    ----------
    estimator : fitted DistilledClassifier, or Pipeline or search that ends in one
    X : array-like of shape (n, d)
    y : array-like of shape (n,)

    Returns
    -------
    retention : float
    """
    distilled, X = _last_step(estimator, X)
    return retention_score(y, _taught_labels(distilled, X), distilled.predict(X))


def soft_log_loss_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer: minus the `soft_log_loss` of the student against its teacher.

    Parameters
    ----------
    estimator : fitted DistilledClassifier, or Pipeline or search that ends in one
    X : array-like of shape (n, d)
    y : ignored

    Returns
    -------
    score : float
    """
    return -soft_log_loss(*_both_probabilities(estimator, X))


def kl_scorer(estimator: Any, X: Any, y: Any = None) -> float:
    """Scorer: minus the `kl_divergence` of the student from its teacher.

    Parameters
    ----------
    estimator : fitted DistilledClassifier, or Pipeline or search that ends in one
    X : array-like of shape (n, d)
    y : ignored

    Returns
    -------
    score : float
    """
    return -kl_divergence(*_both_probabilities(estimator, X))


def bytes_scorer(estimator: Any, X: Any = None, y: Any = None) -> float:
    """Scorer: minus the bytes of the compact model.

    Parameters
    ----------
    estimator : fitted student or distiller, or Pipeline or search that ends in one
    X, y : ignored

    Returns
    -------
    score : float
    """
    last, _ = _last_step(estimator, None)
    return -float(last.compact_.nbytes)


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


def _teacher(distilled: Any) -> Any:
    if not hasattr(distilled, "teacher_"):
        raise ValueError(
            f"{type(distilled).__name__} holds no teacher to compare with (alpha=0, "
            "teacher_proba, or a bare student): score it by accuracy or log loss"
        )
    return distilled.teacher_


def _taught_labels(distilled: Any, X: Any) -> NDArray[Any]:
    return np.ravel(_teacher(distilled).predict(X))  # CatBoost's are a column


def _both_probabilities(estimator: Any, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    distilled, X = _last_step(estimator, X)
    P = probabilities(_teacher(distilled), X, distilled.classes_)
    return P, distilled.predict_proba(X)
