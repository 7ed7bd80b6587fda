"""Trees of a fitted LightGBM model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.converters.float_trees import FloatTree, TreeEnsemble, depth_first, in_column
from skdistill.converters.refusals import NotExact, check_keys

_HEAD_KEYS = frozenset(
    [
        "average_output",
        "feature_infos",
        "feature_names",
        "label_index",
        "max_feature_idx",
        "monotone_constraints",
        "num_class",
        "num_tree_per_iteration",
        "objective",
        "tree",
        "tree_sizes",
        "version",
    ]
)
_TREE_KEYS = frozenset(
    [
        "cat_boundaries",
        "cat_threshold",
        "decision_type",
        "internal_count",
        "internal_value",
        "internal_weight",
        "is_linear",
        "leaf_coeff",
        "leaf_const",
        "leaf_count",
        "leaf_features",
        "leaf_value",
        "leaf_weight",
        "left_child",
        "num_cat",
        "num_features",
        "num_leaves",
        "right_child",
        "shrinkage",
        "split_feature",
        "split_gain",
        "threshold",
    ]
)
_PREDICTION = {"pred_early_stop": False, "num_iteration_predict": -1, "start_iteration_predict": 0}

_ZERO = float(np.float32(1e-35))  # kZeroThreshold of LightGBM
_LINKS = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
    "poisson": "exp",
    "gamma": "exp",
    "tweedie": "exp",
}


def read_lightgbm(fitted: Any) -> TreeEnsemble:
    """Read what LightGBM predicts with.

    Parameters
    ----------
    fitted : lightgbm.LGBMModel or lightgbm.Booster
        An estimator, or the native model.

    Returns
    -------
    ensemble : TreeEnsemble
        Up to the best iteration, where the fit stopped early.

    Raises
    ------
    ValueError
        For what `lightgbm_trees` refuses.
    """
    if hasattr(fitted, "model_to_string"):
        return lightgbm_trees(fitted.model_to_string())
    booster, classify = fitted.booster_, hasattr(fitted, "predict_proba")
    for name, default in _PREDICTION.items():
        value = fitted.get_params().get(name, default)
        if value != default:
            raise NotExact(
                f"{name}={value!r} of LightGBM, which changes its predictions,",
                classify,
                f"set it back, model.set_params({name}={default!r})",
            )
    return lightgbm_trees(booster.model_to_string())


def lightgbm_trees(text: str) -> TreeEnsemble:
    """Trees of a LightGBM model, from its text.

    Parameters
    ----------
    text : str
        What ``booster.model_to_string()`` gives.

    Returns
    -------
    ensemble : TreeEnsemble
        Values are margins, one column a class, one for two classes or a regression.
        ``node_id`` is what ``pred_leaf`` gives. It compares float64 numbers.

    Raises
    ------
    ValueError
        For averaged trees, linear leaves, categorical splits, zeros that count as missing
        and objectives whose margins are neither values, logits nor the logarithms of
        probabilities.
    """
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    model = _fields(head)
    objective, *options = model.get("objective", "custom").split()
    classify = objective in ("binary", "multiclass", "multiclassova", "cross_entropy")
    if objective not in _LINKS:
        supported = ", ".join(_LINKS)
        raise NotExact(f"objective={objective!r} of LightGBM", classify, f"fit one of {supported}")
    if "sqrt" in options:
        raise NotExact("reg_sqrt of LightGBM", classify, "fit without it")
    if "average_output" in model:
        raise NotExact(
            "boosting_type='rf' of LightGBM", classify, "fit a random forest of scikit-learn"
        )
    check_keys(model, _HEAD_KEYS, "", classify)
    sigmoid = [float(o.partition(":")[2]) for o in options if o.startswith("sigmoid:")]
    factor = sigmoid[0] if sigmoid else 1.0  # a logit is `sigmoid` margins
    n_scores = int(model["num_tree_per_iteration"])
    trees = [
        _float_tree(_fields(block.partition("\n")[2]), i % n_scores, n_scores, factor, classify)
        for i, block in enumerate(blocks)
    ]
    return TreeEnsemble(trees, _LINKS[objective], np.zeros(n_scores), casts_to_float32=False)


def _fields(block: str) -> dict[str, str]:
    """Names and values of a block of lines ``name=value``."""
    return dict(line.partition("=")[::2] for line in block.splitlines() if line)


def _float_tree(
    tree: dict[str, str], column: int, n_scores: int, factor: float, classify: bool
) -> FloatTree:
    """One tree; LightGBM numbers inner nodes and leaves apart, and `~child` is a leaf."""
    if tree.get("is_linear", "0") != "0":
        raise NotExact("linear_tree=True of LightGBM", classify, "fit with linear_tree=False")
    check_keys(tree, _TREE_KEYS, "a tree's ", classify)
    n_leaves = int(tree["num_leaves"])
    n_inner, leaf_ids = n_leaves - 1, np.arange(n_leaves)

    def read(name: str, kind: type) -> NDArray[Any]:
        return np.array(tree[name].split() if n_leaves > 1 else [], kind)

    decision = read("decision_type", int)
    if (decision & 1).any():
        raise NotExact(
            "categorical splits of LightGBM", classify, "encode the categories as numbers"
        )
    missing = decision >> 2 & 3
    if (missing == 1).any():
        raise NotExact(
            "zero_as_missing=True of LightGBM", classify, "make the zeros NaN and fit without it"
        )
    threshold = read("threshold", float)
    # Nearer to 0 than this every value is read as 0.
    zero = np.where(threshold >= 0, _ZERO, np.nextafter(-_ZERO, -1))
    threshold = np.where(np.abs(threshold) <= _ZERO, zero, threshold)
    # Where a column had no NaN in training, NaN is read as 0.
    nan_left = np.where(missing == 2, (decision & 2) > 0, threshold >= 0)
    children = np.column_stack([read("left_child", int), read("right_child", int)])
    children = np.where(children < 0, n_inner + ~children, children)
    value = factor * np.array(tree["leaf_value"].split(), float)
    no_split = np.zeros(n_leaves)
    return depth_first(
        FloatTree(
            np.concatenate([read("split_feature", int), no_split.astype(int) - 1]),
            np.concatenate([threshold, no_split]),
            np.concatenate([nan_left, no_split > 0]),
            np.vstack([children, np.full((n_leaves, 2), -1)]),
            in_column(np.concatenate([np.zeros(n_inner), value]), column, n_scores),
            np.concatenate([np.arange(n_inner), leaf_ids]),
        )
    )
