"""Adapting: only values move, no further than they may, and to where the user's rows are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier

from skdistill import (
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
    adapt,
    convert,
)
from skdistill.compact import LinearTable, TreeTable, evaluate
from tests.strategies import compact_models, seeds

WINE, CANCER = load_wine(return_X_y=True), load_breast_cancer(return_X_y=True)
STUDENTS = [
    SoftTreeClassifier(max_leaf_nodes=8),
    SoftBoostingClassifier(6, value_bits=4, random_state=0),
    SoftBoostingClassifier(6, init="linear", value_bits="ternary", random_state=0),
    SoftLinearClassifier(),
]


def values_of(student):
    return "leaves" if student.compact_.tables_of(TreeTable) else "bias"


def log_loss(model, X, y):
    P = evaluate.probabilities(model, model.scores(X))
    return -np.log(P[np.arange(len(y)), y]).mean()


def assert_same_but_for_values(a, b):
    assert (a.scale, a.link, a.n_features) == (b.scale, b.link, b.n_features)
    if a.tables_of(TreeTable):
        still = {"values": b.table(TreeTable).values}
        for name in ("roots", "feature", "threshold", "left", "right", "nan_left"):
            assert np.array_equal(
                getattr(a.table(TreeTable), name), getattr(b.table(TreeTable), name)
            )
        assert replace(a.table(TreeTable), **still).value_bits == b.table(TreeTable).value_bits
        assert a.table(TreeTable).unit == b.table(TreeTable).unit and np.array_equal(
            a.table(TreeTable).grid.edges, b.table(TreeTable).grid.edges
        )
    if a.tables_of(LinearTable):
        assert np.array_equal(a.table(LinearTable).weights, b.table(LinearTable).weights)


@pytest.mark.parametrize("data", [WINE, CANCER], ids=["wine", "cancer"])
@pytest.mark.parametrize("student", STUDENTS)
def test_a_user_whose_sensors_are_off_is_served_better(student, data):
    X, y = data
    student.fit(X[::2], y[::2])
    theirs = X[1::2] + X.std(axis=0) * (np.arange(X.shape[1]) < 4)
    own = adapt(student, theirs, y[1::2], values=values_of(student))
    assert_same_but_for_values(own, student.compact_)
    assert log_loss(own, theirs, y[1::2]) < log_loss(student.compact_, theirs, y[1::2])
    alone = adapt(student, theirs, y[1::2], values="bias")
    assert_same_but_for_values(alone, student.compact_)
    if alone.tables_of(TreeTable):
        assert np.array_equal(
            alone.table(TreeTable).values, student.compact_.table(TreeTable).values
        )
    assert log_loss(alone, theirs, y[1::2]) <= log_loss(student.compact_, theirs, y[1::2]) + 1e-3


@given(compact_models(), seeds, st.floats(0.01, 2), st.sampled_from(["leaves", "bias"]))
def test_no_value_moves_further_than_it_may(model, seed, most, values):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, model.n_features)) * 3
    y = rng.choice(model.classes, 20)
    if model.link == "normalize" or (values == "leaves" and not model.tables_of(TreeTable)):
        with pytest.raises(ValueError, match=r"votes|needs a model with trees"):
            adapt(model, X, y, values=values)
        return
    own = adapt(model, X, y, values=values, max_delta=most, l2_regularization=1e-3)
    assert_same_but_for_values(own, model)
    unit = model.scale
    assert (np.abs(own.bias - model.bias) * unit <= most + unit).all()
    if model.tables_of(TreeTable):
        moved = (
            np.abs(
                own.table(TreeTable).scaled_values.astype(float)
                - model.table(TreeTable).scaled_values
            )
            * unit
        )
        assert (moved <= most + unit * model.table(TreeTable).unit).all()
        unseen = np.ones(len(moved), bool)
        unseen[evaluate.leaves(model, X)] = False
        assert (moved[unseen] == 0).all()


@pytest.mark.parametrize("student", [SoftTreeRegressor(), SoftBoostingRegressor(6, random_state=0)])
def test_regressions_move_toward_the_users_values(student):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.column_stack([X[:, 0], 5 * X[:, 1]])
    student.fit(X, y)
    theirs = y + np.array([0.5, 2.0])
    before = np.square(student.predict(X) - theirs).mean(axis=0)
    for values in ("leaves", "bias"):
        own = adapt(student, X, theirs, values=values, max_delta=3.0)
        told = evaluate.predict(own, own.scores(X))
        assert (np.square(told - theirs).mean(axis=0) < before).all()


def test_what_was_learnt_stays_where_rows_say_nothing_else():
    X, y = CANCER
    student = SoftBoostingClassifier(6, random_state=0).fit(X, y)
    own = adapt(student, X[:20], student.predict(X[:20]))
    assert (own.predict(X) == student.predict(X)).mean() > 0.97


def test_weights_are_repetitions():
    X, y = WINE
    student = SoftBoostingClassifier(4, random_state=0).fit(X, y)
    times = np.random.default_rng(0).integers(0, 3, len(X))
    weighted = adapt(student, X, np.roll(y, 5), times)
    repeated = adapt(student, np.repeat(X, times, axis=0), np.repeat(np.roll(y, 5), times))
    away = weighted.table(TreeTable).values - repeated.table(TreeTable).values
    assert np.abs(away).max() <= 1 and (away == 0).mean() > 0.9  # L-BFGS takes other steps


def test_columns_in_another_order_are_refused():
    X = pd.DataFrame(WINE[0]).add_prefix("x")
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, WINE[1])
    assert adapt(model, X, WINE[1]).equals(adapt(model, X.to_numpy(), WINE[1]))
    with pytest.raises(ValueError, match="feature names should match"):
        adapt(model, X[X.columns[::-1]], WINE[1])


def test_refusals_name_what_is_wrong():
    X, y = WINE
    forest = convert(RandomForestClassifier(3, random_state=0).fit(X, y))
    with pytest.raises(ValueError, match="normalize"):
        adapt(forest, X, y)
    linear = SoftLinearClassifier().fit(X, y)
    with pytest.raises(ValueError, match="values='bias'"):
        adapt(linear, X, y)
    with pytest.raises(ValueError, match="among the model's classes: \\[7\\]"):
        adapt(linear, X[:1], [7], values="bias")
    with pytest.raises(ValueError, match="inconsistent numbers"):
        adapt(linear, X, y[:-1], values="bias")
    with pytest.raises(ValueError, match="'max_delta' parameter"):
        adapt(linear, X, y, values="bias", max_delta=0)
    one = SoftTreeClassifier().fit(X, np.zeros(len(X)))
    assert adapt(one, X, np.zeros(len(X)), values="bias") is one.compact_
