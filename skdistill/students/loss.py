"""The losses of students: soft cross-entropy with temperature and hard labels; squared error.

With logits z, the teacher's probabilities P, hard labels y, a row's alpha a and the temperature
T, the soft cross-entropy is the weighted mean of

    a T² CE(P^(1/T), softmax(z / T)) + (1 − a) CE(y, softmax(z))

(Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 2: T² keeps
the gradients of both parts in proportion). softmax(z) are then probabilities at T = 1, whatever T
is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import factorial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from skdistill.targets import SoftTargets, temper
from skdistill.utils.jit import njit


class Loss(Protocol):
    """A loss of raw predictions, such as logits, float64 of shape (n_samples, n_scores)."""

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss at raw predictions `z`, and its gradient in their shape."""

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Diagonal of the Hessian in the shape of `z`, above 0; it may be approximate."""


NewtonTerms = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""From raw predictions to minus the gradient and the diagonal of the Hessian, in their shape."""

_Part = tuple[float, NDArray[np.float64]]  # a temperature, and weighted probabilities


def soft_cross_entropy(targets: SoftTargets, weight: NDArray[np.float64]) -> Loss:
    """Soft cross-entropy as a function of logits.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    weight : float64 array of shape (n_samples,)
        Weights of the rows. The loss is a mean: it does not change with their sum.

    Returns
    -------
    loss : Loss
        Takes logits of shape (n_samples, n_classes), or (n_samples, 1) for two classes, whose
        other logit is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.loss import soft_cross_entropy
    >>> from skdistill.targets import SoftTargets
    >>> loss = soft_cross_entropy(SoftTargets(np.array([[0.25, 0.75]])), np.ones(1))
    >>> value, gradient = loss(np.zeros((1, 1)))
    >>> round(value, 3), gradient.tolist()
    (0.693, [[-0.25]])
    """
    weight = weight / weight.sum()
    return _SoftCrossEntropy(loss_parts(targets, weight), weight)


@dataclass(frozen=True)
class _SoftCrossEntropy:
    parts: list[_Part]
    weight: NDArray[np.float64]

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        gradient = np.zeros_like(z)
        value = sum(add_cross_entropy(z, P, t, gradient, _NO_CURVATURE) for t, P in self.parts)
        return float(value), gradient

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return _newton(self.parts, self.weight, z)[1]


def newton_terms(targets: SoftTargets, weight: NDArray[np.float64]) -> NewtonTerms:
    """Minus gradient and diagonal Hessian of each row's soft cross-entropy.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    weight : float64 array of shape (n_samples,)
        Weights of the rows. They are not normalized: a weight of 2 counts as two rows, also
        beside an `l2_regularization`.

    Returns
    -------
    terms : callable
        Takes logits as `soft_cross_entropy` does. The Hessian is at least 1e-6 times the row's
        weight, so that no step is unbounded.
    """
    return partial(_newton, loss_parts(targets, weight), weight)


