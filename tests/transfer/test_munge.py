"""MUNGE, against the algorithm in plain Python on the same random numbers."""

from __future__ import annotations

import math

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_equal
from sklearn.utils import check_random_state

from skdistill import Munge
from skdistill.dataframe import EncodedTable, read_table
from tests.strategies import seeds
from tests.transfer.containers import CONTAINERS, mixed_frame
from tests.transfer.test_neighbours import mixed_tables, nearest_by_hand


def munge_by_hand(X, n_per_sample, swap_probability, local_variance, seed, nominal=()):
    rng = np.random.default_rng(check_random_state(seed).randint(2**31 - 1))
    neighbour, out = nearest_by_hand(X, nominal), []
    for _ in range(n_per_sample):
        rows = [[float(x) for x in row] for row in X]
        for i in range(len(X)):
            a, b = rows[i], rows[neighbour[i]]
            for j in range(X.shape[1]):
                if rng.random() >= swap_probability or math.isnan(a[j]) or math.isnan(b[j]):
                    continue
                u, v = a[j], b[j]
                if j in nominal:
                    a[j], b[j] = v, u
                    continue
                deviation = abs(u - v) / local_variance
                a[j] = v + deviation * rng.standard_normal()
                b[j] = u + deviation * rng.standard_normal()
        out += rows
    for j in range(X.shape[1]):
        known = [x for x in X[:, j] if not math.isnan(x)]
        whole = all(x == round(x) for x in known)
        for row in out:
            if not math.isnan(row[j]):
                value = round(row[j]) if whole else row[j]
                row[j] = min(max(value, min(known)), max(known))
    return np.array(out)


def munge(X, *parameters, seed=None, nominal=()):
    """Rows of `Munge`, with categories that are any numbers: they are read as their codes."""
    values, labels = X.copy(), [None] * X.shape[1]
    for j in nominal:
        known = ~np.isnan(X[:, j])
        numbers, values[known, j] = np.unique(X[known, j], return_inverse=True)
        labels[j] = np.arange(max(1, len(numbers)))
    table = EncodedTable(X, values, tuple(labels), None, read_table(X).formats)
    rows = Munge(*parameters).sample_table(table, seed).values
    for j in nominal:
        numbers = np.append(np.unique(X[~np.isnan(X[:, j]), j]), np.nan)
        rows[:, j] = numbers[np.nan_to_num(rows[:, j], nan=len(numbers) - 1).astype(int)]
    return rows


@st.composite
def tables(draw):
    """No two rows at one distance from a third; NaN, whole and constant columns, too."""
    rng = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(2, 25)), draw(st.integers(1, 5))
    X = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4, d)
    kind = rng.integers(0, 5, d)
    kind[0] = 0  # one column that tells the rows apart
    X[:, kind == 1] = np.rint(1e3 * rng.random((n, (kind == 1).sum())))
    X[:, kind == 2] = 7.0
    X[(rng.random((n, d)) < 0.3) & (kind == 3)] = np.nan
    X[:, kind == 4] = np.nan
    return X


@given(tables(), seeds, st.sampled_from([0.2, 0.5, 1.0]), st.sampled_from([0.5, 1.0, 3.0, 50.0]))
def test_is_the_algorithm(X, seed, p, s):
    wanted = munge_by_hand(X, 3, p, s, seed)
    rows = Munge(3, p, s).sample(X, seed)
    assert_allclose(rows, wanted, rtol=1e-9)
    whole = (np.isnan(X) | (np.rint(X) == X)).all(axis=0)
    assert rows[:, whole].tobytes() == (wanted[:, whole] + 0.0).tobytes()


@given(mixed_tables(), seeds, st.sampled_from([0.2, 0.5, 1.0]), st.sampled_from([0.5, 3.0]))
def test_is_the_algorithm_with_categories(table, seed, p, s):
    X, nominal = table
    wanted = munge_by_hand(X, 3, p, s, seed, nominal)
    rows = munge(X, 3, p, s, seed=seed, nominal=nominal)
    assert_allclose(rows, wanted, rtol=1e-9)
    assert_equal(rows[:, nominal], wanted[:, nominal])


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    X[:, 1] = rng.integers(-3, 9, 200)
    return X


def passes(rows, X):
    return rows.reshape(-1, *X.shape)


def test_without_exchange_rows_are_copies(X):
    rows = Munge(3, swap_probability=0.0).sample(X, 0)
    assert (passes(rows, X) == X).all()
    assert not np.shares_memory(rows, X)


def test_a_huge_local_variance_swaps(X):
    """Both new values are made of both old ones: none is lost, none is there twice."""
    rows = passes(Munge(4, 1.0, 1e15).sample(X, 0), X)
    assert_allclose(
        np.sort(rows, axis=1), np.broadcast_to(np.sort(X, axis=0), rows.shape), rtol=1e-9
    )
    moved = (np.abs(rows - X) > 1e-6).any(axis=2).mean()
    assert 0.3 < moved < 1


