"""Growing one tree on integer codes, best-first, from exact integer histograms.

Symbols: n rows, d features, C channels. A row's channels are its K target channels and
then its weight, as fixed-point integers (targets already multiplied by the weight), so
that every sum is exact and a tree is the same whatever the order of the rows. Where rows
are counted too (`min_samples_leaf` above 1), a 1 follows the weight.

A histogram holds, for every feature and code, the sum of the channels over the rows of
one node. The sibling of a node that was summed is the parent's histogram minus it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

SQUARED_ERROR, ENTROPY = 0, 1
_HISTOGRAM_BYTES = 1 << 28  # kept for subtraction; nodes beyond are summed afresh


class Grown(NamedTuple):
    """A tree in the order of its growth: children come after their parents.

    Attributes
    ----------
    feature : int32 array of shape (N,)
        −1 for a leaf.
    threshold : int32 array of shape (N,)
        A row goes left where its code is at most this.
    nan_left : bool array of shape (N,)
    children : int32 array of shape (N, 2)
        −1 for a leaf.
    gain : float64 array of shape (N,)
        Decrease of the total impurity by the split, in units of weight.
    sums : int64 array of shape (N, C)
        Channel sums, fixed point.
    leaf : int32 array of shape (n,)
        Node that each row ends in.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.int32]
    nan_left: NDArray[np.bool_]
    children: NDArray[np.int32]
    gain: NDArray[np.float64]
    sums: NDArray[np.int64]
    leaf: NDArray[np.int32]


class Prices(NamedTuple):
    """What a split must gain beyond 0, in units of the channels; 0 once it has been paid.

    Attributes
    ----------
    feature : float64 array of shape (d,)
        For a feature that no split used yet.
    threshold : float64 array, one entry a bin
        For a threshold, at the bin of its code; each feature has ``n_edges + 2`` bins.
    """

    feature: NDArray[np.float64]
    threshold: NDArray[np.float64]


