"""A given ensemble of trees, pruned to a number of bytes."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Tags, check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill.compact.tables.limits import value_limits
from skdistill.converters.regrid import coarser, on_a_grid
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.students._base import CompactClassifierMixin
from skdistill.students._validation import BITS
from skdistill.students.boosting.gradient_boosting import beside_intercept
from skdistill.students.boosting.leaf_refit import refit, round_values
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.loss import soft_cross_entropy
from skdistill.students.pruning.flat_forest import Forest, plant, quantized_trees
from skdistill.students.pruning.prune import Problem, as_ensemble, shrink, split_worth
from skdistill.students.pruning.read_ensemble import (
    Source,
    check_agreement,
    check_kind,
    check_outputs,
    fit_ensemble,
    read_ensemble,
)
from skdistill.students.training_data import TrainingSet, training_set
from skdistill.targets import SoftTargets
from skdistill.utils._sklearn_compat import HasMethods, Interval, _fit_context


class PrunedEnsembleClassifier(CompactClassifierMixin, BaseEstimator):
    """An ensemble of trees, cut down to a number of bytes with its values refitted.

    Subtrees that are not worth their bytes become leaves, a few at a time; in between, and
    at the end, the values of all leaves that remain are refitted together, as logits, with
    a value for every class in each leaf. Then they are rounded as those of a
    `SoftBoostingClassifier` are.

    Parameters
    ----------
    estimator : RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, \
