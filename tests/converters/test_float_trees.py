"""Trees of other libraries: the same leaves as theirs on every row, the same margins."""

from __future__ import annotations

import json

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from skdistill import SoftBoostingClassifier
from skdistill.compact import evaluate
from skdistill.converters.float_trees import compact_trees
from skdistill.converters.lightgbm import lightgbm_trees
from skdistill.converters.regrid import coarser, on_edges
from skdistill.converters.scikit_learn import scikit_learn_trees
from skdistill.converters.xgboost import xgboost_trees
from skdistill.quantization.binning import fit_grid

MISSING = pytest.mark.parametrize("missing", [False, True])
CLASSES = pytest.mark.parametrize("K", [2, 3])


def problem(K, missing, n=500):
    rng = np.random.default_rng(K)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    X[:, 1] = rng.integers(-3, 4, n)  # thresholds at and between whole numbers
    X[:, 2] *= 1e-40 if K == 2 else 1e-35  # subnormal, or what LightGBM begins to call zero
    score = X[:, 0] + X[:, 1] + np.sign(X[:, 2]) + rng.normal(size=n)
    y = np.digitize(score, np.quantile(score, np.arange(1, K) / K))
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


def xgb(**parameters):
    settings = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1, "random_state": 0}
    return xgboost.XGBClassifier(**settings | parameters)


def lgb(**parameters):
    settings = {"n_estimators": 8, "num_leaves": 9, "n_jobs": 1, "verbose": -1, "random_state": 0}
    return lightgbm.LGBMClassifier(**settings | parameters)


def rows_beside(trees, n_features, missing, n=500):
    """float32 rows at each threshold, at its neighbours, far away, and missing."""
    rng = np.random.default_rng(0)
    columns = []
    for j in range(n_features):
        cuts = [t.threshold[t.feature == j] for t in trees]
        at = np.append(np.concatenate(cuts), 0.0)
        with np.errstate(under="ignore", over="ignore"):
            at = np.clip(at, -1e30, 1e30).astype(np.float32)
        around = [at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf))]
        anywhere = [np.float32([-0.0, 1e-45, -1e-45, 1e30, -1e30, *rng.normal(size=9)])]
        values = np.concatenate(around + anywhere + [np.float32([np.nan] * 5)] * missing)
        columns.append(rng.choice(values, n))
    return np.column_stack(columns)


def walk(grid, trees, X):
    """Place of the leaf of each row in each tree, node by node on the codes."""
    codes, out = grid.encode(X), np.zeros((len(X), len(trees)), int)
    for t, tree in enumerate(trees):
        for i in range(len(X)):
            node = 0
            while tree.feature[node] >= 0:
                j = tree.feature[node]
                is_nan = codes[j, i] > grid.counts[j]
                left = tree.nan_left[node] if is_nan else codes[j, i] <= tree.threshold[node]
                node = tree.children[node, 0 if left else 1]
            out[i, t] = node
    return out


def check_routes(trees, n_features, missing, apply, margins=None):
    """Equal leaves; margins up to the rounding of the library's own float32 sums."""
    X = rows_beside(trees, n_features, missing)
    fine = on_edges(trees, n_features)
    grid, learnt = fine.grid(), fine.trees
    reached = walk(grid, learnt, X)
    names = np.column_stack([t.node_id[reached[:, i]] for i, t in enumerate(trees)])
    assert names.tolist() == np.asarray(apply(X)).reshape(len(X), -1).astype(int).tolist()
    for tree in trees:
        inner = tree.feature >= 0
        assert (tree.children[inner] > np.flatnonzero(inner)[:, None]).all()
    if margins is not None:
        total = sum(t.values[reached[:, i]] for i, t in enumerate(trees))
        expected = np.asarray(margins(X)).reshape(len(X), -1)
        shift = (expected - total)[0]  # the base score, the same for all rows
        np.testing.assert_allclose(total + shift, expected, atol=1e-5)


