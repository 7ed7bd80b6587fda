"""What was read of a fitted estimator, run against the estimator's own predictions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import get_tags

from skdistill.converters.float_trees import FloatTree, TreeEnsemble
from skdistill.converters.kinds import FittedModel
from skdistill.converters.refusals import FROZEN, distil_instead

N_ROWS = 64  # at and beside thresholds
_MOST_LEAVES = 2**20  # of rows and trees taken at a time
_PRECISION = 1e-5  # of the libraries' float32 sums, beside the largest sum


def verify(estimator: Any, read: FittedModel, X: NDArray[Any] | None = None) -> None:
    """Refuse an estimator whose predictions are not those of what was read of it.

    Both are asked about a few dozen float32 rows at and beside thresholds. Nothing is rounded
    yet, so that they may differ by the libraries' own rounding of sums only.

    Parameters
    ----------
    estimator : estimator or native Booster
        Fitted.
    read : FittedModel
        What was read of it.
    X : float32 or int32 array of shape (n_samples, n_features), default=None
        Rows of the user, of which as many are asked about as well: rows of NaN only where the
        estimator reads them.

    Raises
    ------
    ValueError
        That says how many rows differ, and by how much.
    """
    scores = read.scores
    if scores is None:
        return
    rng = np.random.default_rng(0)
    least = 0.0 if scores.link == "identity" else 1.0  # values may be small, probabilities are not
    further = _some_rows(estimator, X, read.n_features, rng)
    if isinstance(scores, TreeEnsemble):
        rows = _rows_at_thresholds(scores, read.n_features, rng)
        rows = np.concatenate([rows, further])
        own, largest = ensemble_scores(scores, rows)
        tolerance = _PRECISION * (least + largest)
    else:
        rows = rng.normal(size=(N_ROWS, read.n_features)).astype(np.float32)
        rows = np.concatenate([rows, further])
        own = rows.astype(np.float64) @ scores.coef + scores.intercept
        size = np.abs(rows.astype(np.float64)) @ np.abs(scores.coef) + np.abs(scores.intercept)
        tolerance = _PRECISION * (least + float(size.max()))
    expected, own = _predictions(estimator, rows, own, scores.link)
    away = np.abs(expected.reshape(own.shape) - own).max(axis=1)
    other = int((~(away <= tolerance)).sum())
    if other == 0 and read.classes is not None and hasattr(estimator, "classes_"):
        other, away = _other_labels(estimator, rows, own, tolerance)
    if other:
        name = type(estimator).__name__
        teacher = FROZEN if hasattr(estimator, "fit") else "model"
        what = "labels" if read.classes is not None and away.max() <= tolerance else "values"
        raise ValueError(
            f"what convert reads of {name} differs from its own predictions: {other} of "
            f"{len(rows)} rows get other {what}, by up to {np.nanmax(away):.3g} where rounding "
            f"explains {tolerance:.2g}. {name} may change them in a method of its own, or come "
            "from a version of its library that stores models in another way. "
            f"{distil_instead(read.classes is not None, teacher)}"
        )


def _some_rows(
    estimator: Any, X: NDArray[Any] | None, n_features: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Rows of the user that the estimator can read."""
    if X is None:
        return np.zeros((0, n_features), np.float32)
    X = X[rng.permutation(len(X))[:N_ROWS]].astype(np.float32)
    if hasattr(estimator, "__sklearn_tags__") and not get_tags(estimator).input_tags.allow_nan:
        X = X[~np.isnan(X).any(axis=1)]
    return X


