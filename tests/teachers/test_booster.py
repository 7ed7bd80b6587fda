"""Native boosters: their own probabilities and margins, whatever the objective."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris

from skdistill import BoosterTeacher
from skdistill.teachers import as_teacher

xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")
catboost = pytest.importorskip("catboost")

X, Y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=list("pqrs"))


def train(library, y=Y, rows=X, **options):
    K = len(np.unique(y))
    if library == "xgboost":
        own = {"objective": "multi:softprob", "num_class": K} if K > 2 else {}
        own = own or {"objective": "binary:logistic"}
        return xgboost.train({**own, "nthread": 1, **options}, xgboost.DMatrix(rows, y), 5)
    if library == "lightgbm":
        own = {"objective": "multiclass", "num_class": K} if K > 2 else {"objective": "binary"}
        own |= {"num_threads": 1, "verbose": -1, "num_leaves": 4}
        return lightgbm.train({**own, **options}, lightgbm.Dataset(rows, y), 5)
    own = {"loss_function": "MultiClass" if K > 2 else "Logloss", "iterations": 5, "depth": 3}
    own |= {"verbose": False, "allow_writing_files": False, "thread_count": 1}
    return catboost.CatBoost({**own, **options}).fit(rows, y)


def raw(library, booster, rows=X):
    if library == "xgboost":
        names = booster.feature_names
        return booster.predict(xgboost.DMatrix(rows, feature_names=names), output_margin=True)
    if library == "lightgbm":
        return booster.predict(rows, raw_score=True)
    return booster.predict(rows, prediction_type="RawFormulaVal")


LIBRARIES = ["xgboost", "lightgbm", "catboost"]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("y", [Y, (Y == 1).astype(int)], ids=["three", "two"])
def test_probabilities_and_margins_agree_with_the_library(library, y):
    booster = train(library, y)
    z = raw(library, booster)
    expected = softmax(z if z.ndim == 2 else np.column_stack([0 * z, z]), axis=1)
    for method in ("predict_proba", "decision_function"):
        teacher = BoosterTeacher(booster, response_method=method).fit(X)
        assert_allclose(teacher.predict_proba(X), expected, atol=1e-6)
        assert teacher.classes_.tolist() == np.unique(y).tolist()
    assert_allclose(as_teacher(booster, X).predict_proba(X), expected, atol=1e-6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("trained_on", [X, FRAME], ids=["array", "frame"])
@pytest.mark.parametrize("rows", [X, FRAME], ids=["array", "frame"])
def test_arrays_and_data_frames_mix(library, trained_on, rows):
    teacher = BoosterTeacher(train(library, rows=trained_on)).fit(rows)
    expected = BoosterTeacher(train(library)).fit(X).predict_proba(X)
    assert_allclose(teacher.predict_proba(rows), expected, atol=1e-6)


@pytest.mark.parametrize("objective", ["multi:softmax", "binary:logitraw", "binary:hinge"])
def test_objectives_whose_answers_are_no_probabilities(objective):
    y = Y if objective == "multi:softmax" else (Y == 1).astype(int)
    booster = train("xgboost", y, objective=objective)
    teacher = BoosterTeacher(booster, response_method="decision_function").fit(X, y)
    assert (teacher.predict(X) == y).mean() > 0.9
    if objective != "binary:hinge":  # whose responses are 0 or 1
        with pytest.raises(ValueError, match=r"the xgboost booster row .* margins need"):
            BoosterTeacher(booster).fit(X).predict_proba(X)


def test_an_objective_of_ones_own():
    def logistic(z, data):
        p = 1 / (1 + np.exp(-z))
        return p - data.get_label(), p * (1 - p)

    y = (Y == 1).astype(int)
    booster = train("lightgbm", y, objective=logistic)
    teacher = BoosterTeacher(booster, response_method="decision_function").fit(X, y)
    assert (teacher.predict(X) == y).mean() > 0.9


def test_classes():
    names = np.array(["c", "a", "b"])
    assert BoosterTeacher(train("xgboost"), names).fit().predict(X[::50]).tolist() == [
        "c",
        "a",
        "b",
    ]
    assert BoosterTeacher(train("xgboost")).fit(X, names[Y]).classes_.tolist() == ["a", "b", "c"]
    assert BoosterTeacher(train("catboost", names[Y])).fit().classes_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="gives 3 columns, y has 2 classes"):
        BoosterTeacher(train("xgboost")).fit(X, Y == 1)
    with pytest.raises(ValueError, match=r"gives 3 columns for the 2 classes \['a', 'b'\]"):
        BoosterTeacher(train("xgboost"), ["a", "b"]).fit().predict_proba(X)
    with pytest.raises(ValueError, match="must be different labels"):
        BoosterTeacher(train("xgboost"), ["a", "b", "a"]).fit()


@pytest.mark.parametrize("library", LIBRARIES)
def test_missing_values(library):
    rows = X.copy()
    rows[::3, 1] = np.nan
    P = BoosterTeacher(train(library, rows=rows)).fit(rows).predict_proba(rows)
    assert np.isfinite(P).all()


@pytest.mark.parametrize("library", LIBRARIES)
def test_clones_share_the_booster_and_pickles_hold_it(library):
    teacher = BoosterTeacher(train(library)).fit(X)
    assert clone(teacher).booster is teacher.booster
    for other in (pickle.loads(pickle.dumps(teacher)), copy.deepcopy(teacher)):
        assert other.predict_proba(X).tolist() == teacher.predict_proba(X).tolist()


def test_what_is_no_booster():
    with pytest.raises(TypeError, match="booster must be an xgboost"):
        BoosterTeacher(xgboost.XGBClassifier()).fit(X)
    with pytest.raises(ValueError, match=r"catboost\.CatBoost that is not trained"):
        as_teacher(catboost.CatBoost(), X, Y)
    with pytest.raises(ValueError, match="'response_method' parameter of BoosterTeacher must be a"):
        BoosterTeacher(train("xgboost"), response_method="predict").fit(X)


class TestFiles:
    """A path says which library reads it."""

    @pytest.fixture
    def files(self, tmp_path):
        rows, y = load_breast_cancer(return_X_y=True)
        boosted = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(rows, y)
        light = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(rows, y)
        cat = catboost.CatBoostClassifier(
            3, verbose=0, allow_writing_files=False, thread_count=1
        ).fit(rows, y)
        saved = {}
        for name, model in (
            ("m.json", boosted),
            ("M.UBJ", boosted),
            ("m.txt", light.booster_),
            ("m.lgb", light.booster_),
            ("m.model", light.booster_),
            ("m.cbm", cat),
        ):
            model.save_model(str(tmp_path / name))
            saved[name] = model
        cat.save_model(str(tmp_path / "cat.json"), format="json")
        return tmp_path, rows, y, {"cat.json": cat} | saved, light

    def test_all_libraries(self, files):
        folder, rows, y, saved, light = files
        for name, model in saved.items():
            model = light if model is light.booster_ else model
            for teacher in (folder / name, str(folder / name), BoosterTeacher(folder / name)):
                P = as_teacher(clone_if(teacher), rows, y).predict_proba(rows)
                assert np.abs(P - model.predict_proba(rows)).max() < 1e-6, name
        both = as_teacher([folder / "m.json", folder / "m.txt"], rows, y)
        assert both.predict_proba(rows).shape == (len(rows), 2)

    @pytest.mark.parametrize("name", ["rf.pkl", "rf.pickle", "rf.JOBLIB"])
    def test_pickles_are_refused(self, name):
        for teacher in (name, BoosterTeacher(name)):
            with pytest.raises(ValueError, match=r"is a pickle, which can run any code.*Frozen"):
                as_teacher(teacher, np.zeros((2, 2)), [0, 1])

    @pytest.mark.parametrize("name", ["a.json", "a.ubj", "a.txt", "a.cbm"])
    def test_files_that_are_no_models(self, tmp_path, name):
        with pytest.raises(FileNotFoundError, match=name):
            as_teacher(tmp_path / name, np.zeros((2, 2)), [0, 1])
        (tmp_path / name).write_text("hello")
        with pytest.raises(ValueError, match=f"{name}' is no model of"):
            as_teacher(tmp_path / name, np.zeros((2, 2)), [0, 1])
        with pytest.raises(ValueError, match=r"must end in \.json"):
            BoosterTeacher("model.bin").fit()


def clone_if(teacher):
    return clone(teacher) if isinstance(teacher, BoosterTeacher) else teacher
