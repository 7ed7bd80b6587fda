"""Weights reach every estimator inside a teacher, and leave nothing behind."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from sklearn.metrics import get_scorer, make_scorer, matthews_corrcoef
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.fixes import parse_version
from xgboost import XGBClassifier

from skdistill import SoftTreeClassifier
from skdistill.teachers import as_teacher, cross_fit
from skdistill.teachers._fit import fit_copy
from skdistill.teachers.weighted_fit import fitted_without_weights
from tests.distillers import tree_classifier

X, Y = load_breast_cancer(return_X_y=True)
X = X[:, ::3]
BAD = np.random.default_rng(0).random(len(Y)) < 0.5
WRONG, WEIGHT = np.where(BAD, 1 - Y, Y), np.where(BAD, 1e-6, 1.0)
GRID = {"logisticregression__C": [0.1, 1.0]}


def logistic():
    return LogisticRegression(max_iter=2000)


def pipe(last=None):
    return make_pipeline(StandardScaler(), logistic() if last is None else last)


TEACHERS = {
    "leaf": logistic(),
    "Pipeline": pipe(),
    "Pipeline in Pipeline": make_pipeline(pipe()),
    "Grid(Pipeline)": GridSearchCV(pipe(), GRID, cv=3),
    "Grid(Pipeline), scoring": GridSearchCV(pipe(), GRID, cv=3, scoring="neg_log_loss"),
    "Grid(Pipeline), scorer": GridSearchCV(pipe(), GRID, cv=3, scoring=get_scorer("f1")),
    "Grid(Pipeline), several": GridSearchCV(
        pipe(), GRID, cv=3, scoring=["accuracy", "roc_auc"], refit="roc_auc"
    ),
    "Grid(Pipeline), dict": GridSearchCV(
        pipe(), GRID, cv=3, scoring={"m": make_scorer(matthews_corrcoef)}, refit="m"
    ),
    "Grid(Pipeline), function": GridSearchCV(
        pipe(), GRID, cv=3, scoring=lambda model, rows, y: model.score(rows[y > 0], y[y > 0])
    ),
    "Grid(Pipeline(Ada))": GridSearchCV(
        pipe(AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5)), {}, cv=3
    ),
    "Random(Voting(Pipeline))": RandomizedSearchCV(
        VotingClassifier([("a", pipe())], voting="soft"),
        {"a__logisticregression__C": [0.1, 1.0]},
        n_iter=2,
        cv=2,
        random_state=0,
    ),
    "Pipeline(Random)": pipe(RandomizedSearchCV(logistic(), {"C": [0.1, 1]}, n_iter=2, cv=2)),
    "Voting": VotingClassifier([("a", pipe()), ("b", pipe(GaussianNB())), ("c", "drop")]),
    "Stacking": StackingClassifier([("a", pipe()), ("b", pipe(GaussianNB()))], cv=3),
    "Stacking, final": StackingClassifier([("a", pipe())], pipe(), cv=3),
    "Stacking, passthrough": StackingClassifier([("a", pipe())], pipe(), cv=3, passthrough=True),
    "OvR": OneVsRestClassifier(pipe()),
    "OvR(leaf)": OneVsRestClassifier(logistic()),
    "OvO": OneVsOneClassifier(pipe()),
    "Bagging": BaggingClassifier(pipe(), 3, random_state=0),
    "Calibrated": CalibratedClassifierCV(pipe(), cv=3),
    "Calibrated, isotonic": CalibratedClassifierCV(pipe(), cv=3, method="isotonic"),
    "Tuned": TunedThresholdClassifierCV(pipe(), cv=3),
    "Tuned, scoring": TunedThresholdClassifierCV(pipe(), cv=3, scoring="f1"),
    "Fixed": FixedThresholdClassifier(pipe()),
    "RFE": RFE(DecisionTreeClassifier(max_depth=3), n_features_to_select=5),
    "RFECV": pipe(RFECV(logistic(), cv=3)),
    "RFE, Pipeline": make_pipeline(StandardScaler(), RFE(logistic()), logistic()),
    "SFS": make_pipeline(SequentialFeatureSelector(GaussianNB(), cv=2), pipe()),
    "SelectFromModel": make_pipeline(StandardScaler(), SelectFromModel(logistic()), logistic()),
    "LogisticRegressionCV": OneVsRestClassifier(
        pipe(LogisticRegressionCV(Cs=2, cv=3, l1_ratios=(0,), use_legacy_attributes=False))
    ),
    "Ada": AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5),
    "Pipeline(Ada)": pipe(AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5)),
    "Pipeline(Voting(Pipeline))": pipe(VotingClassifier([("a", pipe())], voting="soft")),
    "XGBoost": GridSearchCV(
        pipe(XGBClassifier(n_estimators=5, n_jobs=1)), {"xgbclassifier__max_depth": [2, 3]}, cv=2
    ),
    "LightGBM": VotingClassifier(
        [("a", pipe(LGBMClassifier(n_estimators=20, verbose=-1, n_jobs=1)))]
    ),
    "Voting with CatBoost": VotingClassifier(
        [("a", CatBoostClassifier(5, verbose=0, allow_writing_files=False, thread_count=1))]
    ),
    "Distilled": tree_classifier(
        GridSearchCV(pipe(), GRID, cv=3), SoftTreeClassifier(), cv=2, transfer_set=None, alpha=1.0
    ),
}


@pytest.mark.parametrize("name", TEACHERS)
def test_rows_of_no_weight_teach_nothing(name):
    if name == "Tuned, scoring" and parse_version(sklearn.__version__) < parse_version("1.9"):
        pytest.skip("scikit-learn 1.8 gives the scorers of thresholds no weights")
    teacher = as_teacher(TEACHERS[name], response_method="any")
    before = repr(teacher)
    assert fitted_without_weights(teacher) == []
    fitted = fit_copy(teacher, X, WRONG, WEIGHT)
    assert np.mean(fitted.predict(X) == Y) > 0.9
    assert repr(teacher) == before
    left = pickle.dumps(fitted) if "function" not in name else b""
    assert b"weighted_fit" not in left and b"_scoring_before" not in left
    params = {key: value for key, value in fitted.get_params().items() if "scoring" in key}
    originals = teacher.get_params()
    for key, value in params.items():
        assert repr(value) == repr(originals[key])
    assert "'sample_weight': True" not in repr([vars(each) for each in held_by(fitted)])


@pytest.mark.parametrize(
    "teacher",
    [
        GridSearchCV(make_pipeline(Ridge()), {"ridge__alpha": [0.1, 1]}, cv=3),
        VotingRegressor([("a", make_pipeline(StandardScaler(), Ridge()))]),
        StackingRegressor([("a", make_pipeline(Ridge()))], cv=3),
        BaggingRegressor(make_pipeline(Ridge()), 3, random_state=0),
        TransformedTargetRegressor(make_pipeline(StandardScaler(), RidgeCV())),
        make_pipeline(StandardScaler(), RFECV(Ridge(0.01), cv=3)),
    ],
)
def test_regressors(teacher):
    rows, y = load_diabetes(return_X_y=True)
    bad = np.random.default_rng(0).random(len(y)) < 0.5
    fitted = fit_copy(teacher, rows, np.where(bad, 400 - y, y), np.where(bad, 1e-6, 1.0))
    assert fitted.score(rows, y) > 0.3


def test_requests_of_the_user_are_honoured_and_stay():
    with config_context(enable_metadata_routing=True):
        mute = pipe(logistic().set_fit_request(sample_weight=False))
    teacher = VotingClassifier([("a", mute), ("b", pipe())], voting="soft")
    fitted = fit_copy(teacher, X, WRONG, WEIGHT)
    deaf, hears = (np.mean(one.predict(X) == Y) for one in fitted.estimators_)
    assert deaf < 0.9 < hears
    requests = [vars(one[-1]).get("_metadata_request") for one in fitted.estimators_]
    assert requests[0].fit.requests == {"sample_weight": False} and requests[1] is None


def test_a_message_names_a_meta_estimator_that_asks_what_nobody_can_request():
    class Strict(VotingClassifier):
        def fit(self, X, y, **params):
            raise UnsetMetadataPassedError(message="unset", unrequested_params=[], routed_params=[])

    with pytest.raises(ValueError, match=r"inside Strict: enable .* FrozenEstimator\(teacher\)"):
        fit_copy(Strict([("a", pipe())]), X, Y, WEIGHT)


@pytest.mark.parametrize(
    ("teacher", "names"),
    [
        (KNeighborsClassifier(), ["KNeighborsClassifier"]),
        (pipe(KNeighborsClassifier()), ["KNeighborsClassifier"]),
        (GridSearchCV(pipe(KNeighborsClassifier()), {}), ["KNeighborsClassifier"]),
        (
            VotingClassifier(
                [("k", KNeighborsClassifier()), ("d", LinearDiscriminantAnalysis()), ("b", pipe())],
                voting="soft",
            ),
            ["KNeighborsClassifier", "LinearDiscriminantAnalysis"],
        ),
        (BaggingClassifier(KNeighborsClassifier()), []),
        (FrozenEstimator(KNeighborsClassifier()), []),
    ],
)
def test_estimators_without_weights_are_named(teacher, names):
    assert fitted_without_weights(teacher) == names
    if isinstance(teacher, FrozenEstimator):
        return
    weights = {"sample_weight": WEIGHT, "cv": 2}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cross_fit(teacher, X, WRONG, np.arange(2), **weights)
        cross_fit(teacher, X, WRONG, np.arange(2), **weights | {"sample_weight": 3 * np.ones(569)})
    said = [str(one.message) for one in caught if "sample_weight" in str(one.message)]
    assert len(said) == bool(names) and all(name in said[0] for name in names)


def held_by(fitted):
    """Requests of everything that is reachable."""
    seen, pending = {}, [fitted]
    while pending:
        value = pending.pop()
        if id(value) in seen or isinstance(value, type):
            continue
        seen[id(value)] = value
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
        elif hasattr(value, "__dict__"):
            pending.extend(vars(value).values())
    return [one for one in seen.values() if type(one).__name__.endswith("MetadataRequest")]
