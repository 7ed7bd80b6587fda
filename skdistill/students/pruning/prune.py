"""Pruning an ensemble of trees down to a number of bytes.

All splits take as many bytes: a node, and a leaf with a value for every score. What removing one
costs is, to second order, the rise of the loss if its two sides become one leaf. The pruning of
every tree that is best for a complexity parameter is found in one pass from the leaves up, as in
minimal cost-complexity pruning (Breiman et al. 1984, section 3.3), but with the loss of all trees
together. The parameter is raised a little at a time; in between the values of all remaining
leaves are refitted together.

Level-wise optimisation and pruning (Devos et al. 2025, PMLR 267:13419) asks the same question,
which subtrees are worth their bytes, by an L1-penalised logistic regression at every depth. Our
version of it, with scales that are not negative, was slower and less accurate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.boosting.leaf_refit import AdditiveModel, refit
from skdistill.students.boosting.leaf_sums import add_rows_to_leaves
from skdistill.students.loss import Loss
from skdistill.students.pruning.flat_forest import (
    KEEP,
    TO_LEAF,
    FlatForest,
    add_children,
    remove_nodes,
    without_trees,
)
from skdistill.utils.jit import njit

_REFIT_LIMIT = 10**8  # rows times trees times scores; beyond, values are not refitted in between


class RefitProblem(NamedTuple):
    """What the leaf values of a forest are fitted to.

    Attributes
    ----------
    loss : Loss
        Loss of logits.
    offset : float64 array of shape (n_samples, n_scores)
        Logits that the trees are added to.
    l2_regularization : float
        Penalty ``l2_regularization / 2 * sum(values ** 2)``.
    """

    loss: Loss
    offset: NDArray[np.float64]
    l2_regularization: float


def prune_to_size(
    forest: FlatForest,
    problem: RefitProblem,
    size_of: Callable[[FlatForest], int],
    max_bytes: int,
    *,
    step: float = 0.12,
    max_iter: int = 15,
) -> tuple[FlatForest, RefitProblem]:
    """Remove subtrees until the forest fits into a number of bytes.

    Parameters
    ----------
    forest : FlatForest
        It is not changed.
    problem : RefitProblem
        What its values are fitted to.
    size_of : callable
        Bytes of a forest.
    max_bytes : int
        Bytes that the forest may take.
    step : float, default=0.12
        Largest share of the bytes that is removed between two refits.
    max_iter : int, default=15
        Maximum number of steps of each refit.

    Returns
    -------
    forest : FlatForest
        No larger than `max_bytes`, or a single leaf.
    problem : RefitProblem
        Its offset has taken over the values of trees that became constant.
    """
    size = size_of(forest)
    while size > max_bytes and not forest.is_leaf.all():
        if forest.leaves.size * forest.values.shape[1] <= _REFIT_LIMIT:
            forest = refit_forest(forest, problem, max_iter=max_iter)
        costs, values = removal_costs(forest, problem)
        n_splits = float((~forest.is_leaf).sum())
        n_removed = min(1 - max_bytes / size, step) * n_splits
        forest = remove_nodes(forest, _best_pruning(forest, costs, n_removed), values)
        forest, problem = _fold_constants(forest, problem)
        size = size_of(forest)
    return forest, problem


def additive_model(forest: FlatForest, offset: NDArray[np.float64]) -> AdditiveModel:
    """The leaves of the forest on a fixed offset, as `refit` takes them.

    Parameters
    ----------
    forest : FlatForest
        Trees whose values are to be fitted.
    offset : float64 array of shape (n_samples, n_scores)
        Logits that the trees are added to.

    Returns
    -------
    model : AdditiveModel
        Its linear part is the offset.
    """
    leaf = forest.is_leaf
    number = (np.cumsum(leaf) - 1).astype(np.int32)
    n_scores = forest.values.shape[1]
    return AdditiveModel(
        leaves=number[forest.leaves],
        tree_of_leaf=forest.tree[leaf],
        leaf_values=forest.values[leaf],
        inputs=offset,
        coef=np.eye(n_scores),
        intercept=np.zeros(n_scores),
    )


def refit_forest(forest: FlatForest, problem: RefitProblem, *, max_iter: int) -> FlatForest:
    """Refit the values of all leaves together.

    Parameters
    ----------
    forest : FlatForest
        It is not changed.
    problem : RefitProblem
        What its values are fitted to.
    max_iter : int
        Maximum number of steps of L-BFGS.

    Returns
    -------
    forest : FlatForest
    """
    model = refit(
        additive_model(forest, problem.offset),
        problem.loss,
        l2_regularization=problem.l2_regularization,
        max_iter=max_iter,
        fit_linear=False,
    )
    values = forest.values.copy()
    values[forest.is_leaf] = model.leaf_values
    return forest._replace(values=values)


def removal_costs(
    forest: FlatForest, problem: RefitProblem
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the loss rises by, to second order, if the two sides of a split become one leaf.

    At a minimum of the loss the gradient is 0, so that moving a leaf from its value v to u costs
    ``h * (u - v) ** 2 / 2``, with the curvature h of its rows. One value for many leaves is best
    at the mean weighted by h, and a split costs what that mean costs more than those of its
    sides.

    Parameters
    ----------
    forest : FlatForest
        Its values are near the minimum.
    problem : RefitProblem
        What they are fitted to.

    Returns
    -------
    costs : float64 array of shape (n_nodes,)
        0 for leaves.
    values : float64 array of shape (n_nodes, n_scores)
        The best value of each node as a leaf; those of leaves do not change.
    """
    z = additive_model(forest, problem.offset).raw_predictions()
    split = ~forest.is_leaf
    curvature = np.zeros_like(forest.values)
    add_rows_to_leaves(forest.leaves, problem.loss.curvature(z), curvature)
    curvature[~split] += problem.l2_regularization
    moment = np.where(split[:, None], 0.0, curvature * forest.values)
    add_children(forest.left, forest.right, curvature)
    add_children(forest.left, forest.right, moment)
    power = (moment**2 / curvature).sum(axis=1) / 2
    costs = np.zeros(len(power))
    costs[split] = power[forest.left[split]] + power[forest.right[split]] - power[split]
    values = np.where(split[:, None], moment / curvature, forest.values)
    return np.maximum(costs, 0.0), values


