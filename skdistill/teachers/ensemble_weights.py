"""Weights of the members of an ensemble, from predictions of rows that they have not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from skdistill.targets import EPS

GREEDY_N_ITER = 100
"""Members that a greedy selection adds, repetitions included."""

MIN_WEIGHT = 1e-9
"""Smallest weight that an optimiser's answer keeps; anything less is its rounding, and 0."""

Loss = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def ensemble_weights(
    predictions: ArrayLike,
    y: ArrayLike,
    method: str = "log_loss",
    sample_weight: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Weights >= 0 with sum 1 whose weighted mean of several teachers' predictions fits `y` best.

    The loss is the log loss of class numbers, and the squared error of values. "log_loss"
    minimises it over all such weights, a convex problem; a weight below 1e-9 is rounding error
    of the optimiser and becomes 0. "greedy" adds one member at a time, with replacement, the
    one that lowers the loss of the mean most, and returns the best of the first 100 means;
    weights are multiples of 1 / n, n <= 100.

    Parameters
    ----------
    predictions : array-like of shape (n_teachers, n_samples, n_classes) or \
(n_teachers, n_samples, n_outputs)
        Probabilities, or values, that teachers predict for rows they were not fitted on.
    y : int array of shape (n_samples,), or float array of shape (n_samples,) or \
(n_samples, n_outputs)
        Integers are class numbers; floats are values. Each output counts in units of its
        standard deviation.
    method : {"log_loss", "greedy"}, default="log_loss"
        How the weights are computed. "log_loss" minimises the squared error of values.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    weights : float64 array of shape (n_teachers,)
        One for each teacher.

    Raises
    ------
    ValueError
        If `method` is unknown or the shapes do not fit.

    Notes
    -----
    Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of
    models", section 2; such ensembles are the teachers of Bucila, Caruana & Niculescu-Mizil
    2006, "Model compression".

    Examples
    --------
    >>> from skdistill.teachers import ensemble_weights
    >>> good, bad = [[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.5, 0.5]]
    >>> ensemble_weights([bad, good], [0, 1]).round(3).tolist()
    [0.0, 1.0]
    """
    if method not in ("log_loss", "greedy"):
        raise ValueError(f"method={method!r} must be 'log_loss' or 'greedy'")
    tables, y = np.asarray(predictions, np.float64), np.asarray(y)
    if tables.ndim != 3:
        raise ValueError(
            f"predictions must have shape (n_teachers, n_samples, n_classes), got {tables.shape}"
        )
    if len(y) != tables.shape[1]:
        raise ValueError(f"predictions are of {tables.shape[1]} rows, y has {len(y)}")
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    if y.dtype.kind in "iu":
        tables = tables[:, np.arange(len(y)), y][:, :, None]
        loss, gradient = _log_loss(weight)
    else:
        loss, gradient = _squared_error(y.reshape(len(y), -1).astype(np.float64), weight)
    return _greedy(tables, loss) if method == "greedy" else _minimum(tables, loss, gradient)


def _log_loss(sample_weight: NDArray[np.float64]) -> tuple[Loss, Loss]:
    """Loss and gradient in means of shape (..., n_samples, 1), the probabilities of the labels.

    Below `EPS` the logarithm goes on as its tangent, so that the problem stays convex.
    """
    weight = (sample_weight / sample_weight.sum())[:, None]

    def loss(p: NDArray[np.float64]) -> NDArray[np.float64]:
        log_p = np.log(np.maximum(p, EPS)) + np.minimum(p - EPS, 0) / EPS
        total: NDArray[np.float64] = -(weight * log_p).sum(axis=(-2, -1))
        return total

    return loss, lambda p: -weight / np.maximum(p, EPS)


def _squared_error(y: NDArray[np.float64], sample_weight: NDArray[np.float64]) -> tuple[Loss, Loss]:
    """Loss and gradient in means of shape (..., n_samples, n_outputs)."""
    weight = (sample_weight / sample_weight.sum())[:, None]
    variance = (weight * (y - (weight * y).sum(axis=0)) ** 2).sum(axis=0)
    weight = weight / np.where(variance > 0, variance, 1)

    def loss(mean: NDArray[np.float64]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = (weight * (mean - y) ** 2).sum(axis=(-2, -1))
        return total

    return loss, lambda mean: 2 * weight * (mean - y)


def _minimum(tables: NDArray[np.float64], loss: Loss, gradient: Loss) -> NDArray[np.float64]:
    """Weights of least loss for tables of shape (n_teachers, n_samples, n_outputs)."""
    n_teachers = len(tables)

    def objective(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mean = np.tensordot(w, tables, 1)
        return float(loss(mean)), np.tensordot(tables, gradient(mean), 2)

    sum_to_one = {
        "type": "eq",
        "fun": lambda w: w.sum() - 1,
        "jac": lambda w: np.ones(n_teachers),
    }
    result = minimize(
        objective,
        np.full(n_teachers, 1 / n_teachers),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * n_teachers,
        constraints=[sum_to_one],
        options={"ftol": 1e-10, "maxiter": 500},
    )
    w: NDArray[np.float64] = np.where(result.x < MIN_WEIGHT, 0, result.x)
    normalized: NDArray[np.float64] = w / w.sum()
    return normalized


def _greedy(tables: NDArray[np.float64], loss: Loss) -> NDArray[np.float64]:
    """Counts of the members in the best mean, divided by their sum; the first member wins ties."""
    counts, total = np.zeros(len(tables)), np.zeros(tables.shape[1:])
    least, best_counts = np.inf, counts
    for size in range(1, GREEDY_N_ITER + 1):
        losses = np.array([float(loss((total + one) / size)) for one in tables])
        member = int(losses.argmin())
        counts[member] += 1
        total += tables[member]
        if losses[member] < least:
            least, best_counts = losses[member], counts.copy()
    weights: NDArray[np.float64] = best_counts / best_counts.sum()
    return weights


def fixed_weights(
    weights: ArrayLike | str, n_teachers: int, classes: NDArray[Any] | None
) -> NDArray[np.float64]:
    """Weights that a user passed, or equal ones, divided by their sums.

    Parameters
    ----------
    weights : "uniform" or array-like of shape (n_teachers,) or (n_teachers, n_classes)
        Numbers >= 0.
    n_teachers : int
        Number of teachers.
    classes : array of shape (n_classes,) or None
        None for values.

    Returns
    -------
    weights : float64 array of shape (n_teachers,) or (n_teachers, n_classes)
        Columns sum to 1.

    Raises
    ------
    ValueError
        For another shape, for negative numbers, and where all are 0.
    """
    if isinstance(weights, str):
        return np.full(n_teachers, 1 / n_teachers)
    table = np.asarray(weights, np.float64)
    by_class = classes is not None and table.shape == (n_teachers, len(classes))
    if table.shape != (n_teachers,) and not by_class:
        also = "" if classes is None else f", or one for each of the {len(classes)} classes"
        raise ValueError(
            f"weights has shape {table.shape} for {n_teachers} teachers: one number each is "
            f"needed{also}"
        )
    sums = table.sum(axis=0)
    if not (np.isfinite(table).all() and (table >= 0).all() and (sums > 0).all()):
        raise ValueError(
            f"weights={table.tolist()} of TeacherEnsemble must be >= 0, finite and not all 0"
            + (" for a class" if by_class else "")
        )
    normalized: NDArray[np.float64] = table / sums
    return normalized


def weighted_mean(
    weights: NDArray[np.float64], responses: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Weighted mean of tables; those without weight are not read.

    With weights by class the columns no longer add up, so that rows are divided by their sum.

    Parameters
    ----------
    weights : float64 array of shape (n_teachers,) or (n_teachers, n_classes)
        Columns sum to 1.
    responses : list of float64 arrays of shape (n_samples, n_columns)
        One table for each teacher.

    Returns
    -------
    mean : float64 array of shape (n_samples, n_columns)
        NaN in rows where a table has NaN.

    Raises
    ------
    ValueError
        If the tables have different numbers of columns.
    """
    total = np.zeros_like(responses[0])
    for weight, response in zip(weights, responses, strict=True):
        if np.any(weight):
            if response.shape != total.shape:
                raise ValueError(
                    f"members predict {total.shape[1]} and {response.shape[1]} targets"
                )
            total += weight * response
    if weights.ndim == 1:
        return total
    sums = total.sum(axis=1, keepdims=True)  # NaN in rows that no fold held out
    return np.where(sums == 0, 1 / total.shape[1], total / np.where(sums == 0, 1, sums))
