"""Searches within a budget."""

from __future__ import annotations

import pickle
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris, make_classification, make_friedman1
from sklearn.exceptions import FitFailedWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import skdistill
from skdistill.compact.file_format import to_bytes
from skdistill.model_selection import BudgetSearchCV
from skdistill.model_selection.run import NoCandidateError

X, Y = load_iris(return_X_y=True)
SMALL = ["tree", "linear"]


def search(budget="400B", teacher=None, families=("tree",), **settings):
    teacher = GaussianNB() if teacher is None else teacher
    settings = {"random_state": 0} | settings
    return BudgetSearchCV(teacher, budget, families=list(families), **settings)


def test_the_best_of_the_candidates_is_refitted_on_all_rows():
    found = search(families=SMALL).fit(X, Y)
    results = found.cv_results_
    assert found.best_index_ == np.argmin(results["rank_test_score"])
    assert found.best_score_ == results["mean_test_score"].max()
    assert found.best_params_ == results["params"][found.best_index_]
    assert set(results["param_family"]) == set(SMALL)
    assert set(results["status"]) == {"fits"}
    splits = [results[f"split{k}_test_score"] for k in range(5)]
    np.testing.assert_allclose(np.mean(splits, axis=0), results["mean_test_score"])
    assert found.compact_ is found.best_estimator_.compact_
    np.testing.assert_array_equal(found.predict(X), found.best_estimator_.predict(X))
    np.testing.assert_array_equal(found.predict_proba(X), found.best_estimator_.predict_proba(X))
    assert found.score(X, Y) == np.mean(found.predict(X) == Y)
    assert found.footprint_.flash <= 400
    assert is_classifier(found)


def test_every_family_and_the_default_teacher():
    one_split = ShuffleSplit(1, random_state=0)
    found = BudgetSearchCV(budget="1KB", cv=one_split, random_state=0).fit(X[::2], Y[::2])
    assert set(found.cv_results_["param_family"]) == {"tree", "boosted", "linear", "net", "pruned"}
    assert set(found.cv_results_["status"]) == {"fits"}
    assert (found.cv_results_["mean_flash"] <= 1024).all()
    assert found.score(X, Y) > 0.9


def test_regression():
    X, y = make_friedman1(150, random_state=0)
    found = search("600B", Ridge(), SMALL, task="regression").fit(X, y)
    assert is_regressor(found)
    assert not hasattr(found, "predict_proba")
    assert found.score(X, y) > 0.5
    assert "r2" in found.pareto_
    assert found.footprint_.profile.output == "scores"
    two = search("600B", Ridge(), ["tree"], task="regression").fit(X, np.c_[y, -y])
    assert two.predict(X).shape == (150, 2)


def test_pareto():
    frame = search("1KB", families=SMALL).fit(X, Y).pareto_
    assert {"family", "labels", "score", "bytes", "instructions", "ram", "accuracy"} < set(frame)
    assert {"log_loss", "fidelity", "params", "pareto"} < set(frame)
    assert frame["score"].is_monotonic_decreasing
    for _, row in frame.iterrows():
        better = frame[(frame["score"] >= row["score"]) & (frame["bytes"] < row["bytes"])]
        assert row["pareto"] <= better.empty


@pytest.mark.parametrize(
    ("family", "output", "target"),
    [
        ("tree", "label", None),
        ("tree", "proba_q15", None),
        ("boosted", "proba_float", None),
        ("linear", "scores", "cortex-m0"),
    ],
)
def test_where_nothing_fits_the_smallest_size_is_named(family, output, target):
    settings = {"families": [family], "output": output, "target": target}
    with pytest.raises(NoCandidateError) as error:
        search("20B", **settings).fit(X, Y)
    found = re.search(r"the smallest model that was tried takes (\d+) bytes", str(error.value))
    enough = int(1.01 * int(found[1]))  # it is of one fold
    assert search(f"{enough}B", **settings).fit(X, Y).footprint_.flash <= enough


