"""Where chunks come from: iterables, functions, Parquet files, Arrow and DuckDB."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from scipy.sparse import issparse

from skdistill.dataframe import is_frame

_AGAIN = (
    "fit reads chunks more than once: pass a list, an object whose __iter__ starts anew, or "
    "Chunks(function) with a function that returns a new iterator"
)


def open_source(source: Any, chunk_size: int) -> Callable[[], Iterable[Any]]:
    """A function that starts reading a source from its first chunk.

    Parameters
    ----------
    source : object
        As `Chunks` takes it.
    chunk_size : int
        Rows of a chunk, where the source leaves this open.

    Returns
    -------
    read : callable
        Returns an iterable of chunks or of tables.

    Raises
    ------
    TypeError
        If the source can be read only once, or is no source of chunks.
    """
    if isinstance(source, str | os.PathLike):
        return _arrow_batches(_parquet_dataset(source), chunk_size)
    library = type(source).__module__.partition(".")[0]
    if library in ("duckdb", "_duckdb"):
        return _duckdb_batches(source, chunk_size)
    if library == "pyarrow" and not hasattr(source, "to_batches"):
        raise TypeError(f"source={type(source).__name__} can be read only once. {_AGAIN}")
    if is_frame(source) and hasattr(source, "iloc"):
        return lambda: (
            source.iloc[start : start + chunk_size] for start in range(0, len(source), chunk_size)
        )
    if library == "pyarrow":
        return _arrow_batches(source, chunk_size)
    if callable(source):
        return lambda: _iterate(source())
    if hasattr(source, "__next__"):
        raise TypeError(f"source={type(source).__name__} can be read only once. {_AGAIN}")
    if not hasattr(source, "__iter__") or hasattr(source, "__array__") or issparse(source):
        raise TypeError(
            f"source must be an iterable of chunks (X,), (X, y) or (X, y, sample_weight), a "
            f"function that returns one, a Parquet file or folder, an Arrow dataset or a DuckDB "
            f"relation, got {type(source).__name__}: pass a table in memory to fit itself"
        )
    return lambda: iter(source)


def _iterate(returned: Any) -> Iterable[Any]:
    if not hasattr(returned, "__iter__"):
        raise TypeError(
            f"source is a function that returned {type(returned).__name__}: it must return an "
            "iterable of chunks"
        )
    chunks: Iterable[Any] = returned
    return chunks


def _arrow_batches(data: Any, chunk_size: int) -> Callable[[], Iterator[Any]]:
    """Tables of pandas: what most teachers were fitted on."""

    def read() -> Iterator[Any]:
        if hasattr(data, "get_fragments"):  # a dataset
            batches = data.to_batches(batch_size=chunk_size)
        else:
            batches = data.to_batches(max_chunksize=chunk_size)
        for batch in batches:
            yield batch.to_pandas()

    return read


def _duckdb_batches(relation: Any, chunk_size: int) -> Callable[[], Iterator[Any]]:
    """A relation is a query: it is run anew for each pass."""

    def read() -> Iterator[Any]:
        for batch in relation.to_arrow_reader(chunk_size):
            yield batch.to_pandas()

    return read


def _parquet_dataset(path: str | os.PathLike[str]) -> Any:
    try:
        import pyarrow.dataset as ds
    except ImportError as error:
        raise ImportError(
            "Parquet files need pandas and pyarrow: pip install 'skdistill[cli]'"
        ) from error
    if not os.path.exists(path):
        raise FileNotFoundError(f"source={os.fspath(path)!r} does not exist")
    return ds.dataset(path, format="parquet")
