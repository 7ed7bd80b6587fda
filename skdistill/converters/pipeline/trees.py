"""Trees moved from the columns behind some steps to the raw ones.

Symbols: d raw columns, c columns behind the steps, N nodes, E edges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.packing.threshold_codes import rounding_borders
from skdistill.compact.tables.linear_table import round_input
from skdistill.converters.pipeline.column_maps import Columns
from skdistill.converters.pipeline.linear import FoldedLinear
from skdistill.quantization.binning import last_where

_MAX = np.finfo(np.float32).max


def fold_trees(
    trees: TreeTable,
    columns: Columns,
    width: int,
    dtype: str,
    linear: Sequence[FoldedLinear] = (),
) -> TreeTable:
    """Trees that send a raw row wherever `trees` send what the steps make of it.

    Splits that part nothing any more are left out. Trees that cut at the borders of a linear
    part's rounding, which costs fewer bytes than a table of edges, go on doing so.

    Parameters
    ----------
    trees : TreeTable
    columns : Columns
    width : int
        Raw columns, d.
    dtype : {"float32", "float64"}
        In which the steps are given their rows.
    linear : sequence of FoldedLinear, default=()
        The linear parts beside the trees.

    Returns
    -------
    trees : TreeTable
    """
    grid = trees.grid
    place = grid.offsets[trees.feature] + trees.threshold
    column = grid.features[trees.feature]
    missing = columns.missing(width, dtype)[column]
    missing = missing.astype(np.float32 if grid.dtype == "float32" else np.float64)
    nan_left = np.where(np.isnan(missing), trees.nan_left, missing <= grid.edges[place])
    borders = [found for part in linear if (found := _borders(grid, part)) is not None]
    edge = (borders or [_raw_edges(grid, columns, width, dtype)])[0][place]
    left, right = trees.left, trees.right
    # Where all numbers go right and NaN left, the two change sides: an edge at -inf is none.
    turned = (edge == -np.inf) & nan_left
    left, right = np.where(turned, right, left), np.where(turned, left, right)
    edge, nan_left = np.where(turned, -edge, edge), nan_left & ~turned
    idle = (edge == -np.inf) | ((edge == np.inf) & nan_left)
    kept = _without(idle, np.where(edge > 0, left, right), trees.roots, left, right)

    edge, column = edge[kept.nodes], column[kept.nodes]
    features, feature = np.unique(columns.source[column], return_inverse=True)
    own = [np.unique(edge[feature == f]) for f in range(len(features))]
    threshold = np.zeros(len(feature), np.int32)
    for f, choices in enumerate(own):
        threshold[feature == f] = np.searchsorted(choices, edge[feature == f])
    offsets = np.cumsum([0] + [len(choices) for choices in own])
    return TreeTable(
        InputGrid(features, offsets, np.concatenate([grid.edges[:0], *own])),
        kept.roots,
        feature,
        threshold,
        kept.left,
        kept.right,
        nan_left[kept.nodes],
        trees.values[kept.leaves],
        trees.value_bits,
        trees.unit,
    )


def _raw_edges(grid: InputGrid, columns: Columns, width: int, dtype: str) -> NDArray[Any]:
    """The last raw numbers that the steps leave at or below each edge; ±inf for all or none."""
    column = np.repeat(grid.features, grid.counts)
    at = np.flatnonzero(columns.scaled[column] != "")
    column, edge = column[at], grid.edges[at]
    raw = columns.source[column]
    row = np.zeros(len(at), np.intp)  # each row of a table tries an edge of each raw column
    for j in np.unique(raw):
        row[raw == j] = np.arange((raw == j).sum())
    table = np.zeros((row.max(initial=-1) + 1, width), dtype)

    def below(x: NDArray[np.float32]) -> NDArray[np.bool_]:
        table[row, raw] = x
        with np.errstate(over="ignore"):  # beyond float32 is ±inf, as in the model
            values = columns.transform(table)[row, column].astype(np.float32)
        return values <= edge

    edges = grid.edges.copy()
    if len(at):
        edges[at] = _last_where(below, len(at))
    return edges


def _borders(grid: InputGrid, linear: FoldedLinear) -> NDArray[np.float32] | None:
    """As `_raw_edges`, for edges that are borders of the linear part's rounding; else None."""
    stays = linear.exact or grid.dtype == "int32"
    borders = None if stays else rounding_borders(grid, linear.before)
    if borders is None:
        return None
    before = np.repeat(np.searchsorted(linear.before.features, grid.features), grid.counts)
    at, last = linear.place[before], borders - linear.replaced[before]
    return _last_where(lambda x: round_input(x, linear.table, at) <= last, len(last))


def _last_where(
    below: Callable[[NDArray[np.float32]], NDArray[np.bool_]], count: int
) -> NDArray[np.float32]:
    """As `quantize.last_where`, with infinities where all numbers or none are meant."""
    found = last_where(below, (count,))
    found = np.where(found == _MAX, np.float32(np.inf), found)
    return np.where(below(np.full(count, -_MAX)), found, np.float32(-np.inf))


class _Kept(NamedTuple):
    """Old numbers of the nodes and leaves that are kept; roots and children in new numbers."""

    nodes: NDArray[np.intp]
    leaves: NDArray[np.intp]
    roots: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]


def _without(
    idle: NDArray[np.bool_],
    instead: NDArray[np.intp],
    roots: NDArray[np.intp],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
) -> _Kept:
    """Nodes but for the `idle` ones, each of which gives its place to the child `instead`."""
    n_nodes = len(idle)
    target = np.arange(n_nodes + 1)
    for node in reversed(np.flatnonzero(idle)):  # children come after their parents
        child = instead[node]
        target[node] = target[child] if child >= 0 else child
    roots, left, right = (
        np.where(child >= 0, target[np.maximum(child, 0)], child) for child in (roots, left, right)
    )
    alive = np.zeros(n_nodes, bool)
    alive[roots[roots >= 0]] = True
    for node in range(n_nodes):
        if alive[node]:
            for child in (left[node], right[node]):
                if child >= 0:
                    alive[child] = True
    nodes = np.flatnonzero(alive)
    ends = np.concatenate([roots, left[nodes], right[nodes]])
    leaves = np.unique(~ends[ends < 0])
    number = np.append(np.cumsum(alive) - 1, 0)
    roots, left, right = (
        np.where(child >= 0, number[np.maximum(child, 0)], ~np.searchsorted(leaves, ~child))
        for child in (roots, left[nodes], right[nodes])
    )
    return _Kept(nodes, leaves, roots, left, right)
