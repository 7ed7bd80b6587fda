"""How good the pick of `BudgetSearchCV` is, against all candidates that it could have picked.

After each search all its candidates, and the twins on hard labels of all of them, are fitted on all
rows and scored on test rows. The best peer of budget.py on the same rows is compared, too, which
was picked on further rows. Seconds are those of the processor, and without the teacher's, whose
labels each way to choose needs once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _common import options, save
from _search_problems import Problem, choose_problems, holds_int16, problem
from _search_report import report
from _tables import add_data_options
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.fit_within import BudgetExceededError
from skdistill.model_selection.racing import Entry
from skdistill.model_selection.run import SearchRun

BUDGETS = (2048, 1024, 4096)
SEEDS = (1, 2, 3, 4, 5)  # those of budget.py
FIELDS = ("set", "seed", "budget", "candidate", "hard", "splits", "score", "test", "seconds")


def measure(name: str, seed: int, budget: int, args: argparse.Namespace) -> dict[str, Any]:
    """A search, and its candidates on the test rows."""
    one = problem(name, seed, args.data)
    search = BudgetSearchCV(
        budget=budget,
        task=one.task,
        input_dtype="int16" if holds_int16(one.X) else "float32",
        memory=str(args.cache / f"{name}-{seed}"),
        random_state=seed,
        families=["tree", "linear"] if args.quick else "auto",
    )
    run, entries = search._begin(one.X, one.y, None, None, None), []
    candidates = search._candidates(run)
    run.labeller.label_splits(any(each.labels == "munge" for each in candidates))
    started = time.process_time()
    search.fit(one.X, one.y)  # with the labels from `memory`
    seconds = time.process_time() - started
    tried = {
        json.dumps(params): (int(splits), float(score), index == search.best_index_)
        for index, (params, splits, score) in enumerate(
            zip(
                search.cv_results_["params"],
                search.cv_results_["n_splits"],
                search.cv_results_["mean_test_score"],
                strict=True,
            )
        )
    }
    records = []
    for candidate in tqdm(candidates, desc=f"{name} {seed} {budget}", leave=False):
        splits, score, picked = tried.get(json.dumps(candidate.params), (0, np.nan, False))
        run._training_set(candidate, None)  # the teacher's labels
        began = time.process_time()
        test = _test_score(run, Entry(candidate), one)
        records.append(
            [
                name,
                seed,
                budget,
                str(candidate),
                candidate.is_hard,
                splits,
                _number(score),
                _number(test),
                time.process_time() - began,
            ]
        )
        entries.append(picked)
    return {
        "records": records,
        "search": {
            "set": name,
            "seed": seed,
            "budget": budget,
            "rows": len(one.y),
            "splits": len(run.splits),
            "picked": str(candidates[entries.index(True)]),
            "test": float(search.score(one.X_test, one.y_test)),
            "flash": search.footprint_.flash,
            "gain": _number(search.distillation_gain_.difference),
            "seconds": seconds,
        },
    }


def _test_score(run: SearchRun, entry: Entry, one: Problem) -> float:
    """Of a candidate that is fitted on all rows; NaN where nothing fits."""
    try:
        student = run.fit(entry).student
    except BudgetExceededError:
        return np.nan
    return float(run.scorer(student, one.X_test, one.y_test))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--budgets", nargs="+", type=int, default=BUDGETS, metavar="BYTES")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help=f"default: {SEEDS}")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=Path(tempfile.gettempdir()) / "skdistill-search",
        help="where the fits of teachers are kept (default: %(default)s)",
    )
    parser.add_argument("--resume", action="store_true", help="measure what OUTPUT lacks")
    args = parser.parse_args()
    if args.resume and args.output is None:
        parser.error("--resume needs --output")
    if args.quick:
        args.seeds, args.budgets = args.seeds or SEEDS[:1], args.budgets[:1]
    args.seeds = args.seeds or SEEDS
    args.sets = choose_problems(args)
    return args


def searches(args: argparse.Namespace) -> Iterator[tuple[str, int, int]]:
    for seed in args.seeds:
        for budget in args.budgets:
            for name in args.sets:
                yield name, seed, budget


def main() -> None:
    args = parse()
    results: dict[str, Any] = {"fields": FIELDS, "searches": [], "records": []}
    if args.resume and args.output.exists():
        results = json.loads(args.output.read_text())
    done = {(each["set"], each["seed"], each["budget"]) for each in results["searches"]}
    todo = [each for each in searches(args) if each not in done]
    with threadpool_limits(1):
        for each in tqdm(todo):
            one = measure(*each, args)
            results["searches"].append(one["search"])
            results["records"] += one["records"]
            save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
