"""What the compact tables have in common: read-only arrays of a fixed dtype, checked once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Frozen:
    """Mixin of the frozen dataclasses: copies and pickles are built, and checked, anew."""

    def equals(self, other: object) -> bool:
        """Whether `other` is of the same type and holds the same numbers.

        Parameters
        ----------
        other : object
            Anything; only a table of the same type can be equal.

        Returns
        -------
        same : bool
        """
        return _same(self, other)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, Frozen):
        names = [f.name for f in fields(a)]  # type: ignore[arg-type]
        return all(_same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b)


def require(condition: bool, message: str) -> None:
    """Raise ValueError unless a condition holds.

    Parameters
    ----------
    condition : bool
        What must hold.
    message : str
        What the error says otherwise.
    """
    if not condition:
        raise ValueError(message)


def is_ascending(numbers: NDArray[Any], *, strict: bool = True) -> bool:
    """Whether each number is larger than the one before, or, if not `strict`, at least as large.

    Neighbours are compared: the difference of two int32 numbers of a forged file may wrap around.
    """
    before, after = numbers[:-1], numbers[1:]
    return bool((after > before if strict else after >= before).all())


def as_table(owner: object, name: str, dtype: Any, ndim: int) -> None:
    """Replace a field of a frozen dataclass by a read-only array that holds the same numbers.

    Parameters
    ----------
    owner : object
        The frozen dataclass.
    name : str
        Its field.
    dtype : dtype
        Of the array.
    ndim : int
        Number of dimensions that the field must have.

    Raises
    ------
    ValueError
        If the field has another number of dimensions or does not fit `dtype`.
    """
    value = np.asarray(getattr(owner, name))
    with np.errstate(all="ignore"):
        table = np.array(value, dtype=dtype, order="C")
    require(table.ndim == ndim, f"{name} must have {ndim} dimension(s), got shape {table.shape}")
    exact = value.size == 0 or bool((table == value).all())
    require(exact, f"{name} holds numbers that {np.dtype(dtype).name} cannot hold")
    table.setflags(write=False)
    object.__setattr__(owner, name, table)
