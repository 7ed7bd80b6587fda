"""Learnt weights → the integer weights and input steps of a linear table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.limits import INT32_MAX, value_limits
from skdistill.quantization.binning import FLOAT32_MAX, simplest
from skdistill.quantization.leaf_values import as_scale, constant_scale


def linear_input(
    X: NDArray[np.float32], weight: NDArray[np.float64], bits: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Offsets and steps that read each column as integers of `bits`.

    The offset is a number of few bits within half a step of the weighted mean; the range
    reaches the farthest value, but no more than eight standard deviations, so that an
    outlier does not take all the resolution. Steps are powers of two; whole numbers stay
    whole. NaN is left out.

    Parameters
    ----------
    X : float32 array of shape (n_samples, n_features)
    weight : float64 array of shape (n_samples,)
    bits : int in [2, 16]

    Returns
    -------
    offset, inv_step : float32 arrays of shape (n_features,)
    useful : bool array of shape (n_features,)
        False for columns that are constant, too narrow for float32 to part, or all NaN.
    """
    X, weight = X[weight > 0], weight[weight > 0]
    absent = np.isnan(X)
    holes = np.flatnonzero(absent.any(axis=0))
    if len(holes) == 0:
        return _linear_input(X.astype(np.float64), weight, bits)
    offset, inv_step = np.zeros(X.shape[1], np.float32), np.ones(X.shape[1], np.float32)
    useful = np.zeros(X.shape[1], bool)
    whole = np.setdiff1d(np.arange(X.shape[1]), holes)
    for columns in [whole, *holes[:, None]]:  # one by one, each with the rows that have a value
        rows = ~absent[:, columns[0]] if len(columns) else np.zeros(len(X), bool)
        if rows.any():
            part = X[np.ix_(rows, columns)].astype(np.float64)
            read = _linear_input(part, weight[rows], bits)
            offset[columns], inv_step[columns], useful[columns] = read
    return offset, inv_step, useful


def _linear_input(
    X: NDArray[np.float64], weight: NDArray[np.float64], bits: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Offsets and steps of columns without NaN."""
    mean = np.average(X, axis=0, weights=weight)
    away = np.abs(X - mean)
    deviation = np.sqrt(np.average(away**2, axis=0, weights=weight))
    reach = np.minimum(away.max(axis=0), 8 * deviation)
    whole = (np.floor(X) == X).all(axis=0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        step = 2.0 ** np.ceil(np.log2(reach / (2 ** (bits - 1) - 1)))
        step = np.where(whole, np.maximum(step, 1.0), step)
        inv_step = (1 / step).astype(np.float32)
    useful = np.isfinite(inv_step) & (inv_step > 0) & (X.min(axis=0) < X.max(axis=0))
    near = np.where(useful, step / 2, 0.0)
    ends = np.clip([mean - near, mean + near], -FLOAT32_MAX, FLOAT32_MAX).astype(np.float32)
    offset = simplest(*ends)
    offset = np.where(whole, np.rint(mean), offset).astype(np.float32)
    return offset, np.where(useful, inv_step, np.float32(1)), useful


def linear_weights(
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    bits: int | str,
    q_max: int,
    shrink: float = 1.0,
    least: float = float(np.finfo(np.float32).tiny),
) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
    """Integer weights and bias for real ones that act on integer inputs up to `q_max`.

    The unit is the finest in which the weights fit `bits` and no score can leave int32.

    Parameters
    ----------
    W : float64 array of shape (n_used, n_scores)
    b : float64 array of shape (n_scores,)
    bits : int in [2, 16] or "ternary"
    q_max : int
    shrink : float in (0, 1], default=1.0
        Weights beyond this share of the largest are clipped to it.
    least : float, default=the least normal float32
        Least unit.

    Returns
    -------
    weights : int32 array of shape (n_used, n_scores)
    bias : int32 array of shape (n_scores,)
    scale : float
        ``scale * (q @ weights + bias)`` approximates ``q @ W + b``.
    """
    _, high = value_limits(bits, signed=True)
    most = shrink * float(np.abs(W).max(initial=0))
    W = np.clip(W, -most, most)
    reach = float((np.abs(W).sum(axis=0) * q_max + np.abs(b)).max(initial=0))
    rounding = q_max * len(W) / 2 + 1  # what rounding can add to a score
    scale = max(most / high, reach / (INT32_MAX - rounding), least)
    return np.rint(W / scale).astype(np.int32), np.rint(b / scale).astype(np.int32), scale


SHRINKS = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05)
"""Shares of the weights' range that are tried where bits are few."""


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
    Q : float64 array of shape (n_samples, n_used)
        Integer inputs of the rows.
    W : float64 array of shape (n_used, n_scores)
    b : float64 array of shape (n_scores,)
    mass : float64 array of shape (n_samples,)
    bits : int in [2, 16] or "ternary"
    q_max : int

    Returns
    -------
    weights : int32 array of shape (n_used, n_scores)
    bias : int32 array of shape (n_scores,)
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
    Q : float64 array of shape (n_samples, n_used)
        Integer inputs of the rows.
    W : float64 array of shape (n_used, n_scores)
    b : float64 array of shape (n_scores,)
    mass : float64 array of shape (n_samples,)
    bits : int in [2, 16] or "ternary"
    q_max : int

    Returns
    -------
    weights : int32 array of shape (n_used, n_scores)
    bias : int32 array of shape (n_scores,)
    scale : float64 array of shape (n_scores,)
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
