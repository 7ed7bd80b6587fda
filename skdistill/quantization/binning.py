"""From real numbers to the integers of the tables: input grids, leaf values, linear weights.

Learning happens on the codes of a grid, so that quantization is part of it and not done after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.utils.threads import blocks, run_tasks, thread_count

FLOAT32_MAX = np.float32(np.finfo(np.float32).max)
_SMALL = 20_000  # rows that one thread sorts sooner than two start
EXACT_INTEGER = 2**24  # up to here float32 holds every integer


def round_down(thresholds: NDArray[np.float64], dtype: str = "float32") -> NDArray[Any]:
    """Round thresholds toward −inf, so that ``x <= t`` keeps its answer for every x of `dtype`.

    Parameters
    ----------
    thresholds : float64 array
        Real thresholds.
    dtype : {"float32", "int32"}
        Type of the rows that are compared with them.

    Returns
    -------
    rounded : array of `dtype`

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.quantization.binning import round_down
    >>> round_down(np.array([0.1, 2.5]), "int32").tolist()
    [0, 2]
    >>> bool(round_down(np.array([0.1]))[0] <= 0.1)
    True
    """
    if dtype == "int32":
        return np.clip(np.floor(thresholds), -(2**31), INT32_MAX).astype(np.int32)
    with np.errstate(over="ignore"):  # beyond the range: +inf rounds down to the largest number
        nearest = np.asarray(thresholds).astype(np.float32)
        return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def round_to_nearest(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round thresholds as float64 rows are rounded, so that one that equals a row still does.

    A threshold half-way between two numbers of float32 parts rows that hold these numbers, and
    becomes the lower one: so do the halves between whole numbers from 2^23 on, to which LightGBM
    adds a last bit. A whole number in the middle of two others, beyond 2^24, may be a row's own.

    Parameters
    ----------
    thresholds : float64 array
        Real thresholds. Beyond float32 they become its largest number: rows that are rounded
        to infinity stay above.

    Returns
    -------
    rounded : float32 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.quantization.binning import round_to_nearest
    >>> row = np.array([0.1])  # the nearest number of float32 is a little above
    >>> edge = round_to_nearest(row)
    >>> bool(float(edge[0]) > 0.1), bool(row.astype(np.float32)[0] <= edge[0])
    (True, True)
    """
    with np.errstate(over="ignore", invalid="ignore"):  # infinities stay
        nearest = np.asarray(thresholds).astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
        middle = below.astype(np.float64) / 2 + nearest.astype(np.float64) / 2
        away = thresholds - middle
        halfway = (away >= 0) & (away <= 2 * np.spacing(np.abs(middle)))
        halfway &= (away > 0) | (middle != np.floor(middle))
    nearest = np.where(halfway & np.isfinite(nearest), below, nearest)
    beyond = (nearest == np.inf) & (thresholds != np.inf)
    rounded: NDArray[np.float32] = np.where(beyond, FLOAT32_MAX, nearest)
    return rounded


