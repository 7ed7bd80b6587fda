"""Where distillation helps one small tree, and where it does not: several tables, two sizes.

The teacher is a soft vote of 200 extremely randomised trees and 50 to 100 rounds of LightGBM.
Changes are those against the same tree on hard labels; a star marks one beyond two standard
errors over the test rows.
"""

from __future__ import annotations

import time
import warnings
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _common import markdown, options, save
from _tables import Table, add_data_options, choose_sets, load
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.tree import DecisionTreeClassifier
from tqdm import tqdm

from skdistill import DistilledClassifier, SoftTreeClassifier

SHIPPED = ("digits", "breast_cancer", "wine")  # where there is no directory of tables
CAP = 20_000  # training rows
LEAVES, SEEDS = (64, 512), 3
HARD, SCIKIT_LEARN = "hard labels", "scikit-learn"
DEFAULT = "default"  # out of fold, MUNGE, alpha .5, T = 1
DISTILLED: dict[str, dict[str, Any]] = {
    "no MUNGE, alpha=1": {"transfer_set": None, "alpha": 1.0},
    "no MUNGE": {"transfer_set": None},
    DEFAULT: {},
    "alpha=1": {"alpha": 1.0},
    "T=2": {"temperature": 2.0},
    "T='auto'": {"temperature": "auto"},
}
VARIANTS = (SCIKIT_LEARN, *DISTILLED)
UNITS = {"accuracy": (100, 1, "accuracy, %"), "log_loss": (1, 3, "log loss")}


def make_teacher(seed: int, n_classes: int) -> VotingClassifier:
    rounds = 100 if n_classes <= 10 else 50  # of a tree a class, above two classes
    extra = ExtraTreesClassifier(200, random_state=seed, n_jobs=-1)
    # More threads than one wait for each other where the machine has other work.
    boosted = LGBMClassifier(n_estimators=rounds, random_state=seed, n_jobs=1, verbose=-1)
    return VotingClassifier([("extra", extra), ("boosted", boosted)], voting="soft")


def make_student(name: str, leaves: int, seed: int, n_classes: int, memory: str) -> Any:
    if name == SCIKIT_LEARN:
        return DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed)
    student = SoftTreeClassifier(max_leaf_nodes=leaves)
    if name == HARD:
        return student
    teacher, settings = make_teacher(seed, n_classes), DISTILLED[name]
    return DistilledClassifier(teacher, student, memory=memory, random_state=seed, **settings)


def answer(model: Any, table: Table) -> dict[str, np.ndarray]:
    """What a fitted model earns on each test row, and its size."""
    P = model.predict_proba(table.X_test)
    size = {"bytes": np.array(model.compact_.nbytes)} if hasattr(model, "compact_") else {}
    told = P[np.arange(len(P)), np.searchsorted(model.classes_, table.y_test)]
    return {
        "accuracy": (model.predict(table.X_test) == table.y_test).astype(float),
        "log_loss": -np.log(np.clip(told, np.finfo(float).eps, 1)),
        **size,
    }


def measure_table(table: Table, sizes: tuple[int, ...], seeds: int, bar: tqdm) -> dict[str, Any]:
    """Answers averaged over the seeds, row by row, then compared with those on hard labels."""
    answers: dict[int, dict[str, list[dict[str, np.ndarray]]]] = {leaves: {} for leaves in sizes}
    teachers, started, n_classes = [], time.perf_counter(), len(np.unique(table.y_train))
    for seed in range(seeds):
        # The distillers below ask the same teacher on the same rows: it is fitted once a seed.
        with TemporaryDirectory() as memory:
            for leaves in sizes:
                for name in (SCIKIT_LEARN, HARD, *DISTILLED):
                    model = make_student(name, leaves, seed, n_classes, memory)
                    model.fit(table.X_train, table.y_train)
                    answers[leaves].setdefault(name, []).append(answer(model, table))
                    bar.update()
            teachers.append(answer(model.teacher_, table))
    return {
        "rows": len(table.X_train),
        "columns": table.X_train.shape[1],
        "classes": n_classes,
        "seconds": time.perf_counter() - started,
        "teacher": {key: float(average(teachers, key).mean()) for key in ("accuracy", "log_loss")},
        "sizes": [{"leaves": leaves, "students": compare(answers[leaves])} for leaves in sizes],
    }


