"""C of the trees: how they are walked, what their leaves add, what that costs.

The functions are those of `skdistill.export.c.printers.Printer`, for `PackedTrees`.
"""

from __future__ import annotations

from skdistill.compact.packing.node_order import depths
from skdistill.compact.packing.packed_trees import WIDEST_READ, PackedTrees
from skdistill.export.c import categories, tree_inputs
from skdistill.export.c.costs import CALL, SHIFT, UNPACK, Costs, row_cost
from skdistill.export.c.text import CSource, block
from skdistill.export.c.tree_branches import (
    add_branches,
    branch_costs,
    branches,
    group_functions,
    is_far,
)
from skdistill.export.c.tree_inputs import declared, prepare
from skdistill.export.c.tree_leaves import add_leaf, leaf_functions, leaf_widths, sums
from skdistill.export.c.tree_tables import walker

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

_SPLIT = {"fused": 17, "flags": 20, "bytes0": 20, "depth": 30, "children": 34, "branches": 7}
_UNPACKED = Costs(instructions=UNPACK, words=150)
# Cycles of an AVR that shift fields out of the word of a node.
_SHIFTS = {"flags2": 80, "long2": 80, "flags4": 350, "fused": 180, "bits": 450}
_SHIFTS |= {"bytes1": 150, "bytes2": 350, "bytes3": 350, "bytes4": 400}
_CODE = {"value": 0, "code": 0, "rounded": 0, "key": 14, "steps": 60}


def packed_widths(source: CSource, part: PackedTrees) -> dict[str, list[int]]:
    """Tables of packed bits, and the widths of the numbers that are taken out of each."""
    widths = leaf_widths(part.leaves)
    if part.shape == "children":
        widths["nodes"] = [*part.widths]
    elif part.reads_bits:
        widths["nodes"] = [part.bits] if part.bits <= WIDEST_READ else [*part.widths]
    return widths


def input_function(source: CSource, part: PackedTrees) -> str:
    """The function that makes the code of an input, where nodes compare codes."""
    return tree_inputs.input_function(source, part) if len(part.table.feature) else ""


def walk_function(source: CSource, part: PackedTrees) -> str:
    """The functions that find a leaf; for fused nodes and label branches, the label."""
    return (branches if part.shape == "branches" else walker)(source, part)


def value_function(source: CSource, part: PackedTrees) -> str:
    """The functions that add the values of a leaf, and groups of trees as branches."""
    groups = group_functions(source, part) if part.shape == "branches" else ""
    return "\n".join(text for text in (leaf_functions(source, part), groups) if text)


def label_function(source: CSource, part: PackedTrees) -> str:
    """The function that reads the label of a single tree's leaf; empty where the walk is it."""
    if part.shape in ("fused", "branches"):
        return ""
    node = f"{part.size}u" if part.shape == "children" else "0"
    leaf, bits = _leaf(source, part, "x", node, f"{part.size}u"), part.leaves.label_bits
    if bits == 8:
        label = source.get("labels", leaf)
    else:
        label = f"(int){source.name}_bits({source.name}_labels, {leaf} * {bits}u, {bits})"
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
    T, x = len(part.table.roots), "q" if part.prepared else "x"
    if part.shape == "children":
        root = source.get("roots", "t") if T > 1 else f"{part.size}u"
        leaf = _leaf(source, part, x, root, "") if len(part.table.feature) else root
        return _for_trees(source, part, [], leaf, [])
    if part.size == 0:  # leaves alone
        return _for_trees(source, part, [], "t" if T > 1 else "0", [])
    if T == 1:
        return _for_trees(source, part, [], _leaf(source, part, x, "0", f"{part.size}u"), [])
    size = source.get("sizes", "t") if part.size is None else f"{part.size}u"
    index = source.index
    if part.long_jumps:
        # Not all nodes take a half word: leaves are counted on their own.
        walk = _leaf(source, part, x, "node", "")
        after = [
            f"node += {size};",
            f"node += {source.get('longs', 't')};",
            f"leaf += {size} + 1u;",
        ]
        return _for_trees(source, part, [f"{index} node = 0, leaf = 0;"], f"leaf + {walk}", after)
    if part.shape == "flags":
        leaf = f"node + t + {_leaf(source, part, x, 'node', '')}"  # a tree has one leaf more
        return _for_trees(source, part, [f"{index} node = 0;"], leaf, [f"node += {size};"])
    leaf = f"node + t + {_leaf(source, part, x, 'node', 'size')}"
    before = [f"const {index} size = {size};"]
    return _for_trees(source, part, [f"{index} node = 0;"], leaf, ["node += size;"], before)


def _leaf(source: CSource, part: PackedTrees, x: str, node: str, size: str) -> str:
    """Expression of the number of the leaf in a tree of `size` nodes, which begins at `node`."""
    arguments = [x, node, size] if part.shape == "depth" else [x, node]
    return f"{source.name}_leaf({', '.join(arguments)})"


