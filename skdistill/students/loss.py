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
from scipy.special import log_softmax, softmax

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
    masses = [P.sum(axis=1, keepdims=True) for _, P in parts]

    def loss(z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        full = _all_logits(z)
        total, gradient = 0.0, np.zeros_like(full)
        for (t, P), mass in zip(parts, masses, strict=True):
            log_q = log_softmax(full / t, axis=1)
            total -= float((P * log_q).sum())
            gradient += (mass * np.exp(log_q) - P) / t
        return total, gradient[:, 1:] if z.shape[1] == 1 else gradient

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
    masses = [P.sum(axis=1, keepdims=True) for _, P in parts]
    least = 1e-6 * weight[:, None]

    def terms(z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        full = _all_logits(z)
        descent, curvature = np.zeros_like(full), np.zeros_like(full)
        for (t, P), mass in zip(parts, masses, strict=True):
            q = softmax(full / t, axis=1)
            descent += (P - mass * q) / t
            curvature += mass * q * (1 - q) / t**2
        curvature = np.maximum(curvature, least)
        return (descent[:, 1:], curvature[:, 1:]) if z.shape[1] == 1 else (descent, curvature)

    return terms


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


def _all_logits(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """For two classes the logit of the first, which is 0, beside the given one."""
    return np.hstack([np.zeros_like(z), z]) if z.shape[1] == 1 else z


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


def squared_error(y: NDArray[np.float64], weight: NDArray[np.float64]) -> Loss:
    """Half the weighted mean of the squared errors of a row, summed over targets.

    Parameters
    ----------
    y : float64 array of shape (n, S)
    weight : float64 array of shape (n,)

    Returns
    -------
    loss : callable
        Takes float64 values of shape (n, S); gives the loss and its gradient.
    """
    share = (weight / weight.sum())[:, None]

    def loss(z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        away = z - y
        gradient = share * away
        return float((gradient * away).sum()) / 2, gradient

    return loss


def squared_newton_terms(y: NDArray[np.float64], weight: NDArray[np.float64]) -> Newton:
    """As `newton_terms` for half the squared error: weighted residuals, and the weights.

    Parameters
    ----------
    y : float64 array of shape (n, S)
    weight : float64 array of shape (n,)

    Returns
    -------
    terms : callable
        Takes float64 values of shape (n, S); gives two arrays of that shape.
    """
    curvature = np.repeat(weight[:, None], y.shape[1], axis=1)
    return lambda z: (curvature * (y - z), curvature)
