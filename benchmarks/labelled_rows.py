"""What more rows bring that only the teacher has labelled, from a thousand to a million.

The teacher is fitted on `TAUGHT` labelled rows. The student sees what the teacher says of n other
rows: those of the table first, then synthetic ones, which MUNGE makes of them. Beside it stands
the student of the same bytes that learns the labels of the teacher's rows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from _common import markdown, options, save
from _tables import Table, add_data_options, choose_sets, load
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from tqdm import tqdm

from skdistill import Munge, SoftBoostingClassifier

SHIPPED = ("digits",)  # where there is no directory of tables
BYTES, ROWS, DRAWS, TAUGHT = (1024, 2048, 4096), (1_000, 10_000, 100_000, 1_000_000), 3, 4_000
LABELLED_AT_ONCE = 100_000


def make_teacher(seed: int) -> VotingClassifier:
    boosted = LGBMClassifier(n_estimators=150, random_state=seed, verbose=-1)
    forest = ExtraTreesClassifier(200, min_samples_leaf=2, random_state=seed, n_jobs=-1)
    return VotingClassifier([("forest", forest), ("boosted", boosted)], voting="soft")


def other_rows(X: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most so many rows: those of a table, then synthetic ones."""
    if most <= len(X):
        return X[:most]
    each = -(-(most - len(X)) // len(X))
    return np.concatenate([X, Munge(n_per_sample=each).sample(X, random_state=seed)])[:most]


def measure(table: Table, rows: list[int], seed: int, bar: tqdm) -> dict[str, Any]:
    """Test accuracy of one draw of the teacher's rows."""
    order = np.random.default_rng(seed).permutation(len(table.X_train))
    n_taught = min(TAUGHT, len(order) // 2)
    taught, others = order[:n_taught], order[n_taught:]
    X, y = table.X_train[taught], table.y_train[taught]
    teacher = make_teacher(seed).fit(X, y)
    X_more = other_rows(table.X_train[others], max(rows), seed)
    starts = range(0, len(X_more), LABELLED_AT_ONCE)
    P = np.concatenate([teacher.predict_proba(X_more[s : s + LABELLED_AT_ONCE]) for s in starts])
    said = teacher.predict(table.X_test)
    result: dict[str, Any] = {
        "seed": seed,
        "teacher": float((said == table.y_test).mean()),
        "students": [],
    }
    for max_bytes in BYTES:
        student = SoftBoostingClassifier(max_bytes=max_bytes, random_state=seed)
        hard = student.fit(X, y).score(table.X_test, table.y_test)
        entry: dict[str, Any] = {"bytes": max_bytes, "hard_labels": float(hard), "rows": []}
        for n in rows:
            answers = student.fit(X_more[:n], P[:n], classes=teacher.classes_).predict(table.X_test)
            entry["rows"].append(
                {
                    "n": n,
                    "accuracy": float((answers == table.y_test).mean()),
                    "fidelity": float((answers == said).mean()),
                }
            )
            bar.update()
        result["students"].append(entry)
    return result


def report(results: dict[str, Any]) -> str:
    sizes = [f"{each['n']:,}" for each in results["tables"][0]["draws"][0]["students"][0]["rows"]]
    lines = []
    for table in results["tables"]:
        draws = table["draws"]
        teacher = np.mean([draw["teacher"] for draw in draws])
        for k, student in enumerate(draws[0]["students"]):
            same = [draw["students"][k] for draw in draws]
            hard = np.mean([each["hard_labels"] for each in same])
            reached = np.mean([[e["accuracy"] for e in each["rows"]] for each in same], axis=0)
            cells = [f"{100 * value:.1f}" for value in (hard, *reached, teacher)]
            lines.append((table["name"], f"{student['bytes']:,}", f"{table['real']:,}", *cells))
    header = ("accuracy, %", "bytes", "real rows", "hard labels", *sizes, "teacher")
    return markdown(header, lines)


def plot(results: dict[str, Any], path: Path) -> None:
    """Accuracy against labelled rows, a line for each size."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
    import matplotlib.pyplot as plt

    tables = results["tables"]
    figure, axes = plt.subplots(
        1, len(tables), figsize=(3.75 * len(tables), 3.0), layout="constrained", squeeze=False
    )
    for ax, table in zip(axes[0], tables, strict=True):
        draws = table["draws"]
        for k, student in enumerate(draws[0]["students"]):
            rows = [draw["students"][k]["rows"] for draw in draws]
            n = [each["n"] for each in rows[0]]
            mean = 100 * np.mean([[each["accuracy"] for each in one] for one in rows], axis=0)
            ax.plot(n, mean, marker="o", label=f"{student['bytes'] // 1024} KB")
        teacher = 100 * np.mean([draw["teacher"] for draw in draws])
        ax.axhline(teacher, linewidth=0.8, color="grey", label="teacher")
        ax.axvline(table["real"], linewidth=0.8, linestyle=":", color="grey")
        ax.set(xscale="log", xlabel="rows that the teacher labelled", title=table["name"])
    axes[0, 0].set_ylabel("test accuracy, %")
    axes[0, 0].legend(frameon=False, fontsize="small")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    add_data_options(parser)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--seeds", type=int, default=DRAWS, help="draws of the teacher's rows")
    parser.add_argument("--resume", action="store_true", help="keep the draws of --output")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="where the picture goes (SVG)")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.seeds = [200, 2_000], 1
    rows, names = sorted(args.rows), choose_sets(args, SHIPPED)
    results: dict[str, Any] = {"tables": []}
    if args.resume and args.output.exists():
        results["tables"] = json.loads(args.output.read_text())["tables"]
    known = {table["name"]: table for table in results["tables"]}
    with tqdm(desc="labelled rows", total=len(names) * args.seeds * len(BYTES) * len(rows)) as bar:
        for name in names:
            table = load(name, args.data)
            n_train = len(table.X_train)
            entry = known.setdefault(
                name, {"name": name, "real": n_train - min(TAUGHT, n_train // 2), "draws": []}
            )
            if entry not in results["tables"]:
                results["tables"].append(entry)
            done = {draw["seed"] for draw in entry["draws"]}
            for seed in range(args.seeds):
                if seed not in done:
                    entry["draws"].append(measure(table, rows, seed, bar))
                    save(args.output, results)
    print(report(results))
    if args.plot:
        plot(results, args.plot)


if __name__ == "__main__":
    main()
