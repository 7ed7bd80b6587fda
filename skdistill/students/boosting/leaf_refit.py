"""All leaf values of all trees at once, and their way to integers.

Fully corrective refit: with the structure of the trees fixed, the values of all leaves, and the
weights of a linear part if there is one, minimise the loss together by L-BFGS (as in Johnson &
Zhang 2014, "Learning nonlinear functions using regularized greedy forest"). Then the values are
rounded progressively: a part of the trees at a time, while the values that are still
real are refitted and make up for the rounding errors so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from threadpoolctl import threadpool_limits

from skdistill.compact.tables.limits import value_limits
from skdistill.students.boosting.leaf_sums import (
    ROWS,
    add_columns,
    add_leaf_values,
    add_rows_to_leaves,
    add_to_leaves,
    by_tree,
    padded,
    parts_of_rows,
    row_dtype,
)
from skdistill.students.boosting.monotonic import ValueRanges
from skdistill.students.loss import Loss
from skdistill.utils.threads import blocks, run_tasks
from skdistill.utils.vectors import padded_width


@dataclass(frozen=True)
class AdditiveModel:
    """Real values of trees of fixed structure and of a linear part, whose outputs add up.

    Parameters
    ----------
    leaves : int array of shape (n_samples, n_trees)
        Leaf of each training row in each tree, numbered through all trees. Best the transposed of
        what `by_tree` returns, which needs no copy.
    tree_of_leaf : int array of shape (n_leaves,)
        Tree that each leaf belongs to.
    leaf_values : float64 array of shape (n_leaves, n_scores)
        Values of the leaves.
    inputs : float64 array of shape (n_samples, n_inputs)
        Inputs of the linear part.
    coef : float64 array of shape (n_inputs, n_scores)
        Weights of the linear part.
    intercept : float64 array of shape (n_scores,)
        Constant of the linear part.
    """

    leaves: NDArray[Any]
    tree_of_leaf: NDArray[np.intp]
    leaf_values: NDArray[np.float64]
    inputs: NDArray[np.float64]
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def raw_predictions(self) -> NDArray[np.float64]:
        """Sum of the parts for the training rows, float64 array of shape (n_samples, n_scores)."""
        offset = self.offset()
        if self.leaves.shape[1] == 0:
            return offset
        leaves, values = by_tree(self.leaves, len(self.leaf_values)), padded(self.leaf_values)
        z, n_scores = np.empty(offset.shape), offset.shape[1]

        def add(rows: slice) -> None:
            sums = padded(offset[rows])
            add_leaf_values(leaves, np.arange(len(leaves)), values, sums, rows.start)
            z[rows] = sums[:, :n_scores]

        run_tasks(add, blocks(len(z), ROWS))
        return z

    def offset(self) -> NDArray[np.float64]:
        """What the linear part adds, float64 array of shape (n_samples, n_scores), read only."""
        if self.inputs.shape[1] == 0:
            return np.broadcast_to(self.intercept, (len(self.leaves), len(self.intercept)))
        return self.inputs @ self.coef + self.intercept


# One thread, so that BLAS forms the same sums however many cores there are.
@threadpool_limits.wrap(limits=1, user_api="blas")
def refit(
    model: AdditiveModel,
    loss: Loss,
    *,
    l2_regularization: float,
    l2_linear: float = 0.0,
    max_iter: int = 40,
    trainable: NDArray[np.bool_] | None = None,
    max_value: float = np.inf,
    fit_linear: bool = True,
    ranges: ValueRanges | None = None,
) -> AdditiveModel:
    """Minimise the loss over leaf values and linear weights together.

    Parameters
    ----------
    model : AdditiveModel
        Where to start. It is not changed.
    loss : Loss
        Loss of raw predictions.
    l2_regularization : float
        Penalty ``l2_regularization / 2 * sum(leaf_values ** 2)``.
    l2_linear : float, default=0.0
        Penalty ``l2_linear / 2 * sum(coef ** 2)``.
    max_iter : int, default=40
        Maximum number of steps of L-BFGS.
    trainable : bool array of shape (n_leaves,), default=None
        Leaves whose values may change; None is all.
    max_value : float, default=inf
        Largest magnitude of a trainable leaf value.
    fit_linear : bool, default=True
        Whether `coef` and `intercept` may change.
    ranges : ValueRanges, default=None
        Values to choose from; None are all.

    Returns
    -------
    model : AdditiveModel
        With other values.
    """
    n_leaves, n_scores = model.leaf_values.shape
    if trainable is None:
        trainable = np.ones(n_leaves, bool)
    low, high = np.full((2, n_leaves, n_scores), [[[-max_value]], [[max_value]]])
    if ranges is not None:
        low, high = (
            np.clip(each, -max_value, max_value) for each in (ranges.leaf_low, ranges.leaf_high)
        )
    W = np.where(trainable[:, None], np.clip(model.leaf_values, low, high), 0)
    sums = _Sums(model, trainable, fit_linear)
    linear = sums.linear(model)
    linear_low, linear_high = np.full((2, *linear.shape), [[[-np.inf]], [[np.inf]]])
    if ranges is not None and fit_linear:
        linear_low[:-1], linear_high[:-1] = ranges.coef_low, ranges.coef_high
        linear = np.clip(linear, linear_low, linear_high)
    penalty = np.full((len(linear), 1), l2_linear)
    penalty[-1:] = 0  # of the intercept
    total, largest = sums.curvature(loss, W, linear, l2_regularization)
    unit, linear_unit = _leaf_units(total)[trainable], 1 / np.sqrt(largest)

    def unpack(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Set `W`; return linear weights and intercept as one table."""
        W[trainable] = x[: unit.size].reshape(-1, n_scores) * unit
        weights: NDArray[np.float64] = x[unit.size :].reshape(-1, n_scores) * linear_unit
        return weights

    def objective(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = unpack(x)
        value, slope, linear_slope = sums.gradient(loss, W, weights, l2_regularization)
        value += (l2_regularization * (W**2).sum() + (penalty * weights**2).sum()) / 2
        linear_slope = linear_slope + penalty * weights
        slopes = [(slope[trainable] * unit).ravel(), (linear_slope * linear_unit).ravel()]
        return value, np.concatenate(slopes)

    bounds = None
    if np.isfinite(max_value) or ranges is not None:
        bounds = Bounds(
            np.concatenate([(low[trainable] / unit).ravel(), linear_low.ravel()]),
            np.concatenate([(high[trainable] / unit).ravel(), linear_high.ravel()]),
        )
    result = minimize(
        objective,
        np.concatenate([(W[trainable] / unit).ravel(), (linear / linear_unit).ravel()]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": max_iter},
    )
    weights = unpack(result.x)
    if fit_linear:
        model = replace(model, coef=weights[:-1], intercept=weights[-1])
    return replace(model, leaf_values=np.where(trainable[:, None], W, model.leaf_values))


class _Sums:
    """What the gradients of the training rows add up to, by leaf and by input.

    Threads divide the rows, and go through a block of them at a time, from leaf values to sums.
    Numbers of rows are of `row_dtype`, and added up in float64. Without trees a fit ends at the
    minimum, which float32 does not resolve.

    Parameters
    ----------
    model, trainable, fit_linear
        As in `refit`.
    """

    def __init__(
        self, model: AdditiveModel, trainable: NDArray[np.bool_], fit_linear: bool
    ) -> None:
        n_leaves, self.n_scores = model.leaf_values.shape
        self.parts = parts_of_rows(len(model.leaves))
        self.dtype = row_dtype(len(model.leaves) if n_leaves else 0)
        self.leaves = by_tree(model.leaves, n_leaves)
        self.moving = np.unique(model.tree_of_leaf[trainable])
        self.all_trees = np.arange(len(self.leaves))
        self.fixed = np.where(trainable[:, None], 0, model.leaf_values)
        self.inputs = model.inputs if fit_linear else None
        self.offset = model.offset() if model.inputs.shape[1] and not fit_linear else None
        self.intercept = model.intercept

    def linear(self, model: AdditiveModel) -> NDArray[np.float64]:
        """What is fitted of the linear part, float64 array of shape (n_inputs + 1, n_scores)."""
        if self.inputs is None:
            return np.zeros((0, self.n_scores))
        return np.vstack([model.coef, model.intercept])

    def curvature(
        self,
        loss: Loss,
        W: NDArray[np.float64],
        linear: NDArray[np.float64],
        l2_regularization: float,
    ) -> tuple[NDArray[np.float64], float]:
        """Curvature of each leaf value, and the largest of an intercept, if that is fitted."""

        def curve(rows: slice, z: NDArray[Any], curvature: NDArray[Any]) -> float:
            loss.curve(rows, self.n_scores, z, curvature)
            return 0.0

        _, total, linear_total = self._sum(curve, W, linear)
        largest = 1.0 if self.inputs is None else float(linear_total[-1].max())
        return l2_regularization + total, largest

    def gradient(
        self,
        loss: Loss,
        W: NDArray[np.float64],
        linear: NDArray[np.float64],
        l2_regularization: float,
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The loss, and its slopes by leaf values, their penalty included, and linear weights."""

        def differentiate(rows: slice, z: NDArray[Any], gradient: NDArray[Any]) -> float:
            return loss.differentiate(rows, self.n_scores, z, gradient)

        value, slope, linear_slope = self._sum(differentiate, W, linear)
        return value, l2_regularization * W + slope, linear_slope

    def _sum(
        self,
        of_rows: Callable[[slice, NDArray[Any], NDArray[Any]], float],
        W: NDArray[np.float64],
        linear: NDArray[np.float64],
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Add up what a function of raw predictions returns, and what it says of the rows.

        That is a number, and the sums of an array by leaf and by input.
        """
        values = padded(self.fixed + W, self.dtype)
        sums = np.zeros((len(self.parts), *values.shape))
        linear_sums = np.zeros((len(self.parts), *linear.shape))
        numbers = [0.0] * len(self.parts)

        def add(part: int) -> None:
            for rows in self.parts[part]:
                z = self._linear_part(rows, linear)
                add_leaf_values(self.leaves, self.all_trees, values, z, rows.start)
                array = np.empty_like(z)
                numbers[part] += of_rows(rows, z, array)
                add_to_leaves(self.leaves, self.moving, array, sums[part], rows.start)
                if self.inputs is not None:
                    add_columns(array, linear_sums[part, -1])
                    if self.inputs.shape[1]:
                        of_scores = array[:, : self.n_scores].astype(np.float64)
                        linear_sums[part, :-1] += self.inputs[rows].T @ of_scores

        run_tasks(add, range(len(self.parts)))
        return sum(numbers), sums.sum(axis=0)[:, : self.n_scores], linear_sums.sum(axis=0)

    def _linear_part(self, rows: slice, linear: NDArray[np.float64]) -> NDArray[Any]:
        """What the linear part adds to some rows, in padded columns."""
        z = np.empty((rows.stop - rows.start, padded_width(self.n_scores)), self.dtype)
        if self.offset is not None:
            z[:, : self.n_scores] = self.offset[rows]
            z[:, self.n_scores :] = 0
            return z
        z[:] = padded(self.intercept[None] if self.inputs is None else linear[-1:], self.dtype)
        if self.inputs is not None and self.inputs.shape[1]:
            z[:, : self.n_scores] += self.inputs[rows] @ linear[:-1]
        return z


def _leaf_units(curvature: NDArray[np.float64]) -> NDArray[np.float64]:
    """Units in which leaf values are of similar curvature, shape (n_leaves, n_scores).

    L-BFGS in these units needs half the steps. They are half way to those that would make the
    diagonal of the Hessian constant: in the latter, leaves of few rows move first and far, and
    predictions for new rows get worse. Powers of two keep the largest magnitude of a value exact.
    """
    largest = curvature.max(initial=0)
    # The fourth root is half the exponent of the square root that a full scaling takes.
    exponents = np.rint(np.log2(np.maximum(curvature, 1e-6 * largest) * largest) / -4)
    units: NDArray[np.float64] = np.exp2(exponents)
    return units


def round_values(
    model: AdditiveModel,
    loss: Loss,
    weight: NDArray[np.float64],
    bits: int | str,
    *,
    l2_regularization: float,
    rng: np.random.RandomState,
    score_step: float = 0.0,
    ranges: ValueRanges | None = None,
    n_parts: int = 5,
    max_iter: int = 15,
) -> tuple[NDArray[np.int32], float]:
    """Round leaf values to `bits`, a part of the trees at a time, refitting the rest.

    Parameters
    ----------
    model : AdditiveModel
        Its leaf values are real. The linear part stays as it is.
    loss : Loss
        Loss of raw predictions.
    weight : float64 array of shape (n_samples,)
        Weights of the rows. The rounding error of a leaf counts by the weight of its rows.
    bits : int in [2, 16] or "ternary"
        Bits of a rounded value.
    l2_regularization : float
        Penalty of the refits, as in `refit`.
    rng : RandomState
        Draws the order in which trees are rounded.
    score_step : float, default=0.0
        Value of a score of the linear part. Where it is positive, the step is a multiple of it.
    ranges : ValueRanges, default=None
        Values that refits choose from, which hold those of the model; None are all.
    n_parts : int, default=5
        Number of parts into which the trees are divided.
    max_iter : int, default=15
        Maximum number of steps of each refit.

    Returns
    -------
    values : int32 array of shape (n_leaves, n_scores)
    step : float
        ``step * values`` are the rounded leaf values.
    """
    _, high = value_limits(bits, signed=True)
    leaf_weight = np.zeros((len(model.leaf_values), 1))
    add_rows_to_leaves(model.leaves, weight[:, None], leaf_weight)
    step = _best_step(model.leaf_values, leaf_weight, high)
    if score_step > 0:
        step = score_step * max(1.0, np.rint(step / score_step))
    n_trees = int(model.tree_of_leaf.max()) + 1
    order = rng.permutation(n_trees)
    W = np.clip(model.leaf_values, -high * step, high * step)
    rounded = np.zeros(len(W), bool)
    for stop in np.unique(np.linspace(0, n_trees, min(n_parts, n_trees) + 1).astype(int))[1:]:
        part = np.isin(model.tree_of_leaf, order[:stop]) & ~rounded
        W[part] = step * np.clip(np.rint(W[part] / step), -high, high)
        rounded |= part
        if not rounded.all():
            model = refit(
                replace(model, leaf_values=W),
                loss,
                l2_regularization=l2_regularization,
                max_iter=max_iter,
                trainable=~rounded,
                max_value=high * step,
                fit_linear=False,
                ranges=ranges,
            )
            W = model.leaf_values
    return np.rint(W / step).astype(np.int32), float(step)


def _best_step(W: NDArray[np.float64], weight: NDArray[np.float64], high: int) -> float:
    """Step of the least weighted squared rounding error.

    Where levels are few, it pays to clip the largest values for a finer step.
    """
    spread = float(np.sqrt((weight * W**2).sum() / (weight.sum() * W.shape[1])))
    largest = float(np.abs(W).max())
    if spread == 0:
        return 1.0
    if high >= 127:
        return largest / high
    candidates = np.append(spread * np.geomspace(0.1, 3, 30), largest / high)

    def error(step: float) -> float:
        rounded = step * np.clip(np.rint(W / step), -high, high)
        return float((weight * (W - rounded) ** 2).sum())

    return float(min(candidates, key=error))
