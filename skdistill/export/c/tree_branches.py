"""C that walks trees written out as branches: larger and faster than tables."""

from __future__ import annotations

import numpy as np

from skdistill.compact.evaluate import labels
from skdistill.compact.model_tables import ModelTables
from skdistill.compact.packing.layout import TreeLayout
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.c import categories
from skdistill.export.c.inputs import compares_floats, is_missing, read_input, read_type
from skdistill.export.c.text import Source, number
from skdistill.export.c.tree_tables import input_argument

_DEEPEST = 40  # blocks in blocks; C99 asks compilers for 127
_SPARSE = 3.0  # values that are not zero in a leaf, on average, up to which code adds them


def leaf_kind(model: ModelTables, labels_only: bool, ram: bool = False) -> str:
    """What a branch ends in: "label", "value", "sums" or the "row" of a table."""
    trees = model.trees
    if labels_only or trees is None:
        return "label"
    if ram:
        return "row"
    if model.n_scores == 1:
        return "value"
    filled = (trees.values != 0).sum(axis=1).mean()
    return "sums" if filled <= _SPARSE else "row"


def branches(source: Source, trees: TreeLayout) -> str:
    """The functions of all trees; that of a single label tree is the label's."""
    layout, model = source.layout, source.layout.model
    kind = leaf_kind(model, layout.labels_only, source.ram)
    assert model.trees is not None
    shared = _shared(model.trees)
    if kind == "label":
        head = f"int {source.name}_label(const {source.x_type} *x)"
        return _function(source, trees, head, int(model.trees.roots[0]), kind, shared)
    argument, parts = input_argument(source, trees), []
    for t, root in enumerate(model.trees.roots.tolist()):
        head = {
            "value": f"static int32_t {source.name}_tree{t}({argument})",
            "row": f"static {source.index} {source.name}_tree{t}({argument})",
            "sums": f"static void {source.name}_tree{t}({argument}, int32_t *s)",
        }[kind]
        parts.append(_function(source, trees, head, root, kind, shared))
    return "\n".join(parts)


def add_branches(source: Source, trees: TreeLayout) -> str:
    """Statements that add the leaves of all trees."""
    model, name = source.layout.model, source.name
    kind, unit = leaf_kind(model, False, source.ram), model.trees.unit  # type: ignore[union-attr]
    x = "q" if trees.prepared else "x"
    lines = []
    for t in range(len(model.trees.roots)):  # type: ignore[union-attr]
        call = f"{name}_tree{t}({x})"
        if kind == "value":
            lines.append(f"s[0] += {call};" if unit == 1 else f"s[0] += {call} * {unit};")
        elif kind == "row":
            lines.append(f"{name}_add_values(s, {call} * {model.n_scores}u, {unit});")
        else:
            lines.append(f"{name}_tree{t}({x}, s);")
    return "\n".join(lines) + "\n"


def _shared(table: TreeTable) -> set[int]:
    """Inner nodes with several parents, which are written once."""
    children, uses = np.unique(np.concatenate([table.left, table.right]), return_counts=True)
    return set(children[(children >= 0) & (uses > 1)].tolist())


