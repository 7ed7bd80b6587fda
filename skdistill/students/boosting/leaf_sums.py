"""Sums over the leaves of trees: values that leaves add to rows, and rows that add up in leaves.

Both are the inner loops of boosting. Rows of numbers are padded to a multiple of four, which
vector units add at once. Threads divide rows in parts that do not hang on their number, and the
sums of the parts are added up in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.jit import njit
from skdistill.utils.threads import blocks
from skdistill.utils.vectors import add_four_rows, add_row, add_to_four_rows, padded_width

ROWS = 8192  # at a time: 256 kB of sums of 8 scores, which the second-level cache holds
_MANY = 1 << 15  # rows whose numbers are float32
_PARTS = 16  # of the rows: as much work for each of 2, 4, 8 or 16 threads
_PART = 4096  # rows that are not divided: two threads would take as long
_TILE = 512  # rows whose numbers stay in the first-level cache


def parts_of_rows(n_samples: int) -> Sequence[Sequence[slice]]:
    """Divide rows among threads: parts, and the blocks of each, one after the other.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    Returns
    -------
    parts : list of list of slice
        As many, whatever the number of threads, and nearly as long.
    """
    n_parts = min(_PARTS, max(1, n_samples // _PART))
    ends = [n_samples * part // n_parts for part in range(n_parts + 1)]
    return [
        [slice(start + block.start, start + block.stop) for block in blocks(stop - start, ROWS)]
        for start, stop in pairwise(ends)
    ]


def row_dtype(n_samples: int) -> np.dtype[Any]:
    """Type in which raw predictions and gradients of rows are computed.

    float32 takes half the time and memory of float64. What it rounds differs from row to row, and
    is lost in sums of many rows. With few rows, a weight of 3 gives the model of three rows.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    Returns
    -------
    dtype : dtype
    """
    return np.dtype(np.float32 if n_samples >= _MANY else np.float64)


def padded(table: NDArray[Any], dtype: Any = np.float64) -> NDArray[Any]:
    """A copy with zeros beside its columns.

    Parameters
    ----------
    table : float array of shape (n_rows, n_scores)
        Values of leaves or of rows.
    dtype : float dtype, default=float64
        Of the copy.

    Returns
    -------
    copy : array of `dtype` and shape (n_rows, width), C-contiguous
    """
    copy = np.zeros((len(table), padded_width(table.shape[1])), dtype)
    copy[:, : table.shape[1]] = table
    return copy


def by_tree(leaves: NDArray[Any], n_leaves: int) -> NDArray[Any]:
    """Leaves tree by tree, in the narrowest type.

    Parameters
    ----------
    leaves : int array of shape (n_samples, n_trees)
        Leaf of each row in each tree.
    n_leaves : int
        Leaves of all trees.

    Returns
    -------
    leaves : uint8, uint16 or uint32 array of shape (n_trees, n_samples), C-contiguous
        No copy where `leaves` is the transposed of such an array.
    """
    return np.ascontiguousarray(leaves.T, np.min_scalar_type(max(0, n_leaves - 1)))


def add_rows_to_leaves(
    leaves: NDArray[Any], rows: NDArray[np.float64], total: NDArray[np.float64]
) -> None:
    """Add to the total of each leaf the values of its rows.

    Parameters
    ----------
    leaves : int array of shape (n_samples, n_trees)
        Leaf of each row in each tree.
    rows : float64 array of shape (n_samples, n_values)
        Values of the rows.
    total : float64 array of shape (n_leaves, n_values)
        Changed in place.
    """
    sums, of_trees = padded(total), by_tree(leaves, len(total))
    for part in blocks(len(rows), 1 << 16):
        add_to_leaves(of_trees, np.arange(len(of_trees)), padded(rows[part]), sums, part.start)
    total[:] = sums[:, : total.shape[1]]


def add_to_leaves(
    leaves: NDArray[Any],
    trees: NDArray[np.intp],
    rows: NDArray[Any],
    total: NDArray[np.float64],
    start: int,
) -> None:
    """Add some rows to the totals of their leaves, in their order.

    Parameters
    ----------
    leaves : uint array of shape (n_trees, n_samples)
        As `by_tree` returns them.
    trees : int array of shape (n_used,)
        Trees that count; no two have a leaf in common.
    rows : float32 or float64 array of shape (n_rows, width)
        Values of the rows from `start` on.
    total : float64 array of shape (n_leaves, width)
        Changed in place.
    start : int
        First of the rows.
    """
    _add_to_leaves(leaves, trees, rows.ravel(), total.ravel(), start, rows.shape[1])


def add_leaf_values(
    leaves: NDArray[Any],
    trees: NDArray[np.intp],
    values: NDArray[Any],
    z: NDArray[Any],
    start: int,
) -> None:
    """Add to some rows the values of their leaves.

    Parameters
    ----------
    leaves : uint array of shape (n_trees, n_samples)
        As `by_tree` returns them.
    trees : int array of shape (n_used,)
        Trees that count, in the order in which they are added.
    values : float32 or float64 array of shape (n_leaves, width)
        Values of the leaves.
    z : array of the type of `values` and shape (n_rows, width), C-contiguous
        Sums of the rows from `start` on, changed in place.
    start : int
        First of the rows.
    """
    _add_leaf_values(leaves, trees, values.ravel(), z.ravel(), start, z.shape[1])


@njit
def _add_leaf_values(leaves, trees, values, z, start, width):  # type: ignore[no-untyped-def]
    """Add the values of leaves, of four trees at a time: sums are read and written once."""
    n_rows, n_trees = len(z) // width, len(trees)
    for first in range(0, n_rows, _TILE):
        stop = min(n_rows, first + _TILE)
        if width == 1:
            for t in range(n_trees):
                leaf = leaves[trees[t]]
                for i in range(first, stop):
                    z[i] += values[leaf[start + i]]
            continue
        for t in range(0, n_trees - 3, 4):
            leaf_a, leaf_b = leaves[trees[t]], leaves[trees[t + 1]]
            leaf_c, leaf_d = leaves[trees[t + 2]], leaves[trees[t + 3]]
            for i in range(first, stop):
                a, b = np.intp(leaf_a[start + i]) * width, np.intp(leaf_b[start + i]) * width
                c, d = np.intp(leaf_c[start + i]) * width, np.intp(leaf_d[start + i]) * width
                for k in range(0, width - 7, 8):
                    add_four_rows(z, i * width + k, values, a + k, b + k, c + k, d + k, 8)
                if width % 8:
                    k = width - 4
                    add_four_rows(z, i * width + k, values, a + k, b + k, c + k, d + k, 4)
        for t in range(n_trees - n_trees % 4, n_trees):
            leaf = leaves[trees[t]]
            for i in range(first, stop):
                a = np.intp(leaf[start + i]) * width
                for k in range(0, width, 4):
                    add_row(z, i * width + k, values, a + k, 4)


@njit
def _add_to_leaves(leaves, trees, rows, total, start, width):  # type: ignore[no-untyped-def]
    """Add rows to totals, to four trees at a time: one addition need not wait for the last."""
    n_rows, n_trees = len(rows) // width, len(trees)
    for first in range(0, n_rows, _TILE):
        stop = min(n_rows, first + _TILE)
        if width == 1:
            for t in range(n_trees):
                leaf = leaves[trees[t]]
                for i in range(first, stop):
                    total[leaf[start + i]] += rows[i]
            continue
        for t in range(0, n_trees - 3, 4):
            leaf_a, leaf_b = leaves[trees[t]], leaves[trees[t + 1]]
            leaf_c, leaf_d = leaves[trees[t + 2]], leaves[trees[t + 3]]
            for i in range(first, stop):
                a, b = np.intp(leaf_a[start + i]) * width, np.intp(leaf_b[start + i]) * width
                c, d = np.intp(leaf_c[start + i]) * width, np.intp(leaf_d[start + i]) * width
                for k in range(0, width - 7, 8):
                    add_to_four_rows(total, a + k, b + k, c + k, d + k, rows, i * width + k, 8)
                if width % 8:
                    k = width - 4
                    add_to_four_rows(total, a + k, b + k, c + k, d + k, rows, i * width + k, 4)
        for t in range(n_trees - n_trees % 4, n_trees):
            leaf = leaves[trees[t]]
            for i in range(first, stop):
                a = np.intp(leaf[start + i]) * width
                for k in range(0, width, 4):
                    add_row(total, a + k, rows, i * width + k, 4)


@njit
def add_columns(rows, total):  # type: ignore[no-untyped-def]
    """Add all rows to `total`, float64 array of as many columns or fewer."""
    for i in range(len(rows)):
        for k in range(len(total)):
            total[k] += rows[i, k]
