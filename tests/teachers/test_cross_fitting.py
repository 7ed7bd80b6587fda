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
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from skdistill.teachers import as_teacher, cross_fit, probabilities

X, Y = load_iris(return_X_y=True)
CLASSES = np.arange(3)
STRATIFIED = StratifiedKFold(5)
FITS = []


class Logged(GaussianNB):
    """Writes down what each fit was called with."""

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
    result = cross_fit(GaussianNB(), X, y, np.array(names), cv=cv)
    assert_allclose(result.response, expected(GaussianNB(), same, y), rtol=1e-12)
    assert result.teacher.theta_.tolist() == GaussianNB().fit(X, y).theta_.tolist()


@pytest.mark.parametrize(
    "teacher", [DecisionTreeClassifier(random_state=0), LogisticRegression(max_iter=500)]
)
def test_equals_cross_val_predict_for_other_teachers(teacher):
    assert_allclose(cross_fit(teacher, X, Y, CLASSES).response, expected(teacher, 5), rtol=1e-7)


def test_the_given_teacher_is_not_fitted():
    teacher = GaussianNB()
    result = cross_fit(teacher, X, Y, CLASSES)
    assert not hasattr(teacher, "classes_")
    assert result.teacher is not teacher


def test_no_copy_labels_a_row_it_has_seen():
    rows = np.column_stack([X, np.arange(150)])
    cross_fit(Logged(), rows, Y, CLASSES)
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
    P, *others = (
        cross_fit(GaussianNB(), X, Y, CLASSES, cv=cv).response for cv in (folds, masks, negative)
    )
    assert others[0].tolist() == others[1].tolist() == P.tolist()


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
        cross_fit(GaussianNB(), X, Y, CLASSES, cv=[fold])


@pytest.mark.parametrize("cv", ["auto", KFold(5)])
def test_a_fold_that_missed_a_class_gives_it_zero(cv):
    keep = np.flatnonzero((Y < 2) | (np.arange(150) == 149))  # one row of class 2
    rows, y = X[keep], Y[keep]
    P = cross_fit(GaussianNB(), rows, y, CLASSES, cv=cv).response
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
    P = cross_fit(GaussianNB(), X, 2 * Y + 1, np.arange(7)).response
    assert_allclose(P[:, [1, 3, 5]], expected(GaussianNB(), 5), rtol=1e-12)
    assert (P[:, [0, 2, 4, 6]] == 0).all()


def test_repeated_splitters_average():
    cv = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=0)
    folds = list(cv.split(X, Y))
    P = cross_fit(GaussianNB(), X, Y, CLASSES, cv=cv).response
    repeats = [expected(GaussianNB(), folds[i : i + 4]) for i in (0, 4, 8)]
    assert_allclose(P, np.mean(repeats, axis=0), rtol=1e-12)


def test_rows_held_out_twice_average_and_the_rest_is_nan():
    folds = [(np.arange(60, 150), np.arange(40)), (np.arange(60, 150), np.arange(20, 60))]
    P = cross_fit(GaussianNB(), X, Y % 2, np.arange(2), cv=folds).response
    P_one = GaussianNB().fit(X[60:], Y[60:] % 2).predict_proba(X[:60])
    assert_allclose(P[:60], P_one, rtol=1e-12)
    assert np.isnan(P[60:]).all()


@pytest.mark.parametrize("cv", [ShuffleSplit(2, test_size=0.3, random_state=0), TimeSeriesSplit(3)])
def test_rows_never_held_out_are_nan(cv):
    order = np.random.default_rng(0).permutation(150)
    rows, y = X[order], Y[order]
    held = np.unique(np.concatenate([test for _, test in cv.split(rows, y)]))
    assert 0 < len(held) < 150
    P = cross_fit(GaussianNB(), rows, y, CLASSES, cv=cv).response
    assert np.isnan(P).all(axis=1).tolist() == (~np.isin(np.arange(150), held)).tolist()
    assert np.isnan(P).any(axis=1).tolist() == (~np.isin(np.arange(150), held)).tolist()


