"""C of a net: codes of the inputs, hidden layers, scores.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedNet`. How two
products come out of one multiplication says `skdistill.compact.packing.net`.

An array of int32 holds the codes, and behind them the sums of each hidden layer. A layer makes
units of the sums that it reads, and pairs of the units: number j then holds input j in its upper
16 bits, and input j + lane below. Zeros stand before and behind them, where rows of weights begin
or end within a block. Layers of one width are one loop.
"""

from __future__ import annotations

from textwrap import indent

from skdistill.compact.packing.net import PackedNet, Run
from skdistill.export.c.costs import CALL, Costs
from skdistill.export.c.net_products import (
    begin_sums,
    declare_weights,
    multiply_rows,
    product_cost,
    simd,
)
from skdistill.export.c.rounding import round_cost, round_function, round_input
from skdistill.export.c.text import CSource, block

# Instructions of an input, a layer, one of its inputs and its rows beside products, a unit.
_INPUT, _LAYER, _PAIR, _ROW, _UNIT = 16, 70, 26, 20, 44


def packed_widths(source: CSource, part: PackedNet) -> dict[str, list[int]]:
    """No tables of packed bits that are read one number at a time."""
    return {}


def input_function(source: CSource, part: PackedNet) -> str:
    """The function that makes a code of an input; empty where inputs are codes."""
    if part.rounding is None:
        return ""
    return round_function(source, part.rounding, "code", _missing_code(source, part))


def walk_function(source: CSource, part: PackedNet) -> str:
    """Nothing: there is nothing to walk."""
    return ""


def value_function(source: CSource, part: PackedNet) -> str:
    """The function that adds the scores, and that of a hidden unit."""
    texts = [simd(source)] if _has_pairs(part) else []
    return "\n".join([*texts, _unit(source, part), _net(source, part)])


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
    n = part.table.n_codes
    each = Costs() if part.rounding is None else round_cost(source, part.rounding)
    work, steps = 2 * CALL + 6 * numbers + (_INPUT + each.instructions) * n, numbers + n
    for i, stream in enumerate(part.streams):
        blocks = stream.length // stream.width.block + (0 if stream.is_aligned else 2)
        work += _LAYER + stream.length * (_PAIR + (_UNIT if i else 0))
        work += stream.rows * (_ROW + product_cost(stream, blocks))
        steps += stream.length + stream.rows * (1 + blocks)
    return Costs(0, steps, work, 4 * numbers, each.floats * n, calls=2)


def _gap(part: PackedNet) -> int:
    """Entries between the inputs of two layers."""
    return max(max(run.front, run.back) for run in part.runs)


def _first(part: PackedNet, layer: int) -> int:
    """Where the inputs of a layer begin in the array."""
    before = sum(stream.length for stream in part.streams[:layer])
    return part.runs[0].front + before + layer * _gap(part)


def _numbers(part: PackedNet) -> int:
    """Entries of the array."""
    last = len(part.streams) - 1
    return _first(part, last) + part.streams[last].length + part.runs[-1].back


def _has_pairs(part: PackedNet) -> bool:
    return not all(map(_is_whole, part.runs))


def _is_whole(run: Run) -> bool:
    """Whether both halves of a pair of inputs are no numbers of their own on any core."""
    return run.width.centred or run.width.lane == 0


def _unit(source: CSource, part: PackedNet) -> str:
    plain = "a < 0 ? 0 : a >> r > 255 ? 255 : a >> r"
    shift = str(part.shift)
    if part.shift is None:
        shift = f"(unsigned){source.get('unit_shifts', '(unit >> 1)')} >> (4u * (unit & 1u)) & 15u"
    return block(
        """
        /* The hidden unit of a sum. */
        static int32_t @name@_unit(int32_t a, unsigned unit)
        {
            const unsigned r = @shift@;
            a += @bias@ * ((int32_t)2 << r) + (((int32_t)1 << r) >> 1);
            return @unit@;
        }
        """,
        name=source.name,
        shift=shift,
        bias=source.get("unit_bias", "unit"),
        unit=f"{source.macro}_UNIT(a, r)" if _has_pairs(part) else plain,
    )


