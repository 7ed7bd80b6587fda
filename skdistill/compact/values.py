"""Values, margins and weights in integers, and a scale for each target.

Symbols: n rows, T trees, L leaves, S targets or scores, u columns. A value is
``scale * score``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.quantize import linear_weights, round_down
from skdistill.compact.tables import value_limits

SHRINKS = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05)
"""Shares of the weights' range that are tried where bits are few."""


def leaf_values(
    V: NDArray[np.float64], mass: NDArray[np.float64], bits: int | str, trees: int = 1
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
    trees : int, default=1
        Number of trees whose values add up.

    Returns
    -------
    values : int32 array of shape (L, S)
    bias : int32 array of shape (S,)
        Of all trees together.
    scale : float64 array of shape (S,)
        Numbers that float32 holds; ``scale * (unit * values + bias / trees)`` approximates
        `V`.
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
            2**30 / trees / (np.abs(offset[varies]) / step[varies] + most),
            step[varies] / np.finfo(np.float32).tiny,
        )
    unit = int(np.clip(room.min(initial=np.inf), 1, max(1, 2**15 // most)))
    step = np.where(varies, np.maximum(step, np.abs(offset) * trees / 2**30), 1)
    scale = np.where(varies, as_scale(step / unit), constant_scale(offset * trees))
    bias = np.rint(offset * trees / scale)
    values = np.clip(np.rint((V - bias * scale / trees) / (scale * unit)), low, high)
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


def margin_values(
    parts: Sequence[NDArray[np.float64]],
    start: NDArray[np.float64],
    bits: int | str,
    *,
    one_scale: bool,
) -> tuple[list[NDArray[np.int32]], NDArray[np.int32], NDArray[np.float64], int]:
    """Integer values of boosted trees, whose values add up.

    The middle of each tree's values goes into the bias, so that a first tree far from 0
    takes no levels from the others. A tree adds nothing to a score that it does not touch.

    Parameters
    ----------
    parts : sequence of T float64 arrays of shape (L, S)
        Values of the leaves of each tree.
    start : float64 array of shape (S,)
        Margins before the first tree.
    bits : int in [2, 16] or "ternary"
    one_scale : bool
        Whether all scores share a unit, as a link asks for.

    Returns
    -------
    values : list of T int32 arrays of shape (L, S)
        Half a step at most from the real ones.
    bias : int32 array of shape (S,)
    scale : float64 array of shape (S,)
        ``scale * unit`` is the step; ``scale * (unit * (sum of values) + bias)``
        approximates ``start + (sum of real values)``.
    unit : int
        Scores that a value of 1 is worth; 1 on one scale.
    """
    _, high = value_limits(bits, signed=True)
    middles = np.array([(part.min(axis=0) + part.max(axis=0)) / 2 for part in parts])
    reach = np.array([np.ptp(part, axis=0) / 2 for part in parts]).max(axis=0)
    constant = start + middles.sum(axis=0)
    if one_scale:
        reach = np.full_like(reach, reach.max())
    varies = reach > 0
    step = np.where(varies, reach / high, 1)
    unit = 1
    if not one_scale:
        # The bias may count finer than the leaves, as far as int32 scores have room for both.
        most = high * len(parts)
        room = 2**30 / (np.abs(constant[varies]) / step[varies] + most)
        room = np.minimum(room, step[varies] / np.finfo(np.float32).tiny)
        unit = int(np.clip(room.min(initial=np.inf), 1, max(1, 2**15 // high)))
    step = np.where(varies, np.maximum(step, np.abs(constant) / 2**30), 1)
    scale = np.where(varies, as_scale(step / unit), constant_scale(constant))
    if one_scale:
        scale = np.full_like(scale, scale.max())
    values = [
        np.rint((part - middle) / (scale * unit) * varies).clip(-high, high).astype(np.int32)
        for part, middle in zip(parts, middles, strict=True)
    ]
    return values, np.rint(constant / scale).astype(np.int32), scale, unit


def linear_logits(
    Q: NDArray[np.float64],
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    mass: NDArray[np.float64],
    bits: int | str,
    q_max: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
    """Integer weights of a linear classifier, on one scale.

    Where bits are few, the range of the weights is narrowed and the scale chosen anew, as
    far as the logits of the rows come closer to the real ones by it.

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
    scale : float
        ``scale * (q @ weights + bias)`` approximates ``q @ W + b``, for several classes up
        to a constant a row.
    """
    best = linear_weights(W, b, bits, q_max)
    if len(W) == 0 or not (bits == "ternary" or int(bits) < 8):
        return best
    wanted = _centred(Q @ W + b)
    least = np.inf
    for shrink in SHRINKS:
        weights, bias, _ = linear_weights(W, b, bits, q_max, shrink)
        scores = _centred(Q @ weights + bias)
        power = np.average((scores**2).sum(axis=1), weights=mass)
        if power == 0:
            continue
        scale = np.average((scores * wanted).sum(axis=1), weights=mass) / power
        error = np.average(((wanted - scale * scores) ** 2).sum(axis=1), weights=mass)
        if scale > 0 and error < least:
            best, least = (weights, bias, float(scale)), error
    return best


def _centred(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits of several classes are free up to a constant a row."""
    return z if z.shape[1] == 1 else z - z.mean(axis=1, keepdims=True)


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
