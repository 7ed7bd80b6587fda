"""Blocks of rows that lie near each other, as the leaves of a k-d tree.

Bentley 1975, "Multidimensional binary search trees used for associative searching". Rows are
divided at the median of the column in which they differ most, categories as whole groups, until
each block is small. Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_SHARE = 8  # a cut leaves at least one row of so many on either side, if any cut does


def near_blocks(
    Z: NDArray[Any], codes: NDArray[Any], block_size: int
) -> Iterator[NDArray[np.int64]]:
    """Divide rows into blocks of near ones.

    Parameters
    ----------
    Z : float array of shape (n_samples, n_numbers)
        Numbers, scaled alike, none missing.
    codes : integer array of shape (n_samples, n_nominal)
        Categories.
    block_size : int
        Rows of a block at most, 3 or more. A block of a divided table has at least an eighth of
        them, and two rows.

    Yields
    ------
    rows : int64 array
        Row numbers of a block, ascending. Each row is in one block.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer.row_blocks import near_blocks
    >>> Z = np.array([[0.1], [0.9], [0.2], [0.8]])
    >>> [rows.tolist() for rows in near_blocks(Z, np.empty((4, 0), np.uint8), 3)]
    [[0, 2], [1, 3]]
    """
    pending = [np.arange(len(Z))]
    while pending:
        rows = pending.pop()
        if len(rows) <= block_size:
            yield rows
            continue
        is_left = _cut(Z[rows], codes[rows])
        pending += [rows[~is_left], rows[is_left]]


def _cut(Z: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows go to the left: by the first column that divides them well."""
    n_samples = len(Z)
    counts = [np.bincount(column) for column in codes.T]
    # What two rows that are drawn at random differ in a column, on average.
    numbers = 2 * Z.var(axis=0, dtype=np.float64)
    nominal = np.array([1 - np.sum((count / n_samples) ** 2) for count in counts])
    for column in np.argsort(-np.concatenate([numbers, nominal]), kind="stable"):
        if column < len(numbers):
            is_left = _below_median(Z[:, column])
        else:
            which = column - len(numbers)
            is_left = _half_of_categories(counts[which])[codes[:, which]]
        n_left = np.count_nonzero(is_left)
        if min(n_left, n_samples - n_left) >= max(2, n_samples // _LEAST_SHARE):
            return is_left
    return np.arange(n_samples) < n_samples // 2  # most rows are equal: any half does


def _below_median(z: NDArray[Any]) -> NDArray[np.bool_]:
    """Of equal numbers all or none, whichever is nearer to a half."""
    median = np.partition(z, len(z) // 2)[len(z) // 2]
    n_below, n_above = np.count_nonzero(z < median), np.count_nonzero(z > median)
    is_left: NDArray[np.bool_] = z < median if n_below >= n_above else z <= median
    return is_left


def _half_of_categories(count: NDArray[np.intp]) -> NDArray[np.bool_]:
    """For each category whether it goes to the left: the most frequent first, to fewer rows."""
    is_left = np.zeros(len(count), bool)
    sides = [0, 0]
    for category in np.argsort(-count, kind="stable"):
        side = int(sides[0] > sides[1])  # 0 is the left
        is_left[category] = side == 0
        sides[side] += count[category]
    return is_left
