"""The largest model within a number of bytes: what `max_bytes` of the students does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from numbers import Integral
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from skdistill.compact import CategoryTable
from skdistill.utils._sklearn_compat import Interval

MAX_BYTES: dict[str, list[Any]] = {
    "max_bytes": [Interval(Integral, 1, None, closed="left"), None],
}

_LARGER = (1.0, 1.05, 1.1, 1.2, 1.35, 1.5, 2.0)  # times a size, where bytes may fall again


class Sizes(Protocol):
    """Models of one family, of which a larger one holds all that a smaller one does."""

    @property
    def smallest(self) -> int:
        """Least number of leaves, trees or columns."""

    @property
    def largest(self) -> int:
        """Largest number of leaves, trees or columns."""

    def nbytes(self, size: int) -> int:
        """Bytes of the model of a size."""

    def columns(self, size: int) -> NDArray[Any]:
        """Columns that the model of a size reads, in any order."""


SizesT = TypeVar("SizesT", bound=Sizes)


def largest_size(
    nbytes: Callable[[int], int],
    max_bytes: int,
    smallest: int,
    largest: int,
) -> int:
    """The largest size within a number of bytes.

    A larger size may take fewer bytes, where another form of its tables gets better. So some larger
    sizes are tried as well.

    Parameters
    ----------
    nbytes : callable
        Bytes of the model of a size.
    max_bytes : int
        Bytes that it may take.
    smallest, largest : int
        Sizes that there are.

    Returns
    -------
    size : int
        ``smallest - 1`` if none fits.

    Examples
    --------
    >>> from skdistill.students.size_search import largest_size
    >>> largest_size(lambda size: 20 * size, 100, 1, 4096)
    5
    """

    def fits(size: int) -> bool:
        return nbytes(size) <= max_bytes

    low, step = smallest - 1, 1
    while low + step <= largest and fits(low + step):
        low, step = low + step, 2 * step
    high = min(low + step, largest + 1)
    while True:
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        high = largest + 1
        larger = {int(low * factor) + 2 for factor in _LARGER}
        for size in sorted({min(size, largest) for size in larger}, reverse=True):
            if size > low and fits(size):
                low = size
                break
            high = size
        else:
            return low


def largest_that_fits(
    family: Callable[[frozenset[int]], SizesT],
    categories: CategoryTable,
    max_bytes: int,
    smallest_model: str,
) -> tuple[SizesT, int]:
    """The largest model of a family, without the columns of categories that do not fit.

    Parameters
    ----------
    family, categories, max_bytes
        As in `search_sizes`.
    smallest_model : str
        What a model of the smallest size is.

    Returns
    -------
    sizes : Sizes
        The family that was chosen.
    size : int
        The size that fits.

    Raises
    ------
    ValueError
        If nothing fits; it names the bytes of the smallest model.
    """
    sizes, size, least = search_sizes(family, categories, max_bytes)
    if least > max_bytes:
        raise too_small(max_bytes, smallest_model, least)
    return sizes, size


def search_sizes(
    family: Callable[[frozenset[int]], SizesT], categories: CategoryTable, max_bytes: int
) -> tuple[SizesT, int, int]:
    """The largest model of a family, if one fits.

    A column of categories takes a byte for each of them as soon as the model reads it. Where that
    ends the growth, the model grows on without this column.

    Parameters
    ----------
    family : callable
        From columns that models may not read to the models of all sizes.
    categories : CategoryTable
        Those of the training rows.
    max_bytes : int
        Bytes that the model may take.

    Returns
    -------
    sizes : Sizes
        The family that was chosen.
    size : int
        The size that fits, if one does.
    nbytes : int
        Bytes of this model, or of the smallest one where they exceed `max_bytes`.
    """
    counts = dict(zip(categories.columns.tolist(), categories.counts.tolist(), strict=True))
    excluded: frozenset[int] = frozenset()
    too_large: list[int] = []  # bytes of the smallest models
    while True:
        sizes = family(excluded)
        nbytes = cache(sizes.nbytes)
        size = largest_size(nbytes, max_bytes, sizes.smallest, sizes.largest)
        used: set[int] = set()
        if size >= sizes.smallest:
            used = set(sizes.columns(size).tolist())
        elif sizes.largest >= sizes.smallest:
            too_large.append(nbytes(sizes.smallest))
        following = sizes.columns(min(size + 1, sizes.largest)).tolist()
        new = (set(following) - used) & set(counts)
        if new:
            excluded |= {max(sorted(new), key=counts.__getitem__)}
        elif too_large and not used:  # nothing fits, or nothing is left to learn from
            return sizes, size, min(too_large)
        else:
            return sizes, size, nbytes(size)


class MaxBytesError(ValueError):
    """Nothing fits into `max_bytes`.

    Parameters
    ----------
    message : str
        What is raised.
    nbytes : int
        Bytes of the smallest model.
    """

    def __init__(self, message: str, nbytes: int) -> None:
        super().__init__(message, nbytes)
        self.nbytes = nbytes

    def __str__(self) -> str:
        return str(self.args[0])


def too_small(max_bytes: int, smallest_model: str, nbytes: int) -> MaxBytesError:
    """The error of a budget that nothing fits into.

    Parameters
    ----------
    max_bytes : int
        Bytes that the model may take.
    smallest_model : str
        What the smallest model is.
    nbytes : int
        Its bytes.

    Returns
    -------
    error : MaxBytesError
    """
    message = f"max_bytes={max_bytes} is too small: {smallest_model} takes {nbytes} bytes"
    return MaxBytesError(message, nbytes)
