"""Tables of any kind → numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skdistill.compact.tables.categories import MOST_LABELS, is_missing, lookup
from skdistill.dataframe._columns import (
    CATEGORIES,
    as_objects,
    caption,
    coded,
    is_frame,
    kinds_of,
    numbers_in_objects,
    numbers_of,
    open_table,
)

_MOST_WHOLE = 2**24  # whole numbers that float32 keeps apart
_BEFORE_FIT = (
    "name the column in categorical_features if it holds categories, else turn it into numbers"
)
_AFTER_FIT = (
    "in fit it held numbers or nothing at all; turn it into numbers, or fit on rows with its labels"
)


class Table(NamedTuple):
    """A table as numbers.

    Attributes
    ----------
    values : array of shape (n, d)
        A column with labels holds indexes into them, NaN where a value is missing. float64
        if there is such a column, else the common dtype of the columns.
    labels : tuple of length d
        For each column its labels, ascending, str or int64 array of shape (C,); None for a
        column of numbers.
    names : tuple of str or None
        Column names, where all of them are strings.
    """

    values: Any
    labels: tuple[NDArray[Any] | None, ...]
    names: tuple[str, ...] | None


def read_table(X: Any, categorical_features: Any = "from_dtype") -> Table:
    """Read a table to learn from.

    None, NaN, NA and the empty string are missing. Labels are strings or whole numbers
    within ±2^24; True is 1. A column without any value is a column of numbers.

    Parameters
    ----------
    X : data frame, array or sparse matrix of shape (n, d)
        What narwhals knows as an eager data frame, or what NumPy makes an array of.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Names, indices or a boolean mask of the columns that hold categories; None for no
        column. "from_dtype" takes a data frame's categorical columns and its columns of
        strings, and nothing of an array.

    Returns
    -------
    table : Table
        Arrays of numbers and sparse matrices without category columns are not copied.

    Raises
    ------
    ValueError
        For a column of more than 254 labels or of strings and numbers mixed, for strings in a
        column of numbers, for labels that are fractions, for column names that occur twice,
        and for `categorical_features` that do not fit X.
    TypeError
        For columns of another kind: points in time, lists, bytes, decimals.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import read_table
    >>> X = np.array([["red", 1.5], ["blue", 2.5], [None, 0.0]], dtype=object)
    >>> table = read_table(X, categorical_features=[0])
    >>> table.values.tolist()
    [[1.0, 1.5], [0.0, 2.5], [nan, 0.0]]
    >>> table.labels[0].tolist()
    ['blue', 'red']
    """
    columns, names, X = open_table(X)
    wanted = _wanted(categorical_features, len(columns), names, is_frame(X))
    strings = tuple(names) if names and all(isinstance(name, str) for name in names) else None
    if isinstance(X, np.ndarray) and X.dtype.kind in "biuf" and not any(wanted):
        return Table(X, (None,) * len(columns), strings)
    if sparse.issparse(X):
        if any(wanted):
            raise ValueError("a sparse X has no category columns: pass a data frame or an array")
        return Table(X, (None,) * len(columns), strings)
    read = [
        _read_column(column, caption(j, names), as_labels)
        for j, (column, as_labels) in enumerate(zip(columns, wanted, strict=True))
    ]
    labels = tuple(each for _, each in read)
    dtype = np.float64 if any(each is not None for each in labels) else None
    return Table(_stacked([x for x, _ in read], X.shape, dtype), labels, strings)


def index_table(
    X: Any, columns: ArrayLike, labels: Any, names: tuple[str, ...] | None = None
) -> NDArray[np.float64]:
    """Read a table to predict for: labels become indexes.

    Parameters
    ----------
    X : data frame or array of shape (n, d)
        The columns in the order of `fit`; the caller has compared their names.
    columns : int array of shape (m,)
        Columns of categories.
    labels : sequence of m arrays
        Their labels, ascending, str or int64.
    names : tuple of str or None, default=None
        Names for messages, where X has none.

    Returns
    -------
    values : float64 array of shape (n, d)
        In a column of categories 0 … C − 1, C where a value is missing, C + 1 where it is
        unknown. Where labels are strings, a column of numbers holds indexes already.

    Raises
    ------
    ValueError
        For strings in a column of numbers.
    TypeError
        For columns of another kind than strings and numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import index_table
    >>> X = np.array([["red", 1.5], ["pink", 2.5], [None, 0.0]], dtype=object)
    >>> index_table(X, [0], [np.array(["blue", "red"])]).tolist()
    [[1.0, 1.5], [3.0, 2.5], [2.0, 0.0]]
    """
    opened, own_names, X = open_table(X)
    of_column = dict(zip(np.asarray(columns).tolist(), labels, strict=True))
    read = []
    for j, column in enumerate(opened):
        where = caption(j, own_names or names)
        if j not in of_column:
            read.append(_read_column(column, where, False, _AFTER_FIT)[0])
            continue
        numbers = numbers_of(column, where)
        if numbers is None:
            codes, found = coded(column, where)
            kinds_of(found, where)
            places = np.append(lookup(as_objects(found), of_column[j]), len(of_column[j]))
            read.append(places[codes])
        else:
            read.append(lookup(numbers, of_column[j]))
    return _stacked(read, X.shape, np.float64)


def whole_columns(X: Any) -> NDArray[np.bool_]:
    """Tell which columns have a type of integers, which float32 may have to round.

    Parameters
    ----------
    X : data frame, array or sparse matrix of shape (n, d)

    Returns
    -------
    whole : bool array of shape (d,)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe.read import whole_columns
    >>> whole_columns(np.array([[1, 2]])).tolist()
    [True, True]
    """
    columns, _, X = open_table(X)
    if is_frame(X):
        return np.array([column.dtype.is_integer() for column in columns], bool)
    return np.full(X.shape[1], X.dtype.kind in "iu")


def _stacked(columns: list[NDArray[Any]], shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Columns as one array; each is contiguous, as they are in pandas."""
    if dtype is None:
        dtype = np.result_type(*{x.dtype for x in columns}) if columns else np.float64
    out = np.empty(shape, dtype, order="F")
    for j, x in enumerate(columns):
        out[:, j] = x
    return out


