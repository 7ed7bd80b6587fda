"""Candidates fitted within budgets, and what is said of those that no size makes fit."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from skdistill.compact.file_format import to_bytes
from skdistill.dataframe import read_table
from skdistill.model_selection.budget import Budget, Device, columns_read
from skdistill.model_selection.fit_within import BudgetExceededError, _smaller, fit_within, lowest
from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.training_set import TrainingSet
from skdistill.targets import SoftTargets

ANY = Device(None, "float32", None, "auto")
M0 = Device("cortex-m0", "float32", None, "auto")
TREE = Candidate("tree", "hard")
BOOSTED = Candidate("boosted", "hard", {"max_leaf_nodes": 8, "value_bits": 4})
LINEAR = Candidate("linear", "hard")
NET = Candidate("net", "hard", {"max_iter": 3})


def of_labels(load):
    X, y = load(return_X_y=True)
    n_classes = len(np.unique(y))
    targets = SoftTargets(np.zeros((len(y), n_classes)), y, 0.0)
    return TrainingSet(read_table(X), targets, np.ones(len(y)), np.arange(n_classes))


def of_values():
    X, y = load_diabetes(return_X_y=True)
    return TrainingSet(read_table(X), y.reshape(-1, 1), np.ones(len(y)), None)


CANCER, DIGITS, VALUES = of_labels(load_breast_cancer), of_labels(load_digits), of_values()


@pytest.mark.parametrize("device", [ANY, M0], ids=["estimated", "compiled"])
@pytest.mark.parametrize("training", [CANCER, VALUES], ids=["classes", "values"])
@pytest.mark.parametrize("candidate", [TREE, BOOSTED, LINEAR, NET], ids=str)
def test_no_limit_is_exceeded(candidate, training, device):
    budget = Budget(flash=1800, features=6, instructions=8000)
    fitted = fit_within(candidate, training, budget, device, seed=0)
    assert fitted.footprint.flash <= 1800
    assert fitted.footprint.instructions <= 8000
    assert len(columns_read(fitted.student.compact_)) == fitted.footprint.features <= 6
    assert fitted.student.compact_.nbytes <= fitted.max_bytes


@pytest.mark.parametrize("candidate", [BOOSTED, NET], ids=str)
def test_instructions_alone_make_a_student_smaller(candidate):
    whole = fit_within(candidate, DIGITS, Budget(flash=4096), ANY, seed=0)
    limit = whole.footprint.instructions / 2
    half = fit_within(candidate, DIGITS, Budget(4096, instructions=limit), ANY, seed=0)
    assert limit / 2 < half.footprint.instructions <= limit
    assert half.student.compact_.nbytes < whole.student.compact_.nbytes


def test_flash_and_instructions_that_only_a_smaller_model_keeps_both():
    """At first tables take too long and code too much flash: neither shows how much is too much."""
    budget = Budget(flash=1800, instructions=4000)
    fitted = fit_within(BOOSTED, CANCER, budget, M0, seed=0)
    assert budget.fits(fitted.footprint)
    assert max(budget.used(fitted.footprint).values()) > 0.8


@pytest.mark.parametrize("candidate", [BOOSTED, NET], ids=str)
def test_the_smallest_is_tried_before_a_candidate_is_given_up(candidate):
    with pytest.raises(BudgetExceededError) as raised:
        fit_within(candidate, CANCER, Budget(flash=4096, instructions=50), ANY, seed=0)
    least = int(raised.value.least["instructions"])
    found = fit_within(candidate, CANCER, Budget(flash=4096, instructions=least), ANY, seed=0)
    assert found.footprint.instructions == least
    with pytest.raises(BudgetExceededError):
        fit_within(candidate, CANCER, Budget(flash=4096, instructions=least - 1), ANY, seed=0)


@pytest.mark.parametrize("candidate", [TREE, BOOSTED, NET], ids=str)
def test_what_fits_is_the_student_of_that_many_bytes(candidate):
    fitted = fit_within(candidate, CANCER, Budget(flash=2048), ANY, seed=3)
    X, targets, weight, classes = CANCER
    alone = candidate.student(n_classes=2, max_bytes=fitted.max_bytes, seed=3)
    alone.fit(X.native, targets, weight, classes=classes)
    assert to_bytes(fitted.student.compact_) == to_bytes(alone.compact_)


def test_bytes_that_the_compiler_leaves_are_used():
    """A search estimates the code of a tree by the most that it takes; few take so much."""
    estimated = fit_within(TREE, DIGITS, Budget(flash=300), ANY, seed=0)
    compiled = fit_within(TREE, DIGITS, Budget(flash=300), M0, seed=0)
    assert compiled.footprint.flash <= 300
    assert compiled.student.compact_.nbytes > estimated.student.compact_.nbytes


@pytest.mark.parametrize("candidate", [TREE, BOOSTED, NET], ids=str)
def test_the_least_flash_is_named_and_is_enough(candidate):
    with pytest.raises(BudgetExceededError) as raised:
        fit_within(candidate, CANCER, Budget(flash=20), ANY, seed=0)
    least = int(raised.value.least["flash"])
    fitted = fit_within(candidate, CANCER, Budget(flash=least), ANY, seed=0)
    assert fitted.footprint.flash <= least
    with pytest.raises(BudgetExceededError):
        fit_within(candidate, CANCER, Budget(flash=least - 1), ANY, seed=0)


@pytest.mark.parametrize("nbytes", [300, 60_000])
def test_a_model_that_exceeds_flash_a_little_loses_as_much(nbytes):
    footprint = fit_within(TREE, CANCER, Budget(flash=1024), ANY, seed=0).footprint
    assert _smaller(nbytes, footprint, Budget(flash=footprint.flash - 10)) == nbytes - 10


def test_lowest():
    assert lowest([{"flash": 3, "ram": 1}, {"flash": 2}, {}]) == {"flash": 2, "ram": 1}
    assert lowest([]) == {}
