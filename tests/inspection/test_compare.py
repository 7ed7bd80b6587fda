"""The figures are those of the files that were written, on rows that nobody has seen."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import SoftTreeClassifier
from skdistill.compact import TreeTable
from skdistill.export.onnx.parity import open_session
from skdistill.inspection.candidates import default_teacher
from skdistill.inspection.compare import compare
from skdistill.inspection.results import Dataset
from tests.inspection.datasets import wine


def held_out(dataset, test_size=0.25, seed=0):
    n_test = int(np.ceil(test_size * len(dataset.y)))
    X = dataset.X.astype(np.float32)
    return train_test_split(X, dataset.y, test_size=n_test, random_state=seed, stratify=dataset.y)


def test_every_figure_can_be_recomputed_from_the_files(wine_run):
    run, out, _ = wine_run
    X, X_test, y, y_test = held_out(wine())
    assert (run.n_train, run.n_test) == (len(X), len(X_test))
    teacher = default_teacher(random_state=0, n_jobs=1).fit(X, y)
    plain = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(X, y)
    hard = SoftTreeClassifier(max_leaf_nodes=8).fit(X, y).compact_
    stored = {kind: skdistill.load(out / f"my_wine{end}.skd") for kind, end in ENDS.items()}
    assert replace(stored["hard labels"], feature_names=None).equals(hard)
    for kind, model in {"teacher": teacher, "scikit-learn": plain, **stored}.items():
        found = run[kind]
        assert found.accuracy == np.mean(model.predict(X_test) == y_test)
        assert found.fidelity == np.mean(model.predict(X_test) == teacher.predict(X_test))
        P = model.predict_proba(X_test).astype(float)
        expected = log_loss(y_test, P / P.sum(axis=1, keepdims=True), labels=run.classes)
        assert found.log_loss == pytest.approx(expected, rel=1e-6)
        assert found.predict_us > 0
    assert run["teacher"].fidelity == 1
    assert run["scikit-learn"].bytes == len(pickle.dumps(plain))
    for kind, model in stored.items():
        assert run[kind].bytes == model.nbytes
        assert model.feature_names == run.columns


ENDS = {"hard labels": "-hard-labels", "distilled": ""}


@pytest.mark.parametrize("kind", ENDS)
def test_the_onnx_file_is_the_stored_model(wine_run, kind):
    run, out, _ = wine_run
    onnx, skd = (out / f"my_wine{ENDS[kind]}{end}" for end in (".onnx", ".skd"))
    assert run[kind].files == {file.name: file.stat().st_size for file in (onnx, skd)}
    X = held_out(wine())[1]
    model = skdistill.load(skd)
    label, proba, scores = open_session(onnx).run(None, {"X": X})
    np.testing.assert_array_equal(scores, model.scores(X))
    assert label.tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(proba, model.predict_proba(X), atol=1e-6)
    assert run[kind].mismatches == 0
    assert run[kind].onnx_rows > len(X)


def test_gains_are_differences_of_the_table(wine_run):
    run, _, _ = wine_run
    distilled, hard = run["distilled"], run["hard labels"]
    assert run.accuracy_gain.mean == pytest.approx(distilled.accuracy - hard.accuracy)
    assert run.log_loss_gain.mean == pytest.approx(hard.log_loss - distilled.log_loss)


def test_progress_names_table_and_step(wine_run):
    _, _, lines = wine_run
    assert [line.split("]")[0] for line in lines] == [f"[my wine {step}/4" for step in (1, 2, 3, 4)]


def test_the_same_seed_gives_the_same_files_another_one_others(quick, tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (0, 0, 1), strict=True):
        folder.mkdir()
        compare("wine", wine(), SoftTreeClassifier(max_leaf_nodes=8), folder, random_state=seed)
    first, same, other = ((folder / "wine.onnx").read_bytes() for folder in folders)
    assert first == same
    assert first != other


def test_a_second_run_writes_over_the_first(quick, tmp_path):
    for leaves in (2, 4):
        compare("wine", wine(), SoftTreeClassifier(max_leaf_nodes=leaves), tmp_path)
    assert len(skdistill.load(tmp_path / "wine.skd").table(TreeTable).feature) == 3
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("labels", [[False, True], [-5, 2**40], ["a b", ""]])
def test_two_classes_of_any_kind(quick, tmp_path, labels):
    X, y = make_classification(80, 4, random_state=0)
    dataset = Dataset(X, np.array(labels)[y], list("abcd"))
    run = compare("t", dataset, SoftTreeClassifier(max_leaf_nodes=4), tmp_path)
    assert sorted(run.classes) == sorted(labels)
    assert run.n_test == 20
    assert run.mismatches == 0
    assert run["distilled"].accuracy > 0.7


def test_the_real_teacher_lives_with_scarce_classes_and_empty_columns(tmp_path):
    X, y = make_classification(60, 4, random_state=0)
    X[:, 3] = np.nan
    X[0, 3] = 1.0  # in some folds, or all of the training rows, the column is empty
    y[:] = 0
    y[:4] = 1
    dataset = Dataset(X, y, list("abcd"))
    run = compare("t", dataset, SoftTreeClassifier(max_leaf_nodes=4), tmp_path)
    assert run.mismatches == 0
