"""Trees of a fitted XGBoost model."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from skdistill.converters.float_trees import FloatTree, TreeEnsemble, depth_first, in_column
from skdistill.converters.refusals import NotExact, check_keys

_MODEL_KEYS = frozenset(
    ["cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees", "weight_drop"]
)
_BOOSTER_KEYS = frozenset(["gbtree", "model", "name", "weight_drop"])
_PARAM_KEYS = frozenset(["num_parallel_tree", "num_trees", "size_leaf_vector"])
_LEARNER_KEYS = frozenset(
    ["base_score", "boost_from_average", "num_class", "num_feature", "num_target"]
)
_TREE_KEYS = frozenset(
    [
        "base_weights",
        "categories",
        "categories_nodes",
        "categories_segments",
        "categories_sizes",
        "default_left",
        "id",
        "leaf_weights",
        "left_children",
        "loss_changes",
        "parents",
        "right_children",
        "split_conditions",
        "split_indices",
        "split_type",
        "sum_hessian",
        "tree_param",
    ]
)
_TREE_PARAM_KEYS = frozenset(["num_deleted", "num_feature", "num_nodes", "size_leaf_vector"])

_LINKS = {
    "binary:logistic": "sigmoid",
    "binary:logitraw": "identity",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "reg:squarederror": "identity",
    "reg:squaredlogerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:absoluteerror": "identity",
    "reg:quantileerror": "identity",
    "count:poisson": "exp",
    "reg:gamma": "exp",
    "reg:tweedie": "exp",
}


def read_xgboost(fitted: Any) -> TreeEnsemble:
    """Read what XGBoost predicts with.

    Parameters
    ----------
    fitted : xgboost.XGBModel or xgboost.Booster
        Of an estimator the trees up to its best iteration are read, of a booster all trees.

    Returns
    -------
    ensemble : TreeEnsemble

    Raises
    ------
    ValueError
        For a `missing` other than NaN, and for what `xgboost_trees` refuses.
    """
    if not hasattr(fitted, "get_booster"):
        return xgboost_trees(fitted.save_raw("json"))
    if not np.isnan(fitted.missing):
        raise NotExact(
            f"missing={fitted.missing!r} of XGBoost",
            hasattr(fitted, "predict_proba"),
            "make such values NaN and fit with missing=np.nan",
        )
    best_iteration = getattr(fitted, "best_iteration", None)
    return xgboost_trees(fitted.get_booster().save_raw("json"), best_iteration)


def xgboost_trees(text: bytes | str, best_iteration: int | None = None) -> TreeEnsemble:
    """Trees of an XGBoost model, from its JSON.

    Parameters
    ----------
    text : bytes or str
        What ``booster.save_raw("json")`` gives.
    best_iteration : int, default=None
        The last iteration to read; None reads all.

    Returns
    -------
    ensemble : TreeEnsemble
        Values are margins, one column a class or a target, one for two classes. ``node_id``
        is what ``pred_leaf`` gives.

    Raises
    ------
    ValueError
        For the booster "gblinear", vector leaves, categorical splits and objectives whose
        margins are neither values, logits nor the logarithms of probabilities.
    """
    learner = json.loads(text)["learner"]
    booster = learner["gradient_booster"]
    objective = learner["objective"]["name"]
    classify = objective.startswith(("binary:", "multi:"))
    if booster["name"] not in ("gbtree", "dart"):
        raise NotExact(
            f"booster={booster['name']!r} of XGBoost",
            classify,
            "fit booster='gbtree', or a linear model of scikit-learn",
        )
    if objective not in _LINKS:
        supported = ", ".join(_LINKS)
        raise NotExact(f"objective={objective!r} of XGBoost", classify, f"fit one of {supported}")
    params = learner["learner_model_param"]
    check_keys(params, _LEARNER_KEYS, "learner_model_param.", classify)
    check_keys(booster, _BOOSTER_KEYS, "gradient_booster.", classify)
    n_scores = max(1, int(params["num_class"]), int(params.get("num_target", 1)))
    baseline = np.zeros(n_scores) + np.atleast_1d(json.loads(params["base_score"]))
    if objective == "binary:logistic":
        # The JSON has the probability. XGBoost clips it, and takes the logit, in float32.
        one = np.float32(1)
        clipped = np.clip(baseline.astype(np.float32), np.float32(1e-6), one - np.float32(1e-6))
        baseline = -np.log(one / clipped - one).astype(np.float64)
    elif _LINKS[objective] == "exp":
        baseline = np.log(baseline)
    model = booster["gbtree"]["model"] if "gbtree" in booster else booster["model"]
    check_keys(model, _MODEL_KEYS, "gradient_booster.model.", classify)
    check_keys(model["gbtree_model_param"], _PARAM_KEYS, "gbtree_model_param.", classify)
    for tree in model["trees"]:
        check_keys(tree, _TREE_KEYS, "tree.", classify)
        check_keys(tree["tree_param"], _TREE_PARAM_KEYS, "tree_param.", classify)
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            raise NotExact(
                "multi_strategy='multi_output_tree' of XGBoost",
                classify,
                "fit multi_strategy='one_output_per_tree'",
            )
        if tree["categories_nodes"]:
            raise NotExact(
                "categorical splits of XGBoost (enable_categorical)",
                classify,
                "encode the categories as numbers",
            )
    # Beside the trees up to XGBoost 3.3, among them since.
    dart_weights = booster.get("weight_drop") or model.get("weight_drop")
    n_trees = len(model["trees"])
    if best_iteration is not None:
        n_trees = model["iteration_indptr"][best_iteration + 1]
    trees = []
    for i, (tree, column) in enumerate(
        zip(model["trees"][:n_trees], model["tree_info"][:n_trees], strict=True)
    ):
        weight = dart_weights[i] if dart_weights else 1.0
        trees.append(_float_tree(tree, column, n_scores, weight))
    return TreeEnsemble(trees, _LINKS[objective], baseline, is_strict=True)


def _float_tree(tree: dict[str, Any], column: int, n_scores: int, weight: float) -> FloatTree:
    """One tree of the JSON; `weight` multiplies its values."""
    left = np.array(tree["left_children"], np.intp)
    inner = left >= 0
    # Thresholds of inner nodes, values of leaves.
    conditions = np.array(tree["split_conditions"], np.float32)
    values = np.where(inner, 0, weight * conditions.astype(np.float64))
    return depth_first(
        FloatTree(
            np.where(inner, np.array(tree["split_indices"], np.intp), -1),
            # XGBoost goes left where x < condition.
            np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
            (np.array(tree["default_left"]) > 0) & inner,
            np.column_stack([left, np.array(tree["right_children"], np.intp)]),
            in_column(values, column, n_scores),
            np.arange(len(left)),
        )
    )
