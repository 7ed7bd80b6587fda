"""Columns of any table, one by one: as numbers, or as codes of their different values."""

from __future__ import annotations

from collections import Counter
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from skdistill.compact.tables.categories import is_missing

CATEGORIES = (nw.Categorical, nw.Enum)  # pandas' ordered ones are the second
_LABELLED = (*CATEGORIES, nw.String)


def is_frame(X: Any) -> bool:
    """Whether narwhals knows it as an eager data frame."""
    return bool(nw.dependencies.is_into_dataframe(X))


def category_columns(X: Any) -> NDArray[np.bool_]:
    """Which columns have a type of categories, shape (d,)."""
    columns, _, X = open_table(X)
    return np.array([is_frame(X) and column.dtype in CATEGORIES for column in columns], bool)


def column_names(X: Any) -> list[Any]:
    """Column names of a data frame; narwhals would not open one that has a name twice."""
    names = list(X.column_names if hasattr(X, "column_names") else X.columns)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(f"column names must differ, these occur more than once: {twice}")
    return names


def open_table(X: Any) -> tuple[list[Any], list[Any] | None, Any]:
    """Columns as narwhals' series or arrays, their names if there are any, and the table."""
    if is_frame(X):
        names = column_names(X)
        return list(nw.from_native(X, eager_only=True).iter_columns()), names, X
    if isinstance(X, list | tuple) and np.asarray(X).dtype.kind == "U":
        X = np.asarray(X, dtype=object)  # NumPy would make strings of the numbers beside strings
    X = check_array(
        X,
        accept_sparse=True,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
    )
    columns = [None] * X.shape[1] if sparse.issparse(X) else list(X.T)
    return columns, None, X


def container(X: Any) -> str:
    """What kind of table it is: only tables of a kind are put together."""
    if is_frame(X):
        return str(nw.from_native(X).implementation.value)
    if sparse.issparse(X):
        return "sparse matrix"
    return "array of strings" if np.asarray(X).dtype.kind == "U" else "array"


def caption(j: int, names: Any) -> str:
    """How messages name a column."""
    return f"column {j if names is None else names[j]!r}"


def as_objects(values: list[Any]) -> NDArray[Any]:
    """Array of objects of shape (len(values),), whatever the values are."""
    out = np.empty(len(values), object)
    out[:] = values
    return out


def is_text(column: Any) -> bool:
    """Whether the type of a data frame's column is none of numbers."""
    return column.dtype in _LABELLED or column.dtype == nw.Object


def numbers_of(column: Any, where: str) -> NDArray[Any] | None:
    """A column of numbers as it is, missing ones as NaN; None where it holds something else.

    Raises
    ------
    TypeError
        For types that can hold neither numbers nor labels.
    """
    if isinstance(column, np.ndarray):
        if column.dtype.kind in "OU":
            return None
        if column.dtype.kind in "biuf":
            return column
        raise unreadable(where, column.dtype)
    dtype = column.dtype
    if dtype.is_integer() or dtype.is_float() or dtype == nw.Boolean:
        if dtype in (nw.Int128, nw.UInt128):
            column = column.cast(nw.Float64)
        x = column.to_numpy()
        return x if x.dtype.kind in "biuf" else column.cast(nw.Float64).to_numpy()
    if dtype == nw.Unknown:  # a column of nulls, or a type that only pandas knows
        if column.null_count() == len(column):
            return np.full(len(column), np.nan)
        x = column.to_numpy()
        if x.dtype.kind in "biuf":
            return x
    if dtype in _LABELLED or (dtype == nw.Object and column.implementation.is_pandas_like()):
        return None
    raise unreadable(where, getattr(column.to_native(), "dtype", dtype))


def numbers_in_objects(column: Any) -> NDArray[np.float64] | None:
    """A column of objects as numbers, if it holds nothing but numbers of Python and NumPy."""
    if getattr(column, "dtype", None) not in (np.dtype(object), nw.Object):
        return None
    values = column if isinstance(column, np.ndarray) else column.to_numpy()
    kinds = set(map(type, values.tolist()))
    if not all(kind is type(None) or issubclass(kind, Real | np.bool_) for kind in kinds):
        return None
    return values.astype(np.float64)


def coded(column: Any, where: str) -> tuple[NDArray[Any], list[Any]]:
    """Different values of a column, and which one each row has; −1 is none at all."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "U":
        found, codes = np.unique(column, return_inverse=True)
        return codes, found.tolist()
    try:
        if isinstance(column, np.ndarray):
            place: dict[Any, int] = {}
            listed = (place.setdefault(value, len(place)) for value in column.tolist())
            return np.fromiter(listed, np.intp, len(column)), list(place)
        if column.implementation.is_pandas_like():
            codes, found = column.to_native().factorize()
            return np.asarray(codes), found.tolist()
    except TypeError as error:  # values that have no hash
        raise unreadable(where, f"objects ({error})") from None
    if column.implementation.is_pyarrow():
        found = column.to_native().dictionary_encode().unify_dictionaries().combine_chunks()
        codes = found.indices.fill_null(-1).to_numpy()
        used, codes = np.unique(np.append(codes, -1), return_inverse=True)  # entries may be unused
        entries = found.dictionary.to_pylist()
        return codes[:-1] - 1, [entries[place] for place in used[1:]]
    column = column.cast(nw.String)
    found = column.drop_nulls().unique().to_list()
    if not found:
        return np.full(len(column), -1), found
    codes = column.replace_strict(found, list(range(len(found))), return_dtype=nw.Int32)
    return codes.fill_null(-1).to_numpy(), found


def kinds_of(found: list[Any], where: str) -> set[str]:
    """Which of "string" and "number" some values are; missing ones are neither."""
    kinds = set()
    for value in found:
        if isinstance(value, str):
            if value:
                kinds.add("string")
        elif isinstance(value, Real | np.bool_):
            if value == value:
                kinds.add("number")
        elif not is_missing(as_objects([value]))[0]:
            raise unreadable(where, type(value).__name__)
    return kinds


def unreadable(where: str, what: Any) -> TypeError:
    """The error for what is neither number nor label, in words that scikit-learn's checks want."""
    return TypeError(
        f"{where} holds {what}: an argument must be a string, a number or a boolean; turn the "
        "column into such ones (points in time into numbers), or leave it out"
    )
