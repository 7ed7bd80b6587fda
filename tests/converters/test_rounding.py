"""Rows of float64 on both sides of thresholds that float32 moves or merges."""

from __future__ import annotations

import warnings

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import convert
from skdistill.converters.regrid import on_edges
from tests.converters.harness import HGB, LGB, XGB, leaf_names, own_leaves

FINE = {"min_child_samples": 1, "min_child_weight": 0}
COMPARE_FLOAT64 = [
    lightgbm.LGBMClassifier(**LGB | {"n_estimators": 40, "num_leaves": 31}, **FINE),
    HistGradientBoostingClassifier(max_iter=40, min_samples_leaf=1, random_state=0),
]
CAST = [xgboost.XGBClassifier(**XGB), RandomForestClassifier(5, random_state=0)]
k = np.arange(300)


def margins_agree(estimator, model, X):
    P = estimator.predict_proba(X)
    return np.abs(model.predict_proba(X) - P).max(axis=1) < 1e-3


@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("estimator", [*COMPARE_FLOAT64, *CAST], ids=lambda e: type(e).__name__)
def test_decimals_go_their_own_way(estimator, with_rows):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(2000, 4)) * 10, 2)
    y = (X[:, 0] + X[:, 1] * np.sign(X[:, 2]) > rng.normal(size=2000)).astype(int)
    estimator = clone(estimator).fit(X, y)
    model = convert(estimator, X if with_rows else None, value_bits=16)
    assert margins_agree(estimator, model, X).all()


def test_float32_rows_go_their_own_way_where_they_are_announced():
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(2000, 2)) * 10, 2)
    estimator = lightgbm.LGBMClassifier(**LGB).fit(X, X[:, 0] + X[:, 1] > 1)
    model = convert(estimator, dtype="float32")
    rows = X.astype(np.float32)
    assert np.array_equal(leaf_names(estimator, model, rows), own_leaves(estimator, rows))


