"""DistilledClassifier: every rule of its interface, on real teachers."""

from __future__ import annotations

import gc
import pickle
import weakref

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, TimeSeriesSplit, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistilledClassifier,
    Munge,
    Pool,
    SoftLinearClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
    StudentAdapter,
    load,
)
from skdistill.compact import TreeTable
from skdistill.targets import SoftTargets, calibrate_temperature, temper
from skdistill.teachers import cross_fit
from tests.distillers import tree_classifier

X, Y = load_iris(return_X_y=True)
ROWS = X.astype(np.float32)
NAMES = np.array(["setosa", "versicolor", "virginica"])
CLASSES = np.arange(3)
FRAME = pd.DataFrame(X, columns=list("pqrs"))
FITS = []


class Counted(GaussianNB):
    """Counts its fits and keeps what they were given."""

    def fit(self, X, y, sample_weight=None):
        FITS.append((X, y, sample_weight))
        return super().fit(X, y, sample_weight)


class Never(BaseEstimator):
    """A transfer object that must not be asked."""

    def sample(self, X, random_state=None):
        raise AssertionError("asked for rows")


class Half(BaseEstimator):
    """Rows half-way to the mean, and who asked with which seed."""

    seeds = []

    def sample(self, X, random_state=None):
        self.seeds.append(random_state)
        return (X + X.mean(axis=0)) / 2


@pytest.fixture(autouse=True)
def no_fits_yet():
    FITS.clear()
    Half.seeds.clear()


def soft(K=3):
    return np.random.default_rng(0).dirichlet(np.full(K, 0.5), len(X))


def frozen(y=Y, **options):
    return FrozenEstimator(GaussianNB(**options).fit(X, y))


def plain(P, hard=None, alpha=1.0, T=1.0, rows=X, weight=None, student=None, classes=CLASSES):
    """The student on targets that are mixed by hand."""
    student = SoftTreeClassifier() if student is None else clone(student)
    return student.fit(rows, SoftTargets(P, hard, alpha, T), weight, classes=classes)


class TestStory:
    @pytest.mark.parametrize("student", [None, SoftLinearClassifier(1e-2)])
    @pytest.mark.parametrize("T", [1.0, 3.0])
    @pytest.mark.parametrize("alpha", [0.3, 1.0])
    def test_out_of_fold_labels_mixed_with_hard_ones(self, alpha, T, student):
        distilled = tree_classifier(
            GaussianNB(), student, alpha=alpha, temperature=T, transfer_set=None
        ).fit(X, Y)
        by_hand = plain(
            cross_fit(GaussianNB(), ROWS, Y, CLASSES).response, Y, alpha, T, student=student
        )
        assert distilled.compact_.equals(by_hand.compact_)
        assert distilled.temperature_ == T

    @pytest.mark.parametrize("weight", [None, 10.0, 0.0])
    def test_further_rows_are_labelled_by_the_teacher_of_all_rows(self, weight):
        given = np.random.default_rng(0).random(150)
        distilled = tree_classifier(
            GaussianNB(), alpha=0.3, transfer_set=Half(), transfer_weight=weight
        ).fit(X, Y, given)
        more = (ROWS + ROWS.mean(axis=0)) / 2
        result = cross_fit(GaussianNB(), ROWS, Y, CLASSES, sample_weight=given)
        P = np.vstack([result.response, result.teacher.predict_proba(more)])
        each = given.mean() * (1.0 if weight is None else weight / 150)
        by_hand = plain(
            P,
            np.concatenate(
                [Y, np.full(150, -1)]
            ),  # no hard labels: soft ones with all their weight
            0.3,
            rows=np.vstack([ROWS, more]),
            weight=np.concatenate([given, np.full(150, each)]),
        )
        assert distilled.compact_.equals(by_hand.compact_)
        assert distilled.teacher_.theta_.tolist() == result.teacher.theta_.tolist()

    def test_munge_is_the_default(self):
        one = tree_classifier(GaussianNB(), random_state=0).fit(X, Y)
        two = tree_classifier(GaussianNB(), transfer_set=Munge(), random_state=0).fit(X, Y)
        none = tree_classifier(GaussianNB(), transfer_set=None, random_state=0).fit(X, Y)
        assert one.compact_.equals(two.compact_)
        assert not one.compact_.equals(none.compact_)

    def test_all_answers_are_readings_of_the_compact_model(self):
        distilled = tree_classifier(GaussianNB(), random_state=0).fit(X, NAMES[Y])
        assert distilled.compact_ is distilled.student_.compact_
        assert distilled.classes_.tolist() == NAMES.tolist()
        assert distilled.predict(X).tolist() == distilled.compact_.predict(X).tolist()
        P = distilled.predict_proba(X)
        assert P.tolist() == distilled.compact_.predict_proba(X).tolist()
        assert distilled.predict_log_proba(X).tolist() == np.log(P).tolist()
        scores = distilled.compact_.scores(X)
        assert (
            distilled.decision_function(X).tolist() == (scores * distilled.compact_.scale).tolist()
        )
        assert distilled.score(X, NAMES[Y]) == (distilled.predict(X) == NAMES[Y]).mean() > 0.9
        with pytest.raises(
            ValueError, match="score of DistilledClassifier is the accuracy on labels"
        ):
            distilled.score(X, P)
        assert distilled.feature_importances_.tolist() == (
            distilled.student_.feature_importances_.tolist()
        )

    @pytest.mark.parametrize(
        "teacher",
        [
            RandomForestClassifier(40, oob_score=True, random_state=0),
            HistGradientBoostingClassifier(max_iter=5),
            StackingClassifier([("a", GaussianNB())], final_estimator=None, cv=2),
            VotingClassifier([("a", GaussianNB()), ("b", KNeighborsClassifier())], voting="soft"),
            make_pipeline(StandardScaler(), SVC()).set_params(svc__kernel="linear"),
        ],
        ids=["forest", "boosting", "stack", "vote", "svc"],
    )
    def test_teachers_of_all_kinds(self, teacher):
        if isinstance(teacher, Pipeline):
            teacher = CalibratedClassifierCV(teacher, ensemble=False, cv=2)
        distilled = tree_classifier(teacher, transfer_set=Munge(2), random_state=0)
        assert distilled.fit(X, NAMES[Y]).score(X, NAMES[Y]) > 0.9

    @pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
    def test_boosted_teachers(self, library):
        boosted = pytest.importorskip(library)
        if library == "xgboost":
            teacher = boosted.XGBClassifier(n_estimators=5, n_jobs=1)
        else:
            teacher = boosted.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1)
        for table in (X, FRAME) if library == "xgboost" else (FRAME,):
            distilled = tree_classifier(teacher, transfer_set=Munge(2), random_state=0)
            assert distilled.fit(table, Y).score(table, Y) > 0.9


