"""The most accuracy a kilobyte can hold: students of this package and peers at equal bytes.

Peers learn from hard labels and are counted in their own bytes; ours are `nbytes` + 80 B of code,
nets `nbytes` + what their C takes. At a budget everything of that size or less may be picked, by
the accuracy (for log losses by the log loss) on 20 % of the training rows, which neither students
nor teacher have seen.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import joblib
import numba
from _budget_draws import FIELDS
from _budget_report import report, summary
from _budget_results import Unmeasured, add, begin, unmeasured
from _budget_short import families, headline
from _common import options, save
from _draws import OTHER_SPLITS, draw, measures, teacher_labels
from _peers import KINDS, best_by_size, peers
from _recipes import BASE, RECIPES, VARIANTS, Recipe, students
from _tables import add_data_options, choose_sets
from threadpoolctl import threadpool_limits
from tqdm import tqdm

SHIPPED = ("wine", "breast_cancer", "digits")  # where there is no directory of tables
BUDGETS = (512, 1024, 2048, 4096, 8192, 16384)
ABLATED = (1024, 2048, 4096)
SEEDS = 5
QUICK, QUICK_PEERS = ("tree", "linear 4", "8 leaves"), ("trees", "protonn")

__all__ = ["families", "headline", "report"]  # of the results, for the pages


def measure(
    lacking: Unmeasured, budgets: tuple[int, ...], args: argparse.Namespace
) -> dict[str, Any]:
    """What a draw of a table lacks."""
    started, (name, seed) = time.perf_counter(), lacking[:2]
    numba.set_num_threads(1)
    records, teacher = [], None
    with threadpool_limits(1):
        given = draw(name, seed, args.data)
        for kind in lacking.kinds:
            records += best_by_size(peers(kind, given, args.cache), budgets)
        if lacking.teacher or lacking.recipes:
            taught = teacher_labels(given, args.cache, args.quick)
            teacher = [name, seed, *measures(taught.test, given.y_test), float(taught.seconds)]
            for recipe in () if args.prepare else lacking.recipes:
                if recipe.suits(given.n_classes):
                    found = students(recipe, given, taught, budgets)
                    records += [record | {"kind": "student"} for record in found]
    return {
        "table": {
            "rows": len(given.X_fit),
            "columns": given.X_fit.shape[1],
            "classes": given.n_classes,
        },
        "teacher": teacher,
        "records": [
            [name, seed, *(_short(record.get(key)) for key in FIELDS[2:])] for record in records
        ],
        "seconds": time.perf_counter() - started,
    }


def _short(figure: Any) -> Any:
    return round(figure, 5) if isinstance(figure, float) else figure


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
    add_data_options(parser)
    parser.add_argument("--budgets", nargs="+", type=int, metavar="BYTES", help="default: all six")
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        metavar="N",
        help=f"default: {SEEDS}; "
        "one number is how many from 1 on, several are the seeds themselves",
    )
    parser.add_argument("--recipes", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument(
        "--peers", nargs="*", choices=KINDS, metavar="KIND", help=f"of {', '.join(KINDS)}"
    )
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
        help="keep what OUTPUT holds and measure the recipes and peers that its draws lack",
    )
    args = parser.parse_args()
    if args.resume and args.output is None:
        parser.error("--resume needs --output")
    return args


def choose(args: argparse.Namespace) -> None:
    """Fill in what the command line left open."""
    if args.quick and not args.sets:
        args.data = None
    args.sets = choose_sets(args, SHIPPED[-1:] if args.quick else SHIPPED, OTHER_SPLITS)
    args.budgets = tuple(args.budgets or (BUDGETS[1:3] if args.quick else BUDGETS))
    if args.ablate:
        args.budgets = tuple(budget for budget in args.budgets if budget in ABLATED)
    seeds = args.seeds or [1 if args.quick else SEEDS]
    args.seeds = list(range(1, seeds[0] + 1)) if len(seeds) == 1 else seeds


def choose_recipes(args: argparse.Namespace, recipes: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    asked = QUICK if args.recipes is None and args.quick and not args.ablate else args.recipes
    if asked is None:
        return recipes
    unknown = set(asked) - {recipe.name for recipe in recipes}
    if unknown:
        raise SystemExit(f"no recipe is called {', '.join(sorted(unknown))}")
    return tuple(recipe for recipe in recipes if recipe.name in asked)


def choose_peers(args: argparse.Namespace) -> tuple[str, ...]:
    if args.ablate:
        return ()
    if args.peers is not None:
        return tuple(args.peers)
    return QUICK_PEERS if args.quick else tuple(KINDS)


def main() -> None:
    args = parse()
    choose(args)
    recipes = tuple(variants()) if args.ablate else RECIPES
    results = begin(args, recipes)
    part = results["ablation" if args.ablate else "main"]
    draws = [(name, seed) for seed in args.seeds for name in args.sets]
    todo = unmeasured(part, draws, choose_recipes(args, recipes), choose_peers(args))
    work = joblib.Parallel(args.jobs, return_as="generator_unordered")(
        joblib.delayed(_measured)(lacking, args) for lacking in todo
    )
    for lacking, one in tqdm(work, total=len(todo)):
        accuracy = "" if one["teacher"] is None else f"teacher {one['teacher'][2]:.4f}, "
        tqdm.write(f"{lacking.name} {lacking.seed}: {accuracy}{one['seconds']:.0f} s")
        if not args.prepare:
            results["tables"][lacking.name] = one["table"]
            add(part, one, lacking)
            results["summary"] = summary(results)
            save(args.output, results)
    if not args.prepare:
        print(report(results))


def _measured(lacking: Unmeasured, args: argparse.Namespace) -> tuple[Unmeasured, dict[str, Any]]:
    return lacking, measure(lacking, args.budgets, args)


if __name__ == "__main__":
    main()
