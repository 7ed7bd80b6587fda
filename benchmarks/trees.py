"""Where distillation helps one small tree, and where it does not: several tables, two sizes.

The teacher is a soft vote of 300 extremely randomised trees and LightGBM; changes are those
against the same tree on hard labels. A change counts where it is beyond two standard errors
over the test rows.
"""

from __future__ import annotations

import time
import warnings
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _common import Table, add_data_option, load, markdown, options, save
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier
from tqdm import tqdm

from skdistill import DistilledClassifier, SoftTreeClassifier

TABLES = ("letter", "satimage", "magic", "waveform21", "dry_bean", "electricity", "adult")
SHIPPED = ("digits", "breast_cancer", "wine")  # where there is no directory of tables
CAP = 20_000  # training rows
LEAVES, SEEDS = (64, 512), 3
HARD, SCIKIT_LEARN = "hard labels", "scikit-learn, hard"
DEFAULT = "default"  # out of fold, MUNGE, alpha .5, T = 1
OUT_OF_FOLD = {"transfer": None, "alpha": 1.0}
DISTILLED: dict[str, dict[str, Any]] = {
    "oof only, alpha=1": OUT_OF_FOLD,
    "oof only, alpha=.5": {"transfer": None},
    DEFAULT: {},
    "alpha=1": {"alpha": 1.0},
    "temperature=2": {"temperature": 2.0},
    "temperature='auto'": {"temperature": "auto"},
}


def make_teacher(seed: int) -> VotingClassifier:
    extra = ExtraTreesClassifier(300, random_state=seed, n_jobs=-1)
    boosted = LGBMClassifier(n_estimators=100, random_state=seed, n_jobs=-1, verbose=-1)
    return VotingClassifier([("extra", extra), ("boosted", boosted)], voting="soft")


def answer(model: Any, table: Table) -> dict[str, np.ndarray]:
    """What a fitted model earns on each test row."""
    P = model.predict_proba(table.X_test)
    told = P[np.arange(len(P)), np.searchsorted(model.classes_, table.y_test)]
    return {
        "accuracy": (model.predict(table.X_test) == table.y_test).astype(float),
        "log_loss": -np.log(np.clip(told, np.finfo(float).eps, 1)),
    }


def measure_table(table: Table, sizes: tuple[int, ...], seeds: int, bar: tqdm) -> dict[str, Any]:
    """Answers averaged over the seeds, row by row, then compared with those on hard labels."""
    answers: dict[int, dict[str, list[dict[str, np.ndarray]]]] = {leaves: {} for leaves in sizes}
    teachers, started = [], time.perf_counter()
    for seed in range(seeds):
        # The distillers below ask the same teacher on the same rows: it is fitted once a seed.
        with TemporaryDirectory() as memory:
            for leaves in sizes:
                tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed)
                students: dict[str, Any] = {
                    SCIKIT_LEARN: tree,
                    HARD: SoftTreeClassifier(max_leaf_nodes=leaves),
                }
                students |= {
                    name: DistilledClassifier(
                        make_teacher(seed),
                        SoftTreeClassifier(max_leaf_nodes=leaves),
                        memory=memory,
                        random_state=seed,
                        **settings,
                    )
                    for name, settings in DISTILLED.items()
                }
                for name, student in students.items():
                    fitted = student.fit(table.X_train, table.y_train)
                    answers[leaves].setdefault(name, []).append(answer(fitted, table))
                    bar.update()
            teachers.append(answer(fitted.teacher_, table))
    return {
        "rows": len(table.X_train),
        "columns": table.X_train.shape[1],
        "classes": len(np.unique(table.y_train)),
        "seconds": time.perf_counter() - started,
        "teacher": {key: float(average(teachers, key).mean()) for key in ("accuracy", "log_loss")},
        "sizes": [{"leaves": leaves, "students": compare(answers[leaves])} for leaves in sizes],
    }


def average(runs: list[dict[str, np.ndarray]], key: str) -> np.ndarray:
    return np.mean([run[key] for run in runs], axis=0)


def compare(answers: dict[str, list[dict[str, np.ndarray]]]) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    for name, runs in answers.items():
        figures[name] = {}
        for key in ("accuracy", "log_loss"):
            row = average(runs, key)
            change = row - average(answers[HARD], key)
            figures[name][key] = float(row.mean())
            figures[name][f"{key}_change"] = float(change.mean())
            figures[name][f"{key}_error"] = float(change.std() / np.sqrt(len(change)))
    return figures


def report(results: dict[str, Any]) -> str:
    parts = [
        markdown(
            (f"{leaves} leaves", HARD, *DISTILLED, "teacher"),
            [_row(name, table, i, "accuracy") for name, table in results["tables"].items()]
            + [_row(name, table, i, "log_loss") for name, table in results["tables"].items()],
        )
        for i, leaves in enumerate(results["leaves"])
    ]
    return "\n\n".join([*parts, *verdicts(results)])


def _row(name: str, table: dict[str, Any], i: int, key: str) -> tuple[str, ...]:
    """Hard labels as they are, the others as changes; a star where beyond two errors."""
    students = table["sizes"][i]["students"]
    unit, decimals, label = (100, 1, "%") if key == "accuracy" else (1, 3, "log loss")
    cells = []
    for variant in DISTILLED:
        change, error = (unit * students[variant][f"{key}_{end}"] for end in ("change", "error"))
        cells.append(f"{change:+.{decimals}f}{'*' if abs(change) > 2 * error else ' '}")
    first, last = students[HARD][key], table["teacher"][key]
    return (f"{name}, {label}", f"{unit * first:.{decimals}f}", *cells, f"{unit * last:.{decimals}f}")


def verdicts(results: dict[str, Any]) -> list[str]:
    """In words: where the default is better, no different or worse."""
    lines = []
    for i, leaves in enumerate(results["leaves"]):
        for key, sign in (("accuracy", 1), ("log_loss", -1)):
            places: dict[str, list[str]] = {"better": [], "no different": [], "worse": []}
            for name, table in results["tables"].items():
                figures = table["sizes"][i]["students"][DEFAULT]
                change, error = sign * figures[f"{key}_change"], figures[f"{key}_error"]
                place = "better" if change > 2 * error else "worse" if change < -2 * error else None
                places[place or "no different"].append(name)
            told = "; ".join(f"{place} on {', '.join(names) or 'none'}" for place, names in places.items())
            lines.append(f"{leaves} leaves, {key.replace('_', ' ')}, default against hard labels: {told}.")
    return lines


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_option(parser)
    args = parser.parse_args()
    directory, names, sizes, seeds = args.data, TABLES, LEAVES, SEEDS
    if args.quick:
        directory, names, sizes, seeds = None, SHIPPED[:1], LEAVES[:1], 1
    elif directory is None:
        names = SHIPPED
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    runs = len(names) * len(sizes) * seeds * (2 + len(DISTILLED))
    results: dict[str, Any] = {"leaves": list(sizes), "seeds": seeds, "cap": CAP, "tables": {}}
    with tqdm(total=runs) as bar:
        for name in names:
            bar.set_description(name)
            table = load(name, directory, CAP)
            results["tables"][name] = measure_table(table, sizes, seeds, bar)
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
