"""Marginals and naive Bayes: what their rows have in common with the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import Marginals, NaiveBayes
from skdistill.dataframe import read_table
from tests.strategies import seeds
from tests.transfer.containers import CONTAINERS, mixed_frame

SAMPLERS = [Marginals(factor=3), NaiveBayes(factor=3, n_components=4)]


def table(seed, n=200):
    """Two clusters; a column is twice another, one is whole, one constant."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n) + 8 * rng.integers(0, 2, n)
    return np.column_stack([x, 2 * x, rng.integers(0, 5, n), np.full(n, 7.0)])


@pytest.mark.parametrize("sampler", SAMPLERS)
@given(seed=seeds, n=st.integers(1, 30))
def test_rows_stay_within_the_columns(sampler, seed, n):
    X = table(seed % 1000, n)
    rows = sampler.sample(X, random_state=seed)
    assert rows.shape == (3 * n, 4)
    assert (rows >= X.min(axis=0)).all() and (rows <= X.max(axis=0)).all()
    assert np.array_equal(rows[:, 2], np.rint(rows[:, 2])) and (rows[:, 3] == 7).all()
    assert np.array_equal(rows, sampler.sample(X, random_state=seed))


def test_marginals_draw_the_values_of_a_column_and_forget_the_others():
    X = table(0, 2000)
    rows = Marginals(factor=5).sample(X, random_state=0)
    assert all(np.isin(rows[:, j], X[:, j]).all() for j in range(4))
    assert np.allclose(rows.mean(axis=0), X.mean(axis=0), atol=0.2)
    assert abs(np.corrcoef(rows[:, 0], rows[:, 1])[0, 1]) < 0.05


def test_a_mixture_keeps_what_its_components_tell():
    X = table(0, 2000)
    rows = NaiveBayes(factor=5, n_components=2).sample(X, random_state=0)
    near = rows[:, 0] < 4
    assert np.array_equal(near, rows[:, 1] < 8) or (near == (rows[:, 1] < 8)).mean() > 0.99
    assert np.corrcoef(rows[:, 0], rows[:, 1])[0, 1] > 0.9
    assert abs(np.corrcoef(rows[near, 0], rows[near, 1])[0, 1]) < 0.1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_frames_and_types_come_back(sampler):
    frame = pd.DataFrame({"a": [0.5, 1.5, 2.5], "b": np.array([1, 2, 3], np.int32)})
    rows = sampler.sample(frame, random_state=0)
    assert rows.dtypes.equals(frame.dtypes) and list(rows.columns) == ["a", "b"]
    assert sampler.sample(np.ones((3, 2), np.float32)).dtype == np.float32


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("kind", CONTAINERS)
def test_categories_come_back(sampler, kind):
    frame = CONTAINERS[kind](mixed_frame())
    rows = sampler.sample(frame, random_state=0)
    assert type(rows) is type(frame)
    before, after = read_table(frame), read_table(rows)
    for one, other in zip(before.labels, after.labels, strict=True):
        assert (one is None) == (other is None) and (one is None or one.tolist() == other.tolist())
    same = read_table(sampler.sample(CONTAINERS["pandas"](mixed_frame()), random_state=0))
    assert np.array_equal(after.values, same.values, equal_nan=True)


def test_components_have_their_own_categories():
    rng = np.random.default_rng(0)
    far = rng.integers(0, 2, 2000)
    colour = np.where(far == 1, rng.integers(0, 3, 2000), rng.choice([2.0, 3.0, np.nan], 2000))
    X = np.column_stack([rng.normal(size=2000) + 20 * far, colour])
    X[7:9, 1] = 4.0
    rows = NaiveBayes(5, 2, categorical_features=[1]).sample(X, random_state=0)
    far = rows[:, 0] > 10
    shares = [[(rows[side, 1] == c).mean() for c in range(4)] for side in (~far, far)]
    assert np.allclose(shares, [[0, 0, 1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3, 0]], atol=0.06)
    assert set(rows[:, 1]) <= {0.0, 1.0, 2.0, 3.0, 4.0}


def test_categories_alone_and_those_that_are_never_seen_together_with_others():
    X = np.array([[0.0], [1.0], [1.0], [np.nan]])
    rows = NaiveBayes(50, 3, categorical_features=[0]).sample(X, random_state=0)
    assert set(rows[:, 0]) == {0.0, 1.0}
    assert set(Marginals(50, categorical_features=[0]).sample(X[:3], random_state=0)[:, 0]) == {
        0,
        1,
    }


def test_missing_values():
    X = np.array([[np.nan, 1.0, np.nan], [np.nan, 2.0, 3.0], [np.nan, 4.0, 3.0]])
    rows = Marginals(factor=40).sample(X, random_state=0)
    assert np.isnan(rows[:, 0]).all() and 0 < np.isnan(rows[:, 2]).sum() < 120
    rows = NaiveBayes(factor=4, n_components=2).sample(X, random_state=0)
    assert np.isnan(rows[:, 0]).all() and not np.isnan(rows[:, 1:]).any()


@pytest.mark.parametrize("sampler", [Marginals(0), NaiveBayes(0), NaiveBayes(n_components=0)])
def test_parameters_are_checked(sampler):
    with pytest.raises(ValueError, match="parameter of"):
        sampler.sample(np.eye(3))
