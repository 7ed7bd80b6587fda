"""Rows that a caller passes, as the numbers that a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.sparsefuncs import min_max_axis

from skdistill.compact import CategoryTable
from skdistill.compact._frozen import require
from skdistill.compact.rows import check_names, check_shape, without_blanks
from skdistill.compact.tables.categories import NO_CATEGORIES
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.dataframe import (
    as_array,
    column_names,
    encode_table,
    is_frame,
    take_columns,
    take_rows,
)

MOST_NUMBERS = 1 << 25  # of sparse rows that are made dense: 256 MB of float64


def read_columns(
    X: Any,
    n_features: int,
    feature_names: Any,
    columns: NDArray[np.integer],
    categories: CategoryTable = NO_CATEGORIES,
) -> NDArray[Any]:
    """Rows with the columns that a model reads, in the model's order.

    Parameters
    ----------
    X : data frame, array-like or sparse matrix of shape (n_samples, n_columns)
        A data frame may have more columns than the model, or another order.
    n_features : int
        Columns of the model's input.
    feature_names : sequence of str, or None
        Of the model's input.
    columns : int array
        Which of them the model reads, ascending. The others may hold anything in a data frame
        or an array of objects.
    categories : CategoryTable, default=NO_CATEGORIES
        Columns of categories.

    Returns
    -------
    rows : array of shape (n_samples, n_features)
        As `CompactModel.read_rows` returns them; float32 where all columns that are read are.
        Columns that are not read are zeros, but in
        arrays of numbers. Of a sparse matrix too large to be dense, some of the rows, see
        `sample_rows`.

    Raises
    ------
    TypeError
        For columns that hold neither numbers nor labels.
    ValueError
        For a column that the data frame does not have, and for other numbers of columns.
    """
    if hasattr(X, "tocsr"):
        check_shape(X.shape, n_features)
        return sample_rows(X) if X.shape[0] * X.shape[1] > MOST_NUMBERS else X.toarray()
    at = columns
    if is_frame(X) and (names := _names_to_compare(X, feature_names)) is not None:
        matches = find_names(feature_names, names)
        for column in columns:
            absent = matches[column] is None
            require(
                not absent, f"X has no column {str(feature_names[column])!r}, which the model reads"
            )
        at = np.array([names.index(matches[column]) for column in columns], np.intp)
    elif is_frame(X):
        check_shape((len(X), len(column_names(X))), n_features)
    else:
        X = as_array(X)
        check_shape(X.shape, n_features)
        if X.dtype.kind in "biuf":
            return categories.index(X)
    if not len(columns):
        return np.zeros((len(X), n_features))
    read = categories.of_columns(columns)
    own_names = None if feature_names is None else tuple(feature_names[j] for j in columns)
    at_columns = np.searchsorted(columns, read.columns)
    encoded = encode_table(take_columns(X, at), at_columns, read.labels, own_names)
    type_of_rows = np.float32 if encoded.dtype == np.float32 else np.float64
    rows = np.zeros((len(X), n_features), type_of_rows)
    rows[:, columns] = encoded
    return rows


def find_names(feature_names: Sequence[Any], names: list[str]) -> list[str | None]:
    """Find the columns of a model in a data frame, by their names.

    Parameters
    ----------
    feature_names : sequence of str
        Of the model; LightGBM's have "_" in place of blanks.
    names : list of str
        Of the data frame.

    Returns
    -------
    matches : list of str or None
        The name in the data frame of each column of the model; None where there is none.
    """
    own = dict(zip(without_blanks(names) or names, names, strict=True)) | {n: n for n in names}
    return [own.get(str(name)) for name in feature_names]


def names_in(X: Any, feature_names: Any) -> Any:
    """Names of a model's columns as a data frame writes them.

    Parameters
    ----------
    X : data frame or array-like
        Rows.
    feature_names : sequence of str, or None
        Of the model.

    Returns
    -------
    names : sequence of str, or None
        The same but for blanks that LightGBM has replaced.
    """
    if not is_frame(X) or (names := _names_to_compare(X, feature_names)) is None:
        return feature_names
    matches = find_names(feature_names, names)
    return [own or str(name) for own, name in zip(matches, feature_names, strict=True)]


def _names_to_compare(X: Any, feature_names: Any) -> list[str] | None:
    """Names of a data frame, where both sides have names; else columns go by position."""
    names = column_names(X)
    if not all(isinstance(name, str) for name in names):
        return None
    if feature_names is None:
        check_names(None, X)  # warns
        return None
    return names


def sample_rows(X: Any) -> NDArray[Any]:
    """Some rows of a sparse matrix, dense, that show the range of every column.

    Parameters
    ----------
    X : sparse matrix of shape (n_samples, n_features)
        Too large to be dense.

    Returns
    -------
    rows : array of shape (n_rows, n_features)
        Rows of `X`, at most 2^25 numbers (but at least 4 rows). In each column the least and the
        greatest value of `X` are written over two of them, and a fraction and NaN over two more,
        if there are any.
    """
    X = X.tocsr()
    n_rows = min(X.shape[0], max(4, MOST_NUMBERS // X.shape[1]))
    rng = np.random.RandomState(0)
    rows: NDArray[Any] = X[np.sort(rng.choice(X.shape[0], n_rows, replace=False))].toarray()
    columns = np.arange(X.shape[1])
    first = rng.randint(n_rows, size=X.shape[1])
    for shift, extreme in enumerate(min_max_axis(X, axis=0, ignore_nan=True)):
        rows[(first + shift) % n_rows, columns] = extreme
    is_nan = np.isnan(X.data)
    for shift, part in enumerate((~is_nan & (X.data != np.floor(X.data)), is_nan), start=2):
        rows[(first[X.indices[part]] + shift) % n_rows, X.indices[part]] = X.data[part]
    return rows


def type_of_rows(X: Any) -> str:
    """Type in which rows like these arrive at an estimator.

    Parameters
    ----------
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features), or None
        Rows.

    Returns
    -------
    dtype : {"float32", "float64"}
        "float32" where all columns are of that type.
    """
    if not is_frame(X):
        return "float32" if getattr(X, "dtype", None) == np.float32 else "float64"
    row = take_rows(X, np.arange(min(len(X), 1)))
    columns = (take_columns(row, np.array([j])) for j in range(len(column_names(X))))
    return "float32" if all(np.asarray(x).dtype == np.float32 for x in columns) else "float64"


def as_numbers(rows: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Rows that show the range of the inputs.

    Parameters
    ----------
    rows : array of shape (n_samples, n_features)
        Numbers of any type.
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
