"""Fitted students whose C is put on simulated boards."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

from skdistill import (
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
)


@cache
def tree():
    X, y = load_digits(return_X_y=True)
    return SoftTreeClassifier(max_leaf_nodes=64).fit(X, y), X


@cache
def boosting():
    X, y = load_breast_cancer(return_X_y=True)
    return SoftBoostingClassifier(n_estimators=5, max_leaf_nodes=6).fit(X, y), X


@cache
def linear():
    X, y = load_breast_cancer(return_X_y=True)
    return SoftLinearClassifier().fit(X, y), X


@cache
def net():
    X, y = load_digits(return_X_y=True)
    return SoftNetClassifier((12, 10), max_iter=20, random_state=0).fit(X, y), X


@cache
def categories():
    rng = np.random.default_rng(0)
    X = np.empty((600, 4), object)
    X[:, 0], X[:, 2] = rng.integers(0, 99, 600), rng.integers(0, 99, 600)
    X[:, 1] = rng.choice(["Basel", "Genève", "Lugano", "Zürich", None], 600)
    X[:, 3] = rng.choice(["gas", "oil", "wood"], 600)
    y = (X[:, 0] > 50).astype(int) ^ np.isin(X[:, 1], ["Lugano", None]) ^ (X[:, 3] == "oil")
    student = SoftBoostingClassifier(5, max_leaf_nodes=6, categorical_features=[1, 3])
    return student.fit(X, y), X


STUDENTS = {
    "tree": tree,
    "boosting": boosting,
    "linear": linear,
    "net": net,
    "categories": categories,
}
