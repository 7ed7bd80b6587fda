"""Fitted estimators as compact models, against the estimators themselves."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
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
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from skdistill import SoftTreeClassifier, convert
from skdistill.compact import evaluate
from skdistill.compact.tables import linear_table
from skdistill.converters.kinds import read_fitted
from skdistill.converters.regrid import _last_integers
from tests.strategies import adversarial_rows, seeds

XGB = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1, "random_state": 0}
LGB = {"n_estimators": 8, "num_leaves": 9, "n_jobs": 1, "verbose": -1, "random_state": 0}
HGB = {"max_iter": 8, "max_leaf_nodes": 9, "min_samples_leaf": 5, "random_state": 0}
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
    xgboost.XGBRFClassifier(**XGB),
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
NO_NAN = (GradientBoostingClassifier, GradientBoostingRegressor)


def problem(K=0, missing=False, n=400):
    """Rows of four columns and labels of K classes, or values for K = 0."""
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    X[:, 1] = rng.integers(-3, 4, n)  # thresholds at and between whole numbers
    X[:, 2] *= 1e-35
    score = X[:, 0] + X[:, 1] + np.sign(X[:, 2]) + rng.normal(size=n)
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    if K == 0:
        return X, 500 + 30 * score
    return X, np.digitize(score, np.quantile(score, np.arange(1, K) / K))


def takes_nan(estimator):
    absolute = getattr(estimator, "criterion", None) == "absolute_error"
    return not isinstance(estimator, NO_NAN) and not absolute


def rows_for(estimator, model, seed=0, n=400):
    """float32 rows at and beside all thresholds; NaN where the estimator takes it."""
    rows = np.clip(adversarial_rows(model, seed, n, "float32"), -1e30, 1e30)
    return rows if takes_nan(estimator) else np.nan_to_num(rows, nan=0.5)


def leaf_names(estimator, model, rows):
    """Numbers that the library gives the leaves which rows of the model reach."""
    trees = read_fitted(estimator).scores.trees
    names = np.concatenate([tree.node_id[tree.feature < 0] for tree in trees])
    return names[evaluate.leaves(model, rows)]


def own_leaves(estimator, rows):
    if hasattr(type(estimator), "booster_"):
        return estimator.booster_.predict(rows, pred_leaf=True).reshape(len(rows), -1)
    return np.asarray(estimator.apply(rows)).reshape(len(rows), -1).astype(int)


def check_leaves(estimator, model, rows):
    if isinstance(estimator, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return  # has no `apply`; with 16 bits another leaf shows in the values
    assert np.array_equal(leaf_names(estimator, model, rows), own_leaves(estimator, rows))


def check_labels(estimator, model, rows, P, bound):
    """Labels differ only where two classes are nearer to each other than the rounding."""
    two = np.sort(P, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 2 * bound
    assert clear.mean() > 0.5
    assert (model.predict(rows) == estimator.predict(rows))[clear].all()


def vote_bound(K, bits, n_trees):
    """By how much rounded votes can change a probability; a unit more keeps a tree's label."""
    unit = 2 if n_trees == 1 else 1
    if K == 2:
        return unit / (4 * (2 ** (bits - 1) - 1)) + 1e-6
    high = 2**bits - 1
    return unit * max(1, (K - 1) / 2) / (high - unit * K / 2) + 1e-6


