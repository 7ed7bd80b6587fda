"""How many hidden units fit into a number of bytes."""

from __future__ import annotations

from collections.abc import Callable

from skdistill.students.size_search import largest_size, too_small

TWO_LAYERS = 64
"""Where one layer would have so many units, two layers are better for the same bytes."""
_MOST_UNITS = 4096


def units_for_bytes(
    nbytes: Callable[[tuple[int, ...]], int], max_bytes: int, n_layers: int | str
) -> tuple[int, ...]:
    """The largest hidden layers within a number of bytes.

    Parameters
    ----------
    nbytes : callable
        Bytes at most of a network with some hidden layers.
    max_bytes : int
        Bytes that it may take.
    n_layers : 1, 2 or "auto"
        Number of hidden layers. "auto" is two if one would have `TWO_LAYERS` units or more.

    Returns
    -------
    sizes : tuple of int
        Units of one layer, or of two equal ones.

    Raises
    ------
    ValueError
        If not even one unit fits.

    Examples
    --------
    >>> from skdistill.students.net.hidden_units import units_for_bytes
    >>> units_for_bytes(lambda sizes: 20 * sum(sizes), 100, "auto")
    (5,)
    """
    if isinstance(n_layers, str):
        one = units_for_bytes(nbytes, max_bytes, 1)
        return one if one[0] < TWO_LAYERS else units_for_bytes(nbytes, max_bytes, 2)
    units = largest_size(lambda n: nbytes((n,) * n_layers), max_bytes, 1, _MOST_UNITS)
    if units == 0:
        raise too_small(max_bytes, "a network of one unit a layer", nbytes((1,) * n_layers))
    return (units,) * n_layers
