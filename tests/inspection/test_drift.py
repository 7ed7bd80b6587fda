"""Drift of columns and of fidelity."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdistill import SoftLinearRegressor, SoftTreeClassifier
from skdistill.inspection import check_drift


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    return SoftTreeClassifier(max_leaf_nodes=6).fit(X, X[:, 0] > 0), X


def test_rows_of_the_same_kind_do_not_drift(model):
    tree, X = model
    rng = np.random.default_rng(1)
    drift = check_drift(tree, rng.normal(size=(800, 3)), X)
    assert not drift.has_drifted and str(drift) == "0 of 3 columns drifted"
    assert drift.fidelity is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda X: X + np.array([0.5, 0, 0]), "distance"),
        (lambda X: np.where(np.arange(len(X))[:, None] % 20 == 0, 99.0, X), "outside"),
        (lambda X: np.where(np.arange(len(X))[:, None] % 5 == 0, np.nan, X), "missing"),
    ],
)
def test_shifts_outliers_and_missing_values_are_drift(model, change, reason):
    tree, X = model
    fresh = change(np.random.default_rng(1).normal(size=(800, 3)))
    drift = check_drift(tree, fresh, X)
    assert drift.has_drifted and drift.drifted[0].column == "x[0]"
    first = drift.columns[0]
    assert {"distance": first.distance > 0.15, "outside": first.outside > 0.04,
            "missing": first.missing > 0.19}[reason]  # fmt: skip


def test_a_column_that_is_not_read_does_not_count(model):
    tree, X = model
    unread = int(np.setdiff1d(np.arange(3), tree.compact_.columns)[0])
    fresh = np.random.default_rng(1).normal(size=(800, 3))
    fresh[:, unread] += 3
    drift = check_drift(tree, fresh, X)
    assert len(drift.drifted) == 1 and not drift.has_drifted
    assert "which the model does not read" in str(drift)


def test_fidelity_is_compared_where_there_is_a_teacher(model):
    tree, X = model
    teacher = LogisticRegression().fit(X, X[:, 0] > 0)
    same = check_drift(tree, X[::2], X[1::2], teacher=teacher)
    assert not same.fidelity_fell and same.fidelity.share > 0.95
    other = LogisticRegression().fit(X + np.array([2, 0, 0]), X[:, 0] > 0)
    mixed = np.where(np.arange(1000)[:, None] < 500, X + np.array([1, 0, 0]), X)
    drift = check_drift(tree, mixed + np.array([1, 0, 0]), X[X[:, 0] < -0.5], teacher=other)
    assert drift.fidelity_fell and "fell" in str(drift)


def test_new_categories_and_other_shares_are_drift():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"c": pd.Categorical(rng.choice(list("abc"), 600)), "z": rng.normal(size=600)})
    tree = SoftTreeClassifier(max_leaf_nodes=3).fit(X, X["c"] == "a")
    assert not check_drift(tree, X[::2], X).has_drifted
    new = X.assign(c=np.where(rng.random(600) < 0.1, "new", X["c"].astype(str)))
    drift = check_drift(tree, new, X)
    assert drift.drifted[0].column == "c" and 0.05 < drift.drifted[0].outside < 0.15
    shares = X.assign(c=np.where(rng.random(600) < 0.5, "a", X["c"].astype(str)))
    assert check_drift(tree, shares, X).drifted[0].distance > 0.2


def test_no_rows_are_refused(model):
    tree, X = model
    with pytest.raises(ValueError, match="X_new has no rows"):
        check_drift(tree, X[:0], X)


def test_a_handful_of_rows_of_the_same_kind_does_not_drift():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 30))
    model = SoftLinearRegressor().fit(X, X.sum(axis=1))
    new = rng.normal(size=(20, 30))
    new[0, 0] = X[:, 0].max() + 0.01  # one row of 20 beyond 1000 others: p = 0.04 in one of 30
    assert not check_drift(model, new, X).has_drifted
    assert check_drift(model, new + 6, X).has_drifted


def test_a_teacher_that_refuses_the_new_rows_is_a_finding():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=200), "town": ["Bonn", "Cork"] * 100})
    y = np.where(X["a"] > 0, "no", "yes")
    encoded = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    teacher = make_pipeline(encoded, LogisticRegression()).fit(X, y)
    tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    assert check_drift(tree, X, X, teacher=teacher).fidelity.share == 1
    new = X.assign(town=["Bonn", "Rome"] * 100)
    drift = check_drift(tree, new, X, teacher=teacher)
    assert drift.fidelity is None and not drift.fidelity_fell
    assert drift.note.startswith("fidelity is unknown: the teacher refuses X_new (Found unknown")
    assert str(drift).startswith(drift.note)
    assert [each.column for each in drift.drifted] == ["town"]
