"""Validation of probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUM_TOLERANCE = 1e-6
"""How far the sum of a row of probabilities may be from 1, unless stated otherwise."""


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
    P : array-like of shape (n_samples, n_classes)
        Probabilities.
    name : str, default="y"
        Used in error messages.
    tolerance : float, default=1e-6
        By how much the sum of a row may differ from 1.
    remedy : str, default="rows must be probabilities"
        End of the error messages.

    Returns
    -------
    P : float64 array of shape (n_samples, n_classes)
        A copy, with rows divided by their sums.

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
    P = np.array(P, dtype=np.float64)  # a copy: rows are divided in place
    if P.ndim != 2:
        raise ValueError(f"{name} must have shape (n_samples, n_classes), got {P.shape}")
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
