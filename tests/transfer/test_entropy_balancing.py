"""Weights under which the mean of probabilities is as asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from skdistill import DistilledClassifier, Munge, SoftTreeClassifier
from skdistill.transfer.entropy_balancing import balancing_weights
from tests.strategies import seeds


def entropy(weight):
    return float((weight * np.log(np.maximum(weight, 1e-300))).mean())


@given(seeds, st.integers(1, 6), st.sampled_from([0.05, 0.3, 1.0, 10.0]))
def test_the_weighted_mean_is_the_target(seed, K, softness):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(K, softness), 200)
    target = rng.dirichlet(np.ones(50)) @ P[:50]  # some mean of rows
    weight = balancing_weights(P, target)
    assert_allclose(weight @ P / weight.sum(), target, atol=1e-9)
    assert weight.mean() == pytest.approx(1) and (weight > 0).all()


def test_least_entropy_by_brute_force():
    rng = np.random.default_rng(0)
    P = rng.dirichlet([2.0, 1.0, 0.5], 12)
    target = np.array([0.4, 0.35, 0.25])
    bound = {"type": "eq", "fun": lambda w: np.append(w @ P / 12 - target, w.mean() - 1)[:3]}
    found = minimize(entropy, np.ones(12), constraints=bound, bounds=[(1e-9, None)] * 12, tol=1e-13)
    assert_allclose(balancing_weights(P, target), found.x, atol=1e-4)


def test_labels_weigh_their_target_over_their_proportion():
    counts = np.array([90, 9, 1])
    P = np.repeat(np.eye(3), counts, axis=0)
    assert_allclose(balancing_weights(P, np.full(3, 1 / 3)), np.repeat(100 / 3 / counts, counts))
    assert_allclose(balancing_weights(P, counts / 100), 1)


def test_rare_classes_can_be_balanced():
    rng = np.random.default_rng(0)
    p = rng.beta(0.02, 3, 5000)
    P = np.column_stack([1 - p, p])
    assert_allclose(balancing_weights(P, np.array([0.5, 0.5])) @ P / 5000, 0.5, atol=1e-9)


def test_a_class_whose_target_is_0():
    P = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.2, 0.2, 0.6]])
    weight = balancing_weights(P, np.array([0.6, 0.4, 0.0]))
    assert weight[2] == 0
    assert_allclose(weight @ P / 3, [0.6, 0.4, 0.0], atol=1e-9)


@pytest.mark.parametrize(
    "P, target",
    [
        ([[0.6, 0.4], [0.9, 0.1]], [0.5, 0.5]),
        ([[1.0, 0.0], [1.0, 0.0]], [0.5, 0.5]),
        ([[0.6, 0.4], [0.9, 0.1]], [1.0, 0.0]),
        ([[0.5, 0.3, 0.2]] * 5, [0.4, 0.4, 0.2]),
    ],
)
def test_proportions_beyond_reach_are_refused(P, target):
    with pytest.raises(ValueError, match=r"no weights of these .* class_proportions=None"):
        balancing_weights(np.array(P), np.array(target))


class Recorder(SoftTreeClassifier):
    def fit(self, X, targets, sample_weight=None, classes=None):
        self.seen_ = targets.teacher, sample_weight
        return super().fit(X, targets, sample_weight, classes=classes)


@pytest.mark.parametrize("response_method", ["auto", "predict"])
@pytest.mark.parametrize("total", [None, 50.0])
@pytest.mark.parametrize("proportions", ["keep", "balanced"])
def test_the_distiller_weighs_further_rows(proportions, total, response_method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.digitize(X[:, 0] + 0.5 * rng.normal(size=300), [-1.2, 0.9])
    given = rng.random(300) + 0.5
    distilled = DistilledClassifier(
        LogisticRegression(),
        Recorder(max_leaf_nodes=8),
        transfer_set=Munge(4, class_proportions=proportions),
        transfer_weight=total,
        response_method=response_method,
        random_state=0,
    ).fit(X, y, sample_weight=given)
    P, weight = distilled.student_.seen_
    assert weight[:300].tolist() == given.tolist()
    assert weight[300:].sum() == pytest.approx(given.mean() * (1200 if total is None else total))
    wanted = (
        np.average(P[:300], axis=0, weights=given) if proportions == "keep" else np.full(3, 1 / 3)
    )
    assert_allclose(np.average(P[300:], axis=0, weights=weight[300:]), wanted, atol=1e-9)
