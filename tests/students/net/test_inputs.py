"""Codes that inputs get: as the table reads them, in the order of what they mean."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.compact import NO_CATEGORIES, CategoryTable
from skdistill.students.net.equal_rows import merge_equal_rows
from skdistill.students.net.hidden_units import TWO_LAYERS, units_for_bytes
from skdistill.students.net.inputs import fit_inputs


def test_codes_have_a_deviation_of_22_to_45():
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(5000, 4)) * [1e-9, 1, 700, 3e12] + [1e-8, -5, 1e5, 0]).astype(np.float32)
    inputs = fit_inputs(X, np.ones(len(X)), NO_CATEGORIES)
    codes = inputs.fixed_codes(X).astype(float)
    assert ((codes.std(axis=0) > 22) & (codes.std(axis=0) < 46)).all()
    assert (np.abs(codes.mean(axis=0)) < 20).all()


def test_columns_that_are_alike_share_a_power_and_whole_numbers_have_whole_offsets():
    rng = np.random.default_rng(0)
    X = np.rint(rng.normal(size=(500, 3)) * [2, 2.5, 3] + [3, 8, 200]).astype(np.float32)
    inputs = fit_inputs(X, np.ones(len(X)), NO_CATEGORIES)
    assert len(set(inputs.power.tolist())) == 1
    assert np.array_equal(inputs.offset, np.rint(inputs.offset))


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize(
    ("mean", "deviation"), [(293, 0.1), (101325, 30), (2015, 5), (1.7e9, 1e5), (-1.7e9, 1e4)]
)
def test_offsets_are_near_the_mean_wherever_it_lies(mean, deviation, dtype):
    noise = np.random.default_rng(0).normal(size=(2000, 1))
    X = (noise * deviation + mean).astype(dtype)
    if len(np.unique(X)) < 5:
        pytest.skip("whole numbers do not hold them")
    inputs = fit_inputs(X, np.ones(len(X)), NO_CATEGORIES)
    codes = inputs.fixed_codes(X)
    assert np.abs(codes.mean()) < 20 and len(np.unique(codes)) > 12
    assert (np.abs(codes) == 127).mean() < 0.01


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("sentinel", [-9999, 10**9])
@pytest.mark.parametrize("every", [100, 20, 6])
def test_outliers_clip_where_they_would_take_the_codes_of_all_others(dtype, sentinel, every):
    ordinary = np.random.default_rng(0).normal(size=(3000, 1)) * 20 + 50
    X = ordinary.astype(dtype)
    X[::every] = sentinel
    inputs = fit_inputs(X, np.ones(len(X)), NO_CATEGORIES)
    codes = inputs.fixed_codes(X)[:, 0].astype(float)
    is_outlier = np.arange(len(X)) % every == 0
    assert (np.abs(codes[is_outlier]) == 127).all()
    assert codes[~is_outlier].std() > 9 and (np.abs(codes[~is_outlier]) == 127).mean() < 0.02


def test_weight_decides_what_is_an_outlier():
    X = np.append(np.arange(100), 1e6).astype(np.float32)[:, None]
    weight = np.append(np.ones(100), 5.0)
    once = fit_inputs(X, weight, NO_CATEGORIES)
    again = fit_inputs(
        np.append(X, np.full((4, 1), 1e6, np.float32), axis=0), np.ones(105), NO_CATEGORIES
    )
    assert once.power == again.power and once.offset == again.offset
    assert fit_inputs(X, np.append(np.ones(100), 100.0), NO_CATEGORIES).power < once.power


def test_columns_at_the_ends_of_float32_are_read():
    noise = np.random.default_rng(0).normal(size=(200, 2))
    X = (noise * [1e37, 1e-29]).astype(np.float32)
    inputs = fit_inputs(X, np.ones(len(X)), NO_CATEGORIES)
    assert np.abs(inputs.power).max() <= 100
    assert (inputs.fixed_codes(X).std(axis=0) > 9).all()


def test_constant_columns_are_not_read_but_those_with_missing_values_are():
    X = np.zeros((20, 4), np.float32)
    X[::2, 1] = 1
    X[::2, 2] = np.nan
    X[:, 3] = np.nan
    inputs = fit_inputs(X, np.ones(len(X)), NO_CATEGORIES)
    assert inputs.features.tolist() == [1, 2]
    assert inputs.lookup_inputs.tolist() == [1]
    assert inputs.lookups(X)[:2].tolist() == [[0], [-1]]


def test_learnt_codes_of_categories_become_their_ranks():
    categories = CategoryTable([0], [["a", "b", "c"]], [7, 0, 3, 3, 3])
    X = np.array([[7], [0], [3]], np.float32)
    inputs = fit_inputs(X, np.ones(3), categories)
    assert inputs.lookups(X)[:, 0].tolist() == [2, 0, 1]
    assert np.diff(inputs.codes).min() > 0  # they start in the order of the ranks
    missing_code, learnt = inputs.learnt_codes(np.array([-126, 4, 126], np.int32), categories)
    assert missing_code.tolist() == [0]
    assert learnt.ranks.tolist() == [127, 1, 66, 66, 66]
    new = learnt.rank(np.array([[0.0], [1.0], [2.0]]))
    assert inputs.fixed_codes(new)[:, 0].tolist() == [126, -126, 4]


@pytest.mark.parametrize("n_hints", [0, 2])
def test_equal_rows_are_merged_in_any_order(n_hints):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (60, 3)).astype(np.float32)
    targets = rng.integers(0, 2, (2, 60, 1)).astype(float)
    weight = rng.integers(1, 4, 60).astype(float)
    hints = rng.integers(0, 2, (60, n_hints)).astype(float)
    merged = merge_equal_rows(X, targets, weight, hints)
    order = np.repeat(np.arange(60), weight.astype(int))
    order = rng.permutation(order)
    again = merge_equal_rows(X[order], targets[:, order], np.ones(len(order)), hints[order])
    for one, other in zip(merged, again, strict=True):
        assert np.array_equal(one, other)
    rows = np.column_stack([merged[0], *merged[1], merged[3]])
    assert len(np.unique(rows, axis=0)) == len(rows) < 60
    assert merged[2].sum() == weight.sum()


@pytest.mark.parametrize("max_bytes", [40, 47, 1000, 5000])
def test_as_many_units_as_fit(max_bytes):
    def nbytes(sizes):
        return 10 * sum(sizes) + (sizes[0] * sizes[1] if len(sizes) == 2 else 0)

    units = units_for_bytes(nbytes, max_bytes, "auto")
    assert nbytes(units) <= max_bytes < nbytes(tuple(n + 1 for n in units))
    assert len(units) == (2 if max_bytes >= 10 * TWO_LAYERS else 1)
    assert [len(units_for_bytes(nbytes, max_bytes, n)) for n in (1, 2)] == [1, 2]


def test_more_units_in_a_form_of_fewer_bytes():
    """Rows of whole words are 5 % larger at most, and not taken beyond that."""

    def nbytes(sizes):
        return 38 * sizes[0] - (49 if sizes[0] > 32 else 0)

    assert units_for_bytes(nbytes, nbytes((33,)), 1) == (33,)


def test_too_few_bytes_for_one_unit():
    with pytest.raises(ValueError, match=r"max_bytes=19 is too small.* takes 20"):
        units_for_bytes(lambda sizes: 10 * sum(sizes), 19, 2)