def round_below(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The last number of float32 to which only float64 numbers up to each threshold are rounded.

    Parameters
    ----------
    thresholds : float64 array
        Real thresholds.

    Returns
    -------
    rounded : float32 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.quantization.binning import round_below
    >>> third = np.float64(np.float32(1 / 3))
    >>> bool(round_below(np.array([third]))[0] < third)  # numbers just above are rounded to it
    True
    """
    lower = round_down(thresholds)
    with np.errstate(over="ignore"):
        after = np.nextafter(thresholds, np.inf).astype(np.float32)
    rounded: NDArray[np.float32] = np.where(
        (after == lower) & np.isfinite(thresholds),
        np.nextafter(lower, np.float32(-np.inf)),
        lower,
    )
    return rounded


def simplest(low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.float32]:
    """The number of fewest significant bits in each closed interval.

    Parameters
    ----------
    low, high : float32 arrays
        Finite ends, ``low <= high``.

    Returns
    -------
    number : float32 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.quantization.binning import simplest
    >>> simplest(np.float32([-0.1, 2.9, -7.3]), np.float32([0.2, 3.4, -5.8])).tolist()
    [0.0, 3.0, -6.0]
    """
    mirrored = high < 0
    least = np.where(mirrored, -high, np.maximum(low, 0))
    most = np.where(mirrored, -low, high)
    # As integers, the bits of positive floats are in the order of the floats. Bits that agree in
    # `least - 1` and `most` stay; the first that differs is set in `most`, and all below it become
    # zeros: no number of fewer bits lies between.
    above = most.view(np.uint32).astype(np.int64)
    differ = (least.view(np.uint32).astype(np.int64) - 1) ^ above
    zeros = np.frexp(differ.astype(np.float64))[1] - 1
    number = ((above >> zeros) << zeros).astype(np.uint32).view(np.float32)
    number = np.where(least == 0, np.float32(0), number)
    return np.where(mirrored, -number, number)


def fit_grid(
    X: NDArray[Any],
    bits: int,
    weight: NDArray[np.float64] | None = None,
    *,
    binning: str = "quantile",
) -> InputGrid:
    """Grid of at most 2^bits − 2 edges a column.

    "quantile" spacing puts as many rows between any two edges. A column with at most
    2^bits − 1 distinct values, NaN among them, keeps them all apart; a value that holds
    more than its share of the rows ends a bin, so that no two such values share one.
    Edges are the numbers of fewest bits near the quantiles, so that tables of them are
    small. "uniform" spacing puts edges at the multiples of a power of two, from one end of
    a column to the other but for a quarter of a percent of the rows at each; such edges
    need no table.

    A column with NaN has infinity as last edge, so that NaN can part from everything else.

    Parameters
    ----------
    X : float32 or int32 array of shape (n_samples, n_features)
        The type becomes that of the grid.
    bits : int in [2, 16]
        Width of a code.
    weight : float64 array of shape (n_samples,), default=None
        Rows count by weight; rows without weight are not seen.
    binning : {"quantile", "uniform"}, default="quantile"
        Where edges are put.

    Returns
    -------
    grid : InputGrid
        Over all columns; a constant column has no edges.
    """
    dtype = "int32" if X.dtype == np.int32 else "float32"
    if weight is not None:
        if not (weight > 0).all():
            X, weight = X[weight > 0], weight[weight > 0]
        weight = None if (weight == weight[:1]).all() else weight
    most = 2**bits - 2
    edges: list[Any] = [None] * X.shape[1]

    # Of the calling thread: allocators hold back what other threads have freed.
    columns = [np.empty(len(X), X.dtype) for _ in range(min(thread_count(), X.shape[1]))]

    def fit_column(j: int) -> None:
        column = columns.pop()
        try:
            column[:] = X[:, j]
            edges[j] = _column_edges(column, weight, most, dtype, binning)
        finally:
            columns.append(column)

    # Small columns spend more time in the interpreter, which one thread runs at a time.
    run_tasks(fit_column, range(X.shape[1]), serial=len(X) < _SMALL)
    offsets = np.cumsum([0] + [len(e) for e in edges])
    flat = np.concatenate(edges) if edges else np.empty(0)
    return InputGrid(np.arange(X.shape[1]), offsets, flat.astype(dtype))


def _column_edges(
    x: NDArray[Any], weight: NDArray[np.float64] | None, most: int, dtype: str, binning: str
) -> NDArray[Any]:
    """Edges of a column, which is put in order."""
    if weight is None:
        x.sort()
        ordered = x
    else:
        order = np.argsort(x, kind="stable")
        ordered, weight = x[order], weight[order]
    n_seen = (
        len(x) if x.dtype.kind == "i" else int(np.searchsorted(ordered, np.nan))
    )  # NaN sorts last
    if n_seen == 0:
        return np.empty(0, dtype)
    ordered, missing = ordered[:n_seen], n_seen < len(x)
    reached = None if weight is None else np.cumsum(weight[:n_seen])
    most -= missing
    if binning == "uniform":
        edges = _even_edges(ordered, reached, most, dtype)
    else:
        is_last = np.append(ordered[1:] != ordered[:-1], True)
        last = np.flatnonzero(is_last)  # row of each value
        values = ordered[last].astype(np.float64)
        of_values = np.asarray(last + 1.0 if reached is None else reached[last], np.float64)
        after = _even_cuts(of_values, most + 1) if len(values) - 1 > most else None
        edges = _edges_between(values, after, dtype)
    return np.append(edges, np.float32(np.inf)) if missing else edges


def _even_edges(
    ordered: NDArray[Any], reached: NDArray[np.float64] | None, most: int, dtype: str
) -> NDArray[Any]:
    """At most `most` multiples of a power of two that part the bulk of the ordered values.

    `reached` is the weight up to each row; None weighs rows equally.
    """
    first, last = float(ordered[0]), float(ordered[-1])
    if first == last:
        return np.empty(0, dtype)
    fractions = np.array([0.0025, 0.9975])
    if reached is None:
        ends = np.maximum(np.ceil(len(ordered) * fractions).astype(int) - 1, 0)
    else:
        ends = np.minimum(np.searchsorted(reached, reached[-1] * fractions), len(ordered) - 1)
    low, high = (float(ordered[end]) for end in ends)
    if low == last:  # the largest value but one
        low = float(ordered[np.searchsorted(ordered, ordered[-1]) - 1])
    if not low < high:  # nearly all rows are one value: keep what there is beside it
        low, high = first, last
    step = 2.0 ** np.ceil(np.log2((high - low) / most))
    some = (ordered[block] for block in blocks(len(ordered), 1 << 14))  # mostly the first says it
    if all((x == np.floor(x)).all() for x in some):
        step = max(step, 1.0)
    lowest = np.ceil(low / step)
    edges = step * (lowest + np.arange(most))
    edges = edges[(edges >= first) & (edges < min(high, last))]
    exact = edges.astype(dtype)
    representable: NDArray[Any] = exact[exact == edges]
    return representable


def _edges_between(
    values: NDArray[np.float64], cuts: tuple[NDArray[np.intp], ...] | None, dtype: str
) -> NDArray[Any]:
    """Edges of few bits: somewhere from above ``values[first]`` to below ``values[last + 1]``.

    `cuts` are first and last; None parts all values.
    """
    first, last = (np.arange(len(values) - 1),) * 2 if cuts is None else cuts
    a, b = values[first], values[last + 1]
    if dtype == "int32" or (values == np.floor(values)).all():
        return round_down(np.floor(a / 2 + b / 2), dtype)
    middle = round_down(a / 2 + b / 2)
    low, high = -round_down(-(a * 0.75 + b * 0.25)), round_down(a * 0.25 + b * 0.75)
    short = simplest(np.minimum(low, high), np.maximum(low, high))
    return np.where((low <= high) & (short >= a) & (short < b), short, middle)


def _even_cuts(
    reached: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """After which values to cut, at the first and at the last, for bins of nearly even mass.

    `reached` is the mass up to each value. A cut may move by a quarter of a bin to either
    side, but not across a value that holds half a bin.
    """
    mass = np.diff(reached, prepend=0.0)
    for _ in range(4):  # a value heavier than a bin fills one; the rest is spread over the others
        bin_mass = reached[-1] / bins
        if mass.max() <= bin_mass * (1 + 1e-9):
            break
        mass = np.minimum(mass, bin_mass)
        reached = np.cumsum(mass)
    bin_mass = reached[-1] / bins  # windows of half a bin's width around the cuts do not overlap
    targets = reached[-1] * np.arange(1, bins) / bins
    slack = reached[-1] * 1e-12
    cut = np.searchsorted(reached, targets - slack)
    cut = np.unique(cut[cut < len(reached) - 1])
    first = np.searchsorted(reached, reached[cut] - bin_mass / 4)
    last = np.searchsorted(reached, reached[cut] + bin_mass / 4, side="right") - 1
    last = np.minimum(last, len(reached) - 2)
    heavy = np.concatenate([[0], np.cumsum(mass > bin_mass / 2)])
    stays = (heavy[last + 2] - heavy[first] > 0) | (first > cut) | (last < cut)
    return np.where(stays, cut, first), np.where(stays, cut, last)


def rounding_grid(
    features: NDArray[np.int32],
    offset: NDArray[np.float32],
    inv_step: NDArray[np.float32],
    bits: int,
) -> InputGrid:
    """Grid whose edges are the borders of a linear table's rounding.

    ``x <= edge`` exactly where the rounded input is at most some q of -Q … Q - 1. Where
    float32 has no number between two borders they are one edge.

    Parameters
    ----------
    features : int32 array of shape (n_used,)
        Columns of the input, ascending.
    offset, inv_step : float32 arrays of shape (n_used,)
        What rounds them, as in `LinearTable`.
    bits : int in [2, 16]
        Width of a rounded input.

    Returns
    -------
    grid : InputGrid
    """
    q_max = (1 << (bits - 1)) - 1
    q = np.arange(-q_max, q_max, dtype=np.float32)
    offset, inv_step = offset[:, None], inv_step[:, None]
    edges = last_where(lambda x: np.rint((x - offset) * inv_step) <= q, (len(features), len(q)))
    new = np.diff(edges.astype(np.float64), axis=1, prepend=-float(FLOAT32_MAX)) > 0
    new &= edges < FLOAT32_MAX
    offsets = np.concatenate([[0], np.cumsum(new.sum(axis=1))])
    return InputGrid(features, offsets, edges[new])


def last_where(
    holds: Callable[[NDArray[np.float32]], NDArray[np.bool_]], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """The last finite float32 at which each of many conditions holds, by halving.

    Parameters
    ----------
    holds : callable
        Takes a float32 array of `shape` and says where the conditions hold; none may hold
        again after it has failed at a lower number.
    shape : tuple of int
        One condition an entry.

    Returns
    -------
    x : float32 array of `shape`
        The lowest finite number where a condition holds nowhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.quantization.binning import last_where
    >>> last_where(lambda x: x / 3 <= np.float32([1, 2]), (2,)).tolist()
    [3.0, 6.0]
    """
    low = np.full(shape, _ordered(-FLOAT32_MAX), np.int64)
    high = np.full(shape, _ordered(FLOAT32_MAX), np.int64)
    for _ in range(32):
        middle = low + (high - low + 1) // 2
        with np.errstate(over="ignore"):
            below = holds(_from_ordered(middle))
        low, high = np.where(below, middle, low), np.where(below, high, middle - 1)
    return _from_ordered(low)


def last_double_where(
    holds: Callable[[NDArray[np.float64]], NDArray[np.bool_]], last: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The last float64 at which each condition holds, between two neighbours of float32.

    Parameters
    ----------
    holds : callable
        As that of `last_where`, for float64 arrays.
    last : float64 array
        The last float32 number at which each condition holds; infinities stay as they are.

    Returns
    -------
    x : float64 array

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.quantization.binning import last_double_where
    >>> third = np.float64(np.nextafter(np.float32(1 / 3), np.float32(0)))
    >>> last_double_where(lambda x: 3 * x < 1, np.array([third])).tolist()
    [0.33333333333333326]
    """
    low, finite = last.copy(), np.isfinite(last)
    with np.errstate(over="ignore"):
        high = np.nextafter(last.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    high = np.where(np.isfinite(high) & finite, high, low)
    # Neighbours of float32 are 2^29 float64 numbers apart; below its normal range they are more,
    # and the last bits do not matter.
    for _ in range(60):
        middle = low / 2 + high / 2
        within = (middle > low) & (middle < high)
        if not within.any():
            break
        below = holds(np.where(within, middle, np.where(finite, low, 0.0)))
        low = np.where(within & below, middle, low)
        high = np.where(within & ~below, middle, high)
    return low


def _ordered(x: NDArray[np.float32] | np.float32) -> NDArray[np.int64]:
    """Integers in the order of float32 numbers, neighbours one apart."""
    bits = np.asarray(x, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _from_ordered(number: NDArray[np.int64]) -> NDArray[np.float32]:
    magnitude = np.abs(number).astype(np.uint32).view(np.float32)
    return np.where(number < 0, -magnitude, magnitude)
