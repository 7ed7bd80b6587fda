"""XGBoost's classifiers accept the labels 0, 1, … only; inside the wrapper any labels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill.teachers import LabelEncodedClassifier, as_teacher, cross_fit, probabilities

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])
xgboost = pytest.importorskip("xgboost")
MODEL = xgboost.XGBClassifier(n_estimators=3, n_jobs=1)


@pytest.mark.parametrize("y", [NAMES[Y], 2 * Y, Y == 1], ids=["str", "int", "bool"])
def test_labels_of_any_kind(y):
    codes = np.unique(y, return_inverse=True)[1]
    expected = clone(MODEL).fit(X, codes)
    for teacher in (MODEL, make_pipeline(MODEL)):
        ready = as_teacher(teacher)
        assert isinstance(ready, LabelEncodedClassifier)
        ready.fit(X, y)
        assert ready.classes_.tolist() == np.unique(y).tolist()
        assert ready.predict_proba(X).tolist() == expected.predict_proba(X).tolist()
        assert ready.predict(X).tolist() == np.unique(y)[expected.predict(X)].tolist()


@pytest.mark.parametrize("kind", [GridSearchCV, RandomizedSearchCV])
def test_searches(kind):
    options = {} if kind is GridSearchCV else {"n_iter": 1}
    search = kind(make_pipeline(MODEL), {"xgbclassifier__max_depth": [2]}, cv=2, **options)
    ready = as_teacher(search)
    assert isinstance(ready, LabelEncodedClassifier)
    assert ready.fit(X, NAMES[Y]).classes_.tolist() == ["a", "b", "c"]
    frozen = FrozenEstimator(search.fit(X, Y))  # has all attributes of the search
    assert as_teacher(frozen) is frozen


def test_a_fold_without_a_class():
    rows = np.flatnonzero((Y != 1) | (np.arange(150) == 60))
    P = cross_fit(as_teacher(MODEL), X[rows], NAMES[Y[rows]], NAMES).response
    assert np.isfinite(P).all()
    assert (P[np.flatnonzero(rows == 60), 1] == 0).all()


def test_weights_reach_the_estimator():
    weight = np.random.default_rng(0).random(150)
    expected = clone(MODEL).fit(X, Y, sample_weight=weight).predict_proba(X)
    for teacher in (MODEL, make_pipeline(StandardScaler(), MODEL)):
        result = cross_fit(as_teacher(teacher), X, Y, np.arange(3), sample_weight=weight)
        assert_allclose(result.teacher.predict_proba(X), expected, atol=1e-5)


def test_others_learn_labels():
    for teacher in (
        GaussianNB(),
        CalibratedClassifierCV(MODEL),
        TunedThresholdClassifierCV(MODEL),
        FrozenEstimator(MODEL),
    ):
        assert as_teacher(teacher) is teacher
    regressor = xgboost.XGBRegressor()
    assert as_teacher(regressor, regression=True) is regressor


def test_messages_name_the_class_that_the_user_wrote():
    teacher = LabelEncodedClassifier(GaussianNB()).fit([[0.0], [1.0]], ["a", "b"])
    teacher.classes_ = teacher.classes_[:1]
    with pytest.raises(ValueError, match="predict_proba of GaussianNB has 2 columns for 1 classes"):
        probabilities(teacher, [[0.0]], np.array(["a", "b"]))
