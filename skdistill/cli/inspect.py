"""`skdistill inspect`: what is in a model."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from skdistill.cli.console import EXIT_DONE, Console
from skdistill.cli.models import load_model
from skdistill.cli.options import FILE, output_options
from skdistill.export.readable.conditions import column_name


@click.command()
@click.argument("model", type=FILE)
@click.option(
    "--depth",
    type=click.IntRange(0),
    default=3,
    metavar="N",
    help="Show trees down to this depth, 0 for none; default: 3.",
)
@output_options
def inspect(console: Console, model: Path, depth: int) -> int:
    """Show what is in a model.

    Columns, classes, bytes and trees of MODEL, a .skd file.
    """
    compact = load_model(model)
    summary = compact.summary()
    read = [column_name(compact, int(j)) for j in compact.columns]
    unread = np.setdiff1d(np.arange(compact.n_features), compact.columns)
    classes = None if compact.classes is None else compact.classes.tolist()
    console.line(summary.title, "bold")
    console.table(
        ["table", "holds", "columns", "bytes"],
        [
            *summary.tables,
            *((name, "", None, n) for name, n in summary.other_bytes.items()),
            ("total", "constant tables in C", None, summary.nbytes),
            ("file", model.name, None, model.stat().st_size),
        ],
    )
    if classes is not None:
        console.line(f"Classes: {', '.join(map(str, classes))}")
    console.line(f"Reads: {', '.join(read) or 'nothing'}")
    if len(unread):
        console.line(f"Does not read: {', '.join(column_name(compact, int(j)) for j in unread)}")
    labels = {
        column_name(compact, int(j)): each.tolist()
        for j, each in zip(compact.categories.columns, compact.categories.labels, strict=True)
    }
    for name, each in labels.items():
        shown = ", ".join(map(str, each[:10])) + (", …" if len(each) > 10 else "")
        console.line(f"Categories of {name}: {shown}")
    if depth:
        console.line("")
        console.line(compact.export_text(max_depth=depth).rstrip("\n"))
    console.json(
        {
            "title": summary.title,
            "tables": [
                dict(zip(("kind", "holds", "columns", "bytes"), each, strict=True))
                for each in summary.tables
            ],
            "table_bytes": summary.nbytes,
            "file_bytes": model.stat().st_size,
            "classes": classes,
            "columns": [column_name(compact, j) for j in range(compact.n_features)],
            "columns_read": read,
            "categories": labels,
            "text": compact.export_text(max_depth=depth) if depth else None,
        }
    )
    return EXIT_DONE
