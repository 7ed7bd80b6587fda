"""For budget.py: mean accuracy against bytes as a picture that is read in light and dark."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _budget_draws import ACCURACY, APART, Draws, Record, of_kind, over_seeds, value
from _budget_gains import complete

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 52, 196, 40, 44  # the labels of the lines stand on the right
LINE = 15  # height of a line of text
STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de } text { fill: #1f2328; font: 13px system-ui, sans-serif }
  .grid { stroke: #e4e8ec } .tick { fill: #57606a; font-size: 12px } .title { font-weight: 600 }
  polyline { fill: none; stroke-width: 1.6 } .best { stroke-width: 3.5 }
  .ours { stroke: #0a58ca } .other { stroke: #9a3412; stroke-dasharray: 5 3 }
  text.ours { fill: #0a58ca; stroke: none } text.other { fill: #9a3412; stroke: none }
  text.best { font-weight: 700 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14181e; stroke: #3d444d } text { fill: #e6edf3 } .grid { stroke: #2c333b }
    .tick { fill: #9da7b3 } .ours { stroke: #79b8ff } .other { stroke: #ffab70 }
    text.ours { fill: #79b8ff } text.other { fill: #ffab70 }
  }
"""


class Line(NamedTuple):
    """Accuracy by budget of a group of models."""

    label: str
    style: str
    points: list[tuple[int, float]]


def lines(part: dict[str, Any]) -> list[Line]:
    """Mean accuracy over the tables of what each group would pick, where it fits on all of them."""
    family = {recipe["name"]: recipe["family"] for recipe in part["recipes"]}
    draws = {key: rows for key, rows in complete(part).items() if key[0] != APART}
    ours = {
        "skdistill, all students": ("ours best", set(family)),
        "skdistill nets": ("ours", {name for name in family if family[name] == "net"}),
        "skdistill boosted trees": ("ours", {n for n in family if family[n] == "boosted"}),
        "skdistill single trees": ("ours", {n for n in family if family[n] == "tree"}),
    }
    others = {
        "nets on hard labels": {"net"},
        "ProtoNN": {"ProtoNN"},
        "Bonsai": {"Bonsai"},
        "LightGBM": {"lightgbm", "lightgbm, cegb"},
        "forests as emlearn's": {"emlearn"},
        "logistic regression": {"linear"},
    }
    found = [
        Line(label, style, _points(draws, part["budgets"], "student", names))
        for label, (style, names) in ours.items()
    ]
    found += [
        Line(label, "other", _points(draws, part["budgets"], "peer", names))
        for label, names in others.items()
    ]
    return found


def _points(
    draws: Draws, budgets: list[int], kind: str, models: set[str]
) -> list[tuple[int, float]]:
    def accuracy(records: list[Record], budget: int) -> float:
        mine = [each for each in of_kind(records, kind) if each["model"] in models]
        return 100 * value(mine, budget, ACCURACY)

    points = []
    for budget in budgets:
        mean = np.mean([*over_seeds(draws, lambda rs, b=budget: accuracy(rs, b)).values()])
        if not math.isnan(mean):
            points.append((budget, float(mean)))
    return points


def picture(results: dict[str, Any]) -> str:
    """The lines as SVG."""
    part = results["main"]
    drawn = [line for line in lines(part) if line.points]
    budgets = part["budgets"]
    values = [accuracy for line in drawn for _, accuracy in line.points]
    low, high = 2 * math.floor(min(values) / 2), 2 * math.ceil(max(values) / 2)
    n_tables = len({name for name, _ in complete(part) if name != APART})

    def x(budget: float) -> float:
        span = math.log2(budgets[-1] / budgets[0])
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log2(budget / budgets[0]) / span

    def y(accuracy: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (accuracy - low) / (high - low)

    title = f"Mean test accuracy of {n_tables} tables by bytes of tables and code, %"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'width="{WIDTH}" height="{HEIGHT}" aria-label="{title}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        f'<text class="title" x="{LEFT}" y="24">{title}</text>',
    ]
    for tick in range(low, high + 1, 2):
        parts += [
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" '
            f'y2="{y(tick):.1f}"/>',
            f'<text class="tick" x="{LEFT - 8}" y="{y(tick) + 4:.1f}" '
            f'text-anchor="end">{tick}</text>',
        ]
    for budget in budgets:
        label = f"{budget / 1024:g} KB"
        parts.append(
            f'<text class="tick" x="{x(budget):.1f}" y="{HEIGHT - BOTTOM + 20}" '
            f'text-anchor="middle">{label}</text>'
        )
    for line in reversed(drawn):  # ours on top
        dots = " ".join(f"{x(budget):.1f},{y(accuracy):.1f}" for budget, accuracy in line.points)
        parts.append(f'<polyline class="{line.style}" points="{dots}"/>')
    ends = _apart([y(line.points[-1][1]) for line in drawn])
    for line, end in zip(drawn, ends, strict=True):
        parts.append(
            f'<text class="{line.style}" x="{WIDTH - RIGHT + 8}" y="{end + 4:.1f}">'
            f"{line.label}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _apart(heights: list[float]) -> list[float]:
    """Heights of labels, moved as little as is needed to be a line apart."""
    order = np.argsort(heights)
    placed = np.array(heights)[order]
    for _ in range(200):
        close = np.flatnonzero(np.diff(placed) < LINE - 1e-6)
        for i in close:
            middle = (placed[i] + placed[i + 1]) / 2
            placed[i], placed[i + 1] = middle - LINE / 2, middle + LINE / 2
    found = np.empty(len(heights))
    found[order] = placed
    return found.tolist()


def write(results: dict[str, Any], path: Path) -> None:
    """Write the picture; the file is whole or not there."""
    partial = path.with_suffix(".partial")
    partial.write_text(picture(results))
    partial.replace(path)
