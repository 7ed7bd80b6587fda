"""Data sets in files: rows and labels, or an error of one line for the user."""

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
_MAX_CLASSES = 1000
_EXACT_INTEGER = 2**24


class DatasetError(ValueError):
    """A data set that cannot be used; the message is one line for the user."""


class Dataset(NamedTuple):
    """Rows and labels as the models take them.

    Attributes
    ----------
    X : float64 array of shape (n_samples, n_features)
        NaN where a value is missing.
    y : array of shape (n_samples,)
        Labels: int64, bool or str.
    columns : list of str
        Names of the columns of X.
    notes : list of str
        What was changed on the way, one sentence each.
    """

    X: NDArray[np.float64]
    y: NDArray[Any]
    columns: list[str]
    notes: list[str]


def read_dataset(path: str | PathLike[str], target: str, *, drop: Sequence[str] = ()) -> Dataset:
    """Read a CSV, TSV or Parquet file of numeric columns and one column of labels.

    Rows without a label are left out, with a note.

    Parameters
    ----------
    path : str or path-like
        The file; its extension tells the format.
    target : str
        Column that holds the labels.
    drop : sequence of str, default=()
        Columns to leave out.

    Returns
    -------
    dataset : Dataset
        All columns but the target and those in `drop`.

    Raises
    ------
    DatasetError
        If the file or a column cannot be used.
    ImportError
        Without the extra "cli".
    """
    frame = _read(Path(path))
    names = [str(name) for name in frame.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DatasetError(f"{path} has several columns named {quoted(repeated)}")
    frame.columns = names
    for name in (target, *drop):
        if name not in names:
            raise DatasetError(f"{path} has no column {name!r}; {_suggestion(name, names)}")
    if target in drop:
        raise DatasetError(f"column {target!r} is the target and cannot be dropped")
    labelled = frame[target].notna().to_numpy()
    notes = []
    if not labelled.all():
        notes.append(f"left out {(~labelled).sum():,} rows without a value in {target!r}")
    frame = frame[labelled]
    y = _labels(frame[target].infer_objects(), target)
    frame = frame.drop(columns=[target, *drop])
    X = _numbers(frame, path)
    rounded = [name for name, x in zip(frame.columns, X.T, strict=True) if _is_rounded(x)]
    if rounded:
        notes.append(f"rounded whole numbers beyond 2**24 to float32 in {quoted(rounded)}")
    return Dataset(X, y, list(frame.columns), notes)


def quoted(names: Iterable[Any], limit: int = 5) -> str:
    """Names in quotes for a message.

    Parameters
    ----------
    names : iterable
        Of any objects.
    limit : int, default=5
        How many are listed.

    Returns
    -------
    text : str
        With the number of those that are not listed.
    """
    names = list(names)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(str(name)) for name in names[:limit]) + rest


def _read(path: Path) -> Any:
    extension = path.suffix.lower()
    if extension not in READERS:
        known = ", ".join(READERS)
        raise DatasetError(f"{path} has the extension {extension!r}; what can be read is {known}")
    if not path.is_file():
        raise DatasetError(f"{path} is a folder" if path.is_dir() else f"there is no file {path}")
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
        # Numbers as Python reads them. pandas 3.1 does so by itself, and warns of the parameter.
        version = tuple(int(part) for part in pd.__version__.split(".")[:2])
        exact: dict[str, Any] = {} if version >= (3, 1) else {"float_precision": "round_trip"}
        return pd.read_csv(path, sep=READERS[extension], low_memory=False, **exact)
    except (OSError, ValueError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{path} cannot be read: {reason}") from error


def _suggestion(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
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
        raise DatasetError(f"there is no row with a value in {target!r}")
    y: NDArray[Any]
    if types.is_bool_dtype(dtype):
        y = column.to_numpy(dtype=bool)
    elif types.is_integer_dtype(dtype):
        y = column.to_numpy(dtype=np.int64)
    elif types.is_float_dtype(dtype):
        values = column.to_numpy(dtype=np.float64)
        fractions = values[~(np.abs(values) < 2**53) | (values != np.rint(values))]
        if len(fractions):
            raise DatasetError(
                f"target {target!r} holds numbers such as {fractions[0]:g}, which are no classes: "
                "regression comes with a later release"
            )
        y = values.astype(np.int64)
    elif types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        raise DatasetError(f"target {target!r} holds points in time, which are no classes")
    else:
        y = np.array([str(label) for label in column])
    classes = np.unique(y)
    if len(classes) < 2:
        raise DatasetError(
            f"target {target!r} holds the single class {str(classes[0])!r}: two are needed"
        )
    if y.dtype.kind == "i" and len(classes) > _max_integer_classes(len(y)):
        raise DatasetError(
            f"target {target!r} holds {len(classes):,} different numbers in {len(y):,} rows and "
            "looks like a quantity: regression comes with a later release"
        )
    if len(classes) > _MAX_CLASSES:
        raise DatasetError(
            f"target {target!r} holds {len(classes):,} different labels, more than {_MAX_CLASSES:,}"
        )
    return y


def _max_integer_classes(n: int) -> float:
    """How many different whole numbers in `n` rows still look like classes."""
    return max(20, min(n / 10, 200))


def _numbers(frame: Any, path: Any) -> NDArray[np.float64]:
    from pandas.api import types

    if frame.shape[1] == 0:
        raise DatasetError(f"{path} has no column beside the target")
    text = [
        name
        for name in frame.columns
        if not types.is_numeric_dtype(frame[name].dtype)
        or types.is_complex_dtype(frame[name].dtype)
    ]
    if text:
        raise DatasetError(
            f"not numeric: {quoted(text)}; turn such columns into numbers (pandas.get_dummies) or "
            f"leave them out ({_drop(text)}); categories come with a later release"
        )
    X: NDArray[np.float64] = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    empty = np.isnan(X).all(axis=0)
    if empty.any():
        names = frame.columns[empty].tolist()
        raise DatasetError(f"no value at all in {quoted(names)}; leave out ({_drop(names)})")
    endless = (np.abs(X) > np.finfo(np.float32).max).any(axis=0)
    if endless.any():
        names = frame.columns[endless].tolist()
        raise DatasetError(f"infinity, or values beyond float32, in {quoted(names)}")
    return X


def _drop(names: Sequence[str]) -> str:
    return " ".join(f"--drop {shlex.quote(name)}" for name in names[:5])


def _is_rounded(x: NDArray[np.float64]) -> bool:
    """Whether `x` is all whole numbers, some of which float32 has to round."""
    x = x[~np.isnan(x)]
    return bool(
        (np.abs(x) > _EXACT_INTEGER).any()
        and (x == np.rint(x)).all()
        and (x != np.float32(x)).any()
    )
