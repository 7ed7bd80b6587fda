"""C of a net: codes of the inputs, hidden layers, scores.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedNet`. Its
forms are those of `skdistill.compact.packing.net_forms`.

An array of int32 holds the codes, and behind them the units of each hidden layer: each by itself,
or two to an entry.
"""

from __future__ import annotations

from skdistill.compact.packing.net import PackedNet
from skdistill.export.c.costs import CALL, Costs
from skdistill.export.c.net_paired import begin_pairs, gap, looped_layers, put_code, unrolled_layers
from skdistill.export.c.net_products import pair_macros, product_cost, wide_macros
from skdistill.export.c.net_single import single_layers
from skdistill.export.c.rounding import round_cost, round_function, round_input
from skdistill.export.c.text import CSource, block

# Instructions of an input, a layer, a row beside its products, a unit.
_INPUT, _LAYER, _ROW, _UNIT = 34, 80, 24, 60
_LEAST_SPILLED = 64  # bytes
_WEIGHT: dict[int | str, int] = {8: 11, "ternary": 20, "mixed": 30}  # of "single", one by one


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
    if part.form == "single":
        return "\n".join([_unit(source, part), _net(source, part)])
    texts = [pair_macros(source)]
    if any(layer.sums == 0 for layer in part.layers):
        texts.append(wide_macros(source))
    if part.form == "looped":
        texts.append(_unit(source, part))
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
    n = part.table.n_codes
    each = Costs() if part.rounding is None else round_cost(source, part.rounding)
    work, steps = 2 * CALL + 6 * numbers + (_INPUT + each.instructions) * n, numbers + n
    weights = [layer.weights for layer in (*part.table.hidden, part.table)]
    for rows, _ in (each.shape for each in weights):
        work += _LAYER + rows * (_ROW + _UNIT)
    if part.form == "single":
        widths = {layer.value_bits for layer in (*part.table.hidden, part.table)}
        width = widths.pop() if len(widths) == 1 else "mixed"
        work += part.table.n_values * _WEIGHT.get(width, 25)
        steps += part.table.n_values
    for layer in part.layers:
        rows = -(-layer.rows // layer.together)
        work += rows * product_cost(layer)
        steps += rows * (1 + layer.turns)
    stack = 4 * numbers + (_spilled(part) if part.form == "unrolled" else 0)
    words = each.words * n + 7 * work  # products in blocks, and units
    return Costs(0, steps, work, stack, each.floats * n, calls=2, words=words)


def _spilled(part: PackedNet) -> int:
    """Bytes for which registers do not suffice, of the rows that are taken together.

    Where no loop goes over a row, its inputs are the same for all rows, and compilers keep them:
    as they are, or both halves of each and a third number where products are wide.
    """
    once = [layer for layer in part.layers if layer.turns == 1]
    return max(_LEAST_SPILLED, *(4 * layer.pairs * (1 if layer.sums else 3) for layer in once), 0)


def _numbers(part: PackedNet) -> int:
    """Entries of the array of inputs and units."""
    if part.form == "single":
        return sum(part.lengths)
    if part.form == "unrolled":
        return sum(layer.pairs for layer in part.layers)
    return _front(part) + sum(part.lengths) + len(part.layers) * gap(part)


def _front(part: PackedNet) -> int:
    """Entries before the first input, which pairs are put to that nothing reads."""
    return 16 // part.layers[0].field if part.form == "looped" else 0


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
        unit=f"{source.macro}_UNIT(a, r)" if part.form == "looped" else plain,
    )


def _net(source: CSource, part: PackedNet) -> str:
    """The function that adds the scores of the net."""
    front, begin = _front(part), ""
    if part.form == "looped":
        begin = _loop(_numbers(part), f"h[j] = 0;\n{source.macro}_KEEP;\n")
    elif part.form == "unrolled":
        begin = begin_pairs(part)
    layers = {"single": single_layers, "looped": looped_layers, "unrolled": unrolled_layers}
    return block(
        """
        /* Adds the scores of the net. */
        static void @name@_add_net(const @T@ *x, int32_t *s)
        {
            int32_t h[@numbers@], *p = h@front@, *q = p@start@;
            unsigned j, unit = 0;
            @begin@
            @inputs@
            @layers@
        }
        """,
        name=source.name,
        T=source.x_type,
        numbers=_numbers(part),
        front=f" + {front}" if front else "",
        start=", start = 0" if part.form == "unrolled" else "",
        begin=begin,
        inputs=_inputs(source, part),
        layers=layers[part.form](source, part),
    )


def _inputs(source: CSource, part: PackedNet) -> str:
    """Statements that put all codes to their places."""
    if part.rounding is None:  # inputs are codes
        return _loop(part.table.n_codes, _put(source, part, "x[j]"))
    column = source.get("net_columns", "j") if "net_columns" in part.tables else "j"
    x = f"x[{column}]"
    value = f"{source.name}_code({round_input(source, part.rounding, x)}, j)"
    missing = source.layout.missing_number
    if missing is not None:
        value = f"{x} == {missing} ? {_missing_code(source, part)} : {value}"
    return _loop(part.table.n_codes, _put(source, part, value))


def _missing_code(source: CSource, part: PackedNet) -> str:
    """The code of NaN of input j."""
    code = part.missing_code
    return source.get("net_missing", "j") if code is None else str(code)


def _put(source: CSource, part: PackedNet, code: str) -> str:
    """Statements that put the code of input j to its place."""
    if part.form == "unrolled":
        return put_code(source, part, code)
    return f"*q++ = {code};\n"


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
