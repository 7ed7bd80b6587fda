"""Distillers as meta-estimators: who gets which metadata, tags, and how they are shown.

The checks of routing are those that scikit-learn makes of its own meta-estimators.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import MetaEstimatorMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    SoftLinearClassifier,
    SoftTreeClassifier,
    TeacherEnsemble,
)
from tests.distillers import tree_classifier, tree_regressor

X, Y = load_iris(return_X_y=True)
VALUES = X[:, 0] + 0.5 * X[:, 1]
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, len(X))
METADATA = np.arange(len(X)) + 0.5
GROUPS = np.arange(len(X)) % 7
GOT = []


class Classifier(GaussianNB):
    """Notes what its `fit` gets."""

    def fit(self, X, y, sample_weight=None, metadata=None):
        GOT.append((X, {"sample_weight": sample_weight, "metadata": metadata}))
        return super().fit(X, y, sample_weight)


class Regressor(Ridge):
    """Notes what its `fit` gets."""

    def fit(self, X, y, sample_weight=None, metadata=None):
        GOT.append((X, {"sample_weight": sample_weight, "metadata": metadata}))
        return super().fit(X, y, sample_weight)


class Plain(GaussianNB):
    """Takes no metadata at all."""

    def fit(self, X, y):
        GOT.append((X, {}))
        return super().fit(X, y)


class Splitter(GroupKFold):
    """Notes what its `split` gets."""

    def split(self, X, y=None, groups=None, metadata=None):
        GOT.append((X, {"groups": groups, "metadata": metadata}))
        return super().split(X, y, groups)


DISTILLERS = {
    "classifier": (tree_classifier, Classifier, Y),
    "regressor": (tree_regressor, Regressor, VALUES),
}


@pytest.fixture(params=DISTILLERS)
def kind(request):
    return DISTILLERS[request.param]


@pytest.fixture
def routing():
    GOT.clear()
    with config_context(enable_metadata_routing=True):
        yield


def require_rows_of(name, values):
    """Every fit got the values of its rows; the last one is the fit on all rows."""
    assert len(GOT) == 6
    rows = {tuple(row): i for i, row in enumerate(X.astype(np.float32).tolist())}
    for seen, metadata in GOT:
        at = [rows[tuple(row)] for row in seen.tolist()]
        twins = pd.DataFrame(X.astype(np.float32)).duplicated(keep=False).to_numpy()[at]
        assert metadata[name][~twins].tolist() == values[at][~twins].tolist()
    assert GOT[-1][1][name].tolist() == values.tolist()


@pytest.mark.usefixtures("routing")
class TestRouting:
    def test_nothing_is_requested_by_default(self, kind):
        distiller, teacher, _ = kind
        router = distiller(teacher(), cv=KFold()).get_metadata_routing()
        assert isinstance(router, MetadataRouter)
        for _, child in router:
            request = getattr(child.router, "fit", None)
            assert request is None or not any(request.requests.values())

    @pytest.mark.parametrize("name", ["sample_weight", "metadata"])
    def test_what_the_teacher_left_open_is_an_error(self, kind, name):
        distiller, teacher, y = kind
        message = (
            f"[{name}] are passed but are not explicitly set as requested or not requested for "
            f"{teacher.__name__}.fit"
        )
        with pytest.raises(UnsetMetadataPassedError, match=re.escape(message)):
            distiller(teacher(), transfer_set=None).fit(X, y, **{name: WEIGHT})
        assert GOT == []

    @pytest.mark.parametrize("name", ["sample_weight", "metadata"])
    def test_what_the_teacher_requested_it_gets_row_by_row(self, kind, name):
        distiller, teacher, y = kind
        teacher = teacher().set_fit_request(**{name: True})
        distiller(teacher, transfer_set=None).fit(X, y, **{name: WEIGHT})
        require_rows_of(name, WEIGHT)
        other = {"sample_weight": "metadata", "metadata": "sample_weight"}[name]
        assert all(metadata[other] is None for _, metadata in GOT)

    def test_what_the_teacher_does_not_want_reaches_the_student_alone(self, kind):
        distiller, teacher, y = kind
        teacher = teacher().set_fit_request(sample_weight=False)
        weighted = distiller(teacher, transfer_set=None).fit(X, y, WEIGHT)
        assert all(metadata["sample_weight"] is None for _, metadata in GOT)
        plain = distiller(teacher, transfer_set=None).fit(X, y)
        assert not weighted.compact_.equals(plain.compact_)

    def test_an_alias_is_another_name(self, kind):
        distiller, teacher, y = kind
        teacher = teacher().set_fit_request(sample_weight="teacher_weight", metadata=False)
        distiller(teacher, transfer_set=None).fit(X, y, WEIGHT, teacher_weight=METADATA)
        require_rows_of("sample_weight", METADATA)

    def test_what_nobody_knows_is_an_error(self, kind):
        distiller, teacher, y = kind
        with pytest.raises(TypeError, match=r"unexpected argument\(s\) {'colour'}"):
            distiller(teacher()).fit(X, y, colour=WEIGHT)

    def test_a_teacher_without_metadata_works(self):
        tree_classifier(Plain(), transfer_set=None).fit(X, Y)
        tree_classifier(Plain(), transfer_set=None).fit(X, Y, WEIGHT)
        with pytest.raises(TypeError, match="metadata"):
            tree_classifier(Plain(), transfer_set=None).fit(X, Y, metadata=METADATA)

    def test_a_pipeline_routes_on(self, kind):
        distiller, teacher, y = kind
        steps = (FunctionTransformer(), teacher().set_fit_request(sample_weight=True))
        distiller(make_pipeline(*steps), transfer_set=None).fit(X, y, WEIGHT)
        require_rows_of("sample_weight", WEIGHT)
        GOT.clear()
        steps = (FunctionTransformer(), teacher().set_fit_request(sample_weight=False))
        distiller(make_pipeline(*steps), transfer_set=None).fit(X, y, WEIGHT)
        assert all(metadata["sample_weight"] is None for _, metadata in GOT)

    def test_so_do_searches_lists_and_label_encoders(self):
        inner = Classifier().set_fit_request(sample_weight=True)
        inner.set_score_request(sample_weight=False)
        unweighted = GaussianNB().set_fit_request(sample_weight=False)
        for teacher in (
            GridSearchCV(inner, {"var_smoothing": [1e-9]}, cv=2),
            [inner, Plain()],
            TeacherEnsemble([("one", inner), ("two", unweighted)]),
        ):
            GOT.clear()
            tree_classifier(teacher, transfer_set=None).fit(X, Y, WEIGHT)
            got = [metadata["sample_weight"] for _, metadata in GOT if metadata]
            assert got and all(weight is not None for weight in got)

    def test_a_distiller_as_teacher_routes_on(self):
        inner = tree_classifier(Classifier().set_fit_request(sample_weight=True), cv=2)
        inner.set_params(transfer_set=None).set_fit_request(sample_weight=True)
        tree_classifier(inner, cv=2, transfer_set=None).fit(X, Y, WEIGHT)
        assert len(GOT) == 3 * 3
        assert all(metadata["sample_weight"] is not None for _, metadata in GOT)

    def test_a_frozen_teacher_and_none_are_not_asked(self):
        frozen = FrozenEstimator(GaussianNB().fit(X, Y))
        for teacher, output in ((frozen, None), (None, frozen.predict_proba(X))):
            distiller = tree_classifier(teacher, transfer_set=None)
            distiller.fit(X, Y, WEIGHT, teacher_proba=output)
        tree_classifier(Classifier(), alpha=0).fit(X, Y, WEIGHT)
        assert GOT == []

    def test_class_weights_count_where_weights_are_requested(self):
        teacher = Classifier().set_fit_request(sample_weight=True)
        balanced = tree_classifier(teacher, class_weight={0: 1, 1: 2, 2: 3}, transfer_set=None)
        balanced.fit(X, Y)
        require_rows_of("sample_weight", Y + 1.0)
        GOT.clear()
        teacher = Classifier().set_fit_request(sample_weight=False)
        clone(balanced).set_params(teacher=teacher).fit(X, Y)
        assert all(metadata["sample_weight"] is None for _, metadata in GOT)

    def test_the_splitter_gets_what_it_requested(self, kind):
        distiller, _, y = kind
        cv = Splitter(3).set_split_request(metadata=True)
        model = distiller(Plain() if y is Y else Ridge(), cv=cv, transfer_set=None, random_state=0)
        model.fit(X, y, groups=GROUPS, metadata=METADATA)
        (_, got), *_ = GOT
        assert got["groups"].tolist() == GROUPS.tolist()
        assert got["metadata"].tolist() == METADATA.tolist()
        by_groups = distiller(
            Plain() if y is Y else Ridge(), cv=GroupKFold(3), transfer_set=None, random_state=0
        )
        assert model.compact_.equals(by_groups.fit(X, y, groups=GROUPS).compact_)

    def test_groups_reach_auto_and_splitters_by_group_only(self, kind):
        distiller, _, y = kind
        teacher = Plain() if y is Y else Ridge()
        by_hand = (StratifiedGroupKFold if y is Y else GroupKFold)(5)
        auto = distiller(teacher, transfer_set=None, random_state=0).fit(X, y, groups=GROUPS)
        given = distiller(teacher, cv=by_hand, transfer_set=None, random_state=0).fit(
            X, y, groups=GROUPS
        )
        assert auto.compact_.equals(given.compact_)
        with pytest.raises(TypeError, match="groups"):
            distiller(teacher, cv=KFold(3), transfer_set=None, random_state=0).fit(
                X, y, groups=GROUPS
            )

    def test_groups_pass_through_cross_validation(self, kind):
        distiller, _, y = kind
        teacher = Plain() if y is Y else Ridge()
        for cv in (GroupKFold(2), "auto"):
            model = distiller(teacher, cv=cv, transfer_set=None)
            result = cross_validate(model, X, y, params={"groups": GROUPS}, cv=GroupKFold(2))
            assert np.isfinite(result["test_score"]).all()

    def test_metadata_of_a_pipeline_reach_the_teacher_of_its_last_step(self):
        teacher = Classifier().set_fit_request(sample_weight=True)
        distiller = tree_classifier(teacher, transfer_set=None)
        distiller.set_fit_request(sample_weight=True)
        scale = FunctionTransformer()
        make_pipeline(scale, distiller).fit(X, Y, sample_weight=WEIGHT)
        require_rows_of("sample_weight", WEIGHT)


class TestWithoutRouting:
    def test_further_parameters_are_refused(self, kind):
        distiller, teacher, y = kind
        with pytest.raises(ValueError, match=r"enable_metadata_routing=True.*'metadata'"):
            distiller(teacher()).fit(X, y, metadata=METADATA)

    def test_weights_reach_whoever_takes_them(self, kind):
        distiller, teacher, y = kind
        GOT.clear()
        distiller(teacher(), transfer_set=None).fit(X, y, WEIGHT)
        require_rows_of("sample_weight", WEIGHT)
        with pytest.warns(UserWarning, match="Plain takes no sample_weight"):
            tree_classifier(Plain(), transfer_set=None).fit(X, Y, WEIGHT)


def test_they_are_meta_estimators():
    assert issubclass(DistilledClassifier, MetaEstimatorMixin)
    assert issubclass(DistilledRegressor, MetaEstimatorMixin)


class TestTags:
    @pytest.mark.parametrize(
        ("which", "categorical", "string"),
        [("from_dtype", True, False), (None, False, False), ([0], True, True)],
    )
    def test_categories_and_strings_are_those_of_the_student(self, which, categorical, string):
        student = SoftTreeClassifier(categorical_features=which)
        for estimator in (student, tree_classifier(HistGradientBoostingClassifier(), student)):
            tags = get_tags(estimator).input_tags
            assert (tags.categorical, tags.string) == (categorical, string)
        adapted = get_tags(tree_classifier(GaussianNB(), DecisionTreeClassifier())).input_tags
        assert adapted.categorical

    @pytest.mark.parametrize(
        ("teacher", "student", "alpha", "allowed"),
        [
            (HistGradientBoostingClassifier(), None, 0.5, True),
            (GaussianNB(), None, 0.5, False),
            (GaussianNB(), None, 0, True),
            (HistGradientBoostingClassifier(), LogisticRegression(), 0.5, False),
            ([RandomForestClassifier(), GaussianNB()], None, 0.5, False),
            ([[RandomForestClassifier(), GaussianNB()]], None, 0.5, False),
            (make_pipeline(GaussianNB()), None, 0.5, True),  # tags cannot tell
            ([RandomForestClassifier(), make_pipeline(GaussianNB())], None, 0.5, True),
        ],
    )
    def test_missing_values_have_to_be_allowed_by_both(self, teacher, student, alpha, allowed):
        distiller = tree_classifier(teacher, student, alpha=alpha)
        assert get_tags(distiller).input_tags.allow_nan == allowed

    def test_sparse_rows_are_for_students_only(self):
        assert get_tags(SoftLinearClassifier()).input_tags.sparse
        assert not get_tags(tree_classifier(Ridge(), SoftLinearClassifier())).input_tags.sparse


@pytest.mark.parametrize(
    "teacher",
    [
        GaussianNB(),
        make_pipeline(StandardScaler(), GaussianNB()),
        [GaussianNB(), DecisionTreeClassifier()],
        FrozenEstimator(GaussianNB().fit(X, Y)),
    ],
    ids=["estimator", "pipeline", "list", "frozen"],
)
@pytest.mark.parametrize("student", [None, SoftLinearClassifier(), DecisionTreeClassifier()])
def test_the_html_representation(teacher, student):
    distiller = tree_classifier(teacher, student, transfer_set=None, random_state=0)
    before = distiller._repr_html_()
    assert "DistilledClassifier" in before and "Not fitted" in before
    after = distiller.fit(X, Y)._repr_html_()
    assert "Fitted" in after and "Not fitted" not in after
    if student is not None:
        assert f"student: {type(student).__name__}" in after
    if not isinstance(teacher, list):
        assert f"teacher: {type(teacher).__name__}" in after
    assert distiller._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("teacher", [GaussianNB(), [DecisionTreeClassifier(), GaussianNB()]])
def test_the_html_representation_goes_from_teacher_to_student_to_bytes(teacher):
    X, y = load_iris(return_X_y=True)
    distiller = DistilledClassifier(teacher, SoftTreeClassifier(max_leaf_nodes=4))
    before = distiller._repr_html_()
    name = f"teacher: {type(teacher).__name__}"
    assert 0 < before.index(name) < before.index("student: SoftTreeClassifier")
    distiller.fit(X, y)
    after = distiller._repr_html_()
    nbytes = f"{distiller.compact_.nbytes:,} bytes"
    name = f"teacher: {type(distiller.teacher_).__name__}"
    positions = [after.index(text) for text in (name, "student: SoftTree", nbytes)]
    assert positions == sorted(positions) and nbytes not in before
    alone = DistilledClassifier(None, SoftTreeClassifier(), alpha=0)._repr_html_()
    assert "teacher: NoneType" not in alone and "student: SoftTreeClassifier" in alone
