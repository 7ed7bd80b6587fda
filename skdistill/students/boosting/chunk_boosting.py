"""Boosting on chunks: trees grow on all rows, their values are refitted on the sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.students.boosting.chunk_rounds import (
    ChunkedGrower,
    ProbabilityEncoder,
    StandardizedEncoder,
    ValueTargets,
    probability_targets,
)
from skdistill.students.boosting.gradient_boosting import Booster
from skdistill.students.boosting.problem import ClassificationProblem, RegressionProblem
from skdistill.students.chunk_fit import ChunkSource


def chunk_booster(source: ChunkSource) -> Any:
    """What makes the booster of a table in chunks, as `boost` takes it.

    Parameters
    ----------
    source : ChunkSource
        All rows.

    Returns
    -------
    make_booster : callable
    """

    def make(
        student: Any,
        problem: ClassificationProblem | RegressionProblem,
        rng: np.random.RandomState,
        signs: NDArray[np.int8],
    ) -> Booster:
        return _ChunkBooster(student, problem, rng, signs, source)

    return make


class _ChunkBooster(Booster):
    """A booster of the sample whose trees grow on all rows."""

    def __init__(
        self,
        student: Any,
        problem: ClassificationProblem | RegressionProblem,
        rng: np.random.RandomState,
        signs: NDArray[np.int8],
        source: ChunkSource,
    ) -> None:
        _refuse_what_needs_rows(student, problem)
        super().__init__(student, problem, rng, signs)
        encoder: Any
        if isinstance(problem, ClassificationProblem):
            self._targets: Any = probability_targets(source, problem.data.targets, problem.n_scores)
            encoder = ProbabilityEncoder(source, self.grid, self._targets)
        else:
            has_weight = source.targets.largest_weight is not None
            self._targets = ValueTargets(has_weight, problem.n_scores)
            encoder = StandardizedEncoder(source, self.grid, problem.center, problem.unit)
        self._rows = source.load(encoder)

    def grower(self, excluded: frozenset[int] = frozenset()) -> Any:
        """What grows trees on all rows."""
        return ChunkedGrower(
            self._student,
            self._problem,
            self.grid,
            self._rows,
            self._targets,
            self._start.intercept,
            excluded,
            self._signs,
        )


def _refuse_what_needs_rows(student: Any, problem: Any) -> None:
    """Refuse parameters for which rows would have to be held."""
    remedies = {
        "init": (student.init, None),
        "subsample": (student.subsample, 1),
        "n_iter_no_change": (student.n_iter_no_change, None),
    }
    for name, (value, needed) in remedies.items():
        if value != needed:
            raise ValueError(
                f"{name}={value!r} needs all rows in memory, and chunks are not held: set "
                f"{name}={needed}, or pass X and y"
            )
    if problem.hints is not None:
        raise ValueError(
            "hints need all rows in memory, and chunks are not held: leave them out, or pass X "
            "and y"
        )
