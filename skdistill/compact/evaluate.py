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

    Raises
    ------
    ValueError
        If it is none, or has other than `n_features` columns.
    """
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != n_features:
        raise ValueError(f"X must have shape (n, {n_features}), got {X.shape}")
    return categories.index(X)


def check_names(model: ModelTables, X: Any) -> None:
    """Refuse a data frame whose columns have other names, or another order, than the model's.

    Raises
    ------
    ValueError
        That names them.
    """
    given = X.column_names if hasattr(X, "column_names") else getattr(X, "columns", None)
    if given is None or model.feature_names is None:
        return
    names = list(given)
    if all(isinstance(name, str) for name in names) and names != list(model.feature_names):
        raise ValueError(
            f"The feature names should match those of the model, in the same order: X has "
            f"{names}, the model {list(model.feature_names)}; select the model's columns"
        )


def scores(model: ModelTables, X: ArrayLike) -> NDArray[np.int32]:
    """int32 scores of shape (n, S): the bias and the scores of all tables."""
    if hasattr(X, "tocsr"):
        return _sparse_scores(model, X)
    check_names(model, X)
    return indexed_scores(model, as_input(X, model.n_features, model.categories))


def _sparse_scores(model: ModelTables, X: Any) -> NDArray[np.int32]:
    """Scores of sparse rows, of which few at a time are made dense."""
    if len(model.categories) or not all(table.accepts_sparse for table in model.tables):
        raise ValueError("X is sparse, which linear models alone read: use X.toarray()")
    rows, height = X.tocsr(), max(1, DENSE // max(1, X.shape[1]))
    parts = [
        scores(model, rows[start : start + height].toarray())
        for start in range(0, X.shape[0], height)
    ]
    return np.concatenate(parts) if parts else scores(model, np.empty(X.shape))


def indexed_scores(model: ModelTables, X: NDArray[Any]) -> NDArray[np.int32]:
    """The same of numbers, with indexes in place of categories."""
    out = np.empty((len(X), model.n_scores), np.int32)
    for start in range(0, len(X), CHUNK):
        rows, part = model.categories.rank(X[start : start + CHUNK]), out[start : start + CHUNK]
        part[:] = model.bias
        for table in model.tables:
            table.add_scores(rows, part)
    return out


def leaves(model: ModelTables, X: ArrayLike) -> NDArray[np.int32]:
    """Leaf that each row reaches in each tree, int32 array of shape (n, T)."""
    X, trees = as_input(X, model.n_features, model.categories), model.table(TreeTable)
    out = np.empty((len(X), len(trees.roots)), np.int32)
    for start in range(0, len(X), CHUNK):
        rows = model.categories.rank(X[start : start + CHUNK])
        out[start : start + CHUNK] = trees.leaves(rows)
    return out


def labels(scores: NDArray[np.int32], threshold: int = 0) -> NDArray[np.intp]:
    """Class numbers: argmax, ties to the lowest; for one column, 1 above the threshold."""
    if scores.shape[1] == 1:
        return (scores[:, 0] > threshold).astype(np.intp)
    numbers: NDArray[np.intp] = np.argmax(scores, axis=1)
    return numbers


def predict(model: ModelTables, scores: NDArray[np.int32]) -> NDArray[Any]:
    """Labels of integer `scores`, or scaled values for a model without classes."""
    if model.classes is None:
        values = scores * np.asarray(model.scale, np.float64)
        return values[:, 0] if model.n_scores == 1 else values
    if len(model.classes) == 1:
        return np.full(len(scores), model.classes[0])
    return model.classes[labels(scores, model.threshold)]


def probabilities(model: ModelTables, scores: NDArray[np.int32]) -> NDArray[np.float64]:
    """Apply the link to integer `scores`: float64 array of shape (n, K), rows sum to 1."""
    if model.classes is None:
        raise ValueError("a regression model has no probabilities")
    if len(model.classes) == 1:
        return np.ones((len(scores), 1))
    z = scores * np.asarray(model.scale, np.float64)
    if model.n_scores == 1:
        p = 0.5 * (1 + np.tanh(z / 2)) if model.link == "sigmoid" else np.clip(0.5 + z, 0, 1)
        return np.hstack([1 - p, p])
    if model.link == "softmax":
        p = np.exp(z - z.max(axis=1, keepdims=True))
    else:
        p = np.maximum(z, 0)
        p[p.sum(axis=1) == 0] = 1  # no vote at all says nothing about the classes
    P: NDArray[np.float64] = p / p.sum(axis=1, keepdims=True)
    return P
