"""For budget.py: ProtoNN on hard labels, with weights of 8 bits.

Gupta et al. 2017, "ProtoNN: compressed and accurate kNN for resource-scarce devices", ICML. Scores
are ``sum_j Z_j exp(-gamma^2 |W x - B_j|^2)``: a projection W, prototypes B with scores Z of
their own, and gamma are learnt together. A weight takes a byte, a column one for its scale, a
category one for its number, a projected column four for its mean; four floats and 200 B of code
come on top. As in the nets of this
benchmark, the weights are rounded while they are learnt.
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
from sklearn.cluster import KMeans

BUDGETS = (512, 1024, 2048, 4096, 8192)
PROJECTIONS = (6, 10, 14, 20)  # columns of the projection
FLOATS = 16  # bytes: the steps of the three tables, and gamma
EPOCHS, BATCH, RATE = 200, 128, 0.05
EXACT = 0.3  # of the steps are on weights that are not rounded


class ProtoNN(NamedTuple):
    """Parameters, float32; the tables are rounded to 8 bits."""

    W: np.ndarray  # (n_columns, n_projected)
    B: np.ndarray  # (n_prototypes, n_projected)
    Z: np.ndarray  # (n_prototypes, n_scores)
    gamma: np.ndarray  # ()


def candidates(given: Draw) -> Iterator[Candidate]:
    columns = fit_columns(given)
    X = columns.transform(given.X_fit)
    scores = 1 if given.n_classes == 2 else given.n_classes
    tried = [each for each in PROJECTIONS if each < X.shape[1]] + [X.shape[1]]
    for projected in tried[: len(PROJECTIONS)]:
        for budget in BUDGETS:
            rest = CODE + FLOATS + columns.nbytes + projected * (X.shape[1] + 4)
            prototypes = min((budget - rest) // (projected + scores), len(X) // 4)
            if prototypes < 2:
                continue
            started = time.perf_counter()
            model = train(X, given.y_fit, given.n_classes, projected, prototypes, given.seed)
            seconds = time.perf_counter() - started
            size = rest + model.B.size + model.Z.size

            def answer(rows: np.ndarray, model: ProtoNN = model) -> np.ndarray:
                return probabilities(_scores(model, columns.transform(rows))[-1])

            recipe = f"{prototypes} in {projected} columns"
            yield Candidate("ProtoNN", recipe, size, answer, seconds)


def train(
    X: np.ndarray, y: np.ndarray, n_classes: int, projected: int, prototypes: int, seed: int
) -> ProtoNN:
    rng = np.random.default_rng(seed)
    model = _start(X, y, n_classes, projected, prototypes, rng)
    steps = EPOCHS * max(1, len(X) // BATCH)
    adam = Adam([*model], RATE, steps)
    rows = np.concatenate([rng.permutation(len(X)) for _ in range(EPOCHS + 1)])
    for step in range(steps):
        part = rows[step * BATCH : (step + 1) * BATCH]
        used = model if step < EXACT * steps else _rounded(model)
        adam.step([*model], _gradient(used, X[part], y[part]))
    return _rounded(model)


def _start(
    X: np.ndarray,
    y: np.ndarray,
    n_classes: int,
    projected: int,
    prototypes: int,
    rng: np.random.Generator,
) -> ProtoNN:
    """A random projection, and the centres of each class, as many as it has rows."""
    scores = 1 if n_classes == 2 else n_classes
    W = rng.normal(size=(X.shape[1], projected)) / np.sqrt(X.shape[1])
    if projected == X.shape[1]:
        W = np.eye(projected)
    some = rng.permutation(len(X))[:4000]
    U, labels = X[some] @ W, y[some]
    counts = np.bincount(labels, minlength=n_classes)
    shares = np.maximum(counts / counts.sum() * prototypes, counts > 0).astype(int)
    while shares.sum() > prototypes:
        shares[shares.argmax()] -= 1
    for k in np.argsort(-counts)[: prototypes - shares.sum()]:
        shares[k] += 1
    B, Z = [], []
    for k in np.flatnonzero(shares):
        mine = U[labels == k]
        count = min(int(shares[k]), len(mine))
        seed = int(rng.integers(2**31))
        B.append(KMeans(count, n_init=1, max_iter=20, random_state=seed).fit(mine).cluster_centers_)
        Z.append(np.full((count, scores), -1.0 if scores == 1 and k == 0 else 0.0))
        if scores > 1 or k == 1:
            Z[-1][:, k if scores > 1 else 0] = 4.0
    B = np.concatenate(B)
    distance = ((U[:500, None] - B) ** 2).sum(axis=2).min(axis=1)
    gamma = 1 / np.sqrt(np.median(distance) + 1e-6)
    return ProtoNN(*(np.asarray(each, np.float32) for each in (W, B, np.concatenate(Z), gamma)))


def _rounded(model: ProtoNN) -> ProtoNN:
    return model._replace(W=rounded(model.W), B=rounded(model.B), Z=rounded(model.Z))


def _scores(model: ProtoNN, X: np.ndarray) -> tuple[np.ndarray, ...]:
    """Projected rows, squared distances to the prototypes, similarities and scores."""
    U = X @ model.W
    D = (U**2).sum(axis=1)[:, None] - 2 * U @ model.B.T + (model.B**2).sum(axis=1)
    S = np.exp(-(model.gamma**2) * D)
    return U, D, S, S @ model.Z


def _gradient(model: ProtoNN, X: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Of the mean cross-entropy, by each parameter; rounding is taken as the identity."""
    U, D, S, scores = _scores(model, X)
    g = cross_entropy_gradient(scores, y)
    dS = g @ model.Z.T
    dS *= S
    R = -(model.gamma**2) * dS
    dU = 2 * (U * R.sum(axis=1)[:, None] - R @ model.B)
    dB = 2 * (model.B * R.sum(axis=0)[:, None] - R.T @ U)
    return [X.T @ dU, dB, S.T @ g, np.float32(-2 * model.gamma * (D * dS).sum())]
