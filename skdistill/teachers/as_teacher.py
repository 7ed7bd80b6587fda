"""Teachers of all kinds, and lists of them, as estimators."""

from __future__ import annotations

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers._prefit import BasePrefitTeacher
from skdistill.teachers.booster import library_of
from skdistill.teachers.callable import CallableTeacher
from skdistill.teachers.ensemble import TeacherEnsemble, as_ensemble
from skdistill.teachers.single import is_prefit, single_teacher
from skdistill.teachers.steps import may_read_missing


def as_teacher(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    regression: bool = False,
    response_method: str = "auto",
) -> Any:
    """Make an estimator of whatever is passed as a teacher.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
        Stays as it is.
    X : array-like of shape (n_samples, n_features), default=None
        Rows to call a model on that does not say how many classes it knows.
    y : array-like of shape (n_samples,), default=None
        Names the classes of a model that does not.
    regression : bool, default=False
        Whether it is to predict values in place of probabilities.
    response_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        Response method of a classifier; see `DistilledClassifier`. With "decision_function",
        functions, boosters and files return margins.

    Returns
    -------
    teacher : estimator
        A `FrozenEstimator` where nothing is left to be fitted. Models that were fitted
        elsewhere are shared with its clones, not copied.

    Raises
    ------
    TypeError
        If it is no teacher, or lacks the response method.
    ValueError
        If a model cannot be loaded, or its classes have no names.

    Examples
    --------
    >>> from skdistill.teachers import as_teacher
    >>> teacher = as_teacher(lambda rows: [[0.25, 0.75] for _ in rows], [[0.0]], ["a", "b"])
    >>> teacher.classes_.tolist(), teacher.predict([[1.0], [2.0]]).tolist()
    (['a', 'b'], ['b', 'b'])
    """
    return single_teacher(
        as_ensemble(teacher), X, y, regression=regression, response_method=response_method
    )


def is_frozen(teacher: Any) -> bool:
    """Whether a teacher, as it was passed, needs no labels.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
        Not loaded yet.

    Returns
    -------
    frozen : bool
        True if it is fitted already; of a list, if all of them are.
    """
    return is_prefit(as_ensemble(teacher))


def teacher_tags(teacher: Any, *, regression: bool = False) -> Tags:
    """scikit-learn's tags of a teacher as it was passed.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
        Not loaded yet.
    regression : bool, default=False
        Whether it is to predict values.

    Returns
    -------
    tags : Tags
        Those of the estimator that it will become. NaN is allowed where estimators inside decide.
    """
    teacher = as_ensemble(teacher)
    has_tags = hasattr(teacher, "__sklearn_tags__") and not isinstance(teacher, type)
    if not has_tags or library_of(teacher) is not None:
        teacher = CallableTeacher(teacher)
    tags = get_tags(teacher)
    tags.input_tags.allow_nan = may_read_missing(teacher)
    if isinstance(teacher, BasePrefitTeacher):
        tags.target_tags.multi_output = regression
    return tags


def refitted(teacher: Any) -> list[Any]:
    """Estimators that are fitted already and will be fitted anew.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
        As it was passed.

    Returns
    -------
    estimators : list of estimators
        Of an ensemble, those of its members.
    """
    teacher = as_ensemble(teacher)
    if isinstance(teacher, TeacherEnsemble):
        return [one for _, member in teacher._members for one in refitted(member)]
    if isinstance(teacher, type) or not hasattr(teacher, "fit") or is_prefit(teacher):
        return []
    return [teacher] if _is_fitted(teacher) else []


def notes_on_fit(teacher: Any, ready: Any, y: Any) -> list[str]:
    """What a user may not expect to happen to a teacher.

    Parameters
    ----------
    teacher : estimator, path, booster, callable or list of these
        As it was passed.
    ready : estimator
        What `as_teacher` made of it.
    y : array-like of shape (n_samples,) or None
        Labels or values.

    Returns
    -------
    notes : list of str
        Perhaps none.
    """
    notes = [
        f"{type(one).__name__} is fitted already; a clone is fitted anew, to label held-out rows "
        "and on all rows (FrozenEstimator(model) is used as it is)"
        for one in refitted(teacher)
    ]
    loaded = ready.estimator if isinstance(ready, FrozenEstimator) else None
    if (
        isinstance(loaded, BasePrefitTeacher)
        and y is None
        and loaded.classes is None
        and loaded.classes_ is not None
        and loaded._own_classes(None) is None
    ):
        notes.append(
            f"the classes are {loaded.classes_.tolist()}, the numbers of its columns; "
            f"{type(loaded).__name__}(…, classes=[…]) names them"
        )
    return notes


def _is_fitted(estimator: Any) -> bool:
    if callable(getattr(estimator, "is_fitted", None)):  # CatBoost's
        return bool(estimator.is_fitted())
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True