def margin_bound(estimator, model):
    """By how much rounded leaf values, and the bias, can change each score's margin."""
    trees = read_fitted(estimator).scores.trees
    touched = np.sum([tree.values.any(axis=0) for tree in trees], axis=0)
    scale = np.asarray(model.scale)
    return touched[-len(model.bias) :] * scale * model.trees.unit / 2 + scale / 2


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
    bound = vote_bound(K, bits, len(model.trees.roots))
    assert model.link == "normalize"
    assert np.abs(model.predict_proba(rows) - P).max() <= bound
    if len(model.trees.roots) == 1:
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
    model = convert(estimator, value_bits=bits)
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
    model = convert(estimator, value_bits=bits)
    rows = rows_for(estimator, model)
    check_leaves(estimator, model, rows)
    bound = margin_bound(estimator, model)
    assert model.classes is None and bound <= 1.1 * np.ptp(y) * len(model.trees.roots) / 2**bits
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
        assert len(model.trees.roots) == estimator.best_iteration + 1 < 60
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
    assert len(model.trees.roots) == booster.best_iteration < 60
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
    values = model.trees.values
    pure = (values > 0).sum(axis=1) == 1
    assert pure.mean() > 0.7
    assert len(np.unique(values[pure], axis=0)) == 10
    assert (values[pure].max(axis=1) == 255).all()
    assert len(np.unique(values, axis=0)) < len(values) / 3


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(5, random_state=0),
        GradientBoostingClassifier(n_estimators=5),
        HistGradientBoostingClassifier(**HGB),
        xgboost.XGBClassifier(**XGB),
        lightgbm.LGBMClassifier(**LGB),
    ],
    ids=repr,
)
def test_int32_input(estimator):
    X, y = load_digits(return_X_y=True)
    estimator = clone(estimator).fit(X[::4], y[::4])
    model = convert(estimator, dtype="int32", value_bits=16)
    assert model.input_dtype == "int32"
    assert np.array_equal(model.grid.edges, np.floor(model.grid.edges))
    floats = convert(estimator, value_bits=16)
    assert np.array_equal(model.scores(X.astype(np.int32)), floats.scores(X))


@pytest.mark.parametrize(
    "estimator", [DecisionTreeClassifier(), xgboost.XGBClassifier(**XGB)], ids=repr
)
def test_wide_integers_part_where_float32_parts_them(estimator):
    rng = np.random.default_rng(0)
    X = rng.integers(-(2**30), 2**30, (300, 1)).astype(np.int32)
    estimator = clone(estimator).fit(X, X[:, 0] // 2**25 % 2)
    model = convert(estimator, dtype="int32")
    rows = (model.grid.edges[:, None] + np.arange(-80, 81)).reshape(-1, 1)
    assert np.array_equal(leaf_names(estimator, model, rows), own_leaves(estimator, rows))


@given(seeds, st.sampled_from([1.0, 2.0**22, 2.0**24, 2.0**31]))
def test_last_integers_are_the_last(seed, size):
    rng = np.random.default_rng(seed)
    edges = (size * rng.normal(size=200)).astype(np.float32)
    edges = np.concatenate([edges, np.round(edges[:50])])
    last = _last_integers(edges).astype(np.int64)
    fits = (last.astype(np.float32) <= edges) | (last == -(2**31))
    more = (last + 1).astype(np.float32) > edges
    assert (fits & (more | (last == 2**31 - 1))).all()


def test_wide_integers_of_lightgbm_are_exact():
    rng = np.random.default_rng(0)
    X = rng.integers(2**30, 2**30 + 60, (400, 1))
    estimator = lightgbm.LGBMClassifier(**LGB).fit(X.astype(float), X[:, 0] % 16 > 7)
    model = convert(estimator, dtype="int32")
    assert len(model.grid.edges) > 3
    expected = own_leaves(estimator, X.astype(float))
    assert np.array_equal(leaf_names(estimator, model, X.astype(np.int32)), expected)


def test_fewer_thresholds_on_request():
    X, y = load_breast_cancer(return_X_y=True)
    X = X.astype(np.float32)
    forest = RandomForestClassifier(20, random_state=0).fit(X[::2], y[::2])
    model = convert(forest, X=X[::2], threshold_bits=6)
    assert model.grid.counts.max() <= 62
    assert model.nbytes < 0.7 * convert(forest).nbytes
    assert (model.predict(X[1::2]) == forest.predict(X[1::2])).mean() > 0.97


def test_whole_numbers_reach_a_linear_model_as_they_are():
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.uint8)
    estimator = LogisticRegression(max_iter=1000, tol=1e-2).fit(X, y)
    model = convert(estimator, X=X, value_bits=16)
    linear = model.linear
    assert linear.input_bits == 8 and (linear.inv_step == 1).all() and (linear.offset == 0).all()
    assert np.array_equal(linear_table.quantize_input(X, linear), X[:, linear.features])
    # What is left is the rounding of the weights: half a unit for each, and the bias.
    bound = (X[:, linear.features].sum(axis=1).max() + 128 * X.shape[1]) * model.scale / 2
    z = estimator.decision_function(X)
    away = model.scores(X) * model.scale - z
    assert np.abs(away).max() <= bound
    model = convert(estimator, X=X)
    assert model.nbytes <= 660 and (model.predict(X) == y).mean() > 0.98


