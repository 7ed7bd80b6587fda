"""gate: exit code 1 where a limit is broken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import skdistill
from skdistill import SoftTreeClassifier
from skdistill.model_selection.budget import Budget, Device, measure

ROOT = Path(__file__).parents[2]


def gate(run, model, *arguments):
    code, text, _ = run("gate", model, *arguments, "--json")
    result = json.loads(text)
    assert code == (0 if result["passed"] else 1)
    return {each["check"]: each for each in result["checks"]}


@pytest.mark.parametrize("device", [None, "cortex-m0", "avr"])
def test_flash(run, models, device):
    model = skdistill.load(models / "wine.skd")
    flash = measure(model, Device(device, None, None, "auto"), Budget(flash=1)).flash
    more = [] if device is None else ["--device", device]
    for limit, holds in ((flash, True), (flash - 1, False)):
        (check,) = gate(run, models / "wine.skd", "--budget", f"{limit}B", *more).values()
        assert check == {"check": "flash, bytes", "limit": limit} | {
            "measured": check["measured"],
            "holds": holds,
        }
        assert (check["measured"] <= limit) == holds


def test_ram_instructions_and_time_of_a_core(run, models):
    generous = ["--ram", "1KB", "--time", "1s@48MHz", "--instructions", 10**6]
    checks = gate(run, models / "wine.skd", "--device", "cortex-m0", *generous)
    assert len(checks) == 3 and all(each["holds"] for each in checks.values())
    checks = gate(run, models / "wine.skd", "--device", "cortex-m0", "--instructions", 5)
    assert not checks["instructions a call"]["holds"]


def test_quality_of_classes(run, models, tables, wine):
    score = skdistill.load(models / "wine.skd").score(wine.drop(columns="kind"), wine["kind"])
    rows = ["--rows", tables / "wine.csv", "--target", "kind"]
    limits = ["--min-accuracy", score, "--min-balanced-accuracy", 0.5, "--max-log-loss", 0.0]
    checks = gate(run, models / "wine.skd", *rows, *limits)
    assert checks["accuracy, at least"]["measured"] == score
    assert [each["holds"] for each in checks.values()] == [True, True, False]


def test_quality_of_numbers(run, models, tables):
    rows = ["--rows", tables / "sugar.parquet", "--target", "progress"]
    checks = gate(run, models / "sugar.skd", *rows, "--min-r2", 0.3, "--max-rmse", 1)
    assert [each["holds"] for each in checks.values()] == [True, False]


def test_for_people(run, models):
    code, text, _ = run("gate", models / "wine.skd", "--budget", "1KB")
    assert code == 0 and text.rstrip().endswith("Passed")
    code, text, _ = run("gate", models / "wine.skd", "--budget", "10B")
    assert code == 1 and text.rstrip().endswith("FAILED")


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("wine", [], "nothing to check: pass --budget"),
        ("wine", ["--min-accuracy", "0.9"], "limits of quality need --rows, --target"),
        ("wine", ["--budget", "1KB", "--rows", "{rows}"], "limits of quality need --rows"),
        (
            "wine",
            ["--rows", "{rows}", "--target", "kind", "--min-r2", "0.5"],
            "the model predicts classes: --min-r2 cannot be checked",
        ),
        (
            "sugar",
            ["--rows", "{rows}", "--target", "kind", "--min-accuracy", "0.5"],
            "the model predicts numbers: --min-accuracy cannot be checked",
        ),
        ("wine", ["--min-accuracy", "1.5"], "1.5 is not in the range"),
        ("wine", ["--budget", "1KB", "--time", "soon"], "a time at a clock"),
        ("wine", ["--device", "avr", "--ram", "1KB", "--time", "1s"], "a time at a clock"),
    ],
)
def test_bad_options_are_refused(refused, models, tables, model, arguments, message):
    arguments = [each.format(rows=tables / "wine.csv") for each in arguments]
    assert message in refused("gate", models / f"{model}.skd", "--quiet", *arguments)


@pytest.fixture(scope="module")
def labels_of_kinds(tmp_path_factory):
    """Rows, and models of them with classes of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    a = np.arange(60) % 5
    kinds = {"truth": a > 2, "number": (a > 2) * 1, "text": np.array(["1", "2", "x"])[a % 3]}
    for kind, y in kinds.items():
        tree = SoftTreeClassifier(max_leaf_nodes=6).fit(pd.DataFrame({"a": a}), y)
        tree.save(folder / f"{kind}.skd")
    return folder, a


