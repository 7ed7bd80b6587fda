"""Weights of committees: against a grid of all weights, and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import log_loss

from skdistill.teachers import committee_weights

SEEDS = st.integers(0, 2**32 - 1)


def some_answers(rng, M, n=60, K=3):
    y = rng.integers(0, K, n)
    told = [rng.dirichlet(np.full(K, 0.8), n) + rng.uniform(0, 3) * np.eye(K)[y] for _ in range(M)]
    return np.stack([P / P.sum(axis=1, keepdims=True) for P in told]), y


def loss_of(w, told, y, weight=None):
    return log_loss(y, np.tensordot(w, told, 1), sample_weight=weight, labels=np.arange(3))


@given(SEEDS, st.booleans())
def test_no_point_of_a_grid_has_less_log_loss(seed, weighted):
    rng = np.random.default_rng(seed)
    told, y = some_answers(rng, 3)
    weight = rng.random(len(y)) if weighted else None
    w = committee_weights(told, y, sample_weight=weight)
    assert_allclose(w.sum(), 1)
    assert ((w == 0) | (w > 0.9e-9)).all()
    a, b = (part.ravel() / 10 for part in np.meshgrid(np.arange(11), np.arange(11)))
    grid = np.column_stack([a, b, 1 - a - b])[a + b <= 1 + 1e-9]
    best = min(loss_of(np.abs(point), told, y, weight) for point in grid)
    assert loss_of(w, told, y, weight) <= best + 1e-6


@given(SEEDS)
def test_squared_error_is_that_of_least_squares_inside_the_simplex(seed):
    rng = np.random.default_rng(seed)
    told = rng.normal(size=(3, 50, 2))
    true = rng.dirichlet([5.0, 5.0, 5.0])
    y = np.tensordot(true, told, 1) * [1, 1]
    assert_allclose(committee_weights(told, y), true, atol=1e-4)


@given(SEEDS)
def test_an_integer_weight_is_repetition(seed):
    rng = np.random.default_rng(seed)
    told, y = some_answers(rng, 3)
    times = rng.integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), times)
    for how in ("learn", "greedy"):
        a = committee_weights(told, y, how, times)
        b = committee_weights(told[:, repeated], y[repeated], how)
        assert_allclose(loss_of(a, told, y, times), loss_of(b, told, y, times), rtol=1e-5)


def greedy_by_hand(told, y, rounds=100):
    bag, best, chosen = [], np.inf, None
    for _ in range(rounds):
        losses = [loss_of_bag([*bag, m], told, y) for m in range(len(told))]
        bag.append(int(np.argmin(losses)))
        if min(losses) < best - 1e-15:
            best, chosen = min(losses), list(bag)
    return np.bincount(chosen, minlength=len(told)) / len(chosen)


def loss_of_bag(bag, told, y):
    return -np.log(np.mean([told[m][np.arange(len(y)), y] for m in bag], axis=0)).mean()


@pytest.mark.parametrize("seed", range(5))
def test_greedy_selection_by_hand(seed):
    told, y = some_answers(np.random.default_rng(seed), 4)
    w = committee_weights(told, y, "greedy")
    by_hand = greedy_by_hand(told, y)
    assert_allclose(loss_of(w, told, y), loss_of(by_hand, told, y), rtol=1e-9)
    best_alone = min(loss_of(one, told, y) for one in np.eye(4))
    assert loss_of(committee_weights(told, y), told, y) <= loss_of(w, told, y) + 1e-7
    assert loss_of(w, told, y) <= best_alone + 1e-12


def test_a_member_that_is_sure_and_wrong_gets_little():
    sure_and_wrong = np.eye(2)[[1, 1, 1, 0]]
    right = np.array([[0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    y = np.array([0, 0, 0, 1])
    for how in ("learn", "greedy"):
        assert committee_weights([sure_and_wrong, right], y, how).tolist() == [0, 1]


def test_one_member_has_all_weight():
    for how in ("learn", "greedy"):
        assert committee_weights([np.eye(2)], [0, 1], how).tolist() == [1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.eye(2)], [0, 1], "best"), "how='best' must be 'learn' or 'greedy'"),
        ((np.eye(2), [0, 1]), r"answers must have shape \(M, n, K\), got \(2, 2\)"),
        (([np.eye(2)], [0, 1, 1]), "answers are of 2 rows, y has 3"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        committee_weights(*arguments)
