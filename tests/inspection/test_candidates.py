"""The teacher, and scikit-learn's model beside the student."""

from __future__ import annotations

import sys

import pytest
from sklearn.datasets import load_iris

from skdistill import SoftTreeClassifier
from skdistill.inspection.candidates import default_teacher, describe, scikit_learn_counterpart


@pytest.mark.parametrize("module", ["xgboost", "lightgbm"])
def test_a_missing_booster_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"needs {module}: pip install 'skdistill\[boost\]'"):
        default_teacher()


def test_the_counterpart_has_the_size_of_the_student():
    X, y = load_iris(return_X_y=True)
    student = SoftTreeClassifier(max_leaf_nodes=5, max_depth=4, min_samples_leaf=3)
    tree = scikit_learn_counterpart(student).fit(X, y)
    assert tree.get_params() | {"max_leaf_nodes": 5, "max_depth": 4, "min_samples_leaf": 3} == (
        tree.get_params()
    )
    assert describe(tree) == "tree, 5 leaves"
    assert describe(student.fit(X, y)) == "tree, 5 leaves"
