"""`skdistill verify`: Python, ONNX Runtime and compiled C on the same rows."""

from __future__ import annotations

from pathlib import Path

import click

from skdistill.cli.console import EXIT_DONE, EXIT_FAILED, Console
from skdistill.cli.errors import InputError
from skdistill.cli.models import load_model, rows_of
from skdistill.cli.options import FILE, output_options
from skdistill.cli.parity import check_agreement

_LISTED = 10


@click.command()
@click.argument("model", type=FILE)
@click.argument("rows", type=FILE)
@click.option("--onnx", type=FILE, metavar="FILE", help="ONNX file to run; default: a new export.")
@click.option("--c", type=FILE, metavar="FILE", help="C file to run; default: a new export.")
@output_options
def verify(console: Console, model: Path, rows: Path, onnx: Path | None, c: Path | None) -> int:
    """Check that ONNX and C answer alike.

    MODEL is a .skd file; ONNX Runtime and compiled C are compared with it. ROWS is a table with the
    columns of the model. Labels and integer scores must be equal, bit for bit; exit code 1 where
    a row differs.
    """
    compact = load_model(model)
    X, notes = rows_of(compact, rows)
    for note in notes:
        console.note(note)
    with console.working(f"running {len(X):,} rows"):
        agreements, missing = check_agreement(compact, X, onnx=onnx, c=c)
    for text in missing:
        console.warn(text)
    if not agreements:
        raise InputError("there is nothing to compare with: " + "; ".join(missing))
    console.table(
        ["against Python", "compared", "rows", "differ"],
        [(each.runtime, each.compared, each.rows, len(each.differing)) for each in agreements],
    )
    for each in agreements:
        if len(each.differing):
            listed = ", ".join(str(row) for row in each.differing[:_LISTED])
            more = len(each.differing) - _LISTED
            console.line(
                f"{each.runtime}, {each.compared}: rows {listed}"
                f"{f' and {more:,} more' if more > 0 else ''} differ (the first row is 0)"
            )
    failed = any(len(each.differing) for each in agreements)
    console.line("NOT equal" if failed else "All equal", "bold red" if failed else "bold green")
    console.json(
        {
            "equal": not failed,
            "checks": [each._asdict() for each in agreements],
            "not_run": missing,
        }
    )
    return EXIT_FAILED if failed else EXIT_DONE