def _for_trees(
    source: CSource,
    part: PackedTrees,
    declared: list[str],
    leaf: str,
    after: list[str],
    before: list[str] | None = None,
) -> str:
    """Statements that add a leaf of each tree."""
    T, counts = len(part.table.roots), part.counts
    if T == 1:
        score = sums(part) if counts is None else f"s + {int(counts.argmax())}"
        return "\n".join([*declared, add_leaf(source, part, leaf, score)]) + "\n"
    body = [
        *(before or []),
        add_leaf(source, part, leaf, sums(part) if counts is None else "s + k"),
    ]
    if counts is None:
        lines = ["unsigned t;", *declared, f"for (t = 0; t < {T}; t++) {{"]
    else:
        count = source.get("counts", "k") if "counts" in part.tables else f"{int(counts[0])}u"
        lines = ["unsigned k, t = 0, end = 0;", *declared]
        lines += [
            f"for (k = 0; k < {len(counts)}; k++)",
            f"    for (end += {count}; t < end; t++) {{",
        ]
    indent = "    " * (1 + (counts is not None))
    lines += [*(f"{indent}{line}" for line in [*body, *after]), f"{indent[4:]}}}"]
    return "\n".join(["{", *(f"    {line}" for line in lines), "}"]) + "\n"


def costs(source: CSource, part: PackedTrees) -> Costs:
    """What the part costs at most."""
    table, leaves = part.table, part.leaves
    S, bits = table.n_scores, leaves.value_bits
    splits = int(depths(table).sum())
    steps, total = 0, _split_costs(source, part).times(splits)
    if part.prepared:
        n = part.codes.n_inputs
        steps += n
        size = {"uint8_t": 1, "uint16_t": 2}.get(tree_inputs.prepared_type(source, part), 4)
        stack = n * size * (not part.compares_rounded)  # those are an array of the linear part
        total = total.plus(_code_costs(part).plus(Costs(instructions=12)).times(n))
        total = total.plus(Costs(stack=stack))
    if part.shape == "branches":
        total = total.plus(branch_costs(source, part))
    if leaves.kind == "label":
        total = total.plus(_UNPACKED.times(leaves.label_bits is not None))
        return total.plus(Costs(splits, steps))
    total = total.plus(Costs(stack=2 * S * part.narrow_sums))
    T = len(table.roots)
    rows = T if bits is not None else 0
    steps += 4 * rows * (bits == "ternary")  # to the first of five
    special = 12 * (leaves.pure is not None) + 30 * (leaves.pairs > 0)
    each = Costs(instructions=CALL + 10 + special)
    if leaves.kind in ("value", "sums"):
        most = 1 if leaves.kind == "value" else int((table.values != 0).sum(axis=1).max())
        each = Costs(instructions=16 + 7 * most)
    if leaves.row_bits in (8, 16):
        each = each.plus(Costs(instructions=6))
    elif leaves.row_bits is not None:
        each = each.plus(_UNPACKED)
    total = total.plus(each.times(T))
    total = total.plus(row_cost(S, 8 if bits == "nibble" else bits or 8).times(rows))
    if part.counts is not None:
        steps += len(part.counts)
        # gcc makes of its inner loop what the variables are behind it, before it begins.
        total = total.plus(Costs(instructions=40 * len(part.counts)))
    return total.plus(Costs(splits, steps + T + rows * S))


def _code_costs(part: PackedTrees) -> Costs:
    """What the code of an input costs."""
    kind = part.codes.kind
    return Costs(instructions=_CODE[kind], words=2 * SHIFT * (kind == "steps"))


def _split_costs(source: CSource, part: PackedTrees) -> Costs:
    """What a node costs."""
    cost = _SPLIT.get(part.form) or _SPLIT[part.shape]
    unpacked, words = 0, _SHIFTS.get(part.form, 0)
    if part.shape == "branches":
        cost += 3 * is_far(source, part)
    cost += 4 * (part.columns is not None) + 5 * (part.edges is not None)
    cost += 5 * (part.bases is not None) + 8 * part.widths[2]
    cost += 6 * bool(part.codes.drop) + 3 * bool(part.low)
    words += SHIFT * bool(part.codes.drop)
    cost += 6 * (source.layout.missing_number is not None)
    if part.shape == "children":
        unpacked = 5
    else:
        cost += 8 * part.long_jumps
        if part.shape == "depth" and not part.whole_bytes:
            unpacked = 1 if part.bits <= WIDEST_READ else 4
        elif part.shape == "depth" and part.bits > 16:
            cost += 14  # three or four bytes are put together
    total = Costs(instructions=int(cost), words=words).plus(_UNPACKED.times(unpacked))
    return total if part.prepared else total.plus(_code_costs(part))