@CLASSES
@MISSING
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"num_parallel_tree": 2, "subsample": 0.5},
        {"gamma": 2.0, "tree_method": "exact"},
        {"booster": "dart", "rate_drop": 0.5},
    ],
    ids=repr,
)
def test_xgboost_rows_reach_the_same_leaves(K, missing, parameters):
    X, y = problem(K, missing)
    model = xgb(**parameters).fit(X, y)
    booster = model.get_booster()
    trees = xgboost_trees(booster.save_raw("json")).trees
    assert len(trees) == 8 * (K if K > 2 else 1) * parameters.get("num_parallel_tree", 1)
    assert np.any([tree.values.any(axis=0) for tree in trees], axis=0).all()
    assert trees[0].values.shape[1] == (K if K > 2 else 1)
    check_routes(
        trees,
        4,
        missing,
        lambda rows: booster.predict(xgboost.DMatrix(rows), pred_leaf=True),
        lambda rows: model.predict(rows, output_margin=True),
    )


def test_xgboost_stops_at_the_best_round():
    X, y = problem(2, False)
    model = xgb(n_estimators=60, learning_rate=1.0, early_stopping_rounds=2)
    model.fit(X[:300], y[:300], eval_set=[(X[300:], y[300:])], verbose=False)
    raw = model.get_booster().save_raw("json")
    trees = xgboost_trees(raw, model.best_iteration).trees
    assert len(trees) == model.best_iteration + 1 < len(xgboost_trees(raw).trees)
    check_routes(trees, 4, False, model.apply, lambda r: model.predict(r, output_margin=True))


@CLASSES
@MISSING
@pytest.mark.parametrize(
    "parameters", [{}, {"boosting_type": "dart"}, {"use_missing": False}], ids=repr
)
def test_lightgbm_rows_reach_the_same_leaves(K, missing, parameters):
    X, y = problem(K, missing)
    booster = lgb(**parameters).fit(X, y).booster_
    trees = lightgbm_trees(booster.model_to_string()).trees
    assert len(trees) == 8 * (K if K > 2 else 1)
    assert np.any([tree.values.any(axis=0) for tree in trees], axis=0).all()
    assert trees[0].values.shape[1] == (K if K > 2 else 1)
    check_routes(
        trees,
        4,
        True,  # also where no NaN was seen: LightGBM reads it as 0
        lambda rows: booster.predict(rows, pred_leaf=True),
        lambda rows: booster.predict(rows, raw_score=True),
    )


def test_lightgbm_compares_wide_integers_exactly():
    rng = np.random.default_rng(0)
    X = rng.integers(2**30, 2**30 + 60, (400, 1)).astype(np.int32)
    booster = lgb(n_estimators=3, max_bin=255).fit(X.astype(float), X[:, 0] % 16 > 7).booster_
    trees = lightgbm_trees(booster.model_to_string()).trees
    assert all(len(tree.feature) > 9 for tree in trees)
    fine = on_edges(trees, 1, "int32")
    grid, learnt = fine.grid(), fine.trees
    reached = walk(grid, learnt, X)
    names = np.column_stack([t.node_id[reached[:, i]] for i, t in enumerate(trees)])
    expected = booster.predict(X.astype(float), pred_leaf=True)
    assert names.tolist() == expected.tolist()


@CLASSES
@MISSING
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_scikit_learn_rows_reach_the_same_leaves(K, missing, kind):
    X, y = problem(K, missing)
    model = kind(5, random_state=0).fit(X, y)
    trees = scikit_learn_trees(member.tree_ for member in model.estimators_)
    check_routes(trees, 4, missing, model.apply)
    P = [tree.values[model.apply(X)[:, i]] for i, tree in enumerate(trees)]
    np.testing.assert_allclose(np.mean(P, axis=0), model.predict_proba(X), atol=1e-12)


@CLASSES
def test_compact_rows_reach_the_same_leaves(K):
    X, y = problem(K, True)
    model = SoftBoostingClassifier(5, random_state=0).fit(X, y).compact_
    trees = compact_trees(model)
    check_routes(
        trees,
        4,
        True,
        lambda rows: evaluate.leaves(model, rows),
        lambda rows: model.scores(rows) * model.scale,
    )