@pytest.mark.parametrize("cv", ["auto", GroupKFold(3)])
@pytest.mark.parametrize("n_groups", [3, 12])
def test_groups_stay_together(cv, n_groups):
    groups = np.arange(150) % n_groups
    rows = np.column_stack([X, groups])
    P = cross_fit(Logged(), rows, Y, CLASSES, groups=groups, cv=cv).response
    assert not np.isnan(P).any()
    assert len(FITS) == 1 + (3 if cv != "auto" else min(5, n_groups))
    for seen, _, _ in FITS[:-1]:
        held = np.setdiff1d(groups, seen[:, 4])
        assert len(held) > 0
        assert np.isin(groups, held).sum() == 150 - len(seen)


def test_groups_of_classes_with_few_rows():
    P = cross_fit(
        Logged(), X[::10], np.arange(15) // 3, np.arange(5), groups=np.arange(15) % 8
    ).response
    assert len(FITS) == 6
    assert not np.isnan(P).any()


def test_groups_of_a_splitter_reach_it():
    groups = np.arange(150) % 7
    P = cross_fit(GaussianNB(), X, Y, CLASSES, groups=groups, cv=GroupKFold(7)).response
    assert_allclose(P, expected(GaussianNB(), GroupKFold(7), groups=groups), rtol=1e-12)


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier, BaggingClassifier])
def test_out_of_bag_votes(kind):
    options = {} if kind is BaggingClassifier else {"bootstrap": True}
    forest = kind(n_estimators=40, oob_score=True, random_state=0, **options)
    result = cross_fit(forest, X, 2 * Y, np.arange(5))
    assert_allclose(result.response[:, ::2], result.teacher.oob_decision_function_, rtol=1e-12)
    assert (result.response[:, 1::2] == 0).all()
    own = kind(n_estimators=40, oob_score=True, random_state=0, **options).fit(X, 2 * Y)
    assert result.teacher.oob_decision_function_.tolist() == own.oob_decision_function_.tolist()


def test_rows_that_every_tree_saw_are_nan():
    forest = RandomForestClassifier(2, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        result = cross_fit(forest, X, Y, CLASSES)
    unseen = result.teacher.oob_decision_function_.sum(axis=1) > 0
    assert 0 < unseen.sum() < 150
    assert np.isnan(result.response).all(axis=1).tolist() == (~unseen).tolist()
    assert result.response[unseen].sum(axis=1) == pytest.approx(np.ones(unseen.sum()))


def test_folds_that_are_asked_for_come_before_out_of_bag_votes():
    forest = RandomForestClassifier(5, oob_score=True, random_state=0)
    with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
        P = cross_fit(forest, X, Y, CLASSES, cv=3).response
    plain = RandomForestClassifier(5, random_state=0)
    assert_allclose(P, expected(plain, 3), rtol=1e-12)


def test_weights_reach_the_teacher():
    weight = np.random.default_rng(0).random(150)
    result = cross_fit(Logged(), X, Y, CLASSES, sample_weight=weight)
    own = GaussianNB().fit(X, Y, weight)
    assert result.teacher.theta_.tolist() == own.theta_.tolist()
    for (train, test), (_, _, weights) in zip(STRATIFIED.split(X, Y), FITS[:5], strict=True):
        assert weights.tolist() == weight[train].tolist()
        P = GaussianNB().fit(X[train], Y[train], weight[train]).predict_proba(X[test])
        assert_allclose(result.response[test], P, rtol=1e-12)
    FITS.clear()
    cross_fit(Logged(), X, Y, CLASSES)
    assert [weights for _, _, weights in FITS] == [None] * 6


def test_weights_reach_the_last_step_of_a_pipeline():
    weight = np.random.default_rng(0).random(150)
    result = cross_fit(
        make_pipeline(StandardScaler(), Logged()), X, Y, CLASSES, sample_weight=weight
    )
    assert [len(weights) for _, _, weights in FITS] == [120] * 5 + [150]
    own = make_pipeline(StandardScaler(), GaussianNB()).fit(X, Y, gaussiannb__sample_weight=weight)
    assert result.teacher[-1].theta_.tolist() == own[-1].theta_.tolist()
    nested = make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), Logged()))
    FITS.clear()
    cross_fit(nested, X, Y, CLASSES, sample_weight=weight)
    assert FITS[-1][2].tolist() == weight.tolist()


