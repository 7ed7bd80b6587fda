"""A compact model as one C99 file, from top to bottom; and its header."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.packing.pack import choose_layout
from skdistill.export.c import categories, proba, scores
from skdistill.export.c.banner import banner
from skdistill.export.c.bounds import bounds_by_core
from skdistill.export.c.label import label
from skdistill.export.c.printers import packed_widths, printed_parts
from skdistill.export.c.text import CSource, block, check_name, table
from skdistill.export.c.value import VALUES, fraction_bits, value, value_error, value_tables
from skdistill.export.c.values import bits_reader, bits_window


def make_source(
    model: ModelTables,
    name: str,
    input_dtype: str,
    output: str,
    layout: str,
    values_in_ram: bool = False,
    max_is_missing: bool = False,
    optimize: str | None = None,
    never_missing: bool = False,
) -> CSource:
    """Choose tables and types.

    Parameters
    ----------
    model : ModelTables
        What is printed.
    name, input_dtype, output, layout : str
        As in `to_c`, none of them None.
    values_in_ram : bool, default=False
        As in `to_c`.
    max_is_missing : bool, default=False
        Whether the largest number of the type of the inputs stands for NaN.
    optimize : {"size", "balanced", "speed"}, default=None
        As in `to_c`.
    never_missing : bool, default=False
        Whether no float32 input is NaN.

    Returns
    -------
    source : CSource
    """
    tables_for = "label" if output == "label" and not values_in_ram else "scores"
    packed = choose_layout(
        model,
        input_dtype,
        tables_for,
        branches=layout == "code",
        shared_rows=not values_in_ram,
        max_is_missing=max_is_missing,
        optimize=optimize,
        never_missing=never_missing,
    )
    if output == "proba_q15" and model.link in ("softmax", "sigmoid") and model.n_classes > 1:
        packed = replace(packed, tables={**packed.tables, "powers": proba.powers()})
    if output in VALUES:
        packed = replace(packed, tables={**packed.tables, **value_tables(model, output)})
    return CSource(check_name(name), packed, x_type(packed.model, input_dtype), values_in_ram)


def x_type(model: ModelTables, input_dtype: str) -> str:
    """C type of an input.

    Parameters
    ----------
    model : ModelTables
        With a single table if the inputs are codes.
    input_dtype : str
        As in `to_c`.

    Returns
    -------
    x_type : str
    """
    if input_dtype == "float32":
        return "float"
    if input_dtype != "codes":
        return f"{input_dtype}_t"
    for each in model.tables:  # ready codes are for a single table
        return f"{each.codes_dtype}_t"
    return "int8_t"


def source_text(source: CSource, output: str) -> str:
    """The text of the C file, which needs no other.

    Parameters
    ----------
    source : CSource
        What is printed.
    output : str
        As in `to_c`.

    Returns
    -------
    text : str
    """
    body = _body(source, output)
    return "\n".join([banner(source, output, _hash(body)), body])


def _body(source: CSource, output: str) -> str:
    code = "\n".join(part for part in _code(source, output) if part)
    parts = [
        "#include <stdint.h>\n",
        _floats(source) if f"{source.macro}_COPY(" in code else "",
        _loops(source) if f"{source.macro}_KEEP" in code else "",
        _calls(source) if f"{source.macro}_NOINLINE" in code else "",
        _flash(source),
        _guarded(_prototypes(source, output)),  # first: C++ shares no table that is not declared
        *_tables(source),
        code,
    ]
    return "\n".join(part for part in parts if part)


def header_text(source: CSource, output: str) -> str:
    """The text of the header.

    Parameters
    ----------
    source : CSource
        What is printed.
    output : str
        As in `to_c`.

    Returns
    -------
    text : str
    """
    model, M, mark = source.layout.model, source.macro, _hash(_body(source, output))
    numbers = {
        "N_FEATURES": source.n_inputs,
        "N_SCORES": model.n_scores,
        **({"N_CLASSES": model.n_classes} if model.classes is not None else {}),
        "TABLE_BYTES": sum(t.nbytes for t in source.layout.tables.values()),
    }
    if source.layout.missing_number is not None:
        numbers["MISSING"] = source.layout.missing_number
    lines = [f"#define {M}_{key} {value}" for key, value in numbers.items()]
    if isinstance(model.scale, float):
        lines.append(f"#define {M}_SCALE {np.float32(model.scale)!s}f")
    if output.startswith("proba"):
        lines.append(f"#define {M}_PROBA_ERROR {proba.probability_error(model, output):.9g}")
    if output in VALUES:
        lines.append(f"#define {M}_VALUE_ERROR {value_error(model, output):.9g}")
    lines.append(f'#define {M}_HASH "{mark}"')
    return block(
        """
        @banner@
        #ifndef SKDISTILL_@name@_H
        #define SKDISTILL_@name@_H

        #include <stdint.h>

        @macros@

        @prototypes@
        #endif
        """,
        banner=banner(source, output, mark).rstrip("\n"),
        name=source.name,
        macros="\n".join([*lines, *_bound_macros(source, output)]),
        prototypes=_guarded(_documented(source, output)),
    )


# How a compiler says for which core it compiles; the last one is for those with the least.
_COMPILED_FOR = {
    "defined(__AVR__)": ("avr",),
    "defined(__riscv)": ("rv32imc",),
    "defined(__ARM_FP)": ("cortex-m4f", "cortex-m7", "cortex-m33"),
    "defined(__thumb2__)": ("cortex-m3",),
    "": ("cortex-m0",),
}


def _bound_macros(source: CSource, output: str) -> list[str]:
    """Bounds of the core that is compiled for; cycles of an AVR are more than its instructions."""
    by_core, lines = bounds_by_core(source, output), list[str]()
    for condition, cores in _COMPILED_FOR.items():
        costs = [by_core[core] for core in cores]
        lines += [
            f"#{'elif' if lines else 'if'} {condition}" if condition else "#else",
            f"#define {source.macro}_MAX_INSTRUCTIONS {max(c.instructions for c in costs)}",
            f"#define {source.macro}_MAX_STACK {max(c.stack for c in costs)}",
        ]
    return [*lines, "#endif"]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _floats(source: CSource) -> str:
    return block(
        """
        #if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
        #error "@name@ is exact to the last bit: compile it without -ffast-math, -ffinite-math-only"
        #endif
        #if defined(__GNUC__)
        #define @M@_COPY __builtin_memcpy
        #else
        #include <string.h>
        #define @M@_COPY memcpy
        #endif
        """,
        name=source.name,
        M=source.macro,
    )


def _loops(source: CSource) -> str:
    return block(
        """
        /* In a loop that fills memory, so that no compiler makes a call of memset of it. */
        #if defined(__GNUC__)
        #define @M@_KEEP __asm__ volatile("")
        #else
        #define @M@_KEEP (void)0
        #endif
        """,
        M=source.macro,
    )


def _calls(source: CSource) -> str:
    return block(
        """
        /* A function that stays one: its code is there once, and its stack ends with it. */
        #if defined(__GNUC__)
        #define @M@_NOINLINE __attribute__((noinline))
        #else
        #define @M@_NOINLINE
        #endif
        """,
        M=source.macro,
    )


def _flash(source: CSource) -> str:
    in_flash = [t for name, t in source.layout.tables.items() if name != "scale"]
    if not in_flash:
        return ""
    M, widths = source.macro, sorted({8 * t.itemsize for t in in_flash})
    names = {8: "byte", 16: "word", 32: "dword"}
    return block(
        """
        /* Tables stay in flash; an AVR has instructions of its own to read them there. */
        #if defined(__AVR__) && !defined(__clang__)
        #include <avr/pgmspace.h>
        #define @M@_ROM const
        #define @M@_STORE PROGMEM
        @pgm@
        #else
        #if defined(__AVR__)
        #define @M@_ROM const __attribute__((address_space(1)))
        #else
        #define @M@_ROM const
        #endif
        #define @M@_STORE
        @plain@
        #endif
        """,
        M=M,
        pgm="\n".join(f"#define {M}_GET{w}(p) pgm_read_{names[w]}(p)" for w in widths),
        plain="\n".join(f"#define {M}_GET{w}(p) (*(p))" for w in widths),
    )


def _tables(source: CSource) -> list[str]:
    packed = packed_widths(source)
    padding = bits_window(packed) - 1 if packed else 0
    return [
        table(source, name, numbers, padding if name in packed else 0)
        for name, numbers in source.layout.tables.items()
    ]


def _declared(source: CSource, output: str) -> list[tuple[str, str]]:
    """What each function does, and its declaration."""
    name, T, model = source.name, source.x_type, source.layout.model
    functions = []
    if model.classes is not None:
        functions.append(("The number of the class of x.", f"int {name}_label(const {T} *x);"))
    if output != "label":
        functions.append(
            (
                f"Fills the {model.n_scores} integer score(s) of x.",
                f"void {name}_scores(const {T} *x, int32_t *s);",
            )
        )
    if output == "proba_float":
        functions.append(
            (
                "Fills the probabilities of all classes.",
                f"void {name}_proba(const {T} *x, float *p);",
            )
        )
    if output == "proba_q15":
        functions.append(
            (
                "Fills the probabilities of all classes; 32768 is 1.",
                f"void {name}_proba_q15(const {T} *x, uint16_t *p);",
            )
        )
    if output in VALUES:
        bits = fraction_bits(output)
        kind, one = ("float", "") if bits is None else ("int32_t", f"; {1 << bits} is 1")
        functions.append(
            (
                f"Fills the {model.n_scores} value(s) of x{one}.",
                f"void {name}_{output}(const {T} *x, {kind} *y);",
            )
        )
    if source.ram:
        values = source.layout.tables["values"]
        declared = f"extern {values.dtype}_t {name}_values[{len(values)}];"
        functions.append(("Leaf values, which may be overwritten.", declared))
    if "scale" in source.layout.tables:
        functions.append(
            ("What a score is worth.", f"extern const float {name}_scale[{model.n_scores}];")
        )
    return functions


def _prototypes(source: CSource, output: str) -> str:
    return "\n".join(line for _, line in _declared(source, output))


def _documented(source: CSource, output: str) -> str:
    return "\n\n".join(f"/* {what} */\n{line}" for what, line in _declared(source, output))


def _guarded(prototypes: str) -> str:
    return block(
        """
        #ifdef __cplusplus
        extern "C" {
        #endif

        @prototypes@

        #ifdef __cplusplus
        }
        #endif
        """,
        prototypes=prototypes,
    )


def _code(source: CSource, output: str) -> list[str]:
    """Functions in the order in which they call each other."""
    layout, model = source.layout, source.layout.model
    printed = list(printed_parts(source))
    parts = [bits_reader(source, packed_widths(source)), categories.ranker(source)]
    parts += [printer.input_function(source, part) for printer, part in printed]
    parts += [printer.walk_function(source, part) for printer, part in printed]
    if not (layout.labels_only or (output == "label" and model.n_classes == 1)):
        parts += [printer.value_function(source, part) for printer, part in printed]
        parts.append(scores.scores(source, public=output != "label"))
    if model.classes is not None:
        parts.append(label(source))
    if output == "proba_float":
        parts.append(proba.proba_float(source))
    if output == "proba_q15":
        parts.append(proba.proba_q15(source))
    if output in VALUES:
        parts.append(value(source, output))
    return parts
