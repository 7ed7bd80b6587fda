"""What comes through the door: estimators, wrapped where they have to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skdistill import CallableTeacher, Committee, DistilledClassifier, MarginTeacher, OnnxTeacher
from skdistill.teachers import LabelEncodedClassifier, as_teacher, is_frozen, teach, told_classes

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])


def uniform(rows):
    return np.full((len(rows), 3), 1 / 3)


FITTED = FrozenEstimator(GaussianNB().fit(X, Y))


@pytest.mark.parametrize(
    ("teacher", "frozen"),
    [
        (GaussianNB(), False),
        (GaussianNB, False),
        (None, False),
        (FITTED, True),
        (uniform, True),
        (CallableTeacher(uniform), True),
        (OnnxTeacher("a.onnx"), True),
        (Path("a.onnx"), True),
        ([FITTED, uniform], True),
        ([FITTED, GaussianNB()], False),
        (Committee([FITTED, uniform], [1, 2]), True),
        (Committee([FITTED, uniform], "learn"), False),
        (MarginTeacher(LinearSVC()), False),
        (MarginTeacher(FrozenEstimator(LinearSVC().fit(X, Y))), True),
    ],
)
def test_who_needs_labels(teacher, frozen):
    assert is_frozen(teacher) == frozen
    if frozen and not any("onnx" in str(part) for part in (teacher, getattr(teacher, "path", ""))):
        ready = as_teacher(teacher, X)
        assert isinstance(ready, FrozenEstimator)
        assert clone(ready) is ready
        assert told_classes(ready, None).tolist() == [0, 1, 2]
        tags = DistilledClassifier(teacher).__sklearn_tags__()
        assert not tags.target_tags.required


def test_estimators_pass_unchanged():
    for teacher in (GaussianNB(), FITTED, make_pipeline(StandardScaler(), GaussianNB())):
        assert as_teacher(teacher, X, Y) is teacher
    ridge = Ridge()
    assert as_teacher(ridge, values=True) is ridge


def test_what_was_given_is_not_changed():
    teacher = CallableTeacher(uniform)
    as_teacher(teacher, X, NAMES[Y])
    assert not hasattr(teacher, "classes_")
    assert teacher.classes is None


class TestFunctions:
    def test_are_asked_for_one_row_to_count_their_columns(self):
        asked = []

        def told(rows):
            asked.append(rows.shape)
            return uniform(rows)

        teacher = as_teacher(told, X, NAMES[Y])
        assert asked == [(1, 4)]
        assert teacher.classes_.tolist() == ["a", "b", "c"]
        as_teacher(CallableTeacher(told, NAMES), X)
        assert asked == [(1, 4)]

    def test_order_of_the_columns(self):
        model = LogisticRegression(max_iter=500).fit(X, Y)
        teacher = CallableTeacher(lambda rows: model.predict_proba(rows)[:, [2, 0, 1]], [2, 0, 1])
        distilled = DistilledClassifier(teacher, transfer_set=None).fit(X, Y)
        straight = DistilledClassifier(FrozenEstimator(model), transfer_set=None).fit(X, Y)
        assert distilled.classes_.tolist() == [0, 1, 2]
        assert distilled.compact_.equals(straight.compact_)

    @pytest.mark.parametrize("form", [list, np.asarray, np.float32, lambda p: p[:, None]])
    def test_two_classes_in_one_column(self, form):
        teacher = as_teacher(lambda rows: form(np.full(len(rows), 0.25)), X)
        assert teacher.predict_proba(X[:1]).tolist() == [[0.75, 0.25]]

    @pytest.mark.parametrize("shift", [-9e-7, 9e-7])
    def test_rows_that_nearly_sum_to_one(self, shift):
        teacher = as_teacher(lambda rows: uniform(rows) + shift / 3, X)
        assert np.abs(teacher.predict_proba(X).sum(axis=1) - 1).max() < 1e-15
        with pytest.raises(ValueError, match="sums to"):
            as_teacher(lambda rows: uniform(rows) + 2 * shift / 3, X)

    def test_half_precision(self):
        P = np.random.default_rng(0).dirichlet(np.ones(9), 150).astype(np.float16)
        teacher = as_teacher(lambda rows: P[: len(rows)], X)
        assert np.abs(teacher.predict_proba(X).sum(axis=1) - 1).max() < 1e-15

    def test_margins(self):
        model = LogisticRegression(max_iter=500).fit(X, Y)
        teacher = CallableTeacher(model.decision_function, response_method="decision_function")
        P = as_teacher(teacher, X, Y).predict_proba(X)
        assert_allclose(P, model.predict_proba(X), rtol=1e-9)
        endless = CallableTeacher(
            lambda rows: np.full((len(rows), 2), np.inf), response_method="decision_function"
        )
        with pytest.raises(ValueError, match="margins must be finite"):
            as_teacher(endless, X)

    def test_what_is_none(self):
        with pytest.raises(TypeError, match="function=3 of CallableTeacher cannot be called"):
            CallableTeacher(3).fit(X)


class TestMargins:
    def test_of_a_logistic_model_are_its_probabilities(self):
        for y in (Y, NAMES[Y], Y == 1):
            model = LogisticRegression(max_iter=500).fit(X, y)
            teacher = MarginTeacher(LogisticRegression(max_iter=500)).fit(X, y)
            assert_allclose(teacher.predict_proba(X), model.predict_proba(X), rtol=1e-9)
            assert teacher.predict(X).tolist() == model.predict(X).tolist()
            assert teacher.decision_function(X).tolist() == model.decision_function(X).tolist()

    def test_of_a_machine_without_probabilities(self):
        with pytest.raises(TypeError, match="or in MarginTeacher where it has a decision_function"):
            as_teacher(LinearSVC())
        distilled = DistilledClassifier(MarginTeacher(SVC()), temperature="auto", transfer_set=None)
        assert distilled.fit(X, Y).score(X, Y) > 0.9
        assert distilled.temperature_ != 1

    def test_weights_reach_the_estimator(self):
        weight = np.random.default_rng(0).random(150)
        lesson = teach(MarginTeacher(LogisticRegression()), X, Y, np.arange(3), weight=weight)
        own = LogisticRegression().fit(X, Y, weight)
        assert lesson.teacher.estimator_.coef_.tolist() == own.coef_.tolist()

    def test_one_column_for_each_pair_of_classes_is_refused(self):
        many = np.arange(150) % 4
        machine = MarginTeacher(SVC(decision_function_shape="ovo"))
        with pytest.raises(ValueError, match="has 6 columns for 4 classes"):
            DistilledClassifier(machine, transfer_set=None).fit(X, many)

    def test_without_margins(self):
        with pytest.raises(TypeError, match="estimator=GaussianNB of MarginTeacher has no"):
            MarginTeacher(GaussianNB()).fit(X, Y)


class TestNumberedClasses:
    """XGBoost takes the labels 0, 1, … only."""

    xgboost = pytest.importorskip("xgboost")
    model = xgboost.XGBClassifier(n_estimators=3, n_jobs=1)

    @pytest.mark.parametrize("y", [NAMES[Y], 2 * Y, Y == 1], ids=["str", "int", "bool"])
    def test_labels_of_any_kind(self, y):
        numbers = np.unique(y, return_inverse=True)[1]
        wanted = clone(self.model).fit(X, numbers)
        searched = GridSearchCV(self.model, {"max_depth": [2]}, cv=2)
        for teacher in (self.model, make_pipeline(self.model), searched):
            ready = as_teacher(teacher)
            assert isinstance(ready, LabelEncodedClassifier)
            ready.fit(X, y)
            assert ready.classes_.tolist() == np.unique(y).tolist()
            if teacher is not searched:
                assert ready.predict_proba(X).tolist() == wanted.predict_proba(X).tolist()
                assert ready.predict(X).tolist() == np.unique(y)[wanted.predict(X)].tolist()

    def test_a_fold_without_a_class(self):
        keep = np.flatnonzero((Y != 1) | (np.arange(150) == 60))
        P = teach(as_teacher(self.model), X[keep], NAMES[Y[keep]], NAMES).P
        assert np.isfinite(P).all()
        assert (P[np.flatnonzero(keep == 60), 1] == 0).all()

    def test_weights_reach_the_estimator(self):
        weight = np.random.default_rng(0).random(150)
        wanted = clone(self.model).fit(X, Y, sample_weight=weight).predict_proba(X)
        for teacher in (self.model, make_pipeline(StandardScaler(), self.model)):
            lesson = teach(as_teacher(teacher), X, Y, np.arange(3), weight=weight)
            assert_allclose(lesson.teacher.predict_proba(X), wanted, atol=1e-5)

    def test_others_learn_labels(self):
        for teacher in (
            GaussianNB(),
            CalibratedClassifierCV(self.model),
            FrozenEstimator(self.model),
        ):
            assert as_teacher(teacher) is teacher
        regressor = self.xgboost.XGBRegressor()
        assert as_teacher(regressor, values=True) is regressor
