"""One decision tree that learns values, on a quantized grid."""

from __future__ import annotations

import numpy as np

from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_values
from skdistill.students._student import StudentRegressorMixin, relative_importances
from skdistill.students.training_data import RegressionData
from skdistill.students.tree._base import BaseSoftTree
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grown_tree import GrownTree
from skdistill.students.tree.monotonic import clip_values, monotonic_signs
from skdistill.students.tree.splitting import SQUARED_ERROR


class SoftTreeRegressor(StudentRegressorMixin, BaseSoftTree):
    """Decision tree for regression, with integer thresholds and leaf values.

    The tree is grown best-first from histograms of exact integer sums, on squared error. Leaf
    values are weighted means, rounded to levels that each target spreads over its own range;
    their offset goes into the bias.

    Parameters
    ----------
    max_leaf_nodes : int, "auto" or None, default="auto"
        Maximum number of leaves. "auto" is 64 without `max_bytes`, and unlimited with it. None
        is unlimited.
    max_depth : int or None, default=None
        Maximum number of splits on the way to a leaf. None is unlimited.
    min_samples_leaf : int, default=1
        Minimum number of training rows in a leaf.
    min_weight_fraction_leaf : float, default=0.0
        Minimum weight of a leaf, as a fraction in [0, 0.5] of the total weight.
    ccp_alpha : float, default=0.0
        Complexity parameter of minimal cost-complexity pruning, in units of the criterion: the
        mean squared error. Several targets count in units of their standard deviations, and
        their mean is taken.
    max_bytes : int or None, default=None
        Maximum ``compact_.nbytes``. The tree is grown, and cut back to the most leaves that fit:
        it is the tree of so many `max_leaf_nodes`. A column of categories whose table of ranks
        does not fit is not read. None sets no limit.
    threshold_bits : int, default=8
        Bits of a threshold, 2 to 16.
    value_bits : int or "ternary", default=8
        Bits of a leaf value, 2 to 16; "ternary" is −1, 0 or 1.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes those
        of a data frame that have a categorical type or hold strings; None takes none. Categories
        are ordered by their mean targets, and splits are thresholds on this order.
    monotonic_cst : array-like of int, dict of str to int or None, default=None
        1 where predictions have to rise with a column, −1 where they have to fall, 0 for no
        constraint; an array of shape (n_features,), or a dict by column name. For one target, and
        not for columns of categories. None constrains nothing.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the total decrease of squared error.

    See Also
    --------
    DistilledRegressor : Fits a student on a teacher's predictions.
    SoftBoostingRegressor : A few small trees, more accurate at the same size.

    Notes
    -----
    Where a column has missing values (NaN), each node learns on which side they go. In other
    columns they go right.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill import SoftTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = SoftTreeRegressor(max_leaf_nodes=8).fit(X, y)
    >>> round(tree.score(X, y), 2), tree.compact_.tables[0].values.shape
    (0.51, (8, 1))
    """

    def _learn(self, data: RegressionData) -> None:
        grid = fit_grid(data.X, self.threshold_bits, data.weight)
        y = data.y
        signs = monotonic_signs(
            self, self.monotonic_cst, data.categories, n_classes=0, n_outputs=y.shape[1]
        )
        signs = signs[grid.features]
        # Targets are brought into [−1, 1] by numbers that the order of the rows cannot change,
        # and the tree does not change with it either.
        middle = y.max(axis=0) / 2 + y.min(axis=0) / 2
        half_range = np.abs(y - middle).max(axis=0)
        deviation = np.ones(1) if y.shape[1] == 1 else data.deviation
        common = float(np.ldexp(1.0, np.frexp((half_range / deviation).max())[1]))
        unit = common * deviation
        row_stats = to_fixed_point(
            (y - middle) / unit, data.weight, count=self.min_samples_leaf > 1
        )
        with np.errstate(over="ignore"):  # beyond all gains: nothing but the root stays
            alpha = np.square(np.sqrt(np.float64(self.ccp_alpha) * y.shape[1]) / common)

        def model_of(tree: GrownTree) -> CompactModel:
            sums, leaf, bits = tree.sums.astype(np.float64), tree.is_leaf, self.value_bits
            weight = np.maximum(sums[:, y.shape[1]], 1)
            means = middle + unit * (sums[:, : y.shape[1]] / weight[:, None])
            if signs.any():
                means = clip_values(tree, means[:, 0], signs)[:, None]
            values = np.zeros(means.shape, np.int32)
            values[leaf], bias, scale, step = leaf_values(means[leaf], weight[leaf], bits)
            # A tree that is a single leaf is the bias.
            tables = [] if leaf[0] else [assemble(grid, [tree.with_values(values)], bits, step)]
            return data.model(bias, scale, *tables)

        codes = grid.encode(data.X)
        tree, model = self._fit_tree(
            codes,
            grid,
            row_stats,
            SQUARED_ERROR,
            float(alpha),
            data.categories,
            model_of,
            signs,
        )
        data.warn_of_lost_resolution(model.bias, model.scale, model.tables)
        self.compact_ = model
        self.feature_importances_ = relative_importances(tree.gain_by_feature(data.n_features))
