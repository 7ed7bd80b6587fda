"""C that walks trees kept as tables."""

from __future__ import annotations

from skdistill.compact.packing.layout import TreeLayout
from skdistill.compact.packing.pack import WIDEST_READ
from skdistill.export.c import categories
from skdistill.export.c.inputs import is_missing, prepared_type, read_input, read_type
from skdistill.export.c.text import Source, block


def input_argument(source: Source, trees: TreeLayout) -> str:
    """Parameter of a walk: prepared inputs, or the inputs themselves."""
    if trees.prepared:
        return f"const {prepared_type(source, trees)} *q"
    return f"const {source.x_type} *x"


def packed_widths(source: Source) -> dict[str, list[int]]:
    """Tables of packed bits, and the widths of the numbers that are taken out of each."""
    layout, trees, model = source.layout, source.layout.trees, source.layout.model
    found: dict[str, list[int]] = {}
    if trees is not None:
        if trees.shape == "children":
            found["nodes"] = [*trees.widths[:2], trees.widths[2], trees.widths[3]]
        elif trees.shape == "depth" and not trees.whole_bytes:
            found["nodes"] = [trees.bits] if trees.bits <= WIDEST_READ else [*trees.widths]
        if trees.label_bits != 8:
            found["labels"] = [trees.label_bits or 0]
        found["rows"] = [trees.row_bits or 0]
    for name, part in (("values", model.trees), ("weights", model.linear)):
        if part is not None and part.value_bits not in ("ternary", 8, 16):
            found[name] = [int(part.value_bits)]
    return {
        name: [width for width in widths if width]
        for name, widths in found.items()
        if name in layout.tables
    }


def bits_window(source: Source) -> int:
    """Bytes that a read of packed bits looks at."""
    widest = max(width for widths in packed_widths(source).values() for width in widths)
    return (7 + min(widest, WIDEST_READ) + 7) // 8


def bits_reader(source: Source) -> str:
    """The function that takes a number out of packed bits."""
    if not packed_widths(source):
        return ""
    reads = [f"(uint32_t){source.macro}_GET8(p)"]
    for i in range(1, bits_window(source)):
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


def walker(source: Source, trees: TreeLayout) -> str:
    """The function that finds the leaf, or with fused nodes the label."""
    if trees.shape == "fused":
        return _fused(source, trees)
    if trees.shape == "children":
        return _by_children(source, trees)
    return _by_depth(source, trees)


def _reading(source: Source, trees: TreeLayout, feature: str) -> str:
    return f"q[{feature}]" if trees.prepared else read_input(source, trees, feature)


def _cut(source: Source, trees: TreeLayout, threshold: str, feature: str) -> str:
    """Expression of the cut of a node."""
    if trees.edges is not None:
        at = threshold
        if trees.bases is not None:
            at = f"{source.get('bases', feature)} + {threshold}"
        threshold = source.get("edges", at)
    kind = read_type(source, trees)
    if kind in ("int", "int32_t"):
        low = f" + {trees.low}" if trees.low > 0 else f" - {-trees.low}" if trees.low else ""
        if kind == "int" and int(trees.reading.cut.max()) - trees.low > 32767:
            kind = "int32_t"  # an int of 16 bits does not hold the difference
        elif kind == "int32_t" and low:  # through unsigned numbers, which may wrap
            return f"(int32_t)((uint32_t){threshold} + {trees.low % 2**32}u)"
        return f"({kind}){threshold}{low}"
    base = trees.low << trees.reading.drop
    if trees.reading.drop:
        threshold = f"((uint32_t){threshold} << {trees.reading.drop})"
    return f"{threshold} + {base}u" if base else threshold


def _goes_left(
    source: Source, trees: TreeLayout, feature: str, threshold: str, nan: str | None
) -> str:
    reading, cut = _reading(source, trees, feature), _cut(source, trees, threshold, feature)
    if nan is None:
        return f"{reading} <= {cut}"
    return f"(v = {reading}) <= {cut} || ({nan} && {is_missing(source, trees, 'v')})"


