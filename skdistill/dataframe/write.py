"""Numbers → a table of the kind and the types of another."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.categories import is_missing, lookup
from skdistill.dataframe._columns import (
    as_objects,
    caption,
    coded,
    is_frame,
    is_text,
    open_table,
)


def write_table(like: Any, values: NDArray[Any], labels: tuple[NDArray[Any] | None, ...]) -> Any:
    """Write numbers as a table of the kind and the types of another.

    What is missing becomes what is missing in that column of `like`, if anything is, else
    what its type has for it. Columns of whole numbers that would have to hold fractions, and
    those that have nothing for a missing value and would need it, become float64.

    Parameters
    ----------
    like : data frame or array of shape (m, d)
        What `read_table` takes.
    values : array of shape (n, d)
        Indexes in columns with labels, NaN where a value is missing, as `read_table` gives.
    labels : tuple of length d
        Labels of each column, or None.

    Returns
    -------
    table : of the type of `like`, n rows
        A pandas data frame has a new index.

    Raises
    ------
    ValueError
        For indexes that are no place of a label, for labels that a column of `like` cannot
        hold, and for another number of columns.
    TypeError
        For data frames that are none of pandas, polars or pyarrow.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import write_table
    >>> like = np.array([["red", 1], ["blue", 2]], dtype=object)
    >>> write_table(like, np.array([[0, 7], [np.nan, 8]]), (np.array(["blue", "red"]), None))
    array([['blue', 7],
           [None, 8]], dtype=object)
    """
    columns, names, like = open_table(like)
    values = np.asarray(values)
    if values.ndim != 2 or not values.shape[1] == len(labels) == len(columns):
        raise ValueError(
            f"values of shape {values.shape} and {len(labels)} labels do not fit a table of "
            f"{len(columns)} columns"
        )
    for j, each in enumerate(labels):
        if each is None:
            continue
        _check_places(values[:, j], each, caption(j, names))
        if each.dtype.kind == "U" and not _takes_text(columns[j]):
            raise ValueError(f"{caption(j, names)} holds no strings, its labels are {each[:5]}")
    if is_frame(like):
        write = {"pandas": _write_pandas, "polars": _write_polars, "pyarrow": _write_arrow}
        kind = nw.from_native(like).implementation.value
        if kind not in write:
            raise TypeError(f"rows can be written as pandas, polars or pyarrow, not as {kind}")
        return write[kind](like, columns, values, labels)
    if like.dtype.kind in "biuf":
        return _write_numbers(like.dtype, values, labels)
    written = [
        _written_objects(column, values[:, j], labels[j]) for j, column in enumerate(columns)
    ]
    out = np.empty(values.shape, object)
    for j, column in enumerate(written):
        out[:, j] = column
    if like.dtype.kind == "U":
        out[is_missing(out.ravel()).reshape(out.shape)] = ""
        return out.astype(str)
    return out


def _check_places(x: NDArray[Any], labels: NDArray[Any], where: str) -> None:
    known = x[~np.isnan(x)]
    wrong = known[~((known == np.rint(known)) & (known >= 0) & (known < len(labels)))]
    if len(wrong):
        raise ValueError(
            f"{where} has {len(labels)} labels, {wrong[0]:g} is the place of none of them"
        )


def _takes_text(column: Any) -> bool:
    return column.dtype.kind in "OU" if isinstance(column, np.ndarray) else is_text(column)


def _own_values(column: Any, labels: NDArray[Any]) -> list[Any]:
    """Labels and at last what is missing, each as the column has it, if it has it."""
    codes, found = coded(column, "a column")
    values = [*labels.tolist(), None]
    for value, place in zip(found, lookup(as_objects(found), labels).tolist(), strict=True):
        if place <= len(labels):
            values[int(place)] = value
    without = np.flatnonzero(codes < 0)
    if len(without):
        values[-1] = column[int(without[0])]
    return values


def _written_objects(column: Any, x: NDArray[Any], labels: NDArray[Any] | None) -> NDArray[Any]:
    """Objects in place of numbers: labels, or numbers that are int where the column's are."""
    if labels is not None:
        return as_objects(_own_values(column, labels))[_places(x, labels)]
    values = column if isinstance(column, np.ndarray) else column.to_numpy()
    kinds = set(map(type, values[~is_missing(values)].tolist()))
    out, known = x.astype(object), ~np.isnan(x)
    whole = (x[known] == np.rint(x[known])) & (np.abs(x[known]) < 2**53)
    if kinds and whole.all() and all(issubclass(kind, Integral) for kind in kinds):
        out[known] = x[known].astype(np.int64)
    return out


def _write_numbers(dtype: Any, values: NDArray[Any], labels: Any) -> NDArray[Any]:
    """Numbers and labels as an array of a type, or of float64 where it cannot hold them."""
    if any(each is not None for each in labels):
        values = values.astype(np.float64)
        for j, each in enumerate(labels):
            if each is not None:
                values[:, j] = _labels_at(values[:, j], each)
    return values.astype(dtype if _holds(dtype, values) else np.float64)