def _net(source: CSource, part: PackedNet) -> str:
    """The function that adds the scores of the net."""
    body = [_inputs(source, part)]
    for run in part.runs:
        if run.first > 0:
            body.append(f"p = h + {_first(part, run.first)};\n")
        body.append(_layers(source, part, run))
    return block(
        """
        /* Adds the scores of the net. */
        static void @name@_add_net(const @T@ *x, int32_t *s)
        {
            int32_t h[@numbers@], *p = h + @first@, *q = p;
            unsigned j, unit = 0;
            for (j = 0; j < @numbers@; j++) {
                h[j] = 0;
                @keep@
            }
            @body@
        }
        """,
        name=source.name,
        T=source.x_type,
        numbers=_numbers(part),
        first=_first(part, 0),
        keep=f"{source.macro}_KEEP;",
        body="".join(body),
    )


def _layers(source: CSource, part: PackedNet, run: Run) -> str:
    """The block of a run of layers: their units, pairs and products. Its inputs are at p."""
    stream, is_loop = run.streams[0], len(run.streams) > 1
    table = f"{source.name}_layer_sizes"
    sizes, n, m, loop, end_of_loop = "", str(stream.length), str(stream.rows), "", ""
    if is_loop:
        dtype = part.tables["layer_sizes"].dtype
        start = f" + {run.first}" if run.first else ""
        sizes = f"{source.macro}_ROM {dtype.name}_t *size = {table}{start};\n"
        n, m = (f"{source.macro}_GET{8 * dtype.itemsize}({at})" for at in ("size", "size + 1"))
        loop = "for (;;)"
        end_of_loop = (
            f"if (size == {table} + {run.last})\n    break;\nsize++;\np = end + {_gap(part)};\n"
        )
    behind, out = f"end + {_gap(part)}", ""
    if run.last + 1 == len(part.streams):
        behind, out = (
            (behind, f"if (size == {table} + {run.last})\n    out = s;\n") if is_loop else ("s", "")
        )
    start, _ = begin_sums(source, run)
    layer = block(
        """
        const unsigned n = @n@;
        unsigned m = @m@;
        int32_t *const end = p + n, *out = @behind@;
        int32_t start = @start@;
        @out@
        @pairs@
        @rows@
        @end_of_loop@
        """,
        n=n,
        m=m,
        behind=behind,
        start=start,
        out=out,
        pairs=_pairs(source, run, table),
        rows=multiply_rows(source, run),
        end_of_loop=end_of_loop,
    )
    return block(
        """
        {
            @sizes@
            @weights@
            @layer@
        }
        """,
        sizes=sizes,
        weights=declare_weights(source, run),
        layer=f"{loop} {{\n{indent(layer, '    ')}}}\n" if is_loop else layer,
    )


def _pairs(source: CSource, run: Run, table: str) -> str:
    """Statements that make units of sums, and pairs of units or codes."""
    lane, (_, each) = run.width.lane, begin_sums(source, run)
    unit = f"a = {source.name}_unit(a, unit++);\n"
    if run.first == 0:
        unit = f"if (size != {table})\n    {unit}" if len(run.streams) > 1 else ""
    if lane == 0 and not unit:
        return ""
    put = "*q++ = a;\n"
    if lane:
        lower = "a" if _is_whole(run) else f"{source.macro}_LOWER(a)"
        put = f"q[0] = a * 65536;\nq[-{lane}] += {lower};\nq++;\n"
    return block(
        """
        q = p;
        do {
            int32_t a = *q;
            @unit@
            @sum@
            @put@
        } while (q != end);
        """,
        unit=unit,
        sum=f"start -= {each};\n" if each else "",
        put=put,
    )


def _inputs(source: CSource, part: PackedNet) -> str:
    """Statements that put all codes to their places."""
    net = part.table
    if part.rounding is None:  # inputs are codes
        return _loop(net.n_codes, "*q++ = x[j];\n")
    column = source.get("net_columns", "j") if "net_columns" in part.tables else "j"
    x = f"x[{column}]"
    value = f"{source.name}_code({round_input(source, part.rounding, x)}, j)"
    missing = source.layout.missing_number
    if missing is not None:
        value = f"{x} == {missing} ? {_missing_code(source, part)} : {value}"
    return _loop(net.n_codes, f"*q++ = {value};\n")


def _missing_code(source: CSource, part: PackedNet) -> str:
    """The code of NaN of input j."""
    code = part.missing_code
    return source.get("net_missing", "j") if code is None else str(code)


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
