"""A few small trees that learn from probabilities, their values refitted together."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from skdistill.compact import InputGrid, LinearTable
from skdistill.compact.assemble import LearntTree, assemble
from skdistill.compact.quantize import fit_grid, linear_weights, rounding_grid
from skdistill.students import grow
from skdistill.students._mixin import CompactClassifierMixin
from skdistill.students._validate import BITS, TrainingSet, training_set
from skdistill.students.linear import Reading, standardised
from skdistill.students.loss import newton_terms, soft_cross_entropy
from skdistill.students.refit import Ensemble, add_to_leaves, refit, round_values
from skdistill.targets import SoftTargets


class SoftBoostingClassifier(CompactClassifierMixin, BaseEstimator):
    """Boosted trees on soft targets, in integers of few bits.

    Each round grows one tree by Newton gain; a leaf holds one logit for two classes and a
    vector of logits for more. When the structure stands, the values of all leaves are
    refitted together, and then rounded a part of the trees at a time.

    Parameters
    ----------
    n_estimators : int, default=16
        Trees.
    learning_rate : float, default=0.3
        Shrinks the steps while trees grow; the refit is not shrunk.
    max_leaf_nodes : int or None, default=8
    max_depth : int or None, default=None
    min_samples_leaf : int, default=1
    l2 : float, default=1.0
        Added to the Hessian of a leaf while trees grow.
    refit_l2 : float, default=1e-5
        Penalty ``refit_l2 / 2 * sum(W ** 2)`` of the refit, beside the mean loss.
    subsample : float in (0, 1], default=1.0
        Share of the rows that each round sees.
    init : {"linear"} or None, default=None
        "linear" starts from a linear model on rounded inputs; its weights are refitted
        with the leaves, and both are one score.
    linear_bits : int in [2, 16], default=8
        Of the weights of the linear start.
    threshold_bits : int in [2, 16], default=8
        Of the thresholds, and of the inputs of a linear start.
    threshold_spacing : {"even", "quantile"}, default="even"
        Where trees may cut a column: at even steps, those of the rounded inputs of a
        linear start if there is one, or at quantiles. Even ones take fewer bytes.
    value_bits : int in [2, 16] or "ternary", default=8
        Of the leaf values.
    random_state : int, RandomState instance or None, default=None
        Of the subsampling and of the order in which trees are rounded.

    Attributes
    ----------
    classes_ : array of shape (K,)
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)
        Share of each column in the total gain of the splits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftBoostingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> boosted = SoftBoostingClassifier(4, max_leaf_nodes=4, random_state=0).fit(X, y)
    >>> boosted.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "refit_l2": [Interval(Real, 0, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "init": [StrOptions({"linear"}), None],
        "linear_bits": [Interval(Integral, 2, 16, closed="both")],
        **BITS,
        "threshold_spacing": [StrOptions({"even", "quantile"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_estimators: int = 16,
        *,
        learning_rate: float = 0.3,
        max_leaf_nodes: int | None = 8,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        l2: float = 1.0,
        refit_l2: float = 1e-5,
        subsample: float = 1.0,
        init: str | None = None,
        linear_bits: int = 8,
        threshold_bits: int = 8,
        threshold_spacing: str = "even",
        value_bits: int | str = 8,
        random_state: Any = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.refit_l2 = refit_l2
        self.subsample = subsample
        self.init = init
        self.linear_bits = linear_bits
        self.threshold_bits = threshold_bits
        self.threshold_spacing = threshold_spacing
        self.value_bits = value_bits
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | SoftTargets,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> SoftBoostingClassifier:
        """Grow the trees, refit and round their values.

        Parameters
        ----------
        X : array-like of shape (n, d)
            ±inf is refused; NaN is allowed without a linear start.
        y : array-like of shape (n,) or (n, K), or SoftTargets
            Labels, or probabilities whose rows sum to 1.
        sample_weight : array-like of shape (n,), default=None
        classes : array-like of shape (K,), default=None
            Names of the columns of a 2-D `y` (default 0 … K−1, or a data frame's
            columns), or all classes that a 1-D `y` may have.

        Returns
        -------
        self : SoftBoostingClassifier
        """
        given = training_set(self, X, y, sample_weight, classes, allow_nan=self.init is None)
        if len(given.classes) == 1:
            self.compact_ = given.single_class_model()
            self.feature_importances_ = np.zeros(given.X.shape[1])
        else:
            self._fit_several(given, check_random_state(self.random_state))
        self.classes_ = given.classes
        return self

    def _fit_several(self, given: TrainingSet, rng: np.random.RandomState) -> None:
        """Start, grow, refit, round."""
        loss = soft_cross_entropy(given.targets, given.weight)
        reading, Z, unit = _inputs(given.X, given.weight, self.threshold_bits, self.init)
        penalties = {"l2": self.refit_l2, "l2_linear": _LINEAR_L2, "linear": Z.shape[1] > 0}
        start = _no_trees(Z, given.n_scores)
        if Z.shape[1]:
            start = refit(start, loss, max_iter=60, **penalties)
        if self.threshold_spacing == "even" and Z.shape[1] and given.X.dtype != np.int32:
            grid = rounding_grid(*reading)
        else:
            grid = fit_grid(
                given.X, self.threshold_bits, given.weight, spacing=self.threshold_spacing
            )
        trees, leaves, owner, steps = self._grow(grid, given, start.logits(), rng)
        grown = replace(start, leaves=leaves, tree=owner, W=steps)
        grown = refit(grown, loss, **penalties)

        linear, bias, grain, grown = self._round_linear(grown, reading, unit)
        values, step = round_values(
            grown, loss, given.weight, self.value_bits, l2=self.refit_l2, rng=rng, grain=grain
        )
        scale, worth = (grain, round(step / grain)) if grain > 0 else (step, 1)
        learnt = _with_values(trees, values)
        used, table = assemble(grid, learnt, self.value_bits, worth)
        self.compact_ = given.model(bias, scale, grid=used, trees=table, linear=linear)
        gain = np.zeros(given.X.shape[1])
        for tree in trees:
            split = tree.feature >= 0
            column = grid.features[tree.feature[split]]
            gain += np.bincount(column, tree.gain[split], minlength=len(gain))
        self.feature_importances_ = gain / gain.sum() if gain.sum() > 0 else gain

    def _grow(
        self,
        grid: InputGrid,
        given: TrainingSet,
        z: NDArray[np.float64],
        rng: np.random.RandomState,
    ) -> tuple[list[grow.Grown], NDArray[np.int32], NDArray[np.intp], NDArray[np.float64]]:
        """Trees; the leaf of each row in each; the tree of each leaf, and its first value."""
        n, n_scores = z.shape
        codes, n_edges = grid.encode(given.X), grid.counts
        terms = newton_terms(given.targets, given.weight)
        # With several logits the diagonal of the Hessian falls short of it by up to a half.
        safety = 1 if n_scores == 1 else 2
        trees, columns, owner, steps = [], [], [], []
        for number in range(self.n_estimators):
            descent, curvature = terms(z)
            rows = np.arange(n)
            if self.subsample < 1:
                rows = np.sort(rng.permutation(n)[: max(1, int(self.subsample * n))])
            channels = np.empty((n, n_scores + 1))
            channels[:, :-1] = descent
            curvature.sum(axis=1, out=channels[:, -1])
            fixed, unit = grow.round_channels(channels if len(rows) == n else channels[rows])
            if self.min_samples_leaf > 1:
                fixed = np.column_stack([fixed, np.ones(len(fixed), np.int32)])
            tree = grow.grow(
                codes if len(rows) == n else np.ascontiguousarray(codes[:, rows]),
                n_edges,
                fixed,
                criterion=grow.SQUARED_ERROR,
                max_leaf_nodes=self.max_leaf_nodes or n,
                max_depth=self.max_depth or n,
                min_samples_leaf=self.min_samples_leaf,
                l2=self.l2 * unit,
            )
            node = tree.leaf if len(rows) == n else grow.find_leaves(tree, codes, n_edges)
            down, up = np.zeros((2, len(tree.feature), n_scores))
            add_to_leaves(node[rows, None], descent[rows], down)
            add_to_leaves(node[rows, None], curvature[rows], up)
            step = down / (safety * up + self.l2 + 1e-12)
            step *= self.learning_rate
            z = z + step[node]
            steps.append(step[tree.feature < 0])
            leaf_number = len(owner) + np.cumsum(tree.feature < 0) - 1
            owner += [number] * int((tree.feature < 0).sum())
            trees.append(tree)
            columns.append(leaf_number[node].astype(np.int32))
        return trees, np.column_stack(columns), np.array(owner), np.concatenate(steps)

    def _round_linear(
        self, fitted: Ensemble, reading: Reading, unit: NDArray[np.float64]
    ) -> tuple[LinearTable | None, NDArray[np.int32], float, Ensemble]:
        """Integer linear part, bias, the worth of a score, and the ensemble with it in place."""
        if fitted.Z.shape[1] == 0:
            return None, np.zeros(len(fitted.b), np.int32), 0.0, fitted
        features, offset, inv_step, bits = reading
        q_max = (1 << (bits - 1)) - 1
        B = fitted.B * unit[:, None]
        # A score is one unit of the linear part. Leaves must stay within 2²⁴ of them, which
        # rounding to few bits may come near to, and all trees and the linear part in int32.
        leaf = float(np.abs(fitted.W).max(initial=0)) / min(2**20, 2**28 / self.n_estimators)
        reach = float((np.abs(B).sum(axis=0) * q_max + np.abs(fitted.b)).max()) / 2**30
        weights, bias, scale = linear_weights(
            B, fitted.b, self.linear_bits, q_max, least=max(leaf, reach)
        )
        table = LinearTable(features, offset, inv_step, bits, weights, self.linear_bits)
        B = weights * scale / unit[:, None]
        return table, bias, scale, replace(fitted, B=B, b=bias * scale)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.init is None
        return tags


_LINEAR_L2 = 1e-4


def _no_trees(Z: NDArray[np.float64], n_scores: int) -> Ensemble:
    return Ensemble(
        leaves=np.zeros((len(Z), 0), np.int32),
        tree=np.zeros(0, np.intp),
        W=np.zeros((0, n_scores)),
        Z=Z,
        B=np.zeros((Z.shape[1], n_scores)),
        b=np.zeros(n_scores),
    )


def _inputs(
    X: NDArray[Any], weight: NDArray[np.float64], bits: int, init: str | None
) -> tuple[Reading, NDArray[np.float64], NDArray[np.float64]]:
    if init is None:
        nothing = np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32), bits
        return nothing, np.zeros((len(X), 0)), np.zeros(0)
    return standardised(X, weight, bits)


def _with_values(trees: list[grow.Grown], values: NDArray[np.int32]) -> list[LearntTree]:
    """Trees with the values of their leaves, which are numbered through all of them."""
    learnt, first = [], 0
    for tree in trees:
        is_leaf = tree.feature < 0
        table = np.zeros((len(is_leaf), values.shape[1]), np.int32)
        table[is_leaf] = values[first : first + int(is_leaf.sum())]
        first += int(is_leaf.sum())
        learnt.append(LearntTree(tree.feature, tree.threshold, tree.nan_left, tree.children, table))
    return learnt
