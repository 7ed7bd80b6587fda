"""Estimators whose predictions are not those of their trees, and stored models of other forms."""

from __future__ import annotations

import json

import lightgbm
import numpy as np
import pytest
import sklearn.frozen
import xgboost
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import convert
from skdistill.converters.float_trees import TreeEnsemble
from skdistill.converters.kinds import read_fitted
from skdistill.converters.lightgbm import lightgbm_trees
from skdistill.converters.verify import verify
from skdistill.converters.xgboost import xgboost_trees
from tests.converters.harness import HGB, LGB, XGB, problem


class Cautious(RandomForestClassifier):
    def predict_proba(self, X):
        P = super().predict_proba(X) ** 4
        return P / P.sum(axis=1, keepdims=True)


class OtherLabels(DecisionTreeClassifier):
    def predict(self, X):
        return 1 - super().predict(X)


class Doubled(LinearRegression):
    def predict(self, X):
        return 2 * super().predict(X)


class Shifted(lightgbm.LGBMRegressor):
    def predict(self, X, *args, **kwargs):
        return super().predict(X, *args, **kwargs) + 3


class OtherMargin(RidgeClassifier):
    def decision_function(self, X):
        return super().decision_function(X) + 0.5


@pytest.mark.parametrize(
    "estimator",
    [
        Cautious(5, random_state=0),
        OtherLabels(max_depth=4),
        Doubled(),
        Shifted(**LGB),
        OtherMargin(),
    ],
    ids=lambda e: type(e).__name__,
)
def test_predictions_of_their_own_are_refused(estimator):
    X, y = problem(2 if is_classifier(estimator) else 0)
    estimator.fit(X, y)
    with pytest.raises(ValueError, match=r"differs from its own predictions: \d+ of 128 rows"):
        convert(estimator, X)


@pytest.mark.parametrize(
    "estimator",
    [
        xgboost.XGBClassifier(**XGB, booster="dart", rate_drop=0.5),
        xgboost.XGBRegressor(**XGB),
        lightgbm.LGBMClassifier(**LGB),
        HistGradientBoostingRegressor(**HGB),
        RandomForestRegressor(5, random_state=0),
        GradientBoostingClassifier(n_estimators=5),
    ],
    ids=lambda e: type(e).__name__,
)
def test_what_is_read_otherwise_is_refused(estimator):
    """A tree that is lost, and values that lost their weights."""
    X, y = problem(2 if hasattr(estimator, "predict_proba") else 0)
    estimator = clone(estimator).fit(X, y)
    read = read_fitted(estimator)
    verify(estimator, read)
    assert isinstance(read.scores, TreeEnsemble)
    without = read.scores._replace(trees=read.scores.trees[:-1])
    lighter = [tree._replace(values=0.9 * tree.values) for tree in read.scores.trees]
    for wrong in (without, read.scores._replace(trees=lighter)):
        with pytest.raises(ValueError, match="differs from its own predictions"):
            verify(estimator, read._replace(scores=wrong))


def test_unknown_parts_of_a_stored_model_are_refused_by_name():
    X, y = problem(0)
    raw = xgboost.XGBRegressor(**XGB).fit(X, y).get_booster().save_raw("json")
    for path, name in (
        (["gradient_booster"], "gradient_booster.scale"),
        (["gradient_booster", "model"], "gradient_booster.model.scale"),
        (["gradient_booster", "model", "gbtree_model_param"], "gbtree_model_param.scale"),
        (["gradient_booster", "model", "trees", 0], "tree.scale"),
        (["gradient_booster", "model", "trees", 0, "tree_param"], "tree_param.scale"),
        (["learner_model_param"], "learner_model_param.scale"),
    ):
        stored = json.loads(raw)
        part = stored["learner"]
        for key in path:
            part = part[key]
        part["scale"] = 0.5
        with pytest.raises(ValueError, match=rf"{name} of the stored model is not known"):
            xgboost_trees(json.dumps(stored))
    text = lightgbm.LGBMRegressor(**LGB).fit(X, y).booster_.model_to_string()
    assert len(lightgbm_trees(text).trees) == 8
    for old, new, name in (
        ("shrinkage=", "leaf_scale=0.5\nshrinkage=", "leaf_scale"),
        ("num_class=", "output_scale=0.5\nnum_class=", "output_scale"),
    ):
        with pytest.raises(ValueError, match=f"{name} of the stored model is not known"):
            lightgbm_trees(text.replace(old, new))


