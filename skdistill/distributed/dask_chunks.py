"""Collections of Dask as chunks: partitions are labelled and coded where they lie."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skdistill.chunks import MAX_SAMPLES, Chunk, Chunks, CodedChunk, RowSample, TableSample
from skdistill.chunks.chunk import TargetNames, errors_of, read_chunk
from skdistill.chunks.chunks import require_whole
from skdistill.distributed.dask_rows import DaskRows

_SPARE = 6.0  # standard deviations by which keys of the sample may lie above their expectation


class DaskChunks(Chunks):
    """A Dask data frame or arrays, larger than a machine: pass it to `fit` in place of X and y.

    Every partition is a chunk. A fitted teacher labels it on the worker that has it, and codes of
    one byte and targets of two stay there. What is sent is the sample of rows, and sums of
    integers: histograms of the trees, and sums of gradients by leaf. So the model is the one that
    `Chunks` gives on the same rows, bit for bit, however they are divided. A worker that dies is
    replaced by Dask's own means: its partitions are read and coded again. Partitions are read three
    times: to count rows (not of arrays, which know), to draw the sample, to be coded.

    Parameters
    ----------
    X : dask.dataframe.DataFrame or dask.array.Array of shape (n_samples, n_features)
        Rows; of an array each block holds whole rows.
    y : dask.array.Array or dask.dataframe.Series, default=None
        Labels, values or probabilities, divided as `X` is. None where `target` names them, or a
        teacher labels the rows.
    target : str or list of str, default=None
        Columns of a data frame, as in `Chunks`.
    sample_weight : str, dask.array.Array or dask.dataframe.Series, default=None
        Weights: a column, or what is divided as `X` is.
    client : distributed.Client, default=None
        Where it runs. None is the client that was made last.
    max_samples : int, default=65536
        Rows of the sample, as in `Chunks`.
    random_state : int, default=0
        Seed of the sample.

    Raises
    ------
    ImportError
        Without Dask.
    TypeError
        For what is no collection of Dask.
    ValueError
        If there is no client, `y` or `sample_weight` are divided otherwise than `X`, an array has
        blocks of columns, or parameters are out of range.

    See Also
    --------
    skdistill.chunks.Chunks : The same on one machine.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.distributed import DaskChunks
    >>> client = Client(processes=False, n_workers=1, dashboard_address=":0")
    >>> X = da.random.default_rng(0).random((4000, 3), chunks=(1000, 3))
    >>> chunks = DaskChunks(X, X[:, 0] > X[:, 1], max_samples=1000)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=8).fit(chunks)
    >>> tree.predict([[0.9, 0.1, 0.5], [0.1, 0.9, 0.5]]).tolist()
    [True, False]
    >>> client.close()
    """

    def __init__(
        self,
        X: Any,
        y: Any = None,
        *,
        target: str | list[str] | None = None,
        sample_weight: Any = None,
        client: Any = None,
        max_samples: int = MAX_SAMPLES,
        random_state: int = 0,
    ) -> None:
        require_whole("max_samples", max_samples, 1)
        require_whole("random_state", random_state, 0)
        self.max_samples, self.random_state, self.verbose = max_samples, random_state, 0
        named = isinstance(sample_weight, str)
        self._names = TargetNames(target, sample_weight if named else None)
        self._label: Callable[[Chunk], Chunk] | None = None
        self._n_jobs = None
        self._client = _last_client() if client is None else client
        weight = None if named else sample_weight
        if weight is not None and y is None:
            raise ValueError("sample_weight beside X needs y beside X: pass it, or name columns")
        parts = [_partitions("X", X)]
        for name, part in (("y", y), ("sample_weight", weight)):
            if part is not None:
                parts.append(_partitions(name, part))
                _require_alike(name, part, X)
        self._parts = list(zip(*parts, strict=True))
        self._sizes = _known_sizes(X)

    def __iter__(self) -> Iterator[Chunk]:
        """The partitions that have rows, brought to this machine one by one."""
        first_row = 0
        for number, parts in enumerate(self._parts):
            tables = tuple(self._client.compute(list(parts), sync=True))
            chunk = read_chunk(tables, number, first_row, self._names)
            if chunk.n_samples:
                yield chunk
            first_row += chunk.n_samples

    def sample(self, describe: Callable[[Chunk], Any]) -> TableSample:
        """First pass: a sample of the rows, and facts about all of them; see `Chunks`."""
        n_samples = sum(self._count_rows())
        limit = _key_limit(self.max_samples, n_samples)
        sample, facts = self._draw(describe, limit)
        if sample.n_drawn < min(self.max_samples, n_samples):  # once in a billion tables
            sample, facts = self._draw(describe, None)
        return TableSample(self.with_labels(sample.chunk()), n_samples, facts)

    def load(self, encode: Callable[[Chunk], CodedChunk], n_samples: int) -> Any:
        """Second pass: partitions are labelled and coded where they lie; see `Chunks`."""
        label = None if self._label is None else self._send(self._label)
        shards = self._each_partition(_encode_partition, label=label, encode=encode)
        return DaskRows(shards, n_samples, self._client)

    def _send(self, label: Callable[[Chunk], Chunk]) -> Any:
        """A future of what labels chunks, for the teacher inside may be large.

        A worker gets it once, not with each task. As the result of a task it can be made again,
        where scattered data would be lost with the workers that hold it.
        """
        from distributed.protocol.pickle import dumps, loads

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            return self._client.submit(loads, dumps(label), pure=False)  # type: ignore[no-untyped-call]

    def _draw(
        self, describe: Callable[[Chunk], Any], limit: np.uint64 | None
    ) -> tuple[RowSample, list[Any]]:
        """Samples of all partitions, merged, and their facts."""
        seeded = {"max_samples": self.max_samples, "seed": self.random_state, "limit": limit}
        drawn = self._each_partition(_sample_partition, describe=describe, **seeded)
        sample, facts = RowSample(self.max_samples, self.random_state), []
        for part, fact in self._client.gather(drawn):
            sample.merge(part)
            facts.append(fact)
        return sample, facts

    def _count_rows(self) -> list[int]:
        """Rows of each partition."""
        if self._sizes is None:
            counts = [
                self._client.compute(_delayed(_count_rows)(parts[0])) for parts in self._parts
            ]
            self._sizes = self._client.gather(counts)
        return self._sizes

    def _each_partition(self, function: Callable[..., Any], **shared: Any) -> list[Any]:
        """Futures of a function of each partition that has rows, as a chunk."""
        futures, first_row = [], 0
        for number, (parts, size) in enumerate(zip(self._parts, self._count_rows(), strict=True)):
            if size:
                task = _delayed(function, pure=False)(
                    list(parts), number, first_row, self._names, **shared
                )
                futures.append(self._client.compute(task))
            first_row += size
        if not futures:
            raise ValueError("the chunks hold no rows: at least one is needed")
        return futures


def _delayed(function: Callable[..., Any], **options: Any) -> Any:
    from dask.delayed import delayed

    return delayed(function, **options)


def _last_client() -> Any:
    try:
        from distributed import default_client
    except ImportError as error:
        raise ImportError("DaskChunks needs Dask: pip install 'skdistill[dask]'") from error
    try:
        return default_client()  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ValueError(
            "client=None and there is no client of Dask: make one with distributed.Client() or "
            "distributed.Client('address of the scheduler')"
        ) from error


def _partitions(name: str, part: Any) -> list[Any]:
    """Partitions of a collection, as delayed objects."""
    if not hasattr(part, "to_delayed"):
        raise TypeError(
            f"{name} must be a data frame or array of Dask, got {type(part).__name__}: pass tables "
            "in memory to fit itself, and chunks of them to skdistill.chunks.Chunks"
        )
    if getattr(part, "ndim", 1) == 2 and hasattr(part, "numblocks") and part.numblocks[1] > 1:
        raise ValueError(
            f"{name} has {part.numblocks[1]} blocks of columns: put whole rows into a block with "
            "rechunk({1: -1})"
        )
    return list(np.ravel(np.array(part.to_delayed(), dtype=object)))


def _known_sizes(X: Any) -> list[int] | None:
    """Rows of each block of an array, if it knows; None otherwise."""
    if not hasattr(X, "chunks"):
        return None
    sizes = X.chunks[0]
    return None if np.isnan(sizes).any() else [int(size) for size in sizes]


def _require_alike(name: str, part: Any, X: Any) -> None:
    """Refuse what is divided otherwise than X."""
    own, theirs = (each.npartitions for each in (part, X))
    sizes, rows = _known_sizes(part), _known_sizes(X)
    if own != theirs or (sizes is not None and rows is not None and sizes != rows):
        raise ValueError(
            f"{name} has {own} partitions, X has {theirs}, or their rows differ: divide both "
            "alike, or name columns of one data frame by target and sample_weight"
        )


def _key_limit(max_samples: int, n_samples: int) -> np.uint64 | None:
    """A key above that of nearly certainly every row of the sample."""
    expected = max_samples + _SPARE * np.sqrt(max_samples) + _SPARE
    return None if expected >= n_samples else np.uint64(expected / n_samples * 2.0**64)


def _count_rows(X: Any) -> int:
    return int(X.shape[0])


def _sample_partition(
    parts: list[Any],
    number: int,
    first_row: int,
    names: TargetNames,
    *,
    describe: Callable[[Chunk], Any],
    max_samples: int,
    seed: int,
    limit: np.uint64 | None,
) -> tuple[RowSample, Any]:
    chunk = read_chunk(tuple(parts), number, first_row, names)
    sample = RowSample(max_samples, seed)
    sample.add(chunk, limit)
    with errors_of(chunk):
        return sample, describe(chunk)


def _encode_partition(
    parts: list[Any],
    number: int,
    first_row: int,
    names: TargetNames,
    *,
    label: Callable[[Chunk], Chunk] | None,
    encode: Callable[[Chunk], CodedChunk],
) -> CodedChunk:
    chunk = read_chunk(tuple(parts), number, first_row, names)
    with errors_of(chunk):
        return encode(chunk if label is None else label(chunk))
