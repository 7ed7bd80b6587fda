"""Fitted students whose C is put on simulated boards."""

from __future__ import annotations

from functools import cache

from sklearn.datasets import load_breast_cancer, load_digits

from skdistill import SoftBoostingClassifier, SoftLinearClassifier, SoftTreeClassifier


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


STUDENTS = {"tree": tree, "boosting": boosting, "linear": linear}
