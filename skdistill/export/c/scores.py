"""C that adds up integer scores: the bias, then each part of the model."""

from __future__ import annotations

from skdistill.export.c import categories
from skdistill.export.c.printers import printed_parts
from skdistill.export.c.text import CSource, block


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
    bias = _bias(source)
    keep = f"    {source.macro}_KEEP;\n" if keeps_loops(source) else ""
    loop = f"{{\n    s[j] = {bias};\n{keep}}}\n" if keep else f"\n    s[j] = {bias};\n"
    body.append(f"for (j = 0; j < {source.layout.model.n_scores}; j++){' ' * bool(keep)}{loop}")
    for printer, part in printed_parts(source):
        body.append(printer.add(source, part))
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
    model = source.layout.model
    return not source.layout.labels_only and model.n_scores > 1 and not model.bias.any()


def _reads_x(source: CSource) -> bool:
    return any(len(part.table.columns) for part in source.layout.parts)


def _bias(source: CSource) -> str:
    if "bias" in source.layout.tables:
        return f"(int32_t){source.get('bias', 'j')}"
    return str(int(source.layout.model.bias[0]))
