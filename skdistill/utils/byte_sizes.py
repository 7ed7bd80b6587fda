"""Numbers of bytes as people write them."""

from __future__ import annotations

import re

import numpy as np

_UNITS = {"B": 1, "KB": 1024, "MB": 1024**2}


def parse_bytes(size: int | str, name: str = "budget") -> int:
    """Read a number of bytes.

    Parameters
    ----------
    size : int or str
        A number of bytes, or one with a unit: "512B", "2KB", "1.5KB". 1 KB is 1,024 B, and 1 MB is
        1,024 KB.
    name : str, default="budget"
        Of the parameter, for the error.

    Returns
    -------
    nbytes : int
        Whole bytes; a fraction of a byte is dropped.

    Raises
    ------
    ValueError
        If there is no unit, or less than one byte.

    Examples
    --------
    >>> from skdistill.utils.byte_sizes import parse_bytes
    >>> parse_bytes("1.5KB"), parse_bytes("512 B"), parse_bytes(300)
    (1536, 512, 300)
    """
    nbytes = 0
    if isinstance(size, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KM]?B)", size.strip(), re.IGNORECASE)
        if match:
            nbytes = int(float(match[1]) * _UNITS[match[2].upper()])
    elif isinstance(size, int | np.integer) and not isinstance(size, bool):
        nbytes = int(size)
    if nbytes < 1:
        raise ValueError(
            f"{name} must be a number of bytes, such as 2048, '512B' or '2KB' (1 KB is 1,024 B), "
            f"and at least 1 B, got {size!r}"
        )
    return nbytes
