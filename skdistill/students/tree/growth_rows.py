"""The rows that a tree grows on: held in arrays, or coded chunk by chunk, here or elsewhere."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skdistill.chunks import CodedChunk, CodedRows
from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.grown_tree import GrownTree, find_leaves, sum_by_leaf
from skdistill.students.tree.merged_growth import NodeRequest, grow_merged, node_histograms

_NARROW = 1 << 20  # rows from which statistics of two bytes are worth kernels of their own


class GrowthRows(Protocol):
    """What a tree grows on."""

    @property
    def n_samples(self) -> int:
        """Number of rows."""

    def grow(self, n_edges: NDArray[np.int32], **limits: Any) -> GrownTree:
        """The tree within the limits that `grow_tree` takes; its `leaf` may be empty."""


class HeldRows(NamedTuple):
    """Rows in arrays, as `grow_tree` takes them.

    Attributes
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        Codes of the rows.
    row_stats : int32 array of shape (n_samples, n_stats)
        Their statistics.
    """

    codes: NDArray[Any]
    row_stats: NDArray[np.int32]

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return len(self.row_stats)

    def grow(self, n_edges: NDArray[np.int32], **limits: Any) -> GrownTree:
        """The tree within the limits that `grow_tree` takes."""
        return grow_tree(self.codes, n_edges, self.row_stats, **limits)


class ChunkedRows:
    """Rows that were coded chunk by chunk.

    Parameters
    ----------
    rows : CodedRows
        Codes; a second array holds statistics that are added up by leaf, if there is one.
    row_stats : list, default=None
        State of the rows, see `CodedRows.each`: statistics to grow on. None is the first array.
    """

    def __init__(self, rows: CodedRows, row_stats: list[Any] | None = None) -> None:
        self.rows = rows
        self.row_stats = rows.each(_statistics) if row_stats is None else row_stats

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return self.rows.n_samples

    def grow(self, n_edges: NDArray[np.int32], **limits: Any) -> GrownTree:
        """The tree within the limits that `grow_tree` takes."""
        return grow_on(self.rows, self.row_stats, n_edges, **limits)

    def sum_by_leaf(self, tree: GrownTree, n_edges: NDArray[np.int32]) -> NDArray[np.int64]:
        """Sums of the further statistics over the rows of each leaf.

        Parameters
        ----------
        tree : GrownTree
            Of these rows.
        n_edges : int32 array of shape (n_features,)
            Edges of each feature.

        Returns
        -------
        sums : int64 array of shape (n_nodes, n_stats)
        """
        sums: NDArray[np.int64] = self.rows.total(
            _sum_by_leaf, tree=tree._replace(leaf=tree.leaf[:0]), n_edges=n_edges
        )
        return sums


def grow_on(
    rows: CodedRows, row_stats: list[Any], n_edges: NDArray[np.int32], **limits: Any
) -> GrownTree:
    """Grow a tree on coded rows, whether they are here or divided among processes.

    Parameters
    ----------
    rows : CodedRows
        Codes of the rows.
    row_stats : list
        State of them, see `CodedRows.each`: int32 or uint16 array of shape (n_samples, n_stats).
    n_edges : int32 array of shape (n_features,)
        Edges of each feature.
    **limits : object
        As `grow_tree` takes them.

    Returns
    -------
    tree : GrownTree
        The same one, but for its `leaf`, which is empty unless the rows are here.
    """
    if rows.shard is not None:
        stats = row_stats[0]
        if stats.dtype == np.uint16 and len(stats) < _NARROW:
            stats = stats.astype(np.int32)  # those that are compiled already
        return grow_tree(rows.shard.codes, n_edges, stats, **limits)

    def histograms_of(request: NodeRequest) -> Any:
        return rows.total(_histograms, row_stats, n_edges=n_edges, request=request)

    has_nan = rows.total(_count_nan, n_edges=n_edges) > 0
    return grow_merged(histograms_of, n_edges, has_nan, **limits)


def _statistics(shard: CodedChunk) -> NDArray[Any]:
    return shard.arrays[0]


def _sum_by_leaf(
    shard: CodedChunk, *, tree: GrownTree, n_edges: NDArray[np.int32]
) -> NDArray[np.int64]:
    leaf = find_leaves(tree, shard.codes, n_edges)
    sums: NDArray[np.int64] = sum_by_leaf(shard.arrays[1], leaf, len(tree.feature))
    return sums


def _histograms(
    shard: CodedChunk,
    row_stats: NDArray[Any],
    *,
    n_edges: NDArray[np.int32],
    request: NodeRequest,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return node_histograms(shard.codes, row_stats, n_edges, request)


def _count_nan(shard: CodedChunk, *, n_edges: NDArray[np.int32]) -> NDArray[np.int64]:
    counts = [np.count_nonzero(code > n) for code, n in zip(shard.codes, n_edges, strict=True)]
    return np.array(counts, np.int64)
