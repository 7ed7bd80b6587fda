"""For budget.py: a table's rows to fit, to pick and to test on, and what the teacher says of them.

What takes long, the teacher's labels, is kept in a cache folder, one file a draw.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from _tables import OWN_SPLIT_IGNORED, fill_missing, nominal_columns, read
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from skdistill import Munge
from skdistill.teachers import cross_fit, probabilities

CAP = 20_000  # training rows, those to pick on included
ROWS = 24_000  # to learn from, MUNGE rows included: as many whole passes as stay below it
# A round of boosting counts as one tree, whatever the number of classes: 500 trees in all.
FOREST, ROUNDS, LEAVES = 200, 150, 31
OTHER_SPLITS = {"gas_drift_time": "gas_drift"}  # a table's own split where the other is the rule


class Draw(NamedTuple):
    """A table and one draw of the rows to fit on and of those to pick on."""

    name: str
    seed: int
    n_classes: int
    X_fit: np.ndarray
    X_pick: np.ndarray
    X_test: np.ndarray
    y_fit: np.ndarray
    y_pick: np.ndarray
    y_test: np.ndarray
    nominal: list[int]  # columns that are codes of categories


class TeacherLabels(NamedTuple):
    """What a teacher says: of the fitted rows out of fold, of MUNGE rows, of the others."""

    fit: np.ndarray
    rows: np.ndarray
    munge: np.ndarray
    pick: np.ndarray
    test: np.ndarray
    seconds: float


def draw(name: str, seed: int, directory: str | Path | None) -> Draw:
    """The numbers of a table, blanks filled, and which rows are for what."""
    file = OTHER_SPLITS.get(name, name)
    X, y, train = read(file, directory)
    rows, test = train_and_test(name, y, train)
    X = fill_missing(X, rows)
    fit, pick = fit_and_pick(rows, seed)
    parts = [table[part] for table in (X, y) for part in (fit, pick, test)]
    return Draw(name, seed, len(np.unique(y)), *parts, nominal_columns(file, directory))


def train_and_test(
    name: str, y: np.ndarray, train: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a table to train on, and its test rows, which are the same for every seed."""
    if train is None or name in OWN_SPLIT_IGNORED:
        rows, test = train_test_split(np.arange(len(y)), test_size=0.3, random_state=0, stratify=y)
        return rows, test
    return np.flatnonzero(train), np.flatnonzero(~train)


def fit_and_pick(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows to pick on are 20 % of those to train on."""
    if len(rows) > CAP:
        rows = rows[np.random.default_rng(0).permutation(len(rows))[:CAP]]
    fit, pick = train_test_split(rows, test_size=0.2, random_state=seed)
    return fit, pick


def without_rare_classes(given: Draw, least: int) -> Draw:
    """Without the classes of which there are fewer than `least` rows to fit."""
    counts = np.bincount(given.y_fit, minlength=given.n_classes)
    classes = np.flatnonzero(counts >= least)
    parts = {}
    for part in ("fit", "pick", "test"):
        X, y = getattr(given, f"X_{part}"), getattr(given, f"y_{part}")
        rows = np.isin(y, classes)
        parts |= {f"X_{part}": X[rows], f"y_{part}": np.searchsorted(classes, y[rows])}
    return given._replace(n_classes=len(classes), **parts)


def teacher_labels(given: Draw, cache: Path, quick: bool = False) -> TeacherLabels:
    """What the teacher says, from the cache or fitted now and kept there."""
    share = 10 if quick else 1
    settings = {
        "forest": FOREST // share,
        "rounds": ROUNDS // share,
        "leaves": LEAVES,
        "factor": max(1, ROWS // share // len(given.X_fit) - 1),
    }
    rows = given[: given._fields.index("nominal")]  # the teacher does not know these columns
    path = cache / f"teacher-{given.name}-{given.seed}-{joblib.hash((*rows, settings))[:12]}.npz"
    if not path.exists():
        made = _learn(given, **settings)
        partial = path.with_suffix(".partial.npz")
        cache.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(partial, **made._asdict())
        partial.replace(path)
    with np.load(path) as kept:
        return TeacherLabels(**{name: kept[name] for name in TeacherLabels._fields})


def make_teacher(seed: int, forest: int, rounds: int, leaves: int) -> VotingClassifier:
    common: dict[str, Any] = {"n_estimators": rounds, "random_state": seed, "n_jobs": 1}
    xgboost = {"grow_policy": "lossguide", "max_depth": 0, "max_leaves": leaves}
    members = [
        ("extra", ExtraTreesClassifier(forest, random_state=seed, n_jobs=1)),
        ("lightgbm", LGBMClassifier(num_leaves=leaves, verbose=-1, **common)),
        ("xgboost", XGBClassifier(learning_rate=0.1, tree_method="hist", **xgboost, **common)),
    ]
    return VotingClassifier(members, voting="soft")


def _learn(given: Draw, forest: int, rounds: int, leaves: int, factor: int) -> TeacherLabels:
    started, classes = time.perf_counter(), np.arange(given.n_classes)
    teacher = make_teacher(given.seed, forest, rounds, leaves)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        fitted, P = cross_fit(teacher, given.X_fit, given.y_fit, classes)
        rows = Munge(factor).sample(given.X_fit, given.seed)
        said = [probabilities(fitted, X, classes) for X in (rows, given.X_pick, given.X_test)]
    munge, pick, test = (P.astype(np.float32) for P in said)
    seconds = time.perf_counter() - started
    return TeacherLabels(P.astype(np.float32), rows, munge, pick, test, seconds)


def measures(
    P: np.ndarray, y: np.ndarray, decided: np.ndarray | None = None
) -> tuple[float, float]:
    """Accuracy and log loss of probabilities; `decided` are the labels where not those of P."""
    decided = P.argmax(axis=1) if decided is None else decided
    told = P[np.arange(len(y)), y].astype(float)
    loss = -np.log(np.clip(told, np.finfo(float).eps, 1)).mean()
    return float((decided == y).mean()), float(loss)
