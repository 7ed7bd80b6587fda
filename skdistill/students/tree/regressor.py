"""One decision tree that learns values, on a quantized grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import InputGrid
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.quantization.leaf_values import leaf_values
from skdistill.students._student import StudentRegressorMixin, relative_importances
from skdistill.students.chunk_fit import ChunkSource
from skdistill.students.training_data import RegressionData
from skdistill.students.tree._base import BaseSoftTree
from skdistill.students.tree.chunk_encoder import ValueEncoder, value_range, value_statistics
from skdistill.students.tree.fixed_point import to_fixed_point
from skdistill.students.tree.grown_tree import GrownTree
from skdistill.students.tree.growth_rows import ChunkedRows, GrowthRows, HeldRows
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
        units = _Units(data, y.min(axis=0), y.max(axis=0))
        row_stats = to_fixed_point(
            (y - units.middle) / units.unit, data.weight, count=self.min_samples_leaf > 1
        )
        self._grow_model(data, grid, HeldRows(grid.encode(data.X), row_stats), units)

    def _learn_chunks(self, source: ChunkSource) -> None:
        """Learn from all rows of a table."""
        data: RegressionData = source.data
        grid = fit_grid(data.X, self.threshold_bits, data.weight)
        rows = source.load(ValueEncoder(source, grid))
        low, high = zip(*rows.gather(value_range), strict=True)
        units = _Units(data, np.min(low, axis=0), np.max(high, axis=0))
        row_stats = rows.each(
            value_statistics,
            middle=units.middle,
            unit=units.unit,
            count=self.min_samples_leaf > 1,
            largest=source.targets.largest_weight,
        )
        self._grow_model(data, grid, ChunkedRows(rows, row_stats), units)

    def _grow_model(
        self, data: RegressionData, grid: InputGrid, rows: GrowthRows, units: _Units
    ) -> None:
        """Grow a tree on rows whose statistics are in such units."""
        n_outputs = data.y.shape[1]
        signs = monotonic_signs(
            self, self.monotonic_cst, data.categories, n_classes=0, n_outputs=n_outputs
        )
        signs = signs[grid.features]
        with np.errstate(over="ignore"):  # beyond all gains: nothing but the root stays
            alpha = np.square(np.sqrt(np.float64(self.ccp_alpha) * n_outputs) / units.common)

        def model_of(tree: GrownTree) -> CompactModel:
            sums, leaf, bits = tree.sums.astype(np.float64), tree.is_leaf, self.value_bits
            weight = np.maximum(sums[:, n_outputs], 1)
            means = units.middle + units.unit * (sums[:, :n_outputs] / weight[:, None])
            if signs.any():
                means = clip_values(tree, means[:, 0], signs)[:, None]
            values = np.zeros(means.shape, np.int32)
            values[leaf], bias, scale, step = leaf_values(means[leaf], weight[leaf], bits)
            # A tree that is a single leaf is the bias.
            tables = [] if leaf[0] else [assemble(grid, [tree.with_values(values)], bits, step)]
            return data.model(bias, scale, *tables)

        tree, model = self._fit_tree(
            rows,
            grid,
            SQUARED_ERROR,
            float(alpha),
            data.categories,
            model_of,
            signs,
        )
        data.warn_of_lost_resolution(model.bias, model.scale, model.tables)
        self.compact_ = model
        self.feature_importances_ = relative_importances(tree.gain_by_feature(data.n_features))


class _Units:
    """What brings targets into [−1, 1]: numbers that the order of the rows cannot change.

    The tree does not change with it either.
    """

    def __init__(
        self, data: RegressionData, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> None:
        self.middle = high / 2 + low / 2
        half_range = np.maximum(high - self.middle, self.middle - low)
        deviation = np.ones(1) if len(low) == 1 else data.deviation
        self.common = float(np.ldexp(1.0, np.frexp((half_range / deviation).max())[1]))
        self.unit = self.common * deviation
