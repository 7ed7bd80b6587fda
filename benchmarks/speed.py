"""How fast students grow, boost and answer, beside other libraries, on one thread and on all.

Random soft targets, n rows x 30 columns x 7 classes. All contestants of a table take turns, and the
least of their times counts: the machine may have other work.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from _common import alternate, markdown, options, save
from _speed_peers import LEAVES, ROUNDS, boosters, cart, onnx_runtime, predictors
from grow import LEAVES as BIG
from grow import random_problem
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from skdistill import Munge, SoftBoostingClassifier, SoftNetClassifier, SoftTreeClassifier
from skdistill.quantization.binning import fit_grid
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.splitting import SQUARED_ERROR

BYTES = 4096
UNITS = (60, 30)  # about as many bytes
TEACHER_ROWS = 20_000  # that the models of the table of predictions are fitted on

MEMORY = """
import ctypes, sys
sys.path.insert(0, "benchmarks")
from grow import random_problem
from skdistill import SoftBoostingClassifier
def kilobytes(name):
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])
X, P = random_problem(int(sys.argv[1]))
student = SoftBoostingClassifier(16, max_leaf_nodes=8, random_state=0)
student.fit(X[:40_000], P[:40_000])  # loads what is compiled for many rows
ctypes.CDLL("libc.so.6").malloc_trim(0)  # so that none of its memory is there for the next fit
open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew
before = kilobytes("VmRSS")
student.fit(X, P)
print((kilobytes("VmHWM") - before) * 1024 / len(X))
"""


def labels_of(P: np.ndarray) -> np.ndarray:
    """Labels drawn from the probabilities, for libraries that learn no soft ones."""
    return (P.cumsum(axis=1) > np.random.default_rng(1).random((len(P), 1))).argmax(axis=1)


def tree(X: np.ndarray, P: np.ndarray) -> Any:
    return SoftTreeClassifier(max_leaf_nodes=BIG).fit(X, P)


def boosted(X: np.ndarray, P: np.ndarray) -> Any:
    return SoftBoostingClassifier(ROUNDS, max_leaf_nodes=LEAVES, random_state=0).fit(X, P)


def least(runs: dict[str, Callable[[], Any]], rounds: int, bar: tqdm) -> dict[str, float]:
    """Least seconds of each contestant."""
    seconds, _ = alternate(runs, rounds, bar)
    return {name: min(taken) for name, taken in seconds.items()}


def measure_growing(n: int, n_threads: int, rounds: int, bar: tqdm) -> dict[str, Any]:
    X, P = random_problem(n)
    seconds, fitted = alternate(
        {"skdistill": partial(tree, X, P), "scikit-learn": cart(X, P)}, rounds, bar
    )
    answers = {
        "skdistill": fitted["skdistill"].predict_proba(X),
        "scikit-learn": fitted["scikit-learn"].predict(X),
    }
    ratios = [theirs / ours for ours, theirs in zip(*seconds.values(), strict=True)]
    return {
        "rows": n,
        "threads": n_threads,
        "seconds": {name: min(taken) for name, taken in seconds.items()},
        "times_as_fast": statistics.median(ratios),
        "training_mse": {name: float(((Q - P) ** 2).mean()) for name, Q in answers.items()},
    }


def measure_boosting(n: int, n_threads: int, rounds: int, bar: tqdm) -> dict[str, Any]:
    X, P = random_problem(n)
    runs = {"skdistill": partial(boosted, X, P), **boosters(X, labels_of(P), n_threads)}
    return {"rows": n, "threads": n_threads, "seconds": least(runs, rounds, bar)}


def measure_prediction(n: int, n_threads: int, rounds: int, bar: tqdm) -> dict[str, Any]:
    X, P = random_problem(n)
    fit_on = X[:TEACHER_ROWS], P[:TEACHER_ROWS]
    student = SoftBoostingClassifier(max_bytes=BYTES, random_state=0).fit(*fit_on)
    net = SoftNetClassifier(UNITS, max_iter=1, random_state=0).fit(*fit_on)
    n_trees, failed = len(student.compact_.tables[0].roots), {}
    runs: dict[str, Callable[[], Any]] = {
        "skdistill, boosted: scores": lambda: student.compact_.scores(X),
        "skdistill, boosted: probabilities": lambda: student.predict_proba(X),
        f"skdistill, net of {net.compact_.nbytes:,} bytes: scores": lambda: net.compact_.scores(X),
        "ONNX Runtime, the same boosted student": onnx_runtime(student.to_onnx(), X, n_threads),
    }
    peers = predictors(X, labels_of(P), n_trees, n_threads, failed)
    runs |= {f"{name}, as many trees": run for name, run in peers.items()}
    return {
        "rows": n,
        "threads": n_threads,
        "trees": n_trees,
        "bytes": student.compact_.nbytes,
        "million_rows_a_second": {
            name: n / taken / 1e6 for name, taken in least(runs, rounds, bar).items()
        },
        "do_not_run": failed,
    }


def stages(n: int) -> dict[str, Callable[[], Any]]:
    """What a fit and an answer are made of."""
    X, P = random_problem(n)
    weight, grid = np.ones(n), fit_grid(X, 8)
    codes, row_stats = grid.encode(X), to_fixed_point(P, weight)
    limits = {"max_leaf_nodes": BIG, "max_depth": n, "min_samples_leaf": 1}
    student = SoftBoostingClassifier(max_bytes=BYTES, random_state=0).fit(X[:5000], P[:5000])
    mixed = np.column_stack([X[:10_000], np.arange(len(X[:10_000])) % 5])
    munge = Munge(n_per_sample=1, categorical_features=[30])
    return {
        "binning": lambda: fit_grid(X, 8),
        "encoding": lambda: grid.encode(X),
        "growing a tree": lambda: grow_tree(
            codes, grid.counts, row_stats, criterion=SQUARED_ERROR, **limits
        ),
        "boosting with refit": partial(boosted, X, P),
        "prediction": lambda: student.compact_.scores(X),
        "MUNGE with categories, 10,000 rows": lambda: munge.sample(mixed, random_state=0),
    }


def measure_stages(n: int, n_threads: int, rounds: int, bar: tqdm) -> dict[str, Any]:
    """Each stage on one thread and on all, in turn."""

    def on(threads: int, run: Callable[[], Any]) -> Any:
        numba.set_num_threads(threads)
        return run()

    seconds = {}
    for name, run in stages(n).items():
        both = {"one": partial(on, 1, run), "all": partial(on, n_threads, run)}
        seconds[name] = least(both, rounds, bar)
    numba.set_num_threads(n_threads)
    return {"rows": n, "threads": n_threads, "seconds": seconds}


def bytes_a_row(n: int) -> float:
    """Memory of a fit beyond rows and targets that are there already, in a fresh Linux process."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(n)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def report(results: dict[str, Any]) -> str:
    growing = [
        (
            f"{each['rows']:,}",
            each["threads"],
            *(f"{each['seconds'][name]:.3g}" for name in ("skdistill", "scikit-learn")),
            f"{each['times_as_fast']:.1f}",
        )
        for each in results["growing"]
    ]
    names = ("skdistill", "LightGBM", "XGBoost")
    boosting = [
        (
            f"{each['rows']:,}",
            each["threads"],
            *(f"{each['seconds'][name]:.2f}" if name in each["seconds"] else "" for name in names),
        )
        for each in results["boosting"]
    ]
    first = results["prediction"][0]
    predicted = [
        (name, *(f"{each['million_rows_a_second'][name]:.2f}" for each in results["prediction"]))
        for name in first["million_rows_a_second"]
    ]
    threads = [
        f"{each['threads']} thread{'s' * (each['threads'] > 1)}" for each in results["prediction"]
    ]
    memory = [
        f"Boosting {each['rows']:,} rows takes {each['bytes_a_row']:.0f} bytes a row beyond "
        "what is passed; 94 of them are codes, targets and weights."
        for each in results["memory"]
    ]
    failed = [f"{name} does not run here ({error})." for name, error in first["do_not_run"].items()]
    parts = [
        markdown(
            (f"{BIG} leaves: rows", "threads", "skdistill, s", "CART, s", "times as fast"), growing
        ),
        markdown(
            (
                f"{ROUNDS} rounds, {LEAVES} leaves: rows",
                "threads",
                *(f"{name}, s" for name in names),
            ),
            boosting,
        ),
        markdown(
            (
                f"million rows a second; {first['trees']} trees, {first['bytes']:,} bytes",
                *threads,
            ),
            predicted,
        ),
        *([_stage_table(results["stages"])] if "stages" in results else []),
        "  \n".join([*memory, *failed]),
    ]
    return "\n\n".join(parts)


