"""Thresholds of models that read whole numbers."""

import numpy as np
import pytest

from skdistill.compact.tables.limits import are_fractions


@pytest.mark.parametrize("whole", [0.0, 1.5, -2.5, 12.0, -8277.0, 16383.5, 1e6, 2.0**23])
def test_the_neighbours_of_whole_and_half_way_thresholds_are_none(whole):
    number = np.float32(whole)
    beside = [np.nextafter(number, np.float32(end)) for end in (-np.inf, np.inf)]
    assert not are_fractions(np.array([number, *beside])).any()


@pytest.mark.parametrize("whole", [0, 5, -8277, 30_000, 100_000])
@pytest.mark.parametrize("part", [0.1, 0.25, 0.75])
def test_fractions(whole, part):
    assert are_fractions(np.array([whole + part])).all()
    assert are_fractions(np.array([whole + part], np.float32)).all()


def test_what_is_not_finite_or_beyond_float32_is_none():
    assert not are_fractions(np.array([np.inf, -np.inf, 1e300, -1e300])).any()
