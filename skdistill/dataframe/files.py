"""A table in a file as rows and labels, or one line that says what is in the way."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

READERS = {".csv": ",", ".tsv": "\t", ".parquet": None, ".pq": None}
_MOST_CLASSES = 1000
_EXACT = 2**24


class TableError(ValueError):
    """A table that cannot be used; the message is one line for the user."""


class Table(NamedTuple):
    """Rows and labels as the models take them.

    Attributes
    ----------
    X : float64 array of shape (n, d)
        NaN where a value is missing.
    y : array of shape (n,)
        Labels: int64, bool or str.
    columns : list of str
    notes : list of str
        What was changed on the way, one sentence each.
    """

    X: NDArray[np.float64]
    y: NDArray[Any]
    columns: list[str]
    notes: list[str]


def read_table(path: str | PathLike[str], target: str, *, drop: Sequence[str] = ()) -> Table:
    """Read a CSV, TSV or Parquet file of numeric columns and one column of labels.

    Rows without a label are left out, with a note.

    Parameters
    ----------
    path : str or path-like
    target : str
        Column that holds the labels.
    drop : sequence of str, default=()
        Columns to leave out.

    Returns
    -------
    table : Table

    Raises
    ------
    TableError
        If the file or a column cannot be used.
    ImportError
        Without the extra "cli".
    """
    frame = _read(Path(path))
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError(f"{path} has several columns named {quoted(twice)}")
    frame.columns = names
    for wanted in (target, *drop):
        if wanted not in names:
            raise TableError(f"{path} has no column {wanted!r}; {_instead(wanted, names)}")
    if target in drop:
        raise TableError(f"column {target!r} is the target and cannot be dropped")
    labelled = frame[target].notna().to_numpy()
    notes = []
    if not labelled.all():
        notes.append(f"left out {(~labelled).sum():,} rows without a value in {target!r}")
    frame = frame[labelled]
    y = _labels(frame[target].infer_objects(), target)
    frame = frame.drop(columns=[target, *drop])
    X = _numbers(frame, path)
    rounded = [name for name, x in zip(frame.columns, X.T, strict=True) if _loses_units(x)]
    if rounded:
        notes.append(f"rounded whole numbers beyond 2**24 to float32 in {quoted(rounded)}")
    return Table(X, y, list(frame.columns), notes)


def quoted(names: Iterable[Any], most: int = 5) -> str:
    """At most `most` names, in quotes, and how many more there are."""
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(str(name)) for name in names[:most]) + rest


def _read(path: Path) -> Any:
    extension = path.suffix.lower()
    if extension not in READERS:
        known = ", ".join(READERS)
        raise TableError(f"{path} has the extension {extension!r}; what can be read is {known}")
    if not path.is_file():
        raise TableError(f"{path} is a folder" if path.is_dir() else f"there is no file {path}")
    try:
        import pandas as pd

        if READERS[extension] is None:
            import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"reading tables needs {error.name}: pip install 'skdistill[cli]'"
        ) from error
    try:
        if READERS[extension] is None:
            return pd.read_parquet(path).reset_index(drop=True)
        return pd.read_csv(
            path, sep=READERS[extension], low_memory=False, float_precision="round_trip"
        )
    except (OSError, ValueError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TableError(f"{path} cannot be read: {reason}") from error


def _instead(wanted: str, names: list[str]) -> str:
    close = difflib.get_close_matches(wanted, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    if len(names) == 1:
        return "it has a single column: are its columns separated by commas?"
    return f"it has {quoted(names, 10)}"


def _labels(column: Any, target: str) -> NDArray[Any]:
    """Labels as int64, bool or str; quantities are refused."""
    from pandas.api import types

    dtype = getattr(column.dtype, "categories", column).dtype
    if len(column) == 0:
        raise TableError(f"there is no row with a value in {target!r}")
    if types.is_bool_dtype(dtype):
        y = column.to_numpy(dtype=bool)
    elif types.is_integer_dtype(dtype):
        y = column.to_numpy(dtype=np.int64)
    elif types.is_float_dtype(dtype):
        values = column.to_numpy(dtype=np.float64)
        fractions = values[~(np.abs(values) < 2**53) | (values != np.rint(values))]
        if len(fractions):
            raise TableError(
                f"target {target!r} holds numbers such as {fractions[0]:g}, which are no classes: "
                "regression comes with a later release"
            )
        y = values.astype(np.int64)
    elif types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise TableError(f"target {target!r} holds points in time, which are no classes")
    else:
        y = np.array([str(label) for label in column])
    classes = np.unique(y)
    if len(classes) < 2:
        raise TableError(
            f"target {target!r} holds the single class {str(classes[0])!r}: two are needed"
        )
    if y.dtype.kind == "i" and len(classes) > _most_whole_numbers(len(y)):
        raise TableError(
            f"target {target!r} holds {len(classes):,} different numbers in {len(y):,} rows and "
            "looks like a quantity: regression comes with a later release"
        )
    if len(classes) > _MOST_CLASSES:
        raise TableError(
            f"target {target!r} holds {len(classes):,} different labels, more than "
            f"{_MOST_CLASSES:,}"
        )
    return y


def _most_whole_numbers(n: int) -> float:
    """Of so many different whole numbers in `n` rows one may think that they are classes."""
    return max(20, min(n / 10, 200))


def _numbers(frame: Any, path: Any) -> NDArray[np.float64]:
    from pandas.api import types

    if frame.shape[1] == 0:
        raise TableError(f"{path} has no column beside the target")
    text = [
        name
        for name in frame.columns
        if not types.is_numeric_dtype(frame[name].dtype)
        or types.is_complex_dtype(frame[name].dtype)
    ]
    if text:
        raise TableError(
            f"not numeric: {quoted(text)}; turn such columns into numbers (pandas.get_dummies) or "
            f"leave them out ({_drop(text)}); categories come with a later release"
        )
    X = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    empty = np.isnan(X).all(axis=0)
    if empty.any():
        names = frame.columns[empty].tolist()
        raise TableError(f"no value at all in {quoted(names)}; leave out ({_drop(names)})")
    endless = (np.abs(X) > np.finfo(np.float32).max).any(axis=0)
    if endless.any():
        names = frame.columns[endless].tolist()
        raise TableError(f"infinity, or values beyond float32, in {quoted(names)}")
    return X


def _drop(names: Sequence[str]) -> str:
    return " ".join(f"--drop {shlex.quote(name)}" for name in names[:5])


def _loses_units(x: NDArray[np.float64]) -> bool:
    """Whether `x` is all whole numbers, some of which float32 has to round."""
    x = x[~np.isnan(x)]
    return bool(
        (np.abs(x) > _EXACT).any() and (x == np.rint(x)).all() and (x != np.float32(x)).any()
    )
