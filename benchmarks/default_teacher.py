"""How good is the teacher that `BudgetSearchCV` takes where none is passed?

Its weighted members, the same members with equal weights, and each alone, on the test rows of
search.py. "three" are the members without the booster of small steps, with equal weights.
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
DEFAULT, EQUAL, THREE = "default", "equal weights", "three, equal weights"


def measure(name: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    one = problem(name, seed, args.data)
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
    said[EQUAL] = np.mean([said[each] for each in names], axis=0)
    said[THREE] = np.mean([said[each] for each in names if each != "small_steps"], axis=0)
    return {
        "records": [[name, seed, which, *measures(P, y)] for which, P in said.items()],
        "weights": [name, seed, dict(zip(names, teacher.weights_.tolist(), strict=True))],
        "seconds": seconds,
    }


def report(results: dict[str, Any]) -> str:
    """The default, what other weights change, and the weights, as means over the draws."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name, _, teacher, accuracy, log_loss in results["records"]:
        found.setdefault(name, {}).setdefault(teacher, []).append((100 * accuracy, log_loss))
    means = {
        name: {teacher: np.mean(figures, axis=0) for teacher, figures in each.items()}
        for name, each in found.items()
    }
    changes, rows = [], []
    for name, each in means.items():
        accuracy, log_loss = each[DEFAULT]
        change = [each[other] - each[DEFAULT] for other in (EQUAL, THREE)]
        changes.append(change)
        learnt = [weights for table, _, weights in results["weights"] if table == name]
        weights = ", ".join(f"{np.mean([w[m] for w in learnt]):.2f}" for m in learnt[0])
        rows.append((name, f"{accuracy:.1f}", f"{log_loss:.3f}", *_cells(change), weights))
    rows.append(("**mean**", "", "", *_cells(np.mean(changes, axis=0)), ""))
    members = ", ".join(results["weights"][0][2]).replace("_", " ")
    header = (
        "",
        "accuracy, %",
        "log loss",
        f"{EQUAL}: accuracy",
        "log loss",
        f"{THREE}: accuracy",
        "log loss",
        f"weights: {members}",
    )
    return markdown(header, rows)


def _cells(changes: Any) -> list[str]:
    return [text for a, loss in changes for text in (f"{a:+.2f}", f"{loss:+.3f}")]


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
