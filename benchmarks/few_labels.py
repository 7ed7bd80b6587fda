"""Few labels, many rows: what does a teacher bring that labels the rest?

Teacher and hard-label student see 100, 300 or 1,000 labels; the distilled student also sees the
other rows, which the teacher labels. With no labels at all, the teacher was trained elsewhere, on
other rows, and there is nothing that a hard-label student could learn from.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _common import markdown, options, save
from _tables import Table, add_data_options, choose_sets, load
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from skdistill import DistilledClassifier, SoftBoostingClassifier

SHIPPED = ("digits", "breast_cancer", "wine")  # where there is no directory of tables
LABELS, BUDGETS, SEEDS, CODE = (0, 100, 300, 1_000), (1024, 4096), 5, 80
ELSEWHERE, REST = 10_000, 4_000  # rows of a teacher trained elsewhere; rows without labels
BINS = 15
MEASURES = {
    "accuracy": (100, 1, "accuracy, %"),
    "log_loss": (1, 3, "log loss"),
    "calibration": (100, 1, "calibration error, points"),
}
# What the hard-label student is picked from, by cross-validation on its labels: with few of
# them it must be held back more than a distilled one.
HELD_BACK = [
    (l2_regularization, share) for share in (1.0, 0.3) for l2_regularization in (3e-3, 0.03, 0.3)
]
TAUGHT = 1e-3  # refit_l2_regularization of the distilled student
HARD, DISTILLED, TEACHER = "hard labels", "distilled", "teacher"


def make_teacher(seed: int, n_labels: int) -> VotingClassifier:
    """A soft vote of trees, boosted trees and logistic regression; few rows need small leaves."""
    boosted = LGBMClassifier(
        n_estimators=50 if n_labels < 1_000 else 100,
        min_child_samples=5,
        random_state=seed,
        n_jobs=1,
        verbose=-1,
    )
    forest = ExtraTreesClassifier(300, random_state=seed, n_jobs=1)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000))
    members = [("extra", forest), ("boosted", boosted), ("linear", linear)]
    return VotingClassifier(members, voting="soft")


def make_student(
    count: int, n_classes: int, l2_regularization: float, seed: int
) -> SoftBoostingClassifier:
    two = n_classes == 2
    return SoftBoostingClassifier(
        count,
        max_leaf_nodes=8,
        init=None if two else "linear",
        linear_bits=4,
        value_bits=4 if two else "ternary",
        refit_l2_regularization=l2_regularization,
        random_state=seed,
    )


def trees_within(fit: Any, room: float) -> Any:
    """The model of about as many trees as fit into `room` bytes, and never of more."""
    count, sizes = 8, {}
    model, best = None, None
    for _ in range(5):
        model = fit(count)
        sizes[count] = model.compact_.nbytes
        if sizes[count] <= room and (best is None or count > best[0]):
            best = count, model
            if sizes[count] > 0.93 * room:
                break
        if len(sizes) > 1:
            low, high = sorted(sizes)[:2] if best is None else sorted(sizes)[-2:]
        else:
            low, high = 0, count
        start = sizes.get(low, 0.3 * sizes[count])
        each = max(1.0, (sizes[high] - start) / (high - low))
        count = int(np.clip(low + 0.98 * (room - start) / each, 1, 400))
        if count in sizes:
            break
    if best is None:
        return fit(1)
    return best[1]


def hard_student(X: np.ndarray, y: np.ndarray, n_classes: int, room: float, seed: int) -> Any:
    """Picked by cross-validated accuracy on the labels there are."""
    full = trees_within(
        lambda count: make_student(count, n_classes, HELD_BACK[0][0], seed).fit(X, y), room
    )
    count = min(5, int(np.bincount(y).max()))  # a hundred labels of 26 classes are four of each
    folds = list(StratifiedKFold(count, shuffle=True, random_state=seed).split(X, y))
    scores = []
    for l2_regularization, share in HELD_BACK:
        right = []
        for fit, pick in folds:
            model = make_student(
                max(1, int(share * full.n_estimators_)), n_classes, l2_regularization, seed
            )
            model.fit(X[fit], y[fit])
            right.append((model.predict(X[pick]) == y[pick]).mean())
        scores.append(np.mean(right))
    l2_regularization, share = HELD_BACK[int(np.argmax(scores))]
    return trees_within(
        lambda count: make_student(count, n_classes, l2_regularization, seed).fit(X, y),
        share * room,
    )


def distilled_student(
    teacher: Any, X: np.ndarray, y: Any, rest: Any, n_classes: int, room: float, seed: int
) -> Any:
    """Learns from labels and teacher where there are labels, from the teacher on the rest."""

    def fit(count: int) -> Any:
        student = make_student(count, n_classes, TAUGHT, seed)
        model = DistilledClassifier(
            teacher,
            student,
            temperature="auto" if y is not None else 1.0,
            transfer_set=None,
            memory=memory,
            random_state=seed,
        )
        return model.fit(X, y, X_unlabeled=rest)

    with TemporaryDirectory() as memory:  # the teacher is fitted once
        return trees_within(fit, room)


def measure(
    table: Table, name: str, n_labels: int, seed: int, budgets: Any
) -> list[dict[str, Any]]:
    """Records of teacher and students for one draw of the labelled rows."""
    n_classes = len(np.unique(table.y_train))
    rows = np.arange(len(table.y_train))
    base = {"table": name, "labels": n_labels, "seed": seed}
    records = []
    if n_labels:
        given, others = train_test_split(
            rows, train_size=n_labels, stratify=table.y_train, random_state=seed
        )
        X, y = table.X_train[given], table.y_train[given]
        rest = table.X_train[others[:REST]]
        teacher = make_teacher(seed, n_labels)
        asked = teacher.fit(X, y)
    else:
        cap = min(ELSEWHERE, len(rows) // 2)
        there, here = train_test_split(
            rows, train_size=cap, stratify=table.y_train, random_state=seed
        )
        asked = make_teacher(seed, cap).fit(table.X_train[there], table.y_train[there])
        teacher = FrozenEstimator(asked)
        X, y, rest = table.X_train[here[:REST]], None, None
    records.append(base | {"model": TEACHER, "budget": 0} | figures(asked, table))
    for budget in budgets:
        room = budget - CODE
        started = time.perf_counter()
        taught = distilled_student(teacher, X, y, rest, n_classes, room, seed)
        models = {DISTILLED: (taught, time.perf_counter() - started)}
        if n_labels:
            started = time.perf_counter()
            plain = hard_student(X, y, n_classes, room, seed)
            models[HARD] = (plain, time.perf_counter() - started)
        for model, (fitted, seconds) in models.items():
            size = {"bytes": fitted.compact_.nbytes + CODE, "seconds": seconds}
            found = {"model": model, "budget": budget} | size | figures(fitted, table)
            records.append(base | found)
    return records


def figures(model: Any, table: Table) -> dict[str, float]:
    classes = np.unique(table.y_train)
    P = np.zeros((len(table.X_test), len(classes)))  # few labels may have no row of a rare class
    P[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(table.X_test)
    P = np.clip(P, np.finfo(np.float64).eps, 1)
    P /= P.sum(axis=1, keepdims=True)
    return {
        "accuracy": float(accuracy_score(table.y_test, model.predict(table.X_test))),
        "log_loss": float(log_loss(table.y_test, P, labels=classes)),
        "calibration": calibration_error(P, table.y_test, classes),
    }


def calibration_error(P: np.ndarray, y: np.ndarray, classes: np.ndarray) -> float:
    """Mean gap between confidence and accuracy, in bins of confidence of equal width.

    Guo et al. 2017, "On calibration of modern neural networks", equation 3.
    """
    sure, right = P.max(axis=1), classes[P.argmax(axis=1)] == y
    of_bin = np.minimum((sure * BINS).astype(int), BINS - 1)
    gap = np.bincount(of_bin, weights=sure - right, minlength=BINS)
    return float(np.abs(gap).sum() / len(y))


def mean(records: list[dict[str, Any]], measure: str, **asked: Any) -> float:
    """Over the seeds, then over the tables; NaN where there is nothing."""
    mine = [each for each in records if all(each[key] == asked[key] for key in asked)]
    tables = sorted({each["table"] for each in mine})
    means = [np.mean([each[measure] for each in mine if each["table"] == t]) for t in tables]
    return float(np.mean(means)) if means else np.nan


def report(results: dict[str, Any]) -> str:
    records = results["records"]
    return "\n\n".join(
        [*(_table(records, key) for key in MEASURES), "  \n".join(verdicts(records))]
    )


def _columns(records: list[dict[str, Any]]) -> list[tuple[str, int]]:
    budgets = sorted({each["budget"] for each in records} - {0})
    return [(model, budget) for budget in budgets for model in (HARD, DISTILLED)] + [(TEACHER, 0)]


def _table(records: list[dict[str, Any]], key: str) -> str:
    unit, decimals, label = MEASURES[key]
    columns = _columns(records)
    header = [f"{m}, {b // 1024} KB" if b else m for m, b in columns]
    tables = list(dict.fromkeys(each["table"] for each in records))
    rows = []
    for n_labels in sorted({each["labels"] for each in records}):
        for name in [*tables, None]:
            which = {} if name is None else {"table": name}
            cells = [
                mean(records, key, labels=n_labels, model=model, budget=budget, **which)
                for model, budget in columns
            ]
            told = ["" if np.isnan(cell) else f"{unit * cell:.{decimals}f}" for cell in cells]
            rows.append((name or "**mean**", n_labels or "none", *told))
    return markdown((label, "labels", *header), rows)


def verdicts(records: list[dict[str, Any]]) -> list[str]:
    """On how many tables the distilled student is better, and by how much on average."""
    lines = []
    tables = list(dict.fromkeys(each["table"] for each in records))
    for n_labels in sorted({each["labels"] for each in records} - {0}):
        for budget in sorted({each["budget"] for each in records} - {0}):
            told = []
            for key, (unit, decimals, label) in MEASURES.items():
                sign = 1 if key == "accuracy" else -1
                change = [
                    mean(records, key, table=t, labels=n_labels, model=DISTILLED, budget=budget)
                    - mean(records, key, table=t, labels=n_labels, model=HARD, budget=budget)
                    for t in tables
                ]
                better = sum(sign * each > 0 for each in change)
                told.append(
                    f"{label.split(',')[0]} {unit * np.mean(change):+.{decimals}f} "
                    f"(better on {better} of {len(tables)})"
                )
            lines.append(f"{n_labels} labels, {budget // 1024} KB: distilled {', '.join(told)}")
    return lines


def picture(records: list[dict[str, Any]], path: Path) -> None:
    """Mean of the tables against the number of labels, a panel a measure."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    labels = sorted({each["labels"] for each in records} - {0})
    budgets = sorted({each["budget"] for each in records} - {0})
    colours = {HARD: "#b0552f", DISTILLED: "#1f6f8b", TEACHER: "#8a8a8a"}
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": "skdistill",
        "font.size": 9,
        "font.family": "sans-serif",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with plt.rc_context(style):
        figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.9), layout="constrained")
        for ax, (key, (unit, _, title)) in zip(axes, MEASURES.items(), strict=True):
            for model, budget in _columns(records):
                told = [
                    unit * mean(records, key, labels=n, model=model, budget=budget) for n in labels
                ]
                line = "--" if model == TEACHER else "-" if budget == budgets[-1] else ":"
                size = f", {budget // 1024} KB" if budget else " (megabytes)"
                ax.plot(
                    labels, told, line, color=colours[model], marker="o", ms=3, label=model + size
                )
            ax.set_xscale("log")
            ax.set_xticks(labels, [f"{n:,}" for n in labels])
            ax.minorticks_off()
            ax.set_xlabel("labels")
            ax.set_title(title, loc="left", fontsize=9)
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=5, frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None}, transparent=False)
        plt.close(figure)


