"""Weights of the members of a committee, from answers on rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from skdistill.targets import EPS

ROUNDS = 100
"""Most members that a greedy selection adds, repetitions included."""

MIN_WEIGHT = 1e-9
"""Smallest weight that an optimiser's answer keeps; anything less is its rounding, and 0."""

Loss = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def committee_weights(
    answers: ArrayLike,
    y: ArrayLike,
    how: str = "learn",
    sample_weight: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Weights >= 0 that sum to 1 and make the mean of several teachers' answers good.

    "learn" finds the least loss over all such weights, a convex problem; a weight below 1e-9
    is the optimiser's rounding and becomes 0. "greedy" adds one member at a time, with
    replacement, the one that helps the mean most, and keeps the best of the first 100 means;
    weights are multiples of the inverse of a number up to 100.

    Parameters
    ----------
    answers : array-like of shape (M, n, K) or (M, n, S)
        Probabilities, or predicted values, of M teachers for rows they were not fitted on.
    y : int array of shape (n,), or float array of shape (n, S) or (n,)
        Class numbers, whose log loss counts; or values, whose squared error counts, each
        target in units of its standard deviation.
    how : {"learn", "greedy"}, default="learn"
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    weights : float64 array of shape (M,)

    Notes
    -----
    Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of
    models"; such ensembles are the teachers of "Model compression" (2006).

    Examples
    --------
    >>> from skdistill.teachers import committee_weights
    >>> good, bad = [[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.5, 0.5]]
    >>> committee_weights([bad, good], [0, 1]).round(3).tolist()
    [0.0, 1.0]
    """
    if how not in ("learn", "greedy"):
        raise ValueError(f"how={how!r} must be 'learn' or 'greedy'")
    told, y = np.asarray(answers, np.float64), np.asarray(y)
    if told.ndim != 3:
        raise ValueError(f"answers must have shape (M, n, K), got {told.shape}")
    if len(y) != told.shape[1]:
        raise ValueError(f"answers are of {told.shape[1]} rows, y has {len(y)}")
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if y.dtype.kind in "iu":
        told = told[:, np.arange(len(y)), y][:, :, None]
        loss, slope = _log_loss(weight)
    else:
        loss, slope = _squared_error(y.reshape(len(y), -1).astype(np.float64), weight)
    return _greedy(told, loss) if how == "greedy" else _least(told, loss, slope)


def _log_loss(weight: NDArray[np.float64]) -> tuple[Loss, Loss]:
    """Loss of means of shape (..., n, 1), the probabilities of the labels; and its slope in them.

    Below `EPS` the logarithm goes on as a straight line, so that the problem stays convex.
    """
    share = (weight / weight.sum())[:, None]

    def loss(p: NDArray[np.float64]) -> NDArray[np.float64]:
        told = np.log(np.maximum(p, EPS)) + np.minimum(p - EPS, 0) / EPS
        return -(share * told).sum(axis=(-2, -1))

    return loss, lambda p: -share / np.maximum(p, EPS)


def _squared_error(y: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[Loss, Loss]:
    share = (weight / weight.sum())[:, None]
    spread = (share * (y - (share * y).sum(axis=0)) ** 2).sum(axis=0)
    share = share / np.where(spread > 0, spread, 1)
    return (
        lambda mean: (share * (mean - y) ** 2).sum(axis=(-2, -1)),
        lambda mean: 2 * share * (mean - y),
    )


def _least(told: NDArray[np.float64], loss: Loss, slope: Loss) -> NDArray[np.float64]:
    """Weights of least loss; `told` has shape (M, n, S)."""
    M = len(told)

    def at(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mean = np.tensordot(w, told, 1)
        return float(loss(mean)), np.tensordot(told, slope(mean), 2)

    ones = {"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(M)}
    found = minimize(
        at,
        np.full(M, 1 / M),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * M,
        constraints=[ones],
        options={"ftol": 1e-10, "maxiter": 500},
    )
    w = np.where(found.x < MIN_WEIGHT, 0, found.x)
    return w / w.sum()


def _greedy(told: NDArray[np.float64], loss: Loss) -> NDArray[np.float64]:
    """Counts of the members of the best mean, as shares; ties go to the first member."""
    counts, total = np.zeros(len(told)), np.zeros(told.shape[1:])
    best, chosen = np.inf, counts
    for size in range(1, ROUNDS + 1):
        losses = np.array([float(loss((total + one) / size)) for one in told])
        member = int(losses.argmin())
        counts[member] += 1
        total += told[member]
        if losses[member] < best:
            best, chosen = losses[member], counts.copy()
    return chosen / chosen.sum()
