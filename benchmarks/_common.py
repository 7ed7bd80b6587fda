"""What the benchmarks share: options, tables, alternating timings, JSON and readable tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder
from tqdm import tqdm

LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "lightgbm", "xgboost", "xgboost-cpu")
OWN_SPLIT_IGNORED = {"gas_drift"}  # split by time: it measures drift, not students


class Table(NamedTuple):
    """A classification problem, split into training and test rows."""

    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray


def options(description: str) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the JSON goes")
    parser.add_argument("--quick", action="store_true", help="a smoke check on little data")
    return parser


def add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=os.environ.get("SKDISTILL_DATA"),
        help="parquet tables with a `target` column (default: $SKDISTILL_DATA, "
        "else the sets that scikit-learn ships)",
    )


def load(name: str, directory: str | Path | None, cap: int | None = None) -> Table:
    """Load ``directory/name.parquet``, or scikit-learn's set of that name, with a split.

    A table's own `split` column is respected, anything else is split 70/30, stratified,
    with ``random_state=0``. Categories become ordinal codes, missing numbers the median
    of the training rows. More than `cap` training rows are thinned at random.
    """
    X, y, train = read(name, directory)
    if name in OWN_SPLIT_IGNORED:
        train = None
    if train is None:
        rows, _ = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0, stratify=y)
        train = np.zeros(len(y), bool)
        train[rows] = True
    missing = np.isnan(X)
    X = np.where(missing, np.nanmedian(X[train], axis=0), X).astype(np.float32)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(train))[:cap]
    return Table(X[rows], X[~train], y[rows], y[~train])


def read(
    name: str, directory: str | Path | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """All rows, their class numbers, and which of them train where the table has a split."""
    if directory is None:
        return *getattr(datasets, f"load_{name}")(return_X_y=True), None
    return _read_parquet(Path(directory) / f"{name}.parquet")


def nominal_columns(name: str, directory: str | Path | None) -> list[int]:
    """Which columns of `read` are codes of categories."""
    if directory is None:
        return []
    import pandas as pd

    frame = pd.read_parquet(Path(directory) / f"{name}.parquet")
    columns = frame.drop(columns=["target", "split"], errors="ignore")
    return [i for i in range(columns.shape[1]) if _is_text(columns.iloc[:, i])]


def _is_text(column: Any) -> bool:
    import pandas as pd

    return not pd.api.types.is_numeric_dtype(column)


def _read_parquet(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    import pandas as pd

    frame = pd.read_parquet(path)
    y = LabelEncoder().fit_transform(frame.pop("target").astype(str))
    train = (frame.pop("split") == "train").to_numpy() if "split" in frame else None
    text = [name for name in frame if _is_text(frame[name])]
    if text:
        coder = OrdinalEncoder(encoded_missing_value=-1)
        frame[text] = coder.fit_transform(frame[text].astype(object))
    return frame.to_numpy(np.float32), y, train


def alternate(
    contestants: dict[str, Callable[[], Any]], rounds: int, bar: tqdm
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Run all contestants in turn, A B A B …: seconds of each round, and the last results."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    results = {}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            results[name] = run()
            seconds[name].append(time.perf_counter() - start)
            bar.update()
    return seconds, results


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Median of the ratios of rounds that ran side by side."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def save(path: Path | None, results: dict[str, Any]) -> None:
    """Write results and what they were measured with; the file is whole or not there.

    A list of plain values takes one line.
    """
    if path is None:
        return
    payload = {"measured_with": _environment(), **results}
    short = json.loads(json.dumps(payload), parse_float=lambda text: float(f"{float(text):.6g}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    text = json.dumps(short, indent=1)
    text = re.sub(r"\[[^][{}]*\]", lambda found: " ".join(found[0].split()), text)
    partial.write_text(text + "\n")
    partial.replace(path)


def _environment() -> dict[str, Any]:
    found = {name: _version(name) for name in LIBRARIES}
    versions = {name: version for name, version in found.items() if version}
    return {"python": platform.python_version(), "cores": os.cpu_count(), **versions}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def markdown(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A markdown table, aligned so that it reads in a terminal too; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    width = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    pads = [str.ljust] + [str.rjust] * (len(header) - 1)
    padded = [
        [pad(cell, w) for pad, cell, w in zip(pads, row, width, strict=True)] for row in cells
    ]
    lines = [f"| {' | '.join(row)} |" for row in padded]
    rule = "|" + "|".join(["-" * (width[0] + 2)] + ["-" * (w + 1) + ":" for w in width[1:]]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