def average(runs: list[dict[str, np.ndarray]], key: str) -> np.ndarray:
    return np.mean([run[key] for run in runs], axis=0)


def compare(answers: dict[str, list[dict[str, np.ndarray]]]) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    for name, runs in answers.items():
        figures[name] = {"bytes": float(average(runs, "bytes"))} if "bytes" in runs[0] else {}
        for key in ("accuracy", "log_loss"):
            row = average(runs, key)
            change = row - average(answers[HARD], key)
            figures[name][key] = float(row.mean())
            figures[name][f"{key}_change"] = float(change.mean())
            figures[name][f"{key}_error"] = float(change.std() / np.sqrt(len(change)))
    return figures


def report(results: dict[str, Any]) -> str:
    parts = []
    for i, leaves in enumerate(results["leaves"]):
        header = (f"{leaves} leaves", HARD, *VARIANTS, "teacher")
        rows = []
        for key in UNITS:
            rows += [_row(name, table, i, key) for name, table in results["tables"].items()]
            rows.append(_mean_row(results, i, key))
        parts.append(markdown(header, rows))
    return "\n\n".join([*parts, "\n".join(verdicts(results))])


def _row(name: str, table: dict[str, Any], i: int, key: str) -> tuple[str, ...]:
    """The figure on hard labels, the changes of the others, the teacher's figure."""
    students = table["sizes"][i]["students"]
    unit, decimals, label = UNITS[key]
    changes = [
        f"{unit * students[variant][f'{key}_change']:+.{decimals}f}"
        f"{'*' if counts(students[variant], key) else ' '}"
        for variant in VARIANTS
    ]
    ends = [f"{unit * figures[key]:.{decimals}f}" for figures in (students[HARD], table["teacher"])]
    return (f"{name}, {label}", ends[0], *changes, ends[1])


def _mean_row(results: dict[str, Any], i: int, key: str) -> tuple[str, ...]:
    unit, decimals, label = UNITS[key]
    students = [table["sizes"][i]["students"] for table in results["tables"].values()]
    changes = [
        f"{unit * np.mean([each[variant][f'{key}_change'] for each in students]):+.{decimals}f} "
        for variant in VARIANTS
    ]
    return (f"**mean**, {label}", "", *changes, "")


def counts(figures: dict[str, float], key: str) -> bool:
    """Whether a change is beyond two standard errors."""
    return abs(figures[f"{key}_change"]) > 2 * figures[f"{key}_error"]


def verdicts(results: dict[str, Any]) -> list[str]:
    """In words: where the default is better, no different or worse."""
    lines = []
    for i, leaves in enumerate(results["leaves"]):
        for key, better_up in (("accuracy", True), ("log_loss", False)):
            found: dict[str, list[str]] = {"better": [], "no different": [], "worse": []}
            for name, table in results["tables"].items():
                figures = table["sizes"][i]["students"][DEFAULT]
                up = figures[f"{key}_change"] > 0
                place = "better" if up == better_up else "worse"
                found[place if counts(figures, key) else "no different"].append(name)
            told = "; ".join(f"{place} on {', '.join(on) or 'none'}" for place, on in found.items())
            lines.append(f"- {leaves} leaves, {UNITS[key][2]}: default is {told}.")
    return lines


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    args = parser.parse_args()
    names, sizes, seeds = SHIPPED, LEAVES, SEEDS
    if args.quick:
        args.data, names, sizes, seeds = None, SHIPPED[:1], LEAVES[:1], 1
    names = choose_sets(args, names)
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    runs = len(names) * len(sizes) * seeds * (2 + len(DISTILLED))
    results: dict[str, Any] = {"leaves": list(sizes), "seeds": seeds, "cap": CAP, "tables": {}}
    with tqdm(total=runs) as bar:
        for name in names:
            bar.set_description(name)
            table = load(name, args.data, CAP)
            results["tables"][name] = measure_table(table, sizes, seeds, bar)
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
