"""The input grid: which columns a tree model reads, and where it can cut them.

Feature f of the grid is column ``features[f]`` of the input and owns
``edges[offsets[f]:offsets[f + 1]]``, ascending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import Frozen, as_table, is_ascending, require
from skdistill.utils.jit import njit

MAX_EDGES = 2**16 - 2  # codes 0 … 2¹⁶−2, and 2¹⁶−1 is NaN


@dataclass(frozen=True, eq=False)
class InputGrid(Frozen):
    """Thresholds of a tree model, shared by all its nodes.

    The code of a value is the number of its feature's edges below it, so that
    ``x <= edges[t]`` exactly where ``code(x) <= t``.

    Parameters
    ----------
    features : int32 array of shape (n_used,)
        Columns of the input that are read, ascending.
    offsets : int32 array of shape (n_used + 1,)
        Where each feature's edges begin.
    edges : float32 or int32 array of shape (n_edges,)
        Strictly ascending within a feature. Their dtype is the declared type of the
        input: ``float32`` values are compared as float32, ``int32`` values without any
        rounding. A float32 feature may end in +inf, which separates all numbers from NaN.

    Raises
    ------
    ValueError
        If the tables contradict each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compact import InputGrid
    >>> grid = InputGrid([2], [0, 2], np.array([0.5, 1.5], dtype=np.float32))
    >>> grid.encode(np.array([[9, 9, 0.5], [9, 9, 0.6], [9, 9, np.nan]])).tolist()
    [[0, 1, 3]]
    """

    features: NDArray[Any]
    offsets: NDArray[Any]
    edges: NDArray[Any]

    def __post_init__(self) -> None:
        as_table(self, "features", np.int32, 1)
        as_table(self, "offsets", np.int32, 1)
        as_table(
            self, "edges", np.int32 if np.asarray(self.edges).dtype.kind == "i" else np.float32, 1
        )
        u, edges = len(self.features), self.edges
        require(
            len(self.offsets) == u + 1, f"offsets has {len(self.offsets)} entries for {u} features"
        )
        require(
            self.offsets[0] == 0
            and self.offsets[-1] == len(edges)
            and is_ascending(self.offsets, strict=False),
            "offsets must rise from 0 to the number of edges",
        )
        require(
            is_ascending(self.features) and bool((self.features >= 0).all()),
            "features must be ascending column numbers",
        )
        require(bool((edges > -np.inf).all()), "edges must be numbers above -inf")
        require(
            int(self.counts.max(initial=0)) <= MAX_EDGES,
            f"a feature has more than {MAX_EDGES} edges",
        )
        rises = edges[1:] > edges[:-1]
        first = self.offsets[1:-1]  # where a feature begins its edge need not exceed the last one
        rises[first[(first > 0) & (first < len(edges))] - 1] = True
        require(bool(rises.all()), "edges must be strictly ascending within a feature")

    @property
    def dtype(self) -> str:
        """Declared type of the input, ``"float32"`` or ``"int32"``."""
        return str(self.edges.dtype)

    @property
    def counts(self) -> NDArray[np.int32]:
        """Number of edges of each feature, int32 array of shape (n_used,)."""
        return np.diff(self.offsets)

    @property
    def codes_dtype(self) -> np.dtype[Any]:
        """Type of a code: uint8 as long as no feature has more than 254 edges, else uint16."""
        return np.dtype(np.uint16 if int(self.counts.max(initial=0)) > 254 else np.uint8)

    def cast(self, X: NDArray[Any]) -> NDArray[Any]:
        """Rows in the type in which they are compared.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        X : float32 or float64 array of shape (n_samples, n_features), C-contiguous
            float32 by rounding to nearest even; for an int32 grid float64, which holds every
            int32 as it is.
        """
        with np.errstate(over="ignore"):  # beyond float32 is ±inf, which compares as it should
            return np.ascontiguousarray(
                X, dtype=np.float32 if self.dtype == "float32" else np.float64
            )

    def encode(self, X: NDArray[Any]) -> NDArray[Any]:
        """Codes of the columns of the grid, feature by feature.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers, with ranks in place of categories.

        Returns
        -------
        codes : uint8 or uint16 array of shape (n_used, n_samples)
            ``0 … counts[f]``, and ``counts[f] + 1`` for NaN.
        """
        X = self.cast(X)
        codes = np.empty((len(self.features), len(X)), self.codes_dtype)
        _encode(X, self.features, self.offsets, self.edges, codes)
        return codes


@njit
def _encode(X, features, offsets, edges, codes):  # type: ignore[no-untyped-def]
    """Binary search, one halving at a time over a block of rows, so that it vectorises.

    The number of halvings depends on the edges alone, so that the inner loop has no branch that
    depends on the data. All indexes are uint32: numba would make int64 of mixed types, which
    halves the lanes of a vector.
    """
    n, block, one = X.shape[0], 1024, np.uint32(1)  # two blocks fit the first-level cache
    x, below = np.empty(block, X.dtype), np.empty(block, np.uint32)
    for start in range(0, n, block):
        m = min(block, n - start)
        for f in range(len(features)):
            edge = edges[offsets[f] : offsets[f + 1]]
            for i in range(m):
                x[i], below[i] = X[start + i, features[f]], 0
            width = np.uint32(len(edge))
            while width > one:
                half = width >> one
                for i in range(m):
                    below[i] += half if edge[below[i] + half - one] < x[i] else np.uint32(0)
                width -= half
            code = codes[f, start : start + m]
            for i in range(m):
                last = width == one and edge[below[i]] < x[i]
                code[i] = below[i] + np.uint32(last) if x[i] == x[i] else len(edge) + 1
