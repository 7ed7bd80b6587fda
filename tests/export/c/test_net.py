"""Nets in C answer as in Python, bit for bit, for every width of weights and type of inputs."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import HiddenLayer, NetTable
from skdistill.compact.packing.net import PackedNet
from skdistill.compact.packing.pack import choose_layout
from tests.export.c.harness import INPUTS, OPTIMIZE, Case, assert_equal, load, rows_for, suits
from tests.export.c.test_proba import assert_near
from tests.nets import NET_BITS, linear_beside, net_model, trees_beside

pytestmark = pytest.mark.filterwarnings("ignore:input_dtype=.* has whole numbers only")

SEEDS = range(200)
BATCH = 40


def case_of(seed):
    """A model of every kind: alone, with categories, beside linear tables and trees."""
    beside = [(), (), (linear_beside,), (trees_beside,), (linear_beside, trees_beside)][seed % 5]
    model = net_model(seed, beside=beside, with_categories=seed % 3 == 0)
    rng = np.random.default_rng(seed)
    output = "label" if model.classes is not None and rng.random() < 0.4 else "scores"
    input = INPUTS[seed % len(INPUTS)]
    missing = "max" if input.strip("u").startswith("int") and rng.random() < 0.5 else None
    if not suits(model, input, output, missing):
        input, missing = "float32", None
    layout, optimize = ["table", "code"][seed % 4 == 3], OPTIMIZE[seed // 7 % 3]
    return Case(model, input, output, layout, missing, optimize)


@pytest.mark.parametrize("first", SEEDS[::BATCH])
@pytest.mark.parametrize("optimize", OPTIMIZE)
def test_answers_of_random_nets(optimize, first, tmp_path):
    cases = [case_of(seed)._replace(optimize=optimize) for seed in range(first, first + BATCH)]
    assert_equal(load(tmp_path, cases), cases, seed=first)


def test_every_way_to_keep_a_net_is_seen():
    seen = set()
    for case in (case_of(seed)._replace(optimize=how) for seed in SEEDS for how in OPTIMIZE):
        laid = choose_layout(
            case.model,
            case.input,
            max_is_missing=case.missing_value is not None,
            optimize=case.optimize,
        )
        for part in laid.parts_of(PackedNet):
            kind = "float32" if case.input == "float32" else "codes"
            kind = kind if case.input in ("float32", "codes") else "integer"
            seen |= {(kind, name) for name in laid.tables}
            widths = {layer.value_bits for layer in (*part.table.hidden, part.table)}
            seen |= {(part.form, bits, len(widths) > 1) for bits in widths}
            seen.add((part.form, "layers", len(part.lengths)))
            for layer in part.layers:
                several = layer.sums > layer.pairs // layer.words
                seen |= {(part.form, "turns", layer.turns > 1)}
                seen.add((part.form, "sums", layer.bits, several))
            if part.rounding is not None:
                seen.add((kind, part.rounding.arithmetic, part.rounding.offset is None))
    for bits in NET_BITS:
        assert {("single", bits, False), ("single", bits, True)} <= seen
        assert ("unrolled", bits, False) in seen
        assert (("looped", bits, False) in seen) == (bits != 8)  # one by one is as fast there
    assert {("unrolled", "sums", bits, True) for bits in (2, 3, 4)} <= seen
    for name in ("net_columns", "net_offsets", "net_shifts", "net_missing", "unit_bias"):
        assert {("float32", name), ("integer", name)} <= seen
    for name in ("unit_shifts", "ranks", "bias"):
        assert {("float32", name), ("integer", name)} <= seen
    for form in ("single", "looped", "unrolled"):
        assert {(form, "layers", n) for n in (2, 3, 4)} <= seen
    assert {("integer", how, True) for how in ("integer", "float")} <= seen


@pytest.mark.parametrize("output", ["proba_float", "proba_q15"])
def test_probabilities(output, tmp_path):
    models = [net_model(seed) for seed in range(60)]
    cases = [Case(model, output=output) for model in models if model.classes is not None]
    assert_near(tmp_path, cases, [rows_for(case, 0) for case in cases])


def test_offsets_that_are_no_whole_numbers_are_told():
    whole = net_model(1, whole=True)
    (net,) = whole.tables
    other = whole.with_table(replace(net, offset=net.offset + 0.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole.to_c(input_dtype="int16")
        with pytest.raises(UserWarning, match=r"of the net .* train on the integers"):
            other.to_c(input_dtype="int16")


@pytest.mark.parametrize("input", ["int8", "uint8", "int16", "uint16", "codes"])
def test_integers_need_no_float(input):
    for seed in range(12):
        model = net_model(seed, whole=True, with_categories=bool(seed % 2))
        if suits(model, input, "label"):
            assert "float" not in Case(model, input).text("m").split("*/", 1)[1]


@pytest.mark.parametrize("optimize", OPTIMIZE)
@pytest.mark.parametrize("bits", NET_BITS)
def test_rows_of_many_words(bits, optimize, tmp_path):
    """A turn of a loop for some words only, at the largest weights and inputs."""
    cases = []
    for n_inputs in (63, 65, 129, 200):
        rng = np.random.default_rng(n_inputs)
        for choose in (random_weights, largest_weights):
            layer = HiddenLayer(choose(rng, (33, n_inputs), bits), [1] * 33, [9] * 33, bits)
            output = choose(rng, (3, 33), bits)
            zeros = np.zeros(n_inputs, int)
            net = NetTable(np.arange(n_inputs), zeros, zeros, zeros, [layer], output, bits)
            model = CompactModel(n_inputs, [0] * 3, 1.0, "identity", None, [net])
            cases.append(Case(model, "int8", "scores", optimize=optimize))
    assert_equal(load(tmp_path, cases), cases)


def random_weights(rng, shape, bits):
    return rng.integers(*_ends(bits), shape, endpoint=True)


def largest_weights(rng, shape, bits):
    return np.where(rng.random(shape[1]) < 0.5, *_ends(bits)) * np.ones((shape[0], 1))


def _ends(bits):
    return (-1, 1) if bits == "ternary" else (-(1 << bits - 1), (1 << bits - 1) - 1)


@pytest.mark.parametrize("optimize", OPTIMIZE)
def test_units_that_are_always_0_beside_others(optimize, tmp_path):
    """What leaves the lower lane is that of the other input of a pair."""
    for dead in ([0, 1, 2, 3], [0, 2, 4, 6], [1, 3, 5, 7], [4, 5, 6, 7]):
        bias = np.full(40, 127)
        bias[np.isin(np.arange(40) % 8, dead)] = -128
        layer = HiddenLayer(np.ones((40, 2)), bias, np.full(40, 0), 4)
        output = np.where(bias[None] < 0, 7, -8) * np.ones((2, 1), int)
        zeros = np.zeros(2, int)
        net = NetTable([0, 1], zeros, zeros, zeros, [layer], output, 4)
        model = CompactModel(2, [0, 0], 1.0, "identity", None, [net])
        case = Case(model, "int8", "scores", optimize=optimize)
        assert_equal(load(tmp_path, [case]), [case])
