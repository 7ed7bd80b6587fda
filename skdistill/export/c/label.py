"""C that makes the label of a single tree or of scores."""

from __future__ import annotations

from skdistill.compact.evaluate import labels
from skdistill.export.c import categories
from skdistill.export.c.text import Source, block, whole


def label(source: Source) -> str:
    """The function of the label; empty where the walk of fused nodes is it."""
    layout, model = source.layout, source.layout.model
    trees, name = layout.trees, source.name
    if trees is not None and (
        trees.shape == "fused" or (trees.shape == "branches" and layout.labels_only)
    ):
        return ""
    S = model.n_scores
    if model.n_classes == 1:
        return _constant(source, 0)
    if layout.labels_only:
        return _of_a_tree(source)
    if S == 1:
        body = f"int32_t s[1];\n{name}_scores(x, s);\nreturn s[0] > {whole(model.threshold)};"
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


def _of_a_tree(source: Source) -> str:
    layout, name = source.layout, source.name
    trees, model = layout.trees, layout.model
    if trees is None or model.trees is None:
        scores = (
            model.bias
            if model.trees is None
            else model.bias + model.trees.scaled_values[~model.trees.roots[0]]
        )
        return _constant(source, int(labels(scores[None], model.threshold)[0]))
    node = f"{trees.size}u" if trees.shape == "children" else f"0, {trees.size}u"
    leaf = f"{name}_leaf(x, {node})"
    if trees.label_bits == 8:
        found = source.get("labels", leaf)
    else:
        found = f"(int){name}_bits({name}_labels, {leaf} * {trees.label_bits}u, {trees.label_bits})"
    return block(
        """
        int @name@_label(const @T@ *x)
        {
            @declared@
            @ranked@
            return @found@;
        }
        """,
        name=name,
        T=source.x_type,
        declared="\n".join(categories.declared(source)),
        ranked=categories.called(source),
        found=found,
    )


def _constant(source: Source, found: int) -> str:
    return (
        f"int {source.name}_label(const {source.x_type} *x)\n"
        f"{{\n    (void)x;\n    return {found};\n}}\n"
    )
