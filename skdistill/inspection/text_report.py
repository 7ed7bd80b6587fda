"""Comparisons as a text table for people and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import skdistill
from skdistill.inspection.compare import Candidate, Comparison, Gain

_HEADER = ("", "accuracy", "fidelity", "log loss", "bytes", "µs Python", "µs ONNX")
_FOOTNOTES = """\
hard-label, distilled  one student, taught by the labels alone or by the labels and the teacher
accuracy, log loss     on held-out rows, which neither teacher nor students have seen
fidelity               share of the held-out rows that get the same label as from the teacher
bytes                  students: tables that give the label, without code; others: the pickle
µs Python, µs ONNX     one row at a time, median: predict() here, the .onnx file in ONNX Runtime"""
_CHANCE = 2.0  # standard errors
_WIDTH = 100


def as_text(comparisons: Sequence[Comparison]) -> str:
    """One table of all comparisons, and below it what they say.

    Parameters
    ----------
    comparisons : sequence of Comparison

    Returns
    -------
    text : str
        Lines of at most 100 columns, as far as names allow.
    """
    cells: list[tuple[str, ...] | str] = [_HEADER]
    for comparison in comparisons:
        cells.append(_heading(comparison))
        cells += [_cells(candidate) for candidate in comparison.candidates]
    rows = [row for row in cells if not isinstance(row, str)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = []
    for row in cells:
        if isinstance(row, str):
            lines += ["", row]
            continue
        first, *rest = row
        numbers = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join(["  " + first.ljust(widths[0]), *numbers]).rstrip())
    lines += ["", _FOOTNOTES, ""]
    sentences = [verdict(comparison) for comparison in comparisons] + [parity(comparisons)]
    lines += [textwrap.fill(text, _WIDTH, subsequent_indent="  ") for text in sentences]
    return "\n".join(lines)


def as_json(comparisons: Sequence[Comparison]) -> str:
    """All figures, unrounded.

    Parameters
    ----------
    comparisons : sequence of Comparison

    Returns
    -------
    text : str
        An object with ``skdistill``, the version, and ``tables``, one entry a comparison.
    """
    tables = []
    for comparison in comparisons:
        entry: dict[str, Any] = asdict(comparison)
        for gain in ("accuracy_gain", "log_loss_gain"):
            entry[gain] = getattr(comparison, gain)._asdict()
        tables.append(entry | {"mismatches": comparison.mismatches})
    content = {"skdistill": skdistill.__version__, "tables": tables}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def verdict(comparison: Comparison) -> str:
    """One sentence: what the teacher brought over hard labels alone.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    sentence : str
    """
    accuracy, log_loss = comparison.accuracy_gain, comparison.log_loss_gain
    n = comparison.n_test
    first = _difference("accuracy", accuracy, f"{100 * abs(accuracy.amount):.1f} points", n)
    second = _difference("log loss", log_loss, f"{abs(log_loss.amount):.3f}", n)
    what = {
        (True, True): f"helped {first} and {second}",
        (True, False): f"helped {first} but did NOT help {second}",
        (False, True): f"did NOT help {first} but helped {second}",
        (False, False): f"did NOT help {first} nor {second}",
    }[accuracy.amount > 0, log_loss.amount > 0]
    return f"{comparison.name}: against hard labels alone, distillation {what}."


def _difference(figure: str, gain: Gain, amount: str, n: int) -> str:
    chance = f"within chance on {n:,} rows" if abs(gain.z) < _CHANCE else ""
    if gain.amount > 0:
        return f"{figure} by {amount}" + (f" ({chance})" if chance else "")
    if gain.amount == 0:
        return f"{figure} (no difference)"
    return f"{figure} (worse by {amount}{', ' + chance if chance else ''})"


def parity(comparisons: Sequence[Comparison]) -> str:
    """One sentence: whether ONNX Runtime answers as Python does.

    Parameters
    ----------
    comparisons : sequence of Comparison

    Returns
    -------
    sentence : str
    """
    count = sum(comparison.mismatches for comparison in comparisons)
    rows = sum(comparison.onnx_rows for comparison in comparisons)
    agree = "answers as Python does" if count == 0 else "DOES NOT answer as Python does"
    return (
        f"ONNX Runtime {agree}, label and integer scores: {count:,} mismatches in {rows:,} rows "
        "(held-out rows, values at and beside every threshold, ±inf, NaN)."
    )


def written(comparisons: Sequence[Comparison], folder: str) -> str:
    """Which files there are now, and their sizes.

    Parameters
    ----------
    comparisons : sequence of Comparison
    folder : str

    Returns
    -------
    lines : str
    """
    lines = [f"Written to {folder}: results.json and"]
    for comparison in comparisons:
        for candidate in comparison.candidates:
            files = [f"{name} ({size:,} B)" for name, size in candidate.files.items()]
            if files:
                lines.append(f"  {', '.join(files)}")
    return "\n".join(lines)


def _heading(comparison: Comparison) -> str:
    columns, classes = len(comparison.columns), len(comparison.classes)
    return (
        f"{comparison.name}: {columns:,} columns, {classes} classes, "
        f"{comparison.n_train:,} rows to learn from, {comparison.n_test:,} held out"
    )


def _cells(candidate: Candidate) -> tuple[str, ...]:
    label = candidate.name
    if candidate.role == "teacher":
        label = f"teacher: {label}"
    onnx = "–" if candidate.onnx_us is None else _time(candidate.onnx_us)
    return (
        label,
        f"{100 * candidate.accuracy:.1f} %",
        f"{100 * candidate.fidelity:.1f} %",
        f"{candidate.log_loss:.3f}",
        f"{candidate.bytes:,}",
        _time(candidate.predict_us),
        onnx,
    )


def _time(microseconds: float) -> str:
    return f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.1f}"
