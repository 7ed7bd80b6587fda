"""The design matrix of linear students: standardised columns, and the way back to integers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, issparse

from skdistill.compact import LinearTable
from skdistill.compact.tables.linear_table import quantize_input
from skdistill.model import CompactModel
from skdistill.quantization.linear_weights import linear_input, linear_logits
from skdistill.students.training_data import TrainingSet


def ridge(
    Z: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    l2_regularization: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias of least mean squared error / 2 + l2_regularization / 2 * sum(W ** 2).

    Parameters
    ----------
    Z : float64 array or CSR of shape (n, u)
    y : float64 array of shape (n, S)
    weight : float64 array of shape (n,)
    l2_regularization : float, >= 0
        At 0 the weights of least norm are taken.

    Returns
    -------
    W : float64 array of shape (u, S)
    b : float64 array of shape (S,)
    """
    share = weight / weight.sum()
    z_mean, y_mean = share @ Z, share @ y
    if issparse(Z):  # products of the columns without a table of rows
        gram = (Z.T @ Z.multiply(share[:, None])).toarray() - np.outer(z_mean, z_mean)
        told = Z.T @ (share[:, None] * (y - y_mean))
        W = np.linalg.lstsq(gram + l2_regularization * np.eye(Z.shape[1]), told, rcond=None)[0]
        return W, y_mean - z_mean @ W
    away = Z - z_mean
    weighted = away.T * share
    gram = weighted @ away + l2_regularization * np.eye(Z.shape[1])
    W = np.linalg.lstsq(gram, weighted @ (y - y_mean), rcond=None)[0]
    return W, y_mean - z_mean @ W


BLOCK = 1 << 22  # numbers of a sparse table that are dense at a time


Reading = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], int]
"""How a linear table reads its columns: features, offset, inv_step, input bits."""


def standardised(
    X: NDArray[Any], weight: NDArray[np.float64], bits: int
) -> tuple[Reading, NDArray[np.float64], NDArray[np.float64]]:
    """Columns as a linear table reads them, in units of their standard deviation.

    Parameters
    ----------
    X : float32 or int32 array of shape (n, d)
        NaN becomes 0.
    weight : float64 array of shape (n,)
    bits : int in [2, 16]

    Returns
    -------
    reading : Reading
        Of the u columns that are not constant.
    Z : float64 array of shape (n, u)
    unit : float64 array of shape (u,)
        ``Z = q * unit`` for the integers q.
    """
    X = X.astype(np.float32, copy=False)
    offset, inv_step, useful = linear_input(X, weight, bits)
    features = np.flatnonzero(useful).astype(np.int32)
    reading = features, offset[features], inv_step[features], bits
    if len(features) == 0:
        return reading, np.empty((len(X), 0)), np.empty(0)
    q = quantize_input(X, _table(reading, np.zeros((len(features), 1), np.int32), 8)).astype(
        np.float64
    )
    deviation = np.sqrt(
        np.average(q**2, axis=0, weights=weight) - np.average(q, axis=0, weights=weight) ** 2
    )
    unit = 1 / np.where(deviation > 0, deviation, 1)
    return reading, q * unit, unit


def columns_of(
    X: Any, weight: NDArray[np.float64], bits: int
) -> tuple[Reading, Any, NDArray[np.float64], NDArray[np.float64]]:
    """The same of an array or of CSR, of which some columns at a time are made dense.

    Parameters
    ----------
    X : float32 or int32 array, or float32 CSR, of shape (n, d)
    weight : float64 array of shape (n,)
    bits : int in [2, 16]

    Returns
    -------
    reading : Reading
    Z : float64 array or CSR of shape (n, u)
        Less `shift`, so that the zeros of CSR stay zeros.
    unit : float64 array of shape (u,)
    shift : float64 array of shape (u,)
        What a zero of CSR reads as, in the unit of `Z`; zeros for an array.
    """
    if not issparse(X):
        reading, Z, unit = standardised(X, weight, bits)
        return reading, Z, unit, np.zeros(len(unit))
    columns, width = X.tocsc(), max(1, BLOCK // X.shape[0])
    readings, parts, units, shifts = [], [csr_array((X.shape[0], 0))], [], []
    for start in range(0, X.shape[1], width):
        block = columns[:, start : start + width].toarray()
        (features, *steps, _), Z, unit = standardised(block, weight, bits)
        shift = np.zeros(len(unit))
        if len(unit):
            blank = _table((features, *steps, bits), np.zeros((len(unit), 1), np.int32), 8)
            shift = quantize_input(np.zeros((1, block.shape[1]), np.float32), blank)[0] * unit
        readings.append((features + start, *steps))
        parts.append(csr_array(Z - shift))
        units.append(unit)
        shifts.append(shift)
    features, offset, inv_step = (np.concatenate(part) for part in zip(*readings, strict=True))
    reading = features.astype(np.int32), offset, inv_step, bits
    return reading, hstack(parts, format="csr"), np.concatenate(units), np.concatenate(shifts)


def integers_of(Z: Any, unit: NDArray[np.float64], shift: NDArray[np.float64]) -> Any:
    """Integer inputs of standardised columns, as far as ``Q @ W`` needs them."""
    if not issparse(Z):
        return np.rint(Z / unit)
    whole = Z.multiply(1 / unit).tocsr()
    whole.data = np.rint(whole.data)
    return _Shifted(whole, np.rint(shift / unit))


class _Shifted(NamedTuple):
    """Sparse rows plus the same row for all."""

    rows: Any
    shift: NDArray[np.float64]

    def __matmul__(self, W: NDArray[np.float64]) -> NDArray[np.float64]:
        product: NDArray[np.float64] = self.rows @ W + self.shift @ W
        return product


def importances(
    W: NDArray[np.float64], features: NDArray[np.int32], n_features: int
) -> NDArray[np.float64]:
    """Share of each column in the summed absolute weights `W` of standardised `features`."""
    share = np.zeros(n_features)
    share[features] = np.abs(W).sum(axis=1)
    return share / share.sum() if share.any() else share


def to_compact(
    given: TrainingSet,
    reading: Reading,
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    value_bits: int | str,
    Q: Any,
) -> CompactModel:
    """Round real weights on the integer inputs `Q` to a compact model."""
    q_max = 2 ** (reading[3] - 1) - 1
    weights, bias, scale = linear_logits(Q, W, b, given.weight, value_bits, q_max)
    tables = [_table(reading, weights, value_bits)] if len(weights) else []
    return given.model(bias, scale, *tables)


def _table(reading: Reading, weights: NDArray[np.int32], value_bits: int | str) -> LinearTable:
    features, offset, inv_step, bits = reading
    return LinearTable(features, offset, inv_step, bits, weights, value_bits)
