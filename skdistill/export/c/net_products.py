"""C that multiplies a row of a net's weights with its inputs."""

from __future__ import annotations

from typing import NamedTuple

from skdistill.compact.packing.net import WIDTHS, Stream, Width, weights_name
from skdistill.export.c.text import CSource, block


def simd(source: CSource) -> str:
    """The macros of products of two pairs of 16 bits.

    Parameters
    ----------
    source : CSource
        Whose prefix is used.

    Returns
    -------
    text : str
    """
    return block(
        """
        /* ADD adds two products, of a pair of weights and a pair of inputs. Cores with an
           instruction for that take both halves of a pair as numbers, and begin with a sum. Others
           multiply 32 bits; the sum is the upper half then, moved by 2^15, added at the end. */
        #if defined(__ARM_FEATURE_SIMD32) && !defined(@M@_NO_SIMD)
        #include <arm_acle.h>
        #define @M@_LOWER(v) ((v) & 0xFFFF)
        #define @M@_BEGIN(a) ((uint32_t)(a))
        #define @M@_ADD(t, w, x) ((uint32_t)__smladx((int32_t)(w), x, (int32_t)(t)))
        #define @M@_END(a, t) ((int32_t)(t))
        #define @M@_MOVED 0
        #define @M@_UNIT(a, r) ((int32_t)__usat((a) >> (r), 8))
        #define @M@_ORDER (void)0
        #else
        #define @M@_LOWER(v) (v)
        #define @M@_BEGIN(a) 0x80008000u
        #define @M@_ADD(t, w, x) ((t) + (w) * (uint32_t)(x))
        #define @M@_END(a, t) ((a) + (int32_t)((t) >> 16))
        #define @M@_MOVED 32768
        #define @M@_UNIT(a, r) ((a) < 0 ? 0 : (a) >> (r) > 255 ? 255 : (a) >> (r))
        #if defined(__GNUC__) /* lest more inputs are loaded than there are registers */
        #define @M@_ORDER __asm__ volatile("" : : : "memory")
        #else
        #define @M@_ORDER (void)0
        #endif
        #endif
        """,
        M=source.macro,
    )


def product_function(source: CSource, bits: int | str, streams: list[Stream]) -> str:
    """The function that adds the products of rows of weights with the inputs of a layer.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    bits : int in [2, 8] or "ternary"
        Width of the weights.
    streams : list of Stream
        All of this width.

    Returns
    -------
    text : str
    """
    if bits == 8:
        return _bytes(source)
    width, M = WIDTHS[bits], source.macro
    aligned = all(stream.is_aligned for stream in streams)
    load = _load(source, bits, f"{source.name}_{weights_name(bits)}")
    begin, end, moved = f"t = {M}_BEGIN(a);\n", f"a = {M}_END(a, t);\n", ""
    if width.centred:
        parts = ["uint32_t t;\n", _centred(bits, width), "*s += a;\n"]
    elif all(stream.fits_lane for stream in streams):
        moved = f"start -= {M}_MOVED;\n"
        parts = ["", _sums(source, bits, width, ""), f"*s += {M}_END(a, t);\n"]
    else:
        if aligned and bits != "ternary":
            each = 2 if bits == 6 else width.block
            moved = f"start -= (int32_t)n * ({M}_MOVED / {each});\n"
        else:
            end = f"a = {M}_END(a, t) - {M}_MOVED;\n"
        between = end + begin if bits == 6 else ""
        sums = f"uint32_t {begin}{_sums(source, bits, width, between)}{end}"
        parts = ["", sums, "*s += a;\n"]
    row = f"uint32_t {begin}" if moved.startswith(f"start -= {M}_MOVED") else ""
    return block(
        """
        /* Adds to m sums at s the products of n inputs at p with rows of weights, from number `at`
           on: @block@ at a time, two by a multiplication. */
        static void @name@_rows_@bits@(int32_t *s, unsigned m, int32_t start, const int32_t *p,
            unsigned n, @index@ at)
        {
            const int32_t *const end = p + n;
            @declare@
            @once@
            for (; m != 0; m--, s++@step@) {
                const int32_t *q = p;
                int32_t a = start;
                @row@
                @rewind@
                do {
                    @read@
                    @sums@
                    @advance@
                    q += @block@;
                } while (q < end);
                @last@
            }
        }
        """,
        name=source.name,
        bits=bits,
        block=width.block,
        index=source.index,
        declare=load.declare,
        once=moved + (load.start if aligned else ""),
        step="" if aligned else ", at += n",
        row=row,
        rewind="" if aligned else load.start + load.align,
        read=load.read,
        sums=parts[0] + parts[1],
        advance=_advance(bits),
        last=parts[2],
    )


