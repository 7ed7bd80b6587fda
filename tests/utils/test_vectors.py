"""Additions of vectors against NumPy, of each pair of types that is used."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from skdistill.utils.vectors import add_four_rows, add_row, add_to_four_rows, padded_width


@njit
def add_all(out, table):
    """Everything at places of its own."""
    add_row(out, 1, table, 3, 4)
    add_row(out, 6, table, 2, 8)
    add_to_four_rows(out, 15, 19, 19, 24, table, 5, 4)
    add_to_four_rows(out, 28, 36, 44, 44, table, 1, 8)
    add_four_rows(out, 52, table, 0, 1, 2, 3, 4)
    add_four_rows(out, 57, table, 4, 3, 2, 1, 8)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (np.float64, np.float64),
        (np.float64, np.float32),
        (np.float32, np.float32),
        (np.int64, np.int32),
        (np.int32, np.int32),
    ],
)
def test_vectors_are_added_where_they_belong(wide, narrow):
    rng = np.random.default_rng(0)
    out, table = rng.integers(-999, 999, 70).astype(wide), rng.integers(-999, 999, 20)
    table = table.astype(narrow)
    expected = out.copy()
    places = [(1, 3, 4), (6, 2, 8)]
    places += [(at, 5, 4) for at in (15, 19, 19, 24)] + [(at, 1, 8) for at in (28, 36, 44, 44)]
    places += [(52, a, 4) for a in range(4)] + [(57, a, 8) for a in (4, 3, 2, 1)]
    for at, a, lanes in places:
        expected[at : at + lanes] += table[a : a + lanes].astype(wide)
    add_all(out, table)
    assert (out == expected).all()


def test_widths_are_one_or_a_multiple_of_four():
    assert [padded_width(width) for width in (1, 2, 4, 5, 26)] == [1, 4, 4, 8, 28]
