"""Responses of fitted teachers: probabilities in the student's class order, or values."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, softmax
from sklearn.base import is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array

from skdistill.targets import SUM_TOLERANCE, check_probabilities
from skdistill.teachers.fast_response import respond

TOLERANCES = {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-4}
"""Of the sums of rows, by dtype: 500 trees in float32, in ONNX Runtime, miss 1 by 1.3e-6."""

METHODS = {
    "auto": ("predict_proba", "decision_function"),
    "predict_proba": ("predict_proba",),
    "decision_function": ("decision_function",),
    "predict": ("predict",),
    "any": ("predict_proba", "decision_function", "predict"),
}
"""Methods of a teacher by `response_method`; the first that it has is called.

"any" is for the members of an ensemble whose own response is "predict": those that have
probabilities vote with them, the others with their decisions.
"""


def _name(teacher: Any) -> str:
    """The class that the user wrote, inside of what encodes labels for it."""
    return type(getattr(teacher, "_encoded_for", teacher)).__name__


def require_response(teacher: Any, response_method: str = "auto") -> None:
    """Refuse early a teacher that can never give probabilities.

    Some have a method only once they are fitted, so that their class is looked at too.

    Parameters
    ----------
    teacher : estimator
        Fitted or not.
    response_method : {"auto", "predict_proba", "decision_function", "predict", "any"}, \
default="auto"
        Response method; see `METHODS`.

    Raises
    ------
    TypeError
        If neither it nor its class has one of the methods.
    """
    methods = METHODS[response_method]
    if not any(hasattr(teacher, name) or hasattr(type(teacher), name) for name in methods):
        raise TypeError(_no_response(teacher, response_method))


def require_predictions(teacher: Any) -> None:
    """Refuse early a teacher that cannot predict values.

    Parameters
    ----------
    teacher : estimator
        Fitted or not.

    Raises
    ------
    TypeError
        If it has no `predict`, or is a classifier.
    """
    if not (hasattr(teacher, "predict") or hasattr(type(teacher), "predict")):
        raise TypeError(
            f"teacher {_name(teacher)} has no predict: pass its predictions to fit as "
            "teacher_prediction"
        )
    if hasattr(teacher, "__sklearn_tags__") and is_classifier(teacher):
        raise TypeError(
            f"teacher {_name(teacher)} is a classifier: use DistilledClassifier, or "
            "task='classification' of a search"
        )


def known_classes(teacher: Any) -> NDArray[Any]:
    """Classes of a fitted teacher, as it orders them.

    Parameters
    ----------
    teacher : fitted classifier
        Of any kind.

    Returns
    -------
    classes : array of shape (n_classes,)
        Its `classes_`.

    Raises
    ------
    TypeError
        If it has no `classes_`.
    """
    if not hasattr(teacher, "classes_"):
        raise TypeError(f"teacher {_name(teacher)} has no classes_: is it fitted?")
    return np.asarray(teacher.classes_)


def probabilities(
    teacher: Any, X: Any, classes: NDArray[Any], response_method: str = "auto"
) -> NDArray[np.float64]:
    """Probabilities of a fitted teacher.

    Parameters
    ----------
    teacher : fitted classifier
        Of any kind.
    X : array-like of shape (n_samples, n_features)
        Rows.
    classes : array of shape (n_classes,)
        Sorted. Columns of the result; classes that the teacher does not know get 0.
    response_method : {"auto", "predict_proba", "decision_function", "predict", "any"}, \
