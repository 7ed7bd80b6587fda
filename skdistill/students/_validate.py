"""What every student checks before it learns: rows, targets, weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from skdistill.compact import CategoryTable, CompactModel
from skdistill.compact.quantize import EXACT_INTEGER
from skdistill.frames import column_names, is_frame, read_table
from skdistill.frames.read import whole_columns
from skdistill.students.categories import fit_categories
from skdistill.students.class_weight import class_weights, row_weights, weigh_rows
from skdistill.students.loss import Loss, Newton, newton_terms, soft_cross_entropy
from skdistill.targets import SoftTargets, check_probabilities

BITS = {
    "threshold_bits": [Interval(Integral, 2, 16, closed="both")],
    "value_bits": [Interval(Integral, 2, 16, closed="both"), StrOptions({"ternary"})],
}
CATEGORIES = {"categorical_features": ["array-like", StrOptions({"from_dtype"}), None]}


class TrainingSet(NamedTuple):
    """What a student learns from; rows without weight are left out.

    Attributes
    ----------
    X : float32 or int32 array of shape (n, d)
        Ranks in columns of categories.
    targets : SoftTargets
    weight : float64 array of shape (n,), > 0
    classes : array of shape (K,), sorted
    names : array of shape (d,) or None
        Column names.
    categories : CategoryTable or None
    """

    X: NDArray[Any]
    targets: SoftTargets
    weight: NDArray[np.float64]
    classes: NDArray[Any]
    names: NDArray[Any] | None
    categories: CategoryTable | None = None

    @property
    def n_scores(self) -> int:
        """Score columns of a classifier: one for two classes, else one a class."""
        return len(self.classes) if len(self.classes) > 2 else 1

    def model(
        self, bias: Any, scale: float, *, link: str | None = None, **tables: Any
    ) -> CompactModel:
        """The compact model of some tables; the link is that of logits unless named."""
        if link is None:
            link = "sigmoid" if self.n_scores == 1 else "softmax"
        about = {"feature_names": self.names, "categories": self.categories}
        return CompactModel(self.X.shape[1], bias, scale, link, self.classes, **tables, **about)

    def loss(self, weight: NDArray[np.float64] | None = None) -> Loss:
        """The loss as a function of the logits."""
        return soft_cross_entropy(self.targets, self.weight if weight is None else weight)

    def newton_terms(self) -> Newton:
        """What a boosting round reads."""
        return newton_terms(self.targets, self.weight)

    @property
    def hints(self) -> tuple[NDArray[np.float64], float] | None:
        """Further targets for growth around their means, and their weight."""
        if self.targets.hints is None:
            return None
        given = self.targets.hints
        return given - np.average(given, axis=0, weights=self.weight), self.targets.hint_weight

    @property
    def safety(self) -> int:
        """By how much the diagonal of the Hessian may fall short of it: with several logits."""
        return 1 if self.n_scores == 1 else 2

    @property
    def intercept(self) -> bool:
        """Whether a model without linear part has a bias of its own."""
        return True

    @property
    def least_scale(self) -> float:
        """Least worth of a score; none is asked for."""
        return 0.0

    def single_class_model(self) -> CompactModel:
        """The model that knows no other class."""
        return self.model(np.zeros(1, np.int32), 1.0)


class RegressionSet(NamedTuple):
    """What a regressor learns from; rows without weight are left out.

    Attributes
    ----------
    X : float32 or int32 array of shape (n, d)
        Ranks in columns of categories.
    y : float64 array of shape (n, S)
    weight : float64 array of shape (n,), > 0
    names : array of shape (d,) or None
        Column names.
    categories : CategoryTable or None
    """

    X: NDArray[Any]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    names: NDArray[Any] | None
    categories: CategoryTable | None = None

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Weighted standard deviation of each target, 1 where it is constant, shape (S,).

        To eleven binary digits, which the order of the rows does not change.
        """
        reach = self.y.max(axis=0) - self.y.min(axis=0)  # first, for targets of any size
        reach = np.where(reach > 0, reach, 1.0)
        y = self.y / reach
        share = self.weight / self.weight.sum()
        variance = share @ (y - share @ y) ** 2
        mantissa, exponent = np.frexp(reach * np.where(variance > 0, np.sqrt(variance), 1.0))
        return np.ldexp(np.rint(np.ldexp(mantissa, 11)), exponent - 11)

    def model(self, bias: Any, scale: Any, **tables: Any) -> CompactModel:
        """The compact model of some tables."""
        about = {"feature_names": self.names, "categories": self.categories}
        return CompactModel(self.X.shape[1], bias, scale, "identity", None, **tables, **about)


