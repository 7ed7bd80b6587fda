"""Scorers wherever scikit-learn takes scorers."""

from __future__ import annotations

import math
import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import UndefinedMetricWarning, UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import check_scoring, get_scorer, r2_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import (
    Munge,
    Pool,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.metrics import (
    fidelity_score,
    fidelity_scorer,
    kl_divergence,
    kl_divergence_scorer,
    model_size_scorer,
    retention_score,
    retention_scorer,
    soft_log_loss,
    soft_log_loss_scorer,
)
from tests.distillers import tree_classifier, tree_regressor

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
TEACHER_SCORERS = [fidelity_scorer, retention_scorer, soft_log_loss_scorer, kl_divergence_scorer]
SCORER_NAMES = [
    "fidelity_scorer",
    "retention_scorer",
    "soft_log_loss_scorer",
    "kl_divergence_scorer",
    "model_size_scorer",
]


@pytest.fixture(scope="module")
def distilled():
    half = slice(None, None, 2)
    return tree_classifier(
        GaussianNB(), SoftTreeClassifier(max_leaf_nodes=4), transfer_set=None
    ).fit(X[half], NAMES[Y[half]])


class TestScorers:
    def test_are_the_functions(self, distilled):
        y, teacher = NAMES[Y], distilled.teacher_
        labels, P_teacher = teacher.predict(X), teacher.predict_proba(X)
        mine, P_mine = distilled.predict(X), distilled.predict_proba(X)
        assert fidelity_scorer(distilled, X) == fidelity_score(labels, mine)
        assert fidelity_scorer(distilled, X) == (labels == mine).mean() < 1
        assert retention_scorer(distilled, X, y) == retention_score(y, labels, mine)
        assert retention_scorer(distilled, X, y) == pytest.approx(
            (mine == y).mean() / (labels == y).mean()
        )
        expected = -soft_log_loss(P_teacher, P_mine)
        assert soft_log_loss_scorer(distilled, X) == pytest.approx(expected)
        expected = -kl_divergence(P_teacher, P_mine)
        assert kl_divergence_scorer(distilled, X) == pytest.approx(expected)
        assert model_size_scorer(distilled) == -distilled.compact_.nbytes < 0

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_find_the_distiller_in_what_holds_it(self, scorer, distilled):
        y = NAMES[Y]
        expected = scorer(distilled, X, y)
        scaler = StandardScaler().fit(X)
        holders = [
            FrozenEstimator(distilled),
            Pipeline([("distill", distilled)]),
            Pipeline([("none", "passthrough"), ("distill", distilled)]),
            FrozenEstimator(Pipeline([("distill", FrozenEstimator(distilled))])),
            Pipeline([("inner", Pipeline([("distill", distilled)]))]),
        ]
        for holder in holders:
            assert scorer(holder, X, y) == pytest.approx(expected)
        scaled = Pipeline([("scale", scaler), ("distill", distilled)])
        assert scorer(scaled, scaler.inverse_transform(X), y) == pytest.approx(expected)
        if scorer is not model_size_scorer:
            assert scorer(scaled, X, y) != expected

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_in_cross_validation_of_a_pipeline(self, scorer):
        pipeline = make_pipeline(StandardScaler(), tree_classifier(GaussianNB(), transfer_set=None))
        scores = cross_val_score(pipeline, X, NAMES[Y], cv=3, scoring=scorer)
        fits = cross_validate(
            pipeline, X, NAMES[Y], cv=3, return_estimator=True, return_indices=True
        )
        for score, fitted, test in zip(
            scores, fits["estimator"], fits["indices"]["test"], strict=True
        ):
            assert score == scorer(fitted[-1], fitted[0].transform(X[test]), NAMES[Y[test]])

    def test_in_a_search(self):
        pipeline = make_pipeline(
            StandardScaler(),
            tree_classifier(GaussianNB(), SoftTreeClassifier(), transfer_set=None),
        )
        scoring = dict(zip(SCORER_NAMES, (*TEACHER_SCORERS, model_size_scorer), strict=True))
        grid = {"distilledclassifier__student__max_leaf_nodes": [2, 4, 16]}
        search = GridSearchCV(pipeline, grid, cv=3, scoring=scoring, refit="fidelity_scorer")
        search.fit(X, NAMES[Y])
        results = pd.DataFrame(search.cv_results_)
        assert not results.isna().any().any()
        assert search.best_params_ == {
            "distilledclassifier__student__max_leaf_nodes": int(
                [2, 4, 16][results["mean_test_fidelity_scorer"].argmax()]
            )
        }
        assert results["mean_test_fidelity_scorer"][0] < 0.7  # two leaves, three classes
        assert results["mean_test_fidelity_scorer"].max() > 0.9
        assert (np.diff(results["mean_test_model_size_scorer"]) < 0).all()
        assert fidelity_scorer(search, X) == fidelity_scorer(search.best_estimator_, X)
        assert model_size_scorer(search) == -search.best_estimator_[-1].compact_.nbytes

    def test_a_frozen_teacher(self):
        teacher = FrozenEstimator(GaussianNB().fit(X, Y))
        distilled = tree_classifier(teacher, transfer_set=None).fit(X[:100])
        assert distilled.classes_.tolist() == [0, 1, 2]
        agree = distilled.predict(X[100:]) == teacher.predict(X[100:])
        assert fidelity_scorer(distilled, X[100:]) == agree.mean() < 1
        assert fidelity_scorer(FrozenEstimator(distilled), X[100:]) == agree.mean()
        cv = cross_validate(
            tree_classifier(teacher, transfer_set=None), X, Y, scoring=fidelity_scorer, cv=3
        )
        assert cv["test_score"].min() > 0.9

    def test_a_teacher_that_orders_classes_otherwise_or_lacks_some(self):
        inner = GaussianNB().fit(X, Y)
        inner.classes_ = np.array([2, 0, 1])
        distilled = tree_classifier(FrozenEstimator(inner), transfer_set=None).fit(X)
        assert fidelity_scorer(distilled, X) == 1
        assert kl_divergence_scorer(distilled, X) > -0.1
        more = pd.DataFrame(np.eye(4)[Y], columns=range(4))
        lacking = tree_classifier(GaussianNB(), transfer_set=Pool(X)).fit(X, Y, teacher_proba=more)
        assert lacking.classes_.tolist() == [0, 1, 2, 3]
        P_teacher = np.hstack([lacking.teacher_.predict_proba(X), np.zeros((150, 1))])
        expected = -soft_log_loss(P_teacher, lacking.predict_proba(X))
        assert soft_log_loss_scorer(lacking, X) == pytest.approx(expected)

    def test_data_frames_and_lists(self):
        frame = pd.DataFrame(X, columns=list("pqrs"))
        distilled = tree_classifier(GaussianNB(), transfer_set=None).fit(frame, Y)
        agree = distilled.teacher_.predict(frame) == distilled.predict(frame)
        assert fidelity_scorer(distilled, frame) == agree.mean()
        P = distilled.teacher_.predict_proba(frame)
        expected = -kl_divergence(P, distilled.predict_proba(frame))
        assert kl_divergence_scorer(distilled, frame) == pytest.approx(expected)
        distilled = tree_classifier(GaussianNB(), transfer_set=None).fit(X.tolist(), Y.tolist())
        for scorer in TEACHER_SCORERS:
            expected = scorer(distilled, X, Y)
            assert scorer(distilled, X.tolist(), Y.tolist()) == pytest.approx(expected)


class TestWithoutTeacher:
    def test_scorers_that_need_one_give_nan_and_one_warning(self):
        P = np.eye(3)[Y]
        for bare in (
            tree_classifier(GaussianNB(), alpha=0).fit(X, Y),
            tree_classifier(None, transfer_set=None).fit(X, Y, teacher_proba=P),
            SoftTreeClassifier().fit(X, Y),
        ):
            message = f"is NaN: {type(bare).__name__} holds no teacher to compare with"
            for holder in (bare, make_pipeline(FrozenEstimator(bare))):
                for scorer in TEACHER_SCORERS:
                    with pytest.warns(UndefinedMetricWarning, match=message) as caught:
                        assert math.isnan(scorer(holder, X, Y, sample_weight=np.ones(150)))
                    assert len(caught) == 1
                assert model_size_scorer(holder) == -bare.compact_.nbytes

    def test_a_search_over_alpha_goes_on(self):
        search = GridSearchCV(
            tree_classifier(GaussianNB(), transfer_set=None),
            {"alpha": [0.0, 0.5]},
            scoring={"accuracy": "accuracy", "fidelity": fidelity_scorer},
            refit="accuracy",
            cv=2,
        )
        with (
            pytest.warns(UndefinedMetricWarning, match="holds no teacher"),
            pytest.warns(UserWarning, match="non-finite"),
        ):
            search.fit(X, Y)
        fidelity = search.cv_results_["mean_test_fidelity"]
        assert np.isnan(fidelity).tolist() == [True, False]

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_others_hold_no_compact_model(self, scorer):
        for estimator in (GaussianNB().fit(X, Y), tree_classifier(GaussianNB())):
            with pytest.raises(ValueError, match=f"{type(estimator).__name__} holds no compact"):
                scorer(estimator, X, Y)


class TestAsMadeByMakeScorer:
    """What scikit-learn's own scorers do, these do."""

    def test_weights_of_rows(self, distilled):
        y, weight = NAMES[Y], np.random.default_rng(0).integers(0, 4, 150)
        repeated = np.repeat(np.arange(150), weight)
        for scorer in (*TEACHER_SCORERS, model_size_scorer):
            expected = scorer(distilled, X[repeated], y[repeated])
            assert scorer(distilled, X, y, sample_weight=weight) == pytest.approx(expected)
        assert fidelity_scorer(distilled, X, y, sample_weight=weight) != fidelity_scorer(
            distilled, X, y
        )

    def test_weights_of_rows_of_a_regressor(self):
        rows, y = load_diabetes(return_X_y=True)
        weight = np.arange(len(y)) % 3
        model = tree_regressor(Ridge(), transfer_set=None).fit(rows, y)
        taught, learnt = model.teacher_.predict(rows), model.predict(rows)
        expected = r2_score(taught, learnt, sample_weight=weight)
        assert fidelity_scorer(model, rows, sample_weight=weight) == pytest.approx(expected)

    def test_repr(self):
        assert repr(fidelity_scorer) == "TeacherScorer(fidelity)"
        assert repr(retention_scorer) == "TeacherScorer(retention)"
        assert repr(soft_log_loss_scorer) == "TeacherScorer(soft_log_loss, greater_is_better=False)"
        assert repr(kl_divergence_scorer) == "TeacherScorer(kl_divergence, greater_is_better=False)"
        assert repr(model_size_scorer) == "StudentScorer(model_size, greater_is_better=False)"

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_pickled_copied_and_checked(self, scorer, distilled):
        y = NAMES[Y]
        for copy in (pickle.loads(pickle.dumps(scorer)), deepcopy(scorer)):
            assert copy(distilled, X, y) == scorer(distilled, X, y)
        assert check_scoring(distilled, scoring=scorer) is scorer
        assert get_scorer(scorer) is scorer

    def test_other_metadata_is_refused(self, distilled):
        with pytest.raises(ValueError, match=r"Extra parameters passed are: \{'price'\}"):
            fidelity_scorer(distilled, X, price=np.ones(150))

    def test_requests_need_routing(self):
        with pytest.raises(RuntimeError, match="only available when metadata routing is enabled"):
            fidelity_scorer.set_score_request(sample_weight=True)

    @pytest.mark.parametrize("scorer", TEACHER_SCORERS)
    def test_weights_are_routed_to_the_scorer(self, scorer):
        weight = np.random.default_rng(0).integers(0, 4, 150)
        folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, Y))
        grid = {"student__max_leaf_nodes": [3, 8]}
        plain = tree_classifier(GaussianNB(), SoftTreeClassifier(), transfer_set=None)
        with config_context(enable_metadata_routing=True):
            weighted = scorer.set_score_request(sample_weight=True)
            teacher = GaussianNB().set_fit_request(sample_weight=False)
            estimator = clone(plain).set_params(teacher=teacher)
            estimator.set_fit_request(sample_weight=False)
            estimator.teacher.set_fit_request(sample_weight=False)
            found = {}
            for name, scoring in (("one", weighted), ("several", {"score": weighted})):
                search = GridSearchCV(estimator, grid, cv=folds, scoring=scoring, refit=False)
                results = search.fit(X, Y, sample_weight=weight).cv_results_
                found[name] = results["mean_test_score"].tolist()
            # scikit-learn 1.7: scorers request nothing by default.
            with pytest.raises((UnsetMetadataPassedError, TypeError), match="sample_weight"):
                GridSearchCV(estimator, grid, scoring=scorer).fit(X, Y, sample_weight=weight)
        expected = []
        for leaves in (3, 8):
            model = clone(plain).set_params(student__max_leaf_nodes=leaves)
            scores = [
                scorer(clone(model).fit(X[a], Y[a]), X[b], Y[b], sample_weight=weight[b])
                for a, b in folds
            ]
            expected.append(np.mean(scores))
        assert found["one"] == pytest.approx(expected)
        assert found["several"] == pytest.approx(expected)


