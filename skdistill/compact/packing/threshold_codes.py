"""The unsigned integers that nodes compare, in place of the inputs themselves.

Threshold codes make an integer ``q(x)`` of an input and a cut of every edge of the grid, so
that ``x <= edge`` exactly where ``q(x) <= cut``. NaN has the largest code of all.

A core without an FPU compares integers in a few instructions and floats in a hundred. Which codes
take the fewest bytes depends on the edges, so that `candidates` offers all that are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.linear_table import round_input

if TYPE_CHECKING:
    from skdistill.compact.tables.grid import InputGrid
    from skdistill.compact.tables.linear_table import LinearTable

KEY_OF_INFINITY = 0xFF000000  # key(+inf); NaN lies above it
KEY_OF_ZERO = 0x7F800000
_SMALLEST_STEP, _LARGEST_STEP = -100, 100  # exponents; then no subnormal reaches a step
_MOST_STEPS = 2**16 - 3  # of uint16, beside one code above all cuts and that of NaN


class ThresholdCodes(NamedTuple):
    """How inputs become integers.

    Attributes
    ----------
    kind : {"value", "key", "steps", "rounded", "code"}
        The number itself; the bits of a float32 in the order of the numbers; steps from an
        origin, rounded up; the rounded input of a linear table; ready codes.
    cut : int64 array of shape (n_edges,)
        What the code of an input is compared with, for each edge.
    inputs : int array of shape (n_used,)
        Number of the code that each feature of the grid compares, where all codes are made
        before any tree is walked.
    n_inputs : int
        How many codes these are.
    largest : int
        Largest code of a number, of "steps" and "rounded".
    drop : int
        Low bits that the cuts of "key" leave out: they are zero in all edges, and
        ``q(x) <= cut * 2^drop`` is compared.
    origin, exponent : int64 arrays of shape (n_used,) or None
        Of "steps": ``q = ceil(x / 2^exponent) - origin``.
    """

    kind: str
    cut: NDArray[np.int64]
    inputs: NDArray[np.int64]
    n_inputs: int
    largest: int = 0
    drop: int = 0
    origin: NDArray[np.int64] | None = None
    exponent: NDArray[np.int64] | None = None


def _own_codes(kind: str, grid: InputGrid, cut: NDArray[np.int64]) -> ThresholdCodes:
    """Codes of the grid's own: one for each of its features."""
    n_used = len(grid.features)
    # Numbers above all edges have the code after the largest cut.
    return ThresholdCodes(kind, cut, np.arange(n_used), n_used, int(cut.max(initial=0)) + 1)


def candidates(grid: InputGrid, linear: Sequence[LinearTable] = ()) -> list[ThresholdCodes]:
    """All threshold codes that serve a grid, for inputs of its declared type.

    Parameters
    ----------
    grid : InputGrid
        Edges that the codes must keep apart.
    linear : sequence of LinearTable, default=()
        Whose rounded inputs the nodes could compare.

    Returns
    -------
    candidates : list of ThresholdCodes
        At least one.
    """
    if grid.dtype == "int32":
        codes = [_own_codes("value", grid, grid.edges.astype(np.int64))]
    else:
        keys = key(grid.edges).astype(np.int64)
        codes = [_own_codes("key", grid, keys)]
        if drop := _common_zeros(keys):
            codes.append(_own_codes("key", grid, keys >> drop)._replace(drop=drop))
        codes += even_steps(grid)
    for table in linear:
        codes += rounded_inputs(grid, table)
    return codes


def ready_codes(grid: InputGrid) -> ThresholdCodes:
    """Ready codes as inputs: cuts are the numbers of the edges in their features.

    Parameters
    ----------
    grid : InputGrid
        Whose `InputGrid.encode` makes the inputs.

    Returns
    -------
    codes : ThresholdCodes
    """
    first = np.repeat(grid.offsets[:-1], grid.counts).astype(np.int64)
    return _own_codes("code", grid, np.arange(len(grid.edges)) - first)


