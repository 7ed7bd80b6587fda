"""Candidates race from split to split."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from skdistill.model_selection.portfolio import Candidate
from skdistill.model_selection.racing import FINALISTS, Entry, competes, n_running, rank, rounds


def entry(*scores, labels="soft", flash=100, status="fits"):
    records = [
        {"status": status, "score": score, "flash": flash, "max_bytes": 90} for score in scores
    ]
    return Entry(Candidate("tree", labels), records=records)


@pytest.mark.parametrize("n_candidates", range(40))
@pytest.mark.parametrize("n_splits", [1, 2, 5])
def test_the_better_half_goes_on_and_the_finalists_stay(n_candidates, n_splits):
    found = n_running(n_candidates, n_splits)
    assert len(found) == n_splits
    assert found[0] == n_candidates
    assert found == sorted(found, reverse=True)
    for before, after in pairwise(found):
        assert after >= before / 2
        assert after >= min(n_candidates, FINALISTS)
        assert after == before or before > FINALISTS


@pytest.mark.parametrize("n_candidates", [1, 4, 5, 9, 30])
@pytest.mark.parametrize("n_splits", [1, 2, 5])
def test_splits_are_scored_together_where_nobody_leaves(n_candidates, n_splits):
    sizes = n_running(n_candidates, n_splits)
    found = rounds(sizes)
    assert [split for each in found for split in each] == list(range(n_splits))
    assert found[0] == [0]
    assert all(len({sizes[split] for split in each}) == 1 for each in found)
    assert all(sizes[a[0]] > sizes[b[0]] for a, b in pairwise(found[1:]))


def test_rank():
    """Those scored on all splits come first; ties go to hard labels, then to the smaller ones."""
    dropped, good, fair = entry(0.9), entry(0.8, 0.8), entry(0.7, 0.9, flash=50)
    hard = entry(0.8, 0.8, labels="hard", flash=200)
    too_large = entry(0.95, status="too large")
    assert rank([too_large, dropped, good, fair, hard]) == [hard, fair, good, dropped]


def test_scores_of_an_entry():
    assert np.isnan(Entry(Candidate("tree", "soft")).mean_score)
    assert not Entry(Candidate("tree", "soft")).fits
    assert Entry(Candidate("tree", "soft"), 70).start == 70
    assert entry(0.5, 0.7).start == 90
    np.testing.assert_allclose(entry(0.5, 0.7).mean_score, 0.6)
    alone = entry(0.5)
    alone.records[0]["part_scores"] = [0.4, 0.6]
    assert alone.compared_scores.tolist() == [0.4, 0.6]
    assert entry(0.5, 0.7).compared_scores.tolist() == [0.5, 0.7]


def test_those_that_come_later_go_on_while_they_are_among_the_best_two():
    others = [entry(1.0, 0.8), entry(0.9, 0.1), entry(0.6), entry(0.99, labels="hard")]
    assert competes(Entry(Candidate("tree", "soft")), others, 0)
    assert competes(entry(0.9), others, 1)
    assert not competes(entry(0.89), others, 1)
    assert not competes(entry(0.95, 0.04), others, 2)  # means of the others: 0.9, 0.5
    assert competes(entry(0.95, 0.05), others, 2)
    assert not competes(entry(0.95), others, 2)
    assert not competes(entry(0.95, status="too large"), others, 1)
    assert competes(entry(0.1, labels="hard"), others, 1)
