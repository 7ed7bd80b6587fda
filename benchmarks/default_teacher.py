"""How good is the teacher that `BudgetSearchCV` takes where none is passed?

Its weighted members, each of them alone, and "three": the members without the booster of small
steps, with equal weights. On the test rows of search.py.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from _common import markdown, options, save
from _draws import measures
from _search_problems import problem
from _tables import add_data_options, choose_sets
from sklearn.ensemble._base import _set_random_states
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skdistill.dataframe import read_table
from skdistill.model_selection.named_teachers import new_teacher

SEEDS = (6,)  # what the members are was chosen on training rows of draw 11
SHIPPED = ("wine", "breast_cancer", "digits")
TEST = 4000  # rows
FIELDS = ("set", "seed", "teacher", "accuracy", "log_loss")
DEFAULT, THREE = "default", "three, equal weights"


def measure(name: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    one = problem(name, seed, args.data, thin=True)
    rows = np.random.default_rng(0).permutation(len(one.y_test))[:TEST]
    X, classes = one.X_test.iloc[rows], np.unique(one.y)
    y = np.searchsorted(classes, one.y_test[rows])
    started = time.process_time()
    teacher = new_teacher("committee", read_table(one.X), n_classes=len(classes))
    _set_random_states(teacher, seed)
    teacher.fit(one.X, one.y)
    seconds = time.process_time() - started
    names = [each for each, _ in teacher.estimators]
    said = dict(zip(names, (each.predict_proba(X) for each in teacher.estimators_), strict=True))
    said[DEFAULT] = teacher.predict_proba(X)
    said[THREE] = np.mean([said[each] for each in names if each != "small_steps"], axis=0)
    return {
        "records": [[name, seed, which, *measures(P, y)] for which, P in said.items()],
        "weights": [name, seed, dict(zip(names, teacher.weights_.tolist(), strict=True))],
        "seconds": seconds,
    }


def report(results: dict[str, Any]) -> str:
    """The default, what the three equal ones change, and a weight, as means over the draws."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name, _, teacher, accuracy, log_loss in results["records"]:
        found.setdefault(name, {}).setdefault(teacher, []).append((100 * accuracy, log_loss))
    changes, rows = [], []
    for name, each in found.items():
        accuracy, log_loss = np.mean(each[DEFAULT], axis=0)
        change = np.mean(each[THREE], axis=0) - (accuracy, log_loss)
        changes.append(change)
        weight = np.mean([w["small_steps"] for table, _, w in results["weights"] if table == name])
        rows.append((name, f"{accuracy:.1f}", f"{log_loss:.3f}", *_cells(change), f"{weight:.2f}"))
    rows.append(("**mean**", "", "", *_cells(np.mean(changes, axis=0)), ""))
    header = (
        "",
        "accuracy, %",
        "log loss",
        f"{THREE}: accuracy",
        "log loss",
        "small steps: weight",
    )
    return markdown(header, rows)


def _cells(change: Any) -> tuple[str, str]:
    return f"{change[0]:+.2f}", f"{change[1]:+.3f}"


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, metavar="N")
    args = parser.parse_args()
    sets = choose_sets(args, SHIPPED)
    if args.quick:
        args.seeds, sets = args.seeds[:1], sets[:1]
    results: dict[str, Any] = {"fields": FIELDS, "seconds": {}, "weights": [], "records": []}
    with threadpool_limits(1):
        for name, seed in tqdm([(name, seed) for seed in args.seeds for name in sets]):
            one = measure(name, seed, args)
            results["seconds"][f"{name} {seed}"] = one["seconds"]
            results["weights"].append(one["weights"])
            results["records"] += one["records"]
            save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
