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
from skdistill.utils.threads import blocks, run_tasks

MAX_EDGES = 2**16 - 2  # codes 0 … 2¹⁶−2, and 2¹⁶−1 is NaN
_BUCKETS = 1024  # of a feature: with up to 254 edges most hold one at most
_MANY = 1 << 10  # rows that are encoded sooner with buckets, although these have to be made
_ROWS = 1 << 13  # of a task
_NO_BUCKETS = np.zeros((0, 0), np.uint16), np.zeros((0, 3), np.float32)


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
        buckets = self._buckets() if len(X) >= _MANY else _NO_BUCKETS

        def encode(part: slice) -> None:
            _encode(
                X, self.features, self.offsets, self.edges, *buckets, codes, part.start, part.stop
            )

        run_tasks(encode, blocks(len(X), _ROWS))
        return codes

    def _buckets(self) -> tuple[NDArray[np.uint16], NDArray[Any]]:
        """For each feature edges below each bucket; then its first edge, scale, and most edges.

        The bucket of a number is its distance from the first edge times the scale, rounded down
        and clipped. It never falls where the number rises, rounding included, so that an edge in
        a lower bucket is below the number, and one in a higher bucket above it.
        """
        dtype = self.edges.dtype if self.dtype == "float32" else np.dtype(np.float64)
        first, table = np.zeros((len(self.features), _BUCKETS), np.uint16), []
        for f, (start, stop) in enumerate(zip(self.offsets, self.offsets[1:], strict=False)):
            edges = self.edges[start:stop].astype(dtype)
            finite = edges[np.isfinite(edges)]
            if len(finite) < 2:
                table.append((0.0, 1.0, len(edges)))  # one bucket is all there is to look at
                continue
            span = float(finite[-1]) - float(finite[0])
            scale = dtype.type(np.clip((_BUCKETS - 2) / span, 1e-30, 1e30))
            with np.errstate(over="ignore"):
                distance = (edges - finite[0]) * scale
            bucket = np.clip(distance, 0, _BUCKETS - 1).astype(np.intp)
            counts = np.bincount(bucket, minlength=_BUCKETS)
            first[f] = np.cumsum(counts) - counts
            table.append((finite[0], scale, counts.max()))
        return first, np.array(table, dtype).reshape(-1, 3)


@njit
def _encode(X, features, offsets, edges, below_bucket, buckets, codes, begin, end):  # type: ignore[no-untyped-def]
    """Codes of the rows from `begin` to ``end - 1``.

    The bucket of a number says which few edges are left to compare it with, if there are buckets.
    Then a binary search among them, one halving at a time over a block of rows, so that it
    vectorises: the number of halvings depends on the edges alone, and the inner loop has no branch
    that depends on the data. All indexes are uint32: numba would make int64 of mixed types, which
    halves the lanes of a vector.
    """
    block, one = 1024, np.uint32(1)  # two blocks fit the first-level cache
    x, below = np.empty(block, X.dtype), np.empty(block, np.uint32)
    most_edges = 0
    for f in range(len(features)):
        most_edges = max(most_edges, offsets[f + 1] - offsets[f])
    edge = np.empty(2 * most_edges + 2, X.dtype)
    for start in range(begin, end, block):
        m = min(block, end - start)
        for f in range(len(features)):
            n_edges = offsets[f + 1] - offsets[f]
            edge[:n_edges] = edges[offsets[f] : offsets[f + 1]]
            width = np.uint32(n_edges)
            for i in range(m):
                x[i], below[i] = X[start + i, features[f]], 0
            if len(buckets) > 0 and n_edges > 2:
                width = np.uint32(buckets[f, 2])
                edge[n_edges : n_edges + width + 1] = np.inf
                low, scale, first = buckets[f, 0], buckets[f, 1], below_bucket[f]
                zero, last = X.dtype.type(0), X.dtype.type(len(first) - 1)
                for i in range(m):
                    v = (x[i] - low) * scale
                    below[i] = np.uint32(np.int32(v if v < last else last) if v > zero else 0)
                for i in range(m):
                    below[i] = first[below[i]]
            while width > one:
                half = width >> one
                for i in range(m):
                    below[i] += half if edge[below[i] + half - one] < x[i] else np.uint32(0)
                width -= half
            code = codes[f, start : start + m]
            for i in range(m):
                last = width == one and edge[below[i]] < x[i]
                code[i] = below[i] + np.uint32(last) if x[i] == x[i] else n_edges + 1
