"""The loss of regressors: squared error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from skdistill.students.loss import NewtonTerms, RowLoss


@dataclass(frozen=True)
class SquaredError(RowLoss):
    """Half the weighted mean of the squared errors, summed over targets: a `Loss`.

    Parameters
    ----------
    y : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    """

    y: NDArray[np.float64]
    weight: NDArray[np.float64]

    @property
    def n_terms(self) -> int:  # type: ignore[override]
        """One for each target."""
        return int(self.y.shape[1])

    @cached_property
    def _fractions(self) -> NDArray[np.float64]:
        """Of each row in the total weight: the Hessian, which is diagonal."""
        fractions: NDArray[np.float64] = self.weight / self.weight.sum()
        return fractions

    def differentiate(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        terms: NDArray[np.float64],
    ) -> None:
        """Gradient and squared errors of some rows; see `Loss`."""
        error = z[:, :n_scores] - self.y[rows]
        gradient[:] = 0
        gradient[:, :n_scores] = self._fractions[rows, None] * error
        terms[:, rows] = (gradient[:, :n_scores] * error).T

    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[np.float64],
        gradient: NDArray[np.float64],
        curvature: NDArray[np.float64],
    ) -> None:
        """Gradient and diagonal of the Hessian of some rows."""
        curvature[:] = self._fractions[rows, None]
        gradient[:] = 0
        gradient[:, :n_scores] = curvature[:, :n_scores] * (z[:, :n_scores] - self.y[rows])

    def total(self, terms: NDArray[np.float64]) -> float:
        """Half the sum of the terms; see `Loss`."""
        return float(np.ascontiguousarray(terms.T).sum()) / 2


@dataclass(frozen=True)
class _SummedSquaredError(SquaredError):
    """Half the weighted sum of the squared errors: a weight of 2 counts as two rows."""

    @cached_property
    def _fractions(self) -> NDArray[np.float64]:
        return self.weight


def squared_newton_terms(y: NDArray[np.float64], weight: NDArray[np.float64]) -> NewtonTerms:
    """Minus gradient and diagonal Hessian of half the squared error: residuals and weights.

    Parameters
    ----------
    y : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, as in `NewtonTerms`.

    Returns
    -------
    terms : NewtonTerms
        Takes predictions of shape (n_samples, n_outputs).
    """
    return NewtonTerms(_SummedSquaredError(y, weight))
