"""A fitted copy of an estimator, and who takes sample weights."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skdistill.utils._sklearn_compat import BaseSearchCV


def fit_copy(estimator: Any, X: Any, y: Any, weight: ArrayLike | None) -> Any:
    """Fit a clone; `weight` is handed on if it takes a `sample_weight`.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n, d)
    y : array-like of shape (n,) or (n, S)
    weight : array-like of shape (n,) or None

    Returns
    -------
    fitted : estimator
    """
    copy = clone(estimator)
    given = {} if weight is None else _weight_parameter(copy, weight)
    return copy.fit(X, y, **given)


def _weight_parameter(estimator: Any, weight: ArrayLike) -> dict[str, ArrayLike]:
    """The fit parameter that hands the weights on; a Pipeline's last step takes them."""
    last, name = estimator, ""
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        name += f"{step}__"
    return {f"{name}sample_weight": weight} if _takes_weights(last) else {}


def _takes_weights(estimator: Any) -> bool:
    """Whether `fit` takes sample weights; ensembles and searches hand theirs on unnamed."""
    if isinstance(
        estimator, VotingClassifier | StackingClassifier | VotingRegressor | StackingRegressor
    ):
        return all(_takes_weights(member) for _, member in estimator.estimators if member != "drop")
    if isinstance(estimator, BaseSearchCV):
        return _takes_weights(estimator.estimator)
    return has_fit_parameter(estimator, "sample_weight")
