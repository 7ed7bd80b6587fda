"""Small integer nets beside boosted students and peers, and what each part of their recipe does.

A net takes `nbytes` + 400 B of code. Peers and other students are those of ``results/budget.json``,
on the same draws of the same tables; nets are picked as they are, on the same rows.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
from _budget_report import ACCURACY, APART, FIELDS, LOG_LOSS, Record, by_draw, of_kind, value
from _common import add_data_option, markdown, options, save
from _draws import Draw, draw, teacher_labels
from _recipes import NETS, Recipe, students
from budget import SHIPPED, TABLES
from scipy import stats
from threadpoolctl import threadpool_limits
from tqdm import tqdm

BUDGETS = (1024, 2048, 4096)
OTHERS = Path(__file__).parent / "results" / "budget.json"
AIMS = {
    "letter": (0.87, 0.935, 0.958),
    "covtype_93k": (0.77, 0.795, 0.81),
    "dry_bean": (0.93, 0.93, 0.93),
}
BASE = Recipe("base", "net", "soft", budgets=(2048,))
# One ingredient of BASE changed.
VARIANTS: dict[str, dict[str, Any]] = {
    "hard labels": {"labels": "hard"},
    "MUNGE": {"labels": "munge"},
    "alpha .2": {"alpha": 0.2},
    "alpha 1": {"alpha": 1.0},
    "temperature 2": {"temperature": 2.0},
    "temperature auto": {"temperature": "auto"},
    "ternary": {"weight_bits": "ternary", "output_bits": "ternary"},
    "3 bits": {"weight_bits": 3, "output_bits": 3},
    "6 bits, output 4": {"weight_bits": 6},
    "8 bits": {"weight_bits": 8, "output_bits": 8},
    "one layer": {"n_hidden_layers": 1},
    "two layers": {"n_hidden_layers": 2},
    "a third of the epochs": {"max_iter": 100},
    "categories as plain codes": {"categorical_features": None},
}


def recipes(given: Draw, ablate: bool) -> Iterator[Recipe]:
    """What is tried."""
    yield from (BASE,) if ablate else NETS
    for name, changes in VARIANTS.items() if ablate else ():
        if "categorical_features" not in changes or given.nominal:
            yield BASE.given(name=name, **changes)


def measure(name: str, seed: int, args: Any) -> dict[str, Any]:
    """All nets on one draw of one table."""
    started = time.perf_counter()
    numba.set_num_threads(1)
    records = []
    with threadpool_limits(1):
        given = draw(name, seed, args.data)
        taught = teacher_labels(given, args.cache, args.quick)
        for recipe in recipes(given, args.ablate):
            found = students(recipe, given, taught, BUDGETS)
            records += [record | {"kind": "net"} for record in found]
    seconds = time.perf_counter() - started
    rows = [[name, seed, *(record.get(key) for key in FIELDS[2:])] for record in records]
    return {"teacher": [name, seed, seconds], "records": rows}


def beside_others(nets: dict[str, Any]) -> str:
    """Nets, boosted students and the better of both, against peers, at each budget."""
    ours = by_draw(nets)
    others = by_draw(json.loads(OTHERS.read_text())["main"])
    parts = []
    for measure_, unit in ((ACCURACY, "accuracy, %"), (LOG_LOSS, "log loss")):
        factor, digits = measure_[3:]
        rows, gains = [], []
        for name in dict.fromkeys(name for name, _ in ours):
            mine = {key: records for key, records in ours.items() if key[0] == name}
            cells: list[str] = [name]
            for budget in BUDGETS:
                figures = np.array(
                    [_figures(mine[key], others[key], budget, measure_) for key in mine]
                )
                peer, boosted, net, both = figures.mean(axis=0) * factor
                cells += [f"{each:.{digits}f}" for each in (peer, boosted, net, both)]
                gains.append([name, budget, boosted - peer, both - peer])
            rows.append(cells)
        mean: list[str] = ["**mean gain on peers**"]
        for budget in BUDGETS:
            kept = np.array([g[2:] for g in gains if g[0] != APART and g[1] == budget])
            boosted, both = kept.mean(axis=0)
            mean += ["", f"{boosted:+.{digits + 1}f}", "", f"{both:+.{digits + 1}f}"]
        kinds = ("peer", "boosted", "net", "better of both")
        head = (unit, *(f"{budget} B, {kind}" for budget in BUDGETS for kind in kinds))
        parts.append(markdown(head, [*rows, mean]))
    return "\n\n".join([*parts, "  \n".join(verdicts(ours))])


def _figures(
    nets: list[Record], others: list[Record], budget: int, measure_: tuple[Any, ...]
) -> list[float]:
    students_ = of_kind(others, "student")
    kinds = (of_kind(others, "peer"), students_, nets, [*students_, *nets])
    return [value(records, budget, measure_) for records in kinds]


def verdicts(draws: dict[tuple[str, int], list[Record]]) -> Iterator[str]:
    for name, aims in AIMS.items():
        mine = [records for key, records in draws.items() if key[0] == name]
        for budget, aim in zip(BUDGETS, aims, strict=True) if mine else ():
            found = float(np.mean([value(records, budget, ACCURACY) for records in mine]))
            holds = "holds" if found >= aim else "does not hold"
            yield f"{holds}: {name} at {budget} B: {100 * found:.1f} % (aim: {100 * aim:.1f})"


def ablation(part: dict[str, Any]) -> str:
    """Changes against BASE, by table; intervals of 95 % over the tables."""
    draws = by_draw(part)
    names = list(dict.fromkeys(name for name, _ in draws))
    parts = []
    for column, unit, factor, digits in (
        ("test", "accuracy, %", 100, 1),
        ("test_log_loss", "log loss", 1, 3),
    ):
        rows = []
        for variant in VARIANTS:
            cells, means = [variant], []
            for name in names:
                changes = [
                    _change(records, variant, column) * factor
                    for (table, _), records in draws.items()
                    if table == name
                ]
                change = float(np.nanmean(changes)) if not np.isnan(changes).all() else math.nan
                cells.append("" if math.isnan(change) else f"{change:+.{digits}f}")
                means += [] if math.isnan(change) or name == APART else [change]
            rows.append([*cells, _interval(means, digits)])
        parts.append(markdown((f"change of {unit}", *names, "mean"), rows))
    return "\n\n".join(parts)


def _change(records: list[Record], variant: str, column: str) -> float:
    """Of one draw; NaN for what is not tried there."""
    base, changed = (
        [one[column] for one in records if one["model"] == name] for name in ("base", variant)
    )
    return float(np.mean(changed) - np.mean(base)) if changed else math.nan


def _interval(changes: list[float], digits: int) -> str:
    mean = float(np.mean(changes)) if changes else math.nan
    if len(changes) < 2:
        return f"{mean:+.{digits}f}"
    half = stats.t.ppf(0.975, len(changes) - 1) * stats.sem(changes)
    return f"{mean:+.{digits}f} ± {half:.{digits}f}"


def report(results: dict[str, Any]) -> str:
    parts = []
    if results["main"]["records"]:
        parts.append(beside_others(results["main"]))
    if results["ablation"]["records"]:
        parts.append(ablation(results["ablation"]))
    return "\n\n".join(parts)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_option(parser)
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--seeds", type=int, nargs="+", metavar="N", default=[4, 5])
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "skdistill-budget"
    )
    parser.add_argument("--ablate", action="store_true", help="one ingredient changed at a time")
    args = parser.parse_args()
    args.sets = args.sets or (SHIPPED[-1:] if args.data is None else TABLES)
    empty: dict[str, Any] = {"teachers": [], "records": []}
    results: dict[str, Any] = {"main": empty, "ablation": json.loads(json.dumps(empty))}
    if args.output is not None and args.output.exists():
        kept = json.loads(args.output.read_text())
        results = {part: kept[part] for part in results}
    part = results["ablation" if args.ablate else "main"]
    done = {(name, seed) for name, seed, *_ in part["teachers"]}
    todo = [(name, seed) for seed in args.seeds for name in args.sets if (name, seed) not in done]
    for name, seed in tqdm(todo):
        one = measure(name, seed, args)
        part["teachers"].append(one["teacher"])
        part["records"] += one["records"]
        save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