@pytest.mark.parametrize(
    "teacher", [KNeighborsClassifier(), make_pipeline(StandardScaler(), KNeighborsClassifier())]
)
def test_a_teacher_that_takes_no_weights_is_not_given_any(teacher):
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight"):
        P = cross_fit(teacher, X, Y, CLASSES, sample_weight=np.arange(150.0)).response
    assert_allclose(P, expected(teacher, 5), rtol=1e-12)


def test_a_frozen_teacher_is_used_as_it_is():
    fitted = GaussianNB().fit(X[:100], Y[:100])
    frozen = FrozenEstimator(fitted)
    result = cross_fit(frozen, X, None, CLASSES)
    assert result.teacher is frozen
    assert_allclose(result.response[:, :2], fitted.predict_proba(X), rtol=1e-12)
    assert (result.response[:, 2] == 0).all()
    assert np.isnan(cross_fit(frozen, X, None, CLASSES, return_response=False).response).all()


def test_without_labels_the_teacher_is_fitted_once():
    result = cross_fit(Logged(), X, Y, CLASSES, return_response=False)
    assert len(FITS) == 1
    assert result.teacher.theta_.tolist() == GaussianNB().fit(X, Y).theta_.tolist()
    assert result.response.shape == (150, 3)
    assert np.isnan(result.response).all()


def test_a_data_frame_stays_one():
    frame = pd.DataFrame(X, columns=list("pqrs"), index=np.arange(150)[::-1])
    result = cross_fit(Logged(), frame, Y, CLASSES)
    assert [type(seen) for seen, _, _ in FITS] == [pd.DataFrame] * 6
    assert result.teacher.feature_names_in_.tolist() == list("pqrs")
    assert result.response.tolist() == cross_fit(GaussianNB(), X, Y, CLASSES).response.tolist()


