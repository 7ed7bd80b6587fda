"""All leaf values of all trees at once, and their way to integers.

Fully corrective refit: with the structure of the trees fixed, the values of all leaves, and the
weights of a linear part if there is one, minimise the loss together by L-BFGS (as in Johnson &
Zhang 2014, "Learning nonlinear functions using regularized greedy forest"). Then the values are
rounded progressively: a part of the trees at a time, while the values that are still
real are refitted and make up for the rounding errors so far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from threadpoolctl import threadpool_limits

from skdistill.compact.tables.limits import value_limits
from skdistill.students.loss import Loss
from skdistill.utils.jit import njit


@dataclass(frozen=True)
class AdditiveModel:
    """Real values of trees of fixed structure and of a linear part, whose outputs add up.

    Parameters
    ----------
    leaves : int32 array of shape (n_samples, n_trees)
        Leaf of each training row in each tree, numbered through all trees.
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

    leaves: NDArray[np.int32]
    tree_of_leaf: NDArray[np.intp]
    leaf_values: NDArray[np.float64]
    inputs: NDArray[np.float64]
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def raw_predictions(self) -> NDArray[np.float64]:
        """Sum of the parts for the training rows, float64 array of shape (n_samples, n_scores)."""
        z = self.inputs @ self.coef + self.intercept
        _add_leaf_values(self.leaves, self.leaf_values, z)
        return z


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

    Returns
    -------
    model : AdditiveModel
        With other values.
    """
    n_leaves, n_scores = model.leaf_values.shape
    n_samples = len(model.leaves)
    if trainable is None:
        trainable = np.ones(n_leaves, bool)
    moving_trees = np.unique(model.tree_of_leaf[trainable])
    leaves = np.ascontiguousarray(model.leaves[:, moving_trees])
    W = np.where(trainable[:, None], np.clip(model.leaf_values, -max_value, max_value), 0)
    if fit_linear:
        constant = np.zeros((n_samples, n_scores))
        inputs = np.column_stack([model.inputs, np.ones(n_samples)])
        linear = np.vstack([model.coef, model.intercept])
    else:
        constant = model.inputs @ model.coef + model.intercept
        inputs, linear = np.zeros((n_samples, 0)), np.zeros((0, n_scores))
    if not trainable.all():  # what stays is added up once
        fixed = np.where(trainable[:, None], 0, model.leaf_values)
        _add_leaf_values(model.leaves, fixed, constant)
    penalty = np.full((len(linear), 1), l2_linear)
    penalty[-1:] = 0  # of the intercept

    z = constant + inputs @ linear
    _add_leaf_values(leaves, W, z)
    curvature = loss.curvature(z)
    unit = _leaf_units(leaves, curvature, n_leaves, l2_regularization)[trainable]
    linear_unit = 1 / np.sqrt(curvature.sum(axis=0).max())

    def unpack(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Set `W`; return linear weights and intercept as one table."""
        W[trainable] = x[: unit.size].reshape(-1, n_scores) * unit
        weights: NDArray[np.float64] = x[unit.size :].reshape(-1, n_scores) * linear_unit
        return weights

    def objective(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = unpack(x)
        np.add(constant, inputs @ weights, out=z)
        _add_leaf_values(leaves, W, z)
        value, residual = loss(z)
        value += (l2_regularization * (W**2).sum() + (penalty * weights**2).sum()) / 2
        slope = l2_regularization * W
        add_rows_to_leaves(leaves, residual, slope)
        linear_slope = inputs.T @ residual + penalty * weights
        slopes = [(slope[trainable] * unit).ravel(), (linear_slope * linear_unit).ravel()]
        return value, np.concatenate(slopes)

    bounds = None
    if np.isfinite(max_value):
        bound = np.concatenate([(max_value / unit).ravel(), np.full(linear.size, np.inf)])
        bounds = Bounds(-bound, bound)
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


def _leaf_units(
    leaves: NDArray[np.int32],
    curvature: NDArray[np.float64],
    n_leaves: int,
    l2_regularization: float,
) -> NDArray[np.float64]:
    """Units in which leaf values are of similar curvature, shape (n_leaves, n_scores).

    L-BFGS in these units needs half the steps. They are half way to those that would make the
    diagonal of the Hessian constant: in the latter, leaves of few rows move first and far, and
    predictions for new rows get worse. Powers of two keep the largest magnitude of a value exact.
    """
    total = np.full((n_leaves, curvature.shape[1]), l2_regularization)
    add_rows_to_leaves(leaves, curvature, total)
    largest = total.max(initial=0)
    # The fourth root is half the exponent of the square root that a full scaling takes.
    exponents = np.rint(np.log2(np.maximum(total, 1e-6 * largest) * largest) / -4)
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


@njit
def _add_leaf_values(leaves, W, z):  # type: ignore[no-untyped-def]
    """Add to each row of `z` the values of its leaves, in place."""
    n_samples, n_trees = leaves.shape
    for i in range(n_samples):
        if W.shape[1] == 1:
            for t in range(n_trees):
                z[i, 0] += W[leaves[i, t], 0]
            continue
        row = z[i]
        for t in range(0, n_trees - 3, 4):  # four at a time: the row is read and written once
            a, b, c, d = leaves[i, t], leaves[i, t + 1], leaves[i, t + 2], leaves[i, t + 3]
            for k in range(W.shape[1]):
                row[k] += (W[a, k] + W[b, k]) + (W[c, k] + W[d, k])
        for t in range(n_trees - n_trees % 4, n_trees):
            for k in range(W.shape[1]):
                row[k] += W[leaves[i, t], k]


@njit
def add_rows_to_leaves(leaves, rows, total):  # type: ignore[no-untyped-def]
    """Add to the total of each leaf the values of its rows.

    Parameters
    ----------
    leaves : int32 array of shape (n_samples, n_trees)
        Leaf of each row in each tree.
    rows : float64 array of shape (n_samples, n_values)
        Values of the rows.
    total : float64 array of shape (n_leaves, n_values)
        Changed in place.
    """
    n_samples, n_trees = leaves.shape
    for i in range(n_samples):
        if rows.shape[1] == 1:
            for t in range(n_trees):
                total[leaves[i, t], 0] += rows[i, 0]
            continue
        for t in range(n_trees):
            leaf = leaves[i, t]
            for k in range(rows.shape[1]):
                total[leaf, k] += rows[i, k]
