"""Checks of what the device makes of a model."""

from __future__ import annotations

from skdistill.compact.packing.pack import table_sizes
from skdistill.inspection.checks.evidence import Evidence

_LEAST_USE = 0.5


def thresholds_merged(evidence: Evidence) -> str:
    """SKD103: ask each table what whole numbers cannot tell apart that it does."""
    dtype = evidence.input_dtype
    if dtype is None or "int" not in dtype:
        return ""
    texts = []
    for table in evidence.compact.tables:
        try:
            texts.append(table.check_whole_numbers(dtype))
        except ValueError as error:
            texts.append(str(error))
    return "; ".join(text for text in texts if text)


def budget_hardly_used(evidence: Evidence) -> str:
    """SKD105: compare the bytes of the tables with those that they may take."""
    if evidence.budget is None:
        return ""
    nbytes = sum(table_sizes(evidence.compact).values())
    if nbytes >= _LEAST_USE * evidence.budget:
        return ""
    return f"the tables take {nbytes:,} of {evidence.budget:,} bytes, a larger student would fit"
