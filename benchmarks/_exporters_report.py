"""For exporters.py: from figures to required bounds and readable tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from _common import markdown

OURS = {f"skdistill {optimize}": optimize for optimize in ("size", "balanced", "speed")}
SIZE, BALANCED, SPEED = OURS
M0, M4F = "cortex-m0", "cortex-m4f"
CORES = {M0: "M0", M4F: "M4F"}
MEASURES = ("bytes", "instructions")
Figures = dict[str, Any]


def package(exporter: str) -> str:
    """The package of an exporter, whose name goes on with its settings."""
    return exporter.split()[0]


def measured(case: Figures) -> Figures:
    """Exporters that did not refuse the case."""
    return {name: each for name, each in case["exporters"].items() if "refused" not in each}


def best_settings(case: Figures) -> set[str]:
    """Exporters without settings that are best in nothing: bytes or instructions, on some core."""
    settings: dict[str, list[str]] = {}
    for name in case["exporters"]:
        settings.setdefault(package(name), []).append(name)
    best = set(settings.pop("skdistill"))
    for names in settings.values():
        done = [name for name in names if name in measured(case)]
        best |= set(names[: not done])  # a refusal is worth one line
        for core in CORES:
            for measure in MEASURES:
                if done:
                    best.add(
                        min(done, key=lambda each: case["exporters"][each]["zig"][core][measure])
                    )
    return best


def smaller_and_faster(results: Figures) -> Iterator[tuple[str, str, str, str]]:
    """Case, core, our form and a peer that takes fewer bytes and fewer instructions than it.

    Bytes leave out the library, in our disfavour.
    """
    for name, case in results["cases"].items():
        for core in CORES:
            for own in OURS:
                ours = case["exporters"][own]["zig"][core]
                for peer, figures in measured(case).items():
                    if peer not in OURS and all(
                        figures["zig"][core][what] <= ours[what] for what in MEASURES
                    ):
                        yield name, core, own, peer


def required(results: Figures) -> list[Figures]:
    """The bounds that were set before, and where the figures stand."""
    if "forest digits uint8" not in results["cases"]:
        return []
    return [
        {"bound": bound, "figure": figure, "at_most": at_most, "holds": figure <= at_most}
        for bound, figure, at_most in _bounds(results)
    ]


_AIMS = (  # bytes and instructions on a Cortex-M0
    ("tree uint8", SIZE, 255, None),
    ("xgboost digits uint8", SIZE, 1800, None),
    ("xgboost digits uint8", BALANCED, 2000, 4800),
    ("student digits", BALANCED, 2200, 5600),
    ("student digits", SPEED, None, 3900),
    ("forest digits uint8", BALANCED, 6400, 1800),
    ("linear uint8", SIZE, 760, None),
)


def _bounds(results: Figures) -> Iterator[tuple[str, float, float]]:
    cases = results["cases"]
    for compiler in results["compilers"]:
        for name, own, *most in _AIMS:
            figures = cases[name]["exporters"][own][compiler][M0]
            for measure, at_most in zip(MEASURES, most, strict=True):
                if at_most is not None:
                    bound = f"{name}, {OURS[own]}, {compiler}, M0: {measure}"
                    yield bound, figures[measure], at_most
    for name, case in cases.items():
        if name.startswith("forest") and name.endswith("float32"):
            best = min(
                each["zig"][M4F]["instructions"]
                for peer, each in measured(case).items()
                if peer not in OURS
            )
            figure = case["exporters"][SPEED]["zig"][M4F]["instructions"]
            yield f"{name}, speed, zig, M4F: instructions", figure, 1.2 * best
    student = cases["student digits"]["exporters"]
    if "avr" in student[SPEED]:
        yield "student digits, speed, AVR: cycles", student[SPEED]["avr"]["cycles"], 15_000
    yield from _single_tree_bounds(cases)


def _single_tree_bounds(cases: Figures) -> Iterator[tuple[str, float, float]]:
    case = cases["tree uint8"]
    for own, most in ((SIZE, 12), (SPEED, 4.5)):
        figures = case["exporters"][own]["zig"][M0]
        what = f"tree uint8, {OURS[own]}, zig, M0: instructions a visited node"
        yield f"{what}, slope", figures["a_visited_node"], most
        yield f"{what}, all of the call", figures["instructions"] / case["visited"], most
    case = cases["tree float32"]
    most = 14 * case["visited"] + 12 * case["used_features"]
    figures = case["exporters"][SIZE]["zig"][M0]
    what = "instructions, 14 a visited node and 12 a used feature"
    yield f"tree float32, size, zig, M0: {what}", figures["instructions"], most
    case = cases["wide uint8"]
    figures = case["exporters"][SIZE]["zig"][M0]
    yield "wide uint8, size, zig, M0: bytes", figures["bytes"], 110 + 2.6 * case["nodes"]


def report(results: Figures) -> str:
    """For the page of all benchmarks: everything that was measured."""
    parts = [_table(case, results) for case in results["cases"].values()]
    lines = []
    for each in results["required"]:
        verdict = "holds" if each["holds"] else "does not hold"
        figure, most = f"{each['figure']:,.4g}", f"{each['at_most']:,.4g}"
        lines.append(f"{verdict}: {each['bound']} {figure} (at most {most})")
    return "\n\n".join([*parts, _verdict(results), "  \n".join(lines)])


def _table(case: Figures, results: Figures) -> str:
    columns = [(compiler, core) for compiler in results["compilers"] for core in CORES]
    header = [f"{case['about']}, {case['input']}", "library"]
    for compiler, core in columns:
        header += [f"{compiler} {CORES[core]} bytes", "instructions"]
    rows, refused = [], []
    for exporter, each in case["exporters"].items():
        if "refused" in each:
            refused.append(f"{exporter} ({each['refused'].rstrip('.')})")
            continue
        cells = [f"{each['zig'][M0]['library']:,}"]
        for compiler, core in columns:
            figures = each.get(compiler, {}).get(core, {})
            cells += [f"{figures[what]:,.0f}" if what in figures else "" for what in MEASURES]
        rows.append((exporter, *cells, _wrong(each, case)))
    text = markdown([*header, "wrong labels"], rows)
    if any("avr" in each for each in case["exporters"].values()):
        avr = (
            f"{OURS[name]} {each['avr']['bytes']:,} / {each['avr']['cycles']:,.0f}"
            for name, each in case["exporters"].items()
            if "avr" in each
        )
        text += f"\n\nOn an AVR, bytes / cycles: {', '.join(avr)}."
    return f"{text}\n\nRefused: {'; '.join(refused)}." if refused else text


def _verdict(results: Figures) -> str:
    cases = list(smaller_and_faster(results))
    forms: dict[tuple[str, str, str], int] = {}
    for name, core, _, peer in cases:
        forms[name, core, peer] = forms.get((name, core, peer), 0) + 1
    all_forms = [" on ".join(each[:2]) for each, n in forms.items() if n == len(OURS)]
    where = f"except for {', '.join(all_forms)}" if all_forms else "in any case"
    text = f"No peer takes fewer bytes and fewer instructions than all of our forms {where}."
    if not cases:
        return f"{text} Nor than a single one."
    rows = [
        (name, CORES[core], OURS[own], peer, _wrong(case["exporters"][peer], case))
        for name, core, own, peer in cases
        for case in [results["cases"][name]]
    ]
    header = ("a peer is smaller and faster", "core", "than our form", "peer", "its wrong labels")
    return f"{text} Fewer of both than one of our forms:\n\n{markdown(header, rows)}"


def compared(results: Figures) -> str:
    """For the documentation: our forms beside the smallest and the fastest peer of each case."""
    tables = []
    for core, short in CORES.items():
        header = [
            f"{short}, bytes / instructions",
            *OURS.values(),
            "smallest other",
            "fastest other",
        ]
        rows = []
        for case in results["cases"].values():
            exporters = case["exporters"]
            cells = [_pair(exporters[own], core) for own in OURS]
            peers = [name for name in measured(case) if name not in OURS]
            for what in MEASURES:
                key = {name: exporters[name]["zig"][core][what] for name in peers}
                cells.append(_named(min(peers, key=key.__getitem__), case, core) if peers else "")
            rows.append((f"{case['about']}, {case['input']}", *cells))
        tables.append(markdown(header, rows))
    return "\n\n".join([*tables, _verdict(results)])


def _pair(each: Figures, core: str) -> str:
    figures = each["zig"][core]
    return f"{figures['bytes']:,} / {figures['instructions']:,.0f}"


def _named(peer: str, case: Figures, core: str) -> str:
    each = case["exporters"][peer]
    wrong = each["zig"][core]["mismatches"]
    return f"{_pair(each, core)} {peer}" + (f" ({wrong} wrong)" if wrong else "")


def _wrong(each: Figures, case: Figures) -> str:
    return f"{each['zig'][M0]['mismatches']:,} of {case['rows']:,}"


def headline(results: Figures) -> str:
    """For the front page: the digits tree on raw bytes, on the smallest core."""
    case = results["cases"]["tree uint8"]
    rows = []
    for exporter, each in measured(case).items():
        figures = each["zig"][M0]
        numbers = (f"{figures[key]:,.0f}" for key in MEASURES)
        rows.append((exporter, *numbers, _wrong(each, case)))
    return markdown(("", "bytes", "instructions a row", "other labels than scikit-learn"), rows)
