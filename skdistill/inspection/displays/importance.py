"""Which columns student and teacher rely on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.inspection import permutation_importance

from skdistill.device.profile import compact_of
from skdistill.export.readable.conditions import column_name
from skdistill.inspection.displays._axes import new_axes
from skdistill.inspection.predictions import require_teacher


class ImportanceDisplay:
    """Importance of each column for the student against that for the teacher.

    Parameters
    ----------
    teacher, student : float64 array of shape (n_features,)
        Loss of score where a column is permuted.
    columns : sequence of str
        Names of the columns.

    Attributes
    ----------
    points_ : matplotlib.collections.PathCollection
        A point for each column.
    ax_, figure_ : matplotlib.axes.Axes, matplotlib.figure.Figure
        Where they are drawn.

    Examples
    --------
    >>> from skdistill.inspection import ImportanceDisplay
    >>> display = ImportanceDisplay([0.3, 0.1], [0.2, 0.0], ["a", "b"]).plot()
    >>> display.unread
    ['b']
    """

    def __init__(self, teacher: ArrayLike, student: ArrayLike, columns: Any) -> None:
        self.teacher: NDArray[np.float64] = np.asarray(teacher, np.float64)
        self.student: NDArray[np.float64] = np.asarray(student, np.float64)
        self.columns = list(columns)

    @property
    def unread(self) -> list[str]:
        """Columns that matter to the teacher, by a hundredth of its sum, and not to the student."""
        least = 0.01 * np.maximum(self.teacher, 0).sum()
        matters = (self.teacher > least) & (self.student == 0)
        return [self.columns[j] for j in np.flatnonzero(matters)]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        teacher: Any = None,
        n_repeats: int = 5,
        random_state: Any = None,
        ax: Any = None,
    ) -> ImportanceDisplay:
        """Permute each column and draw what student and teacher lose.

        Parameters
        ----------
        estimator : estimator
            Fitted student or distiller.
        X : array-like of shape (n_samples, n_features)
            Rows that neither has seen.
        y : array-like of shape (n_samples,)
            Their labels or values.
        teacher : estimator, default=None
            Fitted; None is ``estimator.teacher_``.
        n_repeats : int, default=5
            Permutations of each column.
        random_state : int, RandomState instance or None, default=None
            Seed of the permutations.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.

        Returns
        -------
        display : ImportanceDisplay
        """
        teacher = require_teacher(estimator, teacher)
        means = [
            permutation_importance(
                each, X, y, n_repeats=n_repeats, random_state=random_state
            ).importances_mean
            for each in (teacher, estimator)
        ]
        compact = compact_of(estimator)
        columns = [column_name(compact, j) for j in range(compact.n_features)]
        return cls(means[0], means[1], columns).plot(ax=ax)

    def plot(self, ax: Any = None, *, n_names: int = 8) -> ImportanceDisplay:
        """Draw a point for each column.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes new ones.
        n_names : int, default=8
            Columns that are named, those that matter most to either.

        Returns
        -------
        self : ImportanceDisplay
        """
        self.figure_, self.ax_ = new_axes(ax, self)
        self.points_ = self.ax_.scatter(self.teacher, self.student)
        most = max(self.teacher.max(initial=0), self.student.max(initial=0))
        self.ax_.plot([0, most], [0, most], ":", color="0.6")
        size = np.maximum(self.teacher, self.student)
        for j in np.argsort(-size, kind="stable")[:n_names]:
            at = self.teacher[j], self.student[j]
            self.ax_.annotate(self.columns[j], at, xytext=(4, 3), textcoords="offset points")
        self.ax_.set(xlabel="importance for the teacher", ylabel="importance for the student")
        return self
