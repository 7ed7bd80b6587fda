"""For budget.py: short tables for the pages of users."""

from __future__ import annotations

from typing import Any

from _budget_draws import ACCURACY, Record, of_kind, over_seeds, value
from _budget_gains import complete
from _budget_report import summary
from _common import markdown

FAMILIES = ("tree", "boosted", "linear", "net")
SIZE = 2048
SHOWN = (1024, 4096)  # by the headline


def families(results: dict[str, Any]) -> str:
    """Accuracy of each family's pick at 2 KB with its code, in percent."""
    part = results["main"]
    family = {recipe["name"]: recipe["family"] for recipe in part["recipes"]}
    draws = complete(part, peers=False)

    def accuracy(records: list[Record], name: str) -> float:
        mine = [each for each in of_kind(records, "student") if family[each["model"]] == name]
        return 100 * value(mine, SIZE, ACCURACY)

    columns = [over_seeds(draws, lambda records, n=name: accuracy(records, n)) for name in FAMILIES]
    rows = []
    for table in columns[0]:
        figures = [column[table] for column in columns]
        best = max(figure for figure in figures if figure == figure)
        cells = [
            "" if figure != figure else f"**{figure:.1f}**" if figure == best else f"{figure:.1f}"
            for figure in figures
        ]
        seeds = ", ".join(str(seed) for name, seed in sorted(draws) if name == table)
        rows.append((table, seeds, *cells))
    return markdown(("table", "draws", *FAMILIES), rows)


def headline(results: dict[str, Any]) -> str:
    """Accuracy of ours and of the best other model in percent, and of the teacher."""
    budgets, told = results["main"]["budgets"], summary(results)["accuracy"]
    names = list(told["teacher"])
    rows = []
    for budget in SHOWN:
        for kind, label in (("peer", "best other"), ("student", "skdistill")):
            figures = told[kind][budgets.index(budget)]
            cells = [f"{100 * figures[name]:.1f}" for name in names]
            rows.append((f"{budget // 1024} KB, {label}", *cells))
    rows.append(("teacher", *(f"{100 * told['teacher'][name]:.1f}" for name in names)))
    return markdown(("", *names), rows)
