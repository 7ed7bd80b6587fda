"""convert: models of other libraries answer alike as compact models."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier

import skdistill


@pytest.fixture(scope="module")
def fitted(tmp_path_factory, wine):
    """A model of each kind, and the labels that it gives."""
    folder = tmp_path_factory.mktemp("fitted")
    X, y = wine.drop(columns="kind"), wine["kind"]
    codes = y.factorize()[0]
    xgboost = XGBClassifier(n_estimators=3, n_jobs=1).fit(X, codes)
    lightgbm = LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1).fit(X, codes)
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    linear = LogisticRegression(max_iter=5000).fit(X, y)
    for ending in ("json", "ubj"):
        xgboost.save_model(folder / f"xgboost.{ending}")
    lightgbm.booster_.save_model(folder / "lightgbm.txt")
    (folder / "forest.pkl").write_bytes(pickle.dumps(forest))
    (folder / "linear.pkl").write_bytes(pickle.dumps(linear))
    answers = {"xgboost": xgboost, "lightgbm": lightgbm, "forest": forest, "linear": linear}
    return folder, {name: model.predict(X) for name, model in answers.items()}


@pytest.mark.parametrize("name", ["xgboost.json", "xgboost.ubj", "lightgbm.txt", "forest.pkl"])
def test_trees_of_all_libraries(run, fitted, wine, tmp_path, name):
    folder, answers = fitted
    code, text, _ = run("convert", folder / name, "--out", tmp_path, "--trust-pickle", "--json")
    assert code == 0
    model = skdistill.load(tmp_path / "model.skd")
    labels = model.predict(wine.drop(columns="kind"))
    assert np.array_equal(labels, answers[name.split(".")[0]])
    result = json.loads(text)
    assert result["table_bytes"] == model.nbytes
    assert set(result["files"]) == {"model.skd", "model.onnx", "model.c", "model.h"}
    assert {file.name for file in tmp_path.iterdir()} == set(result["files"])


def test_rows_show_the_range_of_a_linear_model(run, refused, fitted, tables, wine, tmp_path):
    folder, answers = fitted
    arguments = ["convert", folder / "linear.pkl", "--trust-pickle", "--quiet", "--out", tmp_path]
    assert "X" in refused(*arguments)
    code, text, _ = run(*arguments, "--rows", tables / "wine.csv", "--value-bits", 12)
    assert code == 0
    assert "Written to" in text
    labels = skdistill.load(tmp_path / "model.skd").predict(wine.drop(columns="kind"))
    assert np.mean(labels == answers["linear"]) > 0.98


def test_a_compact_model_is_exported_in_another_form(run, models, tmp_path):
    code, _, _ = run(
        "convert", models / "wine.skd", "--out", tmp_path, "--output", "proba_q15",
        "--optimize", "speed", "--quiet",
    )  # fmt: skip
    assert code == 0
    text = (tmp_path / "model.c").read_text("utf-8")
    assert "model_proba_q15(" in text
    assert text == skdistill.load(models / "wine.skd").to_c(output="proba_q15", optimize="speed")
    assert "This file is yours" in text
    assert "This file is yours" in (tmp_path / "model.h").read_text("utf-8")


@pytest.mark.parametrize("kind", [RandomForestClassifier, XGBClassifier, LGBMClassifier])
def test_skops_files(run, wine, tmp_path, kind):
    skops = pytest.importorskip("skops.io")
    X, y = wine.drop(columns="kind"), wine["kind"].factorize()[0]
    model = kind(n_estimators=3, n_jobs=1)
    skops.dump(model.fit(X, y), tmp_path / "model.skops")
    assert run("convert", tmp_path / "model.skops", "--out", tmp_path, "--quiet").code == 0
    assert np.array_equal(skdistill.load(tmp_path / "model.skd").predict(X), model.predict(X))


@pytest.mark.parametrize("last", [b"", b"}", b"\n"], ids=["anywhere", "brace", "line"])
@pytest.mark.parametrize("name", ["xgboost.json", "xgboost.ubj", "lightgbm.txt"])
def test_a_model_of_a_booster_that_is_cut_off(refused, fitted, tmp_path, name, last):
    whole = (fitted[0] / name).read_bytes()
    kept = whole[: len(whole) * 2 // 3]
    (tmp_path / name).write_bytes(kept[: kept.rfind(last) + len(last)] or kept)
    assert "is cut off" in refused("convert", tmp_path / name, "--quiet")


def shout(X):
    return X


def test_types_of_skops_that_could_run_code_are_refused(refused, tmp_path):
    skops = pytest.importorskip("skops.io")
    skops.dump(FunctionTransformer(shout), tmp_path / "model.skops")
    error = refused("convert", tmp_path / "model.skops", "--out", tmp_path / "out", "--quiet")
    assert "holds types that skops does not trust: " in error and "shout" in error


def test_a_broken_skops_file_is_refused(refused, broken):
    pytest.importorskip("skops.io")
    assert "cannot be loaded" in refused("convert", broken / "broken.skops", "--quiet")


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("no.json", [], "there is no file"),
        ("", [], "is a folder, not a model"),
        ("file", [], "is no model file: its name must end in"),
        ("broken.json", [], "is no model of XGBoost"),
        ("broken.ubj", [], "is no model of XGBoost"),
        ("broken.txt", [], "broken.txt' is cut off"),
        ("broken.skd", [], "broken.skd"),
        ("broken.onnx", [], "is an ONNX graph, which cannot be converted: distil it"),
        ("broken.joblib", [], "is a pickle, which can run any code when it is loaded"),
        ("broken.joblib", ["--trust-pickle"], "cannot be loaded"),
    ],
)
def test_what_cannot_be_converted_is_refused(refused, broken, tmp_path, name, more, message):
    out = tmp_path / "out"
    assert message in refused("convert", broken / name, "--quiet", "--out", out, *more)
    assert not out.exists()


def test_an_estimator_that_cannot_be_converted(refused, tmp_path):
    path = tmp_path / "object.pkl"
    path.write_bytes(pickle.dumps(pd.DataFrame()))
    error = refused("convert", path, "--trust-pickle", "--quiet", "--out", tmp_path / "out")
    assert "DataFrame" in error
