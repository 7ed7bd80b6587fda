"""Blocks of near rows: each row in one of them, none too large, none a row alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.transfer import Munge
from skdistill.transfer.neighbours import nearest_other
from skdistill.transfer.row_blocks import near_blocks
from tests.strategies import seeds


@given(seeds, st.integers(3, 60), st.integers(0, 200), st.sampled_from([1, 2, 5, 1000]))
def test_every_row_is_in_one_block(seed, block_size, n, n_values):
    rng = np.random.default_rng(seed)
    Z = rng.integers(0, n_values, (n, rng.integers(0, 4))) / n_values
    codes = rng.integers(0, n_values, (n, rng.integers(0, 4)))
    blocks = list(near_blocks(Z, codes, block_size))
    assert sorted(np.concatenate(blocks)) == list(range(n))
    for rows in blocks:
        assert len(rows) <= block_size
        assert (np.diff(rows) > 0).all()
        assert n <= block_size or len(rows) >= max(2, block_size // 8)


def test_the_median_of_the_widest_column_divides():
    rng = np.random.default_rng(0)
    Z = rng.random((1000, 3)) * [0.1, 1, 0.5]
    left, right = near_blocks(Z, np.empty((1000, 0), int), 500)
    assert Z[left, 1].max() < Z[right, 1].min()


def test_categories_stay_together():
    codes = np.repeat([0, 1, 2, 3], [400, 300, 200, 100])[:, None]
    blocks = [set(codes[rows, 0]) for rows in near_blocks(np.zeros((1000, 1)), codes, 500)]
    assert blocks == [{0, 3}, {1, 2}]


@pytest.mark.parametrize("nominal", [[], [0, 3]])
def test_the_nearest_of_the_block(nominal):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 9, (1200, 5)).astype(float) if nominal else rng.normal(size=(1200, 5))
    is_categorical = np.isin(np.arange(5), nominal)
    exact, near = nearest_other(X, is_categorical), nearest_other(X, is_categorical, 300)
    assert (near != np.arange(1200)).all()
    Z = X / np.ptp(X, axis=0)

    def distance(of):
        apart = np.where(is_categorical, X[of] != X, (Z - Z[of]) ** 2)
        return apart.sum(axis=1)

    assert (distance(near) >= distance(exact) - 1e-6).all()
    assert (distance(near) < distance(exact) + 1e-6).mean() > 0.5
    assert distance(near).mean() < distance(rng.permutation(1200)).mean() / 4


def test_rows_up_to_the_size_of_a_block_are_compared_with_all():
    X = np.random.default_rng(0).normal(size=(200, 4))
    whole = Munge(2, block_size=None).sample(X, 0)
    assert np.array_equal(Munge(2, block_size=200).sample(X, 0), whole)
    assert not np.array_equal(Munge(2, block_size=199).sample(X, 0), whole)
