"""Numbers as tables again: read, written and read they are the same."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier

from skdistill.dataframe import concat_rows, read_table, take_rows, write_table
from tests.dataframe.tables import CONTAINERS, columns_of, listed_tables
from tests.strategies import seeds


def types_of(X):
    if isinstance(X, pd.DataFrame):
        return X.dtypes.tolist()
    return X.dtype if isinstance(X, np.ndarray) else X.schema


@settings(max_examples=3 * settings.default.max_examples)
@given(kind=st.sampled_from(list(CONTAINERS)), table=listed_tables(), seed=seeds)
def test_round_trip(kind, table, seed):
    X = CONTAINERS[kind](table)
    which = "from_dtype" if kind != "objects" else columns_of(table, "text")
    read = read_table(X, which)
    rows = np.random.default_rng(seed).integers(0, len(read.values), 5)
    written = write_table(X, read.values[rows], read.labels)
    assert type(written) is type(X)
    assert types_of(written) == types_of(X)
    both = read_table(concat_rows(X, written), which)
    assert_array_equal(both.values, np.concatenate([read.values, read.values[rows]]))
    for before, after in zip(read.labels, both.labels, strict=True):
        assert_array_equal(before, after)
    taken = take_rows(X, rows)
    assert types_of(taken) == types_of(X)
    assert_array_equal(read_table(take_rows(both.values, rows)).values, read.values[rows])


@given(
    values=st.lists(
        st.tuples(st.integers(-9, 9) | st.none(), st.floats(allow_infinity=False)), min_size=1
    )
)
def test_round_trip_of_an_array_of_numbers(values):
    X = np.array([[math.nan if a is None else a, b] for a, b in values])
    read = read_table(X, [0])
    written = write_table(X, read.values, read.labels)
    assert written.dtype == X.dtype
    assert_array_equal(written, X)
    X = np.nan_to_num(X[:, :1]).astype(np.int16)
    read = read_table(X, [True])
    written = write_table(X, read.values, read.labels)
    assert written.dtype == np.int16
    assert_array_equal(written, X)


@pytest.mark.parametrize("without", [None, math.nan, pd.NA, ""])
def test_what_is_missing_is_what_was_missing(without):
    labels = (np.array(["a", "b"]),)
    for like in (
        pd.DataFrame({"x": pd.Series(["b", without, "a"], dtype=object)}),
        np.array([["b"], [without], ["a"]], dtype=object),
    ):
        out = np.asarray(write_table(like, np.array([[math.nan], [0.0]]), labels))
        assert out[1, 0] == "a"
        assert out[0, 0] is without or out[0, 0] == without


def test_strings_keep_their_array():
    X = np.array([["a", "x"], ["b", ""]])
    read = read_table(X, [0, 1])
    out = write_table(X, read.values, read.labels)
    assert out.dtype.kind == "U"
    assert_array_equal(out, X)


def test_categories_and_their_order_are_kept():
    dtype = pd.CategoricalDtype(["low", "unused", "high"], ordered=True)
    X = pd.DataFrame({"x": pd.Series(["high", "low", None], [7, 8, 9], dtype=dtype)})
    read = read_table(X)
    out = write_table(X, read.values[[0, 0, 2]], read.labels)
    assert out["x"].dtype == dtype
    assert out["x"].isna().tolist() == [False, False, True]
    assert out["x"][:2].tolist() == ["high", "high"]
    assert out.index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        ("int32", [4.0, 5.0], "int32"),
        ("int32", [4.0, math.nan], "float64"),
        ("int32", [4.0, 5.5], "float64"),
        ("uint8", [4.0, 256.0], "float64"),
        ("bool", [1.0, 0.0], "bool"),
        ("bool", [1.0, math.nan], "float64"),
        ("float32", [1.5, math.nan], "float32"),
        ("Int32", [4.0, math.nan], "Int32"),
        ("Int32", [4.0, 5.5], "Float64"),
        ("boolean", [1.0, math.nan], "boolean"),
        ("Float32", [1.5, math.nan], "Float32"),
        ("int64[pyarrow]", [4.0, math.nan], "int64[pyarrow]"),
        ("bool[pyarrow]", [0.0, math.nan], "bool[pyarrow]"),
        ("object", [4.0, math.nan], "object"),
    ],
)
def test_types_of_pandas(before, values, after):
    like = pd.DataFrame({"x": pd.Series([1, 0], dtype=before)})
    out = write_table(like, np.array(values)[:, None], (None,))
    assert out["x"].dtype == after
    assert_array_equal(read_table(out).values[:, 0], values)


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        ("int8", [4.0, math.nan], "int8"),
        ("int8", [4.0, 128.0], "double"),
        ("int64", [4.0, 0.5], "double"),
        ("bool", [1.0, math.nan], "bool"),
        ("float", [1.5, math.nan], "float"),
    ],
)
def test_types_of_arrow_and_polars(before, values, after):
    like = pa.table({"x": pa.array([1, 0]).cast(before)})
    out = write_table(like, np.array(values)[:, None], (None,))
    assert str(out["x"].type) == after
    assert_array_equal(read_table(out).values[:, 0], values)
    out_of_polars = write_table(pl.from_arrow(like), np.array(values)[:, None], (None,))
    assert out_of_polars.schema == pl.from_arrow(out).schema
    assert_array_equal(read_table(out_of_polars).values[:, 0], values)


def test_whole_numbers_in_objects_stay_whole():
    X = np.array([[1, 1.5, "a"], [2, 2.0, "b"]], dtype=object)
    out = write_table(X, np.array([[3.0, 4.0, 0.0]]), (None, None, np.array(["a", "b"])))
    assert [type(value) for value in out[0]] == [int, float, str]


def test_columns_without_values():
    for X in (
        pd.DataFrame({"a": pd.Series([None] * 2, dtype="string"), "b": [math.nan] * 2}),
        pd.DataFrame({"a": pd.Series([None] * 2, dtype="category"), "b": [math.nan] * 2}),
        pl.DataFrame({"a": [None, None], "b": pl.Series([None, None], dtype=pl.String)}),
        pa.table({"a": pa.nulls(2), "b": pa.array([None, None], pa.string())}),
    ):
        read = read_table(X)
        out = write_table(X, read.values, read.labels)
        assert types_of(out) == types_of(X)
        assert np.isnan(read_table(out).values).all()


def test_tables_without_rows():
    for kind, make in CONTAINERS.items():
        X = make({"text": ["a", None], "int": [1, 2]})
        read = read_table(X, "from_dtype" if kind != "objects" else [0])
        out = write_table(X, read.values[:0], read.labels)
        assert types_of(out) == types_of(X)
        assert out.shape == (0, 2)


def test_a_teacher_takes_what_is_written():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"c": pd.Categorical(rng.choice(["p", "q", "r"], 60)), "n": rng.normal(size=60)}
    )
    y = (X["c"] == "p").to_numpy() ^ (X["n"] > 0).to_numpy()
    teacher = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2).fit(X, y)
    read = read_table(X)
    written = write_table(X, read.values, read.labels)
    assert_array_equal(teacher.predict_proba(written), teacher.predict_proba(X))


def test_values_that_do_not_fit():
    X = pd.DataFrame({"c": ["a", "b"], "n": [1.0, 2.0]})
    labels = (np.array(["a", "b"]), None)
    for wrong in (2.0, -1.0, 0.5):
        with pytest.raises(ValueError, match=r"column 'c' has 2 labels, .* the place of none"):
            write_table(X, np.array([[wrong, 0.0]]), labels)
    with pytest.raises(ValueError, match=r"values of shape \(1, 1\) and 2 labels do not fit"):
        write_table(X, np.ones((1, 1)), labels)
    X = X.astype({"c": "category"})
    with pytest.raises(ValueError, match=r"column 'c' has no categories \['z'\]"):
        write_table(X, np.array([[1.0, 0.0]]), (np.array(["a", "z"]), None))
    for like in (
        X[["n"]],
        pl.DataFrame({"n": [1]}),
        pa.table({"n": pa.nulls(1)}),
        np.ones((1, 1)),
    ):
        with pytest.raises(ValueError, match="holds no strings, its labels are"):
            write_table(like, np.array([[1.0]]), (np.array(["a", "z"]),))


def test_rows_below_one_another():
    a, b = pd.DataFrame({"x": pd.Categorical([1, 2])}), pd.DataFrame({"x": pd.Categorical([3, 1])})
    both = concat_rows(a, b)
    assert both["x"].cat.categories.tolist() == [1, 2, 3]
    assert both["x"].tolist() == [1, 2, 3, 1]
    ordered = a.astype(pd.CategoricalDtype([2, 1], ordered=True))
    assert concat_rows(ordered, b)["x"].cat.ordered
    a, b = pl.DataFrame({"x": [1]}), pl.DataFrame({"x": [0.5]})
    assert concat_rows(a, b)["x"].to_list() == [1, 0.5]
    assert concat_rows(a.to_arrow(), b.to_arrow())["x"].to_pylist() == [1, 0.5]
    S = sparse.csr_array(np.eye(2))
    assert_array_equal(concat_rows(S, S).toarray(), np.vstack([np.eye(2)] * 2))


def test_rows_that_do_not_belong_together():
    with pytest.raises(TypeError, match="two kinds, pandas and polars"):
        concat_rows(pd.DataFrame({"x": [1]}), pl.DataFrame({"x": [1]}))
    with pytest.raises(TypeError, match="two kinds, array of strings and array"):
        concat_rows(np.array([["a"]]), np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"other columns: \['x'\] and \['y'\]"):
        concat_rows(pd.DataFrame({"x": [1]}), pd.DataFrame({"y": [1]}))


def test_rows_by_number_and_mask():
    table = {"text": ["a", "b", "c"], "int": [1, 2, 3]}
    for make in (*CONTAINERS.values(), lambda _: sparse.csr_array(np.eye(3))):
        X = make(table)
        for rows in ([2, 0], [True, False, True], np.array([], int)):
            taken = take_rows(X, rows)
            assert type(taken) is type(X)
            assert taken.shape == (min(len(rows), 2), X.shape[1])
    assert take_rows([[1], [2]], [1]).tolist() == [[2]]
