"""`skdistill report`: one page on a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skdistill.cli.artefacts import sizes_of
from skdistill.cli.console import EXIT_DONE, Console
from skdistill.cli.errors import InputError, writable_folder
from skdistill.cli.extras import require_extras
from skdistill.cli.models import labelled_rows_of, load_model
from skdistill.cli.options import FILE, output_options, trust_option
from skdistill.cli.teachers import NAMES, make_teacher
from skdistill.dataframe.labelled import LabelledTable, require_columns
from skdistill.inspection import report as make_report


@click.command()
@click.argument("model", type=FILE)
@click.argument("table", type=FILE)
@click.option("--target", required=True, metavar="COLUMN", help="Column of the labels or values.")
@click.option(
    "--out",
    type=FILE,
    default=Path("report.html"),
    metavar="PAGE",
    help="Ends in .html; figures as .json and a model card as .md go beside it; "
    "default: report.html.",
)
@click.option(
    "--teacher", metavar="FILE", help="The big model, to see what was lost: .onnx, .json, ..."
)
@click.option("--group", metavar="COLUMN", help="Column of groups whose errors are compared.")
@trust_option
@output_options
def report(
    console: Console,
    model: Path,
    table: Path,
    target: str,
    out: Path,
    teacher: str | None,
    group: str | None,
    trust_pickle: bool,
) -> int:
    """Write a page on a model.

    Shows where MODEL, a .skd file, is right, where it fails, and what it takes. TABLE has rows
    that the model was not fitted on.
    """
    if out.suffix.lower() != ".html":
        raise InputError(f"--out must end in .html, got {str(out)!r}")
    compact = load_model(model)
    require_extras("report")
    X, y, whole, notes = labelled_rows_of(compact, table, target)
    for note in notes:
        console.note(note)
    groups = None
    if group is not None:
        require_columns(table, whole, [group])
        if compact.classes is None:
            raise InputError("--group compares errors of classes, but the model predicts numbers")
        groups = whole[group].astype(object).where(whole[group].notna(), "missing").astype(str)
    fitted: Any = None
    if teacher is not None:
        if teacher in NAMES:
            raise InputError(f"--teacher {teacher!r} is not fitted: name a file")
        task = "regression" if compact.classes is None else "classification"
        labelled = LabelledTable(X, y, task, "", [])
        fitted = make_teacher(teacher, labelled, trust_pickle=trust_pickle)
    writable_folder(out.parent)
    with console.working(f"the report on {len(y):,} rows"):
        made = make_report(
            compact, X, y, groups=groups, teacher=fitted, path=out, title=f"{model.name}, {target}"
        )
    quality = made.content["quality"]
    console.table(
        ["", *quality["models"]],
        [
            [name.replace("_", " "), *(each[name] for each in quality["models"].values())]
            for name in quality["models"]["student"]
        ],
    )
    files = sizes_of(out.parent, [out.with_suffix(end).name for end in (".html", ".json", ".md")])
    console.line(f"Written to {out.parent}: {', '.join(files)}")
    console.json({"quality": quality, "checks": made.content["checks"], "files": files})
    return EXIT_DONE
