"""Class weights are weights of rows: scikit-learn's for labels, expectations for probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from skdistill import (
    DistilledClassifier,
    Pool,
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftLinearClassifier,
    SoftTreeClassifier,
)
from skdistill.students.class_weight import class_weights, row_weights
from skdistill.targets import SoftTargets
from tests.distillers import tree_classifier

X, Y = make_classification(
    400, 8, n_informative=5, n_classes=3, weights=[0.8, 0.15, 0.05], random_state=0
)
X = X.astype(np.float32)
NAMES = np.array(["often", "rare", "seldom"])
LABELS = NAMES[Y]
UNEVEN = np.random.default_rng(0).uniform(0.1, 2, len(Y))
GIVEN = {"often": 0.5, "rare": 3.3, "seldom": 7}
P = np.random.default_rng(1).dirichlet([4, 1, 0.5], len(Y))
FOREST = RandomForestClassifier(5, random_state=0)
STUDENTS = [
    SoftTreeClassifier(),
    SoftTreeClassifier(tao_n_iter=1),
    SoftLinearClassifier(),
    SoftBoostingClassifier(4, random_state=0),
    SoftBoostingClassifier(4, init="linear", n_iter_no_change=2, random_state=0),
    PrunedEnsembleClassifier(FOREST, 200, random_state=0),
    PrunedEnsembleClassifier(SoftBoostingClassifier(6, random_state=0), 150, random_state=0),
]
DISTILLERS = [
    tree_classifier(FOREST, transfer_set=None, random_state=0),
    tree_classifier(FOREST, transfer_set=None, temperature="auto", random_state=0),
    tree_classifier(None, alpha=0, transfer_set=None),
]
EVERY = pytest.mark.parametrize("estimator", STUDENTS + DISTILLERS, ids=lambda e: repr(e)[:40])


@EVERY
@pytest.mark.parametrize("class_weight", ["balanced", GIVEN])
def test_the_same_model_as_with_the_weights_of_the_rows(estimator, class_weight):
    weighted = clone(estimator).set_params(class_weight=class_weight).fit(X, LABELS)
    rows = clone(estimator).fit(X, LABELS, compute_sample_weight(class_weight, LABELS))
    assert weighted.compact_.equals(rows.compact_)
    assert not weighted.compact_.equals(clone(estimator).fit(X, LABELS).compact_)


@pytest.mark.parametrize("estimator", STUDENTS[:4], ids=lambda e: repr(e)[:40])
def test_a_class_of_weight_0_is_not_seen(estimator):
    weighted = clone(estimator).set_params(class_weight={"often": 0, "rare": 1, "seldom": 1})
    weighted.fit(X, LABELS)
    kept = LABELS != "often"
    alone = clone(estimator).fit(X[kept], LABELS[kept], classes=NAMES)
    assert weighted.compact_.equals(alone.compact_)


@pytest.mark.parametrize("estimator", STUDENTS[:4] + DISTILLERS[:1], ids=lambda e: repr(e)[:40])
def test_both_weights_multiply(estimator):
    by_class = compute_class_weight("balanced", classes=NAMES, y=LABELS, sample_weight=UNEVEN)
    weighted = clone(estimator).set_params(class_weight="balanced").fit(X, LABELS, UNEVEN)
    rows = clone(estimator).fit(X, LABELS, UNEVEN * by_class[Y])
    assert weighted.compact_.equals(rows.compact_)


@pytest.mark.parametrize("estimator", STUDENTS[:4], ids=lambda e: repr(e)[:40])
def test_a_row_of_probabilities_weighs_their_expectation(estimator):
    weighted = clone(estimator).set_params(class_weight=GIVEN).fit(X, P, UNEVEN, classes=NAMES)
    expected = UNEVEN * (P @ [GIVEN[name] for name in NAMES])
    assert weighted.compact_.equals(clone(estimator).fit(X, P, expected, classes=NAMES).compact_)


def test_labels_count_before_the_probabilities_of_the_same_rows():
    hard = np.where(np.arange(len(Y)) % 2, Y, -1)
    targets, w = SoftTargets(P, hard, 0.3), np.array([1.0, 5.0, 9.0])
    assert_allclose(row_weights(targets, w), np.where(hard >= 0, w[hard], P @ w), rtol=0)
    mass = sum(UNEVEN[i] * (P[i] if hard[i] < 0 else np.eye(3)[hard[i]]) for i in range(len(Y)))
    assert_allclose(
        class_weights("balanced", NAMES, targets, UNEVEN), mass.sum() / (3 * mass), rtol=1e-12
    )


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.booleans(), st.data())
def test_as_scikit_learn_weighs_classes(labels, balanced, data):
    found, hard = np.unique(labels, return_inverse=True)
    numbers = st.lists(st.floats(0, 1e3), min_size=len(found), max_size=len(found))
    rule = "balanced" if balanced else dict(zip(found.tolist(), data.draw(numbers), strict=True))
    weight = np.array(
        data.draw(st.lists(st.floats(0.1, 9), min_size=len(hard), max_size=len(hard)))
    )
    ours = class_weights(rule, found, SoftTargets(np.zeros((len(hard), len(found))), hard), weight)
    theirs = compute_class_weight(rule, classes=found, y=labels, sample_weight=weight)
    assert ours.tolist() == theirs.tolist()


def test_a_class_that_no_row_has_counts_for_nothing():
    named = ["never", *NAMES]
    more = SoftLinearClassifier(class_weight="balanced").fit(X, LABELS, classes=named)
    rows = compute_sample_weight("balanced", LABELS)
    assert more.compact_.equals(SoftLinearClassifier().fit(X, LABELS, rows, classes=named).compact_)


def test_a_class_that_is_not_named_weighs_one():
    partly = SoftTreeClassifier(class_weight={"rare": 3.0}).fit(X, LABELS)
    rows = np.where(LABELS == "rare", 3.0, 1.0)
    assert partly.compact_.equals(SoftTreeClassifier().fit(X, LABELS, rows).compact_)


@EVERY
def test_what_cannot_be_a_weight_is_refused(estimator):
    def fit(class_weight):
        clone(estimator).set_params(class_weight=class_weight).fit(X, LABELS)

    wrong = {"rare": 1, "nowhere": 2}
    with pytest.raises(ValueError, match=r"The classes, \['often', 'seldom'\], are not in class_w"):
        fit(wrong)
    with pytest.raises(ValueError, match="are not in class_weight"):
        compute_class_weight(wrong, classes=NAMES, y=LABELS)
    for bad in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="must hold finite numbers >= 0"):
            fit({**GIVEN, "rare": bad})
    with pytest.raises(ValueError, match="leaves no row any weight"):
        fit(dict.fromkeys(NAMES, 0))
    with pytest.raises(ValueError, match="The 'class_weight' parameter of"):
        fit("uniform")


def test_further_rows_weigh_what_their_soft_labels_expect():
    """The rows that a distiller adds reach the student with the weights of their classes."""
    teacher = FrozenEstimator(DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, LABELS))
    half = len(X) // 2
    distilled = DistilledClassifier(
        teacher, SoftLinearClassifier(), alpha=0.3, transfer_set=Pool(X[half:]), class_weight=GIVEN
    ).fit(X[:half], LABELS[:half])
    told, w = teacher.predict_proba(X), np.array([GIVEN[name] for name in NAMES])
    hard = np.where(np.arange(len(X)) < half, Y, -1)
    weight = np.concatenate([w[Y[:half]], told[half:] @ w])
    targets = SoftTargets(told, hard, 0.3)
    alone = SoftLinearClassifier().fit(X, targets, weight, classes=NAMES)
    assert distilled.compact_.equals(alone.compact_)


def test_without_labels_the_teacher_says_what_is_rare():
    teacher = FrozenEstimator(DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, LABELS))
    student = SoftTreeClassifier()
    distilled = DistilledClassifier(
        teacher, student, transfer_set=None, class_weight="balanced"
    ).fit(X)
    weighted = student.set_params(class_weight="balanced")
    alone = weighted.fit(X, teacher.predict_proba(X), classes=NAMES)
    assert distilled.compact_.equals(alone.compact_)


def test_a_students_own_class_weight_counts_beside_that_of_the_distiller():
    distiller = DistilledClassifier(None, alpha=0, transfer_set=None, class_weight=GIVEN)
    distiller.set_params(student=SoftTreeClassifier(class_weight=GIVEN)).fit(X, LABELS)
    w = compute_sample_weight(GIVEN, LABELS)
    assert distiller.compact_.equals(SoftTreeClassifier().fit(X, LABELS, w * w).compact_)


def test_rare_classes_are_found_more_often():
    plain = SoftTreeClassifier(max_leaf_nodes=6).fit(X, LABELS)
    balanced = SoftTreeClassifier(max_leaf_nodes=6, class_weight="balanced").fit(X, LABELS)
    rare = X[LABELS == "seldom"]
    found = [(tree.predict(rare) == "seldom").mean() for tree in (plain, balanced)]
    assert found[1] > found[0]
