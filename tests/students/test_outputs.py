"""Several outputs: regressors have a value for each, classifiers are wrapped."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier

from skdistill import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from tests.distillers import tree_classifier

X, LABELS = make_multilabel_classification(200, 6, n_classes=3, random_state=0)
STUDENTS = [
    SoftTreeClassifier(),
    SoftLinearClassifier(),
    SoftBoostingClassifier(3, random_state=0),
    PrunedEnsembleClassifier(RandomForestClassifier(3, random_state=0), 200, random_state=0),
    tree_classifier(RandomForestClassifier(5, random_state=0), transfer_set=None, random_state=0),
]
EVERY = pytest.mark.parametrize("student", STUDENTS, ids=lambda e: type(e).__name__)
SEVERAL = {
    "multilabel": LABELS,
    "booleans": LABELS.astype(bool),
    "whole floats": LABELS.astype(float),
    "numbers": np.column_stack([LABELS[:, 0], LABELS[:, 1:].sum(axis=1)]),
    "strings": np.array(["no", "yes"])[LABELS],
}


@EVERY
@pytest.mark.parametrize("kind", SEVERAL)
def test_several_labels_a_row_are_refused_with_a_remedy(student, kind):
    with pytest.raises(ValueError, match=r"several outputs.*MultiOutputClassifier"):
        student.fit(X, SEVERAL[kind])


@EVERY
def test_the_remedy_helps(student):
    several = MultiOutputClassifier(student).fit(X, LABELS)
    assert several.predict(X).shape == LABELS.shape
    assert (several.predict(X) == LABELS).mean() > 0.75
    first = student.fit(X, LABELS[:, 0])
    assert several.estimators_[0].compact_.equals(first.compact_)


def test_in_a_chain_too():
    chain = ClassifierChain(SoftTreeClassifier()).fit(X, LABELS)
    assert (chain.predict(X) == LABELS).mean() > 0.9


@pytest.mark.parametrize(
    "student",
    [
        SoftTreeRegressor(),
        SoftLinearRegressor(),
        SoftBoostingRegressor(4, random_state=0),
        SoftNetRegressor((8,), max_iter=5, random_state=0),
    ],
    ids=lambda e: type(e).__name__,
)
def test_regressors_have_a_value_for_each(student):
    student.fit(X, LABELS.astype(float))
    assert student.predict(X).shape == LABELS.shape
    assert student.compact_.n_scores == 3
