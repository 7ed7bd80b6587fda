"""As many boosted trees as fit into a number of bytes.

What the leaves hold, and with it the bytes, is known after the refit, which takes longest.
So the number of trees is chosen by the bytes of a draft with random leaf values, then refitted,
and chosen anew by the bytes that the draft was wrong by.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import NO_CATEGORIES, CategoryTable, InputGrid
from skdistill.model import CompactModel
from skdistill.students.boosting.rounds import BoostedTrees, TreeGrower
from skdistill.students.size_search import largest_size, largest_that_fits, too_small
from skdistill.students.tree.grown_tree import GrownTree

MOST_TREES = 1000  # of n_estimators="auto"
_FITS = 4  # refits; more only until one is within the bytes
_BEYOND = 4  # trees: bytes may fall where another form of the tables gets better
_FULL = 0.98  # of the bytes: no further refit


class Boosting(Protocol):
    """The steps of boosting; see `Booster`."""

    grid: InputGrid
    rng: np.random.RandomState
    has_linear: bool

    def grower(self, excluded: frozenset[int]) -> TreeGrower:
        """What grows trees from the start."""

    def finish(self, boosted: BoostedTrees) -> CompactModel:
        """Refit all values together, and round them."""

    def draft(self, trees: list[GrownTree]) -> CompactModel:
        """A model of the same structure with random leaf values."""


def boost_within(
    student: Any, booster: Boosting, categories: CategoryTable
) -> tuple[BoostedTrees, CompactModel]:
    """Boost as many trees as fit.

    Parameters
    ----------
    student : SoftBoostingClassifier or SoftBoostingRegressor
        Its `max_bytes` is a number. "auto" for `n_estimators` is `MOST_TREES`, and no more once a
        tree has no split.
    booster : Booster
        What grows trees and finishes them.
    categories : CategoryTable
        Those of the training rows.

    Returns
    -------
    boosted : BoostedTrees
        The trees.
    model : CompactModel
        The integer model of them.

    Raises
    ------
    ValueError
        If one tree takes more bytes.
    """
    max_bytes, n_estimators = int(student.max_bytes), student.n_estimators
    smallest = f"one tree of max_leaf_nodes={student.max_leaf_nodes}"
    if booster.has_linear:
        smallest += " beside the linear start"
        categories = NO_CATEGORIES  # the linear start has paid for their tables of ranks
    at_first = booster.rng.get_state()

    def family(excluded: frozenset[int]) -> _BoostedSizes:
        booster.rng.set_state(at_first)
        sizes = _BoostedSizes(booster, excluded, max_bytes, n_estimators)
        sizes.grow_to(max_bytes)
        return sizes

    sizes, n_trees = largest_that_fits(family, categories, max_bytes, smallest)
    fixed = booster.draft([]).nbytes
    best: tuple[int, CompactModel] | None = None
    too_many, n_fits = sizes.most + 1, 0
    while best is None or n_fits < _FITS:
        model, n_fits = sizes.model(n_trees), n_fits + 1
        if model.nbytes <= max_bytes:
            best = n_trees, model
            if model.nbytes >= _FULL * max_bytes or n_trees in (too_many - 1, sizes.most):
                break
        elif n_trees == 1:
            raise too_small(max_bytes, smallest, model.nbytes)
        else:
            too_many = n_trees
        # The draft is wrong about the trees by this factor, and will be so again.
        factor = (sizes.nbytes(n_trees) - fixed) / max(1, model.nbytes - fixed)
        limit = int(fixed + (max_bytes - fixed) * factor)
        sizes.grow_to(limit)
        at_least = 1 if best is None else best[0]
        n_trees = largest_size(
            sizes.nbytes,
            limit,
            at_least + 1,
            min(too_many - 1, sizes.largest),
        )
        if n_trees == at_least and best is not None:
            break
    assert best is not None
    n_trees, model = best
    return sizes.grower.first(n_trees), model


class _BoostedSizes:
    """The first trees of a boosted model, as `Sizes`; a size is a number of trees."""

    smallest = 1

    def __init__(
        self,
        booster: Boosting,
        excluded: frozenset[int],
        max_bytes: int,
        n_estimators: int | str,
    ) -> None:
        self._booster, self._max_bytes = booster, max_bytes
        self.grower = booster.grower(excluded)
        self._state = booster.rng.get_state()
        self.most = MOST_TREES if isinstance(n_estimators, str) else int(n_estimators)
        self._ends_at_leaf = isinstance(n_estimators, str)
        self._drafts: dict[int, int] = {}
        self._first: CompactModel | None = None

    @property
    def largest(self) -> int:
        """Trees that have been grown."""
        return self.grower.n_trees

    def grow_to(self, limit: int) -> None:
        """Grow until the draft exceeds a number of bytes, and still does a few trees later."""
        self._booster.rng.set_state(self._state)
        n_trees, fixed, exceeds = max(1, self.largest), self._booster.draft([]).nbytes, False
        while self._grow(n_trees) and n_trees < self.most:
            nbytes = self._draft(self.largest)
            if nbytes > limit and exceeds:
                break
            exceeds = nbytes > limit
            a_tree = max(1.0, (nbytes - fixed) / self.largest)
            more = _BEYOND if exceeds else 1 + int((limit - nbytes) / a_tree)
            n_trees = min(self.most, n_trees + more)
        self._state = self._booster.rng.get_state()

    def _grow(self, n_trees: int) -> bool:
        """Grow up to a number of trees; returns whether there may be more."""
        for n in range(len(self.grower.trees) + 1, n_trees + 1):
            if not self.grower.grow(n):
                return False
            if self._ends_at_leaf and self.grower.trees[-1].is_leaf[0]:
                self.most = n
                return False
        return True

    def nbytes(self, size: int) -> int:
        """Bytes of the draft of so many trees; of the model itself where one tree is too large."""
        nbytes = self._draft(size)
        if size == 1 and nbytes > self._max_bytes:
            self._first = self._first or self.model(1)
            return self._first.nbytes
        return nbytes

    def _draft(self, size: int) -> int:
        if size not in self._drafts:
            self._drafts[size] = self._booster.draft(self.grower.trees[:size]).nbytes
        return self._drafts[size]

    def model(self, size: int) -> CompactModel:
        """The finished model of so many trees."""
        self._booster.rng.set_state(self._state)
        return self._booster.finish(self.grower.first(size))

    def columns(self, size: int) -> NDArray[Any]:
        """Columns that the first trees compare."""
        used = [tree.feature[~tree.is_leaf] for tree in self.grower.trees[:size]]
        columns: NDArray[Any] = self._booster.grid.features[np.unique(np.concatenate(used))]
        return columns
