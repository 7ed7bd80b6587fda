"""C that takes numbers out of packed tables: bits, leaf values and weights."""

from __future__ import annotations

from skdistill.compact.packing.packed_trees import WIDEST_READ
from skdistill.export.c.text import CSource, block


def bits_window(widths: dict[str, list[int]]) -> int:
    """Bytes that a read of packed bits looks at.

    Parameters
    ----------
    widths : dict of str to list of int
        Widths of the numbers in each packed table, at least one.

    Returns
    -------
    n_bytes : int
        At most four: a number of 25 bits may begin at any bit of the first one.
    """
    widest = max(width for each in widths.values() for width in each)
    return (7 + min(widest, WIDEST_READ) + 7) // 8


def bits_reader(source: CSource, widths: dict[str, list[int]]) -> str:
    """The function that takes a number out of packed bits.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    widths : dict of str to list of int
        Widths of the numbers in each packed table.

    Returns
    -------
    text : str
        Empty without packed tables.
    """
    if not widths:
        return ""
    reads = [f"(uint32_t){source.macro}_GET8(p)"]
    for i in range(1, bits_window(widths)):
        reads.append(f"(uint32_t){source.macro}_GET8(p + {i}) << {8 * i}")
    return block(
        """
        /* n bits of a table of packed numbers, from bit `at` on. */
        static uint32_t @name@_bits(@M@_ROM uint8_t *p, @index@ at, unsigned n)
        {
            uint32_t w;
            p += at >> 3;
            w = @reads@;
            return (w >> (at & 7u)) & (((uint32_t)1 << n) - 1u);
        }
        """,
        name=source.name,
        M=source.macro,
        index=source.index,
        reads=" | ".join(reads),
    )


def nibble_reader(source: CSource, n_scores: int, sum_type: str) -> str:
    """The function that adds a row of unsigned values of four bits to the scores.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    n_scores : int
        Values of a row. Rows follow each other without gaps.
    sum_type : str
        C type of what they are added to.

    Returns
    -------
    text : str
    """
    get = f"{source.macro}_GET8"
    low, high = f"({sum_type})(w & 15u)", f"({sum_type})(w >> 4)"
    if n_scores == 1:
        body = f"const uint8_t w = {get}(v);\n*s += (i & 1u ? {high} : {low});"
        odd = even = declared = ""
    else:
        declared = "unsigned k;"
        body = block(
            """
            for (k = 0; k < @pairs@; k++) {
                const uint8_t w = @get@(v++);
                *s++ += @low@;
                *s++ += @high@;
            }
            """,
            pairs=n_scores // 2,
            get=get,
            low=low,
            high=high,
        )
        # A row of an odd number of values begins or ends within a byte.
        odd = f"if (i & 1u)\n    *s++ += ({sum_type})({get}(v++) >> 4);"
        even = f"if ((i & 1u) == 0)\n    *s += ({sum_type})({get}(v) & 15u);"
    return block(
        """
        /* Adds the row of values from value i on, two values a byte. */
        static void @name@_add_values(@sum_type@ *s, @index@ i)
        {
            @M@_ROM uint8_t *v = @name@_values + (i >> 1);
            @declared@
            @odd@
            @body@
            @even@
        }
        """,
        name=source.name,
        index=source.index,
        M=source.macro,
        sum_type=sum_type,
        declared=declared,
        odd=odd if n_scores % 2 else "",
        body=body,
        even=even if n_scores % 2 else "",
    )


def value_reader(
    source: CSource,
    table: str,
    bits: int | str,
    signed: bool,
    count: int,
    n_scores: int | None = None,
    *,
    factor: bool = True,
) -> str:
    """The function that adds a row of values, or a multiple of it, to the scores.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    table : {"values", "weights"}
        Where the rows are.
    bits : int in [2, 16] or "ternary"
        Width of a value.
    signed : bool
        Whether a value may be negative.
    count : int
        Number of values of the table.
    n_scores : int, default=None
        Values of a row; None stands for all scores.
    factor : bool, default=True
        Whether they are multiplied by an argument.

    Returns
    -------
    text : str
    """
    S = n_scores or source.layout.model.n_scores
    f, argument, times = ("f * ", ", int32_t f", "f times ") if factor else ("", "", "")
    name, index = source.name, source.index
    if bits == "ternary":
        # Cores without a divider divide by 5 as they multiply by 52429 / 2^18, exact below 80000.
        more = block(
            """
            if (left == 0) {
                b = @M@_GET8(++p);
                left = 5u;
            }
            """,
            M=source.macro,
        )
        fifth = "i / 5u" if count >= 80000 else f"({index})((uint32_t)i * 52429u >> 18)"
        return block(
            """
            /* Adds @times@the row of @table@ from value i on. Five values share a byte, the first
               one as its lowest digit in base 3; b / 3 is b * 171 / 512. */
            static void @name@_add_@table@(int32_t *s, @index@ i@argument@)
            {
                const @index@ byte = @fifth@;
                @M@_ROM uint8_t *p = @name@_@table@ + byte;
                unsigned b = @M@_GET8(p), left = 5u, k;
                for (i -= 5u * byte; i != 0; i--, left--)
                    b = b * 171u >> 9;
                for (k = 0; k < @S@; k++, left--) {
                    unsigned rest;
                    @more@
                    rest = b * 171u >> 9;
                    s[k] += @f@((int32_t)(b - 3u * rest) - 1);
                    b = rest;
                }
            }
            """,
            table=table, name=name, index=index, fifth=fifth, M=source.macro, S=S,
            f=f, argument=argument, times=times,
            more=more if source.layout.tables[table].size > 1 else "",  # or compilers warn of it
        )  # fmt: skip
    if bits in (8, 16):
        value = source.get(table, "i")
        value = f"(int32_t){value}" if not value.startswith("(") else value
    else:
        value = f"(int32_t){name}_bits({name}_{table}, i * {bits}u, {bits})"
        if signed:  # two's complement of so many bits
            half = 1 << (int(bits) - 1)
            value = f"({value} ^ {half}) - {half}"
    return block(
        """
        /* Adds @times@the row of @table@ from value i on. */
        static void @name@_add_@table@(int32_t *s, @index@ i@argument@)
        {
            unsigned k;
            for (k = 0; k < @S@; k++, i++)
                s[k] += @f@(@value@);
        }
        """,
        table=table,
        name=name,
        index=index,
        S=S,
        value=value,
        f=f,
        argument=argument,
        times=times,
    )
