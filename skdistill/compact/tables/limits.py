"""Limits of the integers that tables hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import require

INT32_MAX = 2**31 - 1


def are_fractions(thresholds: NDArray[Any]) -> NDArray[np.bool_]:
    """Which thresholds tell numbers apart that are no whole numbers.

    Those between two whole numbers lie at one of them or half-way: in trees of whole numbers,
    but for those whose thresholds are random.

    Parameters
    ----------
    thresholds : array
        Of a tree.

    Returns
    -------
    are_fractions : bool array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.tables.limits import are_fractions
    >>> are_fractions(np.array([-3.0, 0.5, 0.3, np.inf])).tolist()
    [False, False, True, False]
    """
    doubled = 2 * np.where(np.isfinite(thresholds), thresholds, 0).astype(np.float64)
    # XGBoost puts its last threshold 1e-5 above a number, LightGBM some 1e-35 beside 0, students
    # take numbers of float32 beside whole ones.
    size = np.minimum(np.abs(doubled), 2**30).astype(np.float32)
    near = np.maximum(1e-3, 2 * np.spacing(size))
    fractions: NDArray[np.bool_] = np.abs(doubled - np.rint(doubled)) > near
    return fractions


def fractions_by_column(
    thresholds: Sequence[NDArray[Any]],
) -> tuple[NDArray[np.int64], int | None]:
    """What is lost of thresholds where the inputs become whole numbers.

    Random thresholds of a column of 0 and 1 are fractions too, and merge without harm: what the
    other columns keep tells them from those of a model on numbers in [0, 1].

    Parameters
    ----------
    thresholds : sequence of arrays, one a column
        The different thresholds of each column.

    Returns
    -------
    counts : int64 array of shape (n_columns,)
        How many thresholds are fractions.
    merged : int or None
        The first column of several thresholds that keeps one of them, if every such column does.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.tables.limits import fractions_by_column
    >>> counts, merged = fractions_by_column([np.array([0.2, 0.7]), np.array([0.5, 3.1])])
    >>> counts.tolist(), merged
    ([2, 1], None)
    """
    counts = np.array([are_fractions(part).sum() for part in thresholds], np.int64)
    several = [k for k, part in enumerate(thresholds) if len(part) > 1]
    keep_one = [k for k in several if counts[k] and len(np.unique(np.floor(thresholds[k]))) == 1]
    return counts, keep_one[0] if keep_one and keep_one == several else None


def value_limits(bits: int | str, *, signed: bool) -> tuple[int, int]:
    """Smallest and largest integer that `bits` can hold.

    Parameters
    ----------
    bits : int in [2, 16] or "ternary"
        Width of a stored value.
    signed : bool
        Whether negative values are needed; "ternary" is always -1, 0, 1.

    Returns
    -------
    low, high : int

    Raises
    ------
    ValueError
        If `bits` is neither.

    Examples
    --------
    >>> from skdistill.compact.tables.limits import value_limits
    >>> (
    ...     value_limits(8, signed=False),
    ...     value_limits(8, signed=True),
    ...     value_limits("ternary", signed=True),
    ... )
    ((0, 255), (-128, 127), (-1, 1))
    """
    if bits == "ternary":
        return -1, 1
    if not isinstance(bits, int | np.integer) or isinstance(bits, bool) or not 2 <= bits <= 16:
        raise ValueError(f"value_bits must be 'ternary' or an int in [2, 16], got {bits!r}")
    width = int(bits)
    return (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)


def check_bits(owner: Any, name: str) -> None:
    """Check that an array of a table fits `value_bits`, which become a plain int.

    Parameters
    ----------
    owner : frozen dataclass
        With a field ``value_bits``.
    name : str
        Field of the array.

    Raises
    ------
    ValueError
        If a value does not fit.
    """
    values, bits = getattr(owner, name), owner.value_bits
    low, high = value_limits(bits, signed=bool((values < 0).any()))
    inside = values.size == 0 or bool(low <= values.min() and values.max() <= high)
    require(inside, f"{name} must lie in [{low}, {high}] for value_bits={bits!r}")
    object.__setattr__(owner, "value_bits", str(bits) if isinstance(bits, str) else int(bits))


def variance_of_weights(
    weights: NDArray[Any], bits: int | str, inputs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variance of the error that whole numbers as weights cause.

    Parameters
    ----------
    weights : int array of shape (n_inputs, n_scores)
        Rounded.
    bits : int in [2, 16] or "ternary"
        Their width. Where it is used up, it is the reason and not that they are whole.
    inputs : float64 array of shape (n_samples, n_inputs)
        What they act on.

    Returns
    -------
    variance : float64 array of shape (n_scores,)
    """
    _, high = value_limits(bits, signed=True)
    has_room = np.abs(weights).max(axis=0) <= high / 2
    variance: NDArray[np.float64] = has_room * inputs.var(axis=0).sum() / 12
    return variance
