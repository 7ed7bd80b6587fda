"""Temperature of soft targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

EPS = 1e-6
"""Least probability before a temperature is applied.

The 0 of a forest has no logarithm. At T = 4 the choice matters: it turns a one-hot row of two
classes into (.97, .03).
"""


def temper(P: NDArray[np.float64], temperature: float, eps: float = EPS) -> NDArray[np.float64]:
    """P^(1/T): flatter for T > 1, sharper for T < 1.

    Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 2.

    Parameters
    ----------
    P : float64 array of shape (n_samples, n_classes)
        Probabilities.
    temperature : float
        Above 0. At 1 nothing is changed.
    eps : float, default=1e-6
        Smaller probabilities are raised to it first.

    Returns
    -------
    P : float64 array of shape (n_samples, n_classes)
        ``softmax(log(P) / temperature)``, by row.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import temper
    >>> temper(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    if temperature == 1:
        return P
    tempered: NDArray[np.float64] = softmax(np.log(np.clip(P, eps, 1)) / temperature, axis=1)
    return tempered


def calibrate_temperature(
    P: NDArray[np.float64], y: NDArray[np.intp], sample_weight: NDArray[np.float64] | None = None
) -> float:
    """Temperature at which P^(1/T) has the least log loss.

    Guo et al. 2017, "On calibration of modern neural networks", section 4.2.

    Parameters
    ----------
    P : float64 array of shape (n_samples, n_classes)
        Out-of-fold probabilities. In-sample ones are too good: they always need a lower
        temperature.
    y : int array of shape (n_samples,)
        Class numbers.
    sample_weight : float64 array of shape (n_samples,), default=None
        Weights of the rows; None weighs them equally.

    Returns
    -------
    temperature : float
        Between 0.1 and 10.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import calibrate_temperature
    >>> P = np.array([[0.6, 0.4], [0.4, 0.6], [0.4, 0.6], [0.4, 0.6], [0.4, 0.6]])
    >>> round(calibrate_temperature(P, np.array([0, 1, 1, 1, 0])), 2)  # 80 % are right
    0.29
    """
    logits = np.log(np.clip(P, EPS, 1))

    def loss(log_temperature: float) -> float:
        log_P = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(np.average(log_P[np.arange(len(y)), y], weights=sample_weight))

    best = minimize_scalar(
        loss, bounds=(np.log(0.1), np.log(10)), method="bounded", options={"xatol": 1e-4}
    )
    return float(np.exp(best.x))
