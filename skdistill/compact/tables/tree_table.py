"""Binary trees as arrays, on a grid of thresholds.

n_nodes counts the inner nodes of all trees, n_leaves their leaves, n_used the features of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import as_table, require
from skdistill.compact.tables.bit_vectors import (
    BLOCK,
    BitVectors,
    add_bit_vectors,
    bit_vectors,
    padded_values,
)
from skdistill.compact.tables.grid import InputGrid
from skdistill.compact.tables.limits import INT32_MAX, check_bits, fractions_by_column
from skdistill.compact.tables.table import Table
from skdistill.utils.jit import njit

_WHOLE_NUMBERS = (
    "train on the integers that the device reads, as int32, or convert with X and dtype='int32'"
)
MAX_LEAF_SCORE = 2**24  # one leaf's scores stay exact in float32


@dataclass(frozen=True, eq=False)
class TreeTable(Table):
    """Binary trees as arrays; leaves, and whole subtrees, may be shared.

    A child, or a root, that is >= 0 is an inner node; a negative one, ``c``, is
    leaf ``~c``. Children come after their parents, so no walk can cycle. A node
    sends a row left where ``x <= grid.edges[grid.offsets[feature] + threshold]``,
    and where x is NaN and ``nan_left`` is set.

    Parameters
    ----------
    grid : InputGrid
        Thresholds of all nodes.
    roots : int32 array of shape (n_trees,)
        Where each tree begins; at least one.
    feature : int32 array of shape (n_nodes,)
        Feature of the grid that a node compares, 0 … n_used − 1.
    threshold : int32 array of shape (n_nodes,)
        Number of the edge among those of the feature.
    left, right : int32 arrays of shape (n_nodes,)
        Children.
    nan_left : bool array of shape (n_nodes,)
        Whether NaN goes left.
    values : int32 array of shape (n_leaves, n_scores)
        What a leaf adds to the scores, in units of `unit`.
    value_bits : int in [2, 16] or "ternary"
        Width in which a value is stored.
    unit : int in [1, 2^24], default=1
        Score units that a value of 1 adds; above 1 where a linear table counts finer.

    Raises
    ------
    ValueError
        If the arrays contradict each other, or do not fit their widths.
    """

    grid: InputGrid
    roots: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]
    nan_left: NDArray[Any]
    values: NDArray[Any]
    value_bits: int | str
    unit: int = 1

    kind: ClassVar[str] = "trees"

    def __post_init__(self) -> None:
        require(
            isinstance(self.grid, InputGrid),
            f"grid must be an InputGrid, got {type(self.grid).__name__}",
        )
        for name in ("roots", "feature", "threshold", "left", "right"):
            as_table(self, name, np.int32, 1)
        as_table(self, "nan_left", np.bool_, 1)
        as_table(self, "values", np.int32, 2)
        n_nodes, n_leaves = len(self.feature), len(self.values)
        require(len(self.roots) > 0, "roots must have an entry for each tree, at least one")
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
        known = bool(((self.feature >= 0) & (self.feature < len(self.grid.features))).all())
        require(known, "feature points outside the grid")
        edges = self.grid.counts[self.feature]
        inside = bool(((self.threshold >= 0) & (self.threshold < edges)).all())
        require(inside, "threshold points outside its feature's edges")
        check_bits(self, "values")
        whole = isinstance(self.unit, int | np.integer) and not isinstance(self.unit, bool)
        require(
            whole and 1 <= self.unit <= MAX_LEAF_SCORE,
            f"unit must be an int in [1, {MAX_LEAF_SCORE}], got {self.unit!r}",
        )
        object.__setattr__(self, "unit", int(self.unit))
        most = self.unit * int(np.abs(self.values).max(initial=0))
        require(most <= MAX_LEAF_SCORE, f"a leaf adds up to {most}, beyond {MAX_LEAF_SCORE}")

    @property
    def input_dtype(self) -> str:
        """Type in which inputs are compared, ``"float32"`` or ``"int32"``: that of the grid."""
        return self.grid.dtype

    @property
    def n_scores(self) -> int:
        """Number of scores that a row gets."""
        return int(self.values.shape[1])

    @property
    def n_values(self) -> int:
        """Number of leaf values of all leaves."""
        return self.values.size

    @property
    def columns(self) -> NDArray[Any]:
        """Columns of the input that some node reads, ascending int32 array."""
        return np.unique(self.grid.features[self.feature])

    @property
    def one_leaf_a_row(self) -> bool:
        """Whether there is one tree only."""
        return len(self.roots) == 1

    @property
    def scaled_values(self) -> NDArray[Any]:
        """What each leaf adds to the scores, int32 array of shape (n_leaves, n_scores)."""
        return self.values * np.int32(self.unit)

    @cached_property
    def edges(self) -> NDArray[Any]:
        """Threshold of each node, float32 or int32 array of shape (n_nodes,)."""
        edges: NDArray[Any] = self.grid.edges[self.grid.offsets[self.feature] + self.threshold]
        return edges

    @cached_property
    def walk(self) -> tuple[NDArray[Any], ...]:
        """What a walk reads: roots, then for each node column, threshold, children, NaN's side."""
        column = self.grid.features[self.feature]
        return self.roots, column, self.edges, self.left, self.right, self.nan_left

    @cached_property
    def tree_bounds(self) -> NDArray[np.int64]:
        """Largest magnitude that each tree can add, int64 array of shape (n_trees, n_scores).

        Only leaves that a walk can reach count.
        """
        magnitude = np.abs(self.scaled_values.astype(np.int64))
        reach = np.zeros((len(self.feature), self.n_scores), np.int64)
        bounds = np.zeros((len(self.roots), self.n_scores), np.int64)
        _largest_values(self.roots, self.left, self.right, magnitude, reach, bounds)
        bounds.setflags(write=False)
        return bounds

    @property
    def score_bound(self) -> NDArray[np.int64]:
        """Sum of the trees' largest magnitudes, int64 array of shape (n_scores,)."""
        bound: NDArray[np.int64] = self.tree_bounds.sum(axis=0)
        return bound

    def validate_for(self, n_features: int, n_scores: int) -> None:
        """Check that the trees and their grid suit a model; see `Table.validate_for`."""
        super().validate_for(n_features, n_scores)
        require(
            int(self.grid.features.max(initial=-1)) < n_features,
            f"the grid reads a column beyond n_features={n_features}",
        )

    def add_scores(self, X: NDArray[Any], out: NDArray[np.int32]) -> None:
        """Add the values of the leaves that rows reach; see `Table.add_scores`."""
        X = self.grid.cast(X)
        if len(X) < BLOCK:
            _add_trees(X, *self.walk, self.scaled_values, out)
            return
        trees, values = self._bit_vectors
        if len(trees.start) > 0:
            add_bit_vectors(X, trees, values, out)
        if len(trees.walked) > 0:
            _add_trees(X, trees.walked, *self.walk[1:], self.scaled_values, out)

    @cached_property
    def _bit_vectors(self) -> tuple[BitVectors, NDArray[np.int32]]:
        """What many rows are compared with: masks of the trees, and the values of the leaves."""
        return bit_vectors(*self.walk), padded_values(self.scaled_values)

    def leaves(self, X: NDArray[Any]) -> NDArray[np.int32]:
        """Leaf that each row reaches in each tree.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers, with ranks in place of categories.

        Returns
        -------
        leaves : int32 array of shape (n_samples, n_trees)
        """
        out = np.empty((len(X), len(self.roots)), np.int32)
        _find_leaves(self.grid.cast(X), *self.walk, out)
        return out

    def paths(self, X: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Nodes that each row passes in each tree.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers, with ranks in place of categories.

        Returns
        -------
        row, tree, node : int arrays of shape (n_steps,)
            A step of a row; inner node i has the number i, leaf l the number ``n_nodes + l``.
        """
        _, column, threshold, left, right, nan_left = self.walk
        X = self.grid.cast(X)
        steps = []
        for t, root in enumerate(self.roots):
            row, node = np.arange(len(X)), np.full(len(X), root, np.intp)
            while len(row):
                number = np.where(node >= 0, node, len(column) + ~node)
                steps.append((row, np.full(len(row), t), number))
                row, node = row[node >= 0], node[node >= 0]
                x = X[row, column[node]]
                goes_left = (x <= threshold[node]) | (np.isnan(x) & nan_left[node])
                node = np.where(goes_left, left[node], right[node]).astype(np.intp)
        steps.append((np.zeros(0, np.intp),) * 3)  # where there are no rows
        row, tree, node = (np.concatenate(each) for each in zip(*steps, strict=True))
        return row, tree, node

    def rounding_variance(self, X: NDArray[Any] | None) -> NDArray[np.float64]:
        """A value of each tree, in units of a score; see `Table.rounding_variance`."""
        n_rounded = len(self.roots) if self.unit == 1 else 0
        return np.full(self.n_scores, n_rounded / 12)

    @property
    def n_codes(self) -> int:
        """Number of features of the grid."""
        return len(self.grid.features)

    @property
    def code_columns(self) -> NDArray[Any]:
        """Features of the grid."""
        return self.grid.features

    @property
    def codes_dtype(self) -> str:
        """The narrower of uint8 and uint16 that holds all codes, and another number for NaN."""
        return str(self.grid.codes_dtype)

    def codes(self, X: NDArray[Any]) -> NDArray[Any]:
        """Codes of the grid's features; NaN is the largest number. See `Table.codes`."""
        codes = self.grid.encode(X)
        missing = codes > self.grid.counts[:, None]
        largest = np.iinfo(self.codes_dtype).max
        return np.ascontiguousarray(np.where(missing, largest, codes).T, self.codes_dtype)

    def turning_points(
        self, X: NDArray[Any], rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[Any], NDArray[np.float64]]:
        """The threshold of each node, with a row that reaches it, or a random one.

        See `Table.turning_points`.
        """
        _, column, threshold, left, right, nan_left = self.walk
        X = self.grid.cast(X)
        reaching = rng.integers(len(X), size=len(column))
        for root in self.roots:
            row, node = np.arange(len(X)), np.full(len(X), root)
            while len(row := row[node >= 0]):
                node = node[node >= 0]
                reaching[node] = row
                x = X[row, column[node]]
                goes_left = (x <= threshold[node]) | (np.isnan(x) & nan_left[node])
                node = np.where(goes_left, left[node], right[node])
        return reaching, column, threshold.astype(np.float64)

    def check_range(self, dtype: str, low: int, high: int) -> None:
        """Refuse a type that cannot cross all thresholds; see `Table.check_range`."""
        edges = self.edges.astype(np.float64)
        # Those at the end of int32 stand for infinity: they part all numbers from NaN.
        finite = np.isfinite(edges) & ((edges < INT32_MAX) | (self.input_dtype == "float32"))
        beyond = np.flatnonzero(finite & ((edges >= high) | (edges < low)))
        for node in beyond[:1]:
            raise ValueError(
                f"input_dtype={dtype!r} holds {low} to {high}, and column "
                f"{self.grid.features[self.feature[node]]} is cut at {edges[node]:g}: take a "
                "wider type"
            )

    def check_whole_numbers(self, dtype: str) -> str:
        """Find thresholds that are neither whole nor half-way; see `Table.check_whole_numbers`."""
        if self.input_dtype == "int32":
            return ""
        column, columns = self.grid.features[self.feature], self.columns
        edges = [np.unique(self.edges[column == j]) for j in columns]
        counts, merged = fractions_by_column(edges)
        if merged is not None:
            part = edges[merged]
            raise ValueError(
                f"input_dtype={dtype!r} makes one threshold of the {len(part)} of column "
                f"{columns[merged]}, which lie between {part[0]:.3g} and {part[-1]:.3g}: "
                f"{_WHOLE_NUMBERS}, or take input_dtype='float32'"
            )
        moved = np.flatnonzero(counts)
        if len(moved) == 0:
            return ""
        n_edges = sum(len(edges[k]) for k in moved)
        return (
            f"input_dtype={dtype!r} rounds {counts.sum()} of {n_edges} thresholds of "
            f"{len(moved)} column{'s' * (len(moved) > 1)} (the first is {columns[moved[0]]}) to "
            f"whole numbers: {_WHOLE_NUMBERS}"
        )

    def describe(self) -> str:
        """How many trees and splits there are."""
        T, N = len(self.roots), len(self.feature)
        return f"{T} tree{'s' * (T > 1)} with {N} splits"

    def describe_codes(self) -> str:
        """Which columns they are of."""
        columns = ", ".join(str(column) for column in self.grid.features.tolist())
        return f"numbers of edges below the columns {columns}; all bits set for a missing one"


# The walks below are the definition that C and ONNX are compared with. They take plain arrays,
# for numba compiles functions of arrays once and keeps them on disk.


@njit
def _leaf(x, node, column, threshold, left, right, nan_left):  # type: ignore[no-untyped-def]
    """Leaf that a row reaches from a node."""
    while node >= 0:
        v = x[column[node]]
        if v <= threshold[node] or (v != v and nan_left[node]):  # only NaN differs from itself
            node = left[node]
        else:
            node = right[node]
    return ~node


@njit
def _add_trees(X, roots, column, threshold, left, right, nan_left, values, out):  # type: ignore[no-untyped-def]
    """Add up the values of each row's leaves; int32 sums cannot overflow, `validate` proved it."""
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            leaf = _leaf(X[i], roots[t], column, threshold, left, right, nan_left)
            for k in range(values.shape[1]):
                out[i, k] += values[leaf, k]


@njit
def _find_leaves(X, roots, column, threshold, left, right, nan_left, out):  # type: ignore[no-untyped-def]
    """Write down the leaf of each row in each tree."""
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            out[i, t] = _leaf(X[i], roots[t], column, threshold, left, right, nan_left)


@njit
def _largest_values(roots, left, right, magnitude, reach, out):  # type: ignore[no-untyped-def]
    """Largest |value| below each node, from the bottom up; then that of each root.

    One pass serves all trees, and subtrees that several of them share are seen once.
    """
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        for child in (left[node], right[node]):
            values = reach[child] if child >= 0 else magnitude[~child]
            for k in range(reach.shape[1]):
                reach[node, k] = max(reach[node, k], values[k])
    for t in range(len(roots)):
        out[t] = reach[roots[t]] if roots[t] >= 0 else magnitude[~roots[t]]
