"""Selectors, unions and rising functions in front of a model, at every threshold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import (
    RFE,
    SelectFpr,
    SelectFromModel,
    SelectKBest,
    SequentialFeatureSelector,
    VarianceThreshold,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from skdistill import SoftBoostingClassifier, SoftLinearClassifier, SoftTreeClassifier, convert
from skdistill.compact import LinearTable, TreeTable
from skdistill.converters.pipeline.monotone import column_functions
from skdistill.converters.pipeline.steps import read_steps
from tests.converters.pipeline.harness import fold, own_scores

X, Y = load_wine(return_X_y=True)  # 13 columns, all of them positive


def quarter(rows):
    return rows / 4096


def shifted(rows):
    return rows * np.arange(1, 14) + 3


STEPS = {
    "k best": [SelectKBest(k=6)],
    "variance": [VarianceThreshold(0.1), StandardScaler(), SelectFpr()],
    "from model": [SelectFromModel(DecisionTreeClassifier(random_state=0))],
    "rfe": [RFE(DecisionTreeClassifier(random_state=0), n_features_to_select=5)],
    "sequential": [SequentialFeatureSelector(DecisionTreeClassifier(max_depth=2), cv=2)],
    "union": [FeatureUnion([("a", StandardScaler()), ("b", "drop"), ("c", MinMaxScaler())])],
    "union of raw": [FeatureUnion([("a", "passthrough"), ("b", FunctionTransformer(np.log1p))])],
    "quarter": [FunctionTransformer(quarter)],
    "shifted": [FunctionTransformer(shifted), StandardScaler()],
    "log1p": [FunctionTransformer(np.log1p)],
    "sqrt, validated": [FunctionTransformer(np.sqrt, validate=True), SelectKBest(k=6)],
    "arctan": [StandardScaler(), FunctionTransformer(np.arctan), StandardScaler()],
    "rounded": [FunctionTransformer(np.rint)],
    "flags": [FunctionTransformer(lambda rows: rows > 3)],
    "power": [PowerTransformer()],
    "box-cox": [PowerTransformer("box-cox", standardize=False)],
    "quantiles": [QuantileTransformer(n_quantiles=20, subsample=None)],
    "normal": [QuantileTransformer(n_quantiles=30, output_distribution="normal"), StandardScaler()],
    "bins": [KBinsDiscretizer(6, encode="ordinal", strategy="uniform", subsample=None)],
    "binary": [Binarizer(threshold=3.0)],
    "imputed": [SimpleImputer(), FunctionTransformer(np.log1p)],
    "some": [
        ColumnTransformer(
            [("l", FunctionTransformer(np.log1p), [3, 0, 12]), ("p", PowerTransformer(), [6, 9])]
        )
    ],
}
MODELS = [
    DecisionTreeClassifier(max_depth=5, random_state=0),
    RandomForestClassifier(5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
    SoftTreeClassifier(max_leaf_nodes=12),
    SoftBoostingClassifier(4, random_state=0),
]


def rows_beside(model, dtype, *, casts_to_float32=True):
    """Rows at all thresholds of the raw columns and at their neighbours, and ordinary ones.

    Float64 rows on both sides of a threshold that a library compares in float64 round to its
    float32 number: the neighbours on both sides then.
    """
    rng = np.random.default_rng(0)
    rows = np.exp(rng.normal(np.log(X.mean(axis=0)), 1, (600, 13))).astype(np.float32)
    grid = model.table(TreeTable).grid
    for k, column in enumerate(grid.features):
        edges = grid.edges[grid.offsets[k] : grid.offsets[k + 1]]
        above = np.nextafter(edges, np.float32(np.inf))
        if dtype == "float64" and not casts_to_float32:
            edges = np.nextafter(edges, np.float32(-np.inf))
        edges = np.concatenate([edges, above])
        edges = edges[np.isfinite(edges) & (edges > 0)]
        if len(edges):
            rows[:, column] = np.where(
                rng.random(600) < 0.7, rng.choice(edges, 600), rows[:, column]
            )
    return rows.astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", STEPS.values(), ids=list(STEPS))
@pytest.mark.parametrize("estimator", MODELS, ids=lambda e: type(e).__name__)
def test_trees_behind_steps_go_the_same_way_at_every_threshold(estimator, steps, dtype):
    pipeline = make_pipeline(*map(clone, steps), clone(estimator)).fit(X.astype(dtype), Y)
    model = convert(
        pipeline, dtype=dtype, **({} if estimator in MODELS[3:] else {"value_bits": 16})
    )
    casts = not isinstance(estimator, HistGradientBoostingClassifier)
    rows = rows_beside(model, dtype, casts_to_float32=casts)
    assert model.n_features == 13
    if estimator in MODELS[3:]:
        assert (model.scores(rows) == own_scores(pipeline, rows)).all()
    else:
        away = np.abs(model.predict_proba(rows) - pipeline.predict_proba(rows))
        assert away.max() < 1e-3
    assert (model.predict(rows) == pipeline.predict(rows)).mean() > 0.995


@pytest.mark.parametrize(
    "steps",
    [
        [StandardScaler(), SelectKBest(k=8)],
        [FunctionTransformer(quarter)],
        [FunctionTransformer(shifted), StandardScaler()],
        [FeatureUnion([("a", StandardScaler()), ("b", FunctionTransformer(quarter))])],
    ],
    ids=["selector", "quarter", "shifted", "union"],
)
def test_linear_models_behind_selectors_and_scalings(steps):
    pipeline = make_pipeline(*steps, LogisticRegression(max_iter=3000)).fit(X, Y)
    model = convert(pipeline, X, dtype="float64", value_bits=12)
    np.testing.assert_allclose(model.predict_proba(X), pipeline.predict_proba(X), atol=5e-3)


@pytest.mark.filterwarnings("ignore:the converted Pipeline gives:UserWarning")
def test_linear_students_behind_a_scaling_written_as_a_function():
    pipeline = make_pipeline(FunctionTransformer(quarter), SoftLinearClassifier()).fit(X, Y)
    model = fold(pipeline, X)
    assert model.table(LinearTable).offset.max() > 100  # in raw units
    np.testing.assert_allclose(model.predict_proba(X), pipeline.predict_proba(X), atol=0.02)


@pytest.mark.parametrize(
    "step",
    [
        FunctionTransformer(np.log1p),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=9),
        Binarizer(threshold=1.5),
    ],
    ids=str,
)
@pytest.mark.parametrize("last", [LogisticRegression(), SoftLinearClassifier()], ids=str)
def test_linear_models_refuse_what_no_weight_can_follow(step, last):
    scaled = MinMaxScaler((1, 2))
    pipeline = make_pipeline(scaled, step, last).fit(X, Y)
    with pytest.raises(ValueError, match=r"is no scaling of column 0, .* only trees follow"):
        fold(pipeline, X)


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (np.negative, r"falls from 3.40282e\+38 at -3.40282e\+38 to"),
        (np.square, r"falls from 1.15792e\+77 at -3.40282e\+38"),
        (np.sin, "falls from"),
        (np.reciprocal, "falls from"),
        (lambda rows: rows - rows.mean(axis=1, keepdims=True), "depends on other columns: "),
        (lambda rows: np.sort(rows, axis=1), "depends on other columns: "),
        (lambda rows: np.sqrt(rows**2 - 1), "falls from|has no value at"),
        (lambda rows: rows * np.nan, "has no value for any number"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_functions_that_fall_or_mix_columns_are_refused_with_the_numbers(function, fault):
    maps = read_steps([("odd", FunctionTransformer(function))], 3)
    with pytest.raises(ValueError, match=f"column 'b' .* 'odd': FunctionTransformer {fault}"):
        maps.require_foldable(np.array([1]), ["a", "b", "c"])


def test_a_column_that_nobody_reads_may_fall():
    def first_falls(rows):
        return np.column_stack([-rows[:, 0], rows[:, 1:]])

    rows = np.column_stack([np.zeros(len(X)), X])
    pipeline = make_pipeline(FunctionTransformer(first_falls), SoftTreeClassifier()).fit(rows, Y)
    assert (fold(pipeline).predict(rows) == pipeline.predict(rows)).all()


def test_scalings_are_told_from_other_functions():
    functions = column_functions(
        lambda rows: np.column_stack([rows[:, 0] * 3 - 6, rows[:, 1], np.arctan(rows[:, 2])]), 3
    )
    np.testing.assert_allclose(functions.center[:2], [2, 0])
    np.testing.assert_allclose(functions.factor[:2], [3, 1])
    assert np.isnan(functions.factor[2])
    assert functions.fault.tolist() == ["", "", ""]


def test_numbers_without_a_value_count_as_the_lowest():
    log = FunctionTransformer(np.log)
    pipeline = make_pipeline(log, DecisionTreeClassifier(max_depth=3, random_state=0)).fit(X, Y)
    model = fold(pipeline)
    rows = X.copy()
    rows[::2] = 0  # log is −inf
    below = np.where(rows == 0, -1.0, rows)
    assert np.array_equal(model.scores(below), model.scores(rows))


def test_nan_goes_where_the_steps_send_it():
    rows = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    for steps in (
        [FunctionTransformer(np.log1p)],
        [FunctionTransformer(np.nan_to_num)],
        [PowerTransformer()],
        [
            SimpleImputer(),
            KBinsDiscretizer(5, encode="ordinal", strategy="uniform", subsample=None),
        ],
        [SimpleImputer(strategy="median"), Binarizer(threshold=2.0)],
    ):
        pipeline = make_pipeline(*steps, SoftTreeClassifier(max_leaf_nodes=12)).fit(rows, Y)
        model = fold(pipeline)
        assert (model.scores(rows) == own_scores(pipeline, rows)).all()


def test_names_and_types_of_frames():
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(13)])
    union = FeatureUnion([("raw", "passthrough"), ("log", FunctionTransformer(np.log1p))])
    pipeline = make_pipeline(union, SelectKBest(k=9), SoftTreeClassifier()).fit(frame, Y)
    model = fold(pipeline)
    assert list(model.feature_names) == list(frame.columns)
    assert (model.predict(frame) == pipeline.predict(frame)).all()


def test_a_function_of_frames_is_refused_with_its_error():
    frame = pd.DataFrame(X)
    by_name = FunctionTransformer(lambda rows: rows.iloc[:, :5])
    pipeline = make_pipeline(by_name, SoftTreeClassifier()).fit(frame, Y)
    with pytest.raises(ValueError, match=r"'functiontransformer': .* raises AttributeError: "):
        fold(pipeline)


def test_what_is_not_fitted_so_is_refused():
    weighted = FeatureUnion([("a", StandardScaler())], transformer_weights={"a": 2.0})
    with pytest.raises(ValueError, match=r"'featureunion': transformer_weights cannot"):
        fold(make_pipeline(weighted, SoftTreeClassifier()).fit(X, Y))

    class OwnSelector(SelectKBest):
        def transform(self, X):
            return super().transform(X) + 1

    with pytest.raises(ValueError, match=r"OwnSelector cannot .* feature selectors"):
        fold(make_pipeline(OwnSelector(k=5), SoftTreeClassifier()).fit(X, Y))
