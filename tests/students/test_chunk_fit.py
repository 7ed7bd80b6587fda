"""Students on tables in chunks: the models of `fit` on the same rows."""

import itertools

import numpy as np
import pandas as pd
import pytest

from skdistill import (
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.chunks import Chunks
from skdistill.compact.file_format import to_bytes
from skdistill.students.tree.fixed_point import UNITS, in_units

RNG = np.random.default_rng(0)
N = 1500
# Few values, all of which a sample has: its grid is that of all rows.
X = RNG.integers(0, 12, (N, 4)).astype(np.float64)
Y = (X[:, 0] > 5).astype(int) + (X[:, 1] + RNG.normal(0, 2, N) > 4)
VALUES = X[:, 0] - X[:, 1] / 3 + RNG.normal(size=N)
WEIGHT = RNG.integers(0, 4, N).astype(np.float64)
P = RNG.dirichlet(np.ones(3), N)


def chunked(*columns, sizes=(400, 1, 0, 650, 449), **options):
    ends = np.cumsum([0, *sizes])
    pieces = [tuple(c[a:b] for c in columns) for a, b in itertools.pairwise(ends)]
    return Chunks(pieces, **{"max_samples": 700, **options})


def content(student):
    return to_bytes(student.compact_)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"criterion": "entropy", "min_samples_leaf": 9}, {"max_bytes": 200, "ccp_alpha": 1e-3}],
)
@pytest.mark.parametrize("y", [Y, Y > 0], ids=["three classes", "two classes"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_tree_is_the_one_of_all_rows(parameters, y, weighted):
    tree = SoftTreeClassifier(max_leaf_nodes=15).set_params(**parameters)
    weight = (WEIGHT,) if weighted else ()
    expected = content(tree.fit(X, y, *weight))
    assert content(tree.fit(chunked(X, y, *weight))) == expected
    assert tree.classes_.tolist() == np.unique(y).tolist()
    assert tree.feature_importances_.sum() == pytest.approx(1)


def test_a_regression_tree_is_the_one_of_all_rows():
    for weight in ((), (WEIGHT,)):
        tree = SoftTreeRegressor(max_leaf_nodes=15, min_samples_leaf=3)
        expected = content(tree.fit(X, VALUES, *weight))
        assert content(tree.fit(chunked(X, VALUES, *weight))) == expected


def test_probabilities_are_rounded_to_two_bytes():
    rounded = in_units(P) / UNITS
    assert np.abs(rounded - P).max() <= 1.5 / UNITS  # the largest takes what the others leave
    assert (rounded.sum(axis=1) == 1).all()
    tree = SoftTreeClassifier(max_leaf_nodes=15)
    expected = content(tree.fit(X, rounded, classes=["c", "a", "b"]))
    assert content(tree.fit(chunked(X, P), classes=["c", "a", "b"])) == expected
    named = pd.DataFrame(P, columns=["c", "a", "b"])
    assert content(tree.fit(chunked(X, named))) == expected


@pytest.mark.parametrize(
    ("student", "y"),
    [
        (SoftTreeClassifier(max_leaf_nodes=15), Y),
        (SoftBoostingClassifier(4, random_state=0), P),
        (SoftLinearClassifier(), Y),
        (SoftTreeRegressor(), VALUES),
    ],
)
def test_a_table_within_the_sample_is_fitted_as_fit_does(student, y):
    expected = content(student.fit(X, y))
    assert content(student.fit(list(chunked(X, y, max_samples=9)._read()))) == expected


def test_the_model_does_not_depend_on_the_chunks():
    rows, y = RNG.normal(size=(N, 4)), Y
    for student in (SoftTreeClassifier(), SoftBoostingClassifier(3, random_state=0)):
        first = content(student.fit(chunked(rows, y)))
        assert content(student.fit(chunked(rows, y, sizes=(7, 700, 793)))) == first
        assert content(student.fit(chunked(rows, y, random_state=1))) != first  # another grid


@pytest.mark.parametrize("y", [Y, Y > 0], ids=["three classes", "two classes"])
def test_boosting(y):
    student = SoftBoostingClassifier(6, min_samples_leaf=5, class_weight="balanced", random_state=0)
    plain = student.fit(X, y, WEIGHT).score(X, y)
    assert student.fit(chunked(X, y, WEIGHT)).score(X, y) > plain - 0.02
    student.set_params(n_estimators="auto", max_bytes=250, reuse_penalty=1e-4)
    assert 200 < student.fit(chunked(X, y)).compact_.nbytes <= 250


def test_boosting_of_values():
    student = SoftBoostingRegressor(6, random_state=0)
    y = np.column_stack([VALUES, 100 * X[:, 2] - 1e5])
    plain = student.fit(X, y, WEIGHT).score(X, y)
    assert student.fit(chunked(X, y, WEIGHT)).score(X, y) > plain - 0.02


def test_categories_and_missing_values():
    frame = pd.DataFrame(X, columns=list("abcd")).astype({"c": "category"})
    frame.loc[::7, "a"] = np.nan
    frame["kind"] = np.where(Y > 1, "late", RNG.choice(["u", "v", None], N))
    frame.loc[N - 1, "kind"] = "only here"  # perhaps in no sampled row
    y = np.array(["low", "middle", "high"])[Y]
    student = SoftTreeClassifier(max_leaf_nodes=15)
    plain = student.fit(frame, y).score(frame, y)
    pieces = [(frame[:600], y[:600]), (frame[600:], y[600:])]
    assert student.fit(Chunks(pieces, max_samples=800)).score(frame, y) > plain - 0.02
    assert list(student.feature_names_in_) == [*"abcd", "kind"]


def test_others_learn_from_the_sample_and_say_so():
    chunks = chunked(X, Y)
    with pytest.warns(UserWarning, match=r"SoftLinearClassifier learns from a sample of 700 of .*"):
        student = SoftLinearClassifier().fit(chunks)
    sample = chunks.sample(lambda chunk: None).chunk
    assert content(student) == content(SoftLinearClassifier().fit(sample.X, sample.y))


LAST = X[:5]


@pytest.mark.parametrize(
    ("student", "last", "error", "message"),
    [
        (SoftTreeClassifier(), (LAST, ["a"] * 5), TypeError, "some chunks have numbers, others"),
        (SoftTreeClassifier(), (LAST, [np.nan] * 5), ValueError, "chunk 4: Input y contains NaN"),
        (SoftTreeClassifier(), (LAST, [0.5] * 5), ValueError, "chunk 4: Unknown label type"),
        (SoftTreeClassifier(), (LAST, P[:5]), ValueError, "some chunks have labels as y"),
        (SoftTreeClassifier(), (LAST + np.inf, Y[:5]), ValueError, "chunk 4: Input X contains inf"),
        (SoftTreeClassifier(), (LAST * 1e39, Y[:5]), ValueError, "chunk 4: Input X contains inf"),
        (SoftTreeRegressor(), (LAST, [np.inf] * 5), ValueError, "chunk 4: Input y contains inf"),
        (SoftTreeClassifier(tao_n_iter=2), None, ValueError, "tao_n_iter=2 needs all rows in mem"),
        (SoftBoostingClassifier(subsample=0.5), None, ValueError, "set subsample=1, or pass X"),
        (SoftBoostingClassifier(init="linear"), None, ValueError, "set init=None, or pass X"),
    ],
)
def test_errors_name_the_chunk_or_the_parameter(student, last, error, message):
    y = VALUES if isinstance(student, SoftTreeRegressor) else Y
    pieces = [(X[:400], y[:400]), (X[:0], y[:0]), (X[400:], y[400:]), (X[:9], y[:9])]
    pieces += [] if last is None else [last]
    with pytest.raises(error, match=message):
        student.fit(Chunks(pieces, max_samples=100))


def test_more_errors():
    tree = SoftTreeClassifier()
    with pytest.raises(ValueError, match="y cannot be passed beside chunks"):
        tree.fit([(X, Y)], Y)
    with pytest.raises(ValueError, match="chunk 0: the chunk has no y: pass chunks"):
        tree.fit([(X,)])
    with pytest.raises(ValueError, match="the chunks hold no rows"):
        tree.fit(Chunks([]))
    with pytest.raises(ValueError, match=r"labels that are not among classes: \[2\]"):
        tree.fit(chunked(X, Y), classes=[0, 1])
    with pytest.raises(ValueError, match="X is float64, chunks before it are int32"):
        tree.fit(Chunks([(X.astype(np.int32), Y), (LAST, Y[:5])], max_samples=100))
    with pytest.raises(ValueError, match="chunk 1: y has 2 columns, chunks before it have 1"):
        values = [(X, VALUES), (LAST, np.ones((5, 2)))]
        SoftTreeRegressor().fit(Chunks(values, max_samples=100))


def test_a_class_that_the_sample_lacks():
    y = np.where(np.arange(N) == N - 1, 7, Y)
    for student in (SoftTreeClassifier(), SoftBoostingClassifier(2, random_state=0)):
        assert student.fit(chunked(X, y, max_samples=50)).classes_.tolist() == [0, 1, 2, 7]
