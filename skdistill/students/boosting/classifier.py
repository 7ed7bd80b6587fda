"""A few small trees that learn from probabilities, their leaf values refitted together."""

from __future__ import annotations

from typing import Any

from skdistill.students._student import StudentClassifierMixin
from skdistill.students.boosting._base import BaseSoftBoosting
from skdistill.students.boosting.problem import ClassificationProblem
from skdistill.students.chunk_fit import ChunkSource
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.training_data import ClassificationData


class SoftBoostingClassifier(StudentClassifierMixin, BaseSoftBoosting):
    """Boosted trees on soft targets, in integers of few bits.

    Each round grows one tree by Newton gain. A leaf holds one logit for two classes and a vector
    of logits for more. When the structure stands, the values of all leaves are refitted
    together, and then rounded a part of the trees at a time.

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
        Penalty ``l2_regularization / 2 * sum(leaf_values ** 2)`` of a tree while it grows, beside
        the mean loss.
    refit_l2_regularization : float, default=1e-3
        Penalty ``refit_l2_regularization / 2 * sum(leaf_values ** 2)`` of the refit, beside
        the mean loss. Raise it where rows are few or noisy.
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
        1 where the probability of the second class has to rise with a column, −1 where it has to
        fall, 0 for no constraint; an array of shape (n_features,), or a dict by column name. For
        two classes, and not for columns of categories. None constrains nothing.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" is
        ``n_samples / (n_classes * mass)``, where the mass of a class is the total weight of its
        rows. A row of probabilities without label weighs ``sum_k P_ik w_k``, and gives each
        class its share of the mass. None gives every class the weight 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the subsampling, of the rows held out and of the order in which trees are
        rounded.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
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
    DistilledClassifier : Makes the soft targets and fits a student on them.
    PrunedEnsembleClassifier : Prunes a boosted student to a number of bytes.

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
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftBoostingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> boosted = SoftBoostingClassifier(4, max_leaf_nodes=4, random_state=0).fit(X, y)
    >>> boosted.predict(X[::50]).tolist()
    [0, 1, 2]
    """

    _accepts_hints = True
    _parameter_constraints: dict[str, list[Any]] = {
        **BaseSoftBoosting._parameter_constraints,
        "class_weight": CLASS_WEIGHT,
    }

    def __init__(
        self,
        n_estimators: int | str = "auto",
        *,
        learning_rate: float = 0.3,
        max_leaf_nodes: int | None = 8,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        l2_regularization: float = 1e-4,
        refit_l2_regularization: float = 1e-3,
        subsample: float = 1.0,
        reuse_penalty: float = 0.0,
        n_iter_no_change: int | None = None,
        validation_fraction: float = 0.1,
        max_bytes: int | None = None,
        init: str | None = None,
        linear_bits: int | str = 8,
        threshold_bits: int = 8,
        binning: str = "uniform",
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            n_estimators,
            learning_rate=learning_rate,
            max_leaf_nodes=max_leaf_nodes,
            max_depth=max_depth,
            min_samples_leaf=min_samples_leaf,
            l2_regularization=l2_regularization,
            refit_l2_regularization=refit_l2_regularization,
            subsample=subsample,
            reuse_penalty=reuse_penalty,
            n_iter_no_change=n_iter_no_change,
            validation_fraction=validation_fraction,
            max_bytes=max_bytes,
            init=init,
            linear_bits=linear_bits,
            threshold_bits=threshold_bits,
            binning=binning,
            value_bits=value_bits,
            categorical_features=categorical_features,
            monotonic_cst=monotonic_cst,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def _learn(self, data: ClassificationData) -> None:
        if len(data.classes) == 1:
            self._keep_constant(data.single_class_model())
        else:
            self._boost(ClassificationProblem(data), len(data.classes))

    def _learn_chunks(self, source: ChunkSource) -> None:
        """Learn from all rows of a table."""
        data: ClassificationData = source.data
        if len(data.classes) == 1:
            self._learn(data)
        else:
            self._boost(ClassificationProblem(data), len(data.classes), source)
