"""Fitted copies of estimators, and which fit parameters they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils.metadata_routing import process_routing

from skdistill.teachers.weighted_fit import fit_with_weights


def fit_copy(
    estimator: Any, X: Any, y: Any, sample_weight: ArrayLike | None = None, **fit_params: Any
) -> Any:
    """Fit a clone of an estimator.

    With metadata routing enabled, all parameters are passed on as they are: the caller has
    routed them. Without it, `sample_weight` reaches the classifiers and regressors inside; see
    `fit_with_weights`.

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
    if sample_weight is None:
        return copy.fit(X, y, **fit_params)
    if routing_enabled():
        return copy.fit(X, y, sample_weight=sample_weight, **fit_params)
    return fit_with_weights(copy, X, y, sample_weight, **fit_params)


def route_fit_params(
    owner: Any, names: Iterable[str], fit_params: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Fit parameters of each estimator inside a meta-estimator.

    With metadata routing enabled, they are what the estimators requested. Without it, each
    gets all of them, and `fit_copy` leaves out a `sample_weight` that nobody takes.

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
    if not routing_enabled():
        return {name: dict(fit_params) for name in names}
    routed = process_routing(owner, "fit", **fit_params)
    return {name: dict(routed[name]["fit"]) for name in names}


def routing_enabled() -> bool:
    """Whether scikit-learn's metadata routing is enabled.

    Returns
    -------
    enabled : bool
        From scikit-learn's configuration.
    """
    return bool(get_config()["enable_metadata_routing"])
