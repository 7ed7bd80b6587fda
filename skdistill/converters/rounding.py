"""What the type of a model does to the thresholds of a fitted estimator, in words."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.limits import INT32_MAX, are_fractions, fractions_by_column
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.regrid import TreesOnEdges
from skdistill.quantization.binning import EXACT_INTEGER, FLOAT32_MAX

_BY_CHANCE = 0.1  # of many random thresholds so many are equal in float32, and harm no row
_FLOAT32_STEPS = 4  # thresholds that are nearer than this have rows within a step of them


def check_rounding(
    fine: TreesOnEdges,
    ensemble: TreeEnsemble,
    names: Any,
    dtype: str,
    X: NDArray[Any] | None = None,
) -> None:
    """Warn of rows, or else of thresholds, that the type of the model no longer tells apart.

    Parameters
    ----------
    fine : TreesOnEdges
        The rounded thresholds.
    ensemble : TreeEnsemble
        What was rounded.
    names : sequence of str, or None
        Of the columns, for the message.
    dtype : {"float32", "float64", "int32"}
        Type in which rows arrive. Rounding loses nothing for float32 ones.
    X : array of shape (n_samples, n_features), default=None
        Rows that show whether the values of a column are whole numbers; for "int32" they are.

    Raises
    ------
    ValueError
        If "int32" leaves each column one of its thresholds, and no rows show that the values
        are whole numbers.
    """
    if dtype == "int32" and X is None:
        _check_whole_numbers(fine, names)
    if dtype != "float64" or fine.n_moved_rows == 0:
        return
    n_thresholds = np.array([len(part) for part in fine.thresholds])
    if ensemble.casts_to_float32:  # only steps in front of it told more rows apart
        n_close = n_thresholds - np.array([len(part) for part in fine.edges])
        n_close[n_close <= _BY_CHANCE * n_thresholds] = 0
    else:
        n_close = np.array([_count_close(part) for part in fine.thresholds])
    columns = np.flatnonzero(n_close)
    if len(columns) == 0 and not fine.n_moved_rows:
        return
    text = ""
    if len(columns):
        text = (
            f"float32 merges or moves {n_close.sum():,} of {n_thresholds[columns].sum():,} "
            f"thresholds of {_columns(columns, names)}: rows near them may get another answer"
        )
    if fine.n_moved_rows:
        rows = (
            "1 row of X changes"
            if fine.n_moved_rows == 1
            else f"{fine.n_moved_rows:,} rows of X change"
        )
        moved = f"{rows} sides of a threshold in float32"
        text = f"{text}; {moved}" if text else moved
    concerned = sorted({*columns.tolist(), *fine.moved_columns})
    largest = max(np.abs(fine.thresholds[j]).max() for j in concerned)
    values = fine.thresholds[0][:0] if X is None else X[:, concerned][np.isfinite(X[:, concerned])]
    may_be_whole = largest < INT32_MAX and bool((values == np.floor(values)).all())
    whole = "pass dtype='int32' where the values are whole numbers, else " if may_be_whole else ""
    warnings.warn(
        f"{text}. To keep them apart, {whole}subtract an offset from the column, or scale it, "
        "before the fit",
        UserWarning,
        stacklevel=5,  # the caller of `convert`
    )


def _count_close(thresholds: NDArray[np.float64]) -> int:
    """How many ascending thresholds have another so near that float32 merges or moves them.

    Rows lie between neighbours, so that their values are nearer still. Those that only the last
    bits of float64 tell apart count as one: behind a scaler LightGBM's thresholds on both sides
    of 0 are. Those between whole numbers that float32 holds are none.
    """
    finite = thresholds[np.abs(thresholds) < float(FLOAT32_MAX)]
    if (np.abs(finite) < EXACT_INTEGER).all() and not are_fractions(finite).any():
        return 0
    same = np.diff(finite) <= 2.0**-48 * np.abs(finite[1:])
    finite = finite[np.append(~same, True)[: len(finite)]]
    step = np.spacing(np.abs(finite).astype(np.float32)).astype(np.float64)
    close = np.diff(finite) < _FLOAT32_STEPS * step[1:]
    return int((np.append(close, False) | np.append(False, close)).sum()) if len(close) else 0


def _check_whole_numbers(fine: TreesOnEdges, names: Any) -> None:
    """Refuse or warn of thresholds that tell fractions apart, for dtype="int32" without rows."""
    counts, merged = fractions_by_column(fine.thresholds)
    if merged is not None:
        thresholds = fine.thresholds[merged]
        raise ValueError(
            f"dtype='int32' makes one threshold of the {len(thresholds)} of "
            f"{_columns([merged], names)}, which lie between {thresholds[0]:.3g} and "
            f"{thresholds[-1]:.3g}: pass X to show that the values are whole numbers, else "
            "scale the column before the fit, or take dtype='float64'"
        )
    if counts.any():
        warnings.warn(
            f"dtype='int32' rounds {counts.sum():,} thresholds of "
            f"{_columns(np.flatnonzero(counts), names)} to whole numbers: pass X to show that the "
            "values are whole numbers, else scale the column before the fit, or take "
            "dtype='float64'",
            UserWarning,
            stacklevel=6,  # the caller of `convert`
        )


def _columns(columns: Any, names: Any) -> str:
    """How many columns, and the first of them."""
    first = int(columns[0])
    name = first if names is None else repr(str(names[first]))
    return (
        f"column {name}" if len(columns) == 1 else f"{len(columns)} columns (the first is {name})"
    )
