"""C that makes the label of a single tree or of scores."""

from __future__ import annotations

from skdistill.export.c.printers import printed_parts
from skdistill.export.c.text import CSource, block, integer


def label(source: CSource) -> str:
    """The function of the label.

    Parameters
    ----------
    source : CSource
        With classes.

    Returns
    -------
    text : str
        Empty where the walk of a single tree returns the label.
    """
    layout, model, name = source.layout, source.layout.model, source.name
    if layout.label is not None or model.n_classes == 1:
        return _constant(source, layout.label or 0)
    if layout.labels_only:
        return "".join(
            printer.label_function(source, part) for printer, part in printed_parts(source)
        )
    S = model.n_scores
    if S == 1:
        body = f"int32_t s[1];\n{name}_scores(x, s);\nreturn s[0] > {integer(model.threshold)};"
    else:
        body = block(
            """
            int32_t s[@S@];
            int best = 0, k;
            @name@_scores(x, s);
            for (k = 1; k < @S@; k++)
                if (s[k] > s[best])
                    best = k;
            return best;
            """,
            S=S,
            name=name,
        )
    return block(
        """
        int @name@_label(const @T@ *x)
        {
            @body@
        }
        """,
        name=name,
        T=source.x_type,
        body=body,
    )


def _constant(source: CSource, label: int) -> str:
    return (
        f"int {source.name}_label(const {source.x_type} *x)\n"
        f"{{\n    (void)x;\n    return {label};\n}}\n"
    )
