"""What is taught: soft targets, their temperature, and their mixture with hard labels.

Symbols: n rows, K classes; P are probabilities, T is the temperature, and
P^(1/T) stands for ``softmax(log(P) / T)``, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

EPS = 1e-6
"""Probabilities are clipped here before a temperature is applied.

A forest's 0 has no logarithm. At T = 4 the choice is visible: it turns a one-hot row of
two classes into (.97, .03).
"""
SUM_TOLERANCE = 1e-6


def check_probabilities(
    P: ArrayLike,
    name: str = "y",
    *,
    tolerance: float = SUM_TOLERANCE,
    remedy: str = "rows must be probabilities",
) -> NDArray[np.float64]:
    """Validate rows of probabilities and make them sum to 1 to the last bit possible.

    Parameters
    ----------
    P : array-like of shape (n, K)
    name : str, default="y"
        What error messages call it.
    tolerance : float, default=1e-6
        By how much the sum of a row may differ from 1.
    remedy : str
        What error messages end in.

    Returns
    -------
    P : float64 array of shape (n, K)

    Raises
    ------
    ValueError
        If a row is negative, not finite or does not sum to 1 within `tolerance`.

    Examples
    --------
    >>> from skdistill.targets import check_probabilities
    >>> check_probabilities([[0.5, 0.6]])
    Traceback (most recent call last):
    ValueError: y row 0 sums to 1.1, not to 1: rows must be probabilities
    """
    P = np.array(P, dtype=np.float64)
    if P.ndim != 2:
        raise ValueError(f"{name} must have shape (n, K), got {P.shape}")
    if not np.isfinite(P).all():
        row = int(np.flatnonzero(~np.isfinite(P).all(axis=1))[0])
        raise ValueError(f"{name} row {row} contains NaN or infinity: {remedy}")
    if (P < 0).any():
        row = int(np.flatnonzero((P < 0).any(axis=1))[0])
        raise ValueError(f"{name} row {row} has the negative value {P[row].min():.6g}: {remedy}")
    sums = P.sum(axis=1, keepdims=True)
    wrong = np.abs(sums[:, 0] - 1) > tolerance
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"{name} row {row} sums to {sums[row, 0]:.6g}, not to 1: {remedy}")
    np.divide(P, sums, out=P, where=sums != 1)
    return P


def temper(P: NDArray[np.float64], temperature: float, eps: float = EPS) -> NDArray[np.float64]:
    """P^(1/T): flatter for T > 1, sharper for T < 1.

    Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 2.

    Parameters
    ----------
    P : float64 array of shape (n, K)
    temperature : float, > 0
    eps : float, default=1e-6
        Probabilities are clipped to it first; at T = 1 nothing is changed.

    Returns
    -------
    P : float64 array of shape (n, K)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import temper
    >>> temper(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    if temperature == 1:
        return P
    return softmax(np.log(np.clip(P, eps, 1)) / temperature, axis=1)


def calibrate_temperature(
    P: NDArray[np.float64], y: NDArray[np.intp], weight: NDArray[np.float64] | None = None
) -> float:
    """Temperature at which P^(1/T) tells the labels best: least log loss.

    Guo et al. 2017, "On calibration of modern neural networks", section 4.2.

    Parameters
    ----------
    P : float64 array of shape (n, K)
        Out-of-fold probabilities; in-sample ones would always ask for sharper.
    y : int array of shape (n,)
        Class numbers.
    weight : float64 array of shape (n,), default=None

    Returns
    -------
    temperature : float in [0.1, 10]
    """
    logits = np.log(np.clip(P, EPS, 1))

    def loss(log_temperature: float) -> float:
        told = log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(y)), y]
        return -float(np.average(told, weights=weight))

    best = minimize_scalar(
        loss, bounds=(np.log(0.1), np.log(10)), method="bounded", options={"xatol": 1e-4}
    )
    return float(np.exp(best.x))


