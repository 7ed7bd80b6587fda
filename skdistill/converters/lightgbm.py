"""Trees of a fitted LightGBM model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.converters.float_trees import Ensemble, FloatTree, _parents_first, in_column

_LIGHTGBM_ZERO = float(np.float32(1e-35))


_LIGHTGBM_LINKS = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
}


def lightgbm_trees(text: str) -> Ensemble:
    """Trees of a LightGBM model, from ``booster.model_to_string()``.

    Parameters
    ----------
    text : str

    Returns
    -------
    ensemble : Ensemble
        Values are margins, one column a class, one for two classes or a regression.
        ``number`` is what ``pred_leaf`` gives; of an inner node it is its place.

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
    if objective not in _LIGHTGBM_LINKS:
        known = ", ".join(_LIGHTGBM_LINKS)
        raise ValueError(f"objective={objective!r} of LightGBM is not supported, only {known}")
    if "sqrt" in options:
        raise ValueError("reg_sqrt of LightGBM is not supported")
    if "average_output" in model:
        raise ValueError("boosting_type='rf' of LightGBM is not supported")
    stretch = [float(o.partition(":")[2]) for o in options if o.startswith("sigmoid:")]
    n_scores = int(model["num_tree_per_iteration"])
    column = np.arange(len(blocks)) % n_scores
    trees = [
        _lightgbm_tree(_fields(block), target, n_scores, sum(stretch) or 1)
        for block, target in zip(blocks, column.tolist(), strict=True)
    ]
    return Ensemble(trees, column, np.zeros(n_scores), _LIGHTGBM_LINKS[objective])


def _fields(block: str) -> dict[str, str]:
    """What stands behind each name of a block of lines."""
    return dict(line.partition("=")[::2] for line in block.splitlines())


def _lightgbm_tree(tree: dict[str, str], target: int, n_scores: int, stretch: float) -> FloatTree:
    """A tree whose inner nodes come first, then the leaves, on which `~child` points."""
    if tree.get("is_linear", "0") != "0":
        raise ValueError("linear leaves of LightGBM (linear_tree) are not supported")
    n_leaves = int(tree["num_leaves"])
    inner, leaf = n_leaves - 1, np.arange(n_leaves)

    def read(name: str, kind: type) -> NDArray[Any]:
        return np.array(tree[name].split() if n_leaves > 1 else [], kind)

    decision = read("decision_type", int)
    if (decision & 1).any():
        raise ValueError("categorical splits of LightGBM are not supported")
    missing = decision >> 2 & 3
    if (missing == 1).any():
        raise ValueError("zero_as_missing of LightGBM is not supported")
    threshold = read("threshold", float)
    # Nearer to 0 than this every value is read as 0.
    zero = np.where(threshold >= 0, _LIGHTGBM_ZERO, np.nextafter(-_LIGHTGBM_ZERO, -1))
    threshold = np.where(np.abs(threshold) <= _LIGHTGBM_ZERO, zero, threshold)
    # Where a column had no NaN in training, NaN is read as 0.
    nan_left = np.where(missing == 2, (decision & 2) > 0, threshold >= 0)
    children = np.column_stack([read("left_child", int), read("right_child", int)])
    children = np.where(children < 0, inner + ~children, children)
    value = stretch * np.array(tree["leaf_value"].split(), float)
    nothing = np.zeros(n_leaves)
    return _parents_first(
        FloatTree(
            np.concatenate([read("split_feature", int), nothing.astype(int) - 1]),
            np.concatenate([threshold, nothing]),
            np.concatenate([nan_left, nothing > 0]),
            np.vstack([children, np.full((n_leaves, 2), -1)]),
            in_column(np.concatenate([np.zeros(inner), value]), target, n_scores),
            np.concatenate([np.arange(inner), leaf]),
        )
    )
