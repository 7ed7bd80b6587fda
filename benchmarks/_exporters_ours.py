"""For exporters.py: our C of the fitted models, for size and for speed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _exporters_cases import Case
from _exporters_report import CODE, TABLE

from skdistill import convert
from skdistill.export.c import to_c

OPTIMIZE = {TABLE: "size", CODE: "speed"}


def write(cases: Sequence[Case], folder: Path) -> dict[str, Any]:
    """A source file for each case and what it is optimized for."""
    found: dict[str, Any] = {}
    for number, case in enumerate(cases):
        target = folder / str(number)
        target.mkdir(parents=True, exist_ok=True)
        model = convert(case.model, X=case.X_train)
        found[case.name] = {}
        for exporter, optimize in OPTIMIZE.items():
            path = target / f"{exporter.replace(' ', '_')}.c"
            path.write_text(to_c(model, input_dtype=case.input, optimize=optimize, name="ours"))
            found[case.name][exporter] = {"source": str(path), "entry": "ours_label"}
    return found
