"""What each command of the command line does."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from skdistill import SoftLinearClassifier, SoftTreeClassifier
from skdistill.cli import demo
from skdistill.cli.console import MISMATCH, OK, say_to_stderr, writable_folder
from skdistill.dataframe.files import read_table
from skdistill.inspection import compare, text_report
from skdistill.utils.files import write_whole


def run_demo(given: argparse.Namespace) -> int:
    """Compare teacher and students on two data sets of scikit-learn."""
    compare.check_extras()
    out = writable_folder(given.out)
    return report(demo.run(out, seed=given.seed, say=say_to_stderr(given)), out)


def run_distill(given: argparse.Namespace) -> int:
    """Compare teacher and students on a table of the user."""
    if given.student == "linear":
        student: Any = SoftLinearClassifier()
    else:
        student = SoftTreeClassifier(max_leaf_nodes=given.max_leaf_nodes)
    compare.check_extras()
    table = read_table(given.table, given.target, drop=given.drop)
    out = writable_folder(given.out)
    say = say_to_stderr(given)
    for note in table.notes if say else []:
        say(f"note: {note}")
    comparison = compare.compare(
        given.table.stem,
        table,
        student,
        out,
        temperature=given.temperature,
        alpha=given.alpha,
        test_size=given.test_size,
        seed=given.seed,
        n_jobs=given.n_jobs,
        say=say,
    )
    return report([comparison], out)


def report(comparisons: list[Any], out: Path) -> int:
    """Write results.json, print the table; the exit code tells of mismatches."""
    write_whole(out / "results.json", text_report.as_json(comparisons).encode())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without µ is no reason to fail
    print(text_report.as_text(comparisons))
    print(text_report.written(comparisons, str(out)))
    return MISMATCH if any(comparison.mismatches for comparison in comparisons) else OK