def test_wide_whole_numbers_take_the_bits_they_need():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 256, 500), rng.integers(10_000, 10_050, 500)])
    estimator = Ridge().fit(X, X @ [1.0, 2.0] + rng.normal(size=500))
    linear = convert(estimator, X=X, value_bits=16).linear
    assert linear.input_bits == 9
    q = linear_table.quantize_input(X, linear)
    assert np.array_equal(q / linear.inv_step, X - linear.offset)


def test_columns_of_few_values_get_finer_steps_beside_wide_ones():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 2, (900, 3)), rng.normal(size=(900, 2))])
    y = (X @ [2, -2, 1, 1, -1] + rng.normal(size=900) > 0).astype(int)
    estimator = LogisticRegression().fit(X, y)
    model = convert(estimator, X=X)
    assert (model.linear.inv_step[:3] > 1).all()
    np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=0.02)


@pytest.mark.parametrize("bits", ["ternary", 4, 8, 16])
@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), RidgeClassifier(), LinearRegression(), Ridge(), ElasticNet(0.1)],
    ids=repr,
)
def test_linear_estimators(estimator, bits):
    away, classify = [], hasattr(estimator, "decision_function")
    for K in (2, 3) if classify else (0,):
        X, y = problem(K)
        X[:, 2] = 5  # constant
        estimator = clone(estimator).fit(X, y)
        model = convert(estimator, X=X, value_bits=bits)
        own = estimator.decision_function(X) if classify else estimator.predict(X)
        ours = (model.scores(X) * np.asarray(model.scale)).reshape(own.shape)
        if K > 2:
            own, ours = (z - z.mean(axis=1, keepdims=True) for z in (own, ours))
        away.append(np.sqrt(np.mean((own - ours) ** 2) / np.var(own)))
        if classify:
            assert model.classes.tolist() == estimator.classes_.tolist()
    assert max(away) < {"ternary": 0.6, 4: 0.1, 8: 0.01, 16: 1e-3}[bits]


def test_linear_without_columns_that_count():
    X, _ = problem(0)
    estimator = Ridge().fit(X, np.full(len(X), 3.5))
    model = convert(estimator, X=X)
    assert model.linear is None and model.predict(X).tolist() == [3.5] * len(X)


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
        assert len(model.trees.feature) == 0
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


def fitted(estimator, K=2, **fit):
    return estimator.fit(*problem(K), **fit)


