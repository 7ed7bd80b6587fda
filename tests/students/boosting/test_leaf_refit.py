"""Refit and rounding, against scikit-learn's optimum and an objective written out anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from skdistill.compact.tables.limits import value_limits
from skdistill.students.boosting.leaf_refit import AdditiveModel, refit, round_values
from skdistill.students.loss import soft_cross_entropy
from skdistill.targets import SoftTargets, temper

MANY = 5000


def model_of(X, y, n_scores, n_trees=8, max_leaf_nodes=8, n_inputs=0):
    """Trees of a forest, whose leaf values are all 0."""
    forest = ExtraTreesClassifier(n_trees, max_leaf_nodes=max_leaf_nodes, random_state=0).fit(X, y)
    leaves, owner = [], []
    for number, column in enumerate(forest.apply(X).T):
        seen, leaf = np.unique(column, return_inverse=True)
        leaves.append(len(owner) + leaf)
        owner += [number] * len(seen)
    Z = X[:, np.argsort(-X.std(axis=0))[:n_inputs]]
    return AdditiveModel(
        leaves=np.column_stack(leaves).astype(np.int32),
        tree_of_leaf=np.array(owner),
        leaf_values=np.zeros((len(owner), n_scores)),
        inputs=(Z - Z.mean(axis=0)) / Z.std(axis=0),
        coef=np.zeros((n_inputs, n_scores)),
        intercept=np.zeros(n_scores),
    )


def real_data(K, n=400):
    """Rows, labels and number of scores."""
    X, y = load_breast_cancer(return_X_y=True) if K == 2 else load_digits(return_X_y=True)
    X, y = X[y < K][:n], y[y < K][:n]
    return X, y, 1 if K == 2 else K


def hard_loss(y, weight=None):
    K = int(y.max()) + 1
    targets = SoftTargets(np.zeros((len(y), K)), y, alpha=0.0)
    return soft_cross_entropy(targets, np.ones(len(y)) if weight is None else weight)


def one_hot(model):
    columns = np.zeros((len(model.leaves), len(model.leaf_values)))
    for leaf in model.leaves.T:
        columns[np.arange(len(leaf)), leaf] = 1
    return columns


def soft_case(K, seed=0, n=60):
    """Random targets of temperature 3, half soft and half hard, with weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    hard = rng.integers(0, K, n)
    S = 1 if K == 2 else K
    targets = SoftTargets(softmax(2 * rng.normal(size=(n, K)), axis=1), hard, 0.5, 3.0)
    return model_of(X, hard, S, 3, 4, n_inputs=2), targets, rng.uniform(0.2, 3, n)


def objective(model, targets, weight, l2_regularization, l2_linear):
    """What refit says it minimises, as a formula."""
    z = one_hot(model) @ model.leaf_values + model.inputs @ model.coef + model.intercept
    z = np.hstack([0 * z, z]) if z.shape[1] == 1 else z
    T, a = targets.temperature, targets.alpha
    soft = -(temper(targets.teacher, T) * log_softmax(z / T, axis=1)).sum(axis=1)
    hard = -log_softmax(z, axis=1)[np.arange(len(z)), targets.hard]
    penalty = (
        l2_regularization / 2 * (model.leaf_values**2).sum() + l2_linear / 2 * (model.coef**2).sum()
    )
    return np.average(a * T**2 * soft + (1 - a) * hard, weights=weight) + penalty


def slopes(model, *terms):
    """Finite differences of the objective in W, B and b."""
    shapes = [model.leaf_values.shape, model.coef.shape, model.intercept.shape]
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])

    def value(x):
        parts = [
            part.reshape(shape) for part, shape in zip(np.split(x, ends[:-1]), shapes, strict=True)
        ]
        return objective(
            replace(model, leaf_values=parts[0], coef=parts[1], intercept=parts[2]), *terms
        )

    x = np.concatenate([model.leaf_values.ravel(), model.coef.ravel(), model.intercept])
    slope = (approx_fprime(x, value, 1e-6) + approx_fprime(x, value, -1e-6)) / 2
    return np.split(slope, ends[:-1])


@pytest.mark.parametrize("K", [2, 3])
def test_no_direction_leads_down_from_the_refit(K):
    model, targets, weight = soft_case(K)
    terms = (targets, weight, 1e-2, 1e-3)
    fitted = refit(
        model,
        soft_cross_entropy(targets, weight),
        l2_regularization=1e-2,
        l2_linear=1e-3,
        max_iter=MANY,
    )
    for before, after in zip(slopes(model, *terms), slopes(fitted, *terms), strict=True):
        assert np.abs(before).max() > 1e-2
        assert np.abs(after).max() < 3e-4
    assert objective(fitted, *terms) < objective(model, *terms)
    assert not model.leaf_values.any()


