"""Tables: rows that are taken and concatenated are those that would have been read."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from skdistill.dataframe import concat_rows, concat_tables, read_table, take_rows, write_table
from skdistill.students._validation import read_rows
from tests.dataframe.tables import CELLS, CONTAINERS, columns_of
from tests.strategies import seeds


@st.composite
def pairs_of_tables(draw):
    """Two dictionaries of lists with the same columns."""
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    tables = []
    for n in (draw(st.integers(1, 9)), draw(st.integers(1, 9))):
        columns = (st.lists(CELLS[kind] | st.none(), min_size=n, max_size=n) for kind in kinds)
        values = [draw(column) for column in columns]
        tables.append(
            {f"{kind} {j}": x for j, (kind, x) in enumerate(zip(kinds, values, strict=True))}
        )
    return tables


def require_same(table, expected):
    assert_array_equal(table.values, expected.values)
    for one, other in zip(table.labels, expected.labels, strict=True):
        assert_array_equal(one, other)
    assert table.names == expected.names


# Enums of polars with other categories are other types, which polars does not concatenate.
@given(kind=st.sampled_from([k for k in CONTAINERS if k != "polars enum"]), pair=pairs_of_tables())
def test_concatenated_tables_are_read_as_concatenated_rows(kind, pair):
    a, b = (CONTAINERS[kind](table) for table in pair)
    which = "from_dtype" if kind != "objects" else columns_of(pair[0], "text")
    both = concat_tables(read_table(a, which), read_table(b, which))
    require_same(both, read_table(concat_rows(a, b), which))
    require_same(read_table(both.native, which), both)


@given(kind=st.sampled_from(list(CONTAINERS)), pair=pairs_of_tables(), seed=seeds)
def test_rows_that_are_taken(kind, pair, seed):
    X = CONTAINERS[kind](pair[0])
    table = read_table(X, "from_dtype" if kind != "objects" else columns_of(pair[0], "text"))
    rows = np.random.default_rng(seed).integers(0, table.n_samples, 5)
    taken = table.take(rows)
    assert taken.n_samples == 5 and taken.labels is table.labels
    assert_array_equal(taken.values, table.values[rows])
    expected = read_table(take_rows(X, rows), table.has_labels)
    assert_array_equal(read_table(taken.native, table.has_labels).values, expected.values)


@given(kind=st.sampled_from(list(CONTAINERS)), pair=pairs_of_tables())
def test_a_table_writes_rows_without_its_data(kind, pair):
    X = CONTAINERS[kind](pair[0])
    table = read_table(X, "from_dtype" if kind != "objects" else columns_of(pair[0], "text"))
    expected = write_table(X, table.values, table.labels)
    copy = pickle.loads(pickle.dumps(table))  # a cache holds tables
    written = write_table(copy.take(np.arange(0)), table.values, table.labels)
    assert type(written) is type(expected)
    assert_array_equal(read_table(written, table.has_labels).values, table.values)
    if isinstance(written, pd.DataFrame):
        pd.testing.assert_frame_equal(written, expected)


def test_arrays_of_numbers_stay_one_array():
    a, b = np.ones((2, 3), np.float32), np.zeros((1, 3), np.float32)
    both = concat_tables(read_table(a), read_table(b))
    assert both.values is both.native and both.values.dtype == np.float32
    taken = both.take([True, False, True])
    assert taken.values is taken.native and taken.values.tolist() == [[1, 1, 1], [0, 0, 0]]


def frame(*values):
    return read_table(pd.DataFrame({"x": list(values)}))


def categories(*values):
    return read_table(pd.DataFrame({"x": pd.Categorical(list(values))}))


def test_a_column_is_what_it_is_in_the_first_table():
    numbers = concat_tables(frame(1.0, 2.5), categories(7, 9))
    assert numbers.labels == (None,) and numbers.values[:, 0].tolist() == [1.0, 2.5, 7.0, 9.0]
    labelled = concat_tables(categories(9, 7), frame(8.0, math.nan))
    assert labelled.labels[0].tolist() == [7, 8, 9]
    assert_array_equal(labelled.values[:, 0], [2, 0, 1, math.nan])
    empty = concat_tables(frame(None, math.nan), frame("b", "a"))
    assert empty.labels[0].tolist() == ["a", "b"]
    assert_array_equal(empty.values[:, 0], [math.nan, math.nan, 1, 0])


@pytest.mark.parametrize(
    "pair", [(frame(1.0), frame("a")), (frame("a"), frame(1.0)), (categories(1), frame("a"))]
)
def test_strings_do_not_go_with_numbers(pair):
    with pytest.raises(ValueError, match="column 'x' mixes strings and numbers"):
        concat_tables(*pair)


def test_labels_are_counted_together():
    a, b = (frame(*(f"label {k}" for k in range(low, low + 200))) for low in (0, 100))
    with pytest.raises(ValueError, match="column 'x' has 300 labels, at most 254"):
        concat_tables(a, b)


def test_integers_of_both_tables_are_integers():
    whole, real = pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [0.5]})
    for a, b, expected in ((whole, whole, True), (whole, real, False), (real, whole, False)):
        both = concat_tables(read_table(a), read_table(b))
        assert [form.is_integer for form in both.formats] == [expected]


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
        pd.DataFrame([["x", 1], ["y", 2]]),
        pl.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
    ],
)
def test_students_learn_names_from_a_table_as_from_the_frame(X):
    expected, estimator = BaseEstimator(), BaseEstimator()
    estimator.feature_names_in_ = np.array(["of", "before"], object)
    validate_data(expected, X, skip_check_array=True)
    read_rows(estimator, read_table(X), allow_nan=True, categorical_features="from_dtype")
    assert estimator.n_features_in_ == expected.n_features_in_ == 2
    names = [list(getattr(each, "feature_names_in_", [])) for each in (estimator, expected)]
    assert names[0] == names[1]
