"""distill: from tables of all kinds to files, and what it refuses before anything is fitted."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

import skdistill

FILES = {"model.skd", "model.onnx", "model.c", "model.h", "report.html", "report.json", "report.md"}
N = 178  # rows of the table of wines


@pytest.fixture
def refused_at_once(refused, monkeypatch, tmp_path):
    """Refused before anything is fitted or written."""

    def command(*arguments):
        out = tmp_path / "out"
        monkeypatch.setattr(
            "skdistill.model_selection.search.SearchRun", lambda *_: pytest.fail("a search began")
        )
        error = refused("distill", *arguments, "--quiet", "--out", out)
        assert not out.exists()
        return error

    return command


def test_a_table_of_classes_on_an_emulated_core(run, tables, teachers, tmp_path):
    out = tmp_path / "new" / "folder"
    code, text, progress = run(
        "distill", tables / "wine.csv", "--target", "kind", "--family", "linear", "--jobs", 1,
        "--teacher", teachers / "wine.joblib", "--trust-pickle", "--device", "cortex-m0",
        "--budget", "2KB", "--out", out,
    )  # fmt: skip
    assert code == 0
    assert "classification: 'kind' holds 3 classes" in progress
    assert "may have seen the rows that are held out" in progress
    assert "wine.csv: 4 columns, 133 training rows, 45 held out" in text
    assert "ONNX Runtime and C answer 45 rows as Python does" in text
    result = json.loads((out / "results.json").read_text("utf-8"))
    assert {file.name for file in out.iterdir()} == FILES | {"results.json"}
    assert result["files"] == {name: (out / name).stat().st_size for name in FILES}
    assert result["mismatches"] == 0 and result["warning"] is None
    model = skdistill.load(out / "model.skd")
    wine = pd.read_csv(tables / "wine.csv")
    X, y = wine.drop(columns="kind"), wine["kind"]
    _, X_test, _, y_test = train_test_split(X, y, test_size=45, random_state=0, stratify=y)
    profile = model.profile(X_test, target="cortex-m0")
    assert result["table_bytes"] == profile.model_bytes
    assert result["flash_bytes"] == profile.flash_bytes <= 2048
    assert result["scores"]["student"]["accuracy"] == accuracy_score(y_test, model.predict(X_test))
    assert result["scores"]["baseline"]["accuracy"] == np.mean(y_test == "class_1")
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["quality"]["n_rows"] == 45
    assert (
        report["quality"]["models"]["teacher"]["accuracy"]
        == (result["scores"]["teacher"]["accuracy"])
    )


def test_strings_blanks_and_blank_labels_as_json(run, tables, tmp_path):
    code, text, progress = run(
        "distill", tables / "mixed.csv", "--target", "kind", "--family", "linear", "--jobs", 1,
        "--teacher", "lightgbm", "--drop", "hue", "--out", tmp_path, "--json",
    )  # fmt: skip
    assert code == 0
    result = json.loads(text)
    assert result == json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert "left out 4 rows without a value in 'kind'" in result["notes"]
    assert any("'bill' holds numbers; 26 cells without" in note for note in result["notes"])
    assert all(note in progress for note in result["notes"])
    assert result["columns"] == ["alcohol", "flavanoids", "proline", "town", "bill"]
    assert result["rows"] == {"training": 130, "held_out": 44}
    model = skdistill.load(tmp_path / "model.skd")
    assert model.feature_names == tuple(result["columns"])
    assert result["mismatches"] == 0


def test_a_regression_quietly(run, tables, teachers, tmp_path):
    code, text, progress = run(
        "distill", tables / "sugar.parquet", "--target", "progress", "--family", "linear",
        "--teacher", teachers / "sugar.joblib", "--trust-pickle", "--jobs", 1, "--out", tmp_path,
        "--quiet",
    )  # fmt: skip
    assert (code, progress) == (0, "")
    assert "R²" in text and "RMSE" in text
    result = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert (result["task"], result["classes"]) == ("regression", None)
    assert result["scores"]["student"]["r2"] > 0.3 > result["scores"]["baseline"]["r2"]


def test_it_warns_where_the_student_is_no_better_than_the_baseline(run, tmp_path):
    rng = np.random.default_rng(0)
    noise = pd.DataFrame({"a": rng.normal(size=80), "y": np.arange(80) % 4 > 0})
    noise.to_csv(tmp_path / "noise.csv", index=False)
    code, _, progress = run(
        "distill", tmp_path / "noise.csv", "--target", "y", "--family", "linear", "--jobs", 1,
        "--teacher", "lightgbm", "--out", tmp_path, "--quiet",
    )  # fmt: skip
    assert code == 0
    assert progress.startswith("warning: the student is no better than always answering the most")
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["warning"] in progress


def test_a_budget_that_nothing_fits(refused, tables, teachers, tmp_path):
    error = refused(
        "distill", tables / "wine.csv", "--target", "kind", "--family", "linear", "--jobs", 1,
        "--teacher", teachers / "wine.joblib", "--trust-pickle", "--budget", "8B",
        "--out", tmp_path, "--quiet",
    )  # fmt: skip
    assert "no candidate is within the budget {'flash': 8}" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"kind": "red"}, "target 'kind' holds the single class 'red': two are needed"),
        ({"kind": " "}, "has no row with a value in the target 'kind'"),
        (
            {"day": ["2024-01-03", ""] * (N // 2)},
            "dates or times such as '2024-01-03' in 'day': turn them into numbers (days since a "
            "date, month, hour), or leave them out (--drop day)",
        ),
        ({"kind": "3.12.2024 10:30"}, "target 'kind' holds dates or times such as"),
        ({"hue": np.inf}, "infinity, or numbers beyond float32, in 'hue'"),
        (
            {"kind": ["rare"] * 3 + ["red", "white"] * 87 + ["red"]},
            "fewer than 4 rows have the label 'rare'",
        ),
    ],
)
def test_bad_columns_are_refused(refused_at_once, wine, tmp_path, columns, message):
    path = tmp_path / "table.csv"
    wine.assign(**columns).to_csv(path, index=False)
    assert message in refused_at_once(path, "--target", "kind")


def test_more_labels_than_can_be_told_apart_are_refused(refused_at_once, wine, tmp_path):
    path = tmp_path / "table.csv"
    twice = pd.concat([wine, wine])
    twice.assign(id=[f"id {i}" for i in range(2 * N)]).to_csv(path, index=False)
    error = refused_at_once(path, "--target", "kind")
    assert "column 'id' has 356 labels, at most 254 can be told apart" in error
    assert "--drop id" in error


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("classification", "holds numbers such as 0.5, which are no classes: choose --task regre"),
        ("regression", "holds 'class_0' and the like, which are no numbers"),
    ],
)
def test_a_task_that_the_target_does_not_suit(refused_at_once, wine, tmp_path, task, message):
    path = tmp_path / "table.csv"
    wine.assign(half=np.arange(N) / 2).to_csv(path, index=False)
    target = "half" if task == "classification" else "kind"
    assert message in refused_at_once(path, "--target", target, "--task", task)


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ("0.99", "leaves 0 rows for training and 25 for testing: 10 and 2 are needed"),
        ("0.01", "leaves 24 rows for training and 1 for testing"),
    ],
)
def test_shares_that_leave_too_few_rows(refused_at_once, tmp_path, share, message):
    path = tmp_path / "table.csv"
    pd.DataFrame({"a": np.arange(25), "y": np.arange(25) / 2}).to_csv(path, index=False)
    assert message in refused_at_once(path, "--target", "y", "--test-size", share)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.csv", None, "there is no file"),
        ("", None, "is a folder, not a table"),
        ("table.xlsx", "PK", "has the extension '.xlsx'; what can be read is .csv, .tsv"),
        ("empty.csv", "\n", "is empty"),
        ("header.csv", "a,b,kind\n", "has a header and no rows"),
        ("twice.csv", "a,a,kind\n1,2,x\n", "has several columns named 'a': rename them"),
        ("few.csv", "a,kind\n1,x\n2,y\n", "the table has 2 rows with a label, at least 20"),
        ("other.csv", "a,kid\n1,x\n", "has no column 'kind'; did you mean 'kid'?"),
        ("alone.csv", "kind\nx\ny\n", "has no column beside the target 'kind'"),
        ("binary.csv", "a\0b", "is no text"),
        ("broken.parquet", "no", "cannot be read"),
        ("broken.feather", "no", "cannot be read"),
    ],
)
def test_bad_files_are_refused(refused_at_once, tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    assert message in refused_at_once(path, "--target", "kind")


@pytest.mark.parametrize(
    ("teacher", "more", "message"),
    [
        ("frost", [], "--teacher 'frost' is neither one of committee, forest, lightgbm, xgboost"),
        ("{broken}/no.onnx", [], "there is no file"),
        ("{broken}/broken.onnx", [], "holds no model that ONNX Runtime can run"),
        ("{broken}/broken.json", [], "is no model of XGBoost"),
        ("{broken}/broken.joblib", [], "is a pickle, which can run any code when it is loaded"),
        ("{broken}/broken.joblib", ["--trust-pickle"], "cannot be loaded"),
        ("{teachers}/sugar.joblib", ["--trust-pickle"], "does not answer for this table"),
        ("{teachers}/wine.joblib", ["--trust-pickle", "--drop", "hue"], "does not answer for this"),
    ],
)
def test_bad_teachers_are_refused(
    refused_at_once, tables, teachers, broken, teacher, more, message
):
    teacher = teacher.format(broken=broken, teachers=teachers)
    error = refused_at_once(tables / "wine.csv", "--target", "kind", "--teacher", teacher, *more)
    assert message in error
