"""Rows as a model reads them: arrays checked, with indexes in place of categories."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.tables.categories import NO_CATEGORIES, CategoryTable


def read_array(
    X: ArrayLike, n_features: int, categories: CategoryTable = NO_CATEGORIES
) -> NDArray[Any]:
    """Check that `X` is a table of numbers, and put indexes in place of categories.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers; labels, or their indexes, in columns of categories.
    n_features : int
        Columns that `X` must have.
    categories : CategoryTable, default=NO_CATEGORIES
        Columns of categories.

    Returns
    -------
    X : array of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If `X` is not numeric, or has other than `n_features` columns.
    """
    X = np.asarray(X)
    check_shape(X.shape, n_features)
    return categories.index(X)


def check_shape(shape: tuple[int, ...], n_features: int) -> None:
    """Refuse what is no table of a number of columns.

    Parameters
    ----------
    shape : tuple of int
        Of what was passed as `X`.
    n_features : int
        Columns that `X` must have.

    Raises
    ------
    ValueError
        That names both shapes.
    """
    if len(shape) == 2 and shape[1] == n_features:
        return
    remedy = ""
    if len(shape) == 1 and n_features in (1, shape[0]):
        form = "(-1, 1)" if n_features == 1 else "(1, -1)"
        remedy = f": np.reshape(X, {form}) makes a table of it"
    raise ValueError(f"X must have shape (n_samples, {n_features}), got {shape}{remedy}")


def check_names(feature_names: Sequence[str] | None, X: Any) -> None:
    """Compare the column names of a data frame with those of a model.

    Parameters
    ----------
    feature_names : sequence of str, or None
        Of the model.
    X : array-like or data frame
        Only a data frame with names that are all strings is checked.

    Raises
    ------
    ValueError
        For other names or another order; it lists both.

    Warns
    -----
    UserWarning
        If the model has no names, so that nothing can be compared.
    """
    columns = X.column_names if hasattr(X, "column_names") else getattr(X, "columns", None)
    if columns is None:
        return
    names = list(columns)
    if not all(isinstance(name, str) for name in names):
        return
    if feature_names is None:
        warnings.warn(
            "X has feature names, but the model has none: its columns are taken by position",
            UserWarning,
            stacklevel=6,  # the caller of `predict`
        )
    elif list(feature_names) not in (names, without_blanks(names)):
        raise ValueError(
            f"The feature names should match those of the model, in the same order: X has "
            f"{names}, the model {list(feature_names)}; select the model's columns"
        )


def without_blanks(names: Sequence[str]) -> list[str] | None:
    """Column names as LightGBM writes them into its models: "_" in place of each blank.

    Parameters
    ----------
    names : sequence of str
        Of a data frame.

    Returns
    -------
    names : list of str or None
        None where two of them would be the same.
    """
    written = [name.replace(" ", "_") for name in names]
    return written if len(set(written)) == len(written) else None
