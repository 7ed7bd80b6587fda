"""Confidence limits of shares, and tests of differences between shares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import beta, norm


class Interval(NamedTuple):
    """A share and its confidence limits.

    Attributes
    ----------
    share : float
        NaN without rows.
    low, high : float
        Limits.
    n : int
        Number of rows.
    """

    share: float
    low: float
    high: float
    n: int


def clopper_pearson(count: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Confidence interval of a share, which covers it at least so often [1]_.

    Parameters
    ----------
    count : int
        Rows that count.
    n : int
        All rows.
    confidence : float in (0, 1), default=0.95
        Of the interval: each limit is exceeded with half the rest.

    Returns
    -------
    interval : Interval
        From 0 to 1 without rows.

    References
    ----------
    .. [1] C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in
       the case of the binomial", Biometrika 26, 1934.

    Examples
    --------
    No disagreement in 300 rows leaves about 3 / 300 possible, and with both limits more:

    >>> from skdistill.inspection.bounds import clopper_pearson
    >>> round(clopper_pearson(0, 300).high, 4)
    0.0122
    """
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, count, n - count + 1)) if count > 0 else 0.0
    high = float(beta.ppf(1 - tail, count + 1, n - count)) if count < n else 1.0
    return Interval(count / n if n else float("nan"), low, high, n)


def upper_bound(count: int, n: int, *, confidence: float = 0.95) -> float:
    """Upper Clopper-Pearson bound of a share.

    Parameters
    ----------
    count : int
        Rows that count.
    n : int
        All rows.
    confidence : float in (0, 1), default=0.95
        Share of samples in which the bound holds, at least.

    Returns
    -------
    bound : float
        1 without rows.

    Examples
    --------
    >>> from skdistill.inspection.bounds import upper_bound
    >>> round(upper_bound(0, 300), 4)
    0.0099
    """
    return clopper_pearson(count, n, confidence=2 * confidence - 1).high


def difference_p_value(count: int, n: int, other: int, n_other: int) -> float:
    """Probability of a difference of two shares as large as this one by chance.

    Parameters
    ----------
    count, n : int
        Rows that count, and all rows, of one sample.
    other, n_other : int
        The same of the other sample.

    Returns
    -------
    p_value : float
        Two-sided, of the normal approximation with the pooled share; 1 where a sample is empty.
    """
    if n == 0 or n_other == 0:
        return 1.0
    pooled = (count + other) / (n + n_other)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_other))
    if error == 0:
        return 1.0
    return float(2 * norm.sf(abs(count / n - other / n_other) / error))
