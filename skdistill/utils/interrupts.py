"""Interrupts that arrive as other errors."""

from __future__ import annotations


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an error was made of a KeyboardInterrupt, as a call of a compiled function does.

    Parameters
    ----------
    error : BaseException or None
        What was caught.

    Returns
    -------
    interrupt : bool

    Examples
    --------
    >>> from skdistill.utils.interrupts import is_interrupt
    >>> is_interrupt(KeyboardInterrupt()), is_interrupt(ValueError())
    (True, False)
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
