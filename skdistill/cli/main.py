"""The command line: ``skdistill demo`` and ``skdistill distill``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import skdistill
from skdistill.cli.commands import run_demo, run_distill
from skdistill.cli.console import INTERRUPTED, USAGE, print_error
from skdistill.dataframe.files import TableError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the program's name; None reads ``sys.argv``.

    Returns
    -------
    code : int
        0; 1 if ONNX Runtime and Python disagree on any row; 2 for bad usage or input;
        130 if interrupted.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        return given.run(given)
    except (TableError, ImportError, OSError) as error:  # what a user can mend
        return print_error(error)
    except KeyboardInterrupt:
        print("skdistill: interrupted", file=sys.stderr)
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="skdistill",
        description="Distil big tabular models into models of a few kilobytes.",
    )
    parser.add_argument("--version", action="version", version=f"skdistill {skdistill.__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    _add_demo(commands)
    _add_distill(commands)
    return parser


def _add_demo(commands: Any) -> None:
    what = "compare teacher and students on digits and breast cancer, export and check them"
    parser = commands.add_parser("demo", help=what, description=what)
    parser.add_argument(
        "--out", type=Path, default=Path("build/demo"), metavar="DIR", help="default: %(default)s"
    )
    _add_common(parser)
    parser.set_defaults(run=run_demo)


def _add_distill(commands: Any) -> None:
    what = "the same on a table of your own: teach, measure, export, check"
    parser = commands.add_parser("distill", help=what, description=what)
    parser.add_argument(
        "table", type=Path, metavar="TABLE", help=".csv, .tsv or .parquet; numeric columns"
    )
    parser.add_argument(
        "--target", required=True, metavar="COL", help="the column that holds the labels"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write models and results"
    )
    parser.add_argument(
        "--drop", action="append", default=[], metavar="COL", help="leave a column out; repeatable"
    )
    parser.add_argument(
        "--student", choices=("tree", "linear"), default="tree", help="default: %(default)s"
    )
    parser.add_argument(
        "--max-leaf-nodes",
        type=_number(int, lambda n: n >= 2, "of 2 or more"),
        default=64,
        metavar="N",
        help="of a tree, default: 64",
    )
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=1.0,
        metavar="T",
        help="flattens (above 1) the teacher's probabilities, or 'auto'; default: 1",
    )
    parser.add_argument(
        "--alpha",
        type=_number(float, lambda a: 0 < a <= 1, "above 0 and up to 1"),
        default=0.5,
        help="weight of the teacher against the hard labels, above 0 and up to 1; default: 0.5",
    )
    parser.add_argument(
        "--test-size",
        type=_number(float, lambda s: 0 < s < 1, "between 0 and 1"),
        default=0.25,
        metavar="SHARE",
        help="share of the rows to measure on, default: 0.25",
    )
    parser.add_argument(
        "--n-jobs",
        type=_number(int, lambda n: n > 0 or n == -1, "above 0, or -1 for all cores"),
        metavar="N",
        help="threads; default: one, on big tables all cores",
    )
    _add_common(parser)
    parser.set_defaults(run=run_distill)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=_number(int, lambda n: 0 <= n < 2**31, "in 0 … 2**31 - 1"),
        default=0,
        metavar="N",
        help="default: 0",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _number(kind: type, allowed: Callable[[Any], bool], which: str) -> Callable[[str], Any]:
    """Make the argparse type of numbers that are `allowed`."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not allowed(value):
            noun = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {noun} {which}")
        return value

    return read


def _temperature(text: str) -> float | str:
    positive = _number(float, lambda t: 0 < t < float("inf"), "above 0, nor 'auto'")
    return text if text == "auto" else positive(text)
