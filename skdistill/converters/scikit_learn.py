"""Fitted trees and tree ensembles of scikit-learn, read from their attributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor

from skdistill.converters.float_trees import FloatTree, TreeEnsemble, in_column
from skdistill.converters.refusals import NotExact
from skdistill.quantization.assemble import QuantizedTree
from skdistill.quantization.binning import round_down
from skdistill.utils._sklearn_compat import hist_gradient_baseline, hist_gradient_predictors


def tree_on_codes(tree: Any, counts: NDArray[np.intp], values: NDArray[np.int32]) -> QuantizedTree:
    """Tree of scikit-learn that was fitted on the codes of an input grid.

    Its thresholds lie between codes, and ``code <= t`` equals ``code <= floor(t)``. The one
    that parts NaN from everything else is infinite: there the last edge does.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        The ``tree_`` of a fitted estimator.
    counts : int array of shape (n_features,)
        Edges of each column of the grid.
    values : int32 array of shape (n_nodes, n_scores)
        Integer value of every node; read at leaves only.

    Returns
    -------
    quantized : QuantizedTree
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
    """Class probabilities of every node of a classification tree.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        The ``tree_`` of a fitted classifier of one output.
    columns : int array
        Which of the classes the tree's own ones are.
    n_classes : int
        Columns of the result.

    Returns
    -------
    P : float64 array of shape (n_nodes, n_classes)
    """
    P = np.zeros((tree.node_count, n_classes))
    P[:, columns] = tree.value[:, 0, :]
    P /= P.sum(axis=1, keepdims=True)
    return P


def scikit_learn_trees(trees: Iterable[Any], *, classify: bool = True) -> list[FloatTree]:
    """Trees of scikit-learn as arrays.

    Parameters
    ----------
    trees : iterable of sklearn.tree._tree.Tree
        The ``tree_`` of classifiers of one output, or of regressors.
    classify : bool, default=True
        Whether the values are class probabilities; else they are those of a regression.

    Returns
    -------
    trees : list of FloatTree
        ``node_id`` is what ``apply`` gives.
    """
    float_trees = []
    for tree in trees:
        inner = tree.children_left >= 0
        if classify:
            n_classes = tree.value.shape[2]
            values = node_probabilities(tree, np.arange(n_classes), n_classes)
        else:
            values = tree.value[:, :, 0]
        float_trees.append(
            FloatTree(
                np.where(inner, tree.feature, -1),
                # The numbers that rows, which it rounds to float32, are told apart by.
                round_down(tree.threshold).astype(np.float64),
                tree.missing_go_to_left.astype(bool) & inner,
                np.column_stack([tree.children_left, tree.children_right]),
                values,
                np.arange(tree.node_count),
            )
        )
    return float_trees


def hist_gradient_trees(predictors: Sequence[Sequence[Any]]) -> list[FloatTree]:
    """Trees of a HistGradientBoosting estimator, iteration by iteration.

    Parameters
    ----------
    predictors : list of lists of TreePredictor
        One list an iteration, with a tree for each score.

    Returns
    -------
    trees : list of FloatTree
        Values are raw predictions. ``node_id`` is the place among the nodes of the predictor.

    Raises
    ------
    ValueError
        For categorical splits.
    """
    float_trees = []
    for iteration in predictors:
        for column, predictor in enumerate(iteration):
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
                in_column(nodes["value"], column, len(iteration)),
                np.arange(len(nodes)),
            )
            float_trees.append(tree)
    return float_trees


def read_decision_tree(estimator: Any) -> TreeEnsemble:
    """Read a fitted DecisionTree or ExtraTree as an ensemble of one.

    Parameters
    ----------
    estimator : classifier of one output, or regressor
        Fitted.

    Returns
    -------
    ensemble : TreeEnsemble
    """
    return _averaged([estimator], hasattr(estimator, "classes_"))


def read_forest(estimator: Any) -> TreeEnsemble:
    """Read a fitted RandomForest or ExtraTrees, whose trees are averaged.

    Parameters
    ----------
    estimator : classifier of one output, or regressor
        Fitted.

    Returns
    -------
    ensemble : TreeEnsemble
    """
    return _averaged(estimator.estimators_, hasattr(estimator, "classes_"))


def _averaged(estimators: Sequence[Any], classify: bool) -> TreeEnsemble:
    trees = [estimator.tree_ for estimator in estimators]
    return TreeEnsemble(
        scikit_learn_trees(trees, classify=classify),
        "normalize" if classify else "identity",
        np.zeros(1),
        [tree.weighted_n_node_samples for tree in trees],
    )


def read_gradient_boosting(estimator: Any) -> TreeEnsemble:
    """Read a fitted GradientBoosting estimator.

    Parameters
    ----------
    estimator : GradientBoostingClassifier or GradientBoostingRegressor
        Fitted.

    Returns
    -------
    ensemble : TreeEnsemble
        Logits, or values of a regression.

    Raises
    ------
    ValueError
        For an `init` whose predictions depend on the row.
    """
    classify = hasattr(estimator, "classes_")
    stages = estimator.estimators_
    n_scores = stages.shape[1]
    init, row = estimator.init_, np.zeros((1, estimator.n_features_in_))
    # The raw prediction of the exponential loss is half a logit.
    factor = 2.0 if estimator.loss == "exponential" else 1.0
    if isinstance(init, str) and init == "zero":
        baseline = np.zeros(n_scores)
    elif isinstance(init, DummyRegressor):
        baseline = init.predict(row).ravel()
    elif isinstance(init, DummyClassifier) and init.strategy != "stratified":
        eps = np.finfo(np.float64).eps
        log = np.log(np.clip(init.predict_proba(row)[0], eps, 1 - eps))
        baseline = np.diff(log) if n_scores == 1 else log - log.mean()
    else:
        raise NotExact(
            f"init={init!r} of {type(estimator).__name__}",
            classify,
            "fit it with init=None or 'zero'",
        )
    trees = scikit_learn_trees((tree.tree_ for tree in stages.ravel()), classify=False)
    factor *= estimator.learning_rate
    trees = [
        tree._replace(values=in_column(factor * tree.values[:, 0], i % n_scores, n_scores))
        for i, tree in enumerate(trees)
    ]
    return TreeEnsemble(trees, _link(classify, n_scores), baseline)


def read_hist_gradient_boosting(estimator: Any) -> TreeEnsemble:
    """Read a fitted HistGradientBoosting estimator.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted.

    Returns
    -------
    ensemble : TreeEnsemble
        Logits, or values of a regression. It compares float64 numbers.

    Raises
    ------
    ValueError
        For categorical columns.
    """
    name, classify = type(estimator).__name__, hasattr(estimator, "classes_")
    if estimator.is_categorical_ is not None and estimator.is_categorical_.any():
        raise NotExact(f"categorical_features of {name}", classify, "encode the columns as numbers")
    baseline = hist_gradient_baseline(estimator)
    trees = hist_gradient_trees(hist_gradient_predictors(estimator))
    link = "exp" if estimator.loss in ("poisson", "gamma") else _link(classify, len(baseline))
    return TreeEnsemble(trees, link, baseline, casts_to_float32=False)


def _link(classify: bool, n_scores: int) -> str:
    if not classify:
        return "identity"
    return "sigmoid" if n_scores == 1 else "softmax"
