"""C that multiplies rows of a net's weights with its inputs."""

from __future__ import annotations

from typing import NamedTuple

from skdistill.compact.packing.net import Run, Stream, Width, weights_name
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


def multiply_rows(source: CSource, run: Run) -> str:
    """Statements that add to m sums at `out` the products of n inputs at p with rows of weights.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    run : Run
        The layers that they serve.

    Returns
    -------
    text : str
        Reads and moves on what `declare_weights` declares; `begin_sums` says what `start` is.
    """
    bits, width, M = run.streams[0].bits, run.width, source.macro
    if width.lane == 0:
        body = f"do {{\n    a += (int8_t){M}_GET8(w) * *q++;\n    w++;\n}} while (q < end);\n"
        return _rows("", f"q = p;\n{body}", "a")
    load, begin, end = _load(source, run), f"uint32_t t = {M}_BEGIN(a);\n", f"a = {M}_END(a, t)"
    row, total = "", "a"
    if width.centred:
        products = f"uint32_t t;\n{_centred(bits, width)}"
    elif _fits_lane(run):
        row, products, total = begin, _sums(source, bits, width, ""), f"{M}_END(a, t)"
    else:
        end += ";\n" if _moved_by(run) else f" - {M}_MOVED;\n"
        between = end + begin.removeprefix("uint32_t ") if bits == 6 else ""
        products = f"{begin}{_sums(source, bits, width, between)}{end}"
    rewind = "q = p;\n" if run.is_aligned else f"q = p;\n{load.start}{load.align}"
    body = block(
        """
        @row@
        @rewind@
        do {
            @read@
            @products@
            @advance@
            q += @block@;
        } while (q < end);
        """,
        row=row,
        rewind=rewind,
        read=load.read,
        products=products,
        advance=_advance(bits),
        block=width.block,
    )
    return _rows("" if run.is_aligned else ", at += n", body, total)


def _rows(step: str, body: str, total: str) -> str:
    return block(
        """
        for (; m != 0; m--@step@) {
            int32_t a = start;
            @body@
            *out++ += @total@;
        }
        """,
        step=step,
        body=body,
        total=total,
    )


def declare_weights(source: CSource, run: Run) -> str:
    """Declarations and statements that go to the first weight of a run.

    Parameters
    ----------
    source : CSource
        Whose prefix is used.
    run : Run
        Its layers.

    Returns
    -------
    text : str
    """
    start = run.streams[0].start
    if run.width.lane == 0:
        return f"{source.macro}_ROM int8_t *w = {source.name}_{weights_name(8)} + {start};\n"
    load = _load(source, run)
    at = f"{source.index} at = {start};\n{load.declare}"
    return f"const {at}{load.start}" if run.is_aligned else at


def begin_sums(source: CSource, run: Run) -> tuple[str, str]:
    """What sums of a layer begin with.

    Parameters
    ----------
    source : CSource
        Whose macros are used.
    run : Run
        The layers.

    Returns
    -------
    start : str
        Expression without the inputs.
    each : str
        What an input `a` takes from it; empty for nothing.
    """
    M, zero = source.macro, run.width.zero
    if not zero or run.width.centred:
        return "0", ""
    if _fits_lane(run):
        return f"-{M}_MOVED", f"{zero} * a"
    moved = _moved_by(run)
    return "0", f"{zero} * a" + (f" + {M}_MOVED / {moved}" if moved else "")


def _fits_lane(run: Run) -> bool:
    return all(stream.fits_lane for stream in run.streams)


def _moved_by(run: Run) -> int:
    """Inputs of a sum that is moved by 2^15; 0 where rows have no fixed number of sums."""
    bits = run.streams[0].bits
    if not run.is_aligned or bits == "ternary":
        return 0
    return 2 if bits == 6 else run.width.block


class _Load(NamedTuple):
    """Statements that read blocks of weights as two lanes, `v`."""

    declare: str
    start: str
    align: str
    read: str


def _load(source: CSource, run: Run) -> _Load:
    bits, size = run.streams[0].bits, run.width.block
    M, index, table = source.macro, source.index, f"{source.name}_{weights_name(bits)}"
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
