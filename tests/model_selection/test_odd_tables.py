"""Tables and calls of a first day: what is learnt, and what the errors say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from skdistill.model_selection import BudgetSearchCV

X, Y = load_iris(return_X_y=True)


def search(teacher=None, budget="1KB", **settings):
    settings = {"families": ["tree"], "cv": 2, "random_state": 0} | settings
    return BudgetSearchCV(teacher, budget, **settings)


def test_the_default_teacher_reads_arrow():
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"a": X[:, 0], "b": X[:, 2], "c": np.where(X[:, 1] > 3, "u", "v")})
    assert search().fit(table, Y).score(table, Y) > 0.9


def test_labels_of_several_types():
    with pytest.raises(TypeError, match=r"y must hold labels of one type.*\['NoneType', 'str'\]"):
        search(GaussianNB()).fit(X, np.array(["a", "None", None], object)[Y])
    found = search(GaussianNB()).fit(X, np.array(["a", "None", "b"], object)[Y])
    assert found.classes_.tolist() == ["None", "a", "b"]


def test_values_in_place_of_labels():
    with pytest.raises(ValueError, match=r"Unknown label type.*pass task='regression'"):
        search(GaussianNB()).fit(X, X[:, 0])


def test_families_are_validated_before_anything_is_fitted(tmp_path):
    folder = tmp_path / "search"
    with pytest.raises(ValueError, match="families must be 'auto' or some of"):
        search(GaussianNB(), families=["trees"], storage=folder).fit(X, Y)
    assert not folder.exists()


def test_what_is_least_of_every_limit():
    budget = {"flash": "4KB", "ram": "8B", "instructions": 9, "time": "1us@8MHz", "features": 4}
    least = r"\d+ bytes of flash, \d+ bytes of RAM, \d+ instructions, [\d.e-]+ seconds, 1 columns"
    with pytest.raises(ValueError, match=f"takes {least}, each the least of all models"):
        search(GaussianNB(), budget).fit(X, Y)


def test_a_split_without_weight():
    halves = [(np.arange(75), np.arange(75, 150)), (np.arange(75, 150), np.arange(75))]
    weight = np.repeat([0.0, 1.0], 75)
    with pytest.raises(ValueError, match=r"sample_weight is 0 for all training rows of .* \[0\]"):
        search(GaussianNB(), cv=halves).fit(X, Y, weight)


def test_few_rows_of_values():
    found = search(Ridge(), task="regression", cv="auto").fit(X[:4], [1.0, 2.0, 4.0, 3.0])
    assert np.ptp(found.predict(X[:4])) < 4
    with pytest.raises(ValueError, match="out-of-fold labels need two rows or more"):
        search(Ridge(), task="regression", cv="auto").fit(X[:2], [1.0, 2.0])


def test_a_fitted_teacher_that_knows_more_classes():
    knows = GaussianNB().fit(X, Y)
    found = search([FrozenEstimator(knows), GaussianNB()]).fit(X[:100], Y[:100])
    assert found.classes_.tolist() == [0, 1, 2]
    assert found.predict_proba(X).shape == (150, 3)
    assert found.score(X[:100], Y[:100]) > 0.9


@pytest.mark.parametrize(
    ("task", "teacher"), [("regression", GaussianNB()), ("classification", Ridge())]
)
def test_a_teacher_of_the_other_task(task, teacher):
    other = {"regression": "classification", "classification": "regression"}[task]
    with pytest.raises(TypeError, match=f"or task='{other}' of a search"):
        search(teacher, task=task).fit(X, Y)


def test_memory_of_a_teacher_without_a_hash(tmp_path):
    def uniform(rows):
        return np.full((len(rows), 3), 1 / 3)

    with pytest.warns(UserWarning, match="not cached: a teacher cannot be hashed"):
        search(uniform, memory=str(tmp_path)).fit(X, Y)
    assert list(tmp_path.rglob("output.pkl")) == []


@pytest.mark.parametrize(
    ("task", "output"), [("classification", "value"), ("regression", "proba_q15")]
)
def test_an_output_of_the_other_task(task, output):
    with pytest.raises(ValueError, match=f"output='{output}' is no answer of a {task}"):
        search(GaussianNB(), task=task, output=output).fit(X, Y)


def test_a_search_that_becomes_a_regression():
    found = search(GaussianNB(), families=["linear"]).fit(X, Y)
    found.set_params(task="regression", teacher=Ridge()).fit(X, X[:, 0])
    assert not hasattr(found, "classes_")
    assert found.score(X, X[:, 0]) > 0.9
