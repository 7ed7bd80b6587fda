"""Data frames and arrays → numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from skdistill.compact.tables.categories import is_missing, lookup
from skdistill.dataframe._columns import (
    ColumnFormat,
    as_objects,
    describe_column,
    factorize,
    format_of,
    is_frame,
    numeric_values,
    open_columns,
    stack_columns,
    value_types,
)
from skdistill.dataframe._labels import (
    Labels,
    encode_numbers,
    mixed_types,
    require_few_labels,
    text_labels,
    whole_labels,
)
from skdistill.dataframe._text import describe_numbers, parse_all
from skdistill.dataframe.table import EncodedTable, numeric_table

_AFTER_FIT = (
    "in fit it held numbers or nothing at all; turn it into numbers, or fit on rows with its labels"
)


def read_table(
    X: Any,
    categorical_features: Any = "from_dtype",
    parameter: str | None = "categorical_features",
) -> EncodedTable:
    """Read a table to learn from.

    None, NaN, NA and the empty string are missing. Labels are strings or whole numbers
    within ±2^24; True is 1. A column without any value is a column of numbers.

    Parameters
    ----------
    X : data frame, array or sparse matrix of shape (n_samples, n_features)
        What narwhals knows as an eager data frame, or what NumPy makes an array of.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Names, indices or a boolean mask of the columns that hold categories; None for no
        column. "from_dtype" takes a data frame's categorical columns and its columns of
        strings, and nothing of an array.
    parameter : str or None, default="categorical_features"
        Name for messages of what the caller can set; None where there is no such parameter.

    Returns
    -------
    table : EncodedTable
        Arrays of numbers and sparse matrices without category columns are not copied.

    Raises
    ------
    ValueError
        For a column of more than 254 labels or of strings and numbers mixed, for strings in a
        column of numbers, for labels that are fractions, for column names that occur twice,
        and for `categorical_features` that do not fit X.
    TypeError
        For columns of another kind: points in time, lists, bytes.

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
    columns, names, X = open_columns(X)
    categorical = _categorical_columns(
        categorical_features,
        len(columns),
        names,
        framed=is_frame(X),
        parameter=parameter or "categorical_features",
    )
    named = f"name the column in {parameter} if it holds categories, else " if parameter else ""
    remedy = f"{named}turn it into numbers"
    strings = tuple(names) if names and all(isinstance(name, str) for name in names) else None
    if sparse.issparse(X) and any(categorical):
        raise ValueError("a sparse X has no category columns: pass a data frame or an array")
    if not (is_frame(X) or any(categorical)) and X.dtype.kind in "biuf":
        return numeric_table(X)
    read = [
        _read_column(column, describe_column(j, names), is_categorical, remedy)
        for j, (column, is_categorical) in enumerate(zip(columns, categorical, strict=True))
    ]
    values, labels, formats = zip(*read, strict=True) if read else ((), (), ())
    numeric = all(each is None for each in labels)
    dtype = _common_dtype(values) if numeric else np.float64
    return EncodedTable(X, stack_columns(list(values), X.shape, dtype), labels, strings, formats)


def encode_table(
    X: Any, columns: ArrayLike, labels: Any, names: tuple[str, ...] | None = None
) -> NDArray[Any]:
    """Read a table to predict for, with the labels that `fit` has seen.

    Parameters
    ----------
    X : data frame or array of shape (n_samples, n_features)
        The columns in the order of `fit`; the caller has compared their names.
    columns : int array of shape (n_columns,)
        Columns of categories.
    labels : sequence of n_columns arrays
        Labels of these columns, ascending, str or int64.
    names : tuple of str or None, default=None
        Names for messages, where X has none.

    Returns
    -------
    values : array of shape (n_samples, n_features)
        float64 if there are columns of categories, else of the common dtype of the columns. In a
        column of categories the index of the label, n_labels where a value is missing,
        n_labels + 1 where it is unknown. Where labels are strings, a column of numbers holds
        indexes already.

    Raises
    ------
    ValueError
        For strings in a column of numbers.
    TypeError
        For columns of another kind than strings and numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import encode_table
    >>> X = np.array([["red", 1.5], ["pink", 2.5], [None, 0.0]], dtype=object)
    >>> encode_table(X, [0], [np.array(["blue", "red"])]).tolist()
    [[1.0, 1.5], [3.0, 2.5], [2.0, 0.0]]
    """
    opened, own_names, X = open_columns(X)
    labels_of = dict(zip(np.asarray(columns).tolist(), labels, strict=True))
    read = []
    for j, column in enumerate(opened):
        where = describe_column(j, own_names or names)
        if j not in labels_of:
            read.append(_read_column(column, where, False, _AFTER_FIT)[0])
            continue
        numbers = numeric_values(column, where)
        if numbers is None:
            codes, uniques = factorize(column, where)
            value_types(uniques, where)
            # Code −1, a missing value, reads the last entry.
            index = np.append(lookup(as_objects(uniques), labels_of[j]), len(labels_of[j]))
            read.append(index[codes])
        else:
            read.append(lookup(numbers, labels_of[j]))
    return stack_columns(read, X.shape, np.float64 if labels_of else _common_dtype(read))


