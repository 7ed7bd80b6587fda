"""Estimators of every kind, rows beside their thresholds, and what rounding may change."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from skdistill.compact import TreeTable, evaluate
from skdistill.converters.kinds import read_fitted
from tests.strategies import adversarial_rows

XGB = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1, "random_state": 0}
LGB = {"n_estimators": 8, "num_leaves": 9, "n_jobs": 1, "verbose": -1, "random_state": 0}
HGB = {"max_iter": 8, "max_leaf_nodes": 9, "min_samples_leaf": 5, "random_state": 0}
NO_NAN = (GradientBoostingClassifier, GradientBoostingRegressor)


def problem(K=0, missing=False, n=400):
    """Rows of four columns and labels of K classes, or values for K = 0."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    X[:, 1] = rng.integers(-3, 4, n)  # thresholds at and between whole numbers
    X[:, 2] *= 1e-35
    score = X[:, 0] + X[:, 1] + np.sign(X[:, 2]) + rng.normal(size=n)
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    if K == 0:
        return X, 500 + 30 * score
    return X, np.digitize(score, np.quantile(score, np.arange(1, K) / K))


def takes_nan(estimator):
    absolute = getattr(estimator, "criterion", None) == "absolute_error"
    return not isinstance(estimator, NO_NAN) and not absolute


def rows_for(estimator, model, seed=0, n=400):
    """float32 rows at and beside all thresholds; NaN where the estimator takes it."""
    rows = np.clip(adversarial_rows(model, seed, n, "float32"), -1e30, 1e30)
    return rows if takes_nan(estimator) else np.nan_to_num(rows, nan=0.5)


def leaf_names(estimator, model, rows):
    """Numbers that the library gives the leaves which rows of the model reach."""
    trees = read_fitted(estimator).scores.trees
    names = np.concatenate([tree.node_id[tree.feature < 0] for tree in trees])
    return names[evaluate.leaves(model, rows)]


def own_leaves(estimator, rows):
    if hasattr(type(estimator), "booster_"):
        return estimator.booster_.predict(rows, pred_leaf=True).reshape(len(rows), -1)
    return np.asarray(estimator.apply(rows)).reshape(len(rows), -1).astype(int)


def check_leaves(estimator, model, rows):
    if isinstance(estimator, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return  # has no `apply`; with 16 bits another leaf shows in the values
    assert np.array_equal(leaf_names(estimator, model, rows), own_leaves(estimator, rows))


def check_labels(estimator, model, rows, P, bound):
    """Labels differ only where two classes are nearer to each other than the rounding."""
    two = np.sort(P, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 2 * bound
    assert clear.mean() > 0.5
    assert (model.predict(rows) == estimator.predict(rows))[clear].all()


def vote_bound(K, bits, n_trees):
    """By how much rounded votes can change a probability; a unit more keeps a tree's label."""
    unit = 2 if n_trees == 1 else 1
    if K == 2:
        return unit / (4 * (2 ** (bits - 1) - 1)) + 1e-6
    high = 2**bits - 1
    return unit * max(1, (K - 1) / 2) / (high - unit * K / 2) + 1e-6


def margin_bound(estimator, model):
    """By how much rounded leaf values, and the bias, can change each score's margin."""
    trees = read_fitted(estimator).scores.trees
    touched = np.sum([tree.values.any(axis=0) for tree in trees], axis=0)
    scale = np.asarray(model.scale)
    return touched[-len(model.bias) :] * scale * model.table(TreeTable).unit / 2 + scale / 2
