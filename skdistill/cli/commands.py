"""What each command of the command line does."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from skdistill import SoftLinearClassifier, SoftTreeClassifier
from skdistill.cli import demo
from skdistill.cli.console import EXIT_MISMATCH, EXIT_OK, progress_printer, writable_folder
from skdistill.dataframe.files import read_dataset
from skdistill.inspection import compare, text_report
from skdistill.inspection.results import Comparison
from skdistill.utils.files import write_whole


def run_demo(args: argparse.Namespace) -> int:
    """Compare teacher and students on two data sets of scikit-learn.

    Parameters
    ----------
    args : argparse.Namespace
        Arguments of ``skdistill demo``.

    Returns
    -------
    exit_code : int
    """
    compare.check_extras()
    out = writable_folder(args.out)
    comparisons = demo.run(out, random_state=args.seed, progress=progress_printer(quiet=args.quiet))
    return report(comparisons, out)


def run_distill(args: argparse.Namespace) -> int:
    """Compare teacher and students on a table of the user.

    Parameters
    ----------
    args : argparse.Namespace
        Arguments of ``skdistill distill``.

    Returns
    -------
    exit_code : int
    """
    student: SoftLinearClassifier | SoftTreeClassifier
    if args.student == "linear":
        student = SoftLinearClassifier(max_bytes=args.max_bytes)
    else:
        student = SoftTreeClassifier(
            max_leaf_nodes=args.max_leaf_nodes or "auto", max_bytes=args.max_bytes
        )
    compare.check_extras()
    dataset = read_dataset(args.table, args.target, drop=args.drop)
    out = writable_folder(args.out)
    progress = progress_printer(quiet=args.quiet)
    if progress is not None:
        for note in dataset.notes:
            progress(f"note: {note}")
    comparison = compare.compare(
        args.table.stem,
        dataset,
        student,
        out,
        temperature=args.temperature,
        alpha=args.alpha,
        test_size=args.test_size,
        random_state=args.seed,
        n_jobs=args.n_jobs,
        progress=progress,
    )
    return report([comparison], out)


def report(comparisons: Sequence[Comparison], out: Path) -> int:
    """Write results.json and print the text report.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each data set.
    out : Path
        Existing folder.

    Returns
    -------
    exit_code : int
        1 if ONNX Runtime and Python disagree on any row, else 0.
    """
    write_whole(out / "results.json", text_report.as_json(comparisons).encode())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without µ is no reason to fail
    print(text_report.as_text(comparisons))
    print(text_report.list_files(comparisons, out))
    return EXIT_MISMATCH if any(each.mismatches for each in comparisons) else EXIT_OK
