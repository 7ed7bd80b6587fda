"""Assembled tables answer as the trees that were learnt, on a grid of what they use."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import InputGrid, TreeTable, evaluate
from skdistill.quantization.assemble import QuantizedTree, assemble, drop_idle_splits
from skdistill.quantization.binning import fit_grid
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.splitting import SQUARED_ERROR
from tests.strategies import adversarial_rows, seeds


def random_grid(rng, dtype):
    n_features = int(rng.integers(1, 6))
    counts = rng.integers(0, 5, n_features)
    edges = [np.sort(rng.choice(40, count, replace=False)) - 20 for count in counts]
    scale = 1 if dtype == "int32" else 0.25
    return InputGrid(
        np.arange(n_features),
        np.cumsum([0, *counts]),
        (np.concatenate(edges) * scale).astype(dtype),
    )


def random_tree(rng, grid, S, n_splits):
    """Split random leaves, as a learner does: children come after their parents."""
    splittable = np.flatnonzero(grid.counts)
    feature, threshold, nan_left, children = [-1], [0], [False], [[-1, -1]]
    for _ in range(n_splits if len(splittable) else 0):
        node = rng.choice(np.flatnonzero(np.array(feature) < 0))
        feature[node] = rng.choice(splittable)
        threshold[node] = rng.integers(grid.counts[feature[node]])
        nan_left[node] = rng.random() < 0.5
        children[node] = [len(feature), len(feature) + 1]
        feature += [-1, -1]
        threshold += [0, 0]
        nan_left += [False, False]
        children += [[-1, -1], [-1, -1]]
    values = rng.integers(-128, 128, (len(feature), S))
    return QuantizedTree(*map(np.array, (feature, threshold, nan_left, children, values)))


def walk(tree, codes, n_codes):
    """Values of one row, by its codes on the whole grid."""
    node = 0
    while tree.feature[node] >= 0:
        code = codes[tree.feature[node]]
        missing = code == n_codes[tree.feature[node]]
        left = tree.nan_left[node] if missing else code <= tree.threshold[node]
        node = tree.children[node][0 if left else 1]
    return tree.values[node]


@given(seeds, st.sampled_from(["float32", "int32"]), st.integers(1, 4), st.integers(1, 3))
def test_assembled_trees_answer_as_the_learnt_ones_and_keep_only_used_edges(
    seed, dtype, n_trees, S
):
    rng = np.random.default_rng(seed)
    grid = random_grid(rng, dtype)
    trees = [random_tree(rng, grid, S, int(rng.integers(0, 8))) for _ in range(n_trees)]
    table = assemble(grid, trees, 8)
    small = table.grid
    model = CompactModel(len(grid.features), [0] * S, 1.0, "identity", None, [table])

    leaf = TreeTable(grid, [-1], [], [], [], [], [], [[0]], 8)
    whole = CompactModel(len(grid.features), [0], 1.0, "identity", None, [leaf])  # knows all edges
    X = adversarial_rows(whole, seed)
    expected = [sum(walk(tree, row, grid.counts + 1) for tree in trees) for row in grid.encode(X).T]
    assert model.scores(X).tolist() == np.array(expected).tolist()

    splits = {
        (int(f), int(t))
        for tree in trees
        for f, t in zip(tree.feature, tree.threshold, strict=True)
        if f >= 0
    }
    assert len(small.edges) == len(splits)
    assert small.features.tolist() == sorted({f for f, _ in splits})
    assert (small.counts > 0).all()
    assert small.dtype == grid.dtype
    assert len(table.values) == sum(int((tree.feature < 0).sum()) for tree in trees)
    assert len(table.feature) == sum(int((tree.feature >= 0).sum()) for tree in trees)


def test_columns_of_the_input_keep_their_numbers():
    grid = InputGrid([2, 5, 9], [0, 2, 4, 5], np.array([1, 2, 3, 4, 5], np.float32))
    tree = QuantizedTree(
        np.array([2, 0, -1, -1, -1]),
        np.array([0, 1, 0, 0, 0]),
        np.array([True, False, False, False, False]),
        np.array([[1, 2], [3, 4], [-1, -1], [-1, -1], [-1, -1]]),
        np.array([[0], [0], [10], [20], [30]]),
    )
    table = assemble(grid, [tree], 8)
    small = table.grid
    assert small.features.tolist() == [2, 9]
    assert small.offsets.tolist() == [0, 1, 2]
    assert small.edges.tolist() == [2, 5]
    assert table.feature.tolist() == [1, 0]
    assert table.threshold.tolist() == [0, 0]
    assert table.nan_left.tolist() == [True, False]
    assert table.left.tolist() == [1, ~1]
    assert table.right.tolist() == [~0, ~2]
    assert table.values.tolist() == [[10], [20], [30]]


@pytest.mark.parametrize("n_trees", [1, 3])
def test_trees_of_one_leaf_need_an_empty_grid(n_trees):
    grid = InputGrid([0], [0, 1], np.array([1], np.int32))
    leaf = QuantizedTree(
        np.array([-1]), np.array([0]), np.array([False]), np.array([[-1, -1]]), np.array([[3]])
    )
    table = assemble(grid, [leaf] * n_trees, 4)
    small = table.grid
    assert len(small.features) == len(small.edges) == len(table.feature) == 0
    assert small.dtype == "int32"
    model = CompactModel(1, [0], 1.0, "identity", None, [table])
    assert model.scores([[0], [np.nan]]).tolist() == [[3 * n_trees]] * 2
    assert evaluate.leaves(model, [[0]]).tolist() == [list(range(n_trees))]


@given(seeds)
def test_dropping_idle_splits_changes_no_value(seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (80, 3)).astype(np.float32)
    grid = fit_grid(X, 8)
    tree = grow_tree(
        grid.encode(X),
        grid.counts,
        to_fixed_point(rng.random((80, 2)), np.ones(80)),
        criterion=SQUARED_ERROR,
        max_leaf_nodes=12,
        max_depth=9,
        min_samples_leaf=1,
    )
    values = rng.integers(0, 2, (len(tree.feature), 1)).astype(np.int32)
    learnt = QuantizedTree(tree.feature, tree.threshold, tree.nan_left, tree.children, values)
    fewer = drop_idle_splits(learnt)

    def model(tree):
        return CompactModel(3, [0], 1.0, "identity", None, [assemble(grid, [tree], 8)])

    rows = rng.integers(-1, 8, (200, 3))
    assert np.array_equal(model(fewer).scores(rows), model(learnt).scores(rows))
    for node in np.flatnonzero(fewer.feature >= 0):
        a, b = fewer.children[node]
        leaves = fewer.feature[a] < 0 and fewer.feature[b] < 0
        assert not (leaves and (fewer.values[a] == fewer.values[b]).all())
