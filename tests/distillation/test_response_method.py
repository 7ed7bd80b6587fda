"""`response_method`: which answer of a teacher its student learns, for teachers of every kind."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import xgboost
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RepeatedStratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skdistill import (
    BoosterTeacher,
    CallableTeacher,
    Munge,
    SoftTreeClassifier,
    TeacherEnsemble,
)
from skdistill.metrics import fidelity_scorer, kl_divergence_scorer
from tests.distillers import tree_classifier

X, Y = load_iris(return_X_y=True)
ROWS = X.astype(np.float32)
NAMES = np.array(["a", "b", "c"])
PLAIN = {"transfer_set": None, "alpha": 1.0}


def student(P, classes=None):
    """What a student learns from a table of probabilities alone."""
    return SoftTreeClassifier().fit(ROWS, P, classes=classes).compact_


class Nearest(ClassifierMixin, BaseEstimator):
    """A classifier that has no method but `predict`."""

    def fit(self, X, y):
        self.model_ = KNeighborsClassifier(3).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)


class TestMargins:
    @pytest.mark.parametrize(
        "teacher",
        [
            LinearSVC(),
            SVC(),
            make_pipeline(StandardScaler(), LinearSVC()),
            GridSearchCV(LinearSVC(), {"C": [0.1, 1.0]}, cv=2),
        ],
        ids=lambda teacher: type(teacher).__name__,
    )
    @pytest.mark.parametrize("response_method", ["auto", "decision_function"])
    def test_of_a_teacher_without_probabilities(self, teacher, response_method):
        margins = cross_val_predict(teacher, ROWS, Y, method="decision_function")
        distilled = tree_classifier(teacher, response_method=response_method, **PLAIN)
        assert distilled.fit(X, Y).compact_.equals(student(softmax(margins, axis=1)))
        assert type(distilled.teacher_) is type(teacher)
        frozen = FrozenEstimator(clone(teacher).fit(ROWS, NAMES[Y]))
        margins = frozen.decision_function(ROWS)
        distilled = tree_classifier(frozen, response_method=response_method, **PLAIN).fit(X)
        assert distilled.compact_.equals(student(softmax(margins, axis=1), NAMES))
        assert fidelity_scorer(distilled, X) > 0.9
        assert -1 < kl_divergence_scorer(distilled, X) < 0

    def test_are_calibrated(self):
        distilled = tree_classifier(SVC(), temperature="auto", transfer_set=None).fit(X, Y)
        assert distilled.score(X, Y) > 0.9
        assert distilled.temperature_ != 1

    def test_are_refused_where_there_are_none(self):
        for teacher in (GaussianNB(), FrozenEstimator(GaussianNB().fit(X, Y))):
            with pytest.raises(TypeError, match="has no decision_function: use response_method="):
                tree_classifier(teacher, response_method="decision_function").fit(X, Y)
        calibrated = CalibratedClassifierCV(LinearSVC(), cv=2)
        assert tree_classifier(calibrated, **PLAIN).fit(X, Y).score(X, Y) > 0.9
        machine = tree_classifier(LinearSVC(), response_method="predict_proba")
        with pytest.raises(TypeError, match="LinearSVC has no predict_proba: use response_method="):
            machine.fit(X, Y)

    def test_of_pairs_of_classes_are_refused(self):
        machine = SVC(decision_function_shape="ovo")
        with pytest.raises(ValueError, match="has 6 columns for 4 classes"):
            tree_classifier(machine, transfer_set=None).fit(X, np.arange(150) % 4)

    def test_of_an_out_of_bag_forest_are_no_votes(self):
        forest = RandomForestClassifier(50, oob_score=True, random_state=0)
        with pytest.raises(TypeError, match="RandomForestClassifier has no decision_function"):
            tree_classifier(forest, response_method="decision_function").fit(X, Y)

    @pytest.mark.parametrize("wrap", [lambda f: f, CallableTeacher], ids=["bare", "wrapped"])
    def test_of_functions(self, wrap):
        model = LogisticRegression(max_iter=500).fit(ROWS, Y)
        distilled = tree_classifier(
            wrap(model.decision_function), response_method="decision_function", **PLAIN
        )
        expected = student(softmax(model.decision_function(ROWS), axis=1))
        assert distilled.fit(X).compact_.equals(expected)

    @pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
    def test_of_boosters(self, library):
        options = {"num_class": 3, "verbosity": 0}
        if library == "xgboost":
            options |= {"objective": "multi:softmax", "nthread": 1}  # has labels and margins only
            booster = xgboost.train(options, xgboost.DMatrix(ROWS, Y), 5)
            margins = booster.predict(xgboost.DMatrix(ROWS), output_margin=True)
        else:
            options |= {"objective": "multiclass", "num_threads": 1, "verbose": -1}
            booster = lightgbm.train(options, lightgbm.Dataset(ROWS, Y), 5)
            margins = booster.predict(ROWS, raw_score=True)
        expected = student(softmax(margins.astype(float), axis=1))
        for teacher in (booster, BoosterTeacher(booster)):
            distilled = tree_classifier(teacher, response_method="decision_function", **PLAIN)
            assert distilled.fit(X).compact_.equals(expected)

    def test_of_each_member_of_an_ensemble(self):
        machine, model = LinearSVC(), AdaBoostClassifier(n_estimators=5, random_state=0)
        for method, second in (("auto", "predict_proba"), ("decision_function",) * 2):
            P = softmax(cross_val_predict(machine, ROWS, Y, method="decision_function"), axis=1)
            own = cross_val_predict(model, ROWS, Y, method=second)
            own = softmax(own, axis=1) if method == "decision_function" else own
            distilled = tree_classifier([machine, model], response_method=method, **PLAIN)
            distilled.fit(X, Y)
            assert distilled.compact_.equals(student((P + own) / 2))
            frozen = [FrozenEstimator(one) for one in distilled.teacher_.estimators_]
            again = tree_classifier(frozen, response_method=method, **PLAIN).fit(X)
            P = softmax(frozen[0].decision_function(ROWS), axis=1)
            own = getattr(frozen[1], second)(ROWS)
            own = softmax(own, axis=1) if method == "decision_function" else own
            assert again.compact_.equals(student((P + own) / 2))


class TestDecisions:
    @pytest.mark.parametrize(
        "teacher",
        [
            GaussianNB(),
            LinearSVC(),
            Nearest(),
            VotingClassifier([("bayes", GaussianNB()), ("near", Nearest())], voting="hard"),
            xgboost.XGBClassifier(n_estimators=5, n_jobs=1),
            make_pipeline(StandardScaler(), Nearest()),
        ],
        ids=lambda teacher: type(teacher).__name__,
    )
    def test_get_all_of_the_probability(self, teacher):
        labels = cross_val_predict(teacher, ROWS, Y)
        distilled = tree_classifier(teacher, response_method="predict", **PLAIN)
        distilled.fit(X, NAMES[Y])
        assert distilled.compact_.equals(student(np.eye(3)[labels], NAMES))
        frozen = FrozenEstimator(clone(teacher).fit(ROWS, Y))
        again = tree_classifier(frozen, response_method="predict", **PLAIN).fit(X)
        assert again.compact_.equals(student(np.eye(3)[frozen.predict(ROWS)]))
        assert fidelity_scorer(again, X) > 0.95

    def test_label_further_rows(self):
        frozen, munge = FrozenEstimator(Nearest().fit(ROWS, Y)), Munge(2)
        distilled = tree_classifier(
            frozen, response_method="predict", transfer_set=munge, random_state=0
        )
        assert distilled.fit(X).score(X, frozen.predict(X)) > 0.95

    def test_need_no_probabilities(self):
        with pytest.raises(TypeError, match="response_method='predict' teaches its decisions"):
            tree_classifier(Nearest()).fit(X, Y)
        with pytest.raises(TypeError, match="StandardScaler has no predict:"):
            tree_classifier(StandardScaler(), response_method="predict").fit(X, Y)

    def test_follow_a_threshold(self):
        tuned = FixedThresholdClassifier(LogisticRegression(), threshold=0.9)
        frozen = FrozenEstimator(tuned.fit(ROWS, Y > 0))
        distilled = tree_classifier(frozen, response_method="predict", **PLAIN).fit(X)
        assert (distilled.predict(X) == frozen.predict(X)).mean() > 0.95

    def test_of_an_ensemble_are_its_own(self):
        members = [Nearest(), GaussianNB(), LinearSVC()]
        votes = np.eye(3)[cross_val_predict(members[0], ROWS, Y)]
        P = cross_val_predict(members[1], ROWS, Y, method="predict_proba")
        margins = cross_val_predict(members[2], ROWS, Y, method="decision_function")
        mean = (votes + P + softmax(margins, axis=1)) / 3
        distilled = tree_classifier(members, response_method="predict", **PLAIN).fit(X, Y)
        assert distilled.compact_.equals(student(np.eye(3)[mean.argmax(axis=1)]))
        learnt = TeacherEnsemble(members, "log_loss")
        distilled = tree_classifier(learnt, response_method="predict", **PLAIN).fit(X, Y)
        frozen = FrozenEstimator(distilled.teacher_)
        again = tree_classifier(frozen, response_method="predict", **PLAIN).fit(X)
        assert again.compact_.equals(student(np.eye(3)[frozen.predict(ROWS)]))

    def test_of_an_out_of_bag_forest(self):
        forest = RandomForestClassifier(50, oob_score=True, random_state=0).fit(ROWS, Y)
        distilled = tree_classifier(forest, response_method="predict", **PLAIN).fit(X, Y)
        labels = forest.oob_decision_function_.argmax(axis=1)
        assert distilled.compact_.equals(student(np.eye(3)[labels]))

    def test_of_repeated_folds_are_one_decision(self):
        cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=3, random_state=0)
        distilled = tree_classifier(Nearest(), cv=cv, response_method="predict", **PLAIN)
        folds = list(cv.split(X, Y))
        votes = sum(
            np.eye(3)[cross_val_predict(Nearest(), ROWS, Y, cv=folds[i : i + 3])] for i in (0, 3, 6)
        )
        expected = student(np.eye(3)[votes.argmax(axis=1)])
        assert distilled.fit(X, Y).compact_.equals(expected)

    def test_of_given_probabilities(self):
        P = np.random.default_rng(0).dirichlet(np.ones(3), 150)
        distilled = tree_classifier(None, response_method="predict", **PLAIN)
        distilled.fit(X, teacher_proba=P)
        assert distilled.compact_.equals(student(np.eye(3)[P.argmax(axis=1)]))

    def test_are_searched(self):
        distilled = tree_classifier(LinearSVC(), transfer_set=None)
        grid = {"response_method": ["auto", "decision_function", "predict"]}
        search = GridSearchCV(distilled, grid, cv=2, error_score="raise").fit(X, Y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_other_names_are_refused(self):
        with pytest.raises(ValueError, match="'response_method' parameter of DistilledClassifier"):
            tree_classifier(GaussianNB(), response_method="labels").fit(X, Y)
