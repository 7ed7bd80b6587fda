"""A few small trees that learn from probabilities, their values refitted together."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_random_state

from skdistill.students._base import CompactClassifierMixin
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.boosting.gradient_boosting import boost
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.training_data import training_set
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import Interval, StrOptions, _fit_context


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
    l2_regularization : float, default=1.0
        Added to the Hessian of a leaf while trees grow.
    refit_l2_regularization : float, default=1e-3
        Penalty ``refit_l2_regularization / 2 * sum(W ** 2)`` of the refit, beside the mean loss.
    subsample : float in (0, 1], default=1.0
        Share of the rows that each round sees.
    reuse_penalty : float, default=0.0
        Decrease of the mean loss that a split must promise for a feature that no split
        used yet, and for a threshold likewise where thresholds are kept in a table
        (``binning="quantile"``); after Herrmann, Stenkamp et al. 2026.
    n_iter_no_change : int or None, default=None
        Early stopping: growth ends when the loss of rows that it does not see has not
        fallen for so many rounds, and goes back to the best of them. The refit sees all
        rows.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out for early stopping.
    init : {"linear"} or None, default=None
        "linear" starts from a linear model on rounded inputs; its weights are refitted
        with the leaves, and both are one score.
    linear_bits : int in [2, 16] or "ternary", default=8
        Of the weights of the linear start.
    threshold_bits : int in [2, 16], default=8
        Of the thresholds, and of the inputs of a linear start.
    binning : {"uniform", "quantile"}, default="uniform"
        Where trees may cut a column: at even steps, those of the rounded inputs of a
        linear start if there is one, or at quantiles. Even ones take fewer bytes, a
        quarter to a third of a small model's; columns as skewed as sums of money may want
        quantiles.
    value_bits : int in [2, 16] or "ternary", default=8
        Of the leaf values.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Columns that hold categories: names, indices or a boolean mask. "from_dtype" takes
        those of a data frame that are of a categorical type or hold strings. Categories are
        ordered by their mean targets, and every split parts them by this order.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" are
        ``n / (K * mass)``, where the mass of a class adds up the weights of its rows. A row
        with probabilities and no label weighs the expectation ``sum_k P_ik w_k``, and gives
        each class its share of the mass.
    random_state : int, RandomState instance or None, default=None
        Of the subsampling, of the rows held out and of the order in which trees are rounded.

    Attributes
    ----------
    classes_ : array of shape (K,)
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    n_estimators_ : int
        Trees after early stopping.
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
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "refit_l2_regularization": [Interval(Real, 0, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "reuse_penalty": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "init": [StrOptions({"linear"}), None],
        "linear_bits": BITS["value_bits"],
        **BITS,
        **CATEGORIES,
        "binning": [StrOptions({"uniform", "quantile"})],
        "class_weight": CLASS_WEIGHT,
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
        l2_regularization: float = 1.0,
        refit_l2_regularization: float = 1e-3,
        subsample: float = 1.0,
        reuse_penalty: float = 0.0,
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        init: str | None = None,
        linear_bits: int | str = 8,
        threshold_bits: int = 8,
        binning: str = "uniform",
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.refit_l2_regularization = refit_l2_regularization
        self.subsample = subsample
        self.reuse_penalty = reuse_penalty
        self.n_iter_no_change = n_iter_no_change
        self.validation_fraction = validation_fraction
        self.init = init
        self.linear_bits = linear_bits
        self.threshold_bits = threshold_bits
        self.binning = binning
        self.value_bits = value_bits
        self.categorical_features = categorical_features
        self.class_weight = class_weight
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
            ±inf is refused. Where a column has NaN, nodes learn its side; in other columns NaN
            goes right. A linear start reads it as the offset of its column.
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
        if len(given.classes) == 1:
            self.compact_ = given.single_class_model()
            self.feature_importances_, self.n_estimators_ = np.zeros(given.X.shape[1]), 0
        else:
            boosted = boost(self, given, check_random_state(self.random_state))
            self.compact_, self.feature_importances_, self.n_estimators_ = boosted
        self.classes_ = given.classes
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
