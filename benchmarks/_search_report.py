"""For search.py: what its searches lose and gain, as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from _common import markdown

DRIFTING = ("occupancy",)  # its test rows are of other weeks: no fold shows how a model drifts
COLUMNS = {
    "lost": "below the best candidate",
    "twin": "above its twin on hard labels",
    "hard": "above the best on hard labels",
    "peer": "above the best peer",
}


def figures(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each search, in points."""
    names = results["fields"]
    found = []
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
        everything = sum(each["seconds"] for each in records) * (search["splits"] + 1)
        found.append(
            {
                "set": search["set"],
                "budget": search["budget"],
                "lost": 100 * (best - search["test"]),
                "twin": 100 * (search["test"] - twins[0]) if twins else np.nan,
                "hard": 100 * (search["test"] - max(tests[True])) if tests[True] else np.nan,
                "peer": _points(search["test"], search["peer"]),
                "seconds": search["seconds"],
                "times": everything / search["seconds"],
            }
        )
    return found


def _points(ours: float, other: float | None) -> float:
    return np.nan if other is None else 100 * (ours - other)


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
    header = ("points", *COLUMNS.values(), "searches", "seconds", "all candidates, times longer")
    return markdown(header, rows)


def _row(label: str, found: list[dict[str, Any]]) -> tuple[str, ...]:
    cells = []
    for name in COLUMNS:
        values = [each[name] for each in found if not np.isnan(each[name])]
        cells.append(f"{np.mean(values):+.2f}" if values else "")
    seconds = f"{np.mean([each['seconds'] for each in found]):.0f}"
    times = f"{np.mean([each['times'] for each in found]):.1f}"
    return (label, *cells, str(len(found)), seconds, times)
