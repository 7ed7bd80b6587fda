"""For budget.py: short tables for the pages of users."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from _budget_draws import ACCURACY, Record, means, of_kind, over_seeds, value
from _budget_gains import complete
from _common import markdown

FAMILIES = ("tree", "boosted", "linear", "net")
SIZE = 2048
SHOWN = (1024, 4096)  # by the headline
SEARCH = Path(__file__).parent / "results" / "search.json"


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
    """Accuracy of one search, of the best recipe and of the best other model, in percent.

    On the draws that search.py has measured, too.
    """
    part, searches = results["main"], searched()
    draws = {
        key: records
        for key, records in complete(part).items()
        if all((*key, budget) in searches for budget in SHOWN)
    }
    rows = []
    for budget in SHOWN:
        figures = {"best other": "peer", "best of our recipes": "student"}
        kinds = {
            label: over_seeds(
                draws, lambda records, k=kind, b=budget: value(of_kind(records, k), b, ACCURACY)
            )
            for label, kind in figures.items()
        }
        kinds["`BudgetSearchCV`"] = means({key: searches[*key, budget] for key in draws})
        for label in ("best other", "`BudgetSearchCV`", "best of our recipes"):
            rows.append(_row(f"{budget // 1024} KB, {label}", kinds[label]))
    taught = {(name, seed): accuracy for name, seed, accuracy, *_ in part["teachers"]}
    rows.append(_row("teacher of our recipes", means({key: taught[key] for key in draws})))
    names = list(dict.fromkeys(name for name, _ in draws))
    seeds = sorted({str(seed) for _, seed in draws})
    title = f"draw{'s' * (len(seeds) > 1)} {', '.join(seeds)}"
    return markdown((title, *names), rows)


def searched() -> dict[tuple[str, int, int], float]:
    """Test accuracy of the searches of search.py: of table, draw and bytes."""
    searches = json.loads(SEARCH.read_text())["searches"]
    return {(each["set"], each["seed"], each["budget"]): each["test"] for each in searches}


def _row(label: str, figures: dict[str, float]) -> tuple[str, ...]:
    return (label, *(f"{100 * figure:.1f}" for figure in figures.values()))
