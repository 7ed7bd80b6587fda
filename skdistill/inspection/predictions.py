"""What teacher and student say of the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.categories import is_missing
from skdistill.teachers import probabilities


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
        Probabilities of models that have none are None; columns are in the order of the model's
        classes.

    Raises
    ------
    ValueError
        If a label or value is missing.
    """
    y = _complete(y)
    student = predict_labels(model, X)
    P_student = None if compact.classes is None else np.asarray(model.predict_proba(X))
    labels, P_teacher = _answer(teacher, X, compact.classes)
    hard, P_hard = _answer(hard_labels, X, compact.classes)
    return Predictions(y, student, labels, hard, P_student, P_teacher, P_hard)


def _complete(values: Any) -> NDArray[Any]:
    """Labels or values, refused where some are missing."""
    y: NDArray[Any] = np.asarray(values)
    if y.dtype.kind in "fO":
        objects = y.ravel().astype(object)
        has_text = np.array([isinstance(value, str) for value in objects], bool)
        n = int(is_missing(objects[~has_text]).sum())
        if n:
            raise ValueError(
                f"y has {n:,} missing value{'s' * (n > 1)} in {len(y):,} rows: leave these rows "
                "out of X and y"
            )
    return y


def _answer(estimator: Any, X: Any, classes: NDArray[Any] | None) -> tuple[Any, Any]:
    if estimator is None:
        return None, None
    P = None
    if classes is not None and hasattr(estimator, "predict_proba"):
        P = probabilities(estimator, X, classes, "predict_proba")
    return predict_labels(estimator, X), P


def predict_labels(estimator: Any, X: ArrayLike) -> NDArray[Any]:
    """Labels or values of rows as one array.

    Parameters
    ----------
    estimator : estimator or CompactModel
        Fitted.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    y : array of shape (n_samples,), or (n_samples, n_outputs) for several targets
    """
    y = np.asarray(estimator.predict(X))
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y  # CatBoost's labels are a column


def teacher_of(model: Any, teacher: Any = None) -> Any:
    """The teacher that was passed, or that of a distiller.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Fitted.
    teacher : estimator, default=None
        Fitted; comes first.

    Returns
    -------
    teacher : estimator or None
        One that answers with the labels of `fit`: ``teacher_`` itself may number them.

    Raises
    ------
    TypeError
        If the teacher that was passed has no method ``predict``.
    """
    if teacher is None:
        return getattr(model, "_labelled_teacher", None)
    if not hasattr(teacher, "predict"):
        raise TypeError(
            f"teacher must be a fitted estimator with predict, got {teacher!r}; a function can "
            "be wrapped: CallableTeacher(function, classes=...).fit(X, y)"
        )
    return teacher


def require_teacher(model: Any, teacher: Any) -> Any:
    """The teacher, for those who cannot do without.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Fitted.
    teacher : estimator or None
        Fitted; comes first.

    Returns
    -------
    teacher : estimator

    Raises
    ------
    ValueError
        If there is none.
    """
    teacher = teacher_of(model, teacher)
    if teacher is None:
        raise ValueError(f"{type(model).__name__} holds no teacher: pass teacher=")
    return teacher
