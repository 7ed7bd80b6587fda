"""Rows in the form in which the functions of a C file take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.export.c.options import MISSING_VALUES, check_codes, check_missing


def device_input(
    model: ModelTables, X: ArrayLike, input_dtype: str, *, missing_value: str | None = None
) -> NDArray[Any]:
    """Rows in the form in which the functions of the C file take them.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    X : data frame, array-like or sparse matrix of shape (n_samples, n_features)
        As `CompactModel.scores` takes it.
    input_dtype : {"float32", "int8", "uint8", "int16", "uint16", "int32", "codes"}
        As passed to `to_c`.
    missing_value : {"max", "never", None}, default=None
        As passed to `to_c`. "max" writes NaN as the largest number of the type, "never" refuses it.

    Returns
    -------
    rows : array of shape (n_samples, width), C-contiguous
        Of the C type of an input.

    Raises
    ------
    ValueError
        If a number of `X` is none of the type.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import CompactModel
    >>> from skdistill.export.c import device_input
    >>> model = CompactModel(2, [0], 1.0, "sigmoid", ["no", "yes"])
    >>> device_input(model, [[1, 255]], "uint8").dtype
    dtype('uint8')
    >>> device_input(model, [[1, float("nan")]], "uint8", missing_value="max").tolist()
    [[1, 255]]
    """
    return device_rows(model, model.read_rows(X), input_dtype, missing_value=missing_value)


def device_rows(
    model: ModelTables, X: NDArray[Any], input_dtype: str, *, missing_value: str | None = None
) -> NDArray[Any]:
    """`device_input` of rows that were read.

    Parameters
    ----------
    model : ModelTables
        The exported model.
    X : array of shape (n_samples, n_features)
        From `ModelTables.read_rows`.
    input_dtype, missing_value
        As in `device_input`.

    Returns
    -------
    rows : array of shape (n_samples, width), C-contiguous
        Of the C type of an input.

    Raises
    ------
    ValueError
        If a number of `X` is none of the type.
    """
    if missing_value not in MISSING_VALUES:
        raise ValueError(f"missing_value must be one of {MISSING_VALUES}, got {missing_value!r}")
    check_missing(model, input_dtype, missing_value)
    if missing_value == "never" and np.isnan(X).any():
        row, column = np.argwhere(np.isnan(X))[0]
        raise ValueError(
            f"X[{row}, {column}] is NaN, which missing_value='never' says does not happen: export "
            "with missing_value=None"
        )
    if input_dtype == "float32":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(X, np.float32)
    if input_dtype != "codes":
        return _as_integers(model, X, input_dtype, missing_value)
    check_codes(model)
    (table,) = model.tables
    return table.codes(model.categories.rank(X))


def _as_integers(
    model: ModelTables, X: NDArray[Any], input_dtype: str, missing_value: str | None
) -> NDArray[Any]:
    """Rows in an integer type; NaN as its largest number, if that is asked for."""
    limits = np.iinfo(input_dtype)
    largest = np.full(X.shape[1], int(limits.max) - (missing_value is not None))
    largest[model.categories.columns] = limits.max  # which have indexes for what is missing
    is_missing = np.isnan(X) & (missing_value is not None)
    with np.errstate(invalid="ignore"):
        fits = (limits.min <= X) & (largest >= X) & (np.floor(X) == X)
    wrong = ~(fits | is_missing)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        remedy = "; missing_value='max' takes NaN" if np.isnan(X[row, column]) else ""
        raise ValueError(
            f"X[{row}, {column}] = {X[row, column]} is no {input_dtype}: it takes "
            f"whole numbers from {limits.min} to {largest[column]}{remedy}"
        )
    return np.ascontiguousarray(np.where(is_missing, limits.max, X), input_dtype)
