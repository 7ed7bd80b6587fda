"""Text that is a number with a point or a comma, and marks of what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.dataframe.number_text import is_missing_mark, is_number, point_for_comma


@pytest.mark.parametrize("text", ["1", "-1.5", " +2. ", ".5", "1e3", "-2.5E-7"])
def test_numbers(text):
    assert is_number(text) and np.isfinite(float(text))


@pytest.mark.parametrize(
    "text", ["", ".", "e3", "1_000", "\u0661\u0662", "nan", "inf", "1e999", "1,5", "0x10", "1 2"]
)
def test_text_that_is_no_number(text):
    assert not is_number(text)


def test_marks_of_what_is_missing():
    assert all(map(is_missing_mark, ["", "  ", "?", " - ", "N/A", "Unknown"]))
    assert not any(map(is_missing_mark, ["0", "x", "inf"]))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,5", "-2"], [1.5, -2]),
        (["1.234,5", "-12.345.678,25", "3"], [1234.5, -12345678.25, 3]),
        (["1,5e-3", ",5", " 7,0 "], [0.0015, 0.5, 7]),
    ],
)
def test_decimal_commas(texts, expected):
    pointed = point_for_comma([*texts, "-", " "])
    assert list(pointed) == texts
    assert [float(number) for number in pointed.values()] == expected


@pytest.mark.parametrize(
    "texts",
    [["1", "2"], ["1,5", "1.5"], ["1,2,3"], ["1,5", "red"], ["12.34,5"], [","], ["-", ""], []],
)
def test_these_are_no_decimal_commas(texts):
    assert point_for_comma(texts) is None
