"""How long MUNGE takes, and how much of it is the search for neighbours.

Standard-normal columns that share five latent factors, as real columns share causes; nominal
ones, whose categories do, are of as many categories as those of ADULT. Five synthetic rows for
each row, one for each of a million. Of more rows than a block holds, neighbours are those of a
block of near rows; what that costs in distance is measured beside blocks drawn at random.
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
LARGE = ((1_000_000, 20, 0),)
DIVIDED, PARTS = 40_000, (2, 4, 16)  # rows, and numbers of blocks
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


def measure(n: int, numbers: int, nominal: int, rounds: int, bar: tqdm) -> dict[str, Any]:
    X = table(n, numbers, nominal)
    swapped = np.arange(numbers + nominal) >= numbers
    nearest_other(X[:100], swapped)  # compiles
    factor = FACTOR if n <= max(ROWS) else 1
    munge = Munge(factor, categorical_features=swapped)
    nearest = nearest_other(X, swapped, munge.block_size)
    busy: dict[str, list[float]] = {"munge": [], "search": [], "exchange": []}
    contestants = {
        "munge": lambda: munge.sample(X, 0),
        "search": lambda: nearest_other(X, swapped, munge.block_size),
        "exchange": lambda: exchange(X, nearest, swapped, factor),
    }
    timed = {name: cpu_of(run, busy[name]) for name, run in contestants.items()}
    seconds, _ = alternate(timed, rounds, bar)
    return {
        "rows": n,
        "columns": numbers + nominal,
        "nominal": nominal,
        "factor": factor,
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


def exchange(X: np.ndarray, nearest: np.ndarray, nominal: np.ndarray, factor: int) -> None:
    rng = np.random.default_rng(0)
    _swap_with_neighbours(np.tile(X, (factor, 1)), nearest, nominal, 0.5, 1.0, rng)


def measure_blocks(numbers: int, nominal: int) -> list[dict[str, Any]]:
    """Neighbours of a block against those of all rows, for blocks of near and of random rows."""
    X = table(DIVIDED, numbers, nominal)
    swapped = np.arange(numbers + nominal) >= numbers
    exact = nearest_other(X, swapped)
    least = distance(X, swapped, exact).mean()
    rows = np.random.default_rng(0).permutation(DIVIDED)
    found = []
    for parts in PARTS:
        near = nearest_other(X, swapped, DIVIDED // parts)
        drawn = np.empty_like(exact)
        for part in np.array_split(rows, parts):
            drawn[part] = part[nearest_other(X[part], swapped)]
        each: dict[str, Any] = {"columns": numbers + nominal, "nominal": nominal, "blocks": parts}
        for name, nearest in (("near", near), ("random", drawn)):
            farther = distance(X, swapped, nearest).mean() / least - 1
            each[name] = {"same": float((nearest == exact).mean()), "farther": float(farther)}
        found.append(each)
    return found


def distance(X: np.ndarray, nominal: np.ndarray, of: np.ndarray) -> np.ndarray:
    """From each row to another one, as MUNGE measures it."""
    Z = (X - X.min(axis=0)) / np.ptp(X, axis=0)
    return np.sqrt(np.where(nominal, X[of] != X, (Z - Z[of]) ** 2).sum(axis=1))


def report(results: dict[str, Any]) -> str:
    rows = [
        (
            f"{size['rows']:,}",
            size["columns"],
            size["nominal"],
            size["factor"],
            f"{size['seconds']['munge']:.2f}",
            f"{size['cpu_seconds']['munge']:.2f}",
            f"{size['seconds']['search']:.2f}",
            f"{size['seconds']['exchange']:.2f}",
            f"{size['seconds']['search'] / size['seconds']['munge']:.0%}",
        )
        for size in results["sizes"]
    ]
    header = (
        "rows",
        "columns",
        "nominal",
        "synthetic a row",
        "munge, s",
        "munge, CPU s",
        "neighbours, s",
    )
    header += ("exchange, s", "share of neighbours")
    blocks = [
        (
            each["columns"],
            each["nominal"],
            each["blocks"],
            *(f"{each[kind]['same']:.0%}" for kind in ("near", "random")),
            *(f"{each[kind]['farther']:.1%}" for kind in ("near", "random")),
        )
        for each in results["blocks"]
    ]
    names = ("columns", "nominal", "blocks", "the same neighbour", "random blocks")
    names += ("farther away", "random blocks")
    return markdown(header, rows) + "\n\n" + markdown(names, blocks)


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    sizes = [(n, *columns, ROUNDS) for n in ROWS for columns in COLUMNS]
    sizes += [(*size, 1) for size in LARGE]
    sizes = sizes[: 3 if args.quick else None]
    Munge(1).sample(table(50, 2, 0), 0)  # compiles
    with tqdm(total=3 * sum(size[-1] for size in sizes), desc="munge") as bar:
        results = {
            "rounds": ROUNDS,
            "sizes": [measure(*size, bar) for size in sizes],
            "blocks": [
                each
                for columns in (COLUMNS[-1:] if args.quick else COLUMNS)
                for each in measure_blocks(*columns)
            ],
        }
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
