"""The definition of the semantics: what a ModelTables answers, for every input there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.tables.linear_table import _linear_scores
from skdistill.compact.tables.tree_table import _add_trees, _find_leaves

if TYPE_CHECKING:
    from skdistill.compact.model_tables import ModelTables
    from skdistill.compact.tables.categories import CategoryTable

CHUNK = 1 << 16  # rows at a time, so that scratch arrays stay small
DENSE = 1 << 22  # numbers of sparse rows that are dense at a time


def as_input(
    X: ArrayLike, n_features: int, categories: CategoryTable | None = None
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
    if categories is not None:
        return categories.index(X)
    if X.dtype.kind not in "biuf":
        raise ValueError(
            f"X must be numeric, got dtype {X.dtype}: encode other columns before the model"
        )
    return X


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


def ranked(model: ModelTables, X: NDArray[Any]) -> NDArray[Any]:
    """What grid and linear table read: `X`, with ranks in place of indexes of categories."""
    return X if model.categories is None else model.categories.rank(X)


def scores(model: ModelTables, X: ArrayLike) -> NDArray[np.int32]:
    """int32 scores of shape (n, S): bias + trees + linear."""
    if hasattr(X, "tocsr"):
        return _sparse_scores(model, X)
    check_names(model, X)
    return indexed_scores(model, as_input(X, model.n_features, model.categories))


def _sparse_scores(model: ModelTables, X: Any) -> NDArray[np.int32]:
    """Scores of sparse rows, of which few at a time are made dense."""
    if model.trees is not None or model.categories is not None:
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
    worth = None if model.trees is None else model.trees.scaled_values
    for start in range(0, len(X), CHUNK):
        rows, part = ranked(model, X[start : start + CHUNK]), out[start : start + CHUNK]
        part[:] = model.bias
        if model.trees is not None and model.grid is not None:
            _add_trees(model.grid.cast(rows), *model.walk, worth, part)  # type: ignore[call-arg]
        if model.linear is not None:
            part += _linear_scores(rows, model.linear)
    return out


def leaves(model: ModelTables, X: ArrayLike) -> NDArray[np.int32]:
    """Leaf that each row reaches in each tree, int32 array of shape (n, T)."""
    X = as_input(X, model.n_features, model.categories)
    if model.trees is None or model.grid is None:
        raise ValueError("the model has no trees")
    out = np.empty((len(X), len(model.trees.roots)), np.int32)
    for start in range(0, len(X), CHUNK):
        rows = model.grid.cast(ranked(model, X[start : start + CHUNK]))
        _find_leaves(rows, *model.walk, out[start : start + CHUNK])  # type: ignore[call-arg]
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
