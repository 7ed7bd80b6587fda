"""Splits behind some steps as splits of raw columns, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.converters.pipeline.column_maps import ColumnMaps
from skdistill.quantization.binning import last_double_where, last_where

_MAX = np.finfo(np.float32).max


def raw_thresholds(
    maps: ColumnMaps,
    column: NDArray[np.intp],
    threshold: NDArray[np.floating],
    dtype: str,
    *,
    casts_to_float32: bool,
) -> NDArray[np.float64]:
    """Last raw number that the steps themselves take to each threshold or below.

    Scalers round, so that solving for the raw number would err in its last bits: instead
    numbers of `dtype` are bisected through the fitted steps, for all thresholds at a time.

    Parameters
    ----------
    maps : ColumnMaps
        What the steps do to each column.
    column : int array of shape (n_thresholds,)
        Column behind the steps that each threshold is compared with.
    threshold : float array of shape (n_thresholds,)
        In units behind the steps.
    dtype : {"float32", "float64"}
        Of the rows that the steps are given.
    casts_to_float32 : bool
        Whether the model rounds what the steps yield to float32 before it compares.

    Returns
    -------
    raw : float64 array of shape (n_thresholds,)
        A number of `dtype`, infinity where all of float32's range are below the threshold,
        −infinity where none is.
    """
    raw_column = maps.raw_column[column]
    # Each row of a table tries one threshold of each raw column.
    row = np.zeros(len(column), np.intp)
    for j in np.unique(raw_column):
        row[raw_column == j] = np.arange((raw_column == j).sum())
    table = np.zeros((row.max(initial=-1) + 1, maps.n_features), dtype)

    def is_below(x: NDArray[np.floating]) -> NDArray[np.bool_]:
        table[row, raw_column] = x
        values = maps.transform(table)[row, column]
        if casts_to_float32:
            with np.errstate(over="ignore"):  # beyond float32 is ±inf, as in the model
                values = values.astype(np.float32)
        below: NDArray[np.bool_] = values <= threshold
        return below

    if len(column) == 0:
        return np.empty(0)
    last = last_below(is_below, len(column)).astype(np.float64)
    return last_double_where(is_below, last) if dtype == "float64" else last


def last_below(
    is_below: Callable[[NDArray[np.float32]], NDArray[np.bool_]], n_thresholds: int
) -> NDArray[np.float32]:
    """Last float32 number that is below each of many thresholds.

    Parameters
    ----------
    is_below : callable
        Takes one float32 number for each threshold and says which are below it.
    n_thresholds : int
        How many numbers are searched at a time.

    Returns
    -------
    last : float32 array of shape (n_thresholds,)
        Infinity where all numbers are below, −infinity where none is.
    """
    last = last_where(is_below, (n_thresholds,))
    last = np.where(last == _MAX, np.float32(np.inf), last)
    return np.where(is_below(np.full(n_thresholds, -_MAX)), last, np.float32(-np.inf))


class Splits(NamedTuple):
    """Splits of which none sends numbers to the right and only NaN to the left.

    Attributes
    ----------
    threshold : array of shape (n_splits,)
        Numbers up to this go left.
    nan_left : bool array of shape (n_splits,)
        Whether NaN goes left.
    swapped : bool array of shape (n_splits,)
        Where the children have to change sides.
    idle : bool array of shape (n_splits,)
        Where all rows go to one side: to the left where the threshold is positive.
    """

    threshold: NDArray[Any]
    nan_left: NDArray[np.bool_]
    swapped: NDArray[np.bool_]
    idle: NDArray[np.bool_]


def settle_splits(threshold: NDArray[Any], nan_left: NDArray[np.bool_]) -> Splits:
    """Swap and find splits at infinity, which thresholds become that steps never reach.

    A grid has no edge at −infinity. A split there may part NaN from all numbers: with the
    children swapped it is one at infinity.

    Parameters
    ----------
    threshold : array of shape (n_splits,)
        Numbers up to this go left.
    nan_left : bool array of shape (n_splits,)
        Whether NaN goes left.

    Returns
    -------
    splits : Splits

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.converters.pipeline.thresholds import settle_splits
    >>> threshold, nan_left = np.array([-np.inf, -np.inf, np.inf]), np.array([True, False, True])
    >>> splits = settle_splits(threshold, nan_left)
    >>> splits.threshold.tolist(), splits.swapped.tolist(), splits.idle.tolist()
    ([inf, -inf, inf], [True, False, False], [False, True, True])
    """
    swapped = (threshold == -np.inf) & nan_left
    threshold, nan_left = np.where(swapped, -threshold, threshold), nan_left & ~swapped
    idle = (threshold == -np.inf) | ((threshold == np.inf) & nan_left)
    return Splits(threshold, nan_left, swapped, idle)
