"""Fitted estimators as compact models, without distillation. Reads attributes, imports no library.

An estimator is known by the names of its classes. What is read of it are nodes of trees,
coefficients, and what XGBoost and LightGBM write about themselves.

Symbols: d columns, S score columns, T trees, N nodes of a tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact._frozen import require
from skdistill.compact.evaluate import as_input
from skdistill.compact.tables.limits import INT32_MAX, value_limits
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.converters.decision_threshold import with_threshold
from skdistill.converters.float_trees import Ensemble, FloatTree, in_column
from skdistill.converters.lightgbm import lightgbm_trees
from skdistill.converters.linear import (
    Linear,
    linear_coefficients,
    linear_tables,
    on_all_columns,
)
from skdistill.converters.regrid import coarser, on_a_grid
from skdistill.converters.scikit_learn import hist_gradient_trees, scikit_learn_trees
from skdistill.converters.xgboost import xgboost_model
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_values, leaf_votes, margin_values


class Trees(NamedTuple):
    """What was read of an estimator that is made of trees.

    Attributes
    ----------
    trees : list of FloatTree
    link : str
        As in a compact model; "normalize" for voters.
    mass : list of T float64 arrays of shape (N,), or None
        Weight of the training rows in each node of trees that are averaged; None where
        values add up.
    start : float64 array of shape (S,)
        Margins before the first tree.
    through_float32 : bool
        Whether the estimator rounds its input to float32.
    """

    trees: list[FloatTree]
    link: str
    mass: list[NDArray[np.float64]] | None = None
    start: NDArray[np.float64] = np.zeros(1)
    through_float32: bool = True


def convert(
    fitted: Any,
    X: ArrayLike | None = None,
    *,
    dtype: str = "float32",
    threshold_bits: int | None = None,
    value_bits: int | str = 8,
) -> CompactModel:
    """Read a fitted estimator as it is, without distillation.

    The thresholds of trees are lossless: a row of `dtype` goes the way it goes in the
    estimator, at a threshold and with NaN too. Only leaf values and weights are rounded.
    Voters keep their votes ("normalize"), a single tree keeps the label of every leaf;
    boosters keep their margins and start from the same base score or `init`. Columns
    that a linear estimator reads become integers: whole numbers are read as they are
    where 16 bits allow, others in steps of a power of two.

    Of 3,552 test rows (digits and breast cancer, three halves of each), 8 bits gave
    trees and forests no other label, boosters of 50 rounds at most 3 and logistic
    regression 5; with 10 bits or more all labels were the estimator's.

    Parameters
    ----------
    fitted : fitted estimator
        DecisionTree, ExtraTree, RandomForest, ExtraTrees, GradientBoosting,
        HistGradientBoosting, LogisticRegression, RidgeClassifier, LinearRegression,
        Ridge, Lasso or ElasticNet of scikit-learn, an XGBoost or LightGBM classifier,
        regressor or ``Booster``. Regressions of several targets too. It may stand in a
        FrozenEstimator or in a Pipeline of one step. A FixedThresholdClassifier or
        TunedThresholdClassifierCV around one of them, or around a student or distiller
        of this package, gives the model its `threshold`: labels are then those of its
        threshold for every score of the model.
    X : array-like of shape (n, d), default=None
        Rows that show the range of the inputs; needed by linear estimators and by
        `threshold_bits`. Columns of whole numbers are known by them, and a column that
        is constant in them counts as constant.
    dtype : {"float32", "int32"}, default="float32"
        Type of the input. "int32" keeps whole numbers as thresholds.
    threshold_bits : int in [2, 16], default=None
        Of trees: move each threshold to one of at most 2^`threshold_bits` − 2 even steps
        of its column, where it changes the way of fewest rows of `X`; 8 to 10 bits save
        a quarter to half of the bytes. Of linear estimators: bits of the inputs; by
        default as many as whole numbers need (at least 8), and 14 for others.
    value_bits : int in [2, 16] or "ternary", default=8
        Of leaf values and weights. The step of leaf values is the spread of the values
        of the widest tree over 2^`value_bits`; votes are within half a step of 1.

    Returns
    -------
    model : CompactModel

    Raises
    ------
    TypeError
        For an estimator of another kind.
    ValueError
        For one that is not fitted, and for what cannot be told: categorical splits,
        several outputs to classify, links other than those of a compact model. The
        message names it.

    Notes
    -----
    LightGBM and HistGradientBoosting compare float64 rows; equality is claimed for rows
    of `dtype`. scikit-learn's trees and XGBoost round all input to float32 first, so
    that int32 edges beyond 2^24 lie where that rounding has its own.
    The "softmax" of a RidgeClassifier reads its decision function; the estimator itself
    has no probabilities.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import convert
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(10, max_depth=3, random_state=0).fit(X, y)
    >>> model = convert(forest)
    >>> model.link, bool((model.predict(X) == forest.predict(X)).all())
    ('normalize', True)
    """
    value_limits(value_bits, signed=True)
    if threshold_bits is not None:
        whole = isinstance(threshold_bits, int | np.integer) and threshold_bits in range(2, 17)
        require(whole, f"threshold_bits must be None or an int in [2, 16], got {threshold_bits!r}")
    require(dtype in ("float32", "int32"), f"dtype must be 'float32' or 'int32', got {dtype!r}")
    estimator = _unwrapped(fitted)
    if any(_is_a(estimator, "sklearn", name) for name in _THRESHOLDS):
        return _with_threshold(estimator, X, dtype, threshold_bits, value_bits)
    read = _reader(estimator)
    n_features, names, classes = _about(estimator)
    rows = None if X is None else _rows(X, n_features, dtype)
    if classes is not None and len(classes) == 1:
        return CompactModel(
            n_features, np.zeros(1, np.int32), 1.0, "normalize", classes, feature_names=names
        )
    found = read(estimator)
    if classes is None and found.link != "identity":
        # Boosters know numbers of classes only.
        require(_is_booster(estimator), f"{_name(estimator)} has the objective of a classifier")
        classes = np.arange(max(2, len(found.start)))
    if classes is not None:
        require(
            found.link != "identity",
            f"{_name(estimator)} has an objective that gives neither logits nor probabilities",
        )
    if isinstance(found, Linear):
        bias, scale, tables = linear_tables(found, rows, threshold_bits, value_bits)
    else:
        if classes is not None and len(classes) == 2 and found.link == "softmax":
            found = _one_logit(found)
        bias, scale, tables = _tree_tables(
            found, n_features, rows, dtype, threshold_bits, value_bits
        )
    model = CompactModel(n_features, bias, scale, found.link, classes, tables, feature_names=names)
    wide = [
        replace(model, tables=(on_all_columns(linear, n_features),))
        for linear in model.tables_of(LinearTable)
    ]
    return min([model, *wide], key=lambda made: made.nbytes)


def _tree_tables(
    found: Trees,
    n_features: int,
    rows: NDArray[Any] | None,
    dtype: str,
    threshold_bits: int | None,
    value_bits: int | str,
) -> tuple[NDArray[np.int32], Any, tuple[TreeTable, ...]]:
    """Bias, scale and trees."""
    grid, trees = on_a_grid(found.trees, n_features, dtype, through_float32=found.through_float32)
    if threshold_bits is not None:
        if rows is None:
            raise ValueError("threshold_bits needs X: rows that show where the values lie")
        grid, trees = coarser(grid, trees, fit_grid(rows, threshold_bits, binning="uniform"), rows)
    is_leaf = [tree.feature < 0 for tree in trees]
    parts = [tree.values[leaf] for tree, leaf in zip(trees, is_leaf, strict=True)]
    values, bias, scale, unit = _integers(found, parts, is_leaf, value_bits)
    whole = []
    for tree, leaf, part in zip(trees, is_leaf, values, strict=True):
        wide = np.zeros((len(leaf), part.shape[1]), np.int32)
        wide[leaf] = part
        whole.append(tree._replace(values=wide))
    return bias, scale, (assemble(grid, whole, value_bits, unit),)


def _integers(
    found: Trees,
    parts: list[NDArray[np.float64]],
    is_leaf: list[NDArray[np.bool_]],
    value_bits: int | str,
) -> tuple[list[NDArray[np.int32]], NDArray[np.int32], Any, int]:
    """Integer values of the leaves of each tree, bias, scale and unit."""
    n_trees = len(parts)
    if found.mass is None:
        one_scale = found.link != "identity"
        margins, bias, scale, unit = margin_values(
            parts, found.start, value_bits, one_scale=one_scale
        )
        return margins, bias, float(scale[0]) if one_scale else scale, unit
    V = np.vstack(parts)
    ends = np.cumsum([len(part) for part in parts])[:-1]
    if found.link == "normalize":
        votes, bias, worth = leaf_votes(V, value_bits, n_trees)
        return np.split(votes, ends), bias, worth, 1
    mass = np.concatenate([m[leaf] for m, leaf in zip(found.mass, is_leaf, strict=True)])
    values, bias, scale, unit = leaf_values(V / n_trees, mass, value_bits, n_trees)
    return np.split(values, ends), bias, scale, unit


def _one_logit(found: Trees) -> Trees:
    """Two columns of logits as one: their difference."""
    trees = [tree._replace(values=tree.values @ [[-1.0], [1.0]]) for tree in found.trees]
    return found._replace(trees=trees, link="sigmoid", start=np.diff(found.start))


def _rows(X: ArrayLike, n_features: int, dtype: str) -> NDArray[Any]:
    rows = as_input(X, n_features)
    require(len(rows) > 0, "X has no rows")
    require(not np.isinf(rows).any(), "X has infinities")
    if dtype == "float32":
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32)
        require(not np.isinf(rows).any(), "X has values beyond float32")
        return rows
    require(
        bool(((rows == np.floor(rows)) & (np.abs(rows.astype(np.float64)) <= INT32_MAX)).all()),
        "X has values that are no int32, but dtype='int32'",
    )
    return rows.astype(np.int32)


def _name(estimator: Any) -> str:
    return type(estimator).__name__


def _is_a(estimator: Any, library: str, name: str) -> bool:
    return any(
        kind.__name__ == name and kind.__module__.partition(".")[0] == library
        for kind in type(estimator).__mro__
    )


def _is_booster(estimator: Any) -> bool:
    return _is_a(estimator, "xgboost", "Booster") or _is_a(estimator, "lightgbm", "Booster")


def _unwrapped(estimator: Any) -> Any:
    """What a pipeline of one step, or a FrozenEstimator, holds."""
    if _is_a(estimator, "sklearn", "FrozenEstimator"):
        return _unwrapped(estimator.estimator)
    if _is_a(estimator, "sklearn", "Pipeline"):
        *before, (_, last) = estimator.steps
        before = [step for _, step in before if step not in (None, "passthrough")]
        if before:
            raise ValueError(
                f"a Pipeline that begins with {_name(before[0])} is more than its model: pass the "
                "last step, pipeline[-1], to read that, and fold the steps before it into the "
                "result or apply them before it"
            )
        return _unwrapped(last)
    return estimator


def _with_threshold(
    tuned: Any, X: ArrayLike | None, dtype: str, threshold_bits: int | None, value_bits: int | str
) -> CompactModel:
    """A classifier whose labels are cut at a threshold of its own."""
    if _is_a(tuned, "sklearn", "TunedThresholdClassifierCV"):
        require(
            hasattr(tuned, "best_threshold_"), f"{_name(tuned)} is not fitted yet: call its fit"
        )
        threshold, pos_label = tuned.best_threshold_, tuned._curve_scorer._get_pos_label()
    else:  # which needs no fit of its own around a fitted classifier
        threshold, pos_label = tuned.threshold, tuned.pos_label
    inner = _unwrapped(getattr(tuned, "estimator_", tuned.estimator))
    found = getattr(inner, "compact_", None)
    if found is None:
        found = convert(inner, X, dtype=dtype, threshold_bits=threshold_bits, value_bits=value_bits)
    function = tuned.response_method
    if function == "auto":
        function = "predict_proba" if hasattr(inner, "predict_proba") else "decision_function"
    require(
        function == "predict_proba" or getattr(inner, "loss", None) != "exponential",
        "the decision function of the exponential loss is half a logit: tune the threshold with "
        "response_method='predict_proba'",
    )
    if isinstance(threshold, str):
        threshold = 0.5 if function == "predict_proba" else 0.0
    return with_threshold(found, float(threshold), function=function, pos_label=pos_label)


def _reader(estimator: Any) -> Callable[[Any], Any]:
    for (library, name), read in _READERS.items():
        if _is_a(estimator, library, name):
            return read
    if isinstance(estimator, type):
        raise TypeError(f"estimator must be fitted, got the class {estimator.__name__}")
    if hasattr(estimator, "compact_"):
        raise TypeError(f"{_name(estimator)} has a compact model already: use its compact_")
    if hasattr(estimator, "best_estimator_"):
        raise TypeError(f"{_name(estimator)} is a search: pass its best_estimator_")
    raise TypeError(
        f"{_name(estimator)} cannot be read as a compact model: distil it with DistilledClassifier "
        "or DistilledRegressor instead"
    )


def _about(estimator: Any) -> tuple[int, Any, NDArray[Any] | None]:
    """Number of columns, their names, classes."""
    if _is_booster(estimator):
        if hasattr(estimator, "num_features"):
            return estimator.num_features(), estimator.feature_names, None
        return estimator.num_feature(), None, None
    if not hasattr(estimator, "n_features_in_"):
        raise ValueError(f"{_name(estimator)} is not fitted yet: call its fit first")
    names = getattr(estimator, "feature_names_in_", None)
    outputs = getattr(estimator, "n_outputs_", 1)
    classes = getattr(estimator, "classes_", None)
    if classes is not None and outputs > 1:
        raise ValueError(
            f"{_name(estimator)} classifies {outputs} outputs: fit one estimator for each"
        )
    return int(estimator.n_features_in_), names, classes


def _read_tree(estimator: Any) -> Trees:
    return _averaged([estimator], hasattr(estimator, "classes_"))


def _read_forest(estimator: Any) -> Trees:
    return _averaged(estimator.estimators_, hasattr(estimator, "classes_"))


def _averaged(members: Any, classify: bool) -> Trees:
    trees = [member.tree_ for member in members]
    return Trees(
        scikit_learn_trees(trees, classify=classify),
        "normalize" if classify else "identity",
        [tree.weighted_n_node_samples for tree in trees],
    )


def _read_gradient_boosting(estimator: Any) -> Trees:
    classify = hasattr(estimator, "classes_")
    stages = estimator.estimators_
    n_scores = stages.shape[1]
    init, row = estimator.init_, np.zeros((1, estimator.n_features_in_))
    # Twice the margin of the exponential loss is the logit.
    stretch = 2.0 if estimator.loss == "exponential" else 1.0
    if isinstance(init, str) and init == "zero":
        start = np.zeros(n_scores)
    elif _is_a(init, "sklearn", "DummyRegressor"):
        start = init.predict(row).ravel()
    elif _is_a(init, "sklearn", "DummyClassifier") and init.strategy != "stratified":
        eps = np.finfo(np.float64).eps
        log = np.log(np.clip(init.predict_proba(row)[0], eps, 1 - eps))
        start = np.diff(log) if n_scores == 1 else log - log.mean()
    else:
        raise ValueError(
            f"init={init!r} of {_name(estimator)} is not supported: fit it with init=None or 'zero'"
        )
    trees = scikit_learn_trees((tree.tree_ for tree in stages.ravel()), classify=False)
    factor = stretch * estimator.learning_rate
    trees = [
        tree._replace(values=in_column(factor * tree.values[:, 0], i % n_scores, n_scores))
        for i, tree in enumerate(trees)
    ]
    link = "identity" if not classify else "sigmoid" if n_scores == 1 else "softmax"
    return Trees(trees, link, start=start)


def _read_hist_gradient_boosting(estimator: Any) -> Trees:
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        raise ValueError(
            f"categorical_features of {_name(estimator)} are not supported: encode the columns "
            "as numbers"
        )
    classify = hasattr(estimator, "classes_")
    losses = ("log_loss",) if classify else ("squared_error", "absolute_error", "quantile")
    if estimator.loss not in losses:
        raise ValueError(
            f"loss={estimator.loss!r} of {_name(estimator)} is not supported, only "
            f"{', '.join(losses)}"
        )
    start = np.ravel(estimator._baseline_prediction).astype(np.float64)
    link = "identity" if not classify else "sigmoid" if len(start) == 1 else "softmax"
    trees = hist_gradient_trees(estimator._predictors)
    return Trees(trees, link, start=start, through_float32=False)


def _read_xgboost(estimator: Any) -> Trees:
    return _added(xgboost_model(estimator), through_float32=True)


def _read_lightgbm(estimator: Any) -> Trees:
    booster = estimator if _is_booster(estimator) else estimator.booster_
    return _added(lightgbm_trees(booster.model_to_string()), through_float32=False)


def _added(read: Ensemble, *, through_float32: bool) -> Trees:
    require(len(read.trees) > 0, "the model has no trees: it is not fitted")
    return Trees(read.trees, read.link, start=read.start, through_float32=through_float32)


_THRESHOLDS = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")
_LINEAR = (
    "LogisticRegression",
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "ElasticNet",
    "ElasticNetCV",
    "LassoCV",
)
_READERS: dict[tuple[str, str], Callable[[Any], Trees | Linear]] = {
    ("sklearn", "BaseDecisionTree"): _read_tree,
    ("sklearn", "ForestClassifier"): _read_forest,
    ("sklearn", "ForestRegressor"): _read_forest,
    ("sklearn", "BaseGradientBoosting"): _read_gradient_boosting,
    ("sklearn", "BaseHistGradientBoosting"): _read_hist_gradient_boosting,
    ("xgboost", "XGBClassifier"): _read_xgboost,
    ("xgboost", "XGBRegressor"): _read_xgboost,
    ("xgboost", "Booster"): _read_xgboost,
    ("lightgbm", "LGBMClassifier"): _read_lightgbm,
    ("lightgbm", "LGBMRegressor"): _read_lightgbm,
    ("lightgbm", "Booster"): _read_lightgbm,
    **{("sklearn", name): linear_coefficients for name in _LINEAR},
}
