"""Weights of rows for every estimator inside a teacher, by scikit-learn's metadata routing.

Without routing, Pipelines take weights for a named step only, and most meta-estimators drop or
refuse those of the Pipelines inside them. So such a teacher is fitted with routing enabled, on
requests that are taken back when it is fitted.
"""

from __future__ import annotations

from copy import copy
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import RFECV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import get_scorer
from sklearn.utils.metadata_routing import MetadataRequest, get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from skdistill.teachers.steps import holds_others, inside, last_step, steps_inside
from skdistill.utils._sklearn_compat import method_requests


def fit_with_weights(
    estimator: Any, X: Any, y: Any, sample_weight: ArrayLike, **fit_params: Any
) -> Any:
    """Fit an estimator in place; the classifiers and regressors inside get the weights.

    Scorers of searches get them, too. Transformers do not, nor do selectors of columns in front
    of the last step of a Pipeline, with the estimators inside them.

    Parameters
    ----------
    estimator : estimator
        To be fitted; metadata routing is disabled.
    X : array-like of shape (n_samples, n_features)
        Training rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels or values.
    sample_weight : array-like of shape (n_samples,)
        Weights of the rows.
    **fit_params : dict
        Further parameters of `fit`.

    Returns
    -------
    estimator : estimator
        The fitted estimator. Its requests and scorers are those that the user set.

    Raises
    ------
    ValueError
        If an estimator of another library asks scorers for weights that nobody can request.
    """
    if not _needs_routing(estimator):
        name = _weight_parameter(estimator)
        weights = {} if name is None else {name: sample_weight}
        return estimator.fit(X, y, **weights, **fit_params)
    with config_context(enable_metadata_routing=True):
        for each in inside(estimator):
            for method in ("fit", "score"):
                if _takes_weights(each, method):
                    _request_weights(each, method, wanted=_learns(each))
            if hasattr(each, "scoring"):
                each.scoring = _weighted_scoring(each)
        consumes = get_routing_for_object(estimator).consumes("fit", ["sample_weight"])
        weights = {"sample_weight": sample_weight} if consumes else {}
        try:
            estimator.fit(X, y, **weights, **fit_params)
        except UnsetMetadataPassedError as error:
            raise ValueError(
                f"sample_weight cannot be passed on inside {type(estimator).__name__}: enable "
                "scikit-learn's metadata routing and request it where it is used, or fit the "
                f"teacher yourself and pass FrozenEstimator(teacher) ({error})"
            ) from error
    _take_back_requests(estimator)
    return estimator


def fitted_without_weights(estimator: Any) -> list[str]:
    """Classes of the classifiers and regressors of a teacher that `fit_with_weights` gives none.

    Parameters
    ----------
    estimator : estimator
        Not fitted yet.

    Returns
    -------
    names : list of str
        Each once.
    """
    if not _needs_routing(estimator):
        if _weight_parameter(estimator) is not None or isinstance(estimator, FrozenEstimator):
            return []
        return [type(last_step(estimator)[0]).__name__]
    names: list[str] = []
    pending = [estimator]
    while pending:
        each = pending.pop(0)
        if isinstance(each, BaggingClassifier | BaggingRegressor):
            continue  # draws rows by their weights, whatever its estimator takes
        inner = list(steps_inside(each))
        pending.extend(inner)
        if not inner and _learns(each) and not has_fit_parameter(each, "sample_weight"):
            names.append(type(each).__name__)
    return list(dict.fromkeys(names))


def _takes_weights(estimator: Any, method: str) -> bool:
    function = getattr(estimator, method, None)
    return function is not None and "sample_weight" in signature(function).parameters


def _learns(estimator: Any) -> bool:
    return bool(is_classifier(estimator) or is_regressor(estimator))


def _needs_routing(estimator: Any) -> bool:
    """Whether weights reach the estimators inside by routing only, and can be routed there."""
    last, prefix, searched = last_step(estimator)
    simple = not holds_others(last) or getattr(last, "_passes_weights_on", False)
    if simple and not (prefix and searched):
        return False  # the parameters of `fit` do
    for each in inside(estimator):
        if has_fit_parameter(each, "sample_weight") and not hasattr(each, "set_fit_request"):
            return False  # CatBoost's know no routing
    with config_context(enable_metadata_routing=True):
        try:
            get_routing_for_object(estimator)
        except NotImplementedError:  # scikit-learn's AdaBoost says so of itself
            return False
    return True


def _weight_parameter(estimator: Any) -> str | None:
    """Name of the weights among the parameters of `fit`; None where there is none."""
    last, prefix, _ = last_step(estimator)
    takes = has_fit_parameter(last, "sample_weight")
    if isinstance(
        last, VotingClassifier | StackingClassifier | VotingRegressor | StackingRegressor
    ):
        takes = all(has_fit_parameter(child, "sample_weight") for child in steps_inside(last))
    return f"{prefix}sample_weight" if takes else None


class _TemporaryRequest(MetadataRequest):
    """A request of our own, which clones keep, with what stood there before."""

    before: MetadataRequest | None

    def __sklearn_clone__(self) -> _TemporaryRequest:
        return copy(self)  # nobody changes it


def _request_weights(owner: Any, method: str, wanted: bool) -> None:
    """Request weights for a method of an estimator or scorer, where the user has not decided."""
    if method_requests(owner, method).get("sample_weight", False) is not None:
        return
    before = vars(owner).get("_metadata_request")
    getattr(owner, f"set_{method}_request")(sample_weight=wanted)
    request = _TemporaryRequest(owner=owner)
    request.__dict__.update(vars(owner._metadata_request))
    request.before = getattr(before, "before", before)
    owner._metadata_request = request


class _TemporaryScoring(dict[str, Any]):
    """Scorers by name, with what stood there before."""

    _scoring_before: Any


def _weighted_scoring(estimator: Any) -> Any:
    """The parameter `scoring` with scorers that request weights."""
    scoring = estimator.scoring
    if scoring in (None, "warn") and isinstance(estimator, LogisticRegressionCV | RFECV):
        # Their defaults, which request nothing.
        scoring = "accuracy" if is_classifier(estimator) else "r2"
    if isinstance(scoring, list | tuple | set):
        scoring = {name: name for name in scoring}
    if isinstance(scoring, dict):
        weighted: Any = _TemporaryScoring(
            {name: _weighted_scorer(scorer) for name, scorer in scoring.items()}
        )
    elif isinstance(scoring, str) or hasattr(scoring, "set_score_request"):
        weighted = _weighted_scorer(scoring)
    else:
        return scoring
    weighted._scoring_before = estimator.scoring
    return weighted


def _weighted_scorer(scoring: Any) -> Any:
    scorer = copy(get_scorer(scoring))
    _request_weights(scorer, "score", wanted=True)
    return scorer


def _take_back_requests(fitted: Any) -> None:
    """Leave the requests and scorers of the user in a fitted estimator and all that it holds."""
    seen: set[int] = set()
    scorers = []
    pending = [fitted]
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list | tuple | set):
            pending.extend(value)
        elif isinstance(value, np.ndarray) and value.dtype == object:
            pending.extend(value.ravel().tolist())
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            request, scoring = (vars(value).get(key) for key in ("_metadata_request", "scoring"))
            if isinstance(request, _TemporaryRequest):
                del value._metadata_request
                if request.before is not None:
                    value._metadata_request = request.before
            if hasattr(scoring, "_scoring_before"):
                value.scoring = scoring._scoring_before
            pending.extend(vars(value).values())
            if "_scoring_before" in vars(value):
                scorers.append(value)
    for scorer in scorers:
        del scorer._scoring_before
