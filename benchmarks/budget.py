"""The most accuracy a kilobyte can hold: students of this package and peers at equal bytes.

Peers learn from hard labels and are counted in their own bytes; ours are `nbytes` + 80 B of
code. At a budget everything of that size or less may be picked, by the accuracy (for log losses
by the log loss) on 20 % of the training rows, which neither students nor teacher have seen.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import joblib
import numba
from _budget_report import FIELDS, report, summary
from _common import add_data_option, options, save
from _draws import draw, measures, teacher_labels
from _peers import peers
from _recipes import BASE, RECIPES, VARIANTS, Recipe, students
from threadpoolctl import threadpool_limits
from tqdm import tqdm

# Small ones first. gas_drift is split at random, gas_drift_time as it comes, by time.
TABLES = (
    "waveform21",
    "satimage",
    "gas_drift",
    "gas_drift_time",
    "dry_bean",
    "magic",
    "electricity",
    "bank_marketing",
    "adult",
    "letter",
    "covtype_93k",
)
SHIPPED = ("wine", "breast_cancer", "digits")  # where there is no directory of tables
BUDGETS = (512, 1024, 2048, 4096, 8192, 16384)
ABLATED = (1024, 2048, 4096)
SEEDS = 5
QUICK = ("tree", "linear 4", "8 leaves")

__all__ = ["report"]  # of the results, for the README


def measure(
    name: str, seed: int, recipes: tuple[Recipe, ...], budgets: tuple[int, ...], args: Any
) -> dict[str, Any]:
    """All candidates on one draw of one table."""
    started = time.perf_counter()
    numba.set_num_threads(1)
    with threadpool_limits(1):
        given = draw(name, seed, args.data)
        taught = teacher_labels(given, args.cache, args.quick)
        records = [] if args.ablate else _worth_keeping(peers(given, args.cache), budgets)
        if not args.prepare:
            for recipe in recipes:
                if recipe.suits(given.n_classes):
                    found = students(recipe, given, taught, budgets)
                    records += [record | {"kind": "student"} for record in found]
    accuracy, log_loss = measures(taught.test, given.y_test)
    return {
        "set": name,
        "seed": seed,
        "table": {
            "rows": len(given.X_fit),
            "columns": given.X_fit.shape[1],
            "classes": given.n_classes,
        },
        "teacher": [name, seed, accuracy, log_loss, float(taught.seconds)],
        "records": [
            [name, seed, *(_short(record.get(key)) for key in FIELDS[2:])] for record in records
        ],
        "seconds": time.perf_counter() - started,
    }


def _short(figure: Any) -> Any:
    return round(figure, 5) if isinstance(figure, float) else figure


def _worth_keeping(found: list[dict[str, Any]], budgets: tuple[int, ...]) -> list[dict[str, Any]]:
    """Candidates of each peer that are picked at some size, by accuracy or by log loss."""
    found = [one for one in found if one["bytes"] <= max(budgets)]
    kept: dict[int, dict[str, Any]] = {}
    for model in ("emlearn", "lightgbm", "linear"):
        mine = [i for i, one in enumerate(found) if one["model"] == model]
        for size in {found[i]["bytes"] for i in mine}:
            fit = [i for i in mine if found[i]["bytes"] <= size]
            for best in (
                max(fit, key=lambda i: found[i]["pick"]),
                min(fit, key=lambda i: found[i]["pick_log_loss"]),
            ):
                budget = min(each for each in budgets if each >= found[best]["bytes"])
                kept[best] = found[best] | {"budget": budget, "kind": "peer"}
    return [kept[i] for i in sorted(kept)]


def variants() -> list[Recipe]:
    """BASE, and BASE with one ingredient changed; what changes nothing is left out."""
    found = [base.given(budgets=ABLATED) for base in BASE]
    for name, changes in VARIANTS.items():
        changed = [base.given(name=name, budgets=ABLATED, **changes) for base in BASE]
        unknown = set().union(*(recipe.unknown() for recipe in changed))
        if unknown:
            print(f"{name}: left out, students have no parameter {', '.join(sorted(unknown))}")
            continue
        for recipe, base in zip(changed, BASE, strict=True):
            if recipe.given(name=base.name, budgets=base.budgets) != base:
                found.append(recipe)
    return found


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--budgets", nargs="+", type=int, metavar="BYTES", help="default: all six")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        metavar="N",
        help=f"default: {SEEDS}; "
        "one number is how many from 1 on, several are the seeds themselves",
    )
    parser.add_argument("--recipes", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--jobs", type=int, default=1, help="draws at a time, a thread each")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=Path(tempfile.gettempdir()) / "skdistill-budget",
        help="where the labels of teachers and what peers reach are kept (default: %(default)s)",
    )
    parser.add_argument("--prepare", action="store_true", help="fill the cache, fit no student")
    parser.add_argument(
        "--ablate",
        action="store_true",
        help="measure one recipe with one ingredient changed, instead of all recipes",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep what OUTPUT holds and measure the draws that it lacks",
    )
    args = parser.parse_args()
    if args.resume and args.output is None:
        parser.error("--resume needs --output")
    return args


def choose(args: argparse.Namespace) -> None:
    """Fill in what the command line left open."""
    if args.quick and not args.sets:
        args.data, args.sets = None, SHIPPED[-1:]
    args.sets = args.sets or (SHIPPED if args.data is None else TABLES)
    args.budgets = tuple(args.budgets or (BUDGETS[1:3] if args.quick else BUDGETS))
    if args.ablate:
        args.budgets = tuple(budget for budget in args.budgets if budget in ABLATED)
    seeds = args.seeds or [1 if args.quick else SEEDS]
    args.seeds = list(range(1, seeds[0] + 1)) if len(seeds) == 1 else seeds


def choose_recipes(args: argparse.Namespace) -> tuple[Recipe, ...]:
    recipes = tuple(variants()) if args.ablate else RECIPES
    asked = args.recipes or (QUICK if args.quick and not args.ablate else None)
    if asked is None:
        return recipes
    unknown = set(asked) - {recipe.name for recipe in recipes}
    if unknown:
        raise SystemExit(f"no recipe is called {', '.join(sorted(unknown))}")
    return tuple(recipe for recipe in recipes if recipe.name in asked)


def begin(args: argparse.Namespace) -> dict[str, Any]:
    """Empty results, or those to go on with. What is not measured now stays as it is."""
    kept: dict[str, Any] = {}
    mine, other = ("ablation", "main") if args.ablate else ("main", "ablation")
    if args.output is not None and args.output.exists():
        kept = json.loads(args.output.read_text())
        kept = {part: kept[part] for part in ("tables", other, *[mine] * args.resume)}

    def empty() -> dict[str, Any]:
        return {"budgets": list(args.budgets), "teachers": [], "records": []}

    results = {"fields": FIELDS, "tables": {}, "main": empty(), "ablation": empty()} | kept
    if results[mine]["budgets"] != list(args.budgets):
        raise SystemExit(f"{args.output} has the budgets {results[mine]['budgets']}: give the same")
    return results


def main() -> None:
    args = parse()
    choose(args)
    results = begin(args)
    part = results["ablation" if args.ablate else "main"]
    recipes = choose_recipes(args)
    part["recipes"] = [asdict(recipe) for recipe in recipes]
    done = {(name, seed) for name, seed, *_ in part["teachers"]}
    todo = [(name, seed) for seed in args.seeds for name in args.sets if (name, seed) not in done]
    work = joblib.Parallel(args.jobs, return_as="generator_unordered")(
        joblib.delayed(measure)(*each, recipes, args.budgets, args) for each in todo
    )
    for one in tqdm(work, total=len(todo)):
        name, accuracy = one["set"], one["teacher"][2]
        tqdm.write(f"{name} {one['seed']}: teacher {accuracy:.4f}, {one['seconds']:.0f} s")
        results["tables"][name] = one["table"]
        part["teachers"].append(one["teacher"])
        part["records"] += one["records"]
        if not args.prepare:
            results["summary"] = summary(results)
            save(args.output, results)
    if not args.prepare:
        print(report(results))


if __name__ == "__main__":
    main()
