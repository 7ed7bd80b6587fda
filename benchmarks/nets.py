"""What each part of the recipe of small integer nets does.

One ingredient of a net of 2 KB is changed at a time. Beside other models of the same size, nets
are students of budget.py.
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
from _budget_draws import APART, FIELDS, Record, by_draw
from _common import markdown, options, save
from _draws import OTHER_SPLITS, Draw, draw, teacher_labels
from _recipes import Recipe, students
from _tables import add_data_options, choose_sets
from scipy import stats
from threadpoolctl import threadpool_limits
from tqdm import tqdm

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


def recipes(given: Draw) -> Iterator[Recipe]:
    """What is tried."""
    yield BASE
    for name, changes in VARIANTS.items():
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
        for recipe in recipes(given):
            found = students(recipe, given, taught, BASE.budgets)
            records += [record | {"kind": "net"} for record in found]
    seconds = time.perf_counter() - started
    rows = [[name, seed, *(record.get(key) for key in FIELDS[2:])] for record in records]
    return {"teacher": [name, seed, seconds], "records": rows}


def report(results: dict[str, Any]) -> str:
    """Changes against BASE, by table; intervals of 95 % over the tables."""
    if not results["records"]:
        return ""
    draws = by_draw(results)
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


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--seeds", type=int, nargs="+", metavar="N", default=[1])
    parser.add_argument(
        "--cache", type=Path, default=Path(tempfile.gettempdir()) / "skdistill-budget"
    )
    args = parser.parse_args()
    args.sets = choose_sets(args, ("digits",), OTHER_SPLITS)
    results: dict[str, Any] = {"teachers": [], "records": []}
    if args.output is not None and args.output.exists():
        kept = json.loads(args.output.read_text())
        results = {name: kept[name] for name in results}
    done = {(name, seed) for name, seed, *_ in results["teachers"]}
    todo = [(name, seed) for seed in args.seeds for name in args.sets if (name, seed) not in done]
    for name, seed in tqdm(todo):
        one = measure(name, seed, args)
        results["teachers"].append(one["teacher"])
        results["records"] += one["records"]
        save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