XGBClassifier, LGBMClassifier or SoftBoostingClassifier
        A clone of it is fitted first. One that is fitted already is used as it is inside a
        `sklearn.frozen.FrozenEstimator`. A `SoftBoostingClassifier` keeps its linear part.
    max_bytes : int, default=4096
        What ``compact_.nbytes`` must not exceed.
    refit_l2_regularization : float, default=1e-3
        Penalty ``refit_l2_regularization / 2 * sum(W ** 2)`` of the refit, beside the mean loss.
    threshold_bits : int in [2, 16] or None, default=8
        Thresholds are moved to even steps, at most 2^`threshold_bits` − 2 a column, each to
        where the fewest rows change sides. None keeps them as they are; so does a
        `SoftBoostingClassifier`, which has few of them already.
    value_bits : int in [2, 16] or "ternary", default=4
        Of the leaf values.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" are
        ``n / (K * mass)``, where the mass of a class adds up the weights of its rows. A row
        with probabilities and no label weighs the expectation ``sum_k P_ik w_k``, and gives
        each class its share of the mass. They count where the ensemble is fitted and in the
        refit; those of the ensemble itself multiply them.
    random_state : int, RandomState instance or None, default=None
        Of the order in which trees are rounded.

    Attributes
    ----------
    estimator_ : fitted estimator
    classes_ : array of shape (K,)
    n_features_in_ : int
    feature_names_in_ : array of shape (d,)
        Only where `X` has string column names.
    compact_ : CompactModel
    feature_importances_ : float64 array of shape (d,)
        Share of each column in what the splits are worth to the loss, to second order.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> from skdistill import PrunedEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = ExtraTreesClassifier(20, random_state=0)
    >>> pruned = PrunedEnsembleClassifier(forest, 100, random_state=0).fit(X, y)
    >>> pruned.predict(X[::50]).tolist(), pruned.compact_.nbytes <= 100
    ([0, 1, 2], True)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "max_bytes": [Interval(Integral, 1, None, closed="left")],
        "refit_l2_regularization": [Interval(Real, 0, None, closed="neither")],
        "threshold_bits": [*BITS["threshold_bits"], None],
        "value_bits": BITS["value_bits"],
        "class_weight": CLASS_WEIGHT,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: ClassifierMixin,
        max_bytes: int = 4096,
        *,
        refit_l2_regularization: float = 1e-3,
        threshold_bits: int | None = 8,
        value_bits: int | str = 4,
        class_weight: dict[Any, float] | str | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.max_bytes = max_bytes
        self.refit_l2_regularization = refit_l2_regularization
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.class_weight = class_weight
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | SoftTargets,
        sample_weight: ArrayLike | None = None,
        *,
        classes: ArrayLike | None = None,
    ) -> PrunedEnsembleClassifier:
        """Fit the ensemble, unless it is frozen, and prune it.

        Parameters
        ----------
        X : array-like of shape (n, d)
            ±inf is refused; NaN is allowed where `estimator` allows it.
        y : array-like of shape (n,) or (n, K), or SoftTargets
            Labels, or probabilities whose rows sum to 1.
        sample_weight : array-like of shape (n,), default=None
        classes : array-like of shape (K,), default=None
            Names of the columns of a 2-D `y` (default those of a frozen estimator, else
            0 … K−1, or a data frame's columns), or all classes that a 1-D `y` may have.

        Returns
        -------
        self : PrunedEnsembleClassifier

        Raises
        ------
        TypeError
            If the estimator is none of those named above.
        ValueError
            If it has what is not supported (its name is in the message), knows other
            classes or columns, or if the budget is too small for a single leaf.
        """
        frozen = isinstance(self.estimator, FrozenEstimator)
        ensemble = self.estimator.estimator if frozen else self.estimator
        check_kind(ensemble)
        own = getattr(ensemble, "compact_", None)
        if own is not None and len(own.categories):
            raise ValueError(
                "an ensemble that reads categories cannot be pruned: fit a smaller one"
            )
        if frozen:
            check_is_fitted(ensemble)
            check_outputs(ensemble)
            if classes is None and not hasattr(y, "columns"):
                classes = ensemble.classes_
        allow_nan = get_tags(ensemble).input_tags.allow_nan
        given = training_set(
            self,
            X,
            y,
            sample_weight,
            classes,
            allow_nan=allow_nan,
            class_weight=self.class_weight,
        )
        if frozen:
            check_agreement(ensemble, given)
            self.estimator_ = ensemble
        else:
            self.estimator_ = fit_ensemble(clone(ensemble), given)
        if len(given.classes) == 1:
            self.compact_ = given.single_class_model()
            self.feature_importances_ = np.zeros(given.X.shape[1])
        else:
            self._prune(given, check_random_state(self.random_state))
        self.classes_ = given.classes
        return self

    def _prune(self, given: TrainingSet, rng: np.random.RandomState) -> None:
        """Read, cut, refit, round; once more and smaller where rounding made it too large."""
        source = read_ensemble(self.estimator_, given)
        forest = self._plant(source, given)
        problem = Problem(
            soft_cross_entropy(given.targets, given.weight),
            source.offset + source.constant,
            self.refit_l2_regularization,
        )

        def size_of(forest: Forest) -> int:
            """Bytes with leaf values of which no two need be alike."""
            low, high = value_limits(self.value_bits, signed=True)
            values = np.random.default_rng(0).integers(low, high + 1, forest.values.shape)
            bias = np.full(given.n_scores, 100, np.int32)
            return self._tables(
                given, source, forest, values, 1, source.score_step or 1.0, bias
            ).nbytes

        limit = self.max_bytes
        while True:
            forest, problem = shrink(forest, problem, size_of, limit)
            self.compact_ = self._finish(given, source, forest, problem, rng)
            excess = self.compact_.nbytes - self.max_bytes
            if excess <= 0:
                break
            if forest.is_leaf.all():
                raise ValueError(
                    f"max_bytes={self.max_bytes} is too small: a single leaf beside what is not "
                    f"pruned takes {self.compact_.nbytes} bytes"
                )
            limit = min(limit, size_of(forest)) - excess
        worth, _ = split_worth(forest, problem)
        split = ~forest.is_leaf
        gain = np.bincount(forest.feature[split], worth[split], given.X.shape[1])
        self.feature_importances_ = gain / gain.sum() if gain.sum() > 0 else gain

    def _plant(self, source: Source, given: TrainingSet) -> Forest:
        """The trees of the ensemble on a grid, with the leaf of every row."""
        X = given.X if source.dtype == "int32" else given.X.astype(np.float32, copy=False)
        grid, trees = on_a_grid(source.trees, X.shape[1], source.dtype)
        if self.threshold_bits is not None and not source.own_grid:
            coarse = fit_grid(X, self.threshold_bits, given.weight, binning="uniform")
            grid, trees = coarser(grid, trees, coarse, X)
        return plant(grid, trees, X)

    def _finish(
        self,
        given: TrainingSet,
        source: Source,
        forest: Forest,
        problem: Problem,
        rng: np.random.RandomState,
    ) -> CompactModel:
        """The last refit, and integers."""
        ensemble = as_ensemble(forest, problem._replace(offset=source.offset))
        constant = (problem.offset - source.offset)[0]  # with that of trees that are gone
        if source.beside:
            constant = np.rint(constant / source.score_step) * source.score_step
        ensemble = replace(ensemble, b=constant)
        ensemble = refit(
            ensemble, problem.loss, l2_regularization=self.refit_l2_regularization, linear=False
        )
        values, step = round_values(
            ensemble,
            problem.loss,
            given.weight,
            self.value_bits,
            l2_regularization=self.refit_l2_regularization,
            rng=rng,
            score_step=source.score_step,
        )
        if source.beside:
            scale, unit = source.score_step, round(step / source.score_step)
            bias = source.bias + np.rint(constant / scale).astype(np.int32)
        else:
            values, bias, scale, unit = beside_intercept(values, step, constant)
        table = np.zeros(forest.values.shape, np.int32)
        table[forest.is_leaf] = values
        return self._tables(given, source, forest, table, unit, scale, bias)

    def _tables(
        self,
        given: TrainingSet,
        source: Source,
        forest: Forest,
        values: NDArray[np.int32],
        unit: int,
        scale: float,
        bias: NDArray[np.int32],
    ) -> CompactModel:
        trees = assemble(forest.grid, quantized_trees(forest, values), self.value_bits, unit)
        return given.model(bias, scale, trees, *source.beside)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags
