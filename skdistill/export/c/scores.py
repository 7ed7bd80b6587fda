"""C that adds up integer scores: leaf values, weights, bias."""

from __future__ import annotations

from skdistill.export.c import categories
from skdistill.export.c.inputs import prepare, prepared_inputs, prepared_type, rounded_input
from skdistill.export.c.text import Source, block
from skdistill.export.c.tree_branches import add_branches


def value_reader(source: Source, table: str, bits: int | str, signed: bool, count: int) -> str:
    """The function that adds a row of values, times a factor, to the scores."""
    S, name, index = source.layout.model.n_scores, source.name, source.index
    if bits == "ternary":
        fifth = "i / 5u" if count >= 80000 else f"({index})((uint32_t)i * 52429u >> 18)"
        return block(
            """
            /* Adds f times the row of @table@ from value i on. Five values share a byte, the first
               one as its lowest digit in base 3; b / 3 is b * 171 / 512. */
            static void @name@_add_@table@(int32_t *s, @index@ i, int32_t f)
            {
                const @index@ byte = @fifth@;
                @M@_ROM uint8_t *p = @name@_@table@ + byte;
                unsigned b = @M@_GET8(p), left = 5u, k;
                for (i -= 5u * byte; i != 0; i--, left--)
                    b = b * 171u >> 9;
                for (k = 0; k < @S@; k++, left--) {
                    unsigned rest;
                    if (left == 0) {
                        b = @M@_GET8(++p);
                        left = 5u;
                    }
                    rest = b * 171u >> 9;
                    s[k] += f * ((int32_t)(b - 3u * rest) - 1);
                    b = rest;
                }
            }
            """,
            table=table, name=name, index=index, fifth=fifth, M=source.macro, S=S,
        )  # fmt: skip
    if bits in (8, 16):
        value = source.get(table, "i")
        value = f"(int32_t){value}" if not value.startswith("(") else value
    else:
        value = f"(int32_t){name}_bits({name}_{table}, i * {bits}u, {bits})"
        if signed:
            half = 1 << (int(bits) - 1)
            value = f"({value} ^ {half}) - {half}"
    return block(
        """
        /* Adds f times the row of @table@ from value i on. */
        static void @name@_add_@table@(int32_t *s, @index@ i, int32_t f)
        {
            unsigned k;
            for (k = 0; k < @S@; k++, i++)
                s[k] += f * (@value@);
        }
        """,
        table=table,
        name=name,
        index=index,
        S=S,
        value=value,
    )


def value_readers(source: Source) -> str:
    """Functions that add rows of the tables that the scores read."""
    layout, model, parts = source.layout, source.layout.model, []
    if model.trees is not None and "values" in layout.tables:
        values, bits = model.trees.values, model.trees.value_bits
        signed = bool((values < 0).any())
        parts.append(value_reader(source, "values", bits, signed, values.size))
    if model.linear is not None:
        weights, bits = model.linear.weights, model.linear.value_bits
        signed = bool((weights < 0).any())
        parts.append(value_reader(source, "weights", bits, signed, weights.size))
    return "\n".join(parts)


def scores(source: Source, *, public: bool) -> str:
    """The function that fills the scores of a row; `public` for callers of other files."""
    layout, model = source.layout, source.layout.model
    trees, S = layout.trees, model.n_scores
    declared = ["unsigned j;", *categories.declared(source)]
    if trees is not None and trees.prepared:
        declared.append(f"{prepared_type(source, trees)} q[{prepared_inputs(source, trees)}];")
    body = [categories.called(source)]
    if trees is not None and trees.prepared:
        body.append(prepare(source, trees))
    bias = _bias(source)
    keep = f"    {source.macro}_KEEP;\n" if keeps_loops(source) else ""
    loop = f"{{\n    s[j] = {bias};\n{keep}}}\n" if keep else f"\n    s[j] = {bias};\n"
    body.append(f"for (j = 0; j < {S}; j++){' ' * bool(keep)}{loop}")
    if model.trees is not None:
        body.append(add_trees(source))
    if model.linear is not None:
        body.append(_add_linear(source))
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


