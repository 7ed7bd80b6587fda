"""For budget.py: from the records of all candidates to picks, aims and readable tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from _budget_draws import (
    ACCURACY,
    APART,
    LOG_LOSS,
    Draws,
    Record,
    by_draw,
    means,
    of_kind,
    over_seeds,
    picked,
    value,
)
from _budget_gains import TINY, complete, gains, verdicts
from _budget_gains import table as table_of_gains
from _common import markdown

FULL, TEACHER_AT = 16_384, 8192


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """Means over seeds of the best peer and of ours, the teacher, and what they come to.

    Draws on which only some students or kinds of peers are measured are left out.
    """
    part = results["main"]
    draws = complete(part)
    table: dict[str, Any] = {}
    for name, measure in (("accuracy", ACCURACY), ("log_loss", LOG_LOSS)):
        for kind in ("peer", "student"):
            table.setdefault(name, {})[kind] = [
                over_seeds(
                    draws, lambda records, k=kind, b=b, m=measure: value(of_kind(records, k), b, m)
                )
                for b in part["budgets"]
            ]
    for i, name in ((2, "accuracy"), (3, "log_loss")):
        told = {(row[0], row[1]): row[i] for row in part["teachers"]}
        table[name]["teacher"] = means({key: told[key] for key in told if key in draws})
    found = aims(table["accuracy"], draws, part["budgets"], results["tables"])
    return {**table, "gains": gains(part), "aims": found}


def aims(
    accuracy: dict[str, Any], draws: Draws, budgets: list[int], tables: dict[str, Any]
) -> dict[str, Any]:
    """The other figures that are aimed at, each where its budgets were measured."""
    found: dict[str, Any] = {}
    columns = [i for i, budget in enumerate(budgets) if budget in TINY]
    perfect = _over_peers(accuracy | {"student": [accuracy["teacher"]] * len(budgets)}, columns)
    if perfect:
        found["of_teacher"] = [float(np.mean(perfect)), float(np.median(perfect))]
    if FULL in budgets:
        ratios: dict[str, list[list[float]]] = {}
        for (name, _), records in draws.items():
            if name != APART:
                ratios.setdefault(name, []).append(bytes_saved(records))
        medians = {name: np.median(each, axis=0).tolist() for name, each in ratios.items()}
        found["times_fewer_bytes"] = medians
    if TEACHER_AT in budgets:
        ours = accuracy["student"][budgets.index(TEACHER_AT)]
        found["below_teacher"] = {
            name: accuracy["teacher"][name] - ours[name] for name in ours if name != APART
        }
    seconds: dict[str, float] = {}
    for (name, _), records in draws.items():
        for record in of_kind(records, "student"):
            if record["budget"] == 4096:
                seconds[name] = max(seconds.get(name, 0.0), record["seconds"])
    most = max((tables[name]["rows"] for name in seconds), default=0)
    found["seconds"] = {
        name: told for name, told in seconds.items() if tables[name]["rows"] == most
    }
    return found


def _over_peers(accuracy: dict[str, Any], columns: list[int]) -> list[float]:
    """Accuracy over the best peer, averaged over some budgets, of each table."""
    found = []
    for name in accuracy["teacher"]:
        each = [accuracy["student"][i][name] - accuracy["peer"][i][name] for i in columns]
        if name != APART and each and not np.isnan(each).any():
            found.append(float(np.mean(each)))
    return found


def bytes_saved(records: list[Record]) -> list[float]:
    """How many times fewer bytes ours need for the accuracy that the best peer has at 16 KB.

    The first is against 16 KB, the second against the fewest bytes at which a peer picked by
    the same rule is as good. 0 where ours never are.
    """
    goal = value(of_kind(records, "peer"), FULL, ACCURACY)
    needs = []
    for kind in ("student", "peer"):
        mine = of_kind(records, kind)
        sizes = sorted({record["bytes"] for record in mine if record["bytes"] <= FULL})
        needs.append(next((b for b in sizes if value(mine, b, ACCURACY) >= goal), math.inf))
    return [FULL / needs[0], needs[1] / needs[0]]


def report(results: dict[str, Any]) -> str:
    parts = []
    if results["main"]["records"]:
        told = summary(results)
        budgets = results["main"]["budgets"]
        found, draws = told["gains"], complete(results["main"])
        seeds = len({seed for _, seed in draws})
        parts += [
            *([table_of_gains(found, budgets), "  \n".join(verdicts(found))] if found else []),
            _table(f"accuracy, % (seeds: {seeds})", told["accuracy"], budgets, ACCURACY),
            _table("log loss", told["log_loss"], budgets, LOG_LOSS),
            "  \n".join(_verdicts(told["aims"])),
            _peers(draws, budgets),
            _recipes(draws, budgets),
        ]
    if results["ablation"]["records"]:
        parts.append(_ablation(results["ablation"]))
    return "\n\n".join(parts)


def _kilobytes(budget: int) -> str:
    return f"{budget / 1024:g} KB"


def _table(label: str, told: dict[str, Any], budgets: list[int], measure: tuple[Any, ...]) -> str:
    """Best peer and our change, set by set."""
    _, _, _, unit, decimals = measure
    rows, changes = [], {}
    names = sorted(told["teacher"], key=lambda name: name == APART)
    for name in names:
        cells = []
        for peer, ours in zip(told["peer"], told["student"], strict=True):
            change = unit * (ours[name] - peer[name])
            changes.setdefault(name, []).append(change)
            cells.append(f"{unit * peer[name]:.{decimals}f} {change:+.{decimals}f}")
        rows.append((name, *cells, f"{unit * told['teacher'][name]:.{decimals}f}"))
    counted = np.array([changes[name] for name in names if name != APART]).reshape(-1, len(budgets))
    means = []
    for name, average in (("mean", np.mean), ("median", np.median)):
        columns = [column[~np.isnan(column)] for column in counted.T]
        cells = [f"{average(column):+.{decimals}f}" if len(column) else "" for column in columns]
        means.append((f"**{name}**", *cells, ""))
    at = len([name for name in names if name != APART])
    header = (label, *map(_kilobytes, budgets), "teacher")
    return markdown(header, [*rows[:at], *means, *rows[at:]])


def _verdicts(found: dict[str, Any]) -> list[str]:
    """Whether the aims are met, in words."""
    lines = []
    if "of_teacher" in found:
        lines.append(
            "a student as good as the teacher at every size would be over the best peer by "
            "{:+.2f} points on average, {:+.2f} in the median".format(
                *(100 * each for each in found["of_teacher"])
            )
        )
    if found.get("times_fewer_bytes"):
        saved = list(found["times_fewer_bytes"].values())
        to_full, to_peer = np.median(saved, axis=0)
        never = sum(first == 0 for first, _ in saved)
        lines.append(
            f"{_holds(to_full >= 8)}for the accuracy of the best peer at 16 KB, median of the "
            f"sets: {to_full:.1f} times fewer bytes than 16 KB (aim: 8), {to_peer:.1f} times fewer "
            f"than a peer needs for it; not reached on {never} of {len(saved)} sets"
        )
    if found.get("below_teacher"):
        below = found["below_teacher"].values()
        near = sum(gap <= 0.01 for gap in below)
        lines.append(
            _holds(2 * near >= len(below))
            + f"at 8 KB within a point of the teacher on {near} of {len(below)} sets (aim: half)"
        )
    if found["seconds"]:
        name = max(found["seconds"], key=found["seconds"].get)
        most = found["seconds"][name]
        lines.append(
            _holds(most < 30)
            + f"a 4 KB student takes {most:.1f} s at most on a set of most rows, on one core "
            f"({name}; aim: 30)"
        )
    return lines


def _holds(true: bool) -> str:
    return "holds: " if true else "does not hold: "


def _peers(draws: Draws, budgets: list[int]) -> str:
    """Each peer alone: its mean points over the others' best, and how often it is the best."""
    counted = {key: of_kind(records, "peer") for key, records in draws.items() if key[0] != APART}
    rows = []
    for name in dict.fromkeys(r["model"] for records in counted.values() for r in records):
        cells = []
        for budget in budgets:
            points, times = [], 0
            for records in counted.values():
                mine = value([r for r in records if r["model"] == name], budget, ACCURACY)
                others = value([r for r in records if r["model"] != name], budget, ACCURACY)
                points.append(100 * (mine - others))
                best = picked(records, budget, *ACCURACY[1:3])
                times += best is not None and best["model"] == name
            known = [each for each in points if not math.isnan(each)]
            cells.append(f"{np.mean(known):+.1f} ({len(known)}, {times})" if known else "")
        rows.append((name, *cells))
    return markdown(("peer over the others (draws, best)", *map(_kilobytes, budgets)), rows)