def _common_dtype(columns: Sequence[NDArray[Any]]) -> Any:
    """The dtype that holds the numbers of all columns."""
    return np.result_type(*{x.dtype for x in columns}) if columns else np.float64


def _categorical_columns(
    categorical_features: Any,
    n_features: int,
    names: list[Any] | None,
    *,
    framed: bool,
    parameter: str,
) -> list[bool | None]:
    """For each column whether it holds categories; None leaves it to its type."""
    if categorical_features is None or isinstance(categorical_features, str):
        if categorical_features not in (None, "from_dtype"):
            raise ValueError(
                f"{parameter} must be 'from_dtype', None or an array-like of bool, int or "
                f"str, got: {categorical_features!r}"
            )
        by_type = framed and categorical_features is not None
        return [None if by_type else False] * n_features
    listed = np.asarray(categorical_features)
    if listed.size == 0:
        return [False] * n_features
    if listed.dtype.kind not in "ibUO":
        raise ValueError(
            f"{parameter} must be an array-like of bool, int or str, got: {listed.dtype.name}."
        )
    types = sorted({type(each).__name__ for each in listed.tolist()})
    if listed.dtype.kind == "O" and types != ["str"]:
        raise ValueError(f"{parameter} must be an array-like of bool, int or str, got: {types}.")
    if listed.dtype.kind == "b":
        if listed.shape != (n_features,):
            raise ValueError(
                f"{parameter} set as a boolean mask must have shape (n_features,), got: "
                f"{listed.shape}"
            )
        return [bool(each) for each in listed]
    if listed.dtype.kind == "i":
        if listed.min() < 0 or listed.max() >= n_features:
            raise ValueError(
                f"{parameter} set as integer indices must be in [0, n_features - 1], got: "
                f"{listed.tolist()}"
            )
        return [j in set(listed.tolist()) for j in range(n_features)]
    if names is None:
        raise ValueError(
            f"{parameter} should be passed as an array of integers or as a boolean mask "
            "when the model is fitted on data without feature names."
        )
    for name in listed.tolist():
        if name not in names:
            raise ValueError(
                f"{parameter} has an item value {name!r} which is not a valid feature "
                f"name of the training data. Observed feature names: {names}"
            )
    return [name in set(listed.tolist()) for name in names]


def _read_column(
    column: Any, where: str, is_categorical: bool | None, remedy: str
) -> tuple[NDArray[Any], Labels | None, ColumnFormat]:
    """Values, labels and format of a column; None leaves to its type what it holds."""
    numbers = numeric_values(column, where)
    if numbers is not None:
        form = format_of(column)
        return (*encode_numbers(numbers, where), form) if is_categorical else (numbers, None, form)
    codes, uniques = factorize(column, where)
    form = format_of(column, codes, uniques)
    types = value_types(uniques, where)
    by_type = is_categorical is None
    if by_type:
        # Objects that are numbers are numbers; categories that are numbers are categories.
        is_categorical = "string" in types or form.is_categorical
    if not is_categorical and "string" in types:
        parsed = parse_all(uniques) if form.is_numpy else None
        if parsed is not None:  # scikit-learn reads text in arrays of objects, too
            return parsed[codes], None, form
        text, remedy = _not_a_number(column, codes, uniques, remedy)
        raise ValueError(f"could not convert string to float: {text!r} in {where}; {remedy}")
    if len(types) == 2:
        raise mixed_types(where)
    missing = is_missing(as_objects(uniques))
    present = [value for value, without in zip(uniques, missing, strict=True) if not without]
    if not (is_categorical and present):
        numbers = np.full(len(uniques) + 1, np.nan)  # code −1 reads the last entry
        numbers[:-1][~missing] = present
        return numbers[codes], None, form
    labels: Labels
    if "string" in types:
        require_few_labels(len(present), where, _remedy_of_numbers(column, codes, uniques))
        labels = text_labels(present, where)
        if by_type and not form.is_categorical:
            _warn_of_numbers(column, codes, uniques, where)
    else:
        labels = whole_labels(np.unique(np.array([float(value) for value in present])), where)
    index = np.append(lookup(as_objects(uniques), labels), np.nan)
    return np.where(index == len(labels), np.nan, index)[codes], labels, form


def _remedy_of_numbers(column: Any, codes: NDArray[Any], uniques: list[Any]) -> str | None:
    """What to do with a column of text that holds numbers; None for other columns."""
    described = describe_numbers(column, codes, uniques)
    return None if described is None else described[0]


def _not_a_number(
    column: Any, codes: NDArray[Any], uniques: list[Any], remedy: str
) -> tuple[str, str]:
    """The first string of a column that is no number, and what to do with the column."""
    texts = [value for value in uniques if isinstance(value, str) and value]
    text = next((value for value in texts if parse_all([value]) is None), texts[0])
    return text, _remedy_of_numbers(column, codes, uniques) or remedy


def _warn_of_numbers(column: Any, codes: NDArray[Any], uniques: list[Any], where: str) -> None:
    """Warn of amounts as text, which become categories because of their type."""
    described = describe_numbers(column, codes, uniques)
    if described is not None and described[1]:
        warnings.warn(
            f"{where} is read as categories, but {described[0]}; if they are categories, the "
            "type of the column should be one of categories",
            UserWarning,
            stacklevel=6,  # the caller of `fit`
        )
