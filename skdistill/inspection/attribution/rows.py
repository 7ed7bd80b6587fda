"""What an attribution reads, and what it returns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Rows(NamedTuple):
    """Rows to explain, and rows that they are compared with; with ranks in place of categories.

    Attributes
    ----------
    X : array of shape (n_samples, n_features)
        Rows to explain.
    background : array of shape (n_background, n_features)
        Rows that they are compared with.
    n_permutations : int
        Pairs of orders of the columns for each background row, where Shapley values are sampled.
    rng : numpy.random.RandomState
        Draws the orders.
    """

    X: NDArray[Any]
    background: NDArray[Any]
    n_permutations: int
    rng: np.random.RandomState


class Additions(NamedTuple):
    """Integers that add up to the scores of a table.

    Attributes
    ----------
    base : int64 array of shape (n_scores,)
        What all rows start from.
    values : int64 array of shape (n_samples, n_features, n_scores)
        What the columns add.
    """

    base: NDArray[np.int64]
    values: NDArray[np.int64]


class Estimate(NamedTuple):
    """Real numbers that add up to the scores of a table.

    Attributes
    ----------
    base : float64 array of shape (n_scores,)
        Mean score of the background rows.
    values : float64 array of shape (n_samples, n_features, n_scores)
        What the columns add.
    variance : float64 array of shape (n_samples, n_features, n_scores), or None
        Squared standard error; None for exact values.
    """

    base: NDArray[np.float64]
    values: NDArray[np.float64]
    variance: NDArray[np.float64] | None
