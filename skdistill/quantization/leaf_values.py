"""Values, margins and weights in integers, and a scale for each target.

A real value is ``scale * score``; scores are integers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.limits import value_limits
from skdistill.quantization.binning import round_down


def leaf_values(
    V: NDArray[np.float64], leaf_weight: NDArray[np.float64], bits: int | str, n_trees: int = 1
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], int]:
    """Integer values of regression leaves.

    The levels span the values of a column; where they are few they are moved to the least
    squared error. Values near to each other but far from 0 get coarser levels, as far as
    int32 scores ask for it.

    Parameters
    ----------
    V : float64 array of shape (n_leaves, n_scores)
        Real values.
    leaf_weight : float64 array of shape (n_leaves,)
        Weight of the rows in each leaf.
    bits : int in [2, 16] or "ternary"
        Width of a stored value.
    n_trees : int, default=1
        Number of trees whose values add up.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
        Integers for each leaf.
    bias : int32 array of shape (n_scores,)
        Of all trees together.
    scale : float64 array of shape (n_scores,)
        Numbers that float32 holds; ``scale * (unit * values + bias / n_trees)`` approximates
        `V`.
    unit : int
        Score units that a value of 1 adds, so that the bias can be finer than the levels.
    """
    low, high = value_limits(bits, signed=False)
    levels = [_even_levels(column, leaf_weight, low, high) for column in V.T]
    offset, step = np.array(levels).T
    varies = step > 0
    most = max(high, -low)
    # As fine a score unit as int32 has room for: 2^30 for bias and values, normal float32 scales.
    with np.errstate(divide="ignore"):
        room = np.minimum(
            2**30 / n_trees / (np.abs(offset[varies]) / step[varies] + most),
            step[varies] / np.finfo(np.float32).tiny,
        )
    unit = int(np.clip(room.min(initial=np.inf), 1, max(1, 2**15 // most)))
    step = np.where(varies, np.maximum(step, np.abs(offset) * n_trees / 2**30), 1)
    scale = np.where(varies, as_scale(step / unit), constant_scale(offset * n_trees))
    bias = np.rint(offset * n_trees / scale)
    values = np.clip(np.rint((V - bias * scale / n_trees) / (scale * unit)), low, high)
    return (values * varies).astype(np.int32), bias.astype(np.int32), scale, unit


def _even_levels(
    v: NDArray[np.float64], leaf_weight: NDArray[np.float64], low: int, high: int
) -> tuple[float, float]:
    """Offset and step of the integers low … high that stand for `v`; step 0 for a constant.

    Where levels are many they span the range. Where they are few, narrower ranges are tried, and
    from each the step is fitted to the values by least squares and the values rounded again, in
    turns (Lloyd's algorithm with evenly spaced levels); the smallest squared error is taken.
    """
    reach = float(v.max() - v.min())
    if reach == 0:
        return float(v[0]), 0.0
    # Values of any size, however far from 0, are moved to [0, 1] first: then nothing cancels.
    z, weight = (v - v.min()) / reach, leaf_weight / leaf_weight.sum()
    first = 0.0 - low / (high - low), 1 / (high - low)
    if high - low >= 127:
        return float(v.min()) + reach * first[0], reach * first[1]
    mean, fits = float(weight @ z), []
    for fraction in (1.0, 0.8, 0.6, 0.4):  # of the range
        step = fraction / (high - low)
        offset = (1 - fraction) * mean - low * step
        for _ in range(20):  # levels of the values and values of the levels, in turns
            q = np.clip(np.rint((z - offset) / step), low, high)
            centred = q - weight @ q
            variance = float(weight @ centred**2)
            if variance == 0:
                break
            step = float(weight @ (centred * z)) / variance
            offset = mean - step * float(weight @ q)
        q = np.clip(np.rint((z - offset) / step), low, high)
        fits.append((float(weight @ (z - offset - step * q) ** 2), offset, step))
    _, offset, step = min(fits)
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
    parts : sequence of n_trees float64 arrays of shape (n_leaves, n_scores)
        Values of the leaves of each tree.
    start : float64 array of shape (n_scores,)
        Margins before the first tree.
    bits : int in [2, 16] or "ternary"
        Width of a stored value.
    one_scale : bool
        Whether all scores share a unit, as a link asks for.

    Returns
    -------
    values : list of n_trees int32 arrays of shape (n_leaves, n_scores)
        Half a step at most from the real ones.
    bias : int32 array of shape (n_scores,)
        Middles of all trees, and `start`.
    scale : float64 array of shape (n_scores,)
        ``scale * unit`` is the step; ``scale * (unit * (sum of values) + bias)``
        approximates ``start + (sum of real values)``.
    unit : int
        Score units that a value of 1 adds; 1 on one scale.
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
    """The next normal float32 at or above each number.

    Parameters
    ----------
    scale : float64 array
        Positive numbers.

    Returns
    -------
    scale : float64 array of the same shape
    """
    tiny = np.finfo(np.float32).tiny
    above = -round_down(-np.maximum(scale, tiny).astype(np.float64))
    return above.astype(np.float64)


def constant_scale(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scales at which integers of 31 bits stand for constants.

    Parameters
    ----------
    c : float64 array
        The constants.

    Returns
    -------
    scale : float64 array of the same shape
        Powers of two; 1 for a constant of 0.
    """
    _, exponent = np.frexp(c)
    return np.where(c == 0, 1.0, np.ldexp(1.0, np.maximum(exponent - 30, -126)))


LOGIT_RANGE = float(np.log(1000))  # a leaf stands for class odds of up to 1000 : 1


def leaf_logits(
    P: NDArray[np.float64], bits: int | str
) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
    """Integer logits of leaf probabilities, one column for two classes.

    Odds are clipped at 1000 : 1. Rounding never changes a leaf's label.

    Parameters
    ----------
    P : float64 array of shape (n_leaves, n_classes)
        Probabilities of at least two classes; rows sum to 1.
    bits : int in [2, 16] or "ternary"
        Width of a stored value.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
        One score for two classes, else one a class.
    bias : int32 array of shape (n_scores,)
        What the scores start from.
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
    P: NDArray[np.float64], bits: int | str, n_trees: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
    """Integer votes of leaf probabilities for the link "normalize".

    Parameters
    ----------
    P : float64 array of shape (n_leaves, n_classes)
        Probabilities of at least two classes; rows sum to 1.
    bits : int in [2, 16] or "ternary"
        Width of a stored value.
    n_trees : int
        Number of trees that vote.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
        One score for two classes, else one a class.
    bias : int32 array of shape (n_scores,)
        What the scores start from.
    scale : float
        For two classes ``1/2 + scale * (sum of values)`` is the probability of class 1.
    """
    if P.shape[1] == 2:
        _, high = value_limits(bits, signed=True)
        q = np.rint((2 * P[:, 1] - 1) * high).astype(np.int32)
        if n_trees == 1:
            q[(q == 0) & (P[:, 1] > P[:, 0])] = 1
        return q[:, None], np.zeros(1, np.int32), 1 / (2 * high * n_trees)
    low, high = value_limits(bits, signed=False)
    q = low + np.rint(P * (high - low)).astype(np.int32)
    if n_trees == 1:
        q = _keep_labels(q, P, low)
    bias = np.full(P.shape[1], -low * n_trees, np.int32)  # ternary votes start at −1
    return q, bias, 1 / (n_trees * (high - low))


def _keep_labels(q: NDArray[np.int32], P: NDArray[np.float64], low: int) -> NDArray[np.int32]:
    """Where rounding tied a lower class with the best one, take a unit from the lower."""
    best = P.argmax(axis=1)
    tied = (q == q.max(axis=1, keepdims=True)) & (np.arange(P.shape[1]) < best[:, None])
    q[tied & (q > low)] -= 1
    stuck = np.flatnonzero(q.argmax(axis=1) != best)  # all at the bottom: raise the best instead
    q[stuck, best[stuck]] += 1
    return q
