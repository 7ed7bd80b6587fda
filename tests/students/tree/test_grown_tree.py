"""A grown tree and its earlier states."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.quantization.binning import fit_grid
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import SplitPenalties, grow_tree
from skdistill.students.tree.grown_tree import find_leaves, first_leaves, remove_nodes
from skdistill.students.tree.splitting import ENTROPY, SQUARED_ERROR
from tests.students.tree.test_grower import data, grown


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("criterion", [SQUARED_ERROR, ENTROPY])
@pytest.mark.parametrize("limits", [{}, {"max_depth": 5}, {"min_samples_leaf": 7}], ids=str)
def test_a_tree_was_every_smaller_tree_while_it_grew(criterion, limits):
    X, P, weight = data(1, 300, 3)
    X[::7, 1] = np.nan
    tree = grown(X, P, weight, criterion=criterion, **limits)
    n_leaves = int(tree.is_leaf.sum())
    for n in (1, 2, 3, 10, n_leaves - 1, n_leaves, n_leaves + 5):
        smaller = grown(X, P, weight, criterion=criterion, max_leaf_nodes=n, **limits)
        assert same(first_leaves(tree, n), smaller)


def test_rows_of_removed_nodes_end_above_them():
    X, P, weight = data(2, 300, 3)
    tree = grown(X, P, weight, max_leaf_nodes=30)
    stays = np.ones(len(tree.feature), bool)
    cut = int(tree.children[0, 0])  # the left side of the root becomes a leaf
    below = np.zeros(len(stays), bool)
    below[tree.children[cut]] = True
    for node in range(len(stays)):
        if below[node] and tree.feature[node] >= 0:
            below[tree.children[node]] = True
    small = remove_nodes(tree, stays & ~below)
    grid = fit_grid(X.astype(np.float32), 8, weight)
    codes = grid.encode(X.astype(np.float32))
    assert (find_leaves(small, codes, grid.counts) == small.leaf).all()
    assert small.is_leaf.sum() == tree.is_leaf.sum() - below.sum() // 2
    assert small.feature[small.children[0, 0]] == -1


def test_a_column_of_infinite_penalty_is_not_split():
    X, P, weight = data(3, 400, 2)
    grid = fit_grid(X.astype(np.float32), 8, weight)
    stats, n_bins = to_fixed_point(P, weight), int((grid.counts + 2).sum())
    limits = {"max_leaf_nodes": 40, "max_depth": 40, "min_samples_leaf": 1}
    for criterion in (SQUARED_ERROR, ENTROPY):
        for excluded in ([0], [0, 2], [0, 1, 2, 3]):
            penalty = np.zeros(4)
            penalty[excluded] = np.inf
            tree = grow_tree(
                grid.encode(X.astype(np.float32)),
                grid.counts,
                stats,
                criterion=criterion,
                penalties=SplitPenalties(penalty, np.zeros(n_bins)),
                **limits,
            )
            used = np.unique(tree.feature[~tree.is_leaf])
            assert used.tolist() == np.setdiff1d(range(4), excluded).tolist()