class TestPlainStudent:
    """alpha = 0."""

    @pytest.mark.parametrize("teacher", [Counted(), None, LinearSVC()])
    def test_fits_no_teacher_and_asks_for_no_rows(self, teacher):
        distilled = tree_classifier(teacher, alpha=0, transfer_set=Never(), temperature=5.0)
        distilled.fit(X, NAMES[Y], X_unlabeled=X)
        assert FITS == []
        assert distilled.compact_.equals(SoftTreeClassifier().fit(X, NAMES[Y]).compact_)
        assert not hasattr(distilled, "teacher_")

    def test_weights_count(self):
        weight = np.random.default_rng(0).random(150)
        distilled = tree_classifier(None, alpha=0).fit(X, Y, weight)
        assert distilled.compact_.equals(SoftTreeClassifier().fit(X, Y, weight).compact_)

    def test_needs_labels(self):
        for options in ({}, {"teacher_proba": soft()}):
            with pytest.raises(ValueError, match="requires y"):
                tree_classifier(frozen(), alpha=0).fit(X, **options)

    def test_knows_the_classes_of_y_only(self):
        distilled = tree_classifier(frozen(), alpha=0).fit(X[Y < 2], Y[Y < 2])
        assert distilled.classes_.tolist() == [0, 1]

    def test_after_a_taught_fit_no_teacher_is_left(self):
        distilled = tree_classifier(GaussianNB(), transfer_set=None, temperature=2.0).fit(X, Y)
        assert distilled.teacher_ is not None
        assert distilled.temperature_ == 2
        distilled.set_params(alpha=0).fit(X, Y)
        assert not hasattr(distilled, "teacher_")
        assert distilled.temperature_ == 1


class TestWithoutLabels:
    def test_everything_comes_from_a_frozen_teacher(self):
        teacher = frozen(NAMES[Y])
        distilled = tree_classifier(teacher, alpha=0.2, transfer_set=None).fit(X)
        assert distilled.compact_.equals(plain(teacher.predict_proba(ROWS), classes=NAMES).compact_)
        assert distilled.teacher_ is teacher
        assert distilled.predict(X).tolist() == teacher.predict(X).tolist()

    def test_or_from_given_probabilities(self):
        P = soft()
        distilled = tree_classifier(None, alpha=0.2, transfer_set=None)
        distilled.fit(X, teacher_proba=P)
        assert distilled.compact_.equals(plain(P).compact_)
        assert not hasattr(distilled, "teacher_")

    def test_an_unfitted_teacher_needs_them(self):
        with pytest.raises(ValueError, match=r"requires y .* FrozenEstimator or teacher_proba"):
            tree_classifier(GaussianNB()).fit(X)
        with pytest.raises(ValueError, match="only a FrozenEstimator can label further rows"):
            tree_classifier(GaussianNB()).fit(X, teacher_proba=soft())

    def test_calibration_needs_them(self):
        with pytest.raises(ValueError, match="temperature='auto' needs y"):
            tree_classifier(frozen(), temperature="auto").fit(X)

    def test_two_classes(self):
        teacher = frozen(Y == 1)
        distilled = tree_classifier(teacher, random_state=0).fit(X)
        assert distilled.classes_.tolist() == [False, True]
        assert (distilled.predict(X) == teacher.predict(X)).mean() > 0.97


class TestGivenProbabilities:
    def test_are_taken_verbatim(self):
        P = soft()
        distilled = tree_classifier(None, alpha=0.6, temperature=2.0, transfer_set=None)
        distilled.fit(X, Y, teacher_proba=P)
        assert distilled.compact_.equals(plain(P, Y, 0.6, 2.0).compact_)

    def test_the_teacher_labels_the_other_rows(self):
        P = soft()
        distilled = tree_classifier(Counted(), transfer_set=Half()).fit(X, Y, teacher_proba=P)
        assert len(FITS) == 1
        more = (ROWS + ROWS.mean(axis=0)) / 2
        both = np.vstack([P, distilled.teacher_.predict_proba(more)])
        hard = np.concatenate([Y, np.full(150, -1)])
        by_hand = plain(both, hard, 0.5, rows=np.vstack([ROWS, more]))
        assert distilled.compact_.equals(by_hand.compact_)

    @pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
    @pytest.mark.parametrize("labels", [False, True])
    def test_columns_of_a_data_frame_name_the_classes(self, labels, order):
        P = soft()
        frame = pd.DataFrame(P[:, order], columns=NAMES[order])
        distilled = tree_classifier(None, transfer_set=None)
        distilled.fit(X, NAMES[Y] if labels else None, teacher_proba=frame)
        assert distilled.classes_.tolist() == NAMES.tolist()
        by_hand = plain(P, Y if labels else None, 0.5 if labels else 1.0, classes=NAMES)
        assert distilled.compact_.scores(X).tolist() == by_hand.compact_.scores(X).tolist()

    def test_columns_may_name_classes_that_y_lacks(self):
        frame = pd.DataFrame(soft(K=4), columns=["zinnia", *NAMES])
        distilled = tree_classifier(None, transfer_set=None).fit(X, NAMES[Y], teacher_proba=frame)
        assert distilled.classes_.tolist() == [*NAMES, "zinnia"]
        assert distilled.predict_proba(X)[:, 3].max() > 0.1

    def test_columns_must_name_the_classes_of_y(self):
        frame = pd.DataFrame(soft(), columns=["0", "1", "2"])
        with pytest.raises(ValueError, match=r"classes of the teacher_proba, \['0', '1', '2'\]"):
            tree_classifier(None, transfer_set=None).fit(X, Y, teacher_proba=frame)

    def test_columns_must_name_the_classes_of_a_frozen_teacher(self):
        frame = pd.DataFrame(soft(), columns=["a", "b", "c"])
        distilled = tree_classifier(frozen(NAMES[Y]))
        with pytest.raises(ValueError, match=r"columns \['a', 'b', 'c'\] for the classes"):
            distilled.fit(X, teacher_proba=frame)
        distilled.fit(X, teacher_proba=frame.set_axis(NAMES[[1, 2, 0]], axis=1))
        assert distilled.classes_.tolist() == NAMES.tolist()

    def test_columns_without_names_are_numbers_or_the_classes_of_y(self):
        distilled = tree_classifier(None, transfer_set=None)
        assert distilled.fit(X, teacher_proba=soft(K=4)).classes_.tolist() == [0, 1, 2, 3]
        distilled.fit(X, NAMES[Y], teacher_proba=soft())
        assert distilled.classes_.tolist() == NAMES.tolist()

    @pytest.mark.parametrize("given", [soft(K=2), soft(K=4)])
    def test_as_many_columns_as_classes(self, given):
        with pytest.raises(ValueError, match=f"teacher_proba has {given.shape[1]} columns for"):
            tree_classifier(None, transfer_set=None).fit(X, Y, teacher_proba=given)
        with pytest.raises(ValueError, match=f"teacher_proba has {given.shape[1]} columns for"):
            tree_classifier(frozen()).fit(X, teacher_proba=given)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda P: P - 0.4 * (np.arange(3) - 1), "row .* negative value"),
            (lambda P: np.where(np.arange(150)[:, None] == 5, np.nan, P), "row 5 contains NaN"),
            (
                lambda P: np.where(np.arange(150)[:, None] == 5, np.inf, P),
                "row 5 contains NaN or infinity",
            ),
            (lambda P: P * 1.001, "row 0 sums to 1.001"),
            (lambda P: np.argmax(P, axis=1), "shape"),
            (lambda P: P[:-1], "inconsistent numbers of samples"),
        ],
    )
    def test_rows_must_be_probabilities(self, change, message):
        with pytest.raises(ValueError, match=message):
            tree_classifier(None, transfer_set=None).fit(X, Y, teacher_proba=change(soft()))

    def test_without_teacher_no_other_rows(self):
        with pytest.raises(ValueError, match="teacher=None needs teacher_proba, or alpha=0"):
            tree_classifier(None, transfer_set=None).fit(X, Y)
        with pytest.raises(ValueError, match="set transfer_set=None"):
            tree_classifier(None).fit(X, Y, teacher_proba=soft())
        with pytest.raises(ValueError, match="cannot label X_unlabeled"):
            tree_classifier(None, transfer_set=None).fit(X, Y, teacher_proba=soft(), X_unlabeled=X)


