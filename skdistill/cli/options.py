"""Options that several commands share."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from skdistill.cli.console import Console
from skdistill.cli.errors import bad_input
from skdistill.device.cores import TARGETS
from skdistill.export.c.options import INPUT_DTYPES, OPTIMIZE
from skdistill.model_selection.budget import Budget, parse_budget
from skdistill.utils.byte_sizes import parse_bytes

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)
"""A path; commands say what is wrong with it."""


class Size(click.ParamType):  # type: ignore[type-arg]
    """A number of bytes, such as 512B or 4KB."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Check the size, and leave it as it is for messages."""
        try:
            parse_bytes(value)
        except ValueError:
            self.fail(f"{value!r} is no size such as 512B or 4KB", param, ctx)
        return value


class Number(click.FloatRange):
    """A number in a range; not-a-number is in none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Read the number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number", param, ctx)
        return number


def output_options(command: Command) -> Command:
    """Add --json and --quiet; the command gets a `Console` in place of them.

    Parameters
    ----------
    command : callable
        Its first parameter is the console.

    Returns
    -------
    command : callable
    """

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    @click.option("--quiet", "-q", is_flag=True, help="Print no progress and no notes.")
    @functools.wraps(command)
    def with_console(*args: Any, as_json: bool, quiet: bool, **options: Any) -> Any:
        return command(Console(quiet=quiet, as_json=as_json), *args, **options)

    return with_console  # type: ignore[return-value]


def budget_options(default: str | None) -> Callable[[Command], Command]:
    """Add the limits of a budget; the command gets a dict `budget`.

    Parameters
    ----------
    default : str or None
        Flash, where no limit is named.

    Returns
    -------
    decorator : callable
    """
    shown = f"; default: {default}" if default else ""

    def add(command: Command) -> Command:
        @click.option(
            "--budget",
            type=Size(),
            metavar="SIZE",
            help=f"Flash of tables and code, as 4KB{shown}.",
        )
        @click.option("--ram", type=Size(), metavar="SIZE", help="Variables and stack, as 256B.")
        @click.option("--time", metavar="TIME", help="Of a call at a clock, as 2ms@48MHz.")
        @click.option(
            "--instructions", type=click.IntRange(1), metavar="N", help="Of a call, at most."
        )
        @functools.wraps(command)
        def with_budget(*args: Any, budget: Any, ram: Any, **options: Any) -> Any:
            limits = {
                "flash": budget,
                "ram": ram,
                "time": options.pop("time"),
                "instructions": options.pop("instructions"),
            }
            limits = {name: limit for name, limit in limits.items() if limit is not None}
            if not limits and default:
                limits = {"flash": default}
            return command(*args, budget=limits, **options)

        return with_budget  # type: ignore[return-value]

    return add


def read_limits(limits: dict[str, Any]) -> Budget:
    """Check the limits of a budget.

    Parameters
    ----------
    limits : dict
        From `budget_options`.

    Returns
    -------
    budget : Budget

    Raises
    ------
    InputError
        If a limit cannot be read.
    """
    with bad_input():
        return parse_budget(limits) if limits else Budget()


def device_option(default: str | None = None, help_text: str = "") -> Callable[[Command], Command]:
    """Add --device.

    Parameters
    ----------
    default : str or None, default=None
        The core that is taken without it.
    help_text : str, default=""
        What it is for.

    Returns
    -------
    decorator : callable
    """
    return click.option(
        "--device",
        type=click.Choice(sorted(TARGETS)),
        default=default,
        metavar="CORE",
        help=f"{help_text} One of {', '.join(sorted(TARGETS))}.",
    )


def input_option(command: Command) -> Command:
    """Add --input-dtype, the type of the inputs in C."""
    return click.option(
        "--input-dtype",
        type=click.Choice(INPUT_DTYPES),
        metavar="TYPE",
        help=f"Type of the inputs in C, one of {', '.join(INPUT_DTYPES)}; default: the model's.",
    )(command)


def answer_option(command: Command) -> Command:
    """Add --output, what the C answers."""
    return click.option(
        "--output",
        metavar="ANSWER",
        help="What the C answers: label, scores, proba_float, proba_q15 or value.",
    )(command)


def optimize_option(command: Command) -> Command:
    """Add --optimize, which form the C has."""
    return click.option(
        "--optimize",
        type=click.Choice([name for name in OPTIMIZE if name]),
        help="Whether the C is small or fast; default: small.",
    )(command)


def trust_option(command: Command) -> Command:
    """Add --trust-pickle."""
    return click.option(
        "--trust-pickle",
        is_flag=True,
        help="Load .pkl and .joblib files, which can run any code: only files that you trust.",
    )(command)


def drop_option(command: Command) -> Command:
    """Add --drop."""
    return click.option(
        "--drop",
        multiple=True,
        metavar="COLUMN",
        help="Column to leave out; may be repeated.",
    )(command)


def seed_option(command: Command) -> Command:
    """Add --seed."""
    return click.option(
        "--seed",
        type=click.IntRange(0, 2**31 - 1),
        default=0,
        metavar="N",
        help="Of all random numbers; default: 0.",
    )(command)
