"""Fitted estimators as compact models, against the estimators themselves."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
)
from sklearn.pipeline import make_pipeline
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from skdistill import convert
from skdistill.compact import TreeTable
from tests.converters.harness import (
    HGB,
    LGB,
    XGB,
    check_labels,
    check_leaves,
    margin_bound,
    problem,
    rows_for,
    takes_nan,
    vote_bound,
)

VOTERS = [
    DecisionTreeClassifier(random_state=0),
    ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(7, random_state=0, class_weight="balanced"),
    ExtraTreesClassifier(7, max_depth=6, random_state=0),
]
BOOSTERS = [
    GradientBoostingClassifier(n_estimators=8, random_state=0),
    GradientBoostingClassifier(n_estimators=8, random_state=0, init="zero"),
    GradientBoostingClassifier(
        n_estimators=8, random_state=0, init=DummyClassifier(strategy="uniform")
    ),
    HistGradientBoostingClassifier(**HGB),
    xgboost.XGBClassifier(**XGB),
    xgboost.XGBClassifier(**XGB, booster="dart", rate_drop=0.5),
    xgboost.XGBClassifier(**XGB, base_score=0.3),
    xgboost.XGBClassifier(**XGB | {"n_estimators": 1, "num_parallel_tree": 8, "subsample": 0.8}),
    lightgbm.LGBMClassifier(**LGB),
    lightgbm.LGBMClassifier(**LGB, boosting_type="dart", is_unbalance=True),
]
REGRESSORS = [
    DecisionTreeRegressor(random_state=0, max_leaf_nodes=30),
    DecisionTreeRegressor(criterion="absolute_error", random_state=0, max_leaf_nodes=30),
    ExtraTreeRegressor(random_state=0),
    RandomForestRegressor(7, random_state=0),
    ExtraTreesRegressor(7, max_depth=6, random_state=0),
    GradientBoostingRegressor(n_estimators=8, random_state=0),
    GradientBoostingRegressor(n_estimators=8, random_state=0, init="zero", loss="huber"),
    GradientBoostingRegressor(n_estimators=8, random_state=0, loss="quantile", alpha=0.8),
    HistGradientBoostingRegressor(**HGB),
    HistGradientBoostingRegressor(**HGB, loss="absolute_error"),
    xgboost.XGBRegressor(**XGB),
    xgboost.XGBRegressor(**XGB, objective="reg:absoluteerror"),
    xgboost.XGBRegressor(**XGB, base_score=-70),
    lightgbm.LGBMRegressor(**LGB),
    lightgbm.LGBMRegressor(**LGB, objective="huber"),
]
CLASSES = pytest.mark.parametrize("K", [2, 3])


@CLASSES
@pytest.mark.parametrize("bits", [3, 8, 16])
@pytest.mark.parametrize("estimator", VOTERS, ids=repr)
def test_votes_stay_soft_and_leaves_the_same(estimator, K, bits):
    X, y = problem(K, missing=True)
    estimator = clone(estimator).fit(X, y)
    model = convert(estimator, value_bits=bits)
    rows = rows_for(estimator, model)
    check_leaves(estimator, model, rows)
    P = estimator.predict_proba(rows)
    bound = vote_bound(K, bits, len(model.table(TreeTable).roots))
    assert model.link == "normalize"
    assert np.abs(model.predict_proba(rows) - P).max() <= bound
    if len(model.table(TreeTable).roots) == 1:
        assert np.array_equal(model.predict(rows), estimator.predict(rows))
    elif bits > 3:
        check_labels(estimator, model, rows, P, bound)


@CLASSES
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("estimator", BOOSTERS, ids=repr)
def test_boosters_keep_margins_and_leaves(estimator, bits, missing, K):
    X, y = problem(K, missing and takes_nan(estimator))
    if getattr(estimator, "base_score", None) and K > 2:
        estimator = clone(estimator).set_params(base_score=None)
    names = np.array(["no", "yes", "if"])[:K] if "xgb" not in type(estimator).__module__ else None
    estimator = clone(estimator).fit(X, y if names is None else names[y])
    model = convert(estimator, dtype="float32", value_bits=bits)
    rows = rows_for(estimator, model)
    check_leaves(estimator, model, rows)
    bound = margin_bound(estimator, model).max()
    bound = bound / 4 if K == 2 else bound / 2
    P = estimator.predict_proba(rows)
    assert model.link == ("sigmoid" if K == 2 else "softmax")
    assert model.classes.tolist() == estimator.classes_.tolist()
    assert np.abs(model.predict_proba(rows) - P).max() <= bound + 2e-6
    check_labels(estimator, model, rows, P, bound + 2e-6)


def test_exponential_loss_is_twice_its_margin():
    X, y = problem(2)
    estimator = GradientBoostingClassifier(loss="exponential", n_estimators=9).fit(X, y)
    model = convert(estimator, value_bits=16)
    np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("estimator", REGRESSORS, ids=repr)
def test_regressors_keep_values_and_leaves(estimator, bits, missing):
    X, y = problem(0, missing and takes_nan(estimator))
    estimator = clone(estimator).fit(X, y)
    model = convert(estimator, dtype="float32", value_bits=bits)
    rows = rows_for(estimator, model)
    check_leaves(estimator, model, rows)
    bound = margin_bound(estimator, model)
    assert (
        model.classes is None
        and bound <= 1.1 * np.ptp(y) * len(model.table(TreeTable).roots) / 2**bits
    )
    assert np.abs(model.predict(rows) - estimator.predict(rows)).max() <= bound + 2e-4


@pytest.mark.parametrize(
    "estimator",
    [
        DecisionTreeRegressor(max_depth=5),
        ExtraTreesRegressor(5, max_depth=5),
        xgboost.XGBRegressor(**XGB),
        LinearRegression(),
        Ridge(),
        Lasso(),
    ],
    ids=repr,
)
def test_each_of_several_targets_has_its_own_scale(estimator):
    X, y = problem(0)
    Y = np.column_stack([y, 1e-3 * X[:, 0], np.full(len(X), 7.0)])
    if isinstance(estimator, Lasso):
        Y = np.column_stack([y, 40 * X[:, 0] + y])
    estimator = clone(estimator).fit(X, Y)
    model = convert(estimator, X=X, value_bits=12)
    away = np.abs(model.predict(X) - estimator.predict(X)).max(axis=0)
    assert (away <= 1e-2 * np.std(Y, axis=0) + 1e-5).all()


def test_two_columns_of_logits_are_one():
    X, y = problem(2)
    estimator = xgboost.XGBClassifier(**XGB, objective="multi:softprob", num_class=2).fit(X, y)
    model = convert(estimator, value_bits=16)
    assert model.link == "sigmoid"
    np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=1e-4)


def test_boosters_without_estimator_number_their_classes():
    X, y = problem(3)
    for estimator in (xgboost.XGBClassifier(**XGB), lightgbm.LGBMClassifier(**LGB)):
        estimator.fit(X, y)
        booster = estimator.get_booster() if hasattr(estimator, "get_booster") else None
        model = convert(booster or estimator.booster_)
        assert model.equals(convert(estimator))
    X, y = problem(0)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(X, y), 4)
    model = convert(booster, value_bits=16)
    np.testing.assert_allclose(
        model.predict(X), booster.predict(xgboost.DMatrix(X)), rtol=0, atol=0.02
    )
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, y), 4)
    model = convert(booster, value_bits=16)
    np.testing.assert_allclose(model.predict(X), booster.predict(X), rtol=0, atol=0.02)


def test_early_stopping_ends_at_the_best_round():
    X, y = problem(2)
    fit = {"eval_set": [(X[300:], y[300:])]}
    stop = xgboost.callback.EarlyStopping(rounds=2)
    for settings in ({"early_stopping_rounds": 2}, {"callbacks": [stop]}):
        settings = {**XGB, "n_estimators": 60, "learning_rate": 1.0, **settings}
        estimator = xgboost.XGBClassifier(**settings)
        estimator.fit(X[:300], y[:300], **fit, verbose=False)
        model = convert(estimator, value_bits=16)
        assert len(model.table(TreeTable).roots) == estimator.best_iteration + 1 < 60
        np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=1e-4)
    data = lightgbm.Dataset(X[:300], y[:300], free_raw_data=False)
    booster = lightgbm.train(
        {"objective": "binary", "learning_rate": 1.0, "verbose": -1, "num_threads": 1},
        data,
        60,
        valid_sets=[lightgbm.Dataset(X[300:], y[300:], reference=data)],
        callbacks=[lightgbm.early_stopping(2, verbose=False)],
    )
    model = convert(booster, value_bits=16)
    assert len(model.table(TreeTable).roots) == booster.best_iteration < 60
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], booster.predict(X), atol=1e-4)


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer])
def test_sixteen_bits_keep_every_label(load):
    X, y = load(return_X_y=True)
    X = X.astype(np.float32)
    half = len(X) // 2
    for estimator in (
        RandomForestClassifier(10, max_depth=8, random_state=0),
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
        LogisticRegression(max_iter=10_000, tol=1e-2),
    ):
        estimator.fit(X[:half], y[:half])
        model = convert(estimator, X=X[:half], value_bits=16)
        assert np.array_equal(model.predict(X[half:]), estimator.predict(X[half:]))


def test_pure_leaves_are_equal_rows():
    X, y = load_digits(return_X_y=True)
    forest = RandomForestClassifier(10, max_depth=8, random_state=0, class_weight="balanced")
    model = convert(forest.fit(X, y))
    values = model.table(TreeTable).values
    pure = (values > 0).sum(axis=1) == 1
    assert pure.mean() > 0.7
    assert len(np.unique(values[pure], axis=0)) == 10
    assert (values[pure].max(axis=1) == 255).all()
    assert len(np.unique(values, axis=0)) < len(values) / 3


def test_trees_without_splits():
    X, _ = problem(0)
    y = np.arange(len(X)) % 3
    for estimator in (
        RandomForestClassifier(3, max_depth=5, min_samples_leaf=300, random_state=0),
        HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=300),
        lightgbm.LGBMClassifier(**LGB, min_child_samples=300),
        xgboost.XGBClassifier(**XGB, gamma=1e9),
    ):
        estimator.fit(X, y)
        model = convert(estimator, value_bits=16)
        assert len(model.table(TreeTable).feature) == 0
        np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=1e-3)


def test_a_single_class():
    X, _ = problem(0)
    forest = RandomForestClassifier(3).fit(X, ["only"] * len(X))
    model = convert(forest)
    assert model.predict(X[:2]).tolist() == ["only", "only"]
    assert model.predict_proba(X[:2]).tolist() == [[1.0], [1.0]]


def test_names_and_wrappers():
    pandas = pytest.importorskip("pandas")
    X, y = problem(2)
    frame = pandas.DataFrame(X, columns=list("abcd"))
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(frame, y)
    model = convert(tree, X=frame)
    assert model.feature_names == ("a", "b", "c", "d")
    assert model.equals(convert(FrozenEstimator(tree)))
    pipeline = make_pipeline("passthrough", FrozenEstimator(tree))
    assert model.equals(convert(pipeline))
    booster = xgboost.XGBClassifier(**XGB).fit(frame, y).get_booster()
    assert convert(booster).feature_names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"value_bits": 17}, "value_bits"),
        ({"dtype": "int8"}, "dtype must be"),
        ({"threshold_bits": 1}, "threshold_bits must be"),
        ({"threshold_bits": 4}, "threshold_bits needs X"),
        ({"X": np.zeros((3, 2))}, r"shape \(n_samples, 4\)"),
        ({"X": np.full((3, 4), np.inf)}, "infinities"),
        ({"X": np.full((3, 4), 1e39)}, "beyond float32"),
        ({"X": np.full((3, 4), 0.5), "dtype": "int32"}, "no int32"),
        ({"X": np.zeros((0, 4))}, "no rows"),
    ],
    ids=repr,
)
def test_options_are_checked_by_name(options, message):
    tree = DecisionTreeClassifier().fit(*problem(2))
    with pytest.raises(ValueError, match=message):
        convert(tree, **options)
