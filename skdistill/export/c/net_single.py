"""C of a net in its smallest form: all layers are one loop, which reads weight after weight."""

from __future__ import annotations

from skdistill.compact.packing.net import PackedNet
from skdistill.export.c.text import CSource, block


def single_layers(source: CSource, part: PackedNet) -> str:
    """Statements that add the scores of the inputs at p.

    Parameters
    ----------
    source : CSource
        Whose prefix and macros are used.
    part : PackedNet
        Of the form "single".

    Returns
    -------
    text : str
    """
    M, sizes = source.macro, part.tables["layer_sizes"].dtype
    kind = part.tables["net_weights"].dtype
    table = f"{source.name}_layer_sizes"
    bits = ""
    if "layer_bits" in part.tables:
        at = source.get("layer_bits", f"(size - {table})")
        bits = f"const unsigned bits = {at}, zero = 1u << (bits - 1u);\n"
    return block(
        """
        {
            @M@_ROM @sizes@_t *size = @table@;
            @M@_ROM @kind@_t *w = @name@_net_weights;
            for (;;) {
                int32_t *const end = p + @n@, *out = end;
                unsigned m = @m@@state@;
                @bits@
                if (size == @table@ + @last@)
                    out = s;
                for (; m != 0; m--) {
                    int32_t a = 0;
                    q = p;
                    do {
                        @product@
                    } while (q != end);
                    if (size == @table@ + @last@)
                        a += *out;
                    else
                        a = @name@_unit(a, unit++);
                    *out++ = a;
                }
                if (size == @table@ + @last@)
                    break;
                size++;
                p = end;
            }
        }
        """,
        M=M,
        sizes=sizes.name,
        table=table,
        kind=kind.name,
        name=source.name,
        n=f"{M}_GET{8 * sizes.itemsize}(size)",
        m=f"{M}_GET{8 * sizes.itemsize}(size + 1)",
        state="" if kind.kind == "i" else ", v = 0, left = 0",
        bits=bits,
        last=len(part.table.hidden),
        product=_product(source, part),
    )


def _product(source: CSource, part: PackedNet) -> str:
    """Statements that take the next weight, and add its product with the input at q."""
    byte = f"{source.macro}_GET8(w)"
    widths = {layer.value_bits for layer in (*part.table.hidden, part.table)}
    if widths == {8}:
        return f"a += (int8_t){byte} * *q++;\nw++;\n"
    ternary = "v = 3u * (v & 255u);\nstored = v >> 8;\n"  # the first digit of a fraction of 256
    if len(widths) > 1:
        bits, zero, full = "bits", "(int32_t)zero", "8u"
        stored = "stored = v >> left & (2u * zero - 1u);\n"
        if "ternary" in widths:
            full = "bits == 1u ? 5u : 8u"
            indented = "".join(f"    {line}\n" for line in ternary.splitlines())
            stored = f"if (bits == 1u) {{\n{indented}}} else {{\n    {stored}}}\n"
    elif widths == {"ternary"}:
        bits, zero, full, stored = "1u", "1", "5u", ternary
    else:
        (width,) = widths
        mask = (1 << int(width)) - 1
        bits, zero, full = f"{width}u", str(1 << int(width) - 1), "8u"
        stored = f"stored = v >> left & {mask}u;\n"
    return block(
        """
        unsigned stored;
        if (left < @bits@) {
            v = v << 8 | @byte@;
            w++;
            left += @full@;
        }
        left -= @bits@;
        @stored@
        a += ((int32_t)stored - @zero@) * *q++;
        """,
        bits=bits,
        byte=byte,
        full=full,
        stored=stored,
        zero=zero,
    )
