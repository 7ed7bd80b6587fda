"""For budget.py: records of candidates, draw by draw, and what is picked of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

FIELDS = (
    "set",
    "seed",
    "kind",
    "model",
    "recipe",
    "budget",
    "bytes",
    "pick",
    "test",
    "pick_log_loss",
    "test_log_loss",
    "seconds",
)
APART = "gas_drift_time"  # how a model drifts is another question: in no mean
# What is measured: its column, the one it is picked by, whether more is better, unit, decimals.
ACCURACY = ("test", "pick", 1, 100, 1)
LOG_LOSS = ("test_log_loss", "pick_log_loss", -1, 1, 3)
Record = dict[str, Any]
Draws = dict[tuple[str, int], list[Record]]


def by_draw(part: dict[str, Any]) -> Draws:
    draws: Draws = {(name, seed): [] for name, seed, *_ in part["teachers"]}
    for values in part["records"]:
        record = dict(zip(FIELDS, values, strict=True))
        draws[record["set"], record["seed"]].append(record)
    return draws


def picked(records: Iterable[Record], budget: float, by: str, sign: int) -> Record | None:
    """The best on the rows to pick on, of what takes no more than `budget` bytes."""
    fit = [record for record in records if record["bytes"] <= budget]
    return max(fit, key=lambda record: sign * record[by], default=None)


def value(records: Iterable[Record], budget: float, measure: tuple[Any, ...]) -> float:
    """What the pick earns on the test rows; NaN where nothing fits."""
    column, by, sign, _, _ = measure
    best = picked(records, budget, by, sign)
    return math.nan if best is None else float(best[column])


def of_kind(records: Iterable[Record], kind: str) -> list[Record]:
    return [record for record in records if record["kind"] == kind]


def over_seeds(draws: Draws, figure: Callable[[list[Record]], float]) -> dict[str, float]:
    """Mean of a figure over the draws of each set."""
    return means({draw: figure(records) for draw, records in draws.items()})


def means(figures: dict[tuple[str, int], float]) -> dict[str, float]:
    """Mean over the draws of each set."""
    found: dict[str, list[float]] = {}
    for (name, _), figure in figures.items():
        found.setdefault(name, []).append(figure)
    return {name: float(np.mean(each)) for name, each in found.items()}
