"""For search.py and others: tables as they come, rows to search on and rows to test on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from _draws import fit_and_pick, train_and_test
from _tables import choose_sets, read, read_frame
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import train_test_split

REGRESSIONS = ("diabetes", "friedman1")
LARGE, THINNED = 8000, 4000  # rows


def choose_problems(args: argparse.Namespace) -> list[str]:
    """Tables of --data, and regressions; by default all."""
    asked = args.sets or (REGRESSIONS[:1] if args.quick else None)
    tables = [each for each in asked or () if each not in REGRESSIONS]
    if tables or (asked is None and args.data is not None):
        args.sets = tables
        tables = choose_sets(args, ())
    return [*tables, *(each for each in REGRESSIONS if asked is None or each in asked)]


class Problem(NamedTuple):
    """Rows to search on, and rows to test on."""

    task: str
    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray


def problem(name: str, seed: int, directory: str | Path | None, *, thin: bool = False) -> Problem:
    """Of a table, the rows that budget.py fits students on: those on which it picks are not used.

    Thin tables have 4,000 of them where there are more than 8,000.
    """
    if name in REGRESSIONS:
        X, y = _regression(name)
        parts = train_test_split(X, y, test_size=0.3, random_state=seed)
        return Problem("regression", parts[0], parts[2], parts[1], parts[3])
    if directory is None:
        X, y, train = read(name, None)
        X = pd.DataFrame(X)
    else:
        X, y, train = read_frame(name, directory)
    rows, test = train_and_test(name, y, train)
    fit, _ = fit_and_pick(rows, seed)
    if thin and len(fit) > LARGE:
        fit = fit[:THINNED]
    return Problem("classification", X.iloc[fit], y[fit], X.iloc[test], y[test])


def holds_int16(X: Any) -> bool:
    """Whether the columns are whole numbers that int16 holds."""
    frame = pd.DataFrame(X)
    if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes):
        return False
    values = frame.to_numpy(np.float64)
    return bool((np.rint(values) == values).all() and np.abs(values).max() < 2**15)


def _regression(name: str) -> tuple[np.ndarray, np.ndarray]:
    if name == "diabetes":
        return load_diabetes(return_X_y=True)
    return make_friedman1(3000, noise=1.0, random_state=0)
