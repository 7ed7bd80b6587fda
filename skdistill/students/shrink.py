"""Pruning an ensemble down to a number of bytes.

A price is put on the byte. To second order, a split is worth what the loss rises by if its two
sides become one; the pruning of every tree that is best at the price is then found in one pass
from the leaves up, as in minimal cost-complexity pruning (Breiman et al. 1984, section 3.3),
but by bytes and with the logistic loss of all trees together. The price rises a little at a
time, and in between the values of all leaves that remain are refitted together.

Level-wise optimisation and pruning (Devos et al., ICML 2025, PMLR 267:13419) asks the same
question, which subtrees are worth their bytes, by an L1-penalised logistic regression at every
depth. In our measurements it was slower and, at equal bytes, no more accurate.

Symbols: n rows, T trees, N nodes, S score columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from skdistill.students.forest import CUT, KEEP, Forest, cut, without_trees
from skdistill.students.loss import Loss, Newton
from skdistill.students.refit import Ensemble, refit

_REFIT_WORK = 10**8  # rows times trees times scores, beyond which values stay as they are


class Problem(NamedTuple):
    """What the values of a forest are fitted to.

    Attributes
    ----------
    loss : callable
        Of logits, as `soft_cross_entropy` gives it.
    newton : callable
        Of logits, as `newton_terms` gives it.
    weight : float
        Of all rows together.
    offset : float64 array of shape (n, S)
        Logits that the trees are added to.
    l2 : float
        Penalty ``l2 / 2 * sum(values ** 2)``.
    """

    loss: Loss
    newton: Newton
    weight: float
    offset: NDArray[np.float64]
    l2: float


def shrink(
    forest: Forest,
    problem: Problem,
    size_of: Callable[[Forest], int],
    max_bytes: int,
    leaf_bytes: float,
    *,
    step: float = 0.12,
    max_iter: int = 15,
) -> tuple[Forest, Problem]:
    """Cut subtrees until the forest fits.

    Parameters
    ----------
    forest : Forest
    problem : Problem
    size_of : callable
        Bytes of a forest.
    max_bytes : int
    leaf_bytes : float
        Bytes of a leaf's values.
    step : float, default=0.12
        Share of the bytes that go between two refits.
    max_iter : int, default=15
        Steps of each refit.

    Returns
    -------
    forest : Forest
        No larger than `max_bytes`, or a single leaf.
    problem : Problem
        With the constants that came out of trees in the offset.
    """
    size = size_of(forest)
    while size > max_bytes and not forest.is_leaf.all():
        if forest.leaves.size * forest.values.shape[1] <= _REFIT_WORK:
            forest = refitted(forest, problem, max_iter=max_iter)
        worth = split_worth(forest, problem)
        cost = split_bytes(forest, size, leaf_bytes)
        forest = cut(forest, *_best_pruning(forest, *worth, cost, size - max_bytes, step * size))
        forest, problem = _without_constants(forest, problem)
        size = size_of(forest)
    return forest, problem


def as_ensemble(forest: Forest, problem: Problem) -> Ensemble:
    """The leaves of the forest, numbered through, as `refit` takes them; the offset is fixed."""
    leaf = forest.is_leaf
    number = (np.cumsum(leaf) - 1).astype(np.int32)
    S = forest.values.shape[1]
    return Ensemble(
        number[forest.leaves],
        forest.tree[leaf],
        forest.values[leaf],
        problem.offset,
        np.eye(S),
        np.zeros(S),
    )


def refitted(forest: Forest, problem: Problem, *, max_iter: int) -> Forest:
    """The forest with the values of all its leaves refitted together."""
    ensemble = as_ensemble(forest, problem)
    ensemble = refit(ensemble, problem.loss, l2=problem.l2, max_iter=max_iter, linear=False)
    values = forest.values.copy()
    values[forest.is_leaf] = ensemble.W
    return forest._replace(values=values)


def split_worth(
    forest: Forest, problem: Problem
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the loss rises by, to second order, if the two sides of a split become one.

    Parameters
    ----------
    forest : Forest
    problem : Problem

    Returns
    -------
    worth : float64 array of shape (N,)
        0 for leaves.
    values : float64 array of shape (N, S)
        The best value of each node as a leaf.
    """
    z = as_ensemble(forest, problem).logits()
    curvature = np.zeros_like(forest.values)
    _sum_by_leaf(forest.leaves, problem.newton(z)[1] / problem.weight, curvature)
    curvature[forest.is_leaf] += problem.l2
    moment = np.where(forest.is_leaf[:, None], curvature * forest.values, 0.0)
    _add_children(forest.left, forest.right, curvature)
    _add_children(forest.left, forest.right, moment)
    power = (moment**2 / curvature).sum(axis=1) / 2
    inner = ~forest.is_leaf
    worth = np.zeros(len(power))
    worth[inner] = power[forest.left[inner]] + power[forest.right[inner]] - power[inner]
    return np.maximum(worth, 0.0), moment / curvature


