"""Nearest other rows, against all distances in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.transfer import neighbours
from skdistill.transfer.neighbours import nearest_other
from tests.strategies import seeds


def nearest_by_hand(X, nominal=()):
    """Columns scaled to [0, 1], missing numbers at the median, missing categories alike."""
    n, d = X.shape
    Z = [[0.0] * d for _ in range(n)]
    for j in range(d):
        known = sorted(x for x in X[:, j] if not math.isnan(x))
        if j in nominal or not known or known[0] == known[-1]:
            continue
        median = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
        span = known[-1] - known[0]
        for i in range(n):
            x = median if math.isnan(X[i, j]) else X[i, j]
            Z[i][j] = x / span - known[0] / span
    nearest = []
    for i in range(n):
        far = [math.inf] * n
        for k in range(n):
            if k != i:
                same = [
                    X[i, j] == X[k, j] or (X[i, j] != X[i, j] and X[k, j] != X[k, j])
                    for j in nominal
                ]
                far[k] = float(len(same) - sum(same))
                for z, other in zip(Z[i], Z[k], strict=True):
                    far[k] += (z - other) * (z - other)
        nearest.append(far.index(min(far)))
    return nearest


def mask(X, nominal):
    return np.isin(np.arange(X.shape[1]), nominal)


@st.composite
def mixed_tables(draw):
    """Few values, so that there are equal rows and equal distances; NaN in all columns."""
    rng = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(2, 30)), draw(st.integers(1, 6))
    nominal = sorted({0, *rng.integers(0, d, draw(st.integers(0, d)))})
    X = rng.integers(0, draw(st.sampled_from([2, 3, 50])), (n, d)).astype(float)
    X[:, rng.random(d) < 0.3] *= rng.normal()
    X[:, rng.random(d) < 0.1] = np.nan
    X[rng.random((n, d)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    return X, [int(j) for j in nominal]


@given(mixed_tables())
def test_is_the_nearest_and_the_first_of_several(table):
    X, nominal = table
    assert nearest_other(X, mask(X, nominal)).tolist() == nearest_by_hand(X, nominal)


def all_distances(X, nominal):
    """In float64, one column after the other, as they are added."""
    D = np.zeros((len(X), len(X)))
    for j in np.flatnonzero(nominal):
        D += X[:, None, j] != X[None, :, j]
    for j in np.flatnonzero(~nominal):
        z = X[:, j] / np.ptp(X[:, j]) - X[:, j].min() / np.ptp(X[:, j])
        D += (z[:, None] - z) ** 2
    np.fill_diagonal(D, np.inf)
    return D


@pytest.mark.parametrize("n_values", [2, 300])
@pytest.mark.parametrize("n", [255, 256, 257, 1500])
def test_over_blocks_and_threads(n, n_values, monkeypatch):
    rng = np.random.default_rng(n)
    X = np.column_stack([rng.normal(size=n).round(1), rng.integers(0, n_values, (n, 5))])
    nominal = np.array([False, True, True, False, True, True])
    wanted = all_distances(X, nominal).argmin(axis=0)
    assert nearest_other(X, nominal).tolist() == wanted.tolist()
    monkeypatch.setattr(neighbours, "_CHUNK_SIZE", 100)
    assert nearest_other(X, nominal).tolist() == wanted.tolist()


def test_more_than_255_nominal_columns_and_categories():
    rng = np.random.default_rng(0)
    X = np.array([[0] * 300, [1] * 300, [1] * 299 + [2]], float)
    assert nearest_other(X, np.ones(300, bool)).tolist() == [1, 2, 1]
    X = rng.permutation(600)[:, None] // 2.0
    nearest = nearest_other(X, np.ones(1, bool))
    assert (X[nearest] == X).all() and (nearest != np.arange(600)).all()


@pytest.mark.parametrize("nominal", [[], [1, 3]])
@pytest.mark.parametrize("copies", [1, 2, 3, 9])
def test_no_row_is_its_own_neighbour(copies, nominal):
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(200, 4)), copies, axis=0)
    rows[:, 1] = np.round(rows[:, 1])
    nearest = nearest_other(rows, mask(rows, nominal))
    assert (nearest != np.arange(len(rows))).all()
    assert (rows[nearest] == rows).all() == (copies > 1)
