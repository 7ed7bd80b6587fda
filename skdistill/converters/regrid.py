"""Trees with float thresholds on an input grid, and on a coarser one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.grid import MAX_EDGES, InputGrid
from skdistill.converters.float_trees import FloatTree
from skdistill.quantization.assemble import QuantizedTree
from skdistill.quantization.binning import round_down


def on_a_grid(
    trees: Sequence[FloatTree],
    n_features: int,
    dtype: str = "float32",
    *,
    casts_to_float32: bool = False,
) -> tuple[InputGrid, list[QuantizedTree]]:
    """Put trees on the grid of all their thresholds, rounded toward −inf to `dtype`.

    Parameters
    ----------
    trees : sequence of FloatTree
        With thresholds of any precision.
    n_features : int
        Columns of the input.
    dtype : {"float32", "int32"}, default="float32"
        The type that rows are compared in.
    casts_to_float32 : bool, default=False
        Whether the trees' own library rounds int32 rows to float32 before it compares.

    Returns
    -------
    grid : InputGrid
        Of all columns.
    trees : list of QuantizedTree
        Their values are real numbers.

    Raises
    ------
    ValueError
        For thresholds below all numbers of `dtype`, and more of them in one column than a
        grid can hold.
    """
    inner = [tree.feature >= 0 for tree in trees]
    column = np.concatenate([tree.feature[i] for tree, i in zip(trees, inner, strict=True)])
    exact = np.concatenate([tree.threshold[i] for tree, i in zip(trees, inner, strict=True)])
    if casts_to_float32 and dtype == "int32":
        edge = _last_integers(round_down(exact))
    else:
        edge = round_down(exact, dtype)
    if (edge == -np.inf).any():
        raise ValueError(
            f"column {column[np.argmax(edge == -np.inf)]} is split below the least number of "
            "float32: scale it down"
        )
    order = np.lexsort((edge, column))
    sorted_column, sorted_edge = column[order], edge[order]
    is_new = np.ones(len(order), bool)  # the first of equal edges of a column
    is_new[1:] = (sorted_column[1:] != sorted_column[:-1]) | (sorted_edge[1:] != sorted_edge[:-1])
    counts = np.bincount(sorted_column[is_new], minlength=n_features)
    if counts.max(initial=0) > MAX_EDGES:
        raise ValueError(
            f"column {counts.argmax()} has {counts.max()} different thresholds, a grid holds "
            f"{MAX_EDGES} of a column: fit fewer or smaller trees"
        )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    grid = InputGrid(np.arange(n_features), offsets, sorted_edge[is_new].astype(dtype))
    code = np.empty(len(order), np.int32)
    code[order] = np.cumsum(is_new) - 1 - offsets[sorted_column]
    quantized, start = [], 0
    for tree, i in zip(trees, inner, strict=True):
        threshold = np.zeros(len(i), np.int32)
        threshold[i] = code[start : start + int(i.sum())]
        start += int(i.sum())
        quantized.append(
            QuantizedTree(tree.feature, threshold, tree.nan_left, tree.children, tree.values)
        )
    return grid, quantized


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
    grid: InputGrid, trees: Sequence[QuantizedTree], coarse: InputGrid, X: NDArray[Any]
) -> tuple[InputGrid, list[QuantizedTree]]:
    """Move each threshold to the edge of a coarser grid that changes the way of fewest rows.

    Parameters
    ----------
    grid : InputGrid
        Of all columns.
    trees : sequence of QuantizedTree
        On `grid`.
    coarse : InputGrid
        Of all columns.
    X : array of shape (n_samples, n_features)
        The rows that count.

    Returns
    -------
    grid : InputGrid
        `coarse`, and for columns that have no edge there those of `grid`.
    trees : list of QuantizedTree
        On the new grid.
    """
    nearest, edges = [], []
    for column, (fine, coarse_edges) in enumerate(zip(_edges(grid), _edges(coarse), strict=True)):
        if len(fine) == 0 or len(coarse_edges) == 0:
            nearest.append(np.arange(len(fine)))
            edges.append(fine)
            continue
        x = np.sort(X[:, column])
        # Rows up to each edge; the edge whose number is nearest changes the way of fewest.
        below, below_coarse = (
            np.searchsorted(x, part, side="right") for part in (fine, coarse_edges)
        )
        after = np.minimum(np.searchsorted(below_coarse, below), len(coarse_edges) - 1)
        before = np.maximum(after - 1, 0)
        closer = np.abs(below - below_coarse[before]) < np.abs(below_coarse[after] - below)
        nearest.append(np.where(closer, before, after))
        edges.append(coarse_edges)
    offsets = np.cumsum([0] + [len(part) for part in edges])
    new_code = np.concatenate(nearest)
    moved = []
    for tree in trees:
        inner = tree.feature >= 0
        threshold = np.zeros(len(inner), np.int32)
        threshold[inner] = new_code[grid.offsets[tree.feature[inner]] + tree.threshold[inner]]
        moved.append(tree._replace(threshold=threshold))
    return InputGrid(grid.features, offsets, np.concatenate(edges)), moved


def _edges(grid: InputGrid) -> list[NDArray[Any]]:
    """Edges of each column."""
    return np.split(grid.edges, grid.offsets[1:-1])