def _places(x: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.intp]:
    """Indexes, and that of one more label where a value is missing."""
    return np.where(np.isnan(x), len(labels), x).astype(np.intp)


def _labels_at(x: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    return np.append(labels, np.nan)[_places(x, labels)]


def _holds(dtype: Any, x: NDArray[Any], *, missing: bool = False) -> bool:
    """Whether a type of NumPy holds some numbers; `missing` says whether NaN has its own place."""
    if dtype.kind not in "iub":
        return True
    known = x[~np.isnan(x)]
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    fits = (known == np.rint(known)) & (known >= float(low)) & (known < float(high) + 1)
    return bool(fits.all()) and (missing or len(known) == x.size)


def _plain_dtype(column: Any) -> Any:
    """The type of NumPy that is called like that of narwhals."""
    if column.dtype == nw.Boolean:
        return np.dtype(bool)
    if column.dtype in (nw.Int128, nw.UInt128) or not column.dtype.is_integer():
        return np.dtype(np.float64)
    return np.dtype(str(column.dtype).lower())


def _keeps(column: Any, x: NDArray[Any]) -> bool:
    """Whether a column that has a place for what is missing can hold some numbers."""
    if is_text(column) or column.dtype == nw.Unknown:
        return False
    return _holds(_plain_dtype(column), x, missing=True)


def _write_pandas(like: Any, columns: list[Any], values: NDArray[Any], labels: Any) -> Any:
    import pandas as pd

    names, written = list(like.columns), {}
    for j, column in enumerate(columns):
        x, dtype = values[:, j], column.to_native().dtype
        if isinstance(dtype, np.dtype) and dtype.kind == "O":
            written[j] = pd.Series(_written_objects(column, x, labels[j]), dtype=object)
        elif is_text(column) and np.isnan(x).all():
            written[j] = pd.Series([None] * len(x), dtype=dtype)
        elif is_text(column) and labels[j] is not None:
            own = _own_values(column, labels[j])
            lost = [value for value in own[:-1] if value not in getattr(dtype, "categories", own)]
            if lost:
                raise ValueError(f"{caption(j, names)} has no categories {lost}")
            own = pd.Series(own, dtype=dtype)
            written[j] = own.take(_places(x, labels[j])).reset_index(drop=True)
        elif is_text(column):
            written[j] = pd.Series(_numbers_of_categories(dtype, x))
        else:
            x = x if labels[j] is None else _labels_at(x, labels[j])
            nullable = not isinstance(dtype, np.dtype)
            fits = _holds(_plain_dtype(column), x, missing=nullable)
            if not fits or column.dtype == nw.Unknown:
                dtype = pd.Float64Dtype() if nullable else np.dtype(np.float64)
            x = pd.Series(x, dtype="Float64") if nullable else x
            written[j] = pd.Series(x).astype(dtype)
    frame = pd.DataFrame(written, index=pd.RangeIndex(len(values)))
    frame.columns = like.columns
    return frame


def _numbers_of_categories(dtype: Any, x: NDArray[Any]) -> Any:
    """Numbers as the categories that they are, or as float64 where one is none of them."""
    import pandas as pd

    listed = getattr(dtype, "categories", ())
    places = {float(each): k for k, each in enumerate(listed) if isinstance(each, Real | np.bool_)}
    codes = [places.get(value, -1) for value in x.tolist()]
    if codes.count(-1) > np.isnan(x).sum():
        return x.astype(np.float64)
    return pd.Categorical.from_codes(codes, dtype=dtype)


def _write_polars(like: Any, columns: list[Any], values: NDArray[Any], labels: Any) -> Any:
    import polars as pl

    written = []
    for j, column in enumerate(columns):
        x, dtype = values[:, j], column.to_native().dtype
        if np.isnan(x).all():
            new = pl.Series([None] * len(x), dtype=dtype)
        elif labels[j] is not None and is_text(column):
            new = pl.Series(_own_values(column, labels[j]), dtype=dtype)[_places(x, labels[j])]
        else:
            x = x if labels[j] is None else _labels_at(x, labels[j])
            new = pl.Series(x.astype(np.float64)).fill_nan(None)
            if _keeps(column, x):
                new = new.cast(dtype)
        written.append(new.alias(column.name))
    return pl.DataFrame(written)


def _write_arrow(like: Any, columns: list[Any], values: NDArray[Any], labels: Any) -> Any:
    import pyarrow as pa

    written = []
    for j, column in enumerate(columns):
        x, dtype = values[:, j], column.to_native().type
        if np.isnan(x).all():
            new = pa.nulls(len(x), dtype)
        elif labels[j] is not None and is_text(column):
            own = as_objects(_own_values(column, labels[j]))
            new = pa.array(own[_places(x, labels[j])].tolist(), dtype)
        else:
            x = x if labels[j] is None else _labels_at(x, labels[j])
            new = pa.array(x.astype(np.float64), from_pandas=True)
            if _keeps(column, x):
                new = new.cast(dtype)
        written.append(new)
    return pa.table(written, names=like.column_names)
