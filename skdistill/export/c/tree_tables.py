"""C that walks trees stored as tables."""

from __future__ import annotations

from skdistill.compact.packing.packed_trees import WIDEST_READ, PackedTrees
from skdistill.export.c import categories
from skdistill.export.c.text import CSource, block
from skdistill.export.c.tree_inputs import input_argument, is_missing, read_input, read_type


def walker(source: CSource, part: PackedTrees) -> str:
    """The function that finds the leaf, or with fused nodes the label.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Of any shape but "branches".

    Returns
    -------
    text : str
        Empty where there is nothing to walk.
    """
    if part.shape == "fused":
        return _fused(source, part)
    if part.shape == "children":
        return _by_children(source, part)
    if part.shape == "flags":
        return _flagged(source, part)
    return _by_depth(source, part)


def _code(source: CSource, part: PackedTrees, feature: str) -> str:
    return f"q[{feature}]" if part.prepared else read_input(source, part, feature)


def _cut(source: CSource, part: PackedTrees, threshold: str, feature: str) -> str:
    """Expression of the cut of a node."""
    if part.edges is not None:
        at = threshold
        if part.bases is not None:
            at = f"{source.get('bases', feature)} + {threshold}"
        threshold = source.get("edges", at)
    kind = read_type(source, part)
    if kind in ("int", "int32_t"):
        low = f" + {part.low}" if part.low > 0 else f" - {-part.low}" if part.low else ""
        if kind == "int" and int(part.codes.cut.max()) - part.low > 32767:
            kind = "int32_t"  # an int of 16 bits does not hold the difference
        elif kind == "int32_t" and low:  # through unsigned numbers, which may wrap
            return f"(int32_t)((uint32_t){threshold} + {part.low % 2**32}u)"
        return f"({kind}){threshold}{low}"
    base = part.low << part.codes.drop
    if part.codes.drop:
        threshold = f"((uint32_t){threshold} << {part.codes.drop})"
    return f"{threshold} + {base}u" if base else threshold


def _goes_left(
    source: CSource, part: PackedTrees, feature: str, threshold: str, nan: str | None
) -> str:
    code, cut = _code(source, part, feature), _cut(source, part, threshold, feature)
    if nan is None:
        return f"{code} <= {cut}"
    return f"(v = {code}) <= {cut} || ({nan} && {is_missing(source, part, 'v')})"


def _fused(source: CSource, part: PackedTrees) -> str:
    shift = 2 + part.widths[2]
    nan = "(h & 4u) != 0u" if part.widths[2] else None
    get = f"{source.macro}_GET8"
    feature = f"(h >> {shift})"
    condition = _goes_left(source, part, feature, f"{get}(p + 1)", nan)
    return block(
        """
        /* Three bytes a node: the input, above two bits that say whether the left and the right
           side are leaves; the threshold; the labels of such leaves, or the jump to the right. */
        int @name@_label(const @T@ *x)
        {
            @declared@
            @ranked@
            @M@_ROM uint8_t *p = @name@_nodes;
            for (;;) {
                const unsigned h = @get@(p);
                @v@
                if (@condition@) {
                    if (h & 1u)
                        return (int)(@get@(p + 2) >> 4);
                } else {
                    const unsigned c = @get@(p + 2);
                    const int32_t ends = (int32_t)((uint32_t)h << 30);
                    if (ends == 0) {
                        p += @jump@;
                        continue;
                    }
                    if (ends < 0)
                        return (int)(c & 15u);
                }
                p += 3;
            }
        }
        """,
        name=source.name,
        T=source.x_type,
        M=source.macro,
        declared="\n".join(categories.declared(source)),
        ranked=categories.called(source),
        get=get,
        v=f"{read_type(source, part)} v;" if nan else "",
        condition=condition,
        jump="c" if part.widths[3] == 3 else "3u * c",
    )


