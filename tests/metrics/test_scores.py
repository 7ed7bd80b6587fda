"""Fidelity and its kin, against numbers counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss

from skdistill.metrics import fidelity_score, kl_divergence, retention_score, soft_log_loss

_, Y = load_iris(return_X_y=True)
P = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
Q = np.array([[0.25, 0.75], [0.5, 0.5], [0.25, 0.75]])


def test_fidelity_counts_equal_labels():
    assert fidelity_score([0, 1, 2, 2], [0, 2, 2, 2]) == 0.75
    assert fidelity_score(["a", "b"], ["a", "b"]) == 1.0
    assert fidelity_score(["a", "b"], ["b", "a"]) == 0.0
    assert fidelity_score([0, 1, 2, 2], [0, 2, 2, 2], [1, 5, 1, 3]) == 0.5


def test_fidelity_of_probabilities_is_that_of_their_argmax():
    assert fidelity_score([[0.9, 0.1], [0.4, 0.6]], [[0.6, 0.4], [0.7, 0.3]]) == 0.5
    assert fidelity_score([[0.5, 0.5]], [[1.0, 0.0]]) == 1.0  # ties go to the lowest class


@pytest.mark.parametrize(
    ("a", "b"), [([0, 1], [0]), ([0, 1], [[1.0, 0.0], [0.0, 1.0]]), ([[1.0, 0.0]], [0])]
)
def test_fidelity_compares_like_with_like(a, b):
    with pytest.raises(ValueError, match=r"dimensions|inconsistent"):
        fidelity_score(a, b)


def test_retention_is_a_share_of_the_teachers_accuracy():
    y, teacher = [0, 1, 1, 0], [0, 1, 1, 1]
    assert retention_score(y, teacher, [0, 1, 0, 1]) == pytest.approx(2 / 3)
    assert retention_score(y, teacher, y) == pytest.approx(4 / 3)
    assert retention_score(y, teacher, [1, 0, 0, 1]) == 0
    assert retention_score(y, teacher, [0, 1, 0, 1], [1, 1, 2, 4]) == 0.5
    assert math.isnan(retention_score(y, [1, 0, 0, 1], y))


def test_soft_log_loss_by_hand():
    rows = [0.5 * math.log(4) + 0.5 * math.log(4 / 3), math.log(2), 0.0]
    rows[2] = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    assert soft_log_loss(P, Q) == pytest.approx(sum(rows) / 3, rel=1e-14)
    weighted = (rows[0] + 2 * rows[1] + 5 * rows[2]) / 8
    assert soft_log_loss(P, Q, [1, 2, 5]) == pytest.approx(weighted, rel=1e-14)


def test_soft_log_loss_of_hard_labels_is_the_log_loss():
    P_pred = np.random.default_rng(0).dirichlet(np.ones(3), 150)
    P_pred[0] = [0, 0, 1]  # wrong for sure: clipped, as scikit-learn does
    assert soft_log_loss(np.eye(3)[Y], P_pred) == pytest.approx(log_loss(Y, P_pred), rel=1e-12)


def test_kl_divergence_is_what_exceeds_the_entropy():
    rows = [0.5 * math.log(2) + 0.5 * math.log(2 / 3), math.log(2), 0.0]
    assert kl_divergence(P, Q) == pytest.approx(sum(rows) / 3, rel=1e-12)
    assert kl_divergence(P, Q, [1, 2, 5]) == pytest.approx((rows[0] + 2 * rows[1]) / 8, rel=1e-12)
    assert kl_divergence(P, P) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("function", [soft_log_loss, kl_divergence])
@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (P, Q[:2], "shape"),
        (P, np.full((3, 3), 1 / 3), "shape"),
        (P, Q * 1.01, "P_pred row 0 sums to 1.01"),
        (-P, Q, "P_true row 0 has the negative value"),
        (P[0], Q[0], "P_true must have shape"),
    ],
)
def test_tables_of_probabilities(function, a, b, message):
    with pytest.raises(ValueError, match=message):
        function(a, b)
