"""Values of any size and place in integers that fit their bits and int32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.quantization.leaf_values import as_scale, constant_scale, leaf_values
from skdistill.quantization.linear_weights import linear_values
from tests.strategies import VALUE_BITS, seeds


def model_of_values(values, bias, scale, unit, bits):
    """A chain of stumps that gives row i the i-th leaf."""
    n = len(values) - 1
    grid = InputGrid([0], [0, n], np.arange(n, dtype=np.float32)) if n else InputGrid([], [0], [])
    node = np.arange(n)
    right = np.append(node[1:], ~n) if n else node
    roots = [0] if n else [-1]
    trees = TreeTable(grid, roots, node * 0, node, ~node, right, node < 0, values, bits, unit)
    return CompactModel(1, bias, scale, "identity", None, [trees])


@given(seeds, st.sampled_from(VALUE_BITS), st.integers(1, 40), st.integers(1, 3))
def test_leaf_values_of_any_size_and_place(seed, bits, L, S):
    rng = np.random.default_rng(seed)
    size, offset = 10.0 ** rng.uniform(-30, 30, S), rng.choice([0, 0, 1, 1e4, 1e12], S)
    V = (rng.integers(-9, 10, (L, S)) * rng.random((L, S)) ** rng.integers(0, 9) + offset) * size
    mass = rng.random(L) + 0.1
    values, bias, scale, unit = leaf_values(V, mass, bits)
    model = model_of_values(values, bias, scale, unit, bits)  # proves bits and int32
    told = model.predict(np.arange(L)[:, None]).reshape(L, S)
    assert np.array_equal(told, scale * (unit * values.astype(float) + bias))
    reach, far = np.ptp(V, axis=0), np.abs(V).max(axis=0)
    if bits != "ternary" and int(bits) >= 8:
        levels = 2 ** int(bits) - 1
        step = np.maximum(reach / levels, far / 2**30)
        assert (np.abs(told - V) <= 0.51 * step + 2e-4 * step + far * 1e-9).all()
    spread = np.sqrt(mass @ (V - mass @ V / mass.sum()) ** 2 / mass.sum())
    error = np.sqrt(mass @ (told - V) ** 2 / mass.sum())
    assert (error <= 1.001 * spread + far / 2**28 + np.finfo(np.float32).tiny).all()


def test_few_levels_of_leaves_are_unbiased():
    rng = np.random.default_rng(0)
    V, mass = rng.gamma(1.0, size=(50, 2)) + 7, rng.random(50)
    for bits in ("ternary", 2, 3, 4):
        values, bias, scale, unit = leaf_values(V, mass, bits)
        told = scale * (unit * values + bias)
        assert mass @ told / mass.sum() == pytest.approx(mass @ V / mass.sum(), abs=2e-3)


def test_scales_round_up_to_float32():
    wanted = np.array([0.1, 1.0, 1e-60, 3e38, 1 + 2**-30])
    scale = as_scale(wanted)
    assert (scale >= wanted).all()
    assert np.array_equal(scale, scale.astype(np.float32))
    assert (scale[[0, 1, 3, 4]] <= wanted[[0, 1, 3, 4]] * (1 + 2**-22)).all()
    assert scale[2] == np.finfo(np.float32).tiny


@pytest.mark.parametrize("c", [0.0, 1.0, -7.25, 2.0**31 - 2, 1e-30, -3.4e38, 0.1])
def test_a_constant_has_a_scale_in_which_it_is_whole(c):
    scale = constant_scale(np.array([c]))
    assert np.array_equal(scale, scale.astype(np.float32))
    assert abs(c / scale[0]) < 2**30
    assert np.rint(c / scale[0]) * scale[0] == pytest.approx(c, rel=2**-27, abs=0)
    if c in (0, 1, -7.25):
        assert np.rint(c / scale[0]) * scale[0] == c


@given(seeds, st.sampled_from(VALUE_BITS), st.sampled_from([4, 8, 16]))
def test_linear_values_of_any_size_and_place(seed, bits, input_bits):
    rng = np.random.default_rng(seed)
    u, S, q_max = int(rng.integers(1, 30)), int(rng.integers(1, 4)), 2 ** (input_bits - 1) - 1
    Q = rng.integers(-q_max, q_max + 1, (60, u)).astype(float)
    size = 10.0 ** rng.uniform(-30, 25, S)
    W, b = rng.normal(size=(u, S)) * size / q_max, rng.choice([0, 1, 1e9], S) * size
    W *= rng.random(W.shape) < rng.choice([0, 0.5, 1])
    weights, bias, scale = linear_values(Q, W, b, np.ones(60), bits, q_max)
    steps = np.zeros(u, np.float32), np.ones(u, np.float32)
    table = LinearTable(np.arange(u), *steps, input_bits, weights, bits)
    model = CompactModel(u, bias, scale, "identity", None, [table])
    wanted, told = Q @ W + b, model.predict(Q).reshape(60, S)
    assert (np.abs((told - wanted).mean(axis=0)) <= scale).all()
    if bits == 16 and (b < 2 * size).all():
        coarse = np.abs(weights).max(axis=0, initial=0) < 1000  # int32 leaves them few levels
        error = np.sqrt(((told - wanted) ** 2).mean(axis=0))
        assert (coarse | (error <= 0.01 * wanted.std(axis=0) + np.abs(wanted).max() * 1e-9)).all()
