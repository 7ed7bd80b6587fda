"""C that makes integer codes of inputs, which the nodes of trees compare.

In all functions `source` is what is printed, and `part` the packed trees.
"""

from __future__ import annotations

import numpy as np

from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.threshold_codes import KEY_OF_INFINITY
from skdistill.export.c.text import CSource, block


def read_type(source: CSource, part: PackedTrees) -> str:
    """C type in which nodes compare."""
    kind = part.codes.kind
    if kind == "value":
        wide = {"int8_t": "int", "int16_t": "int", "int32_t": "int32_t"}
        return wide.get(source.x_type, "unsigned")
    return "uint32_t" if kind == "key" else "unsigned"


def prepared_type(source: CSource, part: PackedTrees) -> str:
    """C type of a code that is prepared."""
    if part.codes.kind == "key":
        return "uint32_t"
    return "uint8_t" if missing(source, part) == 255 else "uint16_t"


def missing(source: CSource, part: PackedTrees) -> int:
    """The code of NaN; for keys, the largest number that is not NaN."""
    codes, number = part.codes, source.layout.missing_number
    if codes.kind == "key":
        return KEY_OF_INFINITY
    if codes.kind == "value" and number is not None:
        return number
    if codes.kind == "code":
        return 255 if source.x_type == "uint8_t" else 65535
    return missing_code(codes.largest)


def missing_code(largest: int) -> int:
    """The code of NaN beside codes up to `largest`: all bits of the narrowest type with room."""
    return 255 if largest < 255 else 65535


def is_missing(source: CSource, part: PackedTrees, q: str) -> str:
    """Condition under which the code `q` is that of NaN."""
    sign = ">" if part.codes.kind == "key" else "=="
    suffix = "" if read_type(source, part) in ("int", "int32_t") else "u"
    return f"{q} {sign} {missing(source, part)}{suffix}"


def input_function(source: CSource, part: PackedTrees) -> str:
    """The function that makes the code of one input; empty where the input is its own code."""
    kind = part.codes.kind
    if part.compares_bits:
        return _bits(source) if np.isfinite(part.table.grid.edges).any() else ""
    if kind == "key":
        return _compare(source, part) if compares_floats(part) else _key(source)
    if kind == "steps":
        return _steps(source, part)
    return ""


def read_input(source: CSource, part: PackedTrees, feature: str) -> str:
    """Expression of the code of input number `feature`, when no codes are prepared."""
    at = source.get("columns", feature) if part.columns is not None else feature
    kind = part.codes.kind
    if kind in ("value", "code"):
        return f"x[{at}]"
    if kind == "key":
        return f"{source.name}_key(x[{at}])"
    at = f"({at})" if " " in at and not at.startswith("(") else at
    return f"{source.name}_steps(x + {at}, {feature})"


def declared(source: CSource, part: PackedTrees) -> list[str]:
    """Where the scores keep the codes that are made once; a linear part declares its own."""
    if not part.prepared or part.compares_rounded or compares_floats(part):
        return []
    return [f"{prepared_type(source, part)} q[{part.codes.n_inputs}];"]


def prepare(source: CSource, part: PackedTrees) -> str:
    """Statements that make all codes, into ``q``."""
    if not part.prepared or part.compares_rounded:
        return ""
    kind = prepared_type(source, part)
    cast = "" if kind == "uint32_t" else f"({kind})"
    n, code = part.codes.n_inputs, read_input(source, part, "j")
    loop = f"for (j = 0; j < {n}; j++)\n    q[j] = {cast}{code};\n"
    if not compares_floats(part):
        return loop
    # Keys are made where nodes compare keys.
    lines = ["const float *const q = x;"]
    lines += [f"(void){source.name}_columns;"] * (part.columns is not None)
    keys = f"#else\n{kind} q[{n}];\n{loop}#endif\n"
    return "\n".join([f"#ifdef {source.macro}_FLOATS", *lines, keys])


