"""Bytes of small models, counted by hand; and a walk on nothing but what was counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdistill import SoftBoostingClassifier
from skdistill.compact import CompactModel, InputGrid, LinearTable, TreeTable, execute
from skdistill.compact.pack import bits_for, index_bytes, inner_nodes, packed_bytes, table_sizes


def stumps(n_nodes, *, n_features=1, edges=None, bits=8, S=1, nan_left=False, bias=0, shared=False):
    """A regression model of `n_nodes` stumps on one column, leaves shared by all or by none."""
    edges = np.arange(1) if edges is None else edges
    grid = InputGrid(
        [n_features - 1],
        [0, len(edges)],
        edges.astype("int32" if edges.dtype == "int32" else "float32"),
    )
    node, leaf = np.arange(n_nodes), np.zeros(n_nodes, int) if shared else 2 * np.arange(n_nodes)
    nan = np.full(n_nodes, nan_left)
    values = np.ones((leaf.max() + 2, S))
    trees = TreeTable(node, node * 0, node * 0, ~leaf, ~(leaf + 1), nan, values, bits)
    return CompactModel(n_features, [bias] * S, 1.0, "identity", None, grid, trees)


def chain(n_nodes, classes):
    """One tree whose nodes all have a leaf to the right."""
    node = np.arange(n_nodes)
    left = np.append(node[1:], ~n_nodes)
    n_scores = 1 if len(classes) == 2 else len(classes)
    values = np.ones((n_nodes + 1, n_scores))
    grid = InputGrid([0], [0, n_nodes], np.arange(n_nodes, dtype=np.float32))
    trees = TreeTable([0], node * 0, node[::-1], left, ~node, node < 0, values, 8)
    link = "sigmoid" if n_scores == 1 else "softmax"
    return CompactModel(1, [0] * n_scores, 1.0, link, classes, grid, trees)


def test_a_stump_needs_neither_feature_nor_threshold_nor_size():
    assert table_sizes(stumps(1)) == {
        "columns": 1,
        "counts": 1,
        "edges": 4,
        "nodes": 0,
        "values": 2,
    }


def test_a_scale_for_each_score_is_a_table():
    plain, scale = stumps(1, S=2), np.array([0.5, 2.0])
    assert table_sizes(replace(plain, scale=scale)) == {**table_sizes(plain), "scale": 8}


def test_tables_that_are_not_needed_are_not_counted():
    plain = table_sizes(stumps(1))
    assert table_sizes(stumps(1, bias=7)) == {"bias": 4, **plain}
    assert table_sizes(stumps(1, nan_left=True)) == {**plain, "nodes": 1}
    assert table_sizes(stumps(2)) == {**plain, "values": 4, "tree_sizes": 2}


@pytest.mark.parametrize(
    ("edges", "nan_left", "bits"), [(1, False, 0), (2, False, 1), (255, False, 8), (257, True, 10)]
)
def test_a_node_takes_the_bits_of_its_numbers(edges, nan_left, bits):
    sizes = table_sizes(stumps(7, edges=np.arange(edges), nan_left=nan_left))
    assert sizes["nodes"] == -(-7 * bits // 8)


def test_left_subtrees_are_counted_in_as_few_bits_as_the_largest_needs():
    # Thresholds 0 … 4 take 3 bits; left sizes 0 … 4 take 3 bits.
    sizes = table_sizes(chain(5, ["a", "b"]))
    assert sizes["nodes"] == -(-5 * 6 // 8)
    assert inner_nodes(chain(5, ["a", "b"]).trees).tolist() == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(("classes", "bits"), [("ab", 1), ("abc", 2), ("abcde", 3)])
def test_a_single_tree_keeps_labels_in_place_of_values(classes, bits):
    sizes = table_sizes(chain(8, list(classes)))
    assert "values" not in sizes
    assert sizes["labels"] == -(-9 * bits // 8)


def test_shared_leaves_need_indices_of_children():
    sizes = table_sizes(stumps(85, shared=True))
    assert sizes["children"] == 170
    assert sizes["roots"] == 85
    assert "tree_sizes" not in sizes
    assert sizes["values"] == 2
    assert table_sizes(stumps(255, shared=True))["children"] == 2 * 2 * 255  # 255 + 2 > 256


@pytest.mark.parametrize(
    ("bits", "count", "expected"),
    [
        *[("ternary", 0, 0), ("ternary", 1, 1), ("ternary", 5, 1), ("ternary", 6, 2), (2, 4, 1)],
        *[(2, 5, 2), (3, 8, 3), (3, 9, 4), (4, 3, 2), (8, 3, 3)],
        *[(12, 2, 3), (12, 3, 5), (16, 3, 6)],
    ],
)
def test_values_are_packed_without_gaps(bits, count, expected):
    assert packed_bytes(count, bits) == expected
    if count:
        assert table_sizes(stumps(1, bits=bits, S=count))["values"] == packed_bytes(2 * count, bits)


@pytest.mark.parametrize(
    ("count", "n_bytes", "bits"), [(1, 1, 0), (2, 1, 1), (256, 1, 8), (257, 2, 9), (65537, 4, 17)]
)
def test_an_index_takes_no_more_than_it_needs(count, n_bytes, bits):
    assert index_bytes(count) == n_bytes
    assert bits_for(count) == bits


@pytest.mark.parametrize(("n_features", "width"), [(256, 1), (257, 2), (70_000, 4)])
def test_columns_are_as_wide_as_the_input_needs(n_features, width):
    assert table_sizes(stumps(1, n_features=n_features))["columns"] == width


def test_int32_edges_take_as_much_as_float32_ones():
    assert table_sizes(stumps(1, edges=np.arange(3, dtype="int32")))["edges"] == 12
    assert table_sizes(stumps(1, edges=np.arange(3)))["edges"] == 12


def test_a_single_leaf_needs_nothing():
    leaf = TreeTable([~0], [], [], [], [], [], [[1, 2, 3]], 4)
    grid = InputGrid([], [0], np.empty(0, np.float32))
    assert table_sizes(CompactModel(2, [0] * 3, 1.0, "softmax", [0, 1, 2], grid, leaf)) == {}


def test_a_linear_model_is_the_sum_of_its_parts():
    linear = LinearTable([0, 2], [0.5, 0], [2.0, 1], 8, [[1, 2, -3], [0, 1, 0]], 4)
    model = CompactModel(3, [1, 2, 3], 0.5, "softmax", ["a", "b", "c"], linear=linear)
    expected = {"linear_columns": 2, "linear_input": 16, "weights": 3, "bias": 12}
    assert table_sizes(model) == expected
    assert model.nbytes == 33


def test_what_is_counted_is_enough_to_walk():
    """Depth first, with only the size of left subtrees, every row finds its leaf."""
    X, y = load_digits(return_X_y=True)
    boosted = SoftBoostingClassifier(5, max_leaf_nodes=9, random_state=0).fit(X, y)
    model = boosted.compact_
    trees, grid, below = model.trees, model.grid, inner_nodes(model.trees)
    threshold = grid.edges[grid.offsets[trees.feature] + trees.threshold]
    found, first_leaf = [], 0
    for root in trees.roots:
        nodes, leaves = [], []  # (column, threshold, size of the left subtree), in preorder

        def lay(node, nodes=nodes, leaves=leaves):
            if node < 0:
                leaves.append(~node)
                return
            left = int(trees.left[node])
            size = int(below[left]) if left >= 0 else 0
            nodes.append((grid.features[trees.feature[node]], threshold[node], size))
            lay(left)
            lay(int(trees.right[node]))

        lay(int(root))
        reached = []
        for x in X[:200]:
            at, size, leaf = 0, len(nodes), 0
            while size:
                column, edge, left = nodes[at]
                if x[column] <= edge:
                    at, size = at + 1, left
                else:
                    at, size, leaf = at + 1 + left, size - 1 - left, leaf + left + 1
            reached.append(leaves[leaf])
        found.append(reached)
        first_leaf += len(leaves)
    assert first_leaf == len(trees.values)
    assert np.array_equal(np.transpose(found), execute.leaves(model, X[:200]))