def soft_log_loss(
    P_true: ArrayLike, P_pred: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Mean cross-entropy of predicted against soft target probabilities, in nats.

    Parameters
    ----------
    P_true, P_pred : array-like of shape (n, K)
    sample_weight : array-like of shape (n,), default=None

    Returns
    -------
    loss : float
        The entropy of `P_true` is its least value. Predictions are clipped at the
        float64 epsilon, as scikit-learn's `log_loss` does.

    Raises
    ------
    ValueError
        If either is no table of probabilities or the shapes differ.

    Examples
    --------
    >>> from skdistill.metrics import soft_log_loss
    >>> round(soft_log_loss([[0.5, 0.5]], [[0.5, 0.5]]), 4)
    0.6931
    """
    P_true, P_pred = check_probabilities(P_true, "P_true"), check_probabilities(P_pred, "P_pred")
    if P_true.shape != P_pred.shape:
        raise ValueError(
            f"P_true has shape {P_true.shape} and P_pred {P_pred.shape}: they must be equal"
        )
    told = np.log(np.clip(P_pred, np.finfo(np.float64).eps, 1))
    return float(np.average(-(P_true * told).sum(axis=1), weights=sample_weight))


@dataclass(frozen=True)
class SoftTargets:
    """Teacher's probabilities and hard labels, kept apart until a student mixes them.

    Parameters
    ----------
    teacher : float64 array of shape (n, K)
        Probabilities at T = 1.
    hard : int array of shape (n,), default=None
        Class numbers; −1, or None for all, where no label is known.
    alpha : float in [0, 1], or array of shape (n,), default=1.0
        Weight of the teacher where a label is known, 1 elsewhere.
    temperature : float, default=1.0
        For what is tempered: tree structure and the gradient losses.
    hints : float64 array of shape (n, r), default=None
        Further targets while the structure of trees grows; see `skdistill.hints`.
    hint_weight : float, default=1.0
        Variance of all hints together, as a multiple of that of the targets.
    """

    teacher: NDArray[np.float64]
    hard: NDArray[np.intp] | None = None
    alpha: float | NDArray[np.float64] = 1.0
    temperature: float = 1.0
    hints: NDArray[np.float64] | None = None
    hint_weight: float = 1.0

    def __len__(self) -> int:
        return len(self.teacher)

    @property
    def n_classes(self) -> int:
        """Number of classes, K."""
        return self.teacher.shape[1]

    @property
    def row_alpha(self) -> NDArray[np.float64]:
        """Weight of the teacher in each row, float64 array of shape (n,)."""
        if self.hard is None:
            return np.ones(len(self))
        return np.where(self.hard >= 0, self.alpha, 1.0)

    @property
    def one_hot(self) -> NDArray[np.float64]:
        """Hard labels as probabilities, shape (n, K); rows without label are 0."""
        table = np.zeros_like(self.teacher)
        if self.hard is not None:
            known = np.flatnonzero(self.hard >= 0)
            table[known, self.hard[known]] = 1
        return table

    def mixture(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """``alpha * P^(1/T) + (1 - alpha) * one_hot``, float64 array of shape (n, K)."""
        alpha = self.row_alpha[:, None]
        if (alpha == 1).all():
            return temper(self.teacher, temperature)
        return alpha * temper(self.teacher, temperature) + (1 - alpha) * self.one_hot

    def hints_beside(
        self, taught: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Hints around their means, in the unit that gives them their weight beside `taught`."""
        taught, hints = (
            table - np.average(table, axis=0, weights=weight) for table in (taught, self.hints)
        )
        ours, theirs = (weight @ np.square(table).sum(axis=1) for table in (taught, hints))
        return hints * np.sqrt(self.hint_weight * ours / theirs) if theirs > 0 else hints

    def take(self, rows: NDArray[np.bool_]) -> SoftTargets:
        """The targets of some rows."""
        tables = {name: getattr(self, name) for name in ("teacher", "hard", "alpha", "hints")}
        return replace(self, **{name: t[rows] for name, t in tables.items() if np.ndim(t) > 0})
