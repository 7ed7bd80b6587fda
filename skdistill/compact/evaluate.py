"""The definition of the semantics: what a ModelTables answers, for every input there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.tables.categories import NO_CATEGORIES, CategoryTable
from skdistill.compact.tables.tree_table import TreeTable

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables

CHUNK = 1 << 16  # rows at a time, so that scratch arrays stay small
DENSE = 1 << 22  # numbers of sparse rows that are dense at a time


def as_input(
    X: ArrayLike, n_features: int, categories: CategoryTable = NO_CATEGORIES
) -> NDArray[Any]:
    """Check that `X` is a table of numbers, and put indexes in place of categories.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Numbers; labels, or their indexes, in columns of categories.
    n_features : int
        Columns that `X` must have.
    categories : CategoryTable, default=NO_CATEGORIES
        Columns of categories.

    Returns
    -------
    X : array of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If `X` is not numeric, or has other than `n_features` columns.
    """
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != n_features:
        raise ValueError(f"X must have shape (n_samples, {n_features}), got {X.shape}")
    return categories.index(X)


def check_names(model: ModelTables, X: Any) -> None:
    """Refuse a data frame whose columns have other names, or another order, than the model's.

    Parameters
    ----------
    model : ModelTables
        With or without feature names.
    X : array-like or data frame
        Only a data frame with names that are all strings is checked.

    Raises
    ------
    ValueError
        That lists both.
    """
    columns = X.column_names if hasattr(X, "column_names") else getattr(X, "columns", None)
    if columns is None or model.feature_names is None:
        return
    names = list(columns)
    if all(isinstance(name, str) for name in names) and names != list(model.feature_names):
        raise ValueError(
            f"The feature names should match those of the model, in the same order: X has "
            f"{names}, the model {list(model.feature_names)}; select the model's columns"
        )


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
    check_names(model, X)
    return indexed_scores(model, as_input(X, model.n_features, model.categories))


def _sparse_scores(model: ModelTables, X: Any) -> NDArray[np.int32]:
    """Scores of sparse rows, made dense a few at a time."""
    if len(model.categories) or not all(table.accepts_sparse for table in model.tables):
        raise ValueError("X is sparse, which linear models alone read: use X.toarray()")
    rows, height = X.tocsr(), max(1, DENSE // max(1, X.shape[1]))
    parts = [
        scores(model, rows[start : start + height].toarray())
        for start in range(0, X.shape[0], height)
    ]
    return np.concatenate(parts) if parts else scores(model, np.empty(X.shape))


def indexed_scores(model: ModelTables, X: NDArray[Any]) -> NDArray[np.int32]:
    """Integer scores of rows that `as_input` has checked.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    X : array of shape (n_samples, n_features)
        Numbers, with indexes in place of categories.

    Returns
    -------
    scores : int32 array of shape (n_samples, n_scores)
    """
    out = np.empty((len(X), model.n_scores), np.int32)
    for start in range(0, len(X), CHUNK):
        rows, part = model.categories.rank(X[start : start + CHUNK]), out[start : start + CHUNK]
        part[:] = model.bias
        for table in model.tables:
            table.add_scores(rows, part)
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
    X, trees = as_input(X, model.n_features, model.categories), model.table(TreeTable)
    out = np.empty((len(X), len(trees.roots)), np.int32)
    for start in range(0, len(X), CHUNK):
        rows = model.categories.rank(X[start : start + CHUNK])
        out[start : start + CHUNK] = trees.leaves(rows)
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
    """Labels of integer scores, or for a regression scores times their scale.

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
