"""Tables, models and a runner for all commands."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import SoftTreeClassifier, SoftTreeRegressor, cli


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_boards(monkeypatch):
    """Reports measure no device: tests of the report itself do."""
    monkeypatch.setattr(importlib.import_module("skdistill.inspection.report.api"), "BOARDS", ())


@pytest.fixture
def run(capsys):
    """Run a command in this process."""

    def command(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return command


@pytest.fixture
def refused(run):
    """Run a command that is refused: one line on stderr, exit code 2, nothing on stdout."""

    def command(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("skdistill: error: ")
        assert err.count("\n") == 1
        return err

    return command


@pytest.fixture(scope="session")
def wine():
    data = load_wine(as_frame=True)
    X = data.data[["alcohol", "flavanoids", "hue", "proline"]]
    return X.assign(kind=data.target_names[data.target])


@pytest.fixture(scope="session")
def tables(tmp_path_factory, wine):
    """Good tables in one folder: classes, strings with blanks, numbers."""
    folder = tmp_path_factory.mktemp("tables")
    wine.to_csv(folder / "wine.csv", index=False)
    mixed = wine.assign(
        town=np.array(["Bonn", "Cork", None], object)[np.arange(len(wine)) % 3],
        bill=[" " if i % 7 == 0 else f"{i / 3:.2f}" for i in range(len(wine))],
    )
    mixed.loc[3:6, "kind"] = None
    mixed.to_csv(folder / "mixed.csv", index=False, sep=";")
    diabetes = load_diabetes(as_frame=True, scaled=False)
    sugar = diabetes.data[["bmi", "bp", "s5"]].assign(progress=diabetes.target)
    sugar.to_parquet(folder / "sugar.parquet")
    return folder


@pytest.fixture(scope="session")
def teachers(tmp_path_factory, tables):
    """Fitted teachers, which take no time: pickles."""
    folder = tmp_path_factory.mktemp("teachers")
    wine = pd.read_csv(tables / "wine.csv")
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    joblib.dump(scaled.fit(wine.drop(columns="kind"), wine["kind"]), folder / "wine.joblib")
    sugar = pd.read_parquet(tables / "sugar.parquet")
    ridge = Ridge().fit(sugar.drop(columns="progress"), sugar["progress"])
    joblib.dump(ridge, folder / "sugar.joblib")
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory, tables):
    """Models in one folder: of classes, of numbers, of strings."""
    folder = tmp_path_factory.mktemp("models")
    wine = pd.read_csv(tables / "wine.csv")
    tree = SoftTreeClassifier(max_leaf_nodes=6).fit(wine.drop(columns="kind"), wine["kind"])
    tree.save(folder / "wine.skd")
    sugar = pd.read_parquet(tables / "sugar.parquet")
    values = SoftTreeRegressor(max_leaf_nodes=6)
    values.fit(sugar.drop(columns="progress"), sugar["progress"]).save(folder / "sugar.skd")
    mixed = pd.read_csv(tables / "mixed.csv", sep=";").dropna(subset="kind")
    mixed["bill"] = pd.to_numeric(mixed["bill"], errors="coerce")
    strings = SoftTreeClassifier(max_leaf_nodes=6)
    strings.fit(mixed[["town", "bill", "hue"]], mixed["kind"]).save(folder / "mixed.skd")
    return folder


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """Files that are not what their names say."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "file").touch()
    (folder / "broken.skd").write_bytes(b"no model")
    (folder / "broken.onnx").write_bytes(b"no model")
    (folder / "broken.json").write_text("{")
    (folder / "broken.ubj").write_text("no model")
    (folder / "broken.txt").write_text("tree\nbroken")
    (folder / "broken.joblib").write_bytes(b"no model")
    (folder / "broken.skops").write_bytes(b"no model")
    return folder
