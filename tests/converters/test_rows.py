"""Rows of arrays and of every kind of data frame, as the model reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from skdistill.converters.rows import as_numbers, read_columns, type_of_rows

COLUMNS = {"b": [1.5, 2.5], "note": ["x", "y"], "a": [3.0, np.nan]}


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"]
)
def test_columns_of_a_frame_come_by_name(frame):
    rows = read_columns(frame(COLUMNS), 3, ["a", "note", "b"], np.array([0, 2]))
    np.testing.assert_array_equal(rows, [[3.0, 0, 1.5], [np.nan, 0, 2.5]])
    with pytest.raises(ValueError, match="X has no column 'c', which the model reads"):
        read_columns(frame(COLUMNS), 1, ["c"], np.array([0]))


def test_what_has_no_names_stays_as_it_is():
    X = [[1.0, 2.0]]
    assert read_columns(X, 2, ["a", "b"], np.array([0])).tolist() == X
    frame = pd.DataFrame(COLUMNS)[["b", "a"]]
    with pytest.warns(UserWarning, match="the model has none: its columns are taken by position"):
        rows = read_columns(frame, 2, None, np.array([0, 1]))
    np.testing.assert_array_equal(rows, frame)


def test_numbers_are_of_the_type_of_the_table():
    assert as_numbers(np.array([[0.1, np.nan]]), "float32").dtype == np.float32
    ends = np.array([[3.0, -(2.0**31) + 1]])
    assert as_numbers(ends, "int32").tolist() == [[3, -(2**31) + 1]]
    for rows in ([[0.5]], [[2.0**31]], [[np.nan]]):
        with pytest.raises(ValueError, match="no int32"):
            as_numbers(np.array(rows), "int32")


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"]
)
def test_the_type_of_rows_is_that_of_all_columns(frame):
    floats = {name: np.arange(3, dtype=np.float32) for name in "ab"}
    assert type_of_rows(frame(floats)) == "float32"
    for other in (np.arange(3.0), np.arange(3), np.array(["2024-01-01"] * 3, "datetime64[ms]")):
        assert type_of_rows(frame(floats | {"c": other})) == "float64"
    assert type_of_rows(frame(COLUMNS)) == "float64"


def test_the_type_of_rows_of_arrays():
    X = np.ones((2, 2), np.float32)
    assert type_of_rows(X) == type_of_rows(csr_array(X)) == "float32"
    for other in (X.tolist(), X.astype(int), X.astype(float), None):
        assert type_of_rows(other) == "float64"
