"""Estimators inside Pipelines, searches and other meta-estimators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags


def is_search(estimator: Any) -> bool:
    """Whether an estimator is a search over parameters, fitted or not.

    Searches of other libraries count, so that attributes tell: all have an `estimator` and an
    `error_score`, which other meta-estimators lack.

    Parameters
    ----------
    estimator : estimator
        Of any kind.

    Returns
    -------
    search : bool
        False for a `FrozenEstimator`, which has all attributes of what it holds.
    """
    return (
        hasattr(estimator, "estimator")
        and hasattr(estimator, "error_score")
        and not isinstance(estimator, FrozenEstimator)
    )


def last_step(estimator: Any) -> tuple[Any, str, bool]:
    """What stands at the end of Pipelines and searches.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Returns
    -------
    last : estimator
        The estimator itself where it is neither.
    prefix : str
        What the names of its fit parameters start with in the Pipelines, as "svc__".
    searched : bool
        Whether a search is among what stands around it.
    """
    last, prefix, searched = estimator, "", False
    while isinstance(last, Pipeline) or is_search(last):
        if isinstance(last, Pipeline):
            step, last = last.steps[-1]
            prefix += f"{step}__"
        else:
            last, searched = last.estimator, True
    return last, prefix, searched


def steps_inside(estimator: Any) -> Iterator[Any]:
    """Estimators among the parameters of an estimator, also in lists.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Yields
    ------
    inner : estimator
        None for a `FrozenEstimator`, which will not be fitted.
    """
    if isinstance(estimator, FrozenEstimator):
        return
    pending = list(estimator.get_params(deep=False).values())
    while pending:
        value = pending.pop(0)
        if isinstance(value, list | tuple):
            pending.extend(value)
        elif hasattr(value, "fit") and hasattr(value, "get_params") and not isinstance(value, type):
            yield value


def inside(estimator: Any) -> Iterator[Any]:
    """An estimator and all estimators inside it.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Yields
    ------
    each : estimator
        Those of a `FrozenEstimator` are left out.
    """
    yield estimator
    for inner in steps_inside(estimator):
        yield from inside(inner)


def may_read_missing(estimator: Any) -> bool:
    """Whether NaN may reach an estimator, as far as tags can tell.

    Those of Pipelines and other meta-estimators deny it even where an imputer is inside.

    Parameters
    ----------
    estimator : estimator
        Of any kind that has tags.

    Returns
    -------
    may : bool
        True also where only the fit can tell.
    """
    if get_tags(estimator).input_tags.allow_nan:
        return True
    # A TeacherEnsemble has asked each of its members.
    return holds_others(estimator) and not hasattr(estimator, "_mean_probabilities")


def holds_others(estimator: Any) -> bool:
    """Whether an estimator is a meta-estimator around others.

    Parameters
    ----------
    estimator : estimator
        Of any kind; a `FrozenEstimator` is what it holds.

    Returns
    -------
    holds : bool
        True for Pipelines, searches and ensembles of estimators.
    """
    while isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    return any(True for _ in steps_inside(estimator))
