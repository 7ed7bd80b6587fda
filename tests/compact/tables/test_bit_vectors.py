"""Scores by bit vectors against the walk that defines them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.tables.bit_vectors import BLOCK, bit_vectors
from tests.strategies import adversarial_rows, compact_models, seeds, tree_models


def assert_same_scores(model, X):
    """Many rows are answered as each alone, which is walked from node to node."""
    assert len(X) >= BLOCK
    alone = np.concatenate([model.scores(X[i : i + 50]) for i in range(0, len(X), 50)])
    np.testing.assert_array_equal(model.scores(X), alone)


@given(compact_models(), seeds, st.sampled_from(["float32", "float64", "int32"]))
def test_many_adversarial_rows_have_the_scores_of_single_ones(model, seed, dtype):
    X = adversarial_rows(model, seed, n=60, dtype=dtype)
    assert_same_scores(model, X[np.random.default_rng(seed).integers(len(X), size=BLOCK + 44)])


@given(tree_models(), seeds)
def test_learnt_and_shared_trees_too(model, seed):
    X = adversarial_rows(model, seed, n=60)
    assert_same_scores(model, X[np.random.default_rng(seed).integers(len(X), size=2 * BLOCK)])


def chain(n_leaves, nan_left=False):
    """A tree that parts off one leaf after the other; leaf 0 is below 0, leaf 1 below 1 …"""
    n = n_leaves - 1
    grid = InputGrid([0], [0, n], np.arange(n, dtype=np.float32))
    right = [*range(1, n), -n_leaves]
    values = np.arange(n_leaves)[:, None] - 30
    return TreeTable(
        grid, [0], [0] * n, range(n), [~leaf for leaf in range(n)], right, [nan_left] * n, values, 8
    )


@pytest.mark.parametrize("nan_left", [False, True])
@pytest.mark.parametrize("n_leaves", [2, 3, 31, 32, 33, 40])
def test_the_leaf_is_the_first_whose_threshold_is_not_exceeded(n_leaves, nan_left):
    tree = chain(n_leaves, nan_left)
    assert len(bit_vectors(*tree.walk).walked) == (n_leaves > 32)
    edges = tree.edges
    x = np.concatenate(
        [edges, np.nextafter(edges, np.float32(np.inf)), [-np.inf, np.inf, np.nan], np.zeros(BLOCK)]
    )
    out = np.zeros((len(x), 1), np.int32)
    tree.add_scores(x[:, None], out)
    expected = [sum(edge < value for edge in edges) for value in x.astype(np.float32)]
    expected[2 * len(edges) + 2] = 0 if nan_left else n_leaves - 1
    assert (out[:, 0] + 30).tolist() == expected


def test_a_subtree_that_two_paths_reach_is_two_sets_of_bits():
    grid = InputGrid([0, 1], [0, 1, 2], np.array([0, 0], np.float32))
    # Both sides of the root lead to node 1.
    tree = TreeTable(grid, [0, 1], [0, 1], [0, 0], [1, -1], [1, -2], [0, 0], [[5], [9]], 8)
    vectors = bit_vectors(*tree.walk)
    assert vectors.first.tolist() == [0, 3, 4]
    assert [bin(bits).count("1") for bits in vectors.start.tolist()] == [4, 2]
    X = np.random.default_rng(0).normal(size=(BLOCK, 2))
    out = np.zeros((BLOCK, 1), np.int32)
    tree.add_scores(X, out)
    assert out[:, 0].tolist() == (2 * np.where(X[:, 1] <= 0, 5, 9)).tolist()


def test_very_many_paths_through_few_nodes_are_walked():
    n = 60  # 2**60 paths
    grid = InputGrid([0], [0, 1], np.array([0], np.float32))
    children = [*range(1, n), -1]
    tree = TreeTable(grid, [0], [0] * n, [0] * n, children, children, [0] * n, [[7]], 8)
    assert bit_vectors(*tree.walk).walked.tolist() == [0]
    out = np.zeros((BLOCK, 1), np.int32)
    tree.add_scores(np.ones((BLOCK, 1)), out)
    assert (out == 7).all()
