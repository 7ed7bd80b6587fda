"""Numbers → rows of the kind and the types of another data frame or array."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.categories import is_missing, lookup
from skdistill.dataframe._columns import (
    ColumnFormat,
    as_objects,
    column_names,
    describe_column,
    factorize,
    format_of,
    is_frame,
    numeric_values,
    open_columns,
)
from skdistill.dataframe._labels import Labels
from skdistill.dataframe.table import EncodedTable


def write_table(like: Any, values: NDArray[Any], labels: tuple[Labels | None, ...]) -> Any:
    """Write numbers as rows of the kind and the types of a data frame or array.

    What is missing becomes what is missing in that column of `like`, if anything is, else
    what its type has for it. Columns of whole numbers that would have to hold fractions, and
    those that have nothing for a missing value and would need it, become float64.

    Parameters
    ----------
    like : EncodedTable, or data frame or array of shape (n_rows, n_features)
        An `EncodedTable` is not opened again.
    values : array of shape (n_samples, n_features)
        Indexes in columns with labels, NaN where a value is missing, as `read_table` returns.
    labels : tuple of length n_features
        Labels of each column, or None.

    Returns
    -------
    rows : data frame or array of shape (n_samples, n_features)
        Of the type of `like`. A pandas data frame has a new index.

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
    if isinstance(like, EncodedTable):
        like, formats = like.native, like.formats
    else:
        like, formats = _opened(like)
    names = column_names(like) if is_frame(like) else None
    values = np.asarray(values)
    if values.ndim != 2 or not values.shape[1] == len(labels) == len(formats):
        raise ValueError(
            f"values of shape {values.shape} and {len(labels)} labels do not fit a table of "
            f"{len(formats)} columns"
        )
    for j, known in enumerate(labels):
        if known is None:
            continue
        _check_indexes(values[:, j], known, describe_column(j, names))
        if known.dtype.kind == "U" and not formats[j].takes_labels:
            raise ValueError(
                f"{describe_column(j, names)} holds no strings, its labels are {known[:5]}"
            )
    if is_frame(like):
        write = {"pandas": _write_pandas, "polars": _write_polars, "pyarrow": _write_arrow}
        library = nw.from_native(like).implementation.value
        if library not in write:
            raise TypeError(f"rows can be written as pandas, polars or pyarrow, not as {library}")
        return write[library](like, formats, values, labels)
    if like.dtype.kind in "biuf":
        return _write_numbers(like.dtype, values, labels)
    out = np.empty(values.shape, object)
    for j, form in enumerate(formats):
        out[:, j] = _objects(form, values[:, j], labels[j])
    if like.dtype.kind == "U":
        out[is_missing(out.ravel()).reshape(out.shape)] = ""
        return out.astype(str)
    return out


def _opened(X: Any) -> tuple[Any, tuple[ColumnFormat, ...]]:
    """X, and the formats of its columns, whatever they hold."""
    columns, names, X = open_columns(X)
    formats = []
    for j, column in enumerate(columns):
        where = describe_column(j, names)
        plain = numeric_values(column, where) is not None
        formats.append(format_of(column) if plain else format_of(column, *factorize(column, where)))
    return X, tuple(formats)


def _check_indexes(x: NDArray[Any], labels: Labels, where: str) -> None:
    known = x[~np.isnan(x)]
    wrong = known[~((known == np.rint(known)) & (known >= 0) & (known < len(labels)))]
    if len(wrong):
        raise ValueError(
            f"{where} has {len(labels)} labels, {wrong[0]:g} is the place of none of them"
        )


def _stored_values(form: ColumnFormat, labels: Labels) -> list[Any]:
    """Labels, and what is missing as the last, each as the column stores it, if it does."""
    stored = [*labels.tolist(), None]
    indexes = lookup(as_objects(form.uniques), labels).tolist()
    for value, index in zip(form.uniques, indexes, strict=True):
        if index <= len(labels):
            stored[int(index)] = value
    if form.missing:
        (stored[-1],) = form.missing
    return stored


def _objects(form: ColumnFormat, x: NDArray[Any], labels: Labels | None) -> NDArray[Any]:
    """Objects in place of numbers: labels, or numbers that are int where the column's are."""
    if labels is not None:
        return as_objects(_stored_values(form, labels))[_codes(x, labels)]
    present = as_objects(form.uniques)
    types = set(map(type, present[~is_missing(present)].tolist()))
    out, known = x.astype(object), ~np.isnan(x)
    whole = (x[known] == np.rint(x[known])) & (np.abs(x[known]) < 2**53)
    if types and whole.all() and all(issubclass(each, Integral) for each in types):
        out[known] = x[known].astype(np.int64)
    return out


def _write_numbers(
    dtype: Any, values: NDArray[Any], labels: tuple[Labels | None, ...]
) -> NDArray[Any]:
    """Numbers and labels as an array of a type, or of float64 where it cannot hold them."""
    if any(known is not None for known in labels):
        values = values.astype(np.float64)
        for j, known in enumerate(labels):
            if known is not None:
                values[:, j] = _labels_of(values[:, j], known)
    return values.astype(dtype if _holds(dtype, values) else np.float64)


def _codes(x: NDArray[Any], labels: Labels) -> NDArray[np.intp]:
    """Indexes as integers; a missing value gets that after the last label."""
    return np.where(np.isnan(x), len(labels), x).astype(np.intp)


