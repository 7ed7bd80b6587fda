"""The largest number of an integer type stands for NaN: C answers to it as Python to NaN."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from skdistill import CompactModel, SoftBoostingClassifier, SoftTreeClassifier, convert
from skdistill.compact import CategoryTable, InputGrid, TreeTable
from skdistill.compact.packing.linear import PackedLinear
from skdistill.compact.packing.pack import choose_layout, on_integers
from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.device import profile
from skdistill.export.c import device_input, to_c
from tests.export.c.harness import OPTIMIZE, Case, answers, assert_equal, load, suits
from tests.strategies import adversarial_rows, compact_models, seeds, tree_model, tree_models

TYPES = ("int8", "uint8", "int16", "uint16", "int32")
few = settings(max_examples=max(1, settings().max_examples // 5))
RNG = np.random.default_rng(0)
X = RNG.integers(0, 200, (400, 5)).astype(float)
Y = ((X[:, 0] > 90) ^ (X[:, 1] > 120)).astype(int)
HOLES = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
Y = np.where(np.isnan(HOLES[:, 0]), 1, Y)


@pytest.mark.parametrize("layout", ["table", "code"])
def test_fixed_models_answer_as_python(layout, tmp_path):
    cases = []
    for seed in range(500, 700):
        rng = np.random.default_rng(seed)
        model = tree_model(rng)
        case = Case(model, rng.choice(TYPES), rng.choice(["label", "scores"]), layout, "max")
        if suits(model, case.input, case.output, "max"):
            cases.append(case)
    laid = [
        choose_layout(c.model, c.input, c.output, branches=layout == "code", max_is_missing=True)
        for c in cases
    ]
    trees = [part for one in laid for part in one.parts_of(PackedTrees)]
    seen = {(part.codes.kind, bool(part.table.nan_left.any())) for part in trees}
    assert seen >= {(kind, nan) for kind in ("value", "rounded") for nan in (False, True)}
    linear = [part for one in laid for part in one.parts_of(PackedLinear)]
    assert {part.rounding.arithmetic for part in linear} == {"integer", "float"}
    assert {c.input for c in cases} == set(TYPES)
    assert_equal(load(tmp_path, cases), cases)


cases = st.builds(
    Case,
    st.one_of(tree_models(), compact_models(), compact_models(regression=True)),
    st.sampled_from(TYPES),
    st.sampled_from(["label", "scores"]),
    st.sampled_from(["table", "code"]),
    st.just("max"),
    st.sampled_from(OPTIMIZE),
)


@few
@given(st.lists(cases, min_size=15, max_size=15), seeds)
def test_random_models_answer_as_python(cases, seed):
    cases = [case for case in cases if suits(*case[:3], "max")]
    with tempfile.TemporaryDirectory() as folder:
        assert_equal(load(Path(folder), cases), cases, seed, n=60)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("nan_left", [False, True])
def test_splits_that_part_no_two_numbers_may_still_part_nan(dtype, nan_left):
    """Below all numbers, above all of them, and at infinity."""
    limits = np.iinfo(dtype)
    edges = np.array([-3e9, limits.max - 1.0, 3e9, np.inf], np.float32)
    edges = np.unique(edges)
    N = len(edges)
    node = np.arange(N)
    grid = InputGrid([0], [0, N], edges)
    trees = TreeTable(
        grid, [0], node * 0, node, np.append(node[1:], ~N), ~node, np.full(N, nan_left),
        np.arange(N + 1)[:, None] * 7 + 1, 8,
    )  # fmt: skip
    model = CompactModel(1, [0], 0.01, "identity", None, [trees])
    whole = on_integers(model, dtype, max_is_missing=True)
    numbers = np.array([limits.min, -1, 0, 1, limits.max - 2, limits.max - 1], float)
    numbers = np.unique(np.clip(numbers, limits.min, None))[:, None]
    assert np.array_equal(whole.scores(numbers), model.scores(numbers))
    assert np.array_equal(whole.scores([[np.nan]]), model.scores([[np.nan]]))
    # NaN goes where the largest number goes, or has its own side: no number does.
    assert whole.table(TreeTable).grid.edges.max(initial=0) < limits.max


@pytest.mark.parametrize(
    "student",
    [
        SoftTreeClassifier(max_leaf_nodes=12),
        SoftBoostingClassifier(6, random_state=0),
    ],
    ids=["tree", "boosted"],
)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
@pytest.mark.parametrize("layout", ["table", "code"])
def test_a_student_that_learnt_with_holes_runs_on_a_device(student, dtype, layout):
    student.fit(HOLES, Y)
    assert student.compact_.table(TreeTable).nan_left.any()
    found = profile(
        student,
        HOLES[:60],
        target="cortex-m0",
        input_dtype=dtype,
        layout=layout,
        missing_value="max",
    )
    assert found.mismatches == 0
    assert found.instructions_max <= found.instructions_bound


def test_scores_of_a_linear_part_too():
    model = SoftBoostingClassifier(4, init="linear", random_state=0).fit(X, Y).compact_
    for output in ("scores", "proba_q15", "proba_float"):
        options = {"input_dtype": "uint8", "output": output, "missing_value": "max"}
        assert profile(model, HOLES[:60], target="host", **options).mismatches == 0


def test_the_header_says_what_is_missing(tmp_path):
    student = SoftTreeClassifier(max_leaf_nodes=4).fit(HOLES, Y)
    text = student.to_c(tmp_path / "holes.c", input_dtype="uint8", missing_value="max")
    assert "uint8_t; 255 is a missing one" in text
    assert "#define HOLES_MISSING 255\n" in (tmp_path / "holes.h").read_text()
    student.to_c(tmp_path / "holes.c", input_dtype="uint8")
    assert "MISSING" not in (tmp_path / "holes.h").read_text()


def test_without_holes_nothing_is_paid_for_them():
    model = SoftTreeClassifier(max_leaf_nodes=12).fit(X, Y).compact_
    assert not model.table(TreeTable).nan_left.any()
    plain, asked = (choose_layout(model, "uint8", max_is_missing=way) for way in (False, True))
    assert {n: t.tolist() for n, t in plain.tables.items()} == {
        n: t.tolist() for n, t in asked.tables.items()
    }


def test_what_is_refused():
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(HOLES, Y).compact_
    with pytest.raises(
        ValueError, match=r"is no uint8: .* from 0 to 255; missing_value='max' takes"
    ):
        device_input(model, HOLES, "uint8")
    full = np.full((1, 5), 255.0)
    with pytest.raises(ValueError, match="whole numbers from 0 to 254"):
        device_input(model, full, "uint8", missing_value="max")
    assert device_input(model, full, "uint8").max() == 255
    for input, reason in (("float32", "float32 has NaN"), ("codes", "their own number for it")):
        with pytest.raises(ValueError, match=reason):
            to_c(model, input_dtype=input, missing_value="max")
        with pytest.raises(ValueError, match=reason):
            device_input(model, HOLES, input, missing_value="max")
    for wrong in (255, "smallest", True):
        with pytest.raises(
            ValueError, match=r"missing_value must be one of \('max', 'never', None\)"
        ):
            to_c(model, input_dtype="uint8", missing_value=wrong)
    grid = InputGrid([0], [0, 1], np.array([254.5], np.float32))
    stump = TreeTable(grid, [0], [0], [0], [-1], [-2], [True], [[1], [2]], 8)
    edge = CompactModel(1, [0], 1.0, "sigmoid", [0, 1], [stump])
    assert to_c(edge, input_dtype="uint8")
    with pytest.raises(ValueError, match=r"holds 0 to 254, and column 0 is cut at 254\.5"):
        to_c(edge, input_dtype="uint8", missing_value="max")


def test_columns_of_categories_have_an_index_for_what_is_missing(tmp_path):
    rng = np.random.default_rng(0)
    number = np.where(rng.random(300) < 0.2, np.nan, rng.integers(0, 200, 300))
    word = rng.choice(["a", "b", "c", None], 300)
    rows = np.column_stack([number, word]).astype(object)
    y = (np.nan_to_num(number, nan=150) > 90) ^ (word == "b")
    student = SoftTreeClassifier(max_leaf_nodes=12, categorical_features=[1]).fit(rows, y)
    model = student.compact_
    sent = device_input(model, rows, "uint8", missing_value="max")
    assert set(np.unique(sent[:, 1])) == {0, 1, 2, 3}
    assert (sent[:, 0] == 255).sum() == np.isnan(number).sum() > 0
    cases = [
        Case(model, dtype, output, layout, "max")
        for dtype in ("uint8", "int16", "int32")
        for output in ("label", "scores")
        for layout in ("table", "code")
    ]
    library = load(tmp_path, cases)
    for i, case in enumerate(cases):
        assert np.array_equal(answers(library, case, i, rows), case.expected(rows))


def test_a_rank_that_is_the_largest_number_is_refused():
    table = CategoryTable([0], [np.array(["a", "b"])], [0, 127, 5, 6])
    grid = InputGrid([0], [0, 1], np.array([60], np.float32))
    stump = TreeTable(grid, [0], [0], [0], [-1], [-2], [True], [[1], [2]], 8)
    model = CompactModel(1, [0], 1.0, "sigmoid", [0, 1], [stump], categories=table)
    assert to_c(model, input_dtype="int8")
    assert to_c(model, input_dtype="uint8", missing_value="max")
    with pytest.raises(ValueError, match="is 127, which is a rank of a category too"):
        to_c(model, input_dtype="int8", missing_value="max")


def test_never_leaves_out_the_code_of_nan_and_changes_no_number(tmp_path):
    forest = RandomForestClassifier(5, max_depth=5, random_state=0).fit(X, Y)
    model = convert(forest, X)
    assert model.table(TreeTable).nan_left.any()
    cases = [
        Case(model, "float32", "scores", None, how, way)
        for how in ("never", None)
        for way in OPTIMIZE
    ]
    texts = [case.text("m") for case in cases]
    assert all(len(a) < len(b) for a, b in zip(texts[:3], texts[3:], strict=True))
    library = load(tmp_path, cases)
    for i, case in enumerate(cases):
        assert np.array_equal(answers(library, case, i, X), case.expected(X))


def test_bits_of_floats_are_compared_as_numbers(tmp_path):
    """Branches for inputs that are never NaN: both zeros, infinities and subnormal numbers too."""
    special = np.float32([0, 1e-45, 1e-38, 1, 3e38, np.inf])
    special = np.concatenate([special, -special])
    cases = []
    for seed in range(700, 850):
        model = tree_model(np.random.default_rng(seed))
        output = ("label", "scores")[seed % 2]
        if not len(model.categories) and suits(model, "float32", output):
            cases.append(Case(model, "float32", output, "code", "never", "speed"))
    signs = {("bits_of(" in text, ") >= 0x" in text) for text in (c.text("m") for c in cases)}
    assert signs >= {(True, True), (True, False)}
    library = load(tmp_path, cases)
    for i, case in enumerate(cases):
        rows = np.nan_to_num(adversarial_rows(case.model, i, 60), nan=-0.0)
        rng = np.random.default_rng(i)
        rows[::2] = rng.choice(special, rows[::2].shape)
        assert np.array_equal(answers(library, case, i, rows), case.expected(rows))


def test_never_is_for_floats_that_are_numbers():
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, Y).compact_
    with pytest.raises(ValueError, match="is for float32 inputs, got input_dtype='uint8'"):
        to_c(model, input_dtype="uint8", missing_value="never")
    with pytest.raises(ValueError, match=r"X\[\d+, \d\] is NaN, which missing_value='never'"):
        device_input(model, HOLES, "float32", missing_value="never")
