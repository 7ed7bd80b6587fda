"""What the benchmarks measure on: all Parquet tables of a directory, or what scikit-learn ships.

A table has a column `target` and may have a column `split` of "train" and "test". Everything else
is read from the table itself: nothing need be known of it before.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder

if TYPE_CHECKING:
    import pandas as pd

OWN_SPLIT_IGNORED = {"gas_drift"}  # split by time: it measures drift, not students
MOST_CLASSES = 100  # of whole numbers; more are taken for a regression target
MOST_CATEGORIES, RARE = 100, "all others"  # of a column; the rarest of more become one
# A class of fewer training rows is left out: at least so many, or one of so many rows.
LEAST, ONE_OF = 10, 1500


class RawTable(NamedTuple):
    """A table as it comes.

    Attributes
    ----------
    X : pandas.DataFrame
        Columns of numbers, and of categories that are strings.
    y : array of str
    train : bool array or None
        The training rows, where the table has a split.
    """

    X: pd.DataFrame
    y: np.ndarray
    train: np.ndarray | None


class Table(NamedTuple):
    """A classification problem, split into training and test rows."""

    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray


def add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=os.environ.get("SKDISTILL_DATA"),
        help="Parquet tables with a `target` column (default: $SKDISTILL_DATA, "
        "else the sets that scikit-learn ships)",
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="of the tables; default: all")
    parser.add_argument(
        "--fetch",
        nargs="+",
        default=(),
        metavar="NAME_OR_ID",
        help="download these tables of OpenML into DIR first, and measure on them where there "
        "are no --sets",
    )


def choose_sets(
    args: argparse.Namespace,
    shipped: Sequence[str],
    others: Mapping[str, str] | None = None,
    two_classes: bool = False,
) -> list[str]:
    """Names of the tables to measure on.

    `shipped` are for where there is no directory. `others` are further names for tables, and
    what they stand for.
    """
    others = others or {}
    fetched = [fetch(each, args.data) for each in args.fetch]
    asked = args.sets or fetched
    if args.data is None:
        unknown = [each for each in asked if each not in datasets_of_sklearn()]
        if unknown:
            raise SystemExit(f"{', '.join(unknown)}: scikit-learn ships no such set; give --data")
        return list(asked or shipped)
    directory = Path(args.data)
    found = sorted(directory.glob("*.parquet"), key=lambda path: path.stat().st_size)
    known = {path.stem: path for path in found}
    known |= {name: known[of] for name, of in others.items() if of in known}
    unknown = [each for each in asked if each not in known]
    if unknown or not known:
        raise SystemExit(
            f"{directory} has no table {', '.join(unknown)}; it has {', '.join(known) or 'none'}"
        )
    chosen = []
    for name in asked or known:
        reason = _unfit(known[name], two_classes)
        if reason is None:
            chosen.append(name)
        else:
            print(f"{name}: left out, {reason}")
    if not chosen:
        raise SystemExit(f"no table of {directory} is left to measure on")
    return chosen


def datasets_of_sklearn() -> list[str]:
    return ["breast_cancer", "digits", "iris", "wine"]


def _unfit(path: Path, two_classes: bool) -> str | None:
    """Why a table cannot be measured on."""
    import pandas as pd

    columns = pd.read_parquet(path).dtypes
    if "target" not in columns:
        return "it has no column `target`"
    target = pd.read_parquet(path, columns=["target"])["target"].dropna()
    if _is_regression(target):
        return f"its target has {target.nunique():,} different numbers: it is for regression"
    n_classes = len(np.unique(read_frame(path.stem, path.parent).y))
    if n_classes < 2:
        return f"its target has {n_classes} class of enough rows"
    if two_classes and n_classes > 2:
        return f"its target has {n_classes} classes; this is for two"
    return None


def _is_regression(target: pd.Series) -> bool:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(target) or pd.api.types.is_bool_dtype(target):
        return False
    values = target.to_numpy(np.float64)
    return bool((values % 1 != 0).any()) or len(np.unique(values)) > MOST_CLASSES


def fetch(name_or_id: str, directory: str | Path | None) -> str:
    """Put a table of OpenML into a directory, where it is not yet; its name."""
    if directory is None:
        raise SystemExit("--fetch needs a directory for its tables: give --data DIR")
    asked = {"data_id": int(name_or_id)} if name_or_id.isdigit() else {"name": name_or_id}
    if (Path(directory) / f"{name_or_id}.parquet").exists():
        return name_or_id
    try:
        found = datasets.fetch_openml(**asked, as_frame=True, parser="auto")
    except OSError as error:
        raise SystemExit(
            f"--fetch {name_or_id}: OpenML does not answer ({error}); put the table into "
            f"{directory} as a Parquet file with a column `target`"
        ) from error
    if found.target is None:
        raise SystemExit(f"--fetch {name_or_id}: the table has no target")
    name = name_or_id if not name_or_id.isdigit() else found.details["name"]
    frame = found.data.drop(columns=["target", "split"], errors="ignore")
    Path(directory).mkdir(parents=True, exist_ok=True)
    frame.assign(target=found.target.to_numpy()).to_parquet(Path(directory) / f"{name}.parquet")
    return name


def read_frame(name: str, directory: str | Path) -> RawTable:
    """``directory/name.parquet`` without rows that have no target or are of very rare classes."""
    import pandas as pd

    frame = pd.read_parquet(Path(directory) / f"{name}.parquet")
    frame = frame[frame["target"].notna().to_numpy()].reset_index(drop=True)
    y = frame.pop("target").astype(str).to_numpy(dtype=object).astype(str)
    train = None
    if "split" in frame and set(frame["split"]) == {"train", "test"}:
        train = (frame.pop("split") == "train").to_numpy()
    classes, code = np.unique(y, return_inverse=True)
    count = np.bincount(code if train is None else code[train], minlength=len(classes))
    enough = (count >= max(LEAST, count.sum() // ONE_OF))[code]
    X = pd.DataFrame({column: _plain(frame[column]) for column in frame})
    X = X.dropna(axis=1, how="all")
    return RawTable(X[enough].reset_index(drop=True), y[enough], _take(train, enough))


def _take(train: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if train is None else train[rows]


def _plain(column: pd.Series) -> pd.Series:
    """Numbers as they are, truth values as 0 and 1, times as days, all else as categories."""
    import pandas as pd

    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.replace([np.inf, -np.inf], np.nan) if column.dtype.kind == "f" else column
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return (column - column.min()) / pd.Timedelta(days=1)
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("Float64").astype(np.float64).astype(np.float32)
    if isinstance(column.dtype, pd.CategoricalDtype) and all(
        isinstance(each, str) for each in column.cat.categories
    ):
        labels = column
    else:
        labels = column.astype(object).map(str, na_action="ignore").astype("category")
    counts = labels.value_counts()
    if len(counts) <= MOST_CATEGORIES:
        return labels
    frequent = labels.isin(counts.index[: MOST_CATEGORIES - 1]) | labels.isna()
    return labels.astype(object).where(frequent, RARE).astype("category")


def load(name: str, directory: str | Path | None, cap: int | None = None) -> Table:
    """Load a table as numbers, with a split.

    A table's own split is respected, anything else is split 70/30, stratified, with
    ``random_state=0``. Categories become ordinal codes, missing numbers the median of the training
    rows. More than `cap` training rows are thinned at random.
    """
    X, y, train = read(name, directory)
    if name in OWN_SPLIT_IGNORED:
        train = None
    if train is None:
        rows, _ = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0, stratify=y)
        train = np.zeros(len(y), bool)
        train[rows] = True
    X = fill_missing(X, np.flatnonzero(train))
    rows = np.random.default_rng(0).permutation(np.flatnonzero(train))[:cap]
    return Table(X[rows], X[~train], y[rows], y[~train])


def fill_missing(X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Missing numbers become the median of some rows, 0 where these have none."""
    missing = np.isnan(X)
    empty = missing[rows].all(axis=0)
    X = np.where(empty & missing, 0, X)
    return np.where(missing & ~empty, np.nanmedian(X[rows], axis=0), X).astype(np.float32)


def read(
    name: str, directory: str | Path | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """All rows, their class numbers, and which of them train where the table has a split."""
    if directory is None:
        return *getattr(datasets, f"load_{name}")(return_X_y=True), None
    X, y, train = read_frame(name, directory)
    text = [X.columns[i] for i in nominal_columns(name, directory)]
    if text:
        X[text] = OrdinalEncoder(encoded_missing_value=-1).fit_transform(X[text].astype(object))
    return X.to_numpy(np.float32), LabelEncoder().fit_transform(y), train


def nominal_columns(name: str, directory: str | Path | None) -> list[int]:
    """Which columns of `read` are codes of categories."""
    if directory is None:
        return []
    X = read_frame(name, directory).X
    return [i for i, column in enumerate(X) if is_text(X[column])]


def is_text(column: pd.Series) -> bool:
    """Whether a column holds categories."""
    import pandas as pd

    return not pd.api.types.is_numeric_dtype(column)