def two_outputs(estimator):
    X, y = problem(2)
    return estimator.fit(X, np.column_stack([y, y]))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: RandomForestClassifier(), ValueError, "RandomForestClassifier is not fitted"),
        (lambda: xgboost.XGBClassifier(), ValueError, "XGBClassifier is not fitted"),
        (lambda: lightgbm.LGBMRegressor(), ValueError, "LGBMRegressor is not fitted"),
        (lambda: LogisticRegression(), ValueError, "LogisticRegression is not fitted"),
        (lambda: RandomForestClassifier, TypeError, "got the class RandomForestClassifier"),
        (lambda: fitted(AdaBoostClassifier(n_estimators=2)), TypeError, "AdaBoostClassifier"),
        (
            lambda: GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2]}).fit(*problem(2)),
            TypeError,
            "pass its best_estimator_",
        ),
        (lambda: fitted(SoftTreeClassifier()), TypeError, "use its compact_"),
        (lambda: two_outputs(RandomForestClassifier(2)), ValueError, "classifies 2 outputs"),
        (
            lambda: fitted(make_pipeline(StandardScaler(), DecisionTreeClassifier())),
            ValueError,
            "begins with StandardScaler",
        ),
        (lambda: fitted(LogisticRegression()), ValueError, "LogisticRegression needs X"),
        (
            lambda: fitted(GradientBoostingClassifier(init=LogisticRegression())),
            ValueError,
            "init=LogisticRegression",
        ),
        (
            lambda: fitted(HistGradientBoostingClassifier(categorical_features=[1]), 2),
            ValueError,
            "categorical_features",
        ),
        (
            lambda: fitted(HistGradientBoostingRegressor(**HGB, loss="poisson"), 0),
            ValueError,
            "loss='poisson'",
        ),
        (
            lambda: fitted(xgboost.XGBRegressor(**XGB, objective="count:poisson"), 0),
            ValueError,
            "objective='count:poisson'",
        ),
        (
            lambda: fitted(xgboost.XGBRegressor(**XGB, objective="binary:logistic"), 2),
            ValueError,
            "objective of a classifier",
        ),
        (
            lambda: fitted(xgboost.XGBClassifier(**XGB, objective="binary:logitraw"), 2),
            ValueError,
            "neither logits nor probabilities",
        ),
        (lambda: fitted(xgboost.XGBClassifier(**XGB, missing=0)), ValueError, "missing=0"),
        (
            lambda: fitted(lightgbm.LGBMRegressor(**LGB, objective="gamma"), 0),
            ValueError,
            "objective='gamma'",
        ),
        (lambda: fitted(lightgbm.LGBMRegressor(**LGB, reg_sqrt=True), 0), ValueError, "reg_sqrt"),
        (
            lambda: fitted(lightgbm.LGBMClassifier(**LGB), categorical_feature=[1]),
            ValueError,
            "categorical",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(make, error, message):
    if "categorical" in message:
        with pytest.warns(UserWarning) if "LightGBM" in message else _nothing():
            estimator = make()
    else:
        estimator = make()
    with pytest.raises(error, match=message):
        convert(estimator)


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"value_bits": 17}, "value_bits"),
        ({"dtype": "int8"}, "dtype must be"),
        ({"threshold_bits": 1}, "threshold_bits must be"),
        ({"threshold_bits": 4}, "threshold_bits needs X"),
        ({"X": np.zeros((3, 2))}, r"shape \(n, 4\)"),
        ({"X": np.full((3, 4), np.inf)}, "infinities"),
        ({"X": np.full((3, 4), 1e39)}, "beyond float32"),
        ({"X": np.full((3, 4), 0.5), "dtype": "int32"}, "no int32"),
        ({"X": np.zeros((0, 4))}, "no rows"),
    ],
    ids=repr,
)
def test_options_are_checked_by_name(options, message):
    tree = fitted(DecisionTreeClassifier())
    with pytest.raises(ValueError, match=message):
        convert(tree, **options)


def test_nan_in_the_rows_of_a_linear_model():
    X, y = problem(2)
    estimator = LogisticRegression().fit(X, y)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="X has NaN"):
        convert(estimator, X=X)


def test_thresholds_outside_float32_are_refused():
    X, y = problem(2)
    estimator = HistGradientBoostingClassifier(**HGB).fit(X.astype(float) * 1e60, y)
    with pytest.raises(ValueError, match="split below the least number of float32"):
        convert(estimator)
