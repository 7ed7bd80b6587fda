"""Temperature of soft targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

EPS = 1e-6
"""Probabilities are clipped here before a temperature is applied.

A forest's 0 has no logarithm. At T = 4 the choice is visible: it turns a one-hot row of
two classes into (.97, .03).
"""


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