def _fused(source: Source, trees: TreeLayout) -> str:
    shift = 2 + trees.widths[2]
    nan = "(h & 4u) != 0u" if trees.widths[2] else None
    get = f"{source.macro}_GET8"
    feature = f"(h >> {shift})"
    condition = _goes_left(source, trees, feature, f"{get}(p + 1)", nan)
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
        v=f"{read_type(source, trees)} v;" if nan else "",
        condition=condition,
        jump="c" if trees.widths[3] == 3 else "3u * c",
    )


def _node(source: Source, trees: TreeLayout) -> tuple[str, str, str, str | None, str]:
    """Statements that read a node; expressions of its feature, threshold, NaN's side and link."""
    name, index = source.name, source.index
    fields, at, found = trees.widths, 0, []
    if trees.bits == 0:
        return "", "0", "0u", None, "0"
    if trees.whole_bytes:
        get = f"{source.macro}_GET8"
        size = trees.bits // 8
        base = f"{name}_nodes + node" + (f" * {size}u" if size > 1 else "")
        if fields[:2] == (8, 8) and size == 3:
            read = f"{source.macro}_ROM uint8_t *p = {base};\n"
            nan = f"({get}(p + 2) & 1) != 0" if fields[2] else None
            link = f"{get}(p + 2)" + (" >> 1" if fields[2] else "")
            return read, f"{get}(p)", f"{get}(p + 1)", nan, f"({index})({link})"
        reads = [f"(uint32_t){get}(p)"]
        reads += [f"(uint32_t){get}(p + {i}) << {8 * i}" for i in range(1, size)]
        whole = "\n    | ".join(reads)
        read = f"{source.macro}_ROM uint8_t *p = {base};\nconst uint32_t w = {whole};\n"
    elif trees.bits <= WIDEST_READ:
        read = (
            f"const uint32_t w = {name}_bits({name}_nodes, node * {trees.bits}u, {trees.bits});\n"
        )
    else:
        read = f"const {index} at = node * {trees.bits}u;\n"
        for width in fields:
            found.append(_packed_field(source, at, width))
            at += width
        return read, found[0], found[1], f"{found[2]} != 0u" if fields[2] else None, found[3]
    for width in fields:
        shifted = f"(w >> {at})" if at else "w"
        last = at + width == trees.bits
        masked = shifted if last else f"({shifted} & {(1 << width) - 1}u)"
        found.append(masked if width else "0u")
        at += width
    nan = f"{found[2]} != 0u" if fields[2] else None
    return read, found[0] if fields[0] else "0", found[1], nan, f"({index}){found[3]}"


def _packed_field(source: Source, at: int, width: int) -> str:
    if width == 0:
        return "0u"
    place = f"at + {at}u" if at else "at"
    if width > WIDEST_READ:
        low = f"{source.name}_bits({source.name}_nodes, {place}, 16)"
        high = f"{source.name}_bits({source.name}_nodes, at + {at + 16}u, {width - 16})"
        return f"({low} | {high} << 16)"
    return f"{source.name}_bits({source.name}_nodes, {place}, {width})"


def _by_depth(source: Source, trees: TreeLayout) -> str:
    read, feature, threshold, nan, link = _node(source, trees)
    if trees.size == 0:
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
        argument=input_argument(source, trees),
        read=read,
        link=link,
        v=f"{read_type(source, trees)} v;" if nan else "",
        condition=_goes_left(source, trees, feature, threshold, nan),
    )


def _by_children(source: Source, trees: TreeLayout) -> str:
    N, (fw, tw, nw, link) = len(source.layout.model.trees.feature), trees.widths  # type: ignore[union-attr]
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
        argument=input_argument(source, trees),
        N=N,
        bits=trees.bits,
        v=f"{read_type(source, trees)} v;" if nw else "",
        condition=_goes_left(
            source, trees, fields[0], fields[1], f"{fields[2]} != 0u" if nw else None
        ),
        left=fields[3],
        right=fields[4],
    )
