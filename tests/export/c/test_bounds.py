"""The bounds in the header hold for every row that is run on an emulated Cortex-M0."""

import numpy as np
import pytest

pytest.importorskip("unicorn")

from skdistill.compact import TreeTable
from skdistill.compact.packing.node_order import depths
from skdistill.device.compile import build
from skdistill.device.cores import find_target
from skdistill.device.emulate import run
from skdistill.device.profile import emitted_function
from skdistill.export.c import bounds, device_input, prepare_source, to_c
from tests.export.c.harness import Case, rows_for, suits
from tests.strategies import tree_model

KINDS = [
    (input, output, layout)
    for layout in ("table", "code")
    for input, output in (
        ("float32", "label"),
        ("uint8", "label"),
        ("int16", "scores"),
        ("float32", "proba_q15"),
        ("float32", "proba_float"),
    )
]


@pytest.mark.parametrize("seed", range(12))
def test_no_row_takes_more_than_the_header_says(seed):
    rng = np.random.default_rng(seed)
    model = tree_model(rng)
    input, output, layout = KINDS[seed % len(KINDS)]
    if not suits(model, input, output):
        input, output = model.input_dtype, "scores"
    X = rows_for(Case(model, input, output, layout), seed, 40)
    rows = device_input(model, X, input)
    function = emitted_function(model, rows, output)
    options = {"input_dtype": input, "output": output, "layout": layout, "name": "model"}
    image = build({"model.c": to_c(model, **options)}, find_target("cortex-m0"), [function.name])
    ran = run(image, function.name, rows, output_bytes=function.output_bytes)
    found = bounds(*prepare_source(model, **options))
    assert ran.instructions.max() <= found.instructions
    assert ran.stack.max() <= found.stack
    assert found.splits == sum(depths(trees).sum() for trees in model.tables_of(TreeTable))
