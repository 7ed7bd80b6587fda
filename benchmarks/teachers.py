"""Does a teacher of trees and nets teach tiny students more than one of trees alone?

Both teachers weigh their members by log loss out of fold. Students learn from at most 6,000 rows,
out-of-fold labels mixed with the hard ones, and twice as many rows of MUNGE. A boosted student
has the same number of trees with both teachers.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from typing import Any

import numpy as np
from _common import markdown, options, save
from _draws import Draw, draw, measures, without_rare_classes
from _recipes import FEW, Recipe, fit_to_budget
from _tables import add_data_options, choose_sets
from knowledge import cell
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skdistill import Munge, SoftBoostingClassifier, SoftNetClassifier
from skdistill.targets import SoftTargets
from skdistill.teachers import cross_fit, ensemble_weights, probabilities

SHIPPED = ("wine", "breast_cancer", "digits")
ROWS, TEST, FACTOR, FOLDS, SEEDS = 6000, 4000, 2, 3, 2
MAX_BYTES, EPOCHS = 2048, 150
MEMBERS = {"trees": ("extra", "lightgbm"), "trees and nets": ("extra", "lightgbm", "nets")}
TREES, BOTH = MEMBERS
BOOSTED, NET = "2 KB boosted", "2 KB net"
FIELDS = ("set", "seed", "teacher", "model", "accuracy", "log_loss", "bytes")


def members(seed: int, share: int) -> dict[str, Any]:
    net = MLPClassifier((256, 128), alpha=0.1, learning_rate_init=2e-3, max_iter=60, batch_size=100)
    nets = [(f"{i}", clone(net).set_params(random_state=seed + i)) for i in range(3)]
    booster = LGBMClassifier(
        n_estimators=60 // share, num_leaves=15, random_state=seed, n_jobs=1, verbose=-1
    )
    return {
        "extra": ExtraTreesClassifier(200 // share, random_state=seed, n_jobs=1),
        "lightgbm": booster,
        "nets": make_pipeline(StandardScaler(), VotingClassifier(nets, voting="soft")),
    }


def prepare(name: str, seed: int, args: argparse.Namespace) -> Draw:
    given, n_rows = draw(name, seed, args.data), 300 if args.quick else ROWS
    rows = np.random.default_rng(seed).permutation(len(given.X_fit))[:n_rows]
    test = np.random.default_rng(0).permutation(len(given.X_test))[:TEST]
    given = given._replace(X_fit=given.X_fit[rows], y_fit=given.y_fit[rows])
    given = given._replace(X_test=given.X_test[test], y_test=given.y_test[test])
    return without_rare_classes(given, FOLDS)


def students(given: Draw, X: np.ndarray, targets: SoftTargets) -> dict[str, Any]:
    few = FEW | {"value_bits": 4 if given.n_classes == 2 else "ternary"}
    found = fit_to_budget(Recipe("", settings=few), MAX_BYTES, X, targets, given.seed, {})
    net = SoftNetClassifier(max_bytes=MAX_BYTES, max_iter=EPOCHS, random_state=given.seed)
    if found is None:  # very many classes
        return {NET: net}
    boosted = SoftBoostingClassifier(found[1], random_state=given.seed, **few)
    return {BOOSTED: boosted, NET: net}


def measure(name: str, seed: int, args: argparse.Namespace) -> list[list[Any]]:
    given = prepare(name, seed, args)
    classes, records = np.arange(given.n_classes), []
    further = Munge(FACTOR).sample(given.X_fit, seed)
    fit, munge, test = {}, {}, {}
    for member, estimator in members(seed, 10 if args.quick else 1).items():
        fitted, fit[member] = cross_fit(estimator, given.X_fit, given.y_fit, classes, cv=FOLDS)
        munge[member], test[member] = (
            probabilities(fitted, X, classes) for X in (further, given.X_test)
        )
    X = np.vstack([given.X_fit, further])
    labels = np.append(given.y_fit, np.full(len(further), -1)).astype(np.intp)
    pupils: dict[str, Any] = {}
    for teacher, names in MEMBERS.items():
        weights = ensemble_weights([fit[each] for each in names], given.y_fit)
        P_fit, P_munge, P_test = (
            np.tensordot(weights, [table[each] for each in names], 1)
            for table in (fit, munge, test)
        )
        records.append([name, seed, teacher, "teacher", *measures(P_test, given.y_test), 0])
        targets = SoftTargets(np.vstack([P_fit, P_munge]), labels, 0.5)
        pupils = pupils or students(given, X, targets)
        for student, pupil in pupils.items():
            pupil.fit(X, targets)
            P, decided = pupil.predict_proba(given.X_test), pupil.predict(given.X_test)
            figures = measures(P, given.y_test, decided)
            records.append([name, seed, teacher, student, *figures, pupil.compact_.nbytes])
    return records


def gains(results: dict[str, Any], model: str, key: str) -> dict[str, np.ndarray]:
    """What nets in the teacher change, for each set an array of its draws."""
    at, unit = FIELDS.index(key), 100 if key == "accuracy" else 1
    found = {tuple(r[:4]): r[at] for r in results["records"]}
    table: dict[str, list[float]] = {}
    for name, seed, teacher, which in found:
        if teacher == BOTH and which == model:
            change = found[name, seed, BOTH, model] - found[name, seed, TREES, model]
            table.setdefault(name, []).append(unit * change)
    return {name: np.array(changes) for name, changes in table.items()}


def report(results: dict[str, Any]) -> str:
    """Accuracy taught by trees, and what nets in the teacher change."""
    rows = []
    for model in ("teacher", BOOSTED, NET):
        accuracy, log_loss = (gains(results, model, key) for key in ("accuracy", "log_loss"))
        for name, changes in accuracy.items():
            alone = [
                100 * r[4] for r in results["records"] if [r[0], *r[2:4]] == [name, TREES, model]
            ]
            cells = (cell([changes], "accuracy"), cell([log_loss[name]], "log_loss"))
            rows.append((model, name, f"{np.mean(alone):.1f}", *cells))
        if len(accuracy) > 1:
            means = (list(accuracy.values()), list(log_loss.values()))
            cells = (cell(means[0], "accuracy"), cell(means[1], "log_loss"))
            rows.append((model, "mean", "", *cells))
    header = ("", "set", "taught by trees, %", "with nets: accuracy, points", "log loss")
    n_draws = len({tuple(r[:2]) for r in results["records"]})
    minutes = sum(results["seconds"].values()) / 60
    return markdown(header, rows) + f"\n\n{n_draws} draws, {minutes:.0f} minutes in all."


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--seeds", type=int, default=None, metavar="N")
    parser.add_argument("--resume", action="store_true", help="add to --output what it lacks")
    args = parser.parse_args()
    if args.quick:
        args.data = None
    sets = choose_sets(args, SHIPPED[: 1 if args.quick else None])
    results: dict[str, Any] = {"fields": FIELDS, "seconds": {}, "records": []}
    if args.resume and args.output is not None and args.output.exists():
        kept = json.loads(args.output.read_text())
        results = {name: kept[name] for name in results}
    seeds = range(1, 1 + (args.seeds or (1 if args.quick else SEEDS)))
    for name, seed in tqdm([(name, seed) for seed in seeds for name in sets]):
        if f"{name} {seed}" in results["seconds"]:
            continue
        started = time.perf_counter()
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            warnings.filterwarnings("ignore", category=ConvergenceWarning)  # epochs are a choice
            results["records"] += measure(name, seed, args)
        results["seconds"][f"{name} {seed}"] = time.perf_counter() - started
        save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
