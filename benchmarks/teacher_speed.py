"""How fast teachers label 200,000 rows x 30 columns x 7 classes, by which way.

The teacher's own method, the way that the package takes, and others that were looked at, in turn.
Seconds of one thread are those of the processor, of two threads those of the clock. Each number of
threads has a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from _common import markdown, options, save
from tqdm import tqdm

COLUMNS, CLASSES, TRAINING_ROWS, ROWS = 30, 7, 20_000, 200_000
SIZES = (1_000, 4_000, 16_000, 65_536, 200_000)
CHUNKED = ("random forest, 100 trees", "LightGBM")
OWN, OURS = "its own method", "compiled loops"


def rows_of(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    W = np.random.default_rng(0).normal(size=(COLUMNS, CLASSES)).astype(np.float32)
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, COLUMNS)).astype(np.float32)
    return X, (2 * np.tanh(X @ W) + rng.gumbel(size=(n, CLASSES))).argmax(axis=1)


def teachers(quick: bool) -> dict[str, Any]:
    from catboost import CatBoostClassifier
    from lightgbm import LGBMClassifier
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from xgboost import XGBClassifier

    divisor = 10 if quick else 1
    forest = {"random_state": 0, "n_jobs": 2}
    return {
        "random forest, 100 trees": RandomForestClassifier(100 // divisor, **forest),
        "500 trees, 8 rows a leaf": RandomForestClassifier(
            500 // divisor, min_samples_leaf=8, **forest
        ),
        "extra trees, 100 trees": ExtraTreesClassifier(100 // divisor, **forest),
        "HistGradientBoosting": HistGradientBoostingClassifier(
            max_iter=100 // divisor, early_stopping=False
        ),
        "GradientBoosting": GradientBoostingClassifier(
            n_estimators=50 // divisor, subsample=0.3, random_state=0
        ),
        "LightGBM": LGBMClassifier(n_estimators=100 // divisor, verbose=-1),
        "XGBoost": XGBClassifier(n_estimators=100 // divisor),
        "CatBoost": CatBoostClassifier(
            iterations=200 // divisor, verbose=0, allow_writing_files=False
        ),
    }


def ways(name: str, teacher: Any, X: np.ndarray, threads: int) -> dict[str, Callable[[], Any]]:
    """Calls that answer for all rows; what can be made before is made before."""
    from skdistill.teachers.fast_response import respond, way_of

    found: dict[str, Callable[[], Any]] = {OWN: lambda: teacher.predict_proba(X)}
    respond(teacher, "predict_proba", X[:60_000])  # lays out the trees
    if way_of(teacher).endswith("compiled loops"):
        found[OURS] = lambda: respond(teacher, "predict_proba", X)
    if name == "LightGBM":
        booster = teacher.booster_
        found["Booster.predict"] = lambda: booster.predict(X, num_threads=threads)
    if name == "XGBoost":
        import xgboost

        booster = teacher.get_booster()
        found["inplace_predict"] = lambda: booster.inplace_predict(X)
        found["DMatrix"] = lambda: booster.predict(xgboost.DMatrix(X, nthread=threads))
    if name == "CatBoost":
        import catboost

        pool = catboost.Pool(X)
        found[OWN] = lambda: teacher.predict_proba(X, thread_count=threads)
        found["Pool made before"] = lambda: teacher.predict_proba(pool, thread_count=threads)
    if name == "500 trees, 8 rows a leaf":
        found["ONNX Runtime, float32"] = onnx_way(teacher, X, threads)
    return found


def onnx_way(teacher: Any, X: np.ndarray, threads: int) -> Callable[[], Any]:
    import onnxruntime
    from skl2onnx import to_onnx

    graph = to_onnx(teacher, X[:1], options={"zipmap": False})
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph.SerializeToString(), session_options)
    return lambda: session.run(["probabilities"], {"X": X})[0]


def measure(path: Path, threads: int, n: int, rounds: int) -> dict[str, Any]:
    """One teacher in this process."""
    from threadpoolctl import threadpool_limits

    saved = joblib.load(path)
    name, teacher = saved["name"], saved["teacher"]
    if "n_jobs" in teacher.get_params():
        teacher.set_params(n_jobs=threads)
    X, _ = rows_of(n, 2)
    with threadpool_limits(threads):
        contestants = ways(name, teacher, X, threads)
        clock = time.process_time if threads == 1 else time.perf_counter
        seconds: dict[str, list[float]] = {way: [] for way in contestants}
        answers = {}
        for way, ask in list(contestants.items()) * rounds:
            start = clock()
            answers[way] = ask()
            seconds[way].append(clock() - start)
        result: dict[str, Any] = {"teacher": name, "threads": threads, "ways": {}, "chunks": []}
        for way, took in seconds.items():
            differs = float(np.abs(answers[way] - answers[OWN]).max())
            rate = n / statistics.median(took)
            result["ways"][way] = {"rows_a_second": rate, "largest_difference": differs}
        if name in CHUNKED and threads == 1:
            result["chunks"] = in_chunks(teacher, X)
    return result


def in_chunks(teacher: Any, X: np.ndarray) -> list[list[float]]:
    """Rows a second of the way that is taken, by the rows of a call."""
    from skdistill.teachers.fast_response import respond

    rates = []
    for size in SIZES:
        if size > len(X):
            continue
        start = time.process_time()
        for first in range(0, len(X), size):
            respond(teacher, "predict_proba", X[first : first + size])
        rates.append([size, len(X) / (time.process_time() - start)])
    return rates


def report(results: dict[str, Any]) -> str:
    rows = []
    by_key = {(each["teacher"], each["threads"]): each for each in results["measured"]}
    for name in dict.fromkeys(each["teacher"] for each in results["measured"]):
        one, two = by_key[name, 1]["ways"], by_key[name, 2]["ways"]
        for way in one:
            rates = [each[way]["rows_a_second"] for each in (one, two)]
            own = [each[OWN]["rows_a_second"] for each in (one, two)]
            gains = [ours / theirs for ours, theirs in zip(rates, own, strict=True)]
            gain = "" if way == OWN else f"{gains[0]:.1f}, {gains[1]:.1f}"
            differs = "" if way == OWN else f"{one[way]['largest_difference']:.1g}"
            cells = (f"{rate:,.0f}" for rate in rates)
            rows.append((name if way == OWN else "", way, *cells, gain, differs))
    header = ("teacher", "way", "rows/s, 1 thread", "2 threads", "times as fast", "differs by")
    parts = [markdown(header, rows)]
    chunked = [each for each in results["measured"] if each["chunks"]]
    if chunked:
        lines = [
            (each["teacher"], *(f"{rate:,.0f}" for _, rate in each["chunks"])) for each in chunked
        ]
        sizes = (f"{size:,.0f}" for size, _ in chunked[0]["chunks"])
        parts.append(markdown(("rows of a call", *sizes), lines))
    return "\n\n".join(parts)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--teachers", nargs="+", metavar="NAME", help="some of them")
    parser.add_argument("--task", nargs=3, help="for the benchmark's own processes")
    args = parser.parse_args()
    n = 8_000 if args.quick else ROWS
    if args.task:
        path, threads, rounds = args.task
        print(json.dumps(measure(Path(path), int(threads), n, int(rounds))))
        return
    results: dict[str, Any] = {"rows": n, "measured": []}
    X, y = rows_of(2_000 if args.quick else TRAINING_ROWS, 1)
    models = teachers(args.quick)
    models = {name: models[name] for name in args.teachers or models}
    with tempfile.TemporaryDirectory() as folder, tqdm(total=3 * len(models)) as bar:
        for name, model in models.items():
            path = Path(folder) / "teacher.joblib"
            joblib.dump({"name": name, "teacher": model.fit(X, y)}, path)
            bar.update()
            for threads in (1, 2):
                names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
                environment = os.environ | dict.fromkeys(names, str(threads))
                task = [sys.executable, __file__, "--task", str(path), str(threads)]
                command = [*task, str(args.rounds)] + ["--quick"] * args.quick
                done = subprocess.run(command, capture_output=True, text=True, env=environment)
                if done.returncode:
                    raise RuntimeError(f"{name} failed:\n{done.stderr[-2000:]}")
                results["measured"].append(json.loads(done.stdout.splitlines()[-1]))
                bar.update()
                save(args.output, results)
    print(report(results))


if __name__ == "__main__":
    main()
