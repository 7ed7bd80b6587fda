"""Displays draw what the model does, and keep what they draw."""

import builtins

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator

from skdistill import DistilledClassifier, SoftLinearClassifier, SoftTreeClassifier
from skdistill.device import Profile
from skdistill.inspection import (
    CompactTreeDisplay,
    FidelityDisplay,
    FlashDisplay,
    ImportanceDisplay,
    ParetoDisplay,
    QuantizationErrorDisplay,
    TeacherConfusionDisplay,
)
from skdistill.inspection.displays.fidelity import reliability_curve
from skdistill.inspection.displays.pareto import pareto_front
from skdistill.inspection.displays.quantization import quantization_error
from skdistill.metrics import fidelity_score


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def distilled():
    X, y = load_iris(return_X_y=True, as_frame=True)
    teacher = FrozenEstimator(RandomForestClassifier(20, random_state=0).fit(X, y))
    model = DistilledClassifier(
        teacher, SoftTreeClassifier(max_leaf_nodes=6), transfer_set=None, random_state=0
    )
    return model.fit(X, y), X, y


def test_the_confusion_matrix_counts_labels_of_teacher_and_student(distilled):
    model, X, _ = distilled
    display = TeacherConfusionDisplay.from_estimator(model, X)
    fidelity = fidelity_score(model.teacher_.predict(X), model.predict(X))
    assert np.trace(display.confusion_matrix) / len(X) == fidelity
    assert display.ax_.get_ylabel() == "label of the teacher"
    again = TeacherConfusionDisplay.from_estimator(model.compact_, X, teacher=model.teacher_)
    np.testing.assert_array_equal(again.confusion_matrix, display.confusion_matrix)


def test_reliability_is_accuracy_by_confidence(distilled):
    model, X, y = distilled
    _, ax = plt.subplots()
    display = FidelityDisplay.from_estimator(model, X, y, ax=ax)
    assert display.ax_ is ax
    curve = display.student
    assert curve.counts.sum() == len(X)
    assert np.average(curve.accuracy, weights=curve.counts) == pytest.approx(model.score(X, y))
    fidelity = np.average(display.fidelity.accuracy, weights=display.fidelity.counts)
    expected = fidelity_score(model.teacher_.predict(X), model.predict(X))
    assert fidelity == pytest.approx(expected)
    np.testing.assert_array_equal(display.line_student_.get_ydata(), curve.accuracy)
    perfect = reliability_curve([1, 0, 1, 1], [0.75] * 4)
    assert perfect.error == 0


def test_the_front_has_no_point_that_another_beats():
    rng = np.random.default_rng(0)
    size, score = rng.integers(1, 20, 60), rng.integers(1, 20, 60)
    front = pareto_front(size, score)
    for i in range(60):
        others = (size <= size[i]) & (score >= score[i]) & ((size < size[i]) | (score > score[i]))
        assert not (front[i] and others.any())
        equal = (size == size[i]) & (score == score[i])
        if not others.any():
            assert front[equal].sum() == 1


def test_the_pareto_display_reads_a_frame_and_names_missing_columns():
    frame = pd.DataFrame(
        {"bytes": [100, 200, 400], "instructions": [9, 8, 7], "accuracy": [0.8, 0.7, 0.9],
         "family": ["tree", "net", "tree"]}
    )  # fmt: skip
    display = ParetoDisplay.from_frame(frame, y="accuracy", references={"teacher": (9e6, 0.95)})
    assert display.is_front_.tolist() == [True, False, True]
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["net", "tree", "front", "teacher"]

    class Search:
        pareto_ = frame

    assert ParetoDisplay.from_estimator(Search(), x="instructions", y="accuracy").size[0] == 9
    with pytest.raises(ValueError, match="no column 'score', only"):
        ParetoDisplay.from_frame(frame)


def test_quantization_errors_fall_with_bits_and_are_1_for_unread_columns(distilled):
    _, X, y = distilled
    errors = [
        quantization_error(SoftLinearClassifier(input_bits=bits).fit(X, y).compact_, X)
        for bits in (3, 6, 12)
    ]
    assert (errors[0] > errors[1]).all() and (errors[1] >= errors[2] - 1e-12).all()
    assert errors[2].max() < 1e-12  # iris has tenths
    stump = SoftTreeClassifier(max_leaf_nodes=2).fit(X, y)
    error = quantization_error(stump.compact_, X)
    read = stump.compact_.columns[0]
    assert 0 < error[read] < 1
    np.testing.assert_allclose(np.delete(error, read), 1)
    display = QuantizationErrorDisplay.from_estimator(stump, X)
    assert display.columns == [X.columns[read]] and len(display.ax_.patches) == 1
    constant = X.assign(**{X.columns[0]: 1.0})
    assert np.isnan(quantization_error(stump.compact_, constant)[0])


def test_importances_name_columns_that_only_the_teacher_reads(distilled):
    model, X, y = distilled
    display = ImportanceDisplay.from_estimator(model, X, y, n_repeats=2, random_state=0)
    assert display.student.shape == (4,) and len(display.points_.get_offsets()) == 4
    unread = np.setdiff1d(np.arange(4), model.compact_.columns)
    assert not display.student[unread].any()


def test_flash_parts_sum_to_the_bytes_of_the_model(distilled):
    model, *_ = distilled
    display = FlashDisplay.from_estimator(model)
    assert sum(display.parts.values()) == model.compact_.nbytes
    nbytes = model.compact_.nbytes
    profile = Profile("cortex-m0", "float32", "label", "table", 9, 0, nbytes + 2, 90, 40, 0)
    display = FlashDisplay.from_estimator(model, profile=profile)
    assert sum(display.parts.values()) == profile.flash_bytes
    assert display.parts["code"] == 90 and display.parts["padding"] == 2
    other = Profile("cortex-m0", "float32", "label", "code", 9, 0, 0, 300, 0, 0)
    assert FlashDisplay.from_estimator(model, profile=other).parts == {"code": 300}


def test_trees_are_drawn_with_a_box_for_each_node(distilled):
    model, *_ = distilled
    display = CompactTreeDisplay.from_estimator(model, max_depth=None)
    assert len(display.annotations_) == 2 * 6 - 1
    cut = CompactTreeDisplay.from_estimator(model, max_depth=1)
    assert len(cut.annotations_) == 3
    with pytest.raises(ValueError, match="tree=5 is not there"):
        CompactTreeDisplay.from_estimator(model, tree=5)


def test_without_matplotlib_the_extra_is_named(distilled, monkeypatch):
    original = builtins.__import__

    def no_matplotlib(name, *arguments):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return original(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(ImportError, match=r"CompactTreeDisplay.plot needs matplotlib: pip install"):
        CompactTreeDisplay(distilled[0].compact_).plot()


def test_without_a_teacher_displays_ask_for_one(distilled):
    _, X, y = distilled
    tree = SoftTreeClassifier(max_leaf_nodes=3).fit(X, y)
    with pytest.raises(ValueError, match="SoftTreeClassifier holds no teacher: pass teacher="):
        TeacherConfusionDisplay.from_estimator(tree, X)
