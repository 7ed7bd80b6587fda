"""Integers packed without gaps: widths, and tables of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_KINDS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


def bits_for(count: int) -> int:
    """Bits of an index into `count` things.

    Parameters
    ----------
    count : int
        How many there are.

    Returns
    -------
    bits : int
        0 for a single one.
    """
    return max(0, count - 1).bit_length()


def narrowest(numbers: NDArray[Any]) -> NDArray[Any]:
    """`numbers` in the narrowest integer type that holds them all.

    Parameters
    ----------
    numbers : array of integers
        Within the ranges of int32 or uint32.

    Returns
    -------
    numbers : array of 8, 16 or 32 bits an entry

    Raises
    ------
    ValueError
        If neither int32 nor uint32 holds them all.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.bits import narrowest
    >>> [str(narrowest(np.array(n)).dtype) for n in ([0, 255], [-1, 5], [-1, 200], [70000])]
    ['uint8', 'int8', 'int16', 'uint32']
    """
    numbers = np.asarray(numbers, np.int64)
    low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    for kind in _KINDS:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return numbers.astype(kind)
    raise ValueError(f"numbers from {low} to {high} do not fit 32 bits")


def pack_bits(numbers: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """The low `bits` of each number one after the other, least significant bit first.

    Parameters
    ----------
    numbers : int array of shape (n_numbers,)
        Negative ones in two's complement.
    bits : int
        Width of each, at most 64.

    Returns
    -------
    table : uint8 array of shape (ceil(n_numbers * bits / 8),)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.bits import pack_bits
    >>> [hex(b) for b in pack_bits(np.array([1, 2, -1]), 4)]
    ['0x21', '0xf']
    """
    wide = np.asarray(numbers).astype(np.int64).view(np.uint64)[:, None]
    each = (wide >> np.arange(bits, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(each.astype(np.uint8).ravel(), bitorder="little")


def pack_fields(numbers: tuple[NDArray[Any], ...], widths: tuple[int, ...]) -> NDArray[np.uint8]:
    """Records of several numbers one after the other, the first number lowest.

    Parameters
    ----------
    numbers : tuple of int arrays of shape (n_records,)
        One array for each field.
    widths : tuple of int
        Bits of each field.

    Returns
    -------
    table : uint8 array of shape (ceil(n_records * sum(widths) / 8),)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.bits import pack_fields
    >>> [hex(b) for b in pack_fields((np.array([1, 2]), np.array([0, 3])), (2, 6))]
    ['0x1', '0xe']
    """
    each = [
        np.asarray(number, np.int64)[:, None] >> np.arange(width) & 1
        for number, width in zip(numbers, widths, strict=True)
    ]
    return np.packbits(np.hstack(each).astype(np.uint8).ravel(), bitorder="little")


def pack_values(values: NDArray[Any], bits: int | str) -> NDArray[Any]:
    """Leaf values or weights, row by row, as they are stored.

    Parameters
    ----------
    values : int array of shape (n_rows, n_scores)
        Within the range of `bits`.
    bits : int in [2, 16] or "ternary"
        8 and 16 bits have a type of their own, other widths are packed in two's complement
        (plain where no value is negative). Ternary values go five to a byte, the first one
        as the lowest digit; 1 stands for 0.

    Returns
    -------
    table : int8, uint8, int16 or uint16 array
    """
    flat = np.ascontiguousarray(values).ravel()
    if bits == "ternary":
        # 3**5 = 243 fits a byte. Padding digits are 0, that is -1, and are never read.
        digits = np.concatenate([flat + 1, np.zeros(-len(flat) % 5, np.int64)]).reshape(-1, 5)
        table: NDArray[np.uint8] = (digits @ 3 ** np.arange(5)).astype(np.uint8)
        return table
    width = int(bits)
    if width in (8, 16):
        signed = bool((flat < 0).any())
        return flat.astype(f"{'' if signed else 'u'}int{width}")
    return pack_bits(flat, width)
