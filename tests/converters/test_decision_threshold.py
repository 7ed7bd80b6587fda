"""One integer threshold for that of a probability: the same labels for every score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    train_test_split,
)

from skdistill import (
    CompactModel,
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftTreeClassifier,
    convert,
    load,
)
from skdistill.compact import evaluate
from skdistill.converters.decision_threshold import with_threshold
from skdistill.device import profile
from skdistill.export.onnx import to_onnx
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from tests.export.c.harness import Case, answers
from tests.export.c.harness import load as load_c
from tests.strategies import compact_models

X, Y = make_classification(900, 8, n_informative=5, weights=[0.93], flip_y=0.02, random_state=0)
NAMES = np.array(["no", "yes"])[Y]
OUTPUTS = ("label", "scores", "proba_float")
FUNCTIONS = ("predict_proba", "decision_function")


class Scores(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose rows are the integer scores of a compact model."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        return self

    @property
    def classes_(self):
        return self.model.classes

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        return evaluate.probabilities(self.model, X)

    def decision_function(self, X):
        return X[:, 0] * self.model.scale


@given(
    model=compact_models().filter(lambda model: model.n_classes == 2),
    cut=st.one_of(st.floats(-0.1, 1.1), st.floats(-50, 50), st.sampled_from([0, 0.5, 1])),
    function=st.sampled_from(FUNCTIONS),
    first=st.booleans(),
)
def test_every_score_has_the_label_that_scikit_learn_gives_it(model, cut, function, first):
    bound = int(model.score_bound[0])
    pos_label = model.classes.tolist()[0 if first else 1]
    there = with_threshold(model, cut, response_method=function, pos_label=pos_label)
    every = np.arange(-bound, bound + 1)
    if bound > 5000:
        at = there.threshold + np.arange(-3000, 3000)
        wide = np.linspace(-bound, bound, 5000, dtype=int)
        every = np.unique(np.clip(np.append(wide, at), -bound, bound))
    scores = every.astype(np.int32)[:, None]
    fixed = FixedThresholdClassifier(
        FrozenEstimator(Scores(model)), threshold=cut, pos_label=pos_label, response_method=function
    )
    assert evaluate.predict(there, scores).tolist() == fixed.predict(scores).tolist()
    plain = evaluate.probabilities(model, scores)
    assert np.array_equal(evaluate.probabilities(there, scores), plain)


def tuned_pair(function, pos_label):
    fit, held, y_fit, _ = train_test_split(X, NAMES, test_size=0.4, random_state=0)
    student = SoftBoostingClassifier(5, init="linear", random_state=0).fit(fit, y_fit)
    cut = 0.07 if function == "predict_proba" else -2.5
    if pos_label == "no":
        cut = 1 - cut if function == "predict_proba" else -cut
    fixed = FixedThresholdClassifier(
        FrozenEstimator(student), threshold=cut, pos_label=pos_label, response_method=function
    )
    return fixed, held, student


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("pos_label", [None, "yes", "no"])
def test_a_fixed_threshold_around_a_student(function, pos_label):
    fixed, held, student = tuned_pair(function, pos_label)
    model = convert(fixed)
    assert model.threshold < 0
    assert replace(model, threshold=0).equals(student.compact_)
    assert model.predict(held).tolist() == fixed.predict(held).tolist()
    assert (model.predict(held) != student.predict(held)).any()
    assert np.array_equal(model.predict_proba(held), student.predict_proba(held))


def test_auto_is_one_half_which_counts_for_the_positive_class():
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, NAMES)
    for function in ("auto", "decision_function"):
        fixed = FixedThresholdClassifier(FrozenEstimator(model), response_method=function)
        assert convert(fixed).threshold == -1
        fixed.set_params(pos_label="no")
        assert convert(fixed).threshold == 0


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "f1"])
def test_a_tuned_distiller_goes_to_c_with_its_threshold(scoring, tmp_path):
    """From rare labels to the device: whatever is said there is what scikit-learn says."""
    y = NAMES if scoring == "balanced_accuracy" else Y
    fit, held, y_fit, y_held = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
    distiller = DistilledClassifier(
        RandomForestClassifier(20, random_state=0),
        SoftTreeClassifier(max_leaf_nodes=12),
        transfer_set=None,
        random_state=0,
    )
    tuned = TunedThresholdClassifierCV(distiller, scoring=scoring, cv=3).fit(fit, y_fit)
    model = convert(tuned)
    said = tuned.predict(held)
    assert model.threshold != 0
    assert model.predict(held).tolist() == said.tolist()
    if scoring == "balanced_accuracy":
        plain = tuned.estimator_.predict(held)
        assert balanced_accuracy_score(y_held, said) > balanced_accuracy_score(y_held, plain)
    rows = np.concatenate([held.astype(np.float32), probe_rows(model, held)])
    cases = [Case(model, "float32", o, lay) for o in OUTPUTS for lay in ("table", "code")]
    library = load_c(tmp_path, cases)
    for i, case in enumerate(cases):
        got = answers(library, case, i, rows)
        assert np.allclose(got, case.expected(rows), rtol=0, atol=1e-6), case
        label = answers(library, case, i, held) if case.output == "label" else None
        assert label is None or model.classes[label].tolist() == said.tolist()
    assert count_mismatches(model, open_session(to_onnx(model).SerializeToString()), rows) == 0
    assert profile(model, rows[:200], target="cortex-m0").mismatches == 0


@pytest.mark.parametrize(
    "inner",
    [
        RandomForestClassifier(10, max_depth=4, random_state=0),
        LogisticRegression(),
        RidgeClassifier(),
        GradientBoostingClassifier(n_estimators=10),
    ],
    ids=lambda e: type(e).__name__,
)
def test_around_an_estimator_that_is_read_as_it_is(inner):
    cut = 0.2 if hasattr(inner, "predict_proba") else -0.5
    fixed = FixedThresholdClassifier(inner, threshold=cut).fit(X, NAMES)
    model = convert(fixed, X=X, value_bits=12)
    plain = convert(fixed.estimator_, X=X, value_bits=12)
    assert replace(model, threshold=0).equals(plain)
    assert (model.predict(X) != plain.predict(X)).any()
    assert (model.predict(X) != fixed.predict(X)).mean() < 0.005  # its values are rounded


@pytest.mark.parametrize("pos_label", ["no", "yes"])
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_votes_that_equal_the_threshold_count_as_in_the_forest(threshold, pos_label):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 4)).astype(np.float32)
    y = np.array(["no", "yes"])[(rows[:, 0] + rng.normal(size=600) > 0).astype(int)]
    forest = RandomForestClassifier(10, random_state=0).fit(rows[:300], y[:300])  # pure leaves
    fixed = FixedThresholdClassifier(
        FrozenEstimator(forest),
        threshold=threshold,
        pos_label=pos_label,
        response_method="predict_proba",
    ).fit(rows, y)
    at = forest.predict_proba(rows)[:, list(forest.classes_).index(pos_label)]
    assert (np.abs(at - threshold) < 1e-9).sum() > 10
    # A sum of tenths in float64 may be one ulp below or above what it stands for.
    sure = (np.abs(at - threshold) > 1e-9) | (at >= threshold)
    assert convert(fixed).predict(rows)[sure].tolist() == fixed.predict(rows)[sure].tolist()


def test_the_threshold_survives_a_file(tmp_path):
    model = CompactModel(1, [300], 0.01, "sigmoid", ["no", "yes"], threshold=-7)
    model.save(tmp_path / "model.skd")
    assert load(tmp_path / "model.skd").equals(model)
    assert not load(tmp_path / "model.skd").equals(replace(model, threshold=0))


def test_what_cannot_have_a_threshold_is_refused():
    with pytest.raises(ValueError, match="threshold=1 needs two classes, the model has 3"):
        CompactModel(1, [0, 0, 0], 1.0, "softmax", [0, 1, 2], threshold=1)
    with pytest.raises(ValueError, match="needs two classes, the model has 0"):
        CompactModel(1, [0], 1.0, "identity", None, threshold=1)
    for wrong in (0.5, True, 2**31, "1"):
        with pytest.raises(ValueError, match="threshold must be an int32"):
            CompactModel(1, [0], 1.0, "sigmoid", [0, 1], threshold=wrong)
    model = CompactModel(1, [0, 0, 0], 1.0, "softmax", [0, 1, 2])
    with pytest.raises(ValueError, match="a threshold needs two classes, the model has 3"):
        with_threshold(model, 0.5, response_method="predict_proba")
    with pytest.raises(ValueError, match=r"pos_label='x' is none of the classes \['no', 'yes'\]"):
        with_threshold(
            CompactModel(1, [0], 1.0, "sigmoid", ["no", "yes"]),
            0.5,
            response_method="predict_proba",
            pos_label="x",
        )
    tuned = TunedThresholdClassifierCV(SoftTreeClassifier())
    with pytest.raises(ValueError, match="TunedThresholdClassifierCV instance is not fitted"):
        convert(tuned)
    half = GradientBoostingClassifier(loss="exponential", n_estimators=2)
    fixed = FixedThresholdClassifier(half, response_method="decision_function").fit(X, Y)
    with pytest.raises(ValueError, match="half a logit"):
        convert(fixed)
