"""Pruned ensembles: within their bytes, integers as everywhere, and still good."""

from __future__ import annotations

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistilledClassifier,
    PrunedEnsembleClassifier,
    SoftBoostingClassifier,
    load,
)
from skdistill.compact import LinearTable, TreeTable
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from skdistill.targets import SoftTargets
from tests.compact.test_evaluate import scores_of_row
from tests.strategies import adversarial_rows

LOADERS = {2: load_breast_cancer, 3: load_wine, 10: load_digits}
ENSEMBLES = {
    "xgboost": xgboost.XGBClassifier(n_estimators=12, max_depth=4, n_jobs=1),
    "lightgbm": lightgbm.LGBMClassifier(
        n_estimators=12, num_leaves=8, min_child_samples=5, n_jobs=1, verbose=-1
    ),
    "forest": RandomForestClassifier(12, random_state=0),
    "extra": ExtraTreesClassifier(12, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "soft": SoftBoostingClassifier(12, max_leaf_nodes=16, random_state=0),
    "soft on linear": SoftBoostingClassifier(
        12, max_leaf_nodes=16, init="linear", linear_bits=4, random_state=0
    ),
}
EVERY = pytest.mark.parametrize("name", ENSEMBLES)


def prune(fitted, X, y, max_bytes=4096, **settings):
    frozen = FrozenEstimator(fitted)
    return PrunedEnsembleClassifier(frozen, max_bytes, random_state=0, **settings).fit(X, y)


def split(K):
    X, y = LOADERS[K](return_X_y=True)
    return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


@EVERY
@pytest.mark.parametrize("K", [2, 3])
def test_one_set_of_integers_within_the_budget(name, K, tmp_path):
    X, held_out, y, truth = split(K)
    names = np.array(["größe", "b", "c"])
    fitted = clone(ENSEMBLES[name])
    # XGBoost takes numbers only; it is the one that has to be named by numbers.
    labels = y if name == "xgboost" else names[y]
    fitted.fit(X, labels)
    budget = 400 if "linear" in name else 150
    pruned = prune(fitted, X, labels, max_bytes=budget)
    model = pruned.compact_
    assert 0.5 * budget < model.nbytes <= budget or name == "tree"
    assert pruned.classes_.tolist() == np.unique(labels).tolist()
    assert pruned.score(held_out, truth if name == "xgboost" else names[truth]) > 0.85
    rows = np.concatenate([held_out[:30], adversarial_rows(model, 0, n=40)])
    expected = [scores_of_row(model, row) for row in rows.tolist()]
    assert model.scores(rows).tolist() == expected
    session = open_session(pruned.to_onnx().SerializeToString())
    assert count_mismatches(model, session, probe_rows(model, X.astype(np.float32))) == 0
    pruned.save(tmp_path / "m.skd")
    assert load(tmp_path / "m.skd").equals(model)
    assert pruned.feature_importances_.sum() == pytest.approx(1)
    assert set(np.flatnonzero(pruned.feature_importances_)) <= set(
        model.table(TreeTable).grid.features
    )


@pytest.mark.parametrize(
    ("name", "bits"), [("lightgbm", "ternary"), ("extra", 4), ("soft on linear", "ternary")]
)
def test_fewer_bytes_cost_little_accuracy(name, bits):
    X, held_out, y, truth = split(10)
    fitted = clone(ENSEMBLES[name])
    if name == "lightgbm":
        fitted.set_params(n_estimators=4)
    fitted.fit(X, y)
    sizes = (4000, 2000, 1000)
    models = [prune(fitted, X, y, max_bytes=b, value_bits=bits) for b in sizes]
    accuracy = [model.score(held_out, truth) for model in models]
    assert [model.compact_.nbytes <= b for model, b in zip(models, sizes, strict=True)] == [
        True
    ] * 3
    assert all(model.compact_.table(TreeTable).value_bits == bits for model in models)
    assert accuracy[0] > 0.9
    assert accuracy[2] > (0.87 if bits == "ternary" else 0.75)


def test_a_budget_that_nothing_exceeds_leaves_the_structure_and_refits():
    X, held_out, y, _ = split(3)
    fitted = clone(ENSEMBLES["lightgbm"]).fit(X, y)
    settings = {"max_bytes": 10**6, "value_bits": 16}
    whole = prune(fitted, X, y, threshold_bits=None, **settings).compact_
    assert len(whole.table(TreeTable).roots) == 36
    thresholds = [
        node["threshold"]
        for tree in fitted.booster_.dump_model()["tree_info"]
        for node in walk(tree["tree_structure"])
    ]
    assert set(whole.table(TreeTable).grid.edges.tolist()) <= set(
        np.float32(thresholds).tolist()
    ) | {float(np.nextafter(np.float32(t), np.float32(-np.inf))) for t in thresholds}
    coarse = prune(fitted, X, y, threshold_bits=2, **settings).compact_
    assert coarse.table(TreeTable).grid.counts.max() <= 2
    assert log_loss(y, whole.predict_proba(X)) < log_loss(y, coarse.predict_proba(X))
    assert (whole.predict(held_out) == fitted.predict(held_out)).mean() > 0.9


def walk(node):
    if "split_feature" in node:
        yield node
        yield from walk(node["left_child"])
        yield from walk(node["right_child"])


def test_grown_large_then_pruned_beats_grown_small():
    X, held_out, y, truth = split(10)
    small = SoftBoostingClassifier(6, max_leaf_nodes=16, value_bits=4, random_state=0).fit(X, y)
    large = SoftBoostingClassifier(18, max_leaf_nodes=16, random_state=0)
    pruned = PrunedEnsembleClassifier(large, small.compact_.nbytes, random_state=0).fit(X, y)
    assert pruned.compact_.nbytes <= small.compact_.nbytes
    assert pruned.score(held_out, truth) > small.score(held_out, truth)


def test_a_linear_part_stays_as_it_is():
    X, _, y, _ = split(3)
    fitted = clone(ENSEMBLES["soft on linear"]).fit(X, y)
    pruned = prune(fitted, X, y, max_bytes=300)
    before, after = fitted.compact_.table(LinearTable), pruned.compact_.table(LinearTable)
    assert before.weights.tolist() == after.weights.tolist()
    assert pruned.compact_.scale == fitted.compact_.scale
    with pytest.raises(ValueError, match="max_bytes=20 is too small"):
        prune(fitted, X, y, max_bytes=20)


def test_labels_probabilities_and_soft_targets_are_the_same_targets():
    X, _, y, _ = split(3)
    fitted = FrozenEstimator(clone(ENSEMBLES["lightgbm"]).fit(X, np.array(["a", "b", "c"])[y]))
    pruned = PrunedEnsembleClassifier(fitted, 200, random_state=0)
    by_label = pruned.fit(X, np.array(["a", "b", "c"])[y]).compact_
    one_hot = np.eye(3)[y]
    assert pruned.fit(X, one_hot).compact_.equals(by_label)
    assert pruned.fit(X, SoftTargets(one_hot)).compact_.equals(by_label)
    frame = pd.DataFrame(one_hot, columns=["a", "b", "c"])[["c", "a", "b"]]
    assert pruned.fit(X, frame).compact_.equals(by_label)
    with pytest.raises(ValueError, match="the ensemble knows the classes"):
        pruned.fit(X, one_hot, classes=["a", "b", "z"])
    with pytest.raises(ValueError, match="X has 4 features, the ensemble expects 13"):
        pruned.fit(X[:, :4], one_hot)


@pytest.mark.parametrize("name", ["extra", "soft"])
def test_an_ensemble_that_is_not_fitted_learns_from_soft_targets(name):
    X, held_out, y, truth = split(3)
    P = 0.8 * np.eye(3)[y] + 0.2 / 3
    pruned = PrunedEnsembleClassifier(ENSEMBLES[name], 300, random_state=0).fit(X, P)
    assert pruned.score(held_out, truth) > 0.9
    assert 0.6 < pruned.predict_proba(held_out).max(axis=1).mean() < 0.95
    assert not hasattr(ENSEMBLES[name], "classes_")


def test_missing_values_go_the_way_that_was_learnt():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    X[rng.random(600) < 0.3, 0] = np.nan
    y = np.where(np.isnan(X[:, 0]), X[:, 1] > 0, X[:, 0] > 0.5).astype(int)
    for name in ("xgboost", "lightgbm", "extra", "soft", "soft on linear"):
        pruned = PrunedEnsembleClassifier(ENSEMBLES[name], 150, random_state=0).fit(X, y)
        assert pruned.score(X, y) > 0.95
        probes = probe_rows(pruned.compact_, X.astype(np.float32))
        session = open_session(pruned.to_onnx().SerializeToString())
        assert count_mismatches(pruned.compact_, session, probes) == 0


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "soft"])
def test_wide_integers_are_compared_as_the_ensemble_compares_them(name):
    rng = np.random.default_rng(0)
    X = rng.integers(2**30, 2**30 + 4000, (600, 2)).astype(np.int32)
    y = (X[:, 0] % 1000 > 500).astype(int)
    pruned = PrunedEnsembleClassifier(ENSEMBLES[name], 200, threshold_bits=8, random_state=0)
    pruned.fit(X, y)
    assert pruned.compact_.input_dtype == ("float32" if name == "xgboost" else "int32")
    assert pruned.score(X, y) > 0.9


