"""For compression.py: the public problems of Bucila 2006, single models, and their teacher.

Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", table 1: two classes each, 4,000
training and 1,000 validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from _common import nominal_columns, read
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

TRAIN, VALID, TEST = 4_000, 1_000, 20_000  # rows; the test rows are those left, at most so many
# Counts of trees that a committee may have: of a forest, of LightGBM and of XGBoost.
FOREST, ROUNDS = (0, 100, 200), (0, 75, 150)


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


def draw(name: str, seed: int, directory: str | Path | None) -> Rows:
    """Rows to fit, to pick and to test on; an official split is left out of account."""
    problem = (PROBLEMS | SHIPPED)[name]
    X, y, _ = read(problem.table, directory)
    y = problem.positive(y).astype(np.intp)
    rows = np.random.default_rng(seed).permutation(len(y))
    share = min(1.0, len(y) / 2 / (TRAIN + VALID))  # half of a table that is too small
    cuts = np.cumsum([int(share * TRAIN), int(share * VALID), TEST])
    fit, pick, test = np.split(rows, cuts)[:3]
    missing = np.isnan(X)
    X = np.where(missing, np.nanmedian(X[fit], axis=0), X).astype(np.float32)
    parts = [table[part] for table in (X, y) for part in (fit, pick, test)]
    return Rows(*parts, nominal_columns(problem.table, directory))


def rmse(P: np.ndarray, y: np.ndarray) -> float:
    """Of the probability of the positive class, against 0 and 1."""
    return float(np.sqrt(np.mean((P[:, 1] - y) ** 2)))


def singles(given: Rows, seed: int) -> Iterator[tuple[str, str, Any]]:
    """Kind, settings and a single model on hard labels: those that Bucila calls the best net."""
    for leaves in (16, 32, 64, 128, None):
        for least in (1, 5, 20):
            tree = DecisionTreeClassifier(
                max_leaf_nodes=leaves, min_samples_leaf=least, random_state=seed
            )
            yield "tree", f"{leaves} leaves of {least} rows", tree
    for C in (0.03, 0.3, 3.0, 100.0):
        yield "logistic", f"C={C}", _prepared(given, LogisticRegression(C=C, max_iter=500))
    # No early stopping: a tenth of 4,000 rows is too few to stop on, and all nets were worse.
    for alpha, epochs in ((0.01, 250), (1.0, 150), (0.1, 40)):
        net = MLPClassifier((256,), alpha=alpha, max_iter=epochs, random_state=seed)
        yield "net", f"alpha={alpha}, {epochs} epochs", _prepared(given, net)


def _prepared(given: Rows, model: Any) -> Any:
    """A pipeline that scales numbers and gives each category a column of its own."""
    numbers = [i for i in range(given.X_fit.shape[1]) if i not in given.nominal]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    columns = make_column_transformer((StandardScaler(), numbers), (one_hot, given.nominal))
    return make_pipeline(columns, model)


def make_committee(seed: int, forest: int, lightgbm: int, xgboost: int) -> VotingClassifier:
    """A soft vote of so many trees of each kind; 0 leaves a kind out."""
    common: dict[str, Any] = {"random_state": seed, "n_jobs": 1}
    rows = {"subsample": 0.8, "colsample_bytree": 0.6}
    members = [
        ("extra", ExtraTreesClassifier(forest or 1, max_features=0.8, **common)),
        (
            "lightgbm",
            LGBMClassifier(
                n_estimators=lightgbm,
                learning_rate=0.1,
                min_child_samples=5,
                subsample_freq=1,
                verbose=-1,
                **rows,
                **common,
            ),
        ),
        (
            "xgboost",
            XGBClassifier(n_estimators=xgboost, learning_rate=0.2, max_depth=8, **rows, **common),
        ),
    ]
    counts = (forest, lightgbm, xgboost)
    kept = [member for member, count in zip(members, counts, strict=True) if count]
    return VotingClassifier(kept, voting="soft")


def best_size(given: Rows, seed: int) -> tuple[int, int, int]:
    """Trees of each kind of the committee that errs least on the rows to pick on."""
    votes: list[dict[int, np.ndarray]] = []
    for kind, counts in enumerate((FOREST, ROUNDS, ROUNDS)):
        told = {}
        for count in counts[1:]:
            asked = [0, 0, 0]
            asked[kind] = count
            member = make_committee(seed, *asked).fit(given.X_fit, given.y_fit)
            told[count] = member.predict_proba(given.X_pick)
        votes.append(told)
    found = []
    for forest in FOREST:
        for lightgbm in ROUNDS:
            for xgboost in ROUNDS:
                counts = (forest, lightgbm, xgboost)
                if any(counts):
                    chosen = [told[n] for told, n in zip(votes, counts, strict=True) if n]
                    found.append((rmse(np.mean(chosen, axis=0), given.y_pick), sum(counts), counts))
    return min(found)[2]