def _labels_of(x: NDArray[Any], labels: Labels) -> NDArray[np.float64]:
    return np.append(labels, np.nan)[_codes(x, labels)]


def _holds(dtype: Any, x: NDArray[Any], *, missing: bool = False) -> bool:
    """Whether a type of NumPy holds some numbers; `missing` says whether NaN has its own place."""
    if dtype.kind not in "iub":
        return True
    known = x[~np.isnan(x)]
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    fits = (known == np.rint(known)) & (known >= float(low)) & (known < float(high) + 1)
    return bool(fits.all()) and (missing or len(known) == x.size)


def _numpy_dtype(form: ColumnFormat) -> Any:
    """The type of NumPy that is called like that of narwhals."""
    if form.dtype == nw.Boolean:
        return np.dtype(bool)
    if form.dtype in (nw.Int128, nw.UInt128) or not form.dtype.is_integer():
        return np.dtype(np.float64)
    return np.dtype(str(form.dtype).lower())


def _keeps_type(form: ColumnFormat, x: NDArray[Any]) -> bool:
    """Whether a column that has a place for what is missing can hold some numbers."""
    if form.takes_labels or form.dtype == nw.Unknown:
        return False
    return _holds(_numpy_dtype(form), x, missing=True)


def _write_pandas(
    like: Any,
    formats: tuple[ColumnFormat, ...],
    values: NDArray[Any],
    labels: tuple[Labels | None, ...],
) -> Any:
    import pandas as pd

    written: dict[int, Any] = {}
    for j, (form, known) in enumerate(zip(formats, labels, strict=True)):
        x, dtype = values[:, j], form.native_dtype
        if isinstance(dtype, np.dtype) and dtype.kind == "O":
            written[j] = pd.Series(_objects(form, x, known), dtype=object)
        elif form.takes_labels and np.isnan(x).all():
            written[j] = pd.Series([None] * len(x), dtype=dtype)
        elif form.takes_labels and known is not None:
            stored = _stored_values(form, known)
            lost = [v for v in stored[:-1] if v not in getattr(dtype, "categories", stored)]
            if lost:
                raise ValueError(
                    f"{describe_column(j, list(like.columns))} has no categories {lost}"
                )
            column = pd.Series(stored, dtype=dtype)
            written[j] = column.take(_codes(x, known)).reset_index(drop=True)
        elif form.takes_labels:
            written[j] = pd.Series(_numbers_of_categories(dtype, x))
        else:
            x = x if known is None else _labels_of(x, known)
            nullable = not isinstance(dtype, np.dtype)
            fits = _holds(_numpy_dtype(form), x, missing=nullable)
            if not fits or form.dtype == nw.Unknown:
                dtype = pd.Float64Dtype() if nullable else np.dtype(np.float64)
            column = pd.Series(x, dtype="Float64") if nullable else pd.Series(x)
            written[j] = column.astype(dtype)
    frame = pd.DataFrame(written, index=pd.RangeIndex(len(values)))
    frame.columns = like.columns
    return frame


def _numbers_of_categories(dtype: Any, x: NDArray[Any]) -> Any:
    """Numbers as the categories that they are, or as float64 where one is none of them."""
    import pandas as pd

    listed = getattr(dtype, "categories", ())
    code_of = {float(v): code for code, v in enumerate(listed) if isinstance(v, Real | np.bool_)}
    codes = [code_of.get(value, -1) for value in x.tolist()]
    if codes.count(-1) > np.isnan(x).sum():
        return x.astype(np.float64)
    return pd.Categorical.from_codes(codes, dtype=dtype)


def _write_polars(
    like: Any,
    formats: tuple[ColumnFormat, ...],
    values: NDArray[Any],
    labels: tuple[Labels | None, ...],
) -> Any:
    import polars as pl

    written = []
    for j, (form, known) in enumerate(zip(formats, labels, strict=True)):
        x, dtype = values[:, j], form.native_dtype
        if np.isnan(x).all():
            column = pl.Series([None] * len(x), dtype=dtype)
        elif known is not None and form.takes_labels:
            column = pl.Series(_stored_values(form, known), dtype=dtype)[_codes(x, known)]
        else:
            x = x if known is None else _labels_of(x, known)
            column = pl.Series(x.astype(np.float64)).fill_nan(None)
            if _keeps_type(form, x):
                column = column.cast(dtype)
        written.append(column.alias(like.columns[j]))
    return pl.DataFrame(written)


def _write_arrow(
    like: Any,
    formats: tuple[ColumnFormat, ...],
    values: NDArray[Any],
    labels: tuple[Labels | None, ...],
) -> Any:
    import pyarrow as pa

    written = []
    for j, (form, known) in enumerate(zip(formats, labels, strict=True)):
        x, dtype = values[:, j], form.native_dtype
        if np.isnan(x).all():
            column = pa.nulls(len(x), dtype)
        elif known is not None and form.takes_labels:
            stored = as_objects(_stored_values(form, known))
            column = pa.array(stored[_codes(x, known)].tolist(), dtype)
        else:
            x = x if known is None else _labels_of(x, known)
            column = pa.array(x.astype(np.float64), from_pandas=True)
            if _keeps_type(form, x):
                column = column.cast(dtype)
        written.append(column)
    return pa.table(written, names=like.column_names)
