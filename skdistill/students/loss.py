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
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from skdistill.students.cross_entropy import cross_entropy, raise_to_weight
from skdistill.targets import SoftTargets, temper


class Loss(Protocol):
    """A loss of raw predictions, such as logits, float64 of shape (n_samples, n_scores).

    `differentiate` and `curve` are for some of the rows, so that threads can divide them. Their
    arrays are of one type, float32 or float64, in which most of the work is done. They may have
    more columns than there are scores, which do not count.
    """

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss at raw predictions `z`, and its gradient in their shape."""

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Diagonal of the Hessian in the shape of `z`, above 0; it may be approximate."""

    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
    ) -> float:
        """Gradient of some rows, and their part of the loss.

        Parameters
        ----------
        rows : slice
            Which rows `z` is of.
        n_scores : int
            Columns of `z` that count.
        z : float32 or float64 array of shape (n_rows, width), C-contiguous
            Raw predictions.
        gradient : array of the type and shape of `z`, C-contiguous
            Overwritten.

        Returns
        -------
        part : float
            Those of all rows add up to the loss.
        """

    def curve(self, rows: slice, n_scores: int, z: NDArray[Any], curvature: NDArray[Any]) -> None:
        """Diagonal of the Hessian of some rows, which overwrites `curvature`."""

    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
        curvature: NDArray[Any],
    ) -> None:
        """Gradient and diagonal of the Hessian of some rows, which overwrite the arrays."""


class RowLoss(ABC):
    """What losses of rows have in common: all rows are some rows."""

    def __call__(self, z: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss of raw predictions `z` of shape (n_samples, n_scores), and its gradient."""
        z = np.ascontiguousarray(z)
        gradient = np.empty_like(z)
        return self.differentiate(slice(0, len(z)), z.shape[1], z, gradient), gradient

    def curvature(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Diagonal of the Hessian in the shape of `z`."""
        z = np.ascontiguousarray(z)
        curvature = np.empty_like(z)
        self.curve(slice(0, len(z)), z.shape[1], z, curvature)
        return curvature

    def curve(self, rows: slice, n_scores: int, z: NDArray[Any], curvature: NDArray[Any]) -> None:
        """Diagonal of the Hessian of some rows; see `Loss`."""
        self.newton(rows, n_scores, z, np.empty_like(z), curvature)

    @abstractmethod
    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
    ) -> float:
        """Gradient of some rows, and their part of the loss; see `Loss`."""

    @abstractmethod
    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
        curvature: NDArray[Any],
    ) -> None:
        """Gradient and diagonal of the Hessian of some rows; see `Loss`."""


class _Part(NamedTuple):
    """Probabilities to learn at a temperature, and the weight of each row's."""

    temperature: float
    weight: NDArray[np.float64]
    probabilities: NDArray[np.float64]


def soft_cross_entropy(
    targets: SoftTargets, weight: NDArray[np.float64], total: float | None = None
) -> Loss:
    """Soft cross-entropy as a function of logits.

    Parameters
    ----------
    targets : SoftTargets
        Probabilities and labels of the rows.
    weight : float64 array of shape (n_samples,)
        Weights of the rows. The loss is a mean: it does not change with their sum.
    total : float, default=None
        Weight of all rows, where these are some of them. None is the sum of `weight`; with 1 the
        loss is a sum.

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
    total = float(weight.sum()) if total is None else total
    return _SoftCrossEntropy(_parts(targets, weight), weight, total)


@dataclass(frozen=True)
class _SoftCrossEntropy(RowLoss):
    """Weights count as fractions of their total, which is no copy of them."""

    parts: list[_Part]
    weight: NDArray[np.float64]
    total: float

    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
    ) -> float:
        gradient[:] = 0
        none = np.zeros((0, 0), z.dtype)
        return float(
            sum(
                cross_entropy(z, P[rows], weight[rows], self.total, n_scores, t, gradient, none)
                for t, weight, P in self.parts
            )
        )

    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
        curvature: NDArray[Any],
    ) -> None:
        gradient[:] = curvature[:] = 0
        for t, weight, P in self.parts:
            cross_entropy(z, P[rows], weight[rows], self.total, n_scores, t, gradient, curvature)
        raise_to_weight(curvature, self.weight[rows], 1e-6 / self.total)


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
