"""Tables as they come: data frames with strings and blanks, and what can be wrong with a row."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _tables import is_text, read_frame
from sklearn.model_selection import train_test_split

MADE_UP = "made up"  # where there is no directory of tables
BLANK, MISSING, UNKNOWN = 0.02, 0.03, 0.03  # shares of the cells that `spoil` changes


class Frames(NamedTuple):
    """A classification problem on raw rows, split into training and test rows."""

    X_train: pd.DataFrame
    X_test: pd.DataFrame
    y_train: np.ndarray
    y_test: np.ndarray


def load(name: str, directory: str | Path | None, cap: int, seed: int) -> Frames:
    """``directory/name.parquet`` as it is; at most `cap` training rows, drawn by `seed`.

    A table's own `split` column is respected, else 30 % of the rows, stratified, are for
    testing; they too change with `seed`.
    """
    X, y, train = (
        (*make_up(2_000, seed), None) if directory is None else read_frame(name, directory)
    )
    rows = np.arange(len(y))
    if train is None:
        fit, test = train_test_split(rows, test_size=0.3, random_state=seed, stratify=y)
    else:
        fit, test = rows[train], rows[~train]
    if len(fit) > cap:
        fit, _ = train_test_split(fit, train_size=cap, random_state=seed, stratify=y[fit])
    return Frames(X.iloc[fit], X.iloc[test], y[fit], y[test])


def make_up(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of numbers, strings and blanks, one class rare; for a machine without tables."""
    rng = np.random.default_rng(seed)
    town = rng.integers(12, size=n)
    plan = rng.integers(3, size=n)
    years, bill = rng.exponential(3, n), rng.normal(50, 15, n)
    pull = np.random.default_rng(0).normal(size=12)
    leaves = pull[town] + 0.8 * (plan == 1) - 0.4 * years + 0.03 * (bill - 50) - 1
    y = np.where(leaves + rng.logistic(size=n) > 0, "yes", "no")
    X = pd.DataFrame(
        {
            "town": pd.Categorical([f"town {k}" for k in town]),
            "years": years,
            "plan": np.array(["basic", "family", "none"])[plan],
            "bill": np.where(rng.random(n) < 0.05, np.nan, bill),
        }
    )
    X.loc[rng.random(n) < 0.05, "plan"] = None
    return X, y


def spoil(X: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows with cells missing, and among categories blank ones and ones never seen before."""
    rng = np.random.default_rng(seed)
    out = {}
    for name in X:
        text = is_text(X[name])
        column = X[name].astype(object if text else float).to_numpy(copy=True)
        if text:
            column[pd.isna(column)] = None
            column[rng.random(len(X)) < UNKNOWN] = "never seen"
            column[rng.random(len(X)) < BLANK] = ""
        column[rng.random(len(X)) < MISSING] = None if text else np.nan
        out[name] = column
    return pd.DataFrame(out)
