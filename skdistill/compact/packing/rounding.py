"""How a device rounds inputs to integers: the cheapest arithmetic that is exact."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import narrowest

_EXACT = 2**24  # integers below it have a float32 each
_FAR = 100  # powers of two up to here change the exponent of a float32 and nothing else


class Rounding(NamedTuple):
    """How ``q = clip(round((x - offset) * inv_step), -Q, Q)`` is worked out.

    Attributes
    ----------
    q_max : int
        Largest rounded input, Q.
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
    prefix : str
        What the names of the tables "offsets", "shifts" and "factors" begin with. Offsets of
        "float" are integers, or float32 as their upper 16 or all 32 bits.
    limit : int or None
        Of "integer": larger inputs are taken as this number, on both sides of 0.
    """

    q_max: int
    arithmetic: str
    fraction: int = 0
    offset: float | None = 0
    shift: int | None = 0
    inv_step: float | None = None
    factors: bool = False
    prefix: str = ""
    limit: int | None = None


def pack_rounding(
    offsets: NDArray[Any],
    inv_steps: NDArray[Any],
    q_max: int,
    input_dtype: str,
    tables: dict[str, NDArray[Any]],
    prefix: str = "",
) -> Rounding:
    """Choose the arithmetic that rounds inputs.

    Parameters
    ----------
    offsets, inv_steps : float32 arrays of shape (n_inputs,)
        At least one; steps are positive.
    q_max : int
        Largest rounded input.
    input_dtype : str
        Type of the inputs, or "codes".
    tables : dict of str to array
        Where the tables are put that are needed.
    prefix : str, default=""
        What their names begin with.

    Returns
    -------
    rounding : Rounding
    """
    if input_dtype == "codes":
        return Rounding(q_max, "code", prefix=prefix)
    mantissa, exponent = np.frexp(inv_steps)
    power = exponent.astype(np.int64) - 1
    powers_of_two = bool((mantissa == 0.5).all() and (np.abs(power) <= _FAR).all())
    fraction = _fraction(offsets)
    if input_dtype != "float32" and powers_of_two and fraction <= 8:
        whole = np.ldexp(offsets.astype(np.float64), fraction)
        limit = 2 ** (23 - fraction) if input_dtype == "int32" else 65535
        reach = np.ldexp(float(limit), fraction)
        exact = bool((np.abs(whole) + reach < _EXACT).all())  # the subtraction in float32
        if input_dtype == "int32":  # what lies beyond the limit must saturate
            steps = np.ldexp(reach - np.abs(whole), power - fraction)
            exact &= bool((steps > q_max).all())
        if exact:
            offset = _single(whole.astype(np.int64), f"{prefix}offsets", tables)
            # Beyond, everything is 0 or saturates; and 32 bits can be shifted so far.
            shift = _single(np.clip(fraction - power, -16, 30), f"{prefix}shifts", tables)
            beyond = limit if input_dtype == "int32" else None
            return Rounding(q_max, "integer", fraction, offset, shift, prefix=prefix, limit=beyond)
    common = None
    if (offsets == offsets[0]).all():
        common = float(offsets[0])
    else:
        tables[f"{prefix}offsets"] = _float_table(offsets)
    if powers_of_two:
        shift = _single(-power, f"{prefix}shifts", tables)
        return Rounding(q_max, "float", 0, common, shift, prefix=prefix)
    if (inv_steps == inv_steps[0]).all():
        return Rounding(q_max, "float", 0, common, 0, float(inv_steps[0]), True, prefix)
    tables[f"{prefix}factors"] = inv_steps.view(np.uint32)
    return Rounding(q_max, "float", 0, common, 0, None, True, prefix)


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
