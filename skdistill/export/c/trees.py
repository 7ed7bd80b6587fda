"""C of the trees: how they are walked, what their leaves add, what that costs.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedTrees`.
"""

from __future__ import annotations

from skdistill.compact.packing.node_order import depths
from skdistill.compact.packing.packed_trees import WIDEST_READ, PackedTrees
from skdistill.export.c import categories, tree_inputs
from skdistill.export.c.costs import CALL, UNPACK, Costs, row_cost
from skdistill.export.c.text import CSource, block
from skdistill.export.c.tree_branches import (
    add_branches,
    branch_costs,
    branch_reach,
    branches,
    group_functions,
)
from skdistill.export.c.tree_inputs import declared, prepare
from skdistill.export.c.tree_tables import walker
from skdistill.export.c.values import value_reader

__all__ = [
    "add",
    "costs",
    "declared",
    "input_function",
    "label_function",
    "packed_widths",
    "prepare",
    "value_function",
    "walk_function",
]

_SPLIT = {"fused": 17, "depth": 34, "children": 34, "branches": 8}
_CODE = {"value": 0, "code": 0, "rounded": 0, "key": 14, "steps": 60}


def packed_widths(source: CSource, part: PackedTrees) -> dict[str, list[int]]:
    """Tables of packed bits, and the widths of the numbers that are taken out of each."""
    widths: dict[str, list[int]] = {}
    if part.shape == "children":
        widths["nodes"] = [*part.widths]
    elif part.shape == "depth" and not part.whole_bytes:
        widths["nodes"] = [part.bits] if part.bits <= WIDEST_READ else [*part.widths]
    if part.label_bits != 8:
        widths["labels"] = [part.label_bits or 0]
    widths["rows"] = [part.row_bits or 0]
    bits = part.table.value_bits
    if bits not in ("ternary", 8, 16):
        widths["values"] = [int(bits)]
    return widths


def input_function(source: CSource, part: PackedTrees) -> str:
    """The function that makes the code of an input, where nodes compare codes."""
    return tree_inputs.input_function(source, part) if len(part.table.feature) else ""


def walk_function(source: CSource, part: PackedTrees) -> str:
    """The functions that find a leaf; for fused nodes and label branches, the label."""
    return (branches if part.shape == "branches" else walker)(source, part)


def value_function(source: CSource, part: PackedTrees) -> str:
    """The functions that add a row of leaf values, and groups of trees as branches."""
    groups = group_functions(source, part) if part.shape == "branches" else ""
    if "values" not in part.tables:
        return groups
    values = part.table.values
    signed = bool((values < 0).any())
    reader = value_reader(source, "values", part.table.value_bits, signed, values.size)
    return "\n".join([reader, groups])


def label_function(source: CSource, part: PackedTrees) -> str:
    """The function that reads the label of a single tree's leaf; empty where the walk is it."""
    if part.shape in ("fused", "branches"):
        return ""
    node = f"{part.size}u" if part.shape == "children" else f"0, {part.size}u"
    leaf = f"{source.name}_leaf(x, {node})"
    if part.label_bits == 8:
        label = source.get("labels", leaf)
    else:
        bits = f"{leaf} * {part.label_bits}u, {part.label_bits}"
        label = f"(int){source.name}_bits({source.name}_labels, {bits})"
    return block(
        """
        int @name@_label(const @T@ *x)
        {
            @declared@
            @ranked@
            return @label@;
        }
        """,
        name=source.name,
        T=source.x_type,
        declared="\n".join(categories.declared(source)),
        ranked=categories.called(source),
        label=label,
    )


