"""What both boosted students share: their parameters, and boosting itself."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skdistill.model import CompactModel
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.boosting.chunk_boosting import chunk_booster
from skdistill.students.boosting.gradient_boosting import boost
from skdistill.students.boosting.problem import BoostingProblem
from skdistill.students.chunk_fit import ChunkSource
from skdistill.students.size_search import MAX_BYTES, too_small
from skdistill.students.tree.monotonic import monotonic_signs
from skdistill.utils._sklearn_compat import Interval, StrOptions


class BaseSoftBoosting(BaseEstimator):
    """Parameters of boosted trees in integers."""

    compact_: CompactModel
    feature_importances_: NDArray[np.float64]

    _parameter_constraints: dict[str, list[Any]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
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
        "binning": [StrOptions({"uniform", "quantile"})],
        "monotonic_cst": ["array-like", dict, None],
        "random_state": ["random_state"],
        **MAX_BYTES,
        **BITS,
        **CATEGORIES,
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
        refit_l2_regularization: float = 3e-3,
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
        self.max_bytes = max_bytes
        self.init = init
        self.linear_bits = linear_bits
        self.threshold_bits = threshold_bits
        self.binning = binning
        self.value_bits = value_bits
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.random_state = random_state

    def _boost(
        self, problem: BoostingProblem, n_classes: int = 0, source: ChunkSource | None = None
    ) -> None:
        """Learn from rows; from all of `source` where the problem is its sample."""
        rng = check_random_state(self.random_state)
        signs = monotonic_signs(
            self,
            self.monotonic_cst,
            problem.categories,
            n_classes=n_classes,
            n_outputs=problem.n_scores,
        )
        if signs.any() and problem.hints is not None:
            raise ValueError("hints need monotonic_cst=None")
        self.compact_, self.feature_importances_, self.n_estimators_ = boost(
            self, problem, rng, signs, None if source is None else chunk_booster(source)
        )

    def _keep_constant(self, model: CompactModel) -> None:
        """Keep a model that needs no trees."""
        if self.max_bytes is not None and model.nbytes > self.max_bytes:
            raise too_small(self.max_bytes, "a constant", model.nbytes)
        self.compact_, self.n_estimators_ = model, 0
        self.feature_importances_ = np.zeros(model.n_features)
