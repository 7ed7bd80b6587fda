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
        ("cortex-m0", "codes", 420, 6.0),
        ("cortex-m0", "uint8", 420, 6.0),
        ("cortex-m0", "int16", 420, 6.0),
        ("cortex-m0", "float32", 550, 8.0),
        ("cortex-m4f", "codes", 420, 3.0),
        ("cortex-m4f", "uint8", 430, 3.2),
    ],
)
def test_bytes_of_code_and_instructions_of_a_multiplication(
    target, input_dtype, code, instructions
):
    """16 inputs, 40 units, 26 classes, 4 bits: 1680 multiplications."""
    rng, none = np.random.default_rng(0), np.zeros(0, int)
    weights = rng.integers(-8, 8, (40, 16)), rng.integers(-8, 8, (26, 40))
    layer = HiddenLayer(weights[0], rng.integers(-99, 99, 40), rng.integers(1, 6, 40), 4)
    offset, power, missing = rng.integers(1, 15, 16), np.full(16, 4), np.zeros(16, int)
    columns = np.arange(16)
    net = NetTable(columns, offset, power, missing, none, none, none, [layer], weights[1], 4)
    bias = rng.integers(-99, 99, 26)
    model = CompactModel(16, bias, 1e-3, "softmax", np.arange(26), [net])
    result = profile(model, rng.integers(0, 16, (40, 16)), target=target, input_dtype=input_dtype)
    assert result.mismatches == 0
    assert result.code_bytes <= code
    assert result.instructions_mean <= instructions * 1680
