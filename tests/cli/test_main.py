"""Commands, exit codes, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier, VotingClassifier

import skdistill
from skdistill import cli

PATHS = os.environ | {
    "PYTHONPATH": str(Path(skdistill.__file__).parents[1]),
    "PYTHONIOENCODING": "utf-8",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A small forest instead of the default teacher, unless a test asks for the real one."""

    def small(*, random_state=0, n_jobs=None):
        return VotingClassifier(
            [("rf", RandomForestClassifier(20, random_state=random_state))], voting="soft"
        )

    monkeypatch.setattr("skdistill.inspection.compare.default_teacher", small)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Tables, good and bad, in one folder."""
    folder = tmp_path_factory.mktemp("tables")
    data = load_wine(as_frame=True)
    good = data.data.assign(kind=data.target_names[data.target])
    good.to_csv(folder / "good.csv", index=False)
    gaps = good.assign(whole=np.arange(len(good)) % 5)
    gaps.loc[::9, "ash"] = np.nan
    gaps.loc[3:6, "kind"] = None
    gaps.to_parquet(folder / "gaps.parquet")
    good.assign(town="x").to_csv(folder / "text.csv", index=False)
    good.assign(void=np.nan).to_csv(folder / "void.csv", index=False)
    good.iloc[[0, 1, 2, 60, 61, 62]].to_csv(folder / "few.csv", index=False)
    good[good["kind"] == "class_0"].to_csv(folder / "one.csv", index=False)
    (folder / "empty.csv").touch()
    return folder


def run(capsys, *arguments):
    """Exit code, stdout, stderr."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:  # argparse
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def distill(capsys, table, out, *more):
    return run(capsys, "distill", table, "--target", "kind", "--out", out, *more)


def test_a_csv_file(capsys, files, tmp_path):
    out = tmp_path / "new" / "folder"
    code, text, progress = distill(capsys, files / "good.csv", out)
    assert code == 0
    assert "good: 13 columns, 3 classes, 133 training rows, 45 held out" in text
    assert "0 mismatches in" in text
    assert "[good 1/4]" in progress
    assert "teacher: 100%" in progress
    stems = {"good", "good-hard-labels"}
    written = {f"{stem}.{end}" for stem in stems for end in ("onnx", "skd")} | {"results.json"}
    assert {file.name for file in out.iterdir()} == written
    assert all(name in text for name in written)
    (table,) = json.loads((out / "results.json").read_text("utf-8"))["tables"]
    model = skdistill.load(out / "good.skd")
    assert table["candidates"][3]["bytes"] == model.nbytes
    assert table["classes"] == model.classes.tolist() == ["class_0", "class_1", "class_2"]
    assert str(tmp_path) not in (out / "results.json").read_text("utf-8")


def test_a_parquet_file_with_gaps_and_options(capsys, files, tmp_path):
    options = ["--max-leaf-nodes", 5, "--temperature", 2, "--alpha", 1, "--test-size", 0.5]
    options += ["--seed", 3, "--n-jobs", 2, "--drop", "hue", "--drop", "proline"]
    code, text, progress = distill(capsys, files / "gaps.parquet", tmp_path, *options)
    assert code == 0
    assert "note: left out 4 rows without a value in 'kind'" in progress
    assert "gaps: 12 columns, 3 classes, 87 training rows, 87 held out" in text
    assert "distilled tree, 5 leaves" in text
    (table,) = json.loads((tmp_path / "results.json").read_text("utf-8"))["tables"]
    settings = table["settings"]
    assert settings["student"] == "SoftTreeClassifier(max_leaf_nodes=5)"
    found = [settings[name] for name in ("temperature", "alpha", "test_size", "random_state")]
    assert found == [2.0, 1.0, 0.5, 3]
    assert "hue" not in table["columns"]
    assert "whole" in table["columns"]
    assert table["notes"] == ["left out 4 rows without a value in 'kind'"]


@pytest.mark.parametrize("student", ["tree", "linear"])
def test_a_limit_of_bytes(capsys, files, tmp_path, student):
    options = ["--student", student, "--max-bytes", "90B"]
    assert distill(capsys, files / "gaps.parquet", tmp_path, *options)[0] == 0
    (table,) = json.loads((tmp_path / "results.json").read_text("utf-8"))["tables"]
    assert "max_bytes=90" in table["settings"]["student"]
    assert table["candidates"][3]["bytes"] <= 90
    code, _, error = distill(
        capsys, files / "gaps.parquet", tmp_path, *options[:3], "1B", "--quiet"
    )
    assert code == 2
    assert "max_bytes=1 is too small" in error


def test_quiet_says_nothing_but_the_result(capsys, files, tmp_path):
    code, text, progress = distill(capsys, files / "gaps.parquet", tmp_path, "--quiet")
    assert (code, progress) == (0, "")
    assert text


def test_the_linear_student_twice_into_one_folder(capsys, files, tmp_path):
    for temperature in ("1", "auto"):
        more = ["--student", "linear", "--temperature", temperature, "--quiet"]
        code, text, _ = distill(capsys, files / "good.csv", tmp_path, *more)
        assert code == 0
        assert "distilled linear model" in text


def test_the_demo_prints_one_table_of_both_data_sets(capsys, tmp_path):
    code, text, progress = run(capsys, "demo", "--out", tmp_path)
    assert code == 0
    lines = text.splitlines()
    # The line that names the folder is as long as its path.
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 100
    assert sum("log loss" in line and "µs ONNX" in line for line in lines) == 1
    for name in ("digits", "breast cancer"):
        assert sum(line.startswith(f"{name}: against hard labels alone, ") for line in lines) == 1
        assert f"[{name} 4/4]" in progress
    assert " 0 mismatches in " in text
    tables = json.loads((tmp_path / "results.json").read_text("utf-8"))["tables"]
    assert [table["name"] for table in tables] == ["digits", "breast cancer"]
    assert (tmp_path / "digits.onnx").stat().st_size > 0
    assert skdistill.load(tmp_path / "breast_cancer.skd").classes.tolist() == [
        "benign",
        "malignant",
    ]


