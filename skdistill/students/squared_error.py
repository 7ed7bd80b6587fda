"""The loss of regressors: squared error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.students.loss import RowLoss


@dataclass(frozen=True)
class SquaredError(RowLoss):
    """Half the weighted mean of the squared errors, summed over targets: a `Loss`.

    Parameters
    ----------
    y : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    total : float, default=None
        Weight of all rows, where these are some of them. None is the sum of `weight`.
    """

    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    total: float | None = None

    @cached_property
    def _fractions(self) -> NDArray[np.float64]:
        """Of each row in the total weight: the Hessian, which is diagonal."""
        fractions: NDArray[np.float64] = self.weight / (
            self.weight.sum() if self.total is None else self.total
        )
        return fractions

    def differentiate(
        self, rows: slice, n_scores: int, z: NDArray[Any], gradient: NDArray[Any]
    ) -> float:
        """Gradient of some rows, and half their squared errors; see `Loss`."""
        error = z[:, :n_scores] - self.y[rows]
        slope = self._fractions[rows, None] * error
        gradient[:] = 0
        gradient[:, :n_scores] = slope
        return float((slope * error).sum()) / 2

    def newton(
        self,
        rows: slice,
        n_scores: int,
        z: NDArray[Any],
        gradient: NDArray[Any],
        curvature: NDArray[Any],
    ) -> None:
        """Gradient and diagonal of the Hessian of some rows."""
        curvature[:] = self._fractions[rows, None]
        self.differentiate(rows, n_scores, z, gradient)
