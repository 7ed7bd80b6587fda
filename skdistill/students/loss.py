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
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from skdistill.targets import SoftTargets, temper

Loss = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


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
    T, alpha = targets.temperature, targets.row_alpha[:, None]
    share = (weight / weight.sum())[:, None]
    if T == 1:  # both parts are cross-entropies against the same softmax: one against the mixture
        parts = [(1.0, share * targets.mixture())]
    else:
        parts = [(T, share * alpha * T**2 * temper(targets.teacher, T))]
        if (alpha < 1).any():
            parts.append((1.0, share * (1 - alpha) * targets.one_hot))
    masses = [P.sum(axis=1, keepdims=True) for _, P in parts]

    def loss(z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        full = np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z
        total, gradient = 0.0, np.zeros_like(full)
        for (t, P), mass in zip(parts, masses, strict=True):
            log_q = log_softmax(full / t, axis=1)
            total -= float((P * log_q).sum())
            gradient += (mass * np.exp(log_q) - P) / t
        return total, gradient[:, 1:] if z.shape[1] == 1 else gradient

    return loss


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
