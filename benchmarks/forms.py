"""What forms of nodes and leaves take in compiled C: bytes of code, instructions a node or row.

The figures stand in skdistill/compact/packing/tree_costs.py, where they choose the form of a model.
Forests of random trees are printed in every form, compiled by arm-none-eabi-gcc for a Cortex-M0, or
by zig where it is missing, and run on an emulated one. Two depths give the instructions of a node.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
from _common import options, save

SEED, TREES, ROWS = 0, 12, 40


def forest(depth: int, n_scores: int, bits: int | str, n_features: int, edges: int) -> Any:
    """Complete trees, every path of which takes `depth` nodes; signed values."""
    from skdistill import CompactModel
    from skdistill.compact import InputGrid, TreeTable

    rng = np.random.default_rng(SEED)
    most = 1 if bits == "ternary" else 2 ** (int(bits) - 1) - 1
    inner, roots, parts = 2**depth - 1, np.arange(TREES) * (2**depth - 1), []
    node = np.arange(inner)
    for t in range(TREES):
        left = 2 * node + 1
        child = np.stack([left, left + 1])
        leaf = ~(child - inner + t * (inner + 1))
        parts.append(np.where(child < inner, child + t * inner, leaf))
    left, right = np.concatenate(parts, axis=1)
    n = TREES * inner
    cuts = [np.sort(rng.choice(250, edges, replace=False)) for _ in range(n_features)]
    grid = InputGrid(
        np.arange(n_features), np.arange(n_features + 1) * edges, np.concatenate(cuts).astype("i4")
    )
    values = rng.integers(-most, most + 1, (n + TREES, n_scores))
    table = TreeTable(
        grid, roots, rng.integers(0, n_features, n), rng.integers(0, edges, n), left, right,
        np.zeros(n, bool), values, bits,
    )  # fmt: skip
    K = 2 if n_scores == 1 else n_scores
    link = "sigmoid" if n_scores == 1 else "softmax"
    return CompactModel(n_features, [0] * n_scores, 1.0, link, np.arange(K), [table])


def forms(model: Any, depth: int) -> dict[tuple[str, str], Any]:
    """The C source of each form, by the names of its nodes and leaves."""
    from skdistill.compact.packing.layout import Request
    from skdistill.compact.packing.pack import on_integers
    from skdistill.compact.packing.trees import combine, tree_forms
    from skdistill.export.c import prepare_source

    source, _ = prepare_source(model, input_dtype="uint8")
    whole = on_integers(model, "uint8")
    (table,) = whole.tables
    request = Request(whole, "uint8", False, False, True)
    nodes, leaves, _ = tree_forms(table, request)
    found = {}
    for part in nodes:
        for held in leaves:
            names = node_name(part), leaf_name(held)
            one = combine(part, held)
            bias = whole.bias + one.start
            tables = dict(one.tables)
            layout = replace(source.layout, parts=(one,), tables=tables, bias=bias)
            found.setdefault(names, replace(source, layout=layout))
    return found


def node_name(part: Any) -> str:
    extra = "+edges" * (part.edges is not None) + "+bases" * (part.bases is not None)
    return part.form + extra


def leaf_name(leaves: Any) -> str:
    rows = (
        ""
        if leaves.row_bits is None
        else f" rows {'whole' if leaves.row_bits in (8, 16) else 'packed'}"
    )
    pure = " pure" * (leaves.pure is not None) + " pairs" * (leaves.pairs > 0)
    return f"{leaves.value_bits}{rows}{pure}"


def measure(source: Any, rows: np.ndarray) -> tuple[int, float]:
    """Bytes of code and instructions of a row."""
    from skdistill.device.compile import build
    from skdistill.device.cores import find_target
    from skdistill.device.emulate import run
    from skdistill.export.c.translation_unit import source_text

    gcc = shutil.which("arm-none-eabi-gcc")
    image = build(
        {"m.c": source_text(source, "label")}, find_target("cortex-m0"), ["model_label"],
        compiler=[gcc] if gcc else [],
    )  # fmt: skip
    return image.sizes.code, float(run(image, "model_label", rows).instructions.mean())


def main() -> None:
    args = options(__doc__.splitlines()[0]).parse_args()
    rows = np.random.default_rng(1).integers(0, 255, (ROWS, 8)).astype(np.uint8)
    results: dict[str, Any] = {"nodes": {}, "leaves": {}}
    shapes = [(8, 10), (60, 3), (16, 200)] if not args.quick else [(8, 10)]
    for n_features, edges in shapes:
        X = np.random.default_rng(1).integers(0, 255, (ROWS, n_features)).astype(np.uint8)
        near, far = (forms(forest(d, 1, 8, n_features, edges), d) for d in (3, 6))
        for nodes, leaves in near:
            if leaves == "8" and (nodes, leaves) in far:
                (code, few), (_, many) = (
                    measure(near[nodes, leaves], X),
                    measure(far[nodes, leaves], X),
                )
                results["nodes"][f"{nodes} {n_features}"] = (code, (many - few) / 3 / TREES)
                print(
                    f"{nodes:20s} {n_features:4d} {code:5d} B {(many - few) / 3 / TREES:6.1f}",
                    flush=True,
                )
    for bits in (3, 4, 5, 8, 12, "ternary"):
        one = {}
        for S in (4, 10):
            for (nodes, leaves), source in forms(forest(2, S, bits, 8, 10), 2).items():
                if nodes == "flags2":
                    one.setdefault(leaves, []).append(measure(source, rows))
        for leaves, ((code, few), (_, many)) in one.items():
            each = (many - few) / 6 / TREES
            results["leaves"][leaves] = (code, each, few / TREES - 4 * each)
            print(
                f"{leaves:20s} {code:5d} B {each:6.1f} a value, {few / TREES - 4 * each:6.1f}",
                flush=True,
            )
    save(args.output, results)


if __name__ == "__main__":
    main()
