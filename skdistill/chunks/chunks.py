"""A table in chunks that is read a few times and never held."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from skdistill.chunks.chunk import (
    Chunk,
    TargetNames,
    columns_of,
    errors_of,
    is_table,
    read_chunk,
    require_same_columns,
)
from skdistill.chunks.coded_rows import CodedChunk, CodedRows
from skdistill.chunks.sample import RowSample
from skdistill.chunks.sources import open_source
from skdistill.dataframe import is_frame

MAX_SAMPLES = 1 << 16
"""Rows of the sample, unless stated otherwise."""


class TableSample(NamedTuple):
    """What the first pass over a table ends in.

    Attributes
    ----------
    chunk : Chunk
        Sampled rows, in the order of the table.
    n_samples : int
        Rows of the table.
    facts : list
        What each chunk was described by.
    """

    chunk: Chunk
    n_samples: int
    facts: list[Any]

    @property
    def is_complete(self) -> bool:
        """Whether all rows are in the sample."""
        return self.chunk.n_samples == self.n_samples


class Chunks:
    """A table in chunks, larger than memory: pass it to `fit` in place of X and y.

    `fit` reads it twice. The first pass draws a sample of rows; with it come the thresholds that
    trees may use, and the order of categories. The second pass turns every chunk into codes of one
    byte and targets of two, which is all that stays of it. A table that fits into the sample is
    read once, and gives the model that `fit(X, y)` gives on its rows.

    Parameters
    ----------
    source : iterable, callable, str, path, Arrow dataset or table, or DuckDB relation
        A list of chunks, or any object whose ``__iter__`` starts anew each time; a function
        without parameters that returns an iterator; a Parquet file or a folder of them; a dataset
        or table of pyarrow; a relation of DuckDB. A chunk is ``(X,)``, ``(X, y)`` or ``(X, y,
        sample_weight)``, where X is what `fit` takes and `y` holds labels, values or
        probabilities. A data frame alone is X, with the columns that `target` and `sample_weight`
        name taken out. Arrow and DuckDB give data frames of pandas.
    target : str or list of str, default=None
        Column of the labels or values; several columns are probabilities by class, or values of
        several targets. None where chunks hold `y`, or a teacher labels them.
    sample_weight : str, default=None
        Column of the weights. None where chunks hold them, or all rows weigh the same.
    chunk_size : int, default=65536
        Rows of a chunk, where the source leaves it open (Parquet, Arrow, DuckDB).
    max_samples : int, default=65536
        Rows of the sample. Students that are no trees learn from these alone.
    random_state : int, default=0
        Seed of the sample. The sample hangs on the rows' numbers, not on the chunks.
    verbose : int, default=0
        Above 0, a progress bar counts the rows of each pass.

    Raises
    ------
    TypeError
        For a source that can be read only once, such as a generator, and for what is no source.
    ValueError
        For parameters out of range.
    FileNotFoundError
        For a path that does not exist.

    See Also
    --------
    skdistill.distributed.DaskChunks : The same for collections of Dask.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.chunks import Chunks
    >>> def read():
    ...     for seed in range(4):
    ...         X = np.random.default_rng(seed).random((500, 3))
    ...         yield X, X[:, 0] > X[:, 1]
    >>> tree = SoftTreeClassifier(max_leaf_nodes=8).fit(Chunks(read, max_samples=1000))
    >>> tree.predict([[0.9, 0.1, 0.5], [0.1, 0.9, 0.5]]).tolist()
    [True, False]
    """

    def __init__(
        self,
        source: Any,
        *,
        target: str | list[str] | None = None,
        sample_weight: str | None = None,
        chunk_size: int = 65_536,
        max_samples: int = MAX_SAMPLES,
        random_state: int = 0,
        verbose: int = 0,
    ) -> None:
        require_whole("chunk_size", chunk_size, 1)
        require_whole("max_samples", max_samples, 1)
        require_whole("random_state", random_state, 0)
        self.max_samples, self.random_state, self.verbose = max_samples, random_state, verbose
        self._names = TargetNames(target, sample_weight)
        self._read = open_source(source, chunk_size)
        self._label: Callable[[Chunk], Chunk] | None = None
        self._n_jobs: int | None = None

    def __iter__(self) -> Iterator[Chunk]:
        """The chunks that have rows, as they come."""
        first_row, first = 0, None
        for number, item in enumerate(self._read()):
            chunk = read_chunk(item, number, first_row, self._names)
            if chunk.n_samples == 0:
                continue
            if first is None:
                first = columns_of(chunk)
            require_same_columns(first, chunk)
            yield chunk
            first_row += chunk.n_samples

    def labelled(
        self,
        label: Callable[[Chunk], Chunk],
        *,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> Chunks:
        """The same chunks with other targets, which are asked for once a row.

        Parameters
        ----------
        label : callable
            Takes a chunk, returns it with its targets.
        n_jobs : int, default=None
            Chunks that are labelled at a time, in threads. None is 1.
        verbose : int, default=0
            Above 0, a progress bar counts the rows.

        Returns
        -------
        chunks : Chunks
        """
        chunks = copy.copy(self)
        chunks._label, chunks._n_jobs = label, n_jobs
        chunks.verbose = max(verbose, self.verbose)
        return chunks

    @property
    def is_labelled(self) -> bool:
        """Whether targets are made by what `labelled` was called with."""
        return self._label is not None

    def sample(self, describe: Callable[[Chunk], Any]) -> TableSample:
        """First pass: a sample of the rows, and facts about all of them.

        Parameters
        ----------
        describe : callable
            Takes a chunk as it comes, before it is labelled.

        Returns
        -------
        sample : TableSample
        """
        sample, facts = RowSample(self.max_samples, self.random_state), []
        with self._bar("read rows", None) as bar:
            for chunk in self:
                with errors_of(chunk):
                    facts.append(describe(chunk))
                sample.add(chunk)
                bar.update(chunk.n_samples)
        return TableSample(self.with_labels(sample.chunk()), sample.n_samples, facts)

    def with_labels(self, chunk: Chunk) -> Chunk:
        """A chunk with the targets that it is to have.

        Parameters
        ----------
        chunk : Chunk
            As it comes.

        Returns
        -------
        chunk : Chunk
        """
        return chunk if self._label is None else self._label(chunk)

    def load(self, encode: Callable[[Chunk], CodedChunk], n_samples: int) -> CodedRows:
        """Second pass: what students learn from, of all rows.

        Parameters
        ----------
        encode : callable
            Takes a chunk with its targets.
        n_samples : int
            Rows that the first pass has seen.

        Returns
        -------
        rows : CodedRows

        Raises
        ------
        ValueError
            If the source has other rows than in the first pass.
        """

        def task(chunk: Chunk) -> tuple[Chunk, CodedChunk]:
            with errors_of(chunk):
                chunk = self.with_labels(chunk)
                return chunk, encode(chunk)

        coded: CodedChunk | None = None
        n_seen, name = 0, "encode rows" if self._label is None else "label and encode rows"
        with self._bar(name, n_samples) as bar:
            for chunk, part in self._map(task):
                first, n_seen = n_seen, n_seen + chunk.n_samples
                if n_seen > n_samples:
                    break
                if coded is None:
                    coded = part.like(n_samples)
                coded.write(first, part)
                bar.update(chunk.n_samples)
        if n_seen != n_samples or coded is None:
            more = "more" if n_seen > n_samples else f"{n_seen:,}"
            raise ValueError(
                f"the source had {n_samples:,} rows when it was read first, and {more} when it "
                "was read again: it must give the same chunks each time"
            )
        return CodedRows(coded)

    def _map(self, task: Callable[[Chunk], Any]) -> Iterator[Any]:
        """Call a function with each chunk, several at a time; results come in order."""
        if self._n_jobs in (None, 1):
            return map(task, self)
        parallel = Parallel(n_jobs=self._n_jobs, prefer="threads", return_as="generator")
        results: Iterator[Any] = parallel(delayed(task)(chunk) for chunk in self)
        return results

    def _bar(self, name: str, total: int | None) -> Any:
        return tqdm(
            desc=name, total=total, unit=" rows", unit_scale=True, disable=self.verbose <= 0
        )


def as_chunks(X: Any) -> Any:
    """Chunks, where `X` is a table in chunks; None where it is rows.

    Parameters
    ----------
    X : object
        As it was passed to `fit`.

    Returns
    -------
    chunks : Chunks or None
        A list of tuples whose first part is a table, an iterable that is no container of numbers,
        paths, datasets and relations are chunks.

    Raises
    ------
    TypeError
        For a generator, which can be read only once.
    """
    if isinstance(X, Chunks):
        return X
    library = type(X).__module__.partition(".")[0]
    if isinstance(X, str | os.PathLike) or library in ("duckdb", "_duckdb"):
        return Chunks(X)
    if library == "pyarrow" and not is_frame(X):
        return Chunks(X)
    if is_frame(X) or hasattr(X, "__array__") or not hasattr(X, "__iter__"):
        return None
    if isinstance(X, list | tuple):
        # A row is a tuple of numbers or labels, a chunk one of tables.
        first = X[0][0] if len(X) and isinstance(X[0], tuple) and len(X[0]) else ""
        return None if np.ndim(first) == 0 and not is_table(first) else Chunks(X)
    if hasattr(X, "__len__") or hasattr(X, "__getitem__"):
        return None
    return Chunks(X)


def require_whole(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number of a least size.

    Parameters
    ----------
    name : str
        Of the parameter.
    value : object
        Its value.
    least : int
        Minimum.

    Raises
    ------
    ValueError
        That names both.
    """
    if not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name}={value!r} must be a whole number of {least} or more")


def refuse_beside_chunks(**arguments: Any) -> None:
    """Refuse arguments of `fit` that are parts of the chunks.

    Parameters
    ----------
    **arguments : object
        By name; None is not passed.

    Raises
    ------
    ValueError
        For the first that was passed.
    """
    for name, value in arguments.items():
        if value is not None:
            where = "pass chunks (X, y) or (X, y, sample_weight), or Chunks(…, target=…)"
            raise ValueError(
                f"{name} cannot be passed beside chunks, which hold their own targets: {where}"
            )
