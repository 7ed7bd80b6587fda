"""A linear table moved from the columns behind some steps to the raw ones.

Symbols: d raw columns, c columns behind the steps, u columns that the table reads, S scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import LinearTable
from skdistill.compact.tables.linear_table import round_input
from skdistill.converters.pipeline.column_maps import Columns

_MAX = np.finfo(np.float32).max


class FoldedLinear(NamedTuple):
    """A linear table on raw columns.

    Attributes
    ----------
    table : LinearTable
    before : LinearTable
        What was folded.
    place : int array of shape (u,)
        Where each of its columns went.
    replaced : int64 array of shape (u,)
        What it read NaN as, which is 0 in the new table.
    exact : bool
        Whether all rows are read as before.
    """

    table: LinearTable
    before: LinearTable
    place: NDArray[np.intp]
    replaced: NDArray[np.int64]
    exact: bool

    @property
    def bias(self) -> NDArray[np.int64]:
        """What the scores gain beside the table, int64 array of shape (S,)."""
        return self.replaced @ self.before.weights.astype(np.int64)


def fold_linear(
    linear: LinearTable, columns: Columns, width: int, dtype: str, names: Sequence[Any]
) -> FoldedLinear:
    """A linear table that reads raw columns, rounding as nearly as before as float32 can.

    Where the steps replace NaN, the offset moves to the replacement, which NaN reads as;
    `input_bits` grows by one to keep the range.

    Parameters
    ----------
    linear : LinearTable
    columns : Columns
    width : int
        Raw columns, d.
    dtype : {"float32", "float64"}
        In which the steps are given their rows.
    names : sequence of length d
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
    raw = columns.source[at]
    values, counts = np.unique(raw, return_counts=True)
    if (counts > 1).any():
        twice = names[values[counts > 1][0]]
        raise ValueError(
            f"column {twice!r} reaches the linear part more than once, which reads it once only: "
            "let the ColumnTransformer pass it on once"
        )
    for end, limit in ((-_MAX, -linear.q_max), (_MAX, linear.q_max)):
        with np.errstate(over="ignore"):
            reached = columns.transform(np.full((1, width), end, dtype))[0][at].astype(np.float32)
        short = (columns.clipped[at] != "") & (round_input(reached, linear) != limit)
        if short.any():
            first = np.flatnonzero(short)[0]
            raise ValueError(
                f"step {columns.clipped[at[first]]!r} clips column {names[raw[first]]!r} where the "
                "linear part does not, which cannot be folded: fit it with clip=False"
            )
    replaced = round_input(columns.missing(width, dtype)[at].astype(np.float32), linear)
    bits = linear.input_bits + bool(replaced.any())
    if bits > 16:
        raise ValueError(
            "the steps replace NaN by values that a linear part of 16 input bits cannot take as "
            "its offsets: fit with input_bits of 15 or less"
        )
    with np.errstate(over="ignore", under="ignore"):
        moved = linear.offset + replaced / linear.inv_step.astype(np.float64)
        offset = (columns.centre[at] + moved / columns.factor[at]).astype(np.float32)
        inv_step = (linear.inv_step * columns.factor[at]).astype(np.float32)
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
    exact = not replaced.any() and bool((columns.scaled[at] == "").all())
    return FoldedLinear(table, linear, np.argsort(order), replaced.astype(np.int64), exact)
