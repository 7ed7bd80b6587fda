"""Weights of ensembles: against a grid of all weights, and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skdistill.teachers import ensemble_weights

SEEDS = st.integers(0, 2**32 - 1)


def some_predictions(rng, M, n=60, K=3):
    y = rng.integers(0, K, n)
    tables = [
        rng.dirichlet(np.full(K, 0.8), n) + rng.uniform(0, 3) * np.eye(K)[y] for _ in range(M)
    ]
    return np.stack([P / P.sum(axis=1, keepdims=True) for P in tables]), y


def loss_of(w, P, y, weight=None):
    """`sklearn.metrics.log_loss`, whose checks of each call take longer than all else here."""
    p = np.tensordot(w, P, 1)[np.arange(len(y)), y]
    return -np.average(np.log(np.maximum(p, np.finfo(float).eps)), weights=weight)


@given(SEEDS, st.booleans())
def test_no_point_of_a_grid_has_less_log_loss(seed, weighted):
    rng = np.random.default_rng(seed)
    P, y = some_predictions(rng, 3)
    weight = rng.random(len(y)) if weighted else None
    w = ensemble_weights(P, y, sample_weight=weight)
    assert_allclose(w.sum(), 1)
    assert ((w == 0) | (w > 0.9e-9)).all()
    a, b = (part.ravel() / 10 for part in np.meshgrid(np.arange(11), np.arange(11)))
    grid = np.column_stack([a, b, 1 - a - b])[a + b <= 1 + 1e-9]
    best = min(loss_of(np.abs(point), P, y, weight) for point in grid)
    assert loss_of(w, P, y, weight) <= best + 1e-6


@given(SEEDS)
def test_squared_error_is_that_of_least_squares_inside_the_simplex(seed):
    rng = np.random.default_rng(seed)
    P = rng.normal(size=(3, 50, 2))
    true = rng.dirichlet([5.0, 5.0, 5.0])
    y = np.tensordot(true, P, 1) * [1, 1]
    assert_allclose(ensemble_weights(P, y), true, atol=1e-4)


@given(SEEDS)
def test_an_integer_weight_is_repetition(seed):
    rng = np.random.default_rng(seed)
    P, y = some_predictions(rng, 3)
    times = rng.integers(0, 4, len(y))
    repeated = np.repeat(np.arange(len(y)), times)
    for method in ("log_loss", "greedy"):
        a = ensemble_weights(P, y, method, times)
        b = ensemble_weights(P[:, repeated], y[repeated], method)
        assert_allclose(loss_of(a, P, y, times), loss_of(b, P, y, times), rtol=1e-5)


def greedy_by_hand(P, y, n_iter=100):
    bag, best, chosen = [], np.inf, None
    for _ in range(n_iter):
        losses = [loss_of_bag([*bag, m], P, y) for m in range(len(P))]
        bag.append(int(np.argmin(losses)))
        if min(losses) < best - 1e-15:
            best, chosen = min(losses), list(bag)
    return np.bincount(chosen, minlength=len(P)) / len(chosen)


def loss_of_bag(bag, P, y):
    return -np.log(np.mean([P[m][np.arange(len(y)), y] for m in bag], axis=0)).mean()


@pytest.mark.parametrize("seed", range(5))
def test_greedy_selection_by_hand(seed):
    P, y = some_predictions(np.random.default_rng(seed), 4)
    w = ensemble_weights(P, y, "greedy")
    by_hand = greedy_by_hand(P, y)
    assert_allclose(loss_of(w, P, y), loss_of(by_hand, P, y), rtol=1e-9)
    best_alone = min(loss_of(one, P, y) for one in np.eye(4))
    assert loss_of(ensemble_weights(P, y), P, y) <= loss_of(w, P, y) + 1e-7
    assert loss_of(w, P, y) <= best_alone + 1e-12


def test_a_member_that_is_sure_and_wrong_gets_little():
    sure_and_wrong = np.eye(2)[[1, 1, 1, 0]]
    right = np.array([[0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    y = np.array([0, 0, 0, 1])
    for method in ("log_loss", "greedy"):
        assert ensemble_weights([sure_and_wrong, right], y, method).tolist() == [0, 1]


def test_one_member_has_all_weight():
    for method in ("log_loss", "greedy"):
        assert ensemble_weights([np.eye(2)], [0, 1], method).tolist() == [1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.eye(2)], [0, 1], "best"), "method='best' must be 'log_loss' or 'greedy'"),
        (
            (np.eye(2), [0, 1]),
            r"predictions must have shape \(n_teachers, n_samples, n_classes\), got \(2, 2\)",
        ),
        (([np.eye(2)], [0, 1, 1]), "predictions are of 2 rows, y has 3"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        ensemble_weights(*arguments)