def _flagged(source: CSource, part: PackedTrees) -> str:
    f, t, n, link = part.widths
    get, index = f"{source.macro}_GET{part.bits if part.bits != 24 else 8}", source.index
    if part.bits == 24:
        kind, step, read, word = "uint8_t", 3, f"const unsigned h = {get}(p);", "h"
        feature = f"(h >> {2 + n})"
        threshold, left = f"{get}(p + 1)", f"{get}(p + 2)"
    else:
        kind, step, word = f"uint{part.bits}_t", 1, "w"
        number = "unsigned" if part.bits == 16 else "uint32_t"
        read = f"const {number} w = {get}(p);"
        feature = _bits(source, 2 + n, f)
        left = _bits(source, 2 + n + f, link)
        threshold = f"(w >> {2 + n + f + link})" if t else "0u"
    nan = f"{source.macro}_BIT({word}, 2)" if n else None
    begin = f"{source.name}_nodes + node" + (f" * {step}u" if step > 1 else "")
    jump, passed = "", ""
    if part.long_jumps:
        passed = f"if ({left} == {(1 << link) - 1}u)\n    p++;"
        jump = block(
            """
            if (left == @most@u) {
                const unsigned e = @get@(p);
                left = e & 255u;
                p += (e >> 8) + 1u;
            }
            """,
            most=(1 << link) - 1,
            get=get,
        )
    return block(
        """
        /* Bits of a node; shifts on both sides need no register for a mask. */
        #if defined(__AVR__)
        #define @M@_BITS(w, at, n, mask) ((w) >> (at) & (mask))
        #define @M@_BIT(w, at) (((w) & (1u << (at))) != 0u)
        #else
        #define @M@_BITS(w, at, n, mask) ((uint32_t)(w) << (32 - (at) - (n)) >> (32 - (n)))
        #define @M@_BIT(w, at) ((int32_t)((uint32_t)(w) << (31 - (at))) < 0)
        #endif
        /* The leaf that x reaches in the tree that begins with `node`. A node comes before its left
           side, and that before its right side; two bits say which sides are leaves.@more@ */
        static @index@ @name@_leaf(@argument@, @index@ node)
        {
            @M@_ROM @kind@ *p = @begin@;
            @index@ leaf = 0;
            for (;;) {
                @read@
                @v@
                if (@condition@) {
                    if (@M@_BIT(@word@, 0))
                        return leaf;
                    p += @step@;
                    @passed@
                } else {
                    @const@@index@ left = (@index@)@left@;
                    p += @step@;
                    @jump@
                    leaf += left + 1u;
                    if (@M@_BIT(@word@, 1))
                        return leaf;
                    p += @scaled@;
                }
            }
        }
        """,
        index=index,
        name=source.name,
        argument=input_argument(source, part),
        more="\n   A large left side has its number of nodes in a half word of its own."
        * part.long_jumps,
        M=source.macro,
        kind=kind,
        begin=begin,
        read=read,
        v=f"{read_type(source, part)} v;" if nan else "",
        condition=_goes_left(source, part, feature, threshold, nan),
        word=word,
        step=step,
        left=left,
        const="" if part.long_jumps else "const ",
        passed=passed,
        jump=jump,
        scaled="left" if step == 1 else f"{step}u * left",
    )


def _bits(source: CSource, at: int, width: int) -> str:
    """Expression of bits of the word of a node."""
    return f"{source.macro}_BITS(w, {at}, {width}, {(1 << width) - 1}u)" if width else "0u"


