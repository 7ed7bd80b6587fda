"""C of the linear part: rounded inputs times weights.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedLinear`.
"""

from __future__ import annotations

import re

import numpy as np

from skdistill.compact.packing.linear import PackedLinear
from skdistill.export.c.costs import SOFT_FLOAT, Costs, row_cost
from skdistill.export.c.text import CSource, block, number
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
    elif part.arithmetic == "code":
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
    each = _round_cost(source, part) + row_cost(S, bits)
    return Costs(steps=u * (S + 1 + 4 * (bits == "ternary")), instructions=u * (each + 16))


def _round_cost(source: CSource, part: PackedLinear) -> int:
    """One rounded input."""
    cost = 8 * source.layout.shares_rounding + 12 * (source.layout.missing_number is not None)
    if part.arithmetic == "code":
        return cost
    if part.arithmetic == "integer":
        return cost + (16 if part.shift == 0 else 40)
    cost += 50
    if part.offset != 0:
        cost += SOFT_FLOAT["subtract"] + SOFT_FLOAT["convert"]
    if part.factors:
        cost += SOFT_FLOAT["multiply"]
    if source.x_type != "float":
        cost += SOFT_FLOAT["convert"]
    return cost


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
    column = f"x[{_column(source)}]"
    casts = source.x_type != "float" and part.arithmetic == "float"
    return f"(float){column}" if casts else column


def input_function(source: CSource, part: PackedLinear) -> str:
    """The function that rounds input j of the linear part."""
    if part.arithmetic == "code":
        return ""
    if part.arithmetic == "integer":
        return _round_integer(source, part)
    return _round_float(source, part)


def _round_integer(source: CSource, part: PackedLinear) -> str:
    Q = part.table.q_max
    offset = source.get("offsets", "j") if part.offset is None else str(int(part.offset))
    wide = f"x * {1 << part.fraction}" if part.fraction else "x"
    minus = "" if offset == "0" else f" + {offset[1:]}" if offset[0] == "-" else f" - {offset}"
    lines = [f"const int32_t z = {wide}{minus};"]
    if part.shift == 0:
        lines += [f"return z > {Q} ? {Q} : z < -{Q} ? -{Q} : z;"]
        body, shift = "\n".join(lines), ""
    else:
        shift = source.get("shifts", "j") if part.shift is None else str(part.shift)
        body = "\n".join(lines) + "\n" + _halves(Q, shift, part.shift)
    return block(
        """
        /* The rounded input j, half to even, kept between -@Q@ and @Q@. */
        static int32_t @name@_round(int32_t x, unsigned j)
        {
            @body@
        }
        """,
        name=source.name,
        Q=Q,
        body=_with_unused(body, "j"),
    )


def _with_unused(body: str, name: str) -> str:
    if re.search(rf"\b{name}\b", body):
        return body
    declarations, rest = body.split("\n", 1)
    return f"{declarations}\n(void){name};\n{rest}"


def _halves(Q: int, shift: str, known: int | None) -> str:
    right = block(
        """
        if (s > 0) {
            m = (m + ((uint32_t)1 << (s - 1)) - 1u + ((m >> s) & 1u)) >> s;
        } else {
            m = m >= (@Q@u >> -s) + 1u ? @Q@u : m << -s;
        }
        """,
        Q=Q,
    )
    if known is not None:
        right = "m = (m + ((uint32_t)1 << (s - 1)) - 1u + ((m >> s) & 1u)) >> s;\n"
        if known < 0:
            right = f"m = m >= ({Q}u >> -s) + 1u ? {Q}u : m << -s;\n"
    return block(
        """
        uint32_t m = z < 0 ? 0u - (uint32_t)z : (uint32_t)z;
        const int s = @shift@;
        @right@
        if (m > @Q@u)
            m = @Q@u;
        return z < 0 ? -(int32_t)m : (int32_t)m;
        """,
        shift=shift,
        right=right,
        Q=Q,
    )


def _round_float(source: CSource, part: PackedLinear) -> str:
    Q, tables, copy = part.table.q_max, source.layout.tables, f"{source.macro}_COPY"
    lines = []
    if part.offset is None:
        kind = tables["offsets"].dtype
        if kind in (np.dtype("uint16"), np.dtype("uint32")):
            bits = source.get("offsets", "j")
            bits = f"(uint32_t){bits} << 16" if kind == np.dtype("uint16") else bits
            lines += ["float z;", "uint32_t m, bits;", "int32_t s;", f"bits = {bits};"]
            lines += [f"{copy}(&z, &bits, sizeof z);", "z = x - z;"]
        else:
            lines += ["float z;", "uint32_t m, bits;", "int32_t s;"]
            lines += [f"z = x - (float){source.get('offsets', 'j')};"]
    else:
        lines += ["float z;", "uint32_t m, bits;", "int32_t s;"]
        lines += [f"z = x - {number(part.offset)};" if part.offset else "z = x;"]
    if part.factors:
        if part.inv_step is None:
            lines += ["{", "    float step;", f"    bits = {source.get('factors', 'j')};"]
            lines += [f"    {copy}(&step, &bits, sizeof step);", "    z *= step;", "}"]
        else:
            lines += [f"z *= {number(part.inv_step)};"]
    shift = source.get("shifts", "j") if part.shift is None else str(part.shift)
    shift = (
        "" if shift == "0" else f" + {shift}" if not shift.startswith("-") else f" - {shift[1:]}"
    )
    unused = [] if any(re.search(r"\bj\b", line) for line in (*lines, shift)) else ["(void)j;"]
    lines += [
        f"{copy}(&bits, &z, sizeof bits);",
        "m = bits & 0x7FFFFFFFu;",
        "if (m > 0x7F800000u)",
        "    return 0;",
        f"s = 150{shift} - (int32_t)(m >> 23);",
        "m = (m & 0x7FFFFFu) | 0x800000u;",
        "if (s > 24)",
        "    return 0;",
        f"m = s < 8 ? {Q}u : (m + ((uint32_t)1 << (s - 1)) - 1u + ((m >> s) & 1u)) >> s;",
        f"if (m > {Q}u)",
        f"    m = {Q}u;",
        "return bits >> 31 ? -(int32_t)m : (int32_t)m;",
    ]
    return block(
        """
        /* The rounded input j, half to even, kept between -@Q@ and @Q@; 0 for NaN. */
        static int32_t @name@_round(float x, unsigned j)
        {
            @body@
        }
        """,
        name=source.name,
        Q=Q,
        body="\n".join([*lines[:3], *unused, *lines[3:]]),
    )
