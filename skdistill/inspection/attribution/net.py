"""Attributions of nets: Shapley values from sampled orders of the columns, with their error."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from skdistill.compact import NetTable
from skdistill.inspection.attribution.rows import Estimate, Rows

_BATCH = 1 << 21  # numbers of rows that are scored at a time


def path(table: NetTable, rows: Rows) -> NoReturn:
    """Refuse: a net has no paths; see `Attributor`."""
    raise ValueError("method='path' needs trees or weights, and the model has a net: use 'shapley'")


def shapley(table: NetTable, rows: Rows) -> Estimate:
    """Means over background rows and orders of the columns; see `Attributor`.

    Every background row is used equally often, each time with an order and its reverse. What the
    columns add in one order sums to the difference of the two rows' scores, so that the means
    sum to the score minus the mean score of the background. The error is that of the pairs' mean;
    it counts the spread of the background rows too, and is rather too large for that.
    """
    n, n_features = rows.X.shape
    columns, S = table.columns, table.n_scores
    base = _scores(table, rows.background).mean(axis=0)
    values = np.zeros((n, n_features, S))
    variance = np.zeros_like(values)
    # The same pairs serve all rows: attributions of two rows differ by what the rows do.
    orders = np.array(
        [rows.rng.permutation(len(columns)) for _ in range(rows.n_permutations)], np.intp
    ).reshape(rows.n_permutations, len(columns))
    for i in range(n):
        pairs = np.concatenate([_pairs(table, rows, i, order, columns) for order in orders])
        values[i, columns] = pairs.mean(axis=0)
        if len(pairs) > 1:
            variance[i, columns] = pairs.var(axis=0, ddof=1) / len(pairs)
    return Estimate(base, values, variance)


def _pairs(
    table: NetTable, rows: Rows, i: int, order: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    """What the columns add to row i, mean of an order and its reverse, for each background row.

    Each background row has an order of its own: `order`, rotated.
    """
    B, d = len(rows.background), len(columns)
    out = np.zeros((B, d, table.n_scores))
    height = max(1, _BATCH // ((d + 1) * rows.X.shape[1]))
    for start in range(0, B, height):
        background = rows.background[start : start + height]
        turns = (order[None] + np.arange(start, start + len(background))[:, None]) % d
        for turn in (turns, turns[:, ::-1]):
            # Hybrid s of a background row has the first s columns of the order from row i.
            hybrids = np.repeat(background[:, None], d + 1, axis=1)
            for s in range(d):
                changed = columns[turn[:, s]]
                at = np.arange(len(background))
                hybrids[at, s + 1 :, changed] = rows.X[i, changed][:, None]
            scores = _scores(table, hybrids.reshape(-1, rows.X.shape[1]))
            steps = np.diff(scores.reshape(len(background), d + 1, -1), axis=1)
            part = out[start : start + height]
            np.put_along_axis(
                part, turn[:, :, None], np.take_along_axis(part, turn[:, :, None], 1) + steps / 2, 1
            )
    return out


def _scores(table: NetTable, X: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = np.zeros((len(X), table.n_scores), np.int32)
    table.add_scores(X, scores)
    return scores.astype(np.float64)
