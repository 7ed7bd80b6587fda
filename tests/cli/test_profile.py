"""profile: the figures are those of skdistill.profile."""

from __future__ import annotations

import json

import pandas as pd

import skdistill


def test_rows_on_an_emulated_core(run, models, tables):
    arguments = ["profile", models / "wine.skd", "--rows", tables / "wine.csv"]
    code, text, _ = run(*arguments, "--clock", "48MHz", "--json")
    assert code == 0
    result = json.loads(text)
    X = pd.read_csv(tables / "wine.csv").drop(columns="kind")
    expected = skdistill.load(models / "wine.skd").profile(X, target="cortex-m0")
    assert result["flash_bytes"] == expected.flash_bytes
    assert result["instructions_mean"] == expected.instructions_mean
    assert result["seconds"] == expected.time("48MHz")
    assert (result["rows"], result["mismatches"]) == (178, 0)
    code, text, _ = run(*arguments, "--quiet")
    assert code == 0
    assert f"{expected.flash_bytes:,}" in text
    assert "all 178 rows as in Python" in text


def test_options_of_the_c(run, models):
    arguments = ["--device", "rv32imc", "--optimize", "speed", "--output", "scores", "--json", "-q"]
    code, text, err = run("profile", models / "wine.skd", *arguments)
    assert (code, err) == (0, "")
    result = json.loads(text)
    assert (result["target"], result["optimize"], result["output"]) == (
        "rv32imc",
        "speed",
        "scores",
    )


def test_bad_options_are_refused(refused, models, tables):
    model = models / "wine.skd"
    assert "has no column 'alcohol'" in refused(
        "profile", model, "--rows", tables / "sugar.parquet", "--quiet"
    )
    assert "output" in refused("profile", model, "--output", "colour", "--quiet")
    assert "clock must be a frequency" in refused("profile", model, "--clock", "fast", "--quiet")
    assert "has no mean of instructions" in refused(
        "profile", model, "--device", "host", "--clock", "1GHz", "--quiet"
    )
