"""The numerical work of training a network: forward pass, gradients, rounding, Adam.

Nothing here depends on the number of threads, on BLAS or on fused multiply-add: sums are taken
in the order of the code, in float32, so that a network is the same on every machine.

All parameters lie in one flat array, and so do gradients and moments; `Layout` says where. Adam
is then a single loop. Arrays of several layers would need a compiled copy for each number of
layers.
"""

from __future__ import annotations

from math import ldexp

import numpy as np

from skdistill.students.cross_entropy import add_cross_entropy
from skdistill.students.net.layout import (
    ACTIVATION_MAX,
    BIAS_UNIT,
    CODE_MAX,
    CODE_UNIT,
    INTERCEPT_MAX,
    ONE,
    SHIFT_MAX,
)
from skdistill.utils.jit import njit

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # of Adam
_LEAST_MEAN = np.float32(1e-30)
EXPONENT_RATE = 0.3
"""Learning rate of the exponents as a multiple of that of the weights."""
_STEP_RATE = 0.1  # of the output's step, in units of itself


@njit
def matmul(A, B, C):  # type: ignore[no-untyped-def]
    """C = A @ B, four terms of a sum at a time."""
    n, K = A.shape
    m = B.shape[1]
    blocks = K // 4
    for i in range(n):
        for j in range(m):
            C[i, j] = 0
        for block in range(blocks):
            k = 4 * block
            a0, a1, a2, a3 = A[i, k], A[i, k + 1], A[i, k + 2], A[i, k + 3]
            for j in range(m):
                C[i, j] += (a0 * B[k, j] + a1 * B[k + 1, j]) + (a2 * B[k + 2, j] + a3 * B[k + 3, j])
        for k in range(4 * blocks, K):
            a0 = A[i, k]
            for j in range(m):
                C[i, j] += a0 * B[k, j]


@njit
def _powers_of_two(exponents):  # type: ignore[no-untyped-def]
    """2**rint(exponents), exactly."""
    powers = np.empty_like(exponents)
    for j in range(len(exponents)):
        powers[j] = np.float32(ldexp(1.0, int(np.rint(exponents[j]))))
    return powers


