"""The pick of a search within a budget."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, SoftTreeClassifier
from skdistill.metrics import flash_scorer, instructions_scorer, model_size_scorer
from skdistill.model_selection import best_under

X, Y = load_iris(return_X_y=True)
LEAVES = {"max_leaf_nodes": [2, 3, 4, 8, 16]}


def results(scores, sizes):
    """`cv_results_` of two splits."""
    scores, sizes = np.array(scores, float), np.array(sizes, float)
    return {
        "params": [{"n": n} for n in range(scores.shape[1])],
        "split0_test_accuracy": scores[0],
        "split1_test_accuracy": scores[1],
        "mean_test_accuracy": scores.mean(axis=0),
        "split0_test_size": -sizes[0],
        "split1_test_size": -sizes[1],
        "mean_test_size": -sizes.mean(axis=0),
    }


def test_the_best_of_those_that_fit_on_all_splits():
    found = results([[0.5, 0.7, 0.9, 0.7], [0.5, 0.7, 0.9, 0.7]], [[9, 10, 9, 4], [9, 8, 11, 4]])
    assert best_under(10)(found) == 1  # the first of two equal ones; the best is 11 once
    assert best_under("11B")(found) == 2
    assert best_under(9)(found) == 3
    assert best_under(10, score="accuracy")(found) == 1


def test_nothing_fits():
    found = results([[0.5, 0.7], [0.5, 0.7]], [[9, 12], [11, 12]])
    message = (
        r"no candidate has a 'size' within the budget of 5: the smallest has 11, with {'n': 0}"
    )
    with pytest.raises(ValueError, match=message):
        best_under("5B")(found)


def test_failed_fits_are_left_out():
    nan = np.nan
    found = results([[0.9, 0.7, nan], [nan, 0.7, nan]], [[4, 9, nan], [nan, 9, nan]])
    assert best_under(10)(found) == 1
    with pytest.raises(ValueError, match=r"the smallest has 9, with {'n': 1}"):
        best_under(5)(found)
    failed = results([[nan], [nan]], [[nan], [nan]])
    with pytest.raises(ValueError, match="no candidate with a 'accuracy' and a 'size'"):
        best_under(5)(failed)


def test_scorers_are_asked_for_by_name():
    found = results([[0.5], [0.5]], [[9], [9]])
    with pytest.raises(ValueError, match="needs a scorer of the size named 'bytes' in scoring"):
        best_under(10, size="bytes")(found)
    with pytest.raises(ValueError, match=r"score must name the scorer .* one of \['accuracy'\]"):
        best_under(10, score="f1")(found)
    more = {**found, "mean_test_f1": np.ones(1)}
    with pytest.raises(ValueError, match=r"one of \['accuracy', 'f1'\], got None"):
        best_under(10)(more)
    assert best_under(10, score="f1")(more) == 0
    with pytest.raises(ValueError, match="'size' must be a scorer of minus the size"):
        best_under(10)(results([[0.5], [0.5]], [[-9], [-9]]))


@pytest.mark.parametrize("Search", [GridSearchCV, RandomizedSearchCV])
def test_in_a_search(Search):
    scoring = {"accuracy": "accuracy", "size": model_size_scorer}
    options = {"n_iter": 5, "random_state": 0} if Search is RandomizedSearchCV else {}
    for budget in ("12B", "20B"):
        search = Search(
            SoftTreeClassifier(), LEAVES, scoring=scoring, refit=best_under(budget), **options
        )
        found = pickle.loads(pickle.dumps(clone(search).fit(X, Y)))
        sizes = -np.min([found.cv_results_[f"split{k}_test_size"] for k in range(5)], axis=0)
        within = sizes <= int(budget[:-1])
        assert within.any() and not within.all()
        accuracy = found.cv_results_["mean_test_accuracy"]
        assert within[found.best_index_]
        assert accuracy[found.best_index_] == accuracy[within].max()
        assert found.best_params_ == found.cv_results_["params"][found.best_index_]
        assert found.predict(X).shape == Y.shape


def test_flash_and_instructions_of_a_pipeline():
    pipeline = make_pipeline(
        StandardScaler(), DistilledClassifier(GaussianNB(), SoftTreeClassifier(), transfer_set=None)
    )
    grid = {f"distilledclassifier__student__{name}": values for name, values in LEAVES.items()}
    scoring = {"accuracy": "accuracy", "flash": flash_scorer(), "steps": instructions_scorer()}
    search = GridSearchCV(pipeline, grid, cv=2, scoring=scoring, refit=False).fit(X, Y)
    flash, steps = (-search.cv_results_[f"mean_test_{name}"] for name in ("flash", "steps"))
    assert (flash > 20).all() and (steps > 20).all()
    for name, values in (("flash", flash), ("steps", steps)):
        largest = -np.min([search.cv_results_[f"split{k}_test_{name}"] for k in range(2)], axis=0)
        budget = int(largest[2])
        picked = best_under(budget, size=name, score="accuracy")(search.cv_results_)
        assert values[picked] <= largest[picked] <= budget < largest.max()
