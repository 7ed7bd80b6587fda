"""Row statistics in fixed point: the integers that a tree grows on.

The statistics of a row are its targets times its weight, and its weight: what the squared error
and the entropy of a group of rows are computed from. As integers they are summed exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.jit import njit

UNITS = 1 << 15  # a probability of 1 in `in_units`
FIXED_POINT = 30  # the largest weight becomes 2**30 to 2**31: int32 for a row, int64 for sums


def to_fixed_point(
    targets: NDArray[Any],
    weight: NDArray[np.float64],
    *,
    count: bool = False,
    largest: float | None = None,
) -> NDArray[np.int32]:
    """Statistics of weighted rows: ``weight * targets`` and ``weight`` in fixed point.

    The unit is a power of two, which changes no digit of a weight: integer weights give the same
    tree as repeated rows.

    Parameters
    ----------
    targets : array of shape (n_samples, n_targets)
        Numbers in [−1, 1], such as class probabilities.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, >= 0 and not all 0.
    count : bool, default=False
        Whether to append a 1 to each row, so that rows are counted.
    largest : float, default=None
        A bound of all weights, where `weight` holds those of some rows only. None is the largest
        of `weight`.

    Returns
    -------
    row_stats : int32 array of shape (n_samples, n_targets + 1)
        Or of shape (n_samples, n_targets + 2) with `count`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.tree.fixed_point import FIXED_POINT, to_fixed_point
    >>> row_stats = to_fixed_point(np.array([[0.25], [1.0]]), np.ones(2))
    >>> (row_stats / 2**FIXED_POINT).tolist()
    [[0.25, 1.0], [1.0, 1.0]]
    """
    # Exact on every platform, and for weights of any size.
    _, exponent = np.frexp(weight.max() if largest is None else largest)
    row_stats = np.ones((len(targets), targets.shape[1] + 1 + count), np.int32)
    _fill_stats(targets, np.ldexp(weight, FIXED_POINT + 1 - exponent), row_stats)
    return row_stats


@njit
def _fill_stats(targets, weight, row_stats):  # type: ignore[no-untyped-def]
    largest = 2.0**31 - 1  # a weight of nearly 2**31 would round up to it
    n_targets = targets.shape[1]
    for i in range(targets.shape[0]):
        for k in range(n_targets):
            row_stats[i, k] = np.int32(min(np.rint(targets[i, k] * weight[i]), largest))
        row_stats[i, n_targets] = np.int32(min(np.rint(weight[i]), largest))


def in_units(P: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Probabilities as whole numbers of 2^-15; each row sums to 2^15.

    The largest of a row takes what rounding leaves. Two bytes, as in float16, whose unit is 2^-11
    above 1/2 and finer than this one below 1/32; sums of these are exact.

    Parameters
    ----------
    P : float64 array of shape (n_samples, n_classes)
        Rows sum to 1.

    Returns
    -------
    units : uint16 array of shape (n_samples, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.tree.fixed_point import in_units
    >>> in_units(np.array([[1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]])).tolist()
    [[10922, 10923, 10923], [32768, 0, 0]]
    """
    units = np.empty(P.shape, np.uint16)
    _fill_units(P, units)
    return units


@njit
def _fill_units(P, units):  # type: ignore[no-untyped-def]
    for i in range(P.shape[0]):
        rest, largest = np.int64(UNITS), 0
        for k in range(P.shape[1]):
            unit = np.int64(np.rint(P[i, k] * UNITS))
            rest -= unit
            units[i, k] = unit
            if P[i, k] > P[i, largest]:
                largest = k
        units[i, largest] += rest


def round_stats(stats: NDArray[np.float64]) -> tuple[NDArray[np.int32], float]:
    """Statistics of any sign and size in fixed point, such as gradients and Hessians.

    Parameters
    ----------
    stats : float64 array of shape (n_samples, n_stats)
        Not all 0.

    Returns
    -------
    row_stats : int32 array of shape (n_samples, n_stats)
    unit : float
        The power of two that `stats` were multiplied by.
    """
    unit = fixed_point_unit(float(np.abs(stats).max()))
    return np.rint(stats * unit).astype(np.int32), unit


def fixed_point_unit(largest: float) -> float:
    """The power of two that makes a magnitude 2**29 to 2**30.

    Parameters
    ----------
    largest : float
        Largest magnitude of a statistic.

    Returns
    -------
    unit : float
    """
    _, exponent = np.frexp(largest)
    return float(np.ldexp(1.0, min(1000, FIXED_POINT - int(exponent))))
