"""A compact model as one C99 file, from top to bottom."""

from __future__ import annotations

from skdistill.compact.model import CompactModel
from skdistill.compact.pack import lay_out
from skdistill.export.c import read, scores, walk
from skdistill.export.c.branch import branches, leaf_kind
from skdistill.export.c.label import label
from skdistill.export.c.text import INPUTS, Source, block, check_name, table

OUTPUTS = ("label", "scores", "proba_float", "proba_fixed")
LAYOUTS = ("table", "code")


def make_source(
    model: CompactModel, name: str, input: str | None, output: str, layout: str
) -> Source:
    """Choose tables and types."""
    asked = "label" if output == "label" else "scores"
    layout = lay_out(model, input, asked, branches=layout == "code")
    if layout.trees is not None and layout.trees.shape == "branches":
        if leaf_kind(layout.model, layout.labels_only) != "row":
            layout.tables.pop("values", None)
    return Source(check_name(name), layout, x_type(layout.model, layout.input))


def x_type(model: CompactModel, input: str) -> str:
    """C type of an input."""
    if input == "float32":
        return "float"
    if input != "codes":
        return f"{input}_t"
    if model.grid is None and model.linear is not None:
        return "int8_t" if model.linear.q_max <= 127 else "int16_t"
    wide = model.grid is not None and int(model.grid.counts.max(initial=0)) > 254
    return "uint16_t" if wide else "uint8_t"


def write(source: Source, output: str) -> str:
    """The text of the file."""
    parts = [
        _includes(source),
        _flash(source),
        *_tables(source),
        _declarations(source, output),
        *_code(source, output),
    ]
    return "\n".join(part for part in parts if part)


def _includes(source: Source) -> str:
    return block(
        """
        #include <stdint.h>
        #include <string.h>

        #if defined(__FAST_MATH__)
        #error "this model is exact: compile it without -ffast-math"
        #endif
        """
    )


def _flash(source: Source) -> str:
    if not any(name != "scale" for name in source.layout.tables):
        return ""
    M = source.macro
    widths = sorted(
        {8 * t.itemsize for n, t in source.layout.tables.items() if n != "scale"}
    )
    names = {8: "byte", 16: "word", 32: "dword"}
    return block(
        """
        /* Constant tables stay in flash; an AVR reads that memory in ways of its own. */
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


def _tables(source: Source) -> list[str]:
    packed = walk.packed_widths(source)
    padding = walk.bits_window(source) - 1 if packed else 0
    return [
        table(source, name, numbers, padding if name in packed else 0)
        for name, numbers in source.layout.tables.items()
    ]


def _declarations(source: Source, output: str) -> str:
    return f"{prototypes(source, output)}"


def prototypes(source: Source, output: str) -> str:
    """Declarations of the functions that the output has."""
    name, T = source.name, source.x_type
    lines = []
    if source.layout.model.classes is not None:
        lines.append(f"int {name}_label(const {T} *x);")
    if output != "label":
        lines.append(f"void {name}_scores(const {T} *x, int32_t *s);")
    return "\n".join(lines) + "\n"


def _code(source: Source, output: str) -> list[str]:
    layout = source.layout
    parts = [walk.bits_reader(source)]
    if layout.trees is not None and len(layout.model.trees.feature):  # type: ignore[union-attr]
        parts += [read.tree_reader(source, layout.trees)]
    if layout.model.linear is not None and layout.linear is not None:
        parts.append(read.linear_reader(source, layout.model.linear, layout.linear))
    if layout.trees is not None:
        shape = branches if layout.trees.shape == "branches" else walk.walker
        parts.append(shape(source, layout.trees))
    if not layout.labels_only:
        parts += [scores.value_readers(source), scores.scores(source)]
    if layout.model.classes is not None:
        parts.append(label(source))
    if output == "label" and not layout.labels_only:
        parts = [p.replace(f"\nvoid {source.name}_scores(", f"\nstatic void {source.name}_scores(") if p.startswith("void") is False else "static " + p for p in parts]
    return parts