def _rows_at_thresholds(
    ensemble: TreeEnsemble, n_features: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Rows of thresholds and their neighbours, in all columns at a time."""
    column = np.concatenate([tree.feature for tree in ensemble.trees])
    threshold = np.concatenate([tree.threshold for tree in ensemble.trees])
    threshold = np.clip(threshold, -1e30, 1e30).astype(np.float32)
    rows = np.zeros((N_ROWS, n_features), np.float32)
    for j in np.unique(column[column >= 0]):
        at = rng.choice(threshold[column == j], N_ROWS)
        end = rng.choice(np.array([-np.inf, np.inf], np.float32), N_ROWS)
        rows[:, j] = np.where(rng.random(N_ROWS) < 1 / 3, at, np.nextafter(at, end))
    return rows


def ensemble_scores(
    ensemble: TreeEnsemble, rows: NDArray[np.floating]
) -> tuple[NDArray[np.float64], float]:
    """Run trees that were read.

    Parameters
    ----------
    ensemble : TreeEnsemble
        What was read of an estimator.
    rows : float array of shape (n_samples, n_features)
        Compared as they are, also where the library itself rounds them.

    Returns
    -------
    scores : float64 array of shape (n_samples, n_scores)
        Before the link.
    largest : float
        The largest that a sum of leaves could reach.
    """
    trees = ensemble.trees
    values = np.concatenate([tree.values for tree in trees])
    n_rows = max(1, _MOST_LEAVES // len(trees))
    total = np.concatenate(
        [
            values[_leaves(trees, rows[start : start + n_rows])].sum(axis=1)
            for start in range(0, len(rows), n_rows)
        ]
    )
    largest = sum(float(np.abs(tree.values).max()) for tree in trees)
    if ensemble.node_weights is not None:
        return total / len(trees), largest / len(trees)
    return total + ensemble.baseline, largest + float(np.abs(ensemble.baseline).max())


def _leaves(trees: Sequence[FloatTree], rows: NDArray[np.floating]) -> NDArray[np.intp]:
    """Node in which each row ends, by row and tree; nodes are numbered through all trees.

    All rows go down all trees at a time, a level a pass: a model has hundreds of trees.
    """
    root = np.concatenate([[0], np.cumsum([len(tree.feature) for tree in trees])])[:-1]
    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees])
    nan_left = np.concatenate([tree.nan_left for tree in trees])
    children = np.concatenate([tree.children + at for tree, at in zip(trees, root, strict=True)])
    node = np.tile(root, len(rows))
    row = np.repeat(np.arange(len(rows)), len(trees))
    active = np.flatnonzero(feature[node] >= 0)
    while len(active):
        at = node[active]
        x = rows[row[active], feature[at]].astype(np.float64)
        left = (x <= threshold[at]) | (np.isnan(x) & nan_left[at])
        node[active] = children[at, np.where(left, 0, 1)]
        active = active[feature[node[active]] >= 0]
    return node.reshape(len(rows), len(trees))


def _predictions(
    estimator: Any, rows: NDArray[np.float32], own: NDArray[np.float64], link: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the estimator says of rows, and the same of our scores."""
    if hasattr(estimator, "save_raw"):  # a Booster of XGBoost, whose "multi:softmax" gives labels
        import xgboost

        data = xgboost.DMatrix(rows, feature_names=estimator.feature_names)
        margins = np.asarray(estimator.predict(data, output_margin=True), np.float64)
        margins = margins.reshape(len(rows), -1)
        if margins.shape[1] > own.shape[1]:  # two logits were made one
            margins = np.diff(margins)
        return margins, own
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.filterwarnings("ignore", ".* does not have valid feature names", UserWarning)
        if hasattr(estimator, "predict_proba"):
            expected = estimator.predict_proba(_as_fitted(estimator, rows))
        elif hasattr(estimator, "decision_function"):
            return np.asarray(estimator.decision_function(_as_fitted(estimator, rows))), own
        else:
            expected = estimator.predict(_as_fitted(estimator, rows))
    expected = np.asarray(expected, np.float64).reshape(len(rows), -1)
    if link == "exp":  # logarithms, as far as float32 holds the values
        with np.errstate(divide="ignore"):
            return np.log(expected).clip(-80, 80), own.clip(-80, 80)
    if link == "sigmoid":
        p = 1 / (1 + np.exp(-own))
        own = p if expected.shape[1] == 1 else np.hstack([1 - p, p])
    elif link == "softmax":
        own = np.exp(own - own.max(axis=1, keepdims=True))
        own /= own.sum(axis=1, keepdims=True)
    return expected, own


def _as_fitted(estimator: Any, rows: NDArray[np.float32]) -> Any:
    """Rows with the names that the estimator was fitted with, where pandas is installed."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        return rows
    try:
        import pandas
    except ImportError:  # the names came from another kind of data frame
        return rows
    return pandas.DataFrame(rows, columns=names)


def _other_labels(
    estimator: Any, rows: NDArray[np.float32], own: NDArray[np.float64], tolerance: float
) -> tuple[int, NDArray[np.float64]]:
    """Rows that get another label although no other class is near."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* does not have valid feature names", UserWarning)
        labels = np.asarray(estimator.predict(_as_fitted(estimator, rows)))
    if labels.size != len(rows):  # XGBoost's labels of two logits are a table
        return 0, np.zeros(len(rows))
    if own.shape[1] == 1:  # a decision function
        own = np.hstack([-own, own])
    two = np.sort(own, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 2 * tolerance
    other = (labels.ravel() != estimator.classes_[own.argmax(axis=1)]) & clear
    return int(other.sum()), np.zeros(len(rows))
