"""Labels of teachers, split by split."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.ensemble._base import _set_random_states
from sklearn.metrics import log_loss, r2_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from skdistill.dataframe import read_table
from skdistill.model_selection import BudgetSearchCV, named_teachers
from skdistill.model_selection.named_teachers import OneThreadClassifier, new_teacher
from skdistill.model_selection.teachers import make_teachers
from skdistill.students import SoftTreeClassifier
from skdistill.teachers import TeacherEnsemble


@pytest.mark.parametrize("cv", ["auto", 2])
def test_labels_of_training_rows_know_nothing_of_the_rows_held_out(cv):
    """The hard labels of a split's held-out rows are turned round: its soft labels stay."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 2)), rng.permutation(np.arange(90) % 2)

    def labeller(y):
        search = BudgetSearchCV(KNeighborsClassifier(1), "400B", cv=folds, random_state=0)
        run = search._begin(X, y, None, None, None)
        run.labeller.label_splits(munge=True)
        return run

    folds = cv
    splits = labeller(y).splits
    folds = [(splits.train(k), splits.test(k)) for k in range(len(splits))]
    before = labeller(y).labeller
    for split, (train, test) in enumerate(folds):
        turned = y.copy()
        turned[test] = 1 - y[test]
        after = labeller(turned).labeller
        np.testing.assert_array_equal(after.training(0, split), before.training(0, split))
        np.testing.assert_array_equal(after.held_out(0, split), before.held_out(0, split))
        munge = [each.further(0, split, True)[0].response for each in (before, after)]
        np.testing.assert_array_equal(*munge)
        assert len(before.training(0, split)) == len(train)
    everything = before.training(0, None)
    assert everything.shape == (90, 2)
    for split, (_, test) in enumerate(folds):
        np.testing.assert_array_equal(everything[test], before.held_out(0, split))


def test_a_list_without_teachers():
    with pytest.raises(ValueError, match=r"teacher=\[\] has no teacher"):
        make_teachers([], None)


@pytest.mark.parametrize("in_ensemble", [False, True])
def test_memory_knows_a_model_that_was_replaced_in_its_file(tmp_path, in_ensemble):
    pytest.importorskip("onnxruntime")
    X, y = np.arange(40.0).reshape(-1, 1), np.arange(40) // 20
    path = tmp_path / "big.onnx"
    labels = []
    for model in (y, 1 - y):
        student = SoftTreeClassifier(max_leaf_nodes=2).fit(X, model)
        path.write_bytes(student.to_onnx().SerializeToString())
        teacher = TeacherEnsemble([str(path), GaussianNB()], [0.9, 0.1]) if in_ensemble else path
        search = BudgetSearchCV(
            teacher, "300B", cv=2, memory=str(tmp_path / "cache"), random_state=0
        )
        run = search._begin(X, y, None, None, None)
        run.labeller.label_splits(munge=False)
        labels.append(run.labeller.held_out(0, 0).argmax(axis=1))
    np.testing.assert_array_equal(labels[0], 1 - labels[1])


def table(task):
    """Numbers with holes, columns of nothing, truth values, and categories that may be rare."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
    frame["nan"], frame["none"] = np.nan, None
    frame["flag"] = frame["b"] > 0
    frame["color"] = rng.choice(["red", "blue", None, "rare"], 80, p=[0.5, 0.3, 0.15, 0.05])
    y = frame["a"] + frame["flag"] + (frame["color"] == "red")
    frame.loc[::9, "a"] = np.nan
    return frame, (y > 1).to_numpy() if task == "classification" else 1e6 * y.to_numpy()


@pytest.mark.parametrize(
    ("task", "routed"), [("classification", False), ("regression", True), ("two values", False)]
)
def test_the_default_teacher_reads_any_table(task, routed):
    X, y = table(task)
    if task == "two values":
        y = np.column_stack([y, np.ones(80)])
    weight = np.arange(80) % 3
    with config_context(enable_metadata_routing=routed):
        search = BudgetSearchCV(
            task=task if task == "classification" else "regression", cv=2, random_state=0
        )
        run = search._begin(X, y, weight, None, None)
        run.labeller.label_splits(munge=True)
    response = run.labeller.held_out(0, 0)
    truth = run.data.y[run.splits.test(0)]
    if task == "classification":
        assert np.mean(response.argmax(axis=1) == truth) > 0.7
    else:
        assert r2_score(truth.reshape(40, -1)[:, 0], response[:, 0]) > 0.4


@pytest.mark.parametrize("library", ["lightgbm", None])
def test_the_default_teacher_trusts_members_by_what_they_know_of_other_rows(library, monkeypatch):
    if library is None:
        monkeypatch.setattr(named_teachers, "find_spec", lambda name: None)
    X, y = make_classification(700, 8, flip_y=0.4, random_state=0)
    teacher = new_teacher("committee", read_table(X[:200]), n_classes=2)
    teacher.set_params(net__pipeline__onethreadclassifier__max_iter=40)
    _set_random_states(teacher)
    P = teacher.fit(X[:200], y[:200]).predict_proba(X[200:])
    P_equal = np.mean([each.predict_proba(X[200:]) for each in teacher.estimators_], axis=0)
    expected = HistGradientBoostingClassifier if library is None else LGBMClassifier
    assert [type(each[-1]) for each in teacher.estimators_[1:3]] == [expected] * 2
    assert log_loss(y[200:], P) < log_loss(y[200:], P_equal) - 0.01


def test_the_net_of_the_default_teacher_knows_no_threads():
    X, y = make_classification(400, 60, random_state=0)
    answers = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            net = OneThreadClassifier((128, 64), max_iter=3, random_state=0).fit(X, y)
            answers.append(net.predict_proba(X))
    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_a_teacher_without_its_library_names_the_extra(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"needs {name}: pip install 'skdistill\[boost\]'"):
        new_teacher(name, read_table(np.eye(3)), n_classes=2)
