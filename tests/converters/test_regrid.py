"""Thresholds on a grid: as exact as the type of the rows allows, or fewer of them."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import convert
from skdistill.compact import TreeTable
from skdistill.converters.float_trees import FloatTree
from skdistill.converters.regrid import _last_integers, on_edges
from tests.converters.harness import (
    HGB,
    LGB,
    XGB,
    leaf_names,
    own_leaves,
    problem,
)
from tests.strategies import seeds


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(5, random_state=0),
        GradientBoostingClassifier(n_estimators=5),
        HistGradientBoostingClassifier(**HGB),
        xgboost.XGBClassifier(**XGB),
        lightgbm.LGBMClassifier(**LGB),
    ],
    ids=repr,
)
def test_int32_input(estimator):
    X, y = load_digits(return_X_y=True)
    estimator = clone(estimator).fit(X[::4], y[::4])
    model = convert(estimator, dtype="int32", value_bits=16)
    assert model.input_dtype == "int32"
    assert np.array_equal(
        model.table(TreeTable).grid.edges, np.floor(model.table(TreeTable).grid.edges)
    )
    floats = convert(estimator, value_bits=16)
    assert np.array_equal(model.scores(X.astype(np.int32)), floats.scores(X))


@pytest.mark.parametrize(
    "estimator", [DecisionTreeClassifier(), xgboost.XGBClassifier(**XGB)], ids=repr
)
def test_wide_integers_part_where_float32_parts_them(estimator):
    rng = np.random.default_rng(0)
    X = rng.integers(-(2**30), 2**30, (300, 1)).astype(np.int32)
    estimator = clone(estimator).fit(X, X[:, 0] // 2**25 % 2)
    model = convert(estimator, dtype="int32")
    rows = (model.table(TreeTable).grid.edges[:, None] + np.arange(-80, 81)).reshape(-1, 1)
    assert np.array_equal(leaf_names(estimator, model, rows), own_leaves(estimator, rows))


@given(seeds, st.sampled_from([1.0, 2.0**22, 2.0**24, 2.0**31]))
def test_last_integers_are_the_last(seed, size):
    rng = np.random.default_rng(seed)
    edges = (size * rng.normal(size=200)).astype(np.float32)
    edges = np.concatenate([edges, np.round(edges[:50])])
    last = _last_integers(edges).astype(np.int64)
    fits = (last.astype(np.float32) <= edges) | (last == -(2**31))
    more = (last + 1).astype(np.float32) > edges
    assert (fits & (more | (last == 2**31 - 1))).all()


def test_wide_integers_of_lightgbm_are_exact():
    rng = np.random.default_rng(0)
    X = rng.integers(2**30, 2**30 + 60, (400, 1))
    estimator = lightgbm.LGBMClassifier(**LGB).fit(X.astype(float), X[:, 0] % 16 > 7)
    model = convert(estimator, dtype="int32")
    assert len(model.table(TreeTable).grid.edges) > 3
    expected = own_leaves(estimator, X.astype(float))
    assert np.array_equal(leaf_names(estimator, model, X.astype(np.int32)), expected)


def test_fewer_thresholds_on_request():
    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(np.float32)
    forest = RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2])
    model = convert(forest, X=X[::2], threshold_bits=6)
    assert model.table(TreeTable).grid.counts.max() <= 62
    assert model.nbytes < 0.7 * convert(forest).nbytes
    assert (model.predict(X[1::2]) == forest.predict(X[1::2])).mean() > 0.97


def test_thresholds_outside_float32_are_refused():
    X, y = problem(2)
    estimator = HistGradientBoostingClassifier(**HGB).fit(X.astype(float) * 1e60, y)
    with pytest.raises(ValueError, match="split below the least number of float32"):
        convert(estimator)


def test_threshold_bits_make_room_for_more_thresholds_than_a_grid_holds():
    X = np.arange(70_000.0)[:, None]
    y = np.random.default_rng(0).normal(size=len(X))
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    with pytest.raises(ValueError, match=r"different thresholds, .* pass threshold_bits=16 and X"):
        convert(tree)
    model = convert(tree, X, threshold_bits=10)
    assert 500 < len(model.table(TreeTable).grid.edges) <= 1022


def test_a_chain_of_3000_splits():
    X = np.arange(3001.0)[:, None]
    y = np.cumsum(2.0 ** -np.minimum(np.arange(3001), 40)) * (-1.0) ** np.arange(3001)
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    fine = on_edges([_chain(3000)], 1)
    assert len(fine.grid().edges) == 3000
    model = convert(tree, X, value_bits=16)
    assert np.abs(model.predict(X) - y).max() < 1e-3


def _chain(depth):
    """Inner nodes 0, 2, 4 … whose left child is a leaf, and the last leaf at the end."""
    n = 2 * depth + 1
    inner = (np.arange(n) % 2 == 0) & (np.arange(n) < n - 1)
    children = np.where(inner[:, None], np.arange(n)[:, None] + [1, 2], -1)
    return FloatTree(
        np.where(inner, 0, -1),
        np.arange(n) / 2.0,
        np.zeros(n, bool),
        children,
        np.zeros((n, 1)),
        np.arange(n),
    )
