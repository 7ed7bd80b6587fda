"""The public face of a model: what was saved exports, profiles and scores itself."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score

from skdistill import (
    CompactModel,
    DistilledClassifier,
    SoftBoostingRegressor,
    SoftTreeClassifier,
    load,
)
from skdistill.export.onnx.parity import count_mismatches, open_session


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def saved(iris, tmp_path):
    SoftTreeClassifier(max_leaf_nodes=6).fit(*iris).save(tmp_path / "m.skd")
    return load(tmp_path / "m.skd")


def test_a_file_is_enough_to_export_profile_and_score(saved, iris, tmp_path):
    X, y = iris
    student = SoftTreeClassifier(max_leaf_nodes=6).fit(X, y)
    assert saved.to_c(tmp_path / "m.c", output="proba_q15") == student.to_c(
        name="m", output="proba_q15"
    )
    assert (tmp_path / "m.h").exists()
    content = saved.to_onnx(tmp_path / "m.onnx").SerializeToString()
    assert count_mismatches(saved, open_session(content), np.float32(X)) == 0
    assert (tmp_path / "m.onnx").read_bytes() == content
    assert saved.score(X, y) == accuracy_score(y, student.predict(X))


def test_a_model_profiles_itself(saved, iris):
    pytest.importorskip("unicorn")
    result = saved.profile(iris[0][:20], output="scores")
    assert (result.target, result.mismatches) == ("cortex-m0", 0)


def test_score_is_accuracy_or_r2_and_weighs_rows():
    X, y = load_diabetes(return_X_y=True)
    weight = np.random.default_rng(0).random(len(y))
    model = SoftBoostingRegressor(4, random_state=0).fit(X, y).compact_
    assert model.score(X, y, weight) == r2_score(y, model.predict(X), sample_weight=weight)
    two = CompactModel(1, [0, 0], [1.0, 2.0], "identity", None)
    assert two.score([[0], [1]], [[0, 0], [0, 0]]) == 1.0
    labels = CompactModel(1, [5], 1.0, "sigmoid", ["no", "yes"])
    assert labels.score([[0], [1]], ["yes", "no"], [3, 1]) == 0.75


@pytest.mark.parametrize("method", ["to_c", "to_onnx", "profile", "save"])
def test_students_and_distillers_share_the_exports_of_a_model(method):
    for kind in (SoftTreeClassifier, SoftBoostingRegressor, DistilledClassifier):
        assert inspect.getattr_static(kind, method) is inspect.getattr_static(CompactModel, method)
    with pytest.raises(NotFittedError):
        getattr(SoftTreeClassifier(), method)("x")


def test_repr_and_html_tell_what_the_model_is(saved):
    assert repr(saved).startswith("CompactModel(1 tree with 5 splits; softmax, 3 scores, ")
    html = saved._repr_html_()
    assert "1 tree with 5 splits" in html and html.count("<svg") == html.count("</svg>") == 1
    assert str(saved.summary()).startswith("3 classes from 4 columns")
