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
    what = "tree, float32: M0 instructions, 14 a visited node and 12 a used feature"
    yield what, ours("tree float32")["instructions"], bound
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
    bounds = []
    for told in results["required"]:
        verdict = "holds" if told["holds"] else "does not hold"
        figure, most = f"{told['figure']:,.4g}", f"{told['at_most']:,.4g}"
        bounds.append(f"{verdict}: {told['bound']} {figure} (at most {most})")
    return "\n\n".join([*parts, "  \n".join(bounds)])


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
            _wrong(told, case),
        ]
        if TABLE in measured:
            own = measured[TABLE]["zig"][M0]
            cells += [f"{small[key] / own[key]:.2f}" for key in ("bytes", "instructions")]
        rows.append((exporter, *cells))
    table = markdown(header, rows)
    return f"{table}\n\nRefused: {'; '.join(refused)}." if refused else table


def compared(results: Figures) -> str:
    """For the documentation: how many times ours each peer takes, and our own figures."""
    return "\n\n".join(_compared(case) for case in results["cases"].values())


COMPARED = [
    (f"{short}, {own.split()[1]}", what, core, own)
    for short, what, core in (
        ("bytes", "bytes", M0),
        ("M0", "instructions", M0),
        ("M4F", "instructions", M4F),
    )
    for own in (TABLE, CODE)
]


def _compared(case: Figures) -> str:
    measured = case["exporters"]
    header = [f"{case['about']}, {case['input']}", *(title for title, *_ in COMPARED)]
    own = [f"{measured[own]['zig'][core][what]:,.0f}" for _, what, core, own in COMPARED]
    rows = [["skdistill", *own, _wrong(measured[TABLE], case)]]
    for peer, ratio in case["ratios"].items():
        times = [_times(ratio[f"{what}, {core}, {own}"]) for _, what, core, own in COMPARED]
        rows.append([peer, *times, _wrong(measured[peer], case)])
    return markdown([*header, "wrong labels"], rows)


def _times(ratio: float) -> str:
    return f"× {ratio:,.{0 if ratio >= 10 else 1 if ratio >= 1 else 2}f}"


def _wrong(told: Figures, case: Figures) -> str:
    return f"{told['zig'][M0]['mismatches']:,} of {case['rows']:,}"


def headline(results: Figures) -> str:
    """For the front page: the digits tree on raw bytes, on the smallest core."""
    case = results["cases"]["tree uint8"]
    rows = []
    for exporter, told in case["exporters"].items():
        figures = told["zig"][M0]
        numbers = (f"{figures[key]:,.0f}" for key in ("bytes", "instructions"))
        rows.append((exporter, *numbers, _wrong(told, case)))
    return markdown(("", "bytes", "instructions a row", "other labels than scikit-learn"), rows)
