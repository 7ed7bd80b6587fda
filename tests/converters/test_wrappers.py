"""Pipelines, FrozenEstimators and thresholds around a model, in any order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistilledClassifier,
    SoftBoostingClassifier,
    SoftTreeClassifier,
    convert,
)
from skdistill.converters.wrappers import unwrap

X, Y = make_classification(600, 7, n_informative=5, weights=[0.9], flip_y=0.05, random_state=0)
X = np.where(np.random.default_rng(0).random(X.shape) < 0.05, np.nan, X)
NAMES = np.array(["no", "yes"])[Y]


def test_students_and_distillers_give_their_model():
    student = SoftTreeClassifier(max_leaf_nodes=8).fit(X, NAMES)
    assert convert(student) is student.compact_
    assert convert(student.compact_) is student.compact_
    assert convert(FrozenEstimator(student)) is student.compact_
    assert convert(make_pipeline("passthrough", None, student)) is student.compact_
    forest = FrozenEstimator(RandomForestClassifier(5, random_state=0).fit(X, NAMES))
    distiller = DistilledClassifier(forest, SoftTreeClassifier(), transfer_set=None)
    assert convert(distiller.fit(X, NAMES)) is distiller.compact_


@pytest.mark.parametrize("options", [{"value_bits": 4}, {"threshold_bits": 6}], ids=str)
def test_bits_are_refused_where_a_model_has_them_already(options):
    student = SoftTreeClassifier(max_leaf_nodes=8)
    (name,) = options
    message = f"{name}=.* but SoftTreeClassifier is a compact model already: fit it with"
    with pytest.raises(ValueError, match=message):
        convert(student.fit(X, Y), X, **options)
    piped = make_pipeline(StandardScaler(), student).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        convert(piped, X, **options)


def test_paths_of_nested_steps():
    tree, scaler, imputer = DecisionTreeClassifier(), StandardScaler(), SimpleImputer()
    inner = Pipeline([("scale", scaler), ("nothing", None), ("tree", FrozenEstimator(tree))])
    fixed = FixedThresholdClassifier(FrozenEstimator(inner))
    steps, model, thresholds, _ = unwrap(
        Pipeline([("fill", imputer), ("same", "passthrough"), ("rest", fixed)])
    )
    assert steps == [("fill", imputer), ("rest__scale", scaler)]
    assert model is tree and thresholds == [fixed]


LAST_STEPS = [
    DecisionTreeClassifier(max_depth=5, random_state=0),
    RandomForestClassifier(10, max_depth=4, random_state=0),
    LogisticRegression(),
    SoftTreeClassifier(max_leaf_nodes=8),
    SoftBoostingClassifier(5, random_state=0),
]


@pytest.mark.parametrize("last", LAST_STEPS, ids=lambda last: type(last).__name__)
@pytest.mark.parametrize("pos_label", ["yes", "no"])
def test_thresholds_around_pipelines_and_inside_them(last, pos_label):
    threshold = 0.2 if pos_label == "yes" else 0.8
    options = {"threshold": threshold, "pos_label": pos_label}
    before = [SimpleImputer(strategy="median"), StandardScaler()]
    around = FixedThresholdClassifier(make_pipeline(*before, last), **options).fit(X, NAMES)
    inside = make_pipeline(*before, FixedThresholdClassifier(last, **options)).fit(X, NAMES)
    bits = {} if hasattr(last, "to_c") else {"value_bits": 16}
    model = convert(around, X, dtype="float64", **bits)
    assert model.equals(convert(inside, X, dtype="float64", **bits))
    plain = convert(around.estimator_, X, dtype="float64", **bits)
    assert model.threshold != 0 and replace(model, threshold=0).equals(plain)
    clear = np.abs(around.predict_proba(X)[:, 1] - 0.2) > 3e-4  # beyond the rounding of values
    assert clear.mean() > 0.98
    assert model.predict(X)[clear].tolist() == around.predict(X)[clear].tolist()
    assert (model.predict(X) != plain.predict(X)).any()


def test_a_tuned_threshold_around_a_pipeline_and_frozen_inside_another():
    piped = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    tuned = TunedThresholdClassifierCV(piped, scoring="balanced_accuracy", cv=3)
    tuned.fit(X, NAMES)
    model = convert(tuned, X, dtype="float64", value_bits=16)
    assert model.threshold < 0
    assert model.predict(X).tolist() == tuned.predict(X).tolist()
    again = make_pipeline("passthrough", FrozenEstimator(tuned))
    assert convert(again, X, dtype="float64", value_bits=16).equals(model)
    inside = make_pipeline(SimpleImputer(), TunedThresholdClassifierCV(LogisticRegression(), cv=3))
    inside.fit(X, Y)
    model = convert(inside, X, dtype="float64", value_bits=16)
    assert model.threshold != 0
    assert model.predict(X).tolist() == inside.predict(X).tolist()


def test_the_outermost_threshold_decides():
    forest = RandomForestClassifier(10, max_depth=4, random_state=0).fit(X, NAMES)
    inner = FixedThresholdClassifier(FrozenEstimator(forest), threshold=0.1, pos_label="yes")
    inner.fit(X, NAMES)
    outer = FixedThresholdClassifier(FrozenEstimator(inner), threshold=0.3, pos_label="yes")
    model = convert(outer, value_bits=16)
    assert model.predict(X).tolist() == outer.predict(X).tolist()
    assert model.predict(X).tolist() != convert(inner, value_bits=16).predict(X).tolist()


def test_half_a_logit_is_refused_inside_a_pipeline_too():
    half = GradientBoostingClassifier(loss="exponential", n_estimators=2)
    piped = make_pipeline(SimpleImputer(), half)
    fixed = FixedThresholdClassifier(piped, response_method="decision_function").fit(X, Y)
    with pytest.raises(ValueError, match="half a logit"):
        convert(fixed)