def _node(source: CSource, part: PackedTrees) -> tuple[str, str, str, str | None, str]:
    """Statements that read a node; expressions of its feature, threshold, NaN's side and link."""
    name, index = source.name, source.index
    fields, at, values = part.widths, 0, []
    if part.bits == 0:
        return "(void)node;", "0", "0u", None, "0"
    if part.whole_bytes:
        get = f"{source.macro}_GET8"
        size = part.bits // 8
        base = f"{name}_nodes + node" + (f" * {size}u" if size > 1 else "")
        if fields[:2] == (8, 8) and size == 3:
            read = f"{source.macro}_ROM uint8_t *p = {base};\n"
            nan = f"({get}(p + 2) & 1) != 0" if fields[2] else None
            link = f"{get}(p + 2)" + (" >> 1" if fields[2] else "")
            return read, f"{get}(p)", f"{get}(p + 1)", nan, f"({index})({link})"
        reads = [f"(uint32_t){get}(p)"]
        reads += [f"(uint32_t){get}(p + {i}) << {8 * i}" for i in range(1, size)]
        bits = "\n    | ".join(reads)
        read = f"{source.macro}_ROM uint8_t *p = {base};\nconst uint32_t w = {bits};\n"
    elif part.bits <= WIDEST_READ:
        read = f"const uint32_t w = {name}_bits({name}_nodes, node * {part.bits}u, {part.bits});\n"
    else:
        read = f"const {index} at = node * {part.bits}u;\n"
        for width in fields:
            values.append(_packed_field(source, at, width))
            at += width
        nan = f"{values[2]} != 0u" if fields[2] else None
        return read, values[0], values[1], nan, f"({index}){values[3]}"
    for width in fields:
        shifted = f"(w >> {at})" if at else "w"
        last = at + width == part.bits
        masked = shifted if last else f"({shifted} & {(1 << width) - 1}u)"
        values.append(masked if width else "0u")
        at += width
    nan = f"{values[2]} != 0u" if fields[2] else None
    return read, values[0] if fields[0] else "0", values[1], nan, f"({index}){values[3]}"


def _packed_field(source: CSource, at: int, width: int) -> str:
    if width == 0:
        return "0u"
    place = f"at + {at}u" if at else "at"
    if width > WIDEST_READ:
        low = f"{source.name}_bits({source.name}_nodes, {place}, 16)"
        high = f"{source.name}_bits({source.name}_nodes, at + {at + 16}u, {width - 16})"
        return f"({low} | {high} << 16)"
    return f"{source.name}_bits({source.name}_nodes, {place}, {width})"


def _by_depth(source: CSource, part: PackedTrees) -> str:
    read, feature, threshold, nan, link = _node(source, part)
    if part.size == 0:
        return ""
    return block(
        """
        /* The leaf that x reaches in a tree of `size` splits, the first of which is `node`. A node
           comes before its left side, and that before its right side. */
        static @index@ @name@_leaf(@argument@, @index@ node, @index@ size)
        {
            @index@ leaf = 0;
            while (size != 0) {
                @read@
                const @index@ left = @link@;
                @v@
                node++;
                if (@condition@) {
                    size = left;
                } else {
                    node += left;
                    leaf += left + 1;
                    size -= left + 1;
                }
            }
            return leaf;
        }
        """,
        index=source.index,
        name=source.name,
        argument=input_argument(source, part),
        read=read,
        link=link,
        v=f"{read_type(source, part)} v;" if nan else "",
        condition=_goes_left(source, part, feature, threshold, nan),
    )


def _by_children(source: CSource, part: PackedTrees) -> str:
    N, (fw, tw, nw, link) = len(part.table.feature), part.widths
    if N == 0:
        return ""
    fields, at = [], 0
    for width in (fw, tw, nw, link, link):
        fields.append(_packed_field(source, at, width))
        at += width
    return block(
        """
        /* The leaf that x reaches from `node` on; leaves are numbered after the nodes. */
        static @index@ @name@_leaf(@argument@, @index@ node)
        {
            while (node < @N@u) {
                const @index@ at = node * @bits@u;
                @v@
                if (@condition@)
                    node = (@index@)@left@;
                else
                    node = (@index@)@right@;
            }
            return node - @N@u;
        }
        """,
        index=source.index,
        name=source.name,
        argument=input_argument(source, part),
        N=N,
        bits=part.bits,
        v=f"{read_type(source, part)} v;" if nw else "",
        condition=_goes_left(
            source, part, fields[0], fields[1], f"{fields[2]} != 0u" if nw else None
        ),
        left=fields[3],
        right=fields[4],
    )