def test_two_rows_that_swap_twice_are_back(X):
    rows = passes(Munge(4, 1.0, 1e15).sample(X[:2], 0), X[:2])
    assert_allclose(rows, np.broadcast_to(X[:2], rows.shape), rtol=1e-9)


def test_probability_is_that_of_a_column_of_a_row():
    """Alone of its kind, a third row is changed by itself and is no other's neighbour."""
    X = np.array([[0.0, 0.0], [0.1, 0.1], [10.0, 10.5]])
    rows = passes(Munge(4000, 0.3).sample(X, 0), X)
    changed = rows[:, 2] != X[2]
    # A normal step beyond the range of the column is clipped back to where it was.
    both, share = changed.all(axis=1).mean(), changed.mean()
    assert 0.2 < share < 0.3
    assert both == pytest.approx(share**2, abs=0.02)


def test_whole_columns_stay_whole_and_ranges_are_kept(X):
    rows = Munge(10, 0.9, 0.2).sample(X, 0)
    assert set(rows[:, 1]) == set(range(-3, 9))
    assert (rows[:, 0] != np.rint(rows[:, 0])).all()
    assert rows.min(axis=0).tolist() == X.min(axis=0).tolist()
    assert rows.max(axis=0).tolist() == X.max(axis=0).tolist()


def test_missing_values_stay_where_they_were(X):
    X[::3, 0] = np.nan
    X[1::5, 1] = np.nan
    X[:, 3] = np.nan
    rows = passes(Munge(5, 0.7).sample(X, 0), X)
    assert (np.isnan(rows) == np.isnan(X)).all()
    assert (rows[:, :, 2] != X[:, 2]).any()
    whole = rows[:, :, 1][~np.isnan(rows[:, :, 1])]
    assert (whole == np.rint(whole)).all()


def test_seeds_reproduce(X):
    one = Munge(2).sample(X, 3)
    assert Munge(2).sample(X, 3).tolist() == one.tolist()
    assert Munge(2).sample(X, np.random.RandomState(3)).tolist() == one.tolist()
    assert Munge(2).sample(X, 4).tolist() != one.tolist()
    assert Munge(2).sample(X).tolist() != Munge(2).sample(X).tolist()
    first, second = passes(one, X)
    assert first.tolist() != second.tolist()
    assert Munge(1).sample(X, 3).tolist() == first.tolist()


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_rows_that_have_a_twin_do_not_change(X, copies):
    rows = np.repeat(X, copies, axis=0)
    assert (passes(Munge(2, 1.0).sample(rows, 0), rows) == rows).all()


def test_no_category_is_invented_and_swaps_lose_none(X):
    X[:, 2] = np.random.default_rng(1).choice([-2.5, 7.0, 1000.0, np.nan], 200)
    rows = passes(munge(X, 4, 0.6, seed=0, nominal=[1, 2]), X)
    assert_equal(np.sort(rows[:, :, 1:3], axis=1), np.tile(np.sort(X[:, 1:3], axis=0), (4, 1, 1)))
    assert (np.isnan(rows) == np.isnan(X)).all()
    assert (rows[:, :, 1] != X[:, 1]).any() and (rows[:, :, 2] != X[:, 2]).any()


def test_a_category_swaps_with_probability_p():
    """Two and two rows are neighbours; swapped by the one or by the other, not by both."""
    X = np.array([[0.0, 1.0], [0.1, 2.0], [5.0, 3.0], [5.1, 4.0]])
    rows = passes(Munge(20_000, 0.3, categorical_features=[1]).sample(X, 0), X)
    assert (rows[:, 0, 1] != 1).mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.01)
    assert set(rows[:, 2:, 1].ravel()) == {3.0, 4.0}


def test_columns_without_categories_do_not_matter(X):
    for features in (None, [], np.zeros(4, bool)):
        rows = Munge(2, categorical_features=features).sample(X, 0)
        assert rows.tobytes() == Munge(2).sample(X, 0).tobytes()
    with pytest.raises(ValueError, match="integer indices must be in"):
        Munge(categorical_features=[4]).sample(X)


def test_a_table_that_was_read_gives_the_same_rows():
    frame = mixed_frame()
    table = Munge(2).sample_table(read_table(frame), 0)
    rows = Munge(2).sample(frame, 0)
    pd.testing.assert_frame_equal(table.native, rows)
    assert_equal(table.values.astype("f4"), read_table(rows).values.astype("f4"))


@pytest.mark.parametrize("X", [[[1.5, 2.0]], [[1.5, np.nan]]])
def test_a_single_row_is_copied(X):
    assert Munge(3).sample(X).tolist() == pytest.approx(np.repeat(X, 3, axis=0), nan_ok=True)


