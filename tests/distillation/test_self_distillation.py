"""Generations of students, and other chains of teachers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss

from skdistill import (
    DistilledClassifier,
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftTreeClassifier,
)
from tests.distillers import tree_classifier

X, Y = load_iris(return_X_y=True)


def distiller(student, teacher=None, **settings):
    teacher = student if teacher is None else teacher
    return tree_classifier(teacher, student, **{"transfer_set": None, "random_state": 0} | settings)


def generations_of_the_documentation(tree, X_fit, y_fit, X_test, y_test):
    """What the example on the page of kinds of knowledge ends with."""
    page = (Path(__file__).parents[2] / "docs" / "guide" / "knowledge.md").read_text()
    (example,) = re.findall(r"```python\n((?:(?!```).)*?losses = tree.*?)```", page, re.DOTALL)
    names = {"DistilledClassifier": DistilledClassifier, "tree": tree, "X_fit": X_fit}
    names |= {"y_fit": y_fit, "X_test": X_test, "y_test": y_test}
    exec(example, names)
    return names


@pytest.mark.parametrize("leaves", [2, 64])
def test_the_generation_of_least_loss_on_held_out_rows_is_kept(leaves):
    X, y = load_digits(return_X_y=True)
    tree = SoftTreeClassifier(max_leaf_nodes=leaves)
    names = generations_of_the_documentation(tree, X[:500], y[:500], X[500:700], y[500:700])
    losses, teacher = [], tree
    for _ in names["losses"]:
        student = distiller(tree, teacher).fit(names["rows"], names["labels"])
        P = student.predict_proba(names["held_out"])
        losses.append(log_loss(names["held_out_labels"], P))
        teacher = FrozenEstimator(student)
    assert losses == names["losses"]
    best = names["best"].predict_proba(names["held_out"])
    assert log_loss(names["held_out_labels"], best) == min(losses)
    assert names["best"].compact_.nbytes > 0


def test_a_distilled_student_is_a_teacher_like_any_other():
    forest = ExtraTreesClassifier(30, random_state=0)
    middle = distiller(SoftBoostingClassifier(6), forest).fit(X, Y)
    small = distiller(SoftTreeClassifier(max_leaf_nodes=3), FrozenEstimator(middle)).fit(X)
    answers = middle.predict_proba(X)
    itself = SoftTreeClassifier(max_leaf_nodes=3).fit(X, answers)
    assert np.array_equal(small.predict_proba(X), itself.predict_proba(X))
    nested = distiller(
        SoftTreeClassifier(max_leaf_nodes=3), distiller(SoftBoostingClassifier(6), forest)
    )
    assert nested.fit(X, Y).score(X, Y) > 0.9
    assert isinstance(nested.teacher_, DistilledClassifier)


def test_a_pruned_ensemble_is_a_teacher_like_any_other():
    forest = ExtraTreesClassifier(30, random_state=0).fit(X, Y)
    pruned = PrunedEnsembleClassifier(FrozenEstimator(forest), 400, random_state=0)
    pruned.fit(X, forest.predict_proba(X))
    small = distiller(
        SoftTreeClassifier(max_leaf_nodes=3), FrozenEstimator(pruned), transfer_set="munge"
    )
    assert small.fit(X).score(X, Y) > 0.9
