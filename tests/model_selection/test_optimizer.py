"""Candidates that Optuna proposes."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from skdistill.compact.file_format import to_bytes
from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.optimizer import SPACES, Optimizer, SearchSpace
from skdistill.model_selection.portfolio import FAMILIES, Candidate
from skdistill.model_selection.racing import Entry

pytest.importorskip("optuna")
X, Y = load_iris(return_X_y=True)


def scored(candidate, score):
    record = {"status": "fits", "score": score, "flash": 100, "max_bytes": 90}
    return Entry(candidate, records=[record])


def proposals(optimizer, n, score):
    found = []
    for _ in range(n):
        batch = optimizer.ask(4)
        optimizer.tell([scored(each, score(each)) for each in batch])
        found += batch
    return found


def by_family(candidate):
    return float(candidate.family == "linear")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n_classes", [None, 3])
def test_students_take_all_parameters_of_their_space(family, n_classes):
    if family == "pruned" and n_classes is None:
        pytest.skip("pruned ensembles are for classes")
    n_values = max(len(values) for values in SPACES[family].values())
    for i in range(n_values):
        settings = {name: values[i % len(values)] for name, values in SPACES[family].items()}
        student = Candidate(family, "hard", settings).student(
            n_classes=n_classes, max_bytes=300, seed=0
        )
        student._validate_params()


def test_the_same_scores_lead_to_the_same_proposals(tmp_path):
    space = SearchSpace(FAMILIES, 2, is_classification=True)
    first = proposals(Optimizer(space, 3), 8, by_family)
    assert proposals(Optimizer(space, 3, tmp_path / "journal"), 8, by_family) == first
    assert proposals(Optimizer(space, 3, tmp_path / "journal"), 8, by_family) == first
    assert proposals(Optimizer(space, 4), 8, by_family) != first
    assert {each.family for each in first} == set(FAMILIES)
    assert all(each == each.hard_twin() for each in first if each.is_hard)


def test_good_candidates_are_proposed_more_often():
    space = SearchSpace(("tree", "linear"), 1, is_classification=False)
    found = proposals(Optimizer(space, 0), 20, by_family)
    assert np.mean([by_family(each) for each in found[40:]]) > 0.7
    assert not any(each.calibrated or each.teacher for each in found)


def test_what_it_did_not_propose_is_learned_from():
    space = SearchSpace(("tree", "linear"), 1, is_classification=True)
    optimizer = Optimizer(space, 0)
    optimizer.add(
        scored(Candidate(family, "soft"), float(family == "linear"))
        for family in ("tree", "linear")
        for _ in range(15)
    )
    assert np.mean([by_family(each) for each in proposals(optimizer, 5, lambda _: 0.0)[:4]]) > 0.7


def search(storage, time_limit, families=("tree", "linear")):
    return BudgetSearchCV(
        GaussianNB(),
        "400B",
        families=list(families),
        cv=2,
        time_limit=time_limit,
        storage=storage,
        random_state=0,
    )


def test_a_search_goes_on_from_its_storage_as_far_as_the_time_allows(tmp_path):
    alone = search(tmp_path, 1e-3).fit(X, Y)  # the portfolio takes longer
    first = search(tmp_path, seconds(tmp_path) + 0.1).fit(X, Y)
    tried = [str(each) for each in first.cv_results_["params"]]
    assert len(tried) == len(set(tried)) > len(alone.cv_results_["params"])
    assert first.best_score_ >= alone.best_score_
    again = search(tmp_path, seconds(tmp_path)).fit(X, Y)
    assert [str(each) for each in again.cv_results_["params"]] == tried
    assert to_bytes(again.compact_) == to_bytes(first.compact_)
    longer = search(tmp_path, seconds(tmp_path) + 0.1).fit(X, Y)
    assert len(longer.cv_results_["params"]) > len(tried)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_the_portfolio_does_not_need_is_labelled_for_the_optimiser(tmp_path):
    search(tmp_path, 1e-3, ["linear"]).fit(X, Y)
    found = search(tmp_path, seconds(tmp_path) + 0.3, ["linear"]).fit(X, Y)
    assert "munge" in found.cv_results_["param_labels"]


def seconds(storage):
    files = [*storage.glob("*/portfolio.json"), *storage.glob("*/batch*.json")]
    return sum(json.loads(each.read_text())["seconds"] for each in files)


def test_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'skdistill\[search\]'"):
        search(None, 1.0).fit(X, Y)
