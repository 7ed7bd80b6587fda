"""How long MUNGE takes, and how much of it is the search for neighbours.

Standard-normal columns that share five latent factors, as real columns share causes; nominal
ones, whose categories do, are of as many categories as those of ADULT. Five synthetic rows for
each row.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _common import alternate, markdown, options, save
from tqdm import tqdm

from skdistill.transfer import Munge
from skdistill.transfer.munge import _swap_with_neighbours
from skdistill.transfer.neighbours import nearest_other

FACTOR = 5
ROWS, COLUMNS = (10_000, 30_000, 100_000), ((10, 0), (60, 0), (6, 8))
CATEGORIES = (2, 5, 6, 7, 8, 14, 16, 41)
ROUNDS = 3


def table(n: int, numbers: int, nominal: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n, 5))
    X = causes @ rng.normal(size=(5, numbers)) / np.sqrt(5)
    X = (X + 0.5 * rng.normal(size=(n, numbers))).astype(np.float32).astype(np.float64)
    logits = (causes @ rng.normal(size=(5, c)) + rng.normal(size=c) for c in CATEGORIES[:nominal])
    drawn = [(each + rng.gumbel(size=each.shape)).argmax(axis=1) for each in logits]
    return np.column_stack([X, *drawn])


def measure(n: int, numbers: int, nominal: int, bar: tqdm) -> dict[str, Any]:
    X = table(n, numbers, nominal)
    swapped = np.arange(numbers + nominal) >= numbers
    nearest_other(X[:100], swapped)  # compiles
    nearest = nearest_other(X, swapped)
    munge = Munge(FACTOR, categorical_features=swapped)
    busy: dict[str, list[float]] = {"munge": [], "search": [], "exchange": []}
    contestants = {
        "munge": lambda: munge.sample(X, 0),
        "search": lambda: nearest_other(X, swapped),
        "exchange": lambda: exchange(X, nearest, swapped),
    }
    timed = {name: cpu_of(run, busy[name]) for name, run in contestants.items()}
    seconds, _ = alternate(timed, ROUNDS, bar)
    return {
        "rows": n,
        "columns": numbers + nominal,
        "nominal": nominal,
        "seconds": medians(seconds),
        "cpu_seconds": medians(busy),
    }


def cpu_of(run: Callable[[], Any], taken: list[float]) -> Callable[[], None]:
    """`run` that also notes the seconds of all cores, which others' work does not lengthen."""

    def noted() -> None:
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)

    return noted


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def exchange(X: np.ndarray, nearest: np.ndarray, nominal: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    _swap_with_neighbours(np.tile(X, (FACTOR, 1)), nearest, nominal, 0.5, 1.0, rng)


def report(results: dict[str, Any]) -> str:
    rows = [
        (
            f"{size['rows']:,}",
            size["columns"],
            size["nominal"],
            f"{size['seconds']['munge']:.2f}",
            f"{size['cpu_seconds']['munge']:.2f}",
            f"{size['seconds']['search']:.2f}",
            f"{size['seconds']['exchange']:.2f}",
            f"{size['seconds']['search'] / size['seconds']['munge']:.0%}",
        )
        for size in results["sizes"]
    ]
    header = ("rows", "columns", "nominal", "munge, s", "munge, CPU s", "neighbours, s")
    header += ("exchange, s", "share of neighbours")
    return markdown(header, rows)


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    sizes = [(n, *columns) for n in ROWS for columns in COLUMNS][: 3 if args.quick else None]
    Munge(1).sample(table(50, 2, 0), 0)  # compiles
    with tqdm(total=3 * ROUNDS * len(sizes), desc="munge") as bar:
        results = {
            "factor": FACTOR,
            "rounds": ROUNDS,
            "sizes": [measure(*size, bar) for size in sizes],
        }
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
