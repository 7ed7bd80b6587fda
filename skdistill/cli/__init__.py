"""The command line ``skdistill``."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Without the name of the program. None means those of ``sys.argv``.

    Returns
    -------
    exit_code : int
        0 if done; 1 if a gate or a verification failed; 2 for bad usage or input, and where the
        extra "cli" is missing; 130 if interrupted.
    """
    try:
        import click  # noqa: F401
        import rich  # noqa: F401
    except ImportError as error:
        message = f"the command line needs {error.name}: pip install 'skdistill[cli]'"
        print(f"skdistill: error: {message}", file=sys.stderr)
        return 2
    from skdistill.cli.commands import run

    return run(arguments)


__all__ = ["main"]
