"""Nets as constants: what is stored, and that a device can multiply it two at a time."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import HiddenLayer, NetTable
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.net import WIDTHS, pack_net, pack_weights, weights_name
from tests.nets import NET_BITS, net_model


def unpacked(table, bits, count):
    """Weights out of a table, one by one."""
    raw = table.view(np.uint8)
    if bits == 8:
        return table[:count].astype(int)
    if bits == "ternary":
        digits = []
        for fraction in raw.tolist():
            for _ in range(5):
                fraction *= 3
                digits.append(fraction >> 8)
                fraction &= 255
        return np.array(digits[:count]) - 1
    ones = np.unpackbits(raw, bitorder="little")[: count * bits].reshape(count, bits)
    return ones.astype(int) @ (1 << np.arange(bits)) - WIDTHS[bits].zero


@pytest.mark.parametrize("bits", NET_BITS)
@pytest.mark.parametrize("count", [1, 2, 7, 8, 40, 63])
def test_weights_come_back(bits, count):
    low, high = (-1, 1) if bits == "ternary" else (-(1 << bits - 1), (1 << bits - 1) - 1)
    weights = np.random.default_rng(count).integers(low, high + 1, count).astype(np.int8)
    table = pack_weights(weights, bits)
    assert (unpacked(table, bits, count) == weights).all()
    exact = -(-count // 5) if bits == "ternary" else -(-count * bits // 8)
    assert exact <= table.nbytes <= exact + 3


def test_every_fraction_of_three_digits_is_read_right():
    digits = np.stack(np.meshgrid(*[[-1, 0, 1]] * 5, indexing="ij"), axis=-1).reshape(-1)
    table = pack_weights(digits.astype(np.int8), "ternary")
    assert (unpacked(table, "ternary", digits.size) == digits).all()


@pytest.mark.parametrize("bits", [bits for bits in NET_BITS if bits != 8])
@pytest.mark.parametrize("largest", [127, -127, 255])
def test_the_sum_of_a_block_stays_within_16_bits(bits, largest):
    """At the largest weights and inputs, also where a lane gets a half of the block."""
    width = WIDTHS[bits]
    high = 2 if bits == "ternary" else (1 << bits) - 1
    stored = [high - width.zero, -width.zero] if width.centred else [high, 0]
    together = {6: 2, 7: 2}.get(bits, width.block)  # weights that are added up
    for weight in stored:
        total = together * weight * largest
        assert -(2**15) <= total < 2**15
        assert -(2**15) <= together // 2 * weight * largest < 2**15


def packed(net, input_dtype="float32", max_is_missing=False):
    """The part of a net alone."""
    model = CompactModel(3, [0] * net.n_scores, 1.0, "identity", None, [net])
    return pack_net(net, Request(model, input_dtype, False, False, True, max_is_missing))


def small(**changes):
    layer = HiddenLayer(np.ones((8, 3)), np.arange(8), np.arange(8), 4)
    fields = {
        "features": [0, 1, 2],
        "offset": [0.5, 1, 2],
        "power": [1, 2, 2],
        "missing_code": [1, 2, 3],
        "hidden": [layer],
        "weights": np.ones((2, 8)),
        "value_bits": 4,
    }
    return NetTable(**(fields | changes))


def test_what_all_inputs_share_needs_no_table():
    alike = {"offset": [1, 1, 1], "power": [2, 2, 2], "missing_code": [5, 5, 5]}
    always = {"unit_bias", "unit_shifts", "layer_sizes", "weights_4"}
    assert set(packed(small(**alike)).tables) == always
    tables = packed(small()).tables
    assert {"net_offsets", "net_shifts", "net_missing"} < set(tables)
    assert "net_missing" not in packed(small(), "uint8").tables
    assert "net_missing" in packed(small(), "uint8", max_is_missing=True).tables
    assert set(packed(small(), "codes").tables) == always
    assert "net_columns" in packed(small(features=[0, 2, 2])).tables
    same = HiddenLayer(np.ones((8, 3)), np.arange(8), np.full(8, 3), 4)
    part = packed(small(hidden=[same]))
    assert part.shift == 3
    assert "unit_shifts" not in part.tables


def test_sizes_are_stored_where_layers_of_one_width_follow_each_other():
    one = HiddenLayer(np.ones((8, 3)), np.arange(8), np.arange(8), 4)
    two = HiddenLayer(np.ones((300, 8)), np.zeros(300), np.zeros(300), 5)
    mixed = packed(small(hidden=[one, two], weights=np.ones((2, 300))))
    assert "layer_sizes" not in mixed.tables
    assert [(run.first, run.last) for run in mixed.runs] == [(0, 0), (1, 1), (2, 2)]
    table = packed(small()).tables["layer_sizes"]
    assert (table.tolist(), table.dtype) == ([3, 8, 2], np.uint8)
    part = packed(small(hidden=[one, two], weights=np.ones((2, 300)), value_bits=5))
    assert part.tables["layer_sizes"].tolist() == [3, 8, 300, 2]
    assert part.tables["layer_sizes"].dtype == np.uint16
    assert [(run.first, run.last) for run in part.runs] == [(0, 0), (1, 2)]


def test_bytes_of_a_net_of_four_bits():
    """16 inputs, 40 units, 26 scores: half a byte a weight, one and a half a unit, the sizes."""
    rng = np.random.default_rng(0)
    layer = HiddenLayer(
        rng.integers(-8, 8, (40, 16)), rng.integers(-9, 9, 40), np.arange(40) % 9, 4
    )
    zeros = np.zeros(16, int)
    net = NetTable(np.arange(16), zeros, zeros, zeros, [layer], np.ones((26, 40)), 4)
    model = CompactModel(16, np.arange(26), 0.1, "softmax", np.arange(26), [net])
    assert model.nbytes == (16 * 40 + 40 * 26) // 2 + 60 + 26 + 3


def test_layers_of_one_width_share_a_table():
    for seed in range(40):
        model = net_model(seed)
        (net,) = model.tables
        part = pack_net(net, Request(model, "float32", False, False, True))
        layers = [*net.hidden, net]
        assert {weights_name(layer.value_bits) for layer in layers} <= set(part.tables)
        for layer, stream in zip(layers, part.streams, strict=True):
            count = stream.start + layer.weights.size
            table = part.tables[weights_name(stream.bits)]
            weights = unpacked(table, stream.bits, count)[stream.start :]
            assert (weights.reshape(layer.weights.shape) == layer.weights).all()
