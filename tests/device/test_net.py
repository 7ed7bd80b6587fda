"""Nets on emulated cores answer as in Python, within the bounds of the header."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("unicorn")

from skdistill.device.compile import build
from skdistill.device.cores import TARGETS
from skdistill.device.emulate import run
from skdistill.device.profile import emitted_function
from skdistill.export.c import bounds, device_input, prepare_source
from tests.export.c.harness import rows_for
from tests.export.c.test_net import BATCH, SEEDS, case_of

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
            options = {"input_dtype": case.input, "output": case.output}
            found = bounds(*prepare_source(case.model, missing_value=case.missing_value, **options))
            assert ran.instructions.max() <= found.instructions, (name, case)
            assert ran.stack.max() <= found.stack, (name, case)