class TestFrozenTeacher:
    def test_is_used_as_it_is(self):
        teacher = frozen()
        distilled = tree_classifier(teacher, alpha=0.5, transfer_set=None).fit(X, Y)
        assert distilled.teacher_ is teacher
        assert distilled.compact_.equals(plain(teacher.predict_proba(ROWS), Y, 0.5).compact_)

    def test_keeps_classes_that_y_lacks(self):
        distilled = tree_classifier(frozen(NAMES[Y]), random_state=0)
        distilled.fit(X[Y > 0], NAMES[Y[Y > 0]])
        assert distilled.classes_.tolist() == NAMES.tolist()
        assert distilled.compact_.classes.tolist() == NAMES.tolist()
        assert distilled.predict_proba(X).shape == (150, 3)

    def test_must_know_the_classes_of_y(self):
        teacher = FrozenEstimator(GaussianNB().fit(X[Y > 0], Y[Y > 0]))
        with pytest.raises(ValueError, match=r"frozen teacher, \[1, 2\]: \[0\]"):
            tree_classifier(teacher).fit(X, Y)

    def test_may_order_classes_as_it_likes(self):
        inner = GaussianNB().fit(X, Y)
        inner.classes_ = np.array([2, 0, 1])  # setosa is 2 to this one
        distilled = tree_classifier(FrozenEstimator(inner), transfer_set=None).fit(X)
        assert distilled.classes_.tolist() == [0, 1, 2]
        assert distilled.predict(X).tolist() == inner.predict(X).tolist()

    def test_must_be_fitted(self):
        with pytest.raises(TypeError, match="is it fitted"):
            tree_classifier(FrozenEstimator(GaussianNB())).fit(X, Y)


class TestTemperature:
    def test_structure_is_tempered_and_leaves_are_not(self):
        P, leaves = soft(), {"max_leaf_nodes": 8}
        trees = {}
        for T in (1.0, 4.0):
            distilled = tree_classifier(
                None, SoftTreeClassifier(**leaves), temperature=T, transfer_set=None
            )
            trees[T] = distilled.fit(X, teacher_proba=P).compact_
        flat = SoftTreeClassifier(**leaves).fit(X, temper(P, 4.0)).compact_
        assert (
            trees[4.0].table(TreeTable).threshold.tolist()
            == flat.table(TreeTable).threshold.tolist()
        )
        assert (
            trees[4.0].table(TreeTable).feature.tolist() == flat.table(TreeTable).feature.tolist()
        )
        assert (
            trees[4.0].table(TreeTable).threshold.tolist()
            != trees[1.0].table(TreeTable).threshold.tolist()
        )
        P_tree = trees[4.0].predict_proba(X)
        for leaf in np.unique(P_tree, axis=0):
            rows = (P_tree == leaf).all(axis=1)
            assert_allclose(leaf, P[rows].mean(axis=0), atol=0.01)
        assert P_tree.max() > flat.predict_proba(X).max() + 0.1

    def test_auto_calibrates_the_teacher(self):
        """Naive Bayes is far too sure of itself where columns say the same."""
        rows, y = load_breast_cancer(return_X_y=True)
        distilled = tree_classifier(GaussianNB(), temperature="auto", transfer_set=Half())
        distilled.fit(rows, y)
        T = distilled.temperature_
        assert T > 1.5
        P = cross_fit(GaussianNB(), rows.astype(np.float32), y, np.arange(2)).response
        losses = [log_loss(y, temper(P, t)) for t in (1.0, T / 1.05, T, T * 1.05)]
        assert losses[2] == min(losses)
        assert losses[2] < losses[0] - 0.1
        more = (rows.astype(np.float32) + rows.astype(np.float32).mean(axis=0)) / 2
        by_hand = plain(
            temper(np.vstack([P, distilled.teacher_.predict_proba(more)]), T),
            np.concatenate([y, np.full(len(y), -1)]),
            0.5,
            rows=np.vstack([rows.astype(np.float32), more]),
            classes=np.arange(2),
        )
        assert distilled.compact_.equals(by_hand.compact_)

    def test_one_changes_nothing(self):
        P = soft()
        P[0] = [1, 0, 0]
        a = tree_classifier(None, temperature=1.0, transfer_set=None).fit(X, teacher_proba=P)
        b = tree_classifier(None, temperature=1, transfer_set=None).fit(X, teacher_proba=P)
        assert a.compact_.equals(b.compact_)
        assert a.compact_.equals(SoftTreeClassifier().fit(X, P).compact_)


