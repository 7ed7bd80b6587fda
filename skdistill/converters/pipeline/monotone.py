"""Whether a transform takes each column by itself and never falls, tried out on numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_N_NUMBERS = 4096  # about 8 for each power of two, of both signs
_LINEAR = 2.0**60  # numbers up to this show whether a function is a scaling
_TOLERANCE = 1e-9  # of functions of float64, which round


class ColumnFunctions(NamedTuple):
    """What a transform does to each column, as far as numbers show it.

    Attributes
    ----------
    center, factor : float64 arrays of shape (n_features,)
        Values are ``(x - center) * factor`` where the function is such a scaling; else NaN.
    fault : str array of shape (n_features,), of objects
        Why a column is no rising function of itself; "" where it is one.
    middle : float64 array of shape (n_features,)
        A number that the function has a value for. Below it NaN in place of a value means that
        the number is too low, above it that it is too high.
    """

    center: NDArray[np.float64]
    factor: NDArray[np.float64]
    fault: NDArray[Any]
    middle: NDArray[np.float64]


def column_functions(
    transform: Callable[[NDArray[np.float64]], NDArray[Any]], n_features: int
) -> ColumnFunctions:
    """Try a transform on float32 numbers of all sizes.

    Every number stands twice in every column, each time beside other numbers: a column whose
    value differs depends on others.

    Parameters
    ----------
    transform : callable
        Takes float64 rows of shape (n_samples, n_features) and returns as many columns.
    n_features : int
        Columns.

    Returns
    -------
    functions : ColumnFunctions

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.converters.pipeline.monotone import column_functions
    >>> functions = column_functions(lambda X: np.column_stack([X[:, 0] / 4, X[:, 1] ** 2]), 2)
    >>> functions.factor.tolist()
    [0.25, nan]
    >>> functions.fault[1]
    'falls from 1.15792e+77 at -3.40282e+38 to 1.01817e+77 at -3.19087e+38'
    """
    x = _numbers()
    table = np.repeat(x[:, None], n_features, axis=1)
    order = (np.arange(len(x))[:, None] * 5 + 7 * np.arange(n_features)) % len(x)  # a permutation
    values, shuffled = transform(table), np.empty((len(x), n_features))
    np.put_along_axis(shuffled, order, transform(np.take_along_axis(table, order, axis=0)), axis=0)
    columns = [_column(x, *pair) for pair in zip(values.T, shuffled.T, strict=True)]
    center, factor, fault, middle = zip(*columns, strict=True)
    return ColumnFunctions(
        np.array(center), np.array(factor), np.array(fault, object), np.array(middle)
    )


def _numbers() -> NDArray[np.float64]:
    """Finite float32 numbers in ascending order, evenly spaced in their binary form."""
    largest = int(np.finfo(np.float32).max.view(np.int32))
    bits = np.linspace(0, largest, _N_NUMBERS // 2).astype(np.int32)
    # Numbers of few digits are where functions of whole numbers turn.
    small = np.arange(17, dtype=np.float32) / 4
    magnitude = np.unique(np.concatenate([bits.view(np.float32), small])).astype(np.float64)
    return np.concatenate([-magnitude[:0:-1], magnitude])


def _column(
    x: NDArray[np.float64], value: NDArray[Any], other: NDArray[np.float64]
) -> tuple[float, float, str, float]:
    """Center, factor, fault and middle of one column; `other` is its value beside other numbers."""
    v = value.astype(np.float64)
    exists = ~np.isnan(v)
    if not exists.any():
        return np.nan, np.nan, "has no value for any number", 0.0
    middle = float(np.median(x[exists]))
    finite = v[np.isfinite(v)]
    scale = float(np.median(np.abs(finite))) if len(finite) else 0.0

    def differ(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore", over="ignore"):
            slack = _TOLERANCE * (np.maximum(np.abs(a), np.abs(b)) + scale)
            apart = (a != b) & ~(np.abs(a - b) <= slack) & ~(np.isnan(a) & np.isnan(b))
        return np.asarray(apart)

    if differ(v, other).any():
        i = int(differ(v, other).argmax())
        fault = f"depends on other columns: {x[i]:.6g} becomes {v[i]:.6g} and {other[i]:.6g}"
        return np.nan, np.nan, fault, middle
    first, last = exists.argmax(), len(x) - exists[::-1].argmax()
    if not exists[first:last].all():
        hole = x[first:last][~exists[first:last]][0]
        return np.nan, np.nan, f"has no value at {hole:.6g}, but below and above it", middle
    x, v = x[first:last], v[first:last]
    falls = (v[1:] < v[:-1]) & differ(v[1:], v[:-1])
    if falls.any():
        i = int(falls.argmax())
        fault = f"falls from {v[i]:.6g} at {x[i]:.6g} to {v[i + 1]:.6g} at {x[i + 1]:.6g}"
        return np.nan, np.nan, fault, middle
    center, factor = _scaling(x, v)
    return center, factor, "", middle


def _scaling(x: NDArray[np.float64], v: NDArray[np.float64]) -> tuple[float, float]:
    """Center and factor of a scaling; NaN for any other function."""
    used = np.abs(x) <= _LINEAR
    x, v = x[used], v[used]
    if not ((x == 0).any() and np.isfinite(v).all() and x[-1] > 0):
        return np.nan, np.nan
    at_zero = v[x == 0][0]
    # A slope between numbers far from 0 is precise; one beside 0 is so where nothing is added.
    factor = (v[-1] - v[0]) / (x[-1] - x[0])
    slack = _TOLERANCE * (abs(at_zero) + np.abs(factor * x))
    if not (factor > 0 and (np.abs(at_zero + factor * x - v) <= slack).all()):
        return np.nan, np.nan
    return -at_zero / factor, factor
