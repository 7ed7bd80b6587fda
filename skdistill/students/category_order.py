"""Ranks of categories, learnt from the targets.

For two classes the best split of categories into two groups, by squared error or the Gini index,
is a threshold on their mean targets (Breiman et al. 1984, "Classification and regression trees",
section 4.2.2). For more it nearly is one along the first principal component of the mean targets
(Coppersmith, Hong & Hosking 1999, "Partitioning nominal attributes in decision trees"). The ranks
of a column are those of its categories along that line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.compact.tables.categories import MOST_RANK, NO_CATEGORIES, CategoryTable

SMOOTHING = 10.0  # rows of the mean of all that are added to every category


def fit_categories(
    X: NDArray[np.float64],
    labels: tuple[NDArray[np.int64] | NDArray[np.str_] | None, ...],
    responses: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> CategoryTable:
    """Order the labels of every column of categories.

    Parameters
    ----------
    X : float32 or float64 array of shape (n_samples, n_features)
        Columns of categories hold indexes of labels, NaN for a missing one.
    labels : sequence of length n_features
        Labels of the columns of categories, None for columns of numbers.
    responses : float64 array of shape (n_samples, n_outputs)
        Targets, such as probabilities.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, > 0.

    Returns
    -------
    categories : CategoryTable
        Labels and ranks of each column of categories, if there are any.
    """
    known = {j: each for j, each in enumerate(labels) if each is not None}
    if not known:
        return NO_CATEGORIES
    ranks = [learn_ranks(X[:, j], len(each), responses, weight) for j, each in known.items()]
    columns: Any = list(known)
    return CategoryTable(columns, tuple(known.values()), np.concatenate(ranks))


def learn_ranks(
    index: NDArray[np.float64],
    n_labels: int,
    responses: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Ranks of the labels of one column along the first principal component of mean targets.

    Means are smoothed: a category of few rows lies near the mean of all rows. An unknown label
    lies on it, and so does a missing one if no row has it. Categories at different positions get
    different ranks, as long as there are enough ranks, and gaps between ranks are proportional
    to those between positions, as nearly as possible.

    Parameters
    ----------
    index : float64 array of shape (n_samples,)
        Number of each row's label, 0 … n_labels − 1; NaN where it is missing.
    n_labels : int
        Number of labels.
    responses : float64 array of shape (n_samples, n_outputs)
        Targets.
    weight : float64 array of shape (n_samples,)
        Weights of the rows, > 0.

    Returns
    -------
    ranks : uint8 array of shape (n_labels + 2,)
        Ranks of the labels, of a missing one and of an unknown one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students.category_order import learn_ranks
    >>> index = np.repeat([0.0, 1.0, 2.0], 50)
    >>> p = np.repeat([0.2, 0.9, 0.1], 50)
    >>> learn_ranks(index, 3, np.column_stack([1 - p, p]), np.ones(150)).tolist()
    [1, 7, 0, 3, 3]
    """
    label = np.where(np.isnan(index), n_labels, index).astype(np.intp)
    overall = np.average(responses, axis=0, weights=weight)
    n_rows = np.bincount(label, weight, minlength=n_labels + 2) / weight.mean()
    total = np.zeros((n_labels + 2, responses.shape[1]))
    for k, column in enumerate((responses - overall).T):
        total[:, k] = np.bincount(label, weight * column, minlength=n_labels + 2) / weight.mean()
    means = total / (n_rows + SMOOTHING)[:, None]
    return _to_ranks(means @ _principal_direction(means, n_rows))


def _principal_direction(
    means: NDArray[np.float64], n_rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """First principal direction around 0; its largest entry is positive.

    The sign of a singular vector is arbitrary. Of entries that are equal but for rounding errors
    the last one decides, so that it is the same on every machine.
    """
    _, _, directions = np.linalg.svd(np.sqrt(n_rows)[:, None] * means, full_matrices=False)
    size = np.abs(directions[0])
    largest = np.flatnonzero(size > 0.999 * size.max())[-1]
    direction: NDArray[np.float64] = directions[0] * np.sign(directions[0][largest])
    return direction


def _to_ranks(positions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Whole numbers in the order of the positions, small ones where positions are few."""
    largest = np.abs(positions).max()
    distinct, which = np.unique(np.round(positions / (largest or 1.0), 9), return_inverse=True)
    n_distinct = len(distinct)
    # At least twice as many ranks as positions, so that gaps can be shown.
    max_rank = min(MOST_RANK, (1 << (2 * n_distinct - 1).bit_length()) - 1)
    rank: NDArray[np.intp]
    if max_rank + 1 < n_distinct:
        rank = np.arange(n_distinct) * (max_rank + 1) // n_distinct
        return rank[which].astype(np.uint8)
    relative = (distinct - distinct[0]) / max(distinct[-1] - distinct[0], 1e-9)
    rank = np.rint(max_rank * relative).astype(np.intp)
    step = np.arange(n_distinct)
    rank = np.maximum.accumulate(rank - step) + step  # each above the one before
    rank = np.minimum(rank, max_rank - (n_distinct - 1 - step))
    return rank[which].astype(np.uint8)
