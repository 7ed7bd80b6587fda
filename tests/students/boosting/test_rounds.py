"""Trees that are grown in several goes."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill import SoftBoostingClassifier, SoftBoostingRegressor
from skdistill.students.boosting.gradient_boosting import Booster
from skdistill.students.boosting.problem import RegressionProblem
from skdistill.students.training_data import regression_data
from tests.students.test_max_bytes import table


def booster(**settings):
    X, y, weight = table(1, regression=True)
    student = SoftBoostingRegressor(**settings)
    problem = RegressionProblem(regression_data(student, X, y, weight))
    signs = np.zeros(X.shape[1], np.int8)
    return Booster(student, problem, np.random.RandomState(0), signs)


@pytest.mark.parametrize(
    "settings", [{}, {"subsample": 0.5}, {"reuse_penalty": 1e-4}, {"init": "linear"}], ids=str
)
def test_trees_do_not_depend_on_the_goes(settings):
    at_once, in_steps = booster(**settings).grower(), booster(**settings).grower()
    assert at_once.grow(9)
    for n_trees in (1, 4, 4, 9):
        assert in_steps.grow(n_trees)
    for n_trees in (1, 5, 9):
        one, other = at_once.first(n_trees), in_steps.first(n_trees)
        assert (one.leaf_values == other.leaf_values).all()
        assert (one.leaves == other.leaves).all() and one.leaves.shape[1] == n_trees


def test_early_stopping_ends_growth_for_good():
    grower = booster(n_iter_no_change=2, learning_rate=1.0).grower()
    assert not grower.grow(200)
    n_trees, n_grown = grower.n_trees, len(grower.trees)
    assert n_trees == max(1, n_grown - 2) < 198
    assert not grower.grow(300)
    assert (grower.n_trees, len(grower.trees)) == (n_trees, n_grown)


def test_excluded_columns_are_not_split():
    whole = booster()
    for excluded in (frozenset(), frozenset({0}), frozenset({0, 1})):
        grower = whole.grower(excluded)
        grower.grow(10)
        rows = np.concatenate([tree.feature[~tree.is_leaf] for tree in grower.trees])
        assert not set(whole.grid.features[np.unique(rows)].tolist()) & excluded


@pytest.mark.parametrize("init", [None, "linear"])
@pytest.mark.parametrize("value_bits", [4, 8, "ternary"])
def test_a_draft_is_about_as_large_as_the_model(init, value_bits):
    boosting = booster(init=init, value_bits=value_bits)
    grower = boosting.grower()
    grower.grow(20)
    for n_trees in (1, 8, 20):
        draft = boosting.draft(grower.trees[:n_trees]).nbytes
        assert 0.8 * draft <= boosting.finish(grower.first(n_trees)).nbytes <= 1.05 * draft + 4


def test_a_later_fall_of_bytes_is_found():
    """With these rows 3 trees take 60 bytes, 5 take 97, and 8 take 78."""
    data = table(2, regression=False)
    settings = {"init": "linear", "value_bits": "ternary", "random_state": 0}
    boosted = SoftBoostingClassifier(max_bytes=78, **settings).fit(*data)
    sizes = [SoftBoostingClassifier(n, **settings).fit(*data).compact_.nbytes for n in (3, 5, 8)]
    assert sizes[0] <= 78 < sizes[1] and sizes[2] <= 78
    assert boosted.n_estimators_ >= 7 and boosted.compact_.nbytes > 0.8 * 78
