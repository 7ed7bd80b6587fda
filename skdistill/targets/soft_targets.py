"""Soft targets: probabilities of a teacher, their temperature, their mixture with hard labels.

P are probabilities, T is the temperature, and P^(1/T) is ``softmax(log(P) / T)``, by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skdistill.targets.temperature import temper


@dataclass(frozen=True)
class SoftTargets:
    """A teacher's probabilities and hard labels, kept apart until a student mixes them.

    Parameters
    ----------
    teacher : float64 array of shape (n_samples, n_classes)
        Probabilities at T = 1.
    hard : int array of shape (n_samples,), default=None
        Class numbers; −1 in rows without a label. None is −1 in all rows.
    alpha : float or array of shape (n_samples,), default=1.0
        Weight of the teacher, from 0 to 1, in rows with a label. It is 1 in the others.
    temperature : float, default=1.0
        Applied in the structure of trees and in the losses of gradient students.
    hints : float64 array of shape (n_samples, n_hints), default=None
        Further targets for the structure of trees and the hidden layers of networks; see
        `skdistill.teachers.hints`.
    hint_weight : float, default=1.0
        Variance of all hints together, as a multiple of that of the targets.

    Notes
    -----
    Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import SoftTargets
    >>> P = np.array([[0.5, 0.5], [0.25, 0.75]])
    >>> SoftTargets(P, np.array([0, -1]), alpha=0.5).mixture().tolist()
    [[0.75, 0.25], [0.25, 0.75]]
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
        """Number of classes."""
        return int(self.teacher.shape[1])

    @property
    def row_alpha(self) -> NDArray[np.float64]:
        """Weight of the teacher in each row, float64 array of shape (n_samples,)."""
        if self.hard is None:
            return np.ones(len(self))
        return np.where(self.hard >= 0, self.alpha, 1.0)

    @property
    def one_hot(self) -> NDArray[np.float64]:
        """Hard labels as probabilities, shape (n_samples, n_classes); 0 without a label."""
        table = np.zeros_like(self.teacher)
        if self.hard is not None:
            known = np.flatnonzero(self.hard >= 0)
            table[known, self.hard[known]] = 1
        return table

    def mixture(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """``alpha * P^(1/T) + (1 - alpha) * one_hot``.

        Parameters
        ----------
        temperature : float, default=1.0
            That of the teacher's part, T.

        Returns
        -------
        P : float64 array of shape (n_samples, n_classes)
            Rows sum to 1.
        """
        alpha = self.row_alpha[:, None]
        if (alpha == 1).all():
            return temper(self.teacher, temperature)
        return alpha * temper(self.teacher, temperature) + (1 - alpha) * self.one_hot

    def scaled_hints(
        self, targets: NDArray[np.float64], sample_weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Centred hints, with a total variance of `hint_weight` times that of the targets.

        Parameters
        ----------
        targets : float64 array of shape (n_samples, n_outputs)
            Targets that the hints are appended to.
        sample_weight : float64 array of shape (n_samples,)
            Weights of the rows, in means and variances.

        Returns
        -------
        hints : float64 array of shape (n_samples, n_hints)
            Zeros where the hints are constant.
        """
        if self.hints is None:
            raise ValueError("these targets have no hints")
        centred: list[NDArray[np.float64]] = [
            table - np.average(table, axis=0, weights=sample_weight)
            for table in (targets, self.hints)
        ]
        of_targets, of_hints = (sample_weight @ np.square(table).sum(axis=1) for table in centred)
        if of_hints == 0:
            return centred[1]
        scale: float = np.sqrt(self.hint_weight * of_targets / of_hints)
        return centred[1] * scale

    def take(self, rows: NDArray[np.bool_]) -> SoftTargets:
        """The targets of some rows.

        Parameters
        ----------
        rows : bool array of shape (n_samples,)
            Rows to take.

        Returns
        -------
        targets : SoftTargets
            With everything that has a value for each row cut to them.
        """
        tables = {name: getattr(self, name) for name in ("teacher", "hard", "alpha", "hints")}
        return replace(self, **{name: t[rows] for name, t in tables.items() if np.ndim(t) > 0})
