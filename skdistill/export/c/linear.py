"""C of the linear part: rounded inputs times weights.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedLinear`.
"""

from __future__ import annotations

from skdistill.compact.packing.linear import PackedLinear
from skdistill.export.c.costs import Costs, row_cost
from skdistill.export.c.rounding import round_cost, round_function, round_input
from skdistill.export.c.text import CSource, block
from skdistill.export.c.tree_inputs import missing_code
from skdistill.export.c.values import value_reader


def packed_widths(source: CSource, part: PackedLinear) -> dict[str, list[int]]:
    """Tables of packed bits, and the widths of the numbers that are taken out of each."""
    bits = part.table.value_bits
    return {} if bits in ("ternary", 8, 16) else {"weights": [int(bits)]}


def walk_function(source: CSource, part: PackedLinear) -> str:
    """Nothing: there is nothing to walk."""
    return ""


def value_function(source: CSource, part: PackedLinear) -> str:
    """The function that adds a row of weights."""
    weights = part.table.weights
    signed = bool((weights < 0).any())
    return value_reader(source, "weights", part.table.value_bits, signed, weights.size)


def label_function(source: CSource, part: PackedLinear) -> str:
    """Nothing: a label needs the scores."""
    return ""


def declared(source: CSource, part: PackedLinear) -> list[str]:
    """Where the rounded inputs are, if trees compare them too."""
    if not source.layout.shares_rounding:
        return []
    return [f"{_shared_type(part)} q[{part.table.n_codes}];"]


def _shared_type(part: PackedLinear) -> str:
    return "uint8_t" if _shared_missing(part) == 255 else "uint16_t"


def _shared_missing(part: PackedLinear) -> int:
    return missing_code(2 * part.table.q_max)


def prepare(source: CSource, part: PackedLinear) -> str:
    """Statements that round all inputs into ``q``, counted from 0, if trees compare them too."""
    missing = source.layout.missing_number
    if not source.layout.shares_rounding:
        return ""
    parts = {
        "u": part.table.n_codes,
        "x": _input(source, part),
        "round": f"{source.name}_round",
        "kind": _shared_type(part),
        "Q": part.table.q_max,
        "nan": _shared_missing(part),
        "wide": f"x[{_column(source)}]",
        "M": missing,
    }
    if source.x_type != "float" and missing is not None:
        return block(
            """
            for (j = 0; j < @u@; j++)
                q[j] = @wide@ == @M@ ? @nan@ : (@kind@)(@round@(@x@, j) + @Q@);
            """,
            **parts,
        )
    if source.x_type != "float":
        return block(
            """
            for (j = 0; j < @u@; j++)
                q[j] = (@kind@)(@round@(@x@, j) + @Q@);
            """,
            **parts,
        )
    return block(
        """
        for (j = 0; j < @u@; j++) {
            const float v = @x@;
            q[j] = v != v ? @nan@ : (@kind@)(@round@(v, j) + @Q@);
        }
        """,
        **parts,
    )


def add(source: CSource, part: PackedLinear) -> str:
    """Statements that add a row of weights for each input, times the rounded input."""
    S, Q = source.layout.model.n_scores, part.table.q_max
    if source.layout.shares_rounding:
        rounded = f"(int32_t)q[j] - {Q}"
        if source.x_type == "float" or source.layout.missing_number is not None:
            rounded = f"q[j] > {2 * Q} ? 0 : {rounded}"
    elif part.rounding.arithmetic == "code":
        rounded = "x[j]"
    else:
        rounded = _rounded_input(source, part)
    j = "j" if source.index == "unsigned" else f"({source.index})j"
    at = f"{j} * {S}u" if S > 1 else "j"
    call = f"{source.name}_add_weights(s, {at}, {rounded});"
    return f"for (j = 0; j < {part.table.n_codes}; j++)\n    {call}\n"


def costs(source: CSource, part: PackedLinear) -> Costs:
    """What the part costs at most."""
    S, u, bits = source.layout.model.n_scores, part.table.n_codes, part.table.value_bits
    each = round_cost(source, part.rounding)
    row = row_cost(S, bits, factor=True)
    work = each.instructions + 8 * source.layout.shares_rounding + row.instructions + 16
    size = 1 if _shared_type(part) == "uint8_t" else 2
    return Costs(
        steps=u * (S + 1 + 4 * (bits == "ternary")),
        instructions=u * work,
        stack=u * size * source.layout.shares_rounding,
        floats=u * each.floats,
        words=u * (each.words + row.words),
    )


def _column(source: CSource) -> str:
    tables = source.layout.tables
    return source.get("linear_columns", "j") if "linear_columns" in tables else "j"


def _rounded_input(source: CSource, part: PackedLinear) -> str:
    """Expression of the rounded j-th input; a missing one reads as 0."""
    rounded = f"{source.name}_round({_input(source, part)}, j)"
    if source.layout.missing_number is None:
        return rounded
    return f"x[{_column(source)}] == {source.layout.missing_number} ? 0 : {rounded}"


def _input(source: CSource, part: PackedLinear) -> str:
    """Expression of the j-th input."""
    return round_input(source, part.rounding, f"x[{_column(source)}]")


def input_function(source: CSource, part: PackedLinear) -> str:
    """The function that rounds input j of the linear part."""
    return round_function(source, part.rounding, "round")
