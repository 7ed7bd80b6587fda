"""Threads and splits ahead of their turn: the tree is that of one thread."""

import numba
import numpy as np
import pytest

from skdistill.students.tree import grower, growth
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import SplitPenalties, grow_tree
from tests.students.tree.growth_problems import problem


@pytest.mark.parametrize("slots", [2, 5, None])
@pytest.mark.parametrize("n_threads", [2, 5])
@pytest.mark.parametrize("large", [40, 300])
def test_it_is_the_tree_of_one_thread(monkeypatch, large, n_threads, slots):
    ahead, split_ahead = [], growth.Growth._split_ahead

    def count(self, order, n_nodes, *rest):
        after = split_ahead(self, order, n_nodes, *rest)
        ahead.append((after - n_nodes) // 2)
        return after

    monkeypatch.setattr(growth.Growth, "_split_ahead", count)
    monkeypatch.setattr(growth, "_ROWS", 64)
    for seed in range(24):
        codes, n_edges, row_stats, _, limits = problem(seed)
        if seed % 4 == 1 and "penalties" in limits:  # features that no split may use
            excluded = np.where(np.arange(len(n_edges)) % 2, np.inf, 0.0)
            n_bins = int((n_edges.astype(int) + 2).sum())
            limits["penalties"] = SplitPenalties(excluded, np.zeros(n_bins))
        monkeypatch.setattr(growth, "_LARGE", large * len(codes))
        monkeypatch.setattr(growth, "_COSTLY", 20 * len(codes))
        if slots is not None:
            size = int((n_edges.astype(int) + 2).sum()) * row_stats.shape[1] * 8
            monkeypatch.setattr(grower, "_HISTOGRAM_BYTES", slots * size)
        monkeypatch.setattr(numba, "get_num_threads", lambda: 1)
        expected = grow_tree(codes, n_edges, row_stats, **limits)
        monkeypatch.setattr(numba, "get_num_threads", lambda: n_threads)
        tree = grow_tree(codes, n_edges, row_stats, **limits)
        for name in expected._fields:
            a, b = getattr(tree, name), getattr(expected, name)
            assert a.dtype == b.dtype
            assert np.array_equal(a, b), (seed, name)
    assert max(ahead) > 1


def test_leaves_of_few_rows_wait_for_no_thread(monkeypatch):
    """Each would take longer in Python than its split takes in the kernel."""
    rng = np.random.default_rng(0)
    n = 20_000
    codes, n_edges = rng.integers(0, 256, (4, n)).astype(np.uint8), np.full(4, 254, np.int32)
    row_stats = to_fixed_point(rng.random((n, 1)), np.ones(n))
    limits = {"criterion": 0, "max_leaf_nodes": n, "max_depth": n, "min_samples_leaf": 1}
    calls, split_ahead = [], growth.Growth._split_ahead
    monkeypatch.setattr(
        growth.Growth, "_split_ahead", lambda *args: calls.append(1) or split_ahead(*args)
    )
    monkeypatch.setattr(growth, "_LARGE", 1 << 15)
    monkeypatch.setattr(growth, "_COSTLY", 1 << 12)
    trees = []
    for n_threads in (1, 4):
        monkeypatch.setattr(numba, "get_num_threads", lambda n_threads=n_threads: n_threads)
        trees.append(grow_tree(codes, n_edges, row_stats, **limits))
    assert len(trees[0].feature) > n
    assert all(np.array_equal(a, b) for a, b in zip(*trees, strict=True))
    assert 0 < len(calls) < 100
