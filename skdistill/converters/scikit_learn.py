"""The nodes of fitted scikit-learn trees as arrays. Reads attributes, imports no library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.converters.float_trees import FloatTree, in_column
from skdistill.quantization.assemble import QuantizedTree


def tree_on_codes(tree: Any, counts: NDArray[np.intp], values: NDArray[np.int32]) -> QuantizedTree:
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
    learnt : QuantizedTree
    """
    inner = tree.children_left >= 0
    feature = np.where(inner, tree.feature, -1)
    return QuantizedTree(
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


def scikit_learn_trees(trees: Iterable[Any], *, classify: bool = True) -> list[FloatTree]:
    """Trees of scikit-learn; the values are class probabilities, or those of a regression.

    Parameters
    ----------
    trees : iterable of sklearn.tree._tree.Tree
        Of classifiers with one output, or of regressors.
    classify : bool, default=True

    Returns
    -------
    trees : list of FloatTree
        ``number`` is what ``apply`` gives.
    """
    found = []
    for tree in trees:
        inner = tree.children_left >= 0
        if classify:
            K = tree.value.shape[2]
            values = node_probabilities(tree, np.arange(K), K)
        else:
            values = tree.value[:, :, 0]
        found.append(
            FloatTree(
                np.where(inner, tree.feature, -1),
                tree.threshold,
                tree.missing_go_to_left.astype(bool) & inner,
                np.column_stack([tree.children_left, tree.children_right]),
                values,
                np.arange(tree.node_count),
            )
        )
    return found


def hist_gradient_trees(predictors: Sequence[Sequence[Any]]) -> list[FloatTree]:
    """Trees of a scikit-learn HistGradientBoosting estimator, round by round.

    Parameters
    ----------
    predictors : list of lists of TreePredictor
        One list a round, with a tree for each score.

    Returns
    -------
    trees : list of FloatTree
        Values are margins. ``number`` is the place among the nodes of the predictor.

    Raises
    ------
    ValueError
        For categorical splits.
    """
    found = []
    for stage in predictors:
        for column, predictor in enumerate(stage):
            nodes = predictor.nodes
            inner = nodes["is_leaf"] == 0
            if (nodes["is_categorical"][inner] != 0).any():
                raise ValueError(
                    "categorical splits of HistGradientBoosting (categorical_features) are not "
                    "supported: encode the columns as numbers"
                )
            tree = FloatTree(
                np.where(inner, nodes["feature_idx"], -1).astype(np.intp),
                nodes["num_threshold"],
                (nodes["missing_go_to_left"] != 0) & inner,
                np.column_stack([nodes["left"], nodes["right"]]).astype(np.intp),
                in_column(nodes["value"], column, len(stage)),
                np.arange(len(nodes)),
            )
            found.append(tree)
    return found
