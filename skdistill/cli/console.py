"""Messages and exit codes of the command line."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

OK, MISMATCH, USAGE, INTERRUPTED = 0, 1, 2, 130


def say_to_stderr(given: argparse.Namespace) -> Any:
    """Return the function that prints progress, or None with ``--quiet``."""
    return None if given.quiet else lambda line: print(line, file=sys.stderr, flush=True)


def writable_folder(folder: Path) -> Path:
    """Make `folder` if need be, and see that files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise OSError(f"cannot write to {folder}: {error.strerror}") from error


def print_error(error: Exception) -> int:
    """Print what is wrong in one line; return the exit code."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    print(f"skdistill: error: {' '.join(text.split())}", file=sys.stderr)
    return USAGE