def test_the_given_table_is_not_changed(X):
    before = X.copy()
    Munge(3, 1.0).sample(X, random_state=0)
    assert X.tolist() == before.tolist()


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u1", "i2", "i4", "i8"])
def test_an_array_keeps_its_dtype(X, dtype):
    X = np.rint(10 * np.abs(X)).astype(dtype)
    rows = Munge(3).sample(X, random_state=0)
    assert rows.dtype == X.dtype
    assert_equal(rows, Munge(3).sample(X.astype(float), 0).astype(dtype))
    assert (rows.min(axis=0) == X.min(axis=0)).all()


def test_a_data_frame_stays_one(X):
    frame = pd.DataFrame({
        "single": X[:, 0].astype("f4"),
        "double": X[:, 2],
        "byte": X[:, 1].astype("i1"),
        "flag": X[:, 0] > 0,
        "counts": pd.array(np.rint(X[:, 3] * 9), dtype="Int64"),
    })  # fmt: skip
    frame.loc[::7, "counts"] = pd.NA
    frame.index = np.arange(200)[::-1]
    rows = Munge(2).sample(frame, random_state=0)
    assert list(rows.columns) == list(frame.columns)
    assert rows.dtypes.tolist() == frame.dtypes.tolist()
    assert len(rows) == 400
    assert rows["counts"].isna().tolist() == frame["counts"].isna().tolist() * 2
    assert (rows["byte"] != np.tile(frame["byte"], 2)).any()
    assert rows["single"].between(frame["single"].min(), frame["single"].max()).all()


@pytest.mark.parametrize("kind", CONTAINERS)
def test_categories_come_back_as_they_were(kind):
    frame = CONTAINERS[kind](mixed_frame())
    rows = Munge(3, 0.9, 0.5).sample(frame, random_state=0)
    assert type(rows) is type(frame)
    assert nw.from_native(rows).schema == nw.from_native(frame).schema
    before, after = read_table(frame), read_table(rows)
    labels = [["blue", "green", "red"], ["L", "M", "S"], ["no", "yes"]]
    assert [each.tolist() for each in after.labels[:3]] == labels
    assert after.labels[3:] == (None, None, None)
    assert_equal(np.isnan(after.values), np.tile(np.isnan(before.values), (3, 1)))
    assert (after.values != np.tile(before.values, (3, 1)))[:, :3].any()
    wanted = munge(before.values, 3, 0.9, 0.5, seed=0, nominal=[0, 1, 2])
    assert_equal(after.values, np.column_stack([wanted[:, :5], wanted[:, 5].astype("f4")]))


def test_categories_that_are_numbers_stay_categories_whatever_is_named(X):
    frame = pd.DataFrame({
        "plan": pd.Categorical(np.arange(200) * 7 % 50 - 2),
        "rate": pd.Categorical(np.where(X[:, 2] > 1, 0.5, 0.25), ordered=True),
        "flag": pd.Categorical(X[:, 1] > 0),
        "size": X[:, 3],
    })  # fmt: skip
    frame.loc[::7, "plan"] = None
    rows = Munge(2, 0.9, categorical_features=None).sample(frame, random_state=0)
    assert rows.dtypes.tolist() == frame.dtypes.tolist()
    assert rows["plan"].isna().tolist() == frame["plan"].isna().tolist() * 2
    assert (rows["plan"].astype(float) != np.tile(frame["plan"].astype(float), 2)).sum() > 80
    assert (rows["size"] != np.tile(frame["size"], 2)).any()


def test_strings_of_an_array_are_named():
    X = np.array([["a", 0.5], ["b", 1.5], ["a", 2.5]], dtype=object)
    rows = Munge(4, categorical_features=[0]).sample(X, random_state=0)
    assert rows.shape == (12, 2) and set(rows[:, 0]) == {"a", "b"}
    with pytest.raises(ValueError, match="column"):
        Munge(4).sample(X)
    coded = np.array([[0.0, 0.5], [1.0, 1.5], [0.0, 2.5]])
    wanted = Munge(4, categorical_features=[True, False]).sample(coded, random_state=0)
    assert_equal(rows[:, 1].astype(float), wanted[:, 1])
    assert_equal(rows[:, 0] == "b", wanted[:, 0] == 1)


def test_days_are_refused():
    frame = pd.DataFrame({"x": [1.0, 2.0], "day": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    with pytest.raises(TypeError, match="day"):
        Munge().sample(frame, random_state=0)


@pytest.mark.parametrize("X", [[[np.inf], [1.0]], [1.0, 2.0], [], np.empty((0, 3))])
def test_bad_tables_are_refused(X):
    with pytest.raises(ValueError, match=r"infinity|2D array|minimum of 1"):
        Munge().sample(X)


@pytest.mark.parametrize(
    "bad",
    [
        {"n_per_sample": 0},
        {"n_per_sample": 1.5},
        {"swap_probability": 1.1},
        {"swap_probability": -0.1},
        {"local_variance": 0},
        {"class_proportions": "equal"},
    ],
)
def test_parameters_are_checked(bad):
    with pytest.raises(ValueError, match=f"'{next(iter(bad))}' parameter of Munge"):
        Munge(**bad).sample([[0.0], [1.0]])
