"""Trees with float thresholds on the edges of an input grid, and on fewer of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.grid import MAX_EDGES, InputGrid
from skdistill.converters.float_trees import FloatTree
from skdistill.quantization.assemble import QuantizedTree
from skdistill.quantization.binning import round_below, round_down, round_to_nearest


class TreesOnEdges(NamedTuple):
    """Trees whose thresholds are numbers of edges.

    Attributes
    ----------
    edges : list of arrays, one a column
        Ascending; float32 or int32.
    trees : list of QuantizedTree
        Their values are real numbers.
    thresholds : list of float64 arrays, one a column
        The different thresholds before rounding, ascending. With fewer edges some merged.
    n_moved_rows : int or None
        Rows of `X` that some rounded threshold sends to the other side; None without `X`.
    moved_columns : list of int
        Where these rows have such thresholds.
    """

    edges: list[NDArray[Any]]
    trees: list[QuantizedTree]
    thresholds: list[NDArray[np.float64]]
    n_moved_rows: int | None
    moved_columns: list[int]

    def grid(self) -> InputGrid:
        """The edges of all columns as a grid.

        Raises
        ------
        ValueError
            For more edges in one column than a grid can hold.
        """
        counts = np.array([len(part) for part in self.edges])
        if counts.max(initial=0) > MAX_EDGES:
            raise ValueError(
                f"column {counts.argmax()} has {counts.max():,} different thresholds, a grid holds "
                f"{MAX_EDGES:,} of a column: pass threshold_bits=16 and X, or fit fewer or smaller "
                "trees"
            )
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return InputGrid(np.arange(len(counts)), offsets, np.concatenate(self.edges))


def on_edges(
    trees: Sequence[FloatTree],
    n_features: int,
    dtype: str = "float32",
    *,
    casts_to_float32: bool = False,
    is_strict: bool = False,
    behind_steps: bool = False,
    X: NDArray[Any] | None = None,
) -> TreesOnEdges:
    """Round all thresholds to numbers that rows are compared with.

    Rows of float32 or int32 keep their way where thresholds are rounded toward −inf. Rows of
    float64, which the trees' library compares as they are and a compact model rounds to
    float32, are nearest to their own way where thresholds are rounded to nearest, too: a
    value that equals its threshold stays on its side. With `X`, a threshold lies between the
    rounded rows of both its sides.

    Parameters
    ----------
    trees : sequence of FloatTree
        With thresholds of any precision.
    n_features : int
        Columns of the input.
    dtype : {"float32", "float64", "int32"}, default="float32"
        The type in which rows arrive. The edges of "float64" are float32 numbers.
    casts_to_float32 : bool, default=False
        Whether the trees' own library rounds rows to float32 before it compares.
    is_strict : bool, default=False
        Whether rows that equal a threshold of the library go right there.
    behind_steps : bool, default=False
        Whether steps in front of the trees compute with rows before the library rounds them.
    X : array of shape (n_samples, n_features), default=None
        Rows before any rounding, numbers of any type. Read for dtype="float64" only, where the
        trees or steps in front of them compare or compute in float64.

    Returns
    -------
    on_edges : TreesOnEdges

    Raises
    ------
    ValueError
        For thresholds below all numbers of `dtype`.
    """
    inner = [tree.feature >= 0 for tree in trees]
    column = np.concatenate([tree.feature[i] for tree, i in zip(trees, inner, strict=True)])
    exact = np.concatenate([tree.threshold[i] for tree, i in zip(trees, inner, strict=True)])
    ends = np.searchsorted(np.sort(column), np.arange(n_features + 1))
    by_column = np.split(np.argsort(column, kind="stable"), ends[1:-1])
    code = np.empty(len(column), np.int32)
    edges, different = [], []
    compares_float64 = dtype == "float64" and (behind_steps or not casts_to_float32)
    # The numbers of rows are XGBoost's thresholds: the first on the right lies at no distance.
    round_edges = round_to_nearest
    if casts_to_float32:
        round_edges = round_below if is_strict else round_down
    moved, moved_columns = np.zeros(0 if X is None else len(X), bool), []
    for j, at in enumerate(by_column):
        thresholds, number = np.unique(exact[at], return_inverse=True)
        if not compares_float64:
            rounded = _round_for(thresholds, dtype, casts_to_float32)
        elif X is None:
            rounded = round_edges(thresholds)
        else:
            rounded, moves = _between_rows(
                thresholds, round_edges(thresholds), X[:, j].astype(np.float64)
            )
            moved |= moves
            moved_columns += [j] * bool(moves.any())
        if (rounded == -np.inf).any():
            raise ValueError(
                f"column {j} is split below the least number of float32: scale it down"
            )
        unique, place = np.unique(rounded, return_inverse=True)
        code[at] = place.reshape(-1)[number.reshape(-1)]
        edges.append(unique)
        different.append(thresholds)
    quantized, start = [], 0
    for tree, i in zip(trees, inner, strict=True):
        threshold = np.zeros(len(i), np.int32)
        threshold[i] = code[start : start + int(i.sum())]
        start += int(i.sum())
        quantized.append(
            QuantizedTree(tree.feature, threshold, tree.nan_left, tree.children, tree.values)
        )
    count = int(moved.sum()) if compares_float64 and X is not None else None
    return TreesOnEdges(edges, quantized, different, count, moved_columns)


def _round_for(thresholds: NDArray[np.float64], dtype: str, casts_to_float32: bool) -> NDArray[Any]:
    """The last number of the compared type at or below each threshold."""
    if dtype == "int32":
        if casts_to_float32:
            return _last_integers(round_down(thresholds))
        return round_down(thresholds, "int32")
    return round_down(thresholds)


def _between_rows(
    thresholds: NDArray[np.float64], edges: NDArray[np.float32], x: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Edges moved between the rounded numbers of both sides, and rows that still change sides."""
    order = np.argsort(x, kind="stable")  # NaN comes last
    ordered = x[order[: len(x) - int(np.isnan(x).sum())]]
    moves = np.zeros(len(x), bool)
    if len(ordered) == 0:
        return edges, moves
    rounded = ordered.astype(np.float32)
    left = np.searchsorted(ordered, thresholds, side="right")  # numbers on the left side
    parts = (left > 0) & (left < len(ordered))
    low = rounded[np.maximum(left - 1, 0)]
    high = rounded[np.minimum(left, len(ordered) - 1)]
    edges = np.where(left > 0, np.maximum(edges, low), edges)
    below_high = np.nextafter(high, np.float32(-np.inf))
    merged = parts & (low == high)
    edges = np.where((left < len(ordered)) & ~merged, np.minimum(edges, below_high), edges)
    # Where the rows next to a threshold round to one number, the lighter side changes over.
    same = np.flatnonzero(merged)
    first = np.searchsorted(rounded, low[same], side="left")
    last = np.searchsorted(rounded, low[same], side="right")
    to_left = last - left[same] <= left[same] - first
    edges[same] = np.where(to_left, low[same], below_high[same])
    start = np.where(to_left, left[same], first)
    stop = np.where(to_left, last, left[same])
    change = np.zeros(len(ordered) + 1, np.intp)
    np.add.at(change, start, 1)
    np.add.at(change, stop, -1)
    moves[order[: len(ordered)]] = np.cumsum(change[:-1]) > 0
    return edges, moves


