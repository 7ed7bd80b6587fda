"""The command line: ``skdistill demo`` and ``skdistill distill``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import skdistill
from skdistill.cli.commands import run_demo, run_distill
from skdistill.cli.console import EXIT_INTERRUPTED, EXIT_USAGE, print_error
from skdistill.dataframe.files import DatasetError
from skdistill.students.size_search import MaxBytesError
from skdistill.utils.byte_sizes import parse_bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the name of the program. None means those of ``sys.argv``.

    Returns
    -------
    exit_code : int
        0 for success; 1 if ONNX Runtime and Python disagree on any row; 2 for bad usage or input;
        130 if interrupted.
    """
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.command is None:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    try:
        run: Callable[[argparse.Namespace], int] = args.run
        return run(args)
    except (DatasetError, MaxBytesError, ImportError, OSError) as error:  # the user can fix these
        return print_error(error)
    except KeyboardInterrupt:
        print("skdistill: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Parser that reports a usage error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


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
    description = "compare teacher and students on digits and breast cancer, export and verify them"
    parser = commands.add_parser("demo", help=description, description=description)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/demo"),
        metavar="DIR",
        help="folder for models and results, default: %(default)s",
    )
    _add_common(parser)
    parser.set_defaults(run=run_demo)


def _add_distill(commands: Any) -> None:
    description = "the same on a table of your own: train, measure, export, verify"
    parser = commands.add_parser("distill", help=description, description=description)
    parser.add_argument(
        "table", type=Path, metavar="TABLE", help=".csv, .tsv or .parquet; numeric columns"
    )
    parser.add_argument("--target", required=True, metavar="COL", help="column of the labels")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for models and results"
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COL",
        help="column to leave out; may be repeated",
    )
    parser.add_argument(
        "--student", choices=("tree", "linear"), default="tree", help="family, default: %(default)s"
    )
    parser.add_argument(
        "--max-leaf-nodes",
        type=_number(int, lambda n: n >= 2, "of 2 or more"),
        metavar="N",
        help="number of leaves of a tree, default: 64, or as many as fit into --max-bytes",
    )
    parser.add_argument(
        "--max-bytes",
        type=_size,
        metavar="SIZE",
        help="tables of a student take no more, such as 512B or 2KB; default: no limit",
    )
    parser.add_argument(
        "--temperature",
        type=_temperature,
        default=1.0,
        metavar="T",
        help="of the teacher's probabilities, above 1 flattens them; or 'auto'; default: 1",
    )
    parser.add_argument(
        "--alpha",
        type=_number(float, lambda a: 0 < a <= 1, "above 0 and up to 1"),
        default=0.5,
        help="weight of the soft labels against the hard labels, above 0 and up to 1; default: 0.5",
    )
    parser.add_argument(
        "--test-size",
        type=_number(float, lambda s: 0 < s < 1, "between 0 and 1"),
        default=0.25,
        metavar="FRACTION",
        help="fraction of the rows that is held out, default: 0.25",
    )
    parser.add_argument(
        "--n-jobs",
        type=_number(int, lambda n: n > 0 or n == -1, "above 0, or -1 for all cores"),
        metavar="N",
        help="number of threads; default: one, on large tables all cores",
    )
    _add_common(parser)
    parser.set_defaults(run=run_distill)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=_number(int, lambda n: 0 <= n < 2**31, "in 0 … 2**31 - 1"),
        default=0,
        metavar="N",
        help="random seed, default: 0",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _number(kind: type, is_valid: Callable[[Any], bool], condition: str) -> Callable[[str], Any]:
    """Make an argparse type that accepts numbers for which `is_valid` is true."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not is_valid(value):
            noun = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {noun} {condition}")
        return value

    return parse


def _size(text: str) -> int:
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 512B or 2KB") from error


def _temperature(text: str) -> float | str:
    positive = _number(float, lambda t: 0 < t < float("inf"), "above 0, nor 'auto'")
    return text if text == "auto" else float(positive(text))
