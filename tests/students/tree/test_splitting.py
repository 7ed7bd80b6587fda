"""Which split is the best: scores by their formulas, ties, constraints and penalties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.students.tree.monotonic import ValueBounds
from skdistill.students.tree.splitting import (
    ENTROPY,
    SQUARED_ERROR,
    SplitConstraints,
    find_best_split,
    find_best_split_of_rows,
    node_score,
)
from tests.strategies import seeds


def constraints_of(n_targets, criterion=SQUARED_ERROR, **limits):
    rest = {"min_weight": 0.0, "min_gain": 0.0, "min_samples_leaf": 1, "l2_regularization": 0.0}
    return SplitConstraints(n_targets, criterion, **rest | limits)


def free(n_features):
    return ValueBounds(np.zeros(n_features, np.int8), -np.inf, np.inf)


def best_split(
    histogram, counts, constraints, feature_penalty=None, threshold_penalty=None, bounds=None
):
    """Best split of a node by its histogram, whose features have so many bins."""
    histogram = np.array(histogram, np.int64)
    if feature_penalty is None:
        feature_penalty = np.zeros(len(counts))
    if threshold_penalty is None:
        threshold_penalty = np.zeros(len(histogram))
    return find_best_split(
        histogram,
        np.cumsum([0, *counts]),
        histogram[: counts[0]].sum(axis=0),
        constraints,
        np.array(feature_penalty, float),
        np.array(threshold_penalty, float),
        bounds or free(len(counts)),
        0,
        len(counts),
    )


@given(seeds, st.floats(0, 10))
def test_scores_are_minus_weight_times_impurity_but_for_what_splits_do_not_change(seed, l2):
    rng = np.random.default_rng(seed)
    P, weight = rng.dirichlet(np.ones(3), 20), rng.integers(1, 5, 20)
    targets = np.rint(1000 * P * weight[:, None]).astype(np.int64)
    sums = np.append(targets.sum(axis=0), 1000 * weight.sum())
    mean = sums[:3] / sums[3]
    expected = (sums[:3] ** 2.0).sum() / (sums[3] + l2)
    assert node_score(sums, 3, SQUARED_ERROR, l2) == pytest.approx(expected)
    entropy = -(mean * np.log2(mean)).sum()
    assert node_score(sums, 3, ENTROPY, 0.0) == pytest.approx(-sums[3] * entropy)
    assert node_score(np.zeros(4, np.int64), 3, ENTROPY, 0.0) == 0


HALVES = [[0, 2], [0, 2], [4, 2], [4, 2], [0, 0]]  # targets 0, 0, 1, 1 by code; no NaN


def test_of_equal_splits_the_lowest_feature_stays():
    split = best_split(HALVES + HALVES, [5, 5], constraints_of(1))
    assert (split.feature, split.threshold) == (0, 1)
    assert split.gain == 2 * 8**2 / 4 / 2 - 8**2 / 8


def test_of_equal_thresholds_the_lowest_stays_and_nan_goes_right():
    """Codes 0 and 2 are alike beside code 1, and NaN is as code 1: two splits gain the same."""
    split = best_split([[4, 4], [0, 4], [4, 4], [2, 4]], [4], constraints_of(1))
    left_first = 4**2 / 4 + 6**2 / 12 - 10**2 / 16
    assert split.gain == pytest.approx(left_first)
    assert (split.threshold, split.nan_left) == (0, False)


def test_a_penalty_is_taken_from_the_gain():
    gain = best_split(HALVES + HALVES, [5, 5], constraints_of(1)).gain
    second = best_split(HALVES + HALVES, [5, 5], constraints_of(1), [0.5, 0.0])
    assert (second.feature, second.gain) == (1, gain)
    none = best_split(HALVES, [5], constraints_of(1), [gain + 1])
    assert none.feature == -1
    elsewhere = best_split(HALVES, [5], constraints_of(1), threshold_penalty=[0, 6, 0, 0, 0])
    assert elsewhere.threshold in (0, 2)
    assert elsewhere.gain < gain


def test_children_below_a_limit_are_not_made():
    heavy = best_split(HALVES, [5], constraints_of(1, min_weight=5.0))
    assert heavy.feature == -1
    counted = [[*sums, 1] for sums in HALVES[:4]] + [[0, 0, 0]]
    many = best_split(counted, [5], constraints_of(1, min_samples_leaf=3))
    assert many.feature == -1
    enough = best_split(counted, [5], constraints_of(1, min_samples_leaf=2))
    assert enough.threshold == 1


@given(seeds, st.sampled_from([SQUARED_ERROR, ENTROPY]))
def test_rows_and_their_histogram_give_the_same_split(seed, criterion):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 7, (3, 30)).astype(np.uint8)  # 6 is NaN
    weight = rng.integers(1, 4, 30)
    hit = rng.integers(0, weight + 1)
    row_stats = np.column_stack([hit, weight - hit, weight]).astype(np.int32)
    histogram = np.zeros((21, 3), np.int64)
    for j in range(3):
        np.add.at(histogram, 7 * j + codes[j], row_stats)
    constraints = constraints_of(2, criterion)
    expected = best_split(histogram, [7, 7, 7], constraints)
    rows, scratch = np.arange(30).astype(np.int32), np.zeros((7, 3), np.int64)
    split = find_best_split_of_rows(
        codes,
        np.array([0, 7, 14, 21]),
        rows,
        row_stats,
        row_stats.sum(axis=0, dtype=np.int64),
        constraints,
        np.zeros(3),
        np.zeros(21),
        free(3),
        scratch,
    )
    assert split == expected
    assert not scratch.any()
