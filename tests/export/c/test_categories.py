"""Indexes of categories in C are read as the ranks that Python reads."""

from ctypes import c_size_t, c_void_p
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdistill import CompactModel, SoftNetClassifier
from skdistill.compact import NO_CATEGORIES, CategoryTable, InputGrid, TreeTable
from skdistill.compact.evaluate import scores
from skdistill.export.c import bounds, device_input, prepare_source, to_c
from tests.export.c.harness import INPUTS, Case, answers, load, suits
from tests.strategies import category_tables, labelled_rows, tree_model


def models(seeds):
    """Random models with categories, each in two ways."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        model = tree_model(rng)
        table = category_tables(rng, model.n_features)
        model = replace(model, categories=table)
        output = "scores" if model.classes is None else str(rng.choice(["label", "scores"]))
        kinds = [kind for kind in rng.permutation(INPUTS) if suits(model, kind, output)]
        for layout in ("table", "code"):
            yield Case(model, kinds[0] if kinds else model.input_dtype, output, layout)


def rows_of(case, rng, n=80):
    model, numbers = case.model, None
    if case.input not in ("float32", "codes"):
        limits = np.iinfo(case.input)
        numbers = rng.integers(max(limits.min, -100), 100, (n, model.n_features)).astype(float)
    return labelled_rows(rng, model.categories, model.n_features, n, numbers)


@pytest.mark.parametrize("part", range(2))
def test_labels_give_in_c_what_they_give_in_python(part, tmp_path):
    cases = list(models(range(100 * part, 100 * part + 16)))
    library = load(tmp_path, cases)
    rng = np.random.default_rng(part)
    for i, case in enumerate(cases):
        X = rows_of(case, rng)
        np.testing.assert_array_equal(answers(library, case, i, X), case.expected(X))


def test_any_number_in_place_of_an_index_is_defined(tmp_path):
    cases = [case for case in models(range(16)) if case.input != "codes"]
    cases = [case._replace(output="scores") for case in cases]
    library = load(tmp_path, cases)
    rng = np.random.default_rng(0)
    odd = [
        0,
        -0.0,
        0.9,
        1,
        2,
        3.5,
        29.99,
        30,
        31,
        120,
        121,
        122,
        255,
        256,
        300,
        -1,
        -0.5,
        1e9,
        -1e9,
    ]
    odd += [-1, -0.5, 1e9, -1e9, np.nan, np.inf, -np.inf, 1e-45, -1e-45]
    for i, case in enumerate(cases):
        # An index is taken as it is where the columns have no labels that are numbers.
        text = [np.array([f"l{k:03d}" for k in range(C)]) for C in case.model.categories.counts]
        model = replace(case.model, categories=replace(case.model.categories, labels=text))
        X = device_input(case.model, rows_of(case, rng), case.input).astype(float)
        for column in model.categories.columns:
            X[:, column] = rng.choice(odd, len(X))
        if case.input != "float32":
            limits = np.iinfo(case.input)
            X = np.clip(np.rint(np.nan_to_num(X)), limits.min, limits.max)
        raw = np.ascontiguousarray(X, case.input)
        expected = scores(replace(model, categories=NO_CATEGORIES), model.categories.rank(raw))
        out = np.zeros((len(raw), model.n_scores), np.int32)
        call = library[f"call{i}"]
        call.restype, call.argtypes = None, None
        call(c_void_p(raw.ctypes.data), c_void_p(out.ctypes.data), c_size_t(len(raw)))
        np.testing.assert_array_equal(out, expected)


def test_the_file_names_the_categories_and_counts_a_byte_for_each():
    table = CategoryTable([0, 2], [["no", "yes"], [10, 20, 30]], range(9))
    model = CompactModel(3, [0], 1.0, "sigmoid", [0, 1], categories=table)
    assert "_ranked" not in to_c(model)  # nothing reads them
    grid = InputGrid([0, 2], [0, 1, 2], np.array([0.5, 3.5], np.float32))
    trees = TreeTable(grid, [0], [0, 1], [0, 0], [1, -1], [-2, -3], [0, 0], [[1], [2], [-3]], 4)
    model = replace(model, tables=[trees])
    text = to_c(model, output="scores")
    assert "x[0]      0: no, 1: yes, 2: missing" in text
    assert "x[2]      0: 10, 1: 20, 2: 30, 3: missing" in text
    source, _ = prepare_source(model, output="scores")
    assert source.layout.tables["ranks"].nbytes == 9
    assert (
        "ranks" not in prepare_source(model, input_dtype="codes", output="label")[0].layout.tables
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore:input_dtype=.* whole numbers")
def test_bounds_hold_with_categories(seed):
    pytest.importorskip("unicorn")
    from skdistill.device.compile import build
    from skdistill.device.cores import find_target
    from skdistill.device.emulate import run
    from skdistill.device.profile import emitted_function

    case = list(models([seed]))[seed % 2]
    X = rows_of(case, np.random.default_rng(seed), 30)
    rows = device_input(case.model, X, case.input)
    function = emitted_function(case.model, rows, case.output)
    image = build({"model.c": case.text("model")}, find_target("cortex-m0"), [function.name])
    ran = run(image, function.name, rows, output_bytes=function.output_bytes)
    np.testing.assert_array_equal(
        np.squeeze(function.read(ran.outputs)), np.squeeze(case.expected(X))
    )
    options = {"input_dtype": case.input, "output": case.output, "layout": case.layout}
    found = bounds(*prepare_source(case.model, name="model", **options))
    assert ran.instructions.max() <= found.instructions
    assert ran.stack.max() <= found.stack


def test_columns_of_categories_share_the_code_that_reads_an_index():
    def code_bytes(n_categories):
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(1500, 10))).add_prefix("x")
        for i, column in enumerate(X.columns[:n_categories]):
            codes = pd.qcut(X[column], 4 + 32 * i, labels=False)
            X[column] = pd.Categorical(codes.map("label {}".format))
        y = rng.integers(0, 3, len(X))
        net = SoftNetClassifier((4,), max_iter=1, random_state=0).fit(X, y)
        return net.profile(X[:2], target="cortex-m0", optimize="size").code_bytes

    assert max(code_bytes(2), code_bytes(3)) <= code_bytes(8) + 32