def test_a_budget_for_nothing_is_a_constant():
    X, _, y, _ = split(3)
    pruned = prune(clone(ENSEMBLES["extra"]).fit(X, y), X, y, max_bytes=2, value_bits=4)
    assert pruned.compact_.nbytes <= 2
    assert pruned.predict(X).tolist() == [1] * len(X)
    assert pruned.feature_importances_.tolist() == [0] * 13


def test_one_class_is_a_constant_and_classes_without_rows_are_refused_by_name():
    X, y = load_iris(return_X_y=True)
    one = PrunedEnsembleClassifier(ENSEMBLES["extra"]).fit(X, ["only"] * 150)
    assert one.predict(X[:2]).tolist() == ["only"] * 2
    with pytest.raises(ValueError, match="no row has the classes \\['z'\\]"):
        names = np.array(["a", "b", "c"])
        PrunedEnsembleClassifier(ENSEMBLES["extra"]).fit(X, names[y], classes=["a", "b", "c", "z"])


def test_is_a_student_whose_budget_is_searched():
    X, y = load_iris(return_X_y=True)
    teacher = ExtraTreesClassifier(20, random_state=0)
    student = PrunedEnsembleClassifier(ExtraTreesClassifier(10, random_state=0), random_state=0)
    distilled = DistilledClassifier(teacher, student, transfer_set=None, random_state=0)
    found = GridSearchCV(distilled, {"student__max_bytes": [1, 100]}, cv=3).fit(X, y)
    assert found.best_params_ == {"student__max_bytes": 100}
    assert found.best_score_ > 0.9
    frozen = FrozenEstimator(clone(ENSEMBLES["lightgbm"]).fit(X, y))
    search = GridSearchCV(PrunedEnsembleClassifier(frozen), {"max_bytes": [50, 100]}, cv=3)
    assert search.fit(X, y).best_estimator_.estimator_ is frozen.estimator


