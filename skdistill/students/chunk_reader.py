"""What students read of a chunk, once a sample has told them how.

Readers are sent to other processes: they hold what they need and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skdistill.chunks import Chunk
from skdistill.compact import CategoryTable
from skdistill.dataframe import encode_table, is_frame, is_object_array
from skdistill.quantization.binning import EXACT_INTEGER
from skdistill.students._validation import (
    TOO_LARGE,
    check_numbers,
    check_targets,
    check_values,
    check_weights,
)
from skdistill.students.class_weight import row_weights
from skdistill.targets import SoftTargets


@dataclass(frozen=True)
class RowReader:
    """Reads rows as the sample was read.

    Parameters
    ----------
    dtype : str
        "float32" or "int32": in which values are compared.
    categories : CategoryTable
        Labels and ranks of columns of categories.
    names : tuple of str or None
        Column names, where all of them are strings.
    estimator : str
        Name of the estimator, for messages.
    """

    dtype: str
    categories: CategoryTable
    names: tuple[str, ...] | None
    estimator: str

    def read(self, X: Any) -> NDArray[Any]:
        """Numbers of some rows, with ranks in place of categories.

        Parameters
        ----------
        X : data frame or array of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        X : float32 or int32 array of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            For infinities, values beyond float32, integers that float32 would round, and numbers
            of another type where the sample is int32.
        """
        columns = self.categories.columns
        if is_frame(X) or is_object_array(X) or len(columns):
            values = encode_table(X, columns, self.categories.labels, self.names)
            check_numbers(values, columns, finite="allow-nan", estimator=self.estimator)
        else:
            values = check_array(X, dtype="numeric", ensure_all_finite="allow-nan", input_name="X")
        if self.dtype == "int32":
            if values.dtype != np.int32:
                raise ValueError(
                    f"X is {values.dtype}, chunks before it are int32: pass all as one type"
                )
            return self.categories.rank(values)
        if values.dtype.kind in "iu" and (np.abs(values.astype(np.float64)) > EXACT_INTEGER).any():
            raise ValueError(
                "X holds integers beyond 2**24, which float32 would round: cast the column to "
                "float to accept rounding"
            )
        with np.errstate(over="ignore"):
            numbers = np.ascontiguousarray(values, np.float32)
        if np.isinf(numbers).any():
            raise ValueError(TOO_LARGE.format("X"))
        return self.categories.rank(numbers)


@dataclass(frozen=True)
class TargetReader:
    """Reads targets and weights of a classification.

    Parameters
    ----------
    classes : array of shape (n_classes,) or None
        As `check_targets` takes them.
    class_weight : float64 array of shape (n_classes,) or None
        Weights of the classes.
    largest_weight : float or None
        A bound of all weights; None where rows have none.
    """

    classes: NDArray[Any] | None
    class_weight: NDArray[np.float64] | None
    largest_weight: float | None

    def read(self, chunk: Chunk) -> tuple[SoftTargets, NDArray[np.float64] | None]:
        """Targets of some rows, and their weights if these differ.

        Parameters
        ----------
        chunk : Chunk
            With targets.

        Returns
        -------
        targets : SoftTargets
        weight : float64 array of shape (n_samples,) or None

        Raises
        ------
        ValueError
            As `check_targets`, and for weights that are negative or not finite.
        """
        targets, _ = check_targets(chunk.y, self.classes, chunk.n_samples)
        if self.largest_weight is None:
            return targets, None
        weight = read_weights(chunk)
        if self.class_weight is not None:
            weight = weight * row_weights(targets, self.class_weight)
        return targets, weight


@dataclass(frozen=True)
class ValueReader:
    """Reads targets and weights of a regression.

    Parameters
    ----------
    n_outputs : int
        Targets of a row.
    largest_weight : float or None
        The largest of all weights; None where rows have none.
    """

    n_outputs: int
    largest_weight: float | None

    def read(self, chunk: Chunk) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values of some rows, and their weights.

        Parameters
        ----------
        chunk : Chunk
            With targets.

        Returns
        -------
        y : float64 array of shape (n_samples, n_outputs)
        weight : float64 array of shape (n_samples,)
        """
        y = check_values(chunk.y, chunk.n_samples)
        if y.shape[1] != self.n_outputs:
            raise ValueError(f"y has {y.shape[1]} columns, chunks before it have {self.n_outputs}")
        return y, read_weights(chunk)


def read_weights(chunk: Chunk) -> NDArray[np.float64]:
    """Weights of the rows of a chunk, 1 where it has none.

    Parameters
    ----------
    chunk : Chunk
        Its weights may all be 0: those of other chunks are not.

    Returns
    -------
    weight : float64 array of shape (n_samples,)

    Raises
    ------
    ValueError
        For weights that are negative or not finite.
    """
    if chunk.sample_weight is None:
        return np.ones(chunk.n_samples)
    weight = np.asarray(chunk.sample_weight, np.float64)
    return check_weights(weight, np.empty((chunk.n_samples, 1))) if weight.any() else weight
