"""A linear table as constants: packed weights, and what rounds its inputs on a device."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import narrowest, pack_values
from skdistill.compact.packing.layout import Request
from skdistill.compact.tables.linear_table import LinearTable

_EXACT = 2**24  # integers below it have a float32 each
_FAR = 100  # powers of two up to here change the exponent of a float32 and nothing else


class PackedLinear(NamedTuple):
    """How ``q = clip(round((x - offset) * inv_step), -Q, Q)`` is worked out, and the weights.

    Attributes
    ----------
    table : LinearTable
        What was packed.
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
        "linear_columns", "offsets", "shifts", "factors", as far as they are needed, and
        "weights". Offsets of "float" are integers, or float32 as their upper 16 or all 32
        bits.
    """

    table: LinearTable
    arithmetic: str
    fraction: int
    offset: float | None
    shift: int | None
    inv_step: float | None
    factors: bool
    tables: dict[str, NDArray[Any]]

    @property
    def compares_rounded(self) -> bool:
        """False: it rounds them itself."""
        return False


def pack_linear(linear: LinearTable, request: Request) -> PackedLinear:
    """Pack the weights, and choose the arithmetic that rounds the inputs.

    Parameters
    ----------
    linear : LinearTable
        The table of the model.
    request : Request
        Whose input type decides on the arithmetic.

    Returns
    -------
    part : PackedLinear
    """
    part = _rounding(linear, request.model.n_features, request.input_dtype)
    part.tables["weights"] = pack_values(linear.weights, linear.value_bits)
    return part


def _rounding(linear: LinearTable, n_features: int, input_dtype: str) -> PackedLinear:
    """The cheapest exact arithmetic, without weights yet."""
    tables: dict[str, NDArray[Any]] = {}
    if input_dtype == "codes":
        return PackedLinear(linear, "code", 0, 0, 0, None, False, tables)
    if len(linear.features) < n_features:
        tables["linear_columns"] = narrowest(linear.features)
    mantissa, exponent = np.frexp(linear.inv_step)
    power = exponent.astype(np.int64) - 1
    powers_of_two = bool((mantissa == 0.5).all() and (np.abs(power) <= _FAR).all())
    if input_dtype not in ("float32", "int32") and powers_of_two:
        fraction = _fraction(linear.offset)
        whole = np.ldexp(linear.offset.astype(np.float64), fraction)
        reach = np.abs(whole).max() + np.ldexp(65535.0, fraction)
        if fraction <= 8 and reach < _EXACT:  # the subtraction in float32 is exact
            offset = _single(whole.astype(np.int64), "offsets", tables)
            # Beyond, everything is 0 or saturates; and 32 bits can be shifted so far.
            shift = _single(np.clip(fraction - power, -16, 30), "shifts", tables)
            return PackedLinear(linear, "integer", fraction, offset, shift, None, False, tables)
    offsets, common = linear.offset, None
    if (offsets == offsets[0]).all():
        common = float(offsets[0])
    else:
        tables["offsets"] = _float_table(offsets)
    if powers_of_two:
        shift = _single(-power, "shifts", tables)
        return PackedLinear(linear, "float", 0, common, shift, None, False, tables)
    if (linear.inv_step == linear.inv_step[0]).all():
        step = float(linear.inv_step[0])
        return PackedLinear(linear, "float", 0, common, 0, step, True, tables)
    tables["factors"] = linear.inv_step.view(np.uint32)
    return PackedLinear(linear, "float", 0, common, 0, None, True, tables)


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
