"""C that adds up integer scores: the bias, then each part of the model."""

from __future__ import annotations

from skdistill.export.c import categories
from skdistill.export.c.printers import printed_parts
from skdistill.export.c.text import CSource, block, integer


def scores(source: CSource, *, public: bool) -> str:
    """The function that fills the scores of a row.

    Parameters
    ----------
    source : CSource
        Whose parts are added.
    public : bool
        Whether other files may call it.

    Returns
    -------
    text : str
    """
    declared = ["unsigned j;", *categories.declared(source)]
    body = [categories.called(source)]
    for printer, part in printed_parts(source):
        declared += printer.declared(source, part)
        body.append(printer.prepare(source, part))
    bias, S = _bias(source), source.layout.model.n_scores
    # One multiplication a score is enough where a part counts in larger units: it is added first.
    parts = sorted(printed_parts(source), key=lambda each: each[1].unit == 1)
    unit = parts[0][1].unit if parts else 1
    start = bias if unit == 1 else "0"
    narrow = bool(parts) and parts[0][1].narrow_sums
    sums = "a" if narrow else "s"
    if narrow:
        declared += ["#if defined(__AVR__)", f"{source.macro}_SUM {sums}[{S}];", "#else"]
        declared += [f"int32_t *const {sums} = s;", "#endif"]
    keep = f"    {source.macro}_KEEP;\n" if keeps_loops(source) else ""
    loop = f" {{\n    {sums}[j] = {start};\n{keep}}}\n" if keep else f"\n    {sums}[j] = {start};\n"
    body.append(f"for (j = {S}; j-- != 0;){loop}")
    for i, (printer, part) in enumerate(parts):
        body.append(printer.add(source, part))
        if i == 0 and unit != 1:
            scaled = f"{sums}[j] * {unit}" if not narrow else f"(int32_t){sums}[j] * {unit}"
            plus = "" if bias == "0" else f" + {bias}" if bias[0] != "-" else f" - {bias[1:]}"
            body.append(f"for (j = 0; j < {S}; j++)\n    s[j] = {scaled}{plus};\n")
    body.append("(void)x;\n" if not _reads_x(source) else "")
    return block(
        """
        @static@void @name@_scores(const @T@ *x, int32_t *s)
        {
            @declared@
            @body@
        }
        """,
        name=source.name,
        T=source.x_type,
        static="" if public else "static ",
        declared="\n".join(declared),
        body="".join(body),
    )


def keeps_loops(source: CSource) -> bool:
    """Whether several scores begin at 0, where a compiler would call memset of the library.

    Parameters
    ----------
    source : CSource
        Any.

    Returns
    -------
    keeps : bool
    """
    layout = source.layout
    if layout.labels_only or layout.model.n_scores == 1:
        return False
    return not layout.bias.any() or any(part.unit != 1 for part in layout.parts)


def _reads_x(source: CSource) -> bool:
    return any(len(part.table.columns) for part in source.layout.parts)


def _bias(source: CSource) -> str:
    if "bias" in source.layout.tables:
        return f"(int32_t){source.get('bias', 'j')}"
    return integer(int(source.layout.bias[0]))
