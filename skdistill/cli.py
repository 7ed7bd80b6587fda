"""The command line: ``skdistill demo`` and ``skdistill distill``."""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import skdistill

OK, MISMATCH, USAGE, INTERRUPTED = 0, 1, 2, 130


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
    except _user_errors() as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("skdistill: interrupted", file=sys.stderr)
        return INTERRUPTED


def _demo(given: argparse.Namespace) -> int:
    from skdistill import compare, demo

    compare.check_extras()
    out = _writable(given.out)
    return _report(demo.run(out, seed=given.seed, say=_say(given)), out)


def _distill(given: argparse.Namespace) -> int:
    from skdistill import SoftLinearClassifier, SoftTreeClassifier, compare
    from skdistill.tables import read_table

    if given.student == "linear":
        student: Any = SoftLinearClassifier()
    else:
        student = SoftTreeClassifier(max_leaf_nodes=given.max_leaf_nodes)
    compare.check_extras()
    table = read_table(given.table, given.target, drop=given.drop)
    compare.check_readable(table, student)
    out = _writable(given.out)
    say = _say(given)
    for note in table.notes if say else []:
        say(f"note: {note}")
    comparison = compare.compare(
        given.table.stem,
        table,
        student,
        out,
        temperature=given.temperature,
        alpha=given.alpha,
        test_size=given.test_size,
        seed=given.seed,
        n_jobs=given.n_jobs,
        say=say,
    )
    return _report([comparison], out)


def _report(comparisons: list[Any], out: Path) -> int:
    """Write results.json, print the table; the exit code tells of mismatches."""
    from skdistill import summary
    from skdistill.compact.io import write_whole

    write_whole(out / "results.json", summary.as_json(comparisons).encode())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without µ is no reason to fail
    print(summary.as_text(comparisons))
    print(summary.written(comparisons, str(out)))
    return MISMATCH if any(comparison.mismatches for comparison in comparisons) else OK


def _say(given: argparse.Namespace) -> Any:
    return None if given.quiet else lambda line: print(line, file=sys.stderr, flush=True)


def _writable(folder: Path) -> Path:
    """Make `folder` if need be, and see that files can be written there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def _user_errors() -> tuple[type[Exception], ...]:
    """Errors that a user can mend; all others are bugs and keep their traceback."""
    from skdistill.tables import TableError

    return TableError, ImportError, OSError


def _fail(error: Exception) -> int:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    print(f"skdistill: error: {' '.join(text.split())}", file=sys.stderr)
    return USAGE


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
    parser.set_defaults(run=_demo)


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
        "--max-leaf-nodes", type=_leaves, default=64, metavar="N", help="of a tree, default: 64"
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
        type=_share_or_all,
        default=0.5,
        help="weight of the teacher against the hard labels, above 0 and up to 1; default: 0.5",
    )
    parser.add_argument(
        "--test-size",
        type=_share,
        default=0.25,
        metavar="SHARE",
        help="share of the rows to measure on, default: 0.25",
    )
    parser.add_argument(
        "--n-jobs",
        type=_threads,
        metavar="N",
        help="threads; default: one, on big tables all cores",
    )
    _add_common(parser)
    parser.set_defaults(run=_distill)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="default: 0")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{text} is not in 0 … 2**31 - 1")
    return value


def _threads(text: str) -> int:
    value = int(text)
    if value < 1 and value != -1:
        raise argparse.ArgumentTypeError(f"{text} is neither positive nor -1, which is all cores")
    return value


def _leaves(text: str) -> int:
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError(f"{text} is less than 2")
    return value


def _temperature(text: str) -> float | str:
    if text == "auto":
        return text
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is neither positive nor 'auto'")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _share_or_all(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and up to 1")
    return value
