"""Entropy balancing: weights under which the mean of probabilities is as it should be.

Hainmueller 2012, "Entropy balancing for causal effects", section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

_MAX_ITER = 100  # ten are plenty where there are such weights
_TOLERANCE = 1e-9
_MAX_EXPONENT = 1e6  # beyond it, no finite weights have the target as their mean


def balancing_weights(P: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the weights nearest to equal ones under which the mean of `P` is `target`.

    Of all such weights, those of least relative entropy to equal weights: a row weighs
    exp(P_i · r) with one number r_k for each class, found by Newton's method on the dual
    (Hainmueller 2012, section 3.2). Where all rows are sure of their class, a row weighs the
    target of its class over the proportion of that class.

    Parameters
    ----------
    P : float64 array of shape (n_samples, n_classes)
        Probabilities of classes.
    target : float64 array of shape (n_classes,)
        Proportions that sum to 1.

    Returns
    -------
    weight : float64 array of shape (n_samples,)
        Positive, with mean 1; 0 only for rows with a probability of a class whose target is 0.

    Raises
    ------
    ValueError
        If no weights have this mean.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer.entropy_balancing import balancing_weights
    >>> P = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> balancing_weights(P, np.array([0.5, 0.5])).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    usable = (P[:, target == 0] == 0).all(axis=1)
    weight = np.zeros(len(P))
    weight[usable] = _newton(P[usable][:, target > 0], target[target > 0])
    weight *= len(P) / max(usable.sum(), 1)
    if not np.abs(weight @ P / len(P) - target).max() <= _TOLERANCE:
        raise ValueError(
            f"no weights of these {len(P)} rows give the classes the proportions "
            f"{_rounded(target)}: their probabilities have the means {_rounded(P.mean(axis=0))} "
            f"and go from {_rounded(P.min(axis=0))} to {_rounded(P.max(axis=0))}; make more rows, "
            "or set class_proportions=None"
        )
    return weight


def _newton(P: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of mean 1 by Newton's method, as near to the target as they come."""
    if not P.size:
        return np.zeros(len(P))
    Q, goal = P[:, :-1], target[:-1]  # the last class has what the others leave

    def loss(r: NDArray[np.float64]) -> float:
        return float(logsumexp(Q @ r) - goal @ r)

    r = np.zeros(len(goal))
    for _ in range(_MAX_ITER):
        weight = softmax(Q @ r)
        mean = weight @ Q
        gap = goal - mean
        distance = np.abs(gap).max(initial=0)
        if distance <= _TOLERANCE / 100 or np.abs(r).max(initial=0) > _MAX_EXPONENT:
            break
        centred = Q - mean
        step = np.linalg.lstsq(centred.T @ (weight[:, None] * centred), gap)[0]
        before = loss(r)
        # Nearer than 1e-6 the loss differs in digits that float64 does not have.
        while distance > 1e-6 and loss(r + step) > before:
            step /= 2
        r += step
    scaled: NDArray[np.float64] = weight * len(P)
    return scaled


def _rounded(proportions: NDArray[np.float64]) -> list[float]:
    rounded: list[float] = proportions.round(4).tolist()
    return rounded
