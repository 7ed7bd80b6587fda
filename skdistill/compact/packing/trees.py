"""Trees as constants: how nodes are stored, and what their leaves hold.

Many forms of the same trees are built, and the one is taken that costs the fewest bytes, with a
guess at what its code needs more than that of others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.evaluate import labels
from skdistill.compact.packing.bits import bits_for, narrowest, pack_bits, pack_fields, pack_values
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.node_order import Order, depth_first, depths
from skdistill.compact.packing.packed_trees import WIDEST_READ, PackedTrees
from skdistill.compact.packing.threshold_codes import ThresholdCodes, candidates, ready_codes
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables

MOST_JUMP = 255  # the third byte of a fused node

_UNPACK = 24  # bytes of code that take a number out of packed bits
_SPARSE = 3.0  # values that are not zero in a leaf, on average, up to which code adds them


def pack_trees(trees: TreeTable, request: Request) -> PackedTrees:
    """Choose the form in which trees are stored.

    Parameters
    ----------
    trees : TreeTable
        The table of the model.
    request : Request
        What the trees are packed for.

    Returns
    -------
    part : PackedTrees
        Of all exact forms the one of least `PackedTrees.cost`.
    """
    order = depth_first(trees)
    if request.branches:
        return _branches(trees, order, request)
    leaves = _leaves(trees, order, request)
    if not len(trees.feature):  # leaves alone, which read no input
        none = np.zeros(0, np.int64)
        bare = replace(leaves, codes=ThresholdCodes("value", none, none, 0))
        if order is None:
            return _by_children(bare, (none, none, none), (0, 0, 0))
        return _by_depth(bare, order, (none, none, none), (0, 0, 0))[0]
    grid, parts = trees.grid, list[PackedTrees]()
    for codes in _candidates(trees, request):
        prepared = not request.labels_only and _worth_preparing(codes, trees, order)
        for features, count, columns in _numberings(codes, prepared, trees, request.model):
            base = replace(leaves, codes=codes, prepared=prepared, columns=columns)
            for form, threshold, width in _thresholds(codes, trees):
                if "bases" in form and features is grid.features:
                    continue  # bases are indexed by the number among the grid's features
                part = replace(base, **form)
                widths = bits_for(count), width, int(trees.nan_left.any())
                numbers = features[trees.feature], threshold, trees.nan_left.astype(np.int64)
                if order is None:
                    parts.append(_by_children(part, numbers, widths))
                    continue
                parts += _by_depth(part, order, numbers, widths)
                if request.labels_only:
                    parts += _fused(part, request.model, order, numbers, widths)
    return min(parts, key=lambda part: part.cost)  # the first of equals


def _candidates(trees: TreeTable, request: Request) -> list[ThresholdCodes]:
    if request.input_dtype == "codes":
        return [ready_codes(trees.grid)]
    return candidates(trees.grid, request.model.tables_of(LinearTable))


def _branches(trees: TreeTable, order: Order | None, request: Request) -> PackedTrees:
    """Nodes as code, where any number costs the same to compare: the fastest codes are best."""
    rank = {"rounded": 0, "value": 1, "code": 1, "key": 2, "steps": 3}
    codes = min(_candidates(trees, request), key=lambda each: (rank[each.kind], each.drop))
    prepared = not request.labels_only and _worth_preparing(codes, trees, order)
    leaf = _branch_leaf(trees, request)
    columns, rows, tables = None, None, {}
    if prepared and codes.kind != "rounded" and len(trees.grid.features) < request.model.n_features:
        columns = narrowest(trees.grid.features)
        tables["columns"] = columns
    if leaf == "row":
        distinct, rows = trees.values, np.arange(len(trees.values))
        if request.shared_rows:
            distinct, rows = np.unique(trees.values, axis=0, return_inverse=True)
        rows, tables["values"] = rows.ravel(), pack_values(distinct, trees.value_bits)
    return PackedTrees(
        trees, codes, prepared, leaf, columns, shape="branches", rows=rows, tables=tables
    )


def _branch_leaf(trees: TreeTable, request: Request) -> str:
    """What a branch ends in; values that a program may change must be in a table."""
    if request.labels_only:
        return "label"
    if not request.shared_rows:
        return "row"
    if trees.n_scores == 1:
        return "value"
    filled = (trees.values != 0).sum(axis=1).mean()
    return "sums" if filled <= _SPARSE else "row"


def _leaves(trees: TreeTable, order: Order | None, request: Request) -> PackedTrees:
    """The part with the tables of its leaves, without nodes yet."""
    values = trees.values if order is None else trees.values[order.leaves]
    leaf = "label" if request.labels_only else "row"
    # The codes are replaced when nodes are packed.
    part = PackedTrees(trees, ready_codes(trees.grid), False, leaf)
    if request.labels_only:
        labels = leaf_labels(request.model, trees, values)
        bits = bits_for(request.model.n_classes)
        # Few labels take a byte each: code that unpacks would need more than it saves.
        if bits <= 8 and len(labels) * (8 - bits) <= 8 * _UNPACK:
            return replace(part, label_bits=8, tables={"labels": labels.astype(np.uint8)})
        return replace(part, label_bits=bits, tables={"labels": pack_bits(labels, bits)})
    if not request.shared_rows:
        return replace(part, tables={"values": pack_values(values, trees.value_bits)})
    # Leaves of few bits often have equal rows: an index into distinct rows may be smaller.
    rows, row = np.unique(values, axis=0, return_inverse=True)
    plain, distinct = (pack_values(each, trees.value_bits) for each in (values, rows))
    index = pack_bits(row.ravel(), bits_for(len(rows)))
    if len(rows) > 1 and distinct.nbytes + index.nbytes + _UNPACK < plain.nbytes:
        tables = {"rows": index, "values": distinct}
        return replace(part, row_bits=bits_for(len(rows)), tables=tables)
    return replace(part, tables={"values": plain})


def leaf_labels(model: ModelTables, trees: TreeTable, values: NDArray[Any]) -> NDArray[np.intp]:
    """Class numbers of leaf values of a single tree; the bias of its model is part of them.

    Parameters
    ----------
    model : ModelTables
        Whose bias and threshold hold.
    trees : TreeTable
        Whose unit holds.
    values : int array of shape (n_leaves, n_scores)
        Values of the leaves that are asked for.

    Returns
    -------
    labels : int array of shape (n_leaves,)
    """
    scores = (model.bias + values * trees.unit).astype(np.int32)
    return labels(scores, model.threshold)


def _worth_preparing(codes: ThresholdCodes, trees: TreeTable, order: Order | None) -> bool:
    """Whether making every code once costs less than making one at each node."""
    if codes.kind in ("value", "code"):
        return False  # the inputs are the codes
    if codes.kind == "rounded":
        return True  # the linear part rounds all of them anyway
    steps = order.steps if order is not None else float(depths(trees).sum())
    return steps > 1.25 * len(trees.grid.features)


def _numberings(
    codes: ThresholdCodes, prepared: bool, trees: TreeTable, model: ModelTables
) -> list[tuple[NDArray[Any], int, NDArray[Any] | None]]:
    """Ways to number inputs: for each feature of the grid, how many, columns of the numbers."""
    features = trees.grid.features
    plain = (codes.inputs, codes.n_inputs, None)
    if codes.kind in ("rounded", "code") or len(features) == model.n_features:
        return [plain]
    # Numbers among the columns in use take fewer bits a node, and a table of these columns.
    choices: list[tuple[NDArray[Any], int, NDArray[Any] | None]] = [
        (codes.inputs, codes.n_inputs, narrowest(features))
    ]
    if codes.kind in ("value", "key") and not prepared:
        choices.append((features, model.n_features, None))
    return choices


def _thresholds(
    codes: ThresholdCodes, trees: TreeTable
) -> list[tuple[dict[str, Any], NDArray[np.int64], int]]:
    """Choices to store the cuts: fields of the part, a number for each node, its bits."""
    grid = trees.grid
    edge = grid.offsets[trees.feature] + trees.threshold
    cut = codes.cut[edge]
    low = _lowest(cut)
    choices: list[tuple[dict[str, Any], NDArray[np.int64], int]] = []
    direct = bits_for(int(cut.max()) - low + 1)
    if direct <= WIDEST_READ:  # the node holds its cut
        choices.append(({"low": low}, cut - low, direct))
    cuts, place = np.unique(cut, return_inverse=True)
    if len(cuts) < 2:
        return choices or [({"low": int(cut[0])}, cut * 0, 0)]
    # The node holds an index into one list of all different cuts,
    together = {"low": low, "edges": narrowest(cuts - low)}
    choices.append((together, place, bits_for(len(cuts))))
    # or into the cuts of its own feature, which begin at `bases`: fewer bits, one more table.
    widest = int(grid.counts.max())
    if bits_for(widest) < bits_for(len(cuts)) and codes.kind != "rounded":
        own = {
            "low": (low := _lowest(codes.cut)),
            "edges": narrowest(codes.cut - low),
            "bases": narrowest(grid.offsets[:-1]),
        }
        choices.append((own, trees.threshold.astype(np.int64), bits_for(widest)))
    return choices


def _lowest(cut: NDArray[np.int64]) -> int:
    """What cuts are counted from: 0 where their differences take no fewer bits."""
    low, high = int(cut.min(initial=0)), int(cut.max(initial=0))
    if len(cut):
        low = int(cut.min())
    return 0 if low >= 0 and bits_for(high + 1) == bits_for(high - low + 1) else low


def _by_depth(
    part: PackedTrees,
    order: Order,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> list[PackedTrees]:
    """Nodes depth first, packed or in whole bytes, with the nodes to the left of each."""
    feature, threshold, nan = (each[order.nodes] for each in numbers)
    link = bits_for(int(order.left.max(initial=0)) + 1)
    tables, size = _own_tables(part), None
    if (order.sizes == order.sizes[0]).all():
        size = int(order.sizes[0])
    else:
        tables["sizes"] = narrowest(order.sizes)
    parts = []
    exact = (*widths, link)
    choices = [exact]
    if sum(exact) % 8 and sum(exact) <= 32:
        # Whole bytes a node need no code that unpacks: the link takes the bits that are left.
        padding = -sum(exact) % 8
        choices.append((*widths, link + padding))
        if max(widths[0], widths[1], widths[2] + link) <= 8:
            choices.insert(1, (8, 8, widths[2], 8 - widths[2]))
    for fields in choices:
        bits = sum(fields)
        nodes = pack_fields((feature, threshold, nan, order.left), fields)
        parts.append(
            replace(
                part,
                shape="depth",
                widths=fields,
                bits=bits,
                size=size,
                tables={"nodes": nodes, **tables} if bits else tables,
            )
        )
    return parts


def _by_children(
    part: PackedTrees,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> PackedTrees:
    """Nodes with the numbers of both children, which may be shared; leaves follow the nodes."""
    trees = part.table
    N, L = len(trees.feature), len(trees.values)
    link = bits_for(N + L)
    left, right, roots = (
        np.where(child >= 0, child, N + ~np.minimum(child, -1)).astype(np.int64)
        for child in (trees.left, trees.right, trees.roots)
    )
    tables = _own_tables(part)
    if len(roots) > 1:
        tables["roots"] = narrowest(roots)
    bits = sum(widths) + 2 * link
    packed = pack_fields((*numbers, left, right), (*widths, link, link))
    nodes = {"nodes": packed} if N else {}
    return replace(
        part,
        shape="children",
        widths=(*widths, link),
        bits=bits,
        size=int(roots[0]) if len(roots) == 1 else None,
        tables={**nodes, **tables},
    )


def _fused(
    part: PackedTrees,
    model: ModelTables,
    order: Order,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> list[PackedTrees]:
    """Three bytes a node: input and which sides are leaves, threshold, labels or jump.

    A node whose children are both inner ones needs a jump to the right and no labels; one with a
    leaf needs labels and no jump, for its other child, if any, is the next node. One byte serves
    both. It is nothing where the numbers do not fit.
    """
    trees, most = part.table, int(order.left.max(initial=0))
    if widths[0] + widths[2] > 6 or widths[1] > 8 or model.n_classes > 16 or most >= MOST_JUMP:
        return []
    feature, threshold, nan = (each[order.nodes] for each in numbers)
    ends = trees.left[order.nodes] < 0, trees.right[order.nodes] < 0
    label = leaf_labels(model, trees, trees.values)
    left, right = (
        np.where(end, label[~np.minimum(child[order.nodes], -1)], 0)
        for end, child in zip(ends, (trees.left, trees.right), strict=True)
    )
    step = 3 if 3 * (most + 1) <= MOST_JUMP else 1  # a jump in bytes, if it fits, else in nodes
    third = np.where(ends[0] | ends[1], left << 4 | right, (order.left + 1) * step)
    first = ((feature << widths[2] | nan) << 2) | ends[1] << 1 | ends[0]
    nodes = np.column_stack([first, threshold, third]).astype(np.uint8).ravel()
    tables = {"nodes": nodes, **_own_tables(part)}
    del tables["labels"]
    return [replace(part, shape="fused", widths=(*widths, step), bits=24, size=None, tables=tables)]


def _own_tables(part: PackedTrees) -> dict[str, NDArray[Any]]:
    """Tables beside the nodes."""
    own: dict[str, NDArray[Any]] = {}
    for name, numbers in (("origins", part.codes.origin), ("exponents", part.codes.exponent)):
        if numbers is not None and (numbers != numbers[0]).any():
            own[name] = narrowest(numbers)
    for name, table in (("columns", part.columns), ("edges", part.edges), ("bases", part.bases)):
        if table is not None:
            own[name] = table
    return own | part.tables
