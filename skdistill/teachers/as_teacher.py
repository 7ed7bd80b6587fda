"""The one door: whatever is given as a teacher becomes something that fits and predicts."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags

from skdistill.teachers._prefit import PrefitTeacherMixin
from skdistill.teachers.booster import BoosterTeacher, library_of
from skdistill.teachers.callable import CallableTeacher
from skdistill.teachers.decision_function import MarginTeacher
from skdistill.teachers.ensemble import Committee
from skdistill.teachers.label_encoding import LabelEncodedClassifier, learns_numbers_only
from skdistill.teachers.onnx import OnnxTeacher
from skdistill.teachers.response import (
    known_classes,
    require_predictions,
    require_probabilities,
)

KINDS = (
    "an estimator, a FrozenEstimator, a path to an .onnx file, a booster of XGBoost, LightGBM or "
    "CatBoost, a function of the rows, or a list of these"
)


def as_teacher(teacher: Any, X: Any = None, y: Any = None, *, values: bool = False) -> Any:
    """Make an estimator of whatever is given as a teacher.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
    X : array-like of shape (n, d), default=None
        Rows to ask a model that does not say how many classes it knows.
    y : array-like of shape (n,), default=None
        Names the classes of a model that does not.
    values : bool, default=False
        Whether it is to predict values in place of probabilities.

    Returns
    -------
    teacher : estimator
        A `FrozenEstimator` where nothing is left to be fitted. Neither it nor what is in it
        is copied by `clone`.

    Raises
    ------
    TypeError
        For what cannot teach.

    Examples
    --------
    >>> from skdistill.teachers import as_teacher
    >>> teacher = as_teacher(lambda rows: [[0.25, 0.75] for _ in rows], [[0.0]], ["a", "b"])
    >>> teacher.classes_.tolist(), teacher.predict([[1.0], [2.0]]).tolist()
    (['a', 'b'], ['b', 'b'])
    """
    if isinstance(teacher, list | tuple):
        teacher = Committee(list(teacher))
    if isinstance(teacher, Committee):
        return _ready_committee(teacher, X, y, values)
    if not isinstance(teacher, type) and library_of(teacher) is not None:
        teacher = BoosterTeacher(teacher)
    elif isinstance(teacher, str | PathLike) and str(teacher).endswith(".onnx"):
        teacher = OnnxTeacher(teacher)
    elif callable(teacher) and not isinstance(teacher, type) and not hasattr(teacher, "fit"):
        teacher = CallableTeacher(teacher)
    if isinstance(teacher, type) or not hasattr(teacher, "fit"):
        raise TypeError(f"teacher={teacher!r} cannot teach: give {KINDS}")
    if isinstance(teacher, PrefitTeacherMixin):
        return FrozenEstimator(clone(teacher).fit(X, y, values=values))
    (require_predictions if values else require_probabilities)(teacher)
    if isinstance(teacher, MarginTeacher) and isinstance(teacher.estimator, FrozenEstimator):
        return FrozenEstimator(clone(teacher).fit(X, y))
    return LabelEncodedClassifier(teacher) if learns_numbers_only(teacher) else teacher


def _ready_committee(committee: Committee, X: Any, y: Any, values: bool) -> Any:
    """A committee of teachers that are ready; frozen where nothing of it is to be fitted."""
    if not committee.teachers:
        raise ValueError("teachers of Committee is empty: give one or more")
    learns = isinstance(committee.weights, str)
    if learns and committee.weights not in ("learn", "greedy"):
        raise ValueError(
            f"weights={committee.weights!r} of Committee must be None, numbers, 'learn' or 'greedy'"
        )
    members = [as_teacher(one, X, y, values=values) for one in committee.teachers]
    ready = Committee(members, committee.weights, cv=committee.cv)
    if learns and y is None:
        raise ValueError(f"weights={committee.weights!r} of Committee need y to be learnt on")
    if learns or not all(isinstance(one, FrozenEstimator) for one in ready.teachers):
        return ready
    classes = None if values else told_classes(ready, None)
    return FrozenEstimator(ready.lesson(X, None, classes, label=False).teacher)


def is_frozen(teacher: Any) -> bool:
    """Whether a teacher, as it is given, needs no labels to be used.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these

    Returns
    -------
    frozen : bool
    """
    if isinstance(teacher, list | tuple):
        return all(is_frozen(one) for one in teacher)
    if isinstance(teacher, Committee):
        return not isinstance(teacher.weights, str) and is_frozen(teacher.teachers)
    if isinstance(teacher, MarginTeacher):
        return is_frozen(teacher.estimator)
    if isinstance(teacher, FrozenEstimator | PrefitTeacherMixin | str | PathLike):
        return True
    if isinstance(teacher, type):
        return False
    return library_of(teacher) is not None or (callable(teacher) and not hasattr(teacher, "fit"))


def told_classes(teacher: Any, y: Any) -> NDArray[Any] | None:
    """Classes that a ready teacher is known to have before it is fitted.

    Parameters
    ----------
    teacher : estimator
        From `as_teacher`.
    y : array-like of shape (n,) or None

    Returns
    -------
    classes : array of shape (K,), sorted, or None
        Those of a frozen teacher; of a committee those of its frozen members and, where
        others will be fitted, of `y`. None where only `y` can tell.
    """
    if isinstance(teacher, FrozenEstimator):
        return np.sort(known_classes(teacher))
    if not isinstance(teacher, Committee):
        return None if y is None else np.unique(np.asarray(y))
    told = [told_classes(one, y) for one in teacher.teachers]
    return np.unique(np.concatenate([one for one in told if one is not None]))


def teacher_tags(teacher: Any, *, values: bool = False) -> Tags:
    """scikit-learn's tags of a teacher as it is given, before it is ready.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
    values : bool, default=False

    Returns
    -------
    tags : Tags
    """
    if isinstance(teacher, list | tuple):
        teacher = Committee(list(teacher))
    if not hasattr(teacher, "__sklearn_tags__") or library_of(teacher) is not None:
        teacher = CallableTeacher(teacher)
    tags = get_tags(teacher)
    if isinstance(teacher, PrefitTeacherMixin):
        tags.target_tags.multi_output = values
    return tags
