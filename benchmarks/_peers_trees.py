"""For budget.py: trees, forests, LightGBM and logistic regression on hard labels.

emlearn: one tree or a forest, 8 B a split, 4 B a tree, 1 B a class. LightGBM: a tree a round and
score, 4 B a split and 1 B a leaf. Logistic regression: an int8 weight a column and score, 4 B a
score, 8 B a column for its scaling. Their probabilities are taken as unrounded, although emlearn's
bytes hold labels only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from _draws import Draw
from _peers_candidate import Candidate, all_classes
from lightgbm import LGBMClassifier
from lightgbm.callback import CallbackEnv, EarlyStopException
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

MOST = 16_384 * 1.3  # bytes; nothing larger is tried
ROUNDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
# Gain a row that a split has to bring, and gain a row of all that a column has to bring when it
# is used for the first time.
CEGB = ((1e-4, 0.0), (1e-3, 0.0), (5e-3, 0.0), (1e-4, 1e-3), (1e-3, 1e-2))
CEGB_ROUNDS = 256
STEPS = tuple(int(256 * 2 ** (step / 2)) for step in range(13))  # bytes, 256 to 16,384


def candidates(given: Draw) -> Iterator[Candidate]:
    scores = 1 if given.n_classes == 2 else given.n_classes
    yield from _trees(given)
    yield from _boosted(given, scores)
    started = time.perf_counter()
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(given.X_fit, given.y_fit)
    columns = given.X_fit.shape[1]
    size = (columns + 4) * scores + 8 * columns
    seconds = time.perf_counter() - started
    answer = all_classes(model, given.n_classes)
    yield Candidate("linear", "logistic regression", size, answer, seconds)


def _trees(given: Draw) -> Iterator[Candidate]:
    for leaves in (16, 32, 64, 128, 256, 512, 1024):
        started = time.perf_counter()
        tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
        tree.fit(given.X_fit, given.y_fit)
        size = 8 * (tree.get_n_leaves() - 1) + 4 + given.n_classes
        seconds = time.perf_counter() - started
        answer = all_classes(tree, given.n_classes)
        yield Candidate("emlearn", f"1x{leaves}", size, answer, seconds)
    for trees in (3, 5, 10, 20, 40):
        for leaves in (8, 16, 32, 64, 128, 256):
            if 8 * trees * leaves > MOST:
                continue
            started = time.perf_counter()
            forest = RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=0, n_jobs=1)
            forest.fit(given.X_fit, given.y_fit)
            splits = sum(tree.get_n_leaves() - 1 for tree in forest.estimators_)
            size, seconds = 8 * splits + 4 * trees + given.n_classes, time.perf_counter() - started
            answer = all_classes(forest, given.n_classes)
            yield Candidate("emlearn", f"{trees}x{leaves}", size, answer, seconds)


def _boosted(given: Draw, scores: int) -> Iterator[Candidate]:
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
                answer = all_classes(model, given.n_classes, num_iteration=rounds)
                yield Candidate("lightgbm", name, rounds * size, answer, seconds * part)


def cegb(given: Draw) -> Iterator[Candidate]:
    """LightGBM with penalties of splits and of new columns, counted like LightGBM.

    Peter et al. 2017, "Cost efficient gradient boosting". Boosting goes on for as long as the
    trees take no more bytes than are tried. `cegb_penalty_feature_lazy` is for what it costs
    to read a column of a row, which takes no bytes.
    """
    n, columns = given.X_fit.shape
    for leaves, rate, (split, column) in product((4, 8, 16), (0.1, 0.3), CEGB):
        penalties: dict[str, Any] = {"cegb_penalty_split": split}
        if column:
            penalties["cegb_penalty_feature_coupled"] = [column * n] * columns
        sizes: list[int] = []
        started = time.perf_counter()
        model = LGBMClassifier(
            n_estimators=CEGB_ROUNDS,
            num_leaves=leaves,
            learning_rate=rate,
            n_jobs=1,
            verbose=-1,
            **penalties,
        )
        model.fit(given.X_fit, given.y_fit, callbacks=[_Sizes(sizes)])
        seconds, total = time.perf_counter() - started, np.cumsum(sizes)
        most = np.unique(np.searchsorted(total, STEPS, side="right"))
        for rounds in most[most > 0].tolist():
            name = f"{rounds}x{leaves} at {rate}, split {split:g}, column {column:g}"
            answer = all_classes(model, given.n_classes, num_iteration=rounds)
            part = seconds * rounds / len(sizes)
            yield Candidate("lightgbm, cegb", name, total[rounds - 1], answer, part)


class _Sizes:
    """Notes the bytes of each round, and stops where all together take more than is tried."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def __call__(self, env: CallbackEnv) -> None:
        trees = env.model.dump_model(num_iteration=1, start_iteration=env.iteration)["tree_info"]
        leaves = [tree["num_leaves"] for tree in trees]
        if trees:  # a round that finds no split is taken back
            self.sizes.append(sum(4 * (each - 1) + each for each in leaves))
        if sum(self.sizes) > STEPS[-1] or max(leaves, default=1) == 1:
            raise EarlyStopException(env.iteration, [])
