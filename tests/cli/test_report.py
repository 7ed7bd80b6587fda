"""report: the page is of the rows of the table that have a label."""

from __future__ import annotations

import json

import joblib
import pandas as pd
import pytest

import skdistill


def test_classes_with_a_teacher_and_groups(run, models, tables, teachers, wine, tmp_path):
    table = tmp_path / "rows.csv"
    rows = wine.assign(region=["north", "south"] * 89)
    rows.loc[:2, "kind"] = None
    rows.to_csv(table, index=False)
    page = tmp_path / "new" / "page.html"
    code, text, err = run(
        "report", models / "wine.skd", table, "--target", "kind", "--out", page,
        "--teacher", teachers / "wine.joblib", "--trust-pickle", "--group", "region", "--json",
    )  # fmt: skip
    assert code == 0
    assert "left out 3 rows without a value in 'kind'" in err
    result = json.loads(text)
    assert {file.name for file in page.parent.iterdir()} == set(result["files"])
    X, y = rows[3:].drop(columns=["kind", "region"]), rows["kind"][3:]
    quality = result["quality"]
    assert quality["n_rows"] == 175
    expected = skdistill.load(models / "wine.skd").score(X, y)
    assert quality["models"]["student"]["accuracy"] == expected
    teacher = joblib.load(teachers / "wine.joblib")
    assert quality["models"]["teacher"]["accuracy"] == teacher.score(X, y)
    assert "north" in page.read_text("utf-8")


def test_numbers(run, models, tables, tmp_path):
    code, text, _ = run(
        "report", models / "sugar.skd", tables / "sugar.parquet", "--target", "progress",
        "--out", tmp_path / "page.html", "--quiet",
    )  # fmt: skip
    assert code == 0
    rows = pd.read_parquet(tables / "sugar.parquet")
    expected = skdistill.load(models / "sugar.skd").score(
        rows.drop(columns="progress"), rows["progress"]
    )
    assert f"{expected:.4f}" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "kinds"], "has no column 'kinds'; did you mean 'kind'?"),
        (["--target", "hue"], "target 'hue' holds '1.04' and the like, none of the model's class"),
        (["--target", "kind", "--out", "page.pdf"], "--out must end in .html"),
        (["--target", "kind", "--group", "sex"], "has no column 'sex'"),
        (["--target", "kind", "--teacher", "forest"], "--teacher 'forest' is not fitted"),
        (["--target", "kind", "--teacher", "no.onnx"], "there is no file no.onnx"),
    ],
)
def test_bad_options_are_refused(
    refused, models, tables, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    error = refused("report", models / "wine.skd", tables / "wine.csv", "--quiet", *arguments)
    assert message in error
    assert not list(tmp_path.iterdir())


def test_the_model_of_another_table_is_refused(refused, models, tables, tmp_path):
    sugar = ["report", models / "sugar.skd", tables / "wine.csv", "--quiet", "--target"]
    assert "but the model predicts numbers" in refused(*sugar, "kind")
    assert "has no column 'bmi'" in refused(*sugar, "hue")
