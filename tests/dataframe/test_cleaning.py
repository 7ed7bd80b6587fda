"""Blanks, marks, dates and columns of other kinds."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from skdistill.dataframe.cleaning import clean_columns, holds_dates
from skdistill.dataframe.files import DatasetError


def clean(values, leave_out_empty=True):
    frame, notes = clean_columns(pd.DataFrame({"x": values}), leave_out_empty=leave_out_empty)
    return frame, notes


@pytest.mark.parametrize(
    ("values", "expected", "marks"),
    [
        (["1", " ", "2.5"], [1, np.nan, 2.5], "1 cell without one (' ') counts as missing"),
        (["1", "", None, "?"], [1, np.nan, np.nan, np.nan], "2 cells without one ('', '?') count"),
        (["-3e2", "n/a"], [-300, np.nan], "1 cell without one ('n/a') counts as missing"),
    ],
)
def test_numbers_beside_blanks_and_marks(values, expected, marks):
    for dtype in (object, "str", "category"):
        frame, notes = clean(pd.Series(values, dtype=dtype))
        np.testing.assert_array_equal(frame["x"].to_numpy(float), expected)
        assert len(notes) == 1 and notes[0].startswith(f"'x' holds numbers; {marks}")


@pytest.mark.parametrize(
    "values",
    [
        ["1", "2", "3+"],
        ["a", "?"],
        ["01", "02"],
        ["1", "2"],
        ["nan", "?"],
        ["inf", "x"],
        ["1_0", "?"],
    ],
)
def test_labels_stay_as_they_are(values):
    frame, notes = clean(values)
    assert frame["x"].tolist() == values and notes == []


def test_blank_labels_are_missing():
    frame, notes = clean(["red", "  ", "", None])
    assert frame["x"].isna().tolist() == [False, True, True, True] and notes == []


@pytest.mark.parametrize("values", [[None, None], ["", " "], [np.nan, np.nan]])
def test_columns_without_a_value(values):
    data = pd.DataFrame({"x": values, "b": [1, 2]})
    frame, notes = clean_columns(data, leave_out_empty=True)
    assert list(frame.columns) == ["b"]
    assert notes == ["left out 'x', which holds no value at all"]
    assert list(clean_columns(data, leave_out_empty=False)[0].columns) == ["x", "b"]


@pytest.mark.parametrize(
    "values",
    [
        pd.date_range("2024", periods=2),
        pd.date_range("2024", periods=2, tz="UTC"),
        pd.to_timedelta([1, 2], "s"),
        pd.period_range("2024-01", periods=2, freq="M"),
        [datetime.date(2024, 1, 3), None],
        [datetime.time(1), datetime.time(2)],
        ["2024-01-03", "2024-1-4"],
        ["2024-01-03 10:15:00", ""],
        ["2024-01-03T10:15:00.25Z", None],
        ["3.12.2024", "13/02/2023 4:05 PM"],
        pd.Categorical(["2024-01-03", "2024-01-04"]),
        ["unknown", "2024-01-04", "?"],
        ["10:30", "8:15 pm"],
        ["23:59:59", " "],
    ],
)
def test_dates_are_refused_by_name(values):
    assert holds_dates(pd.Series(values))
    message = r"dates or times such as '.*' in 'x': turn them into numbers .*\(--drop x\)"
    with pytest.raises(DatasetError, match=message):
        clean(values)


@pytest.mark.parametrize(
    "values",
    [
        [20240103, 20240104],
        ["2024", "2025"],
        ["1.2", "3.4"],
        ["1-2", "3-4"],
        [None, None],
        ["?"],
        ["16:90"],
    ],
)
def test_these_are_no_dates(values):
    assert not holds_dates(pd.Series(values))


@pytest.mark.parametrize("values", [[[1], [2]], [b"a", b"b"], [{"a": 1}, None], [1j, 2j]])
def test_other_kinds_are_refused_by_name(values):
    with pytest.raises(DatasetError, match=r"neither numbers nor text in 'x': leave out \(--drop"):
        clean(values)


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        pd.array([1, 2], "Int64"),
        [decimal.Decimal("1.5"), None],
        [1, "a"],  # the reader of rows says what is wrong with it
    ],
)
def test_other_columns_go_to_the_reader_of_rows(values):
    frame, notes = clean(values)
    assert frame["x"].equals(pd.Series(values, name="x")) and notes == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.array([3, None], "Int64"), [3, np.nan]),
        (pd.array([True, None], "boolean"), [1, np.nan]),
        ([2**24 + 2, 5], [2**24 + 2, 5]),
    ],
)
def test_numbers_that_teachers_refuse_become_floats(values, expected):
    frame, notes = clean(values)
    assert frame["x"].dtype == np.float64 and notes == []
    np.testing.assert_array_equal(frame["x"], expected)


def test_whole_numbers_that_float32_rounds_are_noted():
    frame, notes = clean([2**24 + 1, -(10**15), 1])
    assert frame["x"].tolist() == [2**24 + 1, -(10**15), 1]
    assert notes == ["rounded whole numbers beyond 2**24 to float32 in 'x'"]
