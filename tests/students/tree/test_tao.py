"""Alternating optimization: each split against brute force, never more misses, limits kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from skdistill import SoftTreeClassifier
from skdistill.compact import TreeTable, evaluate
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.grown_tree import find_leaves, sum_by_leaf
from skdistill.students.tree.splitting import SQUARED_ERROR
from skdistill.students.tree.tao import alternating_optimization
from tests.strategies import seeds


def grown(rng, n=150, d=3, K=3, leaves=6, hard=True, missing=True):
    n_edges = np.full(d, 9, np.int32)
    codes = rng.integers(0, 10 + missing, (d, n)).astype(np.uint8)
    P = np.eye(K)[rng.integers(0, K, n)] if hard else rng.dirichlet(np.ones(K), n)
    P[: n // 2] = np.eye(K)[(codes[0, : n // 2] + codes[1, : n // 2] > 9).astype(int)]
    row_stats = to_fixed_point(P, rng.integers(1, 4, n).astype(float))
    limits = {"max_leaf_nodes": leaves, "max_depth": n, "min_samples_leaf": 1}
    tree = grow_tree(codes, n_edges, row_stats, criterion=SQUARED_ERROR, **limits)
    return tree, codes, n_edges, row_stats


def hits(tree, row_stats):
    """Weight of the labels that are met, in fixed point."""
    label = tree.sums[:, :-1].argmax(axis=1)
    return int(row_stats[np.arange(len(row_stats)), label[tree.leaf]].sum(dtype=np.int64))


def optimized(tree, codes, n_edges, row_stats, n_iter=1, **limits):
    return alternating_optimization(
        tree, codes, n_edges, row_stats, criterion=SQUARED_ERROR, n_iter=n_iter, **limits
    )


@given(seeds, st.booleans(), st.booleans(), st.integers(1, 6))
def test_misses_only_fall_and_the_tree_is_whole(seed, hard, missing, n_iter):
    tree, *given = grown(np.random.default_rng(seed), hard=hard, missing=missing)
    codes, n_edges, row_stats = given
    after = optimized(tree, *given, n_iter)
    assert hits(after, row_stats) >= hits(tree, row_stats)
    assert len(after.feature) <= len(tree.feature)
    assert find_leaves(after, codes, n_edges).tolist() == after.leaf.tolist()
    inner = after.feature >= 0
    assert (after.children[inner] > np.flatnonzero(inner)[:, None]).all()
    assert (after.children[~inner] == -1).all()
    assert sorted([0, *after.children[inner].ravel()]) == list(range(len(inner)))
    assert (after.threshold[inner] < n_edges[after.feature[inner]]).all()
    in_leaves = sum_by_leaf(row_stats, after.leaf, len(inner))
    assert after.sums[~inner].tolist() == in_leaves[~inner].tolist()
    a, b = after.children[inner].T
    assert after.sums[inner].tolist() == (after.sums[a] + after.sums[b]).tolist()
    assert (np.bincount(after.leaf, minlength=len(inner))[~inner] > 0).all()


@given(seeds)
def test_a_stump_ends_where_no_other_stump_meets_more(seed):
    """With two leaves of known labels, every feature, cut and side of NaN is tried."""
    tree, codes, n_edges, row_stats = grown(np.random.default_rng(seed), leaves=2)
    label = tree.sums[:, :-1].argmax(axis=1)
    a, b = tree.children[0]
    rows = np.arange(codes.shape[1])
    on_left, on_right = (row_stats[rows, label[side]].astype(np.int64) for side in (a, b))
    best = max(on_left.sum(), on_right.sum())
    for j, code in enumerate(codes):
        for cut in range(n_edges[j]):
            for nan_left in (False, True):
                left = np.where(code > n_edges[j], nan_left, code <= cut)
                best = max(best, np.where(left, on_left, on_right).sum())
    after = optimized(tree, codes, n_edges, row_stats)
    assert hits(after, row_stats) >= best
    if len(after.feature) == 3 and (after.sums[1:, :-1].argmax(axis=1) == label[1:]).all():
        assert hits(after, row_stats) == best


@given(seeds, st.integers(2, 30))
def test_limits_of_the_leaves_are_kept(seed, least):
    rng = np.random.default_rng(seed)
    tree, *given = grown(rng)
    after = optimized(tree, *given, 3, min_samples_leaf=least)
    assert np.bincount(after.leaf)[after.feature < 0].min() >= least
    after = optimized(tree, *given, 3, min_weight_fraction=0.2)
    assert after.sums[after.feature < 0, -1].min() >= 0.2 * after.sums[0, -1]


@pytest.mark.parametrize("criterion", ["squared_error", "entropy"])
def test_an_moved_misses_less_and_is_no_larger(criterion):
    X, y = load_digits(return_X_y=True)
    for leaves in (16, 48):
        plain = SoftTreeClassifier(criterion, max_leaf_nodes=leaves).fit(X, y)
        moved = SoftTreeClassifier(criterion, max_leaf_nodes=leaves, tao_n_iter=8).fit(X, y)
        assert moved.score(X, y) > plain.score(X, y)
        assert len(moved.compact_.table(TreeTable).values) <= leaves
        assert moved.feature_importances_.sum() == pytest.approx(1)
    same = SoftTreeClassifier(criterion, max_leaf_nodes=48, tao_n_iter=8).fit(X, np.eye(10)[y])
    assert same.compact_.equals(moved.compact_)
    limits = {"min_samples_leaf": 20, "max_depth": 6, "max_leaf_nodes": None}
    limited = SoftTreeClassifier(criterion, tao_n_iter=8, **limits).fit(X, y)
    assert np.bincount(evaluate.leaves(limited.compact_, X)[:, 0]).min() >= 20


def test_tao_n_iter_must_be_a_number_of_passes():
    for refused in (-1, 1.5):
        with pytest.raises(ValueError, match="The 'tao_n_iter' parameter of SoftTreeClassifier"):
            SoftTreeClassifier(tao_n_iter=refused).fit([[0.0], [1.0]], [0, 1])
