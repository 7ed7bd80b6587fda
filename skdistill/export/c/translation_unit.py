"""A compact model as one C99 file, from top to bottom; and its header."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.packing.pack import choose_layout
from skdistill.export.c import categories, proba, scores
from skdistill.export.c.bounds import bounds
from skdistill.export.c.costs import Costs
from skdistill.export.c.label import label
from skdistill.export.c.printers import packed_widths, printed_parts
from skdistill.export.c.text import CSource, block, check_name, table
from skdistill.export.c.values import bits_reader, bits_window


def make_source(
    model: ModelTables,
    name: str,
    input_dtype: str,
    output: str,
    layout: str,
    values_in_ram: bool = False,
    max_is_missing: bool = False,
) -> CSource:
    """Choose tables and types.

    Parameters
    ----------
    model : ModelTables
    name, input_dtype, output, layout : str
    values_in_ram : bool
        As in `to_c`.
    max_is_missing : bool
        Whether the largest number of the type of the inputs stands for NaN.

    Returns
    -------
    source : CSource
    """
    asked = "label" if output == "label" and not values_in_ram else "scores"
    laid = choose_layout(
        model,
        input_dtype,
        asked,
        branches=layout == "code",
        shared_rows=not values_in_ram,
        max_is_missing=max_is_missing,
    )
    if output == "proba_q15" and model.link in ("softmax", "sigmoid") and model.n_classes > 1:
        laid = replace(laid, tables={**laid.tables, "powers": proba.powers()})
    return CSource(check_name(name), laid, x_type(laid.model, input_dtype), values_in_ram)


def x_type(model: ModelTables, input_dtype: str) -> str:
    """C type of an input."""
    if input_dtype == "float32":
        return "float"
    if input_dtype != "codes":
        return f"{input_dtype}_t"
    for each in model.tables:  # ready codes are for a single table
        return f"{each.codes_dtype}_t"
    return "int8_t"


def source_text(source: CSource, output: str) -> str:
    """The text of the C file, which needs no other."""
    body = _body(source, output)
    return "\n".join([_banner(source, output, _hash(body)), body])


def _body(source: CSource, output: str) -> str:
    code = "\n".join(part for part in _code(source, output) if part)
    parts = [
        "#include <stdint.h>\n",
        _floats(source) if f"{source.macro}_COPY(" in code else "",
        _loops(source),
        _flash(source),
        _guarded(_prototypes(source, output)),  # first: C++ shares no table that is not declared
        *_tables(source),
        code,
    ]
    return "\n".join(part for part in parts if part)


def header_text(source: CSource, output: str) -> str:
    """The text of the header."""
    model, M, mark = source.layout.model, source.macro, _hash(_body(source, output))
    found = bounds(source, output)
    numbers = {
        "N_FEATURES": n_inputs(source),
        "N_SCORES": model.n_scores,
        **({"N_CLASSES": model.n_classes} if model.classes is not None else {}),
        "TABLE_BYTES": sum(t.nbytes for t in source.layout.tables.values()),
        "MAX_INSTRUCTIONS": found.instructions,
        "MAX_STACK": found.stack,
    }
    if source.layout.missing_number is not None:
        numbers["MISSING"] = source.layout.missing_number
    lines = [f"#define {M}_{key} {value}" for key, value in numbers.items()]
    if isinstance(model.scale, float):
        lines.append(f"#define {M}_SCALE {np.float32(model.scale)!s}f")
    if output.startswith("proba"):
        lines.append(f"#define {M}_PROBA_ERROR {proba.probability_error(model, output):.9g}")
    lines.append(f'#define {M}_HASH "{mark}"')
    return block(
        """
        @banner@
        #ifndef @M@_H
        #define @M@_H

        #include <stdint.h>

        @macros@

        @prototypes@
        #endif
        """,
        banner=_banner(source, output, mark).rstrip("\n"),
        M=M,
        macros="\n".join(lines),
        prototypes=_guarded(_documented(source, output)),
    )


def n_inputs(source: CSource) -> int:
    """Entries of a row that the functions read."""
    model = source.layout.model
    if source.layout.input_dtype != "codes":
        return model.n_features
    return sum(each.n_codes for each in model.tables)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _banner(source: CSource, output: str, mark: str) -> str:
    model = source.layout.model
    tables = source.layout.tables
    sizes = ", ".join(f"{name} {t.nbytes}" for name, t in tables.items())
    what = "a regression" if model.classes is None else f"{model.n_classes} classes"
    parts = " and ".join(each.describe() for each in model.tables) or "a constant"
    found = bounds(source, output)
    lines = [
        f"{source.name}: {what} of {model.n_features} inputs, {parts}.",
        f"Written by skdistill; hash {mark}.",
        "",
        f"Inputs    {n_inputs(source)} of type {source.x_type}{_meaning(source)}",
    ]
    if model.classes is not None:
        shown = [f"{k}: {_comment(c)}" for k, c in enumerate(model.classes.tolist())]
        lines += _wrapped("Classes   ", shown)
    if model.feature_names is not None and source.layout.input_dtype != "codes":
        shown = [f"{j}: {_comment(n)}" for j, n in enumerate(model.feature_names)]
        lines += _wrapped("Columns   ", shown)
    lines += _categories(source)
    if model.classes is None:
        lines.append(f"Values    a score times {_scale(model)}")
    lines.append(
        f"Tables    {sum(t.nbytes for t in tables.values())} bytes"
        + (f": {sizes}" if sizes else "")
    )
    lines += [
        f"{'Bounds' if i == 0 else '':<10}{line}"
        for i, line in enumerate(_bound_lines(found, model))
    ]
    if output.startswith("proba"):
        error = proba.probability_error(model, output)
        one = ", of 32768 for 1" if output == "proba_q15" else ""
        lines.append(f"Error     a probability is off by at most {error:.2g}{one}")
    return "/*\n" + "\n".join(f" * {line}".rstrip() for line in lines) + "\n */\n"


def _categories(source: CSource) -> list[str]:
    """The indexes of the categories of each column that is read."""
    categories, lines = source.layout.categories, list[str]()
    for column, labels in zip(categories.columns.tolist(), categories.labels, strict=True):
        shown = [f"{k}: {_comment(label)}" for k, label in enumerate(labels.tolist())]
        lines += _wrapped(f"x[{column}]".ljust(10), [*shown, f"{len(labels)}: missing"])
    return lines


def _bound_lines(found: Costs, model: ModelTables) -> list[str]:
    most = int(model.score_bound.max(initial=0))
    return [
        f"{found.splits} splits and {found.steps} steps of loops, whatever the input",
        f"{found.instructions} instructions on a Cortex-M0 at -Os, {found.stack} bytes of stack",
        f"scores stay within {most} of 0: no sum leaves 32 bits",
    ]


def _meaning(source: CSource) -> str:
    if source.layout.missing_number is not None:
        return f"; {source.layout.missing_number} is a missing one"
    if source.layout.input_dtype != "codes":
        return ""
    return "".join(f": {each.describe_codes()}" for each in source.layout.model.tables)


def _scale(model: ModelTables) -> str:
    scale = np.atleast_1d(np.asarray(model.scale, np.float64))
    return f"{scale[0]:.9g}" if len(scale) == 1 else "its entry of the table of scales"


def _comment(text: object) -> str:
    plain = str(text).encode("unicode_escape").decode("ascii")
    return plain.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def _wrapped(head: str, items: list[str], width: int = 92) -> list[str]:
    lines, line = [], head
    for i, item in enumerate(items):
        part = item + (", " if i + 1 < len(items) else "")
        if len(line) + len(part) > width and line.strip() and line != head:
            lines.append(line.rstrip())
            line = " " * len(head)
        line += part
    return [*lines, line]


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
    if not scores.keeps_loops(source):
        return ""
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


def _flash(source: CSource) -> str:
    kept = [t for name, t in source.layout.tables.items() if name != "scale"]
    if not kept:
        return ""
    M, widths = source.macro, sorted({8 * t.itemsize for t in kept})
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
    found = []
    if model.classes is not None:
        found.append(("The number of the class of x.", f"int {name}_label(const {T} *x);"))
    if output != "label":
        found.append(
            (
                f"Fills the {model.n_scores} integer score(s) of x.",
                f"void {name}_scores(const {T} *x, int32_t *s);",
            )
        )
    if output == "proba_float":
        found.append(
            (
                "Fills the probabilities of all classes.",
                f"void {name}_proba(const {T} *x, float *p);",
            )
        )
    if output == "proba_q15":
        found.append(
            (
                "Fills the probabilities of all classes; 32768 is 1.",
                f"void {name}_proba_q15(const {T} *x, uint16_t *p);",
            )
        )
    if source.ram:
        values = source.layout.tables["values"]
        declared = f"extern {values.dtype}_t {name}_values[{len(values)}];"
        found.append(("Leaf values, which may be overwritten.", declared))
    if "scale" in source.layout.tables:
        found.append(
            ("What a score is worth.", f"extern const float {name}_scale[{model.n_scores}];")
        )
    return found


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
    return parts
