"""Compiled loops: numba's `njit`, cached on disk where there is a place for it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numba


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