def split_bytes(forest: Forest, size: int, leaf_bytes: float) -> NDArray[np.float64]:
    """Bytes that each split adds: a leaf, a node, and its part of the edge that it uses.

    Parameters
    ----------
    forest : Forest
    size : int
        Bytes of the forest; what is not in leaves is shared out.
    leaf_bytes : float

    Returns
    -------
    cost : float64 array of shape (N,)
        0 for leaves.
    """
    inner = np.flatnonzero(~forest.is_leaf)
    edge = forest.grid.offsets[forest.feature[inner]] + forest.threshold[inner]
    _, edge, uses = np.unique(edge, return_inverse=True, return_counts=True)
    rest = max(1.0, size - leaf_bytes * (len(inner) + len(forest.roots)))
    unit = rest / (len(inner) + 2 * len(uses))  # an edge takes about as much as two nodes
    cost = np.zeros(len(forest.feature))
    cost[inner] = leaf_bytes + unit + 2 * unit / uses[edge]
    return cost


def _best_pruning(
    forest: Forest,
    worth: NDArray[np.float64],
    values: NDArray[np.float64],
    cost: NDArray[np.float64],
    wanted: float,
    most: float,
) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """The best pruning at the least price that saves `wanted` bytes, or `most` if that is less."""
    inner = cost > 0
    low, high = 0.0, float((worth[inner] / cost[inner]).max()) * (1 + 1e-9) + 1e-300
    wanted = min(wanted, most)
    state = np.full(len(cost), KEEP, np.int8)
    for _ in range(40):
        price = (low + high) / 2
        if _prune_at(forest.left, forest.right, worth, cost, price, state) >= wanted:
            high = price
        else:
            low = price
    _prune_at(forest.left, forest.right, worth, cost, high, state)
    return state, np.where(forest.is_leaf[:, None], forest.values, values)


@njit(nogil=True, cache=True)
def _prune_at(left, right, worth, cost, price, state):
    """Mark the subtrees that are not worth their bytes at `price`; return the bytes saved."""
    N = len(left)
    net, size = np.zeros(N), np.zeros(N)
    saved = 0.0
    for node in range(N - 1, -1, -1):  # children come after their parents
        state[node] = KEEP
        if left[node] < 0:
            continue
        net[node] = worth[node] - price * cost[node] + net[left[node]] + net[right[node]]
        size[node] = cost[node] + size[left[node]] + size[right[node]]
        if net[node] <= 0:
            state[node] = CUT
            saved += size[node]
            net[node] = size[node] = 0.0
    return saved


def _without_constants(forest: Forest, problem: Problem) -> tuple[Forest, Problem]:
    """Trees that are a single leaf go into the offset; one tree stays."""
    gone = forest.is_leaf[forest.roots]
    if gone.all():
        gone[0] = False
    if not gone.any():
        return forest, problem
    constant = forest.values[forest.roots[gone]].sum(axis=0)
    return without_trees(forest, gone), problem._replace(offset=problem.offset + constant)


@njit(nogil=True, cache=True)
def _sum_by_leaf(leaves, of_row, sums):
    for i in range(leaves.shape[0]):
        for t in range(leaves.shape[1]):
            leaf = leaves[i, t]
            for k in range(sums.shape[1]):
                sums[leaf, k] += of_row[i, k]


@njit(nogil=True, cache=True)
def _add_children(left, right, sums):
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            for k in range(sums.shape[1]):
                sums[node, k] = sums[left[node], k] + sums[right[node], k]
