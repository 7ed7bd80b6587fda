"""What both single-tree students share: their parameters, and growth within them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from skdistill.compact import CategoryTable, InputGrid
from skdistill.model import CompactModel
from skdistill.students._validation import BITS, CATEGORIES
from skdistill.students.size_search import MAX_BYTES, largest_that_fits, too_small
from skdistill.students.tree.cost_complexity import prune_cost_complexity
from skdistill.students.tree.grower import SplitPenalties
from skdistill.students.tree.grown_tree import GrownTree, first_leaves
from skdistill.students.tree.growth_rows import GrowthRows
from skdistill.utils._sklearn_compat import Interval, StrOptions

_DEFAULT_LEAVES = 64
_SMALLEST = "a tree of two leaves"
_LEAVES_A_BYTE = 4  # more than any tree has: nodes of two bits could not differ


class BaseSoftTree(BaseEstimator):
    """Parameters of a tree on a quantized grid."""

    _parameter_constraints: dict[str, list[Any]] = {
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), StrOptions({"auto"}), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "min_weight_fraction_leaf": [Interval(Real, 0, 0.5, closed="both")],
        "ccp_alpha": [Interval(Real, 0, None, closed="left")],
        "monotonic_cst": ["array-like", dict, None],
        **MAX_BYTES,
        **BITS,
        **CATEGORIES,
    }

    def __init__(
        self,
        *,
        max_leaf_nodes: int | str | None = "auto",
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        min_weight_fraction_leaf: float = 0.0,
        ccp_alpha: float = 0.0,
        max_bytes: int | None = None,
        threshold_bits: int = 8,
        value_bits: int | str = 8,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
    ) -> None:
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.min_weight_fraction_leaf = min_weight_fraction_leaf
        self.ccp_alpha = ccp_alpha
        self.max_bytes = max_bytes
        self.threshold_bits = threshold_bits
        self.value_bits = value_bits
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst

    def _fit_tree(
        self,
        rows: GrowthRows,
        grid: InputGrid,
        criterion: int,
        ccp_alpha: float,
        categories: CategoryTable,
        model_of: Callable[[GrownTree], CompactModel],
        signs: NDArray[np.int8],
        refine: Callable[[GrownTree], GrownTree] | None = None,
    ) -> tuple[GrownTree, CompactModel]:
        """Grow, cut to `max_bytes`, prune and refine a tree; returns it and its model."""

        def grown(excluded: frozenset[int]) -> GrownTree:
            return self._grow(rows, grid, criterion, excluded, signs)

        def pruned(tree: GrownTree) -> GrownTree:
            return prune_cost_complexity(tree, ccp_alpha)

        def finished(tree: GrownTree) -> tuple[GrownTree, CompactModel]:
            tree = pruned(tree) if refine is None else refine(pruned(tree))
            return tree, model_of(tree)

        if self.max_bytes is None:
            return finished(grown(frozenset()))
        sizes, n_leaves = largest_that_fits(
            lambda excluded: _TreeSizes(grown(excluded), grid.features, pruned, model_of),
            categories,
            self.max_bytes,
            _SMALLEST,
        )
        while True:
            tree, model = finished(first_leaves(sizes.tree, n_leaves))
            excess = model.nbytes - self.max_bytes
            if excess <= 0:
                return tree, model
            # Refined splits may take more bytes than those that were grown.
            if n_leaves <= sizes.smallest:
                raise too_small(self.max_bytes, _SMALLEST, model.nbytes)
            n_leaves = max(sizes.smallest, n_leaves - 1 - n_leaves * excess // model.nbytes)

    def _grow(
        self,
        rows: GrowthRows,
        grid: InputGrid,
        criterion: int,
        excluded: frozenset[int],
        signs: NDArray[np.int8],
    ) -> GrownTree:
        """The tree within the limits that the parameters set, before pruning."""
        n_samples = rows.n_samples
        penalties = SplitPenalties(
            np.where(np.isin(grid.features, list(excluded)), np.inf, 0.0),
            np.zeros(int((grid.counts.astype(np.int64) + 2).sum())),
        )
        return rows.grow(
            grid.counts,
            criterion=criterion,
            max_leaf_nodes=self.most_leaves(n_samples),
            max_depth=self.max_depth or n_samples,
            min_samples_leaf=self.min_samples_leaf,
            min_weight_fraction=self.min_weight_fraction_leaf,
            penalties=penalties,
            signs=signs,
        )

    def most_leaves(self, n_samples: int) -> int:
        """Leaves that a tree may have.

        Parameters
        ----------
        n_samples : int
            Rows that it is fitted on.

        Returns
        -------
        n_leaves : int
        """
        if isinstance(self.max_leaf_nodes, str) and self.max_bytes is None:
            return _DEFAULT_LEAVES
        if not (self.max_leaf_nodes is None or isinstance(self.max_leaf_nodes, str)):
            return int(self.max_leaf_nodes)
        if self.max_bytes is None:
            return n_samples
        return min(n_samples, _LEAVES_A_BYTE * self.max_bytes + 8)


@dataclass(frozen=True, eq=False)
class _TreeSizes:
    """The trees that a tree was while it grew, as `Sizes`; a size is a number of leaves."""

    tree: GrownTree
    features: NDArray[np.int32]
    pruned: Callable[[GrownTree], GrownTree]
    model_of: Callable[[GrownTree], CompactModel]

    @property
    def largest(self) -> int:
        """Leaves of the whole tree."""
        return len(self.tree.feature) // 2 + 1

    @property
    def smallest(self) -> int:
        """Two leaves, where there is a split."""
        return min(2, self.largest)

    def nbytes(self, size: int) -> int:
        """Bytes of the tree of so many leaves."""
        return self.model_of(self.pruned(first_leaves(self.tree, size))).nbytes

    def columns(self, size: int) -> NDArray[np.int32]:
        """Columns that the tree of so many leaves compares."""
        tree = first_leaves(self.tree, size)
        return self.features[np.unique(tree.feature[~tree.is_leaf])]
