"""Targets and weights as fixed-point integers: the channels that a tree grows on.

Symbols: n rows, K targets, C channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FIXED_POINT = 30  # the largest weight becomes 2³⁰ to 2³¹: int32 a row, int64 a sum


def to_fixed_point(
    P: NDArray[Any], weight: NDArray[np.float64], *, count: bool = False
) -> NDArray[np.int32]:
    """Channels of soft targets: ``weight * P`` and ``weight`` in fixed point.

    The unit is a power of two, so that integer weights and repeated rows give the same
    tree.

    Parameters
    ----------
    P : array of shape (n, K), in [0, 1]
    weight : float64 array of shape (n,), >= 0, not all 0
    count : bool, default=False
        Whether to append a channel of ones.

    Returns
    -------
    channels : int32 array of shape (n, K + 1), or (n, K + 2) with `count`
    """
    _, exponent = np.frexp(weight.max())  # exact on every platform, and for weights of any size
    channels = np.ones((len(P), P.shape[1] + 1 + count), np.int32)
    _fill_fixed_point(P, np.ldexp(weight, FIXED_POINT + 1 - exponent), channels)
    return channels


@njit(nogil=True, cache=True)
def _fill_fixed_point(P, weight, channels):
    top = 2.0**31 - 1
    for i in range(P.shape[0]):
        w = weight[i]
        for k in range(P.shape[1]):
            channels[i, k] = np.int32(min(np.rint(P[i, k] * w), top))
        channels[i, P.shape[1]] = np.int32(min(np.rint(w), top))


def round_channels(channels: NDArray[np.float64]) -> tuple[NDArray[np.int32], float]:
    """Channels of any sign and size in fixed point, and the unit they were multiplied by.

    Parameters
    ----------
    channels : float64 array of shape (n, C)

    Returns
    -------
    channels : int32 array of shape (n, C)
    unit : float
        A power of two.
    """
    _, exponent = np.frexp(np.abs(channels).max())
    unit = float(np.ldexp(1.0, min(1000, FIXED_POINT - int(exponent))))
    return np.rint(channels * unit).astype(np.int32), unit
