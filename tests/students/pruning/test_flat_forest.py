"""Flat trees: routing, removing nodes, and putting a child in its parent's place."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier

from skdistill.converters.regrid import coarser, on_edges
from skdistill.converters.scikit_learn import scikit_learn_trees
from skdistill.quantization.binning import fit_grid
from skdistill.students.pruning.flat_forest import (
    KEEP,
    TO_LEAF,
    TO_LEFT_CHILD,
    TO_RIGHT_CHILD,
    FlatForest,
    flatten_trees,
    quantized_trees,
    remove_nodes,
    route,
    without_trees,
)
from tests.strategies import seeds


@lru_cache
def flat_forest(seed=0, n=200, trees=4, rows=None, threshold_bits=None):
    """A forest of extra trees with random leaf values."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(n, 3)), 1).astype(np.float32)
    model = ExtraTreesClassifier(trees, max_leaf_nodes=12, random_state=seed)
    model.fit(X, X[:, 0] + X[:, 1] * X[:, 2] > rng.normal(size=n))
    fine = on_edges(scikit_learn_trees(m.tree_ for m in model.estimators_), 3)
    grid, learnt = fine.grid(), fine.trees
    if threshold_bits:
        grid, learnt = coarser(fine, fit_grid(X, threshold_bits), X)
    learnt = [tree._replace(values=rng.normal(size=(len(tree.feature), 2))) for tree in learnt]
    rows = X if rows is None else X[:rows]
    return flatten_trees(grid, learnt, rows), model, rows


def scores(forest: FlatForest):
    return forest.values[forest.leaves].sum(axis=1)


def is_depth_first(forest):
    """Each tree's nodes lie together: a node, its left subtree, its right subtree."""
    stops = np.append(forest.roots[1:], len(forest.feature))

    def end(node):
        if forest.left[node] < 0:
            return node + 1
        assert forest.left[node] == node + 1
        assert forest.right[node] == end(forest.left[node])
        return end(forest.right[node])

    return [end(root) for root in forest.roots] == stops.tolist()


def test_rows_end_where_the_library_puts_them():
    forest, model, X = flat_forest()
    theirs = model.apply(X)
    for t in range(4):
        pairs = set(zip(forest.leaves[:, t], theirs[:, t], strict=True))
        assert len(pairs) == len(set(theirs[:, t])) == len(set(forest.leaves[:, t]))
    assert is_depth_first(forest)
    assert forest.tree[forest.leaves].tolist() == [[0, 1, 2, 3]] * len(X)


@given(seeds, st.integers(1, 60))
def test_splits_with_an_empty_child_go_and_no_row_moves(seed, rows):
    full, _, X = flat_forest(seed % 5, n=60)
    forest, _, _ = flat_forest(seed % 5, n=60, rows=rows)
    assert scores(forest).tolist() == scores(full)[:rows].tolist()
    reached = np.bincount(forest.leaves.ravel(), minlength=len(forest.feature))
    assert (reached[forest.is_leaf] > 0).all()
    assert route(forest, X[:rows]).leaves.tolist() == forest.leaves.tolist()
    assert is_depth_first(forest)


@given(seeds)
def test_a_pruned_forest_sends_rows_to_the_lowest_node_that_stays(seed):
    forest, _, X = flat_forest()
    rng = np.random.default_rng(seed)
    action = rng.choice(
        [KEEP, TO_LEAF, TO_LEFT_CHILD, TO_RIGHT_CHILD], len(forest.feature), p=[0.7, 0.2, 0, 0.1]
    )
    if rng.random() < 0.5:
        action = rng.choice([KEEP, TO_LEAF, TO_LEFT_CHILD], len(action), p=[0.7, 0.1, 0.2])
    codes = forest.grid.encode(X)
    values = rng.normal(size=forest.values.shape)

    def value(i, node):
        if forest.is_leaf[node] or action[node] == TO_LEAF:
            return values[node]
        left = codes[forest.feature[node], i] <= forest.threshold[node]
        left = left if action[node] == KEEP else action[node] == TO_LEFT_CHILD
        return value(i, forest.left[node] if left else forest.right[node])

    after = remove_nodes(forest, action.astype(np.int8), values)
    assert is_depth_first(after)
    routed = route(after, X)
    expected = [sum(value(i, root) for root in forest.roots) for i in range(len(X))]
    assert scores(routed).tolist() == pytest.approx(np.array(expected))
    if not (action >= TO_LEFT_CHILD).any():  # else rows of the side that goes have no place
        assert routed.leaves.tolist() == after.leaves.tolist()


def test_trees_leave_whole():
    forest, _, X = flat_forest()
    gone = np.array([False, True, False, True])
    after = without_trees(forest, gone)
    expected = forest.values[forest.leaves[:, ~gone]].sum(axis=1)
    assert scores(after).tolist() == expected.tolist()
    assert route(after, X).leaves.tolist() == after.leaves.tolist()
    assert is_depth_first(after)


def test_quantized_trees_are_the_forest_one_by_one():
    forest, _, _ = flat_forest()
    values = np.arange(2 * len(forest.feature), dtype=np.int32).reshape(-1, 2)
    trees = quantized_trees(forest, values)
    assert np.vstack([tree.values for tree in trees]).tolist() == values.tolist()
    for tree, root in zip(trees, forest.roots, strict=True):
        inner = tree.feature >= 0
        at = root + np.flatnonzero(inner)
        assert (tree.children[inner] + root).tolist() == np.column_stack(
            [forest.left[at], forest.right[at]]
        ).tolist()
        assert (tree.children[~inner] == -1).all()
