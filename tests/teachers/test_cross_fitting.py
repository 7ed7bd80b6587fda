"""Labels of training rows, against `cross_val_predict` and by who saw which row."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill.teachers import teach

X, Y = load_iris(return_X_y=True)
CLASSES = np.arange(3)
STRATIFIED = StratifiedKFold(5)
FITS = []


class Logged(GaussianNB):
    """Writes down what each fit was given."""

    def fit(self, X, y, sample_weight=None):
        FITS.append((X, y, sample_weight))
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def no_fits_yet():
    FITS.clear()


def expected(teacher, cv, y=Y, **options):
    return cross_val_predict(teacher, X, y, cv=cv, method="predict_proba", **options)


@pytest.mark.parametrize(
    ("cv", "same"),
    [
        ("auto", STRATIFIED),
        (5, STRATIFIED),
        (3, StratifiedKFold(3)),
        (KFold(4, shuffle=True, random_state=0), KFold(4, shuffle=True, random_state=0)),
        (LeaveOneOut(), LeaveOneOut()),
        (list(STRATIFIED.split(X, Y)), STRATIFIED),
        (lambda: STRATIFIED.split(X, Y), STRATIFIED),
    ],
    ids=["auto", "five", "three", "shuffled", "one-out", "list", "generator"],
)
@pytest.mark.parametrize("names", [["a", "b", "c"], [0, 1, 2]])
def test_equals_cross_val_predict(cv, same, names):
    y = np.array(names)[Y]
    cv = cv() if callable(cv) else cv
    lesson = teach(GaussianNB(), X, y, np.array(names), cv=cv)
    assert_allclose(lesson.P, expected(GaussianNB(), same, y), rtol=1e-12)
    assert lesson.teacher.theta_.tolist() == GaussianNB().fit(X, y).theta_.tolist()


@pytest.mark.parametrize(
    "teacher", [DecisionTreeClassifier(random_state=0), LogisticRegression(max_iter=500)]
)
def test_equals_cross_val_predict_for_other_teachers(teacher):
    assert_allclose(teach(teacher, X, Y, CLASSES).P, expected(teacher, 5), rtol=1e-12)


def test_the_given_teacher_is_not_fitted():
    teacher = GaussianNB()
    lesson = teach(teacher, X, Y, CLASSES)
    assert not hasattr(teacher, "classes_")
    assert lesson.teacher is not teacher


def test_no_copy_labels_a_row_it_has_seen():
    rows = np.column_stack([X, np.arange(150)])
    teach(Logged(), rows, Y, CLASSES)
    assert [len(seen) for seen, _, _ in FITS] == [120] * 5 + [150]
    held = np.concatenate([np.setdiff1d(rows[:, 4], seen[:, 4]) for seen, _, _ in FITS[:5]])
    assert sorted(held.tolist()) == list(range(150))
    for seen, y, _ in FITS:
        assert y.tolist() == Y[seen[:, 4].astype(int)].tolist()


def test_masks_and_negative_numbers_are_splits_too():
    folds = list(STRATIFIED.split(X, Y))
    masks = [
        (np.isin(np.arange(150), train), np.isin(np.arange(150), test)) for train, test in folds
    ]
    negative = [(train - 150, test - 150) for train, test in folds]
    wanted = teach(GaussianNB(), X, Y, CLASSES, cv=folds).P
    assert teach(GaussianNB(), X, Y, CLASSES, cv=masks).P.tolist() == wanted.tolist()
    assert teach(GaussianNB(), X, Y, CLASSES, cv=negative).P.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    "fold",
    [
        (np.arange(100), np.arange(100, 200)),
        (np.arange(100), -np.arange(100, 200)),
        (np.ones(100, bool), np.ones(100, bool)),
    ],
    ids=["beyond", "before", "short-mask"],
)
def test_splits_of_another_table_are_refused(fold):
    with pytest.raises(IndexError):
        teach(GaussianNB(), X, Y, CLASSES, cv=[fold])


@pytest.mark.parametrize("cv", ["auto", KFold(5)])
def test_a_fold_that_missed_a_class_gives_it_zero(cv):
    keep = np.flatnonzero((Y < 2) | (np.arange(150) == 149))  # one row of class 2
    rows, y = X[keep], Y[keep]
    P = teach(GaussianNB(), rows, y, CLASSES, cv=cv).P
    splitter = STRATIFIED if cv == "auto" else cv
    with warnings.catch_warnings(action="ignore"):  # scikit-learn says what is missing where
        folds = list(splitter.split(rows, y))
        P_theirs = cross_val_predict(GaussianNB(), rows, y, cv=folds, method="predict_proba")
    assert_allclose(P, P_theirs, rtol=1e-12)
    missed = [test for train, test in folds if 2 not in y[train]]
    assert len(missed) == 1
    assert P[missed[0], 2].tolist() == [0.0] * len(missed[0])
    others = np.setdiff1d(np.arange(len(keep)), missed[0])
    assert not np.isnan(P[others]).any()


def test_classes_beyond_those_of_y():
    P = teach(GaussianNB(), X, 2 * Y + 1, np.arange(7)).P
    assert_allclose(P[:, [1, 3, 5]], expected(GaussianNB(), 5), rtol=1e-12)
    assert (P[:, [0, 2, 4, 6]] == 0).all()


def test_repeated_splitters_average():
    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)
    folds = list(cv.split(X, Y))
    P = teach(GaussianNB(), X, Y, CLASSES, cv=cv).P
    repeats = [expected(GaussianNB(), folds[i : i + 4]) for i in (0, 4, 8)]
    assert_allclose(P, np.mean(repeats, axis=0), rtol=1e-12)


def test_rows_held_out_twice_average_and_the_rest_is_nan():
    folds = [(np.arange(60, 150), np.arange(40)), (np.arange(60, 150), np.arange(20, 60))]
    P = teach(GaussianNB(), X, Y % 2, np.arange(2), cv=folds).P
    P_one = GaussianNB().fit(X[60:], Y[60:] % 2).predict_proba(X[:60])
    assert_allclose(P[:60], P_one, rtol=1e-12)
    assert np.isnan(P[60:]).all()


@pytest.mark.parametrize("cv", [ShuffleSplit(2, test_size=0.3, random_state=0), TimeSeriesSplit(3)])
def test_rows_never_held_out_are_nan(cv):
    order = np.random.default_rng(0).permutation(150)
    rows, y = X[order], Y[order]
    held = np.unique(np.concatenate([test for _, test in cv.split(rows, y)]))
    assert 0 < len(held) < 150
    P = teach(GaussianNB(), rows, y, CLASSES, cv=cv).P
    assert np.isnan(P).all(axis=1).tolist() == (~np.isin(np.arange(150), held)).tolist()
    assert np.isnan(P).any(axis=1).tolist() == (~np.isin(np.arange(150), held)).tolist()


@pytest.mark.parametrize("cv", ["auto", GroupKFold(3)])
@pytest.mark.parametrize("n_groups", [3, 12])
def test_groups_stay_together(cv, n_groups):
    groups = np.arange(150) % n_groups
    rows = np.column_stack([X, groups])
    P = teach(Logged(), rows, Y, CLASSES, groups=groups, cv=cv).P
    assert not np.isnan(P).any()
    assert len(FITS) == 1 + (3 if cv != "auto" else min(5, n_groups))
    for seen, _, _ in FITS[:-1]:
        held = np.setdiff1d(groups, seen[:, 4])
        assert len(held) > 0
        assert np.isin(groups, held).sum() == 150 - len(seen)


def test_groups_of_classes_with_few_rows():
    P = teach(Logged(), X[::10], np.arange(15) // 3, np.arange(5), groups=np.arange(15) % 8).P
    assert len(FITS) == 6
    assert not np.isnan(P).any()


def test_groups_of_a_splitter_reach_it():
    groups = np.arange(150) % 7
    P = teach(GaussianNB(), X, Y, CLASSES, groups=groups, cv=GroupKFold(7)).P
    assert_allclose(P, expected(GaussianNB(), GroupKFold(7), groups=groups), rtol=1e-12)


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier, BaggingClassifier])
def test_out_of_bag_votes(kind):
    options = {} if kind is BaggingClassifier else {"bootstrap": True}
    forest = kind(n_estimators=40, oob_score=True, random_state=0, **options)
    lesson = teach(forest, X, 2 * Y, np.arange(5))
    assert_allclose(lesson.P[:, ::2], lesson.teacher.oob_decision_function_, rtol=1e-12)
    assert (lesson.P[:, 1::2] == 0).all()
    own = kind(n_estimators=40, oob_score=True, random_state=0, **options).fit(X, 2 * Y)
    assert lesson.teacher.oob_decision_function_.tolist() == own.oob_decision_function_.tolist()


def test_rows_that_every_tree_saw_are_nan():
    forest = RandomForestClassifier(2, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        lesson = teach(forest, X, Y, CLASSES)
    unseen = lesson.teacher.oob_decision_function_.sum(axis=1) > 0
    assert 0 < unseen.sum() < 150
    assert np.isnan(lesson.P).all(axis=1).tolist() == (~unseen).tolist()
    assert lesson.P[unseen].sum(axis=1) == pytest.approx(np.ones(unseen.sum()))


def test_folds_that_are_asked_for_come_before_out_of_bag_votes():
    forest = RandomForestClassifier(5, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        P = teach(forest, X, Y, CLASSES, cv=3).P
    plain = RandomForestClassifier(5, random_state=0)
    assert_allclose(P, expected(plain, 3), rtol=1e-12)


def test_weights_reach_the_teacher():
    weight = np.random.default_rng(0).random(150)
    lesson = teach(Logged(), X, Y, CLASSES, weight=weight)
    own = GaussianNB().fit(X, Y, weight)
    assert lesson.teacher.theta_.tolist() == own.theta_.tolist()
    for (train, test), (_, _, given) in zip(STRATIFIED.split(X, Y), FITS[:5], strict=True):
        assert given.tolist() == weight[train].tolist()
        P = GaussianNB().fit(X[train], Y[train], weight[train]).predict_proba(X[test])
        assert_allclose(lesson.P[test], P, rtol=1e-12)
    FITS.clear()
    teach(Logged(), X, Y, CLASSES)
    assert [given for _, _, given in FITS] == [None] * 6


def test_weights_reach_the_last_step_of_a_pipeline():
    weight = np.random.default_rng(0).random(150)
    lesson = teach(make_pipeline(StandardScaler(), Logged()), X, Y, CLASSES, weight=weight)
    assert [len(given) for _, _, given in FITS] == [120] * 5 + [150]
    own = make_pipeline(StandardScaler(), GaussianNB()).fit(X, Y, gaussiannb__sample_weight=weight)
    assert lesson.teacher[-1].theta_.tolist() == own[-1].theta_.tolist()
    nested = make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), Logged()))
    FITS.clear()
    teach(nested, X, Y, CLASSES, weight=weight)
    assert FITS[-1][2].tolist() == weight.tolist()


@pytest.mark.parametrize(
    "teacher", [KNeighborsClassifier(), make_pipeline(StandardScaler(), KNeighborsClassifier())]
)
def test_a_teacher_that_takes_no_weights_is_not_given_any(teacher):
    P = teach(teacher, X, Y, CLASSES, weight=np.arange(150.0)).P
    assert_allclose(P, expected(teacher, 5), rtol=1e-12)


def test_a_frozen_teacher_is_used_as_it_is():
    fitted = GaussianNB().fit(X[:100], Y[:100])
    frozen = FrozenEstimator(fitted)
    lesson = teach(frozen, X, None, CLASSES)
    assert lesson.teacher is frozen
    assert_allclose(lesson.P[:, :2], fitted.predict_proba(X), rtol=1e-12)
    assert (lesson.P[:, 2] == 0).all()
    assert np.isnan(teach(frozen, X, None, CLASSES, label=False).P).all()


def test_without_labels_the_teacher_is_fitted_once():
    lesson = teach(Logged(), X, Y, CLASSES, label=False)
    assert len(FITS) == 1
    assert lesson.teacher.theta_.tolist() == GaussianNB().fit(X, Y).theta_.tolist()
    assert lesson.P.shape == (150, 3)
    assert np.isnan(lesson.P).all()


def test_a_data_frame_stays_one():
    frame = pd.DataFrame(X, columns=list("pqrs"), index=np.arange(150)[::-1])
    lesson = teach(Logged(), frame, Y, CLASSES)
    assert [type(seen) for seen, _, _ in FITS] == [pd.DataFrame] * 6
    assert lesson.teacher.feature_names_in_.tolist() == list("pqrs")
    assert lesson.P.tolist() == teach(GaussianNB(), X, Y, CLASSES).P.tolist()


def test_any_number_of_jobs_gives_the_same():
    forest = RandomForestClassifier(5, random_state=0)
    one, two = (teach(forest, X, Y, CLASSES, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one.P.tolist() == two.P.tolist()
    assert one.teacher.predict_proba(X).tolist() == two.teacher.predict_proba(X).tolist()


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_progress_bar_where_wanted(verbose, capsys):
    teach(GaussianNB(), X, Y, CLASSES, verbose=verbose)
    assert ("6/6" in capsys.readouterr().err) == bool(verbose)


def test_as_many_folds_as_rows_allow():
    teach(Logged(), X[:4], np.array([0, 0, 0, 1]), np.arange(2))
    assert len(FITS) == 4  # three folds and all rows
    FITS.clear()
    P = teach(Logged(), X[:3], np.arange(3), CLASSES).P  # one row of each class
    assert len(FITS) == 4
    assert (np.diag(P) == 0).all()
    with pytest.raises(ValueError, match="n_samples=1"):
        teach(GaussianNB(), X[:1], Y[:1], CLASSES)


class TestValues:
    """classes=None: a regressor teaches."""

    rows, y = (part[:120] for part in load_diabetes(return_X_y=True))
    two = np.column_stack([y, -y])

    @pytest.mark.parametrize(
        ("cv", "same"),
        [
            ("auto", KFold(5, shuffle=True, random_state=0)),
            (4, KFold(4)),
            (LeaveOneOut(), LeaveOneOut()),
        ],
        ids=["auto", "4", "one out"],
    )
    def test_equal_cross_val_predict(self, cv, same):
        for y in (self.y, self.two):
            lesson = teach(Ridge(), self.rows, y, None, cv=cv)
            told = cross_val_predict(Ridge(), self.rows, y, cv=same)
            assert_allclose(lesson.P, told.reshape(120, -1))
            assert np.array_equal(lesson.teacher.predict(self.rows).shape, y.shape)

    def test_a_table_sorted_by_its_values_is_shuffled(self):
        order = np.argsort(self.y)
        told = teach(Ridge(0.1), self.rows[order], self.y[order], None).P[:, 0]
        sorted_folds = cross_val_predict(Ridge(0.1), self.rows[order], self.y[order], cv=KFold(5))
        worse = np.mean((sorted_folds - self.y[order]) ** 2)
        assert np.mean((told - self.y[order]) ** 2) < 0.9 * worse

    @pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor, BaggingRegressor])
    def test_out_of_bag(self, kind):
        options = {"bootstrap": True} if kind is ExtraTreesRegressor else {}
        teacher = kind(n_estimators=60, oob_score=True, random_state=0, **options)
        lesson = teach(teacher, self.rows, self.y, None)
        assert np.array_equal(lesson.P[:, 0], lesson.teacher.oob_prediction_)

    @pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores:UserWarning")
    def test_rows_that_every_tree_saw_are_nan_and_zeros_are_not(self):
        forest = RandomForestRegressor(2, oob_score=True, random_state=0)
        lesson = teach(forest, self.rows, np.where(self.y > 300, 1.0, 0.0), None)
        unseen = np.zeros(120, bool)
        for rows in lesson.teacher.estimators_samples_:
            unseen |= ~np.isin(np.arange(120), rows)
        assert 0 < unseen.sum() < 120
        assert np.isnan(lesson.P[:, 0]).tolist() == (~unseen).tolist()
        assert (lesson.P[unseen] == 0).any()

    def test_a_frozen_teacher_is_used_as_it_is(self):
        teacher = FrozenEstimator(Ridge().fit(self.rows, self.two))
        assert np.array_equal(teach(teacher, self.rows, None, None).P, teacher.predict(self.rows))
