"""Labels and scores in C are those of Python, bit for bit, for every way to write a model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skdistill import CompactModel, SoftBoostingClassifier, SoftTreeClassifier
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.compact.packing.linear import PackedLinear
from skdistill.compact.packing.pack import choose_layout
from skdistill.compact.packing.packed_trees import PackedTrees
from tests.export.c.harness import (
    INPUTS,
    OPTIMIZE,
    Case,
    answers,
    assert_equal,
    command,
    load,
    suits,
)
from tests.strategies import compact_models, quantized_trees, seeds, tree_model, tree_models

SEEDS = range(300, 450)
few = settings(max_examples=max(1, settings().max_examples // 5))


def model_of(*tables, classes=None):
    """A model of given tables."""
    S = tables[0].n_scores
    link = "identity" if classes is None else "sigmoid" if S == 1 else "softmax"
    columns = [table.columns for table in tables]
    columns += [table.grid.features for table in tables if isinstance(table, TreeTable)]
    n_features = int(np.concatenate(columns).max(initial=0)) + 1
    return CompactModel(n_features, [0] * S, 0.01, link, classes, tables)


def one_column(edges, dtype="float32"):
    """A grid of one column."""
    return InputGrid([0], [0, len(edges)], np.array(edges, dtype))


def chain(grid, values, bits=8, to="left", nan_left=False):
    """One tree on a column that cuts at every edge, with all leaves on one side."""
    N = len(grid.edges)
    node = np.arange(N)
    on, leaf = np.append(node[1:], ~N), ~node
    left, right = (on, leaf) if to == "left" else (leaf, on)
    cut = node[::-1] if to == "left" else node
    return TreeTable(grid, [0], node * 0, cut, left, right, np.full(N, nan_left), values, bits)


def fixed_cases():
    """The same cases in every run, two of each model."""
    cases = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        model = tree_model(rng)
        for layout in ("table", "code"):
            case = Case(model, rng.choice(INPUTS), rng.choice(["label", "scores"]), layout)
            if suits(*case[:3]):
                cases.append(case._replace(optimize=OPTIMIZE[seed % 3]))
    # One that random models hardly meet: fused nodes that jump far.
    rng = np.random.default_rng(0)
    edges = [np.unique(rng.integers(0, 255, 4)) for _ in range(60)]
    grid = InputGrid(np.arange(60), np.cumsum([0] + [len(e) for e in edges]), np.concatenate(edges))
    trees = quantized_trees(rng, grid, "left", [120], rng.integers(-9, 9, (7, 9)), 8, 1, 0.0)
    # And thresholds of so many bits that each number of a node is unpacked on its own.
    edges = np.unique(rng.integers(-(2**23), 2**23, 300))
    far = chain(one_column(edges, "int32"), rng.integers(-99, 99, (len(edges) + 1, 1)))
    wide = Case(model_of(far), "int32", "scores")
    # And three-byte nodes, with rows of an odd number of nibbles.
    edges = [np.unique(rng.integers(0, 255, 99)) for _ in range(60)]
    grid = InputGrid(np.arange(60), np.cumsum([0] + [len(e) for e in edges]), np.concatenate(edges))
    odd = []
    for low in (-8, 0):
        rows = rng.integers(low, low + 16 if low else 8, (99, 11))
        short = quantized_trees(rng, grid, "random", [20] * 3, rows, 4, 1, 0.0)
        odd += [Case(model_of(short), "uint8", "scores", "table", None, way) for way in OPTIMIZE]
    # And forests: votes for one class, for two, and with `most` of 3 also for three.
    forests = []
    for S, most, layout in ((3, 2, "table"), (16, 3, "table"), (16, 16, "code")):
        votes = np.zeros((300, S), int)
        for i, vote in enumerate(votes):
            filled = rng.choice(S, (1, 2, most)[i % 3], replace=False)
            vote[filled] = rng.integers(1, 256, len(filled))
        votes[::3] = 255 * (votes[::3] > 0)
        votes = np.minimum(votes, 255)
        many = quantized_trees(rng, grid, "random", [60] * 3, votes, 9, 1, 0.0)
        forests += [Case(model_of(many), "uint8", "scores", layout, None, way) for way in OPTIMIZE]
    return [*cases, Case(model_of(trees, classes=np.arange(9)), "uint8"), wide, *odd, *forests]


@pytest.fixture(scope="module")
def fixed():
    return fixed_cases()


def test_every_way_to_keep_a_model_is_seen(fixed):
    seen = set()
    for case in fixed:
        laid = case.source()[0].layout
        for linear in (part.rounding for part in laid.parts_of(PackedLinear)):
            kind = laid.tables["offsets"].dtype.name if linear.offset is None else "same offset"
            how = "factors" if linear.factors else "shift" if linear.shift is not None else "shifts"
            seen |= {("linear", case.layout, linear.arithmetic), (linear.arithmetic, kind)}
            seen |= {(linear.arithmetic, how, linear.inv_step is not None)}
        seen.add(("constant", laid.label is not None))
        if not laid.parts_of(PackedTrees):
            continue
        (trees,) = laid.parts_of(PackedTrees)
        codes = trees.codes
        seen.add(("codes", case.layout, codes.kind, trees.prepared))
        seen.add(("codes", case.layout, codes.kind, bool(trees.widths[2])))
        seen.add(("drop", codes.drop > 0))
        bits = "bytes" if trees.whole_bytes else "packed" if trees.bits <= 25 else "wide"
        bits = trees.bits if trees.shape == "flags" else bits
        jump = trees.widths[3] if trees.shape == "fused" else None
        seen.add((trees.shape, bits, jump))
        seen.add((trees.shape, "edges", trees.edges is not None, trees.bases is not None))
        seen.add((trees.shape, "columns", trees.columns is not None))
        seen.add(("labels", trees.leaves.label_bits))
        seen.add(("rows", trees.shape == "branches", trees.leaves.row_bits in (8, 16)))
        seen.add(("pure", trees.shape == "branches", trees.leaves.pure is not None))
        pairs = trees.leaves.pairs > 0, "values" in laid.tables
        seen.add(("pairs", trees.shape == "branches", *pairs))
        seen.add(("values", trees.leaves.value_bits, trees.leaves.bias, trees.table.n_scores % 2))
        seen.add(
            ("counts", trees.shape == "branches", trees.counts is not None, "counts" in laid.tables)
        )
        seen.add(("constant", bool(trees.constant.any())))
        seen.add(("kind", trees.leaves.kind))
        seen.add(("sizes", "sizes" in laid.tables, trees.size == 0))
        seen.add(("unit", trees.table.unit > 1, "bias" in laid.tables))
    tables, code = [
        {("codes", layout, kind, way) for kind in kinds for way in (False, True)}
        for layout, kinds in (("table", ["key", "steps"]), ("code", ["key"]))
    ]
    expected = {
        *tables,
        *code,
        *[("codes", layout, "rounded", True) for layout in ("table", "code")],
        *[("codes", lay, kind, False) for lay in ("table", "code") for kind in ("value", "code")],
        *[("drop", way) for way in (False, True)],
        *[("fused", "bytes", jump) for jump in (1, 3)],
        *[("depth", way, None) for way in ("bytes", "packed", "wide")],
        *[("fused", "edges", *way) for way in ((False, False), (True, False))],
        ("depth", "edges", False, False),
        *[("flags", "edges", way, False) for way in (False, True)],
        *[("branches", "columns", way) for way in (False, True)],
        *[("flags", "columns", way) for way in (False, True)],
        *[("labels", bits) for bits in (None, 8, 2)],
        *[("rows", *way) for way in ((False, False), (False, True), (True, False))],
        *[("pure", code, way) for code in (False, True) for way in (False, True)],
        *[("pairs", False, True, way) for way in (False, True)],
        ("pairs", True, True, True),
        *[("values", "nibble", bias, odd) for bias in (0, 8) for odd in (0, 1)],
        *[("counts", *way) for way in ((False, True, False), (False, True, True))],
        *[("counts", True, way, False) for way in (False, True)],
        *[("flags", bits, None) for bits in (16, 24, 32)],
        *[("kind", kind) for kind in ("label", "row", "value", "sums")],
        ("constant", True),
        *[("sizes", *way) for way in ((False, False), (True, False), (False, True))],
        *[("unit", *way) for way in ((False, False), (False, True), (True, False), (True, True))],
        *[("linear", lay, way) for lay in ("table", "code") for way in ("integer", "float")],
        *[("integer", kind) for kind in ("same offset", "int8", "int16")],
        *[("float", kind) for kind in ("same offset", "int8", "int16", "uint16", "uint32")],
        *[("integer", "shift", False), ("integer", "shifts", False)],
        *[("float", "shift", False), ("float", "shifts", False)],
        *[("float", "factors", False), ("float", "factors", True)],
    }  # fmt: skip
    missing = expected - seen
    assert not missing, missing


@pytest.mark.parametrize("part", range(4))
def test_fixed_models_answer_as_python(fixed, part, tmp_path):
    cases = fixed[part::4]
    assert_equal(load(tmp_path, cases), cases, seed=part)


cases = st.builds(
    Case,
    st.one_of(tree_models(), compact_models(), compact_models(regression=True)),
    st.sampled_from(INPUTS),
    st.sampled_from(["label", "scores"]),
    st.sampled_from(["table", "code"]),
    st.none(),
    st.sampled_from(OPTIMIZE),
)


@few
@given(st.lists(cases, min_size=15, max_size=15), seeds)
def test_random_models_answer_as_python(cases, seed):
    cases = [case for case in cases if suits(*case[:3])]
    with tempfile.TemporaryDirectory() as folder:
        assert_equal(load(Path(folder), cases), cases, seed, n=60)


def test_other_compilers_and_fused_multiplications_change_nothing(fixed, tmp_path):
    for i, (compiler, *flags) in enumerate(
        [
            ("gcc", "-std=gnu11", "-O2", "-mfma", "-ffp-contract=fast"),
            ("zig", "-std=gnu11", "-O2", "-mcpu=baseline+fma", "-ffp-contract=fast"),
        ]
    ):
        if i == 0 and not _can_multiply_and_add():
            continue
        command(compiler)
        cases = [case for case in fixed if case.input == "float32"][i::2][:40]
        (tmp_path / compiler).mkdir()
        assert_equal(load(tmp_path / compiler, cases, compiler, *flags), cases)


def _can_multiply_and_add():
    """Whether this machine has the instructions that -mfma asks for."""
    try:
        return " fma " in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def test_corner_cases(tmp_path):
    rng = np.random.default_rng(0)
    digits, y = load_digits(return_X_y=True)
    binary = np.array([0, 1])
    halves = one_column(np.arange(-20, 20) + 0.5)
    values = rng.integers(-100, 100, (41, 1))
    on_halves = model_of(chain(halves, values), classes=binary)
    extreme = one_column([-np.finfo("f4").max, -1e-45, 0, 1e-45, np.finfo("f4").max, np.inf])
    nothing = InputGrid([], [0], np.empty(0, "f4"))
    leaf = TreeTable(nothing, [~0], [], [], [], [], [], [[1, 2, 3]], 4)
    int32 = one_column([-(2**31), -1, 2**31 - 2, 2**31 - 1], "int32")
    models = {
        "half-way thresholds": (on_halves, INPUTS),
        "far ends": (model_of(chain(extreme, values[:7])), ("float32", "int32", "codes")),
        "far ends of NaN": (
            model_of(chain(extreme, values[:7], nan_left=True)),
            ("float32", "codes"),
        ),
        "integer ends": (model_of(chain(int32, values[:5])), ("int32", "codes")),
        "single leaf": (model_of(leaf, classes=np.arange(3)), ("float32", "int8")),
        "digits": (
            SoftTreeClassifier(max_leaf_nodes=64).fit(digits, y).compact_,
            INPUTS,
        ),
        "boosted": (
            SoftBoostingClassifier(4, init="linear", random_state=0).fit(digits, y).compact_,
            INPUTS[:-1],
        ),
    }
    cases = [
        Case(model, input, output, layout)
        for model, inputs in models.values()
        for input in inputs
        for output in ("label", "scores")
        for layout in ("table", "code")
        if suits(model, input, output)
    ]
    assert_equal(load(tmp_path, cases), cases, n=100)


def test_rows_at_thresholds_infinities_and_nan():
    """What random rows may miss, told one by one."""
    grid = one_column([-1.5, 0.0, 7.5])
    for nan_left in (False, True):
        model = model_of(chain(grid, [[1], [2], [3], [4]], nan_left=nan_left))
        X = np.float32([[-np.inf], [-1.5], [-0.0], [0.0], [7.5], [7.5000005], [np.inf], [np.nan]])
        case = Case(model, output="scores")
        with tempfile.TemporaryDirectory() as folder:
            got = answers(load(Path(folder), [case]), case, 0, X)[:, 0]
        assert got.tolist() == [4, 4, 3, 3, 2, 1, 1, 4 if nan_left else 1]
        assert np.array_equal(got, model.scores(X)[:, 0])


def test_large_models(tmp_path):
    """More than 65,535 nodes, leaves and bits, in one tree and in many, shared and not."""
    rng = np.random.default_rng(1)
    grid = InputGrid([0, 1], [0, 300, 600], np.tile(np.arange(300), 2).astype("f4"))
    one = _random_tree(rng, grid, 70_000, shared=False)
    shared = _random_tree(rng, grid, 70_000, shared=True)
    cases = [
        Case(model_of(trees, classes=classes), output=output)
        for trees, classes in ((one, [0, 1]), (shared, [0, 1]))
        for output in ("label", "scores")
    ]
    assert_equal(load(tmp_path, cases, "gcc", "-std=c99", "-O1"), cases)


def test_nodes_of_more_bits_than_a_register(tmp_path):
    """Thresholds of 24 bits: nodes of 40 bits are no single number, others take more than 64."""
    rng = np.random.default_rng(2)
    edges = [
        np.unique(
            (rng.integers(-(2**16), 2**16, 90) * 2.0 ** rng.integers(-30, 30, 90)).astype("f4")
        )
        for _ in range(300)
    ]
    offsets = np.cumsum([0] + [len(e) for e in edges])
    grid = InputGrid(np.arange(300), offsets, np.concatenate(edges))
    forty = quantized_trees(rng, grid, "balanced", [127], rng.integers(-9, 9, (99, 1)), 8, 1, 0.5)
    trees = [forty, *[_random_tree(rng, grid, 20_000, shared) for shared in (True, False)]]
    cases = [Case(model_of(each), output="scores") for each in trees]
    bits = [choose_layout(case.model, None, "scores").parts[0].bits for case in cases]
    assert bits[0] == 40
    assert bits[1] > 64
    assert bits[2] > 32
    assert_equal(load(tmp_path, cases), cases)


def _random_tree(rng, grid, N, shared):
    """One tree; children of shared ones are any later nodes and any leaves."""
    node = np.arange(N)
    if shared:
        left, right = (
            np.where(
                (node + step < N) & (rng.random(N) < 0.95),
                node + step,
                -rng.integers(1, N, N),
            )
            for step in (rng.integers(1, 9, N), rng.integers(1, 99, N))
        )
        leaves = N
    else:
        child = np.full((N, 2), 0)
        free = [(0, 0), (0, 1)]
        for i in range(1, N):
            at = rng.integers(len(free))
            free[at], free[-1] = free[-1], free[at]
            child[free.pop()] = i
            free += [(i, 0), (i, 1)]
        child[child == 0] = -1 - np.arange(N + 1)
        left, right, leaves = child[:, 0], child[:, 1], N + 1
    feature = rng.integers(0, len(grid.features), N)
    cut = rng.integers(0, grid.counts[feature])
    values = rng.integers(-9, 9, (leaves, 1))
    return TreeTable(grid, [0], feature, cut, left, right, rng.random(N) < 0.5, values, 8)


@pytest.mark.parametrize("n_classes", [100, 256, 300])
def test_many_classes(n_classes, tmp_path):
    grid = one_column(np.arange(400))
    values = np.eye(n_classes, dtype=int)[np.arange(401) % n_classes]
    model = model_of(chain(grid, values, "ternary"), classes=np.arange(n_classes))
    cases = [Case(model, "int32", layout=layout) for layout in ("table", "code")]
    assert_equal(load(tmp_path, cases), cases, n=500)


def test_leaves_that_are_all_alike(tmp_path):
    grid = one_column(np.arange(90))
    model = model_of(chain(grid, np.full((91, 2), 3)))
    cases = [Case(model, "int8", "scores", layout) for layout in ("table", "code")]
    assert_equal(load(tmp_path, cases), cases)


@pytest.mark.parametrize("steps", [[2.0**-40] * 2, [2.0**40] * 2, [4.0] * 2, [2.0**-40, 2.0**40]])
def test_steps_of_integers_from_the_smallest_to_the_largest(steps, tmp_path):
    cases = []
    for bits in (2, 8, 16):
        linear = LinearTable([0, 1], [0, 3], steps, bits, [[1], [-2]], 4)
        model = CompactModel(2, [0], 0.1, "sigmoid", ["a", "b"], [linear])
        cases += [Case(model, input, "scores") for input in INPUTS]
    assert_equal(load(tmp_path, cases), cases)


def test_few_of_many_columns_with_edges_of_their_own(tmp_path):
    """Nodes that name columns cannot look up where the edges of a feature begin."""
    rng = np.random.default_rng(3)
    edges = [np.unique(rng.normal(size=4).astype("f4")) for _ in range(23)]
    columns = np.sort(rng.choice(64, 23, replace=False))
    grid = InputGrid(columns, np.cumsum([0] + [len(e) for e in edges]), np.concatenate(edges))
    case = Case(model_of(_random_tree(rng, grid, 300, shared=False)), output="scores")
    (laid,) = choose_layout(case.model, None, "scores").parts
    assert laid.bases is None or laid.columns is not None
    assert_equal(load(tmp_path, [case]), [case])


def test_codes_of_a_linear_model(tmp_path):
    linear = LinearTable([0, 2], [0.5, 0], [2.0, 1], 8, [[1], [-2]], 4)
    model = model_of(linear, classes=["a", "b"])
    case = Case(model, "codes", "scores")
    assert_equal(load(tmp_path, [case]), [case])


def test_branches_that_share_subtrees_far_down(tmp_path):
    N = 60
    node = np.arange(N)
    grid = one_column(np.arange(90))
    right = np.where(node % 2, -2, -3)
    right[[10, 44, 45]] = 50, 46, 47
    trees = TreeTable(grid, [0], node * 0, node[::-1], np.append(node[1:], -1), right, node < 0,
                      [[1], [2], [-3]], 4)  # fmt: skip
    case = Case(model_of(trees), "float32", "scores", "code")
    assert_equal(load(tmp_path, [case]), [case])
