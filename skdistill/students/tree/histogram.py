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

from skdistill.utils.jit import njit


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
    node_stats : int32 array of shape (n_samples, n_stats)
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
    for t in range(len(rows)):
        b = code[rows[t]]
        for c in range(node_stats.shape[1]):
            histogram[b, c] += node_stats[t, c]


@njit
def build_histogram(codes, bin_offsets, rows, node_stats, histogram):  # type: ignore[no-untyped-def]
    """Histogram of some rows over all features.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        Codes of all rows.
    bin_offsets : int64 array of shape (n_features + 1,)
        First bin of each feature, and the number of bins.
    rows : int32 array of shape (n_rows,)
        Row numbers.
    node_stats : int32 array of shape (n_samples, n_stats)
        Statistics of `rows`, in their order.
    histogram : int64 array of shape (n_bins, n_stats)
        Overwritten. Bins of a feature without edges stay 0: it cannot be split.
    """
    histogram[:] = 0
    for j in range(codes.shape[0]):
        if bin_offsets[j + 1] - bin_offsets[j] > 2:
            add_rows(codes[j], rows, node_stats, histogram[bin_offsets[j] : bin_offsets[j + 1]])


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