@pytest.mark.parametrize("base_score", [None, 0.0, 1.0, 1e-9, 1e-7, 0.2])
@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw"])
def test_base_scores_at_the_ends(objective, base_score):
    X, y = problem(2)
    data = xgboost.DMatrix(X, y)
    settings = {"objective": objective, "nthread": 1}
    if base_score is not None:
        settings["base_score"] = base_score
    booster = xgboost.train(settings, data, 2)
    model = convert(booster, value_bits=16)
    margins = model.scores(X)[:, 0] * float(np.ravel(model.scale)[0])
    np.testing.assert_allclose(margins, booster.predict(data, output_margin=True), atol=2e-3)


@pytest.mark.parametrize("label", [0, 1])
def test_labels_that_are_all_equal(label):
    X, _ = problem(2)
    booster = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1},
        xgboost.DMatrix(X, np.full(len(X), label)),
        1,
    )
    assert convert(booster).predict(X).tolist() == [label] * len(X)


def _fitted(estimator, K=2, **fit):
    X, y = problem(K)
    X[:, 1] += 3
    return estimator.fit(X, y, **fit)


REFUSED = {
    "rf": lambda: _fitted(
        lightgbm.LGBMClassifier(**LGB, boosting_type="rf", subsample=0.5, subsample_freq=1)
    ),
    "zero_as_missing": lambda: _fitted(lightgbm.LGBMClassifier(**LGB, zero_as_missing=True)),
    "linear_tree": lambda: _fitted(lightgbm.LGBMRegressor(**LGB, linear_tree=True), 0),
    "categorical": lambda: _fitted(lightgbm.LGBMClassifier(**LGB), categorical_feature=[1]),
    "pred_early_stop": lambda: _fitted(lightgbm.LGBMClassifier(**LGB, pred_early_stop=True)),
    "num_iteration_predict": lambda: _fitted(
        lightgbm.LGBMClassifier(**LGB, num_iteration_predict=3)
    ),
    "objective='cross_entropy'": lambda: _fitted(
        lightgbm.LGBMRegressor(**LGB, objective="cross_entropy")
    ),
    "objective='reg:logistic'": lambda: _fitted(
        xgboost.XGBRegressor(**XGB, objective="reg:logistic")
    ),
    "multi_output_tree": lambda: xgboost.XGBRegressor(
        **XGB, multi_strategy="multi_output_tree"
    ).fit(problem(0)[0], np.column_stack([problem(0)[1]] * 2)),
    "missing=-999": lambda: _fitted(xgboost.XGBClassifier(**XGB, missing=-999)),
    "categorical_features": lambda: _fitted(
        HistGradientBoostingClassifier(**HGB, categorical_features=[1])
    ),
    "objective='binary:hinge'": lambda: xgboost.train(
        {"objective": "binary:hinge", "nthread": 1}, xgboost.DMatrix(*problem(2)), 3
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_end_in_a_line_that_runs(what):
    model = REFUSED[what]()
    with pytest.raises(ValueError, match="distil it instead") as caught:
        convert(model)
    text = str(caught.value)
    assert what in text
    line = text.rpartition("instead: ")[2]
    names = {"skdistill": skdistill, "sklearn": sklearn, "model": model, "X": problem(0)[0]}
    distilled = eval(line, names)
    assert distilled.compact_.nbytes > 0


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e6])
def test_small_values_are_compared_with_their_own_size(unit):
    X, y = problem(0)
    with pytest.raises(ValueError, match="differs from its own predictions"):
        convert(Doubled().fit(np.nan_to_num(X), unit * y), np.nan_to_num(X))
    for estimator in (xgboost.XGBRegressor(**XGB), lightgbm.LGBMRegressor(**LGB)):
        convert(clone(estimator).fit(X, unit * y))


class DoubledFarAway(LinearRegression):
    """Differs where only rows of the user come."""

    def predict(self, X):
        return super().predict(X) * (1 + (np.asarray(X)[:, 0] > 50))


def test_rows_of_the_user_are_asked_about():
    X, y = np.arange(200.0).reshape(-1, 2), np.arange(100.0)
    estimator = DoubledFarAway().fit(X, y)
    convert(estimator, X[X[:, 0] <= 50])
    with pytest.raises(ValueError, match="differs from its own predictions"):
        convert(estimator, X)
