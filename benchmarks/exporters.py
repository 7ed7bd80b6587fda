"""What exporters make of the same fitted models: bytes, instructions, wrong labels.

Peers write their C in an environment of their own, which is made when it is missing. One compiler
with the same flags for all, for ours arm-none-eabi-gcc beside it where it is installed; an emulated
core counts instructions. A row comes as uint8, int16 or float32, and turning it into what an
exporter's code reads is part of what is weighed and counted. Of the settings of a peer those are
kept that are best in bytes or in instructions on some core.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from _common import options, save
from _exporters_report import (
    CORES,
    OURS,
    best_settings,
    compared,
    headline,
    report,
    required,
    smaller_and_faster,
)

FEW_ROWS = 20  # of a smoke check


def measure_case(
    case: Any, sources: dict[str, Any], include: Path, folder: Path, rows: int, bar: Any
) -> dict[str, Any]:
    """Figures of each exporter by compiler and core, for the first `rows` test rows."""
    from _exporters_harness import compilers

    from skdistill.device.emulate import EmulationError

    exporters: dict[str, Any] = {}
    for name, source in sources.items():
        bar.set_description(f"{case.name}, {name}")
        if "refused" in source:
            exporters[name] = source
            continue
        if name in OURS:
            exporters[name] = _measure_builds(case, source, include, folder, rows, compilers())
        else:
            try:
                exporters[name] = _measure_builds(case, source, include, folder, rows, ("zig",))
            except (RuntimeError, EmulationError) as error:
                exporters[name] = {"refused": f"its C: {_first_error(error)}"}
        # A call of a net takes more cycles than the simulated timer holds.
        if name in OURS and case.name.startswith("student"):
            exporters[name] |= measure_avr(case, OURS[name], rows)
        bar.update()
    result = {
        "about": case.about,
        "input": case.input,
        "nodes": case.nodes,
        "used_features": case.used,
        "visited": float(case.visited[:rows].mean()),
        "rows": len(case.X[:rows]),
        "accuracy": float(np.mean(case.labels == case.y)),
        "exporters": exporters,
    }
    best = best_settings(result)
    result["exporters"] = {name: each for name, each in exporters.items() if name in best}
    return result


def _measure_builds(
    case: Any, source: dict[str, Any], include: Path, folder: Path, rows: int, compilers: Any
) -> dict[str, Any]:
    """Figures by compiler and core."""
    from _exporters_harness import build

    path, entry = Path(source["source"]), source["entry"]
    return {
        compiler: {
            core: measure(
                case, build(path, entry, include, compiler, core, folder / compiler / core), rows
            )
            for core in CORES
        }
        for compiler in compilers
    }


def _first_error(error: Exception) -> str:
    """The first message of a compiler, without the place, or that of another error."""
    lines = str(error).splitlines() or [repr(error)]
    return next((line.split("error:")[1].strip() for line in lines if "error:" in line), lines[0])


def measure(case: Any, built: Any, rows: int) -> dict[str, Any]:
    from _exporters_harness import emulate

    X, y, visited = case.X[:rows], case.y[:rows], case.visited[:rows]
    labels, instructions = emulate(built, X)
    figures = {
        "bytes": built.bytes,
        "library": built.library,
        "instructions": float(instructions.mean()),
        "most": int(instructions.max()),
        "mismatches": int(np.sum(labels != case.labels[:rows])),
        "accuracy": float(np.mean(labels == y)),
    }
    if visited.any():  # how instructions grow with the way, and what the call itself costs
        slope, rest = np.polyfit(visited, instructions, 1)
        figures |= {"a_visited_node": float(slope), "besides": float(rest)}
    return figures


def measure_avr(case: Any, optimize: str, rows: int) -> dict[str, Any]:
    """Bytes and cycles on a simulated AVR, where its tools are installed."""
    from _exporters_ours import compact

    from skdistill.device import profile
    from skdistill.device.simavr import missing_tools

    if missing_tools():
        return {}
    X = case.X[: min(rows, 60)]
    with warnings.catch_warnings():  # as in _exporters_ours.py
        warnings.filterwarnings("ignore", "input_dtype=.* whole numbers")
        result = profile(compact(case), X, target="avr", input_dtype=case.input, optimize=optimize)
    return {"avr": {"bytes": result.flash_bytes, "cycles": result.cycles_mean}}


def main() -> None:
    parser = options(__doc__.splitlines()[0])
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="DIR",
        default=Path(tempfile.gettempdir()) / "skdistill-peers",
        help="environment of the peers, made when it is missing (default: %(default)s)",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep sources and programs there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        results = run(args.peers, args.keep or Path(scratch) / "built", args.quick)
    save(args.output, results)
    print(report(results))


def run(peers: Path, folder: Path, quick: bool) -> dict[str, Any]:
    # Not needed, and not there, where only the report is asked for.
    from _exporters_cases import cases
    from _exporters_harness import compilers
    from _exporters_ours import write
    from _exporters_peers import write as write_peers
    from tqdm import tqdm

    all_cases = cases(quick)
    ours = write(all_cases, folder / "ours")
    theirs = write_peers(all_cases, peers, folder)
    sources = {name: {**files, **theirs["cases"].get(name, {})} for name, files in ours.items()}
    results: dict[str, Any] = {
        "compilers": compilers(),
        "peers": theirs["versions"],
        "cases": {},
    }
    runs = sum("source" in each for files in sources.values() for each in files.values())
    with tqdm(total=runs) as bar:
        for number, case in enumerate(all_cases):
            results["cases"][case.name] = measure_case(
                case,
                sources[case.name],
                folder / "peers" / "include",
                folder / "built" / str(number),
                FEW_ROWS if quick else len(case.X),
                bar,
            )
    results["required"] = required(results)
    results["smaller_and_faster"] = [list(each) for each in smaller_and_faster(results)]
    return results


__all__ = ["compared", "headline", "report"]  # what _readme.py asks for


if __name__ == "__main__":
    main()
