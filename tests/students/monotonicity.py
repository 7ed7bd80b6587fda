"""Rows for constraints of order, and the oracle of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

SIGNS = st.lists(st.sampled_from([-1, 0, 1]), min_size=3, max_size=3)


def draw(seed, n):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (n, 3)).astype(float)
    X[rng.random(n) < 0.1, 2] = np.nan
    y = np.sin(X[:, 0]) + X[:, 1] * rng.normal() + rng.normal(size=n)
    return X, y, rng


def assert_monotonic(predict, X, signs, rng):
    """Rows that differ in one column, along all its values."""
    rows = X[rng.integers(0, len(X), 40)]
    for column, sign in enumerate(signs):
        if sign == 0:
            continue
        ladder = np.repeat(rows[:, None], 60, axis=1)
        ladder[:, :, column] = np.linspace(-4, 4, 60)
        along = predict(ladder.reshape(-1, 3)).astype(np.float64).reshape(40, 60)  # holds int32
        assert (sign * np.diff(along, axis=1) >= 0).all()
