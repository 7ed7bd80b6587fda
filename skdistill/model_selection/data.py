"""Rows of a search: those with labels, and those that teachers label."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.dataframe import EncodedTable


class SearchData(NamedTuple):
    """Rows of a search, validated.

    Attributes
    ----------
    rows : EncodedTable
        Training rows.
    y : array of shape (n_samples,) or (n_samples, n_outputs)
        Labels, or values as float64.
    codes : int array of shape (n_samples,) or None
        Numbers of the classes; None for a regression.
    classes : array of shape (n_classes,) or None
        Sorted.
    weight : float64 array of shape (n_samples,)
        Of the rows.
    is_weighted : bool
        Whether weights were passed.
    unlabeled : EncodedTable or None
        Further rows of the user.
    """

    rows: EncodedTable
    y: NDArray[Any]
    codes: NDArray[np.intp] | None
    classes: NDArray[Any] | None
    weight: NDArray[np.float64]
    is_weighted: bool
    unlabeled: EncodedTable | None


class FurtherRows(NamedTuple):
    """Rows beside the training rows, and the responses of a teacher.

    Attributes
    ----------
    rows : EncodedTable
        They have no labels.
    response : float64 array of shape (n_rows, n_columns)
        Of a teacher.
    """

    rows: EncodedTable
    response: NDArray[np.float64]
