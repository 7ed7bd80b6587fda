"""Trees as constants: the choice among all forms of nodes and leaves.

Many forms of the same trees are built. What is taken is the one of the fewest bytes, the fewest
instructions, or the smallest product of both, as `Request.optimize` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.packing.bits import bits_for, narrowest
from skdistill.compact.packing.layout import Request
from skdistill.compact.packing.node_order import Order, depth_first, depths
from skdistill.compact.packing.packed_trees import WIDEST_READ, PackedTrees
from skdistill.compact.packing.threshold_codes import ThresholdCodes, candidates, ready_codes
from skdistill.compact.packing.tree_costs import CODES, TREE, UNPACK, UNPACK_TWICE
from skdistill.compact.packing.tree_leaves import PackedLeaves, label_leaves, value_leaves
from skdistill.compact.packing.tree_nodes import fused_nodes, node_forms
from skdistill.compact.packing.tree_scores import by_score, without_constants
from skdistill.compact.tables.linear_table import LinearTable
from skdistill.compact.tables.tree_table import TreeTable


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
        Of all exact forms the best one.
    """
    nodes, leaves, steps = tree_forms(trees, request)
    costs = []
    for part, leaf in product(nodes, leaves):
        leaf = part.leaves if part.shape == "fused" else leaf
        unpack = (0, UNPACK, UNPACK_TWICE)[part.reads_bits + leaf.reads_bits]
        cost = part.node_cost.code + leaf.cost.code + unpack
        costs.append((cost, _work(part, leaf, steps)))
    measure: dict[str, Callable[[tuple[float, float]], tuple[float, float]]] = {
        "size": lambda cost: cost,
        "balanced": lambda cost: (cost[0] * cost[1], cost[0]),
        "speed": lambda cost: (cost[1], cost[0]),
    }
    best = min(range(len(costs)), key=lambda i: measure[request.optimize or "size"](costs[i]))
    return combine(nodes[best // len(leaves)], leaves[best % len(leaves)])


def combine(part: PackedTrees, leaves: PackedLeaves) -> PackedTrees:
    """One of the forms.

    Parameters
    ----------
    part : PackedTrees
        A form of the nodes; fused ones have leaves already.
    leaves : PackedLeaves
        A form of the leaves.

    Returns
    -------
    part : PackedTrees
    """
    return part if part.shape == "fused" else replace(part, leaves=leaves)


def tree_forms(
    trees: TreeTable, request: Request
) -> tuple[list[PackedTrees], list[PackedLeaves], float]:
    """All forms that are exact.

    Parameters
    ----------
    trees : TreeTable
        The table of the model.
    request : Request
        What the trees are packed for.

    Returns
    -------
    nodes : list of PackedTrees
        All forms of the nodes.
    leaves : list of PackedLeaves
        All forms of the leaves; each goes with each of the nodes.
    steps : float
        Nodes that a row passes, on average over the leaves.
    """
    counts, constant = None, np.zeros(trees.n_scores, np.int64)
    if request.shared_rows and not request.labels_only:
        trees, constant = without_constants(trees)
        if (by_one := by_score(trees)) is not None:
            trees, counts = by_one
    order = depth_first(trees)
    if request.labels_only:
        leaves = [label_leaves(trees, order, request)]
    else:
        leaves = value_leaves(trees, order, request)
    # Codes are replaced when nodes are packed.
    part = PackedTrees(trees, ready_codes(trees.grid), False, counts, constant, leaves[0])
    steps = order.steps if order is not None else float(depths(trees).sum())
    if request.branches:
        nodes = [_branches(part, steps, request)]
    elif not len(trees.feature):  # leaves alone, which read no input
        none = np.zeros(0, np.int64)
        bare = replace(part, codes=ThresholdCodes("value", none, none, 0))
        nodes = node_forms(bare, order, (none, none, none), (0, 0, 0))
    else:
        nodes = _nodes(part, order, steps, request)
    in_loops = len(trees.roots) > 1 and not request.branches
    if counts is not None and in_loops and (counts != counts[0]).any():
        own = {"counts": narrowest(counts)}
        nodes = [replace(each, node_tables={**each.node_tables, **own}) for each in nodes]
    return nodes, leaves, steps


def _work(part: PackedTrees, leaf: PackedLeaves, steps: float) -> float:
    """Instructions of a row."""
    work = steps * part.node_cost.work + len(part.table.roots) * (TREE + leaf.cost.work)
    if part.prepared:
        work += part.codes.n_inputs * (8 + CODES[part.codes.kind].work)
    return work


def _nodes(
    part: PackedTrees, order: Order | None, steps: float, request: Request
) -> list[PackedTrees]:
    """All forms of the nodes."""
    trees, model, parts = part.table, request.model, list[PackedTrees]()
    nan = trees.nan_left.astype(np.int64)
    for codes in _candidates(trees, request):
        prepared = not request.labels_only and _worth_preparing(codes, trees, steps)
        for features, count, columns in _numberings(codes, prepared, trees, model.n_features):
            base = replace(part, codes=codes, prepared=prepared, columns=columns)
            for form, threshold, width in _thresholds(codes, trees):
                if "bases" in form and features is trees.grid.features:
                    continue  # bases are indexed by the number among the grid's features
                widths = bits_for(count), width, int(nan.any())
                numbers = features[trees.feature], threshold, nan
                each = replace(base, **form)
                parts += node_forms(each, order, numbers, widths)
                if request.labels_only and order is not None:
                    parts += fused_nodes(each, model, order, numbers, widths)
    return parts


def _candidates(trees: TreeTable, request: Request) -> list[ThresholdCodes]:
    if request.input_dtype == "codes":
        return [ready_codes(trees.grid)]
    return candidates(trees.grid, request.model.tables_of(LinearTable))


def _branches(part: PackedTrees, steps: float, request: Request) -> PackedTrees:
    """Nodes as code, where any number costs the same to compare: the fastest codes are best."""
    trees = part.table
    rank = {"rounded": 0, "value": 1, "code": 1, "key": 2, "steps": 3}
    codes = min(_candidates(trees, request), key=lambda each: (rank[each.kind], each.drop))
    bits = codes.kind == "key" and request.never_missing
    prepared = not (request.labels_only or bits) and _worth_preparing(codes, trees, steps)
    part = replace(part, codes=codes, prepared=prepared, shape="branches", compares_bits=bits)
    if prepared and codes.kind != "rounded" and len(trees.grid.features) < request.model.n_features:
        columns = narrowest(trees.grid.features)
        return replace(part, columns=columns, node_tables={"columns": columns})
    return part


def _worth_preparing(codes: ThresholdCodes, trees: TreeTable, steps: float) -> bool:
    """Whether making every code once costs less than making one at each node."""
    if codes.kind in ("value", "code"):
        return False  # the inputs are the codes
    if codes.kind == "rounded":
        return True  # the linear part rounds all of them anyway
    return steps > 1.25 * len(trees.grid.features)


def _numberings(
    codes: ThresholdCodes, prepared: bool, trees: TreeTable, n_features: int
) -> list[tuple[NDArray[Any], int, NDArray[Any] | None]]:
    """Ways to number inputs: for each feature of the grid, how many, columns of the numbers."""
    features = trees.grid.features
    plain = (codes.inputs, codes.n_inputs, None)
    if codes.kind in ("rounded", "code") or len(features) == n_features:
        return [plain]
    # Numbers among the columns in use take fewer bits a node, and a table of these columns.
    choices: list[tuple[NDArray[Any], int, NDArray[Any] | None]] = [
        (codes.inputs, codes.n_inputs, narrowest(features))
    ]
    if codes.kind in ("value", "key") and not prepared:
        choices.append((features, n_features, None))
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
    if not len(cut):
        return 0
    low, high = int(cut.min()), int(cut.max())
    return 0 if low >= 0 and bits_for(high + 1) == bits_for(high - low + 1) else low
