"""A linear model on rounded inputs as arrays.

Symbols: u columns that the table reads, S score columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skdistill.compact.tables.linear_table import LinearTable

from dataclasses import dataclass

from skdistill.compact._frozen import Frozen, as_table, require
from skdistill.compact.tables.limits import check_bits


@dataclass(frozen=True, eq=False)
class LinearTable(Frozen):
    """A linear model on inputs that were rounded to integers.

    ``q = clip(round((x - offset) * inv_step), -Q, Q)`` in float32, half to even,
    with Q = 2^(input_bits - 1) - 1; NaN reads as 0, which is the offset. The
    scores gain ``q @ weights``.

    Parameters
    ----------
    features : int32 array of shape (u,)
    offset, inv_step : float32 arrays of shape (u,)
    input_bits : int in [2, 16]
    weights : int32 array of shape (u, S)
    value_bits : int in [2, 16] or "ternary"
        Width in which a weight is stored.
    """

    features: NDArray[Any]
    offset: NDArray[Any]
    inv_step: NDArray[Any]
    input_bits: int
    weights: NDArray[Any]
    value_bits: int | str

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "offset", np.float32, 1)
        as_table(self, "inv_step", np.float32, 1)
        as_table(self, "weights", np.int32, 2)
        u = len(self.features)
        for name in ("offset", "inv_step", "weights"):
            length = len(getattr(self, name))
            require(length == u, f"{name} has {length} rows for {u} features")
        require(
            u > 0 and bool((np.diff(self.features) > 0).all()) and self.features[0] >= 0,
            "features must be ascending column numbers, at least one",
        )
        require(bool(np.isfinite(self.offset).all()), "offset must be finite")
        require(
            bool((np.isfinite(self.inv_step) & (self.inv_step > 0)).all()),
            "inv_step must be finite and positive",
        )
        bits = self.input_bits
        whole = isinstance(bits, int | np.integer) and bits in range(2, 17)
        require(whole, f"input_bits must be an int in [2, 16], got {bits!r}")
        object.__setattr__(self, "input_bits", int(bits))
        check_bits(self, "weights")

    @property
    def q_max(self) -> int:
        """Largest rounded input."""
        return (1 << (self.input_bits - 1)) - 1


def quantize_input(X: NDArray[Any], linear: LinearTable) -> NDArray[np.float32]:
    """Rounded inputs of a linear table: whole numbers in float32, shape (n, u)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return round_input(X[:, linear.features].astype(np.float32), linear)


def round_input(
    x: NDArray[np.float32], linear: LinearTable, at: Any = slice(None)
) -> NDArray[np.float32]:
    """Rounded values of the inputs `at` of a linear table; saturates, NaN reads as 0."""
    with np.errstate(over="ignore", invalid="ignore"):  # out of range saturates below
        q = np.rint((x - linear.offset[at]) * linear.inv_step[at])
        return np.clip(np.where(np.isnan(q), np.float32(0), q), -linear.q_max, linear.q_max)


def _linear_scores(X: NDArray[Any], linear: LinearTable) -> NDArray[np.int32]:
    # Whole numbers below 2⁵³ add up exactly in float64 in any order, and BLAS is fast there.
    q = quantize_input(X, linear).astype(np.float64)
    return (q @ linear.weights.astype(np.float64)).astype(np.int32)
