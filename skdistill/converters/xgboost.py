"""Trees of a fitted XGBoost model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from skdistill.converters.float_trees import Ensemble, FloatTree, _parents_first, in_column

_XGBOOST_LINKS = {
    "binary:logistic": "sigmoid",
    "binary:logitraw": "identity",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:absoluteerror": "identity",
    "reg:quantileerror": "identity",
}


def xgboost_model(fitted: Any) -> Ensemble:
    """What XGBoost predicts with: up to the best round of an estimator, all of a booster.

    Parameters
    ----------
    fitted : xgboost.XGBModel or xgboost.Booster

    Returns
    -------
    ensemble : Ensemble

    Raises
    ------
    ValueError
        For a `missing` other than NaN, and for what `xgboost_trees` refuses.
    """
    if not hasattr(fitted, "get_booster"):
        return xgboost_trees(fitted.save_raw("json"))
    if not np.isnan(fitted.missing):
        raise ValueError(f"missing={fitted.missing!r} of XGBoost is not supported, only NaN")
    best = getattr(fitted, "best_iteration", None)
    return xgboost_trees(fitted.get_booster().save_raw("json"), best)


def xgboost_trees(text: bytes | str, best_iteration: int | None = None) -> Ensemble:
    """Trees of an XGBoost model, from ``booster.save_raw("json")``.

    Parameters
    ----------
    text : bytes or str
    best_iteration : int, default=None
        The last round to read.

    Returns
    -------
    ensemble : Ensemble
        Values are margins, one column a class or a target, one for two classes. ``number``
        is what ``pred_leaf`` gives.

    Raises
    ------
    ValueError
        For the booster "gblinear", vector leaves, categorical splits and objectives whose
        margins are neither values, logits nor the logarithms of probabilities.
    """
    learner = json.loads(text)["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] not in ("gbtree", "dart"):
        raise ValueError(
            f"booster={booster['name']!r} of XGBoost is not supported, only 'gbtree' and 'dart'"
        )
    objective = learner["objective"]["name"]
    if objective not in _XGBOOST_LINKS:
        known = ", ".join(_XGBOOST_LINKS)
        raise ValueError(f"objective={objective!r} of XGBoost is not supported, only {known}")
    settings = learner["learner_model_param"]
    n_scores = max(1, int(settings["num_class"]), int(settings.get("num_target", 1)))
    start = np.zeros(n_scores) + np.atleast_1d(json.loads(settings["base_score"]))
    if objective.startswith("binary:"):
        start = np.log(start) - np.log1p(-start)
    model = booster["gbtree"]["model"] if "gbtree" in booster else booster["model"]
    # Beside the trees up to XGBoost 3.3, among them since.
    dropped = booster.get("weight_drop") or model.get("weight_drop")
    n_trees = len(model["trees"])
    if best_iteration is not None:
        n_trees = model["iteration_indptr"][best_iteration + 1]
    column = np.array(model["tree_info"][:n_trees], np.intp)
    trees = []
    for number, (tree, target) in enumerate(zip(model["trees"], column, strict=False)):
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            raise ValueError("multi_strategy='multi_output_tree' of XGBoost is not supported")
        if tree["categories_nodes"]:
            raise ValueError("categorical splits of XGBoost (enable_categorical) are not supported")
        left = np.array(tree["left_children"], np.intp)
        numbers = np.array(tree["split_conditions"], np.float32)
        inner = left >= 0
        weight = dropped[number] if dropped else 1.0
        found = FloatTree(
            np.where(inner, np.array(tree["split_indices"], np.intp), -1),
            np.nextafter(numbers, np.float32(-np.inf)).astype(np.float64),
            (np.array(tree["default_left"]) > 0) & inner,
            np.column_stack([left, np.array(tree["right_children"], np.intp)]),
            in_column(np.where(inner, 0, weight * numbers.astype(np.float64)), target, n_scores),
            np.arange(len(left)),
        )
        trees.append(_parents_first(found))
    return Ensemble(trees, column, start, _XGBOOST_LINKS[objective])
