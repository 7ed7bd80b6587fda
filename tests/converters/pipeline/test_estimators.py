"""Pipelines that end in a fitted estimator, against scikit-learn's own predictions."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import convert
from skdistill.compact import LinearTable, TreeTable
from skdistill.compact.tables import linear_table
from tests.converters.harness import HGB, LGB, XGB, check_labels, margin_bound, problem, vote_bound
from tests.converters.pipeline.harness import with_holes
from tests.strategies import adversarial_rows

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
STEPS = [
    (StandardScaler(),),
    (SimpleImputer(strategy="median"), RobustScaler()),
    (StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.25)),
    (SimpleImputer(strategy="constant", fill_value=1.5), MinMaxScaler(clip=True)),
]
VOTERS = [
    DecisionTreeClassifier(max_depth=6, random_state=0),
    RandomForestClassifier(7, random_state=0),
]
BOOSTERS = [
    GradientBoostingClassifier(n_estimators=8, random_state=0),
    HistGradientBoostingClassifier(**HGB),
    xgboost.XGBClassifier(**XGB),
    lightgbm.LGBMClassifier(**LGB),
]
COMPARE_FLOAT64 = (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    lightgbm.LGBMModel,
)
REGRESSORS = [
    DecisionTreeRegressor(random_state=0, max_leaf_nodes=30),
    ExtraTreesRegressor(7, max_depth=6, random_state=0),
    HistGradientBoostingRegressor(**HGB),
    xgboost.XGBRegressor(**XGB),
    lightgbm.LGBMRegressor(**LGB),
]


def fit_behind(steps, estimator, K, dtype):
    """A Pipeline on rows of `dtype`, with NaN where an imputer takes it."""
    X, y = problem(K, missing=any(isinstance(step, SimpleImputer) for step in steps))
    X[:, 2] *= 1e35  # sums of squares of subnormal numbers are 0
    return make_pipeline(*steps, clone(estimator)).fit(X.astype(dtype), y)


def rows_beside(model, pipeline, dtype):
    """Rows at and beside all thresholds of the raw columns, as the Pipeline takes them."""
    rows = np.clip(adversarial_rows(model, 0, 600, "float32"), -1e20, 1e20)
    if not any(isinstance(step, SimpleImputer) for step in pipeline):
        rows = np.nan_to_num(rows, nan=0.5)
    if dtype == "float64" and isinstance(pipeline[-1], COMPARE_FLOAT64):
        # Float64 rows on both sides of a threshold round to its float32 number: one below it.
        trees = model.table(TreeTable)
        for j in range(4):
            at_edge = np.isin(rows[:, j], trees.edges[trees.grid.features[trees.feature] == j])
            rows[at_edge, j] = np.nextafter(rows[at_edge, j], np.float32(-np.inf))
    if dtype == "float64" and isinstance(pipeline[-1], xgboost.XGBModel):
        # There it is the number above: XGBoost's thresholds are rows, the first on the right.
        trees = model.table(TreeTable)
        for j in range(4):
            edges = trees.edges[trees.grid.features[trees.feature] == j]
            above = np.isin(rows[:, j], np.nextafter(edges, np.float32(np.inf)))
            rows[above, j] = np.nextafter(rows[above, j], np.float32(np.inf))
    return rows.astype(dtype)


@DTYPES
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: str(steps[-1]))
@pytest.mark.parametrize("estimator", VOTERS, ids=repr)
@pytest.mark.parametrize("K", [2, 3])
def test_votes_behind_steps(estimator, steps, dtype, K):
    pipeline = fit_behind(steps, estimator, K, dtype)
    model = convert(pipeline, dtype=dtype, value_bits=16)
    rows = rows_beside(model, pipeline, dtype)
    P, bound = pipeline.predict_proba(rows), vote_bound(K, 16, len(model.table(TreeTable).roots))
    assert model.n_features == 4 and len(model.table(TreeTable).feature) > 5
    assert np.abs(model.predict_proba(rows) - P).max() <= bound
    if len(model.table(TreeTable).roots) == 1:
        assert (model.predict(rows) == pipeline.predict(rows)).all()
    check_labels(pipeline, model, rows, P, bound)


@DTYPES
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: str(steps[-1]))
@pytest.mark.parametrize("estimator", BOOSTERS, ids=lambda e: type(e).__name__)
def test_margins_behind_steps(estimator, steps, dtype):
    pipeline = fit_behind(steps, estimator, 2, dtype)
    model = convert(pipeline, dtype=dtype, value_bits=16)
    rows = rows_beside(model, pipeline, dtype)
    P, bound = pipeline.predict_proba(rows), margin_bound(pipeline[-1], model).max() / 4 + 2e-6
    assert len(model.table(TreeTable).feature) > 5
    assert np.abs(model.predict_proba(rows) - P).max() <= bound
    check_labels(pipeline, model, rows, P, bound)


@DTYPES
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: str(steps[-1]))
@pytest.mark.parametrize("estimator", REGRESSORS, ids=lambda e: type(e).__name__)
def test_values_behind_steps(estimator, steps, dtype):
    pipeline = fit_behind(steps, estimator, 0, dtype)
    model = convert(pipeline, dtype=dtype, value_bits=16)
    rows = rows_beside(model, pipeline, dtype)
    bound = margin_bound(pipeline[-1], model) + 2e-4
    assert np.abs(model.predict(rows) - pipeline.predict(rows)).max() <= bound


def test_scalers_compute_in_the_type_of_the_rows():
    """With the other type some rows beside a threshold go another way."""
    X, y = load_breast_cancer(return_X_y=True)
    tree = make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)).fit(X, y * 1.0)
    models = {dtype: convert(tree, dtype=dtype, value_bits=16) for dtype in ("float32", "float64")}
    for dtype, model in models.items():
        rows = np.concatenate([adversarial_rows(m, 0, 3000, "float32") for m in models.values()])
        rows = np.clip(np.nan_to_num(rows), -1e20, 1e20).astype(dtype)
        expected = tree.predict(rows)
        assert (model.predict(rows).round() == expected).all()
        other = models["float64" if dtype == "float32" else "float32"]
        assert (other.predict(rows).round() != expected).any()


def test_steps_that_do_nothing_change_nothing():
    X, y = problem(3)
    for estimator in (*VOTERS, *BOOSTERS, LogisticRegression()):
        fitted = clone(estimator).fit(X, y)
        swap = ColumnTransformer([("all", "passthrough", [0, 1, 2, 3])]).fit(X)
        pipeline = Pipeline([("swap", FrozenEstimator(swap)), ("last", FrozenEstimator(fitted))])
        alone, folded = convert(fitted, X), convert(pipeline, X)
        assert np.array_equal(alone.scores(X), folded.scores(X))
        assert alone.nbytes == folded.nbytes


def test_columns_that_are_dropped_moved_and_doubled():
    X, y = load_wine(return_X_y=True)
    columns = ColumnTransformer(
        [("a", StandardScaler(), [4, 1, 9]), ("b", MinMaxScaler(), [9, 0]), ("c", "drop", [2])]
    )
    for last in (DecisionTreeClassifier(random_state=0), LogisticRegression(max_iter=5000, C=0.1)):
        pipeline = make_pipeline(columns, last).fit(X, y)
        model = convert(pipeline, X, dtype="float64", value_bits=16)
        assert model.n_features == 13
        assert (model.predict(X) == pipeline.predict(X)).all()
        np.testing.assert_allclose(
            model.predict_proba(X), pipeline.predict_proba(X), atol=2e-3, rtol=0
        )


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), RidgeClassifier(), LinearRegression(), Ridge()], ids=repr
)
@pytest.mark.parametrize("scaler", [StandardScaler(), RobustScaler(), MinMaxScaler((-2, 5))])
def test_linear_estimators_behind_a_scaler(estimator, scaler, bits):
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(scaler, estimator).fit(X, y)
    model = convert(pipeline, X, dtype="float64", value_bits=bits)
    if hasattr(estimator, "decision_function"):
        own, ours = pipeline.decision_function(X), model.scores(X)[:, 0] * model.scale
        wrong = (model.predict(X) != pipeline.predict(X)).sum()
        assert wrong <= (0 if bits == 16 else 2)
    else:
        own, ours = pipeline.predict(X), model.predict(X)
    assert np.sqrt(np.mean((own - ours) ** 2) / np.var(own)) < {8: 0.02, 16: 2e-3}[bits]


def test_a_scaler_takes_no_bytes_of_a_linear_model():
    """The weights move to the raw columns before they are rounded: steps stay powers of two."""
    X, y = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    alone = LogisticRegression(max_iter=10_000).fit(X, y)
    assert convert(pipeline, X).nbytes <= convert(alone, X).nbytes + 8


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("order", ["imputer first", "scaler first"])
def test_nan_in_a_linear_model_counts_as_its_replacement(strategy, order):
    X, y = load_wine(return_X_y=True)
    X = with_holes(X)
    steps = [SimpleImputer(strategy=strategy, fill_value=0.5), StandardScaler()]
    steps = steps if order == "imputer first" else steps[::-1]
    pipeline = make_pipeline(*steps, LogisticRegression()).fit(X, y)
    model = convert(pipeline, X, dtype="float64", value_bits=16)
    assert (model.predict(X) == pipeline.predict(X)).all()
    np.testing.assert_allclose(model.predict_proba(X), pipeline.predict_proba(X), atol=3e-3)
    nothing = np.full((1, 13), np.nan)
    expected = pipeline.predict_proba(nothing)
    np.testing.assert_allclose(model.predict_proba(nothing), expected, atol=3e-3)
    full = np.nan_to_num(X, nan=1.0)  # an imputer may be needed later only
    pipeline.fit(full, y)
    model = convert(pipeline, full, dtype="float64", value_bits=16)
    expected = pipeline.predict_proba(nothing)
    np.testing.assert_allclose(model.predict_proba(nothing), expected, atol=3e-3)


def test_whole_numbers_stay_whole_behind_a_scaler_and_an_imputer():
    rng = np.random.default_rng(0)
    X = rng.integers(-40, 60, (300, 3)).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X) @ [1, -2, 0.5] + rng.normal(size=300)
    for strategy in ("most_frequent", "constant"):
        imputer = SimpleImputer(strategy=strategy, fill_value=100)
        pipeline = make_pipeline(imputer, StandardScaler(), Ridge()).fit(X, y)
        model = convert(pipeline, X, dtype="float64", value_bits=16)
        linear = model.table(LinearTable)
        assert linear.offset.tolist() == imputer.fit(X).statistics_.tolist()
        q = linear_table.quantize_input(X, linear)[~np.isnan(X).any(axis=1)]
        whole = X[~np.isnan(X).any(axis=1)]
        assert (q / linear.inv_step + linear.offset == whole).all()
        assert linear.input_bits == 8 + (strategy == "constant")
        np.testing.assert_allclose(model.predict(X), pipeline.predict(X), atol=0.02)


def test_a_column_doubled_in_front_of_a_linear_model():
    X, y = load_wine(return_X_y=True)
    twice = make_column_transformer((StandardScaler(), [0, 1]), ("passthrough", [1, 5]))
    pipeline = make_pipeline(twice, LogisticRegression()).fit(X, y)
    model = convert(pipeline, X, dtype="float64", value_bits=16)
    assert set(model.table(LinearTable).features) >= {0, 1, 5}
    np.testing.assert_allclose(model.predict_proba(X), pipeline.predict_proba(X), atol=1e-3)
    check_labels(pipeline, model, X, pipeline.predict_proba(X), 1e-3)
    X = with_holes(X)
    filled = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), [0, 1]), (SimpleImputer(), [1, 5])
    )
    pipeline = make_pipeline(filled, LogisticRegression()).fit(X, y)
    model = convert(pipeline, X, dtype="float64", value_bits=16)
    np.testing.assert_allclose(model.predict_proba(X), pipeline.predict_proba(X), atol=1e-3)
    check_labels(pipeline, model, X, pipeline.predict_proba(X), 1e-3)
    other = make_column_transformer(
        (SimpleImputer(), [0, 1]), (SimpleImputer(strategy="constant"), [1, 5])
    )
    pipeline = make_pipeline(other, LogisticRegression(max_iter=5000)).fit(X, y)
    with pytest.raises(ValueError, match="column 1 reaches LogisticRegression more than once"):
        convert(pipeline, X)


def test_what_a_linear_model_cannot_follow_is_refused():
    X, y = load_wine(return_X_y=True)
    clipped = make_pipeline(MinMaxScaler(clip=True), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match=r"step 'minmaxscaler' clips column 0.*fit it with clip=F"):
        convert(clipped, X)
    flat = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    flat[0].scale_[3] = np.inf
    with pytest.raises(ValueError, match="column 3 cannot be folded: step 'standardscaler'"):
        convert(flat, X)
    holes = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="LogisticRegression needs X"):
        convert(holes)
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="X has NaN, which LogisticRegression does not know"):
        convert(scaled, with_holes(X))


def test_integers_that_steps_move_and_impute():
    rng = np.random.default_rng(0)
    X = rng.integers(-(2**30), 2**30, (300, 3)).astype(np.int32)
    moved = ColumnTransformer([("a", SimpleImputer(), [2]), ("b", "passthrough", [0])])
    y = X[:, 2] // 2**25 % 2 + (X[:, 0] > 0)
    for last in (DecisionTreeClassifier(random_state=0), HistGradientBoostingClassifier(**HGB)):
        pipeline = make_pipeline(moved, last).fit(X, y)
        model = convert(pipeline, dtype="int32", value_bits=16)
        assert model.input_dtype == "int32" and set(model.table(TreeTable).grid.features) == {0, 2}
        rows = X[rng.integers(300, size=4000)]
        at = model.table(TreeTable).grid.edges[
            rng.integers(len(model.table(TreeTable).grid.edges), size=4000)
        ]
        rows[:, 2] = at + rng.integers(-70, 71, 4000)
        assert (model.predict(rows) == pipeline.predict(rows)).all()
    scaled = make_pipeline(StandardScaler(), DecisionTreeClassifier()).fit(X, y)
    with pytest.raises(ValueError, match=r"step 'standardscaler' makes other.*use dtype='float32'"):
        convert(scaled, dtype="int32")


def test_frames_whose_other_columns_hold_text():
    X, y = load_wine(return_X_y=True, as_frame=True)
    X.insert(2, "note", "text")
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["alcohol", "proline", "hue"])
    )
    tree = make_pipeline(columns, RandomForestClassifier(10, random_state=0)).fit(X, y)
    linear = make_pipeline(columns, LogisticRegression()).fit(X, y)
    numbers = X.assign(note=0.0).to_numpy()
    backwards = X[X.columns[::-1]]
    for pipeline, options in ((tree, {"threshold_bits": 8}), (linear, {})):
        model = convert(pipeline, X, dtype="float64", value_bits=12, **options)
        assert model.feature_names == tuple(X.columns)
        assert (model.predict(numbers) == pipeline.predict(X)).mean() > 0.98
        again = convert(pipeline, backwards, dtype="float64", value_bits=12, **options)
        assert again.equals(model)
    with pytest.raises(ValueError, match="X has no column 'hue', which the model reads"):
        convert(linear, X.drop(columns="hue"))
    text = make_pipeline(columns, DecisionTreeClassifier()).fit(X, y)
    assert pd.api.types.is_numeric_dtype(convert(text).predict(numbers).dtype)


def test_fewer_thresholds_on_raw_columns():
    X, y = load_breast_cancer(return_X_y=True)
    forest = RandomForestClassifier(20, random_state=0)
    pipeline = make_pipeline(StandardScaler(), forest).fit(X[::2], y[::2])
    model = convert(pipeline, X[::2], dtype="float64", threshold_bits=6)
    assert model.table(TreeTable).grid.counts.max() <= 62
    assert model.nbytes < 0.7 * convert(pipeline).nbytes
    assert (model.predict(X[1::2]) == pipeline.predict(X[1::2])).mean() > 0.97


def test_a_single_class_behind_a_scaler():
    X, _ = load_wine(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(X, ["one"] * len(X))
    model = convert(pipeline, X)
    assert model.n_features == 13 and model.predict(X[:2]).tolist() == ["one", "one"]
