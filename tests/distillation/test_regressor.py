"""DistilledRegressor: every rule of its interface, on real teachers."""

from __future__ import annotations

import gc
import pickle
import weakref

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdistill import (
    DistilledRegressor,
    Munge,
    Pool,
    SoftLinearRegressor,
    SoftNetRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
    load,
)
from skdistill.compact import TreeTable
from skdistill.metrics import model_size_scorer
from tests.distillers import tree_regressor

X, Y = (part[:150] for part in load_diabetes(return_X_y=True))
ROWS = X.astype(np.float32)
TWO = np.column_stack([Y, 1e4 - 1e-3 * Y**2])
FRAME = pd.DataFrame(X, columns=list("abcdefghij"))
FOLDS = KFold(5, shuffle=True, random_state=0)
FITS = []


class Counted(Ridge):
    """Counts its fits and keeps what they were given."""

    def fit(self, X, y, sample_weight=None):
        FITS.append((X, y, sample_weight))
        return super().fit(X, y, sample_weight)


class Never(BaseEstimator):
    """A transfer object that must not be asked."""

    def sample(self, X, random_state=None):
        raise AssertionError("asked for rows")


class Half(BaseEstimator):
    """Rows half-way to the mean."""

    def sample(self, X, random_state=None):
        return (X + X.mean(axis=0)) / 2


@pytest.fixture(autouse=True)
def no_fits_yet():
    FITS.clear()


def frozen(y=Y):
    return FrozenEstimator(Ridge(0.1).fit(X, y))


def plain(y, rows=X, weight=None, student=None):
    """The student on targets that are mixed by hand."""
    student = SoftTreeRegressor() if student is None else clone(student)
    return student.fit(rows, y, weight).compact_


class TestStory:
    @pytest.mark.parametrize("student", [None, SoftLinearRegressor(1e-2)])
    @pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
    @pytest.mark.parametrize("alpha", [0.3, 1.0])
    def test_out_of_fold_predictions_mixed_with_values(self, alpha, y, student):
        distilled = tree_regressor(Ridge(0.1), student, alpha=alpha, transfer_set=None).fit(X, y)
        told = cross_val_predict(Ridge(0.1), ROWS, y, cv=FOLDS).astype(np.float64)
        expected = plain(alpha * told + (1 - alpha) * y, student=student)
        assert distilled.compact_.equals(expected)
        assert distilled.predict(X).shape == y.shape
        assert distilled.score(X, y) == pytest.approx(distilled.student_.score(X, y))
        assert distilled.feature_importances_.shape == (10,)

    @pytest.mark.parametrize("weight", [None, 10.0, 0.0])
    def test_further_rows_are_labelled_by_the_teacher_of_all_rows(self, weight):
        given = np.random.default_rng(0).uniform(0.5, 2, 150)
        distilled = tree_regressor(
            Ridge(0.1), alpha=0.3, transfer_set=Half(), transfer_weight=weight
        ).fit(X, Y, given)
        teacher = Ridge(0.1).fit(ROWS, Y, given)
        assert_allclose(distilled.teacher_.coef_, teacher.coef_, rtol=1e-7)
        told = cross_val_predict(Ridge(0.1), ROWS, Y, cv=FOLDS, params={"sample_weight": given})
        more = (ROWS + ROWS.mean(axis=0)) / 2
        y = np.concatenate([0.3 * told.astype(np.float64) + 0.7 * Y, teacher.predict(more)])
        further = np.full(150, given.mean() * (1.0 if weight is None else weight / 150))
        by_hand = plain(y, np.vstack([ROWS, more]), np.concatenate([given, further]))
        assert distilled.compact_.equals(by_hand)

    def test_munge_is_the_default(self):
        one = tree_regressor(Ridge(), random_state=0).fit(X, Y)
        two = tree_regressor(Ridge(), transfer_set=Munge(), random_state=0).fit(X, Y)
        assert one.compact_.equals(two.compact_)
        assert not one.compact_.equals(
            tree_regressor(Ridge(), transfer_set=None).fit(X, Y).compact_
        )

    @pytest.mark.parametrize(
        "teacher",
        [
            RandomForestRegressor(5, random_state=0),
            HistGradientBoostingRegressor(max_iter=5),
            make_pipeline(StandardScaler(), Ridge()),
            VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(random_state=0))]),
            StackingRegressor([("a", Ridge())], cv=2),
            GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=2),
        ],
        ids=lambda teacher: type(teacher).__name__,
    )
    def test_teachers_of_all_kinds(self, teacher):
        distilled = tree_regressor(teacher, cv=2, transfer_set=Munge(1), random_state=0)
        for table in (X, FRAME):
            assert distilled.fit(table, Y, np.ones(150)).score(table, Y) > 0.3

    def test_the_mixture_is_the_weighted_sum_of_both_losses(self):
        """Both sources as rows of their own, weighted by alpha and 1 - alpha, teach the same."""
        told = np.random.default_rng(0).normal(Y, 20)
        fine = SoftTreeRegressor(value_bits=16)
        mixed = tree_regressor(None, fine, alpha=0.25, transfer_set=None)
        mixed.fit(X, Y, teacher_prediction=told)
        apart = clone(fine).fit(
            np.vstack([X, X]), np.concatenate([told, Y]), np.repeat([0.25, 0.75], 150)
        )
        assert np.allclose(mixed.predict(X), apart.predict(X), atol=0.02)


