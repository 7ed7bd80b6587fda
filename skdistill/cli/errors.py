"""Which errors are the user's: those get one line, all others are bugs and keep their traceback."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(Exception):
    """Input that cannot be used; the message is one line for the user."""


@contextmanager
def bad_input(about: str = "", *more: type[Exception]) -> Iterator[None]:
    """Take errors of what is called inside as errors of the input.

    Only calls that validate what a user passed belong inside.

    Parameters
    ----------
    about : str, default=""
        What is written before the message.
    *more : type
        Errors beside ValueError and TypeError.

    Raises
    ------
    InputError
        In place of ValueError, TypeError and `more`.
    """
    kinds: tuple[type[Exception], ...] = (ValueError, TypeError, *more)
    try:
        yield
    except kinds as error:
        message = str(error) or type(error).__name__
        raise InputError(f"{about}: {message}" if about else message) from error


def writable_folder(folder: Path) -> Path:
    """Create a folder if necessary, and check that files can be written there.

    Parameters
    ----------
    folder : Path
        Missing parents are created, too.

    Returns
    -------
    folder : Path

    Raises
    ------
    InputError
        If the folder cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}") from error
