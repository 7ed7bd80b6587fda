"""Labels of a column of categories: strings, or whole numbers that float32 keeps apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.categories import MOST_LABELS, lookup

Labels = NDArray[np.str_] | NDArray[np.int64]

_EXACT_INTEGER = 2**24  # float32 holds all whole numbers up to here


def text_labels(values: list[str], where: str) -> NDArray[np.str_]:
    """Strings as labels.

    Parameters
    ----------
    values : list of str
        Not empty; missing ones are left out already.
    where : str
        Name of the column for messages.

    Returns
    -------
    labels : str array of shape (n_labels,)
        Sorted and different.

    Raises
    ------
    ValueError
        For too many labels, and for the character NUL, which NumPy would cut off.
    """
    require_few_labels(len(set(values)), where)
    if any("\0" in text for text in values):
        raise ValueError(f"{where} has labels that hold the character NUL: replace it")
    return np.unique(np.array([str(text) for text in values]))


def whole_labels(numbers: NDArray[Any], where: str) -> NDArray[np.int64]:
    """Numbers as labels.

    Parameters
    ----------
    numbers : array of shape (n_labels,)
        Sorted and different, without NaN.
    where : str
        Name of the column for messages.

    Returns
    -------
    labels : int64 array of shape (n_labels,)
        The same numbers.

    Raises
    ------
    ValueError
        For too many labels, for fractions, and for numbers that float32 would round.
    """
    other = numbers[~((numbers == np.rint(numbers)) & (np.abs(numbers) <= _EXACT_INTEGER))]
    if len(other):
        raise ValueError(
            f"{where} holds {float(other[0])!r}: labels that are numbers must be whole, within "
            "±2**24; turn the column into strings, or do not list it among the categories"
        )
    require_few_labels(len(numbers), where)
    return numbers.astype(np.int64)


def encode_numbers(
    x: NDArray[Any], where: str
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    """Numbers of a column of categories as indexes into labels.

    Parameters
    ----------
    x : array of shape (n_samples,)
        NaN where a value is missing.
    where : str
        Name of the column for messages.

    Returns
    -------
    index : float64 array of shape (n_samples,)
        NaN where a value is missing.
    labels : int64 array of shape (n_labels,) or None
        Sorted. None if all values are missing: such a column counts as one of numbers.

    Raises
    ------
    ValueError
        As `whole_labels`.
    """
    labels = whole_labels(np.unique(x[~np.isnan(x)]), where)
    if not len(labels):
        return np.full(len(x), np.nan), None
    index = lookup(x, labels)
    return np.where(index == len(labels), np.nan, index), labels


def require_few_labels(n_labels: int, where: str, remedy: str | None = None) -> None:
    """Refuse more labels than the index of a category, which is a byte, can tell apart.

    Parameters
    ----------
    n_labels : int
        Number of labels of a column.
    where : str
        Name of the column for messages.
    remedy : str, default=None
        What to do, for the message. None is to group rare labels.

    Raises
    ------
    ValueError
        If there are too many.
    """
    if n_labels > MOST_LABELS:
        remedy = remedy or (
            "group the rare ones, as "
            f"sklearn.preprocessing.OrdinalEncoder(max_categories={MOST_LABELS}) does"
        )
        raise ValueError(
            f"{where} has {n_labels:,} labels, at most {MOST_LABELS} can be told apart: {remedy}"
        )


def mixed_types(where: str) -> ValueError:
    """The error for strings beside numbers.

    Parameters
    ----------
    where : str
        Name of the column for the message.

    Returns
    -------
    error : ValueError
        To be raised.
    """
    return ValueError(
        f"{where} mixes strings and numbers: turn all its values into strings, or into numbers"
    )
