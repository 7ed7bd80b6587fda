"""Columns of categories: labels → indexes → ranks, whole numbers that grids and weights read.

A threshold on a rank parts the categories by the order of their ranks. Devices are given the
index of a category, its place among the sorted labels of its column.

Column j of categories has C_j labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, as_table, is_ascending, require

MOST_LABELS = 254  # and a missing one: an index is a byte
MOST_RANK = 127  # any integer type of an input holds it


@dataclass(frozen=True, eq=False)
class CategoryTable(Frozen):
    """Which columns hold categories, and what each category is read as.

    An index is read as ``floor(x)`` in float32. NaN and C_j are a missing category, every
    other number outside 0 … C_j − 1 is an unknown one. A table without columns, `NO_CATEGORIES`,
    leaves all rows as they are.

    Parameters
    ----------
    columns : int32 array of shape (n_categorical,)
        Columns of the input, ascending.
    labels : sequence of n_categorical arrays
        Labels of each column, ascending: strings, or whole numbers within ±2^24.
    ranks : uint8 array of shape (sum of C_j + 2,)
        Column by column the ranks of the labels, of a missing one, of an unknown one.

    Raises
    ------
    ValueError
        If the tables contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact import CategoryTable
    >>> colours = CategoryTable([1], [["blue", "green", "red"]], [2, 0, 1, 1, 1])
    >>> X = np.array([[0.5, "red"], [1.5, "pink"], [2.5, None]], dtype=object)
    >>> colours.index(X).tolist()
    [[0.5, 2.0], [1.5, 4.0], [2.5, 3.0]]
    >>> colours.rank(colours.index(X))[:, 1].tolist()
    [1.0, 1.0, 1.0]
    """

    columns: NDArray[Any]
    labels: tuple[NDArray[Any], ...]
    ranks: NDArray[Any]

    def __post_init__(self) -> None:
        as_table(self, "columns", np.int32, 1)
        as_table(self, "ranks", np.uint8, 1)
        object.__setattr__(self, "labels", tuple(_checked(each) for each in self.labels))
        require(
            is_ascending(self.columns) and bool((self.columns >= 0).all()),
            "columns must be ascending column numbers",
        )
        require(
            len(self.labels) == len(self.columns),
            f"labels has {len(self.labels)} entries for {len(self.columns)} columns",
        )
        require(
            len(self.ranks) == self.offsets[-1],
            f"ranks has {len(self.ranks)} entries, the labels need {self.offsets[-1]}",
        )
        require(int(self.ranks.max(initial=0)) <= MOST_RANK, f"ranks must be at most {MOST_RANK}")

    def __len__(self) -> int:
        """Return the number of columns with categories."""
        return len(self.columns)

    @property
    def counts(self) -> NDArray[np.int32]:
        """Number of labels of each column, C_j, int32 array of shape (n_categorical,)."""
        return np.array([len(each) for each in self.labels], np.int32)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where the ranks of each column begin, int64 array of shape (n_categorical + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts + 2, dtype=np.int64)])

    def ranks_of(self, column: int) -> NDArray[np.uint8]:
        """Ranks of one column of categories.

        Parameters
        ----------
        column : int
            Number j of the column among those with categories.

        Returns
        -------
        ranks : uint8 array of shape (C_j + 2,)
            Of the labels, of a missing category, of an unknown one.
        """
        ranks: NDArray[np.uint8] = self.ranks[self.offsets[column] : self.offsets[column + 1]]
        return ranks

    def of_columns(self, columns: NDArray[Any]) -> CategoryTable:
        """The table of some columns only.

        Parameters
        ----------
        columns : int array
            Columns of the input; those without categories do not matter.

        Returns
        -------
        table : CategoryTable
        """
        some = np.flatnonzero(np.isin(self.columns, columns))
        ranks = np.concatenate([self.ranks[:0], *(self.ranks_of(int(j)) for j in some)])
        return CategoryTable(self.columns[some], tuple(self.labels[j] for j in some), ranks)

    def index(self, X: NDArray[Any]) -> NDArray[Any]:
        """Put indexes in place of labels.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            An array of objects or strings holds labels. In an array of numbers a column
            holds its labels where these are numbers, and else the indexes themselves.

        Returns
        -------
        X : float64 array of shape (n_samples, n_features)
            In columns of categories 0 … C_j + 1. Numbers without any categories are returned as
            they are.

        Raises
        ------
        ValueError
            If another column holds something that is no number.
        """
        if not len(self):
            return _require_numeric(X)
        out = np.empty(X.shape, np.float64)
        others = np.setdiff1d(np.arange(X.shape[1]), self.columns)
        out[:, others] = as_numbers(X[:, others])
        for column, labels in zip(self.columns, self.labels, strict=True):
            out[:, column] = lookup(X[:, column], labels)
        return out

    def rank(self, X: NDArray[Any]) -> NDArray[Any]:
        """Put ranks in place of indexes.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        X : array of shape (n_samples, n_features)
            A copy of the same dtype; without categories `X` itself.
        """
        X = X.copy() if len(self) else X
        for j, column in enumerate(self.columns):
            at = _as_index(X[:, column], len(self.labels[j])).astype(np.intp)
            X[:, column] = self.ranks_of(j)[at]
        return X


NO_CATEGORIES = CategoryTable(np.zeros(0, np.int32), (), np.zeros(0, np.uint8))
"""The table of a model whose columns are all numbers."""


def _require_numeric(X: NDArray[Any]) -> NDArray[Any]:
    require(
        X.dtype.kind in "biuf",
        f"X must be numeric, got dtype {X.dtype}: encode other columns before the model",
    )
    return X


def _checked(values: Any) -> NDArray[Any]:
    """Labels of one column as a read-only array, str or int64."""
    labels: NDArray[Any] = np.array(values)
    if labels.dtype.kind == "U":
        labels = np.array(labels.tolist(), dtype=str)  # as wide as is needed, whoever made them
        require(bool((labels != "").all()), "labels cannot hold the empty string: it is missing")
    else:
        require(
            labels.dtype.kind in "iu", f"labels must be strings or integers, got {labels.dtype}"
        )
        # Before the cast, and without abs: both wrap around.
        within = bool(((labels <= 2**24) & (labels >= -(2**24))).all())
        require(within, "integer labels must lie within ±2**24")
        labels = labels.astype(np.int64)
    require(
        labels.ndim == 1 and 1 <= len(labels) <= MOST_LABELS,
        f"a column must have 1 to {MOST_LABELS} labels, got shape {labels.shape}",
    )
    require(bool((labels[1:] > labels[:-1]).all()), "labels must be ascending")
    labels.setflags(write=False)
    return labels


def lookup(values: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
    """Indexes of values among labels.

    Parameters
    ----------
    values : array of shape (n_samples,)
        None, NaN and the empty string are missing. Numbers are compared as float32; where
        labels are strings, an array of numbers holds indexes.
    labels : array of shape (C,)
        Ascending, str or int64.

    Returns
    -------
    index : float64 array of shape (n_samples,)
        0 … C − 1, C for what is missing, C + 1 for what is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.tables.categories import lookup
    >>> lookup(np.array([7, 5, np.nan, 6]), np.array([5, 7])).tolist()
    [1.0, 0.0, 2.0, 3.0]
    """
    C = len(labels)
    if values.dtype.kind in "biuf":
        if labels.dtype.kind == "U":
            return _as_index(values, C)
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32)
        at = np.minimum(np.searchsorted(labels, numbers), C - 1)
        index: NDArray[np.float64] = np.where(labels[at] == numbers, at, C + 1.0)
        index[np.isnan(numbers)] = C
        return index
    if values.dtype.kind == "U" and labels.dtype.kind == "U":
        at = np.minimum(np.searchsorted(labels, values), C - 1)
        index = np.where(labels[at] == values, at, C + 1.0)
        index[values == ""] = C
        return index
    known: dict[Any, int] = {label: k for k, label in enumerate(labels.tolist())}
    listed = (known.get(_plain(value), C + 1) for value in values.tolist())
    index = np.fromiter(listed, np.float64, len(values))
    index[is_missing(values)] = C
    return index


def _plain(value: Any) -> Any:
    """A value that finds its label in a dictionary: numbers as float32 has them."""
    if (
        isinstance(value, int | float | Decimal | np.integer | np.floating)
        and abs(float(value)) < 2**25
    ):
        return float(np.float32(value))
    return value


def is_missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values are None, NaN, NA or the empty string.

    Parameters
    ----------
    values : array of shape (n_samples,)
        Objects or strings.

    Returns
    -------
    missing : bool array of shape (n_samples,)
    """
    kinds = ("NoneType", "NAType", "NaTType")
    listed = (
        type(value).__name__ in kinds
        or (isinstance(value, str) and value == "")
        or (isinstance(value, float | Decimal) and value != value)
        for value in values.tolist()
    )
    return np.fromiter(listed, np.bool_, len(values))


def _as_index(x: NDArray[Any], C: int) -> NDArray[np.float64]:
    """What a number means as an index: 0 … C − 1, C is missing, C + 1 unknown."""
    with np.errstate(over="ignore"):
        x = np.floor(x.astype(np.float32)).astype(np.float64)
    index: NDArray[np.float64] = np.where((x >= 0) & (x <= C), x, C + 1.0)
    index[np.isnan(x)] = C
    return index


def as_numbers(X: NDArray[Any]) -> NDArray[np.float64]:
    """Columns without categories as float64.

    Parameters
    ----------
    X : array of shape (n_samples, n_columns)
        Numbers, or objects that are numbers; None and NA become NaN.

    Returns
    -------
    X : float64 array of shape (n_samples, n_columns)

    Raises
    ------
    ValueError
        For what is no number.
    """
    if X.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):  # of a NaN that signals
            return X.astype(np.float64)
    if X.dtype.kind == "O":
        flat = X.ravel()
        X = np.where(is_missing(flat), np.nan, flat).reshape(X.shape)
    try:
        numbers: NDArray[np.float64] = X.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must be numeric but for its category columns: {error}") from None
    return numbers
