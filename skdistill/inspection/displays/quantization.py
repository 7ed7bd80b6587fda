"""What is lost of each column when it is read as codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skdistill.compact.model_tables import ModelTables
from skdistill.device.profile import compact_of
from skdistill.export.readable.conditions import column_name
from skdistill.inspection.displays._axes import barh, new_axes

_MOST_BARS = 30


def quantization_error(model: ModelTables, X: ArrayLike) -> NDArray[np.float64]:
    """Share of a column's standard deviation that its codes do not tell.

    Numbers of the same codes are one to the model: each is replaced by the mean of these. The error
    is the root mean square of what that changes, divided by the standard deviation of the column.
    All tables that read the column count together.

    Parameters
    ----------
    model : ModelTables
        Of any kind of tables.
    X : array-like of shape (n_samples, n_features)
        Rows that show how the columns are spread.

    Returns
    -------
    error : float64 array of shape (n_features,)
        0 where nothing is lost, 1 where the column is not read; NaN for columns without spread.
        Of a column of categories, in units of its ranks.
    """
    rows = model.categories.rank(model.read_rows(X))
    error = np.full(model.n_features, np.nan)
    codes = [(table.code_columns, table.codes(rows)) for table in model.tables]
    for j in range(model.n_features):
        known = np.isfinite(rows[:, j])
        x = rows[known, j].astype(np.float64)
        if not len(x) or x.std() == 0:
            continue
        read = [each[known][:, of == j] for of, each in codes]
        together = np.hstack([np.zeros((len(x), 1), np.int64), *read])
        _, cell = np.unique(together, axis=0, return_inverse=True)
        cell = np.ravel(cell)
        means = np.bincount(cell, x) / np.bincount(cell)
        error[j] = np.sqrt(np.mean((x - means[cell]) ** 2)) / x.std()
    return error


class QuantizationErrorDisplay:
    """What is lost of each column that a model reads, as bars.

    Parameters
    ----------
    error : float64 array of shape (n_columns,)
        From `quantization_error`, of the columns that are read.
    columns : sequence of str
        Their names.

    Attributes
    ----------
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where they are drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import SoftLinearClassifier
    >>> from skdistill.inspection import QuantizationErrorDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> linear = SoftLinearClassifier(input_bits=3).fit(X, y)
    >>> display = QuantizationErrorDisplay.from_estimator(linear, X)
    >>> bool((display.error > 0.05).all())
    True
    """

    def __init__(self, error: ArrayLike, columns: Any) -> None:
        self.error: NDArray[np.float64] = np.asarray(error, np.float64)
        self.columns = list(columns)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, ax: Any = None
    ) -> QuantizationErrorDisplay:
        """Draw the errors of a model.

        Parameters
        ----------
        estimator : CompactModel, student or distiller
            Whose codes they are.
        X : array-like of shape (n_samples, n_features)
            Rows that show how the columns are spread.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : QuantizationErrorDisplay
        """
        compact = compact_of(estimator)
        columns = compact.columns
        error = quantization_error(compact, X)[columns]
        return cls(error, [column_name(compact, int(j)) for j in columns]).plot(ax=ax)

    def plot(self, ax: Any = None) -> QuantizationErrorDisplay:
        """Draw the largest errors, at most 30.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        self : QuantizationErrorDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, self)
        shown = np.argsort(-np.nan_to_num(self.error), kind="stable")[:_MOST_BARS]
        names = [self.columns[j] for j in shown]
        barh(self.ax_, names, self.error[shown], "lost share of the standard deviation")
        return self
