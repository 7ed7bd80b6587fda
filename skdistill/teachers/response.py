"""What a fitted teacher answers: its values, or its probabilities in the student's class order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import is_classifier
from sklearn.utils import check_array

from skdistill.targets import SUM_TOLERANCE, check_probabilities

TOLERANCES = {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4}
"""Of sums: a forest of 500 trees in ONNX Runtime, in float32, misses 1 by 1.3e-6."""


def require_probabilities(teacher: Any) -> None:
    """Refuse early a teacher that can never give probabilities.

    Some have `predict_proba` only once they are fitted, so their class is asked too.

    Raises
    ------
    TypeError
        That names the teacher.
    """
    if not (hasattr(teacher, "predict_proba") or hasattr(type(teacher), "predict_proba")):
        raise TypeError(
            f"teacher {type(teacher).__name__} has no predict_proba: wrap it in "
            "CalibratedClassifierCV, or in MarginTeacher where it has a decision_function; or pass "
            "teacher_proba to fit"
        )


def require_predictions(teacher: Any) -> None:
    """Refuse early a teacher that cannot predict values.

    Raises
    ------
    TypeError
        That names the teacher.
    """
    if not (hasattr(teacher, "predict") or hasattr(type(teacher), "predict")):
        raise TypeError(
            f"teacher {type(teacher).__name__} has no predict: pass its answers to fit as "
            "teacher_prediction"
        )
    if hasattr(teacher, "__sklearn_tags__") and is_classifier(teacher):
        raise TypeError(
            f"teacher {type(teacher).__name__} is a classifier: use DistilledClassifier"
        )


def known_classes(teacher: Any) -> NDArray[Any]:
    """Classes of a fitted teacher, as it orders them."""
    if not hasattr(teacher, "classes_"):
        raise TypeError(f"teacher {type(teacher).__name__} has no classes_: is it fitted?")
    return np.asarray(teacher.classes_)


def probabilities(teacher: Any, X: Any, classes: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities of a fitted teacher.

    Parameters
    ----------
    teacher : fitted estimator
    X : array-like of shape (n, d)
    classes : array of shape (K,), sorted
        Columns of the answer; those the teacher does not know get 0.

    Returns
    -------
    P : float64 array of shape (n, K)

    Raises
    ------
    TypeError
        If the teacher has no `predict_proba`.
    ValueError
        If its answer is no table of probabilities, or of other classes.
    """
    if not hasattr(teacher, "predict_proba"):
        require_probabilities(teacher)
        raise TypeError(f"teacher {type(teacher).__name__} has no predict_proba as it was fitted")
    own = known_classes(teacher)
    name = f"predict_proba of {type(teacher).__name__}"
    told = teacher.predict_proba(X)
    tolerance = TOLERANCES.get(getattr(told, "dtype", None), SUM_TOLERANCE)
    P = check_probabilities(told, name, tolerance=tolerance)
    if P.shape[1] != len(own):
        raise ValueError(f"{name} has {P.shape[1]} columns for {len(own)} classes")
    require_rows(P, X, name)
    at = np.searchsorted(classes, own)
    if (at == len(classes)).any() or (classes[at] != own).any():
        raise ValueError(f"{name} has classes {own.tolist()}, expected some of {classes.tolist()}")
    out = np.zeros((len(P), len(classes)))
    out[:, at] = P
    return out


def as_probabilities(answer: ArrayLike, response_method: str, name: str) -> NDArray[np.float64]:
    """Probabilities of whatever a model answers for its rows.

    Parameters
    ----------
    answer : array-like of shape (n, K), (n, 1) or (n,)
        One column is for the second of two classes.
    response_method : {"predict_proba", "decision_function"}
        What it holds: probabilities, or margins, whose softmax (of one column the sigmoid)
        is taken.
    name : str
        What error messages call it.

    Returns
    -------
    P : float64 array of shape (n, K)

    Raises
    ------
    ValueError
        For what is not finite or no probabilities.

    Examples
    --------
    >>> from skdistill.teachers import as_probabilities
    >>> as_probabilities([0.25], "predict_proba", "answer").tolist()
    [[0.75, 0.25]]
    >>> as_probabilities([[0.0, 0.0]], "decision_function", "answer").tolist()
    [[0.5, 0.5]]
    """
    given = np.asarray(answer)
    table = np.asarray(given, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[1] == 0:
        raise ValueError(f"{name} must answer a table of shape (n, K), got {given.shape}")
    single = table.shape[1] == 1
    if response_method == "decision_function":
        if not np.isfinite(table).all():
            row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
            raise ValueError(f"{name} row {row} contains NaN or infinity: margins must be finite")
        table = np.hstack([expit(-table), expit(table)]) if single else softmax(table, axis=1)
    elif single:
        table = np.hstack([1 - table, table])
    tolerance = TOLERANCES.get(given.dtype, SUM_TOLERANCE)
    remedy = "rows must be probabilities; margins need response_method='decision_function'"
    return check_probabilities(table, name, tolerance=tolerance, remedy=remedy)


def require_rows(P: NDArray[Any], X: Any, name: str) -> None:
    """Refuse an answer for another number of rows."""
    if len(P) != np.shape(X)[0]:
        raise ValueError(f"{name} has {len(P)} rows for {np.shape(X)[0]}")


def predictions(teacher: Any, X: Any) -> NDArray[np.float64]:
    """Predicted values of a fitted regressor.

    Parameters
    ----------
    teacher : fitted estimator
    X : array-like of shape (n, d)

    Returns
    -------
    y : float64 array of shape (n, S)

    Raises
    ------
    ValueError
        If its answer is not finite or has another number of rows.
    """
    name = f"predict of {type(teacher).__name__}"
    y = check_array(teacher.predict(X), ensure_2d=False, dtype=np.float64, input_name=name)
    require_rows(y, X, name)
    return y[:, None] if y.ndim == 1 else y


def answers(teacher: Any, X: Any, classes: NDArray[Any] | None) -> NDArray[np.float64]:
    """`probabilities` of `classes`, or `predictions` where there are none."""
    return predictions(teacher, X) if classes is None else probabilities(teacher, X, classes)
