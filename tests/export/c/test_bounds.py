"""The bounds in the header hold for every row that is run, on every core and by each compiler."""

import re
import shutil

import numpy as np
import pytest

pytest.importorskip("unicorn")

from sklearn.datasets import load_breast_cancer
from sklearn.tree import DecisionTreeClassifier

from skdistill import CompactModel, convert
from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.packing.node_order import depths
from skdistill.device.compile import build
from skdistill.device.cores import TARGETS, find_target
from skdistill.device.emulate import run
from skdistill.device.profile import emitted_function, profile
from skdistill.device.simavr import missing_tools
from skdistill.export.c import bounds, device_input, prepare_source, to_c
from skdistill.export.c.costs import CORES
from tests.export.c.harness import OPTIMIZE, Case, rows_for, suits
from tests.export.c.random_cases import case_rows, random_case
from tests.nets import net_model
from tests.strategies import quantized_trees, tree_model

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
EMULATED = [name for name, target in TARGETS.items() if target.core]
GCC = {name: "arm-none-eabi-gcc" for name in EMULATED} | {"rv32imc": "riscv64-unknown-elf-gcc"}


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
@pytest.mark.parametrize("target", EMULATED)
def test_no_row_takes_more_than_the_header_says(target, compiler):
    """Random models of all kinds in one image."""
    if compiler == "gcc" and shutil.which(GCC[target]) is None:
        pytest.skip(f"{GCC[target]} is not installed")
    cases = []
    for seed in range(12):
        model = tree_model(np.random.default_rng(seed)) if seed % 4 else net_model(seed)
        input, output, layout = KINDS[seed % len(KINDS)]
        if not suits(model, input, output):
            input, output = model.input_dtype, "scores"
        layout = layout if seed % 4 else "table"
        cases.append(Case(model, input, output, layout, optimize=OPTIMIZE[seed // 4]))
    X = [rows_for(case, seed, 40) for seed, case in enumerate(cases)]
    for seed in range(40, 52):
        _, case = random_case(seed)
        cases.append(case)
        X.append(case_rows(case, seed))
    functions = []
    for i, (case, values) in enumerate(zip(cases, X, strict=True)):
        missing = case.missing_value
        rows = device_input(case.model, values, case.input, missing_value=missing)
        functions.append((rows, emitted_function(case.model, rows, case.output, f"m{i}")))
    image = build(
        {"all.c": "\n".join(case.text(f"m{i}") for i, case in enumerate(cases))},
        find_target(target),
        [function.name for _, function in functions],
        compiler=[GCC[target]] if compiler == "gcc" else [],
    )
    for case, (rows, function) in zip(cases, functions, strict=True):
        ran = run(image, function.name, rows, output_bytes=function.output_bytes)
        most = bounds(*case.source(), target)
        assert ran.instructions.max() <= most.instructions
        assert ran.stack.max() <= most.stack


def test_splits_are_the_depths_of_all_trees():
    for seed in range(12):
        case = Case(tree_model(np.random.default_rng(seed)), "float32", "scores")
        if case.model.input_dtype == "float32":
            (table,) = case.model.tables_of(TreeTable)
            assert bounds(*case.source()).splits == depths(table).sum()


@pytest.mark.skipif(bool(missing_tools()), reason="avr-gcc or simavr is not installed")
@pytest.mark.parametrize("seed", range(9))
def test_no_row_takes_more_on_an_avr(seed):
    model = tree_model(np.random.default_rng(seed + 20)) if seed % 3 else net_model(seed)
    output = "scores" if model.classes is None else "label"
    how = OPTIMIZE[seed // 3]
    X = rows_for(Case(model, model.input_dtype, output), seed, 8)
    options = {"input_dtype": model.input_dtype, "output": output, "optimize": how}
    found = profile(model, X, target="avr", **options)
    assert found.mismatches == 0
    assert found.cycles_max <= found.instructions_bound
    assert found.stack_bytes <= found.stack_bound


def many_trees(n_trees, n_features, dtype, depth):
    """Boosted trees of one score, each input compared by many of them."""
    rng = np.random.default_rng(n_trees)
    edges = [np.unique(rng.integers(-30000, 30000, 25).astype(dtype)) for _ in range(n_features)]
    grid = InputGrid(range(n_features), np.cumsum([0, *map(len, edges)]), np.concatenate(edges))
    rows = rng.integers(-100, 100, (1000, 1))
    splits = [2**depth - 1] * n_trees
    trees = quantized_trees(rng, grid, "balanced", splits, rows, 8, 1, 0.0)
    return CompactModel(n_features, [0], 1e-3, "sigmoid", np.arange(2), [trees])


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4f", "rv32imc"])
@pytest.mark.parametrize(
    ("n_trees", "n_features", "input", "depth"),
    [
        (100, 30, "float32", 2),
        (300, 30, "float32", 2),
        (100, 100, "int16", 1),
        (60, 100, "int32", 2),
        (200, 40, "int16", 3),
    ],
)
def test_stack_does_not_grow_with_the_number_of_trees(target, n_trees, n_features, input, depth):
    """Compilers inline trees: what these share was kept on the stack of the caller."""
    model = many_trees(n_trees, n_features, "f4" if input == "float32" else "i4", depth)
    X = rows_for(Case(model, input), 0, 20)
    found = profile(model, X, target=target, input_dtype=input, layout="code")
    assert found.mismatches == 0
    assert found.stack_bytes <= found.stack_bound <= 304 + 4 * n_features
    assert found.instructions_max <= found.instructions_bound


@pytest.mark.parametrize("n_trees", [100, 300])
def test_boosters_as_code_keep_to_their_stack(n_trees):
    """472 bytes of stack for a bound of 280, and more with more trees."""
    xgboost = pytest.importorskip("xgboost")
    X, y = load_breast_cancer(return_X_y=True)
    model = convert(xgboost.XGBClassifier(n_estimators=n_trees, max_depth=4, n_jobs=1).fit(X, y))
    found = profile(model, X[::20], layout="code", input_dtype="float32")
    assert found.mismatches == 0
    assert found.stack_bytes <= found.stack_bound <= 400
    assert found.instructions_max <= found.instructions_bound


@pytest.mark.parametrize("target", EMULATED)
def test_columns_beyond_the_reach_of_an_instruction(target):
    """99 instructions of a tree of depth 7 for a bound of 79: addresses are computed first."""
    rng = np.random.default_rng(36)
    X, y = rng.integers(-30000, 30000, (600, 400)), rng.integers(0, 2, 600)
    tree = DecisionTreeClassifier(max_depth=7, random_state=0).fit(X, y)
    model = convert(tree, X, dtype="int32")
    found = profile(model, X, target=target, input_dtype="int16", layout="code")
    assert found.mismatches == 0
    assert found.instructions_max <= found.instructions_bound
    assert found.stack_bytes <= found.stack_bound


def test_the_header_has_the_bounds_of_every_core(tmp_path):
    model = many_trees(3, 4, "i4", 2)
    text = to_c(model, tmp_path / "m.c", name="m", input_dtype="int16")
    header = (tmp_path / "m.h").read_text()
    source = prepare_source(model, name="m", input_dtype="int16")
    for core in CORES:
        most = bounds(*source, core)
        unit = "cycles" if core == "avr" else "instructions"
        assert f"{core:<10} {most.instructions} {unit}, {most.stack} bytes of stack" in text
        assert f"MAX_STACK {most.stack}\n" in header
    assert len(re.findall("#define M_MAX_INSTRUCTIONS", header)) == 5


@pytest.mark.parametrize(
    ("seed", "kinds", "core", "of", "measured"),
    [
        (300350, None, "avr", "stack", 242),
        (700011, ("net", "net and more"), "avr", "stack", 542),
        (520337, None, "cortex-m0", "instructions", 5819),
    ],
)
def test_bounds_hold_what_exceeded_them_once(seed, kinds, core, of, measured):
    """Counted with gcc 12; the bounds were 240, 424 and 5644."""
    _, case = random_case(seed, kinds)
    assert getattr(bounds(*case.source(), core), of) >= measured


@pytest.mark.skipif(bool(missing_tools()), reason="avr-gcc or simavr is not installed")
@pytest.mark.parametrize(("seed", "kinds"), [(300350, None), (700011, ("net", "net and more"))])
def test_what_is_read_again_stays_on_the_stack_of_an_avr(seed, kinds):
    """27 inputs of 4 bytes in a deep tree as code; the inputs of a layer that is written out."""
    _, case = random_case(seed, kinds)
    X = case.model.read_rows(case_rows(case, seed, 4, 4))
    found = profile(
        case.model,
        X,
        target="avr",
        input_dtype=case.input,
        output=case.output,
        layout=case.layout,
        optimize=case.optimize,
    )
    assert found.mismatches == 0
    assert 0 < found.stack_bytes <= found.stack_bound
    assert found.cycles_max <= found.instructions_bound


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs the compiler")
def test_classes_without_a_tree_cost_instructions_by_gcc():
    """100 classes and three trees, whose number of each class is read in a loop."""
    _, case = random_case(520337)
    X = case.model.read_rows(case_rows(case, 520337, 40))
    found = profile(
        case.model,
        X,
        target="cortex-m0",
        input_dtype=case.input,
        output=case.output,
        layout=case.layout,
        optimize=case.optimize,
        missing_value=case.missing_value,
        compiler="arm-none-eabi-gcc",
    )
    assert found.mismatches == 0
    assert 0 < found.instructions_max <= found.instructions_bound
