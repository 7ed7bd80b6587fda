"""Fitted copies of estimators, and which fit parameters they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import clone
from sklearn.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.validation import has_fit_parameter


def fit_copy(
    estimator: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None, **fit_params: Any
) -> Any:
    """Fit a clone of an estimator.

    With metadata routing enabled, all parameters are passed on as they are: the caller has
    routed them. Without it, `sample_weight` reaches the last step of a Pipeline, and is left
    out where `fit` does not take it.

    Parameters
    ----------
    estimator : estimator
        Stays unfitted.
    X : array-like of shape (n_samples, n_features)
        Training rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or values.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.
    **fit_params : dict
        Further parameters of `fit`.

    Returns
    -------
    fitted : estimator
        The fitted clone.
    """
    copy = clone(estimator)
    if sample_weight is not None:
        fit_params |= _weight_parameter(copy, sample_weight)
    return copy.fit(X, y, **fit_params)


def route_fit_params(
    owner: Any, names: Iterable[str], fit_params: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Fit parameters of each estimator inside a meta-estimator.

    With metadata routing enabled, they are what the estimators requested. Without it, each
    gets all of them, and `fit_copy` leaves out a `sample_weight` that `fit` does not take.

    Parameters
    ----------
    owner : estimator
        The meta-estimator, with a ``get_metadata_routing`` that knows `names`.
    names : iterable of str
        Names of the estimators inside.
    fit_params : dict
        Parameters that were passed to the meta-estimator, `sample_weight` among them.

    Returns
    -------
    parameters : dict of dict
        By name.
    """
    if not _routing_enabled():
        return {name: dict(fit_params) for name in names}
    routed = process_routing(owner, "fit", **fit_params)
    return {name: dict(routed[name]["fit"]) for name in names}


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


def _routing_enabled() -> bool:
    return bool(get_config()["enable_metadata_routing"])


def _weight_parameter(estimator: Any, sample_weight: ArrayLike) -> dict[str, ArrayLike]:
    """The fit parameter that carries the weights."""
    if _routing_enabled():
        return {"sample_weight": sample_weight}
    last, prefix = estimator, ""
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        prefix += f"{step}__"
    return {f"{prefix}sample_weight": sample_weight} if _takes_weights(last) else {}


def _takes_weights(estimator: Any) -> bool:
    """Whether `fit` takes sample weights; ensembles and searches pass theirs on as `**params`."""
    if isinstance(
        estimator, VotingClassifier | StackingClassifier | VotingRegressor | StackingRegressor
    ):
        return all(_takes_weights(member) for _, member in estimator.estimators if member != "drop")
    if is_search(estimator):
        return _takes_weights(estimator.estimator)
    return bool(has_fit_parameter(estimator, "sample_weight"))
