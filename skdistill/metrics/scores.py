"""How well a student does what its teacher does, and what it costs.

The functions compare arrays. The scorers take ``(estimator, X, y)`` and go wherever
scikit-learn takes a scorer; they find teacher and student inside Pipelines and searches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length

from skdistill.targets import check_probabilities, soft_log_loss

__all__ = ["fidelity_score", "kl_divergence", "retention_score"]


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
