"""Nets on emulated cores answer as in Python, within the bounds of the header."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, product

import numpy as np
import pytest

pytest.importorskip("unicorn")

from skdistill import CompactModel
from skdistill.compact import HiddenLayer, NetTable
from skdistill.device.compile import build
from skdistill.device.cores import TARGETS
from skdistill.device.emulate import run
from skdistill.device.profile import emitted_function, profile
from skdistill.export.c import bounds, device_input
from tests.export.c.harness import OPTIMIZE, rows_for
from tests.export.c.test_net import SEEDS, case_of, random_weights

pytestmark = pytest.mark.filterwarnings("ignore:input_dtype=.* has whole numbers only")

EMULATED = sorted(name for name, target in TARGETS.items() if target.core)
BATCH = 20  # nets of a test


# Every core and optimization with some of the nets: all of them are run on the host elsewhere.
@pytest.mark.parametrize(
    ("target", "optimize", "first"),
    [
        (*pair, first)
        for pair, first in zip(product(EMULATED, OPTIMIZE), cycle(SEEDS[::BATCH]), strict=False)
    ],
)
def test_random_nets_answer_as_here(target, optimize, first):
    seeds = range(first, first + BATCH)
    cases = {f"m{seed}": case_of(seed)._replace(optimize=optimize) for seed in seeds}
    names = {name: f"{name}_{case.output}" for name, case in cases.items()}
    text = "\n".join(case.text(name) for name, case in cases.items())
    image = build({"nets.c": text}, TARGETS[target], list(names.values()))
    for name, case in cases.items():
        X = rows_for(case, first, 15)
        rows = device_input(case.model, X, case.input, missing_value=case.missing_value)
        function = replace(emitted_function(case.model, rows, case.output), name=names[name])
        ran = run(image, function.name, rows, output_bytes=function.output_bytes, watch=True)
        assert np.array_equal(function.read(ran.outputs), case.expected(X)), (name, case)
        most = bounds(*case.source(), target)
        assert ran.instructions.max() <= most.instructions, (name, case)
        assert ran.stack.max() <= most.stack, (name, case)


@pytest.mark.parametrize(
    ("target", "input_dtype", "optimize", "code", "instructions"),
    [
        ("cortex-m0", "codes", "size", 320, 21),
        ("cortex-m0", "uint8", "size", 350, 21),
        ("cortex-m0", "int16", "size", 350, 21),
        ("cortex-m0", "float32", "size", 440, 23),
        ("cortex-m0", "uint8", "balanced", 420, 6),
        ("cortex-m0", "float32", "balanced", 510, 8),
        ("cortex-m4f", "uint8", "balanced", 430, 3.5),
        ("cortex-m0", "codes", "speed", 1200, 5),
        ("cortex-m0", "float32", "speed", 1300, 7),
        ("cortex-m4f", "codes", "speed", 1000, 2.5),
        ("cortex-m4f", "float32", "speed", 1100, 3),
    ],
)
def test_bytes_of_code_and_instructions_of_a_multiplication(
    target, input_dtype, optimize, code, instructions
):
    """16 inputs, 40 units, 26 classes, 4 bits: 1680 multiplications."""
    result = profile_of_net(16, [40], 26, 4, target, input_dtype, optimize)
    assert result.code_bytes <= code
    assert result.instructions_mean <= instructions * 1680


@pytest.mark.parametrize(
    ("hidden", "n_scores", "bits"),
    [
        ([24, 16], 26, [4, 4, 4]),
        ([17, 9], 7, [4, 4, 4]),
        ([37], 26, ["ternary"] * 2),
        ([40], 26, [3, 3]),
        ([40], 26, ["ternary", 4]),
        ([40, 8], 26, [3, "ternary", 8]),
    ],
)
@pytest.mark.parametrize(
    ("input_dtype", "code"), [("codes", 420), ("uint8", 420), ("float32", 550)]
)
def test_bytes_of_code_of_other_nets(hidden, n_scores, bits, input_dtype, code):
    """All layers are one loop: more layers and other widths take little more code."""
    result = profile_of_net(16, hidden, n_scores, bits, "cortex-m0", input_dtype)
    assert result.code_bytes <= code


def profile_of_net(n_inputs, hidden, n_scores, bits, target, input_dtype, optimize="size"):
    """Of random weights; `bits` of all layers, or of each."""
    rng = np.random.default_rng(0)
    bits = bits if isinstance(bits, list) else [bits] * (1 + len(hidden))
    layers, width = [], n_inputs
    for n, b in zip(hidden, bits, strict=False):
        weights = random_weights(rng, (n, width), b)
        layers.append(HiddenLayer(weights, rng.integers(-99, 99, n), rng.integers(1, 6, n), b))
        width = n
    offset, power = rng.integers(1, 15, n_inputs), np.full(n_inputs, 4)
    columns, missing = np.arange(n_inputs), np.zeros(n_inputs, int)
    output = random_weights(rng, (n_scores, width), bits[-1])
    net = NetTable(columns, offset, power, missing, layers, output, bits[-1])
    bias, classes = rng.integers(-99, 99, n_scores), np.arange(n_scores)
    model = CompactModel(n_inputs, bias, 1e-3, "softmax", classes, [net])
    X = rng.integers(0, 16, (40, n_inputs))
    result = profile(model, X, target=target, input_dtype=input_dtype, optimize=optimize)
    assert result.mismatches == 0
    return result
