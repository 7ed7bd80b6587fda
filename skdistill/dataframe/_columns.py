"""Containers of all kinds, and their columns one by one: as numbers, or as codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from skdistill.compact.tables.categories import is_missing

CATEGORICAL = (nw.Categorical, nw.Enum)  # pandas' ordered categories are the second
_WITH_LABELS = (*CATEGORICAL, nw.String)


class ColumnFormat(NamedTuple):
    """How a column stores its values: what is needed to write others like them.

    Attributes
    ----------
    dtype : dtype of narwhals or NumPy
        The one in which columns of all libraries are compared.
    native_dtype : dtype of the library
        The one in which values are written.
    uniques : sequence
        The different values, as they are stored, of a column that holds more than plain
        numbers; else empty.
    missing : tuple
        What is stored where a value is missing, if `uniques` does not hold it; else empty.
    """

    dtype: Any
    native_dtype: Any
    uniques: Sequence[Any] = ()
    missing: tuple[Any, ...] = ()

    @property
    def is_numpy(self) -> bool:
        """Whether the column is one of an array."""
        return isinstance(self.dtype, np.dtype)

    @property
    def is_integer(self) -> bool:
        """Whether the column has a type of integers, which float32 may have to round."""
        return self.dtype.kind in "iu" if self.is_numpy else bool(self.dtype.is_integer())

    @property
    def is_categorical(self) -> bool:
        """Whether the column has a type of categories."""
        return not self.is_numpy and self.dtype in CATEGORICAL

    @property
    def takes_labels(self) -> bool:
        """Whether the column can hold strings or categories."""
        if self.is_numpy:
            return self.dtype.kind in "OU"
        return self.dtype in _WITH_LABELS or self.dtype == nw.Object


def is_frame(X: Any) -> bool:
    """Whether X is an eager data frame of a library that narwhals knows.

    Parameters
    ----------
    X : object
        Of any kind.

    Returns
    -------
    frame : bool
        False for arrays and lists.
    """
    return bool(nw.dependencies.is_into_dataframe(X))


def container_type(X: Any) -> str:
    """Name the kind of container: only containers of a kind can be concatenated.

    Parameters
    ----------
    X : data frame, array or sparse matrix
        Rows.

    Returns
    -------
    kind : str
        "pandas", "polars", …, "sparse matrix", "array of strings" or "array".
    """
    if is_frame(X):
        return str(nw.from_native(X).implementation.value)
    if sparse.issparse(X):
        return "sparse matrix"
    return "array of strings" if np.asarray(X).dtype.kind == "U" else "array"


def column_names(X: Any) -> list[Any]:
    """Names of the columns of a data frame.

    Parameters
    ----------
    X : data frame of shape (n_samples, n_features)
        Of any library.

    Returns
    -------
    names : list of length n_features
        As they are, also where they are no strings.

    Raises
    ------
    ValueError
        If a name occurs twice, which narwhals would not open.
    """
    names = list(X.column_names if hasattr(X, "column_names") else X.columns)
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise ValueError(f"column names must differ, these occur more than once: {repeated}")
    return names


def as_array(X: Any) -> NDArray[Any]:
    """Make an array of what is no data frame.

    Parameters
    ----------
    X : array-like
        Of any shape.

    Returns
    -------
    X : array
        Of objects where lists hold strings: NumPy would make strings of the numbers beside them.

    Raises
    ------
    TypeError
        For a data frame that is not computed yet.
    """
    if hasattr(X, "collect"):
        raise TypeError(
            f"X is a {type(X).__name__}, whose rows are not there yet: pass X.collect()"
        )
    array = np.asarray(X)
    if isinstance(X, list | tuple) and array.dtype.kind == "U":
        return np.asarray(X, dtype=object)
    return array


def is_object_array(X: Any) -> bool:
    """Whether X is a table of Python objects or points in time, which `check_array` cannot read.

    Parameters
    ----------
    X : object
        No data frame.

    Returns
    -------
    objects : bool
        True for a list of lists with None, too; False for lists of numbers, arrays of strings
        and sparse matrices.
    """
    if sparse.issparse(X):
        return False
    array = as_array(X)
    return array.ndim == 2 and array.dtype.kind in "OmM"


def open_columns(X: Any) -> tuple[list[Any], list[Any] | None, Any]:
    """Open a container: its columns, one by one.

    Parameters
    ----------
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        Of any kind.

    Returns
    -------
    columns : list of length n_features
        Series of narwhals, or arrays of shape (n_samples,); None for sparse columns.
    names : list of length n_features or None
        Column names of a data frame.
    X : data frame, array or sparse matrix of shape (n_samples, n_features)
        The data frame itself, or what `check_array` makes of anything else.

    Raises
    ------
    ValueError
        For names that occur twice, and for what is no table.
    """
    if is_frame(X):
        names = column_names(X)
        return list(nw.from_native(X, eager_only=True).iter_columns()), names, X
    X = check_array(
        X if sparse.issparse(X) else as_array(X),
        accept_sparse=True,
        dtype=None,
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
    )
    columns = [None] * X.shape[1] if sparse.issparse(X) else list(X.T)
    return columns, None, X


def format_of(
    column: Any, codes: NDArray[Any] | None = None, uniques: list[Any] | None = None
) -> ColumnFormat:
    """Describe how a column stores its values.

    Parameters
    ----------
    column : series of narwhals or array of shape (n_samples,)
        From `open_columns`.
    codes : int array of shape (n_samples,), default=None
        From `factorize`; None for plain numbers.
    uniques : list, default=None
        From `factorize`.

    Returns
    -------
    form : ColumnFormat
        Holds no reference to the column.
    """
    if isinstance(column, np.ndarray):
        return ColumnFormat(column.dtype, column.dtype, uniques or ())
    native = column.to_native()
    missing: tuple[Any, ...] = ()
    if codes is not None and (codes < 0).any():
        missing = (column[int(np.flatnonzero(codes < 0)[0])],)
    dtype = native.dtype if hasattr(native, "dtype") else native.type  # the latter of pyarrow
    return ColumnFormat(column.dtype, dtype, uniques or (), missing)


def describe_column(j: int, names: Any) -> str:
    """Name a column for messages.

    Parameters
    ----------
    j : int
        Number of the column.
    names : sequence or None
        Names of all columns, if there are any.

    Returns
    -------
    where : str
        "column 'name'", or "column 3".
    """
    return f"column {j if names is None else names[j]!r}"


def as_objects(values: Sequence[Any]) -> NDArray[Any]:
    """Make an array of objects, whatever the values are.

    Parameters
    ----------
    values : sequence
        Of any objects; NumPy would unpack some of them.

    Returns
    -------
    values : object array of shape (n_values,)
        The same objects.
    """
    out = np.empty(len(values), object)
    out[:] = list(values)
    return out


def numeric_values(column: Any, where: str) -> NDArray[Any] | None:
    """Numbers of a column whose type is one of numbers.

    Parameters
    ----------
    column : series of narwhals or array of shape (n_samples,)
        From `open_columns`.
    where : str
        Name of the column for messages.

    Returns
    -------
    x : array of shape (n_samples,) or None
        NaN where a value is missing. None for strings, categories and objects.

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
        raise unsupported_type(where, column.dtype)
    dtype = column.dtype
    x: NDArray[Any]
    if dtype.is_integer() or dtype.is_float() or dtype in (nw.Boolean, nw.Decimal):
        if dtype in (nw.Int128, nw.UInt128, nw.Decimal):
            column = column.cast(nw.Float64)
        x = column.to_numpy()
        return x if x.dtype.kind in "biuf" else column.cast(nw.Float64).to_numpy()
    if dtype == nw.Unknown:  # a column of nulls, or a type that only pandas knows
        if column.null_count() == len(column):
            return np.full(len(column), np.nan)
        x = column.to_numpy()
        if x.dtype.kind in "biuf":
            return x
    if dtype in _WITH_LABELS or (dtype == nw.Object and column.implementation.is_pandas_like()):
        return None
    raise unsupported_type(where, getattr(column.to_native(), "dtype", dtype))


