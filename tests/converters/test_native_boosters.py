"""Native boosters and model files: their classes, and what they are read from."""

from __future__ import annotations

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdistill
from skdistill import BoosterTeacher, convert
from skdistill.compact.file_format import to_bytes
from tests.converters.harness import LGB, XGB, problem

NAMES = np.array(["setosa", "versicolor", "virginica"])


def train(library, K=3, X=None):
    rows, y = problem(K)
    rows = rows if X is None else X
    if library == "xgboost":
        return xgboost.XGBClassifier(**XGB).fit(rows, y)
    return lightgbm.LGBMClassifier(**LGB).fit(rows, y)


def native(model):
    return model.get_booster() if hasattr(model, "get_booster") else model.booster_


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_booster_teacher_names_the_classes(library, K):
    X, y = problem(K)
    booster, names = native(train(library, K)), NAMES[:K]
    numbered = convert(booster)
    assert numbered.classes.tolist() == list(range(K))
    teacher = BoosterTeacher(booster, classes=names)
    loaded = BoosterTeacher(booster).fit(X, names[y])
    for named in (teacher, teacher.fit(X), loaded, FrozenEstimator(teacher)):
        model = convert(named, X)
        assert model.classes.tolist() == names.tolist()
        assert (model.predict(X) == names[numbered.predict(X)]).all()
        assert (model.predict_proba(X) == numbered.predict_proba(X)).all()


def test_behind_the_steps_of_a_pipeline():
    X, _ = problem(3)
    scaler = StandardScaler().fit(X)
    booster = native(train("xgboost", X=scaler.transform(X)))
    named = make_pipeline(scaler, BoosterTeacher(booster, classes=NAMES))
    model = convert(named, X, dtype="float32")
    expected = booster.predict(xgboost.DMatrix(scaler.transform(X))).argmax(axis=1)
    assert (model.predict(X) == NAMES[expected]).mean() > 0.99  # leaf values of 8 bits


@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "a"], [["a", "b", "c"]]], ids=str)
def test_wrong_numbers_of_classes_are_refused(classes):
    with pytest.raises(ValueError, match="of BoosterTeacher must be 3 different labels"):
        convert(BoosterTeacher(native(train("xgboost")), classes=classes))


def test_classes_of_a_regression_are_refused():
    X, y = problem(0)
    booster = lightgbm.LGBMRegressor(**LGB).fit(X, y).booster_
    assert convert(BoosterTeacher(booster)).classes is None
    with pytest.raises(ValueError, match=r"neither logits nor prob.*Classifier\(model, "):
        convert(BoosterTeacher(booster, classes=["a", "b"]))
    with pytest.raises(TypeError, match="estimators need no BoosterTeacher"):
        convert(BoosterTeacher(train("xgboost"), classes=["a", "b", "c"]))


@pytest.mark.parametrize(
    ("library", "name"),
    [("xgboost", "m.json"), ("xgboost", "M.UBJ"), ("lightgbm", "m.txt"), ("lightgbm", "m.model")],
)
def test_model_files(library, name, tmp_path):
    X, _ = problem(3)
    model = train(library)
    native(model).save_model(str(tmp_path / name))
    expected = convert(native(model))
    for path in (tmp_path / name, str(tmp_path / name), BoosterTeacher(tmp_path / name)):
        assert to_bytes(convert(path)) == to_bytes(expected)
    named = convert(BoosterTeacher(tmp_path / name, classes=NAMES))
    assert (named.predict(X) == NAMES[expected.predict(X)]).all()


def test_catboost_is_distilled(tmp_path):
    X, y = problem(3)
    options = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
    trained = catboost.CatBoostClassifier(3, **options).fit(X, y)
    trained.save_model(str(tmp_path / "m.cbm"))
    model = tmp_path / "m.cbm"
    with pytest.raises(TypeError, match="CatBoost cannot be read") as refusal:
        convert(model)
    line = str(refusal.value).partition("instead: ")[2]
    distilled = eval(line, {"skdistill": skdistill, "model": model, "X": X})
    assert (distilled.predict(X) == trained.predict(X).ravel()).mean() > 0.9


def test_files_that_are_no_models(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no model file 'absent\.json'"):
        convert("absent.json")
    (tmp_path / "hello.txt").write_text("hello")
    with pytest.raises(ValueError, match="is no model of LightGBM"):
        convert(tmp_path / "hello.txt")
    with pytest.raises(ValueError, match="is a pickle, which can run any code"):
        convert("forest.joblib")
