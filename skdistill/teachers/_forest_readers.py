"""What teachers made of trees add up, and what they make of the sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.utils.validation import check_is_fitted

from skdistill.teachers._float_forest import Tree
from skdistill.utils._sklearn_compat import hist_gradient_baseline, hist_gradient_predictors

_FORESTS = (
    RandomForestClassifier,
    ExtraTreesClassifier,
    RandomForestRegressor,
    ExtraTreesRegressor,
)
_TREES = (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
_BOOSTINGS = (GradientBoostingClassifier, GradientBoostingRegressor)
_HISTOGRAMS = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_ZERO = float(np.float32(1e-35))  # LightGBM reads what is nearer to 0 as 0
_LIGHTGBM_VALUES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
_LIGHTGBM_OPTIONS = ("pred_early_stop", "num_iteration_predict", "start_iteration_predict")


class Summands(NamedTuple):
    """A teacher as sums over trees.

    Attributes
    ----------
    trees : callable
        Gives the list of trees. Not called where a teacher is asked for few rows.
    n_nodes, n_trees : int
        How many there are.
    method : {"predict_proba", "predict"}
        What is answered.
    start : float64 array of shape (n_scores,)
        Sums before the first tree.
    link : callable
        What is answered for sums. It holds no estimator, nor does `trees`: both are kept as long
        as the estimator lives.
    dtype : list of type
        Types of rows that are compared; others are cast to the first.
    integers : type
        What arrays of integers are cast to before.
    """

    trees: Callable[[], list[Tree]]
    n_nodes: int
    n_trees: int
    method: str
    start: NDArray[np.float64]
    link: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    dtype: list[Any]
    integers: Any


def tree_parts(estimator: Any) -> list[Any]:
    """What the trees of a fitted teacher are read from.

    Parameters
    ----------
    estimator : fitted estimator
        Of any kind. Subclasses, replaced methods and foreign members may answer otherwise, and
        are not read.

    Returns
    -------
    parts : list of object
        While these are equal the trees are the same: a new fit makes new ones. Empty for what is
        not made of trees, or not read.
    """
    kind = type(estimator)
    if kind not in (*_FORESTS, *_BOOSTINGS, *_HISTOGRAMS) and not _is_lightgbm(estimator):
        return []
    check_is_fitted(estimator)
    if any(callable(getattr(kind, name, None)) for name in vars(estimator)):
        return []
    if kind in _HISTOGRAMS:
        return [part for each in hist_gradient_predictors(estimator) for part in each]
    if kind in _FORESTS or kind in _BOOSTINGS:
        members = np.ravel(estimator.estimators_).tolist()
        if any(type(each) not in _TREES for each in members):
            return []
        trees = [each.tree_ for each in members]
        return trees if kind in _FORESTS else [*trees, estimator.learning_rate]
    booster = estimator.booster_
    return [booster, booster.current_iteration(), booster.best_iteration]


def read_summands(estimator: Any) -> Summands | None:
    """Read what a fitted teacher adds up.

    Parameters
    ----------
    estimator : fitted estimator
        With `tree_parts`.

    Returns
    -------
    summands : Summands or None
        None for what is not read: several outputs of a classifier, columns of categories,
        unusual losses.
    """
    kind = type(estimator)
    if kind in _FORESTS:
        return _forest(estimator)
    if kind in _BOOSTINGS:
        return _gradient_boosting(estimator)
    return _hist_gradient(estimator) if kind in _HISTOGRAMS else _lightgbm(estimator)


def _forest(forest: Any) -> Summands | None:
    classify = hasattr(forest, "classes_")
    if classify and forest.n_outputs_ != 1:
        return None
    parts = tree_parts(forest)
    n_trees, n_outputs = len(parts), forest.n_outputs_

    def trees() -> list[Tree]:
        return [
            _tree(part, part.value[:, 0] if classify else part.value[:, :, 0]) for part in parts
        ]

    def mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        sums /= n_trees
        return sums[:, 0] if not classify and n_outputs == 1 else sums

    width = len(forest.classes_) if classify else n_outputs
    method = "predict_proba" if classify else "predict"
    n_nodes = sum(part.node_count for part in parts)
    return Summands(
        trees, n_nodes, n_trees, method, np.zeros(width), mean, [np.float32], np.float32
    )


def _gradient_boosting(boosting: Any) -> Summands | None:
    classify = hasattr(boosting, "classes_")
    init, n_scores = boosting.init_, boosting.estimators_.shape[1]
    row = np.zeros((1, boosting.n_features_in_))
    if isinstance(init, str):  # "zero"
        start = np.zeros(n_scores)
    elif type(init) is DummyRegressor:
        start = init.predict(row).astype(np.float64).ravel()
    elif type(init) is DummyClassifier and init.strategy == "prior":
        tiny = np.finfo(np.float64).eps
        P = np.clip(init.predict_proba(row)[0], tiny, 1 - tiny)
        start = logit(P[1:]) if n_scores == 1 else np.log(P) - np.log(P).mean()
    else:
        return None
    if classify and boosting.loss != "log_loss":
        return None
    *parts, rate = tree_parts(boosting)

    def trees() -> list[Tree]:
        return [
            _tree(part, rate * part.value[:, :, 0], i % n_scores) for i, part in enumerate(parts)
        ]

    method, link = ("predict_proba", _class_link) if classify else ("predict", np.ravel)
    n_nodes = sum(part.node_count for part in parts)
    dtype = [np.float32]
    return Summands(trees, n_nodes, len(parts), method, start, link, dtype, np.float32)


def _tree(tree: Any, values: NDArray[np.float64], column: int = 0) -> Tree:
    children = tree.children_left, tree.children_right
    return Tree(tree.feature, *children, tree.threshold, np.ascontiguousarray(values), column)


def _hist_gradient(boosting: Any) -> Summands | None:
    classify = hasattr(boosting, "classes_")
    log = getattr(boosting, "loss", "") in ("poisson", "gamma")
    if getattr(boosting, "is_categorical_", None) is not None:
        return None
    start = hist_gradient_baseline(boosting)
    parts = tree_parts(boosting)

    def trees() -> list[Tree]:
        made = []
        for i, part in enumerate(parts):
            nodes = part.nodes
            is_leaf = nodes["is_leaf"] != 0
            left, right = (
                np.where(is_leaf, -1, nodes[name].astype(np.intp)) for name in ("left", "right")
            )
            feature, threshold = nodes["feature_idx"], nodes["num_threshold"]
            values = nodes["value"][:, None].astype(np.float64)
            made.append(Tree(feature, left, right, threshold, values, i % len(start)))
        return made

    def values(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(sums[:, 0]) if log else sums[:, 0]

    n_nodes = sum(len(part.nodes) for part in parts)
    method, link = ("predict_proba", _class_link) if classify else ("predict", values)
    dtype = [np.float64, np.float32]
    return Summands(trees, n_nodes, len(parts), method, start, link, dtype, np.float64)


def _lightgbm(model: Any) -> Summands | None:
    classify = getattr(model, "classes_", None) is not None
    booster = model.booster_
    if any(name in {**booster.params, **model.get_params()} for name in _LIGHTGBM_OPTIONS):
        return None
    head, *blocks = booster.model_to_string().partition("\nend of trees")[0].split("\nTree=")
    fields = _fields(head)
    objective, *options = fields.get("objective", "custom").split()
    n_scores = int(fields["num_tree_per_iteration"])
    known = ("multiclass", "binary") if classify else _LIGHTGBM_VALUES
    if objective not in known or "sqrt" in options or "average_output" in fields:
        return None
    if objective == "binary" and "sigmoid:1" not in options:
        return None
    tables = [_fields(block.partition("\n")[2]) for block in blocks]
    # Bit 0 of a decision is a categorical split; 4 says that zeros are missing.
    decisions = " ".join(table.get("decision_type", "") for table in tables).split()
    if any(int(each) & 1 or int(each) >> 2 & 3 == 1 for each in set(decisions)):
        return None
    if any(table.get("is_linear", "0") != "0" for table in tables):
        return None

    def trees() -> list[Tree]:
        return [_lightgbm_tree(table, i % n_scores) for i, table in enumerate(tables)]

    method, link = ("predict_proba", _class_link) if classify else ("predict", np.ravel)
    n_nodes = len(decisions) * 2 + len(tables)
    start = np.zeros(n_scores)
    dtype = [np.float64, np.float32]
    return Summands(trees, n_nodes, len(tables), method, start, link, dtype, np.float32)


def _is_lightgbm(estimator: Any) -> bool:
    """Whether it is an estimator of LightGBM, or a `BoosterTeacher` with a booster of it."""
    kind = type(estimator)
    if kind.__module__ == "lightgbm.sklearn":
        return kind.__name__ in ("LGBMClassifier", "LGBMRegressor")
    return (
        kind.__module__ == "skdistill.teachers.booster"
        and estimator.response_method == "predict_proba"
        and type(getattr(estimator, "booster_", None)).__module__ == "lightgbm.basic"
    )


def _fields(block: str) -> dict[str, str]:
    """Names and values of lines ``name=value``."""
    return dict(line.partition("=")[::2] for line in block.splitlines() if line)


def _lightgbm_tree(table: dict[str, str], column: int) -> Tree:
    """Inner nodes first, then leaves, which LightGBM numbers apart: `~child` is a leaf."""
    leaf_values = np.array(table["leaf_value"].split(), np.float64)
    n_inner, none = len(leaf_values) - 1, np.full(len(leaf_values), -1)

    def read(name: str, kind: type) -> NDArray[Any]:
        return np.array(table[name].split() if n_inner else [], kind)

    left, right = (
        np.concatenate([np.where(child < 0, n_inner + ~child, child), none])
        for child in (read("left_child", int), read("right_child", int))
    )
    threshold = read("threshold", float)
    zero = np.where(threshold >= 0, _ZERO, np.nextafter(-_ZERO, -1))
    threshold = np.where(np.abs(threshold) <= _ZERO, zero, threshold)
    return Tree(
        np.concatenate([read("split_feature", int), none]),
        left,
        right,
        np.concatenate([threshold, none]),
        np.concatenate([np.zeros(n_inner), leaf_values])[:, None],
        column,
    )


def _class_link(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of logits; a single column is for the second class."""
    if sums.shape[1] == 1:
        positive = expit(sums)
        return np.hstack([1 - positive, positive])
    P: NDArray[np.float64] = softmax(sums, axis=1)
    return P