@pytest.mark.parametrize("K", [2, 3])
def test_what_is_not_trainable_stays_and_no_value_passes_the_limit(K):
    model, targets, weight = soft_case(K)
    rng = np.random.default_rng(1)
    trainable = model.tree_of_leaf != 1
    limit = 0.5
    start = replace(
        model, leaf_values=rng.normal(size=model.leaf_values.shape), coef=model.coef + 0.1
    )
    loss = soft_cross_entropy(targets, weight)
    fitted = refit(
        start,
        loss,
        l2_regularization=1e-2,
        trainable=trainable,
        max_value=limit,
        fit_linear=False,
        max_iter=MANY,
    )
    assert np.array_equal(fitted.leaf_values[~trainable], start.leaf_values[~trainable])
    assert np.array_equal(fitted.coef, start.coef)
    assert np.array_equal(fitted.intercept, start.intercept)
    at_limit = np.isclose(np.abs(fitted.leaf_values[trainable]), limit)
    assert at_limit.any()
    assert not at_limit.all()
    assert np.abs(fitted.leaf_values[trainable]).max() == pytest.approx(limit)  # it was needed
    slope = slopes(fitted, targets, weight, 1e-2, 0.0)[0].reshape(fitted.leaf_values.shape)[
        trainable
    ]
    assert np.abs(slope[~at_limit]).max() < 3e-4
    outward = slope[at_limit] * np.sign(fitted.leaf_values[trainable][at_limit])
    assert outward.max() < 3e-4  # what stands at the limit would pass it


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("K", [2, 4])
def test_hard_labels_reach_the_optimum_of_logistic_regression(K, linear):
    l2_regularization = 1e-3
    X, y, S = real_data(K)
    model = model_of(X, y, S, n_inputs=3 * linear)
    loss = hard_loss(y)
    fitted = refit(
        model,
        loss,
        l2_regularization=l2_regularization,
        l2_linear=l2_regularization,
        fit_linear=linear,
        max_iter=MANY,
    )
    columns = np.hstack([one_hot(model), model.inputs])
    oracle = LogisticRegression(
        C=1 / (l2_regularization * len(y)), fit_intercept=linear, tol=1e-8, max_iter=MANY
    ).fit(columns, y)
    z = columns @ oracle.coef_.T + oracle.intercept_
    theirs = loss(z)[0] + l2_regularization / 2 * (oracle.coef_**2).sum()
    ours = loss(fitted.raw_predictions())[0] + l2_regularization / 2 * (
        (fitted.leaf_values**2).sum() + (fitted.coef**2).sum()
    )
    assert ours == pytest.approx(theirs, rel=1e-4)


def fitted_to(K, **shape):
    X, y, S = real_data(K)
    loss = hard_loss(y)
    return refit(model_of(X, y, S, **shape), loss, l2_regularization=1e-4), loss, np.ones(len(y))


@pytest.mark.parametrize("score_step", [0.0, 0.003])
@pytest.mark.parametrize("bits", ["ternary", 2, 4, 8, np.int64(8)])
def test_rounded_values_fit_their_bits_and_the_step_is_a_multiple_of_score_step(bits, score_step):
    fitted, loss, weight = fitted_to(4)
    values, step = round_values(
        fitted,
        loss,
        weight,
        bits,
        l2_regularization=1e-4,
        rng=np.random.RandomState(0),
        score_step=score_step,
    )
    low, high = value_limits(bits, signed=True)
    assert values.dtype == np.int32
    assert values.shape == fitted.leaf_values.shape
    assert low <= values.min() < 0 < values.max() <= high
    assert np.abs(values).max() == high
    if score_step:
        assert step == score_step * round(step / score_step) > 0


def test_a_score_step_above_the_best_step_is_the_step():
    fitted, loss, weight = fitted_to(2)
    rng = np.random.RandomState(0)
    assert (
        round_values(fitted, loss, weight, 8, l2_regularization=1e-4, rng=rng, score_step=1.5)[1]
        == 1.5
    )


def test_values_of_0_round_to_0():
    model, _, weight = soft_case(3)
    flat = SoftTargets(np.full((len(weight), 3), 1 / 3))
    loss = soft_cross_entropy(flat, weight)
    values, step = round_values(
        model, loss, weight, 8, l2_regularization=0.1, rng=np.random.RandomState(0)
    )
    assert not values.any()
    assert step == 1


@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize("bits", ["ternary", 2, 3, 4])
def test_values_that_are_still_real_make_up_for_rounded_ones(bits, K):
    fitted, loss, weight = fitted_to(K)
    values, step = round_values(
        fitted, loss, weight, bits, l2_regularization=1e-4, rng=np.random.RandomState(0)
    )
    _, high = value_limits(bits, signed=True)
    plain = np.clip(np.rint(fitted.leaf_values / step), -high, high)
    assert not np.array_equal(values, plain)
    by_parts, at_once = (
        loss(replace(fitted, leaf_values=step * v).raw_predictions())[0] for v in (values, plain)
    )
    assert by_parts < at_once


@pytest.mark.parametrize("bits", ["ternary", 4, 8])
@pytest.mark.parametrize("K", [2, 4])
def test_weights_are_repeated_rows(K, bits):
    X, y, S = real_data(K)
    weight = np.random.default_rng(0).integers(0, 4, len(y))
    model = model_of(X, y, S)

    def rounded(rows, weight):
        part = replace(model, leaves=model.leaves[rows], inputs=model.inputs[rows])
        loss = hard_loss(y[rows], weight)
        fitted = refit(part, loss, l2_regularization=1e-3)
        return round_values(
            fitted, loss, weight, bits, l2_regularization=1e-3, rng=np.random.RandomState(0)
        )

    rows = np.repeat(np.arange(len(y)), weight)
    values, step = rounded(np.arange(len(y)), weight.astype(float))
    repeated, same = rounded(rows, np.ones(len(rows)))
    assert np.array_equal(values, repeated)
    assert step == pytest.approx(same, rel=1e-6)
    assert not np.array_equal(values, rounded(np.arange(len(y)), np.ones(len(y)))[0])
