"""Rows that a caller gives, as the numbers that a model reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact._frozen import require
from skdistill.compact.evaluate import as_input
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.dataframe import column_names, is_frame


def select_columns(
    X: Any,
    n_features: int,
    feature_names: Any,
    columns: NDArray[np.integer],
    dtype: Any = np.float64,
) -> NDArray[Any]:
    """Rows of a data frame with the columns that a model reads, in the model's order.

    Parameters
    ----------
    X : array-like or data frame of shape (n_samples, n_columns)
        Rows with more columns than the model reads, or in another order.
    n_features : int
        Columns of the model's input.
    feature_names : sequence of str, or None
        Of the model's input.
    columns : int array
        Which of them the model reads. In a data frame the others may hold anything.
    dtype : dtype, default=float64
        Of the rows of a data frame.

    Returns
    -------
    rows : array of shape (n_samples, n_features)
        Of a data frame, with zeros in the columns that are not read. Whatever else is given,
        or columns without names, stay as they are.

    Raises
    ------
    ValueError
        For a column that the data frame does not have.
    """
    if not is_frame(X) or feature_names is None:
        return np.asarray(X)
    known = column_names(X)
    rows = np.zeros((len(X), n_features), dtype)
    for column in columns:
        name = feature_names[column]
        require(name in known, f"X has no column {name!r}, which the model reads")
        rows[:, column] = np.asarray(X[name])
    return rows


def as_numbers(X: ArrayLike, n_features: int, dtype: str) -> NDArray[Any]:
    """Rows that show the range of the inputs.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers of any type.
    n_features : int
        Columns that `X` must have.
    dtype : {"float32", "int32"}
        Type of the result.

    Returns
    -------
    rows : array of shape (n_samples, n_features)
        Of that type.

    Raises
    ------
    ValueError
        For no rows, infinities, and numbers that `dtype` does not hold.
    """
    rows = as_input(X, n_features)
    require(len(rows) > 0, "X has no rows")
    require(not np.isinf(rows).any(), "X has infinities")
    if dtype == "float32":
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32)
        require(not np.isinf(rows).any(), "X has values beyond float32")
        return rows
    whole = (rows == np.floor(rows)) & (np.abs(rows.astype(np.float64)) <= INT32_MAX)
    require(bool(whole.all()), "X has values that are no int32, but dtype='int32'")
    return rows.astype(np.int32)
