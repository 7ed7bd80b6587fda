"""Bytes of small models, counted by hand; and a walk on nothing but what was counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skdistill import SoftBoostingClassifier
from skdistill.compact import CompactModel, InputGrid, LinearTable, TreeTable, execute
from skdistill.compact.pack import (
    bits_for,
    even_steps,
    index_bytes,
    inner_nodes,
    number_bytes,
    packed_bytes,
    rounding_borders,
    table_sizes,
    threshold_layouts,
)
from skdistill.compact.quantize import rounding_grid


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
    assert table_sizes(stumps(1)) == {"nodes": 0, "values": 2}


def test_a_scale_for_each_score_is_a_table():
    plain = stumps(1, S=2)
    for scale, size in (([0.1, 0.3], 8), ([0.5, 2.0], 2), ([0.1, 0.1], 4)):
        assert table_sizes(replace(plain, scale=scale)) == {**table_sizes(plain), "scale": size}


def test_tables_that_are_not_needed_are_not_counted():
    plain = table_sizes(stumps(1))
    assert table_sizes(stumps(1, bias=7)) == {"bias": 1, **plain}
    assert table_sizes(stumps(1, nan_left=True)) == {**plain, "nodes": 1}
    assert table_sizes(stumps(2)) == {**plain, "values": 4}  # trees of one size need no sizes
    assert table_sizes(stumps(1, n_features=2)) == {**plain, "columns": 1}


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


@pytest.mark.parametrize(
    ("numbers", "width"),
    [
        ([0, 255], 1),
        ([-1, 127], 1),
        ([-1, 128], 2),
        ([0, 65535], 2),
        ([70_001, 0], 4),
        ([0.5, 1024.0], 1),  # powers of two: exponents
        ([0.5, 1.5], 2),
        ([1.0 + 2**-15, 0.5], 3),
        ([0.1, 0.2], 4),
        ([np.inf, 0.75], 2),
        ([-0.5, 3e38], 4),
    ],
)
def test_numbers_are_as_wide_as_the_widest_needs(numbers, width):
    assert number_bytes(np.array(numbers, np.float32)) == 2 * width


def test_equal_numbers_are_kept_once_but_in_tables_that_are_indexed():
    assert number_bytes(np.full(9, 3, np.int32)) == 1
    assert number_bytes(np.full(9, 3, np.int32), single=False) == 9


def forms(edges, counts, n_nodes=40, linear=None, dtype=np.float32):
    """Layouts of a model of stumps on all of some edges: bits a node, bytes of tables."""
    edges, u = np.asarray(edges, dtype), len(counts)
    grid = InputGrid(np.arange(u), np.concatenate([[0], np.cumsum(counts)]), edges)
    node = np.arange(n_nodes)
    trees = TreeTable(node, node * 0, node * 0, ~(2 * node), ~(2 * node + 1), node < 0,
                      np.zeros((2 * n_nodes, 1)), 8)  # fmt: skip
    return [
        (bits, sum(tables.values()))
        for bits, tables in threshold_layouts(grid, trees, linear, len(counts))
    ]


def test_thresholds_as_indices_or_as_themselves():
    # Two features: a bit; three edges of two bytes and two counts, or two bytes in each node.
    indexed, direct = forms([0.3125, 100.5, 0.4375], [2, 1])[:2]
    assert indexed == (1 + 1, 2 + 3 * 2)
    assert direct == (1 + 16, 0)
    assert forms([3, 200], [2], dtype=np.int32)[1] == (8, 0)
    assert forms([-3, 200], [2], dtype=np.int32)[1] == (16, 0)


def test_evenly_spaced_thresholds_are_steps_from_an_origin():
    # Steps of 1/4 from 0 and of 2 from 10: up to 7 steps take three bits.
    found = forms([0, 0.25, 1.75, 10, 12, 16], [3, 3])[2]
    assert found == (1 + 3, 2 * 1 + 2 * 1)


edge_lists = st.lists(
    st.lists(st.integers(-300, 300), min_size=1, max_size=9, unique=True), min_size=1, max_size=4
)


@given(edge_lists, st.integers(-20, 20), st.integers(-(2**12), 2**12))
def test_origin_and_steps_give_the_edges_back(lists, exponent, offset):
    edges = [np.sort(np.array(one) + offset) * 2.0**exponent for one in lists]
    counts = np.array([len(one) for one in edges])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    grid = InputGrid(np.arange(len(edges)), offsets, np.concatenate(edges).astype(np.float32))
    origin, step, steps = even_steps(grid)
    assert steps.min() >= 0
    assert (np.frexp(step)[0] == 0.5).all()
    back = np.repeat(origin, counts) + steps.astype(np.float32) * np.repeat(step, counts)
    assert np.array_equal(back, grid.edges)


def test_edges_without_a_common_step_have_none():
    grid = InputGrid([0], [0, 3], np.float32([0.1, 0.2, 7]))
    assert even_steps(grid) is None
    assert even_steps(InputGrid([0], [0, 2], np.float32([1, np.inf]))) is None


@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_borders_of_rounding_part_the_rows_as_the_edges_do(seed, bits):
    rng = np.random.default_rng(seed)
    offset = np.float32(rng.normal(size=3) * 10.0 ** rng.integers(-3, 4, 3))
    inv_step = np.float32(2.0 ** rng.integers(-6, 7, 3))
    linear = LinearTable([1, 2, 4], offset, inv_step, bits, np.zeros((3, 1)), 8)
    grid = rounding_grid(linear.features, offset, inv_step, bits)
    borders = rounding_borders(grid, linear)
    for f in range(3):
        edges = grid.edges[grid.offsets[f] : grid.offsets[f + 1]]
        t = borders[grid.offsets[f] : grid.offsets[f + 1]]
        near = [np.nextafter(edges, np.float32(side)) for side in (-np.inf, np.inf)]
        x = np.concatenate([edges, *near, np.float32([-np.inf, np.inf]), offset[f : f + 1]])
        q = execute.round_input(x, linear, f)
        assert np.array_equal(q[:, None] <= t, x[:, None] <= edges)


def test_edges_between_borders_of_rounding_are_no_borders():
    linear = LinearTable([0], [0.0], [1.0], 8, [[1]], 8)
    assert rounding_borders(InputGrid([0], [0, 1], np.float32([0.25])), linear) is None
    assert rounding_borders(InputGrid([0], [0, 1], np.float32([500])), linear) is None
    assert rounding_borders(InputGrid([1], [0, 1], np.float32([0.5])), linear) is None
    assert rounding_borders(InputGrid([0], [0, 1], np.float32([0.5])), linear).tolist() == [0]


def test_trees_beside_a_linear_part_read_its_inputs():
    X, y = load_digits(return_X_y=True)
    model = SoftBoostingClassifier(5, init="linear", random_state=0).fit(X, y).compact_
    sizes = table_sizes(model)
    assert not {"columns", "counts", "edges", "origins", "steps"} & set(sizes)
    assert rounding_borders(model.grid, model.linear) is not None


def test_a_single_leaf_needs_nothing():
    leaf = TreeTable([~0], [], [], [], [], [], [[1, 2, 3]], 4)
    grid = InputGrid([], [0], np.empty(0, np.float32))
    assert table_sizes(CompactModel(2, [0] * 3, 1.0, "softmax", [0, 1, 2], grid, leaf)) == {}


def test_a_linear_model_is_the_sum_of_its_parts():
    linear = LinearTable([0, 2], [0.5, 0], [2.0, 1], 8, [[1, 2, -3], [0, 1, 0]], 4)
    model = CompactModel(3, [1, 2, 3], 0.5, "softmax", ["a", "b", "c"], linear=linear)
    expected = {"linear_columns": 2, "linear_input": 6, "weights": 3, "bias": 3}
    assert table_sizes(model) == expected
    assert model.nbytes == 14


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


@pytest.mark.parametrize(
    ("counts", "edges"),
    [
        ([4, 1], [0, 1, 2, 4, -1e-17]),
        ([2], [-(2.0**127), 2.0**127]),
        ([3, 2], [0, 1, 1000, -(2.0**127) * 1.5, -(2.0**127)]),
        ([2], [-3 * 2.0**126, 3 * 2.0**126]),
    ],
)
def test_even_steps_are_told_exactly_or_not_at_all(counts, edges):
    offsets = np.concatenate([[0], np.cumsum(counts)])
    grid = InputGrid(np.arange(len(counts)), offsets, np.float32(edges))
    found = even_steps(grid)
    if found is not None:
        origin, step, steps = found
        back = np.repeat(origin, counts) + steps.astype(np.float32) * np.repeat(step, counts)
        assert np.array_equal(back, grid.edges)
