"""Functions as teachers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skdistill import CallableTeacher
from skdistill.teachers import as_teacher, probabilities
from tests.distillers import tree_classifier

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])


def uniform(rows):
    return np.full((len(rows), 3), 1 / 3)


def test_is_called_on_one_row_to_count_its_columns():
    shapes = []

    def function(rows):
        shapes.append(rows.shape)
        return uniform(rows)

    teacher = as_teacher(function, X, NAMES[Y])
    assert shapes == [(1, 4)]
    assert teacher.classes_.tolist() == ["a", "b", "c"]
    as_teacher(CallableTeacher(function, NAMES), X)
    assert shapes == [(1, 4)]


def test_order_of_the_columns():
    model = LogisticRegression(max_iter=500).fit(X, Y)
    teacher = CallableTeacher(lambda rows: model.predict_proba(rows)[:, [2, 0, 1]], [2, 0, 1])
    distilled = tree_classifier(teacher, transfer_set=None).fit(X, Y)
    straight = tree_classifier(FrozenEstimator(model), transfer_set=None).fit(X, Y)
    assert distilled.classes_.tolist() == [0, 1, 2]
    assert distilled.compact_.equals(straight.compact_)


@pytest.mark.parametrize("form", [list, np.asarray, np.float32, lambda p: p[:, None]])
def test_two_classes_in_one_column(form):
    teacher = as_teacher(lambda rows: form(np.full(len(rows), 0.25)), X)
    assert teacher.predict_proba(X[:1]).tolist() == [[0.75, 0.25]]


@pytest.mark.parametrize("shift", [-9e-7, 9e-7])
def test_rows_that_nearly_sum_to_one(shift):
    teacher = as_teacher(lambda rows: uniform(rows) + shift / 3, X)
    assert np.abs(teacher.predict_proba(X).sum(axis=1) - 1).max() < 1e-15
    with pytest.raises(ValueError, match="sums to"):
        as_teacher(lambda rows: uniform(rows) + 2 * shift / 3, X)


def test_half_precision():
    P = np.random.default_rng(0).dirichlet(np.ones(9), 150).astype(np.float16)
    teacher = as_teacher(lambda rows: P[: len(rows)], X)
    assert np.abs(teacher.predict_proba(X).sum(axis=1) - 1).max() < 1e-15


@pytest.mark.parametrize("y", [Y, Y == 1], ids=["three", "two"])
def test_margins(y):
    model = LogisticRegression(max_iter=500).fit(X, y)
    teacher = CallableTeacher(model.decision_function, response_method="decision_function")
    ready = as_teacher(teacher, X, y)
    assert_allclose(ready.predict_proba(X), model.predict_proba(X), rtol=1e-9)
    assert_allclose(ready.decision_function(X), model.decision_function(X))
    P = probabilities(ready, X, np.unique(y), "decision_function")
    assert_allclose(P, ready.predict_proba(X), rtol=1e-12)
    bare = as_teacher(model.decision_function, X, y, response_method="decision_function")
    assert bare.predict_proba(X).tolist() == ready.predict_proba(X).tolist()


def test_margins_that_are_not_finite():
    endless = CallableTeacher(
        lambda rows: np.full((len(rows), 2), np.inf), response_method="decision_function"
    )
    with pytest.raises(ValueError, match="margins must be finite"):
        as_teacher(endless, X)


def test_probabilities_have_no_margins():
    teacher = as_teacher(uniform, X)
    assert not hasattr(teacher, "decision_function")
    with pytest.raises(TypeError, match="has no decision_function: use response_method='auto'"):
        probabilities(teacher, X, np.arange(3), "decision_function")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"function": 3}, "'function' parameter of CallableTeacher must be a callable. Got 3"),
        ({"function": uniform, "classes": 3}, "'classes' parameter of CallableTeacher"),
        (
            {"function": uniform, "response_method": "predict"},
            "'response_method' parameter of CallableTeacher must be a str among",
        ),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(ValueError, match=message):
        CallableTeacher(**parameters).fit(X)


@pytest.mark.parametrize(
    "labels",
    [
        lambda rows: np.where(rows[:, 0] > 0, "a", "b"),
        lambda rows: (rows[:, 0] > 0).astype(int),
        lambda rows: rows[:, :1] > 0,
        lambda rows: 2.0 * (rows[:, 0] > 0) + 1,
        lambda rows: ["yes"] * len(rows),
    ],
)
def test_labels_teach_nothing(labels):
    rows = np.linspace(-1, 1, 20)[:, None] * [1, -1]
    with pytest.raises(ValueError, match=r"returns labels, as .* response_method='predict'"):
        CallableTeacher(labels, classes=["a", "b"]).fit(rows).predict_proba(rows[::-1])