class _Load(NamedTuple):
    """Statements that read blocks of weights as two lanes, `v`."""

    declare: str
    start: str
    align: str
    read: str


def _load(source: CSource, bits: int | str, table: str) -> _Load:
    M, index, size = source.macro, source.index, WIDTHS[bits].block
    declare, align = f"{M}_ROM uint8_t *w;\n", f"q -= at & {size - 1}u;\n"
    if bits == "ternary":
        # Cores without a divider divide by 10 as they multiply by 52429 / 2^19, exact below 80000.
        many = source.layout.tables[weights_name(bits)].size * 5 >= 80000
        first = "at / 10u" if many else f"({index})((uint32_t)at * 52429u >> 19)"
        return _Load(
            declare + f"{index} first;\n",
            f"first = {first};\nw = {table} + 2u * first;\n",
            "q -= at - 10u * first;\n",
            f"uint32_t v = {M}_GET8(w) | (uint32_t){M}_GET8(w + 1) << 16;\n",
        )
    at = f"at >> {size.bit_length() - 1}"
    if bits in (2, 4):
        declare = f"{M}_ROM uint32_t *w;\n"
        return _Load(
            declare, f"w = {table} + ({at});\n", align, f"const uint32_t v = {M}_GET32(w);\n"
        )
    half = int(bits) * size // 2  # bits of a lane
    n_bytes = -(-2 * half // 8)
    reads = [f"(uint32_t){M}_GET8(w + {i}) << {8 * i}" for i in range(1, n_bytes)]
    joined = " | ".join([f"(uint32_t){M}_GET8(w)", *reads])
    low, high = (1 << half) - 1, ((1 << half) - 1) << half
    lanes = f"v = (v & {low:#x}u) | (v & {high:#x}u) << {16 - half};\n"
    if 2 * half % 8 == 0:
        start = f"w = {table} + {n_bytes}u * ({at});\n"
        return _Load(declare, start, align, f"uint32_t v = {joined};\n{lanes}")
    place = f"{M}_ROM uint8_t *w = {table} + ({bits}u * first >> 1);\n"
    odd = f"uint32_t v = ({joined}) >> 4u * (first & 1u);\n"
    return _Load(f"{index} first;\n", f"first = {at};\n", align, place + odd + lanes)


def _advance(bits: int | str) -> str:
    """The statement that goes on to the next block of weights."""
    if bits in (5, 7):
        return "first++;\n"
    step = {"ternary": 2, 3: 3, 6: 3}.get(bits, 1)
    return "w++;\n" if step == 1 else f"w += {step};\n"


def _sums(source: CSource, bits: int | str, width: Width, between: str) -> str:
    """Statements that add the products of a block to t."""
    lines = []
    for k in range(width.lane):
        if bits == "ternary":  # three times a fraction is its first digit, and the next fraction
            lines.append("v = 3u * (v & 0x00FF00FFu);\n" if k else "v *= 3u;\n")
        if k:
            lines.append(f"{between}{source.macro}_ORDER;\n")
        lines.append(f"t = {source.macro}_ADD(t, {_field(bits, k)}, q[{k}]);\n")
    return "".join(lines)


def _centred(bits: int | str, width: Width) -> str:
    """Statements that add the products of a block of signed weights to a, pair by pair."""
    zeros = f"0x{width.zero:04X}{width.zero:04X}u"
    lines = []
    for k in range(width.lane):
        lines.append(f"t = (({_field(bits, k)}) - {zeros}) * (uint32_t)q[{k}] + 0x80008000u;\n")
        lines.append("a += (int32_t)(t >> 16) - 32768;\n")
    return "".join(lines)


def _field(bits: int | str, k: int) -> str:
    """Expression of the k-th pair of weights."""
    if bits == "ternary":
        return "v >> 8 & 0x00030003u"
    mask = (1 << int(bits)) - 1
    shifted = f"v >> {int(bits) * k}" if k else "v"
    return f"{shifted} & 0x{mask:04X}{mask:04X}u"


def _bytes(source: CSource) -> str:
    return block(
        """
        /* Adds to m sums at s the products of n inputs at p with rows of weights, from number `at`
           on. */
        static void @name@_rows_8(int32_t *s, unsigned m, int32_t start, const int32_t *p,
            unsigned n, @index@ at)
        {
            const int32_t *const end = p + n;
            @M@_ROM int8_t *w = @table@ + at;
            for (; m != 0; m--, s++) {
                const int32_t *q = p;
                int32_t a = start;
                do {
                    a += (int8_t)@M@_GET8(w) * *q++;
                    w++;
                } while (q < end);
                *s += a;
            }
        }
        """,
        name=source.name,
        index=source.index,
        M=source.macro,
        table=f"{source.name}_{weights_name(8)}",
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
