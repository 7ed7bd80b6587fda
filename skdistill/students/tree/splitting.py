"""The best split of a node, from the histogram of its rows.

Gains are what a split takes from the total impurity (Breiman et al. 1984, "Classification and
regression trees", section 4.2), summed over the targets. They are computed in float64 from exact
integer sums, and without fastmath, so that every machine finds the same split.

Of splits with equal gains the first one stays: the lowest feature, then NaN on the right before
NaN on the left, then the lowest threshold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skdistill.students.tree.histogram import add_rows
from skdistill.students.tree.monotonic import keeps_order
from skdistill.utils.jit import njit

SQUARED_ERROR, ENTROPY = 0, 1
RELATIVE_GAIN = 1e-13  # of a split, so that rounding errors of the scores split no pure node


class SplitConstraints(NamedTuple):
    """What the splits of one tree have in common.

    Attributes
    ----------
    n_targets : int
        Targets of a row. Its weight follows them in the statistics, then its count if
        `min_samples_leaf` is above 1.
    criterion : {SQUARED_ERROR, ENTROPY}
        The impurity.
    min_weight : float
        Minimum weight of a child, in units of the statistics.
    min_gain : float
        A split must gain more than this.
    min_samples_leaf : int
        Minimum number of rows of a child.
    l2_regularization : float
        Added to the weight of a node in its squared error, in units of the statistics.
    """

    n_targets: int
    criterion: int
    min_weight: float
    min_gain: float
    min_samples_leaf: int
    l2_regularization: float


class Split(NamedTuple):
    """A split of a node.

    Attributes
    ----------
    gain : float
        Decrease of the total impurity, less penalties.
    feature : int
        −1 where no split gains anything.
    threshold : int
        Codes up to this go left.
    nan_left : bool
        Whether NaN goes left.
    """

    gain: float
    feature: int
    threshold: int
    nan_left: bool


@njit(forceinline=True)  # a sixth faster than a call
def node_score(sums, n_targets, criterion, l2_regularization):  # type: ignore[no-untyped-def]
    """Minus weight times impurity of a node, up to a term that its splits do not change.

    For the squared error of targets with sums s and weight w that is ``sum(s ** 2) / (w +
    l2_regularization)``: the gain of gradient boosting (Chen & Guestrin 2016, equation 7) where
    targets are gradients and weights are Hessians. For the entropy it is ``sum(s * log2(s /
    w))``.

    Parameters
    ----------
    sums : int64 array of shape (n_stats,)
        Sums of the statistics of the node's rows.
    n_targets, criterion, l2_regularization : int, int, float
        As in `SplitConstraints`.

    Returns
    -------
    score : float
    """
    weight = np.float64(sums[n_targets])
    if weight <= 0:
        return 0.0
    score = 0.0
    if criterion == SQUARED_ERROR:
        for k in range(n_targets):
            score += np.float64(sums[k]) * np.float64(sums[k])
        return score / (weight + l2_regularization)
    for k in range(n_targets):
        if sums[k] > 0:
            score += np.float64(sums[k]) * np.log2(np.float64(sums[k]) / weight)
    return score


@njit
def find_best_split(  # type: ignore[no-untyped-def]
    histogram,
    bin_offsets,
    sums,
    constraints,
    feature_penalty,
    threshold_penalty,
    bounds,
    first,
    last,
):
    """Best split of a node by some features, whose histogram is there.

    Parameters
    ----------
    histogram : int64 array of shape (n_bins, n_stats)
        Histogram of the node.
    bin_offsets : int64 array of shape (n_features + 1,)
        First bin of each feature, and the number of bins.
    sums : int64 array of shape (n_stats,)
        Sums of the statistics of the node's rows.
    constraints : SplitConstraints
        What a split has to satisfy.
    feature_penalty : float64 array of shape (n_features,)
        What a split of each feature has to gain beyond `constraints.min_gain`.
    threshold_penalty : float64 array of shape (n_bins,)
        The same for each threshold.
    bounds : ValueBounds
        Of the node.
    first, last : int
        Features from `first` to ``last - 1``.

    Returns
    -------
    split : Split
    """
    best = Split(constraints.min_gain, -1, 0, False)
    for j in range(first, last):
        begin, end = bin_offsets[j], bin_offsets[j + 1]
        gain, threshold, nan_left = find_best_threshold(
            histogram[begin:end],
            sums,
            constraints,
            best.gain,
            feature_penalty[j],
            threshold_penalty[begin:end],
            bounds.signs[j],
            bounds,
        )
        if gain > best.gain:
            best = Split(gain, j, threshold, nan_left)
    return best


@njit
def find_best_split_of_rows(  # type: ignore[no-untyped-def]
    codes,
    bin_offsets,
    rows,
    node_stats,
    sums,
    constraints,
    feature_penalty,
    threshold_penalty,
    bounds,
    scratch,
):
    """Best split of a node of few rows, summed up one feature at a time.

    A histogram of all features would be mostly empty; one feature's stays in the cache, and is
    emptied by way of the rows that filled it.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (n_features, n_samples)
        Codes of all rows.
    bin_offsets : int64 array of shape (n_features + 1,)
        First bin of each feature, and the number of bins.
    rows : int32 array of shape (n_rows,)
        Rows of the node.
    node_stats : int32 array of shape (n_samples, n_stats)
        Their statistics, in their order.
    sums, constraints, feature_penalty, threshold_penalty, bounds
        As `find_best_split` takes them.
    scratch : int64 array of shape (n_bins of the largest feature, n_stats)
        All 0, before and after.

    Returns
    -------
    split : Split
    """
    best = Split(constraints.min_gain, -1, 0, False)
    for j in range(len(bin_offsets) - 1):
        first, last = bin_offsets[j], bin_offsets[j + 1]
        histogram = scratch[: last - first]
        if len(histogram) == 2:
            continue
        code = codes[j]
        add_rows(code, rows, node_stats, histogram)
        gain, threshold, nan_left = find_best_threshold(
            histogram,
            sums,
            constraints,
            best.gain,
            feature_penalty[j],
            threshold_penalty[first:last],
            bounds.signs[j],
            bounds,
        )
        if gain > best.gain:
            best = Split(gain, j, threshold, nan_left)
        for row in rows:
            histogram[code[row]] = 0
    return best


@njit
def find_best_threshold(  # type: ignore[no-untyped-def]
    histogram, sums, constraints, min_gain, feature_penalty, threshold_penalty, sign, bounds
):
    """Best threshold of one feature, if any gains more than `min_gain`.

    Thresholds are tried from the lowest up with the missing values on the right, then again with
    them on the left, if there are any.

    Parameters
    ----------
    histogram : int64 array of shape (n_codes + 1, n_stats)
        Of one feature; the last bin is NaN.
    sums, constraints
        As `find_best_split` takes them.
    min_gain : float
        Gain of the best split so far.
    feature_penalty : float
        What a split of the feature has to gain beyond `min_gain`.
    threshold_penalty : float64 array of shape (n_codes + 1,)
        The same for each threshold.
    sign : int
        Of the feature; see `ValueBounds`.
    bounds : ValueBounds
        Of the node.

    Returns
    -------
    gain : float
        −1 where no threshold gains more than `min_gain`.
    threshold : int
        −1 there.
    nan_left : bool
    """
    n_targets, criterion, min_weight, _, min_samples_leaf, l2_regularization = constraints
    n_codes, missing = len(histogram) - 1, histogram[-1]
    parent = node_score(sums, n_targets, criterion, l2_regularization) + feature_penalty
    n_stats = len(sums)
    left, right = np.empty(n_stats, np.int64), np.empty(n_stats, np.int64)
    best_gain, best_code, best_nan_left = min_gain, -1, False
    for nan_left in range(1 + (missing[n_targets] > 0)):
        for c in range(n_stats):
            left[c] = missing[c] if nan_left == 1 else 0
        for code in range(n_codes - 1):
            if histogram[code, n_targets] == 0:
                continue  # the children are those of the code before
            for c in range(n_stats):
                left[c] += histogram[code, c]
                right[c] = sums[c] - left[c]
            if right[n_targets] <= 0:
                break
            if left[n_targets] < min_weight or right[n_targets] < min_weight:
                continue
            if min_samples_leaf > 1 and (
                left[n_targets + 1] < min_samples_leaf or right[n_targets + 1] < min_samples_leaf
            ):
                continue
            if sign != 0 and not keeps_order(
                left, right, n_targets, sign, bounds.lower, bounds.upper
            ):
                continue
            gain = (
                node_score(left, n_targets, criterion, l2_regularization)
                + node_score(right, n_targets, criterion, l2_regularization)
                - parent
                - threshold_penalty[code]
            )
            if gain > best_gain:
                best_gain, best_code, best_nan_left = gain, code, nan_left == 1
    if best_code < 0:
        return -1.0, -1, False
    weight = histogram[:, n_targets]
    if missing[n_targets] == 0:  # this node has seen no NaN: it will go with the heavier child
        best_nan_left = 2 * weight[: best_code + 1].sum() > sums[n_targets]
    return best_gain, _middle_threshold(weight, best_code, threshold_penalty), best_nan_left


@njit
def _middle_threshold(weight, code, penalty):  # type: ignore[no-untyped-def]
    """The threshold halfway between `code` and the next code that rows of the node have.

    All thresholds between the two split these rows alike; the middle serves new rows best. It is
    not taken where it costs a penalty that `code` itself does not.
    """
    n_codes = len(weight) - 1
    after = code + 1
    while after < n_codes and weight[after] == 0:
        after += 1
    # Where nothing but NaN lies beyond, every number stays on the left.
    middle = (code + after - 1) // 2 if after < n_codes else n_codes - 2
    return code if penalty[middle] > penalty[code] else middle
