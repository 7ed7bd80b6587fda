"""The kinds of fitted estimators that can be read, in one registry.

An estimator is known by the names of its classes, so that XGBoost and LightGBM need not be
installed. What is read of it are nodes of trees, coefficients, and what XGBoost and LightGBM
write about themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import PurePath
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from skdistill.compact._frozen import require
from skdistill.compact.model_tables import VALUE_LINKS
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.lightgbm import read_lightgbm
from skdistill.converters.linear import LinearCoefficients, read_linear
from skdistill.converters.refusals import FROZEN, NotExact, distil_instead
from skdistill.converters.scikit_learn import (
    read_decision_tree,
    read_forest,
    read_gradient_boosting,
    read_hist_gradient_boosting,
)
from skdistill.converters.wrappers import is_passthrough
from skdistill.converters.xgboost import read_xgboost
from skdistill.teachers.booster import library_of

FILE_REMEDIES = {
    ".skd": "skdistill.load reads it",
    ".onnx": "distil it, with OnnxTeacher(path) as the teacher",
}
"""What to do with a file that no library of boosters writes, by its suffix."""

Scores: TypeAlias = TreeEnsemble | LinearCoefficients
"""What gives the scores of a fitted estimator."""


class FittedModel(NamedTuple):
    """What was read of a fitted estimator.

    Attributes
    ----------
    n_features : int
        Columns of its input.
    feature_names : sequence of str, or None
        Of the columns; None where the estimator knows none.
    classes : array of shape (n_classes,), or None
        Labels in the order of the scores; None for a regression.
    scores : TreeEnsemble, LinearCoefficients or None
        None for a classifier of a single class.
    """

    n_features: int
    feature_names: Any
    classes: NDArray[Any] | None
    scores: Scores | None


class Kind(NamedTuple):
    """How a kind of estimator is read.

    Attributes
    ----------
    read : callable
        Takes a fitted estimator and gives a TreeEnsemble or LinearCoefficients.
    columns : callable
        Takes a fitted estimator and gives the number and the names of its columns.
    has_classes : bool
        Whether a classifier knows its labels. Native boosters number them only.
    """

    read: Callable[[Any], Scores]
    columns: Callable[[Any], tuple[int, Any]]
    has_classes: bool = True


def _estimator_columns(estimator: Any) -> tuple[int, Any]:
    check_is_fitted(estimator)
    return int(estimator.n_features_in_), getattr(estimator, "feature_names_in_", None)


def _xgboost_booster_columns(booster: Any) -> tuple[int, Any]:
    return booster.num_features(), booster.feature_names


def _lightgbm_columns(fitted: Any) -> tuple[int, Any]:
    if hasattr(fitted, "fit"):
        check_is_fitted(fitted)
        fitted = fitted.booster_
    names = fitted.feature_name()
    invented = names == [f"Column_{j}" for j in range(len(names))]  # of an array
    return fitted.num_feature(), None if invented else names


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
    "PoissonRegressor",
    "GammaRegressor",
    "TweedieRegressor",
)
KINDS: dict[tuple[str, str], Kind] = {
    ("sklearn", "BaseDecisionTree"): Kind(read_decision_tree, _estimator_columns),
    ("sklearn", "ForestClassifier"): Kind(read_forest, _estimator_columns),
    ("sklearn", "ForestRegressor"): Kind(read_forest, _estimator_columns),
    ("sklearn", "BaseGradientBoosting"): Kind(read_gradient_boosting, _estimator_columns),
    ("sklearn", "BaseHistGradientBoosting"): Kind(read_hist_gradient_boosting, _estimator_columns),
    **{("sklearn", name): Kind(read_linear, _estimator_columns) for name in _LINEAR},
    ("xgboost", "XGBClassifier"): Kind(read_xgboost, _estimator_columns),
    ("xgboost", "XGBRegressor"): Kind(read_xgboost, _estimator_columns),
    ("xgboost", "Booster"): Kind(read_xgboost, _xgboost_booster_columns, has_classes=False),
    ("lightgbm", "LGBMClassifier"): Kind(read_lightgbm, _lightgbm_columns),
    ("lightgbm", "LGBMRegressor"): Kind(read_lightgbm, _lightgbm_columns),
    ("lightgbm", "Booster"): Kind(read_lightgbm, _lightgbm_columns, has_classes=False),
}
"""Library and name of a class, by which its subclasses are known too."""


def read_fitted(estimator: Any, booster_classes: ArrayLike | None = None) -> FittedModel:
    """Read a fitted estimator of a known kind.

    Parameters
    ----------
    estimator : estimator of scikit-learn, XGBoost or LightGBM, or a native Booster
        Of one of the `KINDS`.
    booster_classes : array-like of shape (n_classes,), default=None
        Labels of a native Booster, in the order of its columns; None are 0, 1, ….

    Returns
    -------
    fitted : FittedModel

    Raises
    ------
    TypeError
        For an estimator of another kind.
    NotFittedError
        For one that is not fitted.
    ValueError
        For what a compact model cannot do; the message names it.
    """
    kind = _kind_of(estimator)
    n_features, names = kind.columns(estimator)
    name = type(estimator).__name__
    classes = getattr(estimator, "classes_", None)
    n_outputs = getattr(estimator, "n_outputs_", 1)
    if classes is not None and n_outputs > 1:
        raise ValueError(f"{name} classifies {n_outputs} outputs: fit one estimator for each")
    if classes is not None and len(classes) == 1:
        return FittedModel(n_features, names, classes, None)
    try:
        scores = kind.read(estimator)
    except NotExact as error:
        if kind.has_classes:  # a regressor may have the objective of a classifier
            error.classify = classes is not None
        # A native booster is no estimator that could be frozen.
        raise ValueError(error.text(FROZEN if kind.has_classes else "model")) from None
    if isinstance(scores, TreeEnsemble):
        require(len(scores.trees) > 0, f"{name} has no trees: fit it with one round or more")
        if not kind.has_classes:
            classes = _classes_of_booster(scores, booster_classes)
    if classes is None and scores.link not in VALUE_LINKS:
        raise ValueError(f"{name} has the objective of a classifier: fit a classifier with it")
    if classes is not None and scores.link in VALUE_LINKS:
        raise ValueError(
            f"{name} has an objective that gives neither logits nor probabilities: fit it with "
            "the library's default for classifiers, or distil it. "
            f"{distil_instead(True, FROZEN if kind.has_classes else 'model')}"
        )
    if isinstance(scores, TreeEnsemble) and scores.link == "softmax" and len(scores.baseline) == 2:
        scores = _one_logit(scores)
    return FittedModel(n_features, names, classes, scores)


def _classes_of_booster(ensemble: TreeEnsemble, named: ArrayLike | None) -> NDArray[Any] | None:
    """Labels of a native booster: those that were named, else numbers; None for a regression."""
    if named is None:
        is_regression = ensemble.link in VALUE_LINKS
        return None if is_regression else np.arange(max(2, len(ensemble.baseline)))
    classes = np.asarray(named)
    n_classes = max(2, len(ensemble.baseline))
    require(
        classes.shape == (n_classes,) and len(np.unique(classes)) == n_classes,
        f"classes={classes.tolist()} of BoosterTeacher must be {n_classes} different labels, in "
        "the order of the booster's columns",
    )
    return classes


def _kind_of(estimator: Any) -> Kind:
    if isinstance(estimator, type):
        raise TypeError(
            f"fitted must be an instance, got the class {estimator.__name__}: pass a fitted "
            f"{estimator.__name__}()"
        )
    for base in type(estimator).__mro__:
        kind = KINDS.get((base.__module__.partition(".")[0], base.__name__))
        if kind is not None:
            return kind
    raise _refusal(estimator)


def _refusal(estimator: Any) -> Exception:
    """Error for what is of no known kind, with what to do instead."""
    name, expected = (
        type(estimator).__name__,
        "fitted must be a fitted estimator, Pipeline or Booster",
    )
    if is_passthrough(estimator):
        return TypeError(f"{expected}, got {estimator!r}: pass a Pipeline that ends in a model")
    if isinstance(estimator, str | PathLike):
        remedy = FILE_REMEDIES.get(PurePath(estimator).suffix, "load it with its library first")
        return TypeError(f"{expected}, got the path {str(estimator)!r}: {remedy}")
    if hasattr(estimator, "best_estimator_"):
        return TypeError(f"{name} is a search: use its best_estimator_ in its place")
    if hasattr(estimator, "fit") and not hasattr(estimator, "predict"):
        return TypeError(f"{name} has no predict: pass a Pipeline that ends in a model")
    if not hasattr(estimator, "predict"):
        return TypeError(f"{expected}, got an object of type {name}")
    check_is_fitted(estimator)
    classify = len(getattr(estimator, "classes_", ())) > 0
    line = distil_instead(classify, FROZEN if library_of(estimator) is None else "model")
    return TypeError(f"{name} cannot be read as a compact model. {line}")


def _one_logit(ensemble: TreeEnsemble) -> TreeEnsemble:
    """Two columns of logits as one: their difference."""
    trees = [tree._replace(values=tree.values @ [[-1.0], [1.0]]) for tree in ensemble.trees]
    return ensemble._replace(trees=trees, link="sigmoid", baseline=np.diff(ensemble.baseline))
