"""The same rows in every container: all functions that read rows give the same answers."""

from __future__ import annotations

import decimal
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    Munge,
    Pool,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftTreeClassifier,
    adapt,
    convert,
    load,
    profile,
)
from skdistill.converters.rows import sample_rows
from skdistill.export.c import device_input
from skdistill.export.onnx.categories import graph_input
from skdistill.metrics import fidelity_scorer

rng = np.random.default_rng(0)
N = 120
NUMBERS = pd.DataFrame(
    {
        "size": rng.integers(-40, 40, N) / 8,  # float16 holds them
        "rooms": rng.integers(0, 9, N),
        "is_new": rng.random(N) < 0.5,
    }
)
Y = ((NUMBERS["size"] > 0) ^ NUMBERS["is_new"]).astype(int).to_numpy()
DENSE = NUMBERS.astype(float)


def with_missing(frame):
    frame = frame.copy()
    frame.loc[::7, "rooms"] = None
    return frame


def sparse_columns():
    return pd.DataFrame({name: pd.arrays.SparseArray(DENSE[name]) for name in DENSE})


def memory_map(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, DENSE.to_numpy())
    return np.load(path, mmap_mode="r")


FRAMES = {
    "bool beside float": lambda: NUMBERS,
    "nullable": NUMBERS.convert_dtypes,
    "Arrow types": lambda: NUMBERS.convert_dtypes(dtype_backend="pyarrow"),
    "narrow types": lambda: NUMBERS.astype({"size": "float16", "rooms": "int8"}),
    "unsigned": lambda: NUMBERS.astype({"size": "float32", "rooms": "uint64"}),
    "objects": lambda: NUMBERS.astype(object),
    "decimals": lambda: NUMBERS.assign(size=[decimal.Decimal(x) for x in NUMBERS["size"]]),
    "sparse columns": sparse_columns,
    "polars": lambda: pl.from_pandas(NUMBERS),
    "pyarrow": lambda: pa.Table.from_pandas(NUMBERS, preserve_index=False),
}
ARRAYS = {
    "Fortran order": lambda: np.asfortranarray(DENSE),
    "float16": lambda: DENSE.to_numpy(np.float16),
    "longdouble": lambda: DENSE.to_numpy(np.longdouble),
    "objects": lambda: NUMBERS.to_numpy(object),
    "lists": lambda: NUMBERS.to_numpy(object).tolist(),
    "tuples": lambda: [tuple(row) for row in DENSE.to_numpy().tolist()],
}
MISSING = {
    "float": lambda: with_missing(DENSE),
    "nullable": lambda: with_missing(NUMBERS.convert_dtypes()),
    "Arrow types": lambda: with_missing(NUMBERS.convert_dtypes(dtype_backend="pyarrow")),
    "objects": lambda: with_missing(NUMBERS.convert_dtypes()).astype(object),
    "polars": lambda: pl.from_pandas(with_missing(NUMBERS.convert_dtypes())),
    "pyarrow": lambda: pa.Table.from_pandas(with_missing(NUMBERS.convert_dtypes())),
}


@pytest.fixture(scope="module")
def student():
    rows = with_missing(DENSE)
    return SoftBoostingClassifier(4, random_state=0).fit(pd.concat([DENSE, rows]), [*Y, *Y])


def all_answers(student, X):
    """What every function that reads rows makes of them."""
    model = student.compact_
    forest = RandomForestClassifier(3, random_state=0).fit(DENSE, Y)
    return {
        "predict": student.predict(X),
        "proba": student.predict_proba(X),
        "score": student.score(X, Y),
        "scores": model.scores(X),
        "rows": model.read_rows(X).astype(float),
        "device": device_input(model, X, "float32"),
        "graph": graph_input(model, X)["X"],
        "profile": profile(model, X, target="host").mismatches,
        "adapt": adapt(student, X, Y).scores(DENSE),
        "convert": convert(forest, X, threshold_bits=4).scores(DENSE),
        "fit": SoftTreeClassifier(max_leaf_nodes=4).fit(X, Y).compact_.scores(DENSE.to_numpy()),
    }