class TestFurtherRows:
    def test_unlabeled_rows_and_a_pool_are_the_same(self):
        rows = X[::2] + 0.1
        a = tree_classifier(Counted(), transfer_set=None).fit(X, Y, X_unlabeled=rows)
        b = tree_classifier(Counted(), transfer_set=Pool(rows)).fit(X, Y)
        assert a.compact_.equals(b.compact_)
        assert not a.compact_.equals(
            tree_classifier(Counted(), transfer_set=None).fit(X, Y).compact_
        )
        assert [len(seen) for seen, _, _ in FITS if len(seen) > 120] == [150] * 3

    def test_unlabeled_rows_come_beside_those_of_the_transfer(self):
        rows = X[::2] + 0.1
        a = tree_classifier(GaussianNB(), transfer_set=Pool(X[:9]), transfer_weight=3.0)
        b = tree_classifier(GaussianNB(), transfer_set=None, transfer_weight=3.0)
        a.fit(X, Y, X_unlabeled=rows)
        b.fit(X, Y, X_unlabeled=np.vstack([X[:9], rows]))
        assert a.compact_.equals(b.compact_)

    def test_an_array_of_objects_beside_a_data_frame(self):
        table = pd.DataFrame({"size": X[:, 0], "kind": np.where(X[:, 2] > 2, "a", "b")})
        more = table[::2].assign(size=table["size"] + 0.1)
        encode = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
        model = tree_classifier(make_pipeline(encode, GaussianNB()), transfer_set=None)
        wanted = model.fit(table, Y, X_unlabeled=more).compact_
        assert model.fit(table, Y, X_unlabeled=more.to_numpy(object)).compact_.equals(wanted)

    @pytest.mark.parametrize("rows", [np.empty((0, 4)), X[:0].tolist(), FRAME[:0]])
    def test_a_pool_without_rows_is_refused(self, rows):
        with pytest.raises(ValueError, match="X of Pool has no rows: pass rows to label"):
            tree_classifier(GaussianNB(), transfer_set=Pool(rows)).fit(X, Y)
        with pytest.raises(ValueError, match="X_unlabeled has no rows"):
            tree_classifier(GaussianNB(), transfer_set=None).fit(X, Y, X_unlabeled=rows)

    @pytest.mark.parametrize("rows", [X[:, :3], X[0], np.column_stack([X, X])])
    def test_must_have_the_columns_of_x(self, rows):
        for options, fit_options in (
            ({"transfer_set": Pool(rows)}, {}),
            ({}, {"X_unlabeled": rows}),
        ):
            with pytest.raises(ValueError, match="further rows must have 4 columns like X"):
                tree_classifier(GaussianNB(), **options).fit(X, Y, **fit_options)

    def test_must_have_them_in_the_same_order(self):
        for rows in (FRAME[list("srqp")], FRAME.set_axis(list("abcd"), axis=1)):
            with pytest.raises(ValueError, match="columns of X in the same order"):
                tree_classifier(GaussianNB(), transfer_set=Pool(rows)).fit(FRAME, Y)

    @pytest.mark.parametrize("table", [X, FRAME], ids=["array", "frame"])
    @pytest.mark.parametrize("rows", [X[::2], X[::2].tolist(), FRAME[::2]], ids=["a", "l", "f"])
    def test_arrays_and_data_frames_mix(self, table, rows):
        a = tree_classifier(GaussianNB(), transfer_set=Pool(rows)).fit(table, Y)
        b = tree_classifier(GaussianNB(), transfer_set=Pool(X[::2])).fit(X, Y)
        assert a.compact_.scores(X).tolist() == b.compact_.scores(X).tolist()

    @pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
    def test_must_be_finite(self, value):
        teacher = HistGradientBoostingClassifier(max_iter=2)  # to which nothing is too large
        with pytest.raises(ValueError, match="infinity"):
            tree_classifier(teacher, transfer_set=Pool(np.full((2, 4), value))).fit(X, Y)

    def test_must_be_whole_where_x_is(self):
        whole = np.rint(10 * X).astype(np.int32)
        for value in (0.5, np.nan):
            distilled = tree_classifier(
                RandomForestClassifier(3), transfer_set=Pool(np.full((2, 4), value))
            )
            with pytest.raises(ValueError, match="X is int32, but further rows hold fractions"):
                distilled.fit(whole, Y)
        distilled = tree_classifier(GaussianNB(), random_state=0).fit(whole, Y)
        assert distilled.compact_.input_dtype == "int32"
        assert distilled.score(whole, Y) > 0.9

    def test_pass_through_the_steps_before_with_metadata_routing(self):
        with config_context(enable_metadata_routing=True):
            distilled = tree_classifier(GaussianNB(), transfer_set=None)
            distilled.set_fit_request(X_unlabeled=True)
            steps = [("scale", StandardScaler()), ("distill", distilled)]
            pipeline = Pipeline(steps, transform_input=["X_unlabeled"])
            pipeline.fit(X, Y, X_unlabeled=X[:40] + 1)
        scale = StandardScaler().fit(X).transform
        by_hand = clone(distilled).fit(scale(X), Y, X_unlabeled=scale(X[:40] + 1))
        assert pipeline[-1].compact_.equals(by_hand.compact_)

    def test_the_seed_of_the_transfer_follows_random_state(self):
        for seed in (0, 0, 1):
            tree_classifier(GaussianNB(), transfer_set=Half(), random_state=seed).fit(X, Y)
        assert Half.seeds[0] == Half.seeds[1] != Half.seeds[2]


