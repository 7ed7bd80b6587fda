"""For budget.py: what others reach on hard labels at the bytes that their tables take.

emlearn: one tree or a forest, 8 B a split, 4 B a tree, 1 B a class. LightGBM: a tree a round and
score, 4 B a split and 1 B a leaf. Logistic regression: an int8 weight a column and score, 4 B a
score, 8 B a column for its scaling. Their routing is taken as exact and their probabilities as
unrounded, although emlearn's bytes hold labels only.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from _draws import Draw, measures
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

MOST = 16_384 * 1.3  # bytes; nothing larger is tried
ROUNDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
Found = tuple[str, str, int, Any, float, dict[str, Any]]


def peers(given: Draw, cache: Path) -> list[dict[str, Any]]:
    """All candidates of one draw, from the cache or fitted now and kept there."""
    path = cache / f"peers-{given.name}-{given.seed}-{joblib.hash(tuple(given))[:12]}.json"
    if not path.exists():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            found = [_record(given, *one) for one in _candidates(given)]
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(found, indent=0))
        partial.replace(path)
    return json.loads(path.read_text())


def _candidates(given: Draw) -> Iterator[Found]:
    scores = 1 if given.n_classes == 2 else given.n_classes
    yield from _trees(given)
    yield from _boosted(given, scores)
    started = time.perf_counter()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(given.X_fit, given.y_fit)
    columns = given.X_fit.shape[1]
    size = (columns + 4) * scores + 8 * columns
    yield "linear", "logistic regression", size, model, time.perf_counter() - started, {}


def _trees(given: Draw) -> Iterator[Found]:
    for leaves in (16, 32, 64, 128, 256, 512, 1024):
        started = time.perf_counter()
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
        tree.fit(given.X_fit, given.y_fit)
        size = 8 * (tree.get_n_leaves() - 1) + 4 + given.n_classes
        yield "emlearn", f"1x{leaves}", size, tree, time.perf_counter() - started, {}
    for trees in (3, 5, 10, 20, 40):
        for leaves in (8, 16, 32, 64, 128, 256):
            if 8 * trees * leaves > MOST:
                continue
            started = time.perf_counter()
            forest = RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=0, n_jobs=1)
            forest.fit(given.X_fit, given.y_fit)
            splits = sum(tree.get_n_leaves() - 1 for tree in forest.estimators_)
            size, seconds = 8 * splits + 4 * trees + given.n_classes, time.perf_counter() - started
            yield "emlearn", f"{trees}x{leaves}", size, forest, seconds, {}


def _boosted(given: Draw, scores: int) -> Iterator[Found]:
    for leaves in (4, 8, 16, 32):
        size = scores * (4 * (leaves - 1) + leaves)
        tried = [rounds for rounds in ROUNDS if rounds * size < MOST]
        for rate in (0.1, 0.3) if tried else ():
            started = time.perf_counter()
            model = LGBMClassifier(
                n_estimators=tried[-1],
                num_leaves=leaves,
                learning_rate=rate,
                n_jobs=1,
                verbose=-1,
            ).fit(given.X_fit, given.y_fit)
            seconds = time.perf_counter() - started
            for rounds in tried:
                name, part = f"{rounds}x{leaves} at {rate}", rounds / tried[-1]
                asked = {"num_iteration": rounds}
                yield "lightgbm", name, rounds * size, model, seconds * part, asked


def _record(
    given: Draw, peer: str, name: str, size: int, model: Any, seconds: float, asked: dict[str, Any]
) -> dict[str, Any]:
    def answer(X: np.ndarray) -> np.ndarray:
        P = np.zeros((len(X), given.n_classes))
        P[:, model.classes_] = model.predict_proba(X, **asked)
        return P

    pick, pick_loss = measures(answer(given.X_pick), given.y_pick)
    test, test_loss = measures(answer(given.X_test), given.y_test)
    return {
        "model": peer,
        "recipe": name,
        "bytes": int(size),
        "pick": pick,
        "test": test,
        "pick_log_loss": pick_loss,
        "test_log_loss": test_loss,
        "seconds": seconds,
    }