def test_a_mismatch_is_exit_code_1(capsys, files, tmp_path, monkeypatch):
    monkeypatch.setattr("skdistill.inspection.compare.count_mismatches", lambda *_: 2)
    code, text, _ = distill(capsys, files / "good.csv", tmp_path, "--quiet")
    assert code == 1
    assert "Python DO NOT agree, label and integer scores: 4 mismatches" in text


@pytest.mark.parametrize(
    ("table", "more", "message"),
    [
        ("no.csv", [], "there is no file {folder}/no.csv"),
        ("good.txt", [], "has the extension '.txt'; what can be read is .csv, .tsv, .parquet, .pq"),
        ("empty.csv", [], "cannot be read: No columns to parse from file"),
        ("good.csv", ["--target", "sort"], "has no column 'sort'; it has 'alcohol', 'malic_acid'"),
        ("good.csv", ["--target", "ash"], "holds numbers such as 2.43, which are no classes"),
        ("one.csv", [], "target 'kind' holds the single class 'class_0': two are needed"),
        ("text.csv", [], "not numeric: 'town'; turn such columns into numbers"),
        ("void.csv", [], "no value at all in 'void'; leave out (--drop void)"),
        ("few.csv", [], "Found 6 row(s) with a label, while a minimum of 20 is required"),
        ("good.csv", ["--test-size", "0.01"], "leaves 176 rows for training and 2 for testing"),
        ("good.csv", ["--drop", "x"], "has no column 'x'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, files, tmp_path, table, more, message):
    code, text, error = distill(capsys, files / table, tmp_path / "out", "--quiet", *more)
    assert (code, text) == (2, "")
    assert error.startswith("skdistill: error: ")
    assert message.format(folder=files) in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["distil"], "invalid choice: 'distil'"),
        (["distill"], "the following arguments are required: TABLE, --target, --out"),
        (["demo", "--seed", "-1"], "--seed: '-1' is not a whole number in 0 … 2**31 - 1"),
        (["demo", "--seed", "x"], "--seed: 'x' is not a whole number"),
        (["distill", "--alpha", "0"], "--alpha: '0' is not a number above 0 and up to 1"),
        (["distill", "--alpha", "nan"], "--alpha: 'nan' is not a number above 0 and up to 1"),
        (["distill", "--temperature", "0"], "'0' is not a number above 0, nor 'auto'"),
        (["distill", "--temperature", "inf"], "'inf' is not a number above 0, nor 'auto'"),
        (["distill", "--test-size", "1"], "--test-size: '1' is not a number between 0 and 1"),
        (["distill", "--max-leaf-nodes", "1"], "'1' is not a whole number of 2 or more"),
        (["distill", "--max-bytes", "4"], "--max-bytes: '4' is no size such as 512B or 2KB"),
        (["distill", "--n-jobs", "0"], "'0' is not a whole number above 0, or -1 for all cores"),
        (["distill", "--student", "forest"], "--student: invalid choice: 'forest'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(capsys, arguments, message):
    code, text, error = run(capsys, *arguments)
    assert (code, text) == (2, "")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("place", ["a file", "under a file"])
def test_a_folder_that_cannot_be_written(capsys, files, tmp_path, place):
    (tmp_path / "file").touch()
    out = tmp_path / "file" if place == "a file" else tmp_path / "file" / "out"
    code, text, error = distill(capsys, files / "good.csv", out)
    assert (code, text) == (2, "")
    assert error.startswith(f"skdistill: error: cannot write to {out}: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("module", "extra"), [("onnx", "onnx"), ("onnxruntime", "onnx"), ("pandas", "cli")]
)
def test_a_missing_extra_is_named(capsys, files, tmp_path, monkeypatch, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    code, text, error = distill(capsys, files / "good.csv", tmp_path)
    assert (code, text) == (2, "")
    assert f"pip install 'skdistill[{extra}]'" in error
    assert error.count("\n") == 1


def test_an_interrupt_is_one_line_and_exit_code_130(capsys, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("skdistill.cli.demo.run", interrupted)
    assert run(capsys, "demo", "--out", tmp_path) == (130, "", "skdistill: interrupted\n")


def test_a_bug_keeps_its_traceback(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr("skdistill.cli.demo.run", broken)
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["demo", "--out", str(tmp_path)])


def test_help_and_version(capsys):
    assert run(capsys, "--version") == (0, f"skdistill {skdistill.__version__}\n", "")
    code, text, _ = run(capsys, "--help")
    assert code == 0
    assert "demo" in text
    assert "distill" in text
    code, text, error = run(capsys)
    assert (code, text) == (2, "")
    assert "usage: skdistill" in error


def test_the_package_runs_as_a_module(files, tmp_path):
    """With the real teacher, and warnings as errors."""
    table = pd.read_csv(files / "good.csv").iloc[::2]
    table.to_csv(tmp_path / "half.csv", index=False)
    command = [sys.executable, "-W", "error", "-m", "skdistill", "distill", "half.csv", "--quiet"]
    done = subprocess.run(
        [*command, "--target", "kind", "--out", "out"],
        cwd=tmp_path,
        env=PATHS,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "teacher: XGBoost + LightGBM + forest" in done.stdout
