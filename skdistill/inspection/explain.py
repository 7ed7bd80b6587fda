"""Why a row gets its scores: integers for each column that add up exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skdistill.compact import evaluate
from skdistill.compact.model_tables import ModelTables
from skdistill.device.profile import compact_of
from skdistill.export.readable.conditions import column_name, score_names
from skdistill.inspection.attribution import ATTRIBUTORS
from skdistill.inspection.attribution.rows import Rows

_METHODS = ("shapley", "path")
_HEIGHT = 1024  # rows at a time


@dataclass(frozen=True)
class Explanation:
    """What each column adds to the integer scores of rows.

    Parameters
    ----------
    base : int64 array of shape (n_scores,)
        What all rows start from: the rounded mean score of the background rows.
    values : int64 array of shape (n_samples, n_features, n_scores)
        What the columns add. ``base + values.sum(axis=1)`` are the scores, exactly.
    standard_error : float64 array of shape (n_samples, n_features, n_scores), or None
        Of sampled Shapley values, in units of a score; None where nothing was sampled.
    method : {"shapley", "path"}
        How they were computed.
    scale : float or float32 array of shape (n_scores,)
        Factor that makes logits, votes or values of scores.
    columns : tuple of str
        Names of the columns.
    outputs : tuple of str
        What each score speaks for.
    """

    base: NDArray[np.int64]
    values: NDArray[np.int64]
    standard_error: NDArray[np.float64] | None
    method: str
    scale: float | NDArray[Any]
    columns: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def scores(self) -> NDArray[np.int32]:
        """Scores of the rows, int32 array of shape (n_samples, n_scores)."""
        scores: NDArray[np.int32] = (self.base + self.values.sum(axis=1)).astype(np.int32)
        return scores

    def to_frame(self, row: int = 0) -> Any:
        """Attributions of one row as a data frame.

        Parameters
        ----------
        row : int, default=0
            Number of the row.

        Returns
        -------
        frame : pandas.DataFrame
            A row for the base and for each column that adds something, the largest first; a
            column for each score.

        Raises
        ------
        ImportError
            Without pandas, the extra "cli".
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("to_frame needs pandas: pip install 'skdistill[cli]'") from error
        values = self.values[row]
        size = np.abs(values).max(axis=1)
        order = np.argsort(-size, kind="stable")[: int((size > 0).sum())]
        names = ["base", *(self.columns[j] for j in order), "score"]
        cells = np.vstack([self.base, values[order], self.scores[row]])
        return pd.DataFrame(cells, names, list(self.outputs))


