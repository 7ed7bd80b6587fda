"""Rows as students keep them: codes, and integer targets beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class CodedChunk(NamedTuple):
    """Codes of some rows, and arrays with an entry for each of them.

    Attributes
    ----------
    codes : uint8 or uint16 array of shape (n_used, n_samples)
        As `InputGrid.encode` returns them.
    arrays : tuple of arrays of shape (n_samples, ...)
        Targets and weights, in a form of the student's.
    """

    codes: NDArray[Any]
    arrays: tuple[NDArray[Any], ...]

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.codes.shape[1])

    def like(self, n_samples: int) -> CodedChunk:
        """Memory for another number of rows, which is not written yet.

        Parameters
        ----------
        n_samples : int
            Number of rows.

        Returns
        -------
        coded : CodedChunk
        """
        return CodedChunk(
            np.empty((len(self.codes), n_samples), self.codes.dtype),
            tuple(np.empty((n_samples, *each.shape[1:]), each.dtype) for each in self.arrays),
        )

    def write(self, first: int, part: CodedChunk) -> None:
        """Write the rows of a chunk.

        Parameters
        ----------
        first : int
            Where they begin.
        part : CodedChunk
            The chunk's.
        """
        rows = slice(first, first + part.n_samples)
        self.codes[:, rows] = part.codes
        for array, own in zip(self.arrays, part.arrays, strict=True):
            array[rows] = own


class CodedRows:
    """All rows of a table as codes, in this process.

    Parameters
    ----------
    shard : CodedChunk
        All rows. A table that is divided among processes has several shards elsewhere, and None
        here; the methods below call their function once with each.
    """

    def __init__(self, shard: CodedChunk) -> None:
        self.shard: CodedChunk | None = shard
        self.n_samples = shard.n_samples

    def each(self, function: Callable[..., Any], *states: list[Any], **shared: Any) -> list[Any]:
        """Compute something of the rows that stays where they are.

        Parameters
        ----------
        function : callable
            Takes a shard, an entry of each of `states`, and `shared`; changes none of them.
        *states : list
            What earlier calls returned.
        **shared : object
            The same for all shards.

        Returns
        -------
        state : list
            An entry for each shard.
        """
        return [function(self.shard, *(state[0] for state in states), **shared)]

    def gather(self, function: Callable[..., Any], *states: list[Any], **shared: Any) -> list[Any]:
        """What a function returns for the shards.

        Parameters
        ----------
        function, *states, **shared
            As for `each`.

        Returns
        -------
        results : list
            An entry for each shard.
        """
        return self.each(function, *states, **shared)

    def total(self, function: Callable[..., Any], *states: list[Any], **shared: Any) -> Any:
        """Add up what a function returns for the shards.

        Parameters
        ----------
        function, *states, **shared
            As for `each`. It returns an array of integers, or a tuple of them.

        Returns
        -------
        total : array, or tuple of arrays
        """
        return self.each(function, *states, **shared)[0]
