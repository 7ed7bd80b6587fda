"""Ctrl-C in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import skdistill

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(skdistill.__file__).parents[1]),
    "PYTHONIOENCODING": "utf-8",
    "OMP_NUM_THREADS": "1",
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a single process")
def test_an_interrupted_search_leaves_nothing_half_written(tables, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "skdistill", "distill", str(tables / "wine.csv")]
    command += ["--target", "kind", "--out", str(out), "--jobs", "1"]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        for line in process.stderr:
            if line.startswith("classification"):  # the search comes next
                break
        for character in iter(lambda: process.stderr.read(1), ""):
            if character == "%":  # its first bar
                break
        process.send_signal(signal.SIGINT)
        rest, printed = process.stderr.read(), process.stdout.read()
        assert process.wait(60) == 130
    assert rest.endswith("skdistill: interrupted\n")
    assert "Traceback" not in rest
    assert printed == ""
    assert not list(out.iterdir())
