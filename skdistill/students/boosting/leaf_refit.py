"""All leaf values of all trees at once, and their way to integers.

Fully corrective refit: with the structure fixed, the values of every leaf, and the weights
of a linear part if there is one, minimise the soft cross-entropy together (L-BFGS).
Then values are rounded a part of the trees at a time while the rest is refitted, so that
what is still free makes up for what was rounded.

Symbols: n rows, T trees, M leaves in all, S score columns, u columns of the linear part.
Z (n, u) are its inputs. The logits are ``sum of W[leaf] + Z @ B + b``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize
from threadpoolctl import threadpool_limits

from skdistill.compact.tables.limits import value_limits
from skdistill.students.loss import Loss


@dataclass(frozen=True)
class Ensemble:
    """Real values of a linear part and trees of fixed structure.

    Parameters
    ----------
    leaves : int32 array of shape (n, T)
        Leaf of each training row in each tree, numbered through all trees.
    tree : int array of shape (M,)
        Tree of each leaf.
    W : float64 array of shape (M, S)
    Z : float64 array of shape (n, u)
    B : float64 array of shape (u, S)
    b : float64 array of shape (S,)
    """

    leaves: NDArray[np.int32]
    tree: NDArray[np.intp]
    W: NDArray[np.float64]
    Z: NDArray[np.float64]
    B: NDArray[np.float64]
    b: NDArray[np.float64]

    def logits(self) -> NDArray[np.float64]:
        """Logits of the training rows, float64 array of shape (n, S)."""
        z = self.Z @ self.B + self.b
        _add_leaves(self.leaves, self.W, z)
        return z


@threadpool_limits.wrap(limits=1, user_api="blas")  # the same sums, however many cores there are
def refit(
    ensemble: Ensemble,
    loss: Loss,
    *,
    l2_regularization: float,
    l2_linear: float = 0.0,
    max_iter: int = 40,
    free: NDArray[np.bool_] | None = None,
    limit: float = np.inf,
    linear: bool = True,
) -> Ensemble:
    """Minimise the loss over leaf values and linear weights together.

    Parameters
    ----------
    ensemble : Ensemble
        Where to start.
    loss : Loss
        Of logits, as `soft_cross_entropy` gives it.
    l2_regularization, l2_linear : float
        Penalties ``l2_regularization / 2 * sum(W ** 2)`` and ``l2_linear / 2 * sum(B ** 2)``.
    max_iter : int, default=40
    free : bool array of shape (M,), default=None
        Leaves that may move; None is all.
    limit : float, default=inf
        Largest magnitude of a leaf value.
    linear : bool, default=True
        Whether `B` and `b` may move.

    Returns
    -------
    ensemble : Ensemble
    """
    (n, _), (M, S) = ensemble.leaves.shape, ensemble.W.shape
    free = np.ones(M, bool) if free is None else free
    moving = np.unique(ensemble.tree[free])
    leaves = np.ascontiguousarray(ensemble.leaves[:, moving])
    W = np.where(free[:, None], np.clip(ensemble.W, -limit, limit), 0)
    base = np.zeros((n, S)) if linear else ensemble.Z @ ensemble.B + ensemble.b
    if not free.all():  # what stays is added up once
        _add_leaves(ensemble.leaves, np.where(free[:, None], 0, ensemble.W), base)
    inputs, table = np.zeros((n, 0)), np.zeros((0, S))
    if linear:
        inputs = np.column_stack([ensemble.Z, np.ones(n)])
        table = np.vstack([ensemble.B, ensemble.b])
    penalty = np.full((len(table), 1), l2_linear)
    penalty[-1:] = 0

    # L-BFGS in these units needs half the steps. They are half way to those of the curvature:
    # in full, leaves of few rows move first and far, and new rows fare worse. Powers of two
    # keep limits exact.
    z = base + inputs @ table
    _add_leaves(leaves, W, z)
    curvature = loss.curvature(z)
    bend = np.full((M, S), l2_regularization)
    add_to_leaves(leaves, curvature, bend)
    most = bend.max(initial=0)
    unit = np.exp2(np.rint(np.log2(np.maximum(bend[free], 1e-6 * most) * most) / -4))
    unit_linear = 1 / np.sqrt(curvature.sum(axis=0).max())

    def unpack(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Set `W`; return linear weights and bias as one table."""
        W[free] = x[: unit.size].reshape(-1, S) * unit
        return x[unit.size :].reshape(-1, S) * unit_linear

    def objective(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = unpack(x)
        np.add(base, inputs @ weights, out=z)
        _add_leaves(leaves, W, z)
        value, residual = loss(z)
        value += (l2_regularization * (W**2).sum() + (penalty * weights**2).sum()) / 2
        slope = l2_regularization * W
        add_to_leaves(leaves, residual, slope)
        slope_linear = inputs.T @ residual + penalty * weights
        steps = [(slope[free] * unit).ravel(), (slope_linear * unit_linear).ravel()]
        return value, np.concatenate(steps)

    bounds = None
    if np.isfinite(limit):
        bound = np.concatenate([(limit / unit).ravel(), np.full(table.size, np.inf)])
        bounds = Bounds(-bound, bound)
    found = minimize(
        objective,
        np.concatenate([(W[free] / unit).ravel(), (table / unit_linear).ravel()]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": max_iter},
    )
    weights = unpack(found.x)
    if linear:
        ensemble = replace(ensemble, B=weights[:-1], b=weights[-1])
    return replace(ensemble, W=np.where(free[:, None], W, ensemble.W))


def round_values(
    ensemble: Ensemble,
    loss: Loss,
    weight: NDArray[np.float64],
    bits: int | str,
    *,
    l2_regularization: float,
    rng: np.random.RandomState,
    score_step: float = 0.0,
    parts: int = 5,
    max_iter: int = 15,
) -> tuple[NDArray[np.int32], float]:
    """Round leaf values to `bits`, a part of the trees at a time, refitting the rest.

    Parameters
    ----------
    ensemble : Ensemble
    loss : Loss
    weight : float64 array of shape (n,)
        Of the rows: a rounding error counts by the weight that meets it.
    bits : int in [2, 16] or "ternary"
    l2_regularization : float
    rng : RandomState
        Draws the order of the trees.
    score_step : float, default=0.0
        Where positive, the step is a whole multiple of it.
    parts, max_iter : int
        Parts of the trees, and steps of each refit between them.

    Returns
    -------
    values : int32 array of shape (M, S)
    step : float
        ``step * values`` are the leaf values.
    """
    _, high = value_limits(bits, signed=True)
    mass = np.zeros((len(ensemble.W), 1))
    add_to_leaves(ensemble.leaves, weight[:, None], mass)
    step = _best_step(ensemble.W, mass, high)
    if score_step > 0:
        step = score_step * max(1.0, np.rint(step / score_step))
    n_trees = int(ensemble.tree.max()) + 1
    order = rng.permutation(n_trees)
    W = np.clip(ensemble.W, -high * step, high * step)
    rounded = np.zeros(len(W), bool)
    for stop in np.unique(np.linspace(0, n_trees, min(parts, n_trees) + 1).astype(int))[1:]:
        now = np.isin(ensemble.tree, order[:stop]) & ~rounded
        W[now] = step * np.clip(np.rint(W[now] / step), -high, high)
        rounded |= now
        if not rounded.all():
            ensemble = refit(
                replace(ensemble, W=W),
                loss,
                l2_regularization=l2_regularization,
                max_iter=max_iter,
                free=~rounded,
                limit=high * step,
                linear=False,
            )
            W = ensemble.W
    return np.rint(W / step).astype(np.int32), float(step)


def _best_step(W: NDArray[np.float64], mass: NDArray[np.float64], high: int) -> float:
    """Step of least squared rounding error, rows counted; clipping pays where levels are few."""
    spread = float(np.sqrt((mass * W**2).sum() / (mass.sum() * W.shape[1])))
    most = float(np.abs(W).max())
    if spread == 0:
        return 1.0
    if high >= 127:
        return most / high
    candidates = np.append(spread * np.geomspace(0.1, 3, 30), most / high)

    def error(step: float) -> float:
        return float((mass * (W - step * np.clip(np.rint(W / step), -high, high)) ** 2).sum())

    return float(min(candidates, key=error))


@njit(nogil=True, cache=True)
def _add_leaves(leaves, W, z):
    """Add to each row of z the values of its leaves."""
    n, T = leaves.shape
    for i in range(n):
        if W.shape[1] == 1:
            for t in range(T):
                z[i, 0] += W[leaves[i, t], 0]
            continue
        row = z[i]
        for t in range(0, T - 3, 4):  # four at a time: the row is read and written once
            a, b, c, d = leaves[i, t], leaves[i, t + 1], leaves[i, t + 2], leaves[i, t + 3]
            for k in range(W.shape[1]):
                row[k] += (W[a, k] + W[b, k]) + (W[c, k] + W[d, k])
        for t in range(T - T % 4, T):
            for k in range(W.shape[1]):
                row[k] += W[leaves[i, t], k]


@njit(nogil=True, cache=True)
def add_to_leaves(leaves, rows, total):
    """Add to each leaf's total, of shape (M, C), its rows, of shape (n, C)."""
    n, T = leaves.shape
    for i in range(n):
        if rows.shape[1] == 1:
            for t in range(T):
                total[leaves[i, t], 0] += rows[i, 0]
            continue
        for t in range(T):
            leaf = leaves[i, t]
            for k in range(rows.shape[1]):
                total[leaf, k] += rows[i, k]
