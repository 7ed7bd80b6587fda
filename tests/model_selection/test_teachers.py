"""Labels of teachers, split by split."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.teachers import make_teachers, new_teacher


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


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_a_teacher_without_its_library_names_the_extra(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"needs {name}: pip install 'skdistill\[boost\]'"):
        new_teacher(name, 2)
