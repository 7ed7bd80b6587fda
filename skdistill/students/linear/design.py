"""The design matrix of linear students: integer inputs, standardized, and the way back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, issparse

from skdistill.compact import LinearTable
from skdistill.compact.tables.linear_table import quantize_input
from skdistill.quantization.linear_weights import linear_input

_DENSE_ENTRIES = 1 << 22  # of a sparse matrix that are made dense at a time


class InputScaling(NamedTuple):
    """How columns become integers: ``clip(round((x - offset) * inv_step))``.

    Attributes
    ----------
    features : int32 array of shape (n_used,)
        Columns that are not constant.
    offset : float32 array of shape (n_used,)
        Number that becomes 0.
    inv_step : float32 array of shape (n_used,)
        1 over the step between two integers.
    bits : int
        Bits of the integers, 2 to 16.
    """

    features: NDArray[np.int32]
    offset: NDArray[np.float32]
    inv_step: NDArray[np.float32]
    bits: int

    @property
    def q_max(self) -> int:
        """Largest integer."""
        return (1 << (self.bits - 1)) - 1

    def table(self, weights: NDArray[np.int32], weight_bits: int | str) -> LinearTable:
        """The linear table of some integer weights.

        Parameters
        ----------
        weights : int32 array of shape (n_used, n_scores)
            Integer weights of the columns.
        weight_bits : int in [2, 16] or "ternary"
            Bits of a weight.

        Returns
        -------
        table : LinearTable
        """
        return LinearTable(*self, weights, weight_bits)

    def quantize(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """Integer inputs of some rows, as every linear table with this scaling reads them.

        Parameters
        ----------
        X : float32 array of shape (n_samples, n_features)
            Rows with all columns.

        Returns
        -------
        Q : float32 array of shape (n_samples, n_used)
            Whole numbers.
        """
        return quantize_input(X, self.table(np.zeros((len(self.features), 1), np.int32), 8))


class DesignMatrix(NamedTuple):
    """Integer inputs in units of their standard deviation: ``Z = Q * unit - shift``.

    Attributes
    ----------
    scaling : InputScaling
        How columns become the integers Q.
    Z : float64 array or CSR of shape (n_samples, n_used)
        What weights are learnt on.
    unit : float64 array of shape (n_used,)
        1 over the standard deviation of each column of Q.
    shift : float64 array of shape (n_used,)
        What the 0 of a sparse matrix becomes, so that zeros of Z are zeros of the input; all 0
        for a dense one.
    """

    scaling: InputScaling
    Z: Any
    unit: NDArray[np.float64]
    shift: NDArray[np.float64]

    def take(self, columns: NDArray[np.intp]) -> DesignMatrix:
        """Some of the columns.

        Parameters
        ----------
        columns : int array of shape (n_taken,)
            Which of the n_used, ascending.

        Returns
        -------
        design : DesignMatrix
        """
        scaling = self.scaling
        taken = InputScaling(
            scaling.features[columns],
            scaling.offset[columns],
            scaling.inv_step[columns],
            scaling.bits,
        )
        return DesignMatrix(taken, self.Z[:, columns], self.unit[columns], self.shift[columns])

    def on_integers(
        self, W: NDArray[np.float64], b: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights and bias that do on Q what `W` and `b` do on Z.

        Parameters
        ----------
        W : float64 array of shape (n_used, n_scores)
            Weights on the standardized inputs.
        b : float64 array of shape (n_scores,)
            Bias beside them.

        Returns
        -------
        W, b : float64 arrays of the same shapes
        """
        return W * self.unit[:, None], b - self.shift @ W

    def integers(self) -> Any:
        """The integers Q, as far as the product ``Q @ W`` needs them.

        Returns
        -------
        Q : float64 array of shape (n_samples, n_used), or an object with ``@``
        """
        if not issparse(self.Z):
            return np.rint(self.Z / self.unit)
        rows = self.Z.multiply(1 / self.unit).tocsr()
        rows.data = np.rint(rows.data)
        return _ShiftedRows(rows, np.rint(self.shift / self.unit))


class _ShiftedRows(NamedTuple):
    """Sparse rows plus the same row for all."""

    rows: Any
    shift: NDArray[np.float64]

    def __matmul__(self, W: NDArray[np.float64]) -> NDArray[np.float64]:
        product: NDArray[np.float64] = self.rows @ W + self.shift @ W
        return product