class TestStudents:
    def test_the_student_is_a_clone_with_parameters_of_its_own(self):
        student = SoftTreeClassifier(threshold_bits=7, value_bits=6)
        distilled = tree_classifier(None, student, alpha=0).fit(X, Y)
        assert distilled.compact_.table(TreeTable).value_bits == 6
        assert not hasattr(student, "compact_")
        assert distilled.student is student
        distilled.set_params(student__threshold_bits=3, student__value_bits="ternary").fit(X, Y)
        assert distilled.compact_.table(TreeTable).value_bits == "ternary"
        assert distilled.compact_.table(TreeTable).grid.counts.max() <= 6

    @pytest.mark.parametrize(
        "student",
        [
            DecisionTreeClassifier(max_leaf_nodes=6),
            RandomForestClassifier(4, max_depth=3),
            LogisticRegression(),
        ],
        ids=["tree", "forest", "linear"],
    )
    def test_plain_classifiers_are_adapted(self, student):
        distilled = tree_classifier(
            GaussianNB(), student, transfer_set=Munge(2), random_state=0
        ).fit(X, NAMES[Y])
        assert isinstance(distilled.student_, StudentAdapter)
        assert distilled.score(X, NAMES[Y]) > 0.85
        assert not hasattr(student, "classes_")

    def test_none_is_the_soft_tree(self):
        distilled = tree_classifier(None, alpha=0).fit(X, Y)
        assert type(distilled.student_) is SoftTreeClassifier

    @pytest.mark.parametrize(
        "student", [GaussianNB(), HistGradientBoostingClassifier(), StandardScaler()]
    )
    def test_others_are_refused_before_the_teacher_is_fitted(self, student):
        with pytest.raises(TypeError, match="student must learn from probabilities"):
            tree_classifier(Counted(), student).fit(X, Y)
        assert FITS == []

    @pytest.mark.parametrize("student", [None, DecisionTreeClassifier(), LogisticRegression()])
    def test_names_of_columns_arrive(self, student):
        distilled = tree_classifier(GaussianNB(), student, transfer_set=Munge(2), random_state=0)
        distilled.fit(FRAME.astype(np.float32), Y)
        assert distilled.feature_names_in_.tolist() == list("pqrs")
        assert distilled.student_.feature_names_in_.tolist() == list("pqrs")
        assert distilled.teacher_.feature_names_in_.tolist() == list("pqrs")
        assert distilled.compact_.feature_names == ("p", "q", "r", "s")
        assert distilled.predict(FRAME).tolist() == distilled.student_.predict(FRAME).tolist()
        with pytest.raises(ValueError, match="feature names should match"):
            distilled.predict(FRAME[list("qprs")])
        bare = clone(distilled).fit(X, Y)
        assert not hasattr(bare.student_, "feature_names_in_")
        assert bare.compact_.feature_names is None
        assert bare.compact_.scores(X).tolist() == distilled.compact_.scores(X).tolist()

    @pytest.mark.parametrize("missing", [False, True])
    def test_data_frames_of_several_types(self, missing):
        frame = pd.DataFrame(
            {
                "flag": X[:, 0] > 5.5,
                "count": pd.array(np.rint(9 * X[:, 1]), dtype="Int64"),
                "single": ROWS[:, 2],
                "byte": (10 * X[:, 3]).astype(np.uint8),
            }
        )
        if missing:
            frame.loc[::5, "count"] = pd.NA
        boosting = HistGradientBoostingClassifier(max_iter=5)
        distilled = tree_classifier(boosting, transfer_set=Munge(2), random_state=0).fit(frame, Y)
        rows = frame.astype(float).to_numpy()
        assert np.isnan(rows).any() == missing
        assert distilled.predict(frame).tolist() == distilled.compact_.predict(rows).tolist()
        assert distilled.score(frame, Y) > 0.9

    @pytest.mark.parametrize("student", [None, RandomForestClassifier(3), SoftLinearClassifier()])
    def test_the_student_does_not_hold_the_teacher(self, student):
        boosting = HistGradientBoostingClassifier(max_iter=2)
        distilled = tree_classifier(boosting, student, transfer_set=Munge(2), cv=2, random_state=0)
        distilled.fit(X, Y)
        assert b"GradientBoosting" in pickle.dumps(distilled)
        assert b"GradientBoosting" not in pickle.dumps(distilled.student_)
        teacher, kept = weakref.ref(distilled.teacher_), distilled.student_
        compact = distilled.compact_
        assert teacher() is not None
        del distilled
        gc.collect()
        assert teacher() is None
        assert kept.predict(X).tolist() == compact.predict(X).tolist()

    def test_nan_where_teacher_and_student_allow_it(self):
        rows = X.copy()
        rows[::4, 2] = np.nan
        boosting = HistGradientBoostingClassifier(max_iter=10)
        distilled = tree_classifier(boosting, random_state=0).fit(rows, Y)
        assert distilled.score(rows, Y) > 0.9
        infinite = np.where(np.isnan(rows), np.nan, np.copysign(np.inf, rows))
        far = np.where(np.isnan(rows), np.nan, np.copysign(1e30, rows))
        assert distilled.predict(infinite).tolist() == distilled.predict(far).tolist()
        for teacher, student in ((GaussianNB(), None), (boosting, LogisticRegression())):
            with pytest.raises(ValueError, match="NaN"):
                tree_classifier(teacher, student, transfer_set=None).fit(rows, Y)
            fitted = tree_classifier(teacher, student, transfer_set=None).fit(X, Y)
            with pytest.raises(ValueError, match="NaN"):
                fitted.predict(rows)


