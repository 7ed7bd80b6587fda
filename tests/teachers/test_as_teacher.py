"""Teachers of all kinds as estimators: which are fitted already, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from catboost import CatBoostClassifier
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skdistill import CallableTeacher, OnnxTeacher, TeacherEnsemble
from skdistill.teachers import as_teacher, expected_classes, is_frozen
from tests.distillers import tree_classifier

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["a", "b", "c"])


def uniform(rows):
    return np.full((len(rows), 3), 1 / 3)


FITTED = FrozenEstimator(GaussianNB().fit(X, Y))


@pytest.mark.parametrize(
    ("teacher", "frozen"),
    [
        (GaussianNB(), False),
        (GaussianNB, False),
        (None, False),
        (FITTED, True),
        (uniform, True),
        (CallableTeacher(uniform), True),
        (OnnxTeacher("a.onnx"), True),
        (Path("a.onnx"), True),
        ([FITTED, uniform], True),
        ([FITTED, GaussianNB()], False),
        (TeacherEnsemble([FITTED, uniform], [1, 2]), True),
        (TeacherEnsemble([("bayes", FITTED), ("function", uniform)]), True),
        (TeacherEnsemble([FITTED, uniform], "log_loss"), False),
        (FrozenEstimator(TeacherEnsemble([GaussianNB()], "greedy").fit(X, Y)), True),
        (LinearSVC(), False),
        (FrozenEstimator(LinearSVC().fit(X, Y)), True),
    ],
)
def test_who_needs_labels(teacher, frozen):
    assert is_frozen(teacher) == frozen
    if frozen and not any("onnx" in str(part) for part in (teacher, getattr(teacher, "path", ""))):
        ready = as_teacher(teacher, X)
        assert isinstance(ready, FrozenEstimator)
        assert clone(ready) is ready
        assert expected_classes(ready, None).tolist() == [0, 1, 2]
        tags = tree_classifier(teacher).__sklearn_tags__()
        assert not tags.target_tags.required


def test_estimators_pass_unchanged():
    search = FrozenEstimator(GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2).fit(X, Y))
    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    for teacher in (GaussianNB(), FITTED, pipeline, search, LinearSVC()):
        assert as_teacher(teacher, X, Y) is teacher
    ridge = Ridge()
    assert as_teacher(ridge, regression=True) is ridge


def test_what_was_passed_is_not_changed():
    teacher = CallableTeacher(uniform)
    as_teacher(teacher, X, NAMES[Y], response_method="decision_function")
    assert not hasattr(teacher, "classes_")
    assert teacher.classes is None
    assert teacher.response_method == "predict_proba"


@pytest.mark.parametrize(
    ("teacher", "got"), [("rf", "'rf'"), (3, "3"), (None, "None"), (GaussianNB, "<class .*>")]
)
def test_what_is_no_teacher(teacher, got):
    for passed in (teacher, [GaussianNB(), teacher], TeacherEnsemble([("name", teacher)])):
        message = f"teacher must be an estimator, .* or a list of these; got {got}$"
        with pytest.raises(TypeError, match=message):
            as_teacher(passed, X, Y)


@pytest.mark.parametrize("name", ["cat_features", "text_features", "ignored_features"])
def test_lists_among_catboosts_parameters_cannot_be_cloned(name):
    for around in (lambda one: one, make_pipeline, lambda one: [one]):
        with pytest.raises(ValueError, match=rf"{name}=\['c'\] .* pass a tuple, {name}=\('c',\)"):
            as_teacher(around(CatBoostClassifier(**{name: ["c"]})))
    clone(as_teacher(CatBoostClassifier(**{name: ("c",)})))
