"""Threads for loops that release the GIL: as many as numba may use, shared by all callers.

Tasks are Python calls of compiled kernels, each with a part of the result of its own. Parts and
the order in which they are added up do not depend on the number of threads, so that results do
not either. Plain threads, not numba's own: those abort the process if two threads start them at
once (workqueue), or after a fork (GNU OpenMP), and kernels that start them compile for longer.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from threading import Lock, local
from typing import Any

import numba


class _Helpers:
    """The threads beside the callers of `run_tasks`, and how many threads are at work."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.pool: ThreadPoolExecutor | None = None
        self.pool_size = 0
        self.n_active = 0

    def acquire(self, n_threads: int, most: int) -> int:
        """Count the caller in; returns how many helpers it gets."""
        with self.lock:
            self.n_active += 1
            n_helpers = max(0, min(most, n_threads - self.n_active))
            self.n_active += n_helpers
            return n_helpers

    def release(self, n_helpers: int) -> None:
        """Count the caller and its helpers out."""
        with self.lock:
            self.n_active -= 1 + n_helpers

    def submit(self, work: Callable[[], None], n_helpers: int) -> list[Future[None]]:
        """Start helpers."""
        with self.lock:
            if self.pool is None or self.pool_size < n_helpers:
                self.pool = ThreadPoolExecutor(n_helpers, thread_name_prefix="skdistill")
                self.pool_size = n_helpers
            return [self.pool.submit(work) for _ in range(n_helpers)]


_helpers = _Helpers()
_this_thread = local()


def _forget_helpers() -> None:
    """A forked process has none of its parent's threads, and its lock may be taken for ever."""
    global _helpers
    _helpers = _Helpers()
    _this_thread.at_work = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)


def thread_count() -> int:
    """Threads that `run_tasks` may use.

    Returns
    -------
    n_threads : int
        `numba.get_num_threads()`: the environment variable ``NUMBA_NUM_THREADS``, or the number
        of cores, or what `numba.set_num_threads` was called with in this thread. 1 within a task.

    Examples
    --------
    >>> import numba
    >>> from skdistill.utils.threads import thread_count
    >>> thread_count() == numba.get_num_threads()
    True
    """
    return 1 if getattr(_this_thread, "at_work", False) else int(numba.get_num_threads())


def run_tasks(
    task: Callable[[Any], object], arguments: Iterable[Any], *, serial: bool = False
) -> None:
    """Call `task` with each argument, on several threads if there are several arguments.

    Callers in several threads have the same helpers: together they use as many threads as one
    alone, or one each. Tasks of tasks run in the thread of their task.

    Parameters
    ----------
    task : callable
        Takes one argument, and mostly releases the GIL.
    arguments : iterable
        In the order in which tasks start. Each must have a part of the result of its own.
    serial : bool, default=False
        Whether tasks are too short for threads.

    Raises
    ------
    Exception
        What a task raised; others may not have run then.

    Examples
    --------
    >>> from skdistill.utils.threads import run_tasks
    >>> squares = [0] * 4
    >>> run_tasks(lambda i: squares.__setitem__(i, i * i), range(4))
    >>> squares
    [0, 1, 4, 9]
    """
    waiting = deque(arguments)
    n_threads = 1 if serial or len(waiting) < 2 else thread_count()
    if n_threads == 1:
        for argument in waiting:
            task(argument)
        return
    helpers = _helpers
    n_helpers = helpers.acquire(n_threads, len(waiting) - 1)
    try:
        _divide(task, waiting, helpers, n_helpers)
    finally:
        helpers.release(n_helpers)


def _divide(
    task: Callable[[Any], object], waiting: deque[Any], helpers: _Helpers, n_helpers: int
) -> None:
    """Work through the arguments beside some helpers."""

    def work() -> None:
        with _at_work():
            while True:
                try:
                    argument = waiting.popleft()
                except IndexError:
                    return
                task(argument)

    futures = helpers.submit(work, n_helpers) if n_helpers else []
    try:
        work()
    finally:
        waiting.clear()
        # A helper that another caller has kept busy until now is not needed any more.
        started = [future for future in futures if not future.cancel()]
        errors = [future.exception() for future in started]
    for error in errors:
        if error is not None:
            raise error


@contextmanager
def _at_work() -> Any:
    """Mark this thread: its tasks have no helpers of their own."""
    _this_thread.at_work = True
    try:
        yield
    finally:
        _this_thread.at_work = False


def blocks(n: int, size: int) -> Sequence[slice]:
    """Slices of `size` that cover ``range(n)``; they do not depend on the number of threads.

    Parameters
    ----------
    n : int
        Where the last one ends.
    size : int
        Of each but the last, which may be smaller.

    Returns
    -------
    slices : list of slice
        At least one, which may be empty.

    Examples
    --------
    >>> from skdistill.utils.threads import blocks
    >>> blocks(5, 3)
    [slice(0, 3, None), slice(3, 5, None)]
    """
    return [slice(start, min(n, start + size)) for start in range(0, max(1, n), size)]


def even_slices(n: int, most: int) -> Sequence[slice]:
    """Slices that divide ``range(n)`` evenly among the threads, of `most` at most.

    For what does not depend on where it is divided.

    Parameters
    ----------
    n : int
        Where the last one ends.
    most : int
        Maximum length of a slice.

    Returns
    -------
    slices : list of slice

    Examples
    --------
    >>> from skdistill.utils.threads import even_slices
    >>> sum(len(range(*part.indices(7))) for part in even_slices(7, 4))
    7
    """
    n_threads = thread_count()
    n_parts = -(-max(1, n) // most)
    n_parts = min(max(1, n), -(-n_parts // n_threads) * n_threads)
    ends = [n * part // n_parts for part in range(n_parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(ends)]
