"""C of a net: codes of the inputs, hidden layers, scores.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedNet`. How two
products come out of one multiplication says `skdistill.compact.packing.net`.

Inputs of a layer wait in an array of int32: number j holds input j in its upper 16 bits, and input
j + lane below. Zeros stand before and behind them, where rows of weights begin or end within a
block.
"""

from __future__ import annotations

from skdistill.compact.packing.net import PackedNet, Stream
from skdistill.export.c import categories
from skdistill.export.c.costs import CALL, Costs
from skdistill.export.c.net_products import product_cost, product_function, simd
from skdistill.export.c.rounding import round_cost, round_function, round_input
from skdistill.export.c.text import CSource, block

_NAN_INDEX = 512
_UNIT, _INPUT = 44, 20  # instructions of a hidden unit beside its products; of an input


def packed_widths(source: CSource, part: PackedNet) -> dict[str, list[int]]:
    """No tables of packed bits that are read one number at a time."""
    return {}


def input_function(source: CSource, part: PackedNet) -> str:
    """The functions that make a code of an input."""
    parts = []
    if part.rounding is not None:
        missing = part.missing_code
        nan = source.get("net_missing", "j") if missing is None else str(missing)
        parts.append(round_function(source, part.rounding, "code", nan))
    # The ranks of categories have the same function.
    if "lookup" in part.tables and source.x_type == "float" and not len(source.layout.categories):
        parts.append(categories.index_function(source))
    return "\n".join(parts)


def walk_function(source: CSource, part: PackedNet) -> str:
    """Nothing: there is nothing to walk."""
    return ""


def value_function(source: CSource, part: PackedNet) -> str:
    """The functions of products and layers, and the function that adds the scores."""
    texts = [simd(source)] if _has_pairs(part) else []
    for bits in dict.fromkeys(stream.bits for stream in part.streams):
        same = [stream for stream in part.streams if stream.bits == bits]
        texts.append(product_function(source, bits, same))
    texts += {_units_name(each): _units(source, part, each) for each in part.streams[1:]}.values()
    return "\n".join([*texts, _net(source, part)])


def label_function(source: CSource, part: PackedNet) -> str:
    """Nothing: a label needs the scores."""
    return ""


def declared(source: CSource, part: PackedNet) -> list[str]:
    """Nothing: the function of the net has its own."""
    return []


def prepare(source: CSource, part: PackedNet) -> str:
    """Nothing."""
    return ""


def add(source: CSource, part: PackedNet) -> str:
    """The call of the function that adds the scores."""
    return f"{source.name}_add_net(x, s);\n"


def costs(source: CSource, part: PackedNet) -> Costs:
    """What the part costs at most."""
    numbers = _numbers(part)
    each = _INPUT + (0 if part.rounding is None else round_cost(source, part.rounding))
    work, steps = 2 * CALL + 6 * numbers + each * part.table.n_codes, numbers + part.table.n_codes
    for stream in part.streams:
        blocks = stream.length // stream.width.block + (0 if stream.is_aligned else 2)
        work += stream.rows * (_UNIT + product_cost(stream, blocks))
        steps += stream.rows * (1 + blocks)
    return Costs(steps=steps, instructions=work, stack=4 * numbers + 160)


def _numbers(part: PackedNet) -> int:
    """Entries of the array that holds the inputs of all layers."""
    last = part.streams[-1]
    # A pointer goes on by a block, and must not leave the array.
    beyond = 0 if last.is_aligned else last.width.block - 1 - last.back
    return sum(each.front + each.length + each.back for each in part.streams) + beyond


def _first(part: PackedNet, i: int) -> int:
    """Where the inputs of a layer begin in it."""
    before = part.streams[:i]
    return sum(each.front + each.length + each.back for each in before) + part.streams[i].front


def _units_name(following: Stream) -> str:
    return f"units_for_{following.bits}"


def _has_pairs(part: PackedNet) -> bool:
    return not all(map(_is_whole, part.streams))


def _is_whole(stream: Stream) -> bool:
    """Whether both halves of a pair of inputs are no numbers of their own on any core."""
    return stream.width.centred or stream.width.lane == 0


def _put(source: CSource, stream: Stream, target: str, value: str) -> str:
    """Statements that put the next input of a layer to its place, and count it."""
    lane, lower = stream.width.lane, value
    if lane == 0:
        return f"*{target}++ = {value};\n"
    if not _is_whole(stream):
        lower = f"{source.macro}_LOWER({value})"
    put = f"{target}[0] = {value} * 65536;\n{target}[-{lane}] += {lower};\n{target}++;\n"
    return put + (f"sum += {value};\n" if _needs_sum(stream) else "")


def _needs_sum(stream: Stream) -> bool:
    return bool(stream.width.zero) and not stream.width.centred


