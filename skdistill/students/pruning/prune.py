"""Pruning an ensemble down to a number of bytes.

A price is put on a split, which takes as many bytes wherever it is: those of a node and of a
leaf. To second order, it is worth what the loss rises by if its two sides become one. The
pruning of every tree that is best at the price is then found in one pass from the leaves up, as
in minimal cost-complexity pruning (Breiman et al. 1984, section 3.3), but with the loss of all
trees together. The price rises a little at a time, and in between the values of all leaves that
remain are refitted together.

Level-wise optimisation and pruning (Devos et al., ICML 2025, PMLR 267:13419) asks the same
question, which subtrees are worth their bytes, by an L1-penalised logistic regression at every
depth. Our version of it, with scales that are not negative, was slower and less accurate.

Symbols: n rows, T trees, N nodes, S score columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from skdistill.students.boosting.leaf_refit import Ensemble, add_to_leaves, refit
from skdistill.students.loss import Loss
from skdistill.students.pruning.flat_forest import CUT, KEEP, Forest, cut, without_trees

_REFIT_WORK = 10**8  # rows times trees times scores, beyond which values stay as they are


class Problem(NamedTuple):
    """What the values of a forest are fitted to.

    Attributes
    ----------
    loss : Loss
        Of logits, as `soft_cross_entropy` gives it.
    offset : float64 array of shape (n, S)
        Logits that the trees are added to.
    l2_regularization : float
        Penalty ``l2_regularization / 2 * sum(values ** 2)``.
    """

    loss: Loss
    offset: NDArray[np.float64]
    l2_regularization: float


def shrink(
    forest: Forest,
    problem: Problem,
    size_of: Callable[[Forest], int],
    max_bytes: int,
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
        worth, values = split_worth(forest, problem)
        # All splits take the same bytes: a node, and a leaf with a value for every score.
        excess = min(1 - max_bytes / size, step) * float((~forest.is_leaf).sum())
        forest = cut(forest, _best_pruning(forest, worth, excess), values)
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
    ensemble = refit(
        ensemble,
        problem.loss,
        l2_regularization=problem.l2_regularization,
        max_iter=max_iter,
        linear=False,
    )
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
        The best value of each node as a leaf; those of leaves stay.
    """
    z = as_ensemble(forest, problem).logits()
    curvature = np.zeros_like(forest.values)
    add_to_leaves(forest.leaves, problem.loss.curvature(z), curvature)
    curvature[forest.is_leaf] += problem.l2_regularization
    moment = np.where(forest.is_leaf[:, None], curvature * forest.values, 0.0)
    _add_children(forest.left, forest.right, curvature)
    _add_children(forest.left, forest.right, moment)
    power = (moment**2 / curvature).sum(axis=1) / 2
    inner = ~forest.is_leaf
    worth = np.zeros(len(power))
    worth[inner] = power[forest.left[inner]] + power[forest.right[inner]] - power[inner]
    values = np.where(inner[:, None], moment / curvature, forest.values)
    return np.maximum(worth, 0.0), values


def _best_pruning(forest: Forest, worth: NDArray[np.float64], wanted: float) -> NDArray[np.int8]:
    """Which nodes to cut: the best pruning at the least price that takes `wanted` splits away."""
    low, high = 0.0, float(worth.max()) * (1 + 1e-9) + 1e-300
    state = np.full(len(worth), KEEP, np.int8)
    for _ in range(40):
        price = (low + high) / 2
        if _prune_at(forest.left, forest.right, worth, price, state) >= wanted:
            high = price
        else:
            low = price
    _prune_at(forest.left, forest.right, worth, high, state)
    return state


@njit(nogil=True, cache=True)
def _prune_at(left, right, worth, price, state):
    """Mark the subtrees whose splits are not worth `price` each; return how many splits go."""
    N = len(left)
    net, splits = np.zeros(N), np.zeros(N, np.int64)
    gone = 0
    for node in range(N - 1, -1, -1):  # children come after their parents
        state[node] = KEEP
        if left[node] < 0:
            continue
        net[node] = worth[node] - price + net[left[node]] + net[right[node]]
        splits[node] = 1 + splits[left[node]] + splits[right[node]]
        if net[node] <= 0:
            state[node] = CUT
            gone += splits[node]
            net[node], splits[node] = 0.0, 0
    return gone


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
def _add_children(left, right, sums):
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            for k in range(sums.shape[1]):
                sums[node, k] = sums[left[node], k] + sums[right[node], k]