def test_integer_inputs_need_whole_numbers():
    with pytest.raises(ValueError, match=r"input_dtype='int16' needs whole .* column 0 of X has 5"):
        search(input_dtype="int16").fit(X, Y)
    with pytest.raises(ValueError, match=r"-128 to 127, and column 2 of X_unlabeled has 140"):
        search(input_dtype="int8").fit(np.rint(X), Y, X_unlabeled=np.rint(X) * [1, 1, 20, 1])
    whole = np.where(X > 7, np.nan, np.rint(10 * X))
    found = search(teacher=DecisionTreeClassifier(), input_dtype="int16").fit(whole, Y)
    assert found.footprint_.profile.input_dtype == "int16"


def test_a_target_whose_library_lacks_routines():
    with (
        pytest.warns(FitFailedWarning),
        pytest.raises(ValueError, match=r"target='avr' .* library lacks; take an integer input"),
    ):
        search("2KB", target="avr", output="proba_float").fit(X, Y)


@pytest.mark.parametrize("seed", range(6))
def test_no_budget_is_exceeded(seed):
    """Also of models that are compiled; the limits are drawn around those of an ordinary tree."""
    rng = np.random.default_rng(seed)
    n_classes = int(rng.integers(2, 5))
    X, y = make_classification(
        120, 8, n_informative=5, n_classes=n_classes, random_state=seed, flip_y=0.1
    )
    budget = {
        "flash": int(rng.integers(250, 1200)),
        "instructions": int(rng.integers(200, 20_000)),
        "ram": int(rng.integers(80, 400)),
        "time": f"{rng.uniform(0.02, 1):.3f}ms@48MHz",
        "features": int(rng.integers(1, 8)),
    }
    names = rng.permutation(list(budget))[: rng.integers(1, 6)]
    budget = {name: budget[name] for name in names}
    target = [None, "cortex-m0", "rv32imc"][seed % 3]
    families = ["boosted"] if seed == 5 else SMALL
    try:
        found = search(budget, LogisticRegression(), families, target=target, cv=2).fit(X, y)
    except ValueError as error:
        assert "no candidate is within the budget" in str(error)
        return
    profile = found.profile(X, target=target or "cortex-m0")
    assert profile.mismatches == 0
    if "flash" in budget and target is not None:
        assert profile.flash_bytes <= budget["flash"]
    if "flash" in budget and target is None:
        assert found.compact_.nbytes < budget["flash"]
    assert profile.instructions_max <= budget.get("instructions", np.inf)
    assert profile.stack_bytes + profile.ram_bytes <= budget.get("ram", np.inf)
    if "time" in budget:
        limit = float(budget["time"].split("ms")[0]) / 1000
        assert profile.time("48MHz", of="max") <= limit
    changed = [np.any(found.predict(shuffled(X, j, rng)) != found.predict(X)) for j in range(8)]
    assert sum(changed) <= budget.get("features", 8)


def shuffled(X, column, rng):
    X = X.copy()
    X[:, column] = rng.permutation(X[:, column])
    return X


def test_with_a_target_the_bytes_of_the_compiler_are_used():
    X, y = make_classification(400, 8, n_informative=6, random_state=0)
    found = search("1KB", LogisticRegression(), ["boosted"], target="cortex-m0", cv=2).fit(X, y)
    profile = found.profile(X[:2])
    assert profile.target == "cortex-m0"
    assert profile.flash_bytes == found.footprint_.flash
    assert 900 < profile.flash_bytes <= 1024


def test_hard_labels_are_returned_where_the_teacher_knows_less():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    found = search(teacher=LogisticRegression()).fit(X, y)
    gain = found.distillation_gain_
    assert gain.difference <= 0
    assert gain.interval[0] <= gain.difference <= gain.interval[1]
    assert gain.sentence.endswith("A student on hard labels is returned.")
    assert found.best_params_["labels"] == "hard"


