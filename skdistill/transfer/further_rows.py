"""Rows beside the training rows: drawn, checked, and brought into the form of the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse
from sklearn.utils import check_array

from skdistill.dataframe import (
    EncodedTable,
    column_names,
    concat_rows,
    concat_tables,
    container_type,
    is_frame,
    numeric_table,
    read_table,
    write_table,
)
from skdistill.transfer.munge import Munge


def further_tables(
    table: EncodedTable, transfer_set: Any, X_unlabeled: Any, seed: int, categorical_features: Any
) -> list[EncodedTable]:
    """Further rows, in a form that a teacher of the training rows takes.

    Parameters
    ----------
    table : EncodedTable
        Training rows.
    transfer_set : transfer set or None
        Has ``sample(X, random_state)``, as `Munge` and `Pool`.
    X_unlabeled : data frame or array-like of shape (n_rows, n_features), or None
        Rows of the user.
    seed : int
        Passed to the transfer set.
    categorical_features : "from_dtype", None or array-like
        How the training rows were read.

    Returns
    -------
    tables : list of EncodedTable
        Of the same kind as `table`; those without rows are left out.

    Raises
    ------
    ValueError
        For other columns than those of the training rows, and for `X_unlabeled` without rows.
    """
    if X_unlabeled is not None and np.shape(X_unlabeled)[0] == 0:
        raise ValueError("X_unlabeled has no rows: pass rows to label, or None")
    tables = []
    if transfer_set is not None and _reads_alike(transfer_set, categorical_features):
        rows = transfer_set.sample_table(table, seed)
        if _is_numeric_array(table.native):  # as all further rows beside an array of numbers
            rows = read_table(_as_float64(rows.native), categorical_features)
        tables.append(rows)
    elif transfer_set is not None:
        rows = transfer_set.sample(table.native, random_state=seed)
        tables.append(_in_form_of(table, rows, categorical_features))
    if X_unlabeled is not None:
        tables.append(_in_form_of(table, X_unlabeled, categorical_features))
    return [each for each in tables if each.n_samples > 0]


def append_rows(first: EncodedTable, second: EncodedTable) -> EncodedTable:
    """Put further rows below the training rows, in the type of the training rows.

    Parameters
    ----------
    first : EncodedTable
        Training rows.
    second : EncodedTable
        Further rows, from `further_tables`.

    Returns
    -------
    table : EncodedTable
        All rows.

    Raises
    ------
    ValueError
        If int32 rows would have to hold fractions or NaN; and as `concat_tables`.
    """
    if first.values is not first.native:
        return concat_tables(first, second)
    X, more = first.values, second.values
    if issparse(X):
        return numeric_table(concat_rows(X, more))
    if X.dtype == np.int32 and not (more == np.rint(more)).all():
        raise ValueError("X is int32, but further rows hold fractions or NaN: pass X as float")
    with np.errstate(over="ignore"):  # the student refuses infinities
        return numeric_table(np.concatenate([X, more.astype(X.dtype)]))


def _reads_alike(transfer_set: Any, categorical_features: Any) -> bool:
    """Whether a transfer set can take the training rows as they were read.

    `Munge` can, if it reads the same columns as categories. Classes that override its `sample`
    are asked through it, with the rows as they are.
    """
    if getattr(type(transfer_set), "sample", None) is not Munge.sample:
        return False
    own = np.asarray(transfer_set.categorical_features, dtype=object)
    return np.array_equal(own, np.asarray(categorical_features, dtype=object))


def _in_form_of(table: EncodedTable, rows: Any, categorical_features: Any) -> EncodedTable:
    """Rows that a user or a transfer set made, as a container of the kind of `table`."""
    X = table.native
    _require_same_columns(X, rows)
    if issparse(X):
        more = check_array(rows, accept_sparse="csr", dtype=X.dtype, ensure_all_finite="allow-nan")
        return numeric_table(csr_matrix(more))
    if _is_numeric_array(X) and not is_frame(rows):
        return read_table(_as_float64(rows), categorical_features, None)
    if container_type(X) == container_type(rows):
        return read_table(rows, categorical_features, None)
    # An array does not say which of its columns hold labels; those of `X` do.
    framed = is_frame(rows) or not is_frame(X)
    read = read_table(rows, "from_dtype" if framed else table.has_labels, None)
    native = write_table(table, read.values, read.labels)
    if table.values is X:
        return numeric_table(native)
    return EncodedTable(native, read.values, read.labels, table.names, read.formats)


def _is_numeric_array(X: Any) -> bool:
    return not is_frame(X) and X.dtype.kind in "biuf"


def _as_float64(rows: Any) -> NDArray[np.float64]:
    """Numbers as float64; pandas' NA is NaN."""
    X: NDArray[np.float64] = check_array(rows, dtype=np.float64, ensure_all_finite=False)
    return X


def _require_same_columns(X: Any, rows: Any) -> None:
    n_features, shape = np.shape(X)[1], np.shape(rows)
    if len(shape) != 2 or shape[1] != n_features:
        raise ValueError(f"further rows must have {n_features} columns like X, got shape {shape}")
    if is_frame(X) and is_frame(rows) and column_names(X) != column_names(rows):
        raise ValueError(
            f"further rows must have the columns of X in the same order: {column_names(X)}, "
            f"got {column_names(rows)}"
        )
