"""Attributions add up to the integer scores, and are what they say they are."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris, make_regression

from skdistill import (
    CompactModel,
    SoftBoostingClassifier,
    SoftNetClassifier,
    SoftNetRegressor,
    SoftTreeClassifier,
)
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.inspection import explain
from skdistill.inspection.explain import round_to_sum
from tests.strategies import adversarial_rows, random_linear, tree_model


def additive_models(seed, n):
    """Models of trees and weights, of all shapes that the random models have."""
    rng = np.random.default_rng(seed)
    models = []
    while len(models) < n:
        model = tree_model(rng)
        if model.n_features <= 64 and model.n_scores <= 17:
            models.append(model)
    return models


def rows_of(model, seed, n):
    X = adversarial_rows(model, seed, n)
    return (
        np.clip(np.rint(np.nan_to_num(X)), -(2**23), 2**23) if model.input_dtype == "int32" else X
    )


def brute_force(scores, x, background):
    """Shapley values by their definition; `scores` is a function of rows."""
    d = len(x)
    value = {}
    for size in range(d + 1):
        for S in combinations(range(d), size):
            mixed = background.copy()
            mixed[:, list(S)] = x[list(S)]
            value[frozenset(S)] = scores(mixed).astype(float).mean(axis=0)
    phi = []
    for j in range(d):
        total = 0
        for S in value:
            if j not in S:
                weight = factorial(len(S)) * factorial(d - len(S) - 1) / factorial(d)
                total = total + weight * (value[S | {j}] - value[S])
        phi.append(total)
    return np.array(phi)


@pytest.mark.parametrize("method", ["shapley", "path"])
def test_attributions_add_up_to_the_scores_of_the_device(method):
    for seed, model in enumerate(additive_models(3, 12)):
        X = rows_of(model, seed, 40)
        explanation = explain(model, X, X[:7], method=method)
        np.testing.assert_array_equal(explanation.scores, model.scores(X))
        unread = np.setdiff1d(np.arange(model.n_features), model.columns)
        assert not explanation.values[:, unread].any()
        assert explanation.standard_error is None
        assert explanation.values.dtype == explanation.base.dtype == np.int64


@pytest.mark.parametrize("seed", range(6))
def test_shapley_values_are_those_of_the_definition_but_for_rounding(seed):
    rng = np.random.default_rng(seed)
    n_features = 5
    edges = np.sort(rng.normal(size=(n_features, 4)).astype(np.float32), axis=1)
    grid = InputGrid(np.arange(n_features), np.arange(6) * 4, edges.ravel())
    N = 12
    left, right = (
        np.where(np.arange(N) + 1 < N, rng.integers(np.arange(N) + 1, N + 1), N) for _ in range(2)
    )
    left, right = (np.where(c < N, c, -rng.integers(1, 10, N)) for c in (left, right))
    values = rng.integers(-100, 100, (9, 2))
    trees = TreeTable(
        grid, [0, 3], rng.integers(0, 5, N), rng.integers(0, 4, N), left, right,
        rng.random(N) < 0.5, values, 8, 10,
    )  # fmt: skip
    linear = random_linear(rng, n_features, 2, 6)
    model = CompactModel(n_features, [3, -2], 1.0, "identity", None, [trees, linear])
    X, background = rng.normal(size=(4, 5)), rng.normal(size=(6, 5))
    X[0, 1] = background[2, 3] = np.nan
    explanation = explain(model, X, background)
    np.testing.assert_array_equal(explanation.base, np.rint(model.scores(background).mean(axis=0)))
    for x, got in zip(X, explanation.values, strict=True):
        exact = brute_force(model.scores, x, background)
        assert np.abs(got - exact).max() <= 1 + 1e-6
        # Not merely close: rounded, so that most are the nearest integer.
        assert np.abs(got - exact).mean() < 0.5


def test_paths_are_the_differences_of_rounded_means():
    grid = InputGrid([0, 1], [0, 1, 2], np.array([0.5, 0.5], np.float32))
    # x0 and x1: 80 if both are 1.
    trees = TreeTable(grid, [0], [0, 1], [0, 0], [-1, -1], [1, -2], [False, False], [[0], [80]], 8)
    model = CompactModel(2, [5], 1.0, "identity", None, [trees])
    background = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    by_path = explain(model, [[1, 1]], background, method="path")
    assert by_path.base.tolist() == [25] and by_path.values[0, :, 0].tolist() == [20, 40]
    by_shapley = explain(model, [[1, 1]], background)
    assert by_shapley.base.tolist() == [25] and by_shapley.values[0, :, 0].tolist() == [30, 30]


def test_nodes_that_no_background_row_reaches_take_the_mean_of_their_children():
    grid = InputGrid([0, 1], [0, 1, 2], np.array([0.5, 0.5], np.float32))
    trees = TreeTable(
        grid, [0], [0, 1], [0, 0], [-1, -3], [1, -2], [False, False], [[0], [80], [40]], 8
    )
    model = CompactModel(2, [0], 1.0, "identity", None, [trees])
    explanation = explain(model, [[1, 1]], [[0, 0], [0, 1]], method="path")
    assert explanation.values[0, :, 0].tolist() == [60, 20]


def test_sampled_values_of_a_net_lie_within_their_error():
    X, y = load_iris(return_X_y=True)
    net = SoftNetClassifier(hidden_layer_sizes=(6,), max_iter=40, random_state=0).fit(X, y)
    background = X[::10]
    explanation = explain(net, X[:30:6], background, n_permutations=8, random_state=0)
    np.testing.assert_array_equal(explanation.scores, net.compact_.scores(X[:30:6]))
    exact = np.array([brute_force(net.compact_.scores, x, background) for x in X[:30:6]])
    error = np.abs(explanation.values - exact)
    assert (explanation.standard_error >= 0).all() and explanation.standard_error.max() > 0
    assert (error <= 4 * explanation.standard_error + 1).all()
    short = explain(net, X[:30:6], background, n_permutations=1, random_state=0)
    assert short.standard_error.mean() > explanation.standard_error.mean()


def test_nets_of_regressions_and_of_one_background_row():
    X, y = make_regression(60, 4, random_state=0)
    net = SoftNetRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0).fit(X, y)
    explanation = explain(net, X[:3], X[:1])
    np.testing.assert_array_equal(explanation.scores, net.compact_.scores(X[:3]))


def test_categories_are_explained_as_columns():
    rng = np.random.default_rng(0)
    colour = rng.choice(["blue", "green", "red"], 200)
    X = pd.DataFrame({"colour": pd.Categorical(colour), "size": rng.normal(size=200)})
    y = (colour == "red").astype(int)
    tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    for method in ("shapley", "path"):
        explanation = explain(tree, X[:20], X, method=method)
        np.testing.assert_array_equal(explanation.scores, tree.compact_.scores(X[:20]))
        frame = explanation.to_frame(0)
        assert frame.index[0] == "base" and frame.index[1] == "colour"
        assert frame["1"].iloc[:-1].sum() == frame["1"]["score"] == explanation.scores[0, 0]


def test_no_rows_have_no_attributions():
    X, y = load_iris(return_X_y=True)
    tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    for method in ("shapley", "path"):
        assert explain(tree, X[:0], X, method=method).values.shape == (0, 4, 3)


def test_more_rows_than_are_explained_at_a_time_have_the_same_base():
    X, y = load_iris(return_X_y=True)
    model = SoftBoostingClassifier(n_estimators=3, max_leaf_nodes=4).fit(X, y)
    many = np.tile(X, (8, 1))
    explanation = explain(model, many, X, max_background=20, random_state=0)
    np.testing.assert_array_equal(explanation.scores, model.compact_.scores(many))
    np.testing.assert_array_equal(explanation.values[:150], explanation.values[-150:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "gain"}, "method must be one of"),
        ({"max_background": 0}, "max_background must be at least 1, got 0"),
        ({"n_permutations": 0}, "n_permutations must be at least 1, got 0"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    X, y = load_iris(return_X_y=True)
    tree = SoftTreeClassifier(max_leaf_nodes=4).fit(X, y)
    with pytest.raises(ValueError, match=message):
        explain(tree, X, X, **options)


def test_a_background_without_rows_is_refused_and_a_net_has_no_paths():
    X, y = load_iris(return_X_y=True)
    net = SoftNetClassifier(hidden_layer_sizes=(3,), max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="background has no rows"):
        explain(net, X, X[:0])
    with pytest.raises(ValueError, match="the model has a net: use 'shapley'"):
        explain(net, X, X, method="path")


def test_rounding_keeps_the_sum_and_moves_no_number_by_more_than_one():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 7, 3)) * 10
    totals = np.rint(values.sum(axis=1) + rng.uniform(-0.49, 0.49, (200, 3))).astype(int)
    totals = np.where(
        np.abs(totals - values.sum(axis=1)) <= 0.5, totals, np.rint(values.sum(axis=1))
    )
    whole = round_to_sum(values, totals.astype(int))
    np.testing.assert_array_equal(whole.sum(axis=1), totals)
    assert np.abs(whole - values).max() <= 1


def test_linear_parts_have_the_same_attribution_by_both_methods_but_for_rounding():
    linear = LinearTable([0, 2], [1.0, 2.0], [4.0, 2.0], 8, [[3], [-5]], 4)
    model = CompactModel(3, [0], 1.0, "identity", None, [linear])
    X = np.random.default_rng(0).normal(size=(20, 3))
    by_path = explain(model, X, X, method="path").values
    assert np.abs(by_path - explain(model, X, X).values).max() <= 1 + 5 / 2
