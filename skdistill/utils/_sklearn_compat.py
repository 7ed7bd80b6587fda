"""Every private name of scikit-learn that skdistill uses, in one place.

scikit-learn may move these between releases; what follows a move is changed here and nowhere else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.metrics._scorer import _BaseScorer
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils._repr_html.estimator import _VisualBlock
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import (
    _check_method_params,
    _check_monotonic_cst,
    _check_sample_weight,
)

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn 1.8 has no callbacks

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Without callbacks nothing is added."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Leave the method as it is."""
        return method


__all__ = [
    "CallbackSupportMixin",
    "FitTasks",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_BaseComposition",
    "_BaseScorer",
    "_check_method_params",
    "_check_monotonic_cst",
    "_check_sample_weight",
    "_fit_context",
    "_raise_for_params",
    "hist_gradient_baseline",
    "hist_gradient_predictors",
    "method_requests",
    "tuned_pos_label",
    "validate_params",
    "visual_steps",
    "with_callbacks",
]


def hist_gradient_baseline(estimator: Any) -> NDArray[np.float64]:
    """Raw predictions of a HistGradientBoosting estimator before its first tree.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted.

    Returns
    -------
    baseline : float64 array of shape (n_scores,)
        In the unit of the scores.
    """
    return np.ravel(estimator._baseline_prediction).astype(np.float64)


def hist_gradient_predictors(estimator: Any) -> list[list[Any]]:
    """Trees of a HistGradientBoosting estimator.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted.

    Returns
    -------
    predictors : list of lists of TreePredictor
        One list an iteration, with a tree for each score.
    """
    predictors: list[list[Any]] = estimator._predictors
    return predictors


def method_requests(owner: Any, method: str) -> dict[str, Any]:
    """What an estimator or scorer requests for a method of its own, not for those inside.

    Parameters
    ----------
    owner : estimator or scorer
        Of any kind.
    method : str
        As "fit" or "score".

    Returns
    -------
    requests : dict
        By name of the parameter: True, False, an alias, or None where nothing was decided.
        Empty for objects that know no metadata routing.
    """
    if not hasattr(owner, "_get_metadata_request"):
        return {}
    return dict(getattr(owner._get_metadata_request(), method).requests)


def tuned_pos_label(classifier: Any) -> Any:
    """Label whose score a TunedThresholdClassifierCV compares with its threshold.

    Parameters
    ----------
    classifier : TunedThresholdClassifierCV
        Fitted.

    Returns
    -------
    pos_label : label or None
        None is the second class.
    """
    return classifier._curve_scorer._get_pos_label()


def visual_steps(steps: list[tuple[str, Any]]) -> Any:
    """Boxes one after the other, for the HTML representation of an estimator.

    Parameters
    ----------
    steps : list of (str, estimator or str)
        Name and content of each box.

    Returns
    -------
    block : object
        What ``_sk_visual_block_`` returns.
    """
    # scikit-learn shows the names of what stands side by side: each step stands beside nothing.
    blocks = [
        _VisualBlock("parallel", [content], names=[name], name_details=[str(content)])
        for name, content in steps
    ]
    return _VisualBlock("serial", blocks, dash_wrapped=False)


class FitTasks:
    """Steps of a fit, of which the callbacks of the estimator hear.

    Parameters
    ----------
    estimator : estimator
        A `CallbackSupportMixin`, whose `fit` is wrapped by `with_callbacks`.
    n_tasks : int
        Steps.
    """

    def __init__(self, estimator: Any, n_tasks: int) -> None:
        self._estimator, self._context = estimator, None
        if hasattr(estimator, "_init_callback_context"):
            self._context = estimator._init_callback_context(max_subtasks=n_tasks)
            self._context.call_on_fit_task_begin(estimator=estimator)

    @contextmanager
    def task(self, name: str) -> Iterator[None]:
        """Tell of one step, before and after it.

        Parameters
        ----------
        name : str
            What callbacks show.
        """
        if self._context is None:
            yield
            return
        context = self._context.subcontext(task_name=name)
        context.call_on_fit_task_begin(estimator=self._estimator)
        yield
        context.call_on_fit_task_end(estimator=self._estimator)

    def end(self) -> None:
        """Tell that the fit has ended."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator)
