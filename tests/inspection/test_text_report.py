"""Every figure is in the text and in the JSON, and the sentences say what the figures say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sklearn.datasets import load_wine

import skdistill
from skdistill.inspection import text_report
from skdistill.inspection.results import Gain


def test_the_dictionary_holds_the_unrounded_figures(wine_run):
    run, _, _ = wine_run
    content = json.loads(json.dumps(text_report.as_dict([run, run])))
    assert content["skdistill"] == skdistill.__version__
    first, second = content["tables"]
    assert first == second
    assert first["columns"] == load_wine().feature_names
    assert first["classes"] == ["größe 0", "größe 1", "größe 2"]
    assert first["mismatches"] == 0
    assert first["accuracy_gain"] == run.accuracy_gain._asdict()
    assert first["settings"]["student"] == "SoftTreeClassifier(max_leaf_nodes=8)"
    for entry, candidate in zip(first["candidates"], run.candidates, strict=True):
        assert entry == vars(candidate)


def test_the_text_shows_every_figure_in_100_columns(wine_run):
    run, _, _ = wine_run
    text = text_report.as_text([run])
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    assert lines[2] == "my wine: 13 columns, 3 classes, 133 training rows, 45 held out"
    for line, candidate in zip(lines[3:7], run.candidates, strict=True):
        assert candidate.name in line
        for figure in (candidate.accuracy, candidate.fidelity):
            assert f" {100 * figure:.1f} %" in line
        assert f" {candidate.log_loss:.3f} " in line
        assert f" {candidate.bytes:,} " in line
    assert "8 leaves" in lines[6]
    assert f"0 mismatches in {run.onnx_rows:,} rows" in " ".join(text.split())


def effect(wine_run, accuracy, log_loss):
    run = replace(wine_run[0], accuracy_gain=Gain(*accuracy), log_loss_gain=Gain(*log_loss))
    return text_report.distillation_effect(run).removeprefix(
        "my wine: against hard labels alone, distillation "
    )


@pytest.mark.parametrize(
    ("accuracy", "log_loss", "expected"),
    [
        ((0.051, 3), (0.5, 9), "helped accuracy by 5.1 points and log loss by 0.500."),
        (
            (-0.02, -1),
            (0.5, 9),
            "did NOT help accuracy (worse by 2.0 points, within chance on 45 rows) "
            "but helped log loss by 0.500.",
        ),
        (
            (0.02, 1.9),
            (-0.5, -9),
            "helped accuracy by 2.0 points (within chance on 45 rows) "
            "but did NOT help log loss (worse by 0.500).",
        ),
        (
            (0.0, 0),
            (-0.5, -9),
            "did NOT help accuracy (no difference) nor log loss (worse by 0.500).",
        ),
    ],
)
def test_the_effect_of_distillation_in_words(wine_run, accuracy, log_loss, expected):
    assert effect(wine_run, accuracy, log_loss) == expected


def test_mismatches_stand_in_capitals(wine_run):
    run, _, _ = wine_run
    candidates = [*run.candidates[:3], replace(run["distilled"], mismatches=3)]
    wrong = replace(run, candidates=tuple(candidates))
    assert wrong.mismatches == 3
    assert "Python DO NOT agree" in text_report.onnx_agreement([wrong, run])
    assert "3 mismatches" in text_report.onnx_agreement([wrong, run])
