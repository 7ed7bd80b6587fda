"""The design matrix: the same numbers dense and sparse, and weights led back to integers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge

from skdistill.students.linear.design import design_matrix, empty_design, ridge


def rows(n=40):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5)) * [1, 30, 1e-3, 0, 5]  # the fourth column is constant
    X[rng.random(X.shape) < 0.5] = 0
    return X.astype(np.float32), rng.integers(1, 4, n).astype(float)


def test_inputs_have_a_deviation_of_one_and_constant_columns_are_left_out():
    X, weight = rows()
    design = design_matrix(X, weight, 8)
    assert design.scaling.features.tolist() == [0, 1, 2, 4]
    mean = np.average(design.Z, axis=0, weights=weight)
    assert np.average((design.Z - mean) ** 2, axis=0, weights=weight) == pytest.approx(1)
    Q = design.integers()
    assert np.array_equal(Q, design.scaling.quantize(X))
    assert np.abs(Q).max() <= design.scaling.q_max == 127


def test_sparse_rows_have_the_same_inputs_less_the_shift_that_keeps_them_sparse():
    X, weight = rows()
    dense, sparse = design_matrix(X, weight, 8), design_matrix(csr_array(X), weight, 8)
    for a, b in zip(dense.scaling, sparse.scaling, strict=True):
        assert np.array_equal(a, b)
    assert sparse.Z.toarray() + sparse.shift == pytest.approx(dense.Z)
    assert sparse.Z.nnz <= np.count_nonzero(X)
    W = np.random.default_rng(1).normal(size=(4, 2))
    assert sparse.integers() @ W == pytest.approx(dense.integers() @ W)


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_weights_on_integers_predict_as_those_on_the_design_matrix(kind):
    X, weight = rows()
    design = design_matrix(kind(X), weight, 6)
    rng = np.random.default_rng(1)
    W, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    V, c = design.on_integers(W, b)
    assert design.integers() @ V + c == pytest.approx(design.Z @ W + b)


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_ridge_is_scikit_learns(kind):
    X, weight = rows()
    y = np.column_stack([X[:, 0] + X[:, 1], X[:, 4]]).astype(float)
    W, b = ridge(kind(X.astype(float)), y, weight, 0.1)
    oracle = Ridge(0.1 * weight.sum()).fit(X.astype(float), y, weight)
    assert pytest.approx(oracle.coef_, abs=1e-8) == W.T
    assert b == pytest.approx(oracle.intercept_, abs=1e-8)


def test_no_column_is_a_matrix_without_columns():
    design = empty_design(7, 8)
    assert design.Z.shape == (7, 0)
    constant = design_matrix(np.ones((7, 2), np.float32), np.ones(7), 8)
    assert constant.Z.shape == (7, 0)
    W, b = constant.on_integers(np.zeros((0, 2)), np.array([1.0, 2.0]))
    assert (constant.integers() @ W + b).tolist() == [[1.0, 2.0]] * 7


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_some_columns_are_as_in_the_design_of_them_alone(kind):
    X, weight = rows()
    whole = design_matrix(kind(X), weight, 8)
    part = whole.take(np.array([0, len(whole.unit) - 1]))
    columns = part.scaling.features
    alone = design_matrix(kind(X[:, columns]), weight, 8)
    for name in ("offset", "inv_step"):
        assert (getattr(part.scaling, name) == getattr(alone.scaling, name)).all()
    assert columns.tolist() == [0, 4]
    assert abs(part.Z - alone.Z).max() == 0
    assert (part.unit == alone.unit).all() and (part.shift == alone.shift).all()
