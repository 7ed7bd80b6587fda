"""`skdistill profile`: what a model takes on a device."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

import skdistill
from skdistill.cli.console import EXIT_DONE, EXIT_FAILED, Console
from skdistill.cli.errors import bad_input
from skdistill.cli.extras import require_extras
from skdistill.cli.models import load_model, rows_of
from skdistill.cli.options import (
    FILE,
    answer_option,
    device_option,
    input_option,
    optimize_option,
    output_options,
)

_FIGURES = {
    "flash_bytes": "flash, bytes",
    "model_bytes": "  of it tables",
    "code_bytes": "  of it code",
    "library_bytes": "  of it the compiler's library",
    "ram_bytes": "variables, bytes",
    "stack_bytes": "stack, deepest of these rows",
    "stack_bound": "stack, bound of any row",
    "instructions_mean": "instructions a call, mean",
    "instructions_max": "instructions a call, most of these rows",
    "instructions_bound": "instructions a call, bound of any row",
    "cycles_mean": "cycles a call, mean",
    "cycles_max": "cycles a call, most",
}


@click.command()
@click.argument("model", type=FILE)
@device_option("cortex-m0", "Core to compile for; default: cortex-m0.")
@click.option("--rows", type=FILE, metavar="TABLE", help="Rows to run; default: a row of zeros.")
@click.option("--clock", metavar="FREQUENCY", help="Also estimate the time, as 48MHz.")
@input_option
@answer_option
@optimize_option
@output_options
def profile(
    console: Console,
    model: Path,
    device: str,
    rows: Path | None,
    clock: str | None,
    input_dtype: str | None,
    output: str | None,
    optimize: str | None,
) -> int:
    """Measure bytes and instructions on a device.

    Compiles MODEL, a .skd file, for a core and runs rows there. Exit code 1 where a row gets
    another answer than in Python.
    """
    compact = load_model(model)
    if device != "host":
        require_extras("device")
    X = np.zeros((1, compact.n_features))
    if rows is not None:
        X, notes = rows_of(compact, rows)
        for note in notes:
            console.note(note)
    with console.working(f"compiling for {device} and running {len(X):,} rows"), bad_input():
        measured = skdistill.profile(
            compact, X, target=device, input_dtype=input_dtype, output=output, optimize=optimize
        )
    figures = {name: getattr(measured, name) for name in _FIGURES}
    result = asdict(measured) | {"flash_bytes": measured.flash_bytes}
    if clock is not None:
        with bad_input():
            result["seconds"] = measured.time(clock)
        figures["seconds"] = f"{1e6 * result['seconds']:,.1f}"
    titles = _FIGURES | {"seconds": f"time of a call at {clock}, µs, about"}
    console.table(
        [f"{model.name} on {device}", ""],
        [(titles[name], value) for name, value in figures.items() if value is not None],
    )
    if rows is not None and measured.mismatches is not None:
        wrong = f"{measured.mismatches:,} of {measured.rows:,} rows differ from Python"
        console.line(wrong if measured.mismatches else f"all {measured.rows:,} rows as in Python")
    console.json(result)
    return EXIT_FAILED if measured.mismatches else EXIT_DONE