def test_any_number_of_jobs_gives_the_same():
    forest = RandomForestClassifier(5, random_state=0)
    one, two = (cross_fit(forest, X, Y, CLASSES, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one.response.tolist() == two.response.tolist()
    assert one.teacher.predict_proba(X).tolist() == two.teacher.predict_proba(X).tolist()


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_progress_bar_where_wanted(verbose, capsys):
    cross_fit(GaussianNB(), X, Y, CLASSES, verbose=verbose)
    assert ("6/6" in capsys.readouterr().err) == bool(verbose)


def test_as_many_folds_as_rows_allow():
    with pytest.warns(UserWarning, match="1 of 3 folds has a single class"):
        cross_fit(Logged(), X[:4], np.array([0, 0, 0, 1]), np.arange(2))
    assert len(FITS) == 3  # two folds and all rows
    FITS.clear()
    P = cross_fit(Logged(), X[:3], np.arange(3), CLASSES).response  # one row of each class
    assert len(FITS) == 4
    assert (np.diag(P) == 0).all()
    with pytest.raises(ValueError, match="n_samples=1"):
        cross_fit(GaussianNB(), X[:1], Y[:1], CLASSES)


class TestSingleClass:
    """Folds, and tables, whose rows have one label."""

    rows = np.random.default_rng(0).normal(size=(120, 3))
    y = np.r_[np.zeros(50, int), (rows[50:, 0] > 0).astype(int)]

    @pytest.mark.parametrize(
        "teacher",
        [
            GaussianNB(),
            LogisticRegression(),
            LinearSVC(),
            XGBClassifier(n_estimators=2, n_jobs=1),
            make_pipeline(StandardScaler(), XGBClassifier(n_estimators=2, n_jobs=1)),
            [LogisticRegression(), GaussianNB()],
        ],
    )
    @pytest.mark.parametrize("names", [np.array([0, 1]), np.array(["no", "yes"])])
    def test_they_answer_by_it(self, teacher, names):
        ready = as_teacher(teacher, self.rows, names[self.y], response_method="auto")
        with pytest.warns(UserWarning, match=r"1 of 2 folds has .* the 40 rows held out get"):
            result = cross_fit(ready, self.rows, names[self.y], names, cv=TimeSeriesSplit(2))
        assert np.isnan(result.response[:40]).all()
        assert (result.response[40:80] == [1, 0]).all()
        assert 0 < result.response[80:, 1].mean() < 1

    @pytest.mark.parametrize("method", ["auto", "decision_function", "predict"])
    def test_a_whole_table_of_one(self, method):
        y = np.full(120, "no")
        teacher = as_teacher(LogisticRegression(), self.rows, y, response_method=method)
        with pytest.warns(UserWarning, match="DummyClassifier is the teacher in place of Logistic"):
            result = cross_fit(teacher, self.rows, y, np.unique(y), response_method=method)
        assert (result.response == 1).all() and result.response.shape == (120, 1)
        assert (probabilities(result.teacher, self.rows, np.unique(y), method) == 1).all()

    def test_rows_without_weight_do_not_count(self):
        weight = np.where(self.y == 0, 1.0, 0.0)
        with pytest.warns(UserWarning, match="single class"):
            result = cross_fit(
                LogisticRegression(), self.rows, self.y, np.arange(2), sample_weight=weight
            )
        assert (result.response == [1, 0]).all()

    def test_errors_name_the_fold(self):
        class Picky(GaussianNB):
            def fit(self, X, y, sample_weight=None):
                raise ValueError("no")

        with pytest.raises(ValueError, match="no") as caught:
            cross_fit(Picky(), X, Y, CLASSES, cv=3)
        assert caught.value.__notes__ == [
            "This is fold 1 of 3 of the teacher: rows by class 0: 33, 1: 33, 2: 34."
        ]


def test_it_says_what_it_does(capsys):
    cross_fit(GaussianNB(), X, Y, CLASSES, verbose=1)
    said = "teacher: GaussianNB is fitted 5 times to label held-out rows, and once on all 150 rows"
    assert capsys.readouterr().out.strip() == said
    cross_fit(FrozenEstimator(GaussianNB().fit(X, Y)), X, Y, CLASSES, verbose=1)
    assert "GaussianNB is used as it is, nothing is fitted" in capsys.readouterr().out


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
            result = cross_fit(Ridge(), self.rows, y, None, cv=cv)
            predicted = cross_val_predict(Ridge(), self.rows, y, cv=same)
            assert_allclose(result.response, predicted.reshape(120, -1))
            assert np.array_equal(result.teacher.predict(self.rows).shape, y.shape)

    def test_a_table_sorted_by_its_values_is_shuffled(self):
        order = np.argsort(self.y)
        predicted = cross_fit(Ridge(0.1), self.rows[order], self.y[order], None).response[:, 0]
        sorted_folds = cross_val_predict(Ridge(0.1), self.rows[order], self.y[order], cv=KFold(5))
        worse = np.mean((sorted_folds - self.y[order]) ** 2)
        assert np.mean((predicted - self.y[order]) ** 2) < 0.9 * worse

    @pytest.mark.parametrize("kind", [RandomForestRegressor, ExtraTreesRegressor, BaggingRegressor])
    def test_out_of_bag(self, kind):
        options = {"bootstrap": True} if kind is ExtraTreesRegressor else {}
        teacher = kind(n_estimators=60, oob_score=True, random_state=0, **options)
        result = cross_fit(teacher, self.rows, self.y, None)
        assert np.array_equal(result.response[:, 0], result.teacher.oob_prediction_)

    @pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores:UserWarning")
    def test_rows_that_every_tree_saw_are_nan_and_zeros_are_not(self):
        forest = RandomForestRegressor(2, oob_score=True, random_state=0)
        result = cross_fit(forest, self.rows, np.where(self.y > 300, 1.0, 0.0), None)
        unseen = np.zeros(120, bool)
        for rows in result.teacher.estimators_samples_:
            unseen |= ~np.isin(np.arange(120), rows)
        assert 0 < unseen.sum() < 120
        assert np.isnan(result.response[:, 0]).tolist() == (~unseen).tolist()
        assert (result.response[unseen] == 0).any()

    def test_a_frozen_teacher_is_used_as_it_is(self):
        teacher = FrozenEstimator(Ridge().fit(self.rows, self.two))
        assert np.array_equal(
            cross_fit(teacher, self.rows, None, None).response, teacher.predict(self.rows)
        )
