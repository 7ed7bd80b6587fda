"""What rounds the inputs of a linear table on a device, as tables or single numbers.

Symbols: u columns that the table reads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import narrowest
from skdistill.compact.tables.linear_table import LinearTable

_EXACT = 2**24  # whole numbers below it have a float32 each
_FAR = 100  # powers of two up to here change the exponent of a float32 and nothing else


class LinearInput(NamedTuple):
    """How ``q = clip(round((x - offset) * inv_step), -Q, Q)`` is worked out.

    Attributes
    ----------
    arithmetic : {"integer", "float", "code"}
        "integer": ``(x << fraction) - offset`` is shifted to the right. "float": one
        subtraction, then the power of two is taken off the exponent. "code": q is given.
    fraction : int
        Bits of the offsets after the point, of "integer".
    offset : int, float, or None
        Where all inputs have the same; None where they have a table.
    shift : int or None
        Bits to the right, the same for all inputs; None where they have a table.
    inv_step : float or None
        Of "float", where steps are no powers of two but the same for all.
    factors : bool
        Whether steps are no powers of two, so that "float" multiplies.
    tables : dict of str to array
        "linear_columns", "offsets", "shifts", "factors", as far as they are needed. Offsets of
        "float" are whole numbers, or float32 as their upper 16 or all 32 bits.
    """

    arithmetic: str
    fraction: int
    offset: float | None
    shift: int | None
    inv_step: float | None
    factors: bool
    tables: dict[str, NDArray[Any]]


def linear_input(linear: LinearTable, n_features: int, input: str) -> LinearInput:
    """Choose the arithmetic that rounds the inputs of a linear table.

    Parameters
    ----------
    linear : LinearTable
    n_features : int
    input : str
        Type of the inputs, or "codes" for rounded ones.

    Returns
    -------
    read : LinearInput
    """
    tables: dict[str, NDArray[Any]] = {}
    if input == "codes":
        return LinearInput("code", 0, 0, 0, None, False, tables)
    if len(linear.features) < n_features:
        tables["linear_columns"] = narrowest(linear.features)
    mantissa, exponent = np.frexp(linear.inv_step)
    power = exponent.astype(np.int64) - 1
    powers_of_two = bool((mantissa == 0.5).all() and (np.abs(power) <= _FAR).all())
    if input not in ("float32", "int32") and powers_of_two:
        fraction = _fraction(linear.offset)
        whole = np.ldexp(linear.offset.astype(np.float64), fraction)
        reach = np.abs(whole).max() + np.ldexp(65535.0, fraction)
        if fraction <= 8 and reach < _EXACT:  # the subtraction in float32 is exact
            offset = _single(whole.astype(np.int64), "offsets", tables)
            # Beyond, everything is 0 or saturates; and 32 bits can be shifted so far.
            shift = _single(np.clip(fraction - power, -16, 30), "shifts", tables)
            return LinearInput("integer", fraction, offset, shift, None, False, tables)
    offsets, common = linear.offset, None
    if (offsets == offsets[0]).all():
        common = float(offsets[0])
    else:
        tables["offsets"] = _float_table(offsets)
    if powers_of_two:
        return LinearInput(
            "float", 0, common, _single(-power, "shifts", tables), None, False, tables
        )
    if (linear.inv_step == linear.inv_step[0]).all():
        return LinearInput("float", 0, common, 0, float(linear.inv_step[0]), True, tables)
    tables["factors"] = linear.inv_step.view(np.uint32)
    return LinearInput("float", 0, common, 0, None, True, tables)


def _fraction(numbers: NDArray[np.float32]) -> int:
    """Bits after the point that all numbers need."""
    for bits in range(32):
        scaled = np.ldexp(numbers.astype(np.float64), bits)
        if (scaled == np.floor(scaled)).all():
            return bits
    return 32


def _single(numbers: NDArray[np.int64], name: str, tables: dict[str, NDArray[Any]]) -> int | None:
    """The number that all have in common, or None and a table."""
    if (numbers == numbers[0]).all():
        return int(numbers[0])
    tables[name] = narrowest(numbers)
    return None


def _float_table(numbers: NDArray[np.float32]) -> NDArray[Any]:
    whole = bool((numbers == np.floor(numbers)).all() and np.abs(numbers).max() < 2**15)
    if whole:  # never uint16, which are the upper halves of float32
        table = narrowest(numbers.astype(np.int64))
        return table if table.itemsize == 1 else table.astype(np.int16)
    bits = numbers.view(np.uint32)
    if not (bits & 0xFFFF).any():
        return (bits >> 16).astype(np.uint16)
    return bits
