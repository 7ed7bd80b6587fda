"""Rows of a search: those with labels, and those that teachers label."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import type_of_target

from skdistill.dataframe import EncodedTable
from skdistill.distillation._base import read_training_rows
from skdistill.students._validation import check_targets, check_values, check_weights
from skdistill.transfer.further_rows import further_tables

CATEGORIES = "from_dtype"  # how rows are read


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


def read_data(search: Any, X: Any, y: Any, sample_weight: Any, X_unlabeled: Any) -> SearchData:
    """Validate the rows of a search.

    Parameters
    ----------
    search : estimator
        With `task`; gets ``n_features_in_`` and perhaps ``feature_names_in_``.
    X, y, sample_weight, X_unlabeled
        As they were passed to `fit`.

    Returns
    -------
    data : SearchData

    Raises
    ------
    ValueError
        If they do not fit together, or cannot be learnt.
    TypeError
        If labels have several types.
    """
    rows = read_training_rows(search, X, CATEGORIES)
    if y is None:
        raise ValueError(
            f"{type(search).__name__} requires y to be passed, but the target y is None"
        )
    weight = check_weights(sample_weight, rows.values)
    further = further_tables(rows, None, X_unlabeled, 0, CATEGORIES)
    unlabeled = further[0] if further else None
    weighted = sample_weight is not None
    if search.task == "regression":
        values = check_values(y, rows.n_samples)
        values = values[:, 0] if values.shape[1] == 1 else values
        return SearchData(rows, values, None, None, weight, weighted, unlabeled)
    shape = np.asarray(y).shape
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(f"y must hold labels, one a row, got shape {shape}")
    if np.asarray(y).dtype.kind == "f":
        assert_all_finite(y, input_name="y")
        if type_of_target(y).startswith("continuous"):
            raise ValueError(
                "Unknown label type: continuous; to learn values pass task='regression'"
            )
    targets, classes = check_targets(y, None, rows.n_samples)
    labels = classes[targets.hard]
    return SearchData(rows, labels, targets.hard, classes, weight, weighted, unlabeled)


def check_whole_rows(rows: EncodedTable, input_dtype: str, name: str) -> None:
    """Refuse rows that a device with inputs of a type would not see as the search does.

    Parameters
    ----------
    rows : EncodedTable
        Rows of the search.
    input_dtype : {"int8", "uint8", "int16", "uint16", "int32"}
        Type of the inputs of the device.
    name : str
        Of the parameter that they are.

    Raises
    ------
    ValueError
        If a number is not whole, or beyond the type; names its column.
    """
    low, high = np.iinfo(input_dtype).min, np.iinfo(input_dtype).max
    for column in np.flatnonzero(~rows.has_labels):
        values = rows.values[:, column]
        values = values[np.isfinite(values)]
        wrong = values[(np.rint(values) != values) | (values < low) | (values > high)]
        if len(wrong):
            raise ValueError(
                f"input_dtype={input_dtype!r} needs whole numbers from {low} to {high}, "
                f"and column {column} of {name} has {wrong[0]:g}: pass the numbers that the device "
                "reads, or take input_dtype='float32'"
            )
