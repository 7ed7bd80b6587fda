"""What students on soft labels seem to gain where the labels are shared between folds.

`BudgetSearchCV` labels the training rows of each fold by folds of their own. It would take fewer
fits to label all rows once, out of fold: but then a soft label knows, by way of its teacher, the
hard labels of rows that are held out. The difference of the scores on the same rows is the leak.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from _common import markdown, options, save
from _search_problems import Problem, choose_problems, problem
from _tables import add_data_options
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.fit_within import fit_within
from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.run import SearchRun
from skdistill.model_selection.training_set import training_set

BUDGET = 2048
FAMILIES = ("tree", "boosted", "linear")
FIELDS = ("set", "seed", "candidate", "shared", "own")


def measure(one: Problem, seed: int) -> list[tuple[str, float, float]]:
    """Mean scores of candidates by labels that are shared, and by labels of each fold's own."""
    search = BudgetSearchCV(
        budget=BUDGET, task=one.task, families=list(FAMILIES), random_state=seed
    )
    run = search._begin(one.X, one.y, None, None, None)
    run.labeller.label_splits(munge=False)
    shared = run.labeller.training(0, None)
    found = [each for each in search._candidates(run) if each.labels == "soft"]
    scores = []
    for candidate in [Candidate("tree", "soft"), *found]:
        pairs = [_scores(run, candidate, shared, split) for split in range(len(run.splits))]
        scores.append((str(candidate), *np.mean(pairs, axis=0).tolist()))
    return scores


def _scores(
    run: SearchRun, candidate: Candidate, shared: np.ndarray, split: int
) -> tuple[float, ...]:
    """By labels that are shared, and by the split's own."""
    train, test = run.splits.train(split), run.splits.test(split)
    found = []
    for response in (shared[train], run.labeller.training(0, split)):
        training = training_set(candidate, run.data, train, response, [])
        fitted = fit_within(candidate, training, run.budget, run.device, seed=run.seed)
        found.append(float(run.scorer(fitted.student, *_taken(run, test))))
    return tuple(found)


def _taken(run: SearchRun, rows: np.ndarray) -> tuple[Any, np.ndarray]:
    return run.data.rows.take(rows).native, run.data.y[rows]


def report(results: dict[str, Any]) -> str:
    """Points that shared labels add, by table and family."""
    columns = dict.fromkeys(record[2].split("(")[0] for record in results["records"])
    rows = []
    for name in dict.fromkeys(record[0] for record in results["records"]):
        cells = [_leak(results["records"], family, name) for family in columns]
        rows.append((name, *(f"{np.mean(each):+.2f}" for each in cells)))
    rows.append(("**mean**", *(_mean(results["records"], family) for family in columns)))
    return markdown(("points by shared labels", *columns), rows)


def _leak(records: list[Any], family: str, name: str | None = None) -> list[float]:
    return [
        100 * (shared - own)
        for table, _, candidate, shared, own in records
        if candidate.startswith(f"{family}(") and name in (None, table)
    ]


def _mean(records: list[Any], family: str) -> str:
    leaks = _leak(records, family)
    error = np.std(leaks, ddof=1) / np.sqrt(len(leaks)) if len(leaks) > 1 else np.nan
    return f"{np.mean(leaks):+.2f} ± {error:.2f}"


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], metavar="N")
    parser.add_argument("--resume", action="store_true", help="measure what OUTPUT lacks")
    args = parser.parse_args()
    args.sets = choose_problems(args)
    return args


def main() -> None:
    args = parse()
    results: dict[str, Any] = {"fields": FIELDS, "records": []}
    if args.resume and args.output is not None and args.output.exists():
        results = json.loads(args.output.read_text())
    done = {(record[0], record[1]) for record in results["records"]}
    todo = [(name, seed) for seed in args.seeds for name in args.sets if (name, seed) not in done]
    with threadpool_limits(1):
        for name, seed in tqdm(todo):
            found = measure(problem(name, seed, args.data, thin=True), seed)
            results["records"] += [[name, seed, *each] for each in found]
            save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
