"""The nearest other row of each row of a table, by numbers and by categories."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from skdistill.transfer.row_blocks import near_blocks
from skdistill.utils.jit import njit
from skdistill.utils.threads import blocks, run_tasks, thread_count

_BLOCK_SIZE = 256  # rows whose distances are computed together: a few columns of them fit into L1
_CHUNK_SIZE = 4096  # rows that a thread searches for at a time


def nearest_other(
    X: NDArray[np.float64], is_categorical: NDArray[np.bool_], block_size: int | None = None
) -> NDArray[np.int64]:
    """Find the nearest other row of each row.

    Columns of numbers are scaled to [0, 1] and add the square of their difference, missing
    values lying at the median; a column of categories adds 1 where two rows differ, as numbers
    do that lie a whole range apart, and a missing value is a category.

    Parameters
    ----------
    X : float64 array of shape (n_samples, n_features)
        At least two rows; NaN allowed.
    is_categorical : bool array of shape (n_features,)
        Columns that hold categories.
    block_size : int, default=None
        Of more rows, the nearest within blocks of so many is found; None compares all rows.

    Returns
    -------
    nearest : int64 array of shape (n_samples,)
        With columns of categories the nearest in float64, of several the first. Without, as
        scikit-learn finds it in float32.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer.neighbours import nearest_other
    >>> X = np.array([[0.0, 1.0], [0.1, 2.0], [0.9, 1.0], [1.0, 1.0]])
    >>> nearest_other(X, np.array([False, True])).tolist()
    [2, 0, 3, 2]
    """
    is_mixed = is_categorical.any()
    Z = _scaled(X[:, ~is_categorical], np.float64 if is_mixed else np.float32)
    codes = _codes(X[:, is_categorical])

    def search(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return _nearest_mixed(Z[rows], codes[rows]) if is_mixed else _nearest_numbers(Z[rows])

    nearest = np.empty(len(X), np.int64)
    for rows in near_blocks(Z, codes, block_size or len(X)):
        nearest[rows] = rows[search(rows)]
    return nearest


def _nearest_numbers(Z: NDArray[np.float32]) -> NDArray[np.int64]:
    """Nearest other rows, where all columns are numbers."""
    # Trees pay for few columns only; brute force is BLAS on all cores.
    algorithm = "brute" if Z.shape[1] > 10 else "auto"
    neighbours = (
        NearestNeighbors(n_neighbors=2, algorithm=algorithm, n_jobs=thread_count())
        .fit(Z)
        .kneighbors(Z, return_distance=False)
    )
    # Among equal rows a row need not be its own nearest: take the one that is not itself.
    first, second = neighbours.T
    nearest: NDArray[np.int64] = np.where(first == np.arange(len(Z)), second, first)
    return nearest.astype(np.int64)


def _scaled(X: NDArray[np.float64], dtype: Any) -> NDArray[Any]:
    """Columns in [0, 1]; missing values lie at the median."""
    Z = np.zeros(X.shape, dtype)
    for j in range(X.shape[1]):
        x = X[:, j]
        missing = np.isnan(x)
        if missing.all():
            continue
        low, high = x[~missing].min(), x[~missing].max()
        if high > low:
            # x / span − low / span: the difference of two huge values could overflow.
            span = high - low
            Z[:, j] = np.where(missing, np.median(x[~missing]), x) / span - low / span
    return Z


def _codes(X: NDArray[np.float64]) -> NDArray[Any]:
    """Categories of each column as 0, 1, ...; NaN is one."""
    codes = np.empty(X.shape, np.int32)
    for j in range(X.shape[1]):
        codes[:, j] = np.unique(X[:, j], return_inverse=True)[1]
    return codes.astype(np.uint8) if codes.max(initial=0) < 256 else codes


def _nearest_mixed(Z: NDArray[np.float64], codes: NDArray[Any]) -> NDArray[np.int64]:
    """Nearest other rows by brute force, on all cores; threads share no result."""
    # With equal categories side by side, most blocks are too far away by categories alone.
    row = np.lexsort(codes.T)
    Z, codes = np.ascontiguousarray(Z[row].T), np.ascontiguousarray(codes[row].T)
    nearest = np.empty(len(row), np.int64)

    def search(part: slice) -> None:
        nearest[row[part]] = _search(Z, codes, row, part.start, part.stop)

    run_tasks(search, blocks(len(row), _CHUNK_SIZE))
    return nearest


@njit
def _search(
    Z: NDArray[np.float64],
    codes: NDArray[Any],
    row: NDArray[np.intp],
    begin: int,
    end: int,
) -> NDArray[np.int64]:
    """Nearest other rows of the sorted rows begin … end − 1, as numbers of unsorted rows.

    Z and codes are transposed, one column after the other, so that the inner loops read side by
    side. Distances of a block are computed column by column; where the categories alone are
    farther than the nearest row so far, numbers are not read at all. Of several nearest rows the
    first of the unsorted ones counts, so that the result does not depend on the order of blocks.
    """
    n_samples = len(row)
    n_blocks = (n_samples + _BLOCK_SIZE - 1) // _BLOCK_SIZE
    differ, distance = np.empty(_BLOCK_SIZE, np.int16), np.empty(_BLOCK_SIZE)
    nearest = np.empty(end - begin, np.int64)
    for i in range(begin, end):
        best, best_row = np.inf, n_samples
        for step in range(n_blocks):  # its own block first: the bound is soon small
            start = (i // _BLOCK_SIZE + step) % n_blocks * _BLOCK_SIZE
            size = min(_BLOCK_SIZE, n_samples - start)
            differ[:] = 0
            for j in range(len(codes)):
                column = codes[j, start : start + size]
                for k in range(size):
                    differ[k] += np.int16(column[k] != codes[j, i])
            if differ[:size].min() > best:
                continue
            for k in range(size):
                distance[k] = differ[k]
            for j in range(len(Z)):
                numbers = Z[j, start : start + size]
                for k in range(size):
                    gap = numbers[k] - Z[j, i]
                    distance[k] += gap * gap
            if start <= i < start + size:
                distance[i - start] = np.inf  # not itself
            for k in range(size):
                if distance[k] < best or (distance[k] == best and row[start + k] < best_row):
                    best, best_row = distance[k], row[start + k]
        nearest[i - begin] = best_row
    return nearest
