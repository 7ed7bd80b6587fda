"""What the one `fit` of all students does: which rows it learns from, and whom it warns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftLinearRegressor,
    SoftNetClassifier,
    SoftNetRegressor,
    SoftTreeClassifier,
    SoftTreeRegressor,
    StudentAdapter,
)
from skdistill.students._student import relative_importances

CLASSIFIERS = [
    SoftTreeClassifier(),
    SoftBoostingClassifier(2, random_state=0),
    SoftLinearClassifier(),
    SoftNetClassifier((8,), max_iter=3, random_state=0),
    StudentAdapter(DecisionTreeClassifier(random_state=0)),
    StudentAdapter(LogisticRegression()),
    PrunedEnsembleClassifier(DecisionTreeClassifier(random_state=0), random_state=0),
]
REGRESSORS = [
    SoftTreeRegressor(),
    SoftBoostingRegressor(2, random_state=0),
    SoftLinearRegressor(),
    SoftNetRegressor((8,), max_iter=3, random_state=0),
]
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize("student", CLASSIFIERS + REGRESSORS, ids=repr)
def test_fit_returns_the_student_and_rows_of_weight_0_are_left_out(student):
    weight = (np.arange(60) % 3 > 0).astype(float)
    spoilt = np.where(weight[:, None] > 0, X, 1e6)
    assert student.fit(spoilt, Y, weight) is student
    compact = student.compact_
    assert student.fit(X[weight > 0], Y[weight > 0]).compact_.equals(compact)
    assert student.n_features_in_ == len(student.feature_importances_) == 3
    assert student.feature_importances_.sum() == pytest.approx(1)


@pytest.mark.parametrize("student", CLASSIFIERS, ids=repr)
def test_a_column_of_labels_warns_the_caller_of_fit(student):
    with pytest.warns(DataConversionWarning) as caught:
        student.fit(X, Y[:, None])
    assert caught[0].filename == __file__


def test_warnings_of_linear_students_name_the_caller_of_fit():
    with pytest.warns(ConvergenceWarning) as caught:
        SoftLinearClassifier(max_iter=1).fit(X, Y)
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="int32 scores lose") as caught:
        SoftLinearRegressor(input_bits=16).fit(X, X[:, 0] + 1e9)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("student", CLASSIFIERS, ids=repr)
def test_hints_are_refused_by_those_that_cannot_use_them(student):
    from skdistill.targets import SoftTargets

    targets = SoftTargets(np.eye(2)[Y], hints=X)
    if isinstance(student, SoftTreeClassifier | SoftBoostingClassifier | SoftNetClassifier):
        assert student.fit(X, targets).score(X, Y) > 0.9
        return
    with pytest.raises(
        ValueError, match=f"{type(student).__name__} cannot use .* SoftNetClassifier"
    ):
        student.fit(X, targets)


def test_importances_sum_to_1_or_are_all_0():
    assert relative_importances(np.array([1.0, 3.0])).tolist() == [0.25, 0.75]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert relative_importances(np.zeros(2)).tolist() == [0, 0]
