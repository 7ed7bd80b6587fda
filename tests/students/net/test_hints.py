"""Hints for networks: they guide the hidden layer while it learns, and leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

from skdistill import DistilledClassifier, SoftNetClassifier
from skdistill.compact import NetTable
from skdistill.targets import SoftTargets
from skdistill.teachers.hints import FeatureHints

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
Y = (np.hypot(X[:, 0], X[:, 1]) > 1.1).astype(int)
HINTS = np.column_stack([np.abs(X[:, 0]), np.abs(X[:, 1]), 50 + 9 * X[:, 2]])


def targets(hints, hint_weight=1.0, y=Y):
    return SoftTargets(np.eye(y.max() + 1)[y], hints=hints, hint_weight=hint_weight)


def net(sizes=(8,), **settings):
    return SoftNetClassifier(sizes, **({"max_iter": 4, "random_state": 0} | settings))


@pytest.mark.parametrize("sizes", [(8,), (8, 6)])
@pytest.mark.parametrize("settings", [{}, {"n_iter_no_change": 2}])
def test_hints_change_the_network_but_not_its_form(sizes, settings):
    student = net(sizes, **settings)
    plain = student.fit(X, targets(None)).compact_
    hinted = student.fit(X, targets(HINTS)).compact_
    assert not hinted.equals(plain)
    assert hinted.nbytes == plain.nbytes
    assert hinted.scores(X).shape == plain.scores(X).shape


def test_within_max_bytes_there_are_as_many_units_as_without_hints():
    student = net("auto", max_bytes=300)
    sizes = []
    for hints in (None, HINTS):
        student.fit(X, targets(hints))
        assert student.compact_.nbytes <= 300
        sizes.append([len(h.weights) for h in student.compact_.table(NetTable).hidden])
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("hints", [np.full((300, 2), 7.0), HINTS])
def test_hints_without_content_or_weight_change_nothing(hints):
    student = net()
    plain = student.fit(X, targets(None)).compact_
    weight = 0.0 if hints is HINTS else 1.0
    assert student.fit(X, targets(hints, weight)).compact_.equals(plain)


def test_units_of_hints_do_not_matter():
    student = net()
    model = student.fit(X, targets(HINTS)).compact_
    assert student.fit(X, targets(1024 * HINTS)).compact_.equals(model)
    assert not student.fit(X, targets(HINTS, hint_weight=2.0)).compact_.equals(model)


def test_a_few_labels_are_enough_where_hints_say_what_matters():
    """The label is cut from the sum of the hints' squares."""
    gains = []
    for first in (0, 60, 120):
        few = np.arange(300) // 60 == first // 60
        scores = []
        for hints in (None, HINTS[few, :2]):
            student = net((16,), max_iter=30).fit(X[few], targets(hints, 100.0, Y[few]))
            scores.append(student.score(X[~few], Y[~few]))
        gains.append(scores[1] - scores[0])
    assert np.mean(gains) > 0.02


def test_a_row_of_weight_2_is_two_rows():
    order = RNG.permutation(np.append(np.arange(300), np.arange(100)))
    weight = np.where(np.arange(300) < 100, 2.0, 1.0)
    student = net()
    model = student.fit(X, targets(HINTS), weight).compact_
    twice = targets(HINTS[order], 1.0, Y[order])
    assert student.fit(X[order], twice).compact_.equals(model)
    with_zero = np.append(weight, 0.0)
    other = targets(np.vstack([HINTS, [[1e6, 0, 0]]]), 1.0, np.append(Y, 1))
    assert student.fit(np.vstack([X, X[:1]]), other, with_zero).compact_.equals(model)


def test_hints_of_a_teacher_and_a_search_for_their_weight():
    A, y = load_iris(return_X_y=True)
    distilled = DistilledClassifier(
        RandomForestClassifier(10, random_state=0),
        net((4,)),
        hints=FeatureHints(3),
        transfer_set=None,
        random_state=0,
    )
    search = GridSearchCV(distilled, {"hint_weight": [0.0, 0.3]}, cv=2).fit(A, y)
    losses = search.cv_results_["mean_test_score"]
    assert len(losses) == 2 and search.best_estimator_.student_.compact_.tables
    models = [distilled.set_params(hint_weight=w).fit(A, y).compact_ for w in (0.0, 0.3)]
    assert not models[0].equals(models[1])


def test_broken_hints_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net().fit(X, targets(HINTS[:10]))
    with pytest.raises(ValueError, match="Input hints contains NaN"):
        net().fit(X, targets(np.where(HINTS > 50, np.nan, HINTS)))
