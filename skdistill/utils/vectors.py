"""Four or eight numbers at a time, for loops that are too short for numba to make vectors of them.

Rows of a table whose width is a multiple of four are read, added and written by vector units: 7
scores, padded to 8, take one or two additions. numba 0.68 adds them one by one.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 4
_intrinsic: Any = intrinsic  # its calls have one argument less than mypy expects


def padded_width(width: int) -> int:
    """Numbers a row as the kernels take them: one, or a multiple of four.

    Parameters
    ----------
    width : int
        Numbers a row that count.

    Returns
    -------
    padded : int

    Examples
    --------
    >>> from skdistill.utils.vectors import padded_width
    >>> [padded_width(width) for width in (1, 2, 7)]
    [1, 4, 8]
    """
    return 1 if width == 1 else -(-width // LANES) * LANES


def _pointer(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any, lanes: int = LANES
) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    vector = ir.VectorType(context.get_data_type(array_type.dtype), lanes)
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _operations(array_type: Any, builder: Any) -> tuple[Any, int]:
    """Addition, and the bytes to which one number is aligned."""
    dtype = array_type.dtype
    return builder.fadd if isinstance(dtype, types.Float) else builder.add, dtype.bitwidth // 8


@_intrinsic
def add_row(typing_context, out, at, table, a):  # type: ignore[no-untyped-def]
    """``out[at : at + 4] += table[a : a + 4]``, of flat arrays of one type; nothing is checked."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        kinds = signature.args
        add, align = _operations(kinds[0], builder)
        target = _pointer(context, builder, kinds[0], arguments[0], arguments[1])
        added = _pointer(context, builder, kinds[2], arguments[2], arguments[3])
        total = add(builder.load(target, align=align), builder.load(added, align=align))
        builder.store(total, target, align=align)
        return context.get_dummy_value()

    return types.void(out, types.intp, table, types.intp), generate


@_intrinsic
def add_eight_integers(typing_context, out, at, table, a):  # type: ignore[no-untyped-def]
    """``out[at : at + 8] += table[a : a + 8]``, of flat arrays of int64 and int32.

    Nothing is checked.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        kinds = signature.args
        target = _pointer(context, builder, kinds[0], arguments[0], arguments[1], 8)
        added = _pointer(context, builder, kinds[2], arguments[2], arguments[3], 8)
        wide = builder.sext(builder.load(added, align=4), ir.VectorType(ir.IntType(64), 8))
        builder.store(builder.add(builder.load(target, align=8), wide), target, align=8)
        return context.get_dummy_value()

    int64, int32 = types.Array(types.int64, 1, "C"), types.Array(types.int32, 1, "C")
    return types.void(int64, types.intp, int32, types.intp), generate


@_intrinsic
def add_four_rows(typing_context, out, at, table, a, b, c, d):  # type: ignore[no-untyped-def]
    """Add rows a … d of a table as `add_row` does: first a and b, c and d, then their sums."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        kinds = signature.args
        add, align = _operations(kinds[0], builder)
        target = _pointer(context, builder, kinds[0], arguments[0], arguments[1])
        rows = [
            builder.load(_pointer(context, builder, kinds[2], arguments[2], index), align=align)
            for index in arguments[3:]
        ]
        added = add(add(rows[0], rows[1]), add(rows[2], rows[3]))
        builder.store(add(builder.load(target, align=align), added), target, align=align)
        return context.get_dummy_value()

    return types.void(out, types.intp, table, *(types.intp,) * 4), generate
