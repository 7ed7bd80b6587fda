"""The loss of gradient students: soft cross-entropy with temperature and hard labels.

Symbols: z logits of shape (n, K); P teacher's probabilities, y hard labels, a = alpha of a
row, T temperature, w weights. The loss is the weighted mean of

    a T² CE(P^(1/T), softmax(z / T)) + (1 − a) CE(y, softmax(z))

(Hinton, Vinyals & Dean 2015, section 2: T² keeps the gradients of both parts in step), so
that softmax(z) are probabilities at T = 1 whatever T is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from skdistill.targets import SoftTargets, temper

Loss = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]
Newton = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]


def soft_cross_entropy(targets: SoftTargets, weight: NDArray[np.float64]) -> Loss:
    """The loss as a function of the logits.

    Parameters
    ----------
    targets : SoftTargets
    weight : float64 array of shape (n,)

    Returns
    -------
    loss : callable
        Takes float64 logits of shape (n, K), or (n, 1) for two classes, whose other logit
        is 0; gives the loss and its gradient in the same shape.
    """
    parts = _parts(targets, weight / weight.sum())

    def loss(z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        descent = np.zeros_like(z)
        total = sum(_add_part(z, P, t, descent, _UNASKED) for t, P in parts)
        return total, np.negative(descent, out=descent)

    return loss


def newton_terms(targets: SoftTargets, weight: NDArray[np.float64]) -> Newton:
    """What a boosting round reads: minus the gradient, and the diagonal of the Hessian.

    Parameters
    ----------
    targets : SoftTargets
    weight : float64 array of shape (n,)
        As given: a weight of 2 is two rows, also beside an `l2`.

    Returns
    -------
    terms : callable
        Takes logits as `soft_cross_entropy` does; gives two arrays of their shape, of
        each row's own loss. The second is at least 1e-6 times the row's weight.
    """
    parts = _parts(targets, weight)
    least = 1e-6 * weight[:, None]

    def terms(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        descent, curvature = np.zeros_like(z), np.zeros_like(z)
        for t, P in parts:
            _add_part(z, P, t, descent, curvature)
        return descent, np.maximum(curvature, least, out=curvature)

    return terms


_UNASKED = np.zeros((0, 0))


@njit(nogil=True, cache=True)
def _add_part(z, P, t, descent, curvature):
    """Cross-entropy of P and softmax(z / t), its terms added to what is given; P is weighted."""
    n, K = P.shape
    S = z.shape[1]
    first = K - S  # 1 where the logit of the first of two classes is 0 and not given
    q = np.zeros(K)
    total = 0.0
    for i in range(n):
        top = 0.0 if first else z[i, 0]
        for k in range(S):
            top = max(top, z[i, k])
        if first:
            q[0] = -top / t
        for k in range(S):
            q[first + k] = (z[i, k] - top) / t
        mass = taught = told = 0.0
        for k in range(K):
            mass += P[i, k]
            taught += P[i, k] * q[k]
            q[k] = np.exp(q[k])
            told += q[k]
        total += mass * np.log(told) - taught
        for k in range(S):
            probability = q[first + k] / told
            descent[i, k] += (P[i, first + k] - mass * probability) / t
            if len(curvature) > 0:
                curvature[i, k] += mass * probability * (1 - probability) / t**2
    return total


def _parts(
    targets: SoftTargets, weight: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
    """Temperatures, and the weighted probabilities that are taught at them."""
    T, alpha, share = targets.temperature, targets.row_alpha[:, None], weight[:, None]
    if T == 1:  # both parts are cross-entropies against one softmax: one against the mixture
        return [(1.0, share * targets.mixture())]
    parts = [(T, share * alpha * T**2 * temper(targets.teacher, T))]
    if (alpha < 1).any():
        parts.append((1.0, share * (1 - alpha) * targets.one_hot))
    return parts


def fit_scale(z: NDArray[np.float64], P: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Factor s, between 1/30 and 30, at which softmax(s * z) tells `P` best.

    Parameters
    ----------
    z : float64 array of shape (n, K), or (n, 1) for two classes
    P : float64 array of shape (n, K)
    weight : float64 array of shape (n,)

    Returns
    -------
    s : float
    """
    loss, bound = soft_cross_entropy(SoftTargets(P), weight), np.log(30)
    best = minimize_scalar(
        lambda s: loss(np.exp(s) * z)[0],
        bounds=(-bound, bound),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(best.x))
