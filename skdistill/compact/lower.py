"""From the nodes of fitted estimators to learnt trees. Reads attributes, imports no library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.assemble import LearntTree


def tree_on_codes(tree: Any, counts: NDArray[np.intp], values: NDArray[np.int32]) -> LearntTree:
    """A scikit-learn ``tree_`` that was fitted on grid codes.

    Its thresholds lie between codes, and ``code <= t`` equals ``code <= floor(t)``. The one
    that parts NaN from everything else is infinite: there the last edge does.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
    counts : int array of shape (d,)
        Edges of each column.
    values : int32 array of shape (N, S)
        Integer value of every node; read at leaves only.

    Returns
    -------
    learnt : LearntTree
    """
    inner = tree.children_left >= 0
    feature = np.where(inner, tree.feature, -1)
    return LearntTree(
        feature,
        np.where(inner, np.minimum(np.floor(tree.threshold), counts[feature] - 1), 0).astype(
            np.int32
        ),
        tree.missing_go_to_left.astype(bool) & inner,
        np.column_stack([tree.children_left, tree.children_right]),
        values,
    )


def node_probabilities(tree: Any, columns: NDArray[np.intp], n_classes: int) -> NDArray[np.float64]:
    """Class probabilities of every node of a classifier's ``tree_``.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
    columns : int array
        Which of `n_classes` classes the tree's own ones are.
    n_classes : int

    Returns
    -------
    P : float64 array of shape (N, n_classes)
    """
    P = np.zeros((tree.node_count, n_classes))
    P[:, columns] = tree.value[:, 0, :]
    P /= P.sum(axis=1, keepdims=True)
    return P
