"""A tree table moved from the columns behind some steps to the raw ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.packing.threshold_codes import rounding_borders
from skdistill.compact.tables.linear_table import round_input
from skdistill.converters.pipeline.column_maps import ColumnMaps
from skdistill.converters.pipeline.linear import FoldedLinear
from skdistill.converters.pipeline.thresholds import last_below, raw_thresholds, settle_splits
from skdistill.quantization.binning import round_down


def fold_trees(
    trees: TreeTable, maps: ColumnMaps, dtype: str, linear: Sequence[FoldedLinear] = ()
) -> TreeTable:
    """Trees that send a raw row wherever `trees` send what the steps make of it.

    Splits that part nothing any more are left out. Trees that cut at the borders of a linear
    part's rounding, which costs fewer bytes than a table of edges, go on doing so.

    Parameters
    ----------
    trees : TreeTable
        On a grid of the columns that the steps yield.
    maps : ColumnMaps
        What the steps do to each column.
    dtype : {"float32", "float64"}
        Of the rows that the steps are given.
    linear : sequence of FoldedLinear, default=()
        The linear parts beside the trees.

    Returns
    -------
    trees : TreeTable
    """
    grid = trees.grid
    at = grid.offsets[trees.feature] + trees.threshold
    column = grid.features[trees.feature]
    missing = maps.nan_values(dtype)[column]
    missing = missing.astype(np.float32 if grid.dtype == "float32" else np.float64)
    nan_left = np.where(np.isnan(missing), trees.nan_left, missing <= grid.edges[at])
    borders = [edges for part in linear for edges in _rounding_borders(grid, part)]
    edge = (borders or [_raw_edges(grid, maps, dtype)])[0][at]
    edge, nan_left, swapped, idle = settle_splits(edge, nan_left)
    left = np.where(swapped, trees.right, trees.left)
    right = np.where(swapped, trees.left, trees.right)
    remaining = _without(idle, np.where(edge > 0, left, right), trees.roots, left, right)

    # A grid of the raw columns, with the edges that some node uses.
    edge, column = edge[remaining.nodes], column[remaining.nodes]
    features, feature = np.unique(maps.raw_column[column], return_inverse=True)
    used = [np.unique(edge[feature == f]) for f in range(len(features))]
    threshold = np.zeros(len(feature), np.int32)
    for f, edges_of_feature in enumerate(used):
        threshold[feature == f] = np.searchsorted(edges_of_feature, edge[feature == f])
    offsets = np.cumsum([0] + [len(edges_of_feature) for edges_of_feature in used])
    return TreeTable(
        InputGrid(features, offsets, np.concatenate([grid.edges[:0], *used])),
        remaining.roots,
        feature,
        threshold,
        remaining.left,
        remaining.right,
        nan_left[remaining.nodes],
        trees.values[remaining.leaves],
        trees.value_bits,
        trees.unit,
    )


def _raw_edges(grid: InputGrid, maps: ColumnMaps, dtype: str) -> NDArray[np.generic]:
    """The last raw numbers that the steps leave at or below each edge; ±inf for all or none."""
    column = np.repeat(grid.features, grid.counts)
    scaled = np.flatnonzero(maps.scaled_by[column] != "")
    edges = grid.edges.copy()
    raw = raw_thresholds(maps, column[scaled], edges[scaled], dtype, casts_to_float32=True)
    edges[scaled] = round_down(raw)
    return edges


def _rounding_borders(grid: InputGrid, linear: FoldedLinear) -> list[NDArray[np.generic]]:
    """As `_raw_edges`, where edges are borders of the linear part's rounding; else nothing."""
    unchanged = linear.exact or grid.dtype == "int32"
    borders = None if unchanged else rounding_borders(grid, linear.original)
    if borders is None:
        return []
    input = np.repeat(np.searchsorted(linear.original.features, grid.features), grid.counts)
    at, last = linear.position[input], borders - linear.nan_codes[input]
    return [last_below(lambda x: round_input(x, linear.table, at) <= last, len(last))]


class _Remaining(NamedTuple):
    """Nodes and leaves that are kept, by their old indices; roots and children by the new ones."""

    nodes: NDArray[np.intp]
    leaves: NDArray[np.intp]
    roots: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]


def _without(
    idle: NDArray[np.bool_],
    replacement: NDArray[np.intp],
    roots: NDArray[np.intp],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
) -> _Remaining:
    """Remove the `idle` nodes, each of which gives its place to a `replacement`, its child."""
    n_nodes = len(idle)
    target = np.arange(n_nodes + 1)  # what to point at in place of each node
    for node in reversed(np.flatnonzero(idle)):  # children come after their parents
        child = replacement[node]
        target[node] = target[child] if child >= 0 else child
    roots, left, right = (
        np.where(child >= 0, target[np.maximum(child, 0)], child) for child in (roots, left, right)
    )
    # Nodes that a root still leads to, and their leaves; trees may share both.
    reached = np.zeros(n_nodes, bool)
    reached[roots[roots >= 0]] = True
    for node in range(n_nodes):
        if reached[node]:
            for child in (left[node], right[node]):
                if child >= 0:
                    reached[child] = True
    nodes = np.flatnonzero(reached)
    ends = np.concatenate([roots, left[nodes], right[nodes]])
    leaves = np.unique(~ends[ends < 0])
    new_index = np.append(np.cumsum(reached) - 1, 0)
    roots, left, right = (
        np.where(child >= 0, new_index[np.maximum(child, 0)], ~np.searchsorted(leaves, ~child))
        for child in (roots, left[nodes], right[nodes])
    )
    return _Remaining(nodes, leaves, roots, left, right)
