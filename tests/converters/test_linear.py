"""Linear estimators: how their inputs are rounded, and how near the scores are."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import (
    ElasticNet,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)

from skdistill import convert
from skdistill.compact import LinearTable
from skdistill.compact.tables import linear_table
from tests.converters.harness import (
    problem,
)


def test_whole_numbers_reach_a_linear_model_as_they_are():
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.uint8)
    estimator = LogisticRegression(max_iter=1000, tol=1e-2).fit(X, y)
    model = convert(estimator, X=X, value_bits=16)
    linear = model.table(LinearTable)
    assert linear.input_bits == 8 and (linear.inv_step == 1).all() and (linear.offset == 0).all()
    assert np.array_equal(linear_table.quantize_input(X, linear), X[:, linear.features])
    # What is left is the rounding of the weights: half a unit for each, and the bias.
    bound = (X[:, linear.features].sum(axis=1).max() + 128 * X.shape[1]) * model.scale / 2
    z = estimator.decision_function(X)
    away = model.scores(X) * model.scale - z
    assert np.abs(away).max() <= bound
    model = convert(estimator, X=X)
    assert model.nbytes <= 660 and (model.predict(X) == y).mean() > 0.98


def test_wide_whole_numbers_take_the_bits_they_need():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 256, 500), rng.integers(10_000, 10_050, 500)])
    estimator = Ridge().fit(X, X @ [1.0, 2.0] + rng.normal(size=500))
    linear = convert(estimator, X=X, value_bits=16).table(LinearTable)
    assert linear.input_bits == 9
    q = linear_table.quantize_input(X, linear)
    assert np.array_equal(q / linear.inv_step, X - linear.offset)


def test_columns_of_few_values_get_finer_steps_beside_wide_ones():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 2, (900, 3)), rng.normal(size=(900, 2))])
    y = (X @ [2, -2, 1, 1, -1] + rng.normal(size=900) > 0).astype(int)
    estimator = LogisticRegression().fit(X, y)
    model = convert(estimator, X=X)
    assert (model.table(LinearTable).inv_step[:3] > 1).all()
    np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=0.02)


@pytest.mark.parametrize("bits", ["ternary", 4, 8, 16])
@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), RidgeClassifier(), LinearRegression(), Ridge(), ElasticNet(0.1)],
    ids=repr,
)
def test_linear_estimators(estimator, bits):
    away, classify = [], hasattr(estimator, "decision_function")
    for K in (2, 3) if classify else (0,):
        X, y = problem(K)
        X[:, 2] = 5  # constant
        estimator = clone(estimator).fit(X, y)
        model = convert(estimator, X=X, value_bits=bits)
        own = estimator.decision_function(X) if classify else estimator.predict(X)
        ours = (model.scores(X) * np.asarray(model.scale)).reshape(own.shape)
        if K > 2:
            own, ours = (z - z.mean(axis=1, keepdims=True) for z in (own, ours))
        away.append(np.sqrt(np.mean((own - ours) ** 2) / np.var(own)))
        if classify:
            assert model.classes.tolist() == estimator.classes_.tolist()
    assert max(away) < {"ternary": 0.6, 4: 0.1, 8: 0.01, 16: 1e-3}[bits]


def test_linear_without_columns_that_count():
    X, _ = problem(0)
    estimator = Ridge().fit(X, np.full(len(X), 3.5))
    model = convert(estimator, X=X)
    assert not model.tables_of(LinearTable) and model.predict(X).tolist() == [3.5] * len(X)


def test_nan_in_the_rows_of_a_linear_model():
    X, y = problem(2)
    estimator = LogisticRegression().fit(X, y)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="X has NaN"):
        convert(estimator, X=X)
