"""The same trees for inputs that are known to be integers of a few bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.tree_table import TreeTable


def trees_on_integers(trees: TreeTable, dtype: str, max_is_missing: bool = False) -> TreeTable:
    """Trees with the integers that their thresholds are for inputs of an integer type.

    ``x <= t`` is ``x <= floor(t)``; beyond 2^24, where a float32 model casts, see `whole_cuts`.
    Splits that all numbers of the type pass to one side are left out, so is the side of NaN.
    Scores are the same for every input of the type.

    With `max_is_missing` the largest number of the type stands for NaN: nodes hold its side, and a
    split that parts it from all numbers stays.

    Parameters
    ----------
    trees : TreeTable
        On a float32 or int32 grid.
    dtype : {"int8", "uint8", "int16", "uint16", "int32"}
        Type of the inputs.
    max_is_missing : bool, default=False
        Whether the largest number of the type stands for NaN.

    Returns
    -------
    trees : TreeTable
        On an int32 grid.
    """
    grid = trees.grid
    limits = np.iinfo(dtype)
    edge = whole_cuts(grid.edges)
    at = edge[grid.offsets[trees.feature] + trees.threshold]
    largest = limits.max - max_is_missing  # of the numbers
    below, above = at >= largest, at < limits.min
    nan_left = trees.nan_left & max_is_missing
    # A split that all numbers pass to one side, NaN included where there is a number for it, is
    # idle: `only` is the child that takes its place.
    only = np.where(below, trees.left, trees.right)
    idle = below & (nan_left | (not max_is_missing)) | above & ~nan_left
    # The rest of these splits send NaN to one side and all numbers to the other. They become
    # `x <= largest`, with NaN on the right: children swap where the numbers were there.
    nan_alone = (below | above) & ~idle
    at = np.where(nan_alone, largest, at)
    swapped = nan_alone & above
    trees = replace(
        trees,
        left=np.where(swapped, trees.right, trees.left),
        right=np.where(swapped, trees.left, trees.right),
    )
    nan_left = nan_left & ~nan_alone
    target = np.arange(len(at))  # what to point at in place of each node
    for node in np.flatnonzero(idle)[::-1]:  # children come after their parents
        target[node] = only[node] if only[node] < 0 else target[only[node]]
    target = np.append(target, 0)  # an entry to look at for leaves
    left, right, roots = (
        np.where(child >= 0, target[np.maximum(child, 0)], child)
        for child in (trees.left, trees.right, trees.roots)
    )
    nodes, leaves = _reached(roots, left, right, len(trees.values))
    number, leaf = np.append(np.cumsum(nodes) - 1, 0), np.cumsum(leaves) - 1
    roots, left, right = (
        np.where(child >= 0, number[np.maximum(child, 0)], ~leaf[~np.minimum(child, -1)])
        for child in (roots, left[nodes], right[nodes])
    )
    feature, cut = trees.feature[nodes], at[nodes].astype(np.int64)
    used = np.unique(feature)
    edges = [np.unique(cut[feature == f]) for f in used]
    offsets = np.cumsum([0] + [len(each) for each in edges])
    threshold = np.zeros(len(cut), np.int64)
    for f, each in zip(used, edges, strict=True):
        threshold[feature == f] = np.searchsorted(each, cut[feature == f])
    return TreeTable(
        InputGrid(grid.features[used], offsets, np.concatenate([[], *edges]).astype(np.int32)),
        roots,
        np.searchsorted(used, feature),
        threshold,
        left,
        right,
        nan_left[nodes],
        trees.values[leaves],
        trees.value_bits,
        trees.unit,
    )


def whole_cuts(edges: NDArray[Any]) -> NDArray[np.float64]:
    """The largest integer that is at most each edge once it is cast to the edge's type.

    Above 2^24 neighbouring integers round to the same float32, so that the floor of an edge is not
    the last one that passes: it is the last that rounds to at most the edge, half to even.

    Parameters
    ----------
    edges : float32 or int32 array
        Thresholds.

    Returns
    -------
    cuts : float64 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.integer_inputs import whole_cuts
    >>> whole_cuts(np.array([-0.5, 7.5, 2**24], np.float32)).tolist()  # 2^24 + 1 is cast to 2^24
    [-1.0, 7.0, 16777217.0]
    """
    if edges.dtype.kind == "i":
        return edges.astype(np.float64)
    with np.errstate(over="ignore"):
        above = np.nextafter(edges, np.float32(np.inf)).astype(np.float64)
        cuts = np.floor((edges.astype(np.float64) + above) / 2)
        beyond = cuts.astype(np.float32) > edges
    last: NDArray[np.float64] = cuts - beyond
    return last


def _reached(
    roots: NDArray[Any], left: NDArray[Any], right: NDArray[Any], n_leaves: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which inner nodes and leaves some root leads to."""
    nodes, leaves = np.zeros(len(left), bool), np.zeros(n_leaves, bool)
    nodes[roots[roots >= 0]] = True
    leaves[~roots[roots < 0]] = True
    for node in range(len(left)):
        if nodes[node]:
            for child in (left[node], right[node]):
                if child >= 0:
                    nodes[child] = True
                else:
                    leaves[~child] = True
    return nodes, leaves