class TestPlainStudent:
    """alpha = 0."""

    @pytest.mark.parametrize("teacher", [Counted(), None, LogisticRegression()])
    def test_fits_no_teacher_and_asks_for_no_rows(self, teacher):
        distilled = tree_regressor(teacher, alpha=0, transfer_set=Never())
        distilled.fit(X, Y, X_unlabeled=X)
        assert FITS == []
        assert distilled.compact_.equals(plain(Y))
        assert not hasattr(distilled, "teacher_")

    def test_needs_values(self):
        for options in ({}, {"teacher_prediction": Y}):
            with pytest.raises(ValueError, match="requires y"):
                tree_regressor(frozen(), alpha=0).fit(X, **options)

    def test_after_a_taught_fit_no_teacher_is_left(self):
        distilled = tree_regressor(Ridge(), transfer_set=None).fit(X, Y)
        assert distilled.teacher_ is not None
        assert not hasattr(distilled.set_params(alpha=0).fit(X, Y), "teacher_")


class TestWithoutValues:
    @pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
    def test_everything_comes_from_a_frozen_teacher(self, y):
        teacher = frozen(y)
        distilled = tree_regressor(teacher, alpha=0.2, transfer_set=None).fit(X)
        assert distilled.compact_.equals(plain(teacher.predict(ROWS)))
        assert distilled.teacher_ is teacher
        munged = tree_regressor(teacher, random_state=0).fit(X)
        assert munged.score(X, teacher.predict(X)) > 0.7

    def test_or_from_given_predictions(self):
        distilled = tree_regressor(None, alpha=0.2, transfer_set=None)
        distilled.fit(X, teacher_prediction=TWO)
        assert distilled.compact_.equals(plain(TWO))

    def test_an_unfitted_teacher_needs_them(self):
        message = r"DistilledRegressor requires y .* FrozenEstimator or teacher_prediction"
        with pytest.raises(ValueError, match=message):
            tree_regressor(Ridge()).fit(X)
        with pytest.raises(ValueError, match="only a FrozenEstimator can label further rows"):
            tree_regressor(Ridge()).fit(X, teacher_prediction=Y)


class TestGivenPredictions:
    def test_are_taken_verbatim(self):
        distilled = tree_regressor(None, alpha=0.6, transfer_set=None)
        distilled.fit(X, Y, teacher_prediction=Y[::-1])
        assert distilled.compact_.equals(plain(0.6 * Y[::-1] + 0.4 * Y))

    def test_the_teacher_predicts_the_other_rows(self):
        distilled = tree_regressor(Counted(), transfer_set=Half())
        distilled.fit(X, Y, teacher_prediction=Y[::-1])
        assert len(FITS) == 1
        more = (ROWS + ROWS.mean(axis=0)) / 2
        y = np.concatenate([(Y[::-1] + Y) / 2, distilled.teacher_.predict(more)])
        assert distilled.compact_.equals(plain(y, np.vstack([ROWS, more])))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (TWO, "teacher_prediction has 2 columns for 1 targets"),
            (Y[:-1], "inconsistent numbers"),
            (np.where(Y > 100, np.nan, Y), "Input teacher_prediction contains NaN"),
            (Y + 1e39, "Input teacher_prediction contains infinity or a value too large"),
        ],
        ids=["columns", "rows", "nan", "large"],
    )
    def test_must_fit(self, given, message):
        with pytest.raises(ValueError, match=message):
            tree_regressor(None, transfer_set=None).fit(X, Y, teacher_prediction=given)

    def test_must_be_as_wide_as_what_the_teacher_says_of_other_rows(self):
        with pytest.raises(ValueError, match="1 answers a row, 2 were passed"):
            tree_regressor(frozen(), transfer_set=Half()).fit(X, teacher_prediction=TWO)

    def test_without_teacher_no_other_rows(self):
        with pytest.raises(ValueError, match="teacher=None needs teacher_prediction, or alpha=0"):
            tree_regressor(None, transfer_set=None).fit(X, Y)
        with pytest.raises(ValueError, match="set transfer_set=None"):
            tree_regressor(None).fit(X, Y, teacher_prediction=Y)


