"""`skdistill convert`: a fitted model of another library as a compact one, without distillation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import skdistill
from skdistill.cli.artefacts import write_model
from skdistill.cli.console import EXIT_DONE, Console
from skdistill.cli.errors import InputError, bad_input, writable_folder
from skdistill.cli.extras import require_extras
from skdistill.cli.models import load_fitted
from skdistill.cli.options import (
    FILE,
    answer_option,
    input_option,
    optimize_option,
    output_options,
    trust_option,
)
from skdistill.dataframe.cleaning import clean_columns
from skdistill.dataframe.files import read_frame

_NOT_CONVERTED = {".onnx": "an ONNX graph", ".cbm": "a model of CatBoost"}


@click.command()
@click.argument("file", type=FILE)
@click.option("--out", type=FILE, default=Path("build"), metavar="FOLDER", help="Default: build.")
@click.option(
    "--rows",
    type=FILE,
    metavar="TABLE",
    help="Rows that show the range of the inputs: linear models and --threshold-bits need them.",
)
@click.option(
    "--threshold-bits",
    type=click.IntRange(2, 16),
    metavar="BITS",
    help="Round thresholds: 8 to 10 bits save a quarter to half of the bytes.",
)
@click.option(
    "--value-bits",
    type=click.IntRange(2, 16),
    default=8,
    metavar="BITS",
    help="Of leaf values and weights; default: 8.",
)
@input_option
@answer_option
@optimize_option
@trust_option
@output_options
def convert(
    console: Console,
    file: Path,
    out: Path,
    rows: Path | None,
    threshold_bits: int | None,
    value_bits: int,
    input_dtype: str | None,
    output: str | None,
    optimize: str | None,
    trust_pickle: bool,
) -> int:
    """Convert a fitted model as it is.

    The integer model answers alike; nothing is learnt.

    FILE is of XGBoost (.json, .ubj), LightGBM (.txt), skops, or a pickle (.pkl, .joblib) of
    scikit-learn. A .skd file is exported anew. Writes model.skd, model.onnx, model.c and model.h.
    """
    suffix = file.suffix.lower()
    if suffix in _NOT_CONVERTED and file.is_file():
        raise InputError(
            f"{file} is {_NOT_CONVERTED[suffix]}, which cannot be converted: distil it, by "
            f"skdistill distill TABLE --target COLUMN --teacher {file}"
        )
    require_extras("onnx")
    fitted = load_fitted(file, trust_pickle=trust_pickle)
    X = None
    if rows is not None:
        X, notes = read_frame(rows)
        X, more = clean_columns(_columns_of(fitted, X), leave_out_empty=False)
        for note in [*notes, *more]:
            console.note(note)
    options: dict[str, Any] = {}
    if suffix != ".skd":
        options = {"threshold_bits": threshold_bits, "value_bits": value_bits}
    with console.working(f"converting {file.name}"), bad_input(str(file)):
        model = skdistill.convert(fitted, X, **options)
    writable_folder(out)
    files = write_model(model, out, input_dtype=input_dtype, output=output, optimize=optimize)
    console.line(str(model.summary()))
    console.line(f"Written to {out}: {', '.join(f'{n} ({s:,} B)' for n, s in files.items())}")
    console.json({"file": file.name, "table_bytes": int(model.nbytes), "files": files})
    return EXIT_DONE


def _columns_of(fitted: Any, frame: Any) -> Any:
    """The columns that a model was fitted on, where it knows their names."""
    names = getattr(fitted, "feature_names_in_", None)
    if names is None or not set(names) <= set(frame.columns):
        return frame
    return frame[list(names)]
