"""C that multiplies a row of a net's weights with its inputs."""

from __future__ import annotations

from typing import NamedTuple

from skdistill.compact.packing.net import WIDTHS, Stream, Width, weights_name
from skdistill.export.c.text import CSource, block


def product_function(source: CSource, bits: int | str, aligned: bool) -> str:
    """The function that adds the products of a row.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    bits : int in [2, 8] or "ternary"
        Width of the weights.
    aligned : bool
        Whether all rows begin with a block.

    Returns
    -------
    text : str
    """
    if bits == 8:
        return _bytes(source)
    width, table = WIDTHS[bits], f"{source.name}_{weights_name(bits)}"
    load = _load(source, bits, table)
    return block(
        """
        /* a and the products of n inputs at p with the weights from number `at` on: @block@ at a
           time, two by a multiplication. Their sum is the upper half, moved by 2^15. */
        static int32_t @name@_products_@bits@(int32_t a, const int32_t *p, unsigned n, @index@ at)
        {
            const int32_t *const end = p + n;
            @start@
            @align@
            do {
                @read@
                uint32_t t = 0x80008000u;
                @sums@
                a += (int32_t)(t >> 16) - 32768;
                p += @block@;
            } while (p < end);
            return a;
        }
        """,
        name=source.name,
        bits=bits,
        block=width.block,
        index=source.index,
        start=load.start,
        align="" if aligned else load.align,
        read=load.read,
        sums=_sums(bits, width),
    )


class _Load(NamedTuple):
    """Statements that read blocks of weights as two lanes, `v`."""

    start: str
    align: str
    read: str


def _load(source: CSource, bits: int | str, table: str) -> _Load:
    M, index, size = source.macro, source.index, WIDTHS[bits].block
    if bits == "ternary":
        # Cores without a divider divide by 10 as they multiply by 52429 / 2^19, exact below 80000.
        many = source.layout.tables[weights_name(bits)].size * 5 >= 80000
        first = "at / 10u" if many else f"({index})((uint32_t)at * 52429u >> 19)"
        return _Load(
            f"const {index} first = {first};\n{M}_ROM uint8_t *w = {table} + 2u * first;\n",
            "p -= at - 10u * first;\n",
            f"uint32_t v = {M}_GET8(w) | (uint32_t){M}_GET8(w + 1) << 16;\n",
        )
    at, align = f"at >> {size.bit_length() - 1}", f"p -= at & {size - 1}u;\n"
    if bits in (2, 4):
        start = f"{M}_ROM uint32_t *w = {table} + ({at});\n"
        return _Load(start, align, f"const uint32_t v = {M}_GET32(w);\n")
    half = int(bits) * size // 2  # bits of a lane
    n_bytes = -(-2 * half // 8)
    reads = [f"(uint32_t){M}_GET8(w + {i}) << {8 * i}" for i in range(1, n_bytes)]
    joined = " | ".join([f"(uint32_t){M}_GET8(w)", *reads])
    low, high = (1 << half) - 1, ((1 << half) - 1) << half
    lanes = f"v = (v & {low:#x}u) | (v & {high:#x}u) << {16 - half};\n"
    if 2 * half % 8 == 0:
        start = f"{M}_ROM uint8_t *w = {table} + {n_bytes}u * ({at});\n"
        return _Load(start, align, f"uint32_t v = {joined};\n{lanes}")
    start = f"{index} first = {at};\n"
    place = f"{M}_ROM uint8_t *w = {table} + ({bits}u * first >> 1);\n"
    odd = f"uint32_t v = ({joined}) >> 4u * (first & 1u);\n"
    return _Load(start, align, place + odd + lanes)


def _advance(bits: int | str) -> str:
    """The statement that goes on to the next block of weights."""
    if bits in (5, 7):
        return "first++;\n"
    step = {"ternary": 2, 3: 3, 6: 3}.get(bits, 1)
    return "w++;\n" if step == 1 else f"w += {step};\n"


def _sums(bits: int | str, width: Width) -> str:
    """Statements that add the products of a block to t."""
    if bits == "ternary":  # three times a fraction is its first digit, and the next fraction
        lines = []
        for k in range(width.lane):
            lines.append("v *= 3u;")
            lines.append(f"t += (v >> 8 & 0x00030003u) * (uint32_t)p[{k}];")
            lines.append("v &= 0x00FF00FFu;")
        return "\n".join(lines[:-1]) + "\n" + _advance(bits)
    lines, mask = [], (1 << int(bits)) - 1
    for k in range(width.lane):
        field = (
            f"v >> {int(bits) * k} & 0x{mask:04X}{mask:04X}u"
            if k
            else (f"v & 0x{mask:04X}{mask:04X}u")
        )
        if width.centred:
            field = f"({field}) - 0x{width.zero:04X}{width.zero:04X}u"
        if bits == 7 and k:  # two products of 7 bits would leave 16 bits
            lines += ["a += (int32_t)(t >> 16) - 32768;", "t = 0x80008000u;"]
        lines.append(f"t += ({field}) * (uint32_t)p[{k}];")
    return "\n".join(lines) + "\n" + _advance(bits)


def _bytes(source: CSource) -> str:
    return block(
        """
        /* a and the products of n inputs at p with the weights from number `at` on. */
        static int32_t @name@_products_8(int32_t a, const int32_t *p, unsigned n, @index@ at)
        {
            do {
                a += @weight@ * *p++;
                at++;
            } while (--n);
            return a;
        }
        """,
        name=source.name,
        index=source.index,
        weight=source.get(weights_name(8), "at"),
    )


def product_cost(stream: Stream, blocks: int) -> int:
    """Instructions of the products of a row.

    Parameters
    ----------
    stream : Stream
        Of the layer.
    blocks : int
        Blocks that are read.

    Returns
    -------
    instructions : int
    """
    each = {"ternary": 60, 2: 60, 3: 52, 4: 34, 5: 50, 6: 42, 7: 56, 8: 11}
    return 24 + blocks * each[stream.bits]
