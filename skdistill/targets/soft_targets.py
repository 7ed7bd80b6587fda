"""What is taught: soft targets, their temperature, and their mixture with hard labels.

Symbols: n rows, K classes; P are probabilities, T is the temperature, and
P^(1/T) stands for ``softmax(log(P) / T)``, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skdistill.targets.temperature import temper


@dataclass(frozen=True)
class SoftTargets:
    """Teacher's probabilities and hard labels, kept apart until a student mixes them.

    Parameters
    ----------
    teacher : float64 array of shape (n, K)
        Probabilities at T = 1.
    hard : int array of shape (n,), default=None
        Class numbers; −1, or None for all, where no label is known.
    alpha : float in [0, 1], or array of shape (n,), default=1.0
        Weight of the teacher where a label is known, 1 elsewhere.
    temperature : float, default=1.0
        For what is tempered: tree structure and the gradient losses.
    hints : float64 array of shape (n, r), default=None
        Further targets while the structure of trees grows; see `skdistill.teachers.hints`.
    hint_weight : float, default=1.0
        Variance of all hints together, as a multiple of that of the targets.
    """

    teacher: NDArray[np.float64]
    hard: NDArray[np.intp] | None = None
    alpha: float | NDArray[np.float64] = 1.0
    temperature: float = 1.0
    hints: NDArray[np.float64] | None = None
    hint_weight: float = 1.0

    def __len__(self) -> int:
        return len(self.teacher)

    @property
    def n_classes(self) -> int:
        """Number of classes, K."""
        return self.teacher.shape[1]

    @property
    def row_alpha(self) -> NDArray[np.float64]:
        """Weight of the teacher in each row, float64 array of shape (n,)."""
        if self.hard is None:
            return np.ones(len(self))
        return np.where(self.hard >= 0, self.alpha, 1.0)

    @property
    def one_hot(self) -> NDArray[np.float64]:
        """Hard labels as probabilities, shape (n, K); rows without label are 0."""
        table = np.zeros_like(self.teacher)
        if self.hard is not None:
            known = np.flatnonzero(self.hard >= 0)
            table[known, self.hard[known]] = 1
        return table

    def mixture(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """``alpha * P^(1/T) + (1 - alpha) * one_hot``, float64 array of shape (n, K)."""
        alpha = self.row_alpha[:, None]
        if (alpha == 1).all():
            return temper(self.teacher, temperature)
        return alpha * temper(self.teacher, temperature) + (1 - alpha) * self.one_hot

    def hints_beside(
        self, taught: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Hints around their means, in the unit that gives them their weight beside `taught`."""
        taught, hints = (
            table - np.average(table, axis=0, weights=weight) for table in (taught, self.hints)
        )
        ours, theirs = (weight @ np.square(table).sum(axis=1) for table in (taught, hints))
        return hints * np.sqrt(self.hint_weight * ours / theirs) if theirs > 0 else hints

    def take(self, rows: NDArray[np.bool_]) -> SoftTargets:
        """The targets of some rows."""
        tables = {name: getattr(self, name) for name in ("teacher", "hard", "alpha", "hints")}
        return replace(self, **{name: t[rows] for name, t in tables.items() if np.ndim(t) > 0})
