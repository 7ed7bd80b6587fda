"""Further rows: drawn, checked against the training rows, in the training rows' form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skdistill.dataframe import (
    column_names,
    concat_rows,
    container,
    is_frame,
    read_table,
    take_rows,
    write_table,
)


def further_tables(X: Any, transfer_set: Any, X_unlabeled: Any, seed: int) -> list[Any]:
    """Tables of rows beside `X`, in the form that a teacher of `X` takes.

    Parameters
    ----------
    X : array or data frame of shape (n, d)
    transfer_set : transfer object or None
    X_unlabeled : array-like of shape (m, d) or None
    seed : int

    Returns
    -------
    tables : list of arrays or data frames
        Those without rows are left out.

    Raises
    ------
    ValueError
        For other columns than those of `X`, and for `X_unlabeled` without rows.
    """
    if X_unlabeled is not None and np.shape(X_unlabeled)[0] == 0:
        raise ValueError("X_unlabeled has no rows: pass rows to label, or None")
    drawn = [] if transfer_set is None else [transfer_set.sample(X, random_state=seed)]
    given = [] if X_unlabeled is None else [X_unlabeled]
    tables = []
    for table in drawn + given:
        _require_same_columns(X, table)
        if np.shape(table)[0] > 0:
            tables.append(_in_form_of(X, table))
    return tables


def _in_form_of(X: Any, table: Any) -> Any:
    """`table` as a container of the kind of `X`."""
    if not is_frame(X) and np.asarray(X).dtype.kind not in "OU" and not is_frame(table):
        return as_numbers(table)
    if container(X) == container(table):
        return table
    # An array does not say which of its columns hold labels; those of `X` do.
    wanted = [each is not None for each in read_table(X).labels]
    read = read_table(table, "from_dtype" if is_frame(table) or not is_frame(X) else wanted)
    return write_table(X, read.values, read.labels)


def as_numbers(table: Any) -> NDArray[np.float64]:
    """A table as float64; pandas' NA is NaN."""
    return check_array(table, dtype=np.float64, ensure_all_finite=False)


def within_reach(X: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """`rows` within the range of each column of `X`, and whole where all of it is."""
    with np.errstate(invalid="ignore"):
        whole = (np.isnan(X) | (np.rint(X) == X)).all(axis=0)
    rows = np.where(whole, np.rint(rows), rows)
    seen = ~np.isnan(X).all(axis=0)
    low, high = np.nanmin(X[:, seen], axis=0), np.nanmax(X[:, seen], axis=0)
    rows[:, seen] = np.clip(rows[:, seen], low, high)
    return rows


def no_rows(X: Any) -> Any:
    """A table like `X`, without rows."""
    return take_rows(X, np.arange(0))


def append_rows(rows: Any, more: Any) -> Any:
    """Training rows and then further ones, in the type of the training rows.

    Raises
    ------
    ValueError
        If int32 rows would have to hold fractions or NaN.
    """
    if is_frame(rows) or rows.dtype.kind in "OU":
        return concat_rows(rows, more)
    if rows.dtype == np.int32 and not (more == np.rint(more)).all():
        raise ValueError("X is int32, but further rows hold fractions or NaN: pass X as float")
    with np.errstate(over="ignore"):  # the student refuses infinities
        return np.concatenate([rows, more.astype(rows.dtype)])


def _require_same_columns(X: Any, table: Any) -> None:
    n_features, shape = np.shape(X)[1], np.shape(table)
    if len(shape) != 2 or shape[1] != n_features:
        raise ValueError(f"further rows must have {n_features} columns like X, got shape {shape}")
    if is_frame(X) and is_frame(table) and column_names(X) != column_names(table):
        raise ValueError(
            f"further rows must have the columns of X in the same order: {column_names(X)}, "
            f"got {column_names(table)}"
        )
