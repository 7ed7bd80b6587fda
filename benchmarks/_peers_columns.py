"""For budget.py: what peers that multiply columns read of a table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from _draws import Draw


class Columns(NamedTuple):
    """Standardised columns, categories replaced by a number each.

    Attributes
    ----------
    mean, scale : float array of shape (n_columns,)
    numbers : dict of int to float array
        For a column of categories, the number of each code; the last one is that of others.
    nbytes : int
        A byte a column for its scale, which a peer's first table needs beside it, and a byte a
        category. Means are part of what is learnt.
    """

    mean: np.ndarray
    scale: np.ndarray
    numbers: dict[int, np.ndarray]
    nbytes: int

    def transform(self, X: np.ndarray) -> np.ndarray:
        X = (replace_categories(X, self.numbers) - self.mean) / self.scale
        return np.clip(X, -8, 8).astype(np.float32)


def fit_columns(given: Draw) -> Columns:
    """Categories are ordered along the direction in which their shares of classes differ most."""
    numbers = {column: _category_numbers(given, column) for column in given.nominal}
    X = replace_categories(given.X_fit, numbers)
    scale = X.std(axis=0)
    scale[scale == 0] = 1
    categories = sum(len(each) for each in numbers.values())
    return Columns(X.mean(axis=0), scale, numbers, X.shape[1] + categories)


def replace_categories(X: np.ndarray, numbers: dict[int, np.ndarray]) -> np.ndarray:
    X = X.astype(np.float64)
    for column, number in numbers.items():
        code = X[:, column]
        known = (code >= 0) & (code < len(number) - 1)
        X[:, column] = number[np.where(known, code, len(number) - 1).astype(int)]
    return X


def _category_numbers(given: Draw, column: int) -> np.ndarray:
    code = given.X_fit[:, column].astype(int)
    known = code >= 0
    counts = np.zeros((code.max() + 1 if known.any() else 0, given.n_classes))
    np.add.at(counts, (code[known], given.y_fit[known]), 1)
    prior = np.bincount(given.y_fit, minlength=given.n_classes) / len(given.y_fit)
    shares = (counts + 10 * prior) / (counts.sum(axis=1) + 10)[:, None] - prior
    weighted = shares * np.sqrt(counts.sum(axis=1))[:, None]
    direction = np.linalg.svd(weighted, full_matrices=False)[2][0] if len(counts) else prior
    return np.append(shares @ direction, 0.0)
