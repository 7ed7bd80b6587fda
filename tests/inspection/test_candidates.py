"""The teacher, and scikit-learn's model beside the student."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skdistill import SoftLinearClassifier, SoftTreeClassifier
from skdistill.inspection.candidates import default_teacher, describe, scikit_learn_counterpart


@pytest.mark.parametrize("module", ["xgboost", "lightgbm"])
def test_a_missing_booster_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"needs {module}: pip install 'skdistill\[boost\]'"):
        default_teacher()


def test_the_counterpart_of_a_tree_has_its_size():
    X, y = load_iris(return_X_y=True)
    student = SoftTreeClassifier(max_leaf_nodes=5, max_depth=4, min_samples_leaf=3)
    tree = scikit_learn_counterpart(student, X.astype(np.float32)).fit(X, y)
    assert tree.get_params() | {"max_leaf_nodes": 5, "max_depth": 4, "min_samples_leaf": 3} == (
        tree.get_params()
    )
    assert describe(tree) == "tree, 5 leaves"
    assert describe(student.fit(X, y)) == "tree, 5 leaves"


@pytest.mark.parametrize("missing", [False, True])
def test_the_counterpart_of_a_linear_student_imputes_only_missing_values(missing):
    X, y = load_iris(return_X_y=True)
    if missing:
        X[::9, 1] = np.nan
    student = SoftLinearClassifier()
    pipeline = scikit_learn_counterpart(student, X.astype(np.float32)).fit(X, y)
    assert ("simpleimputer" in pipeline.named_steps) == missing
    assert describe(pipeline) == "logistic regression"
    assert describe(student.fit(X, y)) == "linear model"