def factorize(column: Any, where: str) -> tuple[NDArray[Any], list[Any]]:
    """Encode a column as codes of its different values, as `pandas.factorize` does.

    Parameters
    ----------
    column : series of narwhals or array of shape (n_samples,)
        Strings, categories or objects.
    where : str
        Name of the column for messages.

    Returns
    -------
    codes : int array of shape (n_samples,)
        Position among `uniques`; −1 where a value is missing, unless `uniques` holds it.
    uniques : list
        The different values as they are stored, in any order.

    Raises
    ------
    TypeError
        For values that cannot be hashed.
    """
    if isinstance(column, np.ndarray) and column.dtype.kind == "U":
        uniques, codes = np.unique(column, return_inverse=True)
        return codes, uniques.tolist()
    try:
        if isinstance(column, np.ndarray):
            code_of: dict[Any, int] = {}
            listed = (code_of.setdefault(value, len(code_of)) for value in column.tolist())
            return np.fromiter(listed, np.intp, len(column)), list(code_of)
        if column.implementation.is_pandas_like():
            codes, uniques = column.to_native().factorize()
            return np.asarray(codes), uniques.tolist()
    except TypeError as error:
        raise unsupported_type(where, f"objects ({error})") from None
    if column.implementation.is_pyarrow():
        encoded = column.to_native().dictionary_encode().unify_dictionaries().combine_chunks()
        codes = encoded.indices.fill_null(-1).to_numpy()
        used, codes = np.unique(np.append(codes, -1), return_inverse=True)  # entries may be unused
        entries = encoded.dictionary.to_pylist()
        return codes[:-1] - 1, [entries[code] for code in used[1:]]
    column = column.cast(nw.String)
    values = column.drop_nulls().unique().to_list()
    if not values:
        return np.full(len(column), -1), values
    codes = column.replace_strict(values, list(range(len(values))), return_dtype=nw.Int32)
    return codes.fill_null(-1).to_numpy(), values