def test_soft_labels_are_returned_where_the_teacher_knows_more():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    true = 1 / (1 + np.exp(-2 * (X[:, 0] + X[:, 1])))
    y = (rng.random(300) < true).astype(int)
    known = FrozenEstimator(LogisticRegression().fit(X, rng.random(300) < 0.5))
    known.estimator.coef_, known.estimator.intercept_ = np.array([[2.0, 2, 0, 0]]), np.zeros(1)
    known.estimator.classes_ = np.array([0, 1])
    found = search(teacher=known).fit(X, y)
    assert found.distillation_gain_.difference > 0
    assert found.distillation_gain_.sentence.startswith("Soft labels score 0.")
    assert found.best_params_["labels"] == "munge"


def test_a_hold_out_serves_large_tables():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_001, 3)).round(1)
    y = (X[:, 0] + X[:, 1] > rng.normal(size=len(X))).astype(int)
    found = search(teacher=GaussianNB(), families=SMALL).fit(X, y)
    assert "split0_test_score" in found.cv_results_
    assert "split1_test_score" not in found.cv_results_
    assert np.isfinite(found.distillation_gain_.interval).all()


def test_several_teachers_are_searched():
    found = search(teacher=[GaussianNB(), DecisionTreeClassifier(max_depth=1)]).fit(X, Y)
    taught = [(each["labels"], each["teacher"]) for each in found.cv_results_["params"]]
    assert sorted(taught) == [("hard", 0), ("munge", 0), ("munge", 1)]


def test_data_frames_with_categories_and_blanks():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame["color"] = pd.array(rng.choice(["red", "blue"], len(X)), dtype="str")
    frame["size"] = pd.Categorical(np.where(X[:, 2] > 3, "large", "small"))
    frame.loc[::9, "a"] = np.nan
    frame.loc[::11, "color"] = None
    found = BudgetSearchCV(budget="1KB", families=SMALL, cv=2, random_state=0).fit(frame, Y)
    assert found.feature_names_in_.tolist() == list(frame)
    assert found.score(frame, Y) > 0.9
    assert "pruned" not in found.cv_results_["param_family"]


def test_weights_groups_unlabeled_rows_and_splits_of_the_user():
    weight = np.where(Y == 2, 0.0, 1.0)
    tree = DecisionTreeClassifier(max_depth=3)
    assert set(search(teacher=tree).fit(X, Y, weight).predict(X)) == {0, 1}
    groups = np.arange(len(X)) // 10
    found = search(cv=ShuffleSplit(2, test_size=0.3, random_state=0))
    found.fit(X, Y, X_unlabeled=X + 0.01)
    assert found.score(X, Y) > 0.9
    assert search().fit(X, Y, groups=groups).score(X, Y) > 0.9


def test_weights_reach_the_default_teacher_under_metadata_routing():
    X_fit, y_fit = X[::2], Y[::2]
    weight = np.where(y_fit == 1, 5.0, 1.0)
    one_split = ShuffleSplit(1, random_state=0)
    plain = BudgetSearchCV(budget="400B", families=["tree"], cv=one_split, random_state=0)
    expected = to_bytes(clone(plain).fit(X_fit, y_fit, weight).compact_)
    with config_context(enable_metadata_routing=True):
        found = clone(plain).set_fit_request(sample_weight=True)
        assert to_bytes(clone(found).fit(X_fit, y_fit, weight).compact_) == expected
        scores = cross_val_score(found, X_fit, y_fit, params={"sample_weight": weight}, cv=2)
    assert scores.min() > 0.8


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_whole_numbers(dtype):
    whole = (10 * X).astype(np.int32)
    settings = {} if dtype == "int32" else {"input_dtype": dtype}
    found = search("400B", target="cortex-m0", **settings).fit(whole, Y)
    assert found.footprint_.profile.input_dtype == dtype
    assert found.profile(whole).mismatches == 0


def test_in_a_pipeline_under_cross_validation_cloned_and_pickled(tmp_path):
    found = search()
    assert cross_val_score(found, X, Y, cv=2).min() > 0.8
    pipeline = make_pipeline(StandardScaler(), clone(found)).fit(X, Y)
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict(X), pipeline.predict(X))
    fitted = found.fit(X, Y)
    fitted.save(tmp_path / "model.skd")
    loaded = skdistill.load(tmp_path / "model.skd")
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert "model_label" in fitted.to_c()
    assert fitted.profile(X).mismatches == 0


