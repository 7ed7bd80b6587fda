"""Responses of fitted teachers, in the columns of the student's classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill.teachers import (
    as_probabilities,
    known_classes,
    one_hot_decisions,
    predictions,
    probabilities,
    require_predictions,
    require_response,
    response_values,
)

X, Y = load_iris(return_X_y=True)
SOME = np.arange(0, 150, 3)


def fit(estimator, y=Y):
    return estimator.fit(X, y)


class Fixed(GaussianNB):
    """Returns the table it was made with."""

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
def test_probabilities_are_those_of_the_teacher(teacher, names):
    classes = np.array(names)
    require_response(teacher)  # before it is fitted, too
    teacher = fit(teacher, classes[Y])
    require_response(teacher)
    assert known_classes(teacher).tolist() == names
    P = probabilities(teacher, X[SOME], classes)
    assert_allclose(P, teacher.predict_proba(X[SOME]), rtol=1e-12)
    assert np.abs(P.sum(axis=1) - 1).max() < 1e-15
    frozen = FrozenEstimator(teacher)
    require_response(frozen)
    assert probabilities(frozen, X[SOME], classes).tolist() == P.tolist()


def test_classes_that_the_teacher_does_not_know_get_zero():
    teacher = GaussianNB().fit(X[Y != 1], np.array(["b", "", "d"])[Y[Y != 1]])
    P = probabilities(teacher, X[SOME], np.array(["a", "b", "c", "d", "e"]))
    assert_allclose(P[:, [1, 3]], teacher.predict_proba(X[SOME]), rtol=1e-12)
    assert P[:, [0, 2, 4]].tolist() == [[0, 0, 0]] * len(SOME)


def test_classes_in_the_teachers_own_order():
    teacher = Fixed([[0.625, 0.25, 0.125]]).fit(X, Y)
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
    response = teacher.predict_proba(rows)
    assert response.dtype == np.float32
    P = probabilities(teacher, rows, np.arange(K))
    assert P.dtype == np.float64
    assert_allclose(P, response.astype(np.float64), rtol=1e-5)
    assert np.abs(P.sum(axis=1) - 1).max() < 1e-15


def test_float32_probabilities_of_a_thousand_classes():
    z = np.random.default_rng(0).normal(size=(50, 1000)).astype(np.float32)
    response = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert response.dtype == np.float32
    teacher = Fixed(response)
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


@pytest.mark.parametrize(
    "teacher",
    [
        LinearSVC(),
        RidgeClassifier(),
        SVC(),
        GridSearchCV(LinearSVC(), {"C": [1.0]}, cv=2),
        make_pipeline(StandardScaler(), LinearSVC()),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.parametrize("names", [[0, 1, 2], ["a", "b", "c"], [False, True, True]], ids=str)
def test_margins_where_there_are_no_probabilities(teacher, names):
    classes = np.unique(names)
    teacher = fit(clone(teacher), np.array(names)[Y])
    margins = teacher.decision_function(X)
    P = np.column_stack([expit(-margins), expit(margins)])
    if len(classes) == 3:
        P = softmax(margins, axis=1)
    for response_method in ("auto", "decision_function"):
        require_response(teacher, response_method)
        assert_allclose(probabilities(teacher, X, classes, response_method), P, rtol=1e-12)
    with pytest.raises(TypeError, match="has no predict_proba: use response_method='auto'"):
        probabilities(teacher, X, classes, "predict_proba")


def test_margins_on_request():
    teacher = fit(LogisticRegression(max_iter=500))
    assert_allclose(
        probabilities(teacher, X, np.arange(3), "decision_function"),
        probabilities(teacher, X, np.arange(3)),
        rtol=1e-9,
    )
    with pytest.raises(TypeError, match="GaussianNB has no decision_function: use response_m"):
        probabilities(fit(GaussianNB()), X, np.arange(3), "decision_function")


def test_margins_of_pairs_of_classes_are_refused():
    machine = SVC(decision_function_shape="ovo").fit(X, np.arange(150) % 4)
    with pytest.raises(ValueError, match="has 6 columns for 4 classes"):
        probabilities(machine, X, np.arange(4))


class Labels(BaseEstimator):
    """Predicts labels in the form it was made with, and nothing else."""

    def __init__(self, form):
        self.form = form

    def predict(self, X):
        return self.form(np.array(["b", "d"])[np.asarray(X)[:, 0].astype(int)])


@pytest.mark.parametrize("form", [np.asarray, list, lambda y: y[:, None], pd.Series])
def test_decisions(form):
    P = probabilities(Labels(form), [[1], [0], [1]], np.array(["a", "b", "c", "d"]), "predict")
    assert P.tolist() == [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1]]
    with pytest.raises(ValueError, match=r"has classes \['b', 'd'\], expected some of"):
        probabilities(Labels(form), [[1], [0]], np.array(["a", "b", "c"]), "predict")
    with pytest.raises(ValueError, match="predict of Labels has 1 rows for 2"):
        probabilities(Labels(lambda y: y[:1]), [[1], [0]], np.array(["b", "d"]), "predict")


def test_decisions_are_those_of_predict():
    """A threshold moves them away from the most probable class."""
    tuned = FixedThresholdClassifier(LogisticRegression(), threshold=0.9).fit(X, Y > 0)
    P = probabilities(tuned, X, np.array([False, True]), "predict")
    assert P[:, 1].tolist() == tuned.predict(X).tolist()
    assert (one_hot_decisions(tuned.predict_proba(X)) != P).any()


def test_one_hot_decisions():
    P = np.array([[0.2, 0.4, 0.4], [np.nan] * 3, [0.0, 0.0, 1.0]])
    expected = [[0.0, 1.0, 0.0], [np.nan] * 3, [0.0, 0.0, 1.0]]
    np.testing.assert_array_equal(one_hot_decisions(P), expected)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ([[np.nan, 1.0]], "row 0 contains NaN or infinity: margins must be finite"),
        (np.zeros((1, 0)), r"must have shape \(n_samples, n_classes\), got \(1, 0\)"),
        (0.0, r"must have shape \(n_samples, n_classes\), got \(\)"),
    ],
)
def test_what_holds_no_margins(response, message):
    with pytest.raises(ValueError, match=f"margins of X {message}"):
        as_probabilities(response, "decision_function", "margins of X")


@pytest.mark.parametrize("response_method", ["auto", "predict_proba", "decision_function"])
def test_refuses_early_what_never_gives_probabilities(response_method):
    for teacher in (StandardScaler(), FrozenEstimator(Labels(list)), Labels(list)):
        with pytest.raises(TypeError, match=r"has no .* or pass its prob.* as teacher_proba"):
            require_response(teacher, response_method)
    require_response(Labels(list), "predict")
    with pytest.raises(TypeError, match="StandardScaler has no predict: pass a classifier"):
        require_response(StandardScaler(), "predict")
    with pytest.raises(TypeError, match="response_method='predict' teaches its decisions"):
        require_response(Labels(list), response_method)


@pytest.mark.parametrize("response_method", ["auto", "predict_proba", "decision_function"])
def test_a_regressor_is_sent_to_the_other_distiller(response_method):
    for teacher in (Ridge(), FrozenEstimator(Ridge())):
        with pytest.raises(TypeError, match=r"Ridge has .* is a regressor: use DistilledRegressor"):
            require_response(teacher, response_method)


def test_refuses_what_gives_no_probabilities_as_it_was_fitted():
    teacher = VotingClassifier([("a", GaussianNB())], voting="hard")
    require_response(teacher)  # its class has the method
    with pytest.raises(TypeError, match="VotingClassifier has no predict_proba and no decision"):
        probabilities(fit(teacher), X, np.arange(3))


def test_refuses_an_unfitted_teacher():
    with pytest.raises(TypeError, match="GaussianNB has no classes_: is it fitted"):
        known_classes(GaussianNB())


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ([[0.5, 0.2, 0.2]], "predict_proba of Fixed row 0 sums to 0.9"),
        ([[0.2, 0.5, 0.3], [1.2, -0.2, 0.0]], "predict_proba of Fixed row 1 has the negative"),
        ([[np.nan, 0.5, 0.5]], "predict_proba of Fixed row 0 contains NaN"),
        ([[0.5, 0.5]], "predict_proba of Fixed has 2 columns for 3 classes"),
        ([0.5, 0.5], "predict_proba of Fixed must have shape"),
    ],
)
def test_refuses_what_is_no_table_of_probabilities(response, message):
    with pytest.raises(ValueError, match=message):
        probabilities(fit(Fixed(response)), X, np.arange(3))


@pytest.mark.parametrize("classes", [[0, 1], [1, 2], [0, 1, 3], [0, 2, 3]])
def test_refuses_classes_that_nobody_expects(classes):
    with pytest.raises(ValueError, match="has classes"):
        probabilities(fit(GaussianNB()), X, np.array(classes))


class FixedValues(BaseEstimator):
    """Predicts the values it was made with."""

    def __init__(self, values):
        self.values = values

    def predict(self, X):
        return self.values


def test_predicted_values_are_a_table():
    assert predictions(FixedValues([1, 2]), np.zeros((2, 1))).tolist() == [[1.0], [2.0]]
    assert response_values(FixedValues([[1, 2]]), np.zeros((1, 1)), None).tolist() == [[1.0, 2.0]]
    assert predictions(FixedValues(np.float32([3])), np.zeros((1, 1))).dtype == np.float64


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan], "predict of FixedValues contains NaN"),
        ([1.0, np.inf], "predict of FixedValues contains infinity"),
        ([1.0], "predict of FixedValues has 1 rows for 2"),
        (["a", "b"], "could not convert"),
        (np.zeros((2, 1, 1)), "dim"),
    ],
    ids=repr,
)
def test_refuses_what_is_no_table_of_values(values, message):
    with pytest.raises(ValueError, match=message):
        predictions(FixedValues(values), np.zeros((2, 1)))


def test_refuses_early_what_never_predicts_values():
    with pytest.raises(TypeError, match="StandardScaler has no predict"):
        require_predictions(StandardScaler())
    with pytest.raises(TypeError, match="Pipeline is a classifier: use DistilledClassifier"):
        require_predictions(make_pipeline(LogisticRegression()))
    require_predictions(FixedValues(0))
