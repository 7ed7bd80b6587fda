"""For budget.py: the file of results, and what it lacks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from _budget_draws import FIELDS
from _recipes import Recipe

PEERS = "peers: "  # before a kind of peer, in the names of what is measured


class Unmeasured(NamedTuple):
    """What is not measured on a draw."""

    name: str
    seed: int
    recipes: list[Recipe]
    kinds: list[str]
    teacher: bool

    @property
    def names(self) -> list[str]:
        return [*dict.fromkeys(each.name for each in self.recipes), *map(PEERS.__add__, self.kinds)]


def begin(args: argparse.Namespace, recipes: Iterable[Recipe]) -> dict[str, Any]:
    """Empty results, or those to go on with. What is not measured now stays as it is.

    `recipes` are all that there are, also where only some are measured. Students of those that
    have changed, or are no more, are left out.
    """
    kept: dict[str, Any] = {}
    mine, other = ("ablation", "main") if args.ablate else ("main", "ablation")
    if args.output is not None and args.output.exists():
        kept = json.loads(args.output.read_text())
        kept = {part: kept[part] for part in ("tables", other, *[mine] * args.resume)}

    def empty() -> dict[str, Any]:
        lists = {name: [] for name in ("teachers", "recipes", "measured", "records")}
        return {"budgets": list(args.budgets), **lists}

    results = {"fields": FIELDS, "tables": {}, "main": empty(), "ablation": empty()} | kept
    part = results[mine]
    if part["budgets"] != list(args.budgets):
        raise SystemExit(f"{args.output} has the budgets {part['budgets']}: give the same")
    now = json.loads(json.dumps([asdict(recipe) for recipe in recipes]))
    before, after = _by_name(part["recipes"]), _by_name(now)
    dropped = {name for name in before if before[name] != after.get(name)}
    if dropped:
        print(f"changed since, left out: {', '.join(sorted(dropped))}")
    kind, model = FIELDS.index("kind"), FIELDS.index("model")
    part["records"] = [r for r in part["records"] if r[kind] == "peer" or r[model] not in dropped]
    part["measured"] = [[each for each in m if each not in dropped] for m in part["measured"]]
    part["recipes"] = now
    return results


def _by_name(recipes: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in recipes:
        found.setdefault(each["name"], []).append(each)
    return found


def unmeasured(
    part: dict[str, Any],
    draws: Iterable[tuple[str, int]],
    recipes: Iterable[Recipe],
    kinds: Iterable[str],
) -> list[Unmeasured]:
    """What is to be measured, draw by draw."""
    measured = {(name, seed): set(names) for name, seed, *names in part["measured"]}
    found = []
    for draw in draws:
        names = measured.get(draw, set())
        lacking = Unmeasured(
            *draw,
            [recipe for recipe in recipes if recipe.name not in names],
            [kind for kind in kinds if PEERS + kind not in names],
            draw not in {(name, seed) for name, seed, *_ in part["teachers"]},
        )
        if lacking.names:
            found.append(lacking)
    return found


def add(part: dict[str, Any], one: dict[str, Any], lacking: Unmeasured) -> None:
    """Put what was measured on a draw into the results."""
    part["teachers"] += [one["teacher"]] if lacking.teacher else []
    part["records"] += one["records"]
    for entry in part["measured"]:
        if entry[:2] == [lacking.name, lacking.seed]:
            entry += lacking.names
            return
    part["measured"].append([lacking.name, lacking.seed, *lacking.names])
