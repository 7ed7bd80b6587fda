"""What teacher and student say of the rows of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from skdistill.compact.model_tables import ModelTables


@dataclass(frozen=True)
class Predictions:
    """Labels or values, and predictions, of the same rows.

    Parameters
    ----------
    y : array of shape (n_samples,)
        Labels of a classification, values of a regression.
    student : array of shape (n_samples,)
        What the student predicts.
    teacher : array of shape (n_samples,), default=None
        What the teacher predicts.
    hard_labels : array of shape (n_samples,), default=None
        What the same student predicts that was fitted on labels alone.
    P_student, P_teacher, P_hard_labels : array of shape (n_samples, n_classes), default=None
        Their probabilities, columns in the order of the model's classes.
    out_of_fold : bool, default=False
        Whether each row was predicted by models that were not fitted on it, in place of the
        model itself.

    Raises
    ------
    ValueError
        If the numbers of rows differ.
    """

    y: NDArray[Any]
    student: NDArray[Any]
    teacher: NDArray[Any] | None = None
    hard_labels: NDArray[Any] | None = None
    P_student: NDArray[np.float64] | None = None
    P_teacher: NDArray[np.float64] | None = None
    P_hard_labels: NDArray[np.float64] | None = None
    out_of_fold: bool = False

    def __post_init__(self) -> None:
        check_consistent_length(
            self.y, self.student, self.teacher, self.hard_labels, self.P_student, self.P_teacher
        )


def predict_all(
    model: Any, compact: ModelTables, X: ArrayLike, y: ArrayLike, teacher: Any, hard_labels: Any
) -> Predictions:
    """Ask all models.

    Parameters
    ----------
    model : CompactModel, student or distiller
        The student.
    compact : ModelTables
        Its tables.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,)
        Their labels or values.
    teacher, hard_labels : estimator or None
        Fitted.

    Returns
    -------
    predictions : Predictions
        Probabilities of models that have none are None.
    """

    def answer(estimator: Any) -> tuple[Any, Any]:
        if estimator is None:
            return None, None
        P = None
        if compact.classes is not None and hasattr(estimator, "predict_proba"):
            P = np.asarray(estimator.predict_proba(X), np.float64)
            if P.shape[1] != compact.n_classes:  # a teacher that knows other classes
                P = None
        return np.asarray(estimator.predict(X)), P

    student, P_student = answer(model)
    labels, P_teacher = answer(teacher)
    hard, P_hard = answer(hard_labels)
    return Predictions(np.asarray(y), student, labels, hard, P_student, P_teacher, P_hard)