def _function(
    source: Source, trees: TreeLayout, head: str, root: int, kind: str, shared: set[int]
) -> str:
    model = source.layout.model
    table, grid = model.trees, model.grid
    assert table is not None and grid is not None
    x, v = "q" if trees.prepared else "x", read_type(source, trees)
    lines: list[str] = []
    asks_twice = not trees.prepared and not compares_floats(trees)
    if root >= 0 and asks_twice and _any_missing(table, root):
        lines.append(f"    {v} v;")
    if kind == "label":
        lines += [
            f"    {line}"
            for line in [*categories.declared(source), categories.called(source)]
            if line
        ]
    labelled: set[int] = set()
    waiting: list[tuple[int, int, str]] = [(root, 1, "")]
    while waiting:
        node, depth, label = waiting.pop()
        if label == "}":
            lines.append("    " * depth + "}")
            continue
        if label:
            lines.append(f"{label}:")
        pad = "    " * depth
        if node < 0:
            lines += [pad + line for line in _leaf(source, ~node, kind)]
            continue
        if not label and (depth > _DEEPEST or node in shared):
            lines.append(f"{pad}goto n{node};")
            if node not in labelled:
                labelled.add(node)
                waiting.insert(0, (node, 1, f"n{node}"))
            continue
        lines.append(f"{pad}if ({_condition(source, trees, node)}) {{")
        waiting += [
            (int(table.right[node]), depth, ""),
            (0, depth, "}"),
            (int(table.left[node]), depth + 1, ""),
        ]
    if not any(f"{x}[" in line or f"({x} + " in line for line in lines):
        lines.insert(0, f"    (void){x};")  # a leaf alone, or splits at +inf alone
    return "\n".join([head, "{", *lines, "}"]) + "\n"


def _any_missing(table: TreeTable, root: int) -> bool:
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if node < 0 or node in seen:
            continue
        seen.add(node)
        if table.nan_left[node]:
            return True
        waiting += [int(table.left[node]), int(table.right[node])]
    return False


def _condition(source: Source, trees: TreeLayout, node: int) -> str:
    model = source.layout.model
    table, grid = model.trees, model.grid
    assert table is not None and grid is not None
    feature = int(table.feature[node])
    cut = int(trees.reading.cut[grid.offsets[feature] + table.threshold[node]])
    if compares_floats(trees):
        return _float_condition(source, node, hex(cut))
    kind = read_type(source, trees)
    shown = f"{cut}u" if kind in ("unsigned", "uint32_t") else str(cut)
    if kind == "uint32_t":
        shown = f"{hex(cut)}u"
    elif source.x_type in ("uint8_t", "uint16_t") and not trees.prepared:
        shown = str(cut)
    if trees.prepared:
        number = feature
        if trees.reading.kind == "rounded" and model.linear is not None:
            number = int(np.searchsorted(model.linear.features, grid.features[feature]))
        reading = f"q[{number}]"
    elif trees.reading.kind == "code":
        reading = f"x[{feature}]"
    else:
        reading = read_input(source, trees, str(int(grid.features[feature])))
    if not table.nan_left[node]:
        return f"{reading} <= {shown}"
    if trees.prepared:
        return f"{reading} <= {shown} || {is_missing(source, trees, reading)}"
    return f"(v = {reading}) <= {shown} || {is_missing(source, trees, 'v')}"


def _float_condition(source: Source, node: int, key: str) -> str:
    model = source.layout.model
    table, grid = model.trees, model.grid
    assert table is not None and grid is not None
    feature = int(table.feature[node])
    x = f"x[{int(grid.features[feature])}]"
    edge = grid.edges[grid.offsets[feature] + table.threshold[node]]
    if not np.isfinite(edge):  # all numbers are at most +inf
        return "1" if table.nan_left[node] else f"{x} == {x}"
    which = "LE_NAN" if table.nan_left[node] else "LE"
    return f"{source.macro}_{which}({x}, {key}u, {number(edge)})"


def _leaf(source: Source, leaf: int, kind: str) -> list[str]:
    model = source.layout.model
    values = model.trees.values[leaf]  # type: ignore[union-attr]
    if kind == "label":
        scores = (model.bias + values * model.trees.unit).astype(np.int32)  # type: ignore[union-attr]
        return [f"return {int(labels(scores[None], model.threshold)[0])};"]
    if kind == "value":
        return [f"return {int(values[0])};"]
    if kind == "row":
        return [f"return {int(source.layout.trees.rows[leaf])}u;"]  # type: ignore[union-attr, index]
    worth = enumerate((values * model.trees.unit).tolist())  # type: ignore[union-attr]
    sums = [f"s[{k}] {'+-'[v < 0]}= {abs(v)};" for k, v in worth if v]
    return [*sums, "return;"]