def test_a_coarser_grid_moves_each_threshold_to_where_fewest_rows_change_sides():
    X, y = problem(2, True)
    trees = lightgbm_trees(lgb(n_estimators=30).fit(X, y).booster_.model_to_string()).trees
    fine = on_edges(trees, 4)
    grid, learnt = fine.grid(), fine.trees
    coarse = fit_grid(X, 3)
    to, moved = coarser(fine, coarse, X)
    assert to.counts.max() <= 6
    for before, after in zip(learnt, moved, strict=True):
        assert before.feature.tolist() == after.feature.tolist()
        for node in np.flatnonzero(before.feature >= 0):
            j = before.feature[node]
            x = X[:, j]
            is_left = x <= grid.edges[grid.offsets[j] + before.threshold[node]]
            edges = to.edges[to.offsets[j] : to.offsets[j + 1]]
            changed = [((x <= edge) != is_left).sum() for edge in edges]
            assert changed[after.threshold[node]] == min(changed)


def test_a_column_without_coarse_edges_keeps_its_own():
    X, y = problem(2, False)
    trees = lightgbm_trees(lgb().fit(X, y).booster_.model_to_string()).trees
    fine = on_edges(trees, 4)
    grid, learnt = fine.grid(), fine.trees
    flat = X.copy()
    flat[:, 0] = 1  # the rows of the refit need not be those of the training
    to, moved = coarser(fine, fit_grid(flat, 3), flat)
    assert to.counts[0] == grid.counts[0] > 0
    for before, after in zip(learnt, moved, strict=True):
        same = before.feature == 0
        assert before.threshold[same].tolist() == after.threshold[same].tolist()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"booster": "gblinear"}, "booster='gblinear'"),
        ({"multi_strategy": "multi_output_tree"}, "multi_output_tree"),
    ],
    ids=repr,
)
def test_what_is_not_supported_of_xgboost_is_refused_by_name(parameters, message):
    if parameters.get("booster") == "gblinear":
        parameters = {**parameters, "max_depth": None}
    X, y = problem(3, False)
    model = xgb(**parameters).fit(X, y)
    with pytest.raises(ValueError, match=message):
        xgboost_trees(model.get_booster().save_raw("json"))


def test_categories_and_other_objectives_of_xgboost_are_refused_by_name():
    X, y = problem(2, False)
    X[:, 1] += 3
    types = ["q", "c", "q", "q"]
    data = xgboost.DMatrix(X, y, feature_types=types, enable_categorical=True)
    settings = {"objective": "binary:logistic", "max_cat_to_onehot": 1}
    raw = xgboost.train(settings, data, 3).save_raw("json")
    with pytest.raises(ValueError, match="enable_categorical"):
        xgboost_trees(raw)
    raw = xgb(objective="binary:hinge").fit(X, y).get_booster().save_raw("json")
    with pytest.raises(ValueError, match="objective='binary:hinge'"):
        xgboost_trees(bytes(raw))
    assert json.loads(raw)["learner"]["objective"]["name"] == "binary:hinge"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"linear_tree": True}, "linear_tree"),
        ({"zero_as_missing": True}, "zero_as_missing"),
        ({"objective": "multiclassova"}, "objective='multiclassova'"),
        ({"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1}, "boosting_type='rf'"),
        ({"categorical_feature": [1]}, "categorical"),
    ],
    ids=repr,
)
def test_what_is_not_supported_of_lightgbm_is_refused_by_name(parameters, message):
    X, y = problem(3, False)
    X[:, 1] += 3
    fit_parameters = {k: v for k, v in parameters.items() if k == "categorical_feature"}
    model = lgb(**{k: v for k, v in parameters.items() if k not in fit_parameters})
    booster = model.fit(X, y, **fit_parameters).booster_
    with pytest.raises(ValueError, match=message):
        lightgbm_trees(booster.model_to_string())


def test_a_model_without_trees_has_none_to_read():
    X, y = problem(2, False)
    model = SoftBoostingClassifier(2, random_state=0).fit(X, np.zeros(len(y))).compact_
    with pytest.raises(ValueError, match="no trees"):
        compact_trees(model)
