"""Trees whose predictions rise, or fall, with a column.

A split on such a column separates the values of its children by their middle: what lies below the
one child is at most that, what lies below the other at least that. Growth takes no split that
contradicts this, as in scikit-learn's trees; the values of the finished tree are then clipped to
what the splits above them allow, which keeps the order exact, whatever was pruned or moved.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import CategoryTable
from skdistill.students.tree.grown_tree import GrownTree
from skdistill.utils._sklearn_compat import _check_monotonic_cst
from skdistill.utils.jit import njit


class ValueBounds(NamedTuple):
    """What the splits of a node have to keep to.

    Attributes
    ----------
    signs : int8 array of shape (n_features,)
        1 where the mean of the last target rises with a feature, −1 where it falls, else 0.
    lower, upper : float
        Limits of the means of both children of a split on a feature whose sign is not 0.
    """

    signs: NDArray[np.int8]
    lower: float
    upper: float


def monotonic_signs(
    estimator: Any, monotonic_cst: Any, categories: CategoryTable, *, n_classes: int, n_outputs: int
) -> NDArray[np.int8]:
    """Validate `monotonic_cst`.

    Parameters
    ----------
    estimator : estimator
        With ``n_features_in_``, and ``feature_names_in_`` for a dict.
    monotonic_cst : array-like of int, dict of str to int, or None
        −1, 0 or 1 for each column.
    categories : CategoryTable
        Columns of categories, which have no order.
    n_classes : int
        Classes; 0 for a regression.
    n_outputs : int
        Columns of the targets.

    Returns
    -------
    signs : int8 array of shape (n_features,)

    Raises
    ------
    ValueError
        If values or names are wrong, for columns of categories, for more than two classes and for
        several targets.
    """
    signs: NDArray[np.int8] = _check_monotonic_cst(estimator, monotonic_cst)
    if not signs.any():
        return signs
    if n_classes > 2:
        raise ValueError(
            "Monotonicity constraints are not supported with multiclass classification, got "
            f"n_classes={n_classes}"
        )
    if n_classes == 0 and n_outputs > 1:
        raise ValueError(
            f"Monotonicity constraints are not supported with multiple outputs, got n_outputs="
            f"{n_outputs}"
        )
    ordered = [int(column) for column in categories.columns if signs[column] != 0]
    if ordered:
        raise ValueError(
            f"monotonic_cst must be 0 for the columns of categories {ordered}: their labels have "
            "no order"
        )
    return signs


def add_up(tree: GrownTree, sums: NDArray[Any]) -> NDArray[Any]:
    """Sums of all nodes, of those of the leaves.

    Parameters
    ----------
    tree : GrownTree
        Children come after their parents.
    sums : int64 or float64 array of shape (n_nodes, n_stats)
        Those of leaves count.

    Returns
    -------
    sums : array of the same shape and type
    """
    added = sums.copy()
    for node in np.flatnonzero(~tree.is_leaf)[::-1]:
        added[node] = added[tree.children[node]].sum(axis=0)
    return added


def clip_values(
    tree: GrownTree, values: NDArray[np.float64], signs: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Clip the value of every node to what the splits above it allow.

    Parameters
    ----------
    tree : GrownTree
        Children come after their parents.
    values : float64 array of shape (n_nodes,)
        Means of the nodes.
    signs : int8 array of shape (n_features,)
        Signs of the features that the tree compares.

    Returns
    -------
    values : float64 array of shape (n_nodes,)

    Notes
    -----
    Two rows that differ in one such column part at a split on it, whose middle lies between their
    values.
    """
    if not signs.any():
        return values
    n_nodes = len(values)
    lower, upper = np.full(n_nodes, -np.inf), np.full(n_nodes, np.inf)
    clipped = values.astype(np.float64)
    for node in range(n_nodes):
        clipped[node] = min(max(clipped[node], lower[node]), upper[node])
        if tree.feature[node] < 0:
            continue
        left, right = tree.children[node]
        lower[left] = lower[right] = lower[node]
        upper[left] = upper[right] = upper[node]
        sign = signs[tree.feature[node]]
        if sign != 0:
            both = np.clip(values[[left, right]], lower[node], upper[node])
            low, high = (left, right) if sign > 0 else (right, left)
            upper[low] = lower[high] = both[0] / 2 + both[1] / 2
    return clipped


@njit(forceinline=True)
def keeps_order(left, right, n_targets, sign, lower, upper):  # type: ignore[no-untyped-def]
    """Whether the children of a split are in the order of a sign, within bounds.

    Parameters
    ----------
    left, right : int64 array of shape (n_stats,)
        Sums of the children.
    n_targets : int
        As in `SplitConstraints`; the weight follows the targets.
    sign : int
        1 or −1; see `ValueBounds`.
    lower, upper : float
        Bounds of both means.

    Returns
    -------
    keeps_order : bool
    """
    low = left[n_targets - 1] / left[n_targets]
    high = right[n_targets - 1] / right[n_targets]
    if sign < 0:
        low, high = high, low
    return lower <= low <= high <= upper


@njit
def bound_children(lower, upper, sums, node, left, sign, n_targets):  # type: ignore[no-untyped-def]
    """Bounds of the children ``left`` and ``left + 1`` of a node.

    Parameters
    ----------
    lower, upper : float64 array of shape (n_nodes,)
        Bounds of the nodes; those of the children are written.
    sums : int64 array of shape (n_nodes, n_stats)
        Sums of the nodes.
    node, left : int
        Numbers of the node and its left child.
    sign : int
        Of the feature that the node compares.
    n_targets : int
        As in `SplitConstraints`.
    """
    right = left + 1
    lower[left] = lower[right] = lower[node]
    upper[left] = upper[right] = upper[node]
    if sign != 0:
        middle = (
            sums[left, n_targets - 1] / sums[left, n_targets]
            + sums[right, n_targets - 1] / sums[right, n_targets]
        ) / 2
        if sign > 0:
            upper[left] = lower[right] = middle
        else:
            lower[left] = upper[right] = middle
