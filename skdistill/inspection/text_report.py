"""Write comparisons as a text table for people, and as a dictionary for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from os import PathLike, fspath
from typing import Any

import skdistill
from skdistill.inspection.results import Candidate, Comparison, Gain

_HEADER = ("", "accuracy", "fidelity", "log loss", "bytes", "µs Python", "µs ONNX")
_FOOTNOTES = """\
hard-label, distilled  the same student, trained on labels alone, and on labels and the teacher
accuracy, log loss     on held-out rows, which neither teacher nor students have seen
fidelity               share of the held-out rows that get the same label as from the teacher
bytes                  students: tables that give the label, without code; others: the pickle
µs Python, µs ONNX     one row at a time, median: predict() here, the .onnx file in ONNX Runtime"""
_SIGNIFICANT = 2.0  # standard errors
_WIDTH = 100


def as_text(comparisons: Sequence[Comparison]) -> str:
    """Write one table of all comparisons, and conclusions below it.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each data set.

    Returns
    -------
    text : str
        Lines of at most 100 columns, unless names are longer.
    """
    table: list[tuple[str, ...] | str] = [_HEADER]
    for comparison in comparisons:
        table.append(_heading(comparison))
        table += [_cells(candidate) for candidate in comparison.candidates]
    rows = [row for row in table if not isinstance(row, str)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = []
    for row in table:
        if isinstance(row, str):
            lines += ["", row]
            continue
        first, *rest = row
        figures = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join(["  " + first.ljust(widths[0]), *figures]).rstrip())
    lines += ["", _FOOTNOTES, ""]
    sentences = [distillation_effect(comparison) for comparison in comparisons]
    sentences.append(onnx_agreement(comparisons))
    lines += [textwrap.fill(text, _WIDTH, subsequent_indent="  ") for text in sentences]
    return "\n".join(lines)


def as_dict(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """All figures, unrounded.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each data set.

    Returns
    -------
    content : dict
        ``skdistill``, the version, and ``tables``, one entry for each comparison.
    """
    tables = []
    for comparison in comparisons:
        entry: dict[str, Any] = asdict(comparison)
        for gain in ("accuracy_gain", "log_loss_gain"):
            entry[gain] = getattr(comparison, gain)._asdict()
        tables.append(entry | {"mismatches": comparison.mismatches})
    return {"skdistill": skdistill.__version__, "tables": tables}


def distillation_effect(comparison: Comparison) -> str:
    """Say in one sentence what the teacher changed, compared with hard labels alone.

    Parameters
    ----------
    comparison : Comparison
        Of one data set.

    Returns
    -------
    sentence : str
    """
    accuracy, log_loss = comparison.accuracy_gain, comparison.log_loss_gain
    n = comparison.n_test
    first = _difference("accuracy", accuracy, f"{100 * abs(accuracy.mean):.1f} points", n)
    second = _difference("log loss", log_loss, f"{abs(log_loss.mean):.3f}", n)
    effect = {
        (True, True): f"helped {first} and {second}",
        (True, False): f"helped {first} but did NOT help {second}",
        (False, True): f"did NOT help {first} but helped {second}",
        (False, False): f"did NOT help {first} nor {second}",
    }[accuracy.mean > 0, log_loss.mean > 0]
    return f"{comparison.name}: against hard labels alone, distillation {effect}."


def onnx_agreement(comparisons: Sequence[Comparison]) -> str:
    """Say in one sentence whether ONNX Runtime and Python agree.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each data set.

    Returns
    -------
    sentence : str
    """
    count = sum(comparison.mismatches for comparison in comparisons)
    rows = sum(comparison.onnx_rows for comparison in comparisons)
    agree = "agree" if count == 0 else "DO NOT agree"
    return (
        f"ONNX Runtime and Python {agree}, label and integer scores: {count:,} mismatches in "
        f"{rows:,} rows (held-out rows, values at and beside every threshold, ±inf, NaN)."
    )


def list_files(comparisons: Sequence[Comparison], folder: str | PathLike[str]) -> str:
    """List the files that were written, with their sizes.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each data set.
    folder : str or path-like
        Where the files are.

    Returns
    -------
    lines : str
    """
    lines = [f"Written to {fspath(folder)}: results.json and"]
    for comparison in comparisons:
        for candidate in comparison.candidates:
            files = [f"{name} ({size:,} B)" for name, size in candidate.files.items()]
            if files:
                lines.append(f"  {', '.join(files)}")
    return "\n".join(lines)


def _difference(metric: str, gain: Gain, amount: str, n: int) -> str:
    chance = f"within chance on {n:,} rows" if abs(gain.z) < _SIGNIFICANT else ""
    if gain.mean > 0:
        return f"{metric} by {amount}" + (f" ({chance})" if chance else "")
    if gain.mean == 0:
        return f"{metric} (no difference)"
    return f"{metric} (worse by {amount}{', ' + chance if chance else ''})"


def _heading(comparison: Comparison) -> str:
    n_columns, n_classes = len(comparison.columns), len(comparison.classes)
    return (
        f"{comparison.name}: {n_columns:,} columns, {n_classes} classes, "
        f"{comparison.n_train:,} training rows, {comparison.n_test:,} held out"
    )


def _cells(candidate: Candidate) -> tuple[str, ...]:
    label = f"teacher: {candidate.name}" if candidate.kind == "teacher" else candidate.name
    return (
        label,
        f"{100 * candidate.accuracy:.1f} %",
        f"{100 * candidate.fidelity:.1f} %",
        f"{candidate.log_loss:.3f}",
        f"{candidate.bytes:,}",
        _time(candidate.predict_us),
        "–" if candidate.onnx_us is None else _time(candidate.onnx_us),
    )


def _time(microseconds: float) -> str:
    return f"{microseconds:,.0f}" if microseconds >= 100 else f"{microseconds:.1f}"
