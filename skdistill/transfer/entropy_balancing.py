"""Weights of further rows that give the classes the shares they should have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

_STEPS = 100  # ten are plenty where there are such weights
_CLOSE = 1e-9
_STEEP = 1e6  # of exponents that grow without end


def share_weights(P: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Find the weights nearest to equal ones under which classes have given shares.

    Of all weights under which the weighted mean of `P` is `target`, those of least relative
    entropy to equal weights: a row weighs exp(P_i · r) for one number r_k a class, found by
    Newton's method (Hainmueller 2012, "Entropy balancing for causal effects"). Rows of one
    class alone weigh what its share is by the share it had.

    Parameters
    ----------
    P : float64 array of shape (m, K)
        Probabilities of classes.
    target : float64 array of shape (K,)
        Shares that sum to 1.

    Returns
    -------
    weight : float64 array of shape (m,)
        Positive, with mean 1; 0 only where a class that `P` is sure of is to have no share.

    Raises
    ------
    ValueError
        If no weights give these shares.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer.entropy_balancing import share_weights
    >>> P = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> share_weights(P, np.array([0.5, 0.5])).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    usable = (P[:, target == 0] == 0).all(axis=1)
    weight = np.zeros(len(P))
    weight[usable] = _balancing(P[usable][:, target > 0], target[target > 0])
    weight *= len(P) / max(usable.sum(), 1)
    if not np.abs(weight @ P / len(P) - target).max() <= _CLOSE:
        raise ValueError(
            f"no weights of these {len(P)} rows give the classes the shares {_short(target)}: "
            f"their probabilities have the means {_short(P.mean(axis=0))} and go from "
            f"{_short(P.min(axis=0))} to {_short(P.max(axis=0))}; make more rows, or set "
            "class_shares=None"
        )
    return weight


def _balancing(P: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of mean 1 by Newton's method, as near to the shares as they come."""
    if not P.size:
        return np.zeros(len(P))
    Q, wanted = P[:, :-1], target[:-1]  # the last class has what the others leave
    loss = lambda r: logsumexp(Q @ r) - wanted @ r  # noqa: E731
    r = np.zeros(len(wanted))
    for _ in range(_STEPS):
        weight = softmax(Q @ r)
        mean = weight @ Q
        gap = wanted - mean
        distance = np.abs(gap).max(initial=0)
        if distance <= _CLOSE / 100 or np.abs(r).max(initial=0) > _STEEP:
            break
        centred = Q - mean
        step = np.linalg.lstsq(centred.T @ (weight[:, None] * centred), gap)[0]
        before = loss(r)
        while distance > 1e-6 and loss(r + step) > before:  # nearer than that its digits end
            step /= 2
        r += step
    return weight * len(P)


def _short(shares: NDArray[np.float64]) -> list[float]:
    return shares.round(4).tolist()
