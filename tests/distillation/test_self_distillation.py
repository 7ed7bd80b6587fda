"""Generations of students, and other chains of teachers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skdistill import (
    DistilledClassifier,
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftTreeClassifier,
    born_again,
)

X, Y = load_iris(return_X_y=True)


def distiller(student, teacher=None, **settings):
    teacher = student if teacher is None else teacher
    return DistilledClassifier(
        teacher, student, **{"transfer_set": None, "random_state": 0} | settings
    )


def test_each_generation_is_taught_by_the_one_before():
    tree = SoftTreeClassifier(max_leaf_nodes=4)
    last = born_again(distiller(tree), X, Y, max_generations=3, random_state=0)
    by_hand = distiller(tree).fit(X, Y)
    for _ in range(last.n_generations_ - 1):
        by_hand = distiller(tree, FrozenEstimator(by_hand)).fit(X, Y)
    assert np.array_equal(last.predict_proba(X), by_hand.predict_proba(X))
    assert 1 <= last.n_generations_ <= 3
    assert last.compact_.nbytes > 0


@pytest.mark.parametrize("leaves", [2, 64])
def test_the_generation_of_least_loss_on_held_out_rows_is_kept(leaves):
    X, y = load_digits(return_X_y=True)
    X, y = X[:500], y[:500]
    tree = SoftTreeClassifier(max_leaf_nodes=leaves)
    last = born_again(distiller(tree), X, y, max_generations=4, random_state=3)
    fit, held = train_test_split(np.arange(500), test_size=0.2, random_state=3, stratify=y)
    losses, teacher = [], tree
    for _ in range(min(4, last.n_generations_ + 1)):
        student = distiller(tree, teacher).fit(X[fit], y[fit])
        losses.append(log_loss(y[held], student.predict_proba(X[held])))
        teacher = FrozenEstimator(student)
    assert int(np.argmin(losses)) + 1 == last.n_generations_


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="'distiller' parameter"):
        born_again(SoftTreeClassifier(), X, Y)
    with pytest.raises(ValueError, match="'max_generations' parameter"):
        born_again(distiller(SoftTreeClassifier()), X, Y, max_generations=0)


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
