"""The loss of classifiers: soft cross-entropy with temperature and hard labels.

With logits z, the teacher's probabilities P, hard labels y, a row's alpha a and the temperature
T, the soft cross-entropy is the weighted mean of

    a T² CE(P^(1/T), softmax(z / T)) + (1 − a) CE(y, softmax(z))

(Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 2: T² keeps
the gradients of both parts in proportion). softmax(z) are then probabilities at T = 1, whatever T
is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from skdistill.targets import SoftTargets, temper
from skdistill.utils.jit import njit


class Loss(Protocol):
    """A loss of raw predictions, such as logits, float64 of shape (n_samples, n_scores).

    `differentiate` and `curve` are for some of the rows, so that threads can divide them. Their
    arrays may have more columns than there are scores, which do not count.
    """

    @property
    def n_terms(self) -> int:
        """Numbers a row of which the loss is made."""

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss at raw predictions `z`, and its gradient in their shape."""

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Diagonal of the Hessian in the shape of `z`, above 0; it may be approximate."""

    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        terms: NDArray[np.float64],
    ) -> None:
        """Gradient and terms of some rows.

        Parameters
        ----------
        rows : slice
            Which rows `z` is of.
        n_scores : int
            Columns of `z` that count.
        z : float64 array of shape (n_rows, width), C-contiguous
            Raw predictions.
        gradient : float64 array of shape (n_rows, width), C-contiguous
            Overwritten.
        terms : float64 array of shape (n_terms, n_samples)
            Those of `rows` are overwritten.
        """

    def curve(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        curvature: NDArray[np.float64],
    ) -> None:
        """Diagonal of the Hessian of some rows, which overwrites `curvature`."""

    def total(self, terms: NDArray[np.float64]) -> float:
        """The loss whose terms, of all rows, are `terms`."""


@dataclass(frozen=True)
class NewtonTerms:
    """Minus gradient and diagonal Hessian of raw predictions.

    Parameters
    ----------
    loss : Loss
        Whose weights are not normalized: a weight of 2 counts as two rows, also beside an
        `l2_regularization`.
    """

    loss: RowLoss

    def __call__(self, z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both of all rows, in the shape of `z`."""
        z = np.ascontiguousarray(z)
        descent, curvature = np.empty((2, *z.shape))
        self.of_rows(slice(0, len(z)), z.shape[1], z, descent, curvature)
        return descent, curvature

    def of_rows(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        descent: NDArray[np.float64],
        curvature: NDArray[np.float64],
    ) -> None:
        """Both of some rows.

        Parameters
        ----------
        rows, n_scores, z
            As `Loss.differentiate` takes them.
        descent, curvature : float64 arrays of shape (n_rows, width), C-contiguous
            Overwritten.
        """
        self.loss.newton(rows, n_scores, z, descent, curvature)
        np.negative(descent, out=descent)


class RowLoss(ABC):
    """What losses of rows have in common: all rows are some rows."""

    n_terms: int

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss of raw predictions `z` of shape (n_samples, n_scores), and its gradient."""
        z = np.ascontiguousarray(z)
        gradient, terms = np.empty_like(z), np.empty((self.n_terms, len(z)))
        self.differentiate(slice(0, len(z)), z.shape[1], z, gradient, terms)
        return self.total(terms), gradient

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Diagonal of the Hessian in the shape of `z`."""
        z = np.ascontiguousarray(z)
        curvature = np.empty_like(z)
        self.curve(slice(0, len(z)), z.shape[1], z, curvature)
        return curvature

    def curve(
        self, rows: slice, n_scores: int, z: NDArray[np.float64], curvature: NDArray[np.float64]
    ) -> None:
        """Diagonal of the Hessian of some rows; see `Loss`."""
        self.newton(rows, n_scores, z, np.empty_like(z), curvature)

    @abstractmethod
    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        terms: NDArray[np.float64],
    ) -> None:
        """Gradient and terms of some rows; see `Loss`."""

    @abstractmethod
    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        curvature: NDArray[np.float64],
    ) -> None:
        """Gradient and diagonal of the Hessian of some rows."""

    @abstractmethod
    def total(self, terms: NDArray[np.float64]) -> float:
        """The loss whose terms are `terms`; see `Loss`."""


class _Part(NamedTuple):
    """Probabilities to learn at a temperature, and the weight of each row's."""

    temperature: float
    weight: NDArray[np.float64]
    probabilities: NDArray[np.float64]


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
    return _SoftCrossEntropy(_parts(targets, weight), weight)


@dataclass(frozen=True)
class _SoftCrossEntropy(RowLoss):
    parts: list[_Part]
    weight: NDArray[np.float64]

    @property
    def n_terms(self) -> int:  # type: ignore[override]
        return len(self.parts)

    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        terms: NDArray[np.float64],
    ) -> None:
        gradient[:] = 0
        for (t, weight, P), term in zip(self.parts, terms, strict=True):
            _cross_entropy(
                z, P[rows], weight[rows], n_scores, t, gradient, _NO_CURVATURE, term[rows]
            )

    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        curvature: NDArray[np.float64],
    ) -> None:
        gradient[:] = curvature[:] = 0
        for t, weight, P in self.parts:
            _cross_entropy(z, P[rows], weight[rows], n_scores, t, gradient, curvature, _NO_TERMS)
        np.maximum(curvature, 1e-6 * self.weight[rows, None], out=curvature)

    def total(self, terms: NDArray[np.float64]) -> float:
        return float(sum(_sum_in_order(term) for term in terms))


