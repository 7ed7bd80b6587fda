"""Bytes of small models, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.compact import CompactModel, InputGrid, LinearTable, TreeTable
from skdistill.compact.pack import index_bytes, packed_bytes, table_sizes


def stumps(n_nodes, *, n_features=1, edges=None, bits=8, S=1, nan_left=False, bias=0, roots=None):
    """A model of `n_nodes` stumps with two leaves each, one after the other in the tables."""
    edges = np.arange(1) if edges is None else edges
    grid = InputGrid(
        [n_features - 1],
        [0, len(edges)],
        edges.astype("int32" if edges.dtype == "int32" else "float32"),
    )
    node = np.arange(n_nodes)
    trees = TreeTable(
        node if roots is None else roots,
        node * 0,
        node * 0,
        ~(2 * node),
        ~(2 * node + 1),
        np.full(n_nodes, nan_left),
        np.ones((2 * n_nodes, S)),
        bits,
    )
    return CompactModel(n_features, [bias] * S, 1.0, "identity", None, grid, trees)


def test_a_stump_has_one_entry_in_every_table():
    sizes = {
        "values": 2,
        "columns": 1,
        "offsets": 2,
        "edges": 4,
        "feature": 1,
        "threshold": 1,
        "children": 2,
    }
    assert table_sizes(stumps(1)) == sizes
    assert stumps(1).nbytes == 13


def test_tables_that_are_not_needed_are_not_counted():
    plain = table_sizes(stumps(1))
    assert table_sizes(stumps(1, bias=7)) == {"bias": 4, **plain}
    assert table_sizes(stumps(1, nan_left=True)) == {**plain, "nan_left": 1}
    assert "roots" not in plain
    assert table_sizes(stumps(2))["roots"] == 2


@pytest.mark.parametrize(("n_nodes", "expected"), [(8, 1), (9, 2), (16, 2), (17, 3)])
def test_nan_directions_take_a_bit_a_node(n_nodes, expected):
    assert table_sizes(stumps(n_nodes, nan_left=True))["nan_left"] == expected


@pytest.mark.parametrize(
    ("bits", "count", "expected"),
    [
        *[("ternary", 0, 0), ("ternary", 1, 1), ("ternary", 5, 1), ("ternary", 6, 2), (2, 4, 1)],
        *[
            (2, 5, 2),
            (3, 8, 3),
            (3, 9, 4),
            (4, 3, 2),
            (8, 3, 3),
            (12, 2, 3),
            (12, 3, 5),
            (16, 3, 6),
        ],
    ],
)
def test_values_are_packed_without_gaps(bits, count, expected):
    assert packed_bytes(count, bits) == expected
    if count:
        assert table_sizes(stumps(1, bits=bits, S=count))["values"] == packed_bytes(2 * count, bits)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1), (256, 1), (257, 2), (65536, 2), (65537, 4)]
)
def test_an_index_takes_the_narrowest_of_one_two_and_four_bytes(count, expected):
    assert index_bytes(count) == expected


@pytest.mark.parametrize(("n_nodes", "width"), [(85, 1), (86, 2)])  # 3 × 85 = 255, 3 × 86 = 258
def test_children_and_roots_number_nodes_and_leaves_together(n_nodes, width):
    sizes = table_sizes(stumps(n_nodes))
    assert sizes["children"] == 2 * n_nodes * width
    assert sizes["roots"] == n_nodes * width
    assert sizes["feature"] == sizes["threshold"] == n_nodes


@pytest.mark.parametrize(("n_features", "width"), [(256, 1), (257, 2), (70_000, 4)])
def test_columns_are_as_wide_as_the_input_needs(n_features, width):
    assert table_sizes(stumps(1, n_features=n_features))["columns"] == width


@pytest.mark.parametrize(("count", "threshold", "offsets"), [(255, 1, 2), (256, 1, 4), (257, 2, 4)])
def test_thresholds_number_edges_and_offsets_their_borders(count, threshold, offsets):
    sizes = table_sizes(stumps(1, edges=np.arange(count)))
    assert sizes["threshold"] == threshold
    assert sizes["offsets"] == offsets  # 0 … count has one number more
    assert sizes["edges"] == 4 * count


def test_int32_edges_take_as_much_as_float32_ones():
    assert (
        stumps(1, edges=np.arange(3, dtype="int32")).nbytes
        == stumps(1, edges=np.arange(3)).nbytes
        == 21
    )


def test_trees_of_one_leaf_need_their_values_only():
    grid = InputGrid([], [0], np.empty(0, np.float32))
    leaf = TreeTable([~0], [], [], [], [], [], [[1, 2, 3]], 4)
    model = CompactModel(2, [0, 0, 0], 1.0, "softmax", [0, 1, 2], grid, leaf)
    assert table_sizes(model) == {"values": 2}


def test_a_model_of_everything_is_the_sum_of_its_parts():
    grid = InputGrid([1, 2], [0, 2, 3], np.array([-1, 1, 0.5], np.float32))
    values = [[1, -1, 0], [0, 1, -1], [-1, 0, 1]]
    trees = TreeTable([0, ~2], [0, 1], [1, 0], [1, ~1], [~0, ~2], [True, False], values, "ternary")
    linear = LinearTable([0], [0.5], [2.0], 8, [[1, 2, -3]], 4)
    model = CompactModel(3, [1, 2, 3], 0.5, "softmax", ["a", "b", "c"], grid, trees, linear)
    expected = {
        "bias": 12,
        "values": 2,
        "columns": 2,
        "offsets": 3,
        "edges": 12,
        "feature": 2,
        "threshold": 2,
        "children": 4,
        "nan_left": 1,
        "roots": 2,
        "linear_columns": 1,
        "linear_input": 8,
        "weights": 2,
    }
    assert table_sizes(model) == expected
    assert model.nbytes == sum(expected.values()) == 53


def test_a_constant_model_without_bias_takes_nothing():
    assert CompactModel(1, [0], 1.0, "sigmoid", [0, 1]).nbytes == 0
