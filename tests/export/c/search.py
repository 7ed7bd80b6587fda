"""Search for an export that breaks a bound, differs from Python, or makes a compiler warn.

``python -m tests.export.c.search --models 20000 --seed 1000 --output found.jsonl``: many models
are one file for a compiler. Each is compiled and run on this machine and on one core drawn at
random, by gcc or by clang, and checked by the two other compilers without code.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import json
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from skdistill.compact import TreeTable
from skdistill.device.compile import build
from skdistill.device.cores import find_target
from skdistill.device.emulate import EmulationError, run
from skdistill.device.profile import differs, emitted_function
from skdistill.device.simavr import MCU, run_avr
from skdistill.device.toolchain import BuildError, run_compiler
from skdistill.export.c import bounds, device_rows, largest_error
from tests.export.c.harness import C99, STRICT, Case, load
from tests.export.c.random_cases import WEIGHTS, case_rows, random_case

ARM, RISCV = "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"
CORES = {
    "cortex-m0": ARM,
    "cortex-m3": ARM,
    "cortex-m4f": ARM,
    "cortex-m7": ARM,
    "cortex-m33": ARM,
    "rv32imc": RISCV,
    "avr": "",
}
"""Cores, and gcc for each; half of the time it is zig's clang, and avr-gcc for an AVR."""
CHECKS = (["clang", "-fsyntax-only"], ["avr-gcc", f"-mmcu={MCU}", "-fsyntax-only"])
BATCH, AVR_BATCH, HOST_ROWS, ROWS = 40, 12, 40, 20


class Member:
    """A model of a batch, with its rows."""

    def __init__(self, seed: int, kind: str, case: Case) -> None:
        self.seed, self.kind, self.case, self.name = seed, kind, case, f"m{seed}"
        X = case.model.read_rows(case_rows(case, seed, HOST_ROWS))
        missing = case.missing_value
        self.rows = device_rows(case.model, X, case.input, missing_value=missing)
        self.X, self.text = X, case.text(self.name)
        self.source, self.output = case.source()
        self.function = emitted_function(case.model, self.rows, self.output, self.name)

    def differing(self, results: Any, which: Any = slice(None)) -> int:
        """Rows whose results are not Python's."""
        allowed = largest_error(self.case.model, self.output)
        return int(differs(self.case.model, self.X[which], self.output, results, allowed).sum())

    def record(self, **found: Any) -> dict[str, Any]:
        case, parts = self.case, self.source.layout.parts
        return {
            "seed": self.seed,
            "kind": self.kind,
            "input": case.input,
            "output": case.output,
            "layout": case.layout,
            "optimize": case.optimize,
            "missing": case.missing_value,
            "parts": [
                [type(p).__name__, getattr(p, "shape", ""), getattr(p, "form", "")] for p in parts
            ],
            **found,
        }


def search(first: int, models: int, write: Any, cores: list[str], kinds: Any = None) -> None:
    """Seeds from `first` on, a batch a core."""
    seed, done, rng = first, 0, np.random.default_rng([first, 17])
    while done < models:
        core = str(rng.choice(cores))
        members: list[Member] = []
        while len(members) < (AVR_BATCH if core == "avr" else BATCH):
            made = random_case(seed, kinds)
            if made is not None:
                members.append(Member(seed, *made))
            seed += 1
        gcc = core == "avr" or bool(rng.random() < 0.5)
        _on_host(members, write)
        (_on_avr if core == "avr" else _on_core)(members, core, gcc, write)
        done += len(members)


def _on_host(members: list[Member], write: Any) -> None:
    """Results and warnings by the compilers of this machine, and warnings of avr-gcc."""
    cases = [member.case for member in members]
    with TemporaryDirectory(prefix="skdistill-") as scratch:
        folder = Path(scratch)
        try:
            library = load(folder, cases, "gcc", *C99, "-O0")
        except RuntimeError as error:
            write({"broken": "warning", "seeds": [m.seed for m in members], "error": str(error)})
            library = load(folder, cases, "gcc", "-std=c99", "-O0")
        for i, member in enumerate(members):
            wrong = member.differing(_raw_answers(library, member, i))
            if wrong:
                write(member.record(broken="mismatch", core="host", count=wrong))
        (folder / "all.c").write_text("\n".join(member.text for member in members))
        for command in CHECKS:
            try:
                run_compiler([*command, "-std=c99", *STRICT, "all.c"], folder)
            except BuildError as error:
                if "is too large" in str(error):
                    continue  # a table of 32 KB and more, which is nothing for an AVR
                seeds = [m.seed for m in members]
                write({"broken": "warning", "seeds": seeds, "error": str(error)[:3000]})


def _raw_answers(library: Any, member: Member, i: int) -> Any:
    kind, count = member.case.result
    out = np.full((len(member.rows), count), 77, kind)
    call = library[f"call{i}"]
    call.restype = None
    call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    call(member.rows.ctypes.data, out.ctypes.data, len(member.rows))
    return out[:, 0] if member.case.output == "label" else out


