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
        /* Cores with two products of 16 bits in an instruction take them where both halves of a
           pair are numbers of their own; others multiply 32 bits. The sums are the same. */
        #if defined(__ARM_FEATURE_SIMD32) && !defined(@M@_NO_SIMD)
        #include <arm_acle.h>
        #define @M@_LOWER(v) ((v) & 0xFFFF)
        #define @M@_MOVED 0
        #else
        #define @M@_LOWER(v) (v)
        #define @M@_MOVED 32768
        #endif
        /* Between products, so that no compiler loads more inputs than it has registers. */
        #if defined(__GNUC__)
        #define @M@_ORDER __asm__ volatile("" : : : "memory")
        #else
        #define @M@_ORDER (void)0
        #endif
        """,
        M=source.macro,
    )


def product_function(source: CSource, bits: int | str, aligned: bool) -> str:
    """The function that adds the products of rows of weights with the inputs of a layer.

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
    rewind = "" if aligned else load.start + load.align
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
                @rewind@
                do {
                    @read@
                    @sums@
                    q += @block@;
                } while (q < end);
                *s += a;
            }
        }
        """,
        name=source.name,
        bits=bits,
        block=width.block,
        index=source.index,
        declare=load.declare,
        once=_once(source, bits, width) + load.start if aligned else "",
        step="" if aligned else ", at += n",
        rewind=rewind,
        read=load.read,
        sums=_sums(source, bits, width, aligned),
    )


def _once(source: CSource, bits: int | str, width: Width) -> str:
    """The statement that takes off what all blocks of a row are moved by, where it is known."""
    if width.centred or bits == "ternary":
        return ""
    return f"start -= (int32_t)n * ({source.macro}_MOVED / {_weights_a_sum(bits, width)});\n"


def _weights_a_sum(bits: int | str, width: Width) -> int:
    """Weights whose products are added before the upper half is taken."""
    return 2 if bits == 6 else width.block


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


def _sums(source: CSource, bits: int | str, width: Width, aligned: bool) -> str:
    """Statements that add the products of a block to a."""
    upper = "a += (int32_t)(t >> 16) - 32768;\n"
    if aligned and _once(source, bits, width):
        upper = "a += (int32_t)(t >> 16);\n"
    if width.centred:
        half = width.zero
        lines = ["uint32_t t;\n"]
        for k in range(width.lane):
            field = _field(bits, k)
            lines.append(f"t = (({field}) - 0x{half:04X}{half:04X}u) * (uint32_t)q[{k}];\n")
            lines.append("a += (int32_t)((t + 0x80008000u) >> 16) - 32768;\n")
        return "".join(lines) + _advance(bits)
    plain, paired = ["uint32_t t = 0x80008000u;\n"], list[str]()
    for k in range(width.lane):
        if bits == "ternary":  # three times a fraction is its first digit, and the next fraction
            split = "v *= 3u;\n" if k == 0 else "v = 3u * (v & 0x00FF00FFu);\n"
            plain.append(split)
            paired.append(split)
        if bits == 6 and k:
            plain += [upper, "t = 0x80008000u;\n"]
        if k:
            plain.append(f"{source.macro}_ORDER;\n")
        plain.append(f"t += ({_field(bits, k)}) * (uint32_t)q[{k}];\n")
        paired.append(f"a = __smladx((int32_t)({_field(bits, k)}), q[{k}], a);\n")
    return block(
        """
        #if defined(__ARM_FEATURE_SIMD32) && !defined(@M@_NO_SIMD)
        @paired@
        #else
        @plain@
        #endif
        @advance@
        """,
        M=source.macro,
        paired="".join(paired),
        plain="".join(plain) + upper,
        advance=_advance(bits),
    )


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