def _recipes(draws: Draws, budgets: list[int]) -> str:
    """Each recipe alone: its mean points over the best peer, and how often it is picked."""
    counted = {key: records for key, records in draws.items() if key[0] != APART}
    names = dict.fromkeys(r["model"] for rs in draws.values() for r in of_kind(rs, "student"))
    rows = []
    for name in names:
        cells = []
        for budget in budgets:
            points, times = [], 0
            for records in counted.values():
                mine = [r for r in of_kind(records, "student") if r["model"] == name]
                peer = value(of_kind(records, "peer"), budget, ACCURACY)
                points.append(100 * (value(mine, budget, ACCURACY) - peer))
                best = picked(of_kind(records, "student"), budget, *ACCURACY[1:3])
                times += best is not None and best["model"] == name
            known = [each for each in points if not math.isnan(each)]
            cells.append(f"{np.mean(known):+.1f} ({len(known)}, {times})" if known else "")
        rows.append((name, *cells))
    return markdown(("alone (draws, picked)", *map(_kilobytes, budgets)), rows)


def _ablation(part: dict[str, Any]) -> str:
    """What a change of one ingredient does: mean over the sets and its standard error."""
    figures: dict[tuple[str, int], dict[str, dict[int, Record]]] = {}
    for key, records in by_draw(part).items():
        for record in records:
            figures.setdefault(key, {}).setdefault(record["model"], {})[record["budget"]] = record
    names = dict.fromkeys(name for models in figures.values() for name in models)
    rows = []
    for name in names:
        if name == "base":
            continue
        cells = [_effect(figures, name, [b], "test", 100, 2) for b in part["budgets"]]
        cells.append(_effect(figures, name, part["budgets"], "test", 100, 2))
        cells.append(_effect(figures, name, part["budgets"], "test_log_loss", 1, 3))
        rows.append((name, *cells))
    columns = (f"{_kilobytes(budget)}, points" for budget in part["budgets"])
    return markdown(("one ingredient changed", *columns, "mean, points", "log loss"), rows)


def _effect(
    figures: dict[tuple[str, int], dict[str, dict[int, Record]]],
    name: str,
    budgets: list[int],
    column: str,
    unit: float,
    decimals: int,
) -> str:
    changes: dict[str, list[float]] = {}
    for (table, _), models in figures.items():
        base, other = models.get("base", {}), models.get(name, {})
        both = [budget for budget in budgets if budget in base and budget in other]
        if both and table != APART:
            change = [other[budget][column] - base[budget][column] for budget in both]
            changes.setdefault(table, []).append(unit * float(np.mean(change)))
    means = [float(np.mean(each)) for each in changes.values()]
    if not means:
        return ""
    error = ""
    if len(means) > 1:
        error = f" ± {np.std(means, ddof=1) / math.sqrt(len(means)):.{decimals}f}"
    return f"{np.mean(means):+.{decimals}f}{error} ({len(means)})"
