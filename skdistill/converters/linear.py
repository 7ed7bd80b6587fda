"""Linear estimators in integers: how their inputs are read, and what is left of their weights.

Symbols: n rows, d columns, u columns that are read, S scores.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdistill.compact._frozen import require
from skdistill.compact.tables.limits import INT32_MAX
from skdistill.compact.tables.linear_table import LinearTable, quantize_input
from skdistill.quantization.binning import EXACT_INTEGER, simplest
from skdistill.quantization.linear_weights import linear_logits, linear_values

_MAX = float(np.finfo(np.float32).max)
FLOAT_BITS = 14
"""Of inputs that are no whole numbers, unless asked otherwise."""


class Linear(NamedTuple):
    """Coefficients of a linear estimator.

    Attributes
    ----------
    name : str
    W : float64 array of shape (d, S)
    start : float64 array of shape (S,)
    link : {"sigmoid", "softmax", "identity"}
    """

    name: str
    W: NDArray[np.float64]
    start: NDArray[np.float64]
    link: str


def linear_coefficients(estimator: Any) -> Linear:
    """Read a fitted linear estimator of scikit-learn.

    Parameters
    ----------
    estimator : LogisticRegression, RidgeClassifier, LinearRegression, Ridge, Lasso or ElasticNet

    Returns
    -------
    linear : Linear

    Raises
    ------
    ValueError
        For a logistic regression of one class against the rest.
    """
    coef = estimator.coef_
    W = np.atleast_2d(coef.toarray() if hasattr(coef, "toarray") else coef).T.astype(np.float64)
    start = np.zeros(W.shape[1]) + np.ravel(estimator.intercept_)
    link, name = "identity", type(estimator).__name__
    if hasattr(estimator, "classes_"):
        link = "sigmoid" if W.shape[1] == 1 else "softmax"
        asked = getattr(estimator, "multi_class", "auto")
        one_against_rest = link == "softmax" and getattr(estimator, "solver", "") == "liblinear"
        if asked not in ("auto", "deprecated") or one_against_rest:
            raise ValueError(
                f"multi_class={asked!r} of {name} with solver={estimator.solver!r} is not "
                "supported: fit it with another solver and without multi_class"
            )
    return Linear(name, W, start, link)


def linear_tables(
    found: Linear, X: NDArray[Any] | None, input_bits: int | None, value_bits: int | str
) -> tuple[NDArray[np.int32], Any, tuple[LinearTable, ...]]:
    """Bias, scale and table of a linear estimator.

    Parameters
    ----------
    found : Linear
    X : float32 or int32 array of shape (n, d), or None
        Rows that show the range of the inputs.
    input_bits : int in [2, 16] or None
    value_bits : int in [2, 16] or "ternary"

    Returns
    -------
    bias : int32 array of shape (S,)
    scale : float, or float64 array of shape (S,) for a regression
    tables : tuple of LinearTable
        Empty where no column counts.

    Raises
    ------
    ValueError
        Without rows, or where they have NaN.
    """
    if X is None:
        raise ValueError(
            f"{found.name} needs X: rows that show the range of its inputs, which become integers"
        )
    X = X.astype(np.float32)
    require(not np.isnan(X).any(), f"X has NaN, which {found.name} does not know")
    varies = (X.min(axis=0) < X.max(axis=0)) & found.W.any(axis=1)
    start = found.start + X[0, ~varies] @ found.W[~varies]
    found = found._replace(W=np.where(varies[:, None], found.W, 0), start=start)
    if not varies.any():
        blank = np.empty((len(X), 0)), np.empty((0, len(start))), start, np.ones(len(X))
        _, bias, scale = _rounded(found, *blank, value_bits, 1)
        return bias, scale, ()
    tried = [_attempt(found, X, way, value_bits) for way in _readings(X, varies, input_bits)]
    # Finer steps for columns of few values cost a table of steps: the last way, if any.
    (bias, scale, table), _ = tried[-1] if tried[-1][1] < tried[0][1] / 2 else tried[0]
    return bias, scale, (table,) if table.weights.any() else ()


class _Reading(NamedTuple):
    """How columns become integers: `LinearTable` without weights."""

    features: NDArray[np.intp]
    offset: NDArray[np.float32]
    inv_step: NDArray[np.float32]
    bits: int

    def table(self, weights: NDArray[np.int32], value_bits: int | str) -> LinearTable:
        return LinearTable(*self, weights, value_bits)


def _readings(
    X: NDArray[np.float32], varies: NDArray[np.bool_], bits: int | None
) -> list[_Reading]:
    """Ways to read the columns: whole numbers in steps of 1, or in finer ones.

    Whole numbers are read as they are where the bits allow. The others get room for half
    their range beyond both ends, and as offset a number of few bits near the middle. Steps
    are powers of two.
    """
    features = np.flatnonzero(varies)
    low, high = X[:, features].min(axis=0), X[:, features].max(axis=0)
    low, high = low.astype(np.float64), high.astype(np.float64)
    whole = (X[:, features] == np.floor(X[:, features])).all(axis=0)
    whole &= np.maximum(-low, high) <= EXACT_INTEGER
    middle = low / 2 + high / 2
    if bits is None:
        least = np.minimum(np.maximum(-low, high), np.ceil((high - low) / 2))[whole]
        exact = int(np.ceil(np.log2(least.max(initial=0) + 1))) + 1
        bits = min(16, max(exact, 8 if whole.all() else FLOAT_BITS))
    q_max = (1 << (bits - 1)) - 1
    centred = np.where(np.maximum(-low, high) <= q_max, 0.0, np.rint(middle))
    span = high - low
    near = np.clip([middle - span / 8, middle + span / 8], -_MAX, _MAX).astype(np.float32)
    offset = np.where(whole, centred, simplest(*near)).astype(np.float32)
    room = np.where(whole, 0.0, span / 2)
    reach = room + np.maximum(high - offset, offset - low)
    step = 2.0 ** np.clip(np.ceil(np.log2(reach / q_max)), -126, 126)
    steps = [np.where(whole, np.maximum(step, 1.0), step)]
    if whole.any() and (steps[0] != step).any():
        steps.append(step)
    return [_Reading(features, offset, (1 / s).astype(np.float32), bits) for s in steps]


def _attempt(
    found: Linear, X: NDArray[np.float32], reading: _Reading, value_bits: int | str
) -> tuple[tuple[NDArray[np.int32], Any, LinearTable], float]:
    """Bias, scale and table, and how far they are from the estimator on the rows."""
    features, offset, inv_step, _ = reading
    blank = reading.table(np.zeros((len(features), len(found.start)), np.int32), value_bits)
    Q = quantize_input(X, blank).astype(np.float64)
    W = found.W[features]
    b = found.start + offset.astype(np.float64) @ W
    W = W / inv_step[:, None]
    weights, bias, scale = _rounded(found, Q, W, b, np.ones(len(X)), value_bits, blank.q_max)
    away = scale * (Q @ weights + bias) - (X.astype(np.float64) @ found.W + found.start)
    if found.link == "softmax":
        away -= away.mean(axis=1, keepdims=True)
    spread = np.std(Q @ W, axis=0) if found.link == "identity" else np.ones(len(b))
    error = float(np.mean((away / np.where(spread > 0, spread, 1)) ** 2))
    return (bias, scale, reading.table(weights, value_bits)), error


def _rounded(
    found: Linear,
    Q: NDArray[np.float64],
    W: NDArray[np.float64],
    b: NDArray[np.float64],
    mass: NDArray[np.float64],
    value_bits: int | str,
    q_max: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], Any]:
    """Weights, bias and scale."""
    if found.link == "identity":
        return linear_values(Q, W, b, mass, value_bits, q_max)
    weights, bias, scale = linear_logits(Q, W, b, mass, value_bits, q_max)
    if len(W):
        # The bias makes up for what rounding does to the mean of the rows.
        mean = Q.mean(axis=0)
        moved = np.rint((mean @ W + b) / scale - mean @ weights)
        if (np.abs(moved) + q_max * np.abs(weights).sum(axis=0) <= INT32_MAX).all():
            bias = moved.astype(np.int32)
    return weights, bias, scale


def on_all_columns(table: LinearTable, n_features: int) -> LinearTable:
    """The same model with weights of 0 for the columns that it does not read.

    Parameters
    ----------
    table : LinearTable
    n_features : int

    Returns
    -------
    table : LinearTable
        Which needs no list of columns.
    """

    def full(rows: NDArray[Any], fill: Any) -> NDArray[Any]:
        wide = np.full((n_features, *rows.shape[1:]), fill, rows.dtype)
        wide[table.features] = rows
        return wide

    return LinearTable(
        np.arange(n_features),
        full(table.offset, table.offset[0]),
        full(table.inv_step, table.inv_step[0]),
        table.input_bits,
        full(table.weights, 0),
        table.value_bits,
    )
