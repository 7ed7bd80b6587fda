"""Columns as files hold them → columns of numbers, strings and missing values."""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Iterable
from typing import Any

import numpy as np

from skdistill.dataframe.files import DatasetError, quoted
from skdistill.dataframe.number_text import is_missing_mark, is_number

_CLOCK = r"([01]?\d|2[0-4]):[0-5]\d(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2}|[AaPp][Mm])?"
_DAY = r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"
_DATE = re.compile(rf"{_DAY}([ T]{_CLOCK})?|{_CLOCK}")
_EXACT_INTEGER = 2**24
_TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)


def clean_columns(frame: Any, *, leave_out_empty: bool) -> tuple[Any, list[str]]:
    """Make columns of numbers and strings of what a file holds.

    Blank text is missing. Text of numbers becomes numbers where some cells are blank or marked as
    missing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns to learn from, or to predict for.
    leave_out_empty : bool
        Whether columns without any value are left out.

    Returns
    -------
    frame : pandas.DataFrame
        A copy where something was changed.
    notes : list of str
        What was changed, one sentence each.

    Raises
    ------
    DatasetError
        For dates and times, and for columns that hold neither numbers nor text.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdistill.dataframe.cleaning import clean_columns
    >>> frame, notes = clean_columns(pd.DataFrame({"a": ["1.5", " "]}), leave_out_empty=True)
    >>> frame["a"].tolist(), notes
    ([1.5, nan], ["'a' holds numbers; 1 cell without one (' ') counts as missing"])
    """
    refuse_dates(frame, frame.columns)
    changed: dict[str, Any] = {}
    notes, empty, other = list[str](), list[str](), list[str]()
    rounded: list[str] = []
    for name in frame.columns:
        column = frame[name]
        if column.isna().all():
            empty.append(name)
        elif is_text(column):
            column, note = clean_text(column)
            changed[name] = column
            notes += [note] if note else []
            if column.isna().all():
                empty.append(name)
        elif not _is_readable(column):
            other.append(name)
        else:
            changed |= _as_floats(column, rounded)
    if other:
        raise DatasetError(
            f"neither numbers nor text in {quoted(other)}: leave out ({drop_options(other)})"
        )
    frame = frame.assign(**changed) if changed else frame
    if rounded:
        notes.append(f"rounded whole numbers beyond 2**24 to float32 in {quoted(rounded)}")
    if empty and leave_out_empty:
        frame = frame.drop(columns=empty)
        notes.append(f"left out {quoted(empty)}, which {_hold(empty)} no value at all")
    return frame, notes


def refuse_dates(frame: Any, names: Iterable[str]) -> None:
    """Refuse columns of dates and times.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table.
    names : iterable of str
        Columns to look at.

    Raises
    ------
    DatasetError
        That names them.
    """
    dates = [name for name in names if holds_dates(frame[name])]
    if dates:
        example = example_of(frame[dates[0]])
        raise DatasetError(
            f"dates or times such as {example!r} in {quoted(dates)}: turn them into numbers "
            f"(days since a date, month, hour), or leave them out ({drop_options(dates)})"
        )


def example_of(column: Any) -> str:
    """The first value of a column that is neither blank nor stands for a missing one.

    Parameters
    ----------
    column : pandas.Series
        With at least one such value.

    Returns
    -------
    text : str
    """
    return next(text for text in map(str, column.dropna()) if not is_missing_mark(text))


def holds_dates(column: Any) -> bool:
    """Whether a column holds points in time or durations, or text that looks like them.

    Parameters
    ----------
    column : pandas.Series
        Of any type.

    Returns
    -------
    dates : bool
    """
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype) or types.is_timedelta64_dtype(column.dtype):
        return True
    if isinstance(column.dtype, pd.PeriodDtype):
        return True
    if types.is_numeric_dtype(column.dtype):
        return False
    values = [
        value
        for value in _different(column)
        if not (isinstance(value, str) and is_missing_mark(value))
    ][:1000]
    return bool(values) and all(
        bool(_DATE.fullmatch(value.strip()))
        if isinstance(value, str)
        else isinstance(value, _TIMES)
        for value in values
    )


def is_text(column: Any) -> bool:
    """Whether all values of a column that are not missing are strings.

    Parameters
    ----------
    column : pandas.Series
        Of any type; categories count by their labels.

    Returns
    -------
    text : bool
    """
    from pandas.api import types

    if types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        return False
    return all(isinstance(value, str) for value in _different(column))


def clean_text(column: Any) -> tuple[Any, str]:
    """Make blank text missing, and numbers of text where only numbers and marks are left.

    Parameters
    ----------
    column : pandas.Series
        Of text.

    Returns
    -------
    column : pandas.Series
        Of numbers or of strings.
    note : str
        What was changed, perhaps empty.
    """
    different = _different(column)
    blank = [text for text in different if not text.strip()]
    missing = [text for text in different if is_missing_mark(text)]
    numbers = [text for text in different if not is_missing_mark(text)]
    if numbers and missing and all(map(is_number, numbers)):
        n = int(column.isin(missing).sum())
        cells = f"{n:,} cell{'s' * (n > 1)} without one ({quoted(missing, 3)})"
        note = f"{str(column.name)!r} holds numbers; {cells} count{'s' * (n == 1)} as missing"
        return column.astype(object).map({text: float(text) for text in numbers}), note
    if not blank:
        return column, ""
    return column.astype(object).where(~column.isin(blank), None), ""


def drop_options(names: Iterable[str]) -> str:
    """Options of the command line that leave columns out.

    Parameters
    ----------
    names : iterable of str
        Of columns; the first five are listed.

    Returns
    -------
    options : str
    """
    return " ".join(f"--drop {shlex.quote(str(name))}" for name in list(names)[:5])


def _different(column: Any) -> list[Any]:
    """The different values of a column, all of its values where they cannot be told apart."""
    categories = getattr(column.dtype, "categories", None)
    if categories is not None:
        return list(categories)
    try:
        return list(column.dropna().unique())
    except TypeError:  # lists and the like have no hash
        return list(column.dropna())


def _is_readable(column: Any) -> bool:
    """Whether a column holds numbers, or objects that the reader of rows will look at."""
    from pandas.api import types

    dtype = column.dtype
    if types.is_complex_dtype(dtype):
        return False
    if types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype):
        return True
    scalars = (str, int, float, np.number, np.bool_)
    return all(isinstance(v, scalars) or type(v).__name__ == "Decimal" for v in _different(column))


def _as_floats(column: Any, rounded: list[str]) -> dict[str, Any]:
    """A column as float64 where NumPy's integers do not hold it, or float32 rounds them."""
    from pandas.api import types

    dtype = column.dtype
    if not (types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype)):
        return {}
    has_missing = types.is_extension_array_dtype(dtype) and column.isna().any()
    is_wide = types.is_integer_dtype(dtype) and bool((column.abs() > _EXACT_INTEGER).any())
    if not (has_missing or is_wide):
        return {}
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    if (known != known.astype(np.float32)).any():
        rounded.append(str(column.name))
    return {column.name: values}


def _hold(names: list[str]) -> str:
    return "holds" if len(names) == 1 else "hold"
