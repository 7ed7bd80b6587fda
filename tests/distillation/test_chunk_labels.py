import itertools
import re

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    SoftBoostingClassifier,
    SoftNetClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
)
from skdistill.chunks import Chunks
from skdistill.compact.file_format import to_bytes

RNG = np.random.default_rng(0)
X = RNG.integers(0, 12, (1200, 4)).astype(np.float32)
Y = (X[:, 0] > 5).astype(int) + (X[:, 1] + RNG.normal(0, 2, 1200) > 4)
TEACHER = FrozenEstimator(RandomForestClassifier(5, max_depth=4, random_state=0).fit(X, Y))
REGRESSOR = FrozenEstimator(RandomForestRegressor(5, max_depth=4, random_state=0).fit(X, X[:, 0]))
TREE = SoftTreeClassifier(max_leaf_nodes=12)


def chunked(*columns, **options):
    ends = [0, 300, 301, 900, 1200]
    pieces = [tuple(c[a:b] for c in columns) for a, b in itertools.pairwise(ends)]
    return Chunks(pieces, **{"max_samples": 500, **options})


def distiller(student=TREE, teacher=TEACHER, **parameters):
    return DistilledClassifier(
        teacher, student, **{"transfer_set": None, "random_state": 0, **parameters}
    )


def content(estimator):
    return to_bytes(estimator.compact_)


@pytest.mark.parametrize(
    ("student", "parameters"),
    [
        (TREE, {}),
        (TREE, {"temperature": 2.0, "alpha": 0.8}),
        (TREE, {"response_method": "predict"}),
        (SoftBoostingClassifier(3), {"temperature": 2.0}),
        (SoftNetClassifier((3,), max_iter=2), {}),
    ],
)
def test_a_table_within_the_sample_gives_the_model_of_fit(student, parameters):
    model = distiller(student, **parameters)
    for columns in ((X,), (X, Y)):
        expected = content(model.fit(*columns))
        assert content(model.fit(chunked(*columns, max_samples=1200))) == expected
    assert model.classes_.tolist() == [0, 1, 2]
    assert model.temperature_ == parameters.get("temperature", 1)
    assert model.teacher_ is not None
    assert model.n_features_in_ == 4


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_all_rows_are_learnt_from(temperature):
    for student in (TREE, SoftBoostingClassifier(4)):
        model = distiller(student, temperature=temperature)
        for columns in ((X,), (X, Y)):
            plain = model.fit(*columns).score(X, Y)
            assert model.fit(chunked(*columns)).score(X, Y) > plain - 0.03


def test_hard_decisions_of_a_teacher_give_the_tree_of_all_rows():
    model = distiller(response_method="predict")
    assert content(model.fit(X)) == content(model.fit(chunked(X)))


def test_probabilities_in_chunks_need_no_teacher():
    P = TEACHER.predict_proba(X)
    asked = distiller().fit(chunked(X))
    passed = distiller(teacher=None).fit(chunked(X, P))
    assert content(asked) == content(passed)
    assert not hasattr(passed, "teacher_")
    assert content(distiller(alpha=0).fit(chunked(X, Y))) == content(TREE.fit(X, Y))


def test_regressors():
    model = DistilledRegressor(
        REGRESSOR, SoftTreeRegressor(), transfer_set=None, alpha=0.5, random_state=0
    )
    for columns in ((X,), (X, Y)):
        assert content(model.fit(*columns)) == content(model.fit(chunked(*columns)))
    predictions = REGRESSOR.predict(X)
    asked = content(model.fit(chunked(X)))
    assert content(model.set_params(teacher=None).fit(chunked(X, predictions))) == asked


class Slow(RandomForestClassifier):
    """A teacher that is asked about few chunks before someone loses patience."""

    sizes, patience = [], 3

    def predict_proba(self, rows):
        if len(Slow.sizes) == Slow.patience:
            raise KeyboardInterrupt
        Slow.sizes.append(len(rows))
        return super().predict_proba(rows)


def test_interrupted_labelling_goes_on(tmp_path):
    teacher = Slow(5, max_depth=4, random_state=0).fit(X, Y)
    model = distiller(teacher=FrozenEstimator(teacher), memory=str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        model.fit(chunked(X))
    assert Slow.sizes == [500, 300, 1]  # the sample, and two chunks
    Slow.patience = None
    model.fit(chunked(X))
    assert Slow.sizes == [500, 300, 1, 599, 300]
    assert content(model) == content(distiller().fit(chunked(X)))


@pytest.mark.parametrize(
    ("parameters", "columns", "message"),
    [
        (
            {"transfer_set": "munge"},
            (X,),
            "transfer_set='munge' needs all rows.* transfer_set=None",
        ),
        ({"temperature": "auto"}, (X, Y), "temperature='auto' needs all rows in memory"),
        ({"class_weight": "balanced"}, (X, Y), "set class_weight of the student"),
        ({"teacher": TEACHER.estimator}, (X, Y), "wrap it in a FrozenEstimator, or pass"),
        ({"teacher": None}, (X,), "teacher=None needs chunks .* a teacher's probabilities"),
        ({"alpha": 0}, (X,), "alpha=0 learns from labels alone"),
        ({}, (X, Y + 5), "y has labels that are not among the classes of the frozen teacher"),
    ],
)
def test_errors(parameters, columns, message):
    with pytest.raises(ValueError, match=message):
        distiller(**parameters).fit(chunked(*columns))


def test_arguments_beside_chunks():
    for name in ("sample_weight", "teacher_proba", "X_unlabeled", "groups"):
        with pytest.raises(ValueError, match=f"{name} cannot be passed beside chunks"):
            distiller().fit(chunked(X), **{name: Y})


def test_verbose_says_how_the_teacher_was_asked(capsys, tmp_path):
    rows = np.tile(X, (3, 1))
    model = distiller(verbose=1, memory=str(tmp_path))
    model.fit(Chunks([(rows[:2000],), (rows[2000:2100],), (rows[2100:],)], max_samples=500))
    said = capsys.readouterr().out
    # The sample is labelled, too; a chunk of few rows by the teacher itself.
    found = re.search(r"teacher: ([\d,]+) rows labelled, [\d,]+ a second \((.*)\)", said)
    assert found[1] == "4,100"
    assert found[2] == "RandomForestClassifier in compiled loops"
    model.fit(Chunks([(rows[:2000],), (rows[2000:2100],), (rows[2100:],)], max_samples=500))
    assert "rows labelled" not in capsys.readouterr().out  # all of it was on disk
    DistilledRegressor(REGRESSOR, SoftTreeRegressor(max_leaf_nodes=8), transfer_set=None).fit(rows)
    assert "labelled" not in capsys.readouterr().out


def test_verbose_names_the_way_of_rows_in_memory(capsys):
    rows = np.tile(X, (2, 1))
    distiller(verbose=1, transfer_set="munge").fit(rows)
    said = capsys.readouterr().out.splitlines()
    lines = [line for line in said if "a second (RandomForestClassifier in compiled loops)" in line]
    assert len(lines) == 2  # training rows, and those of MUNGE
