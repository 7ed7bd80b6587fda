"""What a fitted teacher answers: its values, or its probabilities in the student's class order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils import check_array

from skdistill.targets import check_probabilities


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
            f"teacher {type(teacher).__name__} has no predict_proba: wrap it, for example in "
            "CalibratedClassifierCV, or pass teacher_proba to fit"
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
    P = check_probabilities(teacher.predict_proba(X), name)
    if P.shape[1] != len(own):
        raise ValueError(f"{name} has {P.shape[1]} columns for {len(own)} classes")
    at = np.searchsorted(classes, own)
    if (at == len(classes)).any() or (classes[at] != own).any():
        raise ValueError(f"{name} has classes {own.tolist()}, expected some of {classes.tolist()}")
    out = np.zeros((len(P), len(classes)))
    out[:, at] = P
    return out


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
    if len(y) != np.shape(X)[0]:
        raise ValueError(f"{name} has {len(y)} rows for {np.shape(X)[0]}")
    return y[:, None] if y.ndim == 1 else y


def answers(teacher: Any, X: Any, classes: NDArray[Any] | None) -> NDArray[np.float64]:
    """`probabilities` of `classes`, or `predictions` where there are none."""
    return predictions(teacher, X) if classes is None else probabilities(teacher, X, classes)