default="auto"
        "auto" is `predict_proba`, else `decision_function`, of which the softmax is taken (of
        one column the sigmoid). "predict" gives probability 1 to the predicted class. "any"
        is the first of the three that the teacher has. Each member of a `TeacherEnsemble`
        responds in this way; with "predict" the decisions are those of the ensemble.

    Returns
    -------
    P : float64 array of shape (n_samples, n_classes)
        Rows sum to 1.

    Raises
    ------
    TypeError
        If the fitted teacher has none of the methods.
    ValueError
        If it returns no table of probabilities, or other classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdistill.teachers import probabilities
    >>> teacher = GaussianNB().fit([[0.0], [1.0], [8.0], [9.0]], ["a", "a", "c", "c"])
    >>> probabilities(teacher, [[0.5]], np.array(["a", "b", "c"])).round(3).tolist()
    [[1.0, 0.0, 0.0]]
    """
    if hasattr(teacher, "_mean_probabilities"):  # a TeacherEnsemble, also inside FrozenEstimator
        method, response = "predict_proba", teacher._mean_probabilities(X, response_method)
    else:
        if isinstance(teacher, DummyClassifier):  # see `cross_fit`: it stands for any teacher
            response_method = "predict_proba"
        method = _available_method(teacher, response_method)
        response = respond(teacher, method, X)
    name = f"{method} of {_name(teacher)}"
    if method == "predict":
        require_rows(response, X, name)
        return _one_hot(np.ravel(response), classes, name)  # CatBoost's labels are a column
    own = known_classes(teacher)
    tolerance = TOLERANCES.get(getattr(response, "dtype", None), SUM_TOLERANCE)
    if method == "decision_function":
        response = as_probabilities(response, method, name)
    P = check_probabilities(response, name, tolerance=tolerance)
    if P.shape[1] != len(own):
        raise ValueError(f"{name} has {P.shape[1]} columns for {len(own)} classes")
    require_rows(P, X, name)
    at = _positions(own, classes)
    if at is None:
        raise ValueError(f"{name} has classes {own.tolist()}, expected some of {classes.tolist()}")
    out = np.zeros((len(P), len(classes)))
    out[:, at] = P
    return out


def as_probabilities(response: ArrayLike, response_method: str, name: str) -> NDArray[np.float64]:
    """Probabilities from what a model returned for its rows.

    Parameters
    ----------
    response : array-like of shape (n_samples, n_classes), (n_samples, 1) or (n_samples,)
        One column is for the second of two classes.
    response_method : {"predict_proba", "decision_function"}
        What it holds: probabilities, or margins, whose softmax (of one column the sigmoid)
        is taken.
    name : str
        Used in error messages.

    Returns
    -------
    P : float64 array of shape (n_samples, n_classes)
        Rows sum to 1.

    Raises
    ------
    ValueError
        For what is not finite or no probabilities.

    Examples
    --------
    >>> from skdistill.teachers import as_probabilities
    >>> as_probabilities([0.25], "predict_proba", "response").tolist()
    [[0.75, 0.25]]
    >>> as_probabilities([[0.0, 0.0]], "decision_function", "response").tolist()
    [[0.5, 0.5]]
    """
    raw = np.asarray(response)
    table = np.asarray(raw, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[1] == 0:
        raise ValueError(f"{name} must have shape (n_samples, n_classes), got {raw.shape}")
    single = table.shape[1] == 1
    if response_method == "decision_function":
        if not np.isfinite(table).all():
            row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
            raise ValueError(f"{name} row {row} contains NaN or infinity: margins must be finite")
        table = np.hstack([expit(-table), expit(table)]) if single else softmax(table, axis=1)
    elif single:
        table = np.hstack([1 - table, table])
    tolerance = TOLERANCES.get(raw.dtype, SUM_TOLERANCE)
    remedy = "rows must be probabilities; margins need response_method='decision_function'"
    return check_probabilities(table, name, tolerance=tolerance, remedy=remedy)


def one_hot_decisions(P: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability 1 for the most probable class, of several the first; rows of NaN stay NaN.

    Parameters
    ----------
    P : float64 array of shape (n_samples, n_classes)
        Probabilities.

    Returns
    -------
    P : float64 array of shape (n_samples, n_classes)
        Zeros and ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.teachers.response import one_hot_decisions
    >>> one_hot_decisions(np.array([[0.4, 0.6], [0.5, 0.5]])).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    decisions: NDArray[np.float64] = np.eye(P.shape[1])[P.argmax(axis=1)]
    decisions[np.isnan(P).any(axis=1)] = np.nan
    return decisions


def require_rows(response: Any, X: Any, name: str) -> None:
    """Refuse a response for another number of rows.

    Parameters
    ----------
    response : array of shape (n_samples, ...)
        What a teacher returned.
    X : array-like of shape (n_samples, n_features)
        Rows that it was called with.
    name : str
        Used in error messages.

    Raises
    ------
    ValueError
        If the numbers of rows differ.
    """
    if len(response) != np.shape(X)[0]:
        raise ValueError(f"{name} has {len(response)} rows for {np.shape(X)[0]}")


def predictions(teacher: Any, X: Any) -> NDArray[np.float64]:
    """Predicted values of a fitted regressor.

    Parameters
    ----------
    teacher : fitted regressor
        Of any kind.
    X : array-like of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    y : float64 array of shape (n_samples, n_outputs)
        A table also for one output.

    Raises
    ------
    ValueError
        If its predictions are not finite or of another number of rows.
    """
    name = f"predict of {_name(teacher)}"
    values: NDArray[np.float64] = check_array(
        respond(teacher, "predict", X), ensure_2d=False, dtype=np.float64, input_name=name
    )
    require_rows(values, X, name)
    return values[:, None] if values.ndim == 1 else values


def response_values(
    teacher: Any,
    X: Any,
    classes: NDArray[Any] | None,
    response_method: str = "auto",
    labelled: list[tuple[int, float]] | None = None,
) -> NDArray[np.float64]:
    """`probabilities` of a classifier, `predictions` of a regressor.

    Parameters
    ----------
    teacher : fitted estimator
        Of any kind.
    X : array-like of shape (n_samples, n_features)
        Rows.
    classes : array of shape (n_classes,) or None
        None for a regressor.
    response_method : {"auto", "predict_proba", "decision_function", "predict", "any"}, \
