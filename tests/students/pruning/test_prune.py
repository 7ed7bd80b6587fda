"""What removing a split costs, the best pruning for a parameter, and pruning to a budget."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skdistill.students.loss import soft_cross_entropy
from skdistill.students.pruning.flat_forest import KEEP, TO_LEAF, remove_nodes
from skdistill.students.pruning.prune import (
    RefitProblem,
    _best_pruning,
    _prune_by_alpha,
    additive_model,
    prune_to_size,
    refit_forest,
    removal_costs,
)
from skdistill.targets import SoftTargets
from tests.students.pruning.test_flat_forest import flat_forest


def problem_of(X, l2_regularization=1e-3, K=3):
    rng = np.random.default_rng(0)
    y = np.clip(np.round(X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=len(X))) + 1, 0, K - 1)
    targets = SoftTargets(np.eye(K)[y.astype(int)])
    weight = rng.integers(1, 4, len(X)).astype(float)
    S = K if K > 2 else 1
    return RefitProblem(
        soft_cross_entropy(targets, weight), np.zeros((len(X), S)), l2_regularization
    )


def grown(K=3, **settings):
    forest, _, X = flat_forest(**settings)
    problem = problem_of(X, K=K)
    S = problem.offset.shape[1]
    forest = forest._replace(values=np.zeros((len(forest.feature), S)))
    return refit_forest(forest, problem, max_iter=200), problem


def objective(forest, problem):
    model = additive_model(forest, problem.offset)
    penalty = problem.l2_regularization / 2 * (model.leaf_values**2).sum()
    return problem.loss(model.raw_predictions())[0] + penalty


@pytest.mark.parametrize("K", [2, 3])
def test_what_a_removal_costs_is_the_rise_of_the_loss_to_second_order(K):
    forest, problem = grown(K)
    costs, values = removal_costs(forest, problem)
    curvature = problem.loss.curvature(additive_model(forest, problem.offset).raw_predictions())
    assert (costs[forest.is_leaf] == 0).all()
    start, rises, expected = objective(forest, problem), [], []
    for node in np.flatnonzero(~forest.is_leaf):
        sides = [forest.left[node], forest.right[node]]
        if not forest.is_leaf[sides].all():
            continue
        action = np.full(len(costs), KEEP, np.int8)
        action[node] = TO_LEAF
        small = remove_nodes(forest, action, np.where(action[:, None], values, forest.values))
        rises.append(objective(small, problem) - start)
        reached = [(forest.leaves == side).any(axis=1) for side in sides]
        h = np.array([curvature[rows].sum(axis=0) + problem.l2_regularization for rows in reached])
        w = forest.values[sides]
        middle = (h * w).sum(axis=0) / h.sum(axis=0)
        assert values[node] == pytest.approx(middle)
        expected.append((h * (w - middle) ** 2).sum() / 2)
        assert costs[node] == pytest.approx(expected[-1])
    assert np.corrcoef(rises, expected)[0, 1] > 0.9


def test_the_pruning_for_a_complexity_parameter_is_the_best_of_all():
    forest, _ = grown(trees=1)
    rng = np.random.default_rng(0)
    inner = np.flatnonzero(~forest.is_leaf)
    for _ in range(20):
        costs = np.zeros(len(forest.feature))
        costs[inner] = rng.random(len(inner))
        alpha = rng.uniform(0, 1.5)
        action = np.zeros(len(costs), np.int8)
        gone = _prune_by_alpha(forest.left, forest.right, costs, alpha, action)
        best = -np.inf
        parent = np.zeros(len(costs), int)
        parent[forest.left[inner]] = parent[forest.right[inner]] = inner
        for kept in itertools.product([False, True], repeat=len(inner)):
            keeps = dict(zip(inner.tolist(), kept, strict=True))
            if all(keeps[parent[v]] or not keeps[v] for v in inner[1:].tolist()):
                at = inner[list(kept)]
                net = costs[at].sum() - alpha * len(at)
                if net > best:
                    best, stays = net, set(at.tolist())
        after = remove_nodes(forest, action)
        assert (~after.is_leaf).sum() == len(stays)
        assert gone == len(inner) - len(stays)


def test_no_more_is_removed_than_needed():
    forest, problem = grown()
    costs, _ = removal_costs(forest, problem)
    n_splits = int((~forest.is_leaf).sum())
    action = np.zeros(len(costs), np.int8)
    for n_removed in (0.5, 7.0, 20.0, n_splits - 0.5):
        alpha, gone = 0.0, 0
        while gone < n_removed:  # in small steps, from below
            alpha = alpha * 1.01 + costs[costs > 0].min() / 100
            gone = _prune_by_alpha(forest.left, forest.right, costs, alpha, action)
        left = (~remove_nodes(forest, _best_pruning(forest, costs, n_removed)).is_leaf).sum()
        assert n_splits - gone <= left <= n_splits - n_removed


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("limit", [1, 5, 17, 44])
def test_a_forest_is_pruned_to_its_budget_and_loses_little(K, limit):
    forest, problem = grown(K)

    def splits(forest):
        return int((~forest.is_leaf).sum())

    assert splits(forest) == 44
    before = objective(forest, problem)
    small, after = prune_to_size(forest, problem, splits, limit)
    assert splits(small) <= limit
    assert limit == 1 or splits(small) >= 0.5 * limit
    constant = after.offset - problem.offset
    assert np.ptp(constant, axis=0).max() < 1e-12
    again = refit_forest(small, after, max_iter=100)
    assert objective(again, after) >= before - 1e-6
    if limit == 17:
        rng = np.random.default_rng(0)
        at_random = []
        for _ in range(5):
            f, p = forest, problem
            while splits(f) > 17:
                bottom = np.flatnonzero(~f.is_leaf)
                bottom = [v for v in bottom if f.is_leaf[f.left[v]] and f.is_leaf[f.right[v]]]
                action = np.zeros(len(f.feature), np.int8)
                action[rng.choice(bottom)] = TO_LEAF
                f = remove_nodes(f, action)
            at_random.append(objective(refit_forest(f, p, max_iter=100), p))
        assert objective(again, after) < min(at_random)
