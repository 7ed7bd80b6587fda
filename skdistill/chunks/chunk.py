"""One chunk of a table: rows, and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from skdistill.dataframe import as_array, column_names, container_type, is_frame


class Chunk(NamedTuple):
    """Some rows of a table.

    Attributes
    ----------
    number : int
        Of the chunk, from 0 on; for messages.
    first_row : int
        Rows of the table before this chunk.
    X : data frame, array or sparse matrix of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_columns), or None
        Labels, probabilities or values.
    sample_weight : float64 array of shape (n_samples,) or None
        Weights of the rows.
    """

    number: int
    first_row: int
    X: Any
    y: Any = None
    sample_weight: NDArray[np.float64] | None = None

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.X.shape[0])


class Columns(NamedTuple):
    """What all chunks of a table have in common.

    Attributes
    ----------
    kind : str
        The kind of container.
    names : list or None
        Column names of a data frame.
    n_features : int
        Number of columns.
    n_parts : int
        How many of rows, targets and weights there are.
    """

    kind: str
    names: list[Any] | None
    n_features: int
    n_parts: int


def read_chunk(item: Any, number: int, first_row: int, names: TargetNames) -> Chunk:
    """Take apart what a source of chunks gave out.

    Parameters
    ----------
    item : tuple of one to three tables, or a table
        ``(X,)``, ``(X, y)`` or ``(X, y, sample_weight)``; a table alone is X, or holds the
        columns that `names` names.
    number, first_row : int
        As in `Chunk`.
    names : TargetNames
        Columns of a table that are no features.

    Returns
    -------
    chunk : Chunk

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If numbers of rows differ, or columns that are named do not exist.
    """
    parts = list(item) if isinstance(item, tuple) else [item]
    if not 1 <= len(parts) <= 3:
        raise TypeError(
            f"chunk {number} has {len(parts)} parts: a chunk is (X,), (X, y) or "
            "(X, y, sample_weight)"
        )
    X = _as_table(parts[0], number)
    y, weight = (*parts[1:], None, None)[:2]
    if names.target is not None:
        X, y = names.part(X, "target", names.target, number)
    if names.sample_weight is not None:
        X, weight = names.part(X, "sample_weight", names.sample_weight, number)
    n_samples = X.shape[0]
    for name, part in (("y", y), ("sample_weight", weight)):
        if part is not None and len(part) != n_samples:
            raise ValueError(f"chunk {number} has {n_samples} rows and {len(part)} of {name}")
    if hasattr(y, "teacher"):
        raise TypeError(f"y of chunk {number} is SoftTargets: pass labels or probabilities")
    if y is not None and not is_frame(y):
        y = np.asarray(y)
    if weight is not None:
        weight = np.asarray(weight, np.float64)
    return Chunk(number, first_row, X, y, weight)


class TargetNames(NamedTuple):
    """Columns of a table that are no features.

    Attributes
    ----------
    target : str, list of str or None
        Columns with labels, values or probabilities.
    sample_weight : str or None
        Column with weights.
    """

    target: Any = None
    sample_weight: str | None = None

    def part(self, X: Any, parameter: str, which: Any, number: int) -> tuple[Any, Any]:
        """A table without some columns, and these: an array for one, a data frame for several."""
        listed = [which] if isinstance(which, str) else list(which)
        if not is_frame(X):
            raise ValueError(
                f"{parameter}={which!r} names a column, but chunk {number} is an array without "
                "names: pass chunks (X, y)"
            )
        missing = [name for name in listed if name not in column_names(X)]
        if missing:
            raise ValueError(
                f"{parameter}={which!r}: chunk {number} has no column {missing[0]!r}, it has "
                f"{column_names(X)}"
            )
        frame = nw.from_native(X, eager_only=True)
        rest = frame.drop(listed).to_native()
        if isinstance(which, str):
            return rest, frame[which].to_numpy()
        return rest, frame.select(listed).to_native()


def is_table(X: Any) -> bool:
    """Whether X is a data frame, a record batch of Arrow or a sparse matrix.

    Parameters
    ----------
    X : object
        Of any kind.

    Returns
    -------
    table : bool
        False for arrays and lists.
    """
    return is_frame(X) or issparse(X) or type(X).__name__ == "RecordBatch"


def _as_table(X: Any, number: int) -> Any:
    """Rows as a table: record batches become tables, lists arrays."""
    if is_frame(X) or issparse(X):
        return X
    if type(X).__name__ == "RecordBatch":
        import pyarrow as pa

        return pa.Table.from_batches([X])
    X = as_array(X)
    if X.ndim != 2:
        raise TypeError(
            f"X of chunk {number} must be a table of rows and columns, got {type(X).__name__} of "
            f"shape {X.shape}: a chunk is (X,), (X, y) or (X, y, sample_weight)"
        )
    return X


def columns_of(chunk: Chunk) -> Columns:
    """What all chunks have to have in common with this one.

    Parameters
    ----------
    chunk : Chunk
        The first one.

    Returns
    -------
    columns : Columns
    """
    names = column_names(chunk.X) if is_frame(chunk.X) else None
    n_parts = 1 + (chunk.y is not None) + (chunk.sample_weight is not None)
    return Columns(container_type(chunk.X), names, int(chunk.X.shape[1]), n_parts)


def require_same_columns(first: Columns, chunk: Chunk) -> None:
    """Refuse a chunk of another form.

    Parameters
    ----------
    first : Columns
        Those of the first chunk.
    chunk : Chunk
        Another one.

    Raises
    ------
    ValueError
        If container, columns or parts differ; the message says how.
    """
    own, number = columns_of(chunk), chunk.number
    if own.kind != first.kind:
        raise ValueError(
            f"chunk {number} is of kind {own.kind}, chunks before it are of kind {first.kind}: "
            "pass all as one kind"
        )
    if own.names != first.names:
        raise ValueError(
            f"chunk {number} has the columns {own.names}, chunks before it have {first.names}: "
            "select the same columns in the same order"
        )
    if own.n_features != first.n_features:
        raise ValueError(
            f"chunk {number} has {own.n_features} columns, chunks before it have {first.n_features}"
        )
    if own.n_parts != first.n_parts:
        raise ValueError(
            f"chunk {number} has {own.n_parts} parts, chunks before it have {first.n_parts}: y "
            "and sample_weight are in all chunks or in none"
        )


@contextmanager
def errors_of(chunk: Chunk) -> Iterator[None]:
    """Name the chunk in errors about its data.

    Parameters
    ----------
    chunk : Chunk
        What is read.

    Raises
    ------
    ValueError, TypeError
        What was raised, with the number of the chunk.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        if str(error).startswith("chunk ") or type(error) not in (ValueError, TypeError):
            raise
        raise type(error)(f"chunk {chunk.number}: {error}") from error
