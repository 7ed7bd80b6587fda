"""C that walks trees written out as branches: larger and faster than tables."""

from __future__ import annotations

import itertools

import numpy as np

from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.threshold_codes import KEY_OF_INFINITY, KEY_OF_ZERO
from skdistill.compact.packing.tree_leaves import leaf_labels
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.export.c import categories
from skdistill.export.c.costs import CALL, Costs
from skdistill.export.c.text import CSource, block, number
from skdistill.export.c.tree_inputs import (
    compares_floats,
    input_argument,
    is_missing,
    prepared_type,
    read_input,
    read_type,
)
from skdistill.export.c.tree_leaves import add_leaf, sum_type, sums

_DEEPEST = 40  # blocks in blocks; C99 asks compilers for 127
# Compilers inline trees into their caller, and keep on its stack what many of them share: inputs
# and thresholds of the roots. Groups that stay functions bound that, for a tenth of the code.
_GROUP_SPLITS, _GROUP_TREES = 1024, 16
_REACH = 32  # bytes that every core reads behind a pointer, whatever their type
_REGISTERS = 4  # inputs that every core keeps in registers, of an AVR's 18 and 4 for an int32
_NEAR = 16  # splits that a jump passes on every core


def branches(source: CSource, part: PackedTrees) -> str:
    """The functions of all trees.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Of shape "branches".

    Returns
    -------
    text : str
        The function of a single tree with labels is that of the label.
    """
    shared = _shared(part.table)
    if part.leaves.kind == "label":
        head = f"int {source.name}_label(const {source.x_type} *x)"
        return _function(source, part, head, int(part.table.roots[0]), shared)
    argument, functions = input_argument(source, part), []
    for t, root in enumerate(part.table.roots.tolist()):
        head = {
            "value": f"static int32_t {source.name}_tree{t}({argument})",
            "row": f"static {source.index} {source.name}_tree{t}({argument})",
            "sums": f"static void {source.name}_tree{t}({argument}, int32_t *s)",
        }[part.leaves.kind]
        functions.append(_function(source, part, head, root, shared))
    return "\n".join(functions)


def _groups(part: PackedTrees) -> list[range]:
    """Trees that share a function that adds them: few splits each, a tree at least."""
    sizes = [len(_reached(part.table, root)) for root in part.table.roots.tolist()]
    firsts, total = [0], 0
    for t, size in enumerate(sizes):
        total += size
        if t - firsts[-1] == _GROUP_TREES or (total > _GROUP_SPLITS and t > firsts[-1]):
            firsts.append(t)
            total = size
    return [range(a, b) for a, b in itertools.pairwise([*firsts, len(sizes)])]


def group_functions(source: CSource, part: PackedTrees) -> str:
    """The functions that add groups of trees to the scores.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Of shape "branches".

    Returns
    -------
    text : str
        Empty for a single group.
    """
    groups, argument = _groups(part), input_argument(source, part)
    if part.leaves.kind == "label" or len(groups) == 1:
        return ""
    return "\n".join(
        block(
            """
            static @M@_NOINLINE void @name@_trees@g@(@argument@, @sum_type@ *s)
            {
                @add@
            }
            """,
            M=source.macro,
            name=source.name,
            g=g,
            argument=argument,
            sum_type=sum_type(source, part),
            add=_add_trees(source, part, trees, "s"),
        )
        for g, trees in enumerate(groups)
    )


def add_branches(source: CSource, part: PackedTrees) -> str:
    """Statements that add the leaves of all trees.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Of shape "branches".

    Returns
    -------
    statements : str
    """
    groups = _groups(part)
    if len(groups) == 1:
        return _add_trees(source, part, groups[0], sums(part))
    x = "q" if part.prepared else "x"
    return "".join(f"{source.name}_trees{g}({x}, {sums(part)});\n" for g in range(len(groups)))