def training_set(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    classes: ArrayLike | None,
    *,
    allow_nan: bool,
    hints: bool = False,
    class_weight: Any = None,
    sparse: bool = False,
) -> TrainingSet:
    """Validate what `fit` was given; `hints` says whether the estimator can use them."""
    wanted = getattr(estimator, "categorical_features", None)
    X, labels = check_rows(
        estimator, X, allow_nan=allow_nan, categorical_features=wanted, sparse=sparse
    )
    targets, classes = check_targets(y, classes, X.shape[0])
    if targets.hints is not None and not hints:
        raise ValueError(
            f"{type(estimator).__name__} cannot use hints: give them to a SoftTreeClassifier or "
            "a SoftBoostingClassifier"
        )
    weight = check_weights(sample_weight, X)
    if class_weight is not None:
        w = class_weights(class_weight, classes, targets, weight)
        weight = weigh_rows(class_weight, weight, row_weights(targets, w))
    seen = weight > 0
    if not seen.all():
        X, targets, weight = X[seen], targets.take(seen), weight[seen]
    X, categories = _ranked(X, labels, targets.mixture, weight)
    names = getattr(estimator, "feature_names_in_", None)
    return TrainingSet(X, targets, weight, classes, names, categories)


def regression_set(
    estimator: BaseEstimator,
    X: Any,
    y: Any,
    sample_weight: ArrayLike | None,
    *,
    allow_nan: bool,
    sparse: bool = False,
) -> RegressionSet:
    """Validate what a regressor's `fit` was given."""
    wanted = getattr(estimator, "categorical_features", None)
    X, labels = check_rows(
        estimator, X, allow_nan=allow_nan, categorical_features=wanted, sparse=sparse
    )
    y = check_values(y, X.shape[0])
    weight = check_weights(sample_weight, X)
    seen = weight > 0
    if not seen.all():
        X, y, weight = X[seen], y[seen], weight[seen]
    plain = RegressionSet(X, y, weight, getattr(estimator, "feature_names_in_", None))
    X, categories = _ranked(X, labels, lambda: y / plain.deviation, weight)
    return plain._replace(X=X, categories=categories)


def _ranked(
    X: NDArray[Any],
    labels: tuple[NDArray[Any] | None, ...],
    responses: Callable[[], NDArray[np.float64]],
    weight: NDArray[np.float64],
) -> tuple[NDArray[Any], CategoryTable | None]:
    """Ranks in place of indexes, and the table that says so."""
    if all(each is None for each in labels):
        return X, None
    categories = fit_categories(X, labels, responses(), weight)
    assert categories is not None
    return categories.rank(X), categories


def check_rows(
    estimator: BaseEstimator,
    X: Any,
    *,
    allow_nan: bool,
    categorical_features: Any,
    sparse: bool = False,
) -> tuple[NDArray[Any], tuple[NDArray[Any] | None, ...]]:
    """Validate the rows to learn from and cast them to what is compared.

    Returns
    -------
    X : float32 or int32 array of shape (n, d)
        Or float32 CSR of that shape, if `sparse` allows it.
        Indexes of the labels in columns of categories, NaN for a missing one.
    labels : tuple of d arrays or None

    Raises
    ------
    ValueError
        For infinities, values beyond float32, and integers that float32 would round; and as
        `read_table`.
    """
    wanted = categorical_features
    finite = "allow-nan" if allow_nan else True
    given = X
    if sparse and issparse(X):
        return _sparse_rows(estimator, X, finite), (None,) * X.shape[1]
    if is_frame(X) or (wanted is not None and not isinstance(wanted, str)):
        table = read_table(X, wanted)
        validate_data(estimator, X, skip_check_array=True)
        coded = [j for j, each in enumerate(table.labels) if each is not None]
        check_numbers(table.values, coded, finite=finite, estimator=estimator)
        X, labels = table.values, table.labels
    else:
        X = validate_data(estimator, X, dtype="numeric", ensure_all_finite=finite)
        labels = (None,) * X.shape[1]
    if X.dtype == np.int32:
        return X, labels
    _refuse_wide_integers(given, X)
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(X, dtype=np.float32)
    if np.isinf(X).any():
        raise ValueError("Input X contains infinity or a value too large for dtype('float32').")
    return X, labels


