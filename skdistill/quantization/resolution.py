"""What int32 scores cannot resolve of a target that lies far from 0."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import Table

_MOST_ROWS = 10_000  # that show the spread of the inputs
MOST_LOST = 0.01
"""Of a standard deviation that rounding may take without a word."""


def takes_the_range(bias: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether a constant takes so much of int32 that it decides the value of a score.

    Parameters
    ----------
    bias : int array of shape (n_scores,)
        Integer scores before all tables.

    Returns
    -------
    far : bool array of shape (n_scores,)
        Quantizers give 29 or 30 bits at most to a constant.
    """
    far: NDArray[np.bool_] = np.abs(bias.astype(np.int64)) > 2**29 - 2**22
    return far


def rounding_error(
    bias: NDArray[np.integer], scale: Any, tables: Iterable[Table], X: Any = None
) -> NDArray[np.float64]:
    """Error of a regression by values and weights that a constant leaves few levels to.

    Each table says what rounding does to its values, see `Table.rounding_variance`.

    Parameters
    ----------
    bias : int array of shape (n_scores,)
        Integer scores before all tables.
    scale : float, or float64 array of shape (n_scores,)
        Value of a score.
    tables : iterable of Table
        What adds up to the scores.
    X : array or CSR of shape (n_samples, n_features), default=None
        Rows that show the spread of what weights act on.

    Returns
    -------
    error : float64 array of shape (n_scores,)
        Root mean square in units of each target; 0 where the constant is not the reason.
    """
    far = takes_the_range(bias)
    variance = np.zeros(len(bias))
    if not far.any():
        return variance
    rows = None
    if X is not None:
        rows = X[:: max(1, X.shape[0] // _MOST_ROWS)]
        rows = rows.toarray() if hasattr(rows, "toarray") else rows
    for table in tables:
        variance += table.rounding_variance(rows)
    return np.where(far, scale * np.sqrt(variance), 0.0)


def warn_of_lost_resolution(
    error: NDArray[np.float64],
    deviation: NDArray[np.float64],
    center: NDArray[np.float64],
    stacklevel: int,
) -> None:
    """Warn where scores lose more than a hundredth of a target's standard deviation.

    Parameters
    ----------
    error : float64 array of shape (n_scores,)
        Of `rounding_error`.
    deviation : float64 array of shape (n_scores,)
        Standard deviation of what is learnt of each target; 0 for a constant.
    center : float64 array of shape (n_scores,)
        Where the values of each target lie.
    stacklevel : int
        Of the line to show, seen from the caller.

    Warns
    -----
    UserWarning
        That names the target that loses most, and what it loses.
    """
    lost = np.divide(error, deviation, out=np.zeros(len(error)), where=deviation > 0)
    worst = int(lost.argmax())
    if lost[worst] > MOST_LOST:
        target = f"column {worst} of y" if len(lost) > 1 else "y"
        warnings.warn(
            f"int32 scores lose about {min(lost[worst], 1.0):.1%} of the standard deviation of "
            f"{target}, which lies near {center[worst]:.6g}, too far from 0: subtract its mean "
            "before the fit and add it to the predictions",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