def _add_trees(source: CSource, part: PackedTrees, trees: range, sums: str) -> str:
    name = source.name
    x = "q" if part.prepared else "x"
    counts = part.counts
    scores = None if counts is None else np.repeat(np.arange(len(counts)), counts)
    lines = []
    for t in trees:
        call = f"{name}_tree{t}({x})"
        k = 0 if scores is None else int(scores[t])
        if part.leaves.kind == "value":
            lines.append(f"s[{k}] += {call};")
        elif part.leaves.kind == "row":
            lines.append(add_leaf(source, part, call, sums))
        else:
            lines.append(f"{name}_tree{t}({x}, s);")
    return "\n".join(lines) + "\n"


def branch_costs(source: CSource, part: PackedTrees) -> Costs:
    """What trees cost beside their nodes and leaves: calls, and what compilers keep for many nodes.

    A Cortex-M0 reads at most 32 items behind a pointer. Compilers compute addresses of inputs
    beyond that first, for all nodes of a function, and load what roots share. An input that is
    compared again further down may stay on the stack.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Of shape "branches".

    Returns
    -------
    costs : Costs
        `stack` is that of the group that keeps most.
    """
    table, size = part.table, _input_bytes(source, part)
    columns = table.grid.features if not part.prepared else part.codes.inputs
    if part.codes.kind == "code":
        columns = np.arange(len(table.grid.features))
    groups = [range(len(table.roots))] if part.leaves.kind == "label" else _groups(part)
    work = stack = 0
    for group in groups:
        nodes = set[int]().union(*(_reached(table, root) for root in table.roots[group].tolist()))
        places = np.unique(columns[table.feature[list(nodes)]] * size // _REACH)
        far = int(np.count_nonzero(places))
        work += 6 * far + CALL * (part.leaves.kind != "label")
        stack = max(stack, 4 * far + 8 * (len(group) - 1))
    again = max(0, _compared_again(table) - _REGISTERS)
    return Costs(instructions=work, stack=stack + 4 * again)


def _compared_again(table: TreeTable) -> int:
    """Most inputs that are compared both above a node and from there on, as bits of integers."""
    feature, N = table.feature.tolist(), len(table.feature)
    sides = list(zip(table.left.tolist(), table.right.tolist(), strict=True))
    above, below = [0] * N, [1 << f for f in feature]
    for node in range(N - 1, -1, -1):  # children come behind their parents
        for side in sides[node]:
            below[node] |= below[side] if side >= 0 else 0
    most = 0
    for node in range(N):
        most = max(most, (above[node] & below[node]).bit_count())
        for side in sides[node]:
            if side >= 0:
                above[side] |= above[node] | 1 << feature[node]
    return most


def is_far(source: CSource, part: PackedTrees) -> bool:
    """Whether nodes read inputs, or jump, beyond the reach of an instruction.

    Parameters
    ----------
    source : CSource
        What is printed.
    part : PackedTrees
        Of shape "branches".

    Returns
    -------
    far : bool
    """
    n = part.codes.n_inputs if part.prepared else source.n_inputs
    return n * _input_bytes(source, part) > _REACH or len(part.table.feature) > _NEAR


def _input_bytes(source: CSource, part: PackedTrees) -> int:
    """Bytes of what nodes compare."""
    kind = prepared_type(source, part) if part.prepared else source.x_type
    return {"int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2}.get(kind, 4)


def _shared(table: TreeTable) -> set[int]:
    """Inner nodes with several parents, which are written once."""
    children, uses = np.unique(np.concatenate([table.left, table.right]), return_counts=True)
    return set(children[(children >= 0) & (uses > 1)].tolist())


def _function(source: CSource, part: PackedTrees, head: str, root: int, shared: set[int]) -> str:
    """One function: a walk over the tree that writes a block for each split.

    `waiting` holds what is still to be written, the last first: a node with its depth and its
    label, if it is jumped to, or a closing brace. Trees may be deeper than compilers allow blocks,
    and subtrees may be shared: these are written once, behind the rest, and reached by goto.
    """
    table = part.table
    x, v = "q" if part.prepared else "x", read_type(source, part)
    lines: list[str] = []
    # A code that is made at the node is kept in `v`, to be compared with that of NaN too.
    needs_v = not part.prepared and not compares_floats(part)
    if root >= 0 and needs_v and _any_missing(table, root):
        lines.append(f"    {v} v;")
    if part.leaves.kind == "label":
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
    reads = (f"{x}[", f"({x} + ", f"_bits_of({x}", f"{source.macro}_LE", f"{source.macro}_NUMBER")
    if not any(read in line for line in lines for read in reads):
        lines.insert(0, f"    (void){x};")  # a leaf alone, or splits at +inf alone
    if part.leaves.kind == "sums" and not any(line.lstrip().startswith("s[") for line in lines):
        lines.insert(0, "    (void)s;")  # all values are zero
    return "\n".join([head, "{", *lines, "}"]) + "\n"


def _reached(table: TreeTable, root: int) -> set[int]:
    """Inner nodes of a tree."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if node >= 0 and node not in seen:
            seen.add(node)
            waiting += [int(table.left[node]), int(table.right[node])]
    return seen


def _any_missing(table: TreeTable, root: int) -> bool:
    return bool(table.nan_left[list(_reached(table, root))].any())


def _condition(source: CSource, part: PackedTrees, node: int) -> str:
    table, grid = part.table, part.table.grid
    feature = int(table.feature[node])
    cut = int(part.codes.cut[grid.offsets[feature] + table.threshold[node]])
    if compares_floats(part):
        return _float_condition(source, part, node, cut)
    kind = read_type(source, part)
    constant = f"{cut}u" if kind in ("unsigned", "uint32_t") else str(cut)
    if kind == "uint32_t":
        constant = f"{hex(cut)}u"
    elif source.x_type in ("uint8_t", "uint16_t") and not part.prepared:
        constant = str(cut)
    if part.prepared:
        code = f"q[{int(part.codes.inputs[feature])}]"
    elif part.codes.kind == "code":
        code = f"x[{feature}]"
    else:
        code = read_input(source, part, str(int(grid.features[feature])))
    if not table.nan_left[node]:
        return f"{code} <= {constant}"
    if part.prepared:
        return f"{code} <= {constant} || {is_missing(source, part, code)}"
    return f"(v = {code}) <= {constant} || {is_missing(source, part, 'v')}"


def _float_condition(source: CSource, part: PackedTrees, node: int, key: int) -> str:
    table, M = part.table, source.macro
    feature, edge = table.feature[node], table.edges[node]
    if part.compares_bits:
        return _bits_condition(source, int(table.grid.features[feature]), key)
    x = f"x[{int(table.grid.features[feature])}]"
    is_number = f"{x} == {x}"
    if part.prepared:
        x = f"{int(table.grid.features[feature])}, {int(part.codes.inputs[feature])}"
        is_number = f"{M}_NUMBER({x})"
    if not np.isfinite(edge):  # all numbers are at most +inf
        return "1" if table.nan_left[node] else is_number
    which = "LE_NAN" if table.nan_left[node] else "LE"
    return f"{M}_{which}({x}, {hex(key)}u, {number(edge)})"


def _bits_condition(source: CSource, feature: int, key: int) -> str:
    """Whether a number is at most the cut with this key, by the bits of both."""
    if key >= KEY_OF_INFINITY:
        return "1"
    bits = (key - KEY_OF_ZERO) % 2**32  # of both zeros those of the positive one
    if bits >> 31:
        bits = (2**31 - bits) % 2**32
    x = f"{source.name}_bits_of(x + {feature})" if feature else f"{source.name}_bits_of(x)"
    if bits >> 31:  # only negative numbers have larger bits than a negative edge
        return f"(uint32_t){x} >= {hex(bits)}u"
    return f"{x} <= {hex(bits)}"


def _leaf(source: CSource, part: PackedTrees, leaf: int) -> list[str]:
    table = part.table
    values = table.values[leaf]
    if part.leaves.kind == "label":
        return [f"return {int(leaf_labels(source.layout.model, table, values[None])[0])};"]
    if part.leaves.kind == "value":
        return [f"return {int(values[0])};"]
    if part.leaves.rows is not None:  # of a "row"
        return [f"return {int(part.leaves.rows[leaf])}u;"]
    added = enumerate(values.tolist())
    return [*(f"s[{k}] {'+-'[v < 0]}= {abs(v)};" for k, v in added if v), "return;"]
