"""The linear regressor, against scikit-learn's Ridge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from skdistill import SoftLinearRegressor
from skdistill.compact import LinearTable
from skdistill.compact.tables.limits import value_limits
from tests.strategies import seeds

X, Y = load_diabetes(return_X_y=True)
MANY = np.column_stack([Y, 1e-3 * Y**2 + 1e3, X[:, 2]])
FINE = {"input_bits": 16, "weight_bits": 16}
L2 = 1e-2


def ridge(y, weight=None, l2_regularization=L2):
    """Predictions under the same objective: penalty beside half the mean, alpha beside the sum."""
    weight = np.ones(len(X)) if weight is None else weight
    Z = StandardScaler().fit(X, sample_weight=weight).transform(X)
    return Ridge(l2_regularization * weight.sum()).fit(Z, y, sample_weight=weight).predict(Z)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("y", [Y, MANY], ids=["one", "many"])
def test_it_is_ridge_regression(y, weighted):
    weight = np.random.default_rng(0).random(len(X)) if weighted else None
    linear = SoftLinearRegressor(L2, **FINE).fit(X, y, weight)
    deviation = y.std(axis=0)
    assert np.abs((linear.predict(X) - ridge(y, weight)) / deviation).max() < 2e-3


def test_without_penalty_columns_may_repeat_each_other():
    twice = np.hstack([X, X, np.ones((len(X), 1))])
    linear = SoftLinearRegressor(0.0, **FINE).fit(twice, Y)
    assert np.abs(linear.predict(twice) - ridge(Y, l2_regularization=0)).max() < 0.1
    assert linear.compact_.table(LinearTable).features.tolist() == list(range(20))


@pytest.mark.parametrize("bits", ["ternary", 2, 4, 8, 16])
@pytest.mark.parametrize("y", [Y, MANY], ids=["one", "many"])
def test_weights_respect_their_bits_and_predictions_have_the_right_mean(bits, y):
    linear = SoftLinearRegressor(weight_bits=bits).fit(X, y)
    _, high = value_limits(bits, signed=True)
    assert np.abs(linear.compact_.table(LinearTable).weights).max() == high
    least = {"ternary": 0.4, 2: 0.4, 4: 0.5}.get(bits, 0.515)
    assert r2_score(y[:, 0] if y.ndim > 1 else y, linear.predict(X).reshape(len(X), -1)[:, 0]) > (
        least
    )
    assert np.abs((linear.predict(X) - y).mean(axis=0) / y.std(axis=0)).max() < 1e-2


def test_weights_that_lose_their_levels_to_the_mean_are_a_warning():
    for offset, bits in ((0, 16), (1e5, 12), (1e6, 8)):
        assert SoftLinearRegressor(input_bits=bits).fit(X, Y + offset).score(X, Y + offset) > 0.5
    with pytest.warns(UserWarning, match="lose about 100.0% .* column 1 of y.* subtract"):
        SoftLinearRegressor(input_bits=16).fit(X, np.column_stack([Y, Y + 1e8]))


@pytest.mark.filterwarnings("ignore:int32 scores lose:UserWarning")
@given(seeds, st.sampled_from(["ternary", 2, 8, 16]), st.sampled_from([4, 8, 16]))
def test_targets_of_any_size_and_place(seed, weight_bits, input_bits):
    rng = np.random.default_rng(seed)
    n, S = int(rng.integers(2, 60)), int(rng.integers(1, 4))
    rows = rng.normal(size=(n, 3)) * [1, 1e-6, 1e6]
    size, offset = 10.0 ** rng.uniform(-30, 30, S), rng.choice([0, 1, 1e3, 1e8], S)
    y = (rows @ rng.normal(size=(3, S)) * rng.choice([0, 1e-6, 1]) + offset) * size
    linear = SoftLinearRegressor(input_bits=input_bits, weight_bits=weight_bits).fit(rows, y)
    assert int(linear.compact_.score_bound.max()) < 2**31
    error = (linear.predict(rows).reshape(n, S) - y).mean(axis=0)
    half = np.asarray(linear.compact_.scale) / 2  # the bias is rounded to whole scores
    assert (np.abs(error) <= 1.001 * half + np.abs(y).max(axis=0) / 2**26).all()


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-30, 1e30, 0.1])
def test_constant_targets_and_constant_columns_are_constants(value):
    for rows in (X, np.ones((len(X), 2))):
        linear = SoftLinearRegressor().fit(rows, np.full(len(X), value))
        assert np.allclose(linear.predict(rows), value, rtol=2**-26, atol=0)
    mean = SoftLinearRegressor().fit(np.ones((len(X), 2)), Y).predict(np.ones((1, 2)))
    assert mean == pytest.approx(Y.mean(), rel=1e-8)


def test_importances_are_shares_whatever_the_units():
    one = SoftLinearRegressor().fit(X, MANY).feature_importances_
    other = SoftLinearRegressor().fit(X, MANY * [1e20, 1, 1e-20]).feature_importances_
    assert one.sum() == pytest.approx(1)
    assert one == pytest.approx(other, rel=1e-3)


def test_a_column_of_nan_gets_no_weight():
    alone = SoftLinearRegressor().fit([[np.nan], [np.nan]], [0, 1])
    assert not alone.compact_.tables_of(LinearTable)
    assert alone.predict([[3.0]]) == pytest.approx(0.5)
    empty = np.column_stack([X[:, :3], np.full(len(X), np.nan), X[:, 3:]])
    with_it, without = (SoftLinearRegressor().fit(rows, Y).compact_ for rows in (empty, X))
    assert with_it.table(LinearTable).features.tolist() == [0, 1, 2, *range(4, 11)]
    assert np.array_equal(with_it.table(LinearTable).weights, without.table(LinearTable).weights)
    assert np.array_equal(with_it.bias, without.bias)
