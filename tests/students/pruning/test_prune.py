"""What a split is worth, the best pruning at a price, and the way down to a budget."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skdistill.students.loss import soft_cross_entropy
from skdistill.students.pruning.flat_forest import CUT, KEEP, cut
from skdistill.students.pruning.prune import (
    Problem,
    _best_pruning,
    _prune_at,
    as_ensemble,
    refitted,
    shrink,
    split_worth,
)
from skdistill.targets import SoftTargets
from tests.students.pruning.test_flat_forest import planted


def problem_of(X, l2_regularization=1e-3, K=3):
    rng = np.random.default_rng(0)
    y = np.clip(np.round(X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=len(X))) + 1, 0, K - 1)
    targets = SoftTargets(np.eye(K)[y.astype(int)])
    weight = rng.integers(1, 4, len(X)).astype(float)
    S = K if K > 2 else 1
    return Problem(soft_cross_entropy(targets, weight), np.zeros((len(X), S)), l2_regularization)


def grown(K=3, **settings):
    forest, _, X = planted(**settings)
    problem = problem_of(X, K=K)
    S = problem.offset.shape[1]
    forest = forest._replace(values=np.zeros((len(forest.feature), S)))
    return refitted(forest, problem, max_iter=200), problem


def objective(forest, problem):
    ensemble = as_ensemble(forest, problem)
    return (
        problem.loss(ensemble.logits())[0] + problem.l2_regularization / 2 * (ensemble.W**2).sum()
    )


@pytest.mark.parametrize("K", [2, 3])
def test_the_worth_of_a_split_is_the_loss_to_second_order(K):
    forest, problem = grown(K)
    worth, values = split_worth(forest, problem)
    curvature = problem.loss.curvature(as_ensemble(forest, problem).logits())
    assert (worth[forest.is_leaf] == 0).all()
    start, rises, expected = objective(forest, problem), [], []
    for node in np.flatnonzero(~forest.is_leaf):
        sides = [forest.left[node], forest.right[node]]
        if not forest.is_leaf[sides].all():
            continue
        state = np.full(len(worth), KEEP, np.int8)
        state[node] = CUT
        small = cut(forest, state, np.where(state[:, None], values, forest.values))
        rises.append(objective(small, problem) - start)
        reached = [(forest.leaves == side).any(axis=1) for side in sides]
        h = np.array([curvature[rows].sum(axis=0) + problem.l2_regularization for rows in reached])
        w = forest.values[sides]
        middle = (h * w).sum(axis=0) / h.sum(axis=0)
        assert values[node] == pytest.approx(middle)
        expected.append((h * (w - middle) ** 2).sum() / 2)
        assert worth[node] == pytest.approx(expected[-1])
    assert np.corrcoef(rises, expected)[0, 1] > 0.9


def test_the_pruning_at_a_price_is_the_best_of_all():
    forest, _ = grown(trees=1)
    rng = np.random.default_rng(0)
    inner = np.flatnonzero(~forest.is_leaf)
    for _ in range(20):
        worth = np.zeros(len(forest.feature))
        worth[inner] = rng.random(len(inner))
        price = rng.uniform(0, 1.5)
        state = np.zeros(len(worth), np.int8)
        gone = _prune_at(forest.left, forest.right, worth, price, state)
        best = -np.inf
        parent = np.zeros(len(worth), int)
        parent[forest.left[inner]] = parent[forest.right[inner]] = inner
        for kept in itertools.product([False, True], repeat=len(inner)):
            keeps = dict(zip(inner.tolist(), kept, strict=True))
            if all(keeps[parent[v]] or not keeps[v] for v in inner[1:].tolist()):
                at = inner[list(kept)]
                net = worth[at].sum() - price * len(at)
                if net > best:
                    best, stays = net, set(at.tolist())
        after = cut(forest, state)
        assert (~after.is_leaf).sum() == len(stays)
        assert gone == len(inner) - len(stays)


def test_no_more_is_cut_than_what_was_asked_for_needs():
    forest, problem = grown()
    worth, _ = split_worth(forest, problem)
    n_splits = int((~forest.is_leaf).sum())
    state = np.zeros(len(worth), np.int8)
    for wanted in (0.5, 7.0, 20.0, n_splits - 0.5):
        price, gone = 0.0, 0
        while gone < wanted:  # in small steps, from below
            price = price * 1.01 + worth[worth > 0].min() / 100
            gone = _prune_at(forest.left, forest.right, worth, price, state)
        left = (~cut(forest, _best_pruning(forest, worth, wanted)).is_leaf).sum()
        assert n_splits - gone <= left <= n_splits - wanted


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("limit", [1, 5, 17, 44])
def test_a_forest_shrinks_to_its_budget_and_loses_little(K, limit):
    forest, problem = grown(K)

    def splits(forest):
        return int((~forest.is_leaf).sum())

    assert splits(forest) == 44
    before = objective(forest, problem)
    small, after = shrink(forest, problem, splits, limit)
    assert splits(small) <= limit
    assert limit == 1 or splits(small) >= 0.5 * limit
    constant = after.offset - problem.offset
    assert np.ptp(constant, axis=0).max() < 1e-12
    again = refitted(small, after, max_iter=100)
    assert objective(again, after) >= before - 1e-6
    if limit == 17:
        rng = np.random.default_rng(0)
        at_random = []
        for _ in range(5):
            f, p = forest, problem
            while splits(f) > 17:
                bottom = np.flatnonzero(~f.is_leaf)
                bottom = [v for v in bottom if f.is_leaf[f.left[v]] and f.is_leaf[f.right[v]]]
                state = np.zeros(len(f.feature), np.int8)
                state[rng.choice(bottom)] = CUT
                f = cut(f, state)
            at_random.append(objective(refitted(f, p, max_iter=100), p))
        assert objective(again, after) < min(at_random)
