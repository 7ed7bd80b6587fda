"""Rows of a report, traced through the model: path, attributions, what teacher and student say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.compact.tables.tree_table import TreeTable
from skdistill.dataframe.rows import take_rows
from skdistill.export.readable.conditions import column_name, number, split_of
from skdistill.inspection.explain import explain
from skdistill.inspection.predictions import Predictions

_MOST_COLUMNS = 8


def choose_rows(predictions: Predictions, n_rows: int) -> NDArray[np.intp]:
    """Choose rows to trace: half of them such that the student loses what the teacher knew.

    Parameters
    ----------
    predictions : Predictions
        Of all rows.
    n_rows : int
        How many.

    Returns
    -------
    rows : int array of shape (at most n_rows,)
        Ascending.
    """
    p = predictions
    lost = np.zeros(0, np.intp)
    if p.teacher is not None and p.y.dtype.kind != "f":
        lost = np.flatnonzero((p.teacher == p.y) & (p.student != p.y))[: n_rows // 2]
    others = np.setdiff1d(np.arange(len(p.y)), lost)
    at = np.linspace(0, len(others) - 1, n_rows - len(lost) if len(others) else 0)
    return np.unique(np.concatenate([lost, others[at.astype(np.intp)]]))


def trace_rows(
    compact: ModelTables,
    X: ArrayLike,
    background: ArrayLike,
    predictions: Predictions,
    rows: NDArray[np.intp],
) -> list[dict[str, Any]]:
    """Trace rows through a model.

    Parameters
    ----------
    compact : ModelTables
        The model.
    X : array-like of shape (n_samples, n_features)
        All rows.
    background : array-like of shape (n_background, n_features)
        What attributions are compared with.
    predictions : Predictions
        Of all rows.
    rows : int array
        Which rows.

    Returns
    -------
    traced : list of dict
        `additions` are what columns add to the score of the predicted class; `nodes` are the
        numbers of the nodes of the first tree that the row passes.
    """
    some = take_rows(X, rows)
    read = compact.read_rows(some)
    explanation = explain(compact, some, background, random_state=0)
    scores = explanation.scores
    p = predictions
    traced = []
    for i, row in enumerate(rows.tolist()):
        k = 0 if compact.n_scores == 1 else int(scores[i].argmax())
        values = explanation.values[i, :, k]
        order = np.argsort(-np.abs(values), kind="stable")
        order = order[values[order] != 0]
        shown = order[:_MOST_COLUMNS]
        additions = [
            {
                "column": column_name(compact, int(j)),
                "value": cell_text(compact, read[i], int(j)),
                "adds": int(values[j]),
            }
            for j in shown
        ]
        if len(order) > len(shown):
            rest = int(values[order[len(shown) :]].sum())
            name = f"{len(order) - len(shown)} more columns"
            additions.append({"column": name, "value": "", "adds": rest})
        path, nodes = _path(compact, read[i : i + 1])
        traced.append(
            {
                "row": row,
                "label": _text(p.y[row]),
                "teacher": None if p.teacher is None else _text(p.teacher[row]),
                "student": _text(p.student[row]),
                "base": int(explanation.base[k]),
                "score": int(scores[i, k]),
                "score_of": explanation.outputs[k],
                "sampled": explanation.standard_error is not None,
                "additions": additions,
                "path": path,
                "nodes": nodes,
            }
        )
    return traced


def cell_text(compact: ModelTables, row: NDArray[Any], column: int) -> str:
    """A cell of a row that was read, with the label of a category.

    Parameters
    ----------
    compact : ModelTables
        Whose categories hold.
    row : array of shape (n_features,)
        From `ModelTables.read_rows`.
    column : int
        Column of the input.

    Returns
    -------
    text : str
    """
    value = float(row[column])
    among = np.flatnonzero(compact.categories.columns == column)
    if len(among):
        labels = [*compact.categories.labels[int(among[0])].tolist(), "missing", "unknown"]
        return str(labels[int(value)])
    if np.isnan(value):
        return "missing"
    return number(np.float32(value)) if abs(value) < 1e30 else f"{value:g}"


def _path(compact: ModelTables, X: NDArray[Any]) -> tuple[list[str], list[int]]:
    """Answers of the first tree on the way of a row, and the nodes that it passes."""
    for trees in compact.tables_of(TreeTable):
        _, tree, node = trees.paths(compact.categories.rank(X))
        nodes = node[tree == 0].tolist()
        texts = []
        for here, after in pairwise(nodes):
            split = split_of(compact, trees, here)
            left = int(trees.left[here])
            left = left if left >= 0 else len(trees.feature) + ~left
            texts.append(split.left_text if after == left else split.right_text)
        return texts, nodes
    return [], []


def _text(value: Any) -> str:
    return number(np.float32(value)) if isinstance(value, float | np.floating) else str(value)
