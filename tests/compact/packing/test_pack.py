"""Bytes of small models, counted by hand; and a walk on nothing but what was counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skdistill import CompactModel, SoftBoostingClassifier
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.node_order import depth_first
from skdistill.compact.packing.pack import choose_layout, table_sizes
from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.tree_costs import NODES, UNPACK, UNPACK_TWICE
from skdistill.compact.packing.tree_leaves import value_leaves
from tests.compact.packing.walks import assert_tables_suffice
from tests.strategies import adversarial_rows, compact_models, quantized_trees, seeds, tree_models


def stumps(n_nodes, *, n_features=1, edges=None, bits=8, S=1, nan_left=False, bias=0, shared=False):
    """A regression model of `n_nodes` stumps on one column, leaves shared by all or by none."""
    edges = np.arange(1) if edges is None else edges
    grid = InputGrid(
        [n_features - 1],
        [0, len(edges)],
        edges.astype("int32" if edges.dtype == "int32" else "float32"),
    )
    node, leaf = np.arange(n_nodes), np.zeros(n_nodes, int) if shared else 2 * np.arange(n_nodes)
    nan, cut = np.full(n_nodes, nan_left), node % len(edges)
    values = np.arange(1, (leaf.max() + 2) * S + 1).reshape(-1, S) % 3 - 1
    trees = TreeTable(grid, node, node * 0, cut, ~leaf, ~(leaf + 1), nan, values, bits)
    return CompactModel(n_features, [bias] * S, 1.0, "identity", None, [trees])


def chain(n_nodes, classes, edges=None):
    """One tree whose nodes all have a leaf to the right."""
    node = np.arange(n_nodes)
    left = np.append(node[1:], ~n_nodes)
    n_scores = 1 if len(classes) == 2 else len(classes)
    values = np.eye(n_scores, dtype=int)[np.arange(n_nodes + 1) % n_scores]
    edges = np.arange(n_nodes) if edges is None else edges
    grid = InputGrid([0], [0, n_nodes], edges.astype("f4"))
    trees = TreeTable(grid, [0], node * 0, node[::-1], left, ~node, node < 0, values, 8)
    link = "sigmoid" if n_scores == 1 else "softmax"
    return CompactModel(1, [0] * n_scores, 1.0, link, classes, [trees])


def trees_of(laid):
    """The packed trees of a layout."""
    (part,) = laid.parts_of(PackedTrees)
    return part


def test_a_stump_needs_neither_feature_nor_threshold_nor_size():
    assert table_sizes(stumps(1)) == {"values": 2}


def test_a_stump_below_zero_needs_no_more():
    assert table_sizes(stumps(1, edges=np.int32([-5]))) == {"values": 2}


def test_a_scale_for_each_score_is_a_table():
    plain = stumps(1, S=2)
    assert table_sizes(replace(plain, scale=[0.1, 0.3])) == {**table_sizes(plain), "scale": 8}


def test_tables_that_are_not_needed_are_not_counted():
    plain = table_sizes(stumps(1))
    assert table_sizes(stumps(1, bias=7)) == plain  # a number of its own
    assert table_sizes(stumps(1, nan_left=True)) == {**plain, "nodes": 2}  # flags beside NaN's side
    assert table_sizes(stumps(2)) == {**plain, "values": 4}  # trees of one size need no sizes
    assert table_sizes(stumps(1, n_features=2)) == {**plain, "nodes": 2}  # names the column
    many = table_sizes(stumps(80, n_features=300))
    assert many == {**table_sizes(stumps(80)), "columns": 2}


def test_a_bias_that_differs_is_a_table():
    model = replace(stumps(1, S=2), bias=np.array([1, 300]))
    assert table_sizes(model) == {"values": 4, "bias": 4}


@pytest.mark.parametrize("n_nodes", [40, 400])
@pytest.mark.parametrize(("edges", "bits"), [(2, 1), (16, 4), (256, 8), (512, 9)])
def test_a_node_takes_the_bits_of_its_numbers_or_whole_bytes(edges, bits, n_nodes):
    bits = min(bits, int(n_nodes - 1).bit_length())
    laid = choose_layout(stumps(n_nodes, edges=np.arange(edges, dtype="i4")))
    # Where leaves are packed too, the code that unpacks is a function with arguments.
    unpack = UNPACK_TWICE - UNPACK if trees_of(laid).leaves.reads_bits else UNPACK
    whole = -(-bits // 8)
    flagged = 2 if bits + 2 <= 16 else 3
    of_forms = [
        (n_nodes * flagged, NODES[f"flags{flagged}"].code),
        (-(-n_nodes * bits // 8), NODES["bits"].code + unpack),
        (n_nodes * whole, NODES[f"bytes{whole}"].code),
    ]
    assert laid.tables["nodes"].nbytes == min(of_forms, key=sum)[0]


def test_left_subtrees_are_counted_in_as_few_bits_as_the_largest_needs():
    sizes = table_sizes(chain(200, ["a", "b"]))  # thresholds and left sizes 0 … 199: 8 bits each
    assert sizes["nodes"] in (400, 600)
    assert trees_of(choose_layout(chain(200, ["a", "b"]))).widths in ((0, 8, 0, 8), (0, 8, 0, 1))


@pytest.mark.parametrize(("n_classes", "bits"), [(2, 1), (3, 2), (5, 3), (17, 5), (300, 9)])
def test_a_single_tree_keeps_labels_in_place_of_values(n_classes, bits):
    sizes = table_sizes(chain(300, list(range(n_classes))))
    assert "values" not in sizes
    assert sizes.get("labels", 0) in (0, -(-301 * bits // 8))


def test_few_labels_have_a_byte_each():
    assert choose_layout(chain(9, list(range(17)))).tables["labels"].nbytes == 10
    assert choose_layout(chain(90, list(range(17)))).tables["labels"].nbytes == -(-91 * 5 // 8)


def test_shared_leaves_need_indices_of_children():
    sizes = table_sizes(stumps(85, shared=True))
    assert sizes == {"nodes": -(-85 * 2 * 7 // 8), "roots": 85, "values": 2}
    assert table_sizes(stumps(255, shared=True))["nodes"] == -(-255 * 2 * 9 // 8)


@pytest.mark.parametrize(
    ("bits", "count", "expected"),
    [
        *[("ternary", 1, 1), ("ternary", 5, 2), ("ternary", 6, 3), (2, 4, 2)],
        *[(2, 5, 3), (3, 8, 6), (4, 3, 3), (8, 3, 6), (12, 3, 9), (16, 3, 12)],
    ],
)
def test_values_are_packed_without_gaps(bits, count, expected):
    model = stumps(1, bits=bits, S=count)
    trees = model.table(TreeTable)
    request = Request(model, "float32", False, False, True)
    forms = value_leaves(trees, depth_first(trees), request)
    (plain,) = [form for form in forms if form.value_bits == bits and form.row_bits is None]
    assert plain.tables["values"].nbytes == expected


@pytest.mark.parametrize(("n_features", "width"), [(256, 1), (257, 2), (70_000, 4)])
def test_columns_are_as_wide_as_the_input_needs(n_features, width):
    assert table_sizes(stumps(80, n_features=n_features))["columns"] == width


def test_rows_of_values_that_return_are_kept_once():
    rng = np.random.default_rng(0)
    grid = InputGrid([0], [0, 200], np.arange(200, dtype="f4"))
    rows = rng.integers(-100, 100, (5, 8))
    trees = quantized_trees(rng, grid, "balanced", [199], rows, 8, 1, 0.0)
    sizes = table_sizes(CompactModel(1, [0] * 8, 1.0, "identity", None, [trees]))
    assert sizes["rows"] == -(-200 * 3 // 8)
    assert sizes["values"] == 5 * 8
    same = replace(trees, values=np.full((200, 8), 3))
    alike = table_sizes(CompactModel(1, [0] * 8, 1.0, "identity", None, [same]))
    assert "rows" not in alike


def test_a_single_leaf_needs_nothing():
    grid = InputGrid([], [0], np.empty(0, np.float32))
    leaf = TreeTable(grid, [~0], [], [], [], [], [], [[1, 2, 3]], 4)
    model = CompactModel(2, [0] * 3, 1.0, "softmax", [0, 1, 2], [leaf])
    assert table_sizes(model) == {}
    assert set(choose_layout(model, output="scores").tables) == {"values"}
    assert table_sizes(CompactModel(2, [5], 1.0, "sigmoid", ["all"])) == {}


def test_a_linear_model_is_the_sum_of_its_parts():
    linear = LinearTable([0, 2], [0.5, 0], [2.0, 1], 8, [[1, 2, -3], [0, 1, 0]], 4)
    model = CompactModel(3, [1, 2, 3], 0.5, "softmax", ["a", "b", "c"], [linear])
    # Offsets as upper halves of floats, a shift each.
    assert table_sizes(model) == {
        **{"linear_columns": 2, "offsets": 4, "shifts": 2, "weights": 3, "bias": 3}
    }
    assert model.nbytes == 14
    assert choose_layout(model, "uint8").tables["offsets"].tolist() == [1, 0]  # halves
    assert set(choose_layout(model, "codes").tables) == {"weights", "bias"}


def test_trees_beside_a_linear_part_read_its_inputs():
    X, y = load_digits(return_X_y=True)
    model = SoftBoostingClassifier(5, init="linear", random_state=0).fit(X, y).compact_
    assert trees_of(choose_layout(model)).codes.kind == "rounded"
    assert not {"columns", "bases", "edges", "origins", "exponents"} & set(table_sizes(model))


def test_integer_inputs_take_the_whole_numbers_of_thresholds():
    model = chain(40, ["a", "b"], np.sort(np.random.default_rng(0).normal(size=40) * 50))
    assert trees_of(choose_layout(model, "int8")).codes.kind == "value"
    assert "edges" not in choose_layout(model, "int8").tables
    assert sum(t.nbytes for t in choose_layout(model, "int8").tables.values()) < model.nbytes


def test_code_keeps_no_nodes():
    for output in ("label", "scores"):
        laid = choose_layout(chain(40, ["a", "b"]), output=output, branches=True)
        assert trees_of(laid).shape == "branches"
        assert not {"nodes", "edges", "labels", "sizes"} & set(laid.tables)


@given(st.one_of(tree_models(), compact_models()), seeds, st.sampled_from(["declared", "int16"]))
def test_what_is_counted_is_enough_to_walk(model, seed, input):
    if not model.tables_of(TreeTable) or model.n_classes == 1:
        return
    input = model.input_dtype if input == "declared" else input
    if input == "float32":
        X = np.float32(adversarial_rows(model, seed, 12, "float32"))
        X[np.random.default_rng(seed).random(X.shape) < 0.05] = np.nan
    else:
        X = adversarial_rows(model, seed, 12, "int64")
        X = np.clip(X, np.iinfo(input).min, np.iinfo(input).max)
    assert_tables_suffice(model, X, input)


@given(tree_models())
def test_every_choice_costs_no_more_than_the_plainest(model):
    """Depth first in 32-bit numbers would do; what is chosen takes less."""
    for output in ("label", "scores"):
        if output == "label" and model.classes is None:
            continue
        laid = choose_layout(model, None, output)
        if laid.label is not None:
            continue
        trees = model.table(TreeTable)
        N, L = len(trees.feature), len(trees.values)
        plain = 12 * N + 4 * len(trees.roots) + 2 * L * model.n_scores + 4 * len(model.bias)
        plain += sum(
            laid.tables[name].nbytes
            for name in ("linear_columns", "offsets", "shifts", "factors", "weights")
            if name in laid.tables
        )
        assert sum(t.nbytes for t in laid.tables.values()) <= plain + 150
