"""The emitted C on AVR: compiled by avr-gcc, run by simavr."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill import CompactModel
from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.packing.pack import choose_layout
from skdistill.device.host import Function
from skdistill.device.profile import profile
from skdistill.device.simavr import MCU, missing_tools, run_avr
from skdistill.device.toolchain import run_compiler
from skdistill.export.c import to_c
from skdistill.export.onnx.parity import probe_rows
from tests.export.c.harness import STRICT
from tests.mcu.models import STUDENTS

pytestmark = [
    pytest.mark.mcu,
    pytest.mark.skipif(bool(missing_tools()), reason=f"not installed: {missing_tools()}"),
]
WAIT = """
#include <util/delay_basic.h>
int wait(const unsigned char *x) {
  for (unsigned char i = 0; i < x[0]; i++) _delay_loop_2(5000);
  return x[0];
}
void many(const unsigned char *x, int32_t *out) { for (int i = 0; i < 40; i++) out[i] = i * x[0]; }
"""


@pytest.mark.parametrize("output", ["label", "scores"])
@pytest.mark.parametrize("kind", STUDENTS)
def test_no_mismatch(kind, output):
    student, X = STUDENTS[kind]()
    probes = probe_rows(student.compact_, X)
    probes = probes[np.random.default_rng(0).choice(len(probes), 300)]
    for rows in (X[:300], probes):
        got = profile(student, rows, target="avr", output=output)
        assert got.mismatches == 0
        assert 0 < got.cycles_mean <= got.cycles_max


def test_cycles_are_exact_whatever_timer_overflows():
    rows = np.array([[0], [1], [2], [3], [4], [12], [13], [14], [20], [27], [255]], np.uint8)
    ran = run_avr({"f.c": "#include <stdint.h>" + WAIT}, Function("wait", 1, "uint8"), rows)
    assert ran.results.tolist() == rows[:, 0].tolist()
    one = ran.cycles[1] - ran.cycles[0]
    assert 20_000 < one < 20_010  # 5,000 times 4, and the loop around
    assert ran.cycles.tolist() == (ran.cycles[0] + one * rows[:, 0].astype(int)).tolist()


def test_long_outputs_and_many_rows():
    rows = np.arange(30_000, dtype=np.uint8)[:, None]
    function = Function("many", 1, "uint8", "int32", 40)
    ran = run_avr({"f.c": "#include <stdint.h>" + WAIT}, function, rows[:200])
    assert np.array_equal(ran.results, rows[:200] * np.arange(40, dtype=np.int32))
    ran = run_avr(
        {"f.c": "int f(const unsigned char *x) { return x[0]; }"}, Function("f", 1, "uint8"), rows
    )
    assert np.array_equal(ran.results, rows[:, 0])


@pytest.mark.parametrize("output", ["label", "scores", "proba_q15"])
@pytest.mark.parametrize("n_scores", [1, 3])
def test_an_int_of_16_bits_is_enough(n_scores, output):
    """Cuts from end to end of int16, counted from the lowest; probabilities near 1."""
    edges = np.linspace(-32768, 32766, 40).astype(np.int32)
    node = np.arange(40)
    values = np.random.default_rng(0).integers(-9, 9, (41, n_scores))
    right = np.append(node[1:], ~40)
    link, classes = ("sigmoid", [0, 1]) if n_scores == 1 else ("softmax", [0, 1, 2])
    grid = InputGrid([0], [0, 40], edges)
    trees = TreeTable(grid, [0], node * 0, node, ~node, right, node < 0, values, 8)
    model = CompactModel(1, [0] * n_scores, 0.1, link, classes, [trees])
    rows = np.concatenate([edges, edges + 1])[:, None]
    assert profile(model, rows, target="avr", input_dtype="int16", output=output).mismatches == 0


@pytest.mark.parametrize("layout", ["table", "code"])
@pytest.mark.parametrize("n_scores", [4, 5])
def test_sums_of_half_words(n_scores, layout):
    """Values of 4 bits are added in 16 bits, the unit then makes them larger than that."""
    rng, T = np.random.default_rng(0), 60
    grid = InputGrid([0, 1], [0, 3, 6], np.int32([10, 20, 30, 40, 50, 60]))
    node, threshold, values = (
        np.arange(T),
        rng.integers(0, 3, T),
        rng.integers(-7, 8, (2 * T, n_scores)),
    )
    values[::2] = np.where(rng.random((T, n_scores)) < 0.9, 7, values[::2])
    trees = TreeTable(
        grid, node, rng.integers(0, 2, T), threshold, ~(2 * node), ~(2 * node + 1), node < 0,
        values, 4, unit=1000,
    )  # fmt: skip
    model = CompactModel(2, [0] * n_scores, 0.1, "softmax", np.arange(n_scores), [trees])
    packed = choose_layout(model, "uint8", branches=layout == "code", optimize="balanced")
    assert packed.parts[0].narrow_sums
    rows = rng.integers(0, 80, (200, 2)).astype(np.uint8)
    options = {"input_dtype": "uint8", "optimize": "balanced", "layout": layout}
    got = profile(model, rows, target="avr", output="scores", **options)
    assert got.mismatches == 0
    assert got.cycles_max <= got.instructions_bound
    assert got.stack_bytes <= got.stack_bound


@pytest.mark.filterwarnings("ignore:input_dtype=.* whole numbers")  # of compilers, that is
@pytest.mark.parametrize("layout", ["table", "code"])
@pytest.mark.parametrize("output", ["label", "scores", "proba_float", "proba_q15"])
@pytest.mark.parametrize("kind", STUDENTS)
def test_no_warning(kind, output, layout, tmp_path):
    student, _ = STUDENTS[kind]()
    compact, n_compiled = student.compact_, 0
    for input_dtype in ("float32", "int16", "codes"):
        for values_in_ram in (False, True):
            options = {"input_dtype": input_dtype, "values_in_ram": values_in_ram}
            try:
                text = to_c(compact, output=output, layout=layout, **options)
            except ValueError:  # the model is not for such inputs, or has no values to change
                continue
            (tmp_path / "m.c").write_text(text)
            run_compiler(["avr-gcc", f"-mmcu={MCU}", *STRICT, "-Os", "-c", "m.c"], tmp_path)
            n_compiled += 1
    assert n_compiled > 0