def _stage_table(scaled: dict[str, Any]) -> str:
    rows = [
        (name, f"{each['one']:.3g}", f"{each['all']:.3g}", f"{each['one'] / each['all']:.2f}")
        for name, each in scaled["seconds"].items()
    ]
    threads = f"{scaled['threads']} threads"
    return markdown((f"seconds of {scaled['rows']:,} rows", "1 thread", threads, "ratio"), rows)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--tree-sizes", type=int, nargs="+", default=[2_000, 500_000])
    parser.add_argument("--rounds", type=int, default=5)
    most = numba.get_num_threads()
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, most}))
    args = parser.parse_args()
    if args.quick:
        args.sizes, args.tree_sizes, args.rounds = [5_000], [2_000], 2
    results: dict[str, Any] = {"growing": [], "boosting": [], "prediction": [], "memory": []}
    kinds = (
        ("growing", measure_growing, args.tree_sizes),
        ("boosting", measure_boosting, args.sizes),
        ("prediction", measure_prediction, args.sizes[:1]),
    )
    boosted(*random_problem(3000))  # compiles
    tree(*random_problem(3000))
    with tqdm(desc="speed") as bar:
        for n_threads in args.threads:
            numba.set_num_threads(n_threads)
            with threadpool_limits(n_threads):
                for kind, measure, sizes in kinds:
                    for n in sizes:
                        results[kind].append(measure(n, n_threads, args.rounds, bar))
                        save(args.output, results)
                        gc.collect()
        if len(args.threads) > 1:
            results["stages"] = measure_stages(args.sizes[0], args.threads[-1], args.rounds, bar)
    for n in args.sizes:
        results["memory"].append({"rows": n, "bytes_a_row": bytes_a_row(n)})
    save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
