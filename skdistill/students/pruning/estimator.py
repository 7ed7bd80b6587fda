"""An ensemble of trees, pruned to a number of bytes."""

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
from skdistill.converters.regrid import coarser, on_edges
from skdistill.model import CompactModel
from skdistill.quantization.assemble import assemble
from skdistill.quantization.binning import fit_grid
from skdistill.students._student import StudentClassifierMixin, relative_importances
from skdistill.students._validation import BITS
from skdistill.students.boosting.gradient_boosting import with_fine_intercept
from skdistill.students.boosting.leaf_refit import refit, round_values
from skdistill.students.class_weight import CLASS_WEIGHT
from skdistill.students.loss import soft_cross_entropy
from skdistill.students.pruning.flat_forest import FlatForest, flatten_trees, quantized_trees
from skdistill.students.pruning.prune import (
    RefitProblem,
    additive_model,
    prune_to_size,
    removal_costs,
)
from skdistill.students.pruning.read_ensemble import (
    PrunableEnsemble,
    check_agreement,
    check_single_output,
    check_supported,
    fit_ensemble,
    read_ensemble,
)
from skdistill.students.size_search import too_small
from skdistill.students.training_data import ClassificationData
from skdistill.utils._sklearn_compat import HasMethods, Interval


class PrunedEnsembleClassifier(StudentClassifierMixin, BaseEstimator):
    """An ensemble of trees, pruned to a number of bytes with its values refitted.

    Subtrees that reduce the loss least for their bytes become leaves, a few at a time. In
    between, and at the end, the values of all leaves that remain are refitted together, as
    logits, with a value for every class in each leaf. Then they are rounded as those of a
    `SoftBoostingClassifier` are.

    Parameters
    ----------
    estimator : RandomForestClassifier, ExtraTreesClassifier, DecisionTreeClassifier, \
XGBClassifier, LGBMClassifier or SoftBoostingClassifier
        The ensemble. A clone of it is fitted first. A fitted one is used as it is inside a
        `sklearn.frozen.FrozenEstimator`; a 2-D `y` of `fit` then has its columns in the order of
        the ensemble's ``classes_``. A `SoftBoostingClassifier` keeps its linear part.
    max_bytes : int, default=4096
        Maximum of ``compact_.nbytes``.
    refit_l2_regularization : float, default=1e-3
        Penalty ``refit_l2_regularization / 2 * sum(leaf_values ** 2)`` of the refit, beside the
        mean loss.
    threshold_bits : int or None, default=8
        Thresholds are moved to at most ``2 ** threshold_bits - 2`` even steps a column, with 2
        to 16 bits, each to where the fewest rows change sides. None keeps them as they are; so
        does a `SoftBoostingClassifier`, which has few of them already.
    value_bits : int or "ternary", default=4
        Bits of a leaf value, 2 to 16; "ternary" is −1, 0 or 1.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes by label, which multiply those of the rows. "balanced" is
        ``n_samples / (n_classes * mass)``, where the mass of a class is the total weight of its
        rows. A row of probabilities without label weighs ``sum_k P_ik w_k``, and gives each
        class its share of the mass. None gives every class the weight 1. They count where the
        ensemble is fitted and in the refit; class weights of the ensemble itself multiply them.
    random_state : int, RandomState instance or None, default=None
        Seed of the order in which trees are rounded.

    Attributes
    ----------
    estimator_ : fitted estimator
        The ensemble before it was pruned.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names seen during `fit`, where all of them are strings.
    compact_ : CompactModel
        The integer model that predicts.
    feature_importances_ : float64 array of shape (n_features,)
        Share of each column in the decrease of the loss by the splits, to second order.

    See Also
    --------
    SoftBoostingClassifier : Grown too large and then pruned, it fits a budget well.
    convert : Keeps an ensemble as it is, without a limit of bytes.

    Notes
    -----
    `fit` raises a TypeError for an estimator that is none of those above, and a ValueError if
    the ensemble has what is not supported, has other classes or columns than the rows, reads
    categories, or if a single leaf exceeds `max_bytes`.

    Missing values (NaN) are allowed where the ensemble allows them. Leaf values are refitted, so
    that the order that `monotonic_cst` of the ensemble asks for is not kept.

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

    An ensemble that is fitted already:

    >>> from sklearn.frozen import FrozenEstimator
    >>> frozen = FrozenEstimator(forest.fit(X, y))
    >>> PrunedEnsembleClassifier(frozen, 100, random_state=0).fit(X, y).compact_.nbytes <= 100
    True
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

    def _ensemble(self) -> tuple[Any, bool]:
        """The ensemble, and whether it is used as it is."""
        if isinstance(self.estimator, FrozenEstimator):
            return self.estimator.estimator, True
        return self.estimator, False

    def _check_before_fit(self, y: Any, classes: ArrayLike | None) -> ArrayLike | None:
        ensemble, frozen = self._ensemble()
        check_supported(ensemble)
        own = getattr(ensemble, "compact_", None)
        if own is not None and len(own.categories):
            raise ValueError(
                "an ensemble that reads categories cannot be pruned: fit a smaller one"
            )
        if frozen:
            check_is_fitted(ensemble)
            check_single_output(ensemble)
            if classes is None and not hasattr(y, "columns"):
                return ensemble.classes_  # type: ignore[no-any-return]
        return classes

    def _learn(self, data: ClassificationData) -> None:
        ensemble, frozen = self._ensemble()
        if frozen:
            check_agreement(ensemble, data)
            self.estimator_ = ensemble
        else:
            self.estimator_ = fit_ensemble(clone(ensemble), data)
        if len(data.classes) == 1:
            self.compact_ = data.single_class_model()
            self.feature_importances_ = np.zeros(data.n_features)
        else:
            self._prune(data, check_random_state(self.random_state))

    def _prune(self, data: ClassificationData, rng: np.random.RandomState) -> None:
        """Read, prune, refit, round; again and smaller where rounding made it too large."""
        ensemble = read_ensemble(self.estimator_, data)
        forest = self._flatten(ensemble, data)
        problem = RefitProblem(
            soft_cross_entropy(data.targets, data.weight),
            ensemble.offset + ensemble.constant,
            self.refit_l2_regularization,
        )

        def size_of(forest: FlatForest) -> int:
            """Bytes with random leaf values, which share nothing."""
            low, high = value_limits(self.value_bits, signed=True)
            values = np.random.default_rng(0).integers(low, high + 1, forest.values.shape)
            bias = np.full(data.n_scores, 100, np.int32)
            scale = ensemble.score_step or 1.0
            return self._model(
                data, ensemble, forest, values.astype(np.int32), 1, scale, bias
            ).nbytes

        limit = self.max_bytes
        while True:
            forest, problem = prune_to_size(forest, problem, size_of, limit)
            self.compact_ = self._quantize(data, ensemble, forest, problem, rng)
            excess = self.compact_.nbytes - self.max_bytes
            if excess <= 0:
                break
            if forest.is_leaf.all():
                smallest = "a single leaf beside what is not pruned"
                raise too_small(self.max_bytes, smallest, self.compact_.nbytes)
            limit = min(limit, size_of(forest)) - excess
        costs, _ = removal_costs(forest, problem)
        split = ~forest.is_leaf
        total = np.bincount(forest.feature[split], costs[split], data.n_features)
        self.feature_importances_ = relative_importances(total.astype(np.float64, copy=False))

    def _flatten(self, ensemble: PrunableEnsemble, data: ClassificationData) -> FlatForest:
        """The trees of the ensemble on a grid, with the leaf of every row."""
        X = data.X if ensemble.input_dtype == "int32" else data.X.astype(np.float32, copy=False)
        fine = on_edges(ensemble.trees, data.n_features, ensemble.input_dtype)
        if self.threshold_bits is None or ensemble.has_own_grid:
            return flatten_trees(fine.grid(), fine.trees, X)
        coarse = fit_grid(X, self.threshold_bits, data.weight, binning="uniform")
        return flatten_trees(*coarser(fine, coarse, X), X)

    def _quantize(
        self,
        data: ClassificationData,
        ensemble: PrunableEnsemble,
        forest: FlatForest,
        problem: RefitProblem,
        rng: np.random.RandomState,
    ) -> CompactModel:
        """The last refit, and integers."""
        # The bias, and with it the values of trees that became constant.
        intercept = (problem.offset - ensemble.offset)[0]
        if ensemble.linear_tables:
            intercept = np.rint(intercept / ensemble.score_step) * ensemble.score_step
        model = replace(additive_model(forest, ensemble.offset), intercept=intercept)
        model = refit(
            model,
            problem.loss,
            l2_regularization=self.refit_l2_regularization,
            fit_linear=False,
        )
        values, step = round_values(
            model,
            problem.loss,
            data.weight,
            self.value_bits,
            l2_regularization=self.refit_l2_regularization,
            rng=rng,
            score_step=ensemble.score_step,
        )
        if ensemble.linear_tables:
            scale, unit = ensemble.score_step, round(step / ensemble.score_step)
            bias = ensemble.bias + np.rint(intercept / scale).astype(np.int32)
        else:
            values, bias, scale, unit = with_fine_intercept(values, step, intercept)
        of_nodes = np.zeros(forest.values.shape, np.int32)
        of_nodes[forest.is_leaf] = values
        return self._model(data, ensemble, forest, of_nodes, unit, scale, bias)

    def _model(
        self,
        data: ClassificationData,
        ensemble: PrunableEnsemble,
        forest: FlatForest,
        values: NDArray[np.int32],
        unit: int,
        scale: float,
        bias: NDArray[np.int32],
    ) -> CompactModel:
        trees = quantized_trees(forest, values)
        table = assemble(forest.grid, trees, self.value_bits, unit)
        return data.model(bias, scale, table, *ensemble.linear_tables)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags
