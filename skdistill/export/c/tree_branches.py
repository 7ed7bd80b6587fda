"""C that walks trees written out as branches: larger and faster than tables."""

from __future__ import annotations

import numpy as np

from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.trees import leaf_labels
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.c import categories
from skdistill.export.c.text import CSource, number
from skdistill.export.c.tree_inputs import (
    compares_floats,
    input_argument,
    is_missing,
    read_input,
    read_type,
)

_DEEPEST = 40  # blocks in blocks; C99 asks compilers for 127


def branches(source: CSource, part: PackedTrees) -> str:
    """The functions of all trees; that of a single label tree is the label's."""
    shared = _shared(part.table)
    if part.leaf == "label":
        head = f"int {source.name}_label(const {source.x_type} *x)"
        return _function(source, part, head, int(part.table.roots[0]), shared)
    argument, functions = input_argument(source, part), []
    for t, root in enumerate(part.table.roots.tolist()):
        head = {
            "value": f"static int32_t {source.name}_tree{t}({argument})",
            "row": f"static {source.index} {source.name}_tree{t}({argument})",
            "sums": f"static void {source.name}_tree{t}({argument}, int32_t *s)",
        }[part.leaf]
        functions.append(_function(source, part, head, root, shared))
    return "\n".join(functions)


def add_branches(source: CSource, part: PackedTrees) -> str:
    """Statements that add the leaves of all trees."""
    name, unit, S = source.name, part.table.unit, source.layout.model.n_scores
    x = "q" if part.prepared else "x"
    lines = []
    for t in range(len(part.table.roots)):
        call = f"{name}_tree{t}({x})"
        if part.leaf == "value":
            lines.append(f"s[0] += {call};" if unit == 1 else f"s[0] += {call} * {unit};")
        elif part.leaf == "row":
            lines.append(f"{name}_add_values(s, {call} * {S}u, {unit});")
        else:
            lines.append(f"{name}_tree{t}({x}, s);")
    return "\n".join(lines) + "\n"


def _shared(table: TreeTable) -> set[int]:
    """Inner nodes with several parents, which are written once."""
    children, uses = np.unique(np.concatenate([table.left, table.right]), return_counts=True)
    return set(children[(children >= 0) & (uses > 1)].tolist())


def _function(source: CSource, part: PackedTrees, head: str, root: int, shared: set[int]) -> str:
    table = part.table
    x, v = "q" if part.prepared else "x", read_type(source, part)
    lines: list[str] = []
    asks_twice = not part.prepared and not compares_floats(part)
    if root >= 0 and asks_twice and _any_missing(table, root):
        lines.append(f"    {v} v;")
    if part.leaf == "label":
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
            lines += [pad + line for line in _leaf(source, part, ~node)]
            continue
        if not label and (depth > _DEEPEST or node in shared):
            lines.append(f"{pad}goto n{node};")
            if node not in labelled:
                labelled.add(node)
                waiting.insert(0, (node, 1, f"n{node}"))
            continue
        lines.append(f"{pad}if ({_condition(source, part, node)}) {{")
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


def _condition(source: CSource, part: PackedTrees, node: int) -> str:
    table, grid = part.table, part.table.grid
    feature = int(table.feature[node])
    cut = int(part.codes.cut[grid.offsets[feature] + table.threshold[node]])
    if compares_floats(part):
        return _float_condition(source, table, node, hex(cut))
    kind = read_type(source, part)
    shown = f"{cut}u" if kind in ("unsigned", "uint32_t") else str(cut)
    if kind == "uint32_t":
        shown = f"{hex(cut)}u"
    elif source.x_type in ("uint8_t", "uint16_t") and not part.prepared:
        shown = str(cut)
    if part.prepared:
        code = f"q[{int(part.codes.inputs[feature])}]"
    elif part.codes.kind == "code":
        code = f"x[{feature}]"
    else:
        code = read_input(source, part, str(int(grid.features[feature])))
    if not table.nan_left[node]:
        return f"{code} <= {shown}"
    if part.prepared:
        return f"{code} <= {shown} || {is_missing(source, part, code)}"
    return f"(v = {code}) <= {shown} || {is_missing(source, part, 'v')}"


def _float_condition(source: CSource, table: TreeTable, node: int, key: str) -> str:
    x = f"x[{int(table.grid.features[table.feature[node]])}]"
    edge = table.edges[node]
    if not np.isfinite(edge):  # all numbers are at most +inf
        return "1" if table.nan_left[node] else f"{x} == {x}"
    which = "LE_NAN" if table.nan_left[node] else "LE"
    return f"{source.macro}_{which}({x}, {key}u, {number(edge)})"


def _leaf(source: CSource, part: PackedTrees, leaf: int) -> list[str]:
    table = part.table
    values = table.values[leaf]
    if part.leaf == "label":
        return [f"return {int(leaf_labels(source.layout.model, table, values[None])[0])};"]
    if part.leaf == "value":
        return [f"return {int(values[0])};"]
    if part.rows is not None:  # of a "row"
        return [f"return {int(part.rows[leaf])}u;"]
    scaled = enumerate((values * table.unit).tolist())
    return [*(f"s[{k}] {'+-'[v < 0]}= {abs(v)};" for k, v in scaled if v), "return;"]
