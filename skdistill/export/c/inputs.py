"""C that makes whole numbers of inputs: the readings of trees, the rounding of linear parts."""

from __future__ import annotations

import re

import numpy as np

from skdistill.compact.packing.layout import TreeLayout
from skdistill.compact.packing.linear_inputs import LinearInput
from skdistill.compact.packing.threshold_codes import KEY_OF_INFINITY
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.export.c.text import Source, block, number


def read_type(source: Source, trees: TreeLayout) -> str:
    """C type in which nodes compare."""
    kind = trees.reading.kind
    if kind == "value":
        wide = {"int8_t": "int", "int16_t": "int", "int32_t": "int32_t"}
        return wide.get(source.x_type, "unsigned")
    return "uint32_t" if kind == "key" else "unsigned"


def prepared_type(source: Source, trees: TreeLayout) -> str:
    """C type in which prepared inputs are kept."""
    if trees.reading.kind == "key":
        return "uint32_t"
    return "uint8_t" if missing(source, trees) == 255 else "uint16_t"


def missing(source: Source, trees: TreeLayout) -> int:
    """What NaN reads as; for keys, the largest number that is not NaN."""
    reading, model = trees.reading, source.layout.model
    if reading.kind == "key":
        return KEY_OF_INFINITY
    if reading.kind == "value" and source.layout.missing is not None:
        return source.layout.missing
    if reading.kind == "code":
        return 255 if source.x_type == "uint8_t" else 65535
    if reading.kind == "rounded":
        return 255 if model.linear is not None and model.linear.q_max <= 127 else 65535
    return 255 if int(reading.cut.max()) + 1 < 255 else 65535


def is_missing(source: Source, trees: TreeLayout, q: str) -> str:
    """Condition under which the reading `q` is that of NaN."""
    sign = ">" if trees.reading.kind == "key" else "=="
    suffix = "" if read_type(source, trees) in ("int", "int32_t") else "u"
    return f"{q} {sign} {missing(source, trees)}{suffix}"


def tree_reader(source: Source, trees: TreeLayout) -> str:
    """Functions that read one input for the nodes."""
    kind = trees.reading.kind
    if kind == "key":
        return _compare(source) if compares_floats(trees) else _key(source)
    if kind == "steps":
        return _steps(source, trees)
    return ""


def read_input(source: Source, trees: TreeLayout, feature: str) -> str:
    """Expression of the reading of input number `feature`, when no inputs are prepared."""
    at = source.get("columns", feature) if trees.columns is not None else feature
    kind = trees.reading.kind
    if kind in ("value", "code"):
        return f"x[{at}]"
    if kind == "key":
        return f"{source.name}_key(x[{at}])"
    at = f"({at})" if " " in at and not at.startswith("(") else at
    return f"{source.name}_steps(x + {at}, {feature})"


def prepared_inputs(source: Source, trees: TreeLayout) -> int:
    """How many inputs are prepared: those of the linear part, or of the grid."""
    model = source.layout.model
    if trees.reading.kind == "rounded" and model.linear is not None:
        return len(model.linear.features)
    return 0 if model.grid is None else len(model.grid.features)


def prepare(source: Source, trees: TreeLayout) -> str:
    """Statements that read all inputs into ``q``."""
    model = source.layout.model
    kind = prepared_type(source, trees)
    if trees.reading.kind == "rounded" and model.linear is not None:
        return _prepare_rounded(source, model.linear, missing(source, trees), kind)
    u = prepared_inputs(source, trees)
    cast = "" if kind == "uint32_t" else f"({kind})"
    return f"for (j = 0; j < {u}; j++)\n    q[j] = {cast}{read_input(source, trees, 'j')};\n"


def _prepare_rounded(source: Source, linear: LinearTable, nan: int, kind: str) -> str:
    parts = {
        "u": len(linear.features),
        "x": linear_column(source),
        "round": f"{source.name}_round",
        "kind": kind,
        "Q": linear.q_max,
        "nan": nan,
        "wide": f"x[{_column(source)}]",
        "M": source.layout.missing,
    }
    if source.x_type != "float" and source.layout.missing is not None:
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


def _column(source: Source) -> str:
    tables = source.layout.tables
    return source.get("linear_columns", "j") if "linear_columns" in tables else "j"


def rounded_input(source: Source) -> str:
    """Expression of the rounded j-th input of the linear part; a missing one reads as 0."""
    found = f"{source.name}_round({linear_column(source)}, j)"
    if source.layout.missing is None:
        return found
    return f"x[{_column(source)}] == {source.layout.missing} ? 0 : {found}"


def linear_column(source: Source) -> str:
    """Expression of the j-th input of the linear part."""
    read, wide = source.layout.linear, f"x[{_column(source)}]"
    whole = source.x_type != "float" and read is not None and read.arithmetic == "float"
    return f"(float){wide}" if whole else wide


def _key(source: Source) -> str:
    return "\n".join(
        [
            "/* The bits of a float as a whole number in the order of the numbers: equal for both",
            "   zeros, largest for NaN. */",
            _key_function(source),
        ]
    )


