"""Chunks as trees learn from them: codes, and statistics in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skdistill.chunks import Chunk, CodedChunk
from skdistill.students.chunk_fit import RowEncoder
from skdistill.students.tree.fixed_point import UNITS, in_units, to_fixed_point


@dataclass(frozen=True)
class ClassificationEncoder(RowEncoder):
    """Codes and statistics of chunks with probabilities.

    Rows that weigh the same have statistics of two bytes in units of 2^-15; weighted ones of four.

    Parameters
    ----------
    source, grid
        As in `RowEncoder`.
    temperature : float
        Of the targets that splits follow.
    first : int
        First class that counts for splits: 1 where one column stands for two.
    count : bool
        Whether rows are counted.
    """

    temperature: float
    first: int
    count: bool

    def __call__(self, chunk: Chunk) -> CodedChunk:
        """Codes and statistics of a chunk; with a temperature also the statistics without it."""
        targets, weight = self.source.targets.read(chunk)
        P = targets.mixture(self.temperature)
        arrays = [self._statistics(P, weight)]
        if self.temperature != 1:
            untempered = targets.mixture()
            if weight is None:
                arrays.append(in_units(untempered))
            else:
                arrays.append(self._weighted(untempered, weight)[:, :-1])
        return CodedChunk(self.codes(chunk), tuple(arrays))

    def _statistics(
        self, P: NDArray[np.float64], weight: NDArray[np.float64] | None
    ) -> NDArray[np.uint16] | NDArray[np.int32]:
        """Targets and weight, and a 1 to count by."""
        if weight is not None:
            row_stats = self._weighted(P[:, self.first :], weight, count=self.count)
            if self.count:
                row_stats[:, -1] = weight > 0
            return row_stats
        n_targets = P.shape[1] - self.first
        units = np.ones((len(P), n_targets + 1 + self.count), np.uint16)
        units[:, :n_targets] = in_units(P)[:, self.first :]
        units[:, n_targets] = UNITS
        return units

    def _weighted(
        self, P: NDArray[np.float64], weight: NDArray[np.float64], *, count: bool = False
    ) -> NDArray[np.int32]:
        return to_fixed_point(P, weight, count=count, largest=self.source.targets.largest_weight)


@dataclass(frozen=True)
class ValueEncoder(RowEncoder):
    """Codes, values and weights of chunks of a regression."""

    def __call__(self, chunk: Chunk) -> CodedChunk:
        """Codes, values and weights of a chunk; weights are left out where all are 1."""
        y, weight = self.source.targets.read(chunk)
        codes = self.codes(chunk)
        if self.source.targets.largest_weight is None:
            return CodedChunk(codes, (y,))
        return CodedChunk(codes, (y, weight))


def value_range(
    shard: CodedChunk,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and largest value of each target, of rows with weight.

    Parameters
    ----------
    shard : CodedChunk
        Of a `ValueEncoder`.

    Returns
    -------
    low, high : float64 arrays of shape (n_outputs,)
    """
    y = shard.arrays[0]
    if len(shard.arrays) > 1:
        y = y[shard.arrays[1] > 0]
    return y.min(axis=0, initial=np.inf), y.max(axis=0, initial=-np.inf)


def value_statistics(
    shard: CodedChunk,
    *,
    middle: NDArray[np.float64],
    unit: NDArray[np.float64],
    count: bool,
    largest: float | None,
) -> NDArray[np.int32]:
    """Statistics of values in [−1, 1].

    Parameters
    ----------
    shard : CodedChunk
        Of a `ValueEncoder`.
    middle, unit : float64 arrays of shape (n_outputs,)
        ``(y - middle) / unit`` lies in [−1, 1].
    count : bool
        Whether rows are counted.
    largest : float or None
        The largest weight; None where all are 1.

    Returns
    -------
    row_stats : int32 array of shape (n_samples, n_stats)
    """
    y = shard.arrays[0]
    row_stats = np.empty((len(y), y.shape[1] + 1 + count), np.int32)
    block = 1 << 16  # rows whose floats are there at a time
    for start in range(0, len(y), block):
        rows = slice(start, start + block)
        weight = shard.arrays[1][rows] if len(shard.arrays) > 1 else np.ones(len(y[rows]))
        values = np.where(weight[:, None] > 0, (y[rows] - middle) / unit, 0.0)
        row_stats[rows] = to_fixed_point(values, weight, count=count, largest=largest or 1.0)
        if count:
            row_stats[rows, -1] = weight > 0
    return row_stats
