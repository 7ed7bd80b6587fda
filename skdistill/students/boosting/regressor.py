"""A few small trees that learn values, their leaf values refitted together."""

from __future__ import annotations

import numpy as np

from skdistill.students._student import StudentRegressorMixin
from skdistill.students.boosting._base import BaseSoftBoosting
from skdistill.students.boosting.problem import RegressionProblem
from skdistill.students.chunk_fit import ChunkSource
from skdistill.students.training_data import RegressionData


class SoftBoostingRegressor(StudentRegressorMixin, BaseSoftBoosting):
    """Boosted regression trees, in integers of few bits.

    Each round grows one tree on the residuals; its leaves hold a value for each target. When the
    structure stands, the values of all leaves are refitted together, and then rounded a part of
    the trees at a time. Targets are learnt around their mean in units of their standard
    deviation; both go into the scale and the bias.

    Parameters
    ----------
    n_estimators : int or "auto", default="auto"
        Number of trees; with `max_bytes` their maximum. "auto" is 16 without `max_bytes`, and
        as many as fit with it, at most 1000.
    learning_rate : float, default=0.3
        Factor of the Newton steps while trees grow. The refit is not shrunk.
    max_leaf_nodes : int or None, default=8
        Maximum number of leaves of a tree. None is unlimited.
    max_depth : int or None, default=None
        Maximum number of splits on the way to a leaf. None is unlimited.
    min_samples_leaf : int, default=1
        Minimum number of rows in a leaf, of those that the round sees.
    l2_regularization : float, default=1e-4
        Penalty ``l2_regularization / 2 * sum(leaf_values ** 2)`` of a tree while it grows, in
        standard deviations of the targets, beside half the mean squared error.
    refit_l2_regularization : float, default=3e-3
        Penalty ``refit_l2_regularization / 2 * sum(leaf_values ** 2)`` of the refit, beside
        half the mean squared error. Raise it where rows are few or noisy.
    subsample : float, default=1.0
        Fraction in (0, 1] of the rows that each round sees.
    reuse_penalty : float, default=0.0
        Minimum decrease of the mean loss by a split on a column that no split used yet, and
        likewise for a threshold where thresholds are stored in a table
        (``binning="quantile"``) [1]_. A penalty makes models smaller.
    n_iter_no_change : int or None, default=None
        Early stopping: growth ends when the loss of rows that are held out has not fallen for so
        many rounds, and goes back to the best of them. The refit sees all rows. None grows all
        trees.
    validation_fraction : float, default=0.1
        Fraction in (0, 1) of the rows that are held out for early stopping.
    max_bytes : int or None, default=None
        Maximum ``compact_.nbytes``, the linear start included. As many trees are grown, refitted
        and rounded as fit, each of at most `max_leaf_nodes` leaves. Bytes are known after the
        refit: it takes one to four of them. A column of categories whose table of ranks does
        not fit beside the first trees is not split. None sets no limit.
    init : {"linear"} or None, default=None
        "linear" starts from a linear model on rounded inputs, whose weights are refitted with
        the leaves. None starts from a constant.
    linear_bits : int or "ternary", default=8
        Bits of a weight of the linear start, 2 to 16; "ternary" is −1, 0 or 1.
    threshold_bits : int, default=8
        Bits of a threshold, and of an input of the linear start, 2 to 16.
    binning : {"uniform", "quantile"}, default="uniform"
        Where trees may split a column: at even steps, which are those of the rounded inputs if
        there is a linear start, or at quantiles. Even steps take a quarter to a third less of a
        small model's bytes; quantiles suit columns as skewed as sums of money.
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
    random_state : int, RandomState instance or None, default=None
        Seed of the subsampling, of the rows held out and of the order in which trees are
        rounded.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    compact_ : CompactModel
        The integer model that predicts.
    n_estimators_ : int
        Number of trees after early stopping, and within `max_bytes`.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the total gain of the splits.

    See Also
    --------
    DistilledRegressor : Fits a student on a teacher's predictions.
    SoftTreeRegressor : A single tree.

    Notes
    -----
    Where a column has missing values (NaN), each node learns on which side they go; in other
    columns they go right. A linear start reads them as the offset of their column, which is near
    its mean.

    References
    ----------
    .. [1] Herrmann, Stenkamp et al. 2026, "Boosted trees on a diet: compact models for
       resource-constrained devices", arXiv:2510.26557.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skdistill import SoftBoostingRegressor
    >>> X, y = make_friedman1(500, random_state=0)
    >>> boosted = SoftBoostingRegressor(random_state=0).fit(X, y)
    >>> boosted.score(X, y) > 0.9
    True
    """

    def _learn(self, data: RegressionData) -> None:
        problem = RegressionProblem(data)
        if problem.varies.any():
            self._boost(problem)
            model = self.compact_
            data.warn_of_lost_resolution(model.bias, model.scale, model.tables)
        else:
            self._keep_constant(problem.model(np.zeros(problem.n_scores), 1.0))

    def _learn_chunks(self, source: ChunkSource) -> None:
        """Learn from all rows of a table."""
        data: RegressionData = source.data
        problem = RegressionProblem(data)
        if problem.varies.any():
            self._boost(problem, source=source)
            model = self.compact_
            data.warn_of_lost_resolution(model.bias, model.scale, model.tables)
        else:
            self._learn(data)
