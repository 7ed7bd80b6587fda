"""What both single-tree students share: their parameters, and growth within them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skdistill.compact import InputGrid
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.tree.grower import grow_tree
from skdistill.students.tree.grown_tree import GrownTree
from skdistill.utils._sklearn_compat import Interval


class BaseSoftTree(BaseEstimator):
    """Parameters of a tree on a quantized grid."""

    _parameter_constraints: dict[str, list[Any]] = {
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "min_weight_fraction_leaf": [Interval(Real, 0, 0.5, closed="both")],
        "ccp_alpha": [Interval(Real, 0, None, closed="left")],
        **BITS,
        **CATEGORIES,
    }

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

    def _grow(
        self, codes: NDArray[Any], grid: InputGrid, row_stats: NDArray[np.int32], criterion: int
    ) -> GrownTree:
        """The tree within the limits that the parameters set, before pruning."""
        n_samples = len(row_stats)
        return grow_tree(
            codes,
            grid.counts,
            row_stats,
            criterion=criterion,
            max_leaf_nodes=self.max_leaf_nodes or n_samples,
            max_depth=self.max_depth or n_samples,
            min_samples_leaf=self.min_samples_leaf,
            min_weight_fraction=self.min_weight_fraction_leaf,
        )
