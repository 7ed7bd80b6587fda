"""Minimal cost-complexity pruning of a grown tree (Breiman et al. 1984, section 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.students.tree.grown_tree import GrownTree, remove_nodes
from skdistill.utils.jit import njit


def prune_cost_complexity(tree: GrownTree, ccp_alpha: float) -> GrownTree:
    """Cut the weakest subtree again and again, while it gains at most `ccp_alpha` per leaf.

    What a subtree gains is the impurity that its splits take away, measured on the targets that
    the tree was grown on and divided by the total weight. The weakest one gains least for each
    leaf that it has beyond one.

    Parameters
    ----------
    tree : GrownTree
        It is not changed.
    ccp_alpha : float
        Complexity parameter, >= 0; 0 cuts nothing.

    Returns
    -------
    tree : GrownTree
        With fewer nodes; children still come after their parents.
    """
    if ccp_alpha <= 0:
        return tree
    return remove_nodes(tree, _weakest_link(tree.children, tree.gain, ccp_alpha))


@njit
def _weakest_link(
    children: NDArray[np.int32], gain: NDArray[np.float64], ccp_alpha: float
) -> NDArray[np.bool_]:
    """Whether each node stays after weakest-link pruning."""
    n_nodes = len(children)
    stays = np.ones(n_nodes, np.bool_)
    is_leaf = children[:, 0] < 0
    subtree_gain, n_leaves = np.zeros(n_nodes), np.ones(n_nodes, np.int64)
    while True:
        weakest, weakest_node = ccp_alpha, -1
        for node in range(n_nodes - 1, -1, -1):  # from the leaves up
            if is_leaf[node]:
                subtree_gain[node], n_leaves[node] = 0.0, 1
                continue
            left, right = children[node]
            subtree_gain[node] = gain[node] + subtree_gain[left] + subtree_gain[right]
            n_leaves[node] = n_leaves[left] + n_leaves[right]
            # Of equally weak ones the highest is cut, and with it those below.
            if stays[node] and subtree_gain[node] / (n_leaves[node] - 1) <= weakest:
                weakest, weakest_node = subtree_gain[node] / (n_leaves[node] - 1), node
        if weakest_node < 0:
            return stays
        is_leaf[weakest_node] = True
        for node in range(n_nodes):
            if children[node, 0] >= 0 and (is_leaf[node] or not stays[node]):
                stays[children[node, 0]] = stays[children[node, 1]] = False
