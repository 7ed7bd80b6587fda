"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from os import PathLike


def write_whole(path: str | PathLike[str], content: bytes) -> None:
    """Write a file, or leave what was there.

    The content goes to a temporary file beside it, which is renamed into place.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist.
    content : bytes
        All of it.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:  # names have a largest length
        handle, temporary = tempfile.mkstemp(prefix=f".{name[:32]}.", dir=folder)
    except OSError as error:  # of the file that was asked for, not of the temporary one
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp gives 0600; an ordinary file obeys the umask
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