@pytest.mark.parametrize(
    "ensemble", [GradientBoostingClassifier(), RandomForestRegressor(), SoftBoostingClassifier]
)
def test_other_estimators_are_refused_with_the_list_of_those_that_work(ensemble):
    X, y = load_iris(return_X_y=True)
    with pytest.raises((TypeError, ValueError), match="estimator"):
        PrunedEnsembleClassifier(ensemble).fit(X, y)


def test_what_is_not_supported_is_refused_by_name():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="missing=0"):
        PrunedEnsembleClassifier(xgboost.XGBClassifier(n_estimators=2, missing=0)).fit(X, y)
    outputs = RandomForestClassifier(2).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="2 outputs"):
        prune(outputs, X, y)
    with pytest.raises(NotFittedError):
        prune(RandomForestClassifier(), X, y)


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_bytes": 0},
        {"max_bytes": 10.5},
        {"refit_l2_regularization": 0.0},
        {"threshold_bits": 1},
        {"value_bits": "binary"},
        {"random_state": "x"},
    ],
    ids=repr,
)
def test_parameters_out_of_range_are_refused_by_name(parameters):
    message = f"The '{next(iter(parameters))}' parameter of PrunedEnsembleClassifier must be"
    with pytest.raises(ValueError, match=message):
        PrunedEnsembleClassifier(ENSEMBLES["tree"], **parameters).fit([[0.0], [1.0]], [0, 1])