def test_divergence_from_a_teacher_of_decisions():
    class Labels(ClassifierMixin, BaseEstimator):
        classes_ = np.arange(3)

        def fit(self, X, y):
            return self

        def predict(self, X):
            return (np.asarray(X)[:, 2] > 2.5).astype(int) + (np.asarray(X)[:, 3] > 1.65)

    settings = {"response_method": "predict", "transfer_set": None}
    distilled = tree_classifier(FrozenEstimator(Labels()), **settings).fit(X)
    decisions = np.eye(3)[distilled.teacher_.predict(X)]
    expected = -kl_divergence(decisions, distilled.predict_proba(X))
    assert kl_divergence_scorer(distilled, X) == pytest.approx(expected)
    bayes = FrozenEstimator(GaussianNB().fit(X, Y))
    distilled = tree_classifier(bayes, **settings).fit(X)
    expected = -kl_divergence(bayes.predict_proba(X), distilled.predict_proba(X))
    assert kl_divergence_scorer(distilled, X) == pytest.approx(expected)


def test_fidelity_of_a_regressor_is_r2_against_its_teacher():
    X, y = load_diabetes(return_X_y=True)
    for target in (y, np.column_stack([y, y**2])):
        model = make_pipeline(StandardScaler(), tree_regressor(Ridge(), transfer_set=Munge(1)))
        model.fit(X[:300], target[:300])
        Z = model[:-1].transform(X[300:])
        taught, learnt = model[-1].teacher_.predict(Z), model[-1].predict(Z)
        assert fidelity_scorer(model, X[300:]) == pytest.approx(r2_score(taught, learnt))
        assert model_size_scorer(model) == -model[-1].compact_.nbytes


