"""The figures are those of the files that were written, on rows that nobody has seen."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_wine, make_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import SoftLinearClassifier, SoftTreeClassifier
from skdistill.compact import TreeTable
from skdistill.dataframe.files import Table, TableError
from skdistill.export.onnx.parity import open_session
from skdistill.inspection import text_report
from skdistill.inspection.compare import Gain, _gain, _pickled_bytes, _transfer, committee, compare


def wine(missing=True):
    data = load_wine()
    X = data.data.copy()
    if missing:
        X[::7, 2] = np.nan
    y = np.array([f"größe {number}" for number in data.target])
    return Table(X, y, list(data.feature_names), ["a note"])


@pytest.fixture(scope="module")
def wine_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("wine")
    said = []
    run = compare("my wine", wine(), SoftTreeClassifier(max_leaf_nodes=8), out, say=said.append)
    return run, out, said


@pytest.fixture
def quick(monkeypatch):
    """A small forest instead of the committee."""

    def small(*, seed=0, n_jobs=None):
        return VotingClassifier(
            [("rf", RandomForestClassifier(20, random_state=seed))], voting="soft"
        )

    monkeypatch.setattr("skdistill.inspection.compare.committee", small)


def held_out(table, test_size=0.25, seed=0):
    n_test = int(np.ceil(test_size * len(table.y)))
    X = table.X.astype(np.float32)
    return train_test_split(X, table.y, test_size=n_test, random_state=seed, stratify=table.y)


def test_every_figure_can_be_recomputed_from_the_files(wine_run):
    run, out, _ = wine_run
    X, X_test, y, y_test = held_out(wine())
    assert (run.n_train, run.n_test) == (len(X), len(X_test))
    teacher = committee(seed=0, n_jobs=1).fit(X, y)
    plain = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(X, y)
    hard = SoftTreeClassifier(max_leaf_nodes=8).fit(X, y).compact_
    stored = {role: skdistill.load(out / f"my_wine{end}.skd") for role, end in ENDS.items()}
    assert replace(stored["hard labels"], feature_names=None).equals(hard)
    for role, model in {"teacher": teacher, "scikit-learn": plain, **stored}.items():
        found = run[role]
        assert found.accuracy == np.mean(model.predict(X_test) == y_test)
        assert found.fidelity == np.mean(model.predict(X_test) == teacher.predict(X_test))
        P = model.predict_proba(X_test).astype(float)
        expected = log_loss(y_test, P / P.sum(axis=1, keepdims=True), labels=run.classes)
        assert found.log_loss == pytest.approx(expected, rel=1e-6)
        assert found.predict_us > 0
    assert run["teacher"].fidelity == 1
    assert run["scikit-learn"].bytes == len(pickle.dumps(plain))
    for role, model in stored.items():
        assert run[role].bytes == model.nbytes
        assert model.feature_names == run.columns


ENDS = {"hard labels": "-hard-labels", "distilled": ""}


@pytest.mark.parametrize("role", ENDS)
def test_the_onnx_file_is_the_stored_model(wine_run, role):
    run, out, _ = wine_run
    onnx, skd = (out / f"my_wine{ENDS[role]}{end}" for end in (".onnx", ".skd"))
    assert run[role].files == {file.name: file.stat().st_size for file in (onnx, skd)}
    X = held_out(wine())[1]
    model = skdistill.load(skd)
    label, proba, scores = open_session(onnx).run(None, {"X": X})
    np.testing.assert_array_equal(scores, model.scores(X))
    assert label.tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(proba, model.predict_proba(X), atol=1e-6)
    assert run[role].mismatches == 0
    assert run[role].onnx_rows > len(X)


def test_gains_are_differences_of_the_table(wine_run):
    run, _, _ = wine_run
    distilled, hard = run["distilled"], run["hard labels"]
    assert run.accuracy_gain.amount == pytest.approx(distilled.accuracy - hard.accuracy)
    assert run.log_loss_gain.amount == pytest.approx(hard.log_loss - distilled.log_loss)


def test_progress_names_table_and_step(wine_run):
    _, _, said = wine_run
    assert [line.split("]")[0] for line in said] == [f"[my wine {step}/4" for step in (1, 2, 3, 4)]


def test_the_json_holds_the_unrounded_figures(wine_run):
    run, _, _ = wine_run
    content = json.loads(text_report.as_json([run, run]))
    assert content["skdistill"] == skdistill.__version__
    first, second = content["tables"]
    assert first == second
    assert first["columns"] == load_wine().feature_names
    assert first["classes"] == ["größe 0", "größe 1", "größe 2"]
    assert first["notes"] == ["a note"]
    assert first["mismatches"] == 0
    assert first["accuracy_gain"] == run.accuracy_gain._asdict()
    assert first["settings"]["student"] == "SoftTreeClassifier(max_leaf_nodes=8)"
    for entry, candidate in zip(first["candidates"], run.candidates, strict=True):
        assert entry == vars(candidate)


def test_the_text_shows_every_figure_in_100_columns(wine_run):
    run, _, _ = wine_run
    text = text_report.as_text([run])
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    assert lines[2] == "my wine: 13 columns, 3 classes, 133 rows to learn from, 45 held out"
    for line, candidate in zip(lines[3:7], run.candidates, strict=True):
        assert candidate.name in line
        for figure in (candidate.accuracy, candidate.fidelity):
            assert f" {100 * figure:.1f} %" in line
        assert f" {candidate.log_loss:.3f} " in line
        assert f" {candidate.bytes:,} " in line
    assert "8 leaves" in lines[6]
    assert f"0 mismatches in {run.onnx_rows:,} rows" in " ".join(text.split())


def test_the_same_seed_gives_the_same_files_another_one_others(quick, tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (0, 0, 1), strict=True):
        folder.mkdir()
        compare("wine", wine(), SoftTreeClassifier(max_leaf_nodes=8), folder, seed=seed)
    first, same, other = ((folder / "wine.onnx").read_bytes() for folder in folders)
    assert first == same
    assert first != other


def test_a_second_run_writes_over_the_first(quick, tmp_path):
    for leaves in (2, 4):
        compare("wine", wine(), SoftTreeClassifier(max_leaf_nodes=leaves), tmp_path)
    assert len(skdistill.load(tmp_path / "wine.skd").table(TreeTable).feature) == 3
    assert len(list(tmp_path.iterdir())) == 4


def test_a_linear_student_beside_logistic_regression(quick, tmp_path):
    run = compare("wine", wine(missing=False), SoftLinearClassifier(), tmp_path, temperature="auto")
    names = [candidate.name for candidate in run.candidates[1:]]
    expected = ["scikit-learn logistic regression", "hard-label linear model"]
    assert names == [*expected, "distilled linear model"]
    assert run.mismatches == 0
    assert run["distilled"].onnx_rows > 10_000
    assert run.settings["temperature"] == "auto"
    assert run.settings["temperature_used"] > 0


@pytest.mark.parametrize("labels", [[False, True], [-5, 2**40], ["a b", ""]])
def test_two_classes_of_any_kind(quick, tmp_path, labels):
    X, y = make_classification(80, 4, random_state=0)
    table = Table(X, np.array(labels)[y], list("abcd"), [])
    run = compare("t", table, SoftTreeClassifier(max_leaf_nodes=4), tmp_path, test_size=0.5)
    assert sorted(run.classes) == sorted(labels)
    assert run.n_test == 40
    assert run.mismatches == 0
    assert run["distilled"].accuracy > 0.7


def test_the_real_teacher_lives_with_scarce_classes_and_empty_columns(tmp_path):
    X, y = make_classification(60, 4, random_state=0)
    X[:, 3] = np.nan
    X[0, 3] = 1.0  # in some folds, or all of the training rows, the column is empty
    y[:] = 0
    y[:4] = 1
    table = Table(X, y, list("abcd"), [])
    run = compare("t", table, SoftTreeClassifier(max_leaf_nodes=4), tmp_path)
    assert run.mismatches == 0


def test_missing_values_and_a_linear_student(tmp_path):
    table = wine()
    assert np.isnan(table.X).any()
    run = compare("wine", table, SoftLinearClassifier(), tmp_path)
    assert run.mismatches == 0
    assert run["distilled"].accuracy > 0.9


@pytest.mark.parametrize(
    ("counts", "test_size", "message"),
    [
        ([9, 9], 0.25, "18 rows with a label are too few: 20 are the least"),
        ([30, 3], 0.25, "fewer than 4 rows have the label '1'"),
        ([10, 10, 10], 0.05, "leaves 28 rows to learn from and 2 to measure on, too few for 3"),
        ([10, 10, 10], 0.9, "leaves 3 rows to learn from and 27"),
        ([40, 4], 0.8, "leaves a class without two rows to learn from"),
    ],
)
def test_too_few_rows(tmp_path, counts, test_size, message):
    y = np.repeat(np.arange(len(counts)), counts)
    table = Table(np.random.default_rng(0).normal(size=(len(y), 2)), y, ["a", "b"], [])
    with pytest.raises(TableError, match=message):
        compare("t", table, SoftTreeClassifier(), tmp_path, test_size=test_size)


@pytest.mark.parametrize("module", ["xgboost", "lightgbm"])
def test_a_missing_booster_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"needs {module}: pip install 'skdistill\[boost\]'"):
        committee()


def test_synthetic_rows_stay_within_bounds():
    assert _transfer(100, 5).factor == 20
    assert _transfer(20_000, 5).factor == 10
    assert _transfer(20_000, 500).factor == 2
    assert _transfer(40_000, 5000).factor == 1
    assert _transfer(50_001, 5) is None


def test_gain_in_units_of_chance():
    assert _gain(np.zeros(9)) == Gain(0.0, 0.0)
    assert _gain(np.ones(9)) == Gain(1.0, 3.0)
    amount, z = _gain(np.array([1.0] * 9 + [-1.0] * 4 + [0.0] * 7))
    assert amount == 0.25
    assert z == pytest.approx(5 / np.sqrt(13))  # McNemar's


def test_bytes_of_a_pickle_are_counted_as_they_come():
    model = [np.arange(300_000), "x" * 70_000, {"a": 1}]
    assert _pickled_bytes(model) == len(pickle.dumps(model))


def verdict(wine_run, accuracy, log_loss):
    run = replace(wine_run[0], accuracy_gain=Gain(*accuracy), log_loss_gain=Gain(*log_loss))
    return text_report.verdict(run).removeprefix(
        "my wine: against hard labels alone, distillation "
    )


@pytest.mark.parametrize(
    ("accuracy", "log_loss", "expected"),
    [
        ((0.051, 3), (0.5, 9), "helped accuracy by 5.1 points and log loss by 0.500."),
        (
            (-0.02, -1),
            (0.5, 9),
            "did NOT help accuracy (worse by 2.0 points, within chance on 45 rows) "
            "but helped log loss by 0.500.",
        ),
        (
            (0.02, 1.9),
            (-0.5, -9),
            "helped accuracy by 2.0 points (within chance on 45 rows) "
            "but did NOT help log loss (worse by 0.500).",
        ),
        (
            (0.0, 0),
            (-0.5, -9),
            "did NOT help accuracy (no difference) nor log loss (worse by 0.500).",
        ),
    ],
)
def test_the_verdict_says_it_plainly(wine_run, accuracy, log_loss, expected):
    assert verdict(wine_run, accuracy, log_loss) == expected


def test_mismatches_are_shouted(wine_run):
    run, _, _ = wine_run
    candidates = [*run.candidates[:3], replace(run["distilled"], mismatches=3)]
    wrong = replace(run, candidates=tuple(candidates))
    assert wrong.mismatches == 3
    assert "DOES NOT answer as Python does" in text_report.parity([wrong, run])
    assert "3 mismatches" in text_report.parity([wrong, run])