@pytest.mark.parametrize("estimator", COMPARE_FLOAT64, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    ("first", "step", "remedy"),
    [
        (1_700_000_000, 7, "dtype='int32'"),
        (2**24, 1, "dtype='int32'"),
        (1e5, 0.002, "dtype='int32'"),
        (1_700_000_000_000, 7, "subtract an offset"),
    ],
)
def test_merged_thresholds_are_counted(estimator, first, step, remedy):
    X = (first + step * k)[:, None].astype(float)
    estimator = clone(estimator).fit(X, k // 6 % 3)
    with pytest.warns(
        UserWarning, match=rf"float32 merges or moves \d+ of \d+ thresholds of column 0.*{remedy}"
    ):
        convert(estimator)
    with pytest.warns(UserWarning, match=r"merges or moves \d+ of .* rows of X change sides"):
        model = convert(estimator, X, value_bits=16)
    assert not margins_agree(estimator, model, X).all()


def test_the_rows_that_change_sides_are_counted():
    X = (2**24 + k)[:, None].astype(float)
    estimator = lightgbm.LGBMClassifier(**LGB, **FINE).fit(X, k % 2)
    with pytest.warns(UserWarning, match="change sides") as caught:
        convert(estimator, X)
    fine = on_edges(_trees(estimator), 1, "float64", X=X)
    grid = fine.grid()
    rows = np.zeros(len(X), bool)
    for tree, on_grid in zip(_trees(estimator), fine.trees, strict=True):
        for node in np.flatnonzero(tree.feature >= 0):
            edge = grid.edges[on_grid.threshold[node]]
            rows |= (X[:, 0] <= tree.threshold[node]) != (X[:, 0].astype(np.float32) <= edge)
    assert fine.n_moved_rows == rows.sum() > 0
    assert f"{rows.sum()} rows of X change sides" in str(caught[0].message)


def _trees(estimator):
    from skdistill.converters.kinds import read_fitted

    return read_fitted(estimator).scores.trees


def test_rows_place_the_edges_between_them():
    """A float64 threshold that rounds to the number of the row above it moves below that row."""
    low, high = 1 + 2.0**-24 * 0.9, 1 + 2.0**-24 * 1.1  # float32 takes them to 1 and 1 + 2^-23
    X = np.array([[low], [high]] * 30)
    threshold = low + (high - low) * 0.9  # rounds up
    assert np.float32(threshold) == np.float32(high)
    estimator = lightgbm.LGBMClassifier(**LGB, **FINE).fit(X, [0, 1] * 30)
    trees = [
        t._replace(threshold=np.where(t.feature >= 0, threshold, 0)) for t in _trees(estimator)
    ]
    edge = on_edges(trees, 1, "float64", X=X).edges[0]
    assert edge.tolist() == [1.0]


@pytest.mark.parametrize("estimator", CAST, ids=lambda e: type(e).__name__)
def test_libraries_that_round_rows_themselves_get_no_warning(estimator):
    X = (1_700_000_000 + 7 * k)[:, None].astype(float)
    estimator = clone(estimator).fit(X, k // 6 % 3)
    model = convert(estimator, X)
    assert np.array_equal(model.predict(X), estimator.predict(X))


def test_int32_keeps_whole_numbers_apart():
    X = pd.DataFrame({"t": 1_700_000_000 + 7 * k})
    estimator = clone(COMPARE_FLOAT64[0]).fit(X, k // 6 % 3)
    with pytest.warns(UserWarning, match="column 't'"):
        convert(estimator)
    model = convert(estimator, dtype="int32")
    assert (model.predict(X) == estimator.predict(X)).all()


@pytest.mark.parametrize("last", [COMPARE_FLOAT64[0], RandomForestClassifier(5, random_state=0)])
def test_steps_tell_float64_rows_apart_that_the_model_does_not(last):
    X = (1_700_000_000 + 7 * k)[:, None].astype(float)
    pipeline = make_pipeline(StandardScaler(), clone(last)).fit(X, k // 6 % 3)
    with pytest.warns(UserWarning, match="float32 merges or moves"):
        convert(pipeline)


def test_regressions_of_large_numbers_with_decimals():
    X = (1e5 + 0.01 * k)[:, None]
    estimator = HistGradientBoostingRegressor(**HGB).fit(X, k)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        model = convert(estimator, X, value_bits=16)
    same = np.diff(X.astype(np.float32)[:, 0]) == 0
    away = np.abs(model.predict(X) - estimator.predict(X)) > 0.1
    assert away.sum() <= same.sum()


def test_int32_without_rows_refuses_what_leaves_no_column():
    rng = np.random.default_rng(0)
    X = rng.random((500, 2))
    estimator = HistGradientBoostingClassifier(**HGB).fit(X, X.sum(axis=1) > 1)
    with pytest.raises(ValueError, match=r"one threshold of the .* of column 0, which lie between"):
        convert(estimator, dtype="int32")
    estimator.fit(X * 4 - 2, X.sum(axis=1) > 1)
    with pytest.warns(UserWarning, match="dtype='int32' rounds .* thresholds of 2 columns"):
        convert(estimator, dtype="int32")


def test_int32_with_rows_takes_random_thresholds():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (300, 3))
    forest = ExtraTreesClassifier(10, random_state=0).fit(X, X.sum(axis=1) > 1)
    model = convert(forest, X, dtype="int32")
    assert (model.predict(X) == forest.predict(X)).all()


def test_thresholds_beyond_float32_are_no_near_ones():
    X = np.where(k < 150, 1.0, 1e300)[:, None]
    estimator = lightgbm.LGBMClassifier(**LGB, **FINE).fit(X, k < 150)
    model = convert(estimator)
    assert (model.predict(X) == estimator.predict(X)).all()


@pytest.mark.parametrize("estimator", COMPARE_FLOAT64, ids=lambda e: type(e).__name__)
def test_halves_between_whole_numbers_that_float32_holds(estimator):
    """They are rounded to even ones; LightGBM's last bit made all of them round up."""
    every = (2**23 + np.arange(1000.0))[:, None]
    X = every[np.random.default_rng(0).permutation(1000)[:400]]
    estimator = clone(estimator).fit(X, np.sin(X[:, 0] / 20) > 0)
    for rows in (None, X):
        model = convert(estimator, rows, value_bits=16)
        assert margins_agree(estimator, model, every).all()


@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("estimator", [*COMPARE_FLOAT64, *CAST], ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("whole", [False, True])
def test_rows_behind_a_scaler_go_their_own_way(estimator, with_rows, whole):
    """XGBoost's thresholds are rows: behind a scaler, many went to the left of their own."""
    X = np.random.default_rng(0).normal(size=(1500, 4))
    X = np.round(20 * X) if whole else X
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)
    pipeline = make_pipeline(StandardScaler(), clone(estimator)).fit(X, y)
    model = convert(pipeline, X if with_rows else None, value_bits=16)
    assert margins_agree(pipeline, model, X).all()


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_float32_rows_of_a_scaler_are_said(container):
    """The thresholds of XGBoost are rows, so that the last bit of a scaled row counts."""
    X = np.random.default_rng(0).normal(10, size=(1500, 4)).astype(np.float32)
    y, X = X[:, 0] + X[:, 1] * X[:, 2] > 110, container(X)
    estimator = xgboost.XGBClassifier(n_estimators=40, max_depth=4, n_jobs=1)
    pipeline = make_pipeline(StandardScaler(), estimator).fit(X, y)
    with pytest.warns(UserWarning, match=r"X is float32, and \d+ of 1,500 rows get another answer"):
        model = convert(pipeline, X, dtype="float64", value_bits=16)
    assert not margins_agree(pipeline, model, X).all()
    model = convert(pipeline, X, value_bits=16)  # the type of X
    assert margins_agree(pipeline, model, X).all()


@pytest.mark.parametrize(("step", "is_whole"), [(1.0, True), (1.5, False)])
def test_int32_is_no_remedy_for_fractions_of_rows(step, is_whole):
    X = (2**24 + step * k)[:, None]
    estimator = lightgbm.LGBMClassifier(**LGB, **FINE).fit(X, k % 2)
    with pytest.warns(UserWarning, match="change sides") as caught:
        convert(estimator, X)
    assert ("dtype='int32'" in str(caught[0].message)) == is_whole


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_that_are_none_are_refused(dtype):
    X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    pipeline = make_pipeline(StandardScaler(), clone(COMPARE_FLOAT64[1])).fit(X, X[:, 0] > 0)
    with pytest.raises(ValueError, match="X has no rows"):
        convert(pipeline, X[:0], dtype=dtype)
