"""What the benchmarks share: options, alternating timings, JSON and readable tables."""

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
from typing import Any

from tqdm import tqdm

LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "lightgbm", "xgboost", "xgboost-cpu")


def options(description: str) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the JSON goes")
    parser.add_argument("--quick", action="store_true", help="a smoke check on little data")
    return parser


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
