"""Figures by group, gaps between groups, bounds of shares."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from skdistill.inspection.bounds import clopper_pearson, difference_p_value, upper_bound
from skdistill.inspection.groups import as_names, error_gaps, fidelity_gaps, part_figures


@pytest.mark.parametrize(("count", "n"), [(0, 10), (3, 10), (10, 10), (40, 1000)])
def test_limits_are_where_the_count_becomes_unlikely(count, n):
    interval = clopper_pearson(count, n)
    if count < n:
        assert binom.cdf(count, n, interval.high) == pytest.approx(0.025)
        assert binom.cdf(count, n, upper_bound(count, n)) == pytest.approx(0.05)
    if count:
        assert binom.sf(count - 1, n, interval.low) == pytest.approx(0.025)
    assert interval.low <= count / n <= interval.high


def test_bounds_cover_the_share_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = [rng.binomial(200, 0.07) for _ in range(2000)]
    assert np.mean([upper_bound(count, 200) >= 0.07 for count in covered]) >= 0.94


def test_without_rows_nothing_is_known():
    assert clopper_pearson(0, 0)[1:3] == (0.0, 1.0) and np.isnan(clopper_pearson(0, 0).share)
    assert difference_p_value(0, 0, 3, 5) == 1 and difference_p_value(0, 3, 0, 5) == 1


def test_figures_of_parts():
    y = np.array([0, 0, 1, 1, 1, 0])
    teacher = np.array([0, 0, 1, 1, 0, 0])
    student = np.array([0, 1, 1, 0, 1, 0])
    first, second = part_figures(y, teacher, student, [None, None, "b", "b", "b", "b"])
    assert (first.name, first.n, second.name, second.n) == ("b", 4, "missing", 2)
    assert (first.accuracy_teacher, first.accuracy_student) == (0.75, 0.75)
    assert (first.lost, first.gained, first.fidelity) == (0.25, 0.25, 0.5)
    assert (first.positive_labels, first.positive_student) == (0.75, 0.5)
    assert second.retention == 0.5


def test_gaps_of_chance_are_not_named():
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(60):
        y, groups = rng.integers(0, 2, 500), rng.integers(0, 4, 500)
        predicted = np.where(rng.random(500) < 0.2, 1 - y, y)
        named += bool(error_gaps(y, predicted, groups)) + bool(fidelity_gaps(y, predicted, groups))
    assert named <= 3


def test_large_gaps_are_named_with_their_group_and_class():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 3, 3000), rng.integers(0, 3, 3000)
    predicted = np.where((groups == 2) & (y == 1) & (rng.random(3000) < 0.4), 0, y)
    gaps = error_gaps(y, predicted, groups)
    assert (gaps[0].group, gaps[0].rate) == ("2", "the share of missed 1")
    assert gaps[0].outside == 0 and 0.3 < gaps[0].inside < 0.5
    assert {gap.rate for gap in gaps} == {"the share of missed 1", "the share of false 0"}
    assert fidelity_gaps(y, predicted, groups)[0].group == "2"


def test_a_group_for_each_row_is_no_group():
    y = np.arange(400) % 2
    assert error_gaps(y, 1 - y, np.arange(400)) == ()


@pytest.mark.parametrize("dtype", ["string", "category", object])
def test_missing_groups_have_a_name(dtype):
    names = as_names(pd.Series(["a", None, "b"], dtype=dtype))
    assert names.tolist() == ["a", "missing", "b"]
    assert as_names([1.0, np.nan]).tolist() == ["1.0", "missing"]
    assert as_names(pd.Series([1, None], dtype="Int64")).tolist() == ["1", "missing"]
