"""Boosted predictions that rise, or fall, with a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from skdistill import SoftBoostingClassifier, SoftBoostingRegressor
from skdistill.targets import SoftTargets
from tests.strategies import seeds
from tests.students.monotonicity import SIGNS, assert_monotonic, draw

FORMS = st.fixed_dictionaries(
    {
        "value_bits": st.sampled_from([2, 4, 8, "ternary"]),
        "init": st.sampled_from([None, "linear"]),
        "linear_bits": st.sampled_from([4, "ternary"]),
        "binning": st.sampled_from(["uniform", "quantile"]),
        "max_bytes": st.sampled_from([None, 150]),
        "subsample": st.sampled_from([1.0, 0.5]),
    }
)


@settings(max_examples=12, deadline=None)
@given(seeds, SIGNS, FORMS)
def test_scores_of_a_regression(seed, signs, form):
    X, y, rng = draw(seed, 120)
    student = SoftBoostingRegressor(6, monotonic_cst=signs, random_state=0, **form).fit(X, y)
    assert_monotonic(student.compact_.scores, X.astype(np.float32), signs, rng)


@settings(max_examples=12, deadline=None)
@given(seeds, SIGNS, FORMS, st.sampled_from([1.0, 4.0]))
def test_scores_of_a_classification(seed, signs, form, temperature):
    X, y, rng = draw(seed, 120)
    soft = 1 / (1 + np.exp(-2 * y))
    hard = (y > 0).astype(np.intp)
    targets = SoftTargets(np.column_stack([1 - soft, soft]), hard, 0.5, temperature)
    student = SoftBoostingClassifier(6, monotonic_cst=signs, random_state=0, **form)
    student.fit(X, targets)
    assert_monotonic(student.compact_.scores, X.astype(np.float32), signs, rng)
    assert_monotonic(student.predict, X, signs, rng)


@pytest.mark.parametrize("init", [None, "linear"])
def test_it_is_as_good_as_that_of_scikit_learn(init):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    y = X[:, 0] ** 3 - np.exp(X[:, 1]) + rng.normal(size=2000)
    train, test = np.arange(1000), np.arange(1000, 2000)
    ours = {"max_leaf_nodes": 8, "monotonic_cst": [1, -1], "random_state": 0}
    theirs = ours | {"max_iter": 16, "learning_rate": 0.3}
    other = HistGradientBoostingRegressor(**theirs).fit(X[train], y[train])
    student = SoftBoostingRegressor(16, init=init, **ours).fit(X[train], y[train])
    assert student.score(X[test], y[test]) > other.score(X[test], y[test]) - 0.02
    labels = (y > 0).astype(int)
    other = HistGradientBoostingClassifier(**theirs).fit(X[train], labels[train])
    student = SoftBoostingClassifier(16, init=init, **ours).fit(X[train], labels[train])
    assert student.score(X[test], labels[test]) > other.score(X[test], labels[test]) - 0.02


def test_a_wrong_sign_leaves_a_constant():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 1))
    student = SoftBoostingRegressor(monotonic_cst=[-1], random_state=0).fit(X, X[:, 0])
    assert np.ptp(student.predict(X)) < 0.1
    linear = SoftBoostingRegressor(monotonic_cst=[-1], init="linear", random_state=0)
    assert np.ptp(linear.fit(X, X[:, 0]).predict(X)) < 0.1


def test_no_constraint_changes_nothing():
    X, y, _ = draw(0, 120)
    plain = SoftBoostingRegressor(4, random_state=0).fit(X, y)
    zeros = SoftBoostingRegressor(4, monotonic_cst=[0, 0, 0], random_state=0).fit(X, y)
    np.testing.assert_array_equal(
        plain.compact_.scores(X.astype(np.float32)), zeros.compact_.scores(X.astype(np.float32))
    )


def test_what_is_no_constraint():
    X, y, _ = draw(0, 120)
    with pytest.raises(ValueError, match="monotonic_cst must be an array-like of -1, 0 or 1"):
        SoftBoostingRegressor(monotonic_cst=[2, 0, 0]).fit(X, y)
    with pytest.raises(ValueError, match="not supported with multiple outputs, got n_outputs=2"):
        SoftBoostingRegressor(monotonic_cst=[1, 0, 0]).fit(X, np.column_stack([y, y]))
    rows, labels = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="not supported with multiclass classification"):
        SoftBoostingClassifier(monotonic_cst=[1, 0, 0, 0]).fit(rows, labels)
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "x", "y")})
    with pytest.raises(ValueError, match=r"must be 0 for the columns of categories \[1\]"):
        SoftBoostingRegressor(monotonic_cst={"b": 1}).fit(frame, y)
    targets = SoftTargets(np.eye(2)[(y > 0).astype(int)], (y > 0).astype(np.intp), hints=X[:, :1])
    with pytest.raises(ValueError, match="hints need monotonic_cst=None"):
        SoftBoostingClassifier(monotonic_cst=[1, 0, 0]).fit(X, targets)
