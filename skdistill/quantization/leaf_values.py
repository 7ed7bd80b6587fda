"""Values, margins and weights in integers, and a scale for each target.

Symbols: n rows, T trees, L leaves, S targets or scores, u columns. A value is
``scale * score``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.limits import value_limits
from skdistill.quantization.binning import round_down


def leaf_values(
    V: NDArray[np.float64], mass: NDArray[np.float64], bits: int | str, trees: int = 1
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], int]:
    """Integer values of regression leaves.

    The levels span the values of a column; where they are few they are moved to the least
    squared error. Values near to each other but far from 0 get coarser levels, as far as
    int32 scores ask for it.

    Parameters
    ----------
    V : float64 array of shape (n_leaves, n_scores)
    mass : float64 array of shape (n_leaves,)
        Weight of the rows in each leaf.
    bits : int in [2, 16] or "ternary"
    trees : int, default=1
        Number of trees whose values add up.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
    bias : int32 array of shape (n_scores,)
        Of all trees together.
    scale : float64 array of shape (n_scores,)
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
    parts : sequence of T float64 arrays of shape (n_leaves, n_scores)
        Values of the leaves of each tree.
    start : float64 array of shape (n_scores,)
        Margins before the first tree.
    bits : int in [2, 16] or "ternary"
    one_scale : bool
        Whether all scores share a unit, as a link asks for.

    Returns
    -------
    values : list of T int32 arrays of shape (n_leaves, n_scores)
        Half a step at most from the real ones.
    bias : int32 array of shape (n_scores,)
    scale : float64 array of shape (n_scores,)
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


def as_scale(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """The next normal float32 at or above each `scale`, as float64."""
    tiny = np.finfo(np.float32).tiny
    above = -round_down(-np.maximum(scale, tiny).astype(np.float64))
    return above.astype(np.float64)


def constant_scale(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scales at which whole numbers of 31 bits tell the constants `c`; powers of two."""
    _, exponent = np.frexp(c)
    return np.where(c == 0, 1.0, np.ldexp(1.0, np.maximum(exponent - 30, -126)))


LOGIT_RANGE = float(np.log(1000))  # a leaf tells class odds of up to 1000 : 1


def leaf_logits(
    P: NDArray[np.float64], bits: int | str
) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
    """Integer logits of leaf probabilities, one column for two classes.

    Odds are clipped at 1000 : 1. Rounding never changes a leaf's label.

    Parameters
    ----------
    P : float64 array of shape (n_leaves, n_classes), K >= 2, rows sum to 1
    bits : int in [2, 16] or "ternary"

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
    bias : int32 array of shape (n_scores,)
    scale : float
        ``scale * (values + bias)`` are the logits, for more than two classes up to a
        constant a row.
    """
    P = np.maximum(P, np.finfo(np.float64).tiny)
    if P.shape[1] == 2:
        _, high = value_limits(bits, signed=True)
        scale = LOGIT_RANGE / high
        odds = np.log(P[:, 1]) - np.log(P[:, 0])
        q = np.rint(np.clip(odds, -LOGIT_RANGE, LOGIT_RANGE) / scale).astype(np.int32)
        q[(q == 0) & (P[:, 1] > P[:, 0])] = 1
        return q[:, None], np.zeros(1, np.int32), scale
    low, high = value_limits(bits, signed=False)
    scale = LOGIT_RANGE / (high - low)
    below = np.log(P) - np.log(
        P.max(axis=1, keepdims=True)
    )  # a leaf's logits are free up to a constant
    q = high + np.rint(np.maximum(below, -LOGIT_RANGE) / scale).astype(np.int32)
    return _keep_labels(q, P, low), np.zeros(P.shape[1], np.int32), scale


def leaf_votes(
    P: NDArray[np.float64], bits: int | str, trees: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
    """Integer votes of leaf probabilities for the link "normalize".

    Parameters
    ----------
    P : float64 array of shape (n_leaves, n_classes), K >= 2, rows sum to 1
    bits : int in [2, 16] or "ternary"
    trees : int
        Number of trees that vote.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
    bias : int32 array of shape (n_scores,)
    scale : float
        For two classes ``1/2 + scale * (sum of values)`` is the probability of class 1.
    """
    if P.shape[1] == 2:
        _, high = value_limits(bits, signed=True)
        q = np.rint((2 * P[:, 1] - 1) * high).astype(np.int32)
        if trees == 1:
            q[(q == 0) & (P[:, 1] > P[:, 0])] = 1
        return q[:, None], np.zeros(1, np.int32), 1 / (2 * high * trees)
    low, high = value_limits(bits, signed=False)
    q = low + np.rint(P * (high - low)).astype(np.int32)
    if trees == 1:
        q = _keep_labels(q, P, low)
    bias = np.full(P.shape[1], -low * trees, np.int32)  # ternary votes start at −1
    return q, bias, 1 / (trees * (high - low))


def _keep_labels(q: NDArray[np.int32], P: NDArray[np.float64], low: int) -> NDArray[np.int32]:
    """Where rounding tied a lower class with the best one, take a unit from the lower."""
    best = P.argmax(axis=1)
    tied = (q == q.max(axis=1, keepdims=True)) & (np.arange(P.shape[1]) < best[:, None])
    q[tied & (q > low)] -= 1
    stuck = np.flatnonzero(q.argmax(axis=1) != best)  # all at the bottom: raise the best instead
    q[stuck, best[stuck]] += 1
    return q
