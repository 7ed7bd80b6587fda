"""A linear table moved from the columns behind some steps to the raw ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import LinearTable
from skdistill.compact.tables.linear_table import round_input
from skdistill.converters.pipeline.column_maps import ColumnMaps

_MAX = np.finfo(np.float32).max


class FoldedLinear(NamedTuple):
    """A linear table on raw columns.

    Attributes
    ----------
    table : LinearTable
        Reads raw columns.
    original : LinearTable
        What was folded.
    position : int array of shape (n_inputs,)
        Where each of its columns stands in the new table.
    nan_codes : int64 array of shape (n_inputs,)
        The rounded inputs that it read NaN as, which is 0 in the new table.
    exact : bool
        Whether all rows are read as before.
    """

    table: LinearTable
    original: LinearTable
    position: NDArray[np.intp]
    nan_codes: NDArray[np.int64]
    exact: bool

    @property
    def bias(self) -> NDArray[np.int64]:
        """What the scores gain beside the table, int64 array of shape (n_scores,)."""
        bias: NDArray[np.int64] = self.nan_codes @ self.original.weights.astype(np.int64)
        return bias


def fold_linear(
    linear: LinearTable, maps: ColumnMaps, dtype: str, names: Sequence[Any]
) -> FoldedLinear:
    """Linear table that reads raw columns, rounding as nearly as before as float32 can.

    Where the steps replace NaN, the offset moves to the replacement, which NaN then reads
    as; `input_bits` grows by one to keep the range.

    Parameters
    ----------
    linear : LinearTable
        Reads the columns that the steps yield.
    maps : ColumnMaps
        What the steps do to each column.
    dtype : {"float32", "float64"}
        Of the rows that the steps are given.
    names : sequence of length n_features
        Of the raw columns, for messages.

    Returns
    -------
    folded : FoldedLinear

    Raises
    ------
    ValueError
        If the raw columns cannot be read so.
    """
    at = linear.features
    maps.require_scalings(at, names, "the linear part")
    raw = maps.raw_column[at]
    values, counts = np.unique(raw, return_counts=True)
    if (counts > 1).any():
        twice = names[values[counts > 1][0]]
        raise ValueError(
            f"column {twice!r} reaches the linear part more than once, which reads it once only: "
            "let the ColumnTransformer pass it on once"
        )
    for end, limit in ((-_MAX, -linear.q_max), (_MAX, linear.q_max)):
        with np.errstate(over="ignore"):
            reached = maps.transform(np.full((1, maps.n_features), end, dtype))[0][at]
            reached = reached.astype(np.float32)
        short = (maps.clipped_by[at] != "") & (round_input(reached, linear) != limit)
        if short.any():
            first = np.flatnonzero(short)[0]
            raise ValueError(
                f"step {maps.clipped_by[at[first]]!r} clips column {names[raw[first]]!r} where the "
                "linear part does not, which cannot be folded: fit it with clip=False"
            )
    nan_codes = round_input(maps.nan_values(dtype)[at].astype(np.float32), linear)
    bits = linear.input_bits + bool(nan_codes.any())
    if bits > 16:
        raise ValueError(
            "the steps replace NaN by values that a linear part of 16 input bits cannot take as "
            "its offsets: fit with input_bits of 15 or less"
        )
    with np.errstate(over="ignore", under="ignore"):
        offset = linear.offset + nan_codes / linear.inv_step.astype(np.float64)
        offset = (maps.center[at] + offset / maps.factor[at]).astype(np.float32)
        inv_step = (linear.inv_step * maps.factor[at]).astype(np.float32)
    lost = ~(np.isfinite(offset) & np.isfinite(inv_step) & (inv_step > 0))
    if lost.any():
        raise ValueError(
            f"column {names[raw[np.flatnonzero(lost)[0]]]!r} has a range that float32 cannot tell: "
            "rescale the rows"
        )
    order = np.argsort(raw)
    table = LinearTable(
        raw[order],
        offset[order],
        inv_step[order],
        bits,
        linear.weights[order],
        linear.value_bits,
    )
    exact = not nan_codes.any() and bool((maps.scaled_by[at] == "").all())
    return FoldedLinear(table, linear, np.argsort(order), nan_codes.astype(np.int64), exact)
