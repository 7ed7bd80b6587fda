"""Trees and linear models as arrays, each checked on its own.

Symbols: T trees, N inner nodes and L leaves of all of them, u columns that a table reads,
S score columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, as_table, require

INT32_MAX = 2**31 - 1
MOST_WORTH = 2**24  # one leaf's scores stay exact in float32


def value_limits(bits: int | str, *, signed: bool) -> tuple[int, int]:
    """Smallest and largest integer that `bits` can hold.

    Parameters
    ----------
    bits : int in [2, 16] or "ternary"
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
    >>> from skdistill.compact.tables import value_limits
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


def _check_bits(owner: TreeTable | LinearTable, name: str) -> None:
    """Check that table `name` fits `value_bits`, and keep those as a plain int."""
    values, bits = getattr(owner, name), owner.value_bits
    low, high = value_limits(bits, signed=bool((values < 0).any()))
    inside = values.size == 0 or bool(low <= values.min() and values.max() <= high)
    require(inside, f"{name} must lie in [{low}, {high}] for value_bits={bits!r}")
    object.__setattr__(owner, "value_bits", str(bits) if isinstance(bits, str) else int(bits))


@dataclass(frozen=True, eq=False)
class TreeTable(Frozen):
    """Binary trees as arrays; leaves, and whole subtrees, may be shared.

    A child, or a root, that is >= 0 is an inner node; a negative one, ``c``, is
    leaf ``~c``. Children come after their parents, so no walk can cycle. A node
    sends a row left where ``x <= grid.edges[grid.offsets[feature] + threshold]``,
    and where x is NaN and ``nan_left`` is set.

    Parameters
    ----------
    roots : int32 array of shape (T,)
    feature, threshold, left, right : int32 arrays of shape (N,)
        Feature of the grid, edge of that feature, children.
    nan_left : bool array of shape (N,)
    values : int32 array of shape (L, S)
        What a leaf adds to the scores.
    value_bits : int in [2, 16] or "ternary"
        Width in which a value is stored.
    unit : int, default=1
        Scores that a value of 1 is worth; above 1 where a linear table counts finer.
    """

    roots: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]
    nan_left: NDArray[Any]
    values: NDArray[Any]
    value_bits: int | str
    unit: int = 1

    def __post_init__(self) -> None:
        for name in ("roots", "feature", "threshold", "left", "right"):
            as_table(self, name, np.int32, 1)
        as_table(self, "nan_left", np.bool_, 1)
        as_table(self, "values", np.int32, 2)
        n_nodes, n_leaves = len(self.feature), len(self.values)
        for name in ("threshold", "left", "right", "nan_left"):
            length = len(getattr(self, name))
            require(length == n_nodes, f"{name} has {length} entries for {n_nodes} nodes")
        for name in ("roots", "left", "right"):
            child = getattr(self, name)
            inside = bool(((child >= -n_leaves) & (child < n_nodes)).all())
            require(inside, f"{name} points outside the {n_nodes} nodes and {n_leaves} leaves")
        for name in ("left", "right"):
            child = getattr(self, name)
            after = bool(((child < 0) | (child > np.arange(n_nodes))).all())
            require(after, f"{name} must point to leaves or later nodes: the tree has a cycle")
        _check_bits(self, "values")
        whole = isinstance(self.unit, int | np.integer) and not isinstance(self.unit, bool)
        require(whole and self.unit >= 1, f"unit must be a positive int, got {self.unit!r}")
        object.__setattr__(self, "unit", int(self.unit))
        most = self.unit * int(np.abs(self.values).max(initial=0))
        require(most <= MOST_WORTH, f"a leaf is worth up to {most}, beyond {MOST_WORTH}")

    @property
    def worth(self) -> NDArray[Any]:
        """What each leaf adds to the scores, int32 array of shape (L, S)."""
        return self.values * np.int32(self.unit)


@dataclass(frozen=True, eq=False)
class LinearTable(Frozen):
    """A linear model on inputs that were rounded to integers.

    ``q = clip(round((x - offset) * inv_step), -Q, Q)`` in float32, half to even,
    with Q = 2^(input_bits - 1) - 1; NaN reads as 0, which is the offset. The
    scores gain ``q @ weights``.

    Parameters
    ----------
    features : int32 array of shape (u,)
    offset, inv_step : float32 arrays of shape (u,)
    input_bits : int in [2, 16]
    weights : int32 array of shape (u, S)
    value_bits : int in [2, 16] or "ternary"
        Width in which a weight is stored.
    """

    features: NDArray[Any]
    offset: NDArray[Any]
    inv_step: NDArray[Any]
    input_bits: int
    weights: NDArray[Any]
    value_bits: int | str

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "offset", np.float32, 1)
        as_table(self, "inv_step", np.float32, 1)
        as_table(self, "weights", np.int32, 2)
        u = len(self.features)
        for name in ("offset", "inv_step", "weights"):
            length = len(getattr(self, name))
            require(length == u, f"{name} has {length} rows for {u} features")
        require(
            u > 0 and bool((np.diff(self.features) > 0).all()) and self.features[0] >= 0,
            "features must be ascending column numbers, at least one",
        )
        require(bool(np.isfinite(self.offset).all()), "offset must be finite")
        require(
            bool((np.isfinite(self.inv_step) & (self.inv_step > 0)).all()),
            "inv_step must be finite and positive",
        )
        bits = self.input_bits
        whole = isinstance(bits, int | np.integer) and bits in range(2, 17)
        require(whole, f"input_bits must be an int in [2, 16], got {bits!r}")
        object.__setattr__(self, "input_bits", int(bits))
        _check_bits(self, "weights")

    @property
    def q_max(self) -> int:
        """Largest rounded input."""
        return (1 << (self.input_bits - 1)) - 1
