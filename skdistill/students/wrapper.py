"""Plain scikit-learn classifiers as students: soft targets by weighted rows."""

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
from skdistill.students._base import CompactClassifierMixin
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.linear.design import importances, standardised, to_compact
from skdistill.students.loss import fit_scale
from skdistill.students.training_data import TrainingSet, training_set
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import HasMethods, _fit_context

_TREES = (DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier)
ADAPTED = (*_TREES, LogisticRegression)


class StudentAdapter(CompactClassifierMixin, BaseEstimator):
    """Let a plain scikit-learn classifier learn from probabilities, as a compact model.

    Each row is repeated once for every class that its target gives a probability, with
    that probability as weight. Trees see the codes of a quantized grid and a
    `LogisticRegression` the rounded columns, so both learn on what is exported.

    With a temperature, structure and weights are learnt from the tempered targets;
    leaf values are then means of the untempered ones, and logits are sharpened by as much
    as it takes from the tempered targets to the untempered ones.

    Parameters
    ----------
    estimator : DecisionTreeClassifier, RandomForestClassifier, ExtraTreesClassifier or \
LogisticRegression
        Unfitted. Forests vote softly.
    threshold_bits : int in [2, 16], default=8
    value_bits : int in [2, 16] or "ternary", default=8
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories, which the estimator sees as ranks: names, indices or a
        boolean mask. "from_dtype" takes those of a data frame that are of a categorical type
        or hold strings.

    Attributes
    ----------
    estimator_ : fitted clone of `estimator`
        It knows codes and class numbers, not `X` and labels.
    classes_ : array of shape (K,)
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)

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

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | SoftTargets,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> StudentAdapter:
        """Fit a clone of `estimator` on weighted rows and read it as a compact model.

        Parameters
        ----------
        X : array-like of shape (n, d)
            NaN is allowed where `estimator` allows it.
        y : array-like of shape (n,) or (n, K), or SoftTargets
            Labels, or probabilities whose rows sum to 1.
        sample_weight : array-like of shape (n,), default=None
        classes : array-like of shape (K,), default=None
            Names of the columns of a 2-D `y` (default 0 … K−1, or a data frame's
            columns), or all classes that a 1-D `y` may have.

        Returns
        -------
        self : StudentAdapter
        """
        if not isinstance(self.estimator, ADAPTED):
            names = ", ".join(kind.__name__ for kind in ADAPTED)
            raise TypeError(f"estimator must be one of {names}, got {self.estimator!r}")
        allow_nan = get_tags(self.estimator).input_tags.allow_nan
        given = training_set(self, X, y, sample_weight, classes, allow_nan=allow_nan)
        learn = self._fit_trees if isinstance(self.estimator, _TREES) else self._fit_linear
        self.estimator_ = clone(self.estimator)
        self.compact_ = learn(given)
        self.classes_ = given.classes
        return self

    def _fit_rows(self, Z: NDArray[Any], targets: SoftTargets, weight: NDArray[np.float64]) -> None:
        """Fit on a row for every class with a probability, the probability in its weight."""
        P = targets.mixture(targets.temperature) * weight[:, None]
        row, number = np.nonzero(P)
        self.estimator_.fit(Z[row], number, sample_weight=P[row, number])

    def _fit_trees(self, given: TrainingSet) -> CompactModel:
        X, targets, weight, classes = given[:4]
        grid = fit_grid(X, self.threshold_bits, weight)
        codes = _codes_as_rows(grid, X)
        self._fit_rows(codes, targets, weight)
        self.feature_importances_ = self.estimator_.feature_importances_
        if len(classes) == 1:
            return given.single_class_model()
        single = isinstance(self.estimator_, DecisionTreeClassifier)
        members = [self.estimator_] if single else self.estimator_.estimators_
        trees = [member.tree_ for member in members]
        P = [node_probabilities(tree, self.estimator_.classes_, len(classes)) for tree in trees]
        if targets.temperature != 1:
            P = [_untempered(*pair, codes, targets, weight) for pair in zip(trees, P, strict=True)]
        if single:
            values, bias, scale = leaf_logits(P[0], self.value_bits)
        else:
            values, bias, scale = leaf_votes(np.vstack(P), self.value_bits, len(trees))
        parts = np.split(values, np.cumsum([len(part) for part in P])[:-1])
        learnt = [
            tree_on_codes(tree, grid.counts, part) for tree, part in zip(trees, parts, strict=True)
        ]
        table = assemble(grid, learnt, self.value_bits)
        link = None if single else "normalize"
        return given.model(bias, scale, table, link=link)

    def _fit_linear(self, given: TrainingSet) -> CompactModel:
        X, targets, weight, classes = given[:4]
        n_scores = given.n_scores
        reading, Z, unit = standardised(X, weight, self.threshold_bits)
        W, b = np.zeros((Z.shape[1], n_scores)), np.zeros(n_scores)
        self._fit_rows(Z if Z.shape[1] else np.zeros((len(X), 1)), targets, weight)
        known = self.estimator_.classes_
        coef, intercept = self.estimator_.coef_[:, : Z.shape[1]], self.estimator_.intercept_
        if len(known) == 2 and n_scores > 1:  # two of many classes share the one logit
            coef = np.vstack([-coef, coef]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        at = known if n_scores > 1 else [0]
        W[:, at], b[at] = coef.T, intercept
        absent = np.setdiff1d(np.arange(n_scores), known) if n_scores > 1 else []
        b[absent] = b[at].min() - np.log(1000)  # classes that no row has
        self.feature_importances_ = importances(W, reading[0], X.shape[1])
        if targets.temperature != 1 and len(classes) > 1:
            z = Z @ W + b
            flat = fit_scale(z, targets.mixture(targets.temperature), weight)
            sharpen = fit_scale(z, targets.mixture(), weight) / flat
            W, b = W * sharpen, b * sharpen
        Q = np.rint(Z / unit)
        return to_compact(given, reading, W * unit[:, None], b, self.value_bits, Q)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags


def _codes_as_rows(grid: InputGrid, X: NDArray[Any]) -> NDArray[np.float32]:
    """Codes as a learner takes them: shape (n, d), NaN where the value is missing."""
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
    """Leaf values as means of the targets at T = 1; a leaf that no row reaches keeps its own."""
    leaf = tree.apply(codes)
    sums = np.zeros_like(P_nodes)
    np.add.at(sums, leaf, targets.mixture() * weight[:, None])
    total = sums.sum(axis=1, keepdims=True)
    return np.where(total > 0, sums / np.where(total > 0, total, 1), P_nodes)
