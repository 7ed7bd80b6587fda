"""`skdistill demo`: a comparison on two data sets that come with scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sklearn.datasets import load_breast_cancer, load_digits

from skdistill.cli.console import EXIT_DONE, EXIT_FAILED, Console, as_json
from skdistill.cli.errors import writable_folder
from skdistill.cli.options import FILE, output_options, seed_option
from skdistill.inspection import compare, text_report
from skdistill.inspection.results import Dataset
from skdistill.students import SoftTreeClassifier
from skdistill.utils.files import write_whole

DATASETS: dict[str, tuple[Any, int]] = {
    "digits": (load_digits, 256),
    "breast cancer": (load_breast_cancer, 16),
}
"""Name → loader, and number of leaves of the student."""


@click.command()
@click.option(
    "--out", type=FILE, default=Path("build/demo"), metavar="FOLDER", help="Default: build/demo."
)
@seed_option
@output_options
def demo(console: Console, out: Path, seed: int) -> int:
    """Compare big and small models.

    Distils forest, XGBoost and LightGBM into trees, on the data sets digits and breast cancer of
    scikit-learn, and exports them. Takes a minute.
    """
    compare.check_extras()
    writable_folder(out)
    comparisons = []
    for name, (load, max_leaf_nodes) in DATASETS.items():
        data = load()
        dataset = Dataset(data.data, data.target_names[data.target], list(data.feature_names))
        comparisons.append(
            compare.compare(
                name,
                dataset,
                SoftTreeClassifier(max_leaf_nodes=max_leaf_nodes),
                out,
                random_state=seed,
                progress=None if console.quiet else console.note,
            )
        )
    content = text_report.as_dict(comparisons)
    write_whole(out / "results.json", as_json(content).encode())
    console.line(text_report.as_text(comparisons))
    console.line(text_report.list_files(comparisons, out))
    console.json(content)
    return EXIT_FAILED if any(each.mismatches for each in comparisons) else EXIT_DONE
