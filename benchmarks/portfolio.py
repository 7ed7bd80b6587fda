"""What a portfolio of few recipes loses on a table that it was not chosen on.

From the records of budget.py: nothing is fitted here. A portfolio has the best recipe of each
family, and then the recipes that add most to it; it is chosen anew for each table, on the other
tables with as many classes, two or several. What is picked of it on the rows to pick on is
compared with the best of all recipes on the test rows.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _budget_draws import APART, Record, by_draw, of_kind
from _budget_gains import TINY
from _common import markdown, options, save

RESULTS = Path(__file__).parent / "results" / "budget.json"
FAMILIES = ("boosted", "linear", "net", "tree", "pruned")
SIZES = (5, 6, 7, 8, 9)
SIZE = 7  # of the package's portfolio
NOTHING_FITS = 5.0  # points that a portfolio loses where nothing of it fits
TOO_SLOW = ("net, MUNGE",)  # on synthetic rows a net takes about ten times as long
Rule = Callable[[list[Record], int], Record]
Problem = tuple[str, int, int]  # table, draw, budget


class Records(NamedTuple):
    """Students by problem and recipe, the largest that fits; what is known of their tables.

    Recipes for a portfolio are on soft labels and were tried at all budgets. `families` are theirs.
    """

    students: dict[Problem, dict[str, Record]]
    rows: dict[str, int]
    two_classes: dict[str, bool]
    families: dict[str, str]

    @property
    def tables(self) -> list[str]:
        return sorted({table for table, _, _ in self.students})

    def like(self, table: str) -> list[Problem]:
        """Problems of other tables with as many classes, two or several."""
        two = self.two_classes
        return [key for key in self.students if key[0] != table and two[key[0]] == two[table]]


def read(results: dict[str, Any]) -> Records:
    """The draws on which all recipes are measured that are measured on any."""
    part = results["main"]
    names = {each["name"] for each in part["recipes"]}
    measured = {(name, seed): set(found) for name, seed, *found in part["measured"]}
    most = {each for found in measured.values() for each in found} & names
    students: dict[Problem, dict[str, Record]] = {}
    for (table, seed), records in by_draw(part).items():
        if table == APART or not most <= measured.get((table, seed), set()):
            continue
        for budget in TINY:
            largest: dict[str, Record] = {}
            for record in of_kind(records, "student"):
                name = record["model"]
                if record["bytes"] <= budget:
                    largest[name] = max(largest.get(name, record), record, key=_size)
            students[table, seed, budget] = largest
    families = {
        each["name"]: _family(each)
        for each in part["recipes"]
        if each["labels"] != "hard"
        and set(TINY) <= set(each["budgets"])
        and each["name"] not in TOO_SLOW
    }
    rows = {name: table["rows"] for name, table in results["tables"].items()}
    two = {name: table["classes"] == 2 for name, table in results["tables"].items()}
    return Records(students, rows, two, families)


def _size(record: Record) -> int:
    return int(record["bytes"])


def _family(recipe: dict[str, Any]) -> str:
    return "pruned" if recipe["large"] > 0 else str(recipe["family"])


def standard_error(record: Record, n_rows: int) -> float:
    """Of the accuracy on `n_rows` rows."""
    return math.sqrt(record["pick"] * (1 - record["pick"]) / n_rows)


def within_errors(errors: float) -> Rule:
    """The least log loss of what is within so many standard errors of the best accuracy."""

    def rule(records: list[Record], n_rows: int) -> Record:
        best = max(records, key=lambda record: record["pick"])
        least = best["pick"] - errors * standard_error(best, n_rows)
        return min((r for r in records if r["pick"] >= least), key=lambda r: r["pick_log_loss"])

    return rule


def mixed(weight: float) -> Rule:
    return lambda records, _: max(records, key=lambda r: r["pick"] - weight * r["pick_log_loss"])


RULES: dict[str, Rule] = {
    "accuracy": lambda records, _: max(records, key=lambda r: r["pick"]),
    "log loss": lambda records, _: min(records, key=lambda r: r["pick_log_loss"]),
    "accuracy - 0.1 log loss": mixed(0.1),
    "accuracy - 0.5 log loss": mixed(0.5),
    "log loss within 0.5 standard errors of accuracy": within_errors(0.5),
    "log loss within 1 standard error of accuracy": within_errors(1.0),
}


def lost(records: Records, problem: Problem, names: list[str], rule: Rule | None) -> float:
    """Points that the pick is below the best of all on the test rows.

    Without a rule, the best of the portfolio on the test rows is picked.
    """
    students = records.students[problem]
    portfolio = [students[name] for name in names if name in students]
    if not portfolio:
        return NOTHING_FITS
    best = max(record["test"] for record in students.values())
    if rule is None:
        return 100 * (best - max(record["test"] for record in portfolio))
    return 100 * (best - rule(portfolio, records.rows[problem[0]] // 4)["test"])


def choose(records: Records, problems: list[Problem], size: int) -> list[str]:
    """The best recipe of each family, then those that add most."""
    tried = {name for key in problems for name in records.students[key]}
    names = sorted(tried & set(records.families))
    chosen: list[str] = []
    while len(chosen) < size:
        pool = [name for name in names if name not in chosen]
        if len(chosen) < len(FAMILIES):
            pool = [name for name in pool if records.families[name] == FAMILIES[len(chosen)]]
        if not pool:
            break
        losses = {name: _mean(records, problems, [*chosen, name], None) for name in pool}
        chosen.append(min(losses, key=lambda name: losses[name]))
    return chosen


def _mean(records: Records, problems: list[Problem], names: list[str], rule: Rule | None) -> float:
    return float(np.mean([lost(records, key, names, rule) for key in problems]))


def measure(records: Records) -> dict[str, Any]:
    """Losses by size, rule and table, each table left out; and what is chosen on all."""
    losses: dict[str, dict[str, dict[str, float]]] = {}
    for size in SIZES:
        for table in records.tables:
            names = choose(records, records.like(table), size)
            problems = [key for key in records.students if key[0] == table]
            for rule in RULES:
                found = losses.setdefault(str(size), {}).setdefault(rule, {})
                found[table] = _mean(records, problems, names, RULES[rule])
    everything = sorted({name for found in records.students.values() for name in found})
    return {
        "draws": len({key[:2] for key in records.students}),
        "losses": losses,
        "of all recipes": {
            rule: {
                table: _mean(
                    records,
                    [key for key in records.students if key[0] == table],
                    everything,
                    RULES[rule],
                )
                for table in records.tables
            }
            for rule in RULES
        },
        "chosen": {
            label: choose(
                records,
                [key for key in records.students if records.two_classes[key[0]] == two],
                SIZE,
            )
            for label, two in (("two classes", True), ("several classes", False))
        },
    }


def report(results: dict[str, Any]) -> str:
    losses, everything = results["losses"], results["of all recipes"]
    tables = list(everything["accuracy"])
    rules = [
        (rule, *(f"{_average(losses[size][rule]):.2f}" for size in losses), f"{_average(all_):.2f}")
        for rule, all_ in everything.items()
    ]
    chosen = losses[str(SIZE)]["accuracy"]
    by_table = [
        (table, f"{chosen[table]:.2f}", f"{everything['accuracy'][table]:.2f}") for table in tables
    ]
    mean = ("**mean**", f"{_average(chosen):.2f}", f"{_average(everything['accuracy']):.2f}")
    names = [f"{label}: {'; '.join(found)}" for label, found in results["chosen"].items()]
    return "\n\n".join(
        [
            markdown(("points lost, picked by", *losses, "all recipes"), rules),
            markdown(
                ("points lost, table left out", f"{SIZE} recipes", "all recipes"), [*by_table, mean]
            ),
            "  \n".join(names),
        ]
    )


def _average(losses: dict[str, float]) -> float:
    return float(np.mean(list(losses.values())))


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument(
        "--records",
        type=Path,
        metavar="FILE",
        default=RESULTS,
        help="what budget.py has written (default: %(default)s)",
    )
    return parser.parse_args()


def main() -> None:
    args = parse()
    results = measure(read(json.loads(args.records.read_text())))
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
