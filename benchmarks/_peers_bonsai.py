"""For budget.py: Bonsai on hard labels, with weights of 8 bits.

Kumar et al. 2017, "Resource-efficient machine learning in 2 KB RAM for the Internet of Things",
ICML. A row is projected, z = Z x, and walks down a tree whose splits are the signs of theta z.
Each node on its way adds scores W z * tanh(sigma V z). All is learnt together: splits are soft at
first and harden. A weight takes a byte, a column one for its scale, a category one for its number,
and three floats and 200 B of code come on top. As in the nets of this benchmark, the weights are
rounded while they are learnt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from _draws import Draw
from _peers_candidate import CODE, Candidate
from _peers_columns import fit_columns
from _peers_training import Adam, cross_entropy_gradient, probabilities, rounded

BUDGETS = (512, 1024, 2048, 4096, 8192)
DEPTHS = (0, 1, 2, 3)
MOST_PROJECTED = 40
FLOATS = 16  # bytes: the steps of the four tables
EPOCHS, BATCH, RATE = 80, 128, 0.02
EXACT = 0.3  # of the steps are on weights that are not rounded
SIGMA = 1.0
HARD = 30.0  # what a split is multiplied by at the end, in units of its mean absolute value


class Bonsai(NamedTuple):
    """Parameters, float32, rounded to 8 bits in the end."""

    Z: np.ndarray  # (n_columns, n_projected)
    W: np.ndarray  # (n_nodes, n_projected, n_scores)
    V: np.ndarray  # (n_nodes, n_projected, n_scores)
    theta: np.ndarray  # (n_projected, n_splits)


def candidates(given: Draw) -> Iterator[Candidate]:
    columns = fit_columns(given)
    X = _with_one(columns.transform(given.X_fit))
    scores = 1 if given.n_classes == 2 else given.n_classes
    for depth in DEPTHS:
        splits = 2**depth - 1
        each = X.shape[1] + 2 * (2 * splits + 1) * scores + splits  # bytes a projected column
        tried: set[int] = set()
        for budget in BUDGETS:
            room = budget - CODE - FLOATS - columns.nbytes
            projected = min(room // each, MOST_PROJECTED, X.shape[1])
            if projected < 2 or projected in tried:
                continue
            tried.add(projected)
            started = time.perf_counter()
            model = train(X, given.y_fit, scores, depth, projected, given.seed)
            seconds = time.perf_counter() - started
            size = projected * each + FLOATS + columns.nbytes + CODE

            def answer(rows: np.ndarray, model: Bonsai = model) -> np.ndarray:
                X = _with_one(columns.transform(rows))
                return probabilities(_forward(model, X, None).scores)

            recipe = f"depth {depth}, {projected} columns"
            yield Candidate("Bonsai", recipe, size, answer, seconds)


def _with_one(X: np.ndarray) -> np.ndarray:
    """A column of ones beside the others: biases are part of the projection."""
    return np.column_stack([X, np.ones(len(X), np.float32)])


def train(
    X: np.ndarray, y: np.ndarray, scores: int, depth: int, projected: int, seed: int
) -> Bonsai:
    rng = np.random.default_rng(seed)
    splits = 2**depth - 1

    def normal(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) / np.sqrt(shape[-2])).astype(np.float32)

    nodes = 2 * splits + 1
    model = Bonsai(
        normal(X.shape[1], projected),
        normal(nodes, projected, scores),
        normal(nodes, projected, scores),
        normal(projected, splits),
    )
    steps = EPOCHS * max(1, len(X) // BATCH)
    adam = Adam([*model], RATE, steps)
    rows = np.concatenate([rng.permutation(len(X)) for _ in range(EPOCHS + 1)])
    for step in range(steps):
        part = rows[step * BATCH : (step + 1) * BATCH]
        used = model if step < EXACT * steps else _rounded(model)
        adam.step([*model], _gradient(used, X[part], y[part], HARD ** (step / steps)))
    return _rounded(model)


def _rounded(model: Bonsai) -> Bonsai:
    return Bonsai(*(rounded(each) if each.size else each for each in model))


class Forward(NamedTuple):
    """What a pass computes."""

    U: np.ndarray  # (n, n_projected)
    right: np.ndarray  # (n, n_splits) tanh of the splits: 1 is to the right
    share: np.ndarray  # (n, n_nodes) how much of a row is at a node
    linear: np.ndarray  # (n_nodes, n, n_scores)
    squashed: np.ndarray  # (n_nodes, n, n_scores)
    scores: np.ndarray


def _forward(model: Bonsai, X: np.ndarray, hardness: float | None) -> Forward:
    """None is as hard as on a device."""
    U = X @ model.Z
    split = U @ model.theta
    right = np.where(split > 0, 1.0, -1.0).astype(np.float32)
    if hardness is not None:
        right = np.tanh(np.float32(hardness) * split)
    share = np.ones((len(X), 2 * right.shape[1] + 1), np.float32)
    for node in range(right.shape[1]):
        share[:, 2 * node + 1] = share[:, node] * (1 - right[:, node]) / 2
        share[:, 2 * node + 2] = share[:, node] * (1 + right[:, node]) / 2
    linear = U @ model.W
    squashed = np.tanh(SIGMA * (U @ model.V))
    scores = np.einsum("in,nik->ik", share, linear * squashed)
    return Forward(U, right, share, linear, squashed, scores)


def _gradient(model: Bonsai, X: np.ndarray, y: np.ndarray, hardness: float) -> list[np.ndarray]:
    """Of the mean cross-entropy; rounding is taken as the identity."""
    found = _forward(model, X, hardness)
    g = cross_entropy_gradient(found.scores, y)
    part = found.share.T[:, :, None] * g
    d_linear = part * found.squashed
    d_squashed = part * found.linear * (1 - found.squashed**2) * np.float32(SIGMA)
    dU = (d_linear @ model.W.transpose(0, 2, 1) + d_squashed @ model.V.transpose(0, 2, 1)).sum(0)
    d_share = (found.linear * found.squashed * g).sum(axis=2).T
    d_split = np.zeros_like(found.right)
    for node in reversed(range(found.right.shape[1])):
        left, right = d_share[:, 2 * node + 1], d_share[:, 2 * node + 2]
        turn = found.right[:, node]
        d_split[:, node] = found.share[:, node] * (right - left) / 2
        d_share[:, node] += left * (1 - turn) / 2 + right * (1 + turn) / 2
    d_split *= (1 - found.right**2) * np.float32(hardness)
    dU += d_split @ model.theta.T
    return [X.T @ dU, found.U.T @ d_linear, found.U.T @ d_squashed, found.U.T @ d_split]
