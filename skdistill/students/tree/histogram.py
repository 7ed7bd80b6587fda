"""Histograms of integer codes: the one pass over the rows that tree growth is made of.

A histogram holds, for every feature and code, the sums of the row statistics over the rows of
one node. All features lie in one array: those of feature j are ``bin_offsets[j]`` to
``bin_offsets[j + 1]``, one bin for each code and a last one for NaN.

Statistics are int32 in fixed point and sums are int64. Integer sums have no rounding error, so
that they depend neither on the order of the rows nor on the number of threads, and a sibling's
histogram is exactly the parent's minus the other child's. With floats the subtraction would
leave noise, and near-ties between splits would be decided by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.jit import njit
from skdistill.utils.vectors import add_row

_GATHERED = 4096


def first_bins(n_edges: NDArray[np.int32]) -> NDArray[np.int64]:
    """First bin of each feature, and the number of bins.

    Parameters
    ----------
    n_edges : int32 array of shape (n_features,)
        Edges of each feature.

    Returns
    -------
    offsets : int64 array of shape (n_features + 1,)
    """
    offsets = np.zeros(len(n_edges) + 1, np.int64)
    np.cumsum(n_edges.astype(np.int64) + 2, out=offsets[1:])
    return offsets


@njit
def gather_stats(row_stats, rows, node_stats):  # type: ignore[no-untyped-def]
    """Copy the statistics of some rows side by side.

    Every feature then reads them in order, where `row_stats` itself would be read at random
    once for each feature.

    Parameters
    ----------
    row_stats : int32 array of shape (n_samples, n_stats)
        Statistics of all rows.
    rows : int32 array of shape (n_rows,)
        Row numbers.
    node_stats : int32 array of shape (n_rows or more, n_stats)
        Its first n_rows are overwritten.
    """
    for t in range(len(rows)):
        for c in range(row_stats.shape[1]):
            node_stats[t, c] = row_stats[rows[t], c]


@njit
def add_rows(code, rows, node_stats, histogram):  # type: ignore[no-untyped-def]
    """Add the statistics of some rows to the bins of one feature.

    Parameters
    ----------
    code : uint8 or uint16 array of shape (n_samples,)
        Codes of the feature.
    rows : int32 array of shape (n_rows,)
        Row numbers.
    node_stats : int32 array of shape (n_samples, n_stats)
        Statistics of `rows`, in their order.
    histogram : int64 array of shape (n_bins, n_stats)
        Changed in place.
    """
    n_stats = node_stats.shape[1]
    stats, bins = node_stats.reshape(node_stats.size), histogram.reshape(histogram.size)
    # Seven targets and their weight are one addition of a vector unit.
    n_vectors = n_stats // 8
    for first in range(0, 8 * n_vectors, 8):
        for t in range(len(rows)):
            b = np.intp(code[rows[t]]) * n_stats
            add_row(bins, b + first, stats, t * n_stats + first, 8)
    if 8 * n_vectors < n_stats:
        for t in range(len(rows)):
            b = code[rows[t]]
            for c in range(8 * n_vectors, n_stats):
                histogram[b, c] += node_stats[t, c]


@njit
def sum_histogram(codes, bin_offsets, rows, row_stats, histogram, first, last):  # type: ignore[no-untyped-def]
    """Histogram of some rows over some features.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        Codes of all rows.
    bin_offsets : int64 array of shape (n_features + 1,)
        First bin of each feature, and the number of bins.
    rows : int32 array of shape (n_rows,)
        Row numbers.
    row_stats : int32 array of shape (n_samples, n_stats)
        Statistics of all rows.
    histogram : int64 array of shape (n_bins, n_stats)
        Bins of the features are overwritten. Those of a feature without edges become 0: it cannot
        be split.
    first, last : int
        Features from `first` to ``last - 1``.
    """
    histogram[bin_offsets[first] : bin_offsets[last]] = 0
    node_stats = np.empty((min(len(rows), _GATHERED), row_stats.shape[1]), np.int32)
    for start in range(0, len(rows), _GATHERED):
        some = rows[start : start + _GATHERED]
        gather_stats(row_stats, some, node_stats)
        for j in range(first, last):
            begin, end = bin_offsets[j], bin_offsets[j + 1]
            if end - begin > 2:
                add_rows(codes[j], some, node_stats, histogram[begin:end])


@njit
def subtract_histogram(histogram, other):  # type: ignore[no-untyped-def]
    """Turn a parent's histogram into that of one child by subtracting the `other` child's.

    It costs one pass over the bins, whatever the number of rows: only the smaller child of a
    split is summed up.

    Parameters
    ----------
    histogram : int64 array of shape (n_bins, n_stats)
        Changed in place.
    other : int64 array of shape (n_bins, n_stats)
        Histogram of the other child.
    """
    for b in range(histogram.shape[0]):
        for c in range(histogram.shape[1]):
            histogram[b, c] -= other[b, c]
