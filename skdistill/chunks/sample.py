"""A random sample of rows that hangs on the rows' numbers alone.

Every row has a key, a hash of its number and the seed; the rows with the lowest keys are the sample
(bottom-k sampling, Cohen & Kaplan 2007, "Summarizing data using bottom-k sketches"). It is the same
however a table is divided into chunks or partitions, in whatever order these are read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.chunks.chunk import Chunk
from skdistill.dataframe import concat_rows, is_frame, take_rows


def row_keys(first: int, n_rows: int, seed: int) -> NDArray[np.uint64]:
    """Keys of consecutive rows.

    Parameters
    ----------
    first : int
        Number of the first row.
    n_rows : int
        How many.
    seed : int
        Non-negative.

    Returns
    -------
    keys : uint64 array of shape (n_rows,)
        All different; evenly distributed.

    Examples
    --------
    >>> from skdistill.chunks.sample import row_keys
    >>> bool((row_keys(0, 9, seed=1)[4:] == row_keys(4, 5, seed=1)).all())
    True
    """
    # splitmix64: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators".
    start = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    rows = np.arange(first + 1, first + n_rows + 1, dtype=np.uint64)
    z = rows * np.uint64(0x9E3779B97F4A7C15) + start
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keys: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return keys


class _Part(NamedTuple):
    """Rows that may be in the sample, in the order of the table."""

    keys: NDArray[np.uint64]
    chunk: Chunk

    def take(self, which: NDArray[np.bool_]) -> _Part:
        """Some of the rows."""
        chunk = self.chunk
        return _Part(
            self.keys[which],
            chunk._replace(
                X=take_rows(chunk.X, which),
                y=None if chunk.y is None else take_rows(chunk.y, which),
                sample_weight=None if chunk.sample_weight is None else chunk.sample_weight[which],
            ),
        )


class RowSample:
    """The rows with the lowest keys, of as many chunks as are added.

    Parameters
    ----------
    max_samples : int
        Maximum number of rows.
    seed : int
        Of the keys.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.chunks.chunk import Chunk
    >>> from skdistill.chunks.sample import RowSample
    >>> sample = RowSample(3, seed=0)
    >>> for first in (0, 50):
    ...     sample.add(Chunk(first // 50, first, np.arange(first, first + 50)[:, None]))
    >>> len(sample.chunk().X)
    3
    """

    def __init__(self, max_samples: int, seed: int) -> None:
        self.max_samples, self.seed = max_samples, seed
        self.n_samples = 0
        self._parts: list[_Part] = []
        self._largest = np.uint64(2**64 - 1)  # key that a row of the sample may have

    @property
    def n_drawn(self) -> int:
        """Rows that the sample has, up to `max_samples`."""
        return min(self.max_samples, sum(len(part.keys) for part in self._parts))

    def add(self, chunk: Chunk, limit: np.uint64 | None = None) -> None:
        """See the rows of a chunk.

        Parameters
        ----------
        chunk : Chunk
            Another one each time.
        limit : uint64, default=None
            No row with a higher key is looked at. None is no limit.
        """
        self.n_samples += chunk.n_samples
        keys = row_keys(chunk.first_row, chunk.n_samples, self.seed)
        which = keys <= (self._largest if limit is None else min(limit, self._largest))
        if which.any():
            # A copy, so that no chunk stays in memory for a few of its rows.
            self._parts.append(_Part(keys, chunk).take(which))
        # Each cut copies the sample, each row that waits for one takes memory.
        if sum(len(part.keys) for part in self._parts) > 1.25 * self.max_samples:
            self._cut()

    def merge(self, other: RowSample) -> None:
        """See what another sample, of other rows of the table, has seen.

        Parameters
        ----------
        other : RowSample
            With the same seed.
        """
        self.n_samples += other.n_samples
        self._parts += other._parts

    def _cut(self) -> None:
        """Leave out rows that cannot be in the sample."""
        keys = np.concatenate([part.keys for part in self._parts])
        if len(keys) <= self.max_samples:
            return
        self._largest = np.partition(keys, self.max_samples - 1)[self.max_samples - 1]
        parts = ((part, part.keys <= self._largest) for part in self._parts)
        self._parts = [part.take(which) for part, which in parts if which.any()]

    def chunk(self) -> Chunk:
        """The sample as one chunk, its rows in the order of the table.

        Returns
        -------
        chunk : Chunk

        Raises
        ------
        ValueError
            If no row was added.
        """
        if not self._parts:
            raise ValueError("the chunks hold no rows: at least one is needed")
        self._cut()
        chunks = [part.chunk for part in sorted(self._parts, key=lambda one: one.chunk.first_row)]
        weights = [chunk.sample_weight for chunk in chunks if chunk.sample_weight is not None]
        targets = [chunk.y for chunk in chunks if chunk.y is not None]
        return Chunk(
            0,
            0,
            concat_all([chunk.X for chunk in chunks]),
            concat_all(targets) if targets else None,
            np.concatenate(weights) if weights else None,
        )


def concat_all(tables: list[Any]) -> Any:
    """Put many containers one below the other.

    Parameters
    ----------
    tables : list of data frames or of arrays
        At least one; all of a kind.

    Returns
    -------
    rows : data frame or array
    """
    if not is_frame(tables[0]) and all(isinstance(table, np.ndarray) for table in tables):
        return np.concatenate(tables)
    while len(tables) > 1:  # pairs of pairs: rows are copied log2(n) times
        pairs = [tables[i : i + 2] for i in range(0, len(tables), 2)]
        tables = [concat_rows(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return tables[0]
