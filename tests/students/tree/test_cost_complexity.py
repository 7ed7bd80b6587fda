"""Cost-complexity pruning, against scikit-learn's and against trees cut by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from skdistill import SoftTreeClassifier
from skdistill.compact import TreeTable
from skdistill.students.tree.cost_complexity import prune_cost_complexity
from skdistill.students.tree.grown_tree import GrownTree
from tests.students.tree.test_grower import ENTROPY, SQUARED_ERROR, data, grown, rows_of_nodes


def by_hand():
    """Root, a weak subtree of two splits on the left, a strong one on the right.

    Nodes: 0 → (1, 2), 1 → (3, 4), 2 → (5, 6), 3 → (7, 8).
    """
    children = np.full((9, 2), -1, np.int32)
    children[[0, 1, 2, 3]] = [[1, 2], [3, 4], [5, 6], [7, 8]]
    inner = children[:, 0] >= 0
    gain = np.zeros(9)
    gain[[0, 1, 2, 3]] = [0.5, 0.01, 0.2, 0.04]
    return GrownTree(
        np.where(inner, np.arange(9), -1).astype(np.int32),
        np.where(inner, 7, 0).astype(np.int32),
        inner & (np.arange(9) % 2 == 1),
        children,
        gain,
        np.arange(18).reshape(9, 2),
        np.array([7, 8, 4, 5, 6], np.int32),
    )


@pytest.mark.parametrize(
    ("ccp_alpha", "kept", "leaf"),
    [
        (0.0, [0, 1, 2, 3, 4, 5, 6, 7, 8], [7, 8, 4, 5, 6]),
        (0.0249, [0, 1, 2, 3, 4, 5, 6, 7, 8], [7, 8, 4, 5, 6]),
        (
            0.026,
            [0, 1, 2, 5, 6],
            [1, 1, 1, 3, 4],
        ),  # node 1 saves .05 by two leaves; node 3 alone saves .04
        (0.19, [0, 1, 2, 5, 6], [1, 1, 1, 3, 4]),
        (0.21, [0, 1, 2], [1, 1, 1, 2, 2]),
        (0.6, [0], [0] * 5),
    ],
)
def test_the_weakest_subtree_falls_first_and_whole(ccp_alpha, kept, leaf):
    tree = prune_cost_complexity(by_hand(), ccp_alpha)
    assert tree.leaf.tolist() == leaf
    assert tree.sums.tolist() == by_hand().sums[kept].tolist()
    inner = tree.feature >= 0
    assert tree.feature[inner].tolist() == by_hand().feature[kept][inner].tolist()
    assert np.array_equal(tree.children[:, 0] >= 0, inner)
    for part in (tree.threshold, tree.nan_left, tree.gain):
        assert not part[~inner].any()
    assert (tree.children[inner] > np.flatnonzero(inner)[:, None]).all()
    assert set(tree.children[inner].ravel().tolist()) == set(range(1, len(kept)))


@pytest.mark.parametrize("criterion", [SQUARED_ERROR, ENTROPY])
@pytest.mark.parametrize("ccp_alpha", [1e-4, 1e-3, 5e-3, 0.02])
def test_a_pruned_tree_keeps_rows_and_sums_together(criterion, ccp_alpha):
    X, P, weight = data(1, 400, 3)
    whole = grown(X, P, weight, criterion=criterion)
    tree = prune_cost_complexity(whole, ccp_alpha)
    assert 1 < len(tree.feature) < len(whole.feature)
    leaves = np.flatnonzero(tree.feature < 0)
    assert np.array_equal(np.unique(tree.leaf), leaves)
    rows = rows_of_nodes(tree)
    assert len(rows[0]) == 400
    for node in range(len(tree.feature)):
        expected = np.bincount(whole.leaf[rows[node]], minlength=len(whole.feature)) > 0
        assert tree.sums[node].tolist() == whole.sums[expected].sum(axis=0).tolist()


@pytest.mark.parametrize("K", [2, 3, 5])
@pytest.mark.parametrize("criterion", ["squared_error", "entropy"])
def test_as_many_leaves_stay_as_in_scikit_learns_tree(K, criterion):
    X, P, weight = data(K, 400, K)
    y = P.argmax(axis=1)
    oracle = DecisionTreeClassifier(
        criterion="gini" if criterion == "squared_error" else "entropy", random_state=0
    )
    path = oracle.cost_complexity_pruning_path(X, y, sample_weight=weight).ccp_alphas
    path = np.unique(path.round(12))
    between = (path[1:] + path[:-1]) / 2
    leaves = []
    for alpha in [*between[:: max(1, len(path) // 12)].tolist(), path[-1] * 1.01]:
        oracle.set_params(ccp_alpha=alpha).fit(X, y, sample_weight=weight)
        student = SoftTreeClassifier(criterion, max_leaf_nodes=None, ccp_alpha=alpha).fit(
            X, y, weight
        )
        leaves.append((len(student.compact_.table(TreeTable).values), oracle.get_n_leaves()))
    ours, theirs = zip(*leaves, strict=True)
    assert ours == theirs
    assert len(set(ours)) > 5
    assert ours[-1] == 1