class TestTeacher:
    def test_a_frozen_one_is_used_as_it_is(self):
        teacher = frozen()
        distilled = tree_regressor(teacher, transfer_set=None).fit(X, Y)
        assert distilled.compact_.equals(plain((teacher.predict(ROWS) + Y) / 2))
        with pytest.raises(ValueError, match="predicts 2 targets, y has 1"):
            tree_regressor(frozen(TWO), transfer_set=None).fit(X, Y)

    def test_a_forest_answers_out_of_bag(self):
        forest = RandomForestRegressor(60, oob_score=True, random_state=0)
        for y in (Y, TWO):
            distilled = tree_regressor(forest, alpha=1, transfer_set=None).fit(X, y)
            assert distilled.compact_.equals(plain(distilled.teacher_.oob_prediction_))
        folds = tree_regressor(forest, alpha=1, transfer_set=None, cv=FOLDS).fit(X, Y)
        assert folds.compact_.equals(plain(cross_val_predict(forest, ROWS, Y, cv=FOLDS)))

    @pytest.mark.parametrize("teacher", [LogisticRegression(), FunctionTransformer()])
    def test_others_are_refused(self, teacher):
        with pytest.raises(TypeError, match=r"is a classifier|has no predict"):
            tree_regressor(teacher).fit(X, Y)

    def test_what_it_says_must_be_finite(self):
        class Endless(LinearRegression):
            def predict(self, X):
                return super().predict(X) + np.inf

        with pytest.raises(ValueError, match="predict of Endless contains infinity"):
            tree_regressor(Endless(), transfer_set=None).fit(X, Y)


class TestStudent:
    def test_is_a_clone_with_parameters_of_its_own(self):
        student = SoftTreeRegressor(value_bits="ternary")
        distilled = tree_regressor(Ridge(), student, transfer_set=None).fit(X, Y)
        assert distilled.compact_.table(TreeTable).value_bits == "ternary"
        assert not hasattr(student, "compact_")

    @pytest.mark.parametrize(
        "student", [SoftTreeClassifier(), DecisionTreeRegressor(), Ridge()], ids=str
    )
    def test_others_are_refused_before_the_teacher_is_fitted(self, student):
        with pytest.raises(TypeError, match="student must be one of SoftTreeRegressor"):
            tree_regressor(Counted(), student).fit(X, Y)
        assert FITS == []

    def test_names_of_columns_arrive(self):
        distilled = tree_regressor(Counted(), transfer_set=Munge(1), random_state=0).fit(FRAME, Y)
        assert distilled.compact_.feature_names == tuple("abcdefghij")
        assert all(list(seen.columns) == list(FRAME.columns) for seen, _, _ in FITS)
        with pytest.raises(ValueError, match="feature names"):
            distilled.predict(FRAME[FRAME.columns[::-1]])

    def test_does_not_hold_the_teacher(self):
        boosting = HistGradientBoostingRegressor(max_iter=2)
        distilled = tree_regressor(boosting, transfer_set=Munge(1), cv=2, random_state=0)
        teacher = weakref.ref(distilled.fit(X, Y).teacher_)
        kept = distilled.student_
        assert b"GradientBoosting" not in pickle.dumps(kept)
        del distilled
        gc.collect()
        assert teacher() is None
        assert kept.predict(X).shape == (150,)

    def test_nan_where_teacher_and_student_allow_it(self):
        rows = X.copy()
        rows[::4, 2] = np.nan
        boosting = HistGradientBoostingRegressor(max_iter=10)
        assert tree_regressor(boosting, random_state=0).fit(rows, Y).score(rows, Y) > 0.3
        with pytest.raises(ValueError, match="NaN"):
            tree_regressor(Ridge(), transfer_set=None).fit(rows, Y)


