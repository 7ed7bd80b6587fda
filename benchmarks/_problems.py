"""For compression.py: the public problems of Bucila 2006, single models, and their teacher.

Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", table 1: two classes each, 4,000
training and 1,000 validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _tables import fill_missing, nominal_columns, read
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

TRAIN, VALID, TEST = 4_000, 1_000, 20_000  # rows; the test rows are those left, at most so many
# Hidden layers of nets by kind; penalty and epochs. Early stopping is worse for all: a tenth of
# 4,000 rows is too few.
LAYERS = {"net": (256,), "net of two layers": (256, 256)}
NETS = ((0.01, 250), (1.0, 150), (0.1, 40))
TREES = 500
# What an ensemble may have of each kind; its nets are like the best single one of the kind.
COUNTS = {
    "forest": (0, 100, 200),
    "lightgbm": (0, 125, 250),
    "xgboost": (0, 75, 150),
    "nets": (0, 4),
    "two_layer_nets": (0, 4),
}


class Problem(NamedTuple):
    """A table, which of its classes are the positive one, and what was published."""

    table: str
    positive: Callable[[np.ndarray], np.ndarray]
    published: tuple[float, float, float]  # RMSE of best single net, ensemble, compressed net


class Rows(NamedTuple):
    """One draw of a problem."""

    X_fit: np.ndarray
    X_pick: np.ndarray
    X_test: np.ndarray
    y_fit: np.ndarray
    y_pick: np.ndarray
    y_test: np.ndarray
    nominal: list[int]


def _largest(y: np.ndarray) -> np.ndarray:
    return y == np.bincount(y).argmax()


PROBLEMS = {
    "letter.p1": Problem("letter", lambda y: y == ord("O") - ord("A"), (0.092, 0.075, 0.075)),
    "letter.p2": Problem("letter", lambda y: y < 13, (0.228, 0.178, 0.179)),
    "covtype": Problem("covtype_93k", _largest, (0.378, 0.334, 0.340)),
    "adult": Problem("adult", lambda y: y == y.max(), (0.328, 0.317, 0.325)),
}
SHIPPED = {"breast_cancer": Problem("breast_cancer", lambda y: y == 1, (np.nan,) * 3)}


def problem_of(name: str) -> Problem:
    """Of a table that has none of its own: the largest class against the rest."""
    known = PROBLEMS | SHIPPED
    return known.get(name, Problem(name, _largest, (np.nan,) * 3))


def draw(name: str, seed: int, directory: str | Path | None) -> Rows:
    """Rows to fit, to pick and to test on; an official split is left out of account."""
    problem = problem_of(name)
    X, y, _ = read(problem.table, directory)
    y = problem.positive(y).astype(np.intp)
    rows = np.random.default_rng(seed).permutation(len(y))
    share = min(1.0, len(y) / 2 / (TRAIN + VALID))  # half of a table that is too small
    cuts = np.cumsum([int(share * TRAIN), int(share * VALID), TEST])
    fit, pick, test = np.split(rows, cuts)[:3]
    X = fill_missing(X, fit)
    parts = [table[part] for table in (X, y) for part in (fit, pick, test)]
    return Rows(*parts, nominal_columns(problem.table, directory))


def rmse(P: np.ndarray, y: np.ndarray) -> float:
    """Of the probability of the positive class, against 0 and 1."""
    return float(np.sqrt(np.mean((P[:, 1] - y) ** 2)))


def singles(given: Rows, seed: int) -> Iterator[tuple[str, Any, Any]]:
    """Kind, settings and a single model on hard labels: those that Bucila calls the best net."""
    for leaves in (16, 32, 64, 128, None):
        for least in (1, 5, 20):
            tree = DecisionTreeClassifier(
                max_leaf_nodes=leaves, min_samples_leaf=least, random_state=seed
            )
            yield "tree", (leaves, least), tree
    for C in (0.03, 0.3, 3.0, 100.0):
        yield "logistic", (C,), _prepared(given, LogisticRegression(C=C, max_iter=500))
    for kind, settings in product(LAYERS, NETS):
        yield kind, settings, make_net(given, seed, kind, *settings)


def make_net(given: Rows, seed: int, kind: str, alpha: float, epochs: int) -> Any:
    """Of one or two hidden layers of 256 units."""
    net = MLPClassifier(LAYERS[kind], alpha=alpha, max_iter=epochs, random_state=seed)
    return _prepared(given, net)


def _prepared(given: Rows, model: Any) -> Any:
    """A pipeline that scales numbers and gives each category a column of its own."""
    numbers = [i for i in range(given.X_fit.shape[1]) if i not in given.nominal]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    columns = make_column_transformer((StandardScaler(), numbers), (one_hot, given.nominal))
    return make_pipeline(columns, model)


class Size(NamedTuple):
    """How many trees and nets an ensemble has."""

    forest: int = 0
    lightgbm: int = 0
    xgboost: int = 0
    nets: int = 0
    two_layer_nets: int = 0

    @property
    def trees(self) -> int:
        return self.forest + self.lightgbm + self.xgboost


def members(
    given: Rows, seed: int, size: Size, nets: dict[str, tuple[float, int]]
) -> dict[str, Any]:
    """An unfitted model of each kind that the ensemble has; `nets` are the settings of nets."""
    common: dict[str, Any] = {"random_state": seed, "n_jobs": 1}
    boosted = common | {"subsample": 0.8, "colsample_bytree": 0.6}
    found: dict[str, Any] = {}
    if size.forest:
        found["forest"] = ExtraTreesClassifier(size.forest, max_features=0.8, **common)
    if size.lightgbm:
        found["lightgbm"] = LGBMClassifier(
            n_estimators=size.lightgbm,
            learning_rate=0.2,
            min_child_samples=5,
            subsample_freq=1,
            verbose=-1,
            **boosted,
        )
    if size.xgboost:
        found["xgboost"] = XGBClassifier(n_estimators=size.xgboost, learning_rate=0.1, **boosted)
    for name, kind, count in zip(
        ("nets", "two_layer_nets"), LAYERS, (size.nets, size.two_layer_nets), strict=True
    ):
        if count:
            other = range(1000 * seed + 1, 1000 * seed + 1 + count)
            voters = [(f"net{i}", make_net(given, i, kind, *nets[kind])) for i in other]
            found[name] = VotingClassifier(voters, voting="soft")
    return found


def fit_ensemble(given: Rows, seed: int, nets: dict[str, tuple[float, int]]) -> tuple[Size, Any]:
    """The soft vote of kinds and counts that errs least on the rows to pick on.

    Members are fitted once at each count and put together; equals go to the smaller.
    """
    fitted: dict[tuple[str, int], Any] = {}
    told: dict[tuple[str, int], np.ndarray] = {}
    for kind, counts in COUNTS.items():
        for count in counts[1:]:
            model = members(given, seed, Size(**{kind: count}), nets)[kind]
            fitted[kind, count] = model.fit(given.X_fit, given.y_fit)
            told[kind, count] = model.predict_proba(given.X_pick)
    best: tuple[float, Size] | None = None
    for size in sorted(map(Size._make, product(*COUNTS.values())), key=lambda size: size.trees):
        parts = [part for part in zip(COUNTS, size, strict=True) if part[1]]
        if not parts or size.trees > TREES:
            continue
        error = rmse(np.mean([told[part] for part in parts], axis=0), given.y_pick)
        if best is None or error < best[0]:
            best = error, size
    assert best is not None
    size = best[1]
    chosen = [(kind, fitted[kind, n]) for kind, n in zip(COUNTS, size, strict=True) if n]
    # A vote of frozen models: nothing is fitted again.
    vote = VotingClassifier(
        [(kind, FrozenEstimator(model)) for kind, model in chosen], voting="soft"
    )
    return size, vote.fit(given.X_fit, given.y_fit)
