"""How closely a student follows its teacher: functions of labels and probabilities."""

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
    """Fraction of rows for which student and teacher predict the same label.

    For regressors use scikit-learn's ``r2_score(y_teacher, y_student)``, as `fidelity_scorer`
    does.

    Parameters
    ----------
    y_teacher : array-like of shape (n_samples,) or (n_samples, n_classes)
        Labels; or probabilities, whose argmax counts.
    y_student : array-like of shape (n_samples,) or (n_samples, n_classes)
        The same of the student.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs them equally.

    Returns
    -------
    fidelity : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If one holds labels and the other probabilities, or the numbers of rows differ.

    Notes
    -----
    Craven & Shavlik 1996, "Extracting tree-structured representations of trained networks",
    defines it in its empirical evaluation.

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
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    return float(np.average(teacher == student, weights=weights))


def retention_score(
    y_true: ArrayLike,
    y_teacher: ArrayLike,
    y_student: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Accuracy of the student divided by that of the teacher.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels.
    y_teacher : array-like of shape (n_samples,)
        Labels that the teacher predicts.
    y_student : array-like of shape (n_samples,)
        Labels that the student predicts.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs them equally.

    Returns
    -------
    retention : float
        Above 1 the student is better than its teacher. NaN if the teacher is never right.

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
    P_teacher : array-like of shape (n_samples, n_classes)
        Probabilities of the teacher.
    P_student : array-like of shape (n_samples, n_classes)
        Probabilities of the student.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs them equally.

    Returns
    -------
    divergence : float
        `soft_log_loss` minus the entropy of the teacher; 0 where both are equal.

    Raises
    ------
    ValueError
        If either is no table of probabilities or the shapes differ.

    Examples
    --------
    >>> from skdistill.metrics import kl_divergence
    >>> kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    """
    cross = soft_log_loss(P_teacher, P_student, sample_weight)
    P = check_probabilities(P_teacher, "P_teacher")
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    return cross - float(np.average(-xlogy(P, P).sum(axis=1), weights=weights))
