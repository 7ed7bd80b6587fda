"""Ensembles: means of members, weights from rows that they have not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import TeacherEnsemble
from skdistill.teachers import as_teacher, cross_fit, ensemble_weights
from tests.distillers import tree_classifier, tree_regressor

X, Y = load_iris(return_X_y=True)
CLASSES = np.arange(3)
MEMBERS = [
    GaussianNB(),
    DecisionTreeClassifier(max_depth=2, random_state=0),
    KNeighborsClassifier(),
]
FITS = []


class Counted(GaussianNB):
    """Counts its fits and keeps their weights."""

    def fit(self, X, y, sample_weight=None):
        FITS.append(sample_weight)
        return super().fit(X, y, sample_weight)


def out_of_fold(member, cv=5):
    return cross_val_predict(member, X, Y, cv=cv, method="predict_proba")


@pytest.mark.parametrize("weights", ["uniform", [1, 0, 3], np.array([0.2, 0.5, 0.3])])
def test_is_the_weighted_mean(weights):
    ensemble = TeacherEnsemble(MEMBERS, weights).fit(X, Y)
    w = np.ones(3) if isinstance(weights, str) else np.asarray(weights)
    P = np.average([clone(m).fit(X, Y).predict_proba(X) for m in MEMBERS], axis=0, weights=w)
    assert_allclose(ensemble.predict_proba(X), P, rtol=1e-12)
    assert ensemble.predict(X).tolist() == P.argmax(axis=1).tolist()
    result = cross_fit(as_teacher(TeacherEnsemble(MEMBERS, weights)), X, Y, CLASSES)
    expected = np.average([out_of_fold(m) for m in MEMBERS], axis=0, weights=w)
    assert_allclose(result.response, expected, rtol=1e-12)
    assert not hasattr(MEMBERS[0], "classes_")


@pytest.mark.parametrize("method", ["log_loss", "greedy"])
def test_weights_are_learnt_out_of_fold(method):
    expected = ensemble_weights([out_of_fold(m) for m in MEMBERS], Y, method)
    ensemble = TeacherEnsemble(MEMBERS, method).fit(X, Y)
    assert_allclose(ensemble.weights_, expected, atol=1e-9)
    folds = list(StratifiedKFold(4, shuffle=True, random_state=1).split(X, Y))
    for cv in (folds, iter(folds)):
        result = cross_fit(as_teacher(TeacherEnsemble(MEMBERS, method), X, Y), X, Y, CLASSES, cv=cv)
        responses = [out_of_fold(m, folds) for m in MEMBERS]
        assert_allclose(result.teacher.weights_, ensemble_weights(responses, Y, method), atol=1e-9)
        assert_allclose(
            result.response, np.tensordot(result.teacher.weights_, responses, 1), rtol=1e-9
        )


def test_a_member_is_fitted_once_a_fold_and_once_on_all_rows():
    FITS.clear()
    weight = np.random.default_rng(0).random(150)
    ensemble = TeacherEnsemble([Counted(), GaussianNB()], "log_loss")
    tree_classifier(ensemble, cv=3, transfer_set=None).fit(X, Y, weight)
    assert [len(weight) for weight in FITS] == [100, 100, 100, 150]
    FITS.clear()
    TeacherEnsemble([Counted(), GaussianNB()]).fit(X, Y)
    assert FITS == [None]


def test_weights_of_rows_count():
    weight = (np.arange(150) % 3 == 0).astype(float)
    learnt = TeacherEnsemble(MEMBERS[:2], "log_loss", cv=KFold(5, shuffle=True, random_state=0))
    responses = [
        cross_fit(m, X, Y, CLASSES, sample_weight=weight, cv=learnt.cv).response
        for m in MEMBERS[:2]
    ]
    expected = ensemble_weights(responses, Y, "log_loss", weight)
    assert_allclose(learnt.fit(X, Y, weight).weights_, expected, atol=1e-9)


def test_rows_never_held_out_are_left_out():
    order = np.random.default_rng(0).permutation(150)
    fold = [(order[:100], order[100:])]
    result = cross_fit(
        as_teacher(TeacherEnsemble(MEMBERS, "log_loss"), X, Y), X, Y, CLASSES, cv=fold
    )
    assert np.isnan(result.response).all(axis=1).sum() == 100
    responses = [
        clone(m).fit(X[order[:100]], Y[order[:100]]).predict_proba(X[order[100:]]) for m in MEMBERS
    ]
    expected = ensemble_weights(responses, Y[order[100:]])
    assert_allclose(result.teacher.weights_, expected, atol=1e-9)


def test_values():
    rows, y = (part[:150] for part in load_diabetes(return_X_y=True))
    members = [LinearRegression(), Ridge(10.0)]
    ensemble = TeacherEnsemble(members, "log_loss", cv=4).fit(rows, y)
    responses = [cross_val_predict(m, rows, y, cv=4)[:, None] for m in members]
    assert_allclose(ensemble.weights_, ensemble_weights(responses, y), atol=1e-9)
    expected = sum(
        w * m.fit(rows, y).predict(rows) for w, m in zip(ensemble.weights_, members, strict=True)
    )
    assert_allclose(ensemble.predict(rows), expected)
    assert ensemble.classes_ is None
    with pytest.raises(ValueError, match=r"one number each is needed$"):
        TeacherEnsemble(members, [[1.0], [2.0]]).fit(rows, y)
    with pytest.raises(ValueError, match="fitted as a regressor"):
        ensemble.predict_proba(rows)


def test_frozen_members_are_used_as_they_are_and_need_no_labels():
    first, second = GaussianNB().fit(X, Y), LogisticRegression(max_iter=500).fit(X[:100], Y[:100])
    ensemble = TeacherEnsemble([FrozenEstimator(first), second.predict_proba], weights=[3, 1])
    with pytest.raises(ValueError, match="2 columns"):
        TeacherEnsemble([first.predict_proba, second.predict_proba]).fit(X, Y)
    ensemble = TeacherEnsemble([FrozenEstimator(first), FrozenEstimator(second)], weights=[3, 1])
    ready = as_teacher(ensemble, X)
    assert isinstance(ready, FrozenEstimator)
    assert ready.estimator.estimators_[0].estimator is first
    P = 0.75 * first.predict_proba(X)
    P[:, :2] += 0.25 * second.predict_proba(X)
    assert_allclose(ensemble.fit(X).predict_proba(X), P, rtol=1e-12)
    distilled = tree_classifier(ensemble, transfer_set=None).fit(X)
    assert distilled.classes_.tolist() == [0, 1, 2]
    assert distilled.score(X, first.predict(X)) > 0.95


def test_a_frozen_ensemble_is_not_fitted_again():
    ensemble = TeacherEnsemble([Counted(), MEMBERS[1]], "log_loss").fit(X[::2], Y[::2])
    frozen = FrozenEstimator(ensemble)
    FITS.clear()
    result = cross_fit(as_teacher(frozen), X, None, CLASSES)
    assert result.teacher is frozen
    assert_allclose(result.response, ensemble.predict_proba(X), rtol=1e-12)
    distilled = tree_classifier(frozen, transfer_set=None).fit(X)
    assert distilled.teacher_ is frozen
    assert FITS == []
    rows, y = load_diabetes(return_X_y=True)
    frozen = FrozenEstimator(TeacherEnsemble([LinearRegression(), Ridge()]).fit(rows, y))
    distilled = tree_regressor(frozen, transfer_set=None).fit(rows)
    assert distilled.teacher_ is frozen


def test_classes_of_a_frozen_member_are_kept():
    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    distilled = tree_classifier([frozen, DecisionTreeClassifier()], transfer_set=None)
    few = np.flatnonzero(Y < 2)
    assert distilled.fit(X[few], Y[few]).classes_.tolist() == [0, 1, 2]
    assert distilled.teacher_.classes_.tolist() == [0, 1, 2]


def test_columns_of_given_probabilities_name_classes_that_y_lacks():
    few = np.flatnonzero(Y < 2)
    P = pd.DataFrame(GaussianNB().fit(X, Y).predict_proba(X[few]))
    distilled = tree_classifier(MEMBERS, transfer_set=None)
    assert distilled.fit(X[few], Y[few], teacher_proba=P).classes_.tolist() == [0, 1, 2]
    assert distilled.fit(X[few], teacher_proba=P).classes_.tolist() == [0, 1, 2]


def test_members_without_probabilities():
    machine, hard = LinearSVC(), VotingClassifier([("bayes", GaussianNB())], voting="hard")
    ensemble = TeacherEnsemble([machine, GaussianNB()]).fit(X, Y)
    margins = softmax(clone(machine).fit(X, Y).decision_function(X), axis=1)
    P = (margins + GaussianNB().fit(X, Y).predict_proba(X)) / 2
    assert_allclose(ensemble.predict_proba(X), P, rtol=1e-12)
    votes = TeacherEnsemble([hard, GaussianNB()], [1, 3]).fit(X, Y)
    bayes = GaussianNB().fit(X, Y)
    share = np.eye(3)[bayes.predict(X)] / 4 + 0.75 * bayes.predict_proba(X)
    assert votes.predict(X).tolist() == share.argmax(axis=1).tolist()
    with pytest.raises(TypeError, match="VotingClassifier has no predict_proba and no decision"):
        votes.predict_proba(X)


def test_ensembles_of_ensembles():
    listed = TeacherEnsemble([MEMBERS[:2], MEMBERS[2]], [2, 1]).fit(X, Y)
    pair = TeacherEnsemble([TeacherEnsemble(MEMBERS[:2]), MEMBERS[2]], [2, 1]).fit(X, Y)
    assert listed.predict_proba(X).tolist() == pair.predict_proba(X).tolist()
    inner = TeacherEnsemble(MEMBERS[:2], "greedy")
    outer = TeacherEnsemble([inner, MEMBERS[2]], [2, 1]).fit(X, Y)
    P = (2 * clone(inner).fit(X, Y).predict_proba(X) + MEMBERS[2].fit(X, Y).predict_proba(X)) / 3
    assert_allclose(outer.predict_proba(X), P, rtol=1e-12)


@pytest.mark.parametrize("name", ["1", "forest"])
def test_parameters_of_members_by_name_or_number(name):
    members = [GaussianNB(), RandomForestClassifier(3), lambda rows: rows]
    if name == "forest":
        members = list(zip(["bayes", "forest", "function"], members, strict=True))
    ensemble = TeacherEnsemble(members, "log_loss")
    assert ensemble.get_params()[f"{name}__n_estimators"] == 3
    assert set(ensemble.get_params(deep=False)) == {"estimators", "weights", "cv"}
    copy = clone(ensemble).set_params(**{f"{name}__n_estimators": 5, "weights": "uniform"})
    assert copy.get_params()[name].n_estimators == 5
    assert ensemble.get_params()[name].n_estimators == 3
    assert copy.weights == "uniform"
    with pytest.raises(ValueError, match="Invalid parameter '7' for estimator TeacherEnsemble"):
        ensemble.set_params(**{"7__max_depth": 1})
    assert tree_classifier(ensemble).get_params()[f"teacher__{name}__n_estimators"] == 3
    replaced = clone(ensemble).set_params(**{name: GaussianNB()})
    assert isinstance(replaced.estimators[1], tuple) == (name == "forest")
    assert isinstance(replaced.get_params()[name], GaussianNB)
    shorter = clone(ensemble).set_params(
        **{f"{name}__n_estimators": 7}, estimators=ensemble.estimators[:2]
    )
    assert len(shorter.estimators) == 2 and shorter.get_params()[f"{name}__n_estimators"] == 7


def test_names_change_nothing_else():
    named = [("bayes", MEMBERS[0]), ("tree", MEMBERS[1]), ("neighbours", MEMBERS[2])]
    plain, other = (TeacherEnsemble(m, "log_loss").fit(X, Y) for m in (MEMBERS, named))
    assert other.weights_.tolist() == plain.weights_.tolist()
    assert other.predict_proba(X).tolist() == plain.predict_proba(X).tolist()
    distilled = tree_classifier(TeacherEnsemble(named), transfer_set=None).fit(X, Y)
    assert [name for name, _ in distilled.teacher_.estimators] == ["bayes", "tree", "neighbours"]
    grid = {"teacher__tree__max_depth": [1, 3]}
    best = GridSearchCV(tree_classifier(other), grid, cv=2).fit(X, Y).best_estimator_
    tree = best.teacher_.estimators_[1]
    assert tree.get_depth() == tree.max_depth


def test_names_that_cannot_be_used():
    for names, message in (
        (["a", "a"], "not unique"),
        (["a", "weights"], "conflict with constructor arguments"),
        (["a", "b__c"], "must not contain __"),
    ):
        members = list(zip(names, MEMBERS[:2], strict=True))
        with pytest.raises(ValueError, match=message):
            TeacherEnsemble(members).fit(X, Y)


def test_weights_by_class():
    W = np.array([[1, 0, 2], [1, 0, 0], [2, 3, 2]])
    ensemble = TeacherEnsemble(MEMBERS, W).fit(X, np.array(["a", "b", "c"])[Y])
    assert ensemble.weights_.sum(axis=0).tolist() == [1, 1, 1]
    responses = np.stack([clone(m).fit(X, Y).predict_proba(X) for m in MEMBERS])
    P = np.column_stack([np.average(responses[:, :, k], axis=0, weights=W[:, k]) for k in range(3)])
    P /= P.sum(axis=1, keepdims=True)
    assert_allclose(ensemble.predict_proba(X), P, rtol=1e-12)
    result = cross_fit(as_teacher(TeacherEnsemble(MEMBERS, W)), X, Y, CLASSES)
    responses = np.stack([out_of_fold(m) for m in MEMBERS])
    P = np.einsum("mnk,mk->nk", responses, W / W.sum(axis=0))
    assert_allclose(result.response, P / P.sum(axis=1, keepdims=True), rtol=1e-12)
    distilled = tree_classifier(ensemble, transfer_set=None, random_state=0).fit(X, Y)
    assert distilled.teacher_.weights_.tolist() == ensemble.weights_.tolist()
    assert distilled.score(X, Y) > 0.9


def test_weights_that_are_equal_for_all_classes_are_plain_weights():
    order = np.random.default_rng(0).permutation(150)
    fold = [(order[:100], order[100:])]  # other rows are never held out
    plain, by_class = (
        cross_fit(as_teacher(TeacherEnsemble(MEMBERS, w), X, Y), X, Y, CLASSES, cv=fold)
        for w in ([1, 0, 3], np.outer([1, 0, 3], [1, 5, 2]))
    )
    assert np.isnan(plain.response).all(axis=1).sum() == 100
    assert_allclose(by_class.response, plain.response, rtol=1e-12)
    assert_allclose(by_class.teacher.predict_proba(X), plain.teacher.predict_proba(X), rtol=1e-12)


def test_teachers_of_some_classes_and_rows_that_none_of_them_answers():
    known = (np.flatnonzero(Y < 2), np.flatnonzero(Y > 0))
    first, last = (FrozenEstimator(GaussianNB().fit(X[rows], Y[rows])) for rows in known)
    ensemble = TeacherEnsemble([first, last], [[1, 1, 0], [0, 1, 1]]).fit(X, Y)
    responses = np.zeros((2, 150, 3))
    responses[0][:, :2], responses[1][:, 1:] = (m.estimator.predict_proba(X) for m in (first, last))
    P = responses.sum(axis=0) / [1, 2, 1]
    assert_allclose(ensemble.predict_proba(X), P / P.sum(axis=1, keepdims=True), rtol=1e-12)
    assert (ensemble.predict(X) == Y).mean() > 0.9

    functions = [lambda rows, c=c: np.eye(3)[np.full(len(rows), c)] for c in (1, 0)]
    uniform = TeacherEnsemble(functions, [[1, 0, 1], [0, 1, 1]]).fit(X, Y)
    assert (uniform.predict_proba(X[:2]) == 1 / 3).all()


def test_a_teacher_without_weight_for_any_class_is_not_asked():
    calls = []

    def counts(rows):
        calls.append(len(rows))
        return np.full((len(rows), 3), 1 / 3)

    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    ensemble = TeacherEnsemble([frozen, counts], [[1, 2, 3], [0, 0, 0]]).fit(X)
    calls.clear()
    assert_allclose(ensemble.predict_proba(X), frozen.predict_proba(X), rtol=1e-12)
    assert calls == []


def test_a_seed_reaches_the_members():
    one, two = (
        tree_classifier(
            [RandomForestClassifier(3), FrozenEstimator(GaussianNB().fit(X, Y))],
            transfer_set=None,
            random_state=0,
        ).fit(X, Y)
        for _ in range(2)
    )
    assert one.teacher_.estimators_[0].random_state is not None
    assert one.compact_.equals(two.compact_)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"weights has shape \(2,\) for 3 teachers"),
        ([1, -1, 1], "must be >= 0"),
        ([0, 0, 0], "not all 0"),
        ([1, np.nan, 1], "finite"),
        (np.ones((3, 2)), r"shape \(3, 2\) for 3 teachers.*, or one for each of the 3 classes"),
        ([[1, 0, 1], [1, 0, 1], [0, 0, 1]], "not all 0 for a class"),
        ("best", "The 'weights' parameter of TeacherEnsemble must be a str among"),
        (None, "The 'weights' parameter of TeacherEnsemble must be a str among"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        TeacherEnsemble(MEMBERS, weights).fit(X, Y)


def test_bad_ensembles():
    with pytest.raises(ValueError, match=r"'estimators' .* must be a non-empty list"):
        tree_classifier([]).fit(X, Y)
    with pytest.raises(ValueError, match="requires y to be passed"):
        TeacherEnsemble(MEMBERS).fit(X)
    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    with pytest.raises(ValueError, match="weights='log_loss' of TeacherEnsemble need y"):
        tree_classifier(TeacherEnsemble([frozen], "log_loss")).fit(X)
    with pytest.raises(ValueError, match="requires y"):
        tree_classifier([frozen, GaussianNB()]).fit(X)


def test_dropped_members_are_left_out_with_their_weights():
    members = [("a", GaussianNB()), ("b", "drop"), ("c", DecisionTreeClassifier(random_state=0))]
    ensemble = TeacherEnsemble(members, [1, 5, 3]).fit(X, Y)
    assert len(ensemble.estimators_) == 2 and ensemble.weights_.tolist() == [0.25, 0.75]
    same = TeacherEnsemble([members[0][1], members[2][1]], [1, 3]).fit(X, Y)
    assert ensemble.predict_proba(X).tolist() == same.predict_proba(X).tolist()
    changed = TeacherEnsemble(members[::2]).set_params(c="drop").fit(X, Y)
    assert len(changed.estimators_) == 1
    with pytest.raises(ValueError, match=r"All estimators are dropped\. At least one is required"):
        TeacherEnsemble(["drop", "drop"]).fit(X, Y)


def test_score_is_accuracy_or_r2():
    weight = np.arange(1.0, 151)
    ensemble = TeacherEnsemble([GaussianNB()]).fit(X, Y)
    assert ensemble.score(X, Y, weight) == GaussianNB().fit(X, Y).score(X, Y, weight)
    values = TeacherEnsemble([LinearRegression()]).fit(X, X[:, 0] ** 2)
    oracle = LinearRegression().fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2, weight)
    assert values.score(X, X[:, 0] ** 2, weight) == pytest.approx(oracle)