def test_onnx():
    runtime = pytest.importorskip("onnxruntime")
    found = search().fit(X, Y)
    session = runtime.InferenceSession(found.to_onnx().SerializeToString())
    label = session.run(None, {session.get_inputs()[0].name: X.astype(np.float32)})[0]
    np.testing.assert_array_equal(label, found.predict(X))


def test_a_seed_and_parallel_fits_give_the_same_model():
    models = [to_bytes(search(n_jobs=n).fit(X, Y).compact_) for n in (None, 2)]
    assert models[0] == models[1]


@pytest.mark.parametrize("wrong", [["forest"], []])
def test_families_that_are_unknown(wrong):
    with pytest.raises(ValueError, match="families must be 'auto' or some of"):
        search(families=wrong).fit(X, Y)


def failing_scorer(student, X, y):
    if student.compact_.nbytes < 10_000:
        raise RuntimeError("no score today")


def test_failed_candidates_are_named():
    with (
        pytest.warns(FitFailedWarning, match="RuntimeError: no score today"),
        pytest.raises(
            ValueError, match=r"all candidates failed; .* by RuntimeError: no score today"
        ),
    ):
        search(scoring=failing_scorer).fit(X, Y)


def interrupted_scorer(student, X, y):
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as interrupt:
        raise SystemError("returned a result with an exception set") from interrupt


def test_an_interrupt_of_a_compiled_function_is_no_failed_candidate():
    with pytest.raises(KeyboardInterrupt):
        search(scoring=interrupted_scorer).fit(X, Y)


def test_memory_fits_teachers_once(tmp_path):
    first = search(memory=str(tmp_path)).fit(X, Y)
    second = search(memory=str(tmp_path)).fit(X, Y)
    assert to_bytes(first.compact_) == to_bytes(second.compact_)
    assert len(list(tmp_path.rglob("output.pkl"))) == 6


SCRIPT = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # not so where a shell runs us
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from skdistill.model_selection import BudgetSearchCV
X, y = make_classification(300, 8, n_informative=6, n_classes=3, random_state=0)
BudgetSearchCV(
    RandomForestClassifier(10), "600B", families=["tree", "linear"], storage=sys.argv[1]
).fit(X, y).save(sys.argv[2])
"""


def test_a_killed_search_goes_on(tmp_path):
    """Without a random_state: the seed is in the storage, too."""
    folder, model = tmp_path / "search", tmp_path / "model.skd"
    command = [sys.executable, "-c", SCRIPT, str(folder), str(model)]
    records = []
    for least, sent in ((3, signal.SIGKILL), (8, signal.SIGINT)):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(folder.glob("*/student-*"))) < least:
            time.sleep(0.01)
        process.send_signal(sent)
        process.wait()
        assert not model.exists()
        records.append({each: each.stat().st_mtime_ns for each in folder.glob("*/[st]*")})
    subprocess.run(command, check=True)
    for before in records:  # what was written stays: it was not fitted again
        assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    resumed = model.read_bytes()
    for path in folder.glob("*/[!s]*"):  # all but the seed and the students
        path.unlink()
    for path in folder.glob("*/student-*"):
        path.unlink()
    subprocess.run(command, check=True)
    assert model.read_bytes() == resumed


@pytest.mark.filterwarnings("ignore:y has a single class:UserWarning")
@pytest.mark.filterwarnings("ignore:.*folds? ha.* a single class:UserWarning")
@parametrize_with_checks(
    [
        BudgetSearchCV(LogisticRegression(), "2KB", families=["tree"], cv=2, random_state=0),
        BudgetSearchCV(
            # Not of BLAS, whose last bits differ from array to data frame and choose students.
            DecisionTreeRegressor(max_depth=4, random_state=0),
            "2KB",
            task="regression",
            families=["tree"],
            cv=2,
            random_state=0,
        ),
    ],
)
def test_estimator_check(estimator, check):
    check(estimator)