def explain(
    model: Any,
    X: ArrayLike,
    background: ArrayLike,
    *,
    method: str = "shapley",
    max_background: int = 100,
    n_permutations: int = 1,
    random_state: Any = None,
) -> Explanation:
    """Divide the integer scores of rows among the columns.

    Parameters
    ----------
    model : CompactModel, student or distiller
        Of any kind of tables.
    X : array-like of shape (n_samples, n_features)
        Rows to explain.
    background : array-like of shape (n_background, n_features)
        Rows that they are compared with, such as the training rows.
    method : {"shapley", "path"}, default="shapley"
        "shapley" are Shapley values, rounded so that they add up: no value moves by more than 1.
        They are exact for trees and linear models and sampled for nets, with their standard error.
        "path" takes the differences of integer values along the path of a row: it is faster and
        needs nothing but additions, but is biased towards columns that are asked for late.
    max_background : int, default=100
        Number of background rows that Shapley values use; drawn at random where there are more.
    n_permutations : int, default=1
        Pairs of orders of the columns for each background row, for nets.
    random_state : int, RandomState instance or None, default=None
        Draws background rows and orders.

    Returns
    -------
    explanation : Explanation

    Raises
    ------
    ValueError
        If there are no background rows, a parameter is out of range, or ``method="path"`` and the
        model is a net.

    Notes
    -----
    The game is the same for all kinds of tables: the value of a set of columns is the mean score
    of rows with these columns from the row and all others from a background row (interventional
    Shapley values [1]_). Correlated columns are taken apart, into rows that may not occur.

    Along a path [2]_ the first question has the mean of many rows before and after it, a late
    one decides among a part of them. For "x1 and x2" the column that is asked for first gets less
    than half of the score although both are needed equally; Shapley values divide it equally [1]_.
    A linear part has the same attribution by both methods, but for rounding.

    References
    ----------
    .. [1] S. Lundberg et al., "From local explanations to global understanding with explainable
       AI for trees", Nature Machine Intelligence 2, 2020.
    .. [2] A. Saabas, "Interpreting random forests", 2014.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.inspection import explain
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    >>> explanation = explain(tree, X[:5], X)
    >>> bool((explanation.scores == tree.compact_.scores(X[:5])).all())
    True
    """
    compact = compact_of(model)
    if method not in _METHODS:
        raise ValueError(f"method must be one of {_METHODS}, got {method!r}")
    for name, number in (("max_background", max_background), ("n_permutations", n_permutations)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    rng = check_random_state(random_state)
    read, compared = compact.read_rows(X), compact.read_rows(background)
    if not len(compared):
        raise ValueError("background has no rows: pass rows to compare with, such as X of fit")
    if method == "shapley" and len(compared) > max_background:
        compared = compared[rng.choice(len(compared), max_background, replace=False)]
    ranked = compact.categories.rank(compared)
    # Each part of the rows draws the same orders.
    seed = int(rng.randint(2**31 - 1))
    function = _shapley if method == "shapley" else _path
    parts = []
    for start in range(0, max(1, len(read)), _HEIGHT):
        some = compact.categories.rank(read[start : start + _HEIGHT])
        rows = Rows(some, ranked, n_permutations, np.random.RandomState(seed))
        scores = evaluate.indexed_scores(compact, read[start : start + _HEIGHT])
        parts.append(function(compact, rows, scores))
    base = parts[0][0]
    errors = [error for *_, error in parts if error is not None]
    return Explanation(
        base,
        np.concatenate([values for _, values, _ in parts]),
        np.concatenate(errors) if errors else None,
        method,
        compact.scale,
        tuple(column_name(compact, j) for j in range(compact.n_features)),
        tuple(score_names(compact)),
    )


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None]


def _path(model: ModelTables, rows: Rows, scores: NDArray[np.int32]) -> _Part:
    base = model.bias.astype(np.int64)
    values = np.zeros((*rows.X.shape, model.n_scores), np.int64)
    for table in model.tables:
        additions = ATTRIBUTORS[type(table)].path(table, rows)
        base = base + additions.base
        values += additions.values
    return base, values, None


def _shapley(model: ModelTables, rows: Rows, scores: NDArray[np.int32]) -> _Part:
    mean = model.bias.astype(np.float64)
    values = np.zeros((*rows.X.shape, model.n_scores))
    variance = None
    for table in model.tables:
        estimate = ATTRIBUTORS[type(table)].shapley(table, rows)
        mean = mean + estimate.base
        values += estimate.values
        if estimate.variance is not None:
            variance = estimate.variance + (0 if variance is None else variance)
    base = np.rint(mean).astype(np.int64)
    whole = np.zeros(values.shape, np.int64)
    columns = model.columns
    whole[:, columns] = round_to_sum(values[:, columns], scores.astype(np.int64) - base)
    return base, whole, None if variance is None else np.sqrt(variance)


def round_to_sum(values: NDArray[np.float64], totals: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round numbers to integers with a known sum, those with the largest remainders up.

    Parameters
    ----------
    values : float64 array of shape (n_samples, n_columns, n_scores)
        Whose sums over the columns differ from `totals` by 1/2 at most, but for float64's errors.
    totals : int64 array of shape (n_samples, n_scores)
        What the integers must add up to.

    Returns
    -------
    whole : int64 array of shape (n_samples, n_columns, n_scores)
        No number moves by more than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.inspection.explain import round_to_sum
    >>> round_to_sum(np.array([[[1.4], [1.4], [-0.8]]]), np.array([[2]])).ravel().tolist()
    [2, 1, -1]
    """
    if values.shape[1] == 0:
        return np.zeros(values.shape, np.int64)
    down = np.floor(values)
    n_up = totals - down.sum(axis=1).astype(np.int64)
    order = np.argsort(down - values, axis=1, kind="stable")  # the largest remainder first
    rank = np.argsort(order, axis=1, kind="stable")
    whole: NDArray[np.int64] = down.astype(np.int64) + (rank < n_up[:, None])
    return whole