class TestRows:
    def test_rows_without_weight_are_not_seen(self):
        seen = np.arange(150) % 4 > 0
        spoilt = np.where(seen[:, None], X, 1e6)
        for options, extra in (
            ({"teacher": frozen(), "transfer_set": None}, {}),
            ({"teacher": None, "transfer_set": None}, {"teacher_proba": soft()}),
        ):
            few = {name: P[seen] for name, P in extra.items()}
            a = tree_classifier(**options).fit(spoilt, Y, seen.astype(float), **extra)
            b = tree_classifier(**options).fit(X[seen], Y[seen], **few)
            assert a.compact_.equals(b.compact_)

    def test_weights_reach_the_teacher(self):
        weight = np.random.default_rng(0).random(150)
        tree_classifier(Counted(), transfer_set=None).fit(X, Y, weight)
        assert FITS[-1][2].tolist() == weight.tolist()
        tree_classifier(Counted(), transfer_set=None).fit(X, Y)
        assert FITS[-1][2] is None
        piped = tree_classifier(make_pipeline(StandardScaler(), Counted()), transfer_set=None)
        piped.fit(X, Y, weight)
        assert FITS[-1][2].tolist() == weight.tolist()

    def test_groups_reach_the_folds(self):
        groups = np.arange(150) % 7
        tree_classifier(Counted(), transfer_set=None).fit(
            np.column_stack([X, groups]), Y, groups=groups
        )
        assert len(FITS) == 6
        for seen, _, _ in FITS[:-1]:
            held = np.setdiff1d(groups, seen[:, 4])
            assert np.isin(groups, held).sum() == 150 - len(seen) > 0

    def test_rows_never_held_out_are_left_out_with_a_message(self):
        order = np.random.default_rng(0).permutation(150)
        rows, y = X[order], Y[order]
        cv = TimeSeriesSplit(3)
        first = min(test[0] for _, test in cv.split(rows))
        weight = np.random.default_rng(1).random(150)
        with pytest.warns(UserWarning, match=f"^{first} of 150 training rows were never held out"):
            distilled = tree_classifier(
                GaussianNB(), cv=cv, transfer_set=None, temperature="auto"
            ).fit(rows, y, weight)
        P = cross_fit(
            GaussianNB(), rows.astype(np.float32), y, CLASSES, cv=cv, sample_weight=weight
        ).response
        expected = calibrate_temperature(P[first:], y[first:], weight[first:])
        assert distilled.temperature_ == pytest.approx(expected)
        by_hand = plain(
            temper(P[first:], distilled.temperature_),
            y[first:],
            0.5,
            rows=rows[first:],
            weight=weight[first:],
        )
        assert distilled.compact_.equals(by_hand.compact_)

    def test_splits_as_a_list(self):
        folds = list(StratifiedKFold(5).split(X, Y))
        a = tree_classifier(GaussianNB(), cv=folds, transfer_set=None).fit(X, Y)
        b = tree_classifier(GaussianNB(), transfer_set=None).fit(X, Y)
        assert a.compact_.equals(b.compact_)

    def test_a_class_of_one_row(self):
        keep = (Y < 2) | (np.arange(150) == 149)
        distilled = tree_classifier(GaussianNB(), random_state=0).fit(X[keep], NAMES[Y[keep]])
        assert distilled.classes_.tolist() == NAMES.tolist()
        assert distilled.predict(X[149:]).tolist() == ["virginica"]


class TestRandomness:
    teacher = make_pipeline(StandardScaler(), RandomForestClassifier(5))

    def test_a_seed_fixes_everything(self):
        options = {"student": RandomForestClassifier(3), "transfer_set": Munge(2)}
        one, two, other = (
            tree_classifier(self.teacher, random_state=seed, **options).fit(X, Y)
            for seed in (0, 0, 1)
        )
        assert one.compact_.equals(two.compact_)
        assert not one.compact_.equals(other.compact_)
        assert one.teacher_.predict_proba(X).tolist() == two.teacher_.predict_proba(X).tolist()
        assert self.teacher[-1].random_state is None
        assert options["student"].random_state is None

    def test_seeds_of_ones_own_stay(self):
        teacher = RandomForestClassifier(5, random_state=7)
        fitted = tree_classifier(teacher, transfer_set=None, random_state=0).fit(X, Y)
        assert fitted.teacher_.random_state == 7

    def test_without_a_seed_none_is_given(self):
        fitted = tree_classifier(RandomForestClassifier(3), transfer_set=None).fit(X, Y)
        assert fitted.teacher_.random_state is None

    def test_teacher_and_rows_are_the_same_for_every_student(self):
        """Otherwise a search over students would fit a teacher for each of them."""
        students = (None, DecisionTreeClassifier(), make_student := RandomForestClassifier(3))
        teachers = []
        for student in students:
            distilled = tree_classifier(
                RandomForestClassifier(3), student, transfer_set=Half(), random_state=0
            )
            teachers.append(distilled.fit(X, Y).teacher_.random_state)
        assert make_student.random_state is None
        assert len(set(teachers)) == 1
        assert len(set(Half.seeds)) == 1

    def test_any_number_of_jobs_gives_the_same(self):
        one, two = (
            tree_classifier(self.teacher, transfer_set=Munge(2), random_state=0, n_jobs=n_jobs).fit(
                X, Y
            )
            for n_jobs in (1, 2)
        )
        assert one.compact_.equals(two.compact_)

    def test_a_random_state_object(self):
        one, two = (
            tree_classifier(
                self.teacher, transfer_set=Munge(2), random_state=np.random.RandomState(3)
            ).fit(X, Y)
            for _ in range(2)
        )
        assert one.compact_.equals(two.compact_)


