"""Rounded inputs of a linear table, worked out as a device does, are those of the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import LinearTable
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.linear import pack_linear
from skdistill.compact.tables.linear_table import quantize_input
from tests.strategies import seeds, tree_model


def table(offset, inv_step, bits=8, features=None):
    """A linear table with weights of 1."""
    features = np.arange(len(offset)) if features is None else features
    return LinearTable(
        features, np.float32(offset), np.float32(inv_step), bits, np.ones((len(offset), 1)), 4
    )


def packed(linear, n_features, input_dtype):
    """The part of a linear table alone, without its weights."""
    model = CompactModel(n_features, [0] * linear.n_scores, 1.0, "identity", None, tables=[linear])
    part = pack_linear(linear, Request(model, input_dtype, False, False, True))
    del part.tables["weights"]
    return part


def rounded(linear, read, x):
    """``(x << fraction) - offset``, shifted to the right, half to even, for whole `x`."""
    u = len(linear.features)
    offset = (
        np.full(u, read.rounding.offset)
        if read.rounding.offset is not None
        else read.tables["offsets"]
    )
    shift = (
        np.full(u, read.rounding.shift)
        if read.rounding.shift is not None
        else read.tables["shifts"]
    )
    out = np.empty((len(x), u))
    for j in range(u):
        s = int(shift[j])
        for i, v in enumerate(x[:, linear.features[j]].tolist()):
            limit = read.rounding.limit or 2**31
            v = min(max(v, -limit), limit)
            z = (v << read.rounding.fraction) - int(offset[j])
            assert abs(z) < 2**24
            m = abs(z)
            m = (m + (1 << (s - 1)) - 1 + (m >> s & 1)) >> s if s > 0 else m << -s
            out[i, j] = min(m, linear.q_max) * (-1 if z < 0 else 1)
    return out


@given(seeds, st.sampled_from(["int8", "uint8", "int16", "uint16", "int32"]))
def test_whole_arithmetic_is_the_definition(seed, dtype):
    rng = np.random.default_rng(seed)
    u = 4
    offset = rng.integers(-400, 400, u) / 2.0 ** rng.integers(0, 8)
    inv_step = 2.0 ** rng.integers(-4 if dtype == "int32" else -20, 20, u) * np.ones(u)
    if rng.random() < 0.5:
        offset[:], inv_step[:] = offset[0], inv_step[0]
    linear = table(offset, inv_step, int(rng.integers(2, 17)))
    read = packed(linear, u, dtype)
    limits = np.iinfo(dtype)
    near = np.clip(rng.integers(-9, 9, (40, u)) + np.round(offset), limits.min, limits.max)
    anywhere = rng.integers(limits.min, limits.max, (60, u), endpoint=True)
    x = np.concatenate([near.astype(int), anywhere])
    assert read.rounding.arithmetic == "integer"
    assert np.array_equal(rounded(linear, read, x), quantize_input(x, linear))


@pytest.mark.parametrize(
    ("offset", "inv_step", "input", "arithmetic"),
    [
        ([0.0, 1.5], [2.0, 0.25], "uint8", "integer"),
        ([0.0, 1.5], [2.0, 0.25], "float32", "float"),
        ([0.0, 1.5], [2.0, 0.25], "int32", "integer"),
        ([0.0, 1.5], [2.0, 2.0**-15], "int32", "integer"),
        ([0.0, 1.5], [2.0, 2.0**-16], "int32", "float"),  # x - offset may round
        ([0.0, 2.0**23], [2.0, 2.0], "int32", "float"),
        ([0.0, 1.5], [2.0, 0.3], "uint8", "float"),
        ([0.0, 0.1], [2.0, 0.25], "uint8", "float"),
        ([2.0**-9, 0], [1.0, 1.0], "uint8", "float"),  # beyond eight bits after the point
        ([2.0**24, 0], [1.0, 1.0], "uint8", "float"),
        ([0.0, 1.5], [2.0, 2.0**-120], "uint8", "float"),
        ([0.0, 1.5], [2.0, 0.3], "codes", "code"),
    ],
)
def test_arithmetic_is_chosen_by_what_is_exact(offset, inv_step, input, arithmetic):
    assert packed(table(offset, inv_step), 2, input).rounding.arithmetic == arithmetic


@pytest.mark.parametrize(
    ("offset", "kind"),
    [
        *[([0, 255], "uint8"), ([-1, 100], "int8"), ([-1, 255], "int16"), ([0, 300], "int16")],
        *[([2.0**15, 0], "uint16"), ([1.5, 0], "uint16"), ([0.1, 0], "uint32")],
    ],
)
def test_offsets_of_float_arithmetic_are_short_and_exact(offset, kind):
    read = packed(table(offset, [0.3, 0.7]), 2, "float32")
    stored = read.tables["offsets"]
    assert stored.dtype == kind
    if kind == "uint16":
        stored = (stored.astype(np.uint32) << 16).view(np.float32)
    if kind == "uint32":
        stored = stored.view(np.float32)
    assert np.array_equal(stored.astype(np.float32), np.float32(offset))
    assert np.array_equal(read.tables["factors"].view(np.float32), np.float32([0.3, 0.7]))


def test_what_all_inputs_share_needs_no_table():
    assert packed(table([3, 3], [0.5, 0.5]), 2, "uint8").tables == {}
    assert packed(table([3, 3], [0.3, 0.3]), 2, "float32").tables == {}
    assert set(packed(table([3, 3], [0.5, 0.5], features=[0, 4]), 5, "uint8").tables) == {
        "linear_columns"
    }


def test_shifts_stay_where_32_bits_can_be_shifted():
    for power in (-90, -40, 40, 90):
        read = packed(table([0, 3], [2.0**power] * 2), 2, "uint16")
        assert -16 <= read.rounding.shift <= 30


def test_tables_of_random_models_are_narrow():
    for seed in range(60):
        model = tree_model(np.random.default_rng(seed))
        for linear in model.tables_of(LinearTable):
            for input in ("float32", "uint8", "int32"):
                read = packed(linear, model.n_features, input)
                assert all(t.dtype.kind in "ui" for t in read.tables.values())
                assert all(len(t) == len(linear.features) for t in read.tables.values())
