"""Linear estimators in integers: how their inputs are rounded, and their weights."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor

from skdistill.compact import LinearTable
from skdistill.compact._frozen import require
from skdistill.compact.model_tables import VALUE_LINKS
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.compact.tables.linear_table import quantize_input
from skdistill.quantization.binning import EXACT_INTEGER, simplest
from skdistill.quantization.linear_weights import linear_logits, linear_values
from skdistill.quantization.resolution import (
    MOST_LOST,
    rounding_error,
    takes_the_range,
    warn_of_lost_resolution,
)

_MAX = float(np.finfo(np.float32).max)
_FLOAT_BITS = 14  # of inputs that are no whole numbers, unless a number of bits is given


class LinearCoefficients(NamedTuple):
    """What was read of a fitted linear estimator.

    Attributes
    ----------
    name : str
        Of the class, for messages.
    coef : float64 array of shape (n_features, n_scores)
        What each column adds to each score.
    intercept : float64 array of shape (n_scores,)
        Scores of a row of zeros.
    link : {"sigmoid", "softmax", "identity", "exp"}
        What makes predictions of the scores, as in a `CompactModel`.
    nan_values : float64 array of shape (n_features,), or None
        The number that a missing value of each column counts as, and NaN for columns that
        may have none. None is NaN for all columns.
    """

    name: str
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    link: str
    nan_values: NDArray[np.float64] | None = None

    def columns_read(self) -> NDArray[np.intp]:
        """Columns with a coefficient other than 0, ascending."""
        return np.flatnonzero(self.coef.any(axis=1))


def read_linear(estimator: Any) -> LinearCoefficients:
    """Read a fitted linear estimator of scikit-learn.

    Parameters
    ----------
    estimator : LogisticRegression, RidgeClassifier, LinearRegression, Ridge, Lasso, ElasticNet, \
