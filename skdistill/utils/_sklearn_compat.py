"""Every private name of scikit-learn that skdistill uses, in one place.

scikit-learn may move these between releases; what follows a move is changed here and nowhere else.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.model_selection._search import BaseSearchCV
from sklearn.neural_network._base import ACTIVATIONS
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions, validate_params
from sklearn.utils.validation import _check_sample_weight

__all__ = [
    "ACTIVATIONS",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_check_sample_weight",
    "_fit_context",
    "hist_gradient_baseline",
    "hist_gradient_predictors",
    "tuned_pos_label",
    "validate_params",
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