def add(source: CSource, part: PackedTrees) -> str:
    """Statements that add the leaves of all trees."""
    if part.shape == "branches":
        return add_branches(source, part)
    T, name = len(part.table.roots), source.name
    x = "q" if part.prepared else "x"
    if part.shape == "children":
        N = len(part.table.feature)
        root = source.get("roots", "t") if T > 1 else f"{part.size}u"
        leaf = f"{name}_leaf({x}, {root})" if N else root
        return _for_trees(source, T, [], [_row(source, part, leaf)])
    if T == 1:
        leaf = f"{name}_leaf({x}, 0, {part.size}u)" if part.size else "0"
        return _row(source, part, leaf) + "\n"
    size = source.get("sizes", "t") if part.size is None else f"{part.size}u"
    leaf = f"leaf + {name}_leaf({x}, node, size)" if part.size != 0 else "leaf"
    declared = [f"{source.index} node = 0, leaf = 0;"]
    body = [f"const {source.index} size = {size};", _row(source, part, leaf)]
    body += ["node += size;", "leaf += size + 1;"]
    if part.size == 0:
        declared, body = [f"{source.index} leaf = 0;"], [_row(source, part, "leaf"), "leaf++;"]
    return _for_trees(source, T, declared, body)


def _row(source: CSource, part: PackedTrees, leaf: str) -> str:
    """The statement that adds the values of a leaf."""
    S = source.layout.model.n_scores
    if part.row_bits is not None:
        bits = f"{part.row_bits}u, {part.row_bits}"
        leaf = (
            f"{source.name}_bits({source.name}_rows, ({leaf}) * {bits})" if part.row_bits else "0"
        )
    if S > 1 or part.row_bits:  # packed bits are uint32_t, which an AVR has to narrow
        leaf = f"({source.index})({leaf})"
    at = f"{leaf} * {S}u" if S > 1 else leaf
    return f"{source.name}_add_values(s, {at}, {part.table.unit});"


def _for_trees(source: CSource, T: int, declared: list[str], body: list[str]) -> str:
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


def costs(source: CSource, part: PackedTrees) -> Costs:
    """What the part costs at most."""
    table, S = part.table, source.layout.model.n_scores
    splits = int(depths(table).sum())
    steps, stack, work = 0, 0, splits * _split_cost(source, part)
    if part.prepared:
        n = part.codes.n_inputs
        steps += n
        work += n * (_CODE[part.codes.kind] + 12)
        size = {"uint8_t": 1, "uint16_t": 2}.get(tree_inputs.prepared_type(source, part), 4)
        stack += n * size * (not part.compares_rounded)  # those are an array of the linear part
    if part.shape == "branches":
        kept = branch_costs(source, part)
        stack, work = stack + kept.stack, work + kept.instructions
    if part.leaf == "label":
        work += UNPACK * (part.label_bits is not None)
        return Costs(splits, steps, work, stack)
    T = len(table.roots)
    rows = T if part.leaf == "row" else 0
    steps += 4 * T * (table.value_bits == "ternary")  # to the first of five
    work += T * (CALL + 10 + (UNPACK if part.row_bits else 0)) + rows * row_cost(
        S, table.value_bits
    )
    work += (T - rows) * 7 * S
    return Costs(splits, steps + T + rows * S, work, stack)


def _split_cost(source: CSource, part: PackedTrees) -> int:
    cost = _SPLIT[part.shape]
    if part.shape == "branches":
        cost += branch_reach(source, part)
    if not part.prepared:
        cost += _CODE[part.codes.kind]
    cost += 4 * (part.columns is not None) + 5 * (part.edges is not None)
    cost += 5 * (part.bases is not None) + 12 * part.widths[2]
    cost += 6 * bool(part.codes.drop) + 3 * bool(part.low)
    cost += 6 * (source.layout.missing_number is not None)
    if part.shape == "children":
        return cost + 5 * UNPACK
    if part.shape == "depth" and not part.whole_bytes:
        cost += UNPACK * (1 if part.bits <= WIDEST_READ else 4)
    elif part.shape == "depth" and part.bits > 16:
        cost += 14  # three or four bytes are put together
    return int(cost)
