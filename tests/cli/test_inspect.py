"""inspect: all that is in a file."""

from __future__ import annotations

import json

import skdistill


def test_classes_columns_bytes_and_trees(run, models):
    code, text, err = run("inspect", models / "mixed.skd")
    assert (code, err) == (0, "")
    model = skdistill.load(models / "mixed.skd")
    assert text.startswith(f"{model.summary().title}\n")
    assert "Classes: class_0, class_1, class_2" in text
    assert f"{model.nbytes:,}" in text
    assert f"{(models / 'mixed.skd').stat().st_size:,}" in text
    assert "Categories of town: Bonn, Cork" in text
    assert model.export_text(max_depth=3).splitlines()[-1] in text
    assert "|---" not in run("inspect", models / "mixed.skd", "--depth", 0).out


def test_as_json(run, models):
    code, text, _ = run("inspect", models / "sugar.skd", "--json", "--depth", 0)
    assert code == 0
    result = json.loads(text)
    model = skdistill.load(models / "sugar.skd")
    assert result["table_bytes"] == model.nbytes
    assert result["columns"] == ["bmi", "bp", "s5"]
    assert result["classes"] is None and result["text"] is None