@njit
def round_parameters(params, layout, levels, used):  # type: ignore[no-untyped-def]
    """The parameters as the integer network has them, in `used`.

    `levels` are the largest magnitudes of weights, one a layer.
    """
    n_hidden = len(layout.exponents)
    unit = np.float32(BIAS_UNIT / ONE)
    for layer in range(n_hidden + 1):
        n, m = layout.sizes[layer], layout.sizes[layer + 1]
        most = np.float32(levels[layer])
        start, bias = layout.weights[layer], layout.biases[layer]
        if layer < n_hidden:
            exponents = params[layout.exponents[layer] : layout.exponents[layer] + m]
            step = _powers_of_two(exponents)
            for j in range(m):
                b = np.rint(params[bias + j] / unit)
                used[bias + j] = min(max(b, np.float32(-128)), np.float32(127)) * unit
        else:
            step = np.full(m, params[layout.step])
            used[bias : bias + m] = params[bias : bias + m]
        inverse = np.float32(1) / step
        for i in range(n):
            row = start + i * m
            for j in range(m):
                t = np.rint(params[row + j] * inverse[j])
                used[row + j] = min(max(t, -most), most) * step[j]
    used[layout.hint_weights :] = params[layout.hint_weights :]
    for c in range(layout.codes, layout.hint_weights):
        code = np.rint(params[c] * np.float32(ONE / CODE_UNIT))
        most = np.float32(CODE_MAX // CODE_UNIT)
        used[c] = min(max(code, -most), most) * np.float32(CODE_UNIT / ONE)


@njit
def round_back(params, layout, levels, gradient):  # type: ignore[no-untyped-def]
    """Gradients of the parameters from those of the rounded ones.

    Straight through, but for weights out of range, which stay; steps learn as in LSQ (Esser et
    al. 2020, "Learned step size quantization", equation 3).
    """
    n_hidden = len(layout.exponents)
    half, log_2 = np.float32(0.5), np.float32(0.6931472)
    for layer in range(n_hidden + 1):
        n, m = layout.sizes[layer], layout.sizes[layer + 1]
        most = np.float32(levels[layer])
        start = layout.weights[layer]
        if layer < n_hidden:
            exponents = params[layout.exponents[layer] : layout.exponents[layer] + m]
            step = _powers_of_two(exponents)
        else:
            step = np.full(m, params[layout.step])
        inverse = np.float32(1) / step
        total = np.zeros(m, np.float32)
        for i in range(n):
            row = start + i * m
            for j in range(m):
                v = params[row + j] * inverse[j]
                t = min(max(np.rint(v), -most), most)
                inside = abs(v) <= most + half
                total[j] += gradient[row + j] * (t - (v if inside else np.float32(0)))
                gradient[row + j] = gradient[row + j] if inside else np.float32(0)
        if layer < n_hidden:
            for j in range(m):
                gradient[layout.exponents[layer] + j] = total[j] * step[j] * log_2
        else:
            summed = np.float32(0)
            for j in range(m):
                summed += total[j]
            gradient[layout.step] = summed


@njit
def gather_inputs(rows, batches, used, layout, x):  # type: ignore[no-untyped-def]
    """Inputs of some rows, learnt codes in their places."""
    one = np.float32(ONE)
    for i in range(len(rows)):
        for j in range(x.shape[1]):
            x[i, j] = np.float32(batches.codes[rows[i], j]) / one
        for c in range(len(batches.lookup_inputs)):
            slot = batches.lookups[rows[i], c]
            if slot >= 0:
                x[i, batches.lookup_inputs[c]] = used[layout.codes + slot]


@njit
def activate(a, bias, rounded):  # type: ignore[no-untyped-def]
    """ReLU of `a + bias` with an upper limit, in place."""
    n, m = a.shape
    one, half = np.float32(ONE), np.float32(0.5)
    most = np.float32(ACTIVATION_MAX / ONE)
    zero = np.float32(0)
    for i in range(n):
        if rounded:
            for j in range(m):
                v = np.floor((a[i, j] + bias[j]) * one + half) / one
                a[i, j] = min(max(v, zero), most)
        else:
            for j in range(m):
                a[i, j] = min(max(a[i, j] + bias[j], zero), most)


@njit
def activate_back(h, g, bias_gradient):  # type: ignore[no-untyped-def]
    """Gradients pass where the activation `h` is strictly inside its range."""
    n, m = h.shape
    most, zero = np.float32(ACTIVATION_MAX / ONE), np.float32(0)
    bias_gradient[:] = 0
    for i in range(n):
        for j in range(m):
            inside = (h[i, j] > zero) and (h[i, j] < most)
            g[i, j] = g[i, j] if inside else zero
            bias_gradient[j] += g[i, j]


@njit
def loss_gradient(z, rows, batches, g):  # type: ignore[no-untyped-def]
    """Gradient of the mean loss by the raw predictions `z`; returns the summed loss."""
    n, S = z.shape
    share = 1 / n
    z64 = z.astype(np.float64)
    g64 = np.zeros((n, S))
    loss = 0.0
    if len(batches.temperatures) == 0:
        for i in range(n):
            w = batches.weight[rows[i]]
            for k in range(S):
                error = z64[i, k] - batches.targets[0, rows[i], k]
                loss += w * error**2 / 2
                g64[i, k] = w * error
    for part in range(len(batches.temperatures)):
        P = np.empty((n, batches.targets.shape[2]))
        for i in range(n):
            P[i] = batches.targets[part, rows[i]]
        loss += add_cross_entropy(z64, P, batches.temperatures[part], g64, np.zeros((0, 0)))
    for i in range(n):
        for k in range(S):
            g[i, k] = np.float32(g64[i, k] * share)
    return loss


@njit
def adam(params, gradient, moments, rates, rate, count):  # type: ignore[no-untyped-def]
    """One step of Adam (Kingma & Ba 2015) number `count`, at `rate` times `rates`."""
    b1, b2 = np.float32(1 - _BETA_1), np.float32(1 - _BETA_2)
    scale = np.float32(rate / (1 - _BETA_1**count))
    correction = np.float32(1 / (1 - _BETA_2**count))
    eps = np.float32(_EPSILON)
    mean, square = moments[0], moments[1]
    for i in range(len(params)):
        g = gradient[i]
        m = mean[i] + b1 * (g - mean[i])
        # Where gradients end, as those of a dead unit, means fade into subnormal numbers, with
        # which processors are a hundred times slower. Parameters do not see such means.
        mean[i] = m if abs(m) > _LEAST_MEAN else np.float32(0)
        square[i] += b2 * (g * g - square[i])
        params[i] -= scale * rates[i] * mean[i] / (np.sqrt(square[i] * correction) + eps)


@njit
def _layer(flat, layout, layer):  # type: ignore[no-untyped-def]
    """Weights and biases of a layer, as views of a flat array."""
    n, m = layout.sizes[layer], layout.sizes[layer + 1]
    start, bias = layout.weights[layer], layout.biases[layer]
    return flat[start : start + n * m].reshape(n, m), flat[bias : bias + m]


@njit
def _forward(used, layout, x, rounded):  # type: ignore[no-untyped-def]
    """Activations of each layer, the last ones raw predictions, one after the other."""
    n, n_layers = len(x), len(layout.weights)
    flat = np.empty(n * layout.sizes[1:].sum(), np.float32)
    below, first = x, 0
    for layer in range(n_layers):
        m = layout.sizes[layer + 1]
        a = flat[first : first + n * m].reshape(n, m)
        W, b = _layer(used, layout, layer)
        matmul(below, W, a)
        if layer < n_layers - 1:
            activate(a, b, rounded)
        else:
            a += b
        below, first = a, first + n * m
    return flat


@njit
def add_hint_gradient(h, rows, batches, used, layout, gradient, g):  # type: ignore[no-untyped-def]
    """Learn the hints from the activations `h` of the last hidden layer.

    The gradient by `h` is added to `g`, that of the hints' own weights and biases is set.
    """
    n, k = h.shape
    n_hints = batches.hints.shape[1]
    if n_hints == 0:
        return
    at, bias = layout.hint_weights, layout.hint_biases
    W = used[at:bias].reshape(k, n_hints)
    errors = np.empty((n, n_hints), np.float32)
    matmul(h, W, errors)
    gradient[bias:] = 0
    for i in range(n):
        share = np.float32(batches.hint_weight * batches.weight[rows[i]] / n)
        for j in range(n_hints):
            hint = np.float32(batches.hints[rows[i], j])
            errors[i, j] = share * (errors[i, j] + used[bias + j] - hint)
            gradient[bias + j] += errors[i, j]
    matmul(h.T, errors, gradient[at:bias].reshape(k, n_hints))
    g_hints = np.empty((n, k), np.float32)
    matmul(errors, np.ascontiguousarray(W.T), g_hints)
    g += g_hints


@njit
def raw_predictions(params, layout, levels, batches, rows):  # type: ignore[no-untyped-def]
    """Raw predictions of the rounded network for some rows, float32 of (n_rows, n_scores)."""
    used = params.copy()
    round_parameters(params, layout, levels, used)
    x = np.empty((len(rows), layout.sizes[0]), np.float32)
    gather_inputs(rows, batches, used, layout, x)
    flat = _forward(used, layout, x, True)
    n_scores = layout.sizes[-1]
    return flat[len(flat) - len(rows) * n_scores :].reshape(len(rows), n_scores)


@njit
def batch_gradient(  # type: ignore[no-untyped-def]
    params, layout, levels, batches, rows, rounded, used, gradient
):
    """The gradient of the mean loss of some rows; `used` is space for the rounded parameters."""
    if rounded:
        round_parameters(params, layout, levels, used)
    else:
        used[:] = params
    n, n_layers = len(rows), len(layout.weights)
    x = np.empty((n, layout.sizes[0]), np.float32)
    gather_inputs(rows, batches, used, layout, x)
    flat = _forward(used, layout, x, rounded)
    S = layout.sizes[n_layers]
    first = len(flat) - n * S
    g = np.empty((n, S), np.float32)
    loss_gradient(flat[first:].reshape(n, S), rows, batches, g)
    _, gb = _layer(gradient, layout, n_layers - 1)
    gb[:] = 0
    for i in range(n):
        for j in range(S):
            gb[j] += g[i, j]
    for layer in range(n_layers - 1, -1, -1):
        k = layout.sizes[layer]
        first -= n * k
        below = x if layer == 0 else flat[first : first + n * k].reshape(n, k)
        gW, _ = _layer(gradient, layout, layer)
        matmul(below.T, g, gW)
        if layer > 0 or len(batches.lookup_inputs) > 0:
            W, _ = _layer(used, layout, layer)
            g_below = np.empty((n, k), np.float32)
            matmul(g, np.ascontiguousarray(W.T), g_below)
            g = g_below
        if layer == n_layers - 1:
            add_hint_gradient(below, rows, batches, used, layout, gradient, g)
        if layer > 0:
            _, gb = _layer(gradient, layout, layer - 1)
            activate_back(below, g, gb)
    gradient[layout.codes : layout.hint_weights] = 0
    for i in range(n):
        for c in range(len(batches.lookup_inputs)):
            slot = batches.lookups[rows[i], c]
            if slot >= 0:
                gradient[layout.codes + slot] += g[i, batches.lookup_inputs[c]]
    if rounded:
        round_back(params, layout, levels, gradient)


@njit
def add_penalty(params, layout, l2, gradient):  # type: ignore[no-untyped-def]
    """Add the gradient of ``l2 / 2 * sum(W ** 2)`` over the weights of all layers."""
    for layer in range(len(layout.weights)):
        for i in range(layout.weights[layer], layout.biases[layer]):
            gradient[i] += np.float32(l2) * params[i]


@njit
def train_steps(  # type: ignore[no-untyped-def]
    params,
    moments,
    rates,
    layout,
    levels,
    batches,
    order,
    learning_rates,
    count,
    rounded,
    l2,
    min_step,
):
    """Steps of Adam, one for each row of `order`, which lists the rows of a batch.

    `params` and `moments` change in place. `count` steps went before. With `rounded` the forward
    pass is that of the integer network. `l2` is the penalty of weights. The output's step is
    `min_step` at least.
    """
    gradient = np.zeros(len(params), np.float32)
    used = params.copy()
    intercept = layout.biases[-1]
    for s in range(len(order)):
        batch_gradient(params, layout, levels, batches, order[s], rounded, used, gradient)
        if l2 > 0:
            add_penalty(params, layout, l2, gradient)
        if rounded:
            rates[layout.step] = np.float32(_STEP_RATE) * params[layout.step]
        adam(params, gradient, moments, rates, learning_rates[s], count + s + 1)
        if rounded:
            step = max(params[layout.step], np.float32(min_step))
            params[layout.step] = step
            most = np.float32(INTERCEPT_MAX / ONE) * step
            for b in range(intercept, intercept + layout.sizes[-1]):
                params[b] = min(max(params[b], -most), most)
            for e in range(layout.exponents[0], layout.step):
                params[e] = min(max(params[e], np.float32(-SHIFT_MAX)), np.float32(0))
