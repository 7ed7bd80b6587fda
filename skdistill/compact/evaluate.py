"""The definition of the semantics: what a ModelTables answers, for every input there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.tables.tree_table import TreeTable
from skdistill.utils.threads import blocks, run_tasks

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables

CHUNK = 1 << 14  # rows of a task, so that scratch arrays stay small
DENSE = 1 << 22  # numbers of sparse rows that are dense at a time


def scores(model: ModelTables, X: ArrayLike) -> NDArray[np.int32]:
    """Integer scores: the bias and the scores of all tables.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        As in `CompactModel.scores`.

    Returns
    -------
    scores : int32 array of shape (n_samples, n_scores)

    Raises
    ------
    ValueError
        As `CompactModel.scores`.
    """
    if hasattr(X, "tocsr"):
        return _sparse_scores(model, X)
    return indexed_scores(model, model.read_rows(X))


def _sparse_scores(model: ModelTables, X: Any) -> NDArray[np.int32]:
    """Scores of sparse rows, made dense a few at a time."""
    rows, height = X.tocsr(), max(1, DENSE // max(1, X.shape[1]))
    parts = [
        indexed_scores(model, model.read_rows(rows[start : start + height]))
        for start in range(0, max(1, X.shape[0]), height)
    ]
    return np.concatenate(parts)


def indexed_scores(model: ModelTables, X: NDArray[Any]) -> NDArray[np.int32]:
    """Integer scores of rows that were read.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    X : array of shape (n_samples, n_features)
        From `ModelTables.read_rows`: numbers, with indexes in place of categories.

    Returns
    -------
    scores : int32 array of shape (n_samples, n_scores)
    """
    out = np.empty((len(X), model.n_scores), np.int32)

    def add(part: slice) -> None:
        rows = model.categories.rank(X[part])
        out[part] = model.bias
        for table in model.tables:
            table.add_scores(rows, out[part])

    run_tasks(add, blocks(len(X), CHUNK))
    return out


def leaves(model: ModelTables, X: ArrayLike) -> NDArray[np.int32]:
    """Leaf that each row reaches in each tree.

    Parameters
    ----------
    model : ModelTables
        With a `TreeTable`.
    X : array-like of shape (n_samples, n_features)
        As in `CompactModel.scores`, but not sparse.

    Returns
    -------
    leaves : int32 array of shape (n_samples, n_trees)

    Raises
    ------
    ValueError
        If the model has no trees, or `X` is none of its inputs.
    """
    return indexed_leaves(model, model.read_rows(X))


def indexed_leaves(model: ModelTables, X: NDArray[Any]) -> NDArray[np.int32]:
    """Leaf that each row reaches in each tree, of rows that were read.

    Parameters
    ----------
    model : ModelTables
        With a `TreeTable`.
    X : array of shape (n_samples, n_features)
        From `ModelTables.read_rows`.

    Returns
    -------
    leaves : int32 array of shape (n_samples, n_trees)

    Raises
    ------
    ValueError
        If the model has no trees.
    """
    trees = model.table(TreeTable)
    out = np.empty((len(X), len(trees.roots)), np.int32)

    def find(part: slice) -> None:
        out[part] = trees.leaves(model.categories.rank(X[part]))

    run_tasks(find, blocks(len(X), CHUNK))
    return out


def labels(scores: NDArray[np.int32], threshold: int = 0) -> NDArray[np.intp]:
    """Class numbers: the largest score, ties to the lowest class.

    Parameters
    ----------
    scores : int32 array of shape (n_samples, n_scores)
        Integer scores.
    threshold : int, default=0
        For a single score: it is class 1 above this, else class 0.

    Returns
    -------
    labels : int array of shape (n_samples,)
    """
    if scores.shape[1] == 1:
        return (scores[:, 0] > threshold).astype(np.intp)
    numbers: NDArray[np.intp] = np.argmax(scores, axis=1)
    return numbers


def predict(model: ModelTables, scores: NDArray[np.int32]) -> NDArray[Any]:
    """Labels of integer scores, or for a regression the values.

    Scores times their scale are the values; of the link "exp", their logarithms.

    Parameters
    ----------
    model : ModelTables
        Whose classes, threshold and scale hold.
    scores : int32 array of shape (n_samples, n_scores)
        What `scores` returned.

    Returns
    -------
    y : array of shape (n_samples,), or (n_samples, n_scores) for several targets
    """
    if model.classes is None:
        values = scores * np.asarray(model.scale, np.float64)
        if model.link == "exp":
            with np.errstate(over="ignore"):  # to infinity
                values = np.exp(values)
        return values[:, 0] if model.n_scores == 1 else values
    if len(model.classes) == 1:
        return np.full(len(scores), model.classes[0])
    return model.classes[labels(scores, model.threshold)]


def probabilities(model: ModelTables, scores: NDArray[np.int32]) -> NDArray[np.float64]:
    """Apply the link to integer scores.

    Parameters
    ----------
    model : ModelTables
        With classes.
    scores : int32 array of shape (n_samples, n_scores)
        What `scores` returned.

    Returns
    -------
    P : float64 array of shape (n_samples, n_classes)
        Rows sum to 1.

    Raises
    ------
    ValueError
        If the model has no classes.
    """
    if model.classes is None:
        raise ValueError("a regression model has no probabilities")
    if len(model.classes) == 1:
        return np.ones((len(scores), 1))
    z = scores * np.asarray(model.scale, np.float64)
    if model.n_scores == 1:
        # tanh does not overflow, exp would.
        p = 0.5 * (1 + np.tanh(z / 2)) if model.link == "sigmoid" else np.clip(0.5 + z, 0, 1)
        return np.hstack([1 - p, p])
    if model.link == "softmax":
        p = np.exp(z - z.max(axis=1, keepdims=True))
    else:
        p = np.maximum(z, 0)
        p[p.sum(axis=1) == 0] = 1  # no vote at all: all classes alike
    P: NDArray[np.float64] = p / p.sum(axis=1, keepdims=True)
    return P
