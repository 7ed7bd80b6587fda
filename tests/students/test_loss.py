"""The loss of gradient students, against its formula row by row and its finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import softmax

from skdistill.students.cross_entropy import _exp, _exp_single, _log_single
from skdistill.students.loss import fit_scale, soft_cross_entropy
from skdistill.targets import EPS, SoftTargets

N = 7


def make(K, alpha, temperature, labels):
    rng = np.random.default_rng(K)
    P = softmax(2 * rng.normal(size=(N, K)), axis=1)
    P[0] = np.eye(K)[0]  # a zero has no logarithm
    hard = rng.integers(0, K, N)
    hard = {"all": hard, "some": np.where(np.arange(N) % 3 == 0, -1, hard), "none": None}[labels]
    weight = rng.random(N) * 3
    weight[1] = 0
    return SoftTargets(P, hard, alpha, temperature), weight


def softmax_of_row(z):
    powers = [math.exp(value) for value in z]
    return [power / sum(powers) for power in powers]


def loss_by_hand(targets, weight, z):
    T, total = targets.temperature, 0.0
    for i in range(N):
        row = [0.0, *z[i]] if z.shape[1] == 1 else list(z[i])
        known = targets.hard is not None and targets.hard[i] >= 0
        alpha = targets.alpha if known else 1.0
        logits = [math.log(max(p, EPS)) / T for p in targets.teacher[i]]
        taught = targets.teacher[i] if T == 1 else softmax_of_row(logits)
        told = softmax_of_row([value / T for value in row])
        soft = -sum(p * math.log(q) for p, q in zip(taught, told, strict=True))
        hard = -math.log(softmax_of_row(row)[targets.hard[i]]) if known else 0.0
        total += weight[i] * (alpha * T**2 * soft + (1 - alpha) * hard)
    return total / weight.sum()


CASES = pytest.mark.parametrize(
    ("K", "alpha", "temperature", "labels"),
    [
        (K, alpha, T, labels)
        for K in (2, 4)
        for T in (0.5, 1.0, 4.0)
        for alpha, labels in [
            (0.0, "all"),
            (0.3, "all"),
            (0.3, "some"),
            (1.0, "all"),
            (1.0, "none"),
        ]
    ],
)


@CASES
def test_loss_is_the_formula(K, alpha, temperature, labels):
    targets, weight = make(K, alpha, temperature, labels)
    loss = soft_cross_entropy(targets, weight)
    rng = np.random.default_rng(1)
    for columns in {1, 2} if K == 2 else {K}:
        z = rng.normal(size=(N, columns))
        assert loss(z)[0] == pytest.approx(loss_by_hand(targets, weight, z), rel=1e-12)


@CASES
def test_gradient_is_the_slope_of_the_loss(K, alpha, temperature, labels):
    targets, weight = make(K, alpha, temperature, labels)
    loss = soft_cross_entropy(targets, weight)
    rng = np.random.default_rng(2)
    for columns in {1, 2} if K == 2 else {K}:
        z = rng.normal(size=N * columns)

        def value(flat, shape=(N, columns)):
            return loss(flat.reshape(shape))[0]

        def slope(flat, shape=(N, columns)):
            return loss(flat.reshape(shape))[1].ravel()

        assert np.abs(slope(z)).max() > 1e-3
        differences = (approx_fprime(z, value, 1e-5) + approx_fprime(z, value, -1e-5)) / 2
        assert slope(z) == pytest.approx(differences, abs=1e-8)
        assert (loss(z.reshape(N, columns))[1][weight == 0] == 0).all()


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_least_where_the_logits_are_the_teachers(temperature):
    targets, weight = make(3, 1.0, temperature, "none")
    z = np.log(np.maximum(targets.teacher, EPS))
    at_best, gradient = soft_cross_entropy(targets, weight)(z)
    assert np.abs(gradient).max() < 1e-5
    assert soft_cross_entropy(targets, weight)(1.1 * z)[0] > at_best


def test_temperature_keeps_the_gradients_of_both_parts_in_step():
    """Without T² the soft part would fade as 1 / T²."""
    targets, weight = make(4, 1.0, 1.0, "none")
    z = np.random.default_rng(3).normal(size=(N, 4)) / 100
    size = {}
    for T in (1.0, 100.0):
        P = softmax(z + 0.01 * np.log(np.maximum(targets.teacher, EPS)), axis=1)
        size[T] = np.abs(soft_cross_entropy(SoftTargets(P, None, 1.0, T), weight)(z)[1]).sum()
    assert size[100.0] == pytest.approx(size[1.0], rel=0.1)


def test_huge_logits_stay_finite():
    targets, weight = make(4, 0.5, 4.0, "all")
    value, gradient = soft_cross_entropy(targets, weight)(np.full((N, 4), 1e5) * np.arange(4))
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("K", [2, 5])
@pytest.mark.parametrize("factor", [0.2, 1.0, 7.0])
def test_fit_scale_finds_the_factor(K, factor):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(50, 1 if K == 2 else K))
    full = np.hstack([np.zeros_like(z), z]) if K == 2 else z
    weight = rng.random(50)
    assert fit_scale(z, softmax(factor * full, axis=1), weight) == pytest.approx(factor, rel=1e-4)


def test_fit_scale_stays_within_its_bounds():
    z = np.array([[-1.0], [1.0]])
    assert fit_scale(z, np.array([[1.0, 0.0], [0.0, 1.0]]), np.ones(2)) == pytest.approx(
        30, rel=1e-3
    )
    assert fit_scale(z, np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones(2)) == pytest.approx(
        1 / 30, rel=1e-3
    )


def test_exponential_to_the_last_bits():
    x = -np.append(np.random.default_rng(0).exponential(30, 2000), [0.0, 700.0])
    assert np.array([_exp(value) for value in x]) == pytest.approx(np.exp(x), rel=1e-15)
    assert 0 < _exp(-1e300) < 1e-300


def test_functions_of_float32_to_the_last_digits():
    rng = np.random.default_rng(0)
    x = -np.append(rng.exponential(10, 2000), [0.0, 87.0]).astype(np.float32)
    powers = np.array([_exp_single(value) for value in x])
    assert powers == pytest.approx(np.exp(x.astype(float)), rel=3e-7, abs=1e-37)
    assert 0 < _exp_single(np.float32(-3e38)) < 1e-37
    x = np.append(np.exp(rng.uniform(0, 10, 2000)), 1.0).astype(np.float32)
    logarithms = np.array([_log_single(value) for value in x])
    assert logarithms == pytest.approx(np.log(x.astype(float)), rel=2e-7, abs=1e-7)


@CASES
def test_curvature_is_the_slope_of_the_gradient(K, alpha, temperature, labels):
    targets, weight = make(K, alpha, temperature, labels)
    loss = soft_cross_entropy(targets, weight)
    z = np.random.default_rng(4).normal(size=(N, 1 if K == 2 else K))
    slopes = np.empty_like(z)
    for k in range(z.shape[1]):
        step = 1e-5 * np.eye(z.shape[1])[k]
        slopes[:, k] = (loss(z + step)[1] - loss(z - step)[1])[:, k] / 2e-5
    assert loss.curvature(z)[weight > 0] == pytest.approx(slopes[weight > 0], abs=1e-8)
    gradient, curvature = np.empty((2, *z.shape))
    loss.newton(slice(0, N), z.shape[1], z, gradient, curvature)
    assert (gradient == loss(z)[1]).all()
    assert (curvature == loss.curvature(z)).all()


@CASES
def test_float32_is_float64_to_six_digits(K, alpha, temperature, labels):
    """With columns beside the scores, which do not count."""
    targets, weight = make(K, alpha, temperature, labels)
    loss, rows = soft_cross_entropy(targets, weight), slice(2, N)
    z = np.random.default_rng(5).normal(size=(N, 1 if K == 2 else K)).astype(np.float32)
    double, single = (np.zeros((3, N - 2, K + 3), dtype) for dtype in (np.float64, np.float32))
    values = []
    for raw, gradient, curvature in (double, single):
        raw[:, : z.shape[1]] = z[rows]
        values.append(loss.differentiate(rows, z.shape[1], raw, gradient))
        slope = gradient.copy()
        loss.newton(rows, z.shape[1], raw, gradient, curvature)
        assert (slope == gradient).all()
    assert values[1] == pytest.approx(values[0], rel=1e-6)
    assert single == pytest.approx(double, rel=1e-5, abs=1e-7)
    assert double[1, :, : z.shape[1]] == pytest.approx(loss(z.astype(float))[1][rows], rel=1e-12)
