"""Rows of data frames and arrays as they are: taken, concatenated, one column shuffled."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skdistill.dataframe._columns import column_names, container_type, is_frame


def concat_rows(a: Any, b: Any) -> Any:
    """Put the rows of two containers of a kind one below the other.

    Parameters
    ----------
    a : data frame, array or sparse matrix of shape (n_first, n_features)
        The upper rows.
    b : data frame, array or sparse matrix of shape (n_second, n_features)
        The lower rows, with the same columns.

    Returns
    -------
    rows : data frame, array or sparse matrix of shape (n_first + n_second, n_features)
        Of the type of `a`. pandas' categories are those of both; a data frame of pandas has a
        new index.

    Raises
    ------
    TypeError
        For containers of two kinds.
    ValueError
        For other columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import concat_rows
    >>> concat_rows(np.array([[1, 2]]), np.array([[3, 4]])).tolist()
    [[1, 2], [3, 4]]
    """
    framed, kind, other = is_frame(a), container_type(a), container_type(b)
    if kind != other:
        raise TypeError(f"the tables are of two kinds, {kind} and {other}")
    if framed and column_names(a) != column_names(b):
        raise ValueError(f"the tables have other columns: {column_names(a)} and {column_names(b)}")
    if sparse.issparse(a):
        return sparse.vstack([a, b], format=a.format)
    if not framed:
        return np.concatenate([a, b])
    if kind == "polars":
        import polars as pl

        return pl.concat([a, b], how="vertical_relaxed")
    if kind == "pyarrow":
        import pyarrow as pa

        return pa.concat_tables([a, b], promote_options="permissive")
    import pandas as pd

    # pandas turns categories into objects where two columns have not the same ones.
    for name in a.columns:
        pair = [a[name], b[name]]
        if (
            all(isinstance(x.dtype, pd.CategoricalDtype) for x in pair)
            and pair[0].dtype != pair[1].dtype
        ):
            both = pair[0].cat.categories.append(pair[1].cat.categories).unique()
            dtype = pd.CategoricalDtype(both, ordered=pair[0].dtype.ordered)
            a, b = a.astype({name: dtype}), b.astype({name: dtype})
    return pd.concat([a, b], ignore_index=True)


def take_rows(X: Any, rows: ArrayLike) -> Any:
    """Take rows by their numbers or by a mask.

    Parameters
    ----------
    X : data frame, array, list or sparse matrix of shape (n_samples, n_features)
        The rows to take from.
    rows : int array of shape (n_rows,) or bool array of shape (n_samples,)
        Which rows, in this order.

    Returns
    -------
    taken : data frame, array or sparse matrix of shape (n_rows, n_features)
        Of the type of `X`; an array where `X` is a list.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import take_rows
    >>> take_rows(np.array([[1.0], [2.0], [3.0]]), [False, True, True]).tolist()
    [[2.0], [3.0]]
    """
    rows = np.asarray(rows)
    if rows.dtype == bool:
        rows = np.flatnonzero(rows)
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[rows].to_native()
    return (X if hasattr(X, "shape") else np.asarray(X))[rows]


def take_columns(X: Any, columns: ArrayLike) -> Any:
    """Take columns by their numbers.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
        The columns to take from.
    columns : int array of shape (n_columns,)
        Which columns, in this order; at least one.

    Returns
    -------
    taken : data frame or array of shape (n_samples, n_columns)
        Of the type of `X`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import take_columns
    >>> take_columns(np.array([[1, 4], [2, 5]]), [1]).tolist()
    [[4], [5]]
    """
    numbers = np.asarray(columns).tolist()
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[:, numbers].to_native()
    return X[:, numbers]


def shuffle_column(X: Any, j: int, rows: NDArray[np.intp]) -> Any:
    """Give the `j`-th column the values of other rows.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
        Stays as it is.
    j : int
        Number of the column.
    rows : int array of shape (n_samples,)
        The row whose value each row gets.

    Returns
    -------
    shuffled : data frame or array of shape (n_samples, n_features)
        A copy, with the types of `X`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import shuffle_column
    >>> shuffle_column(np.array([[1, 4], [2, 5], [3, 6]]), 1, np.array([2, 0, 1])).tolist()
    [[1, 6], [2, 4], [3, 5]]
    """
    if not is_frame(X):
        other = X.copy()
        other[:, j] = X[rows, j]
        return other
    if hasattr(X, "isetitem"):  # pandas would put values where their index says
        other = X.copy()
        other.isetitem(j, X.iloc[rows, j].array)
        return other
    table = nw.from_native(X, eager_only=True)
    return table.with_columns(table[:, j][rows]).to_native()
