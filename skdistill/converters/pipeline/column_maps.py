"""What fitted preprocessing does to each column, as far as it can be folded.

Raw columns are those that the first step reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

REMEDY = (
    "apply it to the rows before the model and fold the steps behind it, or convert the last step "
    "alone"
)
"""What to do about a step that cannot be folded."""


@dataclass(frozen=True)
class ColumnMaps:
    """Columns behind some steps: each is a function of one raw column, and never falls.

    Attributes
    ----------
    n_features : int
        Number of raw columns.
    raw_column : int array of shape (n_features_out,)
        The raw column that each column behind the steps is a function of.
    center, factor : float64 arrays of shape (n_features_out,)
        But for rounding, clipping and the replacement of NaN, a value is
        ``(x - center) * factor``.
    scaled_by, clipped_by, bent_by : str arrays of shape (n_features_out,), of objects
        The last step that computes with the numbers, the last one that clips them, and the
        last one that is no scaling, as a logarithm; "" where none does. A column that a step
        bends has no center and no factor.
    refusal : str array of shape (n_features_out,), of objects
        Why the column cannot be folded; "" where it can.
    transform : callable
        What the steps do to a float array of shape (n_samples, n_features).
    """

    n_features: int
    raw_column: NDArray[np.intp]
    center: NDArray[np.float64]
    factor: NDArray[np.float64]
    scaled_by: NDArray[Any]
    clipped_by: NDArray[Any]
    bent_by: NDArray[Any]
    refusal: NDArray[Any]
    transform: Callable[[NDArray[Any]], NDArray[Any]]

    def then(self, later: ColumnMaps) -> ColumnMaps:
        """Maps of these steps and later ones.

        Parameters
        ----------
        later : ColumnMaps
            Whose raw columns are the columns behind these steps.

        Returns
        -------
        maps : ColumnMaps
        """
        at = later.raw_column
        factor = self.factor[at]
        with np.errstate(divide="ignore", invalid="ignore"):  # has a refusal
            center = self.center[at] + later.center / factor
        return ColumnMaps(
            self.n_features,
            self.raw_column[at],
            center,
            factor * later.factor,
            _first_text(later.scaled_by, self.scaled_by[at]),
            _first_text(later.clipped_by, self.clipped_by[at]),
            _first_text(later.bent_by, self.bent_by[at]),
            _first_text(self.refusal[at], later.refusal),
            lambda X: later.transform(self.transform(X)),
        )

    def nan_values(self, dtype: str) -> NDArray[Any]:
        """What the steps make of NaN.

        Parameters
        ----------
        dtype : {"float32", "float64"}
            Of the rows.

        Returns
        -------
        values : float array of shape (n_features_out,)
            NaN where no step replaces it.
        """
        values: NDArray[Any] = self.transform(np.full((1, self.n_features), np.nan, dtype))[0]
        return values

    def require_foldable(self, columns: NDArray[np.integer], names: Sequence[Any]) -> None:
        """Refuse columns that are no rising function of a raw one.

        Parameters
        ----------
        columns : int array
            Columns behind the steps that the model reads.
        names : sequence of length `n_features`
            Of the raw columns.

        Raises
        ------
        ValueError
            That names the column and the step.
        """
        for column in columns:
            if self.refusal[column]:
                name = names[self.raw_column[column]]
                raise ValueError(f"column {name!r} cannot be folded: {self.refusal[column]}")

    def require_scalings(
        self, columns: NDArray[np.integer], names: Sequence[Any], reader: str
    ) -> None:
        """Refuse columns that a step bends, which no weight can follow.

        Parameters
        ----------
        columns : int array
            Columns behind the steps that a linear model reads.
        names : sequence of length `n_features`
            Of the raw columns.
        reader : str
            Of the linear model, for the message.

        Raises
        ------
        ValueError
            That names the column and the step.
        """
        for column in columns:
            if self.bent_by[column]:
                name = names[self.raw_column[column]]
                raise ValueError(
                    f"step {self.bent_by[column]!r} is no scaling of column {name!r}, so that "
                    f"{reader} cannot be folded, which weighs it: only trees follow such steps; "
                    f"{REMEDY}"
                )


def _first_text(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Texts of `a`, and where they are empty those of `b`."""
    return np.where(a == "", b, a).astype(object)


def untouched(columns: NDArray[np.intp], n_features: int) -> ColumnMaps:
    """Some of the raw columns as they are.

    Parameters
    ----------
    columns : int array of shape (n_features_out,)
        Which of them, in which order.
    n_features : int
        Number of raw columns.

    Returns
    -------
    maps : ColumnMaps
    """
    zeros, empty = np.zeros(len(columns)), np.full(len(columns), "", object)
    return ColumnMaps(
        n_features,
        columns,
        zeros,
        zeros + 1,
        scaled_by=empty,
        clipped_by=empty,
        bent_by=empty,
        refusal=empty,
        transform=lambda X: X[:, columns],
    )


def side_by_side(parts: list[tuple[NDArray[np.intp], ColumnMaps]], n_features: int) -> ColumnMaps:
    """Columns of several maps beside one another.

    Parameters
    ----------
    parts : list of (columns, maps)
        Maps, and the raw columns that each of them reads.
    n_features : int
        Number of raw columns.

    Returns
    -------
    maps : ColumnMaps
    """
    parts = [(np.arange(0), untouched(np.arange(0), 0)), *parts]

    def transform(X: NDArray[Any]) -> NDArray[Any]:
        blocks = [part.transform(X[:, at]) for at, part in parts[1:]]
        return np.hstack([np.empty((len(X), 0), X.dtype), *blocks])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for _, part in parts])

    return ColumnMaps(
        n_features,
        np.concatenate([at[part.raw_column] for at, part in parts]),
        joined("center"),
        joined("factor"),
        joined("scaled_by"),
        joined("clipped_by"),
        joined("bent_by"),
        joined("refusal"),
        transform,
    )
