"""Predictions of held-out rows, and the report of a search."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from skdistill.model_selection import BudgetSearchCV

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def search(**settings):
    settings = {"families": ["tree"], "random_state": 0} | settings
    return BudgetSearchCV(settings.pop("teacher", GaussianNB()), "400B", **settings)


def test_each_row_is_predicted_by_models_that_have_not_seen_it():
    found = search().fit(X, NAMES)
    predictions, rows = found.out_of_fold_, found.out_of_fold_rows_
    assert predictions.out_of_fold
    assert sorted(rows) == list(range(150))
    np.testing.assert_array_equal(predictions.y, NAMES[rows])
    # All folds have 30 rows, so that the mean of the folds is that of the rows.
    best = found.cv_results_["mean_test_score"][found.best_index_]
    assert np.mean(predictions.student == predictions.y) == pytest.approx(best)
    assert predictions.P_student.shape == predictions.P_teacher.shape == (150, 3)
    np.testing.assert_array_equal(
        found.classes_[predictions.P_teacher.argmax(1)], predictions.teacher
    )
    assert np.mean(predictions.teacher == predictions.y) > 0.9
    np.testing.assert_allclose(predictions.P_student.sum(axis=1), 1, atol=1e-6)


def test_regression_and_a_hold_out():
    rows, y = make_friedman1(200, random_state=0)
    found = search(teacher=Ridge(), task="regression", cv=[(np.arange(150), np.arange(150, 200))])
    predictions = found.fit(rows, y).out_of_fold_
    assert found.out_of_fold_rows_.tolist() == list(range(150, 200))
    assert predictions.student.shape == predictions.teacher.shape == (50,)
    assert predictions.P_student is None


def test_the_same_from_a_storage(tmp_path):
    first = search(storage=tmp_path).fit(X, Y).out_of_fold_
    again = search(storage=tmp_path).fit(X, Y).out_of_fold_
    for name, value in vars(first).items():
        np.testing.assert_array_equal(value, getattr(again, name))


def test_report_without_rows(tmp_path):
    pytest.importorskip("jinja2")
    found = search().fit(X, NAMES)
    groups = np.repeat(["a", "b"], 75)
    result = found.report(tmp_path / "page.html", groups=groups, targets=[])
    assert (tmp_path / "page.html").stat().st_size < 3_000_000
    accuracy = result.content["quality"]["models"]["student"]["accuracy"]
    assert accuracy == np.mean(found.out_of_fold_.student == found.out_of_fold_.y)
    assert not result.content["rows"]
    table = result.content["parts"]["groups"]
    right = found.out_of_fold_.student == found.out_of_fold_.y
    for row, name in zip(table, "ab", strict=True):
        assert (row["name"], row["n"]) == (name, 75)
        assert row["accuracy_student"] == right[groups[found.out_of_fold_rows_] == name].mean()


def test_report_on_new_rows():
    found = search().fit(X[::2], Y[::2])
    result = found.report(X=X[1::2], y=Y[1::2], targets=[])
    assert result.content["quality"]["models"]["student"]["accuracy"] == found.score(
        X[1::2], Y[1::2]
    )
    assert result.content["rows"]
    with pytest.raises(ValueError, match="needs X and y"):
        found.report(X=X)
    with pytest.raises(NotFittedError):
        search().report()
