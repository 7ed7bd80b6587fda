"""Nets as constants: what is stored, and that a device can multiply it two at a time."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import HiddenLayer, NetTable
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.net import pack_net
from skdistill.compact.packing.net_forms import choose_form, looped_form, single_form, unrolled_form
from skdistill.compact.packing.net_weights import field_bits, in_pairs, pairs_that_fit, sequence
from tests.nets import net_model


def layers_of(net):
    return [*net.hidden, net]


def one_by_one(table, bits, count):
    """Weights of a layer out of bytes."""
    if table.dtype == np.int8:
        return table.astype(int)[:count]
    if bits == "ternary":
        digits = []
        for fraction in table.tolist():
            for _ in range(5):
                fraction *= 3
                digits.append(fraction >> 8)
                fraction &= 255
        return np.array(digits[:count]) - 1
    ones = np.unpackbits(table)[: count * bits].reshape(count, bits)
    return ones.astype(int) @ (1 << np.arange(bits)[::-1]) - (1 << (bits - 1))


def two_at_a_time(words, layer, length):
    """Weights of a layer out of words, each with the place of its input."""
    lane, mask = 16 // layer.field, (1 << layer.field) - 1
    rows = -(-layer.rows // layer.together) * layer.together
    words = words.reshape(-1, layer.words, layer.together).swapaxes(1, 2).reshape(rows, -1)
    found = np.zeros((rows, layer.words, 2 * lane), int)
    for k in range(lane):
        low, high = (2 * k, 2 * k + 1) if layer.together == 2 else (k, k + lane)
        found[:, :, low] = words >> (layer.field * k) & mask
        found[:, :, high] = words >> (layer.field * k + 16) & mask
    found = found.reshape(rows, -1)
    assert not found[:, length:].any()
    weights = found[:, :length] - layer.zero
    assert not weights[layer.rows :].any()
    return weights[: layer.rows]


@pytest.mark.parametrize("seed", range(60))
def test_weights_come_back(seed):
    (net,) = net_model(seed).tables
    layers = layers_of(net)
    table = single_form(net).tables["net_weights"]
    for layer in layers:
        count, bits = layer.weights.size, layer.value_bits
        flat = one_by_one(table, bits, count)
        assert np.array_equal(flat.reshape(layer.weights.shape), layer.weights)
        table = table[-(-count // 5) if bits == "ternary" else -(-count * int(bits) // 8) :]
    assert not len(table)
    for form in (looped_form(net), unrolled_form(net)):
        words = form.tables["net_weights"]
        for layer, stored in zip(layers, form.layers, strict=True):
            n = stored.words * -(-stored.rows // stored.together) * stored.together
            weights = two_at_a_time(words[:n], stored, layer.weights.shape[1])
            assert np.array_equal(weights, layer.weights)
            words = words[n:]
        assert not len(words)


def test_every_fraction_of_three_digits_is_read_right():
    digits = np.stack(np.meshgrid(*[[-1, 0, 1]] * 5, indexing="ij"), axis=-1).reshape(1, -1)
    table = sequence([HiddenLayer(digits, [0], [0], "ternary")])["net_weights"]
    assert np.array_equal(one_by_one(table, "ternary", digits.size), digits[0])


def lanes(pairs, most, start, stop):
    """Largest sums of the upper and the lower lane of some pairs."""
    w, x = pairs[:, start:stop], most[:, start:stop]
    return (w * x).sum(axis=(1, 2)).max(), (w[..., 0] * x[..., 1]).sum(axis=1).max()


@pytest.mark.parametrize("seed", range(60))
def test_sums_stay_within_16_bits(seed):
    """As many pairs as the layer says fit, and one more does not."""
    rng = np.random.default_rng(seed)
    bits = int(rng.integers(2, 9))
    field = field_bits(bits)
    together, words, lane = int(rng.integers(1, 3)), int(rng.integers(1, 7)), 16 // field
    unroll = int(rng.choice([n for n in range(1, words + 1) if words % n == 0]))
    stored = rng.integers(0, 1 << bits, (6, words * 2 * lane))
    inputs = rng.choice([0, 3, 127, 255], (1, words * 2 * lane))
    pairs, most = (in_pairs(each, field, together) for each in (stored, inputs))
    n = pairs_that_fit(pairs, most, unroll)
    pairs, most = pairs.reshape(6, -1, 2), most.reshape(1, -1, 2)
    turn = unroll * lane

    def largest(n):
        starts = [t + i for t in range(0, words * lane, turn) for i in range(0, turn, n)]
        stops = [min(i + n, i // turn * turn + turn) for i in starts]
        return max(max(lanes(pairs, most, *ends)) for ends in zip(starts, stops, strict=True))

    assert n == 0 or largest(n) < 2**15
    assert n == turn or largest(n + 1) >= 2**15


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
    always = {"unit_bias", "unit_shifts", "layer_sizes", "net_weights"}
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


def test_sizes_and_widths_of_layers():
    one = HiddenLayer(np.ones((8, 3)), np.arange(8), np.arange(8), 4)
    two = HiddenLayer(np.ones((300, 8)), np.zeros(300), np.zeros(300), "ternary")
    table = packed(small()).tables["layer_sizes"]
    assert (table.tolist(), table.dtype) == ([3, 8, 2], np.uint8)
    assert "layer_bits" not in packed(small()).tables
    part = packed(small(hidden=[one, two], weights=np.ones((2, 300)), value_bits=5))
    assert part.tables["layer_sizes"].tolist() == [3, 8, 300, 2]
    assert part.tables["layer_sizes"].dtype == np.uint16
    assert part.tables["layer_bits"].tolist() == [4, 1, 5]


def test_the_form_follows_what_is_optimized():
    rng = np.random.default_rng(0)
    layer = HiddenLayer(rng.integers(-8, 8, (40, 16)), np.zeros(40), np.zeros(40), 4)
    zeros = np.zeros(16, int)
    output = rng.integers(-8, 8, (26, 40))
    net = NetTable(np.arange(16), zeros, zeros, zeros, [layer], output, 4)
    forms = [choose_form(net, how) for how in ("size", "balanced", "speed")]
    assert [form.name for form in forms] == ["single", "looped", "unrolled"]
    assert sorted(form.flash for form in forms) == [form.flash for form in forms]
    assert sorted(form.work for form in forms) == [form.work for form in forms][::-1]
    for seed in range(100):
        (net,) = net_model(seed).tables
        forms = single_form(net), looped_form(net), unrolled_form(net)
        tables, flash = [form.table_bytes for form in forms], [form.flash for form in forms]
        assert choose_form(net, "size").flash == min(flash)
        assert tables[0] <= tables[1]
        assert choose_form(net, "speed").work == min(form.work for form in forms)
        assert choose_form(net).table_bytes <= 1.05 * tables[0]


@pytest.mark.parametrize(("bits", "form"), [(4, "looped"), (2, "looped"), (3, "single")])
def test_the_default_is_fast_where_tables_do_not_grow(bits, form):
    high = 1 << bits - 1
    rng, zeros = np.random.default_rng(0), np.zeros(16, int)
    layer = HiddenLayer(rng.integers(-high, high, (32, 16)), np.zeros(32), np.zeros(32), bits)
    output = rng.integers(-high, high, (26, 32))
    net = NetTable(np.arange(16), zeros, zeros, zeros, [layer], output, bits)
    assert choose_form(net).name == form


def test_the_default_form_is_the_same_for_all_weights():
    """Students choose their sizes by the bytes of a net with other weights."""
    rng, zeros = np.random.default_rng(0), np.zeros(20, int)
    for least, most in ((-1, 2), (-127, 1), (-128, 128)):
        layer = HiddenLayer(rng.integers(least, most, (2, 20)), np.zeros(2), np.zeros(2), 8)
        output = rng.integers(least, most, (1, 2))
        net = NetTable(np.arange(20), zeros, zeros, zeros, [layer], output, 8)
        assert choose_form(net).name == "single"


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
