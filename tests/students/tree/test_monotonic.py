"""Predictions that rise, or fall, with a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import SoftTreeClassifier, SoftTreeRegressor
from skdistill.targets import SoftTargets
from tests.strategies import seeds
from tests.students.monotonicity import SIGNS, assert_monotonic, draw


@settings(max_examples=25, deadline=None)
@given(seeds, SIGNS, st.sampled_from([2, 4, 8, "ternary"]), st.booleans())
def test_regression(seed, signs, value_bits, limited):
    X, y, rng = draw(seed, 150)
    tree = SoftTreeRegressor(
        monotonic_cst=signs,
        value_bits=value_bits,
        max_bytes=60 if limited else None,
        ccp_alpha=0.0 if seed % 2 else 0.01,
    ).fit(X, y)
    assert_monotonic(tree.predict, X, signs, rng)


@settings(max_examples=25, deadline=None)
@given(
    seeds,
    SIGNS,
    st.sampled_from([2, 8, "ternary"]),
    st.sampled_from(["squared_error", "entropy"]),
    st.sampled_from([1.0, 4.0]),
    st.integers(0, 2),
)
def test_classification(seed, signs, value_bits, criterion, temperature, tao_n_iter):
    X, y, rng = draw(seed, 150)
    soft = 1 / (1 + np.exp(-2 * y))
    hard = (y > 0).astype(np.intp)
    targets = SoftTargets(np.column_stack([1 - soft, soft]), hard, 0.5, temperature)
    tree = SoftTreeClassifier(
        criterion, monotonic_cst=signs, value_bits=value_bits, tao_n_iter=tao_n_iter
    ).fit(X, targets)
    assert_monotonic(lambda rows: tree.predict_proba(rows)[:, 1], X, signs, rng)
    assert_monotonic(tree.predict, X, signs, rng)


def test_it_is_as_good_as_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    y = X[:, 0] - X[:, 1]
    limits = {"max_leaf_nodes": 32, "monotonic_cst": [1, -1]}
    other = DecisionTreeRegressor(random_state=0, **limits).fit(X, y).score(X, y)
    assert SoftTreeRegressor(**limits).fit(X, y).score(X, y) > other - 0.02
    labels = (y > 0).astype(int)
    other = DecisionTreeClassifier(random_state=0, **limits).fit(X, labels).score(X, labels)
    assert SoftTreeClassifier(**limits).fit(X, labels).score(X, labels) > other - 0.02
    tempered = SoftTargets(np.eye(2)[labels], labels, 0.5, 3.0)
    assert SoftTreeClassifier(**limits).fit(X, tempered).score(X, labels) > other - 0.02
    wrong = SoftTreeRegressor(max_leaf_nodes=32, monotonic_cst=[-1, 1]).fit(X, y)
    assert wrong.compact_.tables == ()


def test_no_split_contradicts_its_sign():
    X, y = np.arange(8.0)[:, None], np.array([0.0, 1, 0, 1, 0, 5, 5, 0])
    tree = SoftTreeRegressor(monotonic_cst=[1], max_leaf_nodes=8).fit(X, y)
    predicted = tree.predict(X)
    assert (np.diff(predicted) >= 0).all()
    assert predicted[0] < predicted[-1]


def test_by_name():
    X, y, _ = draw(1, 150)
    frame = pd.DataFrame(np.nan_to_num(X), columns=["a", "b", "c"])
    named = SoftTreeRegressor(monotonic_cst={"a": 1, "c": -1}).fit(frame, y)
    listed = SoftTreeRegressor(monotonic_cst=[1, 0, -1]).fit(frame.to_numpy(), y)
    np.testing.assert_array_equal(named.predict(frame), listed.predict(frame.to_numpy()))


def test_what_is_no_constraint():
    X, y, _ = draw(0, 150)
    with pytest.raises(ValueError, match="monotonic_cst must be an array-like of -1, 0 or 1"):
        SoftTreeRegressor(monotonic_cst=[2, 0, 0]).fit(X, y)
    with pytest.raises(ValueError, match="monotonic_cst has shape"):
        SoftTreeRegressor(monotonic_cst=[1, 0]).fit(X, y)
    with pytest.raises(ValueError, match="not supported with multiple outputs, got n_outputs=2"):
        SoftTreeRegressor(monotonic_cst=[1, 0, 0]).fit(X, np.column_stack([y, y]))
    rows, labels = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="not supported with multiclass classification"):
        SoftTreeClassifier(monotonic_cst=[1, 0, 0, 0]).fit(rows, labels)
    assert (
        SoftTreeClassifier(monotonic_cst=[0, 0, 0, 0]).fit(rows, labels).score(rows, labels) > 0.9
    )
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "x", "y")})
    with pytest.raises(ValueError, match=r"must be 0 for the columns of categories \[1\]"):
        SoftTreeRegressor(monotonic_cst=[0, 1]).fit(frame, y)
