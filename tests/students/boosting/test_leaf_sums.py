"""Sums over leaves against loops, in both types and at every width of a vector."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.students.boosting.leaf_sums import (
    add_columns,
    add_leaf_values,
    add_to_leaves,
    by_tree,
    padded,
    parts_of_rows,
    row_dtype,
)

N, START = 1100, 40


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_scores", [1, 3, 7, 11])
@pytest.mark.parametrize("n_trees", [1, 3, 6])
def test_sums_are_those_of_a_loop(n_trees, n_scores, dtype):
    """Of whole numbers, so that the order of additions does not matter."""
    rng = np.random.default_rng(n_trees)
    leaves = by_tree(rng.integers(0, 5, (N + START, n_trees)) + 5 * np.arange(n_trees), 5 * n_trees)
    assert leaves.dtype == np.uint8
    values = padded(rng.integers(-99, 99, (5 * n_trees, n_scores)), dtype)
    rows = padded(rng.integers(-99, 99, (N, n_scores)), dtype)
    trees = np.arange(n_trees)[::-2].copy()

    expected = rows.copy()
    total = np.zeros((len(values), rows.shape[1]))
    for t in trees:
        expected += values[leaves[t, START:]]
        np.add.at(total, leaves[t, START:], rows)
    sums, of_leaves = rows.copy(), np.zeros_like(total)
    add_leaf_values(leaves, trees, values, sums, START)
    add_to_leaves(leaves, trees, rows, of_leaves, START)
    assert (sums == expected).all()
    assert (of_leaves == total).all() and total.any()
    columns = np.ones(n_scores)
    add_columns(rows, columns)
    assert (columns == 1 + rows[:, :n_scores].sum(axis=0, dtype=float)).all()


@pytest.mark.parametrize("n", [0, 1, 4096, 8191, 8192, 50_000, 200_001, 1_000_000])
def test_parts_cover_all_rows_and_are_even(n):
    parts = parts_of_rows(n)
    ends = [0, *(block.stop for part in parts for block in part)]
    assert [block.start for part in parts for block in part] == ends[:-1]
    assert ends[-1] == n
    sizes = [part[-1].stop - part[0].start for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert (len(parts) == 1) == (n < 8192)


def test_many_rows_are_float32():
    assert row_dtype(1 << 15) == np.float32
    assert row_dtype((1 << 15) - 1) == np.float64