class TestRows:
    def test_rows_without_weight_are_not_seen(self):
        seen = np.arange(150) % 4 > 0
        spoilt, far = np.where(seen[:, None], X, 1e6), np.where(seen, Y, 1e30)
        a = tree_regressor(frozen(), transfer_set=None).fit(spoilt, far, seen.astype(float))
        b = tree_regressor(frozen(), transfer_set=None).fit(X[seen], Y[seen])
        assert a.compact_.equals(b.compact_)

    def test_weights_reach_the_teacher(self):
        weight = np.random.default_rng(0).random(150)
        tree_regressor(Counted(), transfer_set=None).fit(X, Y, weight)
        assert FITS[-1][2].tolist() == weight.tolist()
        tree_regressor(make_pipeline(StandardScaler(), Counted()), transfer_set=None).fit(
            X, Y, weight
        )
        assert FITS[-1][2].tolist() == weight.tolist()

    def test_groups_reach_the_folds(self):
        groups = np.arange(150) % 7
        distilled = tree_regressor(Ridge(0.1), alpha=1, transfer_set=None)
        told = cross_val_predict(Ridge(0.1), ROWS, Y, cv=GroupKFold(5), groups=groups)
        assert distilled.fit(X, Y, groups=groups).compact_.equals(plain(told))

    def test_a_number_of_folds_means_what_scikit_learn_means(self):
        told = cross_val_predict(Ridge(0.1), ROWS, Y, cv=3)
        distilled = tree_regressor(Ridge(0.1), alpha=1, cv=3, transfer_set=None)
        assert distilled.fit(X, Y).compact_.equals(plain(told))

    def test_rows_never_held_out_are_left_out_with_a_message(self):
        cv = TimeSeriesSplit(3)
        folds = list(cv.split(X))
        first = folds[0][1][0]
        with pytest.warns(UserWarning, match=f"^{first} of 150 training rows were never held out"):
            distilled = tree_regressor(Ridge(0.1), cv=cv, alpha=1, transfer_set=None).fit(X, Y)
        told = [Ridge(0.1).fit(ROWS[a], Y[a]).predict(ROWS[b]) for a, b in folds]
        assert distilled.compact_.equals(plain(np.concatenate(told), X[first:]))

    def test_unlabeled_rows_and_a_pool_are_the_same(self):
        a = tree_regressor(Ridge(), transfer_set=None).fit(X, Y, X_unlabeled=X / 2)
        b = tree_regressor(Ridge(), transfer_set=Pool(X / 2)).fit(X, Y)
        assert a.compact_.equals(b.compact_)

    def test_one_row_is_too_few_for_folds(self):
        with pytest.raises(ValueError, match="n_samples=1"):
            tree_regressor(Ridge()).fit(X[:1], Y[:1])


def test_a_seed_fixes_everything():
    teacher = make_pipeline(StandardScaler(), RandomForestRegressor(3))
    one, two, other = (
        tree_regressor(teacher, transfer_set=Munge(2), random_state=seed).fit(X, Y)
        for seed in (0, 0, 1)
    )
    assert one.compact_.equals(two.compact_)
    assert not one.compact_.equals(other.compact_)
    assert teacher[-1].random_state is None


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_a_search_fits_the_teacher_once_a_fold(y, tmp_path):
    distilled = tree_regressor(
        Counted(),
        SoftTreeRegressor(),
        memory=str(tmp_path),
        random_state=0,
        transfer_set=Munge(2),
        cv=4,
    )
    grid = {"d__student__max_leaf_nodes": [3, 8, 20], "d__alpha": [0, 0.5, 1]}
    search = GridSearchCV(Pipeline([("scale", StandardScaler()), ("d", distilled)]), grid, cv=3)
    search.fit(X, y)
    assert len(FITS) == (3 + 1) * (4 + 1) - 5 * (search.best_params_["d__alpha"] == 0)
    assert model_size_scorer(search) < 0
    FITS.clear()
    clone(search).fit(X, y)
    assert FITS == []


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
@pytest.mark.parametrize("student", [None, SoftLinearRegressor()])
def test_saved_loaded_and_run(student, y, tmp_path):
    distilled = tree_regressor(Ridge(), student, transfer_set=Munge(2), random_state=0)
    distilled.fit(FRAME, y).save(tmp_path / "model.skd")
    model = load(tmp_path / "model.skd")
    assert model.equals(distilled.compact_)
    session = onnxruntime.InferenceSession(distilled.to_onnx().SerializeToString())
    value, scores = session.run(None, {"X": ROWS})
    assert np.array_equal(scores, model.scores(X))
    assert np.allclose(value, distilled.predict(FRAME).reshape(value.shape), rtol=1e-6)
    copy = pickle.loads(pickle.dumps(distilled))
    assert copy.compact_.equals(model)


def test_the_default_student_is_a_network():
    distilled = DistilledRegressor(Ridge(), transfer_set=None, random_state=0).fit(X, Y)
    assert isinstance(distilled.student_, SoftNetRegressor)
    assert distilled.score(X, Y) > 0.4


def test_cross_validation_by_two_jobs():
    distilled = tree_regressor(Ridge(), transfer_set=Munge(2), random_state=0)
    one, two = (cross_val_score(distilled, X, Y, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one == pytest.approx(two)


@pytest.mark.parametrize("parameters", [{"alpha": 2}, {"transfer_set": "pool"}, {"n_jobs": 1.5}])
def test_parameters_out_of_range_are_refused_by_name(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        tree_regressor(Ridge(), **parameters).fit(X, Y)
