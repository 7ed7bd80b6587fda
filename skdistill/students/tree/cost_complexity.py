"""Minimal cost-complexity pruning of a grown tree (Breiman et al. 1984, section 3.3)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from skdistill.students.tree.histogram import Grown


def prune(tree: Grown, ccp_alpha: float) -> Grown:
    """Cut the weakest subtree, again and again, while it saves less than `ccp_alpha` a leaf.

    The cost of a subtree is the impurity that its splits take away, on the targets the
    tree was grown on, as a share of the total weight.

    Parameters
    ----------
    tree : Grown
    ccp_alpha : float, >= 0

    Returns
    -------
    tree : Grown
        With fewer nodes; children still come after their parents.
    """
    if ccp_alpha <= 0:
        return tree
    stays = _prune(tree.children, tree.gain, ccp_alpha)
    kept = np.flatnonzero(stays)
    number = np.cumsum(stays) - 1
    cut = tree.children[kept, 0] >= 0
    cut &= ~stays[np.where(cut, tree.children[kept, 0], 0)]
    children = tree.children[kept]
    inner = (children[:, 0] >= 0) & ~cut
    children = np.where(inner[:, None], number[children], -1).astype(np.int32)
    return Grown(
        np.where(inner, tree.feature[kept], -1).astype(np.int32),
        np.where(inner, tree.threshold[kept], 0).astype(np.int32),
        tree.nan_left[kept] & inner,
        children,
        np.where(inner, tree.gain[kept], 0.0),
        tree.sums[kept],
        _lowest_kept(tree.children, stays, number.astype(np.int32))[tree.leaf],
    )


@njit(nogil=True, cache=True)
def _prune(
    children: NDArray[np.int32], gain: NDArray[np.float64], ccp_alpha: float
) -> NDArray[np.bool_]:
    n = len(children)
    stays = np.ones(n, np.bool_)
    is_leaf = children[:, 0] < 0
    saved, leaves = np.zeros(n), np.ones(n, np.int64)
    while True:
        weakest, at = ccp_alpha, -1
        for node in range(n - 1, -1, -1):
            if is_leaf[node]:
                saved[node], leaves[node] = 0.0, 1
                continue
            a, b = children[node]
            saved[node] = gain[node] + saved[a] + saved[b]
            leaves[node] = leaves[a] + leaves[b]
            if stays[node] and saved[node] / (leaves[node] - 1) <= weakest:
                weakest, at = saved[node] / (leaves[node] - 1), node
        if at < 0:
            return stays
        is_leaf[at] = True
        for node in range(n):
            if children[node, 0] >= 0 and (is_leaf[node] or not stays[node]):
                stays[children[node, 0]] = stays[children[node, 1]] = False


@njit(nogil=True, cache=True)
def _lowest_kept(children, stays, number):
    """New number of each node, or of its lowest ancestor that stays."""
    out = np.zeros(len(children), np.int32)
    for node in range(len(children)):
        if stays[node]:
            out[node] = number[node]
        for side in range(2):
            if children[node, side] >= 0:
                out[children[node, side]] = out[node]
    return out