default="auto"
        Response method of a classifier; see `probabilities`.
    labelled : list of (int, float) tuples, default=None
        Gets the number of rows, and the seconds that they took, for `say_speed`.

    Returns
    -------
    response : float64 array of shape (n_samples, n_classes) or (n_samples, n_outputs)
        Probabilities or values.
    """
    start = perf_counter()
    if classes is None:
        response = predictions(teacher, X)
    else:
        response = probabilities(teacher, X, classes, response_method)
    if labelled is not None:
        labelled.append((len(response), perf_counter() - start))
    return response


def _available_method(teacher: Any, response_method: str) -> str:
    for name in METHODS[response_method]:
        if hasattr(teacher, name):
            return name
    raise TypeError(_no_response(teacher, response_method))


def _no_response(teacher: Any, response_method: str) -> str:
    while isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    missing = f"teacher {_name(teacher)} has no {' and no '.join(METHODS[response_method])}"
    if hasattr(teacher, "__sklearn_tags__") and is_regressor(teacher):
        remedy = "use DistilledRegressor, or task='regression' of a search"
        return f"{missing}, it is a regressor: {remedy}"
    if any(hasattr(teacher, name) for name in METHODS["auto"]):
        remedy = "use response_method='auto'"
    elif hasattr(teacher, "predict"):
        remedy = "response_method='predict' teaches its decisions"
    else:
        remedy = "pass a classifier"
    return f"{missing}: {remedy}; or pass its probabilities to fit as teacher_proba"


def _one_hot(labels: NDArray[Any], classes: NDArray[Any], name: str) -> NDArray[np.float64]:
    unique, codes = np.unique(labels, return_inverse=True)
    at = _positions(unique, classes)
    if at is None:
        raise ValueError(
            f"{name} has classes {unique.tolist()}, expected some of {classes.tolist()}"
        )
    return np.eye(len(classes))[at[codes]]


def _positions(some: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp] | None:
    """Where `some` stand among the sorted `classes`; None if one of them does not."""
    at = np.searchsorted(classes, some)
    if (at == len(classes)).any() or (classes[at] != some).any():
        return None
    return at
