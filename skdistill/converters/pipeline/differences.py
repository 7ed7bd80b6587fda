"""Rows that a model answers differently once the steps in front of it are folded."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact import evaluate
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.pipeline.column_maps import ColumnMaps
from skdistill.converters.rows import read_columns
from skdistill.converters.verify import ensemble_scores
from skdistill.converters.wrappers import is_passthrough
from skdistill.dataframe import as_array
from skdistill.model import CompactModel

_MOST_ROWS = 2000


class Differences(NamedTuple):
    """How many rows get another answer.

    Attributes
    ----------
    scores : int
        Rows with any other integer score.
    predictions : int
        Rows with another label, or for regression another value.
    rows : int
        Rows compared.
    """

    scores: int
    predictions: int
    rows: int


def count_differences(
    steps: list[tuple[str, Any]], model: CompactModel, folded: CompactModel, X: ArrayLike
) -> Differences:
    """Count the rows that steps with a model behind them and a folded model answer differently.

    Parameters
    ----------
    steps : list of (name, transformer)
        Fitted.
    model : CompactModel
        Reads what the steps yield.
    folded : CompactModel
        Reads the raw columns.
    X : array-like or data frame of shape (n_samples, n_features)
        Raw rows. Columns of a data frame that the model does not read may hold anything.

    Returns
    -------
    differences : Differences
    """
    behind: Any = X
    for _, step in steps:
        if not is_passthrough(step):
            behind = step.transform(behind)
    is_sparse = hasattr(behind, "tocsr")
    expected = model.scores(behind if is_sparse else as_array(behind))  # by position, not by name
    if hasattr(X, "tocsr"):
        scores = folded.scores(X)
    else:
        rows = read_columns(
            X, folded.n_features, folded.feature_names, folded.columns, folded.categories
        )
        scores = evaluate.indexed_scores(folded, rows)
    other = evaluate.predict(model, expected) != evaluate.predict(folded, scores)
    return Differences(
        int((expected != scores).any(axis=1).sum()),
        int(other.reshape(len(scores), -1).any(axis=1).sum()),
        len(scores),
    )


def warn_of_float32_rows(
    ensemble: TreeEnsemble, folded: TreeEnsemble, maps: ColumnMaps, rows: NDArray[Any]
) -> None:
    """Warn of float32 rows that get another answer from trees folded for float64 rows.

    Parameters
    ----------
    ensemble : TreeEnsemble
        Reads what the steps yield.
    folded : TreeEnsemble
        Reads float64 rows as they are before the steps.
    maps : ColumnMaps
        The steps.
    rows : float32 array of shape (n_samples, n_features)
        Before the steps, which compute in the type of their rows. Some of many are counted.
    """
    rows = rows[:: -(-len(rows) // _MOST_ROWS)]
    expected, _ = ensemble_scores(ensemble, maps.transform(rows.astype(np.float32)))
    scores, _ = ensemble_scores(folded, rows.astype(np.float64))
    n_other = int((expected != scores).any(axis=1).sum())
    if n_other:
        warnings.warn(
            f"X is float32, and {n_other:,} of {len(rows):,} rows get another answer than from the "
            "Pipeline, whose steps compute in the type of their rows: pass dtype='float32'",
            UserWarning,
            stacklevel=4,  # the caller of `convert`
        )
