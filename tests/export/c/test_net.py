"""Nets in C answer as in Python, bit for bit, for every width of weights and type of inputs."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from skdistill.compact.packing.net import PackedNet
from skdistill.compact.packing.pack import choose_layout
from tests.export.c.harness import INPUTS, Case, assert_equal, load, rows_for, suits
from tests.export.c.test_proba import assert_near
from tests.nets import linear_beside, net_model, trees_beside

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
    return Case(model, input, output, ["table", "code"][seed % 4 == 3], missing)


@pytest.mark.parametrize("first", SEEDS[::BATCH])
def test_answers_of_random_nets(first, tmp_path):
    cases = [case_of(seed) for seed in range(first, first + BATCH)]
    assert_equal(load(tmp_path, cases), cases, seed=first)


def test_every_way_to_keep_a_net_is_seen():
    seen = set()
    for case in map(case_of, SEEDS):
        laid = choose_layout(case.model, case.input, max_is_missing=case.missing_value is not None)
        for part in laid.parts_of(PackedNet):
            kind = "float32" if case.input == "float32" else "codes"
            kind = kind if case.input in ("float32", "codes") else "integer"
            seen |= {(kind, name) for name in laid.tables}
            seen |= {(stream.bits, stream.is_aligned) for stream in part.streams}
            seen.add(("layers", len(part.streams)))
            seen |= {("run", len(run.streams), run.first > 0) for run in part.runs}
            if part.rounding is not None:
                seen.add((kind, part.rounding.arithmetic, part.rounding.offset is None))
    for bits in ("ternary", 2, 3, 4, 5, 6, 7, 8):
        assert {(bits, False), (bits, True)} - {(8, False)} <= seen
    for name in ("net_columns", "net_offsets", "net_shifts", "net_missing", "unit_bias"):
        assert {("float32", name), ("integer", name)} <= seen
    for name in ("unit_shifts", "ranks", "bias"):
        assert {("float32", name), ("integer", name)} <= seen
    assert {("layers", n) for n in (2, 3, 4)} <= seen
    assert {("run", 1, False), ("run", 1, True), ("run", 2, False), ("run", 2, True)} <= seen
    assert {("run", 3, False), ("run", 4, False)} <= seen
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