def _best_pruning(
    forest: FlatForest, costs: NDArray[np.float64], n_removed: float
) -> NDArray[np.int8]:
    """Actions of the best pruning by the least complexity parameter that removes enough splits."""
    low, high = 0.0, float(costs.max()) * (1 + 1e-9) + 1e-300
    action = np.full(len(costs), KEEP, np.int8)
    for _ in range(40):
        alpha = (low + high) / 2
        if _prune_by_alpha(forest.left, forest.right, costs, alpha, action) >= n_removed:
            high = alpha
        else:
            low = alpha
    _prune_by_alpha(forest.left, forest.right, costs, high, action)
    return action


@njit
def _prune_by_alpha(left, right, costs, alpha, action):  # type: ignore[no-untyped-def]
    """Mark the subtrees whose removal costs at most `alpha` a split; return how many splits go.

    A subtree stays if the costs of its splits, each less alpha, sum to more than 0 after all its
    own subtrees have been decided: dynamic programming from the leaves up.
    """
    n_nodes = len(left)
    net, n_splits = np.zeros(n_nodes), np.zeros(n_nodes, np.int64)
    n_removed = 0
    for node in range(n_nodes - 1, -1, -1):  # children come after their parents
        action[node] = KEEP
        if left[node] < 0:
            continue
        net[node] = costs[node] - alpha + net[left[node]] + net[right[node]]
        n_splits[node] = 1 + n_splits[left[node]] + n_splits[right[node]]
        if net[node] <= 0:
            action[node] = TO_LEAF
            n_removed += n_splits[node]
            net[node], n_splits[node] = 0.0, 0
    return n_removed


def _fold_constants(forest: FlatForest, problem: RefitProblem) -> tuple[FlatForest, RefitProblem]:
    """Move trees that are a single leaf into the offset; one tree stays."""
    constant = forest.is_leaf[forest.roots]
    if constant.all():
        constant[0] = False
    if not constant.any():
        return forest, problem
    total = forest.values[forest.roots[constant]].sum(axis=0)
    return without_trees(forest, constant), problem._replace(offset=problem.offset + total)
