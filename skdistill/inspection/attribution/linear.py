"""Attributions of linear tables: a weight times what its rounded input differs by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import LinearTable
from skdistill.compact.tables.linear_table import quantize_input
from skdistill.inspection.attribution.rows import Additions, Estimate, Rows


def path(table: LinearTable, rows: Rows) -> Additions:
    """Differences from the rounded mean of the rounded inputs of the background; `Attributor`."""
    codes = quantize_input(rows.background, table).astype(np.float64)
    base = np.rint(codes.mean(axis=0)).astype(np.int64)
    q = quantize_input(rows.X, table).astype(np.int64)
    weights = table.weights.astype(np.int64)
    return Additions(base @ weights, _by_column(rows, table, (q - base)[:, :, None] * weights))


def shapley(table: LinearTable, rows: Rows) -> Estimate:
    """Differences from the mean of the rounded inputs of the background; see `Attributor`."""
    base = quantize_input(rows.background, table).astype(np.float64).mean(axis=0)
    q = quantize_input(rows.X, table).astype(np.float64)
    weights = table.weights.astype(np.float64)
    values = _by_column(rows, table, (q - base)[:, :, None] * weights)
    return Estimate(base @ weights, values, None)


def _by_column(rows: Rows, table: LinearTable, values: NDArray[Any]) -> NDArray[Any]:
    out = np.zeros((len(rows.X), rows.X.shape[1], table.n_scores), values.dtype)
    out[:, table.features] = values
    return out