def newton_terms(targets: SoftTargets, weight: NDArray[np.float64]) -> NewtonTerms:
    """Minus gradient and diagonal Hessian of each row's soft cross-entropy.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, as in `NewtonTerms`.

    Returns
    -------
    terms : NewtonTerms
        Takes logits as `soft_cross_entropy` does. The Hessian is at least 1e-6 times the row's
        weight, so that no step is unbounded.
    """
    return NewtonTerms(_SoftCrossEntropy(_parts(targets, weight), weight))


_NO_CURVATURE = np.zeros((0, 0))
_NO_TERMS = np.zeros(0)
_TAYLOR = tuple(1 / factorial(i) for i in range(12, -1, -1))
_LANES = 128  # rows at a time: what is computed of them stays in the first-level cache


@njit
def add_cross_entropy(z, P, t, gradient, curvature):  # type: ignore[no-untyped-def]
    """Cross-entropy of P and softmax(z / t), summed over the rows.

    Its gradient and, unless `curvature` is empty, the diagonal of its Hessian are added to the
    arrays. P holds weighted probabilities: a row of it sums to the row's weight. A kernel for other
    kernels, too.
    """
    terms = np.empty(len(P))
    _cross_entropy(z, P, np.ones(len(P)), z.shape[1], t, gradient, curvature, terms)
    return _sum_in_order(terms)


@njit
def _sum_in_order(terms):  # type: ignore[no-untyped-def]
    """Sum from the first to the last, whatever their number."""
    total = 0.0
    for term in terms:
        total += term
    return total


@njit(error_model="numpy")  # a division that may raise an error is done one row at a time
def _cross_entropy(  # type: ignore[no-untyped-def]
    z, P, row_weight, n_scores, t, gradient, curvature, terms
):
    """Cross-entropy of each row's weighted P and softmax(z / t), in `terms`.

    The gradient and, unless it is empty, the diagonal of the Hessian are added to `gradient` and
    `curvature`. Rows lie side by side, class by class, so that vector units compute several at
    once; no row's sums depend on the others.
    """
    n_samples, n_classes = P.shape
    first = n_classes - n_scores  # 1 where the logit of the first of two classes is 0, not stored
    # Each has memory of its own: parts of one array might overlap, for all the compiler knows.
    p, q = np.empty((n_classes, _LANES)), np.empty((n_classes, _LANES))
    slope = np.empty((n_classes, _LANES))
    largest, weight, ratio = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
    dot, total = np.empty(_LANES), np.empty(_LANES)
    for start in range(0, n_samples, _LANES):
        n = min(_LANES, n_samples - start)
        for i in range(n):
            for k in range(n_classes):
                p[k, i] = row_weight[start + i] * P[start + i, k]
            for k in range(n_scores):
                q[first + k, i] = z[start + i, k]
        if first:
            q[0] = 0.0
        # The largest logit is subtracted, so that no exponential overflows.
        for i in range(n):
            largest[i] = q[0, i]
        for k in range(1, n_classes):
            for i in range(n):
                largest[i] = max(largest[i], q[k, i])
        for k in range(n_classes):
            for i in range(n):
                q[k, i] -= largest[i]
        _divide(q, t, n)
        for i in range(n):
            weight[i] = dot[i] = total[i] = 0.0
        for k in range(n_classes):
            for i in range(n):
                weight[i] += p[k, i]
                dot[i] += p[k, i] * q[k, i]
                q[k, i] = _exp(q[k, i])
                total[i] += q[k, i]
        if len(terms) > 0:
            for i in range(n):
                terms[start + i] = weight[i] * np.log(total[i]) - dot[i]
        if len(curvature) > 0:
            for k in range(first, n_classes):
                for i in range(n):
                    probability = q[k, i] / total[i]
                    slope[k, i] = weight[i] * probability * (1 - probability)
            _divide(slope, t**2, n)
            for i in range(n):
                for k in range(n_scores):
                    curvature[start + i, k] += slope[first + k, i]
        for i in range(n):
            ratio[i] = weight[i] / total[i]
        for k in range(first, n_classes):
            for i in range(n):
                slope[k, i] = ratio[i] * q[k, i] - p[k, i]
        _divide(slope, t, n)
        for i in range(n):
            for k in range(n_scores):
                gradient[start + i, k] += slope[first + k, i]


@njit
def _divide(table, divisor, n):  # type: ignore[no-untyped-def]
    """Divide the first `n` columns; divisions by 1, which cost as much as others, are left out."""
    if divisor != 1:
        for k in range(table.shape[0]):
            for i in range(n):
                table[k, i] /= divisor


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
    # 1.5 * 2**52 + m has m in its last bits; few vector units turn float64 into int64.
    exponent = np.float64(m + 6755399441055744.0).view(np.int64) + 1023
    return power * np.int64(exponent << 52).view(np.float64)


def loss_parts(
    targets: SoftTargets, weight: NDArray[np.float64]
) -> list[tuple[float, NDArray[np.float64]]]:
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
    return [(t, w[:, None] * P) for t, w, P in _parts(targets, weight)]


def _parts(targets: SoftTargets, weight: NDArray[np.float64]) -> list[_Part]:
    """The parts of the loss, without a copy of the probabilities where they are the targets."""
    T, alpha = targets.temperature, targets.row_alpha
    if T == 1:  # both parts are cross-entropies against one softmax: one against the mixture
        return [_Part(1.0, weight, np.ascontiguousarray(targets.mixture()))]
    soft = np.ascontiguousarray(temper(targets.teacher, T))
    parts = [_Part(T, weight * alpha * T**2, soft)]
    if (alpha < 1).any():
        parts.append(_Part(1.0, weight * (1 - alpha), targets.one_hot))
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
