"""Nets on emulated cores answer as in Python, within the bounds of the header."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("unicorn")

from skdistill import CompactModel
from skdistill.compact import HiddenLayer, NetTable
from skdistill.device.compile import build
from skdistill.device.cores import TARGETS
from skdistill.device.emulate import run
from skdistill.device.profile import emitted_function, profile
from skdistill.export.c import bounds, device_input, prepare_source
from tests.export.c.harness import rows_for
from tests.export.c.test_net import BATCH, SEEDS, case_of

pytestmark = pytest.mark.filterwarnings("ignore:input_dtype=.* has whole numbers only")

EMULATED = sorted(name for name, target in TARGETS.items() if target.core)


@pytest.mark.parametrize("target", EMULATED)
@pytest.mark.parametrize("first", SEEDS[::BATCH])
def test_random_nets_answer_as_here(target, first):
    cases = {f"m{seed}": case_of(seed) for seed in range(first, first + BATCH)}
    names = {name: f"{name}_{case.output}" for name, case in cases.items()}
    text = "\n".join(case.text(name) for name, case in cases.items())
    image = build({"nets.c": text}, TARGETS[target], list(names.values()))
    for name, case in cases.items():
        X = rows_for(case, first, 25)
        rows = device_input(case.model, X, case.input, missing_value=case.missing_value)
        function = replace(emitted_function(case.model, rows, case.output), name=names[name])
        ran = run(image, function.name, rows, output_bytes=function.output_bytes, watch=True)
        assert np.array_equal(function.read(ran.outputs), case.expected(X)), (name, case)
        if target == "cortex-m0":
            options = {"input_dtype": case.input, "output": case.output, "layout": case.layout}
            found = bounds(*prepare_source(case.model, missing_value=case.missing_value, **options))
            assert ran.instructions.max() <= found.instructions, (name, case)
            assert ran.stack.max() <= found.stack, (name, case)


@pytest.mark.parametrize(
    ("target", "input_dtype", "code", "instructions"),
    [
        ("cortex-m0", "codes", 380, 6.0),
        ("cortex-m0", "uint8", 410, 6.0),
        ("cortex-m0", "int16", 420, 6.0),
        ("cortex-m0", "float32", 500, 8.0),
        ("cortex-m4f", "codes", 400, 3.5),
        ("cortex-m4f", "uint8", 430, 3.5),
    ],
)
def test_bytes_of_code_and_instructions_of_a_multiplication(
    target, input_dtype, code, instructions
):
    """16 inputs, 40 units, 26 classes, 4 bits: 1680 multiplications."""
    result = profile_of_net(16, [40], 26, 4, target, input_dtype)
    assert result.code_bytes <= code
    assert result.instructions_mean <= instructions * 1680


@pytest.mark.parametrize(
    ("sizes", "bits", "input_dtype", "code"),
    [
        (([24, 16], 26), 4, "uint8", 410),
        (([24, 16], 26), 4, "float32", 500),
        (([17, 9], 7), 4, "codes", 400),
        (([17, 9], 7), 4, "float32", 530),
        (([37], 26), "ternary", "float32", 580),
        (([40], 26), 3, "float32", 520),
    ],
)
def test_bytes_of_code_of_other_nets(sizes, bits, input_dtype, code):
    """Layers of one width are one loop: two hidden layers take no more code than one."""
    result = profile_of_net(16, *sizes, bits, "cortex-m0", input_dtype)
    assert result.code_bytes <= code


def profile_of_net(n_inputs, hidden, n_scores, bits, target, input_dtype):
    """Of random weights."""
    rng = np.random.default_rng(0)
    high = 2 if bits == "ternary" else 1 << bits - 1
    low = -1 if bits == "ternary" else -high
    layers, width = [], n_inputs
    for n in hidden:
        weights = rng.integers(low, high, (n, width))
        layers.append(HiddenLayer(weights, rng.integers(-99, 99, n), rng.integers(1, 6, n), bits))
        width = n
    offset, power = rng.integers(1, 15, n_inputs), np.full(n_inputs, 4)
    columns, missing = np.arange(n_inputs), np.zeros(n_inputs, int)
    output = rng.integers(low, high, (n_scores, width))
    net = NetTable(columns, offset, power, missing, layers, output, bits)
    bias, classes = rng.integers(-99, 99, n_scores), np.arange(n_scores)
    model = CompactModel(n_inputs, bias, 1e-3, "softmax", classes, [net])
    X = rng.integers(0, 16, (40, n_inputs))
    result = profile(model, X, target=target, input_dtype=input_dtype)
    assert result.mismatches == 0
    return result
