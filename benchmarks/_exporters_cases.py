"""For exporters.py: fitted models, the same for every exporter, and test rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

INPUTS = {
    "uint8": ("uint8_t", np.uint8),
    "int16": ("int16_t", np.int16),
    "float32": ("float", np.float32),
}
SOME_ROWS = 200  # at most, of each data set


class Data(NamedTuple):
    """Training and test rows."""

    X_train: np.ndarray
    X: np.ndarray
    y_train: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Case:
    """A fitted model, and rows as the device gets them: `input` names their C type.

    Other packages export the model too, unless it is `ours_alone`.
    """

    name: str
    model: Any
    input: str
    X_train: np.ndarray
    X: np.ndarray
    y: np.ndarray
    about: str
    ours_alone: bool = False

    @cached_property
    def labels(self) -> np.ndarray:
        """What the model itself predicts, as class numbers."""
        return np.searchsorted(self.model.classes_, self.model.predict(self.X))

    @property
    def trees(self) -> list[Any]:
        """The trees of scikit-learn."""
        fitted = np.ravel(getattr(self.model, "estimators_", [self.model]))
        return [one.tree_ for one in fitted if hasattr(one, "tree_")]

    @property
    def nodes(self) -> int:
        """Inner nodes and leaves; 0 where scikit-learn has no trees."""
        return sum(tree.node_count for tree in self.trees)

    @property
    def used(self) -> int:
        """How many features a row needs: those that some node asks for."""
        if not self.trees:
            return self.X.shape[1]
        asked = np.concatenate([tree.feature for tree in self.trees])
        return len(np.unique(asked[asked >= 0]))

    @cached_property
    def visited(self) -> np.ndarray:
        """Inner nodes on the way of each row, over all trees."""
        rows = self.X.astype(np.float32)
        paths = [np.diff(tree.decision_path(rows).indptr) - 1 for tree in self.trees]
        return np.sum(paths, axis=0) if paths else np.zeros(len(rows), int)


def cases(quick: bool = False) -> list[Case]:
    """All of them, or the smallest for a smoke check."""
    digits = _split(*load_digits(return_X_y=True))
    made = [*_single(digits)]
    if not quick:
        made += [*_wide(), *_forests(digits), *_boosters(digits), *_students(digits)]
    return made


def _single(data: Data) -> Iterator[Case]:
    tree = DecisionTreeClassifier(max_leaf_nodes=64, random_state=0)
    yield from _each_input("tree", tree, "digits, one tree of 64 leaves", data, INPUTS)
    linear = LogisticRegression(max_iter=10_000)
    yield from _each_input("linear", linear, "digits, logistic regression", data, ["uint8"])


def _wide() -> Iterator[Case]:
    """A tree beyond 64 used features and 16 classes, on features that fill a byte."""
    X, y = make_classification(
        6000,
        200,
        n_informative=80,
        n_redundant=0,
        n_classes=26,
        n_clusters_per_class=1,
        class_sep=3.0,
        random_state=0,
    )
    low, high = X.min(axis=0), X.max(axis=0)
    X = np.round(255 * (X - low) / (high - low))
    data = Data(*train_test_split(X, y, test_size=0.1, random_state=0, stratify=y))
    tree = DecisionTreeClassifier(max_leaf_nodes=256, random_state=0)
    about = "200 features, 26 classes, one tree of 256 leaves"
    yield from _each_input("wide", tree, about, data, ["uint8", "float32"])


def _forests(digits: Data) -> Iterator[Case]:
    for name, data, inputs in (
        ("digits", digits, INPUTS),
        ("sensors", _sensors(), ["int16", "float32"]),
        ("cancer", _split(*load_breast_cancer(return_X_y=True)), ["float32"]),
    ):
        forest = RandomForestClassifier(10, max_depth=8, random_state=0)
        about = f"{_ABOUT[name]}, forest of 10 trees of depth 8, soft vote"
        yield from _each_input(f"forest {name}", forest, about, data, inputs)


def _boosters(digits: Data) -> Iterator[Case]:
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    for name, data, rounds, inputs in (
        ("digits", digits, 5, ["uint8", "float32"]),
        ("sensors", _sensors(), 10, ["int16"]),
        ("cancer", _split(*load_breast_cancer(return_X_y=True)), 50, ["float32"]),
    ):
        booster = XGBClassifier(n_estimators=rounds, max_depth=4, n_jobs=1)
        classes = len(np.unique(data.y_train))
        trees = f"{rounds} rounds of {classes} trees" if classes > 2 else f"{rounds} trees"
        about = f"{_ABOUT[name]}, XGBoost, {trees}"
        yield from _each_input(f"xgboost {name}", booster, about, data, inputs)
    booster = LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1)
    about = "digits, LightGBM, 10 rounds of 10 trees"
    yield from _each_input("lightgbm digits", booster, about, digits, ["uint8"])
    booster = GradientBoostingClassifier(n_estimators=10, random_state=0)
    about = "digits, GradientBoostingClassifier, 10 rounds of 10 trees"
    yield from _each_input("gradient digits", booster, about, digits, ["uint8"])


def _students(digits: Data) -> Iterator[Case]:
    """Models of 2 KB that only this package makes, from the probabilities of a forest."""
    from skdistill import SoftBoostingClassifier, SoftNetClassifier

    teacher = RandomForestClassifier(100, random_state=0)
    for name, data, kind, trees, bits in (
        ("digits", digits, "uint8", 36, 4),
        ("sensors", _sensors(), "int16", 64, 8),
    ):
        soft = teacher.fit(data.X_train, data.y_train).predict_proba(data.X_train)
        student = SoftBoostingClassifier(
            trees, max_leaf_nodes=8, value_bits=4, threshold_bits=bits, random_state=0
        ).fit(data.X_train, soft)
        about = f"{_ABOUT[name]}, distilled into {trees} boosted trees"
        yield _case(f"student {name}", student, about, data, kind, ours_alone=True)
        if name == "digits":
            net = SoftNetClassifier(max_bytes=1700, random_state=0).fit(data.X_train, soft)
            about = "digits, distilled into a net"
            yield _case("net digits", net, about, data, kind, ours_alone=True)


_ABOUT = {"digits": "digits", "sensors": "18 sensors, 5 classes", "cancer": "breast cancer"}


def _sensors() -> Data:
    X, y = make_classification(
        4000,
        18,
        n_informative=12,
        n_redundant=2,
        n_classes=5,
        n_clusters_per_class=2,
        random_state=0,
    )
    return _split(np.round(2000 * X).clip(-32768, 32767), y)


def _split(X: np.ndarray, y: np.ndarray) -> Data:
    return Data(*train_test_split(X, y, test_size=0.25, random_state=0))


def _each_input(name: str, model: Any, about: str, data: Data, inputs: Any) -> Iterator[Case]:
    fitted = model.fit(data.X_train, data.y_train)
    for kind in inputs:
        yield _case(f"{name} {kind}", fitted, about, data, kind)


def _case(
    name: str, model: Any, about: str, data: Data, kind: str, ours_alone: bool = False
) -> Case:
    X, y = data.X[:SOME_ROWS], data.y[:SOME_ROWS]
    rows = np.ascontiguousarray(X.astype(INPUTS[kind][1]))
    if kind != "float32" and not np.array_equal(rows, X):
        raise ValueError(f"the rows of {name!r} are no {kind}")
    return Case(name, model, kind, data.X_train, rows, y, about, ours_alone)
