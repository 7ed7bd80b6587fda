"""Parts of boosting that no estimator shows alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skdistill import SoftBoostingClassifier, SoftBoostingRegressor
from skdistill.quantization.binning import fit_grid
from skdistill.students.boosting.gradient_boosting import INTERCEPT_STEP, with_fine_intercept
from skdistill.students.tree.fixed_point import FIXED_POINT, to_fixed_point
from skdistill.students.tree.grower import SplitPenalties, grow_tree
from skdistill.students.tree.splitting import SQUARED_ERROR

X, Y = load_digits(return_X_y=True)


@given(
    st.floats(1e-6, 1e3),
    st.lists(st.floats(-20, 20), min_size=1, max_size=5),
)
def test_an_intercept_is_a_multiple_of_a_sixteenth_of_a_leaf_value(step, b):
    values, b = np.arange(-3, 4, dtype=np.int32)[:, None].repeat(len(b), axis=1), np.array(b)
    rounded, bias, scale, unit = with_fine_intercept(values, step, b)
    assert np.abs(scale * bias - b).max() <= scale / 2 * (1 + 1e-9)
    assert np.abs(bias).max() <= 2**25
    if rounded.any():
        assert np.array_equal(rounded, values)
        assert scale * unit == pytest.approx(step)
    assert unit == INTERCEPT_STEP


def test_leaves_that_are_negligible_beside_the_intercept_are_dropped():
    rounded, bias, scale, _ = with_fine_intercept(np.ones((3, 1), np.int32), 1e-30, np.array([2.0]))
    assert not rounded.any()
    assert scale * bias[0] == pytest.approx(2, rel=1e-4)


def tree_with(penalty, max_leaf_nodes=6):
    grid = fit_grid(X.astype(np.float32), 4)
    row_stats = to_fixed_point(np.eye(10)[Y], np.ones(len(Y)))
    limits = {"max_depth": 9, "min_samples_leaf": 1, "max_leaf_nodes": max_leaf_nodes}
    penalties = None
    if penalty is not None:
        bins = int((grid.counts.astype(np.int64) + 2).sum())
        penalties = SplitPenalties(penalty(len(grid.counts)), np.zeros(bins))
    return grow_tree(
        grid.encode(X),
        grid.counts,
        row_stats,
        criterion=SQUARED_ERROR,
        penalties=penalties,
        **limits,
    )


def test_penalties_of_0_grow_the_same_tree():
    plain, free = tree_with(None), tree_with(np.zeros)
    for a, b in zip(plain, free, strict=True):
        assert np.array_equal(a, b)


def test_a_feature_whose_penalty_exceeds_its_gain_is_not_used():
    used = set(tree_with(None).feature) - {-1}
    first = int(tree_with(None).feature[0])

    def all_but_the_first(d):
        return np.where(np.arange(d) == first, 0.0, np.inf)

    assert len(used) > 1
    assert set(tree_with(all_but_the_first).feature) - {-1} == {first}
    assert set(tree_with(lambda d: np.full(d, np.inf)).feature) == {-1}


def test_a_penalty_is_paid_once_in_a_tree():
    """With a penalty below the first split's gain but above the others', one feature is used."""
    gains = np.sort(tree_with(None, 2).gain)[::-1] * 2.0**FIXED_POINT * len(Y)
    used = tree_with(lambda d: np.full(d, gains[0] * 0.9), 6)
    assert len(set(used.feature) - {-1}) == 1
    assert (used.feature >= 0).sum() > 1


def test_a_regressor_stops_early_too():
    noise = np.random.default_rng(0).normal(size=300)
    values = X[:300, 20] + 8 * noise
    settings = {"n_iter_no_change": 2, "validation_fraction": 0.4, "random_state": 0}
    stopped = SoftBoostingRegressor(100, learning_rate=1.0, **settings).fit(X[:300], values)
    assert stopped.n_estimators_ < 30


def test_trees_beside_an_int32_linear_part_compare_integers():
    rows = X.astype(np.int32)
    student = SoftBoostingClassifier(3, init="linear", random_state=0).fit(rows, Y)
    assert student.compact_.input_dtype == "int32"
    assert student.score(rows, Y) > 0.9