def input_argument(source: CSource, part: PackedTrees) -> str:
    """Parameter of a walk: prepared codes, or the inputs themselves."""
    if part.prepared and compares_floats(part):
        return f"const {source.macro}_CODE *q"
    if part.prepared:
        return f"const {prepared_type(source, part)} *q"
    return f"const {source.x_type} *x"


def _key(source: CSource) -> str:
    return "\n".join(
        [
            "/* The bits of a float as a whole number in the order of the numbers: equal for both",
            "   zeros, largest for NaN. */",
            _key_function(source),
        ]
    )


def _key_function(source: CSource) -> str:
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


def _bits(source: CSource) -> str:
    return block(
        """
        /* The bits of a float that is a number: positive ones are in the order of the numbers, and
           negative ones in the opposite order. */
        static int32_t @name@_bits_of(const float *x)
        {
            const float v = *x; /* gcc takes x itself for bytes anywhere */
            int32_t k;
            @M@_COPY(&k, &v, sizeof k);
            return k;
        }
        """,
        name=source.name,
        M=source.macro,
    )


def compares_floats(part: PackedTrees) -> bool:
    """Whether branches compare the inputs themselves, as floats where the core has them."""
    return part.codes.kind == "key" and part.shape == "branches"


_HAS_FLOATS = "defined(__ARM_FP) || defined(__riscv_flen) || defined(__x86_64__)"


def _compare(source: CSource, part: PackedTrees) -> str:
    if part.prepared:
        return _compare_prepared(source)
    if not np.isfinite(part.table.grid.edges).any():
        return ""
    return block(
        """
        /* x <= edge; NaN is not for LE, and is for LE_NAN. A core with floats compares them, any
           other their bits in the order of the numbers: equal for both zeros, NaN at the end. */
        #if @has_floats@
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
        has_floats=_HAS_FLOATS,
        key=_key_function(source),
    )


def _compare_prepared(source: CSource) -> str:
    return block(
        """
        /* x <= edge for column c; NaN is not for LE, and is for LE_NAN. A core with floats compares
           the inputs q, any other code number j of those that are made first: their bits in the
           order of the numbers, equal for both zeros, NaN at the end. */
        #if @has_floats@
        #define @M@_FLOATS
        typedef float @M@_CODE;
        #define @M@_LE(c, j, key, edge) (q[c] <= (edge))
        #define @M@_LE_NAN(c, j, key, edge) (!(q[c] > (edge)))
        #define @M@_NUMBER(c, j) (q[c] == q[c])
        #else
        typedef uint32_t @M@_CODE;
        #define @M@_LE(c, j, key, edge) (q[j] <= (key))
        #define @M@_LE_NAN(c, j, key, edge) (q[j] + 0xFFFFFFu <= (key) + 0xFFFFFFu)
        #define @M@_NUMBER(c, j) (q[j] <= @infinity@u)
        @key@
        #endif
        """,
        name=source.name,
        M=source.macro,
        has_floats=_HAS_FLOATS,
        infinity=hex(KEY_OF_INFINITY),
        key=_key_function(source),
    )


def _steps(source: CSource, part: PackedTrees) -> str:
    codes = part.codes
    assert codes.origin is not None and codes.exponent is not None
    tables = source.layout.tables
    origin, exponent = (
        source.get(name, "f") if name in tables else str(int(numbers[0]))
        for name, numbers in (("origins", codes.origin), ("exponents", codes.exponent))
    )
    return block(
        """
        /* Steps from the origin of input f to x, rounded up and kept in range. */
        static unsigned @name@_steps(const float *x, unsigned f)
        {
            const float v = *x; /* gcc takes x itself for bytes anywhere */
            uint32_t bits, m;
            int32_t n, s;
            (void)f;
            @M@_COPY(&bits, &v, sizeof bits);
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
        nan=missing(source, part),
        exponent=exponent,
        origin=f"({origin})" if origin.startswith("-") else origin,
        most=int(codes.cut.max()),
        over=int(codes.cut.max()) + 1,
    )