def _newton(
    parts: list[_Part], weight: NDArray[np.float64], z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Minus the gradient, and the diagonal of the Hessian."""
    gradient, curvature = np.zeros_like(z), np.zeros_like(z)
    for t, P in parts:
        add_cross_entropy(z, P, t, gradient, curvature)
    curvature = np.maximum(curvature, 1e-6 * weight[:, None], out=curvature)
    return np.negative(gradient, out=gradient), curvature


_NO_CURVATURE = np.zeros((0, 0))
_TAYLOR = tuple(1 / factorial(i) for i in range(12, -1, -1))


@njit
def add_cross_entropy(z, P, t, gradient, curvature):  # type: ignore[no-untyped-def]
    """Cross-entropy of P and softmax(z / t), summed over the rows.

    Its gradient and, unless `curvature` is empty, the diagonal of its Hessian are added to the
    arrays. P holds weighted probabilities: a row of it sums to the row's weight. A kernel for other
    kernels, too.
    """
    n_samples, n_classes = P.shape
    n_scores = z.shape[1]
    first = n_classes - n_scores  # 1 where the logit of the first of two classes is 0, not stored
    q = np.zeros(n_classes)
    value = 0.0
    for i in range(n_samples):
        # The largest logit is subtracted, so that no exponential overflows.
        largest = 0.0 if first else z[i, 0]
        for k in range(n_scores):
            largest = max(largest, z[i, k])
        q[0] = -largest / t
        for k in range(n_scores):
            q[first + k] = (z[i, k] - largest) / t
        weight = dot = total = 0.0
        for k in range(n_classes):
            weight += P[i, k]
            dot += P[i, k] * q[k]
        for k in range(n_classes):
            q[k] = _exp(q[k])
        for k in range(n_classes):
            total += q[k]
        value += weight * np.log(total) - dot
        for k in range(n_scores):
            gradient[i, k] += (weight / total * q[first + k] - P[i, first + k]) / t
        if len(curvature) > 0:
            for k in range(n_scores):
                p = q[first + k] / total
                curvature[i, k] += weight * p * (1 - p) / t**2
    return value


@njit
def _exp(x):  # type: ignore[no-untyped-def]
    """The exponential of x <= 0; unlike np.exp it lets a loop of it run on vector units.

    exp(x) = 2**m * exp(r), where m = round(x / ln 2) and |r| <= ln(2) / 2.
    """
    x = max(x, -700.0)  # below, 2**m would be subnormal
    m = np.rint(x * 1.4426950408889634)
    # ln 2 in two parts: the first has few bits, so that its products are exact.
    r = (x - m * 0.693145751953125) - m * 1.4286068203094172e-06
    power = 0.0
    for coefficient in _TAYLOR:
        power = power * r + coefficient
    return power * np.int64((np.int64(m) + 1023) << 52).view(np.float64)  # the exponent's bits


def loss_parts(targets: SoftTargets, weight: NDArray[np.float64]) -> list[_Part]:
    """Temperatures, and the weighted probabilities to learn at them.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.

    Returns
    -------
    parts : list of (float, float64 array of shape (n_samples, n_classes))
        The loss is the sum over the parts of `add_cross_entropy`.
    """
    T, alpha, weight = targets.temperature, targets.row_alpha[:, None], weight[:, None]
    if T == 1:  # both parts are cross-entropies against one softmax: one against the mixture
        return [(1.0, weight * targets.mixture())]
    parts = [(T, weight * alpha * T**2 * temper(targets.teacher, T))]
    if (alpha < 1).any():
        parts.append((1.0, weight * (1 - alpha) * targets.one_hot))
    return parts


def fit_scale(z: NDArray[np.float64], P: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Factor of logits that gives the least cross-entropy of ``softmax(s * z)`` and `P`.

    Parameters
    ----------
    z : float64 array of shape (n_samples, n_classes), or (n_samples, 1) for two classes
        Logits.
    P : float64 array of shape (n_samples, n_classes)
        Probabilities.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.

    Returns
    -------
    s : float
        Between 1/30 and 30.
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
    """Half the weighted mean of the squared errors, summed over targets: a `Loss`.

    Parameters
    ----------
    y : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    """

    y: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss of predictions `z` of shape (n_samples, n_outputs), and its gradient."""
        error = z - self.y
        gradient = self.curvature(z) * error
        return float((gradient * error).sum()) / 2, gradient

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of each row in the total weight: the Hessian is diagonal."""
        return np.broadcast_to((self.weight / self.weight.sum())[:, None], z.shape)


def squared_newton_terms(y: NDArray[np.float64], weight: NDArray[np.float64]) -> NewtonTerms:
    """Minus gradient and diagonal Hessian of half the squared error: residuals and weights.

    Parameters
    ----------
    y : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, as in `newton_terms`.

    Returns
    -------
    terms : callable
        Takes predictions of shape (n_samples, n_outputs).
    """
    curvature = np.repeat(weight[:, None], y.shape[1], axis=1)
    return lambda z: (curvature * (y - z), curvature)
