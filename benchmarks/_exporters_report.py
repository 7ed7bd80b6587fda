"""For exporters.py: from figures to ratios, required bounds and readable tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from _common import markdown

TABLE, CODE = "skdistill table", "skdistill code"
M0, M4F = "cortex-m0", "cortex-m4f"
Figures = dict[str, Any]


def flash(figures: Figures) -> int:
    return figures["bytes"] + figures["library"]


def figures_of(results: Figures, case: str, exporter: str, core: str = M0) -> Figures:
    """What was measured with zig."""
    return results["cases"][case]["exporters"][exporter]["zig"][core]


def ratios(case: Figures) -> Figures:
    """How many times ours each peer takes; bytes leave out the library, in our disfavour."""
    found: Figures = {}
    ours = [name for name in (TABLE, CODE) if name in case["exporters"]]
    for peer, told in case["exporters"].items():
        if peer in ours or "refused" in told:
            continue
        found[peer] = {
            f"{what}, {core}, {own}": told["zig"][core][what]
            / case["exporters"][own]["zig"][core][what]
            for own in ours
            for core in (M0, M4F)
            for what in ("bytes", "instructions")
        }
    return found


def required(results: Figures) -> list[Figures]:
    """The bounds that were set before, and where the figures stand."""
    cases = results["cases"]
    if not all(TABLE in case["exporters"] for case in cases.values()):
        return []
    return [
        {"bound": bound, "figure": figure, "at_most": at_most, "holds": figure <= at_most}
        for bound, figure, at_most in _bounds(results)
    ]


def _bounds(results: Figures) -> Iterator[tuple[str, float, float]]:
    cases = results["cases"]

    def ours(case: str, layout: str = TABLE, core: str = M0) -> Figures:
        return figures_of(results, case, layout, core)

    yield "tree of 64 leaves, uint8: bytes", flash(ours("tree uint8")), 255
    for layout, most in ((TABLE, 12), (CODE, 4.5)):
        told, what = ours("tree uint8", layout), f"a visited node, {layout}"
        yield f"tree, uint8: M0 instructions {what}, slope", told["a_visited_node"], most
        mean = told["instructions"] / cases["tree uint8"]["visited"]
        yield f"tree, uint8: M0 instructions {what}, all of the call", mean, most
    case = cases["tree float32"]
    bound = 14 * case["visited"] + 12 * case["used_features"]
    yield "tree, float32: M0 instructions", ours("tree float32")["instructions"], bound
    if "forest uint8" in cases:
        at_most = 110 + 2.6 * cases["wide uint8"]["nodes"]
        yield "200 features, 26 classes, uint8: bytes", flash(ours("wide uint8")), at_most
        a_node = flash(ours("forest uint8")) / cases["forest uint8"]["nodes"]
        yield "forest, uint8: bytes a node", a_node, 3.4
        for core, most in ((M0, 1000), (M4F, 700)):
            instructions = ours("forest uint8", CODE, core)["instructions"]
            yield f"forest, uint8: {core} instructions, {CODE}", instructions, most
    yield "logistic regression, uint8: bytes", flash(ours("linear uint8")), 760


def report(results: Figures) -> str:
    parts = [_table(name, case, results) for name, case in results["cases"].items()]
    for told in results["required"]:
        verdict = "holds" if told["holds"] else "MISSED"
        figure, most = f"{told['figure']:,.4g}", f"{told['at_most']:,.4g}"
        parts.append(f"{verdict}: {told['bound']} {figure} (at most {most})  ")
    return "\n\n".join(parts)


def _table(name: str, case: Figures, results: Figures) -> str:
    gcc, measured = "gcc" in results["compilers"], case["exporters"]
    about = f"{case['about']}, {case['input']}"
    header = [about, "bytes", "library", "gcc bytes", "M0", "M4F", "wrong labels"]
    if TABLE in measured:
        header += ["bytes, ×", "M0, ×"]
    rows, refused = [], []
    for exporter, told in measured.items():
        if "refused" in told:
            refused.append(f"{exporter} ({told['refused']})")
            continue
        small, fast = told["zig"][M0], told["zig"][M4F]
        cells = [
            f"{small['bytes']:,}",
            f"{small['library']:,}",
            f"{told['gcc'][M0]['bytes']:,}" if gcc else "",
            f"{small['instructions']:,.0f}",
            f"{fast['instructions']:,.0f}",
            f"{small['mismatches']} of {case['rows']}",
        ]
        if TABLE in measured:
            own = measured[TABLE]["zig"][M0]
            cells += [f"{small[key] / own[key]:.2f}" for key in ("bytes", "instructions")]
        rows.append((exporter, *cells))
    table = markdown(header, rows)
    return f"{table}\n\nRefused: {'; '.join(refused)}." if refused else table
