"""Committees: means of members, weights from rows that they have not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill import Committee, DistilledClassifier
from skdistill.teachers import as_teacher, committee_weights, teach

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


@pytest.mark.parametrize("weights", [None, [1, 0, 3], np.array([0.2, 0.5, 0.3])])
def test_is_the_weighted_mean(weights):
    committee = Committee(MEMBERS, weights).fit(X, Y)
    shares = np.ones(3) if weights is None else np.asarray(weights)
    P = np.average([clone(m).fit(X, Y).predict_proba(X) for m in MEMBERS], axis=0, weights=shares)
    assert_allclose(committee.predict_proba(X), P, rtol=1e-12)
    assert committee.predict(X).tolist() == P.argmax(axis=1).tolist()
    lesson = teach(as_teacher(Committee(MEMBERS, weights)), X, Y, CLASSES)
    wanted = np.average([out_of_fold(m) for m in MEMBERS], axis=0, weights=shares)
    assert_allclose(lesson.P, wanted, rtol=1e-12)
    assert not hasattr(MEMBERS[0], "classes_")


@pytest.mark.parametrize("how", ["learn", "greedy"])
def test_weights_are_learnt_out_of_fold(how):
    wanted = committee_weights([out_of_fold(m) for m in MEMBERS], Y, how)
    committee = Committee(MEMBERS, how).fit(X, Y)
    assert_allclose(committee.weights_, wanted, atol=1e-9)
    folds = list(StratifiedKFold(4, shuffle=True, random_state=1).split(X, Y))
    for cv in (folds, iter(folds)):
        lesson = teach(as_teacher(Committee(MEMBERS, how), X, Y), X, Y, CLASSES, cv=cv)
        told = [out_of_fold(m, folds) for m in MEMBERS]
        assert_allclose(lesson.teacher.weights_, committee_weights(told, Y, how), atol=1e-9)
        assert_allclose(lesson.P, np.tensordot(lesson.teacher.weights_, told, 1), rtol=1e-9)


def test_a_member_is_fitted_once_a_fold_and_once_on_all_rows():
    FITS.clear()
    weight = np.random.default_rng(0).random(150)
    committee = Committee([Counted(), GaussianNB()], "learn")
    DistilledClassifier(committee, cv=3, transfer_set=None).fit(X, Y, weight)
    assert [len(given) for given in FITS] == [100, 100, 100, 150]
    FITS.clear()
    Committee([Counted(), GaussianNB()]).fit(X, Y)
    assert FITS == [None]


def test_weights_of_rows_count():
    weight = (np.arange(150) % 3 == 0).astype(float)
    learnt = Committee(MEMBERS[:2], "learn", cv=KFold(5, shuffle=True, random_state=0))
    told = [teach(m, X, Y, CLASSES, weight=weight, cv=learnt.cv).P for m in MEMBERS[:2]]
    wanted = committee_weights(told, Y, "learn", weight)
    assert_allclose(learnt.fit(X, Y, weight).weights_, wanted, atol=1e-9)


def test_rows_never_held_out_are_left_out():
    order = np.random.default_rng(0).permutation(150)
    fold = [(order[:100], order[100:])]
    lesson = teach(as_teacher(Committee(MEMBERS, "learn"), X, Y), X, Y, CLASSES, cv=fold)
    assert np.isnan(lesson.P).all(axis=1).sum() == 100
    told = [
        clone(m).fit(X[order[:100]], Y[order[:100]]).predict_proba(X[order[100:]]) for m in MEMBERS
    ]
    wanted = committee_weights(told, Y[order[100:]])
    assert_allclose(lesson.teacher.weights_, wanted, atol=1e-9)


def test_values():
    rows, y = (part[:150] for part in load_diabetes(return_X_y=True))
    members = [LinearRegression(), Ridge(10.0)]
    committee = Committee(members, "learn", cv=4).fit(rows, y)
    told = [cross_val_predict(m, rows, y, cv=4)[:, None] for m in members]
    assert_allclose(committee.weights_, committee_weights(told, y), atol=1e-9)
    wanted = sum(
        w * m.fit(rows, y).predict(rows) for w, m in zip(committee.weights_, members, strict=True)
    )
    assert_allclose(committee.predict(rows), wanted)
    assert committee.classes_ is None
    with pytest.raises(ValueError, match=r"one number each is needed$"):
        Committee(members, [[1.0], [2.0]]).fit(rows, y)
    with pytest.raises(ValueError, match="fitted as a regressor"):
        committee.predict_proba(rows)


def test_frozen_members_are_used_as_they_are_and_need_no_labels():
    first, second = GaussianNB().fit(X, Y), LogisticRegression(max_iter=500).fit(X[:100], Y[:100])
    committee = Committee([FrozenEstimator(first), second.predict_proba], weights=[3, 1])
    with pytest.raises(ValueError, match="2 columns"):
        Committee([first.predict_proba, second.predict_proba]).fit(X, Y)
    committee = Committee([FrozenEstimator(first), FrozenEstimator(second)], weights=[3, 1])
    ready = as_teacher(committee, X)
    assert isinstance(ready, FrozenEstimator)
    assert ready.estimator.members_[0].estimator is first
    P = 0.75 * first.predict_proba(X)
    P[:, :2] += 0.25 * second.predict_proba(X)
    assert_allclose(committee.fit(X).predict_proba(X), P, rtol=1e-12)
    distilled = DistilledClassifier(committee, transfer_set=None).fit(X)
    assert distilled.classes_.tolist() == [0, 1, 2]
    assert distilled.score(X, first.predict(X)) > 0.95


def test_classes_of_a_frozen_member_are_kept():
    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    distilled = DistilledClassifier([frozen, DecisionTreeClassifier()], transfer_set=None)
    few = np.flatnonzero(Y < 2)
    assert distilled.fit(X[few], Y[few]).classes_.tolist() == [0, 1, 2]
    assert distilled.teacher_.classes_.tolist() == [0, 1, 2]


def test_columns_of_given_probabilities_name_classes_that_y_lacks():
    few = np.flatnonzero(Y < 2)
    P = pd.DataFrame(GaussianNB().fit(X, Y).predict_proba(X[few]))
    distilled = DistilledClassifier(MEMBERS, transfer_set=None)
    assert distilled.fit(X[few], Y[few], teacher_proba=P).classes_.tolist() == [0, 1, 2]
    assert distilled.fit(X[few], teacher_proba=P).classes_.tolist() == [0, 1, 2]


def test_committees_of_committees():
    inner = Committee(MEMBERS[:2], "greedy")
    outer = Committee([inner, MEMBERS[2]], [2, 1]).fit(X, Y)
    P = (2 * clone(inner).fit(X, Y).predict_proba(X) + MEMBERS[2].fit(X, Y).predict_proba(X)) / 3
    assert_allclose(outer.predict_proba(X), P, rtol=1e-12)


def test_parameters_of_members_have_their_number_in_front():
    committee = Committee([GaussianNB(), RandomForestClassifier(3), lambda rows: rows], "learn")
    assert committee.get_params()["1__n_estimators"] == 3
    assert set(committee.get_params(deep=False)) == {"teachers", "weights", "cv"}
    copy = clone(committee).set_params(**{"1__n_estimators": 5, "weights": None})
    assert copy.teachers[1].n_estimators == 5
    assert committee.teachers[1].n_estimators == 3
    assert copy.weights is None
    for name in ("7__max_depth", "1"):
        with pytest.raises(ValueError, match=f"{name!r}: Committee has 3 members"):
            committee.set_params(**{name: 1})
    assert DistilledClassifier(committee).get_params()["teacher__1__n_estimators"] == 3


def test_weights_by_class():
    W = np.array([[1, 0, 2], [1, 0, 0], [2, 3, 2]])
    committee = Committee(MEMBERS, W).fit(X, np.array(["a", "b", "c"])[Y])
    assert committee.weights_.sum(axis=0).tolist() == [1, 1, 1]
    told = np.stack([clone(m).fit(X, Y).predict_proba(X) for m in MEMBERS])
    P = np.column_stack([np.average(told[:, :, k], axis=0, weights=W[:, k]) for k in range(3)])
    P /= P.sum(axis=1, keepdims=True)
    assert_allclose(committee.predict_proba(X), P, rtol=1e-12)
    lesson = teach(as_teacher(Committee(MEMBERS, W)), X, Y, CLASSES)
    told = np.stack([out_of_fold(m) for m in MEMBERS])
    P = np.einsum("mnk,mk->nk", told, W / W.sum(axis=0))
    assert_allclose(lesson.P, P / P.sum(axis=1, keepdims=True), rtol=1e-12)
    distilled = DistilledClassifier(committee, transfer_set=None, random_state=0).fit(X, Y)
    assert distilled.teacher_.weights_.tolist() == committee.weights_.tolist()
    assert distilled.score(X, Y) > 0.9


def test_weights_that_are_equal_for_all_classes_are_plain_weights():
    order = np.random.default_rng(0).permutation(150)
    fold = [(order[:100], order[100:])]  # other rows stay without an answer
    plain, by_class = (
        teach(as_teacher(Committee(MEMBERS, w), X, Y), X, Y, CLASSES, cv=fold)
        for w in ([1, 0, 3], np.outer([1, 0, 3], [1, 5, 2]))
    )
    assert np.isnan(plain.P).all(axis=1).sum() == 100
    assert_allclose(by_class.P, plain.P, rtol=1e-12)
    assert_allclose(by_class.teacher.predict_proba(X), plain.teacher.predict_proba(X), rtol=1e-12)


def test_teachers_of_some_classes_and_rows_that_none_of_them_answers():
    known = (np.flatnonzero(Y < 2), np.flatnonzero(Y > 0))
    first, last = (FrozenEstimator(GaussianNB().fit(X[rows], Y[rows])) for rows in known)
    committee = Committee([first, last], [[1, 1, 0], [0, 1, 1]]).fit(X, Y)
    told = np.zeros((2, 150, 3))
    told[0][:, :2], told[1][:, 1:] = (m.estimator.predict_proba(X) for m in (first, last))
    P = told.sum(axis=0) / [1, 2, 1]
    assert_allclose(committee.predict_proba(X), P / P.sum(axis=1, keepdims=True), rtol=1e-12)
    assert (committee.predict(X) == Y).mean() > 0.9

    says = [lambda rows, c=c: np.eye(3)[np.full(len(rows), c)] for c in (1, 0)]
    silent = Committee(says, [[1, 0, 1], [0, 1, 1]]).fit(X, Y)
    assert (silent.predict_proba(X[:2]) == 1 / 3).all()


def test_a_teacher_without_weight_for_any_class_is_not_asked():
    asked = []

    def counts(rows):
        asked.append(len(rows))
        return np.full((len(rows), 3), 1 / 3)

    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    committee = Committee([frozen, counts], [[1, 2, 3], [0, 0, 0]]).fit(X)
    asked.clear()
    assert_allclose(committee.predict_proba(X), frozen.predict_proba(X), rtol=1e-12)
    assert asked == []


def test_a_seed_reaches_the_members():
    one, two = (
        DistilledClassifier(
            [RandomForestClassifier(3), FrozenEstimator(GaussianNB().fit(X, Y))],
            transfer_set=None,
            random_state=0,
        ).fit(X, Y)
        for _ in range(2)
    )
    assert one.teacher_.members_[0].random_state is not None
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
        ("best", "weights='best' of Committee must be None, numbers, 'learn' or 'greedy'"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        Committee(MEMBERS, weights).fit(X, Y)


def test_bad_committees():
    with pytest.raises(ValueError, match="teachers of Committee is empty"):
        DistilledClassifier([]).fit(X, Y)
    with pytest.raises(ValueError, match="requires y to be passed"):
        Committee(MEMBERS).fit(X)
    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    with pytest.raises(ValueError, match="weights='learn' of Committee need y"):
        DistilledClassifier(Committee([frozen], "learn")).fit(X)
    with pytest.raises(ValueError, match="requires y"):
        DistilledClassifier([frozen, GaussianNB()]).fit(X)
