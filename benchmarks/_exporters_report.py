"""For exporters.py: from figures to tables."""

from __future__ import annotations

from typing import Any

from _common import markdown


def report(results: dict[str, Any]) -> str:
    parts = []
    for name, case in results["cases"].items():
        for compiler in results["compilers"]:
            parts.append(_table(name, case, compiler))
    return "\n\n".join(parts)


def _table(name: str, case: dict[str, Any], compiler: str) -> str:
    header = (f"{name}, {compiler}", "M0 B", "lib", "instr", "wrong", "M4F B", "lib", "instr", "wrong", "acc")
    rows = []
    for exporter, told in case["exporters"].items():
        if "refused" in told:
            rows.append((exporter, told["refused"][:60], *[""] * 8))
            continue
        cells = []
        for core in ("cortex-m0", "cortex-m4f"):
            figures = told[compiler][core]
            cells += [
                f"{figures['bytes']:,}",
                f"{figures['library']:,}",
                f"{figures['instructions']:,.0f}",
                figures["mismatches"],
            ]
        rows.append((exporter, *cells, f"{100 * figures['accuracy']:.1f}"))
    return markdown(header, rows)
