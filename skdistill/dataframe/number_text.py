"""Numbers as text in files: which cells are one, with a decimal point or a decimal comma."""

from __future__ import annotations

import re

MARKS = {"?", "-", "--", ".", "*", "na", "n/a", "nan", "null", "none", "missing", "unknown"}
"""Text that stands for a missing number, in lower case."""
_POINT = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(
    r"\s*[-+]?(\d+|\d{1,3}(\.\d{3})+|(?=,\d))(,\d*)?(e[-+]?\d+)?\s*", re.ASCII | re.IGNORECASE
)


def is_missing_mark(text: str) -> bool:
    """Whether a text is blank, or stands for a missing number.

    Parameters
    ----------
    text : str
        A cell.

    Returns
    -------
    missing : bool
    """
    return not text.strip() or text.strip().lower() in MARKS


def is_number(text: str) -> bool:
    """Whether a text is a finite number with a decimal point, in digits of ASCII.

    Parameters
    ----------
    text : str
        A cell.

    Returns
    -------
    number : bool
    """
    return _POINT.fullmatch(text) is not None and abs(float(text)) < float("inf")


def point_for_comma(texts: list[str]) -> dict[str, str] | None:
    """Write numbers with a decimal comma with a decimal point.

    Parameters
    ----------
    texts : list of str
        The different cells of a column. Points before groups of three digits are left out.

    Returns
    -------
    pointed : dict of str to str or None
        For each number. None where no cell has a decimal comma, or one is neither a number nor
        stands for a missing one.

    Examples
    --------
    >>> from skdistill.dataframe.number_text import point_for_comma
    >>> point_for_comma(["1.234,5", "7", "-"])
    {'1.234,5': '1234.5', '7': '7'}
    >>> point_for_comma(["1,5", "red"])
    """
    numbers = [text for text in texts if not is_missing_mark(text)]
    if not any("," in text for text in numbers) or not all(map(_COMMA.fullmatch, numbers)):
        return None
    return {text: text.strip().replace(".", "").replace(",", ".") for text in numbers}
