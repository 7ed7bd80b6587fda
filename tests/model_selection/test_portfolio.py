"""Candidates of a search."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_iris

from skdistill.model_selection.portfolio import FAMILIES, Candidate, portfolio

X, Y = load_iris(return_X_y=True)
SMALL = {"n_teachers": 1, "n_samples": 150, "flash": 1024}


@pytest.mark.parametrize("n_classes", [None, 2, 3])
@pytest.mark.parametrize("has_categories", [False, True])
def test_every_candidate_has_a_twin_on_hard_labels(n_classes, has_categories):
    given = SMALL | {"n_teachers": 2}
    found = portfolio(FAMILIES, n_classes=n_classes, has_categories=has_categories, **given)
    assert all(each.hard_twin() in found for each in found)
    assert len({str(each.params) for each in found}) == len(found)
    assert {each.teacher for each in found if not each.is_hard} == {0, 1}
    pruned = n_classes is not None and not has_categories
    assert {each.family for each in found} == set(FAMILIES) - (set() if pruned else {"pruned"})


@pytest.mark.parametrize("family", FAMILIES)
def test_students_keep_to_their_bytes(family):
    few = {"net": {"max_iter": 5}, "pruned": {"max_leaf_nodes": 4, "value_bits": 4}}.get(family, {})
    student = Candidate(family, "hard", few).student(n_classes=3, max_bytes=300, seed=3)
    assert student.fit(X, Y).compact_.nbytes <= 300
    assert student.get_params().get("random_state", 3) == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_draft_has_the_size_of_what_it_stands_for(family):
    candidate = Candidate(family, "hard", {"max_iter": 30} if family == "net" else {})
    draft = candidate.draft()
    assert (draft is not None) == (family == "net")
    if draft is not None:
        sizes = [
            each.student(n_classes=3, max_bytes=300, seed=3).fit(X, Y).compact_.nbytes
            for each in (candidate, draft)
        ]
        assert abs(sizes[0] - sizes[1]) <= 6  # biases and shifts take the bits that they need


def test_families_that_are_left_out():
    found = portfolio(["linear"], n_classes=2, has_categories=False, **SMALL)
    assert {each.family for each in found} == {"linear"}


@pytest.mark.parametrize("n_classes", [None, 2])
def test_no_student_is_left(n_classes):
    what = "values" if n_classes is None else "columns of categories"
    with pytest.raises(ValueError, match=rf"families=\['pruned'\] has no student for {what}"):
        portfolio(["pruned"], n_classes=n_classes, has_categories=True, **SMALL)


@pytest.mark.parametrize(
    ("n_classes", "n_samples", "flash", "epochs"),
    [
        (3, 10_001, 1024, {1000}),
        (3, 10_001, 2048, {600}),
        (3, 10_001, 4096, {None}),
        (3, 10_001, None, {None}),
        (3, 10_000, 1024, {None}),
        (2, 10_001, 1024, {None}),
        (None, 10_001, 1024, {None}),
    ],
)
def test_nets_of_little_flash_learn_longer_from_many_rows(n_classes, n_samples, flash, epochs):
    given = SMALL | {"n_samples": n_samples, "flash": flash}
    found = portfolio(FAMILIES, n_classes=n_classes, has_categories=False, **given)
    assert {each.settings.get("max_iter") for each in found if each.family == "net"} == epochs
    assert all("max_iter" not in each.settings for each in found if each.family != "net")
    assert all(each.hard_twin() in found for each in found)
