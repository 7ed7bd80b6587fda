"""Values of float64 columns that float32 merges are said."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill import SoftBoostingClassifier, SoftLinearRegressor, SoftTreeClassifier
from skdistill.dataframe import numeric_table
from skdistill.students._validation import compared_values

k = np.arange(300)
STAMPS = (1_700_000_000 + 7 * k)[:, None].astype(float)


@pytest.mark.parametrize(
    "student", [SoftTreeClassifier(), SoftBoostingClassifier(4), SoftLinearRegressor()], ids=repr
)
def test_time_stamps(student):
    with pytest.warns(UserWarning, match="float32 leaves 17 of 300 values of column 0.*int32"):
        student.fit(STAMPS, k // 6 % 3)


def test_decimals_far_from_zero():
    with pytest.warns(
        UserWarning, match="leaves .* values of column 1: .*apart, subtract an offset"
    ):
        SoftTreeClassifier().fit(np.column_stack([k, 1e5 + 0.002 * k]), k // 6 % 3)


def test_others_are_silent():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=30_000), np.round(rng.gamma(2, 50, 30_000), 2)])
    X[::7, 0] = np.nan
    SoftTreeClassifier(max_leaf_nodes=4).fit(X, np.arange(30_000) % 2)
    model = SoftTreeClassifier(max_leaf_nodes=128).fit(STAMPS.astype(np.int32), k // 6 % 3)
    assert (model.predict(STAMPS.astype(np.int32)) == k // 6 % 3).mean() > 0.95


@pytest.mark.parametrize("values", [[], [3.0], [np.nan, np.nan], [0.0, -0.0]])
def test_columns_of_hardly_any_value_are_silent(values):
    table = numeric_table(np.array(values, float)[:, None])
    compared_values(table)


def test_last_bits_of_a_sum_are_no_further_value():
    X = np.concatenate([np.arange(1, 51) / 10, np.cumsum(np.full(50, 0.1))])[:, None]
    assert len(np.unique(X)) > 60
    compared_values(numeric_table(X))
