"""Gradients against finite differences, rounding against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.students.net.kernels import (
    adam,
    add_penalty,
    batch_gradient,
    matmul,
    raw_predictions,
    round_parameters,
)
from skdistill.students.net.layout import BIAS_UNIT, CODE_UNIT, ONE, Batches, layout_of
from skdistill.students.net.training import initial_parameters

N_SAMPLES, N_INPUTS, N_CODES = 12, 5, 4
LEVELS = {3: np.array([7, 1]), 4: np.array([7, 3, 127])}


def problem(sizes, loss="softmax", n_hints=0, seed=0):
    """A small network and rows for it; the last input is learnt in all rows but some."""
    rng = np.random.RandomState(seed)
    n_scores = sizes[-1]
    if loss == "squared":
        targets, temperatures = rng.normal(size=(1, N_SAMPLES, n_scores)), np.zeros(0)
    else:
        n_classes = max(n_scores, 2)
        targets = rng.dirichlet(np.ones(n_classes), (2, N_SAMPLES)) * [[[0.7]], [[0.3]]]
        temperatures = np.array([2.0, 1.0])
    batches = Batches(
        rng.randint(-60, 60, (N_SAMPLES, N_INPUTS)).astype(np.int8),
        np.array([N_INPUTS - 1], np.int32),
        rng.randint(-1, N_CODES, (N_SAMPLES, 1)).astype(np.int32),
        targets,
        temperatures,
        np.linspace(0.5, 1.5, N_SAMPLES),
        rng.normal(size=(N_SAMPLES, n_hints)),
        0.7,
    )
    layout = layout_of(sizes, N_CODES, n_hints)
    params = initial_parameters(layout, 40 * rng.normal(size=N_CODES), rng)
    for b, m in zip(layout.biases, sizes[1:], strict=True):
        params[b : b + m] = rng.uniform(-1, 1, m)  # no unit is at its kink, as biases of 0 may be
    at = layout.hint_weights
    params[at:] = rng.normal(size=layout.length - at)
    return layout, params, batches


def mean_loss(params, layout, batches):
    """The loss of real weights, in float64."""
    codes = params[layout.codes : layout.hint_weights]
    h = batches.codes / ONE
    learnt = batches.lookups[:, 0] >= 0
    h[learnt, -1] = codes[batches.lookups[learnt, 0]]
    for layer, (W, b) in enumerate(zip(layout.weights, layout.biases, strict=True)):
        n, m = layout.sizes[layer : layer + 2]
        below = h
        h = h @ params[W : W + n * m].reshape(n, m) + params[b : b + m]
        if layer < len(layout.weights) - 1:
            h = np.clip(h, 0, 255 / ONE)
    V = params[layout.hint_weights : layout.hint_biases].reshape(below.shape[1], -1)
    errors = below @ V + params[layout.hint_biases :] - batches.hints
    of_hints = batches.hint_weight * (batches.weight @ errors**2).sum() / 2 / N_SAMPLES
    if len(batches.temperatures) == 0:
        squares = batches.weight[:, None] * (h - batches.targets[0]) ** 2
        return squares.sum() / 2 / N_SAMPLES + of_hints
    z = np.hstack([np.zeros_like(h), h]) if h.shape[1] == 1 else h
    total = 0.0
    for P, t in zip(batches.targets, batches.temperatures, strict=True):
        log_q = z / t - np.log(np.exp(z / t).sum(axis=1, keepdims=True))
        total -= (P * log_q).sum()
    return total / N_SAMPLES + of_hints


@pytest.mark.parametrize("shape", [(3, 4, 2), (7, 7, 7), (1, 9, 5), (5, 0, 3), (64, 33, 17)])
def test_products_of_integers_are_exact(shape):
    n, k, m = shape
    rng = np.random.default_rng(0)
    A, B = (rng.integers(-9, 10, s).astype(np.float32) for s in ((n, k), (k, m)))
    C = np.full((n, m), np.nan, np.float32)
    matmul(A, B, C)
    assert np.array_equal(C, A @ B)
    matmul(np.ascontiguousarray(A.T).T, B, C)
    assert np.array_equal(C, A @ B)


@pytest.mark.parametrize("n_hints", [0, 2])
@pytest.mark.parametrize("loss", ["softmax", "squared"])
@pytest.mark.parametrize("sizes", [[N_INPUTS, 6, 1], [N_INPUTS, 6, 3], [N_INPUTS, 6, 4, 3]])
def test_gradients_are_those_of_the_loss(sizes, loss, n_hints):
    layout, params, batches = problem(sizes, loss, n_hints)
    gradient = np.full_like(params, np.nan)
    rows = np.arange(N_SAMPLES, dtype=np.int32)
    levels = LEVELS[len(sizes)]
    batch_gradient(params, layout, levels, batches, rows, False, params.copy(), gradient)
    exact, step = params.astype(np.float64), 1e-7
    for i in [*range(layout.exponents[0]), *range(layout.codes, layout.length)]:
        ends = []
        for sign in (-1, 1):
            moved = exact.copy()
            moved[i] += sign * step
            ends.append(mean_loss(moved, layout, batches))
        slope = (ends[1] - ends[0]) / (2 * step)
        assert gradient[i] == pytest.approx(slope, rel=1e-3, abs=2e-5)


def test_a_step_takes_part_in_rounding():
    """Of a weight in range the step sees the rounding error, of one beyond it the largest level."""
    layout, params, batches = problem([N_INPUTS, 6, 3])
    levels = LEVELS[3]
    params[layout.exponents[0] : layout.step] = -2
    params[layout.step] = 0.25
    used, rows = params.copy(), np.arange(N_SAMPLES, dtype=np.int32)
    gradient = np.zeros_like(params)
    batch_gradient(params, layout, levels, batches, rows, True, used, gradient)
    start = layout.weights[-1]
    v = params[start : start + 18].astype(np.float64) / 0.25
    beyond = np.abs(v) > 1.5
    assert beyond.any() and not beyond.all()
    assert (gradient[start : start + 18][beyond] == 0).all()
    assert (gradient[start : start + 18][~beyond] != 0).any()
    # The rounded weights are the step times whole numbers.
    assert np.array_equal(used[start : start + 18], 0.25 * np.clip(np.rint(v), -1, 1))


def test_rounded_parameters_are_those_of_integers():
    layout, params, _ = problem([N_INPUTS, 6, 4, 3])
    params[layout.exponents[0] : layout.step] = np.array([-3, -2.4] * 5)
    used = params.copy()
    round_parameters(params, layout, LEVELS[4], used)
    exponents = np.rint(params[layout.exponents[0] : layout.step])
    W = used[layout.weights[0] :][: N_INPUTS * 6].reshape(N_INPUTS, 6)
    t = W / 2 ** exponents[:6]
    assert np.array_equal(t, np.rint(t)) and np.abs(t).max() <= 7
    b = used[layout.biases[0] :][:6] * (ONE / BIAS_UNIT)
    assert np.array_equal(b, np.rint(b))
    codes = used[layout.codes : layout.hint_weights] * (ONE / CODE_UNIT)
    assert np.array_equal(codes, np.rint(codes)) and np.abs(codes).max() <= 63


def test_adam_is_adam():
    rng = np.random.default_rng(0)
    params, gradients = rng.normal(size=4), rng.normal(size=(3, 4))
    ours, moments = params.astype(np.float32), np.zeros((2, 4), np.float32)
    rates = np.array([1, 1, 1, 0], np.float32)
    m = v = 0
    for t, g in enumerate(gradients, 1):
        adam(ours, g.astype(np.float32), moments, rates, 0.1, t)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        params -= rates * 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert ours == pytest.approx(params, rel=1e-4)


def test_means_fade_to_0_without_subnormal_numbers():
    params, moments = np.ones(1, np.float32), np.full((2, 1), 1e-3, np.float32)
    means = []
    for t in range(1, 1000):
        adam(params, np.zeros(1, np.float32), moments, np.ones(1, np.float32), 0.1, t)
        means.append(moments[0, 0])
    assert means[-1] == 0
    assert min(mean for mean in means if mean) > np.finfo(np.float32).tiny


def test_raw_predictions_do_not_depend_on_the_other_rows():
    layout, params, batches = problem([N_INPUTS, 6, 3])
    rows = np.arange(N_SAMPLES, dtype=np.int32)
    together = raw_predictions(params, layout, LEVELS[3], batches, rows)
    alone = [raw_predictions(params, layout, LEVELS[3], batches, rows[i:][:1]) for i in rows]
    assert np.array_equal(together, np.concatenate(alone))


def test_the_penalty_is_that_of_weights_alone():
    layout, params, _ = problem([N_INPUTS, 6, 4, 3])
    gradient = np.zeros_like(params)
    add_penalty(params, layout, 0.25, gradient)
    expected = np.zeros_like(params)
    for W, b in zip(layout.weights, layout.biases, strict=True):
        expected[W:b] = 0.25 * params[W:b]
    assert np.array_equal(gradient, expected) and np.count_nonzero(gradient) == 5 * 6 + 6 * 4 + 12
