"""Regressions in integers: leaf values, weights, and a scale for each target.

Symbols: n rows, L leaves, S targets, u columns. A value is ``scale * score``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.quantize import linear_weights, round_down
from skdistill.compact.tables import value_limits

SHRINKS = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05)
"""Shares of the weights' range that are tried where bits are few."""


def leaf_values(
    V: NDArray[np.float64], mass: NDArray[np.float64], bits: int | str
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], int]:
    """Integer values of regression leaves.

    The levels span the values of a column; where they are few they are moved to the least
    squared error. Values near to each other but far from 0 get coarser levels, as far as
    int32 scores ask for it.

    Parameters
    ----------
    V : float64 array of shape (L, S)
    mass : float64 array of shape (L,)
        Weight of the rows in each leaf.
    bits : int in [2, 16] or "ternary"

    Returns
    -------
    values : int32 array of shape (L, S)
    bias : int32 array of shape (S,)
    scale : float64 array of shape (S,)
        Numbers that float32 holds; ``scale * (unit * values + bias)`` approximates `V`.
    unit : int
        Scores that a value of 1 is worth, so that the bias can be finer than the levels.
    """
    low, high = value_limits(bits, signed=False)
    levels = [_even_levels(column, mass, low, high) for column in V.T]
    offset, step = np.array(levels).T
    varies = step > 0
    most = max(high, -low)
    with np.errstate(divide="ignore"):
        room = np.minimum(
            2**30 / (np.abs(offset[varies]) / step[varies] + most),
            step[varies] / np.finfo(np.float32).tiny,
        )
    unit = int(np.clip(room.min(initial=np.inf), 1, max(1, 2**15 // most)))
    step = np.where(varies, np.maximum(step, np.abs(offset) / 2**30), 1)
    scale = np.where(varies, as_scale(step / unit), constant_scale(offset))
    bias = np.rint(offset / scale)
    values = np.clip(np.rint((V - bias * scale) / (scale * unit)), low, high)
    return (values * varies).astype(np.int32), bias.astype(np.int32), scale, unit


def _even_levels(
    v: NDArray[np.float64], mass: NDArray[np.float64], low: int, high: int
) -> tuple[float, float]:
    """Offset and step of the integers low … high that tell `v`; step 0 for a constant."""
    reach = float(v.max() - v.min())
    if reach == 0:
        return float(v[0]), 0.0
    z, share = (v - v.min()) / reach, mass / mass.sum()  # of any size, far from 0
    first = 0.0 - low / (high - low), 1 / (high - low)
    if high - low >= 127:
        return float(v.min()) + reach * first[0], reach * first[1]
    centre, found = float(share @ z), []
    for narrower in (1.0, 0.8, 0.6, 0.4):
        step = narrower / (high - low)
        offset = (1 - narrower) * centre - low * step
        for _ in range(20):  # levels of the values and values of the levels, in turns
            q = np.clip(np.rint((z - offset) / step), low, high)
            moved = q - share @ q
            power = float(share @ moved**2)
            if power == 0:
                break
            step = float(share @ (moved * z)) / power
            offset = centre - step * float(share @ q)
        q = np.clip(np.rint((z - offset) / step), low, high)
        found.append((float(share @ (z - offset - step * q) ** 2), offset, step))
    _, offset, step = min(found)
    return float(v.min()) + reach * offset, reach * step


def as_scale(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """The next normal float32 at or above each `scale`, as float64."""
    tiny = np.finfo(np.float32).tiny
    above = -round_down(-np.maximum(scale, tiny).astype(np.float64))
    return above.astype(np.float64)


def constant_scale(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scales at which whole numbers of 31 bits tell the constants `c`; powers of two."""
    _, exponent = np.frexp(c)
    return np.where(c == 0, 1.0, np.ldexp(1.0, np.maximum(exponent - 30, -126)))


def linear_values(
    Q: NDArray[np.float64],
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    mass: NDArray[np.float64],
    bits: int | str,
    q_max: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Integer weights of a linear regression, with a scale for each target.

    Where bits are few, the range of the weights is narrowed and the scale chosen anew, as
    far as the values of the rows come closer to the real ones by it. The bias makes up for
    what rounding does to their mean.

    Parameters
    ----------
    Q : float64 array of shape (n, u)
        Integer inputs of the rows.
    W : float64 array of shape (u, S)
    b : float64 array of shape (S,)
    mass : float64 array of shape (n,)
    bits : int in [2, 16] or "ternary"
    q_max : int

    Returns
    -------
    weights : int32 array of shape (u, S)
    bias : int32 array of shape (S,)
    scale : float64 array of shape (S,)
        ``scale * (q @ weights + bias)`` approximates ``q @ W + b``.
    """
    few = bits == "ternary" or int(bits) < 8
    shrinks = SHRINKS if few else SHRINKS[:1]
    columns = [
        _linear_column(Q, w, float(c), mass / mass.sum(), bits, q_max, shrinks)
        for w, c in zip(W.T, b, strict=True)
    ]
    weights, bias, scale = (np.array(part) for part in zip(*columns, strict=True))
    return weights.T.astype(np.int32), bias.astype(np.int32), scale.astype(np.float64)


def _linear_column(
    Q: NDArray[np.float64],
    w: NDArray[np.float64],
    c: float,
    share: NDArray[np.float64],
    bits: int | str,
    q_max: int,
    shrinks: tuple[float, ...],
) -> tuple[NDArray[np.int32], int, float]:
    if not w.any():
        scale = float(constant_scale(np.array(c)))
        return np.zeros(len(w), np.int32), round(c / scale), scale
    unit = float(np.abs(w).sum() * q_max)  # of the values without their mean
    wanted = Q @ (w / unit)
    centre = float(share @ wanted)
    least = (unit + abs(c)) / 2**30
    best, error = None, np.inf
    for shrink in shrinks:
        weights, _, scale = linear_weights(w[:, None], np.zeros(1), bits, q_max, shrink, least)
        told = Q @ weights[:, 0]
        mean = float(share @ told)
        if len(shrinks) > 1:
            power = float(share @ (told - mean) ** 2)
            fitted = float(share @ ((told - mean) * (wanted - centre))) / power if power > 0 else 0
            if fitted <= 0:
                continue
            scale = max(fitted * unit, least)
        missed = float(share @ (wanted - centre - scale / unit * (told - mean)) ** 2)
        if missed < error:
            best, error = (weights[:, 0], scale, mean), missed
    if best is None:  # in no range do the rows show anything but their mean
        c += unit * centre
        scale = float(constant_scale(np.array(c)))
        return np.zeros(len(w), np.int32), round(c / scale), scale
    column, scale, mean = best
    scale = float(as_scale(np.array(scale)))
    return column, round((c + unit * centre) / scale - mean), scale
