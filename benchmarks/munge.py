"""How long MUNGE takes, and how much of it is the search for neighbours.

Standard-normal columns that share five latent factors, as real columns share causes; five
synthetic rows for each row.
"""

from __future__ import annotations

import statistics
from importlib import import_module
from typing import Any

import numpy as np
from _common import alternate, markdown, options, save
from tqdm import tqdm

from skdistill import munge

FACTOR = 5
ROWS, COLUMNS = (10_000, 30_000, 100_000), (10, 60)
ROUNDS = 3
parts = import_module("skdistill.transfer.munge")  # the package's name `munge` is the function


def table(n: int, d: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 5)) @ rng.normal(size=(5, d)) / np.sqrt(5)
    return (X + 0.5 * rng.normal(size=(n, d))).astype(np.float32)


def measure(n: int, d: int, bar: tqdm) -> dict[str, Any]:
    X = table(n, d).astype(np.float64)
    nearest = parts._nearest(X[:1000])
    contestants = {
        "munge": lambda: munge(X, factor=FACTOR, random_state=0),
        "search": lambda: parts._nearest(X),
        "exchange": lambda: exchange(X, nearest),
    }
    nearest = parts._nearest(X)
    seconds, _ = alternate(contestants, ROUNDS, bar)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    return {"rows": n, "columns": d, "seconds": medians}


def exchange(X: np.ndarray, nearest: np.ndarray) -> None:
    parts._exchange(np.tile(X, (FACTOR, 1)), nearest, 0.5, 1.0, np.random.default_rng(0))


def report(results: dict[str, Any]) -> str:
    rows = [
        (
            f"{size['rows']:,}",
            size["columns"],
            f"{size['seconds']['munge']:.2f}",
            f"{size['seconds']['search']:.2f}",
            f"{size['seconds']['exchange']:.2f}",
            f"{size['seconds']['search'] / size['seconds']['munge']:.0%}",
        )
        for size in results["sizes"]
    ]
    header = ("rows", "columns", "munge, s", "neighbours, s", "exchange, s", "share of neighbours")
    return markdown(header, rows)


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    sizes = [(n, d) for n in ROWS for d in COLUMNS][: 1 if args.quick else None]
    munge(table(50, 2), factor=1, random_state=0)  # compiles
    with tqdm(total=3 * ROUNDS * len(sizes), desc="munge") as bar:
        results = {
            "factor": FACTOR,
            "rounds": ROUNDS,
            "sizes": [measure(n, d, bar) for n, d in sizes],
        }
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