def assert_same(answers, expected):
    for name, answer in expected.items():
        np.testing.assert_array_equal(answers[name], answer, err_msg=name)


@pytest.fixture(scope="module")
def expected(student):
    return all_answers(student, DENSE)


@pytest.fixture(scope="module")
def expected_with_missing(student):
    return all_answers(student, MISSING["float"]())


@pytest.fixture(scope="module")
def nameless():
    """A student of an array, and its answers."""
    X = DENSE.to_numpy()
    student = SoftBoostingClassifier(4, random_state=0).fit(X, Y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        warnings.filterwarnings("ignore", "X has feature names, but the model has none")
        return student, all_answers(student, X)


@pytest.mark.parametrize("kind", FRAMES)
def test_frames(student, expected, kind):
    assert_same(all_answers(student, FRAMES[kind]()), expected)


@pytest.mark.parametrize("kind", MISSING)
def test_frames_with_missing_values(student, expected_with_missing, kind):
    answers = all_answers(student, MISSING[kind]())
    assert_same(answers, expected_with_missing)
    assert np.isnan(answers["rows"]).sum() == len(range(0, N, 7))


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays(nameless, kind):
    student, expected = nameless
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        warnings.filterwarnings("ignore", "X has feature names, but the model has none")
        assert_same(all_answers(student, ARRAYS[kind]()), expected)


def test_memory_maps(tmp_path, student):
    X = memory_map(tmp_path)
    assert np.array_equal(student.compact_.scores(X), student.compact_.scores(DENSE))
    assert profile(student.compact_, X, target="host").mismatches == 0


def test_a_model_from_a_file(tmp_path, student):
    student.save(tmp_path / "model.skd")
    model = load(tmp_path / "model.skd")
    for make in (*FRAMES.values(), *MISSING.values()):
        assert np.array_equal(model.predict(make()), student.predict(make()))


def test_categories():
    F = NUMBERS.assign(colour=rng.choice(["red", "green", "blue"], N), floor=NUMBERS["rooms"])
    student = SoftTreeClassifier(max_leaf_nodes=6, categorical_features=["colour", "floor"])
    student.fit(F, Y)
    rows = F.assign(colour=F["colour"].replace("blue", "pink"))  # which fit has not seen
    rows.loc[3, "colour"] = None
    expected = student.predict(rows)
    logits = SoftBoostingClassifier(2, categorical_features=["colour", "floor"]).fit(F, Y)
    adapted = adapt(logits, rows, Y)
    assert not adapted.equals(logits.compact_)
    for X in (
        rows,
        rows.convert_dtypes(),
        rows.convert_dtypes(dtype_backend="pyarrow"),
        rows.astype({"colour": "category"}),
        pl.from_pandas(rows),
        pl.from_pandas(rows).with_columns(pl.col("colour").cast(pl.Categorical)),
        pa.Table.from_pandas(rows),
        rows.to_numpy(object),
        rows.to_numpy(object).tolist(),
    ):
        assert np.array_equal(student.compact_.predict(X), expected)
        assert profile(student.compact_, X, target="host").mismatches == 0
        sent = device_input(student.compact_, X, "float32")
        assert adapt(logits, X, Y).equals(adapted)
        assert np.array_equal(sent, student.compact_.read_rows(rows).astype(np.float32))


def test_a_blank_text_column_of_a_model_of_numbers():
    for blank in ([""] * N, [None] * N):
        X = NUMBERS.assign(note=np.array(blank, object))
        student = SoftTreeClassifier(max_leaf_nodes=4).fit(X, Y)
        assert np.array_equal(student.compact_.predict(X), student.predict(X))
        assert profile(student, X, target="host").mismatches == 0


def test_one_column_is_no_table(student):
    one = SoftTreeClassifier(max_leaf_nodes=4).fit(DENSE[["size"]], Y).compact_
    for X in (DENSE["size"], DENSE["size"].to_numpy(), pl.Series([1.0, 2.0])):
        with pytest.raises(ValueError, match=r"\(n_samples, 1\), got .*np.reshape\(X, \(-1, 1\)\)"):
            one.predict(X)
    with pytest.raises(ValueError, match=r"\(n_samples, 3\), got \(3,\): np.reshape\(X, \(1, -1\)"):
        student.compact_.predict(DENSE.iloc[0])


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_points_in_time_are_refused_with_a_remedy(student, make):
    times = pd.to_datetime(["2024-01-01"] * 2).to_pydatetime().tolist()
    X = make({"size": [1.0, 2.0], "rooms": times, "is_new": [True, False]})
    forest = RandomForestClassifier(2, random_state=0).fit(DENSE, Y)
    for call in (
        student.predict,
        student.compact_.predict,
        lambda X: device_input(student.compact_, X, "float32"),
        lambda X: profile(student, X, target="host"),
        lambda X: adapt(student, X, [0, 1]),
        lambda X: convert(forest, X, threshold_bits=4),
        lambda X: SoftTreeClassifier().fit(X, [0, 1]),
    ):
        with pytest.raises(
            TypeError, match=r"'rooms' holds .*turn the column .*points in time into"
        ):
            call(X)


def test_arrays_of_points_in_time_and_lazy_frames_are_refused_with_a_remedy(student):
    times = np.full((N, 3), np.datetime64("2024-01-01"))
    model = student.compact_
    for call in (model.predict, lambda X: SoftTreeClassifier().fit(X, Y)):
        for X in (times, times - times):
            with pytest.raises(TypeError, match=r"column .* holds .*points in time into numbers"):
                call(X)
        with pytest.raises(TypeError, match=r"LazyFrame, .*: pass X.collect\(\)"):
            call(pl.from_pandas(NUMBERS).lazy())


@pytest.mark.parametrize("transfer_set", [None, "munge", "pool"])
@pytest.mark.parametrize("kind", ["bool beside float", "nullable", "Arrow types", "narrow types"])
def test_distillers_and_scorers(kind, transfer_set):
    X = FRAMES[kind]()
    pool = {"pool": Pool(X), "munge": Munge(1)}.get(transfer_set)
    distilled = DistilledClassifier(
        RandomForestClassifier(5, random_state=0),
        SoftTreeClassifier(max_leaf_nodes=6),
        transfer_set=pool,
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert np.array_equal(distilled.compact_.predict(X), distilled.predict(X))
    assert 0.5 < fidelity_scorer(distilled, X, Y) <= 1


# Sparse rows.
S = sparse.random(200, 20, 0.2, format="csr", random_state=0)
SY = (np.asarray(S.sum(axis=1)).ravel() > 2).astype(int)
FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


with warnings.catch_warnings():
    warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)  # of so many diagonals
    KINDS = [
        kind(S).asformat(name) for kind in (sparse.csr_matrix, sparse.csr_array) for name in FORMATS
    ]
KINDS.append(S.astype(np.float32))


@pytest.mark.parametrize("X", KINDS, ids=lambda X: f"{type(X).__name__} {X.dtype}")
def test_sparse_rows_of_every_format(X):
    fitted = LogisticRegression(C=100).fit(S, SY)
    model = convert(fitted, X)
    assert model.equals(convert(fitted, X.toarray()))
    D = X.toarray()
    assert np.array_equal(model.scores(X), model.scores(D))
    assert np.array_equal(device_input(model, X, "float32"), device_input(model, D, "float32"))
    assert profile(model, X, target="host").mismatches == 0
    assert adapt(model, X, SY, bias=True).equals(adapt(model, D, SY, bias=True))
    assert SoftLinearClassifier().fit(X, SY).predict(X).shape == (200,)


def test_sparse_rows_of_other_estimators():
    for fitted in (
        Ridge().fit(S, SY),
        make_pipeline(MaxAbsScaler(), LogisticRegression()).fit(S, SY),
        make_pipeline(StandardScaler(with_mean=False), LogisticRegression()).fit(S, SY),
        make_pipeline(MaxAbsScaler(), SoftLinearClassifier()).fit(S, SY),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the converted Pipeline gives")
            assert convert(fitted, S).equals(convert(fitted, S.toarray()))
    forest = RandomForestClassifier(3, random_state=0).fit(S, SY)
    bits = {"threshold_bits": 6}
    assert convert(forest, S, **bits).equals(convert(forest, S.toarray(), **bits))
    for call in (convert(forest).predict, lambda X: profile(convert(forest), X, target="host")):
        with pytest.raises(ValueError, match=r"linear models alone read: use X.toarray\(\)"):
            call(S)


def test_of_large_sparse_rows_a_sample_shows_the_range(monkeypatch):
    monkeypatch.setattr("skdistill.converters.rows.MOST_NUMBERS", 20 * 50)
    D = S.toarray()
    D[7, 3], D[8, 3], D[:, 5], D[9, 6] = 40.0, -9.5, 0, np.nan
    D[:, 8], D[150, 8], D[151, 8] = 1, 1.5, 2
    rows = sample_rows(sparse.coo_array(D))
    assert rows.shape == (50, 20)
    assert (rows[:, 8] == 1.5).any()  # so that the column is not one of whole numbers
    assert np.array_equal(np.nanmin(rows, axis=0), np.nanmin(D, axis=0))
    assert np.array_equal(np.nanmax(rows, axis=0), np.nanmax(D, axis=0))
    assert np.isnan(rows[:, 6]).any()
    fitted = LogisticRegression(C=100).fit(S, SY)
    model = convert(fitted, S, value_bits=12)
    assert np.mean(model.predict(S) == fitted.predict(S)) > 0.99


def test_distillers_of_sparse_rows():
    P = LogisticRegression(C=100).fit(S, SY).predict_proba(S)
    linear = SoftLinearClassifier()
    given = DistilledClassifier(None, linear, transfer_set=None).fit(S, SY, teacher_proba=P)
    frozen = FrozenEstimator(LogisticRegression(C=100).fit(S, SY))
    for distilled in (
        given,
        DistilledClassifier(frozen, linear, transfer_set=None).fit(S, SY),
        DistilledClassifier(frozen, linear, transfer_set=None).fit(S),
        DistilledClassifier(LogisticRegression(), linear, transfer_set=None).fit(S.tocoo(), SY),
        DistilledClassifier(LogisticRegression(), linear, transfer_set=Pool(S)).fit(S, SY),
        DistilledClassifier(LogisticRegression(), linear, transfer_set=None).fit(
            sparse.csr_array(S), SY, X_unlabeled=S[:50]
        ),
        DistilledClassifier(None, linear, alpha=0).fit(S, SY),
    ):
        assert distilled.score(S, SY) > 0.8
        assert np.array_equal(distilled.predict(S), distilled.predict(S.toarray()))
    assert fidelity_scorer(distilled_with_teacher(linear), S, SY) > 0.8
    values = DistilledRegressor(Ridge(), SoftLinearRegressor(), transfer_set=None).fit(S, SY)
    assert values.predict(S.tocsc()) == pytest.approx(values.predict(S.toarray()))


def distilled_with_teacher(linear):
    return DistilledClassifier(LogisticRegression(), linear, transfer_set=None).fit(S, SY)


def test_distillers_that_need_dense_rows_say_why():
    with pytest.raises(TypeError, match=r"required by SoftTreeClassifier: pass X.toarray\(\)"):
        DistilledClassifier(None, SoftTreeClassifier(), alpha=0).fit(S, SY)
    with pytest.raises(TypeError, match="required by transfer_set='munge': set transfer_set=None"):
        DistilledClassifier(LogisticRegression(), SoftLinearClassifier()).fit(S, SY)
