"""verify: equal rows, rows that differ, and files that cannot be run."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import skdistill
from skdistill import SoftTreeClassifier


@pytest.mark.parametrize(
    ("name", "table"),
    [("wine", "wine.csv"), ("mixed", "mixed.csv"), ("sugar", "sugar.parquet")],
)
def test_rows_are_equal(run, models, tables, name, table):
    code, text, _ = run("verify", models / f"{name}.skd", tables / table, "--json")
    assert code == 0
    result = json.loads(text)
    assert result["equal"] and result["not_run"] == []
    assert {each["runtime"] for each in result["checks"]} == {"ONNX Runtime", "C"}
    assert all(each["differing"] == [] for each in result["checks"])
    assert all(each["rows"] == len(pd_rows(tables / table)) for each in result["checks"])


def pd_rows(path):
    read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
    return read(path)


@pytest.fixture(scope="module")
def other(tmp_path_factory, wine):
    """A model that gives some rows other labels, as C and ONNX."""
    folder = tmp_path_factory.mktemp("other")
    X, y = wine.drop(columns="kind"), wine["kind"]
    stump = SoftTreeClassifier(max_leaf_nodes=2).fit(X, y).compact_
    stump.to_c(folder / "other.c")
    stump.to_onnx(folder / "other.onnx")
    return folder, stump


@pytest.mark.parametrize(("option", "file"), [("--c", "other.c"), ("--onnx", "other.onnx")])
def test_rows_that_differ_are_listed(run, models, tables, wine, other, option, file):
    folder, stump = other
    arguments = ["verify", models / "wine.skd", tables / "wine.csv", option, folder / file]
    code, text, _ = run(*arguments, "--quiet")
    assert code == 1
    assert "NOT equal" in text
    X = wine.drop(columns="kind")
    model = skdistill.load(models / "wine.skd")
    result = json.loads(run(*arguments, "--json").out)
    assert not result["equal"]
    if option == "--c":
        wrong = (model.predict(X) != stump.predict(X)).nonzero()[0].tolist()
        (check,) = [each for each in result["checks"] if each["compared"] == "label"]
    else:
        wrong = (model.scores(X) != stump.scores(X)).any(axis=1).nonzero()[0].tolist()
        (check,) = [each for each in result["checks"] if each["runtime"] == "ONNX Runtime"]
    assert check["differing"] == wrong
    assert f"rows {', '.join(map(str, wrong[:10]))}" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wine.skd", "sugar.parquet"], "has no column 'alcohol'"),
        (["wine.skd", "no.csv"], "there is no file"),
        (["wine.skd", "wine.csv", "--onnx", "broken.onnx"], "broken.onnx cannot be run"),
        (["wine.skd", "wine.csv", "--onnx", "no.onnx"], "there is no file"),
        (["wine.skd", "wine.csv", "--c", "no.c"], "there is no file"),
        (["wine.skd", "wine.csv", "--c", "broken.txt"], "declares neither a label nor scores"),
    ],
)
def test_bad_input_is_refused(refused, models, tables, broken, arguments, message):
    model, table, *options = arguments
    options = [each if each.startswith("--") else broken / each for each in options]
    assert message in refused("verify", models / model, tables / table, "--quiet", *options)
