"""Sdist and wheel, installed into a clean environment without extras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.package
ROOT = Path(__file__).parents[2]
# What needs an extra, by the extra that its error has to name. `model` is a fitted tree of iris.
NEEDS = {
    "onnx": ["model.to_onnx()", "skdistill.OnnxTeacher('big.onnx').fit(X, y)"],
    "boost": [
        "skdistill.BoosterTeacher('big.json').fit(X, y)",
        "skdistill.BoosterTeacher('big.txt').fit(X, y)",
    ],
    "catboost": ["skdistill.BoosterTeacher('big.cbm').fit(X, y)"],
    "device": ["model.profile(X, target='cortex-m0')"],
    "plot": ["inspection.CompactTreeDisplay.from_estimator(model)"],
    "report": ["inspection.report(model, X, y, targets=[], path='page.html')"],
    "search": ["BudgetSearchCV(budget='1KB', time_limit=1, families=['tree'], cv=2).fit(X, y)"],
    "dask": ["DaskChunks(X, y)"],
    "cli": ["model.to_frame()"],
}
SCRIPT = """
import json
import sys
import warnings

warnings.simplefilter("error")
import numpy as np
from sklearn.datasets import load_iris

import skdistill
from skdistill import inspection
from skdistill.distributed import DaskChunks
from skdistill.model_selection import BudgetSearchCV

X, y = load_iris(return_X_y=True)
model = skdistill.SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
for name in ("big.onnx", "big.json", "big.txt", "big.cbm"):
    open(name, "w").close()
errors = {}
for call in json.loads(sys.argv[1]):
    try:
        eval(call)
        errors[call] = "no error"
    except ImportError as error:
        errors[call] = str(error)
model.save("model.skd")
print(json.dumps({
    "file": skdistill.__file__,
    "version": skdistill.__version__,
    "equal": skdistill.load("model.skd").equals(model.compact_),
    "c": "iris_label" in model.to_c(name="iris"),
    "errors": errors,
}))
"""


def command(*arguments, cwd):
    # Compiling takes longer than all else here, and the unit tests run what is compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["NUMBA_DISABLE_JIT"] = "1"
    result = subprocess.run(
        [*map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with an sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    command(sys.executable, "-m", "build", "--outdir", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def python(built):
    """Python of an environment with the wheel and what it depends on, without extras."""
    environment = built / "environment"
    command(sys.executable, "-m", "venv", "--without-pip", environment, cwd=built)
    found = next(each for each in environment.glob("*/python*") if each.stem == "python")
    [wheel] = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", found, "install", "--no-compile"]
    command(*pip, wheel, cwd=built)
    return found


def test_a_clean_environment_runs_the_core_and_errors_name_the_extra(python, built):
    calls = [call for each in NEEDS.values() for call in each]
    answer = json.loads(command(python, "-c", SCRIPT, json.dumps(calls), cwd=built))
    assert Path(answer["file"]).is_relative_to(built)
    assert answer["equal"] and answer["c"]
    for extra, each in NEEDS.items():
        for call in each:
            assert f"'skdistill[{extra}]'" in answer["errors"][call], call


def test_every_extra_of_users_is_tried():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    developers = {"all", "test", "browser", "lint", "docs"}
    assert set(NEEDS) == set(project["optional-dependencies"]) - developers


def test_the_files_hold_what_they_should(built):
    [wheel], [sdist] = built.glob("*.whl"), built.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    modules = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("skdistill/**/*.py")}
    assert modules <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"skdistill"}
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert modules | {"README.md", "LICENSE", "CITATION.cff", "docs/conf.py", "Makefile"} <= packed
    assert not any("_build" in name or name.startswith("docs/api") for name in packed)
