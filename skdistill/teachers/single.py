"""One teacher of any kind as an estimator that is ready to be cross-fitted."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator

from skdistill.teachers.booster import (
    ENDINGS,
    BoosterTeacher,
    is_model_file,
    library_of,
)
from skdistill.teachers.callable import CallableTeacher
from skdistill.teachers.label_encoding import LabelEncodedClassifier, needs_encoded_labels
from skdistill.teachers.onnx import OnnxTeacher
from skdistill.teachers.response import known_classes, require_predictions, require_response
from skdistill.teachers.steps import inside

KINDS = (
    "an estimator, a FrozenEstimator, a booster of XGBoost, LightGBM or CatBoost, the path of a "
    f"model file ({ENDINGS}), a function of the rows, or a list of these"
)


def single_teacher(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    regression: bool = False,
    response_method: str = "auto",
) -> Any:
    """Make an estimator of one teacher.

    Our own classes of teachers do this themselves, by ``_as_teacher``.

    Parameters
    ----------
    teacher : estimator, path, booster or callable
        A list has to be a `TeacherEnsemble` here.
    X : array-like of shape (n_samples, n_features), default=None
        Rows to call a model on that does not say how many classes it knows.
    y : array-like of shape (n_samples,), default=None
        Names the classes of a model that does not.
    regression : bool, default=False
        Whether it is to predict values in place of probabilities.
    response_method : {"auto", "predict_proba", "decision_function", "predict", "any"}, \
default="auto"
        Response method of a classifier; see `probabilities`.

    Returns
    -------
    teacher : estimator
        A `FrozenEstimator` where nothing is left to be fitted.

    Raises
    ------
    TypeError
        For anything else, for classes, and where the response method is missing.
    """
    if library_of(teacher) is not None or is_model_file(teacher):
        teacher = BoosterTeacher(teacher)
    elif isinstance(teacher, str | PathLike) and str(teacher).lower().endswith(".onnx"):
        teacher = OnnxTeacher(teacher)
    elif callable(teacher) and not isinstance(teacher, type) and not hasattr(teacher, "fit"):
        teacher = CallableTeacher(teacher)
    if isinstance(teacher, type) or not hasattr(teacher, "fit"):
        raise TypeError(f"teacher must be {KINDS}; got {teacher!r}")
    # FrozenEstimator has all attributes of what it holds, `_as_teacher` too.
    if hasattr(teacher, "_as_teacher") and not isinstance(teacher, FrozenEstimator):
        return teacher._as_teacher(X, y, regression=regression, response_method=response_method)
    for each in inside(teacher):
        _require_cloneable(each)
    if regression:
        require_predictions(teacher)
    elif not hasattr(teacher, "_mean_probabilities"):  # a frozen ensemble asks its members
        require_response(teacher, response_method)
    return LabelEncodedClassifier(teacher) if needs_encoded_labels(teacher) else teacher


def is_prefit(teacher: Any) -> bool:
    """Whether one teacher, as it was passed, is fitted already and needs no labels.

    Parameters
    ----------
    teacher : estimator, path, booster or callable
        A list has to be a `TeacherEnsemble` here.

    Returns
    -------
    prefit : bool
        False for anything that is no teacher.
    """
    if isinstance(teacher, FrozenEstimator | str | PathLike):
        return True
    if isinstance(teacher, type):
        return False
    if hasattr(teacher, "_is_prefit"):
        return bool(teacher._is_prefit())
    return library_of(teacher) is not None or (callable(teacher) and not hasattr(teacher, "fit"))


def expected_classes(teacher: Any, y: Any) -> NDArray[Any] | None:
    """Classes that a teacher will have once it is fitted.

    Parameters
    ----------
    teacher : estimator
        From `as_teacher`.
    y : array-like of shape (n_samples,) or None
        Labels.

    Returns
    -------
    classes : array of shape (n_classes,) or None
        Sorted. Those of a frozen teacher; of an ensemble those of its frozen members, and those
        of `y` where others will be fitted. None where only `y` could tell.
    """
    if isinstance(teacher, FrozenEstimator):
        return np.sort(known_classes(teacher))
    if hasattr(teacher, "_expected_classes"):
        classes: NDArray[Any] | None = teacher._expected_classes(y)
        return classes
    return None if y is None else np.unique(np.asarray(y))


def _require_cloneable(estimator: Any) -> None:
    """Refuse lists among the parameters of CatBoost: it copies them, which `clone` forbids."""
    if type(estimator).__module__.split(".")[0] != "catboost":
        return
    for name, value in estimator.get_params(deep=False).items():
        if isinstance(value, list):
            raise ValueError(
                f"{name}={value!r} of {type(estimator).__name__} cannot be cloned by "
                f"scikit-learn: pass a tuple, {name}={tuple(value)!r}"
            )