def value_types(values: list[Any], where: str) -> set[str]:
    """Tell strings from numbers.

    Parameters
    ----------
    values : list
        Different values of a column.
    where : str
        Name of the column for messages.

    Returns
    -------
    types : set of str
        Which of "string" and "number" occur; missing values are neither.

    Raises
    ------
    TypeError
        For values that are neither of them, nor missing.
    """
    types = set()
    for value in values:
        if isinstance(value, str):
            if value:
                types.add("string")
        elif isinstance(value, Real | np.bool_ | Decimal):
            if value == value:
                types.add("number")
        elif not is_missing(as_objects([value]))[0]:
            raise unsupported_type(where, type(value).__name__)
    return types


def stack_columns(
    columns: Sequence[NDArray[Any]], shape: tuple[int, ...], dtype: Any = np.float64
) -> NDArray[Any]:
    """Put columns side by side.

    Parameters
    ----------
    columns : sequence of n_features arrays of shape (n_samples,)
        Of any types.
    shape : tuple of int
        (n_samples, n_features), for there may be no column.
    dtype : dtype, default=float64
        Type of the result.

    Returns
    -------
    X : array of shape (n_samples, n_features)
        Each column is contiguous, as they are in pandas.
    """
    out = np.empty(shape, dtype, order="F")
    for j, x in enumerate(columns):
        out[:, j] = x
    return out


def unsupported_type(where: str, what: Any) -> TypeError:
    """The error for what is neither number nor label, in words that scikit-learn's checks match.

    Parameters
    ----------
    where : str
        Name of the column.
    what : object
        What it holds, for the message.

    Returns
    -------
    error : TypeError
        To be raised.
    """
    return TypeError(
        f"{where} holds {what}: an argument must be a string, a number or a boolean; turn the "
        "column into such values (points in time into numbers), or leave it out"
    )
