"""A data frame or array that was read: its rows as numbers, beside the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.dataframe._columns import ColumnFormat, describe_column, stack_columns
from skdistill.dataframe._labels import Labels, encode_numbers, mixed_types, require_few_labels
from skdistill.dataframe.rows import concat_rows, take_rows


@dataclass(frozen=True, eq=False)
class EncodedTable:
    """Rows of a data frame or array, and the same rows as numbers.

    What needs the rows as they are (a teacher) reads `native`, what needs numbers (a student, a
    transfer set) reads `values`. The container is opened and converted once, by `read_table`.

    Parameters
    ----------
    native : data frame, array or sparse matrix of shape (n_samples, n_features)
        The rows as they were passed.
    values : array or sparse matrix of shape (n_samples, n_features)
        The rows as numbers. A column with labels holds indexes into them, NaN where a value is
        missing. float64 if there is such a column, else the common dtype of the columns.
    labels : tuple of length n_features
        Labels of each column, ascending, str or int64 array of shape (n_labels,); None for a
        column of numbers.
    names : tuple of str or None
        Column names, where all of them are strings.
    formats : tuple of length n_features
        How each column of `native` stores its values.
    """

    native: Any
    values: Any
    labels: tuple[Labels | None, ...]
    names: tuple[str, ...] | None
    formats: tuple[ColumnFormat, ...]

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def has_labels(self) -> NDArray[np.bool_]:
        """Which columns have labels, bool array of shape (n_features,)."""
        return np.array([each is not None for each in self.labels], bool)

    def take(self, rows: ArrayLike) -> EncodedTable:
        """Take rows by their numbers or by a mask.

        Parameters
        ----------
        rows : int array of shape (n_rows,) or bool array of shape (n_samples,)
            Which rows.

        Returns
        -------
        table : EncodedTable
            With the labels of this one, whether or not they still occur.
        """
        native = take_rows(self.native, rows)
        same = self.values is self.native
        return replace(self, native=native, values=native if same else take_rows(self.values, rows))


def numeric_table(X: Any) -> EncodedTable:
    """An array of numbers as a table, without a copy.

    Parameters
    ----------
    X : array or sparse matrix of shape (n_samples, n_features)
        Numbers.

    Returns
    -------
    table : EncodedTable
        Without labels and names.
    """
    n_features = X.shape[1]
    return EncodedTable(
        X, X, (None,) * n_features, None, (ColumnFormat(X.dtype, X.dtype),) * n_features
    )


def concat_tables(first: EncodedTable, second: EncodedTable) -> EncodedTable:
    """Put the rows of two tables one below the other.

    Parameters
    ----------
    first : EncodedTable
        Names the columns. A column of numbers stays one; a column of labels keeps them.
    second : EncodedTable
        With the same columns, read from a container of the same kind.

    Returns
    -------
    table : EncodedTable
        Columns with labels have those of both tables.

    Raises
    ------
    ValueError
        For a column of numbers in one table and of strings in the other, and for more labels
        than can be told apart.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.dataframe import concat_tables, read_table
    >>> a = read_table(np.array([["red", 1], ["blue", 2]], dtype=object), [0])
    >>> b = read_table(np.array([["green", 3]], dtype=object), [0])
    >>> table = concat_tables(a, b)
    >>> table.labels[0].tolist(), table.values[:, 0].tolist()
    (['blue', 'green', 'red'], [2.0, 0.0, 1.0])
    """
    native = concat_rows(first.native, second.native)
    # A type of integers is left as soon as one of the two has another.
    pairs = zip(first.formats, second.formats, strict=True)
    joint = replace(
        first,
        native=native,
        formats=tuple(b if a.is_integer and not b.is_integer else a for a, b in pairs),
    )
    if not (first.has_labels.any() or second.has_labels.any()):
        same = first.values is first.native
        return replace(joint, values=native if same else concat_rows(first.values, second.values))
    columns, labels = [], []
    for j, (labels_x, labels_y) in enumerate(zip(first.labels, second.labels, strict=True)):
        x, y = (table.values[:, j].astype(np.float64) for table in (first, second))
        where = describe_column(j, first.names)
        x, of_both = _concat_column(x, y, labels_x, labels_y, where)
        columns.append(x)
        labels.append(of_both)
    shape = (first.n_samples + second.n_samples, len(columns))
    return replace(joint, values=stack_columns(columns, shape), labels=tuple(labels))


def _concat_column(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    labels_x: Labels | None,
    labels_y: Labels | None,
    where: str,
) -> tuple[NDArray[np.float64], Labels | None]:
    """Values of a column of two tables, and the labels of both."""
    if labels_x is None and labels_y is not None and not np.isnan(x).all():
        if labels_y.dtype.kind == "U":
            raise mixed_types(where)
        y, labels_y = np.append(labels_y, np.nan)[_codes(y, labels_y)], None
    if labels_y is None and labels_x is not None and not np.isnan(y).all():
        if labels_x.dtype.kind == "U":
            raise mixed_types(where)
        y, labels_y = encode_numbers(y, where)
    known = [each for each in (labels_x, labels_y) if each is not None]
    if not known:
        return np.concatenate([x, y]), None
    if len({each.dtype.kind for each in known}) == 2:
        raise mixed_types(where)
    labels = cast(Labels, np.unique(np.concatenate(known)))
    require_few_labels(len(labels), where)
    parts = []
    for index, own in ((x, labels_x), (y, labels_y)):
        if own is not None:
            code_of = np.append(np.searchsorted(labels, own).astype(np.float64), np.nan)
            index = code_of[_codes(index, own)]
        parts.append(index)
    return np.concatenate(parts), labels


def _codes(index: NDArray[np.float64], labels: Labels) -> NDArray[np.intp]:
    """Indexes as integers; a missing value gets that after the last label."""
    return np.where(np.isnan(index), len(labels), index).astype(np.intp)