@pytest.mark.filterwarnings("ignore:Persisting input arguments took:UserWarning")
class TestMemory:
    """A search costs (c + 1)(k + 1) fits of the teacher: c outer folds, k inner ones."""

    def search(self, folder, candidates, n_jobs=1, **options):
        student = SoftTreeClassifier()
        distilled = tree_classifier(
            Counted(), student, memory=str(folder), random_state=0, transfer_set=Munge(3), **options
        )
        pipeline = Pipeline([("scale", StandardScaler()), ("distill", distilled)])
        grid = {
            "distill__temperature": [1.0, 3.0, "auto"][: candidates // 2],
            "distill__student__max_leaf_nodes": [3, 8],
        }
        return GridSearchCV(pipeline, grid, cv=3, n_jobs=n_jobs).fit(X, Y)

    @pytest.mark.parametrize("candidates", [2, 6])
    def test_fits_of_the_teacher_do_not_grow_with_the_candidates(self, candidates, tmp_path):
        found = self.search(tmp_path, candidates, cv=4)
        assert len(found.cv_results_["params"]) == candidates
        assert len(FITS) == (3 + 1) * (4 + 1)
        FITS.clear()
        again = self.search(tmp_path, candidates, cv=4)
        assert len(FITS) == 0
        assert again.best_estimator_[-1].compact_.equals(found.best_estimator_[-1].compact_)

    def test_two_jobs_find_the_same(self, tmp_path):
        one = self.search(tmp_path / "one", 6)
        two = self.search(tmp_path / "two", 6, n_jobs=2)
        assert one.best_params_ == two.best_params_
        for name, values in one.cv_results_.items():
            if "time" not in name:
                assert list(values) == list(two.cv_results_[name])
        assert one.best_estimator_[-1].compact_.equals(two.best_estimator_[-1].compact_)

    def test_nor_with_the_kinds_of_students(self, tmp_path):
        distilled = tree_classifier(
            RandomForestClassifier(3), memory=str(tmp_path), transfer_set=Half(), random_state=0
        )
        students = [SoftTreeClassifier(), DecisionTreeClassifier(), RandomForestClassifier(3)]
        teachers = []
        for student in students:
            teachers.append(clone(distilled).set_params(student=student).fit(X, Y).teacher_)
        assert len(Half.seeds) == 1
        P = [teacher.predict_proba(X).tolist() for teacher in teachers]
        assert P[0] == P[1] == P[2]

    def test_is_as_without(self, tmp_path):
        options = {"transfer_set": Munge(2), "random_state": 0, "temperature": "auto"}
        plain = tree_classifier(GaussianNB(), **options).fit(FRAME, Y)
        for _ in range(2):
            cached = tree_classifier(GaussianNB(), memory=str(tmp_path), **options)
            cached.fit(FRAME, Y)
            assert cached.compact_.equals(plain.compact_)
            assert cached.temperature_ == pytest.approx(plain.temperature_)
            assert cached.teacher_.theta_.tolist() == plain.teacher_.theta_.tolist()

    @pytest.mark.parametrize(
        "change",
        [
            {"X": X + 1},
            {"y": Y[::-1]},
            {"sample_weight": np.arange(1.0, 151)},
            {"groups": np.arange(150) % 5},
            {"teacher": Counted(var_smoothing=0.1)},
            {"cv": 4},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_the_teacher_sees_counts(self, change, tmp_path):
        options = {"teacher": Counted(), "memory": str(tmp_path), "transfer_set": Half()}
        arguments = {"X": X, "y": Y}
        tree_classifier(**options).fit(**arguments)
        FITS.clear()
        for name, value in change.items():
            (options if name in ("teacher", "cv") else arguments)[name] = value
        tree_classifier(**options).fit(**arguments)
        assert len(FITS) == (5 if "cv" in change else 6)

    def test_what_is_asked_of_it_counts_too(self, tmp_path):
        def fit(transfer, **arguments):
            distilled = tree_classifier(Counted(), memory=str(tmp_path), random_state=0)
            return distilled.set_params(transfer_set=transfer).fit(X, Y, **arguments).compact_

        models = [fit(Munge(1)), fit(Munge(2)), fit(None), fit(None, X_unlabeled=X + 1)]
        assert len(FITS) == 6
        for i, a in enumerate(models):
            assert not any(a.equals(b) for b in models[:i])

    @pytest.mark.parametrize("what", ["teacher", "transfer_set"])
    def test_what_cannot_be_hashed_goes_uncached(self, what, tmp_path):
        teacher, transfer = Counted(), Half()
        if what == "teacher":
            teacher = make_pipeline(FunctionTransformer(lambda rows: rows), teacher)
        else:
            transfer.shift = lambda rows: rows
        distilled = tree_classifier(teacher, memory=str(tmp_path), transfer_set=transfer)
        for n_fits in (6, 12):
            with pytest.warns(UserWarning, match="not cached: .* cannot be hashed"):
                distilled.fit(X, Y)
            assert len(FITS) == n_fits
        plain = tree_classifier(GaussianNB(), transfer_set=Half()).fit(X, Y)
        assert distilled.compact_.equals(plain.compact_)


class TestFailingFit:
    def attributes(self, estimator):
        return {name for name in vars(estimator) if name.endswith("_")}

    @pytest.mark.parametrize(
        ("options", "y"),
        [
            ({"teacher": GaussianNB(), "student": SoftTreeClassifier("gini")}, Y),
            ({"teacher": KNeighborsClassifier(200)}, Y),
            ({"teacher": GaussianNB(), "transfer_set": Pool(X[:, :2])}, Y),
            ({"teacher": GaussianNB()}, Y[:-1]),
            ({"teacher": None, "alpha": 0, "student": SoftTreeClassifier("gini")}, Y),
        ],
        ids=["student", "teacher", "transfer_set", "y", "plain"],
    )
    def test_leaves_nothing_half_fitted(self, options, y):
        distilled = tree_classifier(**options)
        with pytest.raises(ValueError):
            distilled.fit(X, y)
        assert self.attributes(distilled) <= {"n_features_in_"}
        distilled.set_params(
            teacher=GaussianNB(),
            alpha=0.5,
            student=SoftTreeClassifier(),
            temperature=2.0,
            transfer_set=None,
        ).fit(X, Y)
        before, model = self.attributes(distilled), distilled.compact_
        with pytest.raises(ValueError):
            distilled.set_params(temperature=1.0, **options).fit(X, y)
        assert self.attributes(distilled) == before
        assert distilled.compact_ is model
        assert distilled.temperature_ == 2


class TestBadInput:
    @pytest.mark.parametrize(
        "parameters",
        [
            {"temperature": 0},
            {"temperature": -1.0},
            {"temperature": "warm"},
            {"alpha": -0.1},
            {"alpha": 1.1},
            {"transfer_set": "magic"},
            {"transfer_set": 3},
            {"transfer_weight": -1},
            {"cv": "five"},
            {"memory": 3},
            {"n_jobs": 1.5},
            {"student": "tree"},
            {"random_state": "seed"},
        ],
        ids=str,
    )
    def test_parameters(self, parameters):
        name = next(iter(parameters))
        with pytest.raises(ValueError, match=f"'{name}' parameter of DistilledClassifier"):
            tree_classifier(GaussianNB(), **parameters).fit(X, Y)

    @pytest.mark.parametrize("teacher", ["forest", 3, GaussianNB])
    def test_teacher(self, teacher):
        with pytest.raises((ValueError, TypeError), match=r"teacher|GaussianNB"):
            tree_classifier(teacher).fit(X, Y)

    @pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
    def test_infinity(self, value):
        rows = X.copy()
        rows[3, 2] = value
        with pytest.raises(ValueError, match="infinity"):
            tree_classifier(Counted()).fit(rows, Y)
        assert FITS == []

    @pytest.mark.parametrize(
        ("rows", "y", "message"),
        [
            (np.empty((0, 4)), np.empty(0), "0 sample"),
            (np.empty((5, 0)), np.arange(5), "0 feature"),
            (X[0], Y[:1], "Expected 2D array"),
            (X, np.eye(3)[Y], "y must hold labels"),
            (X, Y[:-1], "inconsistent numbers of samples"),
            (X, X[:, 0], "Unknown label type"),
            (X, np.where(Y == 0, np.nan, Y), "NaN"),
            (np.array([["a"], ["b"]]), [0, 1], "could not convert string|dtype"),
            (X[:1], Y[:1], "n_samples=1"),
        ],
    )
    def test_tables(self, rows, y, message):
        with pytest.raises(ValueError, match=message):
            tree_classifier(GaussianNB()).fit(rows, y)

    @pytest.mark.parametrize("weight", [np.zeros(150), -np.ones(150), np.ones(149)])
    def test_weights(self, weight):
        with pytest.raises(ValueError, match="weight"):
            tree_classifier(GaussianNB()).fit(X, Y, weight)

    def test_a_column_of_labels_warns(self):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            distilled = tree_classifier(GaussianNB(), transfer_set=None).fit(X, Y[:, None])
        assert distilled.score(X, Y) > 0.9

    def test_wide_integers(self):
        rows = np.full((4, 1), 2**24 + 1)
        with pytest.raises(ValueError, match="integers beyond 2"):
            tree_classifier(GaussianNB()).fit(rows, [0, 1, 0, 1])

    def test_columns_at_predict(self):
        distilled = tree_classifier(GaussianNB(), transfer_set=None).fit(X, Y)
        for method in ("predict", "predict_proba", "decision_function"):
            with pytest.raises(ValueError, match="3 features"):
                getattr(distilled, method)(X[:, :3])


class TestExports:
    @pytest.mark.parametrize("student", [None, SoftLinearClassifier(), RandomForestClassifier(3)])
    @pytest.mark.parametrize("names", [NAMES, np.array([3, 5, 9])])
    def test_saved_loaded_and_run(self, student, names, tmp_path):
        onnxruntime = pytest.importorskip("onnxruntime")
        distilled = tree_classifier(
            GaussianNB(), student, transfer_set=Munge(2), random_state=0
        ).fit(FRAME, names[Y])
        distilled.save(tmp_path / "model.skd")
        model = load(tmp_path / "model.skd")
        assert model.equals(distilled.compact_)
        assert model.feature_names == ("p", "q", "r", "s")
        graph = distilled.to_onnx(tmp_path / "model.onnx").SerializeToString()
        assert (tmp_path / "model.onnx").read_bytes() == graph
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        label, P, scores = session.run(None, {session.get_inputs()[0].name: ROWS})
        assert label.tolist() == distilled.predict(FRAME).tolist()
        assert scores.tolist() == model.scores(X).tolist()
        assert_allclose(P, distilled.predict_proba(FRAME), atol=1e-6)

    def test_not_before_fit(self, tmp_path):
        distilled = tree_classifier(GaussianNB())
        for export in (lambda: distilled.save(tmp_path / "x"), distilled.to_onnx):
            with pytest.raises(ValueError, match="not fitted"):
                export()
        assert not hasattr(distilled, "feature_importances_")

    def test_pickle_and_clone(self):
        distilled = tree_classifier(GaussianNB(), transfer_set=Munge(2), random_state=0).fit(X, Y)
        copy = pickle.loads(pickle.dumps(distilled))
        assert copy.compact_.equals(distilled.compact_)
        assert copy.predict(X).tolist() == distilled.predict(X).tolist()
        assert clone(distilled).fit(X, Y).compact_.equals(distilled.compact_)


def test_cross_validation_by_two_jobs():
    distilled = tree_classifier(GaussianNB(), transfer_set=Munge(2), random_state=0)
    one, two = (cross_val_score(distilled, X, Y, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one == pytest.approx(two)


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_progress_bar_where_wanted(verbose, capsys):
    tree_classifier(GaussianNB(), transfer_set=None, verbose=verbose).fit(X, Y)
    assert ("6/6" in capsys.readouterr().err) == bool(verbose)


def test_the_teachers_decisions_alone():
    teacher = FrozenEstimator(GaussianNB().fit(X, Y))
    settings = {"transfer_set": None, "alpha": 1.0}
    student = tree_classifier(teacher, response_method="predict", **settings).fit(X)
    by_hand = SoftTreeClassifier().fit(ROWS, np.eye(3)[teacher.predict(X)])
    assert np.array_equal(student.predict_proba(X), by_hand.predict_proba(X))
    calibrated = tree_classifier(teacher, response_method="predict", temperature="auto").fit(X, Y)
    assert calibrated.temperature_ != 1


class Asked:
    """Hints that note what they were asked about."""

    def __init__(self):
        self.calls = []

    def targets(self, teacher, X):
        self.calls.append((teacher, X))
        return np.asarray(X)[:, :2] ** 2


@pytest.mark.parametrize("table", [X, FRAME])
def test_hints_are_read_in_the_fitted_teacher_for_all_rows(table):
    hints = Asked()
    student = tree_classifier(
        GaussianNB(), SoftTreeClassifier(max_leaf_nodes=6), hints=hints, hint_weight=2.0
    ).set_params(transfer_set=Munge(2), random_state=0)
    student.fit(table, Y)
    ((teacher, rows),) = hints.calls
    assert teacher is student.teacher_ and type(rows) is type(table)
    assert rows.shape == (450, 4)
    plain = tree_classifier(
        GaussianNB(), SoftTreeClassifier(max_leaf_nodes=6), transfer_set=Munge(2), random_state=0
    ).fit(table, Y)
    assert not np.array_equal(student.compact_.scores(X), plain.compact_.scores(X))


def test_hints_beside_given_labels_and_without_a_teacher_to_ask():
    P, hints = np.eye(3)[Y] * 0.7 + 0.1, Asked()
    student = tree_classifier(GaussianNB(), hints=hints, transfer_set=None)
    student.fit(X, Y, teacher_proba=P)
    assert len(hints.calls) == 1 and hasattr(student, "teacher_")
    with pytest.raises(ValueError, match="teacher=None cannot give hints"):
        tree_classifier(None, hints=hints, transfer_set=None).fit(X, Y, teacher_proba=P)
    tree_classifier(None, hints=hints, alpha=0).fit(X, Y)  # a plain student
    assert len(hints.calls) == 1


@pytest.mark.parametrize(
    ("told", "message"),
    [(np.full((150, 2), np.nan), "targets of Broken contains NaN"), (X[:10], "inconsistent")],
)
def test_broken_hints_are_refused(told, message):
    class Broken:
        def targets(self, teacher, X):
            return told

    with pytest.raises(ValueError, match=message):
        tree_classifier(GaussianNB(), hints=Broken(), transfer_set=None).fit(X, Y)


def test_the_default_student_is_a_network():
    distilled = DistilledClassifier(GaussianNB(), transfer_set=None, random_state=0).fit(X, Y)
    student = SoftNetClassifier(random_state=distilled.student_.random_state)
    by_hand = student.fit(
        ROWS,
        SoftTargets(cross_fit(GaussianNB(), ROWS, Y, CLASSES).response, Y, 0.5),
        classes=CLASSES,
    )
    assert distilled.compact_.equals(by_hand.compact_)
    assert distilled.score(X, Y) > 0.9
