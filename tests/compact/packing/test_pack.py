"""Bytes of small models, counted by hand; and a walk on nothing but what was counted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skdistill import CompactModel, SoftBoostingClassifier
from skdistill.compact import InputGrid, LinearTable, TreeTable, evaluate
from skdistill.compact.packing.pack import choose_layout, on_integers, table_sizes
from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.threshold_codes import key
from skdistill.compact.tables import linear_table
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
    assert table_sizes(stumps(1, nan_left=True)) == {**plain, "nodes": 1}
    assert table_sizes(stumps(2)) == {**plain, "values": 4}  # trees of one size need no sizes
    assert table_sizes(stumps(1, n_features=2)) == {**plain, "nodes": 1}  # names the column
    many = table_sizes(stumps(80, n_features=300))
    assert many == {**table_sizes(stumps(80)), "columns": 2}


def test_a_bias_that_differs_is_a_table():
    model = replace(stumps(1, S=2), bias=np.array([1, 300]))
    assert table_sizes(model) == {"values": 4, "bias": 4}


@pytest.mark.parametrize("n_nodes", [40, 400])
@pytest.mark.parametrize(("edges", "bits"), [(2, 1), (16, 4), (256, 8), (512, 9)])
def test_a_node_takes_the_bits_of_its_numbers_or_whole_bytes(edges, bits, n_nodes):
    bits = min(bits, int(n_nodes - 1).bit_length())
    sizes = table_sizes(stumps(n_nodes, edges=np.arange(edges, dtype="i4")))
    packed, whole = -(-n_nodes * bits // 8), n_nodes * -(-bits // 8)
    # Code that unpacks takes 26 bytes.
    assert sizes["nodes"] == (packed if packed + 26 < whole else whole)


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
    assert table_sizes(stumps(1, bits=bits, S=count))["values"] == expected


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


class Tables:
    """A walk that reads the tables of a layout and single numbers, nothing of the model."""

    def __init__(self, laid):
        self.laid, self.trees = laid, trees_of(laid)
        self.linear = next(iter(laid.model.tables_of(LinearTable)), None)
        packed = {n: t for n, t in laid.tables.items() if t.dtype == np.uint8}
        self.whole = {n: int.from_bytes(t.tobytes(), "little") for n, t in packed.items()}

    def bits(self, table, at, width):
        """`width` bits of a table from bit `at` on."""
        return self.whole[table] >> at & ((1 << width) - 1)

    def read(self, x, number):
        """What a node compares of input `number`; None for NaN."""
        trees, codes = self.trees, self.trees.codes
        if codes.kind == "rounded":
            number = column = number
            x = x[self.linear.features]
        column = number if trees.columns is None else trees.columns[number]
        v = x[column]
        if v != v:
            return None
        if codes.kind == "rounded":
            q = linear_table.round_input(np.float32([v]), self.linear, slice(number, number + 1))
            return int(q[0]) + self.linear.q_max
        if codes.kind == "key":
            return int(key(np.float32([v]))[0])
        if codes.kind == "steps":
            if not np.isfinite(v):
                return int(np.sign(v)) * 2**70
            scaled = Fraction(float(v)) / Fraction(2) ** int(codes.exponent[number])
            return -(-scaled.numerator // scaled.denominator) - int(codes.origin[number])
        return v

    def goes_left(self, x, feature, threshold, nan):
        """Whether a node sends a row to the left."""
        trees = self.trees
        if trees.edges is not None:
            at = threshold + (0 if trees.bases is None else int(trees.bases[feature]))
            threshold = int(trees.edges[at])
        q = self.read(x, feature)
        return bool(nan) if q is None else q <= (threshold + trees.low) << trees.codes.drop

    def fields(self, node, widths):
        """The numbers of a node."""
        at, found = node * sum(widths), []
        for width in widths:
            found.append(self.bits("nodes", at, width) if width else 0)
            at += width
        return found

    def fused(self, x):
        """The label that a row reaches."""
        nan_bits, step, nodes, p = *self.trees.widths[2:], self.laid.tables["nodes"], 0
        while True:
            head, threshold, third = (int(b) for b in nodes[p : p + 3])
            nan = head >> 2 & 1 if nan_bits else 0
            if self.goes_left(x, head >> (2 + nan_bits), threshold, nan):
                if head & 1:
                    return third >> 4
                p += 3
            elif head & 2:
                return third & 15
            else:
                p += 3 if head & 1 else third * (1 if step == 3 else 3)

    def leaf(self, x, node, size):
        """The leaf that a row reaches in a tree of `size` nodes, the first of which is `node`."""
        leaf = 0
        while size:
            feature, threshold, nan, left = self.fields(node, self.trees.widths)
            node += 1
            if self.goes_left(x, feature, threshold, nan):
                size = left
            else:
                node, leaf, size = node + left, leaf + left + 1, size - left - 1
        return leaf

    def leaf_by_children(self, x, node, n_nodes):
        """The leaf that a row reaches from a node."""
        widths = (*self.trees.widths, self.trees.widths[3])
        while node < n_nodes:
            feature, threshold, nan, left, right = self.fields(node, widths)
            node = left if self.goes_left(x, feature, threshold, nan) else right
        return node - n_nodes

    def leaves(self, x, n_trees, n_nodes):
        """The leaf of each tree."""
        tables, found, node, leaf = self.laid.tables, [], 0, 0
        for t in range(n_trees):
            if self.trees.shape == "children":
                root = int(tables["roots"][t]) if n_trees > 1 else self.trees.size
                found.append(self.leaf_by_children(x, root, n_nodes))
                continue
            size = int(tables["sizes"][t]) if self.trees.size is None else self.trees.size
            found.append(leaf + self.leaf(x, node, size))
            node, leaf = node + size, leaf + size + 1
        return found

    def label(self, leaf):
        """The label of a leaf."""
        return self.bits("labels", leaf * self.trees.label_bits, self.trees.label_bits)

    def values(self, leaf, S, bits, signed):
        """The values of a leaf."""
        if self.trees.row_bits is not None:
            leaf = self.bits("rows", leaf * self.trees.row_bits, self.trees.row_bits)
        places = range(leaf * S, leaf * S + S)
        table = self.laid.tables["values"]
        if bits == "ternary":
            return [int(table[i // 5]) // 3 ** (i % 5) % 3 - 1 for i in places]
        if bits in (8, 16):
            return [int(table[i]) for i in places]
        found = [self.bits("values", i * bits, bits) for i in places]
        return [n - (1 << bits) if signed and n >> (bits - 1) else n for n in found]


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
    for output in ("label", "scores"):
        if output == "label" and model.classes is None:
            continue
        laid = choose_layout(model, input, output)
        if laid.label is not None:
            whole = on_integers(model, input) if "int" in input else model
            assert laid.labels_only and not laid.parts
            assert len(whole.columns) == 0
            assert {laid.label} == set(evaluate.labels(model.scores(X), model.threshold))
            continue
        trees, tables, table = laid.model.table(TreeTable), Tables(laid), laid.tables
        assert sum(t.nbytes for t in table.values()) >= 0
        assert all(t.dtype.kind in "ui" for name, t in table.items() if name != "scale")
        expected = model.scores(X)
        for x, scores in zip(X, expected, strict=True):
            if trees_of(laid).shape == "fused":
                assert tables.fused(x) == evaluate.labels(scores[None], model.threshold)[0]
                continue
            leaves = tables.leaves(x, len(trees.roots), len(trees.feature))
            if laid.labels_only:
                assert tables.label(leaves[0]) == evaluate.labels(scores[None], model.threshold)[0]
                continue
            signed = bool((trees.values < 0).any())
            found = model.bias.astype(int)
            for leaf in leaves:
                row = tables.values(leaf, model.n_scores, trees.value_bits, signed)
                found = found + np.array(row) * trees.unit
            for linear in model.tables_of(LinearTable):
                found = found + linear_table.quantize_input(x[None], linear)[0] @ linear.weights
            assert found.tolist() == scores.tolist()


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