def _on_core(members: list[Member], core: str, gcc: bool, write: Any) -> None:
    compiler = [CORES[core]] if gcc else []
    sources = {"all.c": "\n".join(member.text for member in members)}
    names = [member.function.name for member in members]
    target = find_target(core)
    try:
        image = build(sources, target, names, compiler=compiler, flags=STRICT)
    except BuildError as error:
        seeds = [m.seed for m in members]
        write(
            {
                "broken": "warning",
                "core": core,
                "gcc": gcc,
                "seeds": seeds,
                "error": str(error)[:3000],
            }
        )
        image = build(sources, target, names, compiler=compiler)
    for member in members:
        which = np.r_[0 : ROWS - 8, len(member.rows) - 8 : len(member.rows)]
        function = member.function
        about = {"core": core, "gcc": gcc}
        try:
            ran = run(image, function.name, member.rows[which], output_bytes=function.output_bytes)
        except EmulationError as error:
            write(member.record(broken="emulation", error=str(error)[:500], **about))
            continue
        wrong = member.differing(function.read(ran.outputs), which)
        _judge(member, which, core, ran.instructions, ran.stack, wrong, about, write)


def _on_avr(members: list[Member], core: str, gcc: bool, write: Any) -> None:
    with TemporaryDirectory(prefix="skdistill-") as scratch:
        folder = Path(scratch)
        (folder / "all.c").write_text("\n".join(member.text for member in members))
        try:
            command = ["avr-gcc", f"-mmcu={MCU}", "-std=c99", "-Os", *STRICT, "-c", "all.c"]
            run_compiler(command, folder)
        except BuildError as error:
            if "is too large" not in str(error):
                seeds = [m.seed for m in members]
                write({"broken": "warning", "core": core, "seeds": seeds, "error": str(error)})
    for member in members:
        which = np.r_[0:5, len(member.rows) - 5 : len(member.rows)]
        about = {"core": core, "gcc": gcc}
        try:
            ran = run_avr({"m.c": member.text}, member.function, member.rows[which])
        except (BuildError, EmulationError) as error:
            text = str(error)
            if any(why in text for why in ("more than", "overflow", "too long", "too large")):
                write(member.record(skipped=text[-300:], **about))
            else:
                write(member.record(broken="avr", error=text[-1500:], **about))
            continue
        wrong = member.differing(ran.results, which)
        _judge(member, which, core, ran.cycles, ran.stack, wrong, about, write)


def _judge(member, which, core, work, stack, wrong, about, write) -> None:
    most = bounds(member.source, member.output, core)
    found = {
        "visited": int(visited(member.case.model, member.X[which])[work.argmax()]),
        "splits_bound": most.splits,
        "work": int(work.max()),
        "work_bound": most.instructions,
        "stack": int(stack.max()),
        "stack_bound": most.stack,
    }
    broken = [
        *["mismatch"] * bool(wrong),
        *["instructions"] * (found["work"] > found["work_bound"]),
        *["stack"] * (found["stack"] > found["stack_bound"]),
    ]
    write(member.record(**about, **found, **({"broken": " ".join(broken)} if broken else {})))


def visited(model: Any, X: np.ndarray) -> np.ndarray:
    """Nodes that each row visits."""
    total = np.zeros(len(X), int)
    numbers = model.categories.rank(X) if len(model.categories) else X
    for table in model.tables_of(TreeTable):
        edges, columns = table.edges, table.grid.features[table.feature]
        node = np.repeat(table.roots[None], len(X), axis=0)
        while (node >= 0).any():
            inner = node >= 0
            at = np.where(inner, node, 0)
            x = np.take_along_axis(numbers, columns[at], axis=1)
            left = np.where(np.isnan(x), table.nan_left[at], x <= edges[at])
            node = np.where(inner, np.where(left, table.left[at], table.right[at]), node)
            total += inner.sum(axis=1)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1000, help="of the first model")
    parser.add_argument("--cores", nargs="+", default=list(CORES), choices=list(CORES))
    parser.add_argument("--kinds", nargs="+", default=None, choices=list(WEIGHTS))
    parser.add_argument("--output", type=Path, required=True, help="lines of JSON are added")
    args = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    begin = time.time()
    with args.output.open("a") as file:

        def write(record: dict[str, Any]) -> None:
            file.write(json.dumps(record) + "\n")
            file.flush()
            counts[str(record.get("broken", "skipped" if "skipped" in record else "holds"))] += 1
            if "broken" in record:
                print({k: str(v)[:300] for k, v in record.items()}, flush=True)

        warnings.simplefilter("ignore", UserWarning)
        search(args.seed, args.models, write, args.cores, args.kinds)
    print(f"{args.models} models, {time.time() - begin:.0f} s, {dict(counts)}")


if __name__ == "__main__":
    main()
