"""Coded rows on the workers of a Dask cluster.

All state is results of pure functions: what a worker that dies held is computed again, from its
partitions on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skdistill.chunks import CodedRows

_FAN_IN = 8  # results that a task adds up


class DaskRows(CodedRows):
    """Rows whose shards are futures; see `CodedRows`.

    Parameters
    ----------
    shards : list of Future
        Each of a `CodedChunk`.
    n_samples : int
        Rows of all shards.
    client : distributed.Client
        Whose they are.
    """

    def __init__(self, shards: list[Any], n_samples: int, client: Any) -> None:
        self.shard, self.n_samples = None, n_samples
        self._shards, self._client = shards, client

    def each(self, function: Callable[..., Any], *states: list[Any], **shared: Any) -> list[Any]:
        """Futures of a function of each shard; see `CodedRows`."""
        return [
            self._client.submit(function, *parts, **shared, pure=False)
            for parts in zip(self._shards, *states, strict=True)
        ]

    def gather(self, function: Callable[..., Any], *states: list[Any], **shared: Any) -> list[Any]:
        """What a function returns for the shards; see `CodedRows`."""
        results: list[Any] = self._client.gather(self.each(function, *states, **shared))
        return results

    def total(self, function: Callable[..., Any], *states: list[Any], **shared: Any) -> Any:
        """Add up on the workers what a function returns for the shards; see `CodedRows`."""
        results = self.each(function, *states, **shared)
        while len(results) > 1:
            groups = [results[i : i + _FAN_IN] for i in range(0, len(results), _FAN_IN)]
            results = [self._client.submit(_add_up, group, pure=False) for group in groups]
        return results[0].result()


def _add_up(results: list[Any]) -> Any:
    """Sum of arrays, or of tuples of arrays."""
    if isinstance(results[0], tuple):
        return tuple(sum(each) for each in zip(*results, strict=True))
    return sum(results)