def design_matrix(X: Any, weight: NDArray[np.float64], bits: int) -> DesignMatrix:
    """Columns as a linear table reads them, in units of their standard deviation.

    Parameters
    ----------
    X : float32 or int32 array, or float32 CSR, of shape (n_samples, n_features)
        Training rows. NaN becomes the integer 0. Of CSR a few columns at a time are made dense.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    bits : int
        Bits of the integers, 2 to 16.

    Returns
    -------
    design : DesignMatrix
        Without the columns that are constant.
    """
    if not issparse(X):
        return _dense_design(X, weight, bits)
    columns, width = X.tocsc(), max(1, _DENSE_ENTRIES // X.shape[0])
    scalings, parts, units, shifts = [], [csr_array((X.shape[0], 0))], [], []
    for start in range(0, X.shape[1], width):
        block = columns[:, start : start + width].toarray()
        scaling, Z, unit, shift = _dense_design(block, weight, bits)
        if len(unit):
            shift = scaling.quantize(np.zeros((1, block.shape[1]), np.float32))[0] * unit
        scalings.append((scaling.features + start, scaling.offset, scaling.inv_step))
        parts.append(csr_array(Z - shift))
        units.append(unit)
        shifts.append(shift)
    features, offset, inv_step = (np.concatenate(part) for part in zip(*scalings, strict=True))
    scaling = InputScaling(features.astype(np.int32), offset, inv_step, bits)
    Z = hstack(parts, format="csr")
    return DesignMatrix(scaling, Z, np.concatenate(units), np.concatenate(shifts))


def _dense_design(X: NDArray[Any], weight: NDArray[np.float64], bits: int) -> DesignMatrix:
    X = X.astype(np.float32, copy=False)
    offset, inv_step, varies = linear_input(X, weight, bits)
    features = np.flatnonzero(varies).astype(np.int32)
    scaling = InputScaling(features, offset[features], inv_step[features], bits)
    if len(features) == 0:
        return DesignMatrix(scaling, np.empty((len(X), 0)), np.empty(0), np.empty(0))
    Q = scaling.quantize(X).astype(np.float64)
    deviation = np.sqrt(
        np.average(Q**2, axis=0, weights=weight) - np.average(Q, axis=0, weights=weight) ** 2
    )
    unit = 1 / np.where(deviation > 0, deviation, 1)
    return DesignMatrix(scaling, Q * unit, unit, np.zeros(len(unit)))


def empty_design(n_samples: int, bits: int) -> DesignMatrix:
    """The design matrix of a model that reads no column.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    bits : int
        Bits that inputs would have.

    Returns
    -------
    design : DesignMatrix
    """
    none = np.empty(0, np.float32)
    scaling = InputScaling(np.empty(0, np.int32), none, none, bits)
    return DesignMatrix(scaling, np.empty((n_samples, 0)), np.empty(0), np.empty(0))


def ridge(
    Z: Any, y: NDArray[np.float64], weight: NDArray[np.float64], l2_regularization: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge regression in closed form.

    It minimises half the weighted mean of the squared errors, summed over targets, plus
    ``l2_regularization / 2 * sum(W ** 2)``. The bias is not penalised.

    Parameters
    ----------
    Z : float64 array or CSR of shape (n_samples, n_used)
        Inputs.
    y : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows.
    l2_regularization : float
        Penalty, >= 0. At 0 the weights of least norm are taken.

    Returns
    -------
    W : float64 array of shape (n_used, n_outputs)
    b : float64 array of shape (n_outputs,)
    """
    weight = weight / weight.sum()
    z_mean, y_mean = weight @ Z, weight @ y
    if issparse(Z):  # the centered rows would be dense: only products of columns are
        gram = (Z.T @ Z.multiply(weight[:, None])).toarray() - np.outer(z_mean, z_mean)
        moment = Z.T @ (weight[:, None] * (y - y_mean))
    else:
        centered = Z - z_mean
        weighted = centered.T * weight
        gram, moment = weighted @ centered, weighted @ (y - y_mean)
    W = np.linalg.lstsq(gram + l2_regularization * np.eye(Z.shape[1]), moment, rcond=None)[0]
    return W, y_mean - z_mean @ W


def weight_importances(
    W: NDArray[np.float64], features: NDArray[np.int32], n_features: int
) -> NDArray[np.float64]:
    """Summed absolute weights of each column.

    Parameters
    ----------
    W : float64 array of shape (n_used, n_scores)
        Weights on standardized columns.
    features : int32 array of shape (n_used,)
        The columns that have weights.
    n_features : int
        Number of columns.

    Returns
    -------
    total : float64 array of shape (n_features,)
    """
    total = np.zeros(n_features)
    total[features] = np.abs(W).sum(axis=1)
    return total