def parse() -> argparse.Namespace:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--draws", type=int, metavar="N", help=f"default: {SEEDS}")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where the SVG goes")
    parser.add_argument(
        "--resume", action="store_true", help="keep the draws that OUTPUT holds already"
    )
    args = parser.parse_args()
    if args.quick:
        args.data = None
    args.draws = args.draws or (1 if args.quick else SEEDS)
    args.sets = choose_sets(args, SHIPPED[:1] if args.quick else SHIPPED)
    args.budgets = BUDGETS[:1] if args.quick else BUDGETS
    return args


def main() -> None:
    args = parse()
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    warnings.filterwarnings("ignore", message="The least populated class")
    results: dict[str, Any] = {"records": []}
    if args.resume and args.output.exists():
        results["records"] = json.loads(args.output.read_text())["records"]
    done = {(each["table"], each["labels"], each["seed"]) for each in results["records"]}
    labels = LABELS[:2] if args.quick else LABELS
    todo = [
        (name, n, seed)
        for seed in range(args.draws)
        for name in args.sets
        for n in labels
        if (name, n, seed) not in done
    ]
    bar = tqdm(todo)
    for name, n_labels, seed in bar:
        bar.set_description(f"{name}, {n_labels} labels")
        table = load(name, args.data)
        if n_labels > len(table.y_train) // 2:
            continue
        results["records"] += measure(table, name, n_labels, seed, args.budgets)
        save(args.output, results)
    if args.picture is not None:
        picture(results["records"], args.picture)
    print(report(results))


if __name__ == "__main__":
    main()