def _wanted(given: Any, d: int, names: list[Any] | None, framed: bool) -> list[bool | None]:
    """For each column whether it holds categories; None leaves it to its type."""
    if given is None or isinstance(given, str):
        if given not in (None, "from_dtype"):
            raise ValueError(
                "categorical_features must be 'from_dtype', None or an array-like of bool, int or "
                f"str, got: {given!r}"
            )
        return [None if framed and given is not None else False] * d
    given = np.asarray(given)
    if given.size == 0:
        return [False] * d
    if given.dtype.kind not in "ibUO":
        raise ValueError(
            "categorical_features must be an array-like of bool, int or str, got: "
            f"{given.dtype.name}."
        )
    types = sorted({type(each).__name__ for each in given.tolist()})
    if given.dtype.kind == "O" and types != ["str"]:
        raise ValueError(
            f"categorical_features must be an array-like of bool, int or str, got: {types}."
        )
    if given.dtype.kind == "b":
        if given.shape != (d,):
            raise ValueError(
                "categorical_features set as a boolean mask must have shape (n_features,), got: "
                f"{given.shape}"
            )
        return given.tolist()
    if given.dtype.kind == "i":
        if given.min() < 0 or given.max() >= d:
            raise ValueError(
                "categorical_features set as integer indices must be in [0, n_features - 1], got: "
                f"{given.tolist()}"
            )
        return np.isin(np.arange(d), given).tolist()
    if names is None:
        raise ValueError(
            "categorical_features should be passed as an array of integers or as a boolean mask "
            "when the model is fitted on data without feature names."
        )
    for name in given.tolist():
        if name not in names:
            raise ValueError(
                f"categorical_features has an item value {name!r} which is not a valid feature "
                f"name of the training data. Observed feature names: {names}"
            )
    return [name in set(given.tolist()) for name in names]


def _read_column(
    column: Any, where: str, as_labels: bool | None, remedy: str = _BEFORE_FIT
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Numbers, or indexes and labels."""
    numbers = numbers_of(column, where)
    if numbers is None:
        numbers = numbers_in_objects(column)
    if numbers is not None:
        if not as_labels:
            return numbers, None
        labels = _whole_labels(np.unique(numbers[~np.isnan(numbers)]), where)
        if not len(labels):
            return np.full(len(numbers), np.nan), None
        index = lookup(numbers, labels)
        return np.where(index == len(labels), np.nan, index), labels
    codes, found = coded(column, where)
    kinds = kinds_of(found, where)
    if as_labels is None:
        # Objects that are numbers are numbers; categories that are numbers are categories.
        as_labels = "string" in kinds or column.dtype in CATEGORIES
    if as_labels is False and "string" in kinds:
        text = next(value for value in found if isinstance(value, str) and value)
        raise ValueError(f"could not convert string to float: {text!r} in {where}; {remedy}")
    if len(kinds) == 2:
        raise ValueError(
            f"{where} mixes strings and numbers: turn all its values into strings, or into numbers"
        )
    missing = is_missing(as_objects(found))
    present = [value for value, without in zip(found, missing, strict=True) if not without]
    if not (as_labels and present):
        numbers = np.full(len(found) + 1, np.nan)
        numbers[:-1][~missing] = present
        return numbers[codes], None
    labels = _text_labels(present, where) if "string" in kinds else _number_labels(present, where)
    index = np.append(lookup(as_objects(found), labels), np.nan)
    return np.where(index == len(labels), np.nan, index)[codes], labels


def _text_labels(present: list[str], where: str) -> NDArray[Any]:
    _check_count(len(set(present)), where)
    if any("\0" in text for text in present):
        raise ValueError(f"{where} has labels that hold the character NUL: replace it")
    return np.unique(np.array([str(text) for text in present]))


def _number_labels(present: list[Any], where: str) -> NDArray[np.int64]:
    return _whole_labels(np.unique(np.array([float(value) for value in present])), where)


def _whole_labels(numbers: NDArray[Any], where: str) -> NDArray[np.int64]:
    """Sorted, different numbers as labels."""
    other = numbers[~((numbers == np.rint(numbers)) & (np.abs(numbers) <= _MOST_WHOLE))]
    if len(other):
        raise ValueError(
            f"{where} holds {float(other[0])!r}: labels that are numbers must be whole, within "
            "±2**24; turn the column into strings, or into numbers that categorical_features "
            "leaves out"
        )
    _check_count(len(numbers), where)
    return numbers.astype(np.int64)


def _check_count(count: int, where: str) -> None:
    if count > MOST_LABELS:
        raise ValueError(
            f"{where} has {count:,} labels, at most {MOST_LABELS} can be told apart: group the "
            "rare ones, or put them into buckets by skdistill.dataframe.hash_categories"
        )
