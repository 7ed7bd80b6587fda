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
from _exporters_report import compared, headline, ratios, report, required

SOME_ROWS = 20  # of a smoke check


def measure_case(
    case: Any, sources: dict[str, Any], include: Path, folder: Path, rows: int, bar: Any
) -> dict[str, Any]:
    """Figures of each exporter by compiler and core, for the first `rows` test rows."""
    from _exporters_harness import CORES, build, compilers

    found: dict[str, Any] = {}
    for name, told in sources.items():
        bar.set_description(f"{case.name}, {name}")
        if "refused" in told:
            found[name] = told
            continue
        found[name] = {}
        for compiler in compilers():
            found[name][compiler] = {}
            for core in CORES:
                place = folder / compiler / core
                built = build(Path(told["source"]), told["entry"], include, compiler, core, place)
                found[name][compiler][core] = measure(case, built, rows)
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
    from _exporters_harness import CORES, compilers
    from _exporters_ours import write
    from _exporters_peers import write as write_peers
    from tqdm import tqdm

    given = cases(quick)
    ours = write(given, folder / "ours")
    peers_wrote = write_peers(given, peers, folder)
    sources = {name: {**ours[name], **told} for name, told in peers_wrote["cases"].items()}
    results: dict[str, Any] = {
        "compilers": compilers(),
        "peers": peers_wrote["versions"],
        "cases": {},
    }
    runs = sum("source" in told for each in sources.values() for told in each.values())
    with tqdm(total=runs * len(compilers()) * len(CORES)) as bar:
        for number, case in enumerate(given):
            results["cases"][case.name] = measure_case(
                case,
                sources[case.name],
                folder / "peers" / "include",
                folder / "built" / str(number),
                SOME_ROWS if quick else len(case.X),
                bar,
            )
    for case in results["cases"].values():
        case["ratios"] = ratios(case)
    results["required"] = required(results)
    return results


__all__ = ["compared", "headline", "report"]  # what _readme.py asks for


if __name__ == "__main__":
    main()
