"""Messages and exit codes of the command line."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

EXIT_OK = 0
EXIT_MISMATCH = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def progress_printer(*, quiet: bool) -> Callable[[str], None] | None:
    """Return the function that prints lines of progress to stderr.

    Parameters
    ----------
    quiet : bool
        Whether to print none.

    Returns
    -------
    progress : callable or None
        None if `quiet`.
    """
    return None if quiet else lambda line: print(line, file=sys.stderr, flush=True)


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
    OSError
        If the folder cannot be created or written to. The message names it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise OSError(f"cannot write to {folder}: {error.strerror}") from error


def print_error(error: Exception) -> int:
    """Print an error to stderr as one line.

    Parameters
    ----------
    error : Exception
        Its message becomes the line. An OSError is printed with its file.

    Returns
    -------
    exit_code : int
        That of a usage error, 2.
    """
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    print(f"skdistill: error: {' '.join(text.split())}", file=sys.stderr)
    return EXIT_USAGE
