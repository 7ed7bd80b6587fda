"""Active transfer: rows near those of the largest gap, within a budget."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skdistill import Active, Munge

X = np.random.default_rng(0).normal(size=(100, 3))


@pytest.mark.parametrize(("factor", "passes", "each"), [(6, 2, 2), (5, 1, 3), (1, 4, 1)])
def test_passes_share_the_rows(factor, passes, each):
    active = Active(factor, passes)
    first = active.sample(X, random_state=0)
    assert np.array_equal(first, Munge(each).sample(X, random_state=0))
    rows = np.concatenate([X, first])
    later = active.resample(rows, np.ones(len(rows)), 100, random_state=0)
    assert later.shape == (each * 100, 3)


def test_only_rows_with_a_gap_have_children():
    far = X.copy()
    far[:30] += 100
    gap = np.zeros(100)
    gap[:30] = 1
    rows = Active(6, 2).resample(far, gap, 100, random_state=0)
    assert rows.shape == (200, 3) and (rows > 50).all()


def test_larger_gaps_have_more_children():
    line = np.arange(1000.0)[:, None]
    gap = np.where(line[:, 0] < 500, 1.0, 9.0)
    rows = Active(2, 1).resample(line, gap, 200, random_state=0)
    assert 0.8 < (rows >= 500).mean() < 0.95


def test_nothing_to_learn_asks_for_no_row():
    frame = pd.DataFrame(X, columns=list("abc"))
    assert Active().resample(X, np.zeros(100), 100).shape == (0, 3)
    assert Active().resample(frame, np.zeros(100), 100).shape == (0, 3)
    assert list(Active(2, 1).resample(frame, np.ones(100), 100, 0).columns) == ["a", "b", "c"]


@pytest.mark.parametrize("active", [Active(0), Active(passes=0), Active(p=2), Active(s=0)])
def test_parameters_are_checked(active):
    with pytest.raises(ValueError, match="parameter of Active"):
        active.sample(X)