PoissonRegressor, GammaRegressor or TweedieRegressor
        Fitted; the variants with cross-validation too.

    Returns
    -------
    coefficients : LinearCoefficients

    Raises
    ------
    ValueError
        For a logistic regression of one class against the rest.
    """
    coef = estimator.coef_
    coef = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else coef).T.astype(np.float64)
    intercept = np.zeros(coef.shape[1]) + np.ravel(estimator.intercept_)
    link, name = "exp" if _has_log_link(estimator) else "identity", type(estimator).__name__
    if hasattr(estimator, "classes_"):
        link = "sigmoid" if coef.shape[1] == 1 else "softmax"
        multi_class = getattr(estimator, "multi_class", "auto")
        one_vs_rest = link == "softmax" and getattr(estimator, "solver", "") == "liblinear"
        if multi_class not in ("auto", "deprecated") or one_vs_rest:
            raise ValueError(
                f"multi_class={multi_class!r} of {name} with solver={estimator.solver!r} is not "
                "supported: fit it with another solver and without multi_class"
            )
    return LinearCoefficients(name, coef, intercept, link)


def _has_log_link(estimator: Any) -> bool:
    if isinstance(estimator, TweedieRegressor):
        return bool(estimator.link == "log" or (estimator.link == "auto" and estimator.power > 0))
    return isinstance(estimator, PoissonRegressor | GammaRegressor)


def warn_of_rounded_inputs(linear: LinearCoefficients, X: NDArray[Any], names: Any) -> None:
    """Warn where rows lose much of what they say by being rounded to float32.

    Parameters
    ----------
    linear : LinearCoefficients
        What was read of the estimator.
    X : array of shape (n_samples, n_features)
        Rows before they are rounded.
    names : sequence of str, or None
        Of the columns.

    Warns
    -----
    UserWarning
        If the scores of the rows change by more than a hundredth of their standard deviation.
    """
    columns = linear.columns_read()
    exact = X[:, columns].astype(np.float64)
    with np.errstate(over="ignore"):
        change = exact.astype(np.float32) - exact
    used = np.isfinite(change).all(axis=1)
    if not change[used].any():
        return
    deviation = (exact[used] @ linear.coef[columns]).std(axis=0)
    error = np.sqrt(np.mean((change[used] @ linear.coef[columns]) ** 2, axis=0))
    lost = float(np.max(error[deviation > 0] / deviation[deviation > 0], initial=0))
    if lost > MOST_LOST:
        parts = np.abs(change[used]).mean(axis=0) * np.abs(linear.coef[columns]).max(axis=1)
        worst = columns[parts.argmax()]
        name = int(worst) if names is None else str(names[worst])
        warnings.warn(
            f"float32 rounds the inputs of {linear.name}, which loses {lost:.1%} of the standard "
            f"deviation of its scores, most of it by column {name!r}: subtract an offset from the "
            "column before the fit",
            UserWarning,
            stacklevel=4,  # the caller of `convert`
        )


def linear_tables(
    linear: LinearCoefficients,
    X: NDArray[Any] | None,
    input_bits: int | None,
    value_bits: int | str,
) -> tuple[NDArray[np.int32], Any, tuple[LinearTable, ...]]:
    """Quantize a linear estimator.

    Parameters
    ----------
    linear : LinearCoefficients
        What was read of the estimator.
    X : float32 or int32 array of shape (n_samples, n_features), or None
        Rows that show the range of the inputs. A column that is constant in them counts as
        constant.
    input_bits : int in [2, 16] or None
        Bits of the inputs at most. None takes as many as whole numbers need, at least 8, and 14
        for other numbers. A regression far from 0 gets fewer, down to 8, where that loses less:
        its constant takes the range that fine steps would need.
    value_bits : int in [2, 16] or "ternary"
        Bits of the weights.

    Returns
    -------
    bias : int32 array of shape (n_scores,)
    scale : float, or float64 array of shape (n_scores,) for a regression
    tables : tuple of LinearTable
        Empty where no column counts.

    Raises
    ------
    ValueError
        Without rows, or where they have NaN in columns that may have none.

    Warns
    -----
    UserWarning
        If int32 scores lose more than a hundredth of the standard deviation of a target.
    """
    if X is None:
        raise ValueError(
            f"{linear.name} needs X: rows that show the range of its inputs, which become integers"
        )
    nan_values = np.full(X.shape[1], np.nan, np.float32)
    if linear.nan_values is not None:
        nan_values = linear.nan_values.astype(np.float32)
    X = np.where(linear.coef.any(axis=1), X.astype(np.float32), np.float32(0))
    X = np.where(np.isnan(X), nan_values, X)
    require(not np.isnan(X).any(), f"X has NaN, which {linear.name} does not know")
    varies = (X.min(axis=0) < X.max(axis=0)) & linear.coef.any(axis=1)
    intercept = linear.intercept + X[0, ~varies] @ linear.coef[~varies]
    linear = linear._replace(coef=np.where(varies[:, None], linear.coef, 0), intercept=intercept)
    if not varies.any():
        empty = np.empty((len(X), 0)), np.empty((0, len(intercept))), intercept, np.ones(len(X))
        _, bias, scale = _round_weights(linear, *empty, value_bits, 1)
        return bias, scale, ()
    # Finer steps for columns of few values cost a table of steps, so they have to halve the error.
    best, *others = [
        _quantize(linear, X, scaling, value_bits)
        for scaling in _input_scalings(X, varies, nan_values, input_bits)
    ]
    best = min([best, *(other for other in others if other.error < best.error / 2)], key=_error)
    if linear.link in VALUE_LINKS and takes_the_range(best.bias).any():
        # The constant leaves few levels to weights of fine steps: coarser steps, finer weights.
        coarser = [
            _quantize(linear, X, scaling, value_bits)
            for bits in range(best.table.input_bits - 1, 7, -1)
            for scaling in _input_scalings(X, varies, nan_values, bits)
        ]
        best = min([best, *coarser], key=_error)
        error = rounding_error(best.bias, best.scale, [best.table], X)
        values = X.astype(np.float64) @ linear.coef
        center = values.mean(axis=0) + linear.intercept
        warn_of_lost_resolution(error, values.std(axis=0), center, stacklevel=5)
    bias, scale, table, _ = best
    return bias, scale, (table,) if table.weights.any() else ()


class _Quantized(NamedTuple):
    """Bias, scale and table of a linear estimator, and their mean squared error on the rows."""

    bias: NDArray[np.int32]
    scale: Any
    table: LinearTable
    error: float


def _error(quantized: _Quantized) -> float:
    return quantized.error


class _InputScaling(NamedTuple):
    """How columns become integers: a `LinearTable` without weights."""

    features: NDArray[np.intp]
    offset: NDArray[np.float32]
    inv_step: NDArray[np.float32]
    bits: int

    def table(self, weights: NDArray[np.int32], value_bits: int | str) -> LinearTable:
        return LinearTable(*self, weights, value_bits)


def _input_scalings(
    X: NDArray[np.float32],
    varies: NDArray[np.bool_],
    nan_values: NDArray[np.float32],
    bits: int | None,
) -> list[_InputScaling]:
    """Ways to round the columns: whole numbers in steps of 1, or in finer ones.

    Whole numbers are read as they are where the bits allow. The others get room for half
    their range beyond both ends, and as offset a number of few bits near the middle. A
    missing value reads as the offset, so that the offset is the number that it counts as.
    Steps are powers of two.
    """
    features = np.flatnonzero(varies)
    X, nan_values = X[:, features], nan_values[features]
    low, high = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
    fixed = ~np.isnan(nan_values)
    whole = (np.floor(X) == X).all(axis=0) & (np.maximum(-low, high) <= EXACT_INTEGER)
    whole &= ~fixed | (nan_values == np.floor(nan_values))
    if bits is None:
        from_zero, from_middle = np.maximum(-low, high), np.ceil((high - low) / 2)
        from_fixed = np.maximum(high - nan_values, nan_values - low)
        reach = np.where(fixed, from_fixed, np.minimum(from_zero, from_middle))[whole]
        exact = int(np.ceil(np.log2(reach.max(initial=0) + 1))) + 1
        bits = min(16, max(exact, 8 if whole.all() else _FLOAT_BITS))
    q_max = (1 << (bits - 1)) - 1
    span, middle = high - low, low / 2 + high / 2
    center = np.where(np.maximum(-low, high) <= q_max, 0.0, np.rint(middle))
    near = np.clip([middle - span / 8, middle + span / 8], -_MAX, _MAX).astype(np.float32)
    offset = np.where(whole, center, simplest(*near)).astype(np.float32)
    offset = np.where(fixed, nan_values, offset)
    room = np.where(whole, 0.0, span / 2)
    reach = room + np.maximum(high - offset, offset - low)
    step = 2.0 ** np.clip(np.ceil(np.log2(reach / q_max)), -126, 126)
    steps = [np.where(whole, np.maximum(step, 1.0), step)]
    if whole.any() and (steps[0] != step).any():
        steps.append(step)
    return [_InputScaling(features, offset, (1 / s).astype(np.float32), bits) for s in steps]


def _quantize(
    linear: LinearCoefficients,
    X: NDArray[np.float32],
    scaling: _InputScaling,
    value_bits: int | str,
) -> _Quantized:
    features, offset, inv_step, _ = scaling
    n_scores = len(linear.intercept)
    unweighted = scaling.table(np.zeros((len(features), n_scores), np.int32), value_bits)
    Q = quantize_input(X, unweighted).astype(np.float64)
    coef = linear.coef[features]
    intercept = linear.intercept + offset.astype(np.float64) @ coef
    coef = coef / inv_step[:, None]
    weights, bias, scale = _round_weights(
        linear, Q, coef, intercept, np.ones(len(X)), value_bits, unweighted.q_max
    )
    exact = X.astype(np.float64) @ linear.coef + linear.intercept
    error = scale * (Q @ weights + bias) - exact
    if linear.link == "softmax":  # which a constant added to all scores does not change
        error -= error.mean(axis=1, keepdims=True)
    spread = np.std(Q @ coef, axis=0) if linear.link in VALUE_LINKS else np.ones(n_scores)
    mean_square = float(np.mean((error / np.where(spread > 0, spread, 1)) ** 2))
    return _Quantized(bias, scale, scaling.table(weights, value_bits), mean_square)


def _round_weights(
    linear: LinearCoefficients,
    Q: NDArray[np.float64],
    coef: NDArray[np.float64],
    intercept: NDArray[np.float64],
    sample_weight: NDArray[np.float64],
    value_bits: int | str,
    q_max: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], Any]:
    """Weights, bias and scale for rounded inputs `Q`."""
    if linear.link in VALUE_LINKS:
        return linear_values(Q, coef, intercept, sample_weight, value_bits, q_max)
    weights, bias, scale = linear_logits(Q, coef, intercept, sample_weight, value_bits, q_max)
    if len(coef):
        # Let the bias make up for what rounding the weights does to the mean of the rows.
        mean = Q.mean(axis=0)
        shifted = np.rint((mean @ coef + intercept) / scale - mean @ weights)
        if (np.abs(shifted) + q_max * np.abs(weights).sum(axis=0) <= INT32_MAX).all():
            bias = shifted.astype(np.int32)
    return weights, bias, scale


def on_all_columns(table: LinearTable, n_features: int) -> LinearTable:
    """Add weights of 0 for the columns that a linear table does not read.

    Parameters
    ----------
    table : LinearTable
        Reads some of the columns.
    n_features : int
        Columns of the input.

    Returns
    -------
    table : LinearTable
        The same scores; it needs no list of columns.
    """

    def widen(part: NDArray[Any], fill: Any) -> NDArray[Any]:
        wide = np.full((n_features, *part.shape[1:]), fill, part.dtype)
        wide[table.features] = part
        return wide

    return LinearTable(
        np.arange(n_features),
        widen(table.offset, table.offset[0]),
        widen(table.inv_step, table.inv_step[0]),
        table.input_bits,
        widen(table.weights, 0),
        table.value_bits,
    )
