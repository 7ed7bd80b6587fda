"""For exporters.py: our C of the fitted models, in every form that `optimize` chooses.

Floats are said to be numbers, as most peers take them to be.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _exporters_cases import Case
from _exporters_report import OURS

from skdistill import CompactModel, convert
from skdistill.export.c import to_c

MISSING = {"uint8": None, "int16": None, "float32": "never"}


def write(cases: Sequence[Case], folder: Path) -> dict[str, Any]:
    """A source file for each case and what it is optimized for."""
    files: dict[str, Any] = {}
    for number, case in enumerate(cases):
        target = folder / str(number)
        target.mkdir(parents=True, exist_ok=True)
        model = compact(case)
        files[case.name] = {}
        for exporter, optimize in OURS.items():
            path = target / f"{optimize}.c"
            options = {"input_dtype": case.input, "missing_value": MISSING[case.input]}
            with warnings.catch_warnings():  # a student on int16 has thresholds between them
                warnings.filterwarnings("ignore", "input_dtype=.* whole numbers")
                path.write_text(to_c(model, optimize=optimize, name="ours", **options))
            files[case.name][exporter] = {"source": str(path), "entry": "ours_label"}
    return files


def compact(case: Case) -> CompactModel:
    """The integer model of a case; a student has it already."""
    if case.ours_alone:
        return case.model.compact_
    return convert(case.model, X=case.X_train)
