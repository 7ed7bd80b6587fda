"""For exporters.py: fitted scikit-learn models, the same for every exporter, and test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

INPUTS = {
    "uint8": ("uint8_t", np.uint8),
    "int16": ("int16_t", np.int16),
    "float32": ("float", np.float32),
}


@dataclass(frozen=True)
class Case:
    """A fitted model, and rows as the device gets them: `input` names their C type."""

    name: str
    model: Any
    input: str
    X_train: np.ndarray
    X: np.ndarray
    y: np.ndarray
    about: str

    @property
    def labels(self) -> np.ndarray:
        """What scikit-learn itself says, as class numbers."""
        return np.searchsorted(self.model.classes_, self.model.predict(self.X))

    @property
    def trees(self) -> list[Any]:
        fitted = getattr(self.model, "estimators_", [self.model])
        return [one.tree_ for one in fitted if hasattr(one, "tree_")]

    @property
    def nodes(self) -> int:
        """Inner nodes and leaves."""
        return sum(tree.node_count for tree in self.trees)

    @property
    def used(self) -> int:
        """How many features a row needs: those that some node asks for."""
        if not self.trees:
            return self.X.shape[1]
        asked = np.concatenate([tree.feature for tree in self.trees])
        return len(np.unique(asked[asked >= 0]))

    @property
    def visited(self) -> np.ndarray:
        """Inner nodes on the way of each row, over all trees."""
        rows = self.X.astype(np.float32)
        paths = [np.diff(tree.decision_path(rows).indptr) - 1 for tree in self.trees]
        return np.sum(paths, axis=0) if paths else np.zeros(len(rows), int)


def cases(quick: bool = False) -> list[Case]:
    """All of them, or the two smallest for a smoke check."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
    tree = DecisionTreeClassifier(max_leaf_nodes=64, random_state=0).fit(X, y)
    linear = LogisticRegression(max_iter=10_000).fit(X, y)
    digits = {
        "tree": (tree, "digits, one tree of 64 leaves"),
        "linear": (linear, "digits, logistic regression"),
    }
    rows = X, X_test, y_test
    found = [_case("tree", *digits["tree"], *rows, kind) for kind in INPUTS]
    if not quick:
        wide, *wide_rows = _wide()
        about = "200 features, 26 classes, one tree of 256 leaves"
        found += [_case("wide", wide, about, *wide_rows, kind) for kind in ("uint8", "float32")]
        forest = RandomForestClassifier(10, max_depth=8, random_state=0).fit(X, y)
        about = "digits, forest of 10 trees of depth 8, soft vote"
        found += [_case("forest", forest, about, *rows, kind) for kind in ("uint8", "int16")]
    found.append(_case("linear", *digits["linear"], *rows, "uint8"))
    return found


def _wide() -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
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
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.1, random_state=0, stratify=y)
    tree = DecisionTreeClassifier(max_leaf_nodes=256, random_state=0).fit(X, y)
    return tree, X, X_test, y_test


def _case(
    name: str,
    model: Any,
    about: str,
    X_train: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    kind: str,
) -> Case:
    rows = np.ascontiguousarray(X.astype(INPUTS[kind][1]))
    if not np.array_equal(rows, X):
        raise ValueError(f"the rows of {name!r} are no {kind}")
    return Case(f"{name} {kind}", model, kind, X_train, rows, y, about)
