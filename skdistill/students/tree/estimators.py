"""One decision tree that learns from probabilities, or values, on a quantized grid."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from skdistill.compact import InputGrid
from skdistill.model import CompactModel
from skdistill.quantization.assemble import QuantizedTree, assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_logits, leaf_values
from skdistill.students._base import CompactClassifierMixin, CompactRegressorMixin
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.training_data import (
    RegressionSet,
    TrainingSet,
    regression_set,
    training_set,
)
from skdistill.students.tree import histogram
from skdistill.students.tree.cost_complexity import prune
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.tao import refine
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import Interval, StrOptions, _fit_context

_CRITERIA = {"squared_error": histogram.SQUARED_ERROR, "entropy": histogram.ENTROPY}
_LIMITS: dict[str, list[Any]] = {
    "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
    "max_depth": [Interval(Integral, 1, None, closed="left"), None],
    "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
    "min_weight_fraction_leaf": [Interval(Real, 0, 0.5, closed="both")],
    "ccp_alpha": [Interval(Real, 0, None, closed="left")],
    **BITS,
    **CATEGORIES,
}


class SoftTreeClassifier(CompactClassifierMixin, BaseEstimator):
    """Decision tree on soft targets, with integer thresholds and leaf values.

    The tree is grown best-first from histograms of exact integer sums; thresholds come
    from a grid of at most 2^`threshold_bits` − 2 quantiles a column, so that the tree is
    quantized while it learns. Structure follows the tempered mixture of teacher and hard
    labels, leaf values are weighted means of the untempered one, kept as integer logits.

    Parameters
    ----------
    criterion : {"squared_error", "entropy"}, default="squared_error"
        "squared_error" summed over the class probabilities equals Gini impurity on rows
        repeated by their probabilities.
    max_leaf_nodes : int or None, default=64
    max_depth : int or None, default=None
    min_samples_leaf : int, default=1
    min_weight_fraction_leaf : float in [0, 0.5], default=0.0
        Least weight of a leaf, as a share of the total.
    ccp_alpha : float, default=0.0
        Cost-complexity pruning against the targets the tree was grown on, in units of
        the criterion, as in scikit-learn's trees.
    tao_n_iter : int, default=0
        Passes of alternating optimisation over the grown and pruned tree (Carreira-Perpiñán &
        Tavallali 2018): each split in turn moves to where the fewest rows miss their label.
        The tree keeps its size or becomes smaller.
    threshold_bits : int in [2, 16], default=8
    value_bits : int in [2, 16] or "ternary", default=8
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes
        those of a data frame that are of a categorical type or hold strings. Categories are
        ordered by their mean targets, and every split parts them by this order.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" are
        ``n / (K * mass)``, where the mass of a class adds up the weights of its rows. A row
        with probabilities and no label weighs the expectation ``sum_k P_ik w_k``, and gives
        each class its share of the mass.

    Attributes
    ----------
    classes_ : array of shape (K,)
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)
        Share of each column in the total decrease of impurity.

    See Also
    --------
    DistilledClassifier : Makes the soft targets and fits a student on them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    >>> tree.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "criterion": [StrOptions(set(_CRITERIA))],
        **_LIMITS,
        "tao_n_iter": [Interval(Integral, 0, None, closed="left")],
        "class_weight": CLASS_WEIGHT,
    }

    def __init__(
        self,
        criterion: str = "squared_error",
        *,
        max_leaf_nodes: int | None = 64,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        min_weight_fraction_leaf: float = 0.0,
        ccp_alpha: float = 0.0,
        tao_n_iter: int = 0,
        threshold_bits: int = 8,
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.criterion = criterion
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.ccp_alpha = ccp_alpha
        self.tao_n_iter = tao_n_iter
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.categorical_features = categorical_features
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | SoftTargets,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> SoftTreeClassifier:
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (n, d)
            NaN is allowed, ±inf is not. Where a column has NaN, nodes learn its side; in
            other columns NaN goes right.
        y : array-like of shape (n,) or (n, K), or SoftTargets
            Labels, or probabilities whose rows sum to 1.
        sample_weight : array-like of shape (n,), default=None
        classes : array-like of shape (K,), default=None
            Names of the columns of a 2-D `y` (default 0 … K−1, or a data frame's
            columns), or all classes that a 1-D `y` may have.

        Returns
        -------
        self : SoftTreeClassifier
        """
        given = training_set(
            self,
            X,
            y,
            sample_weight,
            classes,
            allow_nan=True,
            hints=True,
            class_weight=self.class_weight,
        )
        grid = fit_grid(given.X, self.threshold_bits, given.weight)
        tree, P = self._grow(grid, given)
        self.classes_ = given.classes
        self.feature_importances_ = _importances(tree, given.X.shape[1])
        self.compact_ = _to_compact(given, grid, tree, P, self.value_bits)
        return self

    def _grow(
        self, grid: InputGrid, given: TrainingSet
    ) -> tuple[histogram.Grown, NDArray[np.float64]]:
        """The pruned tree and the probabilities, at T = 1, of all its nodes."""
        X, targets, weight = given.X, given.targets, given.weight
        taught = targets.mixture(targets.temperature)
        # For two classes the squared errors of both columns are equal: one will do.
        first = 1 if targets.n_classes == 2 and self.criterion == "squared_error" else 0
        told, unit = taught if first == 0 else taught[:, first:], 1.0
        if targets.hints is not None:
            if self.criterion != "squared_error":
                raise ValueError(f"hints need criterion='squared_error', got {self.criterion!r}")
            told = np.column_stack([told, targets.scaled_hints(told, weight)])
            unit = float(np.ldexp(1.0, -max(0, np.frexp(np.abs(told).max())[1])))
            told = told * unit  # within fixed point
        channels = to_fixed_point(told, weight, count=self.min_samples_leaf > 1)
        tree = _grow_within_limits(self, grid, X, channels, _CRITERIA[self.criterion])
        tree = prune(tree, self.ccp_alpha * unit**2 * (1 if first == 0 else 0.5))
        if self.tao_n_iter > 0:
            tree = refine(
                tree,
                grid.encode(X),
                grid.counts,
                to_fixed_point(taught, weight),
                criterion=_CRITERIA[self.criterion],
                passes=self.tao_n_iter,
                min_samples_leaf=self.min_samples_leaf,
                min_weight=self.min_weight_fraction_leaf,
            )
        if targets.temperature == 1 and told is taught:
            sums = tree.sums[:, : targets.n_classes]
        else:
            exact = to_fixed_point(targets.mixture(), weight)[:, :-1]
            sums = histogram.sum_by_node(exact, tree.leaf, len(tree.feature))
        total = sums.sum(axis=1, keepdims=True)
        return tree, sums / np.maximum(total, 1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class SoftTreeRegressor(CompactRegressorMixin, BaseEstimator):
    """Decision tree for regression, with integer thresholds and leaf values.

    Grown best-first from histograms of exact integer sums, on squared error. Leaf values
    are weighted means, rounded to `value_bits` levels that each target spreads over its
    own range; their offset goes into the bias.

    Parameters
    ----------
    max_leaf_nodes : int or None, default=64
    max_depth : int or None, default=None
    min_samples_leaf : int, default=1
    min_weight_fraction_leaf : float in [0, 0.5], default=0.0
        Least weight of a leaf, as a share of the total.
    ccp_alpha : float, default=0.0
        Cost-complexity pruning, in units of the criterion: the mean squared error. Several
        targets count in units of their standard deviations, and their mean is taken.
    threshold_bits : int in [2, 16], default=8
    value_bits : int in [2, 16] or "ternary", default=8
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes
        those of a data frame that are of a categorical type or hold strings. Categories are
        ordered by their mean targets, and every split parts them by this order.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)
        Share of each column in the total decrease of squared error.

    See Also
    --------
    DistilledRegressor : Fits a student on what a teacher says.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill import SoftTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = SoftTreeRegressor(max_leaf_nodes=8).fit(X, y)
    >>> round(tree.score(X, y), 2), tree.compact_.tables[0].values.shape
    (0.51, (8, 1))
    """

    _parameter_constraints: dict[str, list[Any]] = {**_LIMITS}

    def __init__(
        self,
        *,
        max_leaf_nodes: int | None = 64,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        min_weight_fraction_leaf: float = 0.0,
        ccp_alpha: float = 0.0,
        threshold_bits: int = 8,
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
    ) -> None:
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.ccp_alpha = ccp_alpha
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.categorical_features = categorical_features

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> SoftTreeRegressor:
        """Grow the tree.

        Parameters
        ----------
        X : array-like of shape (n, d)
            NaN is allowed, ±inf is not. Where a column has NaN, nodes learn its side; in
            other columns NaN goes right.
        y : array-like of shape (n,) or (n, S)
            Finite, and within float32.
        sample_weight : array-like of shape (n,), default=None

        Returns
        -------
        self : SoftTreeRegressor
        """
        given = regression_set(self, X, y, sample_weight, allow_nan=True)
        grid = fit_grid(given.X, self.threshold_bits, given.weight)
        tree, V, mass = self._grow(grid, given)
        self.feature_importances_ = _importances(tree, given.X.shape[1])
        is_leaf = tree.feature < 0
        values = np.zeros(V.shape, np.int32)
        values[is_leaf], bias, scale, unit = leaf_values(V[is_leaf], mass[is_leaf], self.value_bits)
        learnt = QuantizedTree(tree.feature, tree.threshold, tree.nan_left, tree.children, values)
        splits = len(tree.feature) > 1
        tables = [assemble(grid, [learnt], self.value_bits, unit)] if splits else []
        self.compact_ = given.model(bias, scale, *tables)
        return self

    def _grow(
        self, grid: InputGrid, given: RegressionSet
    ) -> tuple[histogram.Grown, NDArray[np.float64], NDArray[np.float64]]:
        """The pruned tree, the mean targets of all its nodes, and their weights."""
        X, y, weight = given.X, given.y, given.weight
        # Powers of two, and numbers that the order of the rows cannot change: so is the tree.
        middle = y.max(axis=0) / 2 + y.min(axis=0) / 2
        reach = np.abs(y - middle).max(axis=0)
        relative = np.ones(1) if len(middle) == 1 else given.deviation
        common = float(np.ldexp(1.0, np.frexp((reach / relative).max())[1]))
        unit = common * relative
        channels = to_fixed_point((y - middle) / unit, weight, count=self.min_samples_leaf > 1)
        tree = _grow_within_limits(self, grid, X, channels, histogram.SQUARED_ERROR)
        with np.errstate(over="ignore"):  # beyond all gains: nothing but the root stays
            alpha = np.square(np.sqrt(np.float64(self.ccp_alpha) * len(middle)) / common)
        tree = prune(tree, float(alpha))
        sums = tree.sums.astype(np.float64)
        mass = np.maximum(sums[:, len(middle)], 1)
        return tree, middle + unit * (sums[:, : len(middle)] / mass[:, None]), mass

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _grow_within_limits(
    student: Any, grid: InputGrid, X: NDArray[Any], channels: NDArray[np.int32], criterion: int
) -> histogram.Grown:
    return histogram.grow(
        grid.encode(X),
        grid.counts,
        channels,
        criterion=criterion,
        max_leaf_nodes=student.max_leaf_nodes or len(X),
        max_depth=student.max_depth or len(X),
        min_samples_leaf=student.min_samples_leaf,
        min_weight=student.min_weight_fraction_leaf,
    )


def _importances(tree: histogram.Grown, n_features: int) -> NDArray[np.float64]:
    split = tree.feature >= 0
    gain = np.bincount(tree.feature[split], tree.gain[split], minlength=n_features)
    return gain / gain.sum() if gain.sum() > 0 else gain


def _to_compact(
    given: TrainingSet,
    grid: InputGrid,
    tree: histogram.Grown,
    P: NDArray[np.float64],
    value_bits: int | str,
) -> CompactModel:
    if len(given.classes) == 1:
        return given.single_class_model()
    values, bias, scale = leaf_logits(
        np.where(tree.feature[:, None] < 0, P, 1 / P.shape[1]), value_bits
    )
    learnt = QuantizedTree(tree.feature, tree.threshold, tree.nan_left, tree.children, values)
    return given.model(bias, scale, assemble(grid, [learnt], value_bits))
