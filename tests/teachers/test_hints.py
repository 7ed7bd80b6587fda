"""Hints: what they read in real teachers of every kind, and how they are made fewer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from lightgbm import LGBMClassifier
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from skdistill import CallableTeacher, TeacherEnsemble
from skdistill.teachers import LabelEncodedClassifier
from skdistill.teachers.hints import AttributionHints, FeatureHints, StageHints
from tests.distillers import tree_classifier

X, Y = load_iris(return_X_y=True)
TWO = Y > 0
BOOSTED = {
    "xgboost": XGBClassifier(n_estimators=6, max_depth=3, n_jobs=1),
    "lightgbm": LGBMClassifier(n_estimators=6, num_leaves=5, n_jobs=1, verbose=-1),
    "scikit-learn": GradientBoostingClassifier(n_estimators=6, max_depth=2, random_state=0),
}
LEAFY = BOOSTED | {
    "forest": RandomForestClassifier(7, random_state=0),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
}


def fitted(teacher, y=Y):
    return clone(teacher).fit(X, y)


def proximity(leaves):
    """Share of the trees in which two rows share a leaf, pair by pair."""
    leaves = np.reshape(leaves, (len(leaves), -1))
    return (leaves[:, None] == leaves[None]).mean(axis=2)


def leaves_of(teacher):
    if isinstance(teacher, LGBMClassifier):
        return teacher.predict(X, pred_leaf=True)
    return teacher.apply(X)


@pytest.mark.parametrize("name", LEAFY)
def test_enough_components_give_the_proximity_kernel_itself(name):
    teacher = fitted(LEAFY[name])
    hints = FeatureHints(149).targets(teacher, X)
    assert np.allclose(hints @ hints.T, proximity(leaves_of(teacher)), atol=1e-9)


def test_few_components_are_the_best_of_their_rank():
    teacher = fitted(LEAFY["forest"])
    K, hints = proximity(teacher.apply(X)), FeatureHints(3).targets(teacher, X)
    values = np.linalg.eigvalsh(K)[::-1]
    missed = np.linalg.norm(K - hints @ hints.T) ** 2
    assert missed == pytest.approx((values[3:] ** 2).sum(), rel=1e-2)


def test_projections_keep_the_kernel_on_average():
    teacher = fitted(LEAFY["forest"])
    K, total = proximity(teacher.apply(X)), 0
    for seed in range(300):
        hints = FeatureHints(4, "projection", random_state=seed).targets(teacher, X)
        total = total + hints @ hints.T / 4
    assert np.abs(total / 300 - K).mean() < 0.03


def test_members_of_an_ensemble_count_alike():
    forest = ExtraTreesClassifier(5, random_state=0)
    members = [("forest", forest), ("tree", LEAFY["tree"]), ("linear", LogisticRegression())]
    for kind, settings in ((VotingClassifier, {"voting": "soft"}), (StackingClassifier, {})):
        voters = make_pipeline(StandardScaler(), kind(members, **settings)).fit(X, Y)
        Z = voters[0].transform(X)
        parts = [proximity(member.apply(Z)) for member in voters[-1].estimators_[:2]]
        hints = FeatureHints(149).targets(FrozenEstimator(voters), X)
        assert np.allclose(hints @ hints.T, np.mean(parts, axis=0), atol=1e-9)


@pytest.mark.parametrize("weights", [[1, 1, 2, 0], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]])
def test_ensembles_searches_and_wrappers_are_looked_into(weights):
    names = np.array(["a", "b", "c"])[Y]
    xgboost = LabelEncodedClassifier(BOOSTED["xgboost"]).fit(X, names)
    search = GridSearchCV(LEAFY["tree"], {"max_depth": [3]}, cv=2)
    boosted = fitted(BOOSTED["scikit-learn"], names)
    members = [xgboost, search.fit(X, names), boosted, LEAFY["forest"]]
    frozen = [FrozenEstimator(one) for one in members[:3]]
    ensemble = TeacherEnsemble([*frozen, members[3]], weights=weights).fit(X, names)
    used = (xgboost.estimator_, search.best_estimator_, boosted)
    parts = [proximity(one.apply(X)) for one in used]
    hints = FeatureHints(149).targets(ensemble, X)
    assert np.allclose(hints @ hints.T, np.mean(parts, axis=0), atol=1e-9)


def test_hints_of_an_ensemble_reach_the_student():
    names = np.array(["a", "b", "c"])[Y]
    teachers = [BOOSTED["xgboost"], LEAFY["forest"]]
    distilled = tree_classifier(
        teachers, hints=FeatureHints(3), transfer_set=None, random_state=0
    ).fit(X, names)
    assert FeatureHints(3).targets(distilled.teacher_, X).shape == (150, 3)
    assert distilled.score(X, names) > 0.9


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_hidden_layers_lead_to_the_networks_own_answer(activation):
    net = MLPClassifier((5, 3), activation=activation, max_iter=5, random_state=0)
    with pytest.warns(ConvergenceWarning):
        teacher = make_pipeline(StandardScaler(), net).fit(X, Y)
    units = FeatureHints(8).targets(teacher, X)
    assert units.shape == (150, 8)
    z = units[:, 5:] @ net.coefs_[-1] + net.intercepts_[-1]
    P = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    assert np.allclose(P, teacher.predict_proba(X))


@pytest.mark.parametrize("y", [Y, TWO])
@pytest.mark.parametrize("name", BOOSTED)
def test_stages_are_the_answers_after_fewer_rounds(name, y):
    K, teacher = len(np.unique(y)), fitted(BOOSTED[name], y)
    hints = StageHints(2).targets(teacher, X)
    assert hints.shape == (150, 2 * K)
    for k, rounds in enumerate((2, 4)):
        shorter = fitted(clone(BOOSTED[name]).set_params(n_estimators=rounds), y)
        assert np.allclose(hints[:, k * K : (k + 1) * K], shorter.predict_proba(X), atol=1e-6)


def test_stages_of_histogram_boosting_and_of_few_rounds():
    teacher = HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(X, Y)
    assert StageHints(9).targets(teacher, X).shape == (150, 2 * 3)  # after one and two rounds


@pytest.mark.parametrize("y", [Y, TWO])
@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_attributions_of_all_columns_add_up_to_the_margins(name, y):
    teacher, S = fitted(BOOSTED[name], y), 3 if y is Y else 1
    A = AttributionHints(4 * S).targets(teacher, X).reshape(150, S, 4)
    ask = {"xgboost": {"output_margin": True}, "lightgbm": {"raw_score": True}}[name]
    margins = np.reshape(teacher.predict(X, **ask), (150, S))
    away = A.sum(axis=2) - (margins - margins.mean(axis=0))
    assert np.allclose(away, 0, atol=1e-4)


def test_attributions_of_a_classifier_with_margins_only():
    machine = LinearSVC().fit(X, Y)
    by_hand = CallableTeacher(machine.decision_function, response_method="decision_function")
    hints = AttributionHints(8).targets(machine, X)
    assert np.array_equal(hints, AttributionHints(8).targets(by_hand.fit(X, Y), X))
    assert (hints != 0).any(axis=0).all()


def test_other_teachers_are_asked_with_a_column_changed():
    teacher = LogisticRegression(max_iter=500).fit(X[:, :2], Y)
    more = np.column_stack([X[:, :2], np.ones(150)])  # a column that nothing can change
    wide = LogisticRegression(max_iter=500).fit(more, Y)
    hints = AttributionHints(6).targets(wide, more).reshape(150, 3, 2)
    assert (hints[:, 2] == 0).all() and (hints[:, :2] != 0).any(axis=0).all()
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"])
    named = LogisticRegression(max_iter=500).fit(frame, Y)
    wanted = AttributionHints(2).targets(teacher, X[:, :2])
    assert_allclose(AttributionHints(2).targets(named, frame), wanted, rtol=1e-7)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_data_frames_keep_their_kind_and_types_while_a_column_is_changed(kind):
    table = {"a": np.arange(40) % 5, "b": np.repeat(["x", "y"], 20), "c": X[:40, 0]}
    rows, seen = kind(table), []

    def function(table):
        seen.append(table)
        p = np.asarray(table["c"]) / 10 + (np.asarray(table["b"]) == "x") / 10
        return np.column_stack([1 - p, p])

    teacher = CallableTeacher(function, classes=[0, 1]).fit(rows)
    Z = AttributionHints(3).targets(teacher, rows)
    assert {type(each) for each in seen} == {type(rows)}
    assert (Z[:, 0] == 0).all() and (Z[:, 1:] != 0).any(axis=0).all()
    if kind is pd.DataFrame:
        moved = rows.set_axis(np.zeros(40), axis=0).astype({"b": "category", "a": "Int8"})
        np.testing.assert_array_equal(AttributionHints(3).targets(teacher, moved), Z)
        assert (seen[-1].dtypes == moved.dtypes).all()


@pytest.mark.parametrize("hints", [FeatureHints(3), StageHints(), AttributionHints(3)])
def test_the_same_twice_and_never_more_than_asked(hints):
    teacher = fitted(BOOSTED["lightgbm"])
    first = hints.targets(teacher, X)
    assert np.array_equal(first, clone(hints).targets(teacher, X))
    assert first.dtype == np.float64
    assert first.shape == (150, 12 if isinstance(hints, StageHints) else 3)


@pytest.mark.parametrize("hints", [FeatureHints(), StageHints()])
def test_a_teacher_without_an_inside_is_refused_by_name(hints):
    with pytest.raises(TypeError, match="teacher LogisticRegression has no"):
        hints.targets(LogisticRegression(max_iter=500).fit(X, Y), X)


@pytest.mark.parametrize(
    "hints", [FeatureHints(0), FeatureHints(reduce="pca"), StageHints(0), AttributionHints(-1)]
)
def test_parameters_are_checked(hints):
    with pytest.raises(ValueError, match="parameter of"):
        hints.targets(fitted(LEAFY["tree"]), X)
