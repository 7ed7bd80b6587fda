"""Splits of a search."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import ShuffleSplit

from skdistill.model_selection.splits import make_splits


def splits(y, groups=None, cv="auto", classifier=True):
    X = np.zeros((len(y), 1))
    return make_splits(cv, X, y, groups, np.ones(len(y)), classifier=classifier, seed=0)


def test_five_folds_up_to_10000_rows_and_a_hold_out_above():
    rng = np.random.default_rng(0)
    five = splits(rng.integers(2, size=10_000))
    assert len(five) == 5
    assert five.overlap == pytest.approx(0.25)
    one = splits(rng.integers(2, size=10_001))
    assert len(one) == 1
    assert one.overlap == 0
    assert len(one.test(0)) == pytest.approx(2_000, abs=3)
    parts = one.parts(0, seed=0)
    assert sorted(np.concatenate(parts)) == list(range(len(one.test(0))))
    assert len(parts) == 5


def test_rare_classes_and_few_rows():
    assert len(splits(np.array([0] * 20 + [1]))) == 5
    assert len(splits(np.array([0, 1]))) == 2
    assert len(splits(np.array([0, 0, 0, 1]))) == 3
    with pytest.raises(ValueError, match="2 rows or more"):
        splits(np.array([0]))


@pytest.mark.parametrize("classifier", [True, False])
def test_groups_stay_together(classifier):
    groups = np.repeat(np.arange(7), 6)
    found = splits(np.tile([0, 1], 21), groups, classifier=classifier)
    assert len(found) == 5
    for k in range(5):
        assert not set(groups[found.train(k)]) & set(groups[found.test(k)])


def test_splits_of_the_user():
    found = splits(np.tile([0, 1], 20), cv=ShuffleSplit(3, test_size=0.5, random_state=0))
    assert len(found) == 3


@pytest.mark.parametrize("cv", [[], [(np.arange(40), np.arange(0))]])
def test_splits_without_rows(cv):
    with pytest.raises(ValueError, match="must make splits that all have training rows and held-"):
        splits(np.tile([0, 1], 20), cv=cv)


def test_a_single_group():
    with pytest.raises(ValueError, match="groups must have 2 groups or more"):
        splits(np.tile([0, 1], 20), np.zeros(40))
