"""Rows of any table: taken, put together; labels put into buckets."""

from __future__ import annotations

import zlib
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skdistill.compact.tables.categories import MOST_LABELS, is_missing
from skdistill.dataframe._columns import as_objects, coded, column_names, container, is_frame


def concat_rows(a: Any, b: Any) -> Any:
    """Put the rows of two tables of a kind one below the other.

    Parameters
    ----------
    a, b : data frames, arrays or sparse matrices of shapes (n, d) and (m, d)
        With the same columns.

    Returns
    -------
    table : of the type of `a`, n + m rows
        pandas' categories are those of both; a data frame of pandas has a new index.

    Raises
    ------
    TypeError
        For tables of two kinds.
    ValueError
        For other columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import concat_rows
    >>> concat_rows(np.array([[1, 2]]), np.array([[3, 4]])).tolist()
    [[1, 2], [3, 4]]
    """
    framed = is_frame(a)
    if container(a) != container(b):
        raise TypeError(f"the tables are of two kinds, {container(a)} and {container(b)}")
    if framed and column_names(a) != column_names(b):
        raise ValueError(f"the tables have other columns: {column_names(a)} and {column_names(b)}")
    if sparse.issparse(a):
        return sparse.vstack([a, b], format=a.format)
    if not framed:
        return np.concatenate([a, b])
    if container(a) == "polars":
        import polars as pl

        return pl.concat([a, b], how="vertical_relaxed")
    if container(a) == "pyarrow":
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
            both = pd.api.types.union_categoricals(pair, ignore_order=True).categories
            dtype = pd.CategoricalDtype(both, ordered=pair[0].dtype.ordered)
            a, b = a.astype({name: dtype}), b.astype({name: dtype})
    return pd.concat([a, b], ignore_index=True)


def take_rows(X: Any, rows: ArrayLike) -> Any:
    """Take rows of a table by their numbers or by a mask.

    Parameters
    ----------
    X : data frame, array or sparse matrix of shape (n, d)
    rows : int array of shape (k,) or bool array of shape (n,)

    Returns
    -------
    table : of the type of `X`, k rows

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


def shuffle_column(X: Any, j: int, rows: NDArray[np.intp]) -> Any:
    """Give the `j`-th column of a table the values of other rows.

    Parameters
    ----------
    X : data frame or array of shape (n, d)
    j : int
    rows : int array of shape (n,)
        Which row's value each row is given.

    Returns
    -------
    table : of the type of `X`
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


def hash_categories(values: Any, n: int = MOST_LABELS) -> NDArray[np.float64]:
    """Put each of many labels into one of `n` buckets, by the CRC-32 of its text.

    The bucket of a label is the same everywhere. Name the column in `categorical_features`.

    Parameters
    ----------
    values : array-like of shape (m,)
        None, NaN, NA and the empty string are missing.
    n : int, default=254

    Returns
    -------
    buckets : float64 array of shape (m,)
        0 … n − 1, NaN where a value is missing.

    Examples
    --------
    >>> from skdistill.dataframe import hash_categories
    >>> hash_categories(["EC1A", "SW1A", None, "EC1A"]).tolist()
    [188.0, 19.0, nan, 188.0]
    """
    codes, found = coded(np.asarray(values, dtype=object), "values")
    # 7.0 is 7: whole numbers are floats where another row has none.
    whole = [isinstance(value, Real) and value == value and value % 1 == 0 for value in found]
    texts = [str(int(v) if is_int else v) for v, is_int in zip(found, whole, strict=True)]
    buckets = np.array([zlib.crc32(text.encode()) % n for text in texts], np.float64)
    return np.where(is_missing(as_objects(found)), np.nan, buckets)[codes]
