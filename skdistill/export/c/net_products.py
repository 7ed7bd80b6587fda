"""C of a net that takes two products out of one multiplication: see `net_forms` of the packing."""

from __future__ import annotations

from textwrap import indent

from skdistill.compact.packing.net_forms import PairedLayer
from skdistill.export.c.text import CSource, block

# Instructions of a word of weights, a pair of inputs, the same of 7 or 8 bits, a sum of 16 bits.
_WORD, _PAIR, _WIDE, _SUM = 14, 7, 18, 8


def product_cost(layer: PairedLayer) -> int:
    """Instructions of the products of a row, or of two rows that are taken together.

    Parameters
    ----------
    layer : PairedLayer
        The layer.

    Returns
    -------
    instructions : int
    """
    of_turn = layer.pairs // layer.turns
    sums = -(-of_turn // layer.sums) if layer.sums else 0
    row = layer.words * _WORD + layer.turns * sums * _SUM
    return layer.together * (row + layer.pairs * (_PAIR if layer.sums else _WIDE))


def pair_macros(source: CSource) -> str:
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
        #if defined(__GNUC__) /* or more inputs are loaded than registers hold */
        #define @M@_ORDER __asm__ volatile("" : : : "memory")
        #else
        #define @M@_ORDER (void)0
        #endif
        #endif
        """,
        M=source.macro,
    )


def wide_macros(source: CSource) -> str:
    """The macro of products of two pairs whose sum may leave 16 bits.

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
        /* WIDE adds two products as well, where their sum may need more than 16 bits. */
        #if defined(__ARM_FEATURE_SIMD32) && !defined(@M@_NO_SIMD)
        #define @M@_WIDE(t, w, x) @M@_ADD(t, w, x)
        #else
        #define @M@_SIGNED(v) (((v) ^ 0x8000u) - 0x8000u)
        #define @M@_WIDE(t, w, x) \\
            ((t) + ((w) & 0xFFFFu) * @M@_SIGNED((uint32_t)(x) >> 16) \\
                + ((w) >> 16) * @M@_SIGNED((uint32_t)(x) & 0xFFFFu))
        #endif
        """,
        M=source.macro,
    )


def put_pair(source: CSource, layer: PairedLayer, upper: str, lower: str) -> str:
    """Expression of a pair of inputs.

    Parameters
    ----------
    source : CSource
        Whose macros are used.
    layer : PairedLayer
        That reads it.
    upper, lower : str
        Expressions of int32; empty for 0.

    Returns
    -------
    expression : str
    """
    half = f"({lower} & 0xFFFF)" if layer.sums == 0 else f"{source.macro}_LOWER({lower})"
    return " + ".join(([f"{upper} * 65536"] if upper else []) + ([half] if lower else []))


def moved(source: CSource, layer: PairedLayer, turns: str) -> str:
    """What the sums of a row are larger by.

    Parameters
    ----------
    source : CSource
        Whose macros are used.
    layer : PairedLayer
        The layer.
    turns : str
        Expression of its turns.

    Returns
    -------
    expression : str
    """
    if layer.sums == 0:
        return "0"
    each = -(-layer.pairs // layer.turns // layer.sums)
    return f"{source.macro}_MOVED * {each} * {turns}"


# Of each row at a time: its sum, the sum of 16 bits, the word of weights.
_ROWS = (("a", "t", "v"), ("b", "u", "z"))


def multiply(source: CSource, layer: PairedLayer, inputs: str) -> str:
    """Statements that add to a the products of the next words of a row; of two rows to a and b.

    Parameters
    ----------
    source : CSource
        Whose macros are used.
    layer : PairedLayer
        The layer, or one of those that share the code.
    inputs : str
        Pointer to the first pair of inputs.

    Returns
    -------
    text : str
        Moves w on; `moved` says what is to be taken off the sums.
    """
    M, field, rows = source.macro, layer.field, _ROWS[: layer.together]
    mask = (1 << field) - 1
    pairs = layer.pairs // layer.turns
    begin, add, end = f"{M}_BEGIN({{}})", f"{M}_ADD", f"{M}_END({{}}, {{}})"
    if layer.sums == 0:
        begin, add, end = "(uint32_t){}", f"{M}_WIDE", "(int32_t){1}"
    lines = [f"uint32_t {', '.join(f'{t} = {begin.format(a)}, {v}' for a, t, v in rows)};\n"]
    for i in range(pairs):
        word, k = divmod(i, 16 // field)
        if i and layer.sums and i % layer.sums == 0:
            for a, t, _ in rows:
                lines.append(f"{a} = {end.format(a, t)};\n{t} = {begin.format(a)};\n")
        for number, (_, t, v) in enumerate(rows):
            if k == 0:
                at = word * layer.together + number
                lines.append(f"{v} = {M}_GET32(w{f' + {at}' if at else ''});\n")
            weights = f"({v}{f' >> {field * k}' if k else ''} & 0x{mask:04X}{mask:04X}u)"
            lines.append(f"{t} = {add}({t}, {weights}, {inputs}[{i}]);\n")
        if i + 1 < pairs:
            lines.append(f"{M}_ORDER;\n")
    lines += [f"{a} = {end.format(a, t)};\n" for a, t, _ in rows]
    lines.append(f"w += {layer.together * layer.unroll};\n")
    return "{\n" + indent("".join(lines), "    ") + "}\n"
