"""The group of all commands, and what their errors become."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import click
from click.shell_completion import get_completion_class
from joblib.externals.loky import get_reusable_executor

import skdistill
from skdistill.cli.console import EXIT_BAD_INPUT, EXIT_INTERRUPTED, print_error
from skdistill.cli.convert import convert
from skdistill.cli.demo import demo
from skdistill.cli.distill import distill
from skdistill.cli.errors import InputError
from skdistill.cli.gate import gate
from skdistill.cli.inspect import inspect
from skdistill.cli.profile import profile
from skdistill.cli.report import report
from skdistill.cli.verify import verify
from skdistill.dataframe.files import DatasetError
from skdistill.utils.interrupts import is_interrupt

_SHELLS = ("bash", "zsh", "fish")


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(skdistill.__version__, message="skdistill %(version)s")
@click.pass_context
def group(context: click.Context) -> int | None:
    """Turn big tabular models into models of a few kilobytes, for any device.

    Exit codes: 0 done, 1 a gate or a verification failed, 2 bad input, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        return EXIT_BAD_INPUT
    return None


@group.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print a script for the Tab key.

    It completes commands and options. Put it where your shell looks for it, as:
    skdistill completion bash >> ~/.bashrc
    """
    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(group, {}, "skdistill", "_SKDISTILL_COMPLETE").source())


for _command in (distill, convert, profile, report, inspect, verify, gate, demo):
    group.add_command(_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors of the user become one line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the name of the program. None means those of ``sys.argv``.

    Returns
    -------
    exit_code : int
        As `skdistill.cli.main`.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _once()
            code = group.main(
                None if arguments is None else list(arguments), "skdistill", standalone_mode=False
            )
        return int(code or 0)
    except click.UsageError as error:
        command = "skdistill" if error.ctx is None else error.ctx.command_path
        return print_error(f"{error.format_message().rstrip('.')} (see {command} --help)")
    except click.ClickException as error:
        return print_error(error.format_message())
    except (InputError, DatasetError) as error:
        return print_error(str(error))
    except OSError as error:
        if error.errno is None:  # of no file or device
            raise
        text = error.strerror or str(error)
        return print_error(f"{error.filename}: {text}" if error.filename else text)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except Exception as error:
        if is_interrupt(error):
            return _interrupted()
        if isinstance(error, ImportError) and "pip install" in str(error):  # a missing extra
            return print_error(str(error))
        raise


def _interrupted() -> int:
    """End the processes of joblib, which would complain, and say what happened."""
    get_reusable_executor().shutdown(wait=True, kill_workers=True)
    print("skdistill: interrupted", file=sys.stderr, flush=True)
    return EXIT_INTERRUPTED


def _once() -> Callable[..., None]:
    """What prints each warning once, as one line, without the line of code that gave it."""
    shown = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        line = " ".join(str(message).split())
        if line not in shown:
            shown.add(line)
            print(f"warning: {line}", file=sys.stderr, flush=True)

    return show
