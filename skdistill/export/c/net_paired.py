"""C of a net that multiplies two weights at a time: its layers, in one loop or each by itself."""

from __future__ import annotations

from skdistill.compact.packing.net import PackedNet
from skdistill.compact.packing.net_forms import PairedLayer
from skdistill.export.c.net_products import moved, multiply, put_pair
from skdistill.export.c.text import CSource, block


def put_code(source: CSource, part: PackedNet, code: str) -> str:
    """Statements that put the code of input j into its pair.

    Parameters
    ----------
    source : CSource
        Whose macros are used.
    part : PackedNet
        Of the form "unrolled".
    code : str
        Expression of the code.

    Returns
    -------
    text : str
    """
    layer = part.layers[0]
    begin = f"*q = {put_pair(source, layer, 'a', '')};\n"
    end = f"*q++ += {put_pair(source, layer, '', 'a')};\n"
    return block(
        """
        {
            const int32_t a = @code@;
            start -= @zero@ * a;
            if (j & 1u)
                @odd@
            else
                @even@
        }
        """,
        code=code,
        zero=layer.zero,
        odd=end,
        even=begin,
    )


def looped_layers(source: CSource, part: PackedNet) -> str:
    """Statements that add the scores of the codes at p, in one loop over the layers.

    Entry j of the inputs of a layer becomes input j, and input j + lane in its lower half.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    part : PackedNet
        Of the form "looped".

    Returns
    -------
    text : str
    """
    M, sizes, layer = source.macro, part.tables["layer_sizes"].dtype, part.layers[0]
    table, lane = f"{source.name}_layer_sizes", 16 // layer.field
    size = f"{M}_GET{8 * sizes.itemsize}"
    words = f"(int32_t)((n + {2 * lane - 1}u) / {2 * lane}u)"
    return block(
        """
        {
            @M@_ROM @sizes@_t *size = @table@;
            @M@_ROM uint32_t *w = @name@_net_weights;
            for (;;) {
                const unsigned n = @n@;
                unsigned m = @m@;
                int32_t *const end = p + n, *out = end + @gap@;
                int32_t start = @start@;
                if (size == @table@ + @last@)
                    out = s;
                q = p;
                do {
                    int32_t a = *q;
                    if (size != @table@)
                        a = @name@_unit(a, unit++);
                    start -= @zero@ * a;
                    q[0] = @upper@;
                    q[-@lane@] += @lower@;
                    q++;
                } while (q != end);
                for (; m != 0; m--) {
                    int32_t a = start;
                    q = p;
                    do {
                        @products@
                        q += @block@;
                    } while (q < end);
                    *out++ += a;
                }
                if (size == @table@ + @last@)
                    break;
                size++;
                p = end + @gap@;
            }
        }
        """,
        M=M,
        sizes=sizes.name,
        table=table,
        name=source.name,
        n=f"{size}(size)",
        m=f"{size}(size + 1)",
        gap=gap(part),
        start=f"-({moved(source, layer, words)})" if layer.sums else "0",
        last=len(part.layers) - 1,
        zero=layer.zero,
        upper=put_pair(source, layer, "a", ""),
        lower=put_pair(source, layer, "", "a"),
        lane=lane,
        block=2 * lane,
        products=multiply(source, layer, "q"),
    )


def gap(part: PackedNet) -> int:
    """Entries between the inputs of two layers: as many as words of weights may read beyond.

    Parameters
    ----------
    part : PackedNet
        Of the form "looped".

    Returns
    -------
    entries : int
    """
    pairs = zip(part.layers, part.lengths, strict=True)
    return max(2 * layer.pairs - length for layer, length in pairs)


def unrolled_layers(source: CSource, part: PackedNet) -> str:
    """Statements that add the scores of the pairs at p, layer by layer.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    part : PackedNet
        Of the form "unrolled".

    Returns
    -------
    text : str
    """
    return block(
        """
        {
            @M@_ROM uint32_t *w = @name@_net_weights;
            @layers@
        }
        """,
        M=source.macro,
        name=source.name,
        layers="".join(_layer(source, part, i) for i in range(len(part.layers))),
    )


def begin_pairs(part: PackedNet) -> str:
    """Statements that set pairs to 0 that have no inputs.

    Parameters
    ----------
    part : PackedNet
        Of the form "unrolled".

    Returns
    -------
    text : str
    """
    lines, first = [], 0
    for layer, n in zip(part.layers, part.lengths, strict=True):
        lines += [f"h[{first + i}] = 0;\n" for i in range((n + 1) // 2, layer.pairs)]
        first += layer.pairs
    return "".join(lines)


def _layer(source: CSource, part: PackedNet, number: int) -> str:
    """One layer."""
    layer, is_last = part.layers[number], number + 1 == len(part.layers)
    is_loop, end = layer.turns > 1, f"p + {layer.pairs}"
    products = multiply(source, layer, "q" if is_loop else "p")
    if is_loop:
        products = block(
            """
            q = p;
            do {
                @products@
                q += @pairs@;
            } while (q != end);
            """,
            products=products,
            pairs=layer.pairs // layer.turns,
        )
    return block(
        """
        {
            const int32_t before = start - @moved@;
            int32_t @end@*out = @out@;
            unsigned m = @m@;
            start = 0;
            for (; m != 0; m--) {
                int32_t a = before, b = before;
                @products@
                @results@
            }
            @next@
        }
        """,
        moved=moved(source, layer, str(layer.turns)),
        end=f"*const end = {end}, " if is_loop else "",
        out="s" if is_last else end,
        m=(layer.rows + 1) // 2,
        products=products,
        results=_scores(part) if is_last else _units(source, part, part.layers[number + 1]),
        next="" if is_last else f"p += {layer.pairs};",
    )


def _scores(part: PackedNet) -> str:
    """Statements that add a and b to scores."""
    odd = "if (m == 1)\n    break;\n" if part.layers[-1].rows % 2 else ""
    return f"out[0] += a;\n{odd}out[1] += b;\nout += 2;\n"


def _units(source: CSource, part: PackedNet, following: PairedLayer) -> str:
    """Statements that make units of a and b, and of them a pair of the following layer."""
    if part.shift is None:
        shifts = source.get("unit_shifts", "(unit >> 1)")
        parts = [f"const unsigned shifts = {shifts};\nunsigned r = shifts & 15u;\n"]
    else:
        parts = [f"const unsigned r = {part.shift};\n"]
    for i, x in enumerate("ab"):
        if i and part.shift is None:
            parts.append("r = shifts >> 4;\n")
        bias = source.get("unit_bias", f"(unit + {i})" if i else "unit")
        parts.append(f"{x} += {bias} * ((int32_t)2 << r) + (((int32_t)1 << r) >> 1);\n")
        parts.append(f"{x} = {source.macro}_UNIT({x}, r);\n")
    parts.append("unit += 2;\n")
    parts.append(f"start -= {following.zero} * (a + b);\n")
    parts.append(f"*out++ = {put_pair(source, following, 'a', 'b')};\n")
    return "".join(parts)
