"""Teachers of all kinds, and lists of them, as estimators."""

from __future__ import annotations

from typing import Any

from sklearn.utils import Tags, get_tags

from skdistill.teachers._prefit import BasePrefitTeacher
from skdistill.teachers.booster import library_of
from skdistill.teachers.callable import CallableTeacher
from skdistill.teachers.ensemble import as_ensemble
from skdistill.teachers.single import is_prefit, single_teacher


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
        Those of the estimator that it will become.
    """
    teacher = as_ensemble(teacher)
    has_tags = hasattr(teacher, "__sklearn_tags__") and not isinstance(teacher, type)
    if not has_tags or library_of(teacher) is not None:
        teacher = CallableTeacher(teacher)
    tags = get_tags(teacher)
    if isinstance(teacher, BasePrefitTeacher):
        tags.target_tags.multi_output = regression
    return tags
