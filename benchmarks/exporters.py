"""What exporters make of the same fitted scikit-learn models: bytes, instructions, wrong labels.

Peers write their C in an environment of their own, which is made when it is missing. One compiler
with the same flags for all, arm-none-eabi-gcc beside it where it is installed; an emulated core
counts instructions. A row comes as uint8 or float32, and turning it into what an exporter's code
reads is part of what is weighed and counted.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _common import options, save
from _exporters_report import report

ALL_ROWS = 10**9


def measure_case(
    case: Any, written: dict[str, Any], include: Path, folder: Path, rows: int, bar: Any
) -> dict[str, Any]:
    from _exporters_harness import CORES, compilers

    found: dict[str, Any] = {}
    for name, told in written.items():
        bar.set_description(f"{case.name}, {name}")
        if "refused" in told:
            found[name] = told
            continue
        source = Path(told["source"])
        found[name] = {
            compiler: {
                core: measure(
                    case, source, include, compiler, core, folder / compiler / core, rows
                )
                for core in CORES
            }
            for compiler in compilers()
        }
        bar.update()
    return {
        "about": case.about,
        "input": case.input,
        "nodes": case.nodes,
        "used_features": case.used,
        "visited": float(case.visited[:rows].mean()),
        "rows": len(case.X[:rows]),
        "accuracy": float(np.mean(case.labels == case.y)),
        "exporters": found,
    }


def measure(
    case: Any, source: Path, include: Path, compiler: str, core: str, folder: Path, rows: int
) -> dict[str, Any]:
    from _exporters_harness import build, emulate

    built = build(source, include, compiler, core, folder)
    X, y, visited = case.X[:rows], case.y[:rows], case.visited[:rows]
    labels, instructions = emulate(built.elf, core, X)
    figures = {
        "bytes": built.bytes,
        "library": built.library,
        "instructions": float(instructions.mean()),
        "most": int(instructions.max()),
        "mismatches": int(np.sum(labels != case.labels[:rows])),
        "accuracy": float(np.mean(labels == y)),
    }
    if visited.any():
        slope, rest = np.polyfit(visited, instructions, 1)
        figures |= {"a_visited_node": float(slope), "besides": float(rest)}
    return figures


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
    from _exporters_peers import write
    from tqdm import tqdm

    given = cases(quick)
    written = write(given, peers, folder)
    results: dict[str, Any] = {
        "compilers": compilers(),
        "peers": written["versions"],
        "cases": {},
    }
    with tqdm(total=sum(map(len, written["cases"].values()))) as bar:
        for number, case in enumerate(given):
            results["cases"][case.name] = measure_case(
                case,
                written["cases"][case.name],
                folder / "peers" / "include",
                folder / "built" / str(number),
                20 if quick else ALL_ROWS,
                bar,
            )
    return results


if __name__ == "__main__":
    main()
