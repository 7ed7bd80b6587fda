"""Row statistics in fixed point: weighted targets in a unit that is a power of two."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skdistill.students.tree.fixed_point import FIXED_POINT, round_stats, to_fixed_point
from tests.strategies import seeds


@given(seeds, st.integers(-1000, 900), st.booleans())
def test_statistics_are_weighted_targets_in_a_unit_that_is_a_power_of_two(seed, exponent, count):
    rng = np.random.default_rng(seed)
    P, weight = rng.dirichlet(np.ones(3), 20), rng.uniform(0.1, 7, 20)
    row_stats = to_fixed_point(P, weight, count=count)
    assert row_stats.dtype == np.int32
    assert row_stats.shape == (20, 5 if count else 4)
    assert 2**30 <= row_stats[:, 3].max() <= 2**31 - 1
    unit = 2.0**30 / 2.0 ** np.floor(np.log2(weight.max()))
    assert np.abs(row_stats[:, 3] - weight * unit).max() <= 0.5
    assert np.abs(row_stats[:, :3] - P * weight[:, None] * unit).max() <= 0.5
    if count:
        assert (row_stats[:, 4] == 1).all()
    assert np.array_equal(to_fixed_point(P, weight * 2.0**exponent, count=count), row_stats)


@given(seeds, st.integers(-1000, 1000))
def test_statistics_of_any_sign_and_size_keep_their_digits(seed, exponent):
    stats = np.ldexp(np.random.default_rng(seed).normal(size=(20, 3)), exponent)
    row_stats, unit = round_stats(stats)
    assert row_stats.dtype == np.int32
    assert np.frexp(unit)[0] == 0.5  # a power of two
    assert np.abs(row_stats - stats * unit).max() <= 0.5
    if exponent > FIXED_POINT - 1000 + 4:
        assert 2 ** (FIXED_POINT - 1) <= np.abs(row_stats).max() <= 2**FIXED_POINT
