"""The definition of the semantics: what a CompactModel answers, for every input there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from skdistill.compact.categories import CategoryTable
    from skdistill.compact.grid import InputGrid
    from skdistill.compact.model import CompactModel
    from skdistill.compact.tables import LinearTable, TreeTable

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


def check_names(model: CompactModel, X: Any) -> None:
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


def ranked(model: CompactModel, X: NDArray[Any]) -> NDArray[Any]:
    """What grid and linear table read: `X`, with ranks in place of indexes of categories."""
    return X if model.categories is None else model.categories.rank(X)


def scores(model: CompactModel, X: ArrayLike) -> NDArray[np.int32]:
    """int32 scores of shape (n, S): bias + trees + linear."""
    if hasattr(X, "tocsr"):
        return _sparse_scores(model, X)
    check_names(model, X)
    return indexed_scores(model, as_input(X, model.n_features, model.categories))


def _sparse_scores(model: CompactModel, X: Any) -> NDArray[np.int32]:
    """Scores of sparse rows, of which few at a time are made dense."""
    if model.trees is not None or model.categories is not None:
        raise ValueError("X is sparse, which linear models alone read: use X.toarray()")
    rows, height = X.tocsr(), max(1, DENSE // max(1, X.shape[1]))
    parts = [
        scores(model, rows[start : start + height].toarray())
        for start in range(0, X.shape[0], height)
    ]
    return np.concatenate(parts) if parts else scores(model, np.empty(X.shape))


def indexed_scores(model: CompactModel, X: NDArray[Any]) -> NDArray[np.int32]:
    """The same of numbers, with indexes in place of categories."""
    out = np.empty((len(X), model.n_scores), np.int32)
    worth = None if model.trees is None else model.trees.worth
    for start in range(0, len(X), CHUNK):
        rows, part = ranked(model, X[start : start + CHUNK]), out[start : start + CHUNK]
        part[:] = model.bias
        if model.trees is not None and model.grid is not None:
            _add_trees(model.grid.cast(rows), *model.walk, worth, part)  # type: ignore[call-arg]
        if model.linear is not None:
            part += _linear_scores(rows, model.linear)
    return out


def leaves(model: CompactModel, X: ArrayLike) -> NDArray[np.int32]:
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


def predict(model: CompactModel, scores: NDArray[np.int32]) -> NDArray[Any]:
    """Labels of integer `scores`, or scaled values for a model without classes."""
    if model.classes is None:
        values = scores * np.asarray(model.scale, np.float64)
        return values[:, 0] if model.n_scores == 1 else values
    if len(model.classes) == 1:
        return np.full(len(scores), model.classes[0])
    return model.classes[labels(scores, model.threshold)]


def probabilities(model: CompactModel, scores: NDArray[np.int32]) -> NDArray[np.float64]:
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


def quantize_input(X: NDArray[Any], linear: LinearTable) -> NDArray[np.float32]:
    """Rounded inputs of a linear table: whole numbers in float32, shape (n, u)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return round_input(X[:, linear.features].astype(np.float32), linear)


def round_input(
    x: NDArray[np.float32], linear: LinearTable, at: Any = slice(None)
) -> NDArray[np.float32]:
    """Rounded values of the inputs `at` of a linear table; saturates, NaN reads as 0."""
    with np.errstate(over="ignore", invalid="ignore"):  # out of range saturates below
        q = np.rint((x - linear.offset[at]) * linear.inv_step[at])
        return np.clip(np.where(np.isnan(q), np.float32(0), q), -linear.q_max, linear.q_max)


def _linear_scores(X: NDArray[Any], linear: LinearTable) -> NDArray[np.int32]:
    # Whole numbers below 2⁵³ add up exactly in float64 in any order, and BLAS is fast there.
    q = quantize_input(X, linear).astype(np.float64)
    return (q @ linear.weights.astype(np.float64)).astype(np.int32)


def largest_values(trees: TreeTable) -> NDArray[np.int64]:
    """Largest |value| that each tree can add to each score, int64 array of shape (T, S)."""
    magnitude = np.abs(trees.worth.astype(np.int64))
    reach = np.zeros((len(trees.feature), trees.values.shape[1]), np.int64)
    out = np.zeros((len(trees.roots), trees.values.shape[1]), np.int64)
    _largest_values(trees.roots, trees.left, trees.right, magnitude, reach, out)
    out.setflags(write=False)
    return out


def walk_tables(grid: InputGrid, trees: TreeTable) -> tuple[NDArray[Any], ...]:
    """What a walk reads: roots, then for each node column, threshold, children, NaN's side."""
    return (
        trees.roots,
        grid.features[trees.feature],
        grid.edges[grid.offsets[trees.feature] + trees.threshold],
        trees.left,
        trees.right,
        trees.nan_left,
    )


@njit(nogil=True, cache=True)
def _leaf(x, node, column, threshold, left, right, nan_left):  # type: ignore[no-untyped-def]
    while node >= 0:
        v = x[column[node]]
        if v <= threshold[node] or (v != v and nan_left[node]):
            node = left[node]
        else:
            node = right[node]
    return ~node


@njit(nogil=True, cache=True)
def _add_trees(X, roots, column, threshold, left, right, nan_left, values, out):  # type: ignore[no-untyped-def]
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            leaf = _leaf(X[i], roots[t], column, threshold, left, right, nan_left)
            for k in range(values.shape[1]):
                out[i, k] += values[leaf, k]


@njit(nogil=True, cache=True)
def _find_leaves(X, roots, column, threshold, left, right, nan_left, out):  # type: ignore[no-untyped-def]
    for i in range(X.shape[0]):
        for t in range(len(roots)):
            out[i, t] = _leaf(X[i], roots[t], column, threshold, left, right, nan_left)


@njit(nogil=True, cache=True)
def _largest_values(roots, left, right, magnitude, reach, out):  # type: ignore[no-untyped-def]
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        for child in (left[node], right[node]):
            values = reach[child] if child >= 0 else magnitude[~child]
            for k in range(reach.shape[1]):
                reach[node, k] = max(reach[node, k], values[k])
    for t in range(len(roots)):
        out[t] = reach[roots[t]] if roots[t] >= 0 else magnitude[~roots[t]]