def keeps_loops(source: Source) -> bool:
    """Whether scores begin at 0, for which compilers would call the library."""
    model = source.layout.model
    return not source.layout.labels_only and model.n_scores > 1 and not model.bias.any()


def _reads_x(source: Source) -> bool:
    trees = source.layout.model.trees
    return source.layout.model.linear is not None or (trees is not None and len(trees.feature) > 0)


def _bias(source: Source) -> str:
    if "bias" in source.layout.tables:
        return f"(int32_t){source.get('bias', 'j')}"
    return str(int(source.layout.model.bias[0]))


def add_trees(source: Source) -> str:
    """Statements that add the leaves of all trees, from tables."""
    trees, model = source.layout.trees, source.layout.model
    assert trees is not None and model.trees is not None
    if trees.shape == "branches":
        return add_branches(source, trees)
    T, name = len(model.trees.roots), source.name
    x = "q" if trees.prepared else "x"
    if trees.shape == "children":
        N = len(model.trees.feature)
        root = source.get("roots", "t") if T > 1 else f"{trees.size}u"
        leaf = f"{name}_leaf({x}, {root})" if N else root
        return _for_trees(source, T, [], [_row(source, leaf)])
    if T == 1:
        leaf = f"{name}_leaf({x}, 0, {trees.size}u)" if trees.size else "0"
        return _row(source, leaf) + "\n"
    size = source.get("sizes", "t") if trees.size is None else f"{trees.size}u"
    found = f"leaf + {name}_leaf({x}, node, size)" if trees.size != 0 else "leaf"
    declared = [f"{source.index} node = 0, leaf = 0;"]
    body = [f"const {source.index} size = {size};", _row(source, found)]
    body += ["node += size;", "leaf += size + 1;"]
    if trees.size == 0:
        declared, body = [f"{source.index} leaf = 0;"], [_row(source, "leaf"), "leaf++;"]
    return _for_trees(source, T, declared, body)


def _row(source: Source, leaf: str) -> str:
    """The statement that adds the values of a leaf."""
    trees, model = source.layout.trees, source.layout.model
    assert trees is not None
    if trees.row_bits is not None:
        bits = f"{trees.row_bits}u, {trees.row_bits}"
        leaf = (
            f"{source.name}_bits({source.name}_rows, ({leaf}) * {bits})" if trees.row_bits else "0"
        )
    at = f"({source.index})({leaf}) * {model.n_scores}u" if model.n_scores > 1 else leaf
    return f"{source.name}_add_values(s, {at}, {model.trees.unit});"  # type: ignore[union-attr]


def _for_trees(source: Source, T: int, declared: list[str], body: list[str]) -> str:
    if T == 1:
        return "\n".join(body) + "\n"
    lines = ["{", *[f"    {line}" for line in ["unsigned t;", *declared]]]
    lines += [
        f"    for (t = 0; t < {T}; t++) {{",
        *[f"        {line}" for line in body],
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _add_linear(source: Source) -> str:
    model, trees, name = source.layout.model, source.layout.trees, source.name
    assert model.linear is not None and source.layout.linear is not None
    u, S, Q = len(model.linear.features), model.n_scores, model.linear.q_max
    if trees is not None and trees.prepared and trees.reading.kind == "rounded":
        rounded = f"(int32_t)q[j] - {Q}"
        if source.x_type == "float" or source.layout.missing is not None:
            rounded = f"q[j] > {2 * Q} ? 0 : {rounded}"
    elif source.layout.linear.arithmetic == "code":
        rounded = "x[j]"
    else:
        rounded = rounded_input(source)
    j = "j" if source.index == "unsigned" else f"({source.index})j"
    at = f"{j} * {S}u" if S > 1 else "j"
    return f"for (j = 0; j < {u}; j++)\n    {name}_add_weights(s, {at}, {rounded});\n"