def _key_function(source: Source) -> str:
    return block(
        """
        static uint32_t @name@_key(float x)
        {
            uint32_t k;
            @M@_COPY(&k, &x, sizeof k);
            if (k >> 31)
                k = 0x80000000u - k;
            return k + 0x7F800000u;
        }
        """,
        name=source.name,
        M=source.macro,
    )


def compares_floats(trees: TreeLayout) -> bool:
    """Whether branches compare the inputs themselves, as floats where the core has them."""
    return trees.reading.kind == "key" and trees.shape == "branches" and not trees.prepared


def _compare(source: Source) -> str:
    grid = source.layout.model.grid
    if grid is None or not np.isfinite(grid.edges).any():
        return ""
    return block(
        """
        /* x <= edge; NaN is not for LE, and is for LE_NAN. A core with floats compares them, any
           other their bits in the order of the numbers: equal for both zeros, NaN at the end. */
        #if defined(__ARM_FP) || defined(__riscv_flen) || defined(__x86_64__)
        #define @M@_LE(x, key, edge) ((x) <= (edge))
        #define @M@_LE_NAN(x, key, edge) (!((x) > (edge)))
        #else
        #define @M@_LE(x, key, edge) (@name@_key(x) <= (key))
        #define @M@_LE_NAN(x, key, edge) (@name@_key(x) + 0xFFFFFFu <= (key) + 0xFFFFFFu)
        @key@
        #endif
        """,
        name=source.name,
        M=source.macro,
        key=_key_function(source),
    )


def _steps(source: Source, trees: TreeLayout) -> str:
    reading = trees.reading
    assert reading.origin is not None and reading.exponent is not None
    tables = source.layout.tables
    origin, exponent = (
        source.get(name, "f") if name in tables else str(int(numbers[0]))
        for name, numbers in (("origins", reading.origin), ("exponents", reading.exponent))
    )
    return block(
        """
        /* Steps from the origin of input f to x, rounded up and kept in range. */
        static unsigned @name@_steps(const float *x, unsigned f)
        {
            uint32_t bits, m;
            int32_t n, s;
            (void)f;
            @M@_COPY(&bits, x, sizeof bits);
            m = bits & 0x7FFFFFFFu;
            if (m > 0x7F800000u)
                return @nan@u;
            s = 150 + @exponent@ - (int32_t)(m >> 23);
            m = (m & 0x7FFFFFu) | 0x800000u;
            if (s > 24) {
                m = bits - 1u < 0x7FFFFFFFu;
            } else if (s > 0) {
                if (bits >> 31 == 0)
                    m += ((uint32_t)1 << s) - 1u;
                m >>= s;
            }
            n = (bits >> 31 ? -(int32_t)m : (int32_t)m) - @origin@;
            return n < 0 ? 0u : n > @most@ ? @over@u : (unsigned)n;
        }
        """,
        name=source.name,
        M=source.macro,
        nan=missing(source, trees),
        exponent=exponent,
        origin=f"({origin})" if origin.startswith("-") else origin,
        most=int(reading.cut.max()),
        over=int(reading.cut.max()) + 1,
    )


def linear_reader(source: Source, linear: LinearTable, read: LinearInput) -> str:
    """The function that rounds input j of the linear part."""
    if read.arithmetic == "code":
        return ""
    if read.arithmetic == "integer":
        return _round_whole(source, linear, read)
    return _round_float(source, linear, read)


def _round_whole(source: Source, linear: LinearTable, read: LinearInput) -> str:
    Q = linear.q_max
    offset = source.get("offsets", "j") if read.offset is None else str(int(read.offset))
    wide = f"x * {1 << read.fraction}" if read.fraction else "x"
    minus = "" if offset == "0" else f" + {offset[1:]}" if offset[0] == "-" else f" - {offset}"
    lines = [f"const int32_t z = {wide}{minus};"]
    if read.shift == 0:
        lines += [f"return z > {Q} ? {Q} : z < -{Q} ? -{Q} : z;"]
        body, shift = "\n".join(lines), ""
    else:
        shift = source.get("shifts", "j") if read.shift is None else str(read.shift)
        body = "\n".join(lines) + "\n" + _halves(Q, shift, read.shift)
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


def _round_float(source: Source, linear: LinearTable, read: LinearInput) -> str:
    Q, tables, copy = linear.q_max, source.layout.tables, f"{source.macro}_COPY"
    lines = []
    if read.offset is None:
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
        lines += [f"z = x - {number(read.offset)};" if read.offset else "z = x;"]
    if read.factors:
        if read.inv_step is None:
            lines += ["{", "    float step;", f"    bits = {source.get('factors', 'j')};"]
            lines += [f"    {copy}(&step, &bits, sizeof step);", "    z *= step;", "}"]
        else:
            lines += [f"z *= {number(read.inv_step)};"]
    shift = source.get("shifts", "j") if read.shift is None else str(read.shift)
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
