"""Histograms against sums that NumPy forms, and the subtraction that replaces one of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from skdistill.students.tree.histogram import add_rows, subtract_histogram, sum_histogram
from tests.strategies import seeds


def random_rows(seed, n=5000):
    """Codes of three features, the second without edges, and statistics of any sign."""
    rng = np.random.default_rng(seed)
    n_codes = np.array([9, 2, 5])  # NaN included
    codes = np.array([rng.integers(0, count, n) for count in n_codes], np.uint8)
    row_stats = rng.integers(-(2**31), 2**31, (n, 3)).astype(np.int32)
    rows = np.flatnonzero(rng.random(n) < 0.6).astype(np.int32)
    return codes, np.concatenate([[0], np.cumsum(n_codes)]), row_stats, rows


def histogram_of(codes, bin_offsets, row_stats, rows):
    histogram = np.full((bin_offsets[-1], row_stats.shape[1]), 7, np.int64)  # is overwritten
    for part in ((0, 1), (1, len(codes))):
        sum_histogram(codes, bin_offsets, rows, row_stats, histogram, *part)
    return histogram


@given(seeds)
def test_a_bin_holds_the_sums_of_its_rows(seed):
    codes, bin_offsets, row_stats, rows = random_rows(seed)
    histogram = histogram_of(codes, bin_offsets, row_stats, rows)
    for j, code in enumerate(codes):
        for b in range(bin_offsets[j + 1] - bin_offsets[j]):
            inside = row_stats[rows[code[rows] == b]].astype(np.int64)
            expected = inside.sum(axis=0) if j != 1 else np.zeros(3)  # no edge, nothing to split
            assert histogram[bin_offsets[j] + b].tolist() == expected.tolist()


@given(seeds)
def test_the_parent_less_one_child_is_the_other_child(seed):
    codes, bin_offsets, row_stats, rows = random_rows(seed)
    some, others = rows[: len(rows) // 3], rows[len(rows) // 3 :]
    parent = histogram_of(codes, bin_offsets, row_stats, rows)
    subtract_histogram(parent, histogram_of(codes, bin_offsets, row_stats, some))
    assert parent.tolist() == histogram_of(codes, bin_offsets, row_stats, others).tolist()


def test_rows_are_added_to_what_is_there():
    histogram = np.ones((2, 1), np.int64)
    code, rows = np.array([1, 0, 1], np.uint8), np.array([0, 2], np.int32)
    add_rows(code, rows, np.array([[5], [6]], np.int32), histogram)
    assert histogram.tolist() == [[1], [12]]
