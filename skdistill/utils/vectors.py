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
_intrinsic: Any = intrinsic(prefer_literal=True)  # its calls have one argument less for mypy


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


class _Vectors:
    """What adds vectors of a table to an array, whose numbers may be wider than the table's."""

    def __init__(self, context: Any, builder: Any, out: Any, table: Any, lanes: int) -> None:
        self.context, self.builder, self.lanes = context, builder, lanes
        self.out, self.table = out, table  # numba types of arrays
        is_real = isinstance(out.dtype, types.Float)
        self.plus = builder.fadd if is_real else builder.add
        self.widen = builder.fpext if is_real else builder.sext

    def _vector(self, array_type: Any) -> Any:
        return ir.VectorType(self.context.get_data_type(array_type.dtype), self.lanes)

    def _pointer(self, array_type: Any, array: Any, index: Any) -> Any:
        data = self.context.make_array(array_type)(self.context, self.builder, array).data
        vector = self._vector(array_type).as_pointer()
        return self.builder.bitcast(self.builder.gep(data, [index]), vector)

    def load(self, array: Any, index: Any) -> Any:
        """A vector of the table, in its own type."""
        align = self.table.dtype.bitwidth // 8
        return self.builder.load(self._pointer(self.table, array, index), align=align)

    def add(self, array: Any, indexes: Any, added: Any) -> Any:
        """Add a vector of the table at some places of the array."""
        if self.table.dtype != self.out.dtype:
            added = self.widen(added, self._vector(self.out))
        align = self.out.dtype.bitwidth // 8
        for index in indexes:
            pointer = self._pointer(self.out, array, index)
            total = self.plus(self.builder.load(pointer, align=align), added)
            self.builder.store(total, pointer, align=align)
        return self.context.get_dummy_value()


@_intrinsic
def add_row(typing_context, out, at, table, a, lanes):  # type: ignore[no-untyped-def]
    """``out[at : at + lanes] += table[a : a + lanes]``, of flat arrays; nothing is checked.

    Both are integers or both are floats; those of `out` may be wider. The number of lanes is 4 or
    8, and written as a literal.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vectors = _Vectors(context, builder, out, table, lanes.literal_value)
        return vectors.add(arguments[0], arguments[1:2], vectors.load(*arguments[2:4]))

    return types.void(out, types.intp, table, types.intp, lanes), generate


@_intrinsic
def add_to_four_rows(typing_context, out, a, b, c, d, table, at, lanes):  # type: ignore[no-untyped-def]
    """Add ``table[at : at + lanes]`` at a, b, c and d to `out`, as `add_row` does."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vectors = _Vectors(context, builder, out, table, lanes.literal_value)
        return vectors.add(arguments[0], arguments[1:5], vectors.load(*arguments[5:7]))

    return types.void(out, *(types.intp,) * 4, table, types.intp, lanes), generate


@_intrinsic
def add_four_rows(typing_context, out, at, table, a, b, c, d, lanes):  # type: ignore[no-untyped-def]
    """Add rows a … d of a table as `add_row` does: first a and b, c and d, then their sums."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vectors = _Vectors(context, builder, out, table, lanes.literal_value)
        plus, rows = vectors.plus, [vectors.load(arguments[2], row) for row in arguments[3:7]]
        added = plus(plus(rows[0], rows[1]), plus(rows[2], rows[3]))
        return vectors.add(arguments[0], arguments[1:2], added)

    return types.void(out, types.intp, table, *(types.intp,) * 4, lanes), generate
