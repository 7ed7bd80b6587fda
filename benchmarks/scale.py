"""How time and memory grow with the rows, up to ten million, and what a second worker brings.

Growing: soft targets in chunks that are made anew in each pass, n rows x 30 columns x 7 classes,
reading them included and apart; XGBoost's vector leaves beside it, on arrays in memory. Each size
runs in a fresh process, whose peak memory is that of the fit. MUNGE: n rows x 20 columns.
Dask: workers of one thread each; one is killed in the middle of a fit.
"""

from __future__ import annotations

import ctypes
import gc
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _common import markdown, options, save
from tqdm import tqdm

COLUMNS, CLASSES, LEAVES, CHUNK = 30, 7, 64, 16_384
XGBOOST = {
    "tree_method": "hist",
    "multi_strategy": "multi_output_tree",
    "grow_policy": "lossguide",
    "max_leaves": LEAVES,
    "max_depth": 0,
    "learning_rate": 1.0,
    "reg_lambda": 0.0,
}


def chunk_of(number: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and soft targets; the same for a number whenever they are made."""
    W = np.random.default_rng(0).normal(size=(COLUMNS, CLASSES)).astype(np.float32)
    X = np.random.default_rng(number + 1).normal(size=(n, COLUMNS)).astype(np.float32)
    P = np.exp(np.tanh(X @ W))
    return X, P / P.sum(axis=1, keepdims=True, dtype=np.float64)


def reader(n: int) -> Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]:
    """A source of n rows."""

    def read() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number, first in enumerate(range(0, n, CHUNK)):
            yield chunk_of(number, min(CHUNK, n - first))

    return read


def kilobytes(name: str) -> int:
    """A line of the state of this process, on Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def measured(run: Callable[[], Any], n: int) -> dict[str, float]:
    """Seconds, and bytes a row at the peak beyond what there was before."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what earlier fits have freed is not there for this one
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, start = kilobytes("VmRSS"), time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "bytes_a_row": (kilobytes("VmHWM") - before) * 1024 / n}


def grow(n: int, kind: str) -> dict[str, float]:
    """One contestant, in this process."""
    from skdistill import Chunks, SoftBoostingClassifier, SoftTreeClassifier

    if kind == "xgboost":
        return grow_xgboost(n)
    students = {
        "tree": SoftTreeClassifier(max_leaf_nodes=LEAVES),
        "boosted": SoftBoostingClassifier(16, max_leaf_nodes=8, random_state=0),
    }
    student = students[kind]
    # Kernels of both ways are compiled, or read from disk, before time counts.
    student.fit(Chunks(reader(20_000)))
    student.fit(Chunks(reader((1 << 20) + 1 if n > 1 << 20 else 20_000), max_samples=10_000))
    start = time.perf_counter()
    n_read = sum(len(X) for X, _ in reader(n)())
    reading = time.perf_counter() - start
    assert n_read == n
    result = measured(lambda: student.fit(Chunks(reader(n))), n)
    passes = 1 if n <= 1 << 16 else 2
    return result | {"passes": passes, "reading": passes * reading}


def grow_xgboost(n: int) -> dict[str, float]:
    """XGBoost on arrays, which are there before time counts."""
    import numba
    import xgboost

    X, P = (np.concatenate(each) for each in zip(*reader(n)(), strict=True))

    def run() -> Any:
        threads = {"nthread": numba.get_num_threads()}
        rows = xgboost.QuantileDMatrix(X, P, **threads)
        return xgboost.train(XGBOOST | threads, rows, num_boost_round=1)

    return measured(run, n) | {"passes": 0, "reading": 0.0}


def munge(n: int, _: str) -> dict[str, float]:
    """As many synthetic rows as there are rows."""
    from skdistill import Munge

    X = np.random.default_rng(0).normal(size=(n, 20)).astype(np.float32)
    return measured(lambda: Munge(n_per_sample=1).sample(X, random_state=0), n)


def cluster(n: int, n_workers: int, kills: bool) -> dict[str, Any]:
    """A tree on Dask: seconds without the start of the cluster, and the bytes of the model."""
    import dask.array as da
    from distributed import Client, LocalCluster

    from skdistill import SoftTreeClassifier
    from skdistill.compact.file_format import to_bytes
    from skdistill.distributed import DaskChunks

    size = -(-n // 8)
    sizes = [size] * 7 + [n - 7 * size]
    from dask import delayed

    parts = [delayed(chunk_of)(number, rows) for number, rows in enumerate(sizes)]
    tables = [
        da.concatenate(
            [
                da.from_delayed(part[which], (rows, width), dtype=dtype)
                for part, rows in zip(parts, sizes, strict=True)
            ]
        )
        for which, width, dtype in ((0, COLUMNS, np.float32), (1, CLASSES, np.float64))
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=":0",
            local_directory=folder,
        ) as local,
        Client(local) as client,
    ):

        class Killed(DaskChunks):
            """Loses a worker when its partitions are coded."""

            def load(self, encode: Any, n_samples: int) -> Any:
                from distributed import wait

                rows = super().load(encode, n_samples)
                if kills:
                    wait(rows._shards)
                    next(iter(local.workers.values())).process.process.kill()
                return rows

        student = SoftTreeClassifier(max_leaf_nodes=LEAVES)
        student.fit(DaskChunks(*(t[: 8 * 500] for t in tables), max_samples=500))  # compiles
        client.run(lambda: None)
        start = time.perf_counter()
        student.fit(Killed(*tables))
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "model": to_bytes(student.compact_).hex()}


def in_process(task: str, n: int, kind: str) -> dict[str, Any]:
    """A task in a fresh process."""
    command = [sys.executable, __file__, "--task", task, str(n), kind]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{task} of {n:,} rows, {kind}, failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(results: dict[str, Any]) -> str:
    rows = []
    for each in results["growing"]:
        own = each["seconds"] - each["reading"]
        beside = each.get("xgboost_seconds")
        rows.append(
            (
                each["kind"],
                f"{each['rows']:,}",
                f"{each['seconds']:.1f}",
                f"{own:.1f}",
                "" if beside is None else f"{beside:.1f}",
                "" if beside is None else f"{beside / own:.1f}",
                f"{each['bytes_a_row']:.0f}",
            )
        )
    header = (
        "student",
        "rows",
        "s",
        "without reading, s",
        "XGBoost, s",
        "times as fast",
        "peak bytes a row",
    )
    parts = [markdown(header, rows)]
    grown = [(f"{k}", f"{a:,} to {b:,}", f"{x:.1f}") for k, a, b, x in results["growth"]]
    parts.append(markdown(("student", "rows", "times as long"), grown))
    made = [(f"{e['rows']:,}", f"{e['seconds']:.1f}") for e in results["munge"]]
    parts.append(markdown(("MUNGE: rows", "s"), made))
    if results["dask"]:
        dask = results["dask"]
        lines = [(name, f"{dask[name]['seconds']:.1f}") for name in ("1 worker", "2 workers")]
        killed = dask["2 workers, one killed"]
        lines.append(("2 workers, one killed", f"{killed['seconds']:.1f}"))
        parts.append(markdown((f"Dask, {dask['rows']:,} rows", "s"), lines))
        same = "the same" if dask["equal"] else "NOT the same"
        parts.append(f"All models are {same}, bit for bit, as that of one process.")
        parts.append(_ten_billion(dask["rows"] / dask["1 worker"]["seconds"]))
    return "\n\n".join(parts)


def _ten_billion(rate: float) -> str:
    """What 100 workers need for 10 billion rows, if each is as fast as the one measured."""
    rows = 10_000_000_000 // 100
    coded = COLUMNS + 2 * (CLASSES + 1)  # bytes of a row, see docs/guide/scale.md
    lines = [
        ("rows", f"{rows:,}"),
        ("codes and targets", f"{rows * coded / 1e9:.1f} GB"),
        ("reading three times, coding, growing", f"{rows / rate:,.0f} s"),
        ("histograms sent", f"{(LEAVES - 1) * 257 * COLUMNS * (CLASSES + 1) * 8 / 1e6:.0f} MB"),
    ]
    return markdown(("10 billion rows on 100 workers: each", ""), lines)


def plot(results: dict[str, Any], path: Path) -> None:
    """Seconds and peak bytes a row against rows."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(7.5, 3.0), layout="constrained")
    for kind in dict.fromkeys(each["kind"] for each in results["growing"]):
        mine = [each for each in results["growing"] if each["kind"] == kind]
        rows = [each["rows"] for each in mine]
        axes[0].plot(rows, [e["seconds"] - e["reading"] for e in mine], marker="o", label=kind)
        axes[1].plot(rows, [e["bytes_a_row"] for e in mine], marker="o")
    beside = [
        (each["rows"], each["xgboost_seconds"])
        for each in results["growing"]
        if "xgboost_seconds" in each
    ]
    if beside:
        axes[0].plot(*zip(*beside, strict=True), marker="s", label="XGBoost, one tree")
    if results["munge"]:
        made = [(each["rows"], each["seconds"]) for each in results["munge"]]
        axes[0].plot(*zip(*made, strict=True), marker="^", label="MUNGE")
    axes[0].set(xscale="log", yscale="log", xlabel="rows", ylabel="seconds")
    axes[1].set(xscale="log", xlabel="rows", ylabel="peak bytes a row")
    axes[1].set_ylim(bottom=0)
    axes[0].legend(frameon=False, fontsize="small")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def add_dask(results: dict[str, Any], n: int, bar: tqdm) -> None:
    """The same fit on one worker, two, and two of which one is killed; and in one process."""
    results["dask"] = dask = {"rows": n}
    kinds = {"1 worker": "1", "2 workers": "2", "2 workers, one killed": "kill", "one process": "0"}
    for name, kind in kinds.items():
        dask[name] = in_process("dask", n, kind)
        bar.update()
    models = {dask[name].pop("model") for name in kinds}
    dask["equal"] = len(models) == 1


def one_process(n: int) -> dict[str, Any]:
    """The tree of the partitions of `cluster`, in this process."""
    from skdistill import Chunks, SoftTreeClassifier
    from skdistill.compact.file_format import to_bytes

    size = -(-n // 8)
    sizes = [size] * 7 + [n - 7 * size]
    chunks = Chunks(lambda: (chunk_of(number, rows) for number, rows in enumerate(sizes)))
    start = time.perf_counter()
    student = SoftTreeClassifier(max_leaf_nodes=LEAVES).fit(chunks)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "model": to_bytes(student.compact_).hex()}


def run_task(task: str, n: int, kind: str) -> dict[str, Any]:
    if task == "dask":
        if kind == "0":
            return one_process(n)
        return cluster(n, 1 if kind == "1" else 2, kind == "kill")
    return {"grow": grow, "munge": munge}[task](n, kind)


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--munge-sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--dask-rows", type=int, default=2_000_000)
    parser.add_argument("--most-xgboost", type=int, default=1_000_000, help="rows of the peer")
    parser.add_argument("--kinds", nargs="+", default=["tree", "boosted"])
    parser.add_argument("--plot", type=Path, metavar="FILE", help="where the picture goes (SVG)")
    parser.add_argument("--task", nargs=3, help="for the benchmark's own processes")
    args = parser.parse_args()
    if args.task:
        task, n, kind = args.task
        print(json.dumps(run_task(task, int(n), kind)))
        return
    if args.quick:
        args.sizes, args.munge_sizes, args.dask_rows = [20_000, 300_000], [2_000], 300_000
        args.most_xgboost = 20_000
    results: dict[str, Any] = {"growing": [], "growth": [], "munge": [], "dask": {}}
    n_runs = len(args.sizes) * (len(args.kinds) + 1) + len(args.munge_sizes) + 4
    with tqdm(desc="scale", total=n_runs) as bar:
        for n in args.sizes:
            beside = None
            if n <= args.most_xgboost:
                beside = in_process("grow", n, "xgboost")["seconds"]
            bar.update()
            for kind in args.kinds:
                entry = {"kind": kind, "rows": n, **in_process("grow", n, kind)}
                if kind == "tree" and beside is not None:
                    entry["xgboost_seconds"] = beside
                results["growing"].append(entry)
                save(args.output, results)
                bar.update()
        for kind in args.kinds:
            mine = [each for each in results["growing"] if each["kind"] == kind]
            for a, b in itertools.pairwise(mine):
                ratio = (b["seconds"] - b["reading"]) / (a["seconds"] - a["reading"])
                results["growth"].append([kind, a["rows"], b["rows"], ratio])
        for n in args.munge_sizes:
            results["munge"].append({"rows": n, **in_process("munge", n, "")})
            save(args.output, results)
            bar.update()
        if args.dask_rows:
            add_dask(results, args.dask_rows, bar)
    save(args.output, results)
    if args.plot:
        plot(results, args.plot)
    print(report(results))


if __name__ == "__main__":
    main()