def _units(source: CSource, part: PackedNet, following: Stream) -> str:
    plain = "a < 0 ? 0 : a >> r > 255 ? 255 : a >> r"
    shift = str(part.shift)
    if part.shift is None:
        shift = f"{source.get('unit_shifts', '(unit >> 1)')} >> (4u * (unit & 1u)) & 15u"
    return block(
        """
        /* Makes m units of a hidden layer of the sums at q, and returns their sum. */
        static int32_t @name@_@units@(int32_t *q, unsigned unit, unsigned m)
        {
            int32_t sum = 0;
            for (; m != 0; m--, unit++) {
                const unsigned r = @shift@;
                int32_t a = *q + @bias@ * ((int32_t)2 << r) + (((int32_t)1 << r) >> 1);
                a = @unit@;
                @put@
            }
            return sum;
        }
        """,
        name=source.name,
        units=_units_name(following),
        shift=shift,
        bias=source.get("unit_bias", "unit"),
        unit=f"{source.macro}_UNIT(a, r)" if _has_pairs(part) else plain,
        put=_put(source, following, "q", "a"),
    )


def _net(source: CSource, part: PackedNet) -> str:
    """The function that adds the scores of the net."""
    numbers = _numbers(part)
    body = [_inputs(source, part)]
    unit = 0
    for i, stream in enumerate(part.streams):
        hidden = i + 1 < len(part.streams)
        sums = f"h + {_first(part, i + 1)}" if hidden else "s"
        start = f"-{stream.width.zero} * sum" if _needs_sum(stream) else "0"
        body.append(
            f"{source.name}_rows_{stream.bits}({sums}, {stream.rows}, {start}, "
            f"h + {_first(part, i)}, {stream.length}, {stream.start});\n"
        )
        if hidden:
            following = part.streams[i + 1]
            call = f"{source.name}_{_units_name(following)}({sums}, {unit}, {stream.rows});\n"
            body.append(f"sum = {call}" if _needs_sum(following) else f"(void){call}")
            unit += stream.rows
    if not any(map(_needs_sum, part.streams)):
        body.append("(void)sum;\n")
    keep = f"{source.macro}_KEEP;"
    return block(
        """
        /* Adds the scores of the net. */
        static void @name@_add_net(const @T@ *x, int32_t *s)
        {
            int32_t h[@numbers@], *p = h + @first@, sum = 0;
            unsigned j;
            for (j = 0; j < @numbers@; j++) {
                h[j] = 0;
                @keep@
            }
            @body@
        }
        """,
        name=source.name,
        T=source.x_type,
        numbers=numbers,
        first=_first(part, 0),
        keep=keep,
        body="".join(body),
    )


def _inputs(source: CSource, part: PackedNet) -> str:
    """Statements that put all codes to their places."""
    first, net = part.streams[0], part.table
    if source.layout.input_dtype == "codes":
        return _loop(net.n_codes, f"const int32_t v = x[j];\n{_put(source, first, 'p', 'v')}")
    text = ""
    if part.rounding is not None:
        column = source.get("net_columns", "j") if "net_columns" in part.tables else "j"
        x = f"x[{column}]"
        value = f"{source.name}_code({round_input(source, part.rounding, x)}, j)"
        missing = source.layout.missing_number
        if missing is not None:
            nan = part.missing_code
            code = source.get("net_missing", "j") if nan is None else str(nan)
            value = f"{x} == {missing} ? {code} : {value}"
        text += _loop(
            len(net.features), f"const int32_t v = {value};\n{_put(source, first, 'p', 'v')}"
        )
    return text + (_lookups(source, part) if len(net.lookup_features) else "")


def _loop(count: int, body: str) -> str:
    return block(
        """
        for (j = 0; j < @count@; j++) {
            @body@
        }
        """,
        count=count,
        body=body,
    )


def _lookups(source: CSource, part: PackedNet) -> str:
    """Statements that look the codes of lookup inputs up."""
    net = part.table
    column = str(int(net.lookup_features[0]))
    if "lookup_columns" in part.tables:
        column = source.get("lookup_columns", "j")
    count = f"{int(net.lookup_sizes[0]) - 1}u"
    if "lookup_sizes" in part.tables:
        count = source.get("lookup_sizes", "j")
    x = f"x[{column}]"
    at, nan = f"(uint32_t){x}", f"{x} == {source.layout.missing_number}"
    if source.x_type == "float":  # an index is 256 at most
        at, nan = f"{source.name}_index({x}, {_NAN_INDEX}u)", f"at == {_NAN_INDEX}u"
    known = "at >= count ? count - 1u : at"
    return block(
        """
        {
            unsigned first = 0;
            for (j = 0; j < @n@; j++) {
                const unsigned count = @count@;
                uint32_t at = @at@;
                int32_t v;
                at = @known@;
                v = @code@;
                first += count@entry@;
                @put@
            }
        }
        """,
        n=len(net.lookup_features),
        count=count,
        at=at,
        known=f"{nan} ? count : {known}" if part.has_nan else known,
        code=source.get("lookup", "first + at"),
        entry=" + 1u" if part.has_nan else "",
        put=_put(source, part.streams[0], "p", "v"),
    )
