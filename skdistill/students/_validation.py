"""Validation of what a student is fitted on: rows, targets and weights."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from skdistill.compact.tables.limits import INT32_MAX
from skdistill.dataframe import EncodedTable, is_frame, is_object_array, numeric_table, read_table
from skdistill.quantization.binning import EXACT_INTEGER
from skdistill.targets import SoftTargets, check_probabilities
from skdistill.utils._sklearn_compat import Interval, StrOptions, _check_sample_weight

BITS: dict[str, list[Any]] = {
    "threshold_bits": [Interval(Integral, 2, 16, closed="both")],
    "value_bits": [Interval(Integral, 2, 16, closed="both"), StrOptions({"ternary"})],
}
CATEGORIES: dict[str, list[Any]] = {
    "categorical_features": ["array-like", StrOptions({"from_dtype"}), None]
}
_SEEN_VALUES = 10_000  # rows of a column in which values are counted
TOO_LARGE = "Input {} contains infinity or a value too large for dtype('float32')."


def read_rows(
    estimator: BaseEstimator, X: Any, *, allow_nan: bool, categorical_features: Any
) -> EncodedTable:
    """Read and validate training rows.

    Parameters
    ----------
    estimator : estimator instance
        Gets ``n_features_in_`` and, where `X` has string column names, ``feature_names_in_``.
    X : EncodedTable, or data frame or array-like of shape (n_samples, n_features)
        The rows as they were passed to `fit`. An `EncodedTable` is not read again.
    allow_nan : bool
        Whether numbers may be NaN; categories may always be missing.
    categorical_features : "from_dtype", None or array-like
        Columns that hold categories, as in `read_table`.

    Returns
    -------
    table : EncodedTable
        Its values are numbers of any type, not yet cast to that in which they are compared.

    Raises
    ------
    ValueError
        For infinities and integers that float32 would round; and as `read_table`.
    """
    finite = "allow-nan" if allow_nan else True
    listed = not (categorical_features is None or isinstance(categorical_features, str))
    if isinstance(X, EncodedTable):
        table = X
        _set_feature_names(estimator, table)
    elif is_frame(X) or is_object_array(X) or listed:
        table = read_table(X, categorical_features, _parameter_of_categories(estimator))
        validate_data(estimator, X, skip_check_array=True)
    else:
        X = validate_data(estimator, X, dtype="numeric", ensure_all_finite=finite)
        table = numeric_table(X)
    if table.values is not X:  # else `validate_data` has seen the numbers
        categorical = np.flatnonzero(table.has_labels)
        check_numbers(table.values, categorical, finite=finite, estimator=estimator)
    _refuse_wide_integers(table)
    return table


def _parameter_of_categories(estimator: BaseEstimator) -> str | None:
    """What names the columns of categories: of a student, or of the student of a distiller."""
    parameters = estimator.get_params()
    names = ("categorical_features", "student__categorical_features")
    return next((name for name in names if name in parameters), None)


def check_rows(
    estimator: BaseEstimator,
    X: Any,
    *,
    allow_nan: bool,
    categorical_features: Any,
    sparse: bool = False,
) -> tuple[Any, tuple[NDArray[Any] | None, ...]]:
    """Validate training rows, and cast them to the type in which they are compared.

    Parameters
    ----------
    estimator, X, allow_nan, categorical_features
        As `read_rows` takes them; `X` may be a sparse matrix, too.
    sparse : bool, default=False
        Whether a sparse matrix stays one.

    Returns
    -------
    X : float32 or int32 array, or float32 CSR, of shape (n_samples, n_features)
        int32 only where the input is. Columns of categories hold indexes of labels, NaN for a
        missing one.
    labels : tuple of length n_features
        The labels of each column of categories, None for a column of numbers.

    Raises
    ------
    ValueError
        For infinities, values beyond float32, and integers that float32 would round; and as
        `read_table`.
    """
    if sparse and issparse(X):
        X = _check_sparse_rows(estimator, X, "allow-nan" if allow_nan else True)
        return X, (None,) * X.shape[1]
    table = read_rows(estimator, X, allow_nan=allow_nan, categorical_features=categorical_features)
    return compared_values(table), table.labels


def compared_values(table: EncodedTable) -> NDArray[Any]:
    """Cast the values of a table to the type in which they are compared.

    Parameters
    ----------
    table : EncodedTable
        As `read_rows` returns it.

    Returns
    -------
    X : float32 or int32 array of shape (n_samples, n_features)
        int32 if all values are.

    Raises
    ------
    ValueError
        For values beyond float32.

    Warns
    -----
    UserWarning
        For a column of float64 numbers of which float32 leaves less than nine tenths.
    """
    X: NDArray[Any] = table.values
    if X.dtype == np.int32:
        return X
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(X, dtype=np.float32)
    if np.isinf(X).any():
        raise ValueError(TOO_LARGE.format("X"))
    _warn_of_merged_values(table, X)
    return X


def _warn_of_merged_values(table: EncodedTable, X: NDArray[np.float32]) -> None:
    """Warn of columns whose values float32 no longer tells apart, such as time stamps.

    Of a column of random numbers float32 merges a few, which harms nothing: only columns that lose
    a tenth of their values count. `_SEEN_VALUES` rows show that, for more of them in which hardly
    any merge leave more numbers than a tree has thresholds.
    """
    if table.values.dtype != np.float64:
        return
    rows = slice(None, None, max(1, len(X) // _SEEN_VALUES))
    for j in np.flatnonzero(~table.has_labels).tolist():
        exact = table.values[rows, j]
        if np.array_equal(exact, X[rows, j], equal_nan=True):
            continue
        exact = np.unique(exact[~np.isnan(exact)])
        # 5.1 + 0.1 and 5.2 are one number to those who wrote them.
        exact = exact[np.append(np.diff(exact) > 2.0**-48 * np.abs(exact[1:]), True)]
        n_left = len(np.unique(exact.astype(np.float32)))
        if n_left > 0.9 * len(exact):
            continue
        name = j if table.names is None else table.names[j]
        whole = (exact == np.floor(exact)).all() and np.abs(exact).max() <= INT32_MAX
        remedy = "pass X as int32, or subtract" if whole else "subtract"
        warnings.warn(
            f"float32 leaves {n_left:,} of {len(exact):,} values of column {name!r}: to tell them "
            f"apart, {remedy} an offset from the column",
            UserWarning,
            stacklevel=2,
        )


def _set_feature_names(estimator: Any, table: EncodedTable) -> None:
    """Set what `validate_data` would, were the data frame at hand."""
    estimator.n_features_in_ = len(table.labels)
    vars(estimator).pop("feature_names_in_", None)
    if table.names is not None:
        estimator.feature_names_in_ = np.array(table.names, dtype=object)


def _check_sparse_rows(estimator: BaseEstimator, X: Any, finite: bool | str) -> Any:
    """Sparse rows as float32 CSR."""
    X = validate_data(estimator, X, dtype="numeric", accept_sparse="csr", ensure_all_finite=finite)
    if X.dtype.kind in "iu" and (np.abs(X.data.astype(np.float64)) > EXACT_INTEGER).any():
        raise ValueError(
            "X holds integers beyond 2**24, which float32 would round: cast it to float"
        )
    with np.errstate(over="ignore"):
        X = X.astype(np.float32)
    if np.isinf(X.data).any():
        raise ValueError(TOO_LARGE.format("X"))
    return X


def check_numbers(X: NDArray[Any], categorical: Any, *, finite: bool | str, estimator: Any) -> None:
    """Validate the columns of numbers of a table that was read.

    Parameters
    ----------
    X : array of shape (n_samples, n_features)
        Values of the table.
    categorical : sequence of int
        Columns of categories, whose NaN and unknown labels are always allowed.
    finite : bool or "allow-nan"
        As `ensure_all_finite` of `sklearn.utils.check_array`.
    estimator : estimator instance
        For the message.

    Raises
    ------
    ValueError
        For NaN and infinities that `finite` does not allow, and for a table without rows or
        columns.
    """
    check_array(
        np.delete(X, categorical, axis=1) if X.size else X,  # nothing at all: of the whole table
        ensure_all_finite=finite,
        ensure_min_features=0 if X.size else 1,
        estimator=estimator,
        input_name="X",
    )


def _refuse_wide_integers(table: EncodedTable) -> None:
    """Refuse integers that the cast to float32 would round, but for rows that are all int32."""
    if table.values.dtype == np.int32:
        return
    for j, form in enumerate(table.formats):
        if not form.is_integer:
            continue
        if (np.abs(table.values[:, j].astype(np.float64)) > EXACT_INTEGER).any():
            name = j if table.names is None else table.names[j]
            raise ValueError(
                f"column {name!r} holds integers beyond 2**24, which float32 would round: pass X "
                "as int32 to compare them exactly, or cast the column to float to accept rounding"
            )


def check_targets(
    y: Any, classes: ArrayLike | None, n_samples: int, *, named: str = "classes"
) -> tuple[SoftTargets, NDArray[Any]]:
    """Validate the targets of a classification: labels, probabilities or `SoftTargets`.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_classes), or SoftTargets
        The targets as they were passed to `fit`.
    classes : array-like of shape (n_classes,), or None
        Names of the columns of a 2-D `y` in their order, or all classes that a 1-D `y` may have.
        None are the labels of a 1-D `y`, the columns of a data frame, or 0 … n_classes − 1.
    n_samples : int
        Number of rows.
    named : str, default="classes"
        What the message calls `classes`.

    Returns
    -------
    targets : SoftTargets
        Columns in the order of the returned classes.
    classes : array of shape (n_classes,)
        Sorted, but for `SoftTargets`, whose columns are not moved.

    Raises
    ------
    ValueError
        For labels that `classes` does not name, rows that are no probabilities, numbers of
        classes that disagree, and hints that are not finite or of another number of rows.
    """
    if y is None:
        raise ValueError("estimator requires y to be passed, but the target y is None")
    if isinstance(y, SoftTargets):
        check_consistent_length(y.teacher, np.empty(n_samples))
        if y.hints is not None:
            check_consistent_length(check_array(y.hints, input_name="hints"), y.teacher)
        classes = np.arange(y.n_classes) if classes is None else np.asarray(classes)
        if len(classes) != y.n_classes:
            raise ValueError(f"classes names {len(classes)} classes, y has {y.n_classes}")
        return y, classes
    if classes is None and hasattr(y, "columns") and len(y.columns) > 1:
        classes = list(y.columns)
    y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    if y.ndim == 2 and y.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of "
            "y to (n_samples,), for example using ravel().",
            DataConversionWarning,
            stacklevel=5,  # the caller of a student's `fit`
        )
        y = y[:, 0]
    check_consistent_length(y, np.empty(n_samples))
    if y.ndim == 2:
        return _check_probability_targets(y, classes)
    y = column_or_1d(y)
    try:
        check_classification_targets(y)
        present, numbers = np.unique(y, return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y})
        raise TypeError(f"y must hold labels of one type, to be sorted, got {kinds}") from error
    if classes is not None:
        classes = np.unique(np.asarray(classes))
        unknown = np.setdiff1d(present, classes)
        if len(unknown):
            raise ValueError(f"y has labels that are not among {named}: {unknown.tolist()}")
        numbers, present = np.searchsorted(classes, y), classes
    return SoftTargets(np.zeros((n_samples, len(present))), numbers, alpha=0.0), present


def _check_probability_targets(
    P: NDArray[Any], classes: ArrayLike | None
) -> tuple[SoftTargets, NDArray[Any]]:
    several = (
        "labels of several outputs need a sklearn.multioutput.MultiOutputClassifier around the "
        "estimator"
    )
    if P.dtype.kind not in "biuf":
        raise ValueError(f"a 2-D y must hold probabilities, got dtype {P.dtype}: {several}")
    P = check_probabilities(P, remedy=f"rows must be probabilities; {several}")
    if classes is None:
        return SoftTargets(P), np.arange(P.shape[1])
    classes, order = np.unique(np.asarray(classes), return_index=True)
    if len(classes) != P.shape[1]:
        raise ValueError(
            f"classes names {len(classes)} different classes, y has {P.shape[1]} columns"
        )
    return SoftTargets(P[:, order]), classes


def check_values(y: Any, n_samples: int, name: str = "y") -> NDArray[np.float64]:
    """Validate the targets of a regression.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The targets as they were passed to `fit`.
    n_samples : int
        Number of rows.
    name : str, default="y"
        What messages call the targets.

    Returns
    -------
    y : float64 array of shape (n_samples, n_outputs)

    Raises
    ------
    ValueError
        For NaN and infinities, and for values beyond float32, which no scale could give back.
    """
    if y is None:
        raise ValueError("estimator requires y to be passed, but the target y is None")
    values: NDArray[np.float64] = check_array(y, ensure_2d=False, dtype=np.float64, input_name=name)
    values = values[:, None] if values.ndim == 1 else values
    check_consistent_length(values, np.empty(n_samples))
    if values.shape[1] == 0:
        raise ValueError(f"{name} has 0 columns: at least one target is needed")
    if np.abs(values).max() > np.finfo(np.float32).max:
        raise ValueError(TOO_LARGE.format(name))
    return values


def check_weights(sample_weight: ArrayLike | None, X: Any) -> NDArray[np.float64]:
    """Validate the weights of the rows.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), or None
        None gives every row the weight 1.
    X : array or CSR of shape (n_samples, n_features)
        The rows.

    Returns
    -------
    weight : float64 array of shape (n_samples,)

    Raises
    ------
    ValueError
        For weights that are negative or not finite, and where all of them are 0.
    """
    weight: NDArray[np.float64] = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    if not (weight > 0).any():
        raise ValueError("sample_weight must be positive for at least one row")
    return weight
