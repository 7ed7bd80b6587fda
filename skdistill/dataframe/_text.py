"""Columns of text that hold numbers, as files with a blank or a mark in some rows give them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def parse_all(uniques: list[Any]) -> NDArray[np.float64] | None:
    """Read the values of a column as numbers.

    Parameters
    ----------
    uniques : list
        Different values: strings, numbers, missing ones.

    Returns
    -------
    numbers : float64 array of shape (n_uniques + 1,) or None
        NaN where a value is missing, and at the end. None if a string is no number.
    """
    numbers = [np.nan if value == "" else _parse(value) for value in uniques]
    return None if None in numbers else np.array([*numbers, np.nan], np.float64)


def describe_numbers(
    column: Any, codes: NDArray[np.intp], uniques: list[Any]
) -> tuple[str, bool] | None:
    """Tell a user that a column of text holds numbers, and how to make numbers of them.

    Parameters
    ----------
    column : series of narwhals or array of shape (n_samples,)
        From `open_columns`.
    codes : int array of shape (n_samples,)
        From `factorize`.
    uniques : list
        From `factorize`.

    Returns
    -------
    note : str
        End of a message, from "it holds numbers as text" on.
    is_certain : bool
        Whether they are no labels: a string is blank, or a number is a fraction.

    None where fewer than half of the different strings that are not blank are numbers.
    """
    texts = [(k, value) for k, value in enumerate(uniques) if isinstance(value, str) and value]
    numbers = [_parse(text) for _, text in texts]
    others = [pair for pair, number in zip(texts, numbers, strict=True) if number is None]
    n_blank = sum(not text.strip() for _, text in others)
    if 2 * (len(others) - n_blank) >= len(texts) - n_blank:
        return None
    note, errors = "it holds numbers as text", ""
    if others:
        text = others[0][1]
        n_rows = int(np.isin(codes, [code for code, _ in others]).sum())
        note += f", and {text!r} in {n_rows:,} row{'s' * (n_rows > 1)}"
        note = note.replace(" in ", " and the like in ") if len(others) > 1 else note
        errors = ", errors='coerce'"
    result = "makes them numbers with NaN" if others else "makes them numbers"
    fraction = any(number is not None and number % 1 != 0 for number in numbers)
    remedy = "turn it into numbers"
    if not isinstance(column, np.ndarray):
        if column.implementation.is_pandas_like():
            remedy = f"pd.to_numeric(X[{column.name!r}]{errors}) {result}"
        elif column.implementation.is_polars():
            remedy = f"X[{column.name!r}].cast(pl.Float64, strict=False) {result}"
    return f"{note}: {remedy}", fraction or n_blank > 0


def _parse(value: Any) -> float | None:
    """A number as it is or as text; None for another string, NaN for what is missing."""
    if not isinstance(value, str):
        return np.nan if value is None or value != value else float(value)
    try:
        number = float(value)
    except ValueError:
        return None
    return number if np.isfinite(number) else None  # "nan" and "inf" may be labels
