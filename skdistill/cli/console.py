"""What the command line prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from rich import box
from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it
_WIDTH = 100  # of what is no terminal


class Console:
    """Prints for people, or one JSON object for programs.

    Parameters
    ----------
    quiet : bool
        Whether notes and progress are left out.
    as_json : bool
        Whether the result is printed as JSON.
    """

    def __init__(self, *, quiet: bool, as_json: bool) -> None:
        self.quiet = quiet
        self.as_json = as_json
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal without µ is no reason to fail
        self._out = _rich(sys.stdout)
        self._err = _rich(sys.stderr)

    def note(self, text: str) -> None:
        """Say what was assumed or is being done.

        Parameters
        ----------
        text : str
            One sentence.
        """
        if not self.quiet:
            self._err.print(Text(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Say what the user should not overlook.

        Parameters
        ----------
        text : str
            One sentence.
        """
        self._err.print(Text.assemble(("warning: ", "bold yellow"), text), soft_wrap=True)

    def working(self, text: str) -> AbstractContextManager[Any]:
        """Show that something without steps is being done.

        Parameters
        ----------
        text : str
            What it is.

        Returns
        -------
        context : context manager
            While it is open a terminal shows that work goes on; other streams get one line.
        """
        if self.quiet:
            return nullcontext()
        if self._err.is_terminal:
            return self._err.status(Text(text))
        self._err.print(Text(f"{text} …"), soft_wrap=True)
        return nullcontext()

    def line(self, text: str, style: str = "") -> None:
        """Print a line of the result; nothing with JSON.

        Parameters
        ----------
        text : str
            The line.
        style : str, default=""
            Of rich, such as "bold".
        """
        if not self.as_json:
            self._out.print(Text(text, style), soft_wrap=True)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Print a table of the result; nothing with JSON.

        Parameters
        ----------
        header : sequence of str
            Names of the columns; those of text are aligned to the left, others to the right.
        rows : iterable of sequences
            Cells.
        """
        if self.as_json:
            return
        cells = [list(row) for row in rows]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, name in enumerate(header):
            is_text = any(isinstance(row[i], str) for row in cells)
            table.add_column(Text(name), justify="left" if is_text else "right", overflow="fold")
        for row in cells:
            table.add_row(*(Text(show(cell)) for cell in row))
        self._out.print(table)

    def json(self, result: Mapping[str, Any]) -> None:
        """Print the result as JSON, where that was asked for.

        Parameters
        ----------
        result : mapping
            All of it.
        """
        if self.as_json:
            print(as_json(result), end="", flush=True)


def _rich(stream: Any) -> RichConsole:
    console = RichConsole(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


def show(value: Any) -> str:
    """Write a figure for people.

    Parameters
    ----------
    value : object
        A number, None or text.

    Returns
    -------
    text : str
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4f}"
    return str(value)


def as_json(result: Mapping[str, Any]) -> str:
    """Write a result as JSON; what is no number is null.

    Parameters
    ----------
    result : mapping
        Of dictionaries, lists, text and numbers.

    Returns
    -------
    text : str
        It ends in a line break.
    """
    return json.dumps(_plain(result), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """The same in types that JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def print_error(message: str) -> int:
    """Print an error to stderr as one line.

    Parameters
    ----------
    message : str
        Line breaks in it become blanks.

    Returns
    -------
    exit_code : int
        2.
    """
    print(f"skdistill: error: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return EXIT_BAD_INPUT
