"""What a fitted teacher answers, in the columns of the student's classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill.teachers import (
    answers,
    known_classes,
    predictions,
    probabilities,
    require_predictions,
    require_probabilities,
)

X, Y = load_iris(return_X_y=True)
SOME = np.arange(0, 150, 3)


def fit(estimator, y=Y):
    return estimator.fit(X, y)


class Answers(GaussianNB):
    """Says what it is told to."""

    def __init__(self, P=None):
        super().__init__()
        self.P = P

    def predict_proba(self, X):
        return self.P


@pytest.mark.parametrize(
    "teacher",
    [
        GaussianNB(),
        RandomForestClassifier(3, random_state=0),
        HistGradientBoostingClassifier(max_iter=3),
        make_pipeline(StandardScaler(), LogisticRegression()),
        VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())], voting="soft"),
        StackingClassifier([("a", GaussianNB())], final_estimator=None, cv=2),
        CalibratedClassifierCV(LinearSVC(), cv=2),
        GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=2),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.parametrize("names", [[0, 1, 2], ["a", "b", "c"], [-4, 7, 1000]])
def test_answers_what_the_teacher_does(teacher, names):
    classes = np.array(names)
    require_probabilities(teacher)  # before it is fitted, too
    teacher = fit(teacher, classes[Y])
    require_probabilities(teacher)
    assert known_classes(teacher).tolist() == names
    P = probabilities(teacher, X[SOME], classes)
    assert_allclose(P, teacher.predict_proba(X[SOME]), rtol=1e-12)
    assert np.abs(P.sum(axis=1) - 1).max() < 1e-15
    frozen = FrozenEstimator(teacher)
    require_probabilities(frozen)
    assert probabilities(frozen, X[SOME], classes).tolist() == P.tolist()


def test_classes_that_the_teacher_does_not_know_get_zero():
    teacher = GaussianNB().fit(X[Y != 1], np.array(["b", "", "d"])[Y[Y != 1]])
    P = probabilities(teacher, X[SOME], np.array(["a", "b", "c", "d", "e"]))
    assert_allclose(P[:, [1, 3]], teacher.predict_proba(X[SOME]), rtol=1e-12)
    assert P[:, [0, 2, 4]].tolist() == [[0, 0, 0]] * len(SOME)


def test_classes_in_the_teachers_own_order():
    teacher = Answers([[0.625, 0.25, 0.125]]).fit(X, Y)
    teacher.classes_ = np.array([2, 0, 1])
    assert probabilities(teacher, X[:1], np.array([0, 1, 2, 3])).tolist() == [
        [0.25, 0.125, 0.625, 0]
    ]


@pytest.mark.parametrize("K", [2, 3, 40])
def test_float32_probabilities_of_xgboost(K):
    xgboost = pytest.importorskip("xgboost")
    rng = np.random.default_rng(0)
    rows, y = rng.normal(size=(400, 3)), np.arange(400) % K
    teacher = xgboost.XGBClassifier(n_estimators=4, max_depth=3, n_jobs=1).fit(rows, y)
    answer = teacher.predict_proba(rows)
    assert answer.dtype == np.float32
    P = probabilities(teacher, rows, np.arange(K))
    assert P.dtype == np.float64
    assert_allclose(P, answer.astype(np.float64), rtol=1e-5)
    assert np.abs(P.sum(axis=1) - 1).max() < 1e-15


def test_float32_probabilities_of_a_thousand_classes():
    z = np.random.default_rng(0).normal(size=(50, 1000)).astype(np.float32)
    answer = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert answer.dtype == np.float32
    teacher = Answers(answer)
    teacher.classes_ = np.arange(1000)
    P = probabilities(teacher, z, np.arange(1000))
    assert np.abs(P.sum(axis=1) - 1).max() < 1e-14


@pytest.mark.parametrize("names", [["a", "b", "c"], [0, 1, 2]])
def test_probabilities_of_lightgbm(names):
    lightgbm = pytest.importorskip("lightgbm")
    teacher = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1)
    frame = pd.DataFrame(X, columns=list("pqrs"))
    teacher.fit(frame, np.array(names)[Y])
    P = probabilities(teacher, frame, np.array(names))
    assert_allclose(P, teacher.predict_proba(frame), rtol=1e-12)


@pytest.mark.parametrize("teacher", [LinearSVC(), RidgeClassifier(), StandardScaler()])
def test_refuses_early_what_never_gives_probabilities(teacher):
    with pytest.raises(TypeError, match=f"{type(teacher).__name__} has no predict_proba: wrap it"):
        require_probabilities(teacher)
    with pytest.raises(TypeError, match="has no predict_proba"):
        require_probabilities(FrozenEstimator(teacher))


@pytest.mark.parametrize(
    "teacher",
    [SVC(), VotingClassifier([("a", GaussianNB())], voting="hard")],
    ids=lambda teacher: type(teacher).__name__,
)
def test_refuses_what_gives_no_probabilities_as_it_was_fitted(teacher):
    with pytest.raises(TypeError, match="has no predict_proba as it was fitted"):
        probabilities(fit(teacher), X, np.arange(3))


def test_refuses_an_unfitted_teacher():
    with pytest.raises(TypeError, match="GaussianNB has no classes_: is it fitted"):
        known_classes(GaussianNB())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[0.5, 0.2, 0.2]], "predict_proba of Answers row 0 sums to 0.9"),
        ([[0.2, 0.5, 0.3], [1.2, -0.2, 0.0]], "predict_proba of Answers row 1 has the negative"),
        ([[np.nan, 0.5, 0.5]], "predict_proba of Answers row 0 contains NaN"),
        ([[0.5, 0.5]], "predict_proba of Answers has 2 columns for 3 classes"),
        ([0.5, 0.5], "predict_proba of Answers must have shape"),
    ],
)
def test_refuses_what_is_no_table_of_probabilities(answer, message):
    with pytest.raises(ValueError, match=message):
        probabilities(fit(Answers(answer)), X, np.arange(3))


@pytest.mark.parametrize("classes", [[0, 1], [1, 2], [0, 1, 3], [0, 2, 3]])
def test_refuses_classes_that_nobody_expects(classes):
    with pytest.raises(ValueError, match="has classes"):
        probabilities(fit(GaussianNB()), X, np.array(classes))


class Says(BaseEstimator):
    """Answers what it was made with."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, X):
        return self.answer


def test_predicted_values_are_a_table():
    assert predictions(Says([1, 2]), np.zeros((2, 1))).tolist() == [[1.0], [2.0]]
    assert answers(Says([[1, 2]]), np.zeros((1, 1)), None).tolist() == [[1.0, 2.0]]
    assert predictions(Says(np.float32([3])), np.zeros((1, 1))).dtype == np.float64


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.0, np.nan], "predict of Says contains NaN"),
        ([1.0, np.inf], "predict of Says contains infinity"),
        ([1.0], "predict of Says has 1 rows for 2"),
        (["a", "b"], "could not convert"),
        (np.zeros((2, 1, 1)), "dim"),
    ],
    ids=repr,
)
def test_refuses_what_is_no_table_of_values(answer, message):
    with pytest.raises(ValueError, match=message):
        predictions(Says(answer), np.zeros((2, 1)))


def test_refuses_early_what_never_predicts_values():
    with pytest.raises(TypeError, match="StandardScaler has no predict"):
        require_predictions(StandardScaler())
    with pytest.raises(TypeError, match="Pipeline is a classifier: use DistilledClassifier"):
        require_predictions(make_pipeline(LogisticRegression()))
    require_predictions(Says(0))
