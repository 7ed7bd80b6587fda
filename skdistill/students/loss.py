"""The loss of gradient students: soft cross-entropy with temperature and hard labels.

Symbols: z logits of shape (n, K); P teacher's probabilities, y hard labels, a = alpha of a
row, T temperature, w weights. The loss is the weighted mean of

    a T² CE(P^(1/T), softmax(z / T)) + (1 − a) CE(y, softmax(z))

(Hinton, Vinyals & Dean 2015, section 2: T² keeps the gradients of both parts in step), so
that softmax(z) are probabilities at T = 1 whatever T is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import factorial
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from skdistill.targets import SoftTargets, temper


class Loss(Protocol):
    """What a refit minimises: a loss of the logits, or of whatever scores it is for."""

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss, and its gradient in the shape of `z`."""
        ...

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Diagonal of the Hessian in the shape of `z`, above 0; it may be rough."""
        ...


Newton = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
Part = tuple[float, NDArray[np.float64]]


def soft_cross_entropy(targets: SoftTargets, weight: NDArray[np.float64]) -> Loss:
    """The loss as a function of the logits.

    Parameters
    ----------
    targets : SoftTargets
    weight : float64 array of shape (n,)

    Returns
    -------
    loss : Loss
        Takes float64 logits of shape (n, K), or (n, 1) for two classes, whose other logit
        is 0; gives the loss and its gradient in the same shape.
    """
    weight = weight / weight.sum()
    return _SoftCrossEntropy(_parts(targets, weight), weight)


@dataclass(frozen=True)
class _SoftCrossEntropy:
    parts: list[Part]
    weight: NDArray[np.float64]

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        gradient = np.zeros_like(z)
        value = sum(_add_part(z, P, t, gradient, _UNASKED) for t, P in self.parts)
        return value, gradient

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return _newton(self.parts, self.weight, z)[1]


def newton_terms(targets: SoftTargets, weight: NDArray[np.float64]) -> Newton:
    """What a boosting round reads: minus the gradient, and the diagonal of the Hessian.

    Parameters
    ----------
    targets : SoftTargets
    weight : float64 array of shape (n,)
        As given: a weight of 2 is two rows, also beside an `l2_regularization`.

    Returns
    -------
    terms : callable
        Takes logits as `soft_cross_entropy` does; gives two arrays of their shape, of
        each row's own loss. The second is at least 1e-6 times the row's weight.
    """
    return partial(_newton, _parts(targets, weight), weight)


def _newton(
    parts: list[Part], weight: NDArray[np.float64], z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minus the gradient, and the diagonal of the Hessian."""
    gradient, curvature = np.zeros_like(z), np.zeros_like(z)
    for t, P in parts:
        _add_part(z, P, t, gradient, curvature)
    curvature = np.maximum(curvature, 1e-6 * weight[:, None], out=curvature)
    return np.negative(gradient, out=gradient), curvature


_UNASKED = np.zeros((0, 0))
_TAYLOR = tuple(1 / factorial(i) for i in range(12, -1, -1))


@njit(nogil=True, cache=True)
def _add_part(z, P, t, gradient, curvature):
    """Cross-entropy of P and softmax(z / t), its terms added to what is given; P is weighted."""
    n, K = P.shape
    S = z.shape[1]
    first = K - S  # 1 where the logit of the first of two classes is 0 and not given
    q = np.zeros(K)
    value = 0.0
    for i in range(n):
        top = 0.0 if first else z[i, 0]
        for k in range(S):
            top = max(top, z[i, k])
        q[0] = -top / t
        for k in range(S):
            q[first + k] = (z[i, k] - top) / t
        mass = taught = told = 0.0
        for k in range(K):
            mass += P[i, k]
            taught += P[i, k] * q[k]
        for k in range(K):
            q[k] = _exp(q[k])
        for k in range(K):
            told += q[k]
        value += mass * np.log(told) - taught
        for k in range(S):
            gradient[i, k] += (mass / told * q[first + k] - P[i, first + k]) / t
        if len(curvature) > 0:
            for k in range(S):
                share = q[first + k] / told
                curvature[i, k] += mass * share * (1 - share) / t**2
    return value


@njit(nogil=True, cache=True)
def _exp(x):
    """The exponential of x <= 0; unlike np.exp it lets a loop of it run on vector units."""
    x = max(x, -700.0)
    twos = np.rint(x * 1.4426950408889634)
    # ln 2 in two parts: the first has few bits, so that its products are exact.
    r = (x - twos * 0.693145751953125) - twos * 1.4286068203094172e-06
    power = 0.0
    for term in _TAYLOR:  # |r| <= ln(2) / 2
        power = power * r + term
    return power * np.int64((np.int64(twos) + 1023) << 52).view(np.float64)


def _parts(targets: SoftTargets, weight: NDArray[np.float64]) -> list[Part]:
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


@dataclass(frozen=True)
class SquaredError:
    """Half the weighted mean of the squared errors of a row, summed over targets: a `Loss`.

    Parameters
    ----------
    y : float64 array of shape (n, S)
    weight : float64 array of shape (n,)
    """

    y: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss of values `z` of shape (n, S), and its gradient."""
        away = z - self.y
        gradient = self.curvature(z) * away
        return float((gradient * away).sum()) / 2, gradient

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of each row in the weight; the Hessian has nothing else."""
        return np.broadcast_to((self.weight / self.weight.sum())[:, None], z.shape)


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
