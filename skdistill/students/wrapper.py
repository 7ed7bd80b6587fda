"""Plain scikit-learn classifiers as students: soft targets as weighted rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Tags, get_tags

from skdistill.compact import InputGrid
from skdistill.converters.scikit_learn import node_probabilities, tree_on_codes
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_logits, leaf_votes
from skdistill.students._student import StudentClassifierMixin, relative_importances
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.linear.classifier import logits_model
from skdistill.students.linear.design import design_matrix, weight_importances
from skdistill.students.loss import fit_scale
from skdistill.students.training_data import ClassificationData
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import HasMethods

_TREES = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)
ADAPTED = (*_TREES, LogisticRegression)
_ABSENT_ODDS = 1000  # of any other class against one that no row has


class StudentAdapter(StudentClassifierMixin, BaseEstimator):
    """Let a plain scikit-learn classifier learn from probabilities, as a compact model.

    Each row is repeated once for every class that its target gives a probability, with that
    probability as weight. Trees are fitted on the codes of a quantized grid and a
    `LogisticRegression` on the rounded columns, so that both learn on what is exported.

    With a temperature, structure and weights are learnt from the tempered targets. Leaf values
    are then means of the untempered ones, and logits are multiplied by the factor that leads
    from the tempered targets to the untempered ones.

    Parameters
    ----------
    estimator : DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier or \
LogisticRegression
        The classifier. A clone of it is fitted. Forests vote softly.
    threshold_bits : int, default=8
        Bits of a threshold, and of an input of a `LogisticRegression`, 2 to 16.
    value_bits : int or "ternary", default=8
        Bits of a leaf value or a weight, 2 to 16; "ternary" is −1, 0 or 1.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes those
        of a data frame that have a categorical type or hold strings; None takes none. The
        estimator gets them as numbers, in the order of their mean targets.

    Attributes
    ----------
    estimator_ : estimator instance
        The fitted clone. It was fitted on codes and class numbers, not on `X` and labels.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        The estimator's own, or the share of each column in the summed absolute weights of a
        `LogisticRegression`.

    See Also
    --------
    SoftTreeClassifier : A tree that learns from probabilities by itself.
    SoftLinearClassifier : A linear model that does.

    Notes
    -----
    `fit` raises a TypeError for another estimator. Missing values (NaN) are allowed where the
    estimator allows them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import StudentAdapter
    >>> X, y = load_iris(return_X_y=True)
    >>> StudentAdapter(DecisionTreeClassifier(max_leaf_nodes=4)).fit(X, y).predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        **BITS,
        **CATEGORIES,
    }

    def __init__(
        self,
        estimator: ClassifierMixin,
        *,
        threshold_bits: int = 8,
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
    ) -> None:
        self.estimator = estimator
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.categorical_features = categorical_features

    def _check_before_fit(self, y: Any, classes: ArrayLike | None) -> ArrayLike | None:
        if not isinstance(self.estimator, ADAPTED):
            names = ", ".join(kind.__name__ for kind in ADAPTED)
            raise TypeError(f"estimator must be one of {names}, got {self.estimator!r}")
        return classes

    def _learn(self, data: ClassificationData) -> None:
        self.estimator_ = clone(self.estimator)
        if isinstance(self.estimator, _TREES):
            self.compact_ = self._fit_trees(data)
        else:
            self.compact_ = self._fit_linear(data)

    def _fit_weighted_rows(self, Z: NDArray[Any], data: ClassificationData) -> None:
        """Fit on a row for every class with a probability, the probability in its weight."""
        P = data.targets.mixture(data.targets.temperature) * data.weight[:, None]
        row, number = np.nonzero(P)
        self.estimator_.fit(Z[row], number, sample_weight=P[row, number])

    def _fit_trees(self, data: ClassificationData) -> CompactModel:
        n_classes = len(data.classes)
        grid = fit_grid(data.X, self.threshold_bits, data.weight)
        codes = _codes_as_rows(grid, data.X)
        self._fit_weighted_rows(codes, data)
        self.feature_importances_ = self.estimator_.feature_importances_
        if n_classes == 1:
            return data.single_class_model()
        single = isinstance(self.estimator_, DecisionTreeClassifier)
        members = [self.estimator_] if single else self.estimator_.estimators_
        trees = [member.tree_ for member in members]
        P = [node_probabilities(tree, self.estimator_.classes_, n_classes) for tree in trees]
        if data.targets.temperature != 1:
            P = [
                _untempered(tree, p, codes, data.targets, data.weight)
                for tree, p in zip(trees, P, strict=True)
            ]
        if single:
            values, bias, scale = leaf_logits(P[0], self.value_bits)
        else:
            values, bias, scale = leaf_votes(np.vstack(P), self.value_bits, len(trees))
        of_trees = np.split(values, np.cumsum([len(p) for p in P])[:-1])
        n_edges: Any = grid.counts
        quantized = [
            tree_on_codes(tree, n_edges, part) for tree, part in zip(trees, of_trees, strict=True)
        ]
        table = assemble(grid, quantized, self.value_bits)
        return data.model(bias, scale, table, link=None if single else "normalize")

    def _fit_linear(self, data: ClassificationData) -> CompactModel:
        targets, n_scores = data.targets, data.n_scores
        design = design_matrix(data.X, data.weight, self.threshold_bits)
        Z = design.Z
        self._fit_weighted_rows(Z if Z.shape[1] else np.zeros((len(Z), 1)), data)
        W, b = _weights_of_scores(self.estimator_, Z.shape[1], n_scores)
        total = weight_importances(W, design.scaling.features, data.n_features)
        self.feature_importances_ = relative_importances(total)
        if targets.temperature != 1 and len(data.classes) > 1:
            z = Z @ W + b
            tempered = fit_scale(z, targets.mixture(targets.temperature), data.weight)
            factor = fit_scale(z, targets.mixture(), data.weight) / tempered
            W, b = W * factor, b * factor
        return logits_model(data, design, W, b, self.value_bits)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags


def _codes_as_rows(grid: InputGrid, X: NDArray[Any]) -> NDArray[np.float32]:
    """Codes of shape (n_samples, n_features), with NaN where the value is missing."""
    codes = grid.encode(X).T.astype(np.float32)
    codes[np.isnan(X)] = np.nan
    return codes


def _untempered(
    tree: Any,
    P_nodes: NDArray[np.float64],
    codes: NDArray[np.float32],
    targets: SoftTargets,
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Leaf values as means of the targets at T = 1; a leaf without rows keeps its own."""
    sums = np.zeros_like(P_nodes)
    np.add.at(sums, tree.apply(codes), targets.mixture() * weight[:, None])
    total = sums.sum(axis=1, keepdims=True)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), P_nodes)


def _weights_of_scores(
    estimator: LogisticRegression, n_inputs: int, n_scores: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias for every score, where the estimator may have seen fewer classes."""
    W, b = np.zeros((n_inputs, n_scores)), np.zeros(n_scores)
    known = estimator.classes_
    coef, intercept = estimator.coef_[:, :n_inputs], estimator.intercept_
    if n_scores == 1:
        W[:, [0]], b[[0]] = coef.T, intercept
        return W, b
    if len(known) == 2:  # one logit for two classes of many
        coef = np.vstack([-coef, coef]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    W[:, known], b[known] = coef.T, intercept
    absent = np.setdiff1d(np.arange(n_scores), known)
    b[absent] = b[known].min() - np.log(_ABSENT_ODDS)
    return W, b
