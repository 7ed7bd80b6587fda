"""What boosting learns from: rows with a loss, and the way from tables to a compact model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import CategoryTable, Table, TreeTable
from skdistill.model import CompactModel
from skdistill.quantization.leaf_values import as_scale, constant_scale
from skdistill.students.loss import Loss, soft_cross_entropy
from skdistill.students.squared_error import SquaredError
from skdistill.students.training_data import ClassificationData, RegressionData, TrainingData


class BoostingProblem(Protocol):
    """Training rows that know their loss; classification and regression are boosted alike."""

    @property
    def X(self) -> NDArray[Any]:
        """Rows, float32 or int32 array of shape (n_samples, n_features)."""

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weights of the rows, float64 array of shape (n_samples,)."""

    @property
    def categories(self) -> CategoryTable:
        """Columns of categories."""

    @property
    def n_scores(self) -> int:
        """Raw predictions of a row."""

    @property
    def hessian_factor(self) -> int:
        """What the diagonal of the Hessian is multiplied by in a Newton step."""

    @property
    def has_intercept(self) -> bool:
        """Whether a model without linear part has a bias of its own."""

    @property
    def min_scale(self) -> float:
        """Minimum value of a score, in units of the raw predictions; 0 is none."""

    @property
    def hints(self) -> tuple[NDArray[np.float64], float] | None:
        """Further targets of growth around their means, (n_samples, n_hints), and their weight."""

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        """The loss of raw predictions.

        Parameters
        ----------
        weight : float64 array of shape (n_samples,), default=None
            Other weights of the rows; None is those of the problem.

        Returns
        -------
        loss : Loss
        """

    def model(self, bias: Any, scale: Any, *tables: Table) -> CompactModel:
        """The compact model of some tables.

        Parameters
        ----------
        bias : int array of shape (n_scores,)
            Scores before all tables.
        scale : float
            ``scale * scores`` are raw predictions.
        *tables : Table
            What adds up to the scores.

        Returns
        -------
        model : CompactModel
        """


@dataclass(frozen=True)
class _TrainingRows:
    data: TrainingData

    @property
    def X(self) -> NDArray[Any]:
        """Rows, float32 or int32 array of shape (n_samples, n_features)."""
        rows: NDArray[Any] = self.data.X
        return rows

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weights of the rows, float64 array of shape (n_samples,)."""
        return self.data.weight

    @property
    def categories(self) -> CategoryTable:
        """Columns of categories."""
        return self.data.categories


@dataclass(frozen=True)
class ClassificationProblem(_TrainingRows):
    """Soft cross-entropy of logits, as a `BoostingProblem`.

    Parameters
    ----------
    data : ClassificationData
        Training data of two classes or more.
    """

    data: ClassificationData
    has_intercept = True
    min_scale = 0.0

    @property
    def n_scores(self) -> int:
        """Logits of a row."""
        return self.data.n_scores

    @property
    def hessian_factor(self) -> int:
        """With several logits the diagonal may fall short of the Hessian by a factor of 2."""
        return 1 if self.n_scores == 1 else 2

    @property
    def hints(self) -> tuple[NDArray[np.float64], float] | None:
        """Further targets of growth around their means, (n_samples, n_hints), and their weight."""
        hints = self.data.targets.hints
        if hints is None:
            return None
        return hints - np.average(hints, axis=0, weights=self.weight), self.data.targets.hint_weight

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        """The loss of logits; see `BoostingProblem`."""
        return soft_cross_entropy(self.data.targets, self.weight if weight is None else weight)

    def model(self, bias: Any, scale: Any, *tables: Table) -> CompactModel:
        """The compact model of some tables; see `BoostingProblem`."""
        return self.data.model(bias, scale, *tables)


@dataclass(frozen=True)
class RegressionProblem(_TrainingRows):
    """Squared error of standardized targets, as a `BoostingProblem`.

    Targets are learnt around their mean in units of their standard deviation. Both go into the
    scale and the bias of the model.

    Parameters
    ----------
    data : RegressionData
        Training data.
    """

    data: RegressionData
    hessian_factor = 1  # the Hessian is diagonal
    has_intercept = False  # the targets are centred
    hints = None

    @property
    def n_scores(self) -> int:
        """Number of targets."""
        return int(self.data.y.shape[1])

    @cached_property
    def varies(self) -> NDArray[np.bool_]:
        """Whether each target has two values or more, bool array of shape (n_outputs,)."""
        y = self.data.y
        different: NDArray[np.bool_] = y.min(axis=0) < y.max(axis=0)
        return different

    @cached_property
    def unit(self) -> NDArray[np.float64]:
        """Standard deviation of each target, float64 array of shape (n_outputs,)."""
        return self.data.deviation

    @cached_property
    def center(self) -> NDArray[np.float64]:
        """Mean of each target, float64 array of shape (n_outputs,).

        It is rounded to a number that the order of the rows does not change, unless the target
        is constant.
        """
        mean = self.weight / self.weight.sum() @ (self.data.y / self.unit)
        rounded = self.unit * np.rint(mean * 2**16) / 2**16
        center: NDArray[np.float64] = np.where(self.varies, rounded, self.data.y[0])
        return center

    @cached_property
    def _standardized(self) -> NDArray[np.float64]:
        return (self.data.y - self.center) / self.unit

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        """Half the mean squared error of standardized predictions; see `BoostingProblem`."""
        return SquaredError(self._standardized, self.weight if weight is None else weight)

    @property
    def _min_scales(self) -> NDArray[np.float64]:
        """Minimum value of a score: the center takes 29 bits of it, and float32 holds it."""
        scale = np.maximum(np.abs(self.center) / 2**29, np.finfo(np.float32).tiny)
        return np.where(self.varies, scale / self.unit, 0.0)

    @property
    def min_scale(self) -> float:
        """Minimum value of a score, in standard deviations."""
        return float(self._min_scales.max())

    def model(self, bias: Any, scale: Any, *tables: Table) -> CompactModel:
        """The compact model of some tables, in units of the targets; see `BoostingProblem`."""
        if len(tables) == 1 and isinstance(tables[0], TreeTable):
            trees, scale = self._with_room_for_center(tables[0], scale)
            tables = (trees,)
        with np.errstate(over="ignore"):  # where a target is constant both are replaced
            scales = as_scale(np.maximum(scale, self._min_scales) * self.unit)
        scales = np.where(self.varies, scales, constant_scale(self.center))
        bias = bias + np.rint(self.center / scales)
        return self.data.model(bias.astype(np.int64), scales, *tables)

    def _with_room_for_center(self, trees: TreeTable, step: float) -> tuple[TreeTable, float]:
        """Finer scores than leaf values, so that the center is precise.

        Where the center is too far for the leaf values' own step, leaf values get coarser.
        """
        largest = max(1, int(np.abs(trees.values).max()))
        with np.errstate(divide="ignore"):
            room = float(step / self.min_scale)
        finest = min(2**15 // largest, 2**29 // (largest * len(trees.roots)))  # within int32
        unit = int(np.clip(room, 1, max(1, finest)))
        if room >= 1:
            return replace(trees, unit=unit), step / unit
        values = np.rint(trees.values * (step / np.maximum(step, self._min_scales)))
        return replace(trees, values=values.astype(np.int32)), step
