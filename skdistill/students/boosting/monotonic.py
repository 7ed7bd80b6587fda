"""Boosted models whose predictions rise, or fall, with a column.

A sum of trees that rise with a column rises with it, too, and so does a linear part whose weight
is not below 0. Each value gets a range, and the refit chooses within these ranges: what lies below
a split on such a column on the low side is at most a middle, what lies on the other side at least
that. Rounding a whole tree by one step keeps the order of its values.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import GrownTree
from skdistill.students.tree.monotonic import add_up, clip_values


class ValueRanges(NamedTuple):
    """Least and largest values of a boosted model.

    Attributes
    ----------
    leaf_low, leaf_high : float64 array of shape (n_leaves, n_scores)
        Of the leaves.
    coef_low, coef_high : float64 array of shape (n_inputs, n_scores)
        Of the weights of the linear part.
    """

    leaf_low: NDArray[np.float64]
    leaf_high: NDArray[np.float64]
    coef_low: NDArray[np.float64]
    coef_high: NDArray[np.float64]


def value_ranges(
    trees: list[GrownTree],
    leaf_values: NDArray[np.float64],
    signs: NDArray[np.int8],
    input_signs: NDArray[np.int8],
) -> ValueRanges:
    """Ranges around values that are in order.

    Parameters
    ----------
    trees : list of GrownTree
        Children come after their parents.
    leaf_values : float64 array of shape (n_leaves, 1)
        Numbered through all trees; from `put_in_order`, or chosen within earlier ranges.
    signs : int8 array of shape (n_features,)
        1 where predictions have to rise with a feature that trees compare, −1 where they have to
        fall, else 0.
    input_signs : int8 array of shape (n_inputs,)
        The same of the inputs of the linear part.

    Returns
    -------
    ranges : ValueRanges
        They hold `leaf_values`.
    """
    low, high, first = np.empty(len(leaf_values)), np.empty(len(leaf_values)), 0
    for tree in trees:
        leaves = slice(first, first + int(tree.is_leaf.sum()))
        low[leaves], high[leaves] = _leaf_ranges(tree, leaf_values[leaves, 0], signs)
        first = leaves.stop
    return ValueRanges(
        low[:, None],
        high[:, None],
        np.where(input_signs > 0, 0.0, -np.inf)[:, None],
        np.where(input_signs < 0, 0.0, np.inf)[:, None],
    )


def _leaf_ranges(
    tree: GrownTree, leaf_values: NDArray[np.float64], signs: NDArray[np.int8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    n_nodes, is_leaf = len(tree.feature), tree.is_leaf
    least, most = np.empty(n_nodes), np.empty(n_nodes)  # of the leaves below each node
    least[is_leaf] = most[is_leaf] = leaf_values
    splits = np.flatnonzero(~is_leaf)
    for node in splits[::-1]:
        least[node] = least[tree.children[node]].min()
        most[node] = most[tree.children[node]].max()
    low, high = np.full(n_nodes, -np.inf), np.full(n_nodes, np.inf)
    for node in splits:
        left, right = tree.children[node]
        low[[left, right]], high[[left, right]] = low[node], high[node]
        sign = signs[tree.feature[node]]
        if sign != 0:
            below, above = (left, right) if sign > 0 else (right, left)
            high[below] = low[above] = most[below] / 2 + least[above] / 2
    return low[is_leaf], high[is_leaf]


def put_in_order(
    trees: list[GrownTree],
    leaf_values: NDArray[np.float64],
    leaf_weight: NDArray[np.float64],
    signs: NDArray[np.int8],
) -> NDArray[np.float64]:
    """Leaf values that rise and fall as they have to, by `clip_values`.

    Parameters
    ----------
    trees, signs
        As in `value_ranges`.
    leaf_values : float64 array of shape (n_leaves, 1)
        Numbered through all trees.
    leaf_weight : float64 array of shape (n_leaves, 1)
        Weights of the rows of each leaf.

    Returns
    -------
    leaf_values : float64 array of shape (n_leaves, 1)
    """
    ordered, first = np.empty_like(leaf_values), 0
    weight = np.maximum(leaf_weight, np.finfo(np.float64).tiny)
    for tree in trees:
        is_leaf = tree.is_leaf
        leaves = slice(first, first + int(is_leaf.sum()))
        sums = np.zeros((len(is_leaf), 2))
        sums[is_leaf] = np.hstack([leaf_values[leaves] * weight[leaves], weight[leaves]])
        sums = add_up(tree, sums)
        ordered[leaves, 0] = clip_values(tree, sums[:, 0] / sums[:, 1], signs)[is_leaf]
        first = leaves.stop
    return ordered
