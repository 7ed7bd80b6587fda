"""For budget.py: from the records of all candidates to picks, aims and readable tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from _common import markdown

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
TINY, FULL, TEACHER_AT = (1024, 2048, 4096), 16_384, 8192
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
    found: dict[str, list[float]] = {}
    for (name, _), records in draws.items():
        found.setdefault(name, []).append(figure(records))
    return {name: float(np.mean(figures)) for name, figures in found.items()}


def summary(results: dict[str, Any]) -> dict[str, Any]:
    """Means over seeds of the best peer and of ours, the teacher, and what they come to."""
    part = results["main"]
    draws = by_draw(part)
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
        told: dict[str, list[float]] = {}
        for row in part["teachers"]:
            told.setdefault(row[0], []).append(row[i])
        table[name]["teacher"] = {key: float(np.mean(values)) for key, values in told.items()}
    return {**table, "aims": aims(table["accuracy"], draws, part["budgets"], results["tables"])}


def aims(
    accuracy: dict[str, Any], draws: Draws, budgets: list[int], tables: dict[str, Any]
) -> dict[str, Any]:
    """The figures that are aimed at, each where its budgets were measured."""
    found: dict[str, Any] = {}
    columns = [i for i, budget in enumerate(budgets) if budget in TINY]
    gains = _gains(accuracy, columns)
    if gains:
        rest = sorted(gains.values())[:-1]
        perfect = {"student": [accuracy["teacher"]] * len(budgets)}
        ceiling = list(_gains(accuracy | perfect, columns).values())
        found["gain"] = {
            "sets": gains,
            "mean": float(np.mean(list(gains.values()))),
            "median": float(np.median(list(gains.values()))),
            "without_best": float(np.mean(rest)) if rest else None,
            "of_teacher": [float(np.mean(ceiling)), float(np.median(ceiling))],
        }
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


def _gains(accuracy: dict[str, Any], columns: list[int]) -> dict[str, float]:
    """Accuracy over the best peer, averaged over some budgets, for each set."""
    gains = {}
    for name in accuracy["teacher"]:
        each = [accuracy["student"][i][name] - accuracy["peer"][i][name] for i in columns]
        if name != APART and each and not np.isnan(each).any():
            gains[name] = float(np.mean(each))
    return gains


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
        seeds = len({seed for _, seed, *_ in results["main"]["teachers"]})
        parts += [
            _table(f"accuracy, % (seeds: {seeds})", told["accuracy"], budgets, ACCURACY),
            _table("log loss", told["log_loss"], budgets, LOG_LOSS),
            "  \n".join(_verdicts(told["aims"])),
            _recipes(by_draw(results["main"]), budgets),
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
    if "gain" in found:
        gain = found["gain"]
        worst = min(gain["sets"], key=gain["sets"].get)
        mean, median = 100 * gain["mean"], 100 * gain["median"]
        least, rest = 100 * gain["sets"][worst], gain["without_best"]
        without = "" if rest is None else f"; without the best set {100 * rest:+.2f}"
        where = "over the best peer at 1 to 4 KB"
        lines += [
            f"{_holds(mean >= 3)}{where}, mean of the sets: {mean:+.2f} points (aim: +3){without}",
            f"{_holds(median >= 1)}{where}, median of the sets: {median:+.2f} (aim: +1)",
            f"{_holds(least >= -0.3)}{where}, worst set: {worst} {least:+.2f} (aim: −0.3)",
            "a student as good as the teacher at every size would be at a mean of "
            "{:+.2f} and a median of {:+.2f}".format(*(100 * each for each in gain["of_teacher"])),
        ]
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
    error = f" ± {np.std(means, ddof=1) / math.sqrt(len(means)):.{decimals}f}"
    return f"{np.mean(means):+.{decimals}f}{error if len(means) > 1 else ''} ({len(means)})"
