"""For search.py: what its searches lose and gain, as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from _budget_draws import ACCURACY, Record, by_draw, of_kind, value
from _common import markdown

BUDGET = Path(__file__).parent / "results" / "budget.json"

DRIFTING = ("occupancy",)  # its test rows are of other weeks: no fold shows how a model drifts
COLUMNS = {
    "lost": "below the best candidate",
    "recipes": "below the best recipe",
    "twin": "above its twin on hard labels",
    "hard": "above the best on hard labels",
    "peer": "above the best peer",
}
SECONDS = {
    "seconds": "seconds",
    "times": "all candidates, times longer",
    "recipe_times": "all recipes, times longer",
}


def figures(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each search, in points."""
    names, found = results["fields"], []
    draws = by_draw(json.loads(BUDGET.read_text())["main"])
    for search in results["searches"]:
        key = [search["set"], search["seed"], search["budget"]]
        records = [
            dict(zip(names, each, strict=True)) for each in results["records"] if each[:3] == key
        ]
        fitted = [each for each in records if each["test"] is not None]
        tests = {
            hard: [each["test"] for each in fitted if each["hard"] == hard]
            for hard in (False, True)
        }
        best = max(each["test"] for each in fitted)
        twin = search["picked"].rsplit(" on ", 1)[0] + " on hard labels"
        twins = [each["test"] for each in fitted if each["candidate"] == twin]
        n_fits = search["splits"] + 1
        everything = sum(each["seconds"] for each in records) * n_fits
        others = draws.get((search["set"], search["seed"]), [])
        best_recipe, recipe_seconds = recipes(of_kind(others, "student"), search["budget"])
        best_peer = value(of_kind(others, "peer"), search["budget"], ACCURACY)
        found.append(
            {
                "set": search["set"],
                "budget": search["budget"],
                "lost": 100 * (best - search["test"]),
                "recipes": 100 * (best_recipe - search["test"]),
                "twin": 100 * (search["test"] - twins[0]) if twins else np.nan,
                "hard": 100 * (search["test"] - max(tests[True])) if tests[True] else np.nan,
                "peer": 100 * (search["test"] - best_peer),
                "seconds": search["seconds"],
                "times": everything / search["seconds"],
                "recipe_times": 2 * recipe_seconds * n_fits / search["seconds"],
            }
        )
    return found


def recipes(students: list[Record], budget: int) -> tuple[float, float]:
    """Test accuracy of the best student of budget.py, and the seconds of all of that many bytes."""
    tests = [each["test"] for each in students if each["bytes"] <= budget]
    seconds = [each["seconds"] for each in students if each["budget"] == budget]
    return (max(tests), sum(seconds)) if tests and seconds else (np.nan, np.nan)


def report(results: dict[str, Any]) -> str:
    """By table, the mean over draws and budgets, and by budget."""
    found = figures(results)
    rows = []
    for key, label in (("set", "{}"), ("budget", "{} B")):
        for each in dict.fromkeys(one[key] for one in found):
            rows.append(_row(label.format(each), [one for one in found if one[key] == each]))
    rows.append(_row("**mean**", found))
    steady = [one for one in found if one["set"] not in DRIFTING]
    if len(steady) < len(found):
        rows.append(_row(f"**mean without {', '.join(DRIFTING)}**", steady))
    header = ("points", *COLUMNS.values(), "searches", *SECONDS.values())
    return markdown(header, rows)


def _row(label: str, found: list[dict[str, Any]]) -> tuple[str, ...]:
    points = [_mean(found, name, "+.2f") for name in COLUMNS]
    seconds = [_mean(found, name, ".0f" if name == "seconds" else ".1f") for name in SECONDS]
    return (label, *points, str(len(found)), *seconds)


def _mean(found: list[dict[str, Any]], name: str, form: str) -> str:
    """Of the searches that have the figure; nothing where none has."""
    values = [each[name] for each in found if not np.isnan(each[name])]
    return f"{np.mean(values):{form}}" if values else ""