def _last_integers(edges: NDArray[np.float32]) -> NDArray[np.int32]:
    """The largest int32 that float32 rounds to at most each edge."""
    with np.errstate(over="ignore"):
        above = np.nextafter(edges, np.float32(np.inf)).astype(np.float64)
    # Up to the middle between an edge and its neighbour numbers may round to the edge.
    middle = np.floor((edges.astype(np.float64) + above) / 2).clip(-(2.0**31), 2.0**31 - 1)
    middle -= middle.astype(np.float32) > edges  # half-way numbers go to the even neighbour
    last: NDArray[np.int32] = np.maximum(middle, -(2.0**31)).astype(np.int32)
    return last


def coarser(
    fine: TreesOnEdges, coarse: InputGrid, X: NDArray[Any]
) -> tuple[InputGrid, list[QuantizedTree]]:
    """Move each threshold to the edge of a coarser grid that changes the way of fewest rows.

    Parameters
    ----------
    fine : TreesOnEdges
        With any number of edges.
    coarse : InputGrid
        Of all columns.
    X : array of shape (n_samples, n_features)
        The rows that count.

    Returns
    -------
    grid : InputGrid
        `coarse`, and for columns that have no edge there those of `fine`.
    trees : list of QuantizedTree
        On the new grid.
    """
    nearest, edges = [], []
    coarse_edges = np.split(coarse.edges, coarse.offsets[1:-1])
    for column, (own, new) in enumerate(zip(fine.edges, coarse_edges, strict=True)):
        if len(own) == 0 or len(new) == 0:
            nearest.append(np.arange(len(own)))
            edges.append(own)
            continue
        x = np.sort(X[:, column])
        # Rows up to each edge; the edge whose number is nearest changes the way of fewest.
        below, below_new = (np.searchsorted(x, part, side="right") for part in (own, new))
        after = np.minimum(np.searchsorted(below_new, below), len(new) - 1)
        before = np.maximum(after - 1, 0)
        closer = np.abs(below - below_new[before]) < np.abs(below_new[after] - below)
        nearest.append(np.where(closer, before, after))
        edges.append(new)
    start = np.cumsum([0] + [len(part) for part in nearest])
    new_code = np.concatenate(nearest)
    moved = []
    for tree in fine.trees:
        inner = tree.feature >= 0
        threshold = np.zeros(len(inner), np.int32)
        threshold[inner] = new_code[start[tree.feature[inner]] + tree.threshold[inner]]
        moved.append(tree._replace(threshold=threshold))
    return fine._replace(edges=edges).grid(), moved
