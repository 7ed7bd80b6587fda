"""demo: one table of two data sets."""

from __future__ import annotations

import json

import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier

import skdistill


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A small forest instead of the default teacher."""

    def small(*, random_state=0, n_jobs=None):
        return VotingClassifier(
            [("rf", RandomForestClassifier(20, random_state=random_state))], voting="soft"
        )

    monkeypatch.setattr("skdistill.inspection.compare.default_teacher", small)


def test_one_table_of_both_data_sets(run, tmp_path):
    code, text, progress = run("demo", "--out", tmp_path)
    assert code == 0
    lines = text.splitlines()
    # The line that names the folder is as long as its path.
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 100
    assert sum("log loss" in line and "µs ONNX" in line for line in lines) == 1
    for name in ("digits", "breast cancer"):
        assert sum(line.startswith(f"{name}: against hard labels alone, ") for line in lines) == 1
        assert f"[{name} 4/4]" in progress
    assert "teacher: 100%" in progress
    assert " 0 mismatches in " in text
    tables = json.loads((tmp_path / "results.json").read_text("utf-8"))["tables"]
    assert [table["name"] for table in tables] == ["digits", "breast cancer"]
    assert str(tmp_path) not in (tmp_path / "results.json").read_text("utf-8")
    assert (tmp_path / "digits.onnx").stat().st_size > 0
    classes = skdistill.load(tmp_path / "breast_cancer.skd").classes
    assert classes.tolist() == ["benign", "malignant"]


def test_a_mismatch_is_exit_code_1(run, tmp_path, monkeypatch):
    from skdistill.cli.demo import DATASETS

    monkeypatch.delitem(DATASETS, "digits")
    monkeypatch.setattr("skdistill.inspection.compare.count_mismatches", lambda *_: 2)
    code, text, progress = run("demo", "--out", tmp_path, "--quiet", "--json")
    assert (code, progress) == (1, "")
    assert json.loads(text)["tables"][0]["mismatches"] == 4
