"""The tables of a compact model, moved from the columns behind some steps to the raw ones.

Symbols: d raw columns, c columns behind the steps, N nodes, E edges, S score columns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.compact.execute import round_input
from skdistill.compact.quantize import last_where
from skdistill.fold.columns import Columns

_MAX = np.finfo(np.float32).max


def fold_trees(
    grid: InputGrid, trees: TreeTable, columns: Columns, width: int, dtype: str
) -> tuple[InputGrid, TreeTable]:
    """Trees that send a raw row wherever `trees` send what the steps make of it.

    Splits that part nothing any more are left out.

    Parameters
    ----------
    grid : InputGrid
    trees : TreeTable
    columns : Columns
    width : int
        Raw columns, d.
    dtype : {"float32", "float64"}
        In which the steps are given their rows.

    Returns
    -------
    grid : InputGrid
    trees : TreeTable
    """
    place = grid.offsets[trees.feature] + trees.threshold
    column = grid.features[trees.feature]
    missing = read_missing(columns, width, dtype)[column]
    missing = missing.astype(np.float32 if grid.dtype == "float32" else np.float64)
    nan_left = np.where(np.isnan(missing), trees.nan_left, missing <= grid.edges[place])
    edge = _raw_edges(grid, columns, width, dtype)[place]
    left, right = trees.left, trees.right
    # Where all numbers go right and NaN left, the two change sides: an edge at -inf is none.
    turned = (edge == -np.inf) & nan_left
    left, right = np.where(turned, right, left), np.where(turned, left, right)
    edge, nan_left = np.where(turned, -edge, edge), nan_left & ~turned
    idle = (edge == -np.inf) | ((edge == np.inf) & nan_left)
    kept = _without(idle, np.where(edge > 0, left, right), trees.roots, left, right)

    edge, column = edge[kept.nodes], column[kept.nodes]
    features, feature = np.unique(columns.source[column], return_inverse=True)
    edges = [np.unique(edge[feature == f]) for f in range(len(features))]
    threshold = np.zeros(len(feature), np.int32)
    for f, own in enumerate(edges):
        threshold[feature == f] = np.searchsorted(own, edge[feature == f])
    small = InputGrid(
        features,
        np.cumsum([0] + [len(own) for own in edges]),
        np.concatenate([grid.edges[:0], *edges]),
    )
    table = TreeTable(
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
    return small, table


def read_missing(columns: Columns, width: int, dtype: str) -> NDArray[Any]:
    """What the steps make of NaN in each column, float array of shape (c,)."""
    values: NDArray[Any] = columns.transform(np.full((1, width), np.nan, dtype))[0]
    return values


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
            reached: NDArray[np.bool_] = (
                columns.transform(table)[row, column].astype(np.float32) <= edge
            )
        return reached

    edges = grid.edges.copy()
    if len(at):
        found = last_where(below, edge.shape)
        found = np.where(found == _MAX, np.inf, np.where(below(-_MAX), found, -np.inf))
        edges[at] = found
    return edges


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
    number = np.cumsum(alive) - 1
    roots, left, right = (
        np.where(child >= 0, number[np.maximum(child, 0)], ~np.searchsorted(leaves, ~child))
        for child in (roots, left[nodes], right[nodes])
    )
    return _Kept(nodes, leaves, roots, left, right)


class FoldedLinear(NamedTuple):
    """A linear table on raw columns.

    Attributes
    ----------
    table : LinearTable
    bias : int64 array of shape (S,)
        What it adds to the bias.
    exact : bool
        Whether it rounds as before.
    """

    table: LinearTable
    bias: NDArray[np.int64]
    exact: bool


def fold_linear(
    linear: LinearTable, columns: Columns, width: int, dtype: str, names: NDArray[Any]
) -> FoldedLinear:
    """A linear table that reads raw columns, rounding as nearly as before as float32 can.

    Where the steps replace NaN, the offset moves to the replacement, which NaN reads as;
    `input_bits` grows by one to keep the range.

    Parameters
    ----------
    linear : LinearTable
    columns : Columns
    width : int
        Raw columns, d.
    dtype : {"float32", "float64"}
        In which the steps are given their rows.
    names : array of shape (d,)
        Of the raw columns, for messages.

    Returns
    -------
    folded : FoldedLinear

    Raises
    ------
    ValueError
        If the raw columns cannot be read so.
    """
    at = linear.features
    raw = columns.source[at]
    values, counts = np.unique(raw, return_counts=True)
    if (counts > 1).any():
        twice = names[values[counts > 1][0]]
        raise ValueError(
            f"column {twice!r} reaches the linear part more than once, which reads it once only: "
            "let the ColumnTransformer pass it on once"
        )
    for end, limit in ((-_MAX, -linear.q_max), (_MAX, linear.q_max)):
        reached = columns.transform(np.full((1, width), end, dtype))[0][at].astype(np.float32)
        short = (columns.clipped[at] != "") & (round_input(reached, linear) != limit)
        if short.any():
            first = np.flatnonzero(short)[0]
            raise ValueError(
                f"step {columns.clipped[at[first]]!r} clips column {names[raw[first]]!r} where the "
                "linear part does not, which cannot be folded: fit it with clip=False"
            )
    replaced = round_input(read_missing(columns, width, dtype)[at].astype(np.float32), linear)
    bits = linear.input_bits + bool(replaced.any())
    if bits > 16:
        raise ValueError(
            "the steps replace NaN by values that a linear part of 16 input bits cannot take as "
            "its offsets: fit with threshold_bits of 15 or less"
        )
    with np.errstate(over="ignore", under="ignore"):
        moved = linear.offset + replaced / linear.inv_step.astype(np.float64)
        offset = (columns.centre[at] + moved / columns.factor[at]).astype(np.float32)
        inv_step = (linear.inv_step * columns.factor[at]).astype(np.float32)
    lost = ~(np.isfinite(offset) & np.isfinite(inv_step) & (inv_step > 0))
    if lost.any():
        raise ValueError(
            f"column {names[raw[np.flatnonzero(lost)[0]]]!r} has a range that float32 cannot tell: "
            "rescale the rows"
        )
    order = np.argsort(raw)
    table = LinearTable(
        raw[order],
        offset[order],
        inv_step[order],
        bits,
        linear.weights[order],
        linear.value_bits,
    )
    exact = not replaced.any() and bool((columns.scaled[at] == "").all())
    return FoldedLinear(table, replaced.astype(np.int64) @ linear.weights, exact)