def key(x: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Integers in the order of float32 numbers: 0 for −inf, equal ones for ±0.

    The bits of positive floats are in the order of the floats; those of negative ones, taken from
    2^31, are in the opposite order. Adding 0x7F800000 puts −inf at 0.

    Parameters
    ----------
    x : float32 array
        Any numbers.

    Returns
    -------
    key : uint32 array
        NaN has keys above that of +inf.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact.packing.threshold_codes import key
    >>> x = np.array([-np.inf, -1.5, -0.0, 0.0, 1e-45, np.inf, np.nan], np.float32)
    >>> [hex(k) for k in key(x)]
    ['0x0', '0x3fc00000', '0x7f800000', '0x7f800000', '0x7f800001', '0xff000000', '0xff400000']
    """
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    with np.errstate(over="ignore"):
        ordered = np.where(bits >> 31, np.uint32(0x80000000) - bits, bits)
        keys: NDArray[np.uint32] = ordered + np.uint32(0x7F800000)
    return keys


def _common_zeros(keys: NDArray[np.int64]) -> int:
    """Low bits that are zero in all keys, at most those of a float32's fraction."""
    union = int(np.bitwise_or.reduce(keys, initial=0))
    return min(23, (union & -union).bit_length() - 1) if union else 0


def even_steps(grid: InputGrid) -> list[ThresholdCodes]:
    """Edges as numbers of steps from an origin.

    ``edge = (origin + cut) * 2^exponent`` exactly, and the origin is 0 where that takes no
    more bits.

    Parameters
    ----------
    grid : InputGrid
        With float32 edges.

    Returns
    -------
    codes : list of ThresholdCodes
        Empty where no power of two, or only one with too many steps, divides all edges of a
        feature.
    """
    edges = grid.edges.astype(np.float64)
    if not len(edges) or not np.isfinite(edges).all() or not grid.counts.all():
        return []
    # The step of a feature is the lowest bit that is set in any of its edges; 0 has none.
    mantissa, exponent = np.frexp(edges)
    fraction = (mantissa * 2.0**24).astype(np.int64)
    bit = np.where(fraction == 0, np.iinfo(np.int32).max, exponent - 24 + _low_bit(fraction))
    step = np.minimum.reduceat(bit, grid.offsets[:-1])
    step = np.where(step == np.iinfo(np.int32).max, 0, step)
    if step.min() < _SMALLEST_STEP or step.max() > _LARGEST_STEP:
        return []
    count = np.ldexp(edges, -np.repeat(step, grid.counts))
    # C does not shift numbers of 2^23 steps and more: their 24-bit fraction stands for them, which
    # lies above all cuts only if these are well below it.
    if np.abs(count).max() >= 2**22:
        return []
    multiple = count.astype(np.int64)
    origin = np.minimum.reduceat(multiple, grid.offsets[:-1])
    reach = np.maximum.reduceat(multiple, grid.offsets[:-1]) - origin
    if reach.max() > _MOST_STEPS:
        return []
    # An origin of 0 needs no subtraction, and costs nothing as long as the cuts take no more bits.
    free = (1 << int(reach.max()).bit_length()) - 1 - reach
    origin = np.where((origin >= 0) & (origin <= free), 0, origin)
    cut = multiple - np.repeat(origin, grid.counts)
    steps = _own_codes("steps", grid, cut)
    return [steps._replace(origin=origin, exponent=step.astype(np.int64))]


def _low_bit(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the lowest bit that is set; anything for 0."""
    low = np.where(numbers == 0, 1, numbers & -numbers)
    place: NDArray[np.int64] = np.log2(low).astype(np.int64)
    return place


def rounded_inputs(grid: InputGrid, linear: LinearTable) -> list[ThresholdCodes]:
    """The rounded inputs of a linear table as codes, counted from 0.

    Parameters
    ----------
    grid : InputGrid
        Edges that the codes must keep apart.
    linear : LinearTable
        Whose inputs are rounded anyway.

    Returns
    -------
    codes : list of ThresholdCodes
        Empty where an edge is no border of the rounding.
    """
    borders = rounding_borders(grid, linear)
    if borders is None:
        return []
    at = np.searchsorted(linear.features, grid.features)
    Q = linear.q_max
    return [ThresholdCodes("rounded", borders + Q, at, len(linear.features), 2 * Q)]


def rounding_borders(grid: InputGrid, linear: LinearTable) -> NDArray[np.int64] | None:
    """Rounded inputs `t` with ``x <= edge`` exactly where ``q(x) <= t``.

    Parameters
    ----------
    grid : InputGrid
        Whose edges may be borders of the rounding.
    linear : LinearTable
        What rounds.

    Returns
    -------
    borders : int64 array of shape (n_edges,) or None
        None if some edge is no border, or some feature none of the table's columns.
    """
    at = np.searchsorted(linear.features, grid.features)
    known = linear.features[np.minimum(at, len(linear.features) - 1)] == grid.features
    if not known.all() or not np.isfinite(grid.edges).all():
        return None
    if grid.dtype == "int32":
        if np.abs(grid.edges.astype(np.int64)).max(initial=0) >= 2**24:
            return None  # the linear table casts to float32, which merges integers there
        after = (grid.edges + 1).astype(np.float32)
    else:
        with np.errstate(over="ignore"):  # the largest number is followed by infinity
            after = np.nextafter(grid.edges, np.float32(np.inf))
    at = np.repeat(at, grid.counts)
    below = round_input(grid.edges.astype(np.float32), linear, at)
    if not (below < round_input(after, linear, at)).all():
        return None  # an edge and the next number are rounded alike
    return below.astype(np.int64)
