"""Which fit parameters a teacher gets: by its signature, or by what it requested."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from skdistill import TeacherEnsemble
from skdistill.teachers import LabelEncodedClassifier, as_teacher, cross_fit
from skdistill.teachers._fit import fit_copy
from skdistill.teachers.steps import is_search

X, Y = load_iris(return_X_y=True)
WEIGHT = np.random.default_rng(0).random(150)
CLASSES = np.arange(3)
FITS = []


class Logged(ClassifierMixin, BaseEstimator):
    """Keeps what each fit was called with, under its name."""

    def __init__(self, name="logged"):
        self.name = name

    def fit(self, X, y, sample_weight=None, price=None):
        FITS.append((self.name, X, sample_weight, price))
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def uniform(rows):
    return np.full((len(rows), 3), 1 / 3)


@pytest.fixture(autouse=True)
def no_fits_yet():
    FITS.clear()


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize(
    ("estimator", "search"),
    [
        (GridSearchCV(GaussianNB(), {}), True),
        (GridSearchCV(GaussianNB(), {}, cv=2).fit(X, Y), True),
        (RandomizedSearchCV(GaussianNB(), {}), True),
        (FrozenEstimator(GridSearchCV(GaussianNB(), {}, cv=2).fit(X, Y)), False),
        (TunedThresholdClassifierCV(GaussianNB()), False),
        (BaggingClassifier(GaussianNB()), False),
        (RFE(LogisticRegression()), False),
        (GaussianNB(), False),
    ],
)
def test_searches_are_known_by_their_attributes(estimator, search):
    assert is_search(estimator) == search


class TestBySignature:
    """Without metadata routing."""

    @pytest.mark.parametrize(
        "teacher",
        [
            Logged(),
            make_pipeline(StandardScaler(), Logged()),
            make_pipeline(make_pipeline(Logged())),
            GridSearchCV(Logged(), {}, cv=2, scoring="neg_log_loss"),
            GridSearchCV(make_pipeline(Logged()), {}, cv=2, scoring="neg_log_loss"),
        ],
        ids=["plain", "Pipeline", "nested", "search", "search of Pipeline"],
    )
    def test_weights(self, teacher):
        fitted = fit_copy(teacher, X, Y, WEIGHT)
        assert fitted is not teacher
        assert FITS[-1][2].tolist() == WEIGHT.tolist()

    @pytest.mark.parametrize(
        "teacher",
        [
            VotingClassifier([("a", Logged("a")), ("b", "drop"), ("c", Logged("c"))]),
            StackingClassifier([("a", Logged("a"))], final_estimator=GaussianNB(), cv=2),
        ],
    )
    def test_weights_of_all_members(self, teacher):
        fit_copy(teacher, X, Y, WEIGHT)
        full = [(name, weight) for name, rows, weight, _ in FITS if len(rows) == 150]
        assert len(full) == len(teacher.estimators) - ("drop" in str(teacher))
        for _, weight in full:
            assert weight.tolist() == WEIGHT.tolist()

    @pytest.mark.parametrize(
        "teacher",
        [
            KNeighborsClassifier(),
            make_pipeline(StandardScaler(), KNeighborsClassifier()),
            VotingClassifier([("a", KNeighborsClassifier()), ("b", "drop")]),
        ],
    )
    def test_nothing_for_those_that_take_none(self, teacher):
        plain = clone(teacher).fit(X, Y).predict(X)
        assert fit_copy(teacher, X, Y, WEIGHT).predict(X).tolist() == plain.tolist()

    def test_other_parameters_are_passed_on(self):
        fit_copy(Logged(), X, Y, price=3)
        assert FITS[-1][2:] == (None, 3)

    def test_metadata_of_ensembles_and_wrappers_need_routing(self):
        for teacher in (TeacherEnsemble([Logged()]), LabelEncodedClassifier(Logged())):
            with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
                teacher.fit(X, Y, price=3)


class TestByRequest:
    """With metadata routing the caller has decided."""

    @pytest.fixture(autouse=True)
    def routed(self, routing):
        pass

    def test_a_copy_gets_what_it_is_passed(self):
        fit_copy(Logged(), X, Y, WEIGHT, price=3)
        assert FITS[-1][2] is WEIGHT and FITS[-1][3] == 3
        fit_copy(Logged(), X, Y)
        assert FITS[-1][2:] == (None, None)
        step = Logged().set_fit_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        fit_copy(make_pipeline(scaler, step), X, Y, WEIGHT)
        assert FITS[-1][2] is WEIGHT
        with pytest.raises(TypeError, match="sample_weight"):
            fit_copy(KNeighborsClassifier(), X, Y, WEIGHT)

    def test_parameters_are_split_by_fold(self):
        rows = np.column_stack([X, np.arange(150)])
        cross_fit(
            Logged(), rows, Y, CLASSES, fit_params={"sample_weight": WEIGHT, "price": "low"}, cv=3
        )
        assert [len(seen) for _, seen, _, _ in FITS] == [100, 100, 100, 150]
        for _, seen, weight, price in FITS:
            assert weight.tolist() == WEIGHT[seen[:, 4].astype(int)].tolist()
            assert price == "low"

    @pytest.mark.parametrize("request_", [True, False, "importance"])
    def test_wrappers_route(self, request_):
        model = Logged().set_fit_request(sample_weight=request_, price=True)
        wrapper = LabelEncodedClassifier(model)
        name = "importance" if request_ == "importance" else "sample_weight"
        if request_:
            wrapper.fit(X, Y, **{name: WEIGHT}, price=7)
        else:
            with pytest.raises(TypeError, match=r"unexpected argument.* not routed to any object"):
                wrapper.fit(X, Y, WEIGHT, price=7)
            wrapper.fit(X, Y, price=7)
        assert (FITS[-1][2] is WEIGHT) == bool(request_)
        assert FITS[-1][3] == 7
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            LabelEncodedClassifier(Logged()).fit(X, Y, WEIGHT)

    def test_a_wrapped_booster_gets_its_weights(self):
        model = XGBClassifier(n_estimators=2, n_jobs=1).set_fit_request(sample_weight=True)
        result = cross_fit(as_teacher(model), X, Y, CLASSES, sample_weight=WEIGHT)
        own = clone(model).fit(X, Y, sample_weight=WEIGHT).predict_proba(X)
        assert result.teacher.predict_proba(X).tolist() == own.tolist()
        plain = cross_fit(as_teacher(model.set_fit_request(sample_weight=False)), X, Y, CLASSES)
        assert plain.teacher.predict_proba(X).tolist() != own.tolist()

    @pytest.mark.parametrize("weights", ["uniform", "log_loss"])
    @pytest.mark.parametrize("named", [False, True])
    def test_members_get_what_they_requested(self, weights, named):
        members = [
            Logged("yes").set_fit_request(sample_weight=True, price=True),
            Logged("no").set_fit_request(sample_weight=False, price=False),
            RandomForestClassifier(2).set_fit_request(sample_weight=True),
            FrozenEstimator(GaussianNB().fit(X, Y)),
            uniform,
        ]
        if named:
            members = list(zip("abcde", members, strict=True))
        ensemble = TeacherEnsemble(members, weights, cv=3)
        ensemble.fit(X, Y, WEIGHT, price=5)
        assert {name for name, *_ in FITS} == {"yes", "no"}
        for name, rows, weight, price in FITS:
            assert (price == 5) == (name == "yes")
            assert weight is None if name == "no" else len(weight) == len(rows)
        ready = as_teacher(ensemble, X, Y)
        FITS.clear()
        cross_fit(ready, X, Y, CLASSES, fit_params={"sample_weight": WEIGHT, "price": 5}, cv=2)
        assert {name for name, *_, price in FITS if price == 5} == {"yes"}

    def test_learnt_weights_are_a_consumer_of_their_own(self):
        """Fixed weights read no weights of rows, so that nothing has to be requested for them."""
        for weights, asks in (("uniform", False), ([1, 2], False), ("greedy", True)):
            member = Logged().set_fit_request(sample_weight=False)
            router = TeacherEnsemble([member, uniform], weights).get_metadata_routing()
            assert ("self_request" in str(router)) == asks
            consumers = router.consumes("fit", ["sample_weight"])
            assert consumers == set()
            weighted = TeacherEnsemble([member, uniform], weights)
            weighted.set_fit_request(sample_weight=True)
            consumers = weighted.get_metadata_routing().consumes("fit", ["sample_weight"])
            assert consumers == ({"sample_weight"} if asks else set())

    def test_unset_requests_of_members_are_refused(self):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            TeacherEnsemble([Logged()]).fit(X, Y, WEIGHT)
        TeacherEnsemble([[Logged()], Logged()]).fit(X, Y)
        assert len(FITS) == 2