def grow(
    codes: NDArray[Any],
    n_edges: NDArray[np.int32],
    channels: NDArray[np.int32],
    *,
    criterion: int,
    max_leaf_nodes: int,
    max_depth: int,
    min_samples_leaf: int,
    min_weight: float = 0.0,
    l2_regularization: float = 0.0,
    prices: Prices | None = None,
) -> Grown:
    """Grow a tree, always splitting the leaf that gains most.

    Parameters
    ----------
    codes : uint8 or uint16 array of shape (d, n)
        As `InputGrid.encode` gives them; ``n_edges[j] + 1`` is NaN.
    n_edges : int32 array of shape (d,)
    channels : int32 array of shape (n, C)
        Of rows with a weight above 0.
    criterion : {SQUARED_ERROR, ENTROPY}
    max_leaf_nodes, max_depth, min_samples_leaf : int
    min_weight : float
        Least weight of a leaf, as a share of the total.
    l2_regularization : float, default=0.0
        Added to the weight of a node in its squared-error score, in units of the channels.
    prices : Prices, default=None
        Left as they are.

    Returns
    -------
    tree : Grown
    """
    bins = np.zeros(len(n_edges) + 1, np.int64)
    np.cumsum(n_edges.astype(np.int64) + 2, out=bins[1:])
    bytes_each = max(1, int(bins[-1]) * channels.shape[1] * 8)
    slots = int(min(max_leaf_nodes + 1, max(2, _HISTOGRAM_BYTES // bytes_each)))
    if prices is None:
        prices = Prices(np.zeros(len(n_edges)), np.zeros(bins[-1]))
    tree = Grown(
        *_grow(
            codes,
            bins,
            channels,
            criterion,
            max_leaf_nodes,
            max_depth,
            min_samples_leaf,
            min_weight,
            l2_regularization,
            slots,
            prices.feature.copy(),
            prices.threshold.copy(),
        )
    )
    # A feature that is never NaN learns no side for it: NaN goes right, at no byte's cost.
    known = codes.max(axis=1) > n_edges
    return tree._replace(nan_left=tree.nan_left & known[tree.feature])


@njit(nogil=True, cache=True)
def _grow(
    codes,
    bins,
    channels,
    criterion,
    max_leaf_nodes,
    max_depth,
    min_samples_leaf,
    min_weight,
    l2_regularization,
    slots,
    fee,
    price,
):
    n, C = channels.shape
    K = C - 1 - (min_samples_leaf > 1)
    most = 2 * min(max_leaf_nodes, n) - 1
    feature = np.full(most, -1, np.int32)
    threshold = np.zeros(most, np.int32)
    nan_left = np.zeros(most, np.bool_)
    children = np.full((most, 2), -1, np.int32)
    gain = np.zeros(most)
    sums = np.zeros((most, C), np.int64)
    depth = np.zeros(most, np.int32)
    first = np.zeros(most, np.int64)  # a node's rows are rows[first:last]
    last = np.zeros(most, np.int64)
    slot = np.full(most, -1, np.int32)  # where its histogram is kept

    rows = np.arange(n).astype(np.int32)
    spare = np.empty(n, np.int32)
    ordered = np.empty((n, C), np.int32)  # channels of a node's rows, side by side
    pool = np.empty((slots, bins[-1], C), np.int64)
    free = np.arange(slots)
    n_free = slots
    worth_keeping = bins[-1] // max(
        1, len(bins) - 1
    )  # below this many rows summing beats subtracting
    scratch = np.zeros((np.max(np.diff(bins)), C), np.int64)

    last[0] = n
    for i in range(n):
        for c in range(C):
            sums[0, c] += channels[i, c]
    total = np.float64(sums[0, K])
    least_weight = min_weight * total
    least_gain = 1e-13 * max(abs(_score(sums[0], K, criterion, l2_regularization)), total)
    limits = (K, criterion, least_weight, least_gain, min_samples_leaf, l2_regularization)

    n_nodes = n_leaves = 1
    heap = [(0.0, np.int64(0)) for _ in range(0)]  # open leaves, the one that gains most first
    if n >= worth_keeping:
        n_free -= 1
        slot[0] = free[n_free]
        _order(channels, rows[:n], ordered)
        _histogram(codes, bins, rows[:n], ordered, pool[slot[0]])
    pending = np.array([0, -1])
    while True:
        for node in pending:
            if (
                node < 0
                or depth[node] >= max_depth
                or last[node] - first[node] < 2 * min_samples_leaf
            ):
                continue
            if slot[node] >= 0:
                g, j, b, side = _best_split(pool[slot[node]], bins, sums[node], limits, fee, price)
            else:
                inside = rows[first[node] : last[node]]
                _order(channels, inside, ordered)
                g, j, b, side = _best_split_of_few(
                    codes, bins, inside, ordered, sums[node], limits, fee, price, scratch
                )
            if j >= 0:
                gain[node], feature[node], threshold[node], nan_left[node] = g, j, b, side
                heappush(heap, (-g, np.int64(node)))
        for node in pending:
            if (
                node >= 0
                and slot[node] >= 0
                and (feature[node] < 0 or last[node] - first[node] < worth_keeping or n_free < 1)
            ):
                free[n_free] = slot[node]
                n_free += 1
                slot[node] = -1
        if n_leaves >= max_leaf_nodes:
            break
        if len(heap) == 0:
            break
        node = heappop(heap)[1]
        fee[feature[node]] = price[bins[feature[node]] + threshold[node]] = 0.0
        nan_code = bins[feature[node] + 1] - bins[feature[node]] - 1
        middle = _partition(
            codes[feature[node]],
            rows,
            first[node],
            last[node],
            threshold[node],
            nan_left[node],
            nan_code,
            spare,
        )
        a, b = n_nodes, n_nodes + 1
        children[node, 0], children[node, 1] = a, b
        n_nodes += 2
        n_leaves += 1
        first[a], last[a], first[b], last[b] = first[node], middle, middle, last[node]
        depth[a] = depth[b] = depth[node] + 1
        small = a if middle - first[node] <= last[node] - middle else b
        large = a + b - small
        inside = rows[first[small] : last[small]]
        for i in inside:
            for c in range(C):
                sums[small, c] += channels[i, c]
        for c in range(C):
            sums[large, c] = sums[node, c] - sums[small, c]
        if slot[node] >= 0 and last[large] - first[large] >= worth_keeping:
            n_free -= 1
            slot[small] = free[n_free]
            _order(channels, inside, ordered)
            _histogram(codes, bins, inside, ordered, pool[slot[small]])
            slot[large] = slot[node]
            _subtract(pool[slot[large]], pool[slot[small]])
        elif slot[node] >= 0:
            free[n_free] = slot[node]
            n_free += 1
        slot[node] = -1
        pending[0], pending[1] = a, b

    leaf = np.empty(n, np.int32)
    for node in range(n_nodes):
        if children[node, 0] < 0:
            feature[node], threshold[node], nan_left[node], gain[node] = (
                -1,
                0,
                False,
                0.0,
            )  # a split not made
            for t in range(first[node], last[node]):
                leaf[rows[t]] = node
    return (
        feature[:n_nodes],
        threshold[:n_nodes],
        nan_left[:n_nodes],
        children[:n_nodes],
        gain[:n_nodes] / total,
        sums[:n_nodes],
        leaf,
    )


@njit(nogil=True, cache=True)
def _order(channels, rows, ordered):
    """Lay the channels of some rows side by side, for one pass a feature."""
    for t in range(len(rows)):
        for c in range(channels.shape[1]):
            ordered[t, c] = channels[rows[t], c]


@njit(nogil=True, cache=True)
def _histogram(codes, bins, rows, ordered, out):
    out[:] = 0
    for j in range(codes.shape[0]):
        if bins[j + 1] - bins[j] > 2:  # else there is no edge, nothing to split
            _add_rows(codes[j], rows, ordered, out[bins[j] : bins[j + 1]])


@njit(nogil=True, cache=True)
def _add_rows(code, rows, ordered, sums):
    for t in range(len(rows)):
        b = code[rows[t]]
        for c in range(ordered.shape[1]):
            sums[b, c] += ordered[t, c]


@njit(nogil=True, cache=True)
def _subtract(parent, child):
    for b in range(parent.shape[0]):
        for c in range(parent.shape[1]):
            parent[b, c] -= child[b, c]


@njit(nogil=True, cache=True)
def _score(sums, K, criterion, l2_regularization):
    """What a node contributes to the objective, up to a constant: minus weight times impurity."""
    w = np.float64(sums[K])
    if w <= 0:
        return 0.0
    s = 0.0
    if criterion == SQUARED_ERROR:
        for k in range(K):
            s += np.float64(sums[k]) * np.float64(sums[k])
        return s / (w + l2_regularization)
    for k in range(K):
        if sums[k] > 0:
            s += np.float64(sums[k]) * np.log2(np.float64(sums[k]) / w)
    return s


@njit(nogil=True, cache=True)
def _best_split(H, bins, total, limits, fee, price):
    """Best (gain, feature, threshold, NaN goes left); feature −1 where nothing gains."""
    best, best_j, best_b, best_side = limits[3], -1, 0, False
    for j in range(len(bins) - 1):
        prices = price[bins[j] : bins[j + 1]]
        g, b, side = _best_cut(H[bins[j] : bins[j + 1]], total, limits, best, fee[j], prices)
        if g > best:
            best, best_j, best_b, best_side = g, j, b, side
    return best, best_j, best_b, best_side


@njit(nogil=True, cache=True)
def _best_split_of_few(codes, bins, rows, ordered, total, limits, fee, price, scratch):
    """As `_best_split` without a histogram to read: one feature at a time, in cache."""
    best, best_j, best_b, best_side = limits[3], -1, 0, False
    for j in range(len(bins) - 1):
        h = scratch[: bins[j + 1] - bins[j]]
        if len(h) == 2:
            continue
        code = codes[j]
        _add_rows(code, rows, ordered, h)
        prices = price[bins[j] : bins[j + 1]]
        g, b, side = _best_cut(h, total, limits, best, fee[j], prices)
        if g > best:
            best, best_j, best_b, best_side = g, j, b, side
        for i in rows:
            h[code[i]] = 0
    return best, best_j, best_b, best_side


@njit(nogil=True, cache=True)
def _best_cut(h, total, limits, best, fee, price):
    """Best (gain, threshold, NaN goes left) of one feature, if any gains more than `best`.

    Gains are what is left after prices.
    """
    K, criterion, least_weight, _, min_samples_leaf, l2_regularization = limits
    C = len(total)
    base = _score(total, K, criterion, l2_regularization) + fee
    left, right = np.empty(C, np.int64), np.empty(C, np.int64)
    n_codes = len(h) - 1  # the last bin is NaN
    missing = h[n_codes]
    best_b, best_side = -1, False
    for side in range(1 + (missing[K] > 0)):
        for c in range(C):
            left[c] = missing[c] if side == 1 else 0
        for b in range(n_codes - 1):
            if h[b, K] == 0:
                continue  # the same rows as at the code before
            for c in range(C):
                left[c] += h[b, c]
                right[c] = total[c] - left[c]
            if right[K] <= 0:
                break
            if left[K] < least_weight or right[K] < least_weight:
                continue
            if min_samples_leaf > 1 and (
                left[K + 1] < min_samples_leaf or right[K + 1] < min_samples_leaf
            ):
                continue
            g = (
                _score(left, K, criterion, l2_regularization)
                + _score(right, K, criterion, l2_regularization)
                - base
                - price[b]
            )
            if g > best:
                best, best_b, best_side = g, b, side == 1
    if best_b < 0:
        return -1.0, -1, False
    after = best_b + 1
    while after < n_codes and h[after, K] == 0:
        after += 1
    # Halfway through the empty codes; where only NaN is beyond, all numbers stay together.
    cut = (best_b + after - 1) // 2 if after < n_codes else n_codes - 2
    if price[cut] > price[best_b]:
        cut = best_b
    if missing[K] == 0:  # unseen here: NaN goes with the heavier side
        weight = np.int64(0)
        for b in range(best_b + 1):
            weight += h[b, K]
        best_side = 2 * weight > total[K]
    return best, cut, best_side


@njit(nogil=True, cache=True)
def _partition(code, rows, lo, hi, b, nan_left, nan_code, spare):
    """Move the rows that go left before the others, keeping their order; return the border."""
    left, n_right = lo, 0
    for t in range(lo, hi):
        i = rows[t]
        c = code[i]
        if c <= b or (nan_left and c == nan_code):
            rows[left] = i
            left += 1
        else:
            spare[n_right] = i
            n_right += 1
    for t in range(n_right):
        rows[left + t] = spare[t]
    return left


@njit(nogil=True, cache=True)
def sum_by_node(channels, leaf, n_nodes):
    """Exact sums of each node's rows, int64 array of shape (n_nodes, C); zero for inner nodes."""
    out = np.zeros((n_nodes, channels.shape[1]), np.int64)
    for i in range(len(leaf)):
        for c in range(channels.shape[1]):
            out[leaf[i], c] += channels[i, c]
    return out


def find_leaves(tree: Grown, codes: NDArray[Any], n_edges: NDArray[np.int32]) -> NDArray[np.int32]:
    """Node that each row ends in, for rows that the tree was not grown on.

    Parameters
    ----------
    tree : Grown
    codes : uint8 or uint16 array of shape (d, n)
    n_edges : int32 array of shape (d,)

    Returns
    -------
    leaf : int32 array of shape (n,)
    """
    return _find_leaves(tree.feature, tree.threshold, tree.nan_left, tree.children, codes, n_edges)


@njit(nogil=True, cache=True)
def _find_leaves(feature, threshold, nan_left, children, codes, n_edges):
    out = np.zeros(codes.shape[1], np.int32)
    for i in range(len(out)):
        node = 0
        while feature[node] >= 0:
            j = feature[node]
            code = codes[j, i]
            left = nan_left[node] if code > n_edges[j] else code <= threshold[node]
            node = children[node, 0 if left else 1]
        out[i] = node
    return out
