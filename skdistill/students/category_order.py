"""Ranks of categories, learnt from what is taught.

With K scores the best way to part C categories in two, by squared error or the Gini index, is
a threshold on their mean responses where K = 2 (Breiman et al. 1984, "Classification and
regression trees", section 4.2.2), and nearly so along the first principal component of the
mean responses for more (Coppersmith, Hong & Hosking 1999, "Partitioning nominal attributes in
decision trees"). A column's ranks are those of its categories along that line.

Symbols: n rows, C labels of a column, R responses, M different places on the line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.categories import MOST_RANK, NO_CATEGORIES, CategoryTable

SMOOTHING = 10.0  # rows of the mean response that every category is given


def fit_categories(
    X: NDArray[np.float64],
    labels: tuple[NDArray[np.int64] | NDArray[np.str_] | None, ...],
    responses: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> CategoryTable:
    """Order the labels of every column of categories.

    Parameters
    ----------
    X : float64 array of shape (n, d)
        Indexes in columns with labels, NaN for a missing one.
    labels : sequence of d arrays or None
    responses : float64 array of shape (n, R)
        What is taught, such as probabilities.
    weight : float64 array of shape (n,), > 0

    Returns
    -------
    categories : CategoryTable
        Without columns where no column has labels.
    """
    columns = [j for j, each in enumerate(labels) if each is not None]
    if not columns:
        return NO_CATEGORIES
    ranks = [learn_ranks(X[:, j], len(labels[j]), responses, weight) for j in columns]
    return CategoryTable(columns, [labels[j] for j in columns], np.concatenate(ranks))


def learn_ranks(
    index: NDArray[np.float64],
    n_labels: int,
    responses: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Ranks along the first principal component of smoothed mean responses.

    A category of few rows lies near the mean of all, an unknown one on it, and so does a
    missing one that no row has. Places that differ get ranks that differ, as long as there are
    no more than ranks; gaps between ranks are as those between places, as nearly as may be.

    Parameters
    ----------
    index : float64 array of shape (n,)
        0 … C − 1, NaN where it is missing.
    n_labels : int
    responses : float64 array of shape (n, R)
    weight : float64 array of shape (n,), > 0

    Returns
    -------
    ranks : uint8 array of shape (C + 2,)
        Of the labels, of a missing one, of an unknown one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.category_order import learn_ranks
    >>> index = np.repeat([0.0, 1.0, 2.0], 50)
    >>> p = np.repeat([0.2, 0.9, 0.1], 50)
    >>> learn_ranks(index, 3, np.column_stack([1 - p, p]), np.ones(150)).tolist()
    [1, 7, 0, 3, 3]
    """
    at = np.where(np.isnan(index), n_labels, index).astype(np.intp)
    middle = np.average(responses, axis=0, weights=weight)
    mass = np.bincount(at, weight, minlength=n_labels + 2) / weight.mean()
    total = np.zeros((n_labels + 2, responses.shape[1]))
    for k, column in enumerate((responses - middle).T):
        total[:, k] = np.bincount(at, weight * column, minlength=n_labels + 2) / weight.mean()
    means = total / (mass + SMOOTHING)[:, None]
    return _spread(means @ _main_direction(means, mass))


def _main_direction(means: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """First principal direction around 0; its largest entry is positive."""
    _, _, directions = np.linalg.svd(np.sqrt(mass)[:, None] * means, full_matrices=False)
    largest = np.flatnonzero(np.abs(directions[0]) > 0.999 * np.abs(directions[0]).max())[-1]
    return directions[0] * np.sign(directions[0][largest])


def _spread(places: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Whole numbers in the order of the places, few of them where there are few places."""
    reach = np.abs(places).max()
    known, which = np.unique(np.round(places / (reach or 1.0), 9), return_inverse=True)
    M = len(known)
    most = min(MOST_RANK, (1 << (2 * M - 1).bit_length()) - 1)
    if most + 1 < M:
        return (np.arange(M) * (most + 1) // M)[which].astype(np.uint8)
    gaps = (known - known[0]) / max(known[-1] - known[0], 1e-9)
    rank = np.rint(most * gaps).astype(int)
    step = np.arange(M)
    rank = np.maximum.accumulate(rank - step) + step  # each above the one before
    rank = np.minimum(rank, most - (M - 1 - step))
    return rank[which].astype(np.uint8)
