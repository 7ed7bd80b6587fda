"""Compiled loops: numba's `njit`, cached on disk where there is a place for it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numba
from numba.core import event


def njit(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Compile a function by numba, without the GIL, and keep the result on disk.

    Where numba can write neither beside the sources nor to a folder of the user (a container
    with another user and a read-only package), each process compiles anew.

    Parameters
    ----------
    function : callable, default=None
        What is compiled at its first call; None for a decorator with options.
    **options
        Further options of `numba.njit`.

    Returns
    -------
    compiled : numba dispatcher or decorator

    Warns
    -----
    UserWarning
        Once a process, if there is no place for the cache.
    """
    if function is None:
        return lambda function: njit(function, **options)
    try:
        return numba.njit(function, nogil=True, cache=True, **options)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    _warn_of_no_cache()
    return numba.njit(function, nogil=True, **options)


@cache
def _warn_of_no_cache() -> None:
    """Say it once a process: all functions lack the same folder."""
    warnings.warn(
        "numba finds no folder for its cache that it can write to: skdistill compiles its loops "
        "anew in each process, which takes seconds. Set the environment variable NUMBA_CACHE_DIR "
        "to a folder that can be written to",
        stacklevel=3,
    )


@contextmanager
def compilation_message(verbose: int) -> Iterator[None]:
    """Say on stderr when a loop is compiled: the first fit of an installation takes seconds.

    Parameters
    ----------
    verbose : int
        0 says nothing.
    """
    if not verbose:
        yield
        return
    with event.install_listener("numba:compile", _FirstCompilation()):
        yield


class _FirstCompilation(event.Listener):
    """Says once that loops are compiled. What is in the cache on disk is not compiled."""

    def __init__(self) -> None:
        self._is_said = False

    def on_start(self, event: Any) -> None:
        if not self._is_said:
            self._is_said = True
            print(
                "compiling loops: this takes about 15 seconds once, the result stays on disk",
                file=sys.stderr,
                flush=True,
            )

    def on_end(self, event: Any) -> None:
        """Nothing is said at the end."""
