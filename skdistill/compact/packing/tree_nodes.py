"""Nodes of trees as constants, in every form that code can walk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import bits_for, narrowest, pack_fields
from skdistill.compact.packing.node_order import Order
from skdistill.compact.packing.packed_trees import PackedTrees
from skdistill.compact.packing.tree_leaves import PackedLeaves, leaf_labels

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables

MOST_JUMP = 255  # the third byte of a fused node


def node_forms(
    part: PackedTrees,
    order: Order | None,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> list[PackedTrees]:
    """All forms of nodes whose walks end in the number of a leaf.

    Parameters
    ----------
    part : PackedTrees
        With the codes that nodes compare.
    order : Order or None
        None where nodes or leaves are shared.
    numbers : tuple of int arrays of shape (n_nodes,)
        Feature, threshold and side of NaN of each node.
    widths : tuple of int
        Bits of each.

    Returns
    -------
    parts : list of PackedTrees
        At least one.
    """
    if order is None:
        return [_by_children(part, numbers, widths)]
    feature, threshold, nan = (each[order.nodes] for each in numbers)
    link = bits_for(int(order.left.max(initial=0)) + 1)
    tables, size = _own_tables(part), None
    if (order.sizes == order.sizes[0]).all():
        size = int(order.sizes[0])
    else:
        tables["sizes"] = narrowest(order.sizes)
    part = replace(part, size=size, node_tables=tables)
    fields = (feature, threshold, nan, order.left)
    return _by_depth(part, fields, (*widths, link)) + _flagged(part, order, fields, (*widths, link))


def _by_depth(
    part: PackedTrees, numbers: tuple[NDArray[Any], ...], exact: tuple[int, int, int, int]
) -> list[PackedTrees]:
    """Nodes depth first, packed or in whole bytes, with the nodes to the left of each."""
    choices = [exact]
    if sum(exact) % 8 and sum(exact) <= 32:
        # Whole bytes a node need no code that unpacks: the link takes the bits that are left.
        feature, threshold, nan, link = exact
        choices.append((feature, threshold, nan, link + -sum(exact) % 8))
        if max(feature, threshold, nan + link) <= 8:
            choices.insert(1, (8, 8, nan, 8 - nan))
    parts = []
    for widths in choices:
        nodes = {"nodes": pack_fields(numbers, widths)} if sum(widths) else {}
        tables = {**nodes, **part.node_tables}
        bits = sum(widths)
        parts.append(replace(part, shape="depth", widths=widths, bits=bits, node_tables=tables))
    return parts


def _flagged(
    part: PackedTrees,
    order: Order,
    numbers: tuple[NDArray[Any], ...],
    exact: tuple[int, int, int, int],
) -> list[PackedTrees]:
    """Nodes depth first in 2, 3 or 4 bytes, with two bits for children that are leaves.

    A walk counts no nodes that are left: it ends where a bit says so. There is none where a tree
    is a leaf alone.
    """
    if not order.sizes.all():
        return []
    trees = part.table
    flags = (trees.right[order.nodes] < 0) * 2 + (trees.left[order.nodes] < 0)
    feature, threshold, nan, left = numbers
    f, t, n, link = exact
    forms = list[PackedTrees]()
    bits = 16 if sum(exact) <= 14 else 32
    if sum(exact) <= bits - 2:
        if bits == 16 and f + n <= 6 and t + link <= 8:
            f = 6 - n  # no field lies in both bytes: shifts are short where registers are bytes
        words = _words((flags, nan, feature, left, threshold), (2, n, f, link))
        widths = (f, bits - 2 - n - f - link, n, link)
        forms.append(_with_nodes(part, widths, bits, words.astype(f"uint{bits}")))
    f = exact[0]
    if bits > 16 and 2 + n + f + t < 16:
        forms += _long_jumps(part, order, (flags, nan, feature, left, threshold), (f, t, n))
    if f + n <= 6 and t <= 8 and link <= 8:
        triples = np.column_stack([(feature << n | nan) << 2 | flags, threshold, left])
        widths = (6 - n, 8, n, 8)
        forms.append(_with_nodes(part, widths, 24, triples.astype(np.uint8).ravel()))
    return forms


def _with_nodes(
    part: PackedTrees, widths: tuple[int, int, int, int], bits: int, nodes: NDArray[Any]
) -> PackedTrees:
    tables = {"nodes": nodes, **part.node_tables}
    return replace(part, shape="flags", widths=widths, bits=bits, node_tables=tables)


def _words(numbers: tuple[NDArray[Any], ...], widths: tuple[int, ...]) -> NDArray[np.int64]:
    """A word for each node: the first number in the lowest bits, the last one in all others."""
    words, at = np.zeros(len(numbers[0]), np.int64), 0
    for number, width in zip(numbers, (*widths, 0), strict=True):
        words |= number.astype(np.int64) << at
        at += width
    return words


def _long_jumps(
    part: PackedTrees,
    order: Order,
    numbers: tuple[NDArray[Any], ...],
    widths: tuple[int, int, int],
) -> list[PackedTrees]:
    """Half words whose links have the bits that are left; few nodes have a larger one.

    A link of all ones says that the next half word holds two bytes: the nodes to the left, and how
    many of these have a second half word, too. There is none where a byte does not hold them.
    """
    flags, nan, feature, left, threshold = numbers
    f, t, n = widths
    link = 16 - 2 - n - f - t
    most = (1 << link) - 1
    is_long = left >= most
    before = np.append(0, np.cumsum(is_long))
    inside = before[np.arange(len(left)) + 1 + left] - before[np.arange(len(left)) + 1]
    if max(left.max(), inside.max()) > 255:
        return []
    words = _words((flags, nan, feature, np.minimum(left, most), threshold), (2, n, f, link))
    at = np.arange(len(left)) + before[:-1]
    nodes = np.zeros(len(left) + before[-1], np.uint16)
    nodes[at] = words
    nodes[at[is_long] + 1] = (inside << 8 | left)[is_long]
    tables = part.node_tables
    if len(order.sizes) > 1:
        ends = np.cumsum(order.sizes)
        tables = {**tables, "longs": narrowest(before[ends] - before[ends - order.sizes])}
    part = replace(part, long_jumps=True, node_tables=tables)
    return [_with_nodes(part, (f, t, n, link), 16, nodes)]


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
        node_tables={**nodes, **tables},
    )


def fused_nodes(
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
    return [
        replace(
            part,
            shape="fused",
            leaves=PackedLeaves("label"),
            widths=(*widths, step),
            bits=24,
            node_tables={"nodes": nodes, **_own_tables(part)},
        )
    ]


def _own_tables(part: PackedTrees) -> dict[str, NDArray[Any]]:
    """Tables beside the nodes."""
    own: dict[str, NDArray[Any]] = {}
    for name, numbers in (("origins", part.codes.origin), ("exponents", part.codes.exponent)):
        if numbers is not None and (numbers != numbers[0]).any():
            own[name] = narrowest(numbers)
    for name, table in (("columns", part.columns), ("edges", part.edges), ("bases", part.bases)):
        if table is not None:
            own[name] = table
    return own
