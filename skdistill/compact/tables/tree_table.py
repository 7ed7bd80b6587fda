"""Trees and linear models as arrays, each checked on its own.

Symbols: T trees, N inner nodes and L leaves of all of them, u columns that a table reads,
S score columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from skdistill.compact.tables.grid import InputGrid
    from skdistill.compact.tables.tree_table import TreeTable

from dataclasses import dataclass

from skdistill.compact._frozen import Frozen, as_table, require
from skdistill.compact.tables.limits import check_bits

MAX_LEAF_SCORE = 2**24  # one leaf's scores stay exact in float32


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
        check_bits(self, "values")
        whole = isinstance(self.unit, int | np.integer) and not isinstance(self.unit, bool)
        require(whole and self.unit >= 1, f"unit must be a positive int, got {self.unit!r}")
        object.__setattr__(self, "unit", int(self.unit))
        most = self.unit * int(np.abs(self.values).max(initial=0))
        require(most <= MAX_LEAF_SCORE, f"a leaf is worth up to {most}, beyond {MAX_LEAF_SCORE}")

    @property
    def scaled_values(self) -> NDArray[Any]:
        """What each leaf adds to the scores, int32 array of shape (L, S)."""
        return self.values * np.int32(self.unit)


def largest_values(trees: TreeTable) -> NDArray[np.int64]:
    """Largest |value| that each tree can add to each score, int64 array of shape (T, S)."""
    magnitude = np.abs(trees.scaled_values.astype(np.int64))
    reach = np.zeros((len(trees.feature), trees.values.shape[1]), np.int64)
    out = np.zeros((len(trees.roots), trees.values.shape[1]), np.int64)
    _largest_values(trees.roots, trees.left, trees.right, magnitude, reach, out)
    out.setflags(write=False)
    return out


def walk_tables(grid: InputGrid, trees: TreeTable) -> tuple[NDArray[Any], ...]:
    """What a walk reads: roots, then for each node column, threshold, children, NaN's side."""
    return (
        trees.roots,
        grid.features[trees.feature],
        grid.edges[grid.offsets[trees.feature] + trees.threshold],
        trees.left,
        trees.right,
        trees.nan_left,
    )


@njit(nogil=True, cache=True)
def _leaf(x, node, column, threshold, left, right, nan_left):  # type: ignore[no-untyped-def]
    while node >= 0:
        v = x[column[node]]
        if v <= threshold[node] or (v != v and nan_left[node]):
            node = left[node]
        else:
            node = right[node]
    return ~node


@njit(nogil=True, cache=True)
def _add_trees(X, roots, column, threshold, left, right, nan_left, values, out):  # type: ignore[no-untyped-def]
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            leaf = _leaf(X[i], roots[t], column, threshold, left, right, nan_left)
            for k in range(values.shape[1]):
                out[i, k] += values[leaf, k]


@njit(nogil=True, cache=True)
def _find_leaves(X, roots, column, threshold, left, right, nan_left, out):  # type: ignore[no-untyped-def]
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            out[i, t] = _leaf(X[i], roots[t], column, threshold, left, right, nan_left)


@njit(nogil=True, cache=True)
def _largest_values(roots, left, right, magnitude, reach, out):  # type: ignore[no-untyped-def]
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        for child in (left[node], right[node]):
            values = reach[child] if child >= 0 else magnitude[~child]
            for k in range(reach.shape[1]):
                reach[node, k] = max(reach[node, k], values[k])
    for t in range(len(roots)):
        out[t] = reach[roots[t]] if roots[t] >= 0 else magnitude[~roots[t]]
