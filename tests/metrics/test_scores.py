"""Fidelity and its kin, against numbers counted by hand, and as scorers wherever scorers go."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, DistilledRegressor, Munge, Pool, SoftTreeClassifier
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

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
P = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
Q = np.array([[0.25, 0.75], [0.5, 0.5], [0.25, 0.75]])
TEACHER_SCORERS = [fidelity_scorer, retention_scorer, soft_log_loss_scorer, kl_divergence_scorer]


class TestFunctions:
    def test_fidelity_counts_equal_labels(self):
        assert fidelity_score([0, 1, 2, 2], [0, 2, 2, 2]) == 0.75
        assert fidelity_score(["a", "b"], ["a", "b"]) == 1.0
        assert fidelity_score(["a", "b"], ["b", "a"]) == 0.0
        assert fidelity_score([0, 1, 2, 2], [0, 2, 2, 2], [1, 5, 1, 3]) == 0.5

    def test_fidelity_of_probabilities_is_that_of_their_argmax(self):
        assert fidelity_score([[0.9, 0.1], [0.4, 0.6]], [[0.6, 0.4], [0.7, 0.3]]) == 0.5
        assert fidelity_score([[0.5, 0.5]], [[1.0, 0.0]]) == 1.0  # ties go to the lowest class

    @pytest.mark.parametrize(
        ("a", "b"), [([0, 1], [0]), ([0, 1], [[1.0, 0.0], [0.0, 1.0]]), ([[1.0, 0.0]], [0])]
    )
    def test_fidelity_compares_like_with_like(self, a, b):
        with pytest.raises(ValueError, match=r"dimensions|inconsistent"):
            fidelity_score(a, b)

    def test_retention_is_a_share_of_the_teachers_accuracy(self):
        y, teacher = [0, 1, 1, 0], [0, 1, 1, 1]
        assert retention_score(y, teacher, [0, 1, 0, 1]) == pytest.approx(2 / 3)
        assert retention_score(y, teacher, y) == pytest.approx(4 / 3)
        assert retention_score(y, teacher, [1, 0, 0, 1]) == 0
        assert retention_score(y, teacher, [0, 1, 0, 1], [1, 1, 2, 4]) == 0.5
        assert math.isnan(retention_score(y, [1, 0, 0, 1], y))

    def test_soft_log_loss_by_hand(self):
        rows = [0.5 * math.log(4) + 0.5 * math.log(4 / 3), math.log(2), 0.0]
        rows[2] = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
        assert soft_log_loss(P, Q) == pytest.approx(sum(rows) / 3, rel=1e-14)
        weighted = (rows[0] + 2 * rows[1] + 5 * rows[2]) / 8
        assert soft_log_loss(P, Q, [1, 2, 5]) == pytest.approx(weighted, rel=1e-14)

    def test_soft_log_loss_of_hard_labels_is_the_log_loss(self):
        told = np.random.default_rng(0).dirichlet(np.ones(3), 150)
        told[0] = [0, 0, 1]  # wrong for sure: clipped, as scikit-learn does
        assert soft_log_loss(np.eye(3)[Y], told) == pytest.approx(log_loss(Y, told), rel=1e-12)

    def test_kl_divergence_is_what_exceeds_the_entropy(self):
        rows = [0.5 * math.log(2) + 0.5 * math.log(2 / 3), math.log(2), 0.0]
        assert kl_divergence(P, Q) == pytest.approx(sum(rows) / 3, rel=1e-12)
        assert kl_divergence(P, Q, [1, 2, 5]) == pytest.approx(
            (rows[0] + 2 * rows[1]) / 8, rel=1e-12
        )
        assert kl_divergence(P, P) == pytest.approx(0, abs=1e-15)

    @pytest.mark.parametrize("function", [soft_log_loss, kl_divergence])
    @pytest.mark.parametrize(
        ("a", "b", "message"),
        [
            (P, Q[:2], "shape"),
            (P, np.full((3, 3), 1 / 3), "shape"),
            (P, Q * 1.01, "P_pred row 0 sums to 1.01"),
            (-P, Q, "P_true row 0 has the negative value"),
            (P[0], Q[0], "P_true must have shape"),
        ],
    )
    def test_tables_of_probabilities(self, function, a, b, message):
        with pytest.raises(ValueError, match=message):
            function(a, b)


@pytest.fixture(scope="module")
def distilled():
    half = slice(None, None, 2)
    return DistilledClassifier(
        GaussianNB(), SoftTreeClassifier(max_leaf_nodes=4), transfer_set=None
    ).fit(X[half], NAMES[Y[half]])


class TestScorers:
    def test_are_the_functions(self, distilled):
        y, teacher = NAMES[Y], distilled.teacher_
        labels, told = teacher.predict(X), teacher.predict_proba(X)
        mine, P_mine = distilled.predict(X), distilled.predict_proba(X)
        assert fidelity_scorer(distilled, X) == fidelity_score(labels, mine)
        assert fidelity_scorer(distilled, X) == (labels == mine).mean() < 1
        assert retention_scorer(distilled, X, y) == retention_score(y, labels, mine)
        assert retention_scorer(distilled, X, y) == pytest.approx(
            (mine == y).mean() / (labels == y).mean()
        )
        assert soft_log_loss_scorer(distilled, X) == -soft_log_loss(told, P_mine) < 0
        assert kl_divergence_scorer(distilled, X) == -kl_divergence(told, P_mine) < 0
        assert model_size_scorer(distilled) == -distilled.compact_.nbytes < 0

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_find_the_distiller_in_what_holds_it(self, scorer, distilled):
        y = NAMES[Y]
        wanted = scorer(distilled, X, y)
        scaler = StandardScaler().fit(X)
        holders = [
            FrozenEstimator(distilled),
            Pipeline([("distill", distilled)]),
            Pipeline([("none", "passthrough"), ("distill", distilled)]),
            FrozenEstimator(Pipeline([("distill", FrozenEstimator(distilled))])),
            Pipeline([("inner", Pipeline([("distill", distilled)]))]),
        ]
        for holder in holders:
            assert scorer(holder, X, y) == wanted
        scaled = Pipeline([("scale", scaler), ("distill", distilled)])
        assert scorer(scaled, scaler.inverse_transform(X), y) == pytest.approx(wanted)
        if scorer is not model_size_scorer:
            assert scorer(scaled, X, y) != wanted

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_in_cross_validation_of_a_pipeline(self, scorer):
        pipeline = make_pipeline(
            StandardScaler(), DistilledClassifier(GaussianNB(), transfer_set=None)
        )
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
            DistilledClassifier(GaussianNB(), SoftTreeClassifier(), transfer_set=None),
        )
        scoring = {scorer.__name__: scorer for scorer in (*TEACHER_SCORERS, model_size_scorer)}
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
        distilled = DistilledClassifier(teacher, transfer_set=None).fit(X[:100])
        assert distilled.classes_.tolist() == [0, 1, 2]
        agree = distilled.predict(X[100:]) == teacher.predict(X[100:])
        assert fidelity_scorer(distilled, X[100:]) == agree.mean() < 1
        assert fidelity_scorer(FrozenEstimator(distilled), X[100:]) == agree.mean()
        cv = cross_validate(
            DistilledClassifier(teacher, transfer_set=None), X, Y, scoring=fidelity_scorer, cv=3
        )
        assert cv["test_score"].min() > 0.9

    def test_a_teacher_that_orders_classes_otherwise_or_lacks_some(self):
        inner = GaussianNB().fit(X, Y)
        inner.classes_ = np.array([2, 0, 1])
        distilled = DistilledClassifier(FrozenEstimator(inner), transfer_set=None).fit(X)
        assert fidelity_scorer(distilled, X) == 1
        assert kl_divergence_scorer(distilled, X) > -0.1
        more = pd.DataFrame(np.eye(4)[Y], columns=range(4))
        lacking = DistilledClassifier(GaussianNB(), transfer_set=Pool(X)).fit(
            X, Y, teacher_proba=more
        )
        assert lacking.classes_.tolist() == [0, 1, 2, 3]
        told = np.hstack([lacking.teacher_.predict_proba(X), np.zeros((150, 1))])
        assert soft_log_loss_scorer(lacking, X) == -soft_log_loss(told, lacking.predict_proba(X))

    def test_data_frames_and_lists(self):
        frame = pd.DataFrame(X, columns=list("pqrs"))
        distilled = DistilledClassifier(GaussianNB(), transfer_set=None).fit(frame, Y)
        agree = distilled.teacher_.predict(frame) == distilled.predict(frame)
        assert fidelity_scorer(distilled, frame) == agree.mean()
        P = distilled.teacher_.predict_proba(frame)
        assert kl_divergence_scorer(distilled, frame) == -kl_divergence(
            P, distilled.predict_proba(frame)
        )
        distilled = DistilledClassifier(GaussianNB(), transfer_set=None).fit(X.tolist(), Y.tolist())
        for scorer in TEACHER_SCORERS:
            assert scorer(distilled, X.tolist(), Y.tolist()) == scorer(distilled, X, Y)


class TestWithoutTeacher:
    def test_scorers_that_need_one_say_so(self):
        P = np.eye(3)[Y]
        for bare in (
            DistilledClassifier(GaussianNB(), alpha=0).fit(X, Y),
            DistilledClassifier(None, transfer_set=None).fit(X, Y, teacher_proba=P),
            SoftTreeClassifier().fit(X, Y),
        ):
            for holder in (bare, make_pipeline(FrozenEstimator(bare))):
                for scorer in TEACHER_SCORERS:
                    with pytest.raises(ValueError, match="holds no teacher to compare with"):
                        scorer(holder, X, Y)
                assert model_size_scorer(holder) == -bare.compact_.nbytes

    @pytest.mark.parametrize("scorer", [*TEACHER_SCORERS, model_size_scorer])
    def test_others_hold_no_compact_model(self, scorer):
        for estimator in (GaussianNB().fit(X, Y), DistilledClassifier(GaussianNB())):
            with pytest.raises(ValueError, match=f"{type(estimator).__name__} holds no compact"):
                scorer(estimator, X, Y)


def test_fidelity_of_a_regressor_is_r2_against_its_teacher():
    X, y = load_diabetes(return_X_y=True)
    for target in (y, np.column_stack([y, y**2])):
        model = make_pipeline(StandardScaler(), DistilledRegressor(Ridge(), transfer_set=Munge(1)))
        model.fit(X[:300], target[:300])
        Z = model[:-1].transform(X[300:])
        taught, learnt = model[-1].teacher_.predict(Z), model[-1].predict(Z)
        assert fidelity_scorer(model, X[300:]) == r2_score(taught, learnt)
        assert model_size_scorer(model) == -model[-1].compact_.nbytes