class TestRegressors:
    ROWS, VALUES = load_diabetes(return_X_y=True)

    def distilled(self, teacher):
        student = SoftTreeRegressor(max_leaf_nodes=8)
        return tree_regressor(teacher, student, transfer_set=None, cv=2).fit(self.ROWS, self.VALUES)

    def test_retention_is_a_ratio_of_r2(self):
        distilled = self.distilled(Ridge())
        weight = np.random.default_rng(0).random(len(self.ROWS))
        for w in (None, weight):
            teacher = distilled.teacher_.score(self.ROWS, self.VALUES, w)
            student = distilled.score(self.ROWS, self.VALUES, w)
            score = retention_scorer(distilled, self.ROWS, self.VALUES, sample_weight=w)
            assert score == pytest.approx(student / teacher) and 0.5 < score < 1.5

    def test_nothing_is_retained_of_a_teacher_without_r2(self):
        distilled = self.distilled(DummyRegressor())
        with pytest.warns(UndefinedMetricWarning, match="nothing to retain"):
            assert math.isnan(retention_scorer(distilled, self.ROWS, self.VALUES))

    @pytest.mark.parametrize("scorer", [kl_divergence_scorer, soft_log_loss_scorer])
    def test_probabilities_that_are_not_there_are_refused(self, scorer):
        with pytest.raises(ValueError, match="DistilledRegressor predicts none: use fidelity"):
            scorer(self.distilled(Ridge()), self.ROWS, self.VALUES)
