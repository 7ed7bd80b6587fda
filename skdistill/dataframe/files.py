"""Tables in files: a data frame of pandas, or an error of one line for the user."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from skdistill.dataframe.number_text import point_for_comma

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
_SEPARATORS = ",;\t|"
_SAMPLE = 1 << 16  # characters that tell the separator
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class DatasetError(ValueError):
    """A table that cannot be used; the message is one line for the user."""


def read_frame(path: str | PathLike[str]) -> tuple[Any, list[str]]:
    r"""Read a table from a file of text, of Parquet or of Arrow.

    Text may be separated by commas, semicolons, tabs or vertical bars, in UTF-8, UTF-16 or
    Latin-1, with decimal points or commas.

    Parameters
    ----------
    path : str or path-like
        The file; its extension tells text from Parquet and Arrow.

    Returns
    -------
    frame : pandas.DataFrame
        At least one row; the names of its columns are different strings.
    notes : list of str
        What was assumed about the file, one sentence each.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    ImportError
        Without the extra "cli".

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skdistill.dataframe.files import read_frame
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "table.csv"
    ...     _ = path.write_text("a;b\n1,5;yes\n2,5;no\n")
    ...     frame, notes = read_frame(path)
    >>> frame["a"].tolist(), notes
    ([1.5, 2.5], ["numbers have a decimal comma in 'a'"])
    """
    path = Path(path)
    extension = path.suffix.lower()
    if path.is_dir():
        raise DatasetError(f"{path} is a folder, not a table")
    if not path.is_file():
        raise DatasetError(f"there is no file {path}")
    if extension not in TEXT + PARQUET + ARROW:
        known = ", ".join(TEXT + PARQUET + ARROW)
        raise DatasetError(f"{path} has the extension {extension!r}; what can be read is {known}")
    try:
        import pandas  # noqa: F401
        import pyarrow
    except ImportError as error:
        raise ImportError(
            f"reading tables needs {error.name}: pip install 'skdistill[cli]'"
        ) from error
    notes: list[str] = []
    try:
        if extension in TEXT:
            frame, notes = _read_text(path)
        else:
            frame = _read_arrow(path, is_parquet=extension in PARQUET)
    except DatasetError:
        raise
    except (OSError, ValueError, pyarrow.ArrowException) as error:  # pandas has ValueErrors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{path} cannot be read: {reason}") from error
    if not len(frame):
        raise DatasetError(f"{path} has a header and no rows")
    return frame, notes


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


def _read_arrow(path: Path, *, is_parquet: bool) -> Any:
    import pyarrow as pa
    import pyarrow.parquet

    if is_parquet:
        table = pyarrow.parquet.ParquetFile(path).read()
    else:
        with pa.memory_map(str(path)) as source:
            try:
                table = pa.ipc.open_file(source).read_all()
            except pa.ArrowInvalid:  # the same format without a footer
                source.seek(0)
                table = pa.ipc.open_stream(source).read_all()
    _refuse_repeated(path, table.column_names)
    return table.to_pandas().reset_index(drop=True)


def _read_text(path: Path) -> tuple[Any, list[str]]:
    content = path.read_bytes()
    if not content.strip():
        raise DatasetError(f"{path} is empty")
    encoding, notes = _encoding(path, content)
    with io.TextIOWrapper(io.BytesIO(content), encoding, newline="") as file:
        sample = file.read(_SAMPLE)
    separator = _separator(sample)
    header = next(_rows(sample, separator))
    _refuse_repeated(path, [name for name in header if name])
    frame = _parse(content, encoding, separator)
    if frame.index.tolist() != list(range(len(frame))):
        raise DatasetError(f"{path} has rows with more fields than its header")
    if separator != ",":
        frame, more = _read_decimal_commas(frame)
        notes += more
    first = frame.iloc[:, 0]
    if header[0] == "" and first.dtype.kind == "i" and first.is_unique:
        frame = frame.iloc[:, 1:]
        notes.append("left out the first column, which has no name and numbers the rows")
    return frame, notes


def _encoding(path: Path, content: bytes) -> tuple[str, list[str]]:
    """The encoding of a text, and a note where it is a guess."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding, []
    if b"\0" in content[:_SAMPLE]:
        raise DatasetError(f"{path} is no text: what can be read is text, Parquet and Arrow")
    try:
        content.decode()
    except UnicodeDecodeError:
        return "latin-1", [f"{path.name} is not UTF-8 and was read as Latin-1"]
    return "utf-8", []


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    """Fields of the rows that are not blank; line breaks in quotes belong to a field."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return (row for row in reader if row)


def _separator(sample: str) -> str:
    """The character that splits the most rows into as many fields as the header."""

    def regularity(separator: str) -> tuple[float, int]:
        rows = list(islice(_rows(sample, separator), 200))
        width = len(rows[0]) if rows else 0
        if width < 2:
            return 0.0, 0
        return sum(len(row) == width for row in rows) / len(rows), width

    return max(_SEPARATORS, key=regularity)


def _parse(content: bytes, encoding: str, separator: str) -> Any:
    import pandas as pd

    # Numbers as Python reads them. pandas 3.1 does so by itself, and warns of the parameter.
    version = tuple(int(part) for part in pd.__version__.split(".")[:2])
    exact: dict[str, Any] = {} if version >= (3, 1) else {"float_precision": "round_trip"}
    return pd.read_csv(
        io.BytesIO(content), sep=separator, encoding=encoding, low_memory=False, **exact
    )


def _read_decimal_commas(frame: Any) -> tuple[Any, list[str]]:
    """Numbers in place of text with decimal commas, column by column, and a note."""
    changed: dict[str, Any] = {}
    for name in frame.columns:
        different = frame[name].dropna().unique().tolist()
        if not all(isinstance(value, str) for value in different):
            continue
        if pointed := point_for_comma(different):
            if len(pointed) == len(different):
                numbers = {text: float(number) for text, number in pointed.items()}
                changed[name] = frame[name].astype(object).map(numbers).astype(float)
            else:  # marks of what is missing stay for later
                changed[name] = frame[name].astype(object).replace(pointed)
    if not changed:
        return frame, []
    return frame.assign(**changed), [f"numbers have a decimal comma in {quoted(changed)}"]


def _refuse_repeated(path: Path, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DatasetError(f"{path} has several columns named {quoted(repeated)}: rename them")
