"""Folded Pipelines: the same integers as the Pipeline's, at and beside every threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skdistill import (
    CompactModel,
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftNetClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.export.onnx import to_onnx
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from tests.converters.pipeline.harness import (
    differences,
    fold,
    own_scores,
    telling_rows,
    with_holes,
)
from tests.strategies import MAX32, compact_models, seeds

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
SCALERS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-1, 3)),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False, with_scaling=False),
]
IMPUTERS = [
    SimpleImputer(),
    SimpleImputer(strategy="median"),
    SimpleImputer(strategy="most_frequent"),
    SimpleImputer(strategy="constant", fill_value=-7.5),
]


def assert_same(pipeline, model, dtype="float64", X=None, *, missing=True, seed=0):
    rows = telling_rows(model, dtype, X, missing=missing, seed=seed)
    assert (model.scores(rows) == own_scores(pipeline, rows)).all()


@DTYPES
@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize(
    "student",
    [SoftTreeClassifier(), SoftBoostingClassifier(4, random_state=0)],
    ids=lambda student: type(student).__name__,
)
def test_trees_behind_a_scaler_are_equal_at_every_threshold(student, scaler, dtype):
    X, y = load_wine(return_X_y=True)
    X = X.astype(dtype)
    pipeline = make_pipeline(scaler, student).fit(X, y)
    model = fold(pipeline, dtype=dtype)
    assert model.n_features == X.shape[1] and model.feature_names is None
    assert len(model.table(TreeTable).feature) == len(
        pipeline[-1].compact_.table(TreeTable).feature
    )
    assert_same(pipeline, model, dtype, X, missing=False)


@DTYPES
@pytest.mark.parametrize("imputer", IMPUTERS, ids=str)
@pytest.mark.parametrize("behind", [None, StandardScaler()], ids=str)
def test_nan_goes_where_its_replacement_goes(imputer, behind, dtype):
    X, y = load_breast_cancer(return_X_y=True)
    X = with_holes(X).astype(dtype)
    student = SoftBoostingClassifier(5, random_state=0)
    pipeline = make_pipeline(imputer, behind, student).fit(X, y)
    model = fold(pipeline, dtype=dtype)
    assert_same(pipeline, model, dtype, X)
    nothing = np.full((1, X.shape[1]), np.nan, dtype)
    assert (model.scores(nothing) == own_scores(pipeline, nothing)).all()


def test_nan_without_imputer_goes_where_the_student_sends_it():
    X, y = load_wine(return_X_y=True)
    X = with_holes(X, 0.4)
    pipeline = make_pipeline(StandardScaler(), SoftTreeClassifier()).fit(X, y)
    model = fold(pipeline)
    assert model.table(TreeTable).nan_left.any() and not model.table(TreeTable).nan_left.all()
    assert_same(pipeline, model, X=X)


def test_other_students_behind_several_steps():
    X, y = load_wine(return_X_y=True)
    Z, values = load_diabetes(return_X_y=True)
    teacher = FrozenEstimator(RandomForestClassifier(5, random_state=0).fit(X, y))
    for student, rows, targets in [
        (DistilledClassifier(teacher, SoftTreeClassifier(), transfer_set=None), X, y),
        (SoftTreeRegressor(), Z, np.column_stack([values, -values])),
        (SoftBoostingRegressor(4, random_state=0), Z, values),
    ]:
        scaled = make_pipeline(FunctionTransformer(), StandardScaler(), "passthrough")
        pipeline = make_pipeline(scaled, None, MinMaxScaler((0, 5)), student)
        pipeline.fit(rows, targets)
        model = fold(pipeline)
        assert_same(pipeline, model, X=rows, missing=False)
        around = Pipeline([("first", FunctionTransformer()), ("rest", FrozenEstimator(pipeline))])
        assert fold(around).equals(model)
        assert fold(FrozenEstimator(pipeline)).equals(model)


def random_step(rng):
    """A step for one column, with parameters from tiny to huge."""
    X = rng.normal(size=(5, 1))
    factor = 10.0 ** rng.integers(-6, 7, 1) * rng.uniform(1, 10, 1)
    place = rng.normal(size=1) * 10.0 ** rng.integers(-5, 9)
    kind = rng.integers(6)
    if kind == 0:
        step = StandardScaler().fit(X)
        step.mean_, step.scale_ = place, factor
    elif kind in (1, 2):
        step = MinMaxScaler((-2, 3), clip=kind == 2).fit(X)
        step.min_, step.scale_ = place, factor
    elif kind == 3:
        step = MaxAbsScaler().fit(X)
        step.scale_ = factor
    elif kind == 4:
        step = RobustScaler().fit(X)
        step.center_, step.scale_ = place, factor
    else:
        fill = float(rng.choice([0, 0.1, -3e8]))
        step = SimpleImputer(strategy="constant", fill_value=fill).fit(X)
    return FrozenEstimator(step)


@given(
    model=st.one_of(compact_models(), compact_models(regression=True)),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=seeds,
)
def test_any_trees_behind_any_steps(model, dtype, seed):
    """Shared nodes, unused and infinite edges; columns left out, swapped and doubled."""
    model = replace(model, tables=model.tables_of(TreeTable))
    rng = np.random.default_rng(seed)
    width = model.n_features + 1
    steps = []
    for j in range(model.n_features):
        plain = rng.random() < 0.2 or model.input_dtype == "int32"
        step = "passthrough" if plain else random_step(rng)
        steps.append((f"to {j}", step, [int(rng.integers(width))]))
    columns = ColumnTransformer(steps).fit(rng.normal(size=(5, width)))
    pipeline = Pipeline([("columns", columns), ("model", model)])
    folded = fold(pipeline, dtype=dtype)
    assert folded.n_features == width
    assert_same(pipeline, folded, dtype, seed=seed)
    for trees in folded.tables_of(TreeTable):
        if model.input_dtype == "float32":
            used = trees.grid.offsets[trees.feature] + trees.threshold
            assert np.unique(used).tolist() == list(range(len(trees.grid.edges)))


def test_infinities_are_the_largest_numbers():
    X, y = load_wine(return_X_y=True)
    for scaler in (StandardScaler(), MinMaxScaler(clip=True)):
        model = fold(make_pipeline(scaler, SoftTreeClassifier()).fit(X, y))
        rows = np.random.default_rng(0).choice([-MAX32, MAX32], (50, X.shape[1]))
        assert (model.scores(np.sign(rows) * np.inf) == model.scores(rows)).all()


def test_infinities_pass_where_nothing_computes():
    grid = InputGrid([0], [0, 2], np.array([MAX32, np.inf], np.float32))
    nodes = [0], [0, 0], [0, 1], [-1, -2], [1, -3], [False, False]
    trees = TreeTable(grid, *nodes, [[1], [2], [3]], 4)
    model = CompactModel(1, [0], 1.0, "sigmoid", [0, 1], [trees])
    pipeline = Pipeline([("f", FunctionTransformer().fit([[1.0]])), ("m", model)])
    folded = fold(pipeline)
    assert folded.equals(model)
    assert folded.scores([[MAX32], [np.inf], [np.nan]]).ravel().tolist() == [1, 2, 3]


def stump(edge, nan_left, grid_dtype=np.float32):
    grid = InputGrid([0], [0, 1], np.array([edge], grid_dtype))
    table = TreeTable(grid, [0], [0], [0], [-1], [-2], [nan_left], [[1], [2]], 4)
    return CompactModel(1, [0], 1.0, "sigmoid", [0, 1], [table])


@pytest.mark.parametrize("nan_left", [False, True])
@pytest.mark.parametrize("edge", [-0.5, 0.0, 0.5, 1.0, np.inf])
@pytest.mark.parametrize("imputed", [False, True])
def test_splits_beyond_a_clipped_range(edge, nan_left, imputed):
    fill = SimpleImputer(strategy="constant", fill_value=2.0) if imputed else "passthrough"
    pipeline = make_pipeline(fill, MinMaxScaler(clip=True)).fit([[1.0], [3.0]])
    pipeline.steps.append(("model", stump(edge, nan_left)))
    folded = fold(pipeline)
    rows = np.array([[np.nan], [0.0], [1.0], [2.0], [np.nextafter(2, 3)], [3.0], [9.0], [MAX32]])
    assert (folded.scores(rows) == own_scores(pipeline, rows)).all()
    parts_numbers = 0 <= edge < 1
    parts_nan = not imputed and nan_left == (edge < 0)
    assert len(folded.table(TreeTable).feature) == (parts_numbers or parts_nan)


def test_a_column_used_twice_has_the_thresholds_of_both():
    X, y = load_wine(return_X_y=True)
    doubled = ColumnTransformer(
        [("a", StandardScaler(), [0, 1, 2, 3]), ("b", MinMaxScaler(), [3, 2, 9])]
    )
    pipeline = make_pipeline(doubled, SoftTreeClassifier()).fit(X, y)
    assert len(np.unique(pipeline[-1].compact_.table(TreeTable).grid.features)) > 4
    model = fold(pipeline)
    assert model.n_features == 13 and set(model.table(TreeTable).grid.features) <= {0, 1, 2, 3, 9}
    assert_same(pipeline, model, X=X, missing=False)


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize(
    "key",
    [
        ["alcohol", "hue"],
        slice("total_phenols", "hue"),
        slice(None, "malic_acid"),
        slice(-3, None),
        [0, -1],
        [i % 3 == 0 for i in range(13)],
        np.arange(13) > 8,
        pd.Index(["proline"]),
        make_column_selector("pro|ash"),
        lambda X: ["hue", "ash"],
    ],
    ids=["names", "slice", "open", "last", "numbers", "bools", "mask", "index", "selector", "call"],
)
def test_columns_of_a_frame_by_any_key(key, output):
    X, y = load_wine(return_X_y=True, as_frame=True)
    X.insert(2, "note", "text")
    if isinstance(key, list | np.ndarray) and len(key) == 13:
        key = np.insert(key, 2, False)  # the note
    nested = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer(
        [("scaled", nested, key), ("no", "drop", ["note"]), ("same", "passthrough", ["magnesium"])],
        remainder=MinMaxScaler(),
    ).set_output(transform=output)
    pipeline = make_pipeline(columns, SoftTreeClassifier()).fit(X, y)
    model = fold(pipeline)
    assert model.feature_names == tuple(X.columns)
    numbers = X.assign(note=0.0).to_numpy()
    rows = telling_rows(model, "float64", numbers, missing=False)
    frame = pd.DataFrame(rows, columns=X.columns).assign(note="text")
    assert (model.scores(rows) == own_scores(pipeline, frame)).all()
    assert differences(pipeline, model, frame) == (0, 0, len(rows))


def test_columns_that_an_imputer_drops():
    X, y = load_wine(return_X_y=True)
    X[:, [0, 7]] = np.nan
    with pytest.warns(UserWarning, match="Skipping features"):
        pipeline = make_pipeline(SimpleImputer(), SoftTreeClassifier()).fit(X, y)
    model = fold(pipeline)
    assert model.n_features == 13 and pipeline[-1].n_features_in_ == 11
    X[:, [0, 7]] = 5.0
    with pytest.warns(UserWarning, match="Skipping features"):
        assert_same(pipeline, model, X=X)
    kept = make_pipeline(SimpleImputer(keep_empty_features=True), SoftTreeClassifier())
    X[:, [0, 7]] = np.nan
    kept.fit(X, y)
    assert_same(kept, fold(kept), X=np.nan_to_num(X))


def test_integers_pass_steps_that_leave_them_alone():
    model = stump(2**24 + 1, False, np.int32)
    pipeline = Pipeline([("c", ColumnTransformer([("a", "passthrough", [1])])), ("m", model)])
    pipeline[0].fit(np.ones((2, 3), np.int32))
    folded = fold(pipeline)
    assert folded.input_dtype == "int32" and folded.table(TreeTable).grid.features.tolist() == [1]
    rows = np.array([[0, 2**24 + 1, 0], [0, 2**24 + 2, 0]], np.int32)
    assert folded.scores(rows).ravel().tolist() == [1, 2]
    linear = LinearTable([0], [2**20], [2.0**-18], 6, [[1]], 4)
    whole = stump(2**23 - 1, True, np.int32)
    whole = replace(whole, tables=[*whole.tables, linear])
    fill = SimpleImputer(strategy="constant", fill_value=0.0).fit([[0.0]])
    pipeline = Pipeline([("fill", fill), ("model", whole)])
    with pytest.warns(UserWarning, match="pass X"):
        folded = fold(pipeline)
    assert folded.input_dtype == "int32" and folded.table(LinearTable).offset.tolist() == [0]
    rows = np.array([[np.nan], [0], [2**23 - 1], [2**23], [2**22], [-(2**20)]])
    assert (folded.scores(rows) == own_scores(pipeline, rows)).all()
    scaler = StandardScaler().fit([[1], [2]])
    with pytest.raises(ValueError, match=r"step 's' makes other numbers of column 0.*int32"):
        fold(Pipeline([("s", scaler), ("m", model)]))


def test_the_folded_model_in_onnx_runtime_and_in_a_file(tmp_path):
    X, y = load_wine(return_X_y=True)
    student = SoftBoostingClassifier(4, init="linear", random_state=0)
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), student).fit(with_holes(X), y)
    with pytest.warns(UserWarning, match="pass X"):
        model = fold(pipeline)
    session = open_session(to_onnx(model).SerializeToString())
    assert count_mismatches(model, session, probe_rows(model, X.astype(np.float32))) == 0
    model.save(tmp_path / "m.skd")


def test_what_does_not_fit_together_is_refused():
    X, y = load_wine(return_X_y=True)
    tree = SoftTreeClassifier().fit(X, y)
    with pytest.raises(NotFittedError):
        fold(make_pipeline(StandardScaler(), SoftTreeClassifier()))
    with pytest.raises(NotFittedError):
        fold(Pipeline([("s", StandardScaler()), ("t", tree)]))
    narrow = Pipeline([("s", StandardScaler().fit(X[:, :4])), ("t", tree)])
    with pytest.raises(ValueError, match="the steps yield 4 columns, the last one reads 13"):
        fold(narrow)
    a, b = StandardScaler().fit(X), MinMaxScaler().fit(X[:, :2])
    chain = Pipeline([("a", a), ("b", b), ("t", tree)])
    with pytest.raises(ValueError, match="step 'b' was fitted on 2 columns, not 13"):
        fold(chain)


def test_networks_are_refused():
    X, y = load_wine(return_X_y=True)
    net = SoftNetClassifier((4,), max_iter=2).fit(X, y)
    pipeline = make_pipeline(StandardScaler(), net).fit(X, y)
    with pytest.raises(ValueError, match=r"network cannot be folded.*on the raw columns"):
        fold(pipeline)
    assert fold(make_pipeline(net)).equals(net.compact_)