@pytest.mark.parametrize(
    ("kind", "labels", "accuracy"),
    [
        ("truth", ["False", "True"], 1),
        ("truth", [0, 1], 1),
        ("number", [0, 1], 1),
        ("number", ["0", "1", " "], 1),
        ("text", ["1", "2", "x"], 1),
        ("text", ["1", "2", ""], 1),
    ],
)
def test_labels_are_read_as_the_models_classes(
    run, labels_of_kinds, tmp_path, kind, labels, accuracy
):
    folder, a = labels_of_kinds
    y = np.array(labels, object)[a % 3 if kind == "text" else (a > 2) * 1]
    if labels[-1] == " ":
        y[:4] = " "
    pd.DataFrame({"a": a, "y": y}).to_csv(tmp_path / "rows.csv", index=False)
    rows = ["--rows", tmp_path / "rows.csv", "--target", "y", "--min-accuracy", accuracy]
    (check,) = gate(run, folder / f"{kind}.skd", *rows).values()
    assert check["measured"] == accuracy


@pytest.mark.parametrize(
    ("kind", "labels", "foreign"),
    [
        ("truth", ["yes", "no"], "yes"),
        ("truth", ["F", "T"], "F"),
        ("truth", [1, 2], "2"),
        ("number", ["0", "x"], "x"),
        ("number", ["False", "True"], "False"),
        ("text", [3, 4], "3"),
    ],
)
def test_labels_of_another_kind_are_refused(
    refused, labels_of_kinds, tmp_path, kind, labels, foreign
):
    folder, a = labels_of_kinds
    y = np.array(labels, object)[np.arange(60) % 2]
    pd.DataFrame({"a": a, "y": y}).to_csv(tmp_path / "rows.csv", index=False)
    rows = ["--rows", tmp_path / "rows.csv", "--target", "y", "--min-accuracy", 0.5]
    error = refused("gate", folder / f"{kind}.skd", *rows)
    assert f"target 'y' holds '{foreign}' and the like, none of the model's classes" in error


@pytest.mark.skipif(shutil.which("bash") is None, reason="the action is a script of bash")
def test_the_action_passes_its_inputs_on(models, tables):
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    install, step = action["runs"]["steps"]
    assert "${{" not in install["run"] + step["run"]
    names = {f"${{{{ inputs.{name} }}}}": variable for variable, name in VARIABLES.items()}
    assert {value: key for key, value in step["env"].items()} == names
    assert set(action["inputs"]) == set(VARIABLES.values())
    inputs = dict.fromkeys(VARIABLES, "")
    inputs |= {"MODEL": str(models / "wine.skd"), "BUDGET": "1KB", "ROWS": str(tables / "wine.csv")}
    inputs |= {"TARGET": "kind", "MIN_ACCURACY": "0.99", "ARGUMENTS": "--max-log-loss 9 --json"}
    script = step["run"].replace("python", f'"{sys.executable}"')
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | inputs
    ran = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True)
    result = json.loads(ran.stdout)
    assert ran.returncode == (0 if result["passed"] else 1)
    assert sorted(each["limit"] for each in result["checks"]) == [0.99, 9, 1024]


VARIABLES = {
    "MODEL": "model",
    "BUDGET": "budget",
    "DEVICE": "device",
    "ROWS": "rows",
    "TARGET": "target",
    "MIN_ACCURACY": "min-accuracy",
    "ARGUMENTS": "arguments",
}
