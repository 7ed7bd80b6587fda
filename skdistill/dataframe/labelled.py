"""Tables with a column of labels or values: what is to be learnt, and which rows have it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.categories import MOST_LABELS
from skdistill.dataframe.cleaning import (
    clean_columns,
    clean_text,
    drop_options,
    example_of,
    holds_dates,
    is_text,
)
from skdistill.dataframe.files import DatasetError, quoted, read_frame

TASKS = ("auto", "classification", "regression")
_MOST_NUMBERS = 20  # of a target that still look like classes
_MOST_CLASSES = 1000
_LARGEST = float(np.finfo(np.float32).max)


class LabelledTable(NamedTuple):
    """Rows and what is to be learnt of them.

    Attributes
    ----------
    X : pandas.DataFrame
        Columns of numbers and strings.
    y : array of shape (n_samples,)
        Labels: int64, bool or str; or values, float64.
    task : {"classification", "regression"}
        Which of the two `y` holds.
    reason : str
        Why, in words.
    notes : list of str
        What was changed on the way, one sentence each.
    """

    X: Any
    y: NDArray[Any]
    task: str
    reason: str
    notes: list[str]


def read_labelled(
    path: str | PathLike[str], target: str, *, task: str = "auto", drop: Sequence[str] = ()
) -> LabelledTable:
    r"""Read a table from a file, to learn from it.

    Rows without a label are left out, with a note.

    Parameters
    ----------
    path : str or path-like
        The file, as in `read_frame`.
    target : str
        Column of the labels or values.
    task : {"auto", "classification", "regression"}, default="auto"
        "auto" is a regression for numbers with fractions, and for more than 20 different numbers.
    drop : sequence of str, default=()
        Columns to leave out.

    Returns
    -------
    table : LabelledTable
        All columns but the target and those in `drop`.

    Raises
    ------
    DatasetError
        If the file or a column cannot be used.
    ImportError
        Without the extra "cli".

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skdistill.dataframe.labelled import read_labelled
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "table.csv"
    ...     _ = path.write_text("size,kind\n1.5,a\n2.5,\n3.5,b\n")
    ...     table = read_labelled(path, "kind")
    >>> table.y.tolist(), table.task, table.notes
    (['a', 'b'], 'classification', ["left out 1 row without a value in 'kind'"])
    """
    frame, notes = read_frame(path)
    require_columns(path, frame, [target, *drop])
    if target in drop:
        raise DatasetError(f"column {target!r} is the target and cannot be dropped")
    frame = frame.drop(columns=list(drop))
    column, is_labelled = labels_in(frame, target, path)
    if not is_labelled.all():
        notes.append(note_of_left_out(is_labelled, target))
    y, task, reason = read_target(column, target, task)
    X, more = clean_columns(frame[is_labelled].drop(columns=target), leave_out_empty=True)
    if X.shape[1] == 0:
        raise DatasetError(f"{path} has no column beside the target {target!r}")
    _refuse_infinities(X)
    _refuse_many_labels(X)
    return LabelledTable(X.reset_index(drop=True), y, task, reason, [*notes, *more])


def labels_in(frame: Any, target: str, path: Any) -> tuple[Any, NDArray[np.bool_]]:
    """Labels of a table, and which rows have one.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    target : str
        Its column.
    path : path-like
        Of its file, for messages.

    Returns
    -------
    labels : pandas.Series of shape (n_labelled,)
        Without missing values and blanks.
    is_labelled : bool array of shape (n_samples,)
        Which rows these are.

    Raises
    ------
    DatasetError
        For dates, and if no row has a label.
    """
    column = frame[target]
    if holds_dates(column):
        raise DatasetError(
            f"target {target!r} holds dates or times such as {example_of(column)!r}: "
            "turn them into numbers or labels"
        )
    if is_text(column):
        column, _ = clean_text(column)
    is_labelled = column.notna().to_numpy(dtype=bool)
    if not is_labelled.any():
        raise DatasetError(f"{path} has no row with a value in the target {target!r}")
    return column[is_labelled].infer_objects(), is_labelled


def note_of_left_out(is_labelled: NDArray[np.bool_], target: str) -> str:
    """Say how many rows are left out because they have no label.

    Parameters
    ----------
    is_labelled : bool array of shape (n_samples,)
        From `labels_in`.
    target : str
        Column of the labels.

    Returns
    -------
    note : str
    """
    n = int((~is_labelled).sum())
    return f"left out {n:,} row{'s' * (n > 1)} without a value in {target!r}"


def read_target(column: Any, name: str, task: str = "auto") -> tuple[NDArray[Any], str, str]:
    """Labels of a classification, or values of a regression.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Without missing values.
    name : str
        Of the column, for messages.
    task : {"auto", "classification", "regression"}, default="auto"
        As in `read_labelled`.

    Returns
    -------
    y : array of shape (n_samples,)
        As in `LabelledTable`.
    task : {"classification", "regression"}
        The task.
    reason : str
        Why, in words.

    Raises
    ------
    DatasetError
        For a single class or value, for text where numbers are needed, and for numbers that are
        no classes.
    """
    values = numbers_of(column)
    reason = f"by --task {task}"
    if task == "auto":
        task, reason = _choose_task(values, column, name)
    if task == "regression":
        return _quantities(values, column, name), task, reason
    return _classes(values, column, name), task, reason


def numbers_of(column: Any) -> NDArray[np.float64] | None:
    """Numbers of a column, None for truth values and text.

    Parameters
    ----------
    column : pandas.Series of shape (n_samples,)
        Without missing values.

    Returns
    -------
    values : float64 array of shape (n_samples,) or None
    """
    from pandas.api import types

    categories = getattr(column.dtype, "categories", None)
    dtype = column.dtype if categories is None else categories.dtype
    if types.is_bool_dtype(dtype):
        return None
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return np.asarray(column.to_numpy(dtype=np.float64))
    if all(type(value).__name__ == "Decimal" for value in column):
        return np.asarray(column, dtype=np.float64)
    return None


def require_columns(path: Any, frame: Any, names: Sequence[str]) -> None:
    """Refuse names of columns that a table does not have.

    Parameters
    ----------
    path : path-like
        Of the file, for the message.
    frame : pandas.DataFrame
        The table.
    names : sequence of str
        Columns that are needed.

    Raises
    ------
    DatasetError
        That names the first one that is missing, and what may be meant.
    """
    known = [str(name) for name in frame.columns]
    frame.columns = known
    for name in names:
        if name not in known:
            raise DatasetError(f"{path} has no column {name!r}; {_suggestion(name, known)}")


def _suggestion(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"it has {quoted(names, 10)}"


def _choose_task(values: NDArray[np.float64] | None, column: Any, name: str) -> tuple[str, str]:
    if values is None:
        return "classification", f"{name!r} holds {column.nunique():,} classes"
    if not (np.isfinite(values) & (values == np.rint(values))).all():
        return "regression", f"{name!r} holds numbers with fractions"
    n = len(np.unique(values))
    if n > _MOST_NUMBERS:
        return "regression", f"{name!r} holds {n:,} different numbers"
    return "classification", f"{name!r} holds {n} different whole numbers"


def _quantities(values: NDArray[np.float64] | None, column: Any, name: str) -> NDArray[np.float64]:
    if values is None:
        if column.map(type).eq(bool).all():
            values = column.to_numpy(dtype=np.float64)
        else:
            raise DatasetError(
                f"target {name!r} holds {str(column.iloc[0])!r} and the like, which are no "
                "numbers: a regression needs numbers (--task classification)"
            )
    if not (np.abs(values) <= _LARGEST).all():
        raise DatasetError(f"target {name!r} holds infinity, or numbers beyond float32")
    if (values == values[0]).all():
        raise DatasetError(f"target {name!r} holds the single value {values[0]:g}")
    return values


def _classes(values: NDArray[np.float64] | None, column: Any, name: str) -> NDArray[Any]:
    y: NDArray[Any]
    if values is not None:
        no_class = values[~(np.abs(values) < 2**53) | (values != np.rint(values))]
        if len(no_class):
            raise DatasetError(
                f"target {name!r} holds numbers such as {no_class[0]:g}, which are no classes: "
                "choose --task regression"
            )
        y = values.astype(np.int64)
    elif column.map(type).isin([bool, np.bool_]).all():
        y = column.to_numpy(dtype=bool)
    else:
        y = np.array([str(label) for label in column])
    classes = np.unique(y)
    if len(classes) < 2:
        raise DatasetError(
            f"target {name!r} holds the single class {str(classes[0])!r}: two are needed"
        )
    if len(classes) > _MOST_CLASSES:
        raise DatasetError(
            f"target {name!r} holds {len(classes):,} different labels, more than {_MOST_CLASSES:,}"
        )
    return y


def _refuse_infinities(X: Any) -> None:
    from pandas.api import types

    names = []
    for name in X.columns:
        if types.is_numeric_dtype(X[name].dtype) and not types.is_bool_dtype(X[name].dtype):
            values = X[name].to_numpy(dtype=np.float64, na_value=np.nan)
            if (np.abs(values) > _LARGEST).any():
                names.append(name)
    if names:
        raise DatasetError(
            f"infinity, or numbers beyond float32, in {quoted(names)}: leave out "
            f"({drop_options(names)})"
        )


def _refuse_many_labels(X: Any) -> None:
    many = {name: X[name].nunique() for name in X.columns if is_text(X[name])}
    many = {name: n for name, n in many.items() if n > MOST_LABELS}
    if many:
        name, n = next(iter(many.items()))
        raise DatasetError(
            f"column {name!r} has {n:,} labels, at most {MOST_LABELS} can be told apart: group the "
            f"rare ones, or leave out what only names a row ({drop_options(many)})"
        )
