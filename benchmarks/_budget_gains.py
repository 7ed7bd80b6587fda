"""For budget.py: how much more accurate ours are than peers, by table and number of bytes.

Two comparisons: with trees, forests, boosting and linear models alone, as in the first versions of
this benchmark, and with all peers, nets, prototypes and LightGBM's penalties among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from _budget_draws import (
    ACCURACY,
    APART,
    Draws,
    Record,
    by_draw,
    of_kind,
    value,
)
from _budget_results import PEERS
from _common import markdown

EARLIER = ("emlearn", "lightgbm", "linear")
TINY = (1024, 2048, 4096)
# In points: mean, median and worst table.
AIMS: dict[str, dict[str, float]] = {
    "trees, boosting and linear models": {"mean": 2.6},
    "all peers": {"mean": 0.5, "median": 0.2, "worst": -0.5},
}


def complete(part: dict[str, Any], *, peers: bool = True) -> Draws:
    """The draws on which all is measured that is measured on any.

    Without `peers`, the kinds of peers may differ.
    """
    names = {(name, seed): set(names) for name, seed, *names in part["measured"]}
    asked = {each for found in names.values() for each in found}
    if not peers:
        asked = {each for each in asked if not each.startswith(PEERS)}
    return {key: rows for key, rows in by_draw(part).items() if asked <= names.get(key, set())}


def _others_measured(draws: Draws) -> bool:
    return any(
        record["kind"] == "peer" and record["model"] not in EARLIER
        for records in draws.values()
        for record in records
    )


def gains(part: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Points over the best peer, by table and budget, and what they come to."""
    budgets = [budget for budget in part["budgets"] if budget in TINY]
    all_draws, draws = (
        {key: records for key, records in complete(part, peers=peers).items() if key[0] != APART}
        for peers in (False, True)
    )
    found = {}
    for name, mine, models in (
        ("trees, boosting and linear models", all_draws, EARLIER),
        ("all peers", draws, None),
    ):
        if models is None and not _others_measured(mine):
            continue
        tables: dict[str, list[list[float]]] = {}
        for (table, _), records in mine.items():
            gained = [_gain(records, budget, models) for budget in budgets]
            tables.setdefault(table, []).append(gained)
        means = {table: np.mean(each, axis=0) for table, each in tables.items()}
        means = {table: each for table, each in means.items() if not np.isnan(each).any()}
        if means:
            each = np.array(list(means.values()))
            found[name] = {
                "draws": sum(len(tables[table]) for table in means),
                "sets": {table: values.tolist() for table, values in means.items()},
                "by_budget": dict(zip(budgets, each.mean(axis=0).tolist(), strict=True)),
                "mean": float(each.mean()),
                "median": float(np.median(each.mean(axis=1))),
                "worst": float(each.mean(axis=1).min()),
            }
    return found


def _gain(records: list[Record], budget: int, models: Iterable[str] | None) -> float:
    """Accuracy over the best peer, in points; of some peers or of all."""
    peers = of_kind(records, "peer")
    if models is not None:
        peers = [record for record in peers if record["model"] in models]
    ours = value(of_kind(records, "student"), budget, ACCURACY)
    return 100 * (ours - value(peers, budget, ACCURACY))


def table(found: dict[str, dict[str, Any]], budgets: list[int]) -> str:
    """Gains by table and budget over the one and over the other peers."""
    tiny = [f"{budget / 1024:g} KB" for budget in budgets if budget in TINY]
    header = ["points over the best of"]
    for name in found:
        header += [f"{name}, {tiny[0]}", *tiny[1:], "mean"]
    rows = []
    for each in dict.fromkeys(each for one in found.values() for each in one["sets"]):
        row = [each]
        for one in found.values():
            values = one["sets"].get(each)
            numbers = [] if values is None else [*values, np.mean(values)]
            row += [f"{number:+.1f}" for number in numbers] or [""] * (len(tiny) + 1)
        rows.append(row)
    for label, average in (("**mean**", np.mean), ("**median**", np.median), ("worst", np.min)):
        row = [label]
        for one in found.values():
            values = np.array(list(one["sets"].values()))
            columns = np.column_stack([values, values.mean(axis=1)])
            row += [f"{number:+.2f}" for number in average(columns, axis=0)]
        rows.append(row)
    return markdown(header, rows)


def verdicts(found: dict[str, dict[str, Any]]) -> list[str]:
    """Whether the aims are met, in words."""
    lines = []
    for name, one in found.items():
        for figure, aim in AIMS[name].items():
            holds = "holds" if one[figure] >= aim else "does not hold"
            told = f"{figure} of the tables" if figure != "worst" else "worst table"
            if figure == "worst":
                told += f", {min(one['sets'], key=lambda each: np.mean(one['sets'][each]))}"
            lines.append(
                f"{holds}: over the best of {name} at 1 to 4 KB, {told}: {one[figure]:+.2f} points "
                f"(aim: {aim:+.1f}; {one['draws']} draws)"
            )
    return lines