def _sparse_rows(estimator: BaseEstimator, X: Any, finite: bool | str) -> Any:
    """Sparse rows as float32 CSR."""
    X = validate_data(estimator, X, dtype="numeric", accept_sparse="csr", ensure_all_finite=finite)
    if X.dtype.kind in "iu" and (np.abs(X.data.astype(np.float64)) > EXACT_INTEGER).any():
        raise ValueError(
            "X holds integers beyond 2**24, which float32 would round: cast it to float"
        )
    with np.errstate(over="ignore"):
        X = X.astype(np.float32)
    if np.isinf(X.data).any():
        raise ValueError("Input X contains infinity or a value too large for dtype('float32').")
    return X


def check_numbers(X: NDArray[Any], coded: ArrayLike, *, finite: bool | str, estimator: Any) -> None:
    """Validate a table; only the columns beside those in `coded`, if any, have to be finite."""
    check_array(
        np.delete(X, coded, axis=1) if X.size else X,  # no rows, no columns: of the whole table
        ensure_all_finite=finite,
        ensure_min_features=0 if X.size else 1,
        estimator=estimator,
        input_name="X",
    )


def _refuse_wide_integers(given: Any, X: NDArray[Any]) -> None:
    """Refuse integers that the cast to float32 would round; a frame has a type for each column."""
    names = column_names(given) if is_frame(given) else range(X.shape[1])
    for column in np.flatnonzero(whole_columns(given)):
        values = X[:, column]
        if ((values > EXACT_INTEGER) | (values < -EXACT_INTEGER)).any():
            name = names[column]
            raise ValueError(
                f"column {name!r} holds integers beyond 2**24, which float32 would round: pass X "
                "as int32 to compare them exactly, or cast the column to float to accept rounding"
            )


def check_targets(
    y: Any, classes: ArrayLike | None, n_rows: int, *, named: str = "classes"
) -> tuple[SoftTargets, NDArray[Any]]:
    """Read labels, probabilities or `SoftTargets`.

    Returns
    -------
    targets : SoftTargets
        Columns in the order of `classes`.
    classes : array of shape (K,)
        Sorted.

    Raises
    ------
    ValueError
        For labels that `classes` does not name, rows that are no probabilities, and
        numbers of classes that disagree.
    """
    if y is None:
        raise ValueError("estimator requires y to be passed, but the target y is None")
    if isinstance(y, SoftTargets):
        check_consistent_length(y.teacher, np.empty(n_rows))
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
            stacklevel=3,
        )
        y = y[:, 0]
    check_consistent_length(y, np.empty(n_rows))
    if y.ndim == 2:
        return _probabilities(y, classes)
    y = column_or_1d(y)
    check_classification_targets(y)
    found, numbers = np.unique(y, return_inverse=True)
    if classes is not None:
        classes = np.unique(np.asarray(classes))
        unknown = np.setdiff1d(found, classes)
        if len(unknown):
            raise ValueError(f"y has labels that are not among {named}: {unknown.tolist()}")
        numbers, found = np.searchsorted(classes, y), classes
    return SoftTargets(np.zeros((n_rows, len(found))), numbers, alpha=0.0), found


def _probabilities(P: NDArray[Any], classes: ArrayLike | None) -> tuple[SoftTargets, NDArray[Any]]:
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


def check_values(y: Any, n_rows: int, name: str = "y") -> NDArray[np.float64]:
    """Read the targets of a regression.

    Returns
    -------
    y : float64 array of shape (n, S)

    Raises
    ------
    ValueError
        For what is not finite, and for values beyond float32, which no scale could give back.
    """
    if y is None:
        raise ValueError("estimator requires y to be passed, but the target y is None")
    y = check_array(y, ensure_2d=False, dtype=np.float64, input_name=name)
    y = y[:, None] if y.ndim == 1 else y
    check_consistent_length(y, np.empty(n_rows))
    if y.shape[1] == 0:
        raise ValueError(f"{name} has 0 columns: at least one target is needed")
    if np.abs(y).max() > np.finfo(np.float32).max:
        raise ValueError(
            f"Input {name} contains infinity or a value too large for dtype('float32')."
        )
    return y


def check_weights(sample_weight: ArrayLike | None, X: NDArray[Any]) -> NDArray[np.float64]:
    """Weights of the rows, float64 array of shape (n,), >= 0 and not all 0."""
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not (weight > 0).any():
        raise ValueError("sample_weight must be positive for at least one row")
    return weight
