"""Metadata of scikit-learn finds its way through pipelines, searches and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import balanced_accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)

X, Y = load_breast_cancer(return_X_y=True)
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, len(X))
P = RandomForestClassifier(20, random_state=0).fit(X, Y).predict_proba(X)
Z = StandardScaler().fit_transform(X)


@pytest.fixture(autouse=True)
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def piped(student, **request):
    student.set_fit_request(**request).set_score_request(sample_weight=True)
    return make_pipeline(StandardScaler().set_fit_request(sample_weight=False), student)


@pytest.mark.parametrize(
    "student",
    [SoftTreeClassifier(), SoftLinearClassifier(), SoftBoostingClassifier(3, random_state=0)],
    ids=lambda e: type(e).__name__,
)
def test_weights_reach_a_student_in_a_pipeline(student):
    pipeline = piped(student, sample_weight=True).fit(X, Y, sample_weight=WEIGHT)
    alone = type(student)(**student.get_params()).fit(Z, Y, WEIGHT)
    assert pipeline[-1].compact_.equals(alone.compact_)


def test_weights_and_soft_labels_reach_a_distiller_in_a_pipeline():
    distiller = DistilledClassifier(None, SoftTreeClassifier(max_leaf_nodes=8), transfer_set=None)
    pipeline = piped(distiller, sample_weight=True, teacher_proba=True)
    pipeline.fit(X, Y, sample_weight=WEIGHT, teacher_proba=P)
    alone = DistilledClassifier(None, SoftTreeClassifier(max_leaf_nodes=8), transfer_set=None)
    alone.fit(Z, Y, WEIGHT, teacher_proba=P)
    assert pipeline[-1].compact_.equals(alone.compact_)


def test_values_of_a_teacher_reach_a_regressor():
    y, told = X[:, 0], X[:, 0] + 0.1
    distiller = DistilledRegressor(None, SoftTreeRegressor(max_leaf_nodes=8), transfer_set=None)
    pipeline = piped(distiller, sample_weight=True, teacher_prediction=True)
    pipeline.fit(X, y, sample_weight=WEIGHT, teacher_prediction=told)
    alone = DistilledRegressor(None, SoftTreeRegressor(max_leaf_nodes=8), transfer_set=None)
    assert pipeline[-1].compact_.equals(alone.fit(Z, y, WEIGHT, teacher_prediction=told).compact_)


def test_rows_of_a_fold_get_their_own_soft_labels():
    distiller = DistilledClassifier(None, SoftTreeClassifier(max_leaf_nodes=8), transfer_set=None)
    pipeline = piped(distiller, sample_weight=True, teacher_proba=True)
    folds = [(np.arange(300), np.arange(300, 569)), (np.arange(200, 569), np.arange(200))]
    found = cross_validate(
        pipeline,
        X,
        Y,
        cv=folds,
        params={"sample_weight": WEIGHT, "teacher_proba": P},
        return_estimator=True,
    )
    for fitted, (train, _) in zip(found["estimator"], folds, strict=True):
        rows = StandardScaler().fit_transform(X[train])
        alone = DistilledClassifier(None, SoftTreeClassifier(max_leaf_nodes=8), transfer_set=None)
        alone.fit(rows, Y[train], WEIGHT[train], teacher_proba=P[train])
        assert fitted[-1].compact_.equals(alone.compact_)


def test_searches_and_thresholds_hand_them_on():
    distiller = DistilledClassifier(None, SoftTreeClassifier(), transfer_set=None)
    distiller.set_fit_request(sample_weight=True, teacher_proba=True)
    distiller.set_score_request(sample_weight=True)
    search = GridSearchCV(distiller, {"student__max_leaf_nodes": [4, 8]}, cv=3)
    search.fit(X, Y, sample_weight=WEIGHT, teacher_proba=P)
    leaves = search.best_params_["student__max_leaf_nodes"]
    alone = DistilledClassifier(None, SoftTreeClassifier(max_leaf_nodes=leaves), transfer_set=None)
    alone.fit(X, Y, WEIGHT, teacher_proba=P)
    assert search.best_estimator_.compact_.equals(alone.compact_)
    scorer = make_scorer(balanced_accuracy_score).set_score_request(sample_weight=True)
    distiller.set_params(student__max_leaf_nodes=leaves)
    tuned = TunedThresholdClassifierCV(distiller, scoring=scorer, cv=3)
    tuned.fit(X, Y, sample_weight=WEIGHT, teacher_proba=P)
    assert tuned.estimator_.compact_.equals(alone.compact_)


def test_what_nobody_asked_for_is_refused():
    pipeline = make_pipeline(StandardScaler(), SoftTreeClassifier())
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        pipeline.fit(X, Y, sample_weight=WEIGHT)
