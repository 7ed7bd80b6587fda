"""C that rounds an input to an integer."""

from __future__ import annotations

import re

import numpy as np

from skdistill.compact.packing.rounding import Rounding
from skdistill.export.c.costs import SHIFT, SOFT_FLOAT, Costs
from skdistill.export.c.text import CSource, block, number


def round_function(source: CSource, rounding: Rounding, function: str, missing: str = "0") -> str:
    """The function that rounds input j.

    Parameters
    ----------
    source : CSource
        Whose prefix, tables and macros are used.
    rounding : Rounding
        How it is rounded.
    function : str
        Its name behind the prefix.
    missing : str, default="0"
        Expression of what NaN reads as, where inputs are floats.

    Returns
    -------
    text : str
        Empty where inputs are ready codes.
    """
    if rounding.arithmetic == "code":
        return ""
    if rounding.arithmetic == "integer":
        return _round_integer(source, rounding, function)
    return _round_float(source, rounding, function, missing)


def round_input(source: CSource, rounding: Rounding, x: str) -> str:
    """Expression of an input in the type that the function takes.

    Parameters
    ----------
    source : CSource
        Whose type of inputs counts.
    rounding : Rounding
        How it is rounded.
    x : str
        Expression of the input.

    Returns
    -------
    expression : str
    """
    casts = source.x_type != "float" and rounding.arithmetic == "float"
    return f"(float){x}" if casts else x


def round_cost(source: CSource, rounding: Rounding) -> Costs:
    """What it takes to round one input.

    Parameters
    ----------
    source : CSource
        Whose type of inputs counts.
    rounding : Rounding
        How it is rounded.

    Returns
    -------
    costs : Costs
    """
    work = 12 * (source.layout.missing_number is not None)
    if rounding.arithmetic == "code":
        return Costs(instructions=work)
    if rounding.arithmetic == "integer":
        work += 10 * (rounding.limit is not None)
        words = 0 if rounding.shift is not None and rounding.shift <= 0 else 4 * SHIFT
        return Costs(instructions=work + (16 if rounding.shift == 0 else 40), words=words)
    floats = 0
    if rounding.offset != 0:
        floats += SOFT_FLOAT["subtract"] + SOFT_FLOAT["convert"]
    if rounding.factors:
        floats += SOFT_FLOAT["multiply"]
    if source.x_type != "float":
        floats += SOFT_FLOAT["convert"]
    return Costs(instructions=work + 50, floats=floats, words=4 * SHIFT)


def _round_integer(source: CSource, rounding: Rounding, function: str) -> str:
    Q = rounding.q_max
    offset = (
        source.get(f"{rounding.prefix}offsets", "j")
        if rounding.offset is None
        else str(int(rounding.offset))
    )
    x = "x" if rounding.limit is None else "near"
    wide = f"{x} * {1 << rounding.fraction}" if rounding.fraction else x
    minus = "" if offset == "0" else f" + {offset[1:]}" if offset[0] == "-" else f" - {offset}"
    lines = [f"const int32_t z = {wide}{minus};"]
    if rounding.limit is not None:
        most = rounding.limit
        near = f"x > {most} ? {most} : x < -{most} ? -{most} : x"
        lines.insert(0, f"const int32_t near = {near};")
    if rounding.shift is not None and rounding.shift <= 0:
        most, factor = Q >> -rounding.shift, 1 << -rounding.shift
        scaled = f"z * {factor}" if factor > 1 else "z"
        body = "\n".join([*lines, f"return z > {most} ? {Q} : z < -{most} ? -{Q} : {scaled};"])
    else:
        shift = _shift(source, rounding)
        body = "\n".join(lines) + "\n" + _halves(Q, shift, rounding.shift is None)
    return block(
        """
        /* The rounded input j, half to even, kept between -@Q@ and @Q@. */
        static int32_t @name@_@function@(int32_t x, unsigned j)
        {
            @body@
        }
        """,
        name=source.name,
        function=function,
        Q=Q,
        body=_with_unused(body, "j"),
    )


def _shift(source: CSource, rounding: Rounding) -> str:
    if rounding.shift is not None:
        return str(rounding.shift)
    return source.get(f"{rounding.prefix}shifts", "j")


def _with_unused(body: str, name: str) -> str:
    if re.search(rf"\b{name}\b", body):
        return body
    declarations, rest = body.split("\n", 1)
    return f"{declarations}\n(void){name};\n{rest}"


def _halves(Q: int, shift: str, both_ways: bool) -> str:
    right = "m = (m + ((uint32_t)1 << (s - 1)) - 1u + ((m >> s) & 1u)) >> s;\n"
    if both_ways:
        right = block(
            """
            if (s > 0) {
                @right@
            } else {
                m = m >= (@Q@u >> -s) + 1u ? @Q@u : m << -s;
            }
            """,
            right=right,
            Q=Q,
        )
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


def _round_float(source: CSource, rounding: Rounding, function: str, missing: str) -> str:
    Q, tables, copy = rounding.q_max, source.layout.tables, f"{source.macro}_COPY"
    lines = []
    if rounding.offset is None:
        offsets = f"{rounding.prefix}offsets"
        kind = tables[offsets].dtype
        if kind in (np.dtype("uint16"), np.dtype("uint32")):
            bits = source.get(offsets, "j")
            bits = f"(uint32_t){bits} << 16" if kind == np.dtype("uint16") else bits
            lines += ["float z;", "uint32_t m, bits;", "int32_t s;", f"bits = {bits};"]
            lines += [f"{copy}(&z, &bits, sizeof z);", "z = x - z;"]
        else:
            lines += ["float z;", "uint32_t m, bits;", "int32_t s;"]
            lines += [f"z = x - (float){source.get(offsets, 'j')};"]
    else:
        lines += ["float z;", "uint32_t m, bits;", "int32_t s;"]
        lines += [f"z = x - {number(rounding.offset)};" if rounding.offset else "z = x;"]
    if rounding.factors:
        if rounding.inv_step is None:
            factors = f"{rounding.prefix}factors"
            lines += ["{", "    float step;", f"    bits = {source.get(factors, 'j')};"]
            lines += [f"    {copy}(&step, &bits, sizeof step);", "    z *= step;", "}"]
        else:
            lines += [f"z *= {number(rounding.inv_step)};"]
    shift = _shift(source, rounding)
    shift = (
        "" if shift == "0" else f" + {shift}" if not shift.startswith("-") else f" - {shift[1:]}"
    )
    unused = [] if any(re.search(r"\bj\b", line) for line in (*lines, shift)) else ["(void)j;"]
    lines += [
        f"{copy}(&bits, &z, sizeof bits);",
        "m = bits & 0x7FFFFFFFu;",
        "if (m > 0x7F800000u)",
        f"    return {missing};",
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
        /* The rounded input j, half to even, kept between -@Q@ and @Q@; @missing@ for NaN. */
        static int32_t @name@_@function@(float x, unsigned j)
        {
            @body@
        }
        """,
        name=source.name,
        function=function,
        Q=Q,
        missing="0" if missing == "0" else "a code of its own",
        body="\n".join([*lines[:3], *unused, *lines[3:]]),
    )
