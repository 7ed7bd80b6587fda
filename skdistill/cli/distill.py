"""`skdistill distill`: from a table to a model within a budget, with C, ONNX and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
from sklearn.base import clone

import skdistill
from skdistill.cli.artefacts import sizes_of, write_model
from skdistill.cli.console import EXIT_DONE, EXIT_FAILED, Console, as_json
from skdistill.cli.errors import InputError, bad_input, writable_folder
from skdistill.cli.extras import require_extras
from skdistill.cli.holdout import HeldOut, baseline_scores, hold_out, scores_of
from skdistill.cli.options import (
    FILE,
    Number,
    budget_options,
    device_option,
    drop_option,
    output_options,
    read_limits,
    seed_option,
    trust_option,
)
from skdistill.cli.parity import check_agreement, has_compiler
from skdistill.cli.teachers import NAMES, make_teacher
from skdistill.dataframe import read_table
from skdistill.dataframe.labelled import TASKS, read_labelled
from skdistill.distillation.labelling import seeded
from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.budget import Device, check_device
from skdistill.model_selection.portfolio import FAMILIES
from skdistill.model_selection.run import NoCandidateError
from skdistill.teachers import as_teacher
from skdistill.utils.files import write_whole

_SCORES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "log_loss": "log loss",
           "r2": "R²", "rmse": "RMSE"}  # fmt: skip


@click.command()
@click.argument("table", type=FILE)
@click.option("--target", required=True, metavar="COLUMN", help="Column of the labels or values.")
@click.option("--out", type=FILE, default=Path("build"), metavar="FOLDER", help="Default: build.")
@click.option(
    "--task",
    type=click.Choice(TASKS),
    default="auto",
    help="What is predicted. auto: a regression for numbers with fractions or more than 20 values.",
)
@click.option(
    "--teacher",
    default="committee",
    metavar="NAME|FILE",
    help=f"The big model: {', '.join(NAMES)} or a file (.onnx, .json, .ubj, .txt, .cbm, .skops); "
    "default: committee.",
)
@budget_options(default="4KB")
@device_option(help_text="Core to compile for; without it, code is estimated.")
@click.option(
    "--family",
    multiple=True,
    type=click.Choice(FAMILIES),
    help="Kind of student to try; may be repeated; default: all.",
)
@drop_option
@click.option(
    "--test-size",
    type=Number(0, 1, min_open=True, max_open=True),
    default=0.25,
    metavar="SHARE",
    help="Share of the rows that is held out for the report; default: 0.25.",
)
@click.option(
    "--jobs", type=int, default=-1, metavar="N", help="Fits at a time; default: one a core."
)
@seed_option
@trust_option
@output_options
def distill(
    console: Console,
    table: Path,
    target: str,
    out: Path,
    task: str,
    teacher: str,
    budget: dict[str, Any],
    device: str | None,
    family: tuple[str, ...],
    drop: tuple[str, ...],
    test_size: float,
    jobs: int,
    seed: int,
    trust_pickle: bool,
) -> int:
    """Learn a small model from a table.

    Trains a big model, the teacher, and finds the best small one within a budget.

    TABLE is a .csv, .tsv, .txt, .parquet, .arrow or .feather file, with text, numbers and blanks.
    Writes model.skd, model.onnx, model.c, model.h, report.html, report.md and results.json.
    """
    if jobs == 0:
        raise click.BadParameter("must be 1 or more, or -1 for one a core", param_hint="'--jobs'")
    search = BudgetSearchCV(
        budget=budget,
        target=device,
        families=list(family) or "auto",
        random_state=seed,
        n_jobs=jobs,
        verbose=int(not console.quiet),
    )
    _check_form(search)
    require_extras("onnx", "report", *(["device"] if device else []))
    labelled = read_labelled(table, target, task=task, drop=drop)
    for note in labelled.notes:
        console.note(note)
    console.note(f"{labelled.task}: {labelled.reason}")
    parts = hold_out(labelled, test_size, seed)
    with bad_input():
        read_table(parts.X, parameter=None)
    search.task = labelled.task
    search.teacher = make_teacher(teacher, labelled, trust_pickle=trust_pickle)
    if teacher not in NAMES:
        console.note(f"{teacher} may have seen the rows that are held out: judge it with care")
    writable_folder(out)
    try:
        search.fit(parts.X, parts.y)
    except NoCandidateError as error:
        raise InputError(str(error)) from error
    return _finish(console, search, parts, out, _settings(labelled, table, target, teacher, search))


def _check_form(search: BudgetSearchCV) -> None:
    """Refuse limits that cannot be computed before anything is read."""
    limits = read_limits(search.budget)
    with bad_input():
        check_device(limits, Device(search.target, None, None, search.layout), search.task)


def _settings(
    labelled: Any, table: Path, target: str, teacher: str, search: BudgetSearchCV
) -> dict[str, Any]:
    return {
        "skdistill": skdistill.__version__,
        "table": table.name,
        "target": target,
        "task": labelled.task,
        "notes": labelled.notes,
        "columns": list(labelled.X.columns),
        "teacher": teacher if teacher in NAMES else Path(teacher).name,
        "budget": search.budget,
        "device": search.target,
        "seed": search.random_state,
    }


def _finish(
    console: Console,
    search: BudgetSearchCV,
    parts: HeldOut,
    out: Path,
    settings: dict[str, Any],
) -> int:
    """Score on the rows held out, write all files, print."""
    classes = getattr(search, "classes_", None)
    with console.working("the teacher on all training rows"):
        teacher = as_teacher(search.teacher, parts.X, parts.y, regression=classes is None)
        teacher = seeded(clone(teacher), np.random.RandomState(search.random_state))
        teacher.fit(parts.X, parts.y)
    scores = {
        "teacher": scores_of(teacher, parts.X_test, parts.y_test, classes),
        "student": scores_of(search, parts.X_test, parts.y_test, classes),
        "baseline": baseline_scores(parts, classes),
    }
    measured = search.footprint_.profile
    if search.target is not None:
        with console.working(f"the rows held out on an emulated {search.target}"):
            measured = search.profile(parts.X_test)
    with console.working("files and report"):
        files = write_model(search, out)
        search.report(
            out / "report.html", parts.X_test, parts.y_test, teacher=teacher,
            title=f"{settings['target']}, distilled from {settings['table']}",
        )  # fmt: skip
    with console.working("ONNX Runtime and C against Python"):
        agreements, missing = check_agreement(
            search.compact_,
            parts.X_test,
            onnx=out / "model.onnx",
            c=out / "model.c" if has_compiler() else None,
        )
    for each in missing:
        console.note(each)
    warning = _no_better_than_the_baseline(scores, classes)
    mismatches = sum(len(each.differing) for each in agreements) + (measured.mismatches or 0)
    files |= sizes_of(out, ["report.html", "report.md", "report.json"])
    result = {
        **settings,
        "classes": classes,
        "rows": {"training": len(parts.y), "held_out": len(parts.y_test)},
        "student": str(search.best_params_["family"]),
        "scores": scores,
        "distillation": search.distillation_gain_.sentence,
        "warning": warning,
        "flash_bytes": measured.flash_bytes,
        "table_bytes": measured.model_bytes,
        "ram_bytes": measured.ram_bytes,
        "stack_bound": measured.stack_bound,
        "instructions_bound": measured.instructions_bound,
        "instructions_mean": measured.instructions_mean,
        "mismatches": mismatches,
        "files": files,
    }
    write_whole(out / "results.json", as_json(result).encode())
    _print(console, result, agreements, out)
    if warning:
        console.warn(warning)
    console.json(result)
    return EXIT_FAILED if mismatches else EXIT_DONE


def _no_better_than_the_baseline(scores: dict[str, dict[str, float]], classes: Any) -> str | None:
    name, what = ("r2", "the mean") if classes is None else ("accuracy", "the most frequent class")
    student, baseline = scores["student"][name], scores["baseline"][name]
    if student > max(baseline, 0.0 if classes is None else baseline):
        return None
    return (
        f"the student is no better than always answering {what} ({_SCORES[name]} {student:.4f} "
        f"against {baseline:.4f} on the rows held out): more columns, rows or bytes are needed"
    )


def _print(console: Console, result: dict[str, Any], agreements: Any, out: Path) -> None:
    rows = result["rows"]
    console.line(
        f"{result['table']}: {len(result['columns']):,} columns, {rows['training']:,} training "
        f"rows, {rows['held_out']:,} held out",
        "bold",
    )
    names = list(result["scores"]["student"])
    console.table(
        ["on the rows held out", *(_SCORES[name] for name in names)],
        [
            [label, *(result["scores"][key].get(name) for name in names)]
            for key, label in (
                ("teacher", f"teacher: {result['teacher']}"),
                ("student", f"student: {result['student']}"),
                ("baseline", "most frequent class" if result["classes"] is not None else "mean"),
            )
        ],
    )
    console.line(result["distillation"])
    place = f"on {result['device']}" if result["device"] else "estimated for a cortex-m0"
    flash = f"Flash {place}: {result['flash_bytes']:,} bytes, {result['table_bytes']:,} of tables"
    if result["instructions_bound"] is not None:
        flash += (
            f"; a call takes at most {result['instructions_bound']:,} instructions and "
            f"{result['stack_bound']:,} bytes of stack"
        )
    console.line(flash)
    runtimes = sorted({each.runtime for each in agreements}, reverse=True)
    n = result["mismatches"]
    if runtimes:
        console.line(
            f"{' and '.join(runtimes)} answer {rows['held_out']:,} rows "
            f"{'as Python does' if not n else f'OTHERWISE than Python: {n:,} differences'}"
        )
    files = [f"{name} ({size:,} B)" for name, size in result["files"].items()]
    console.line(f"Written to {out}: {', '.join(files)}, results.json")
