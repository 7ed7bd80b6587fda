"""Boosted regression: learnt as scikit-learn does, refitted as ridge, in integers of any size."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from skdistill import SoftBoostingRegressor, SoftLinearRegressor, load
from skdistill.compact import LinearTable, TreeTable, evaluate
from skdistill.students.squared_error import SquaredError
from tests.strategies import adversarial_rows, seeds

X, Y = make_friedman1(900, noise=1, random_state=0)
MANY = np.column_stack([Y, 1e6 - 1e3 * X[:, 3] * X[:, 4], 1e-9 * np.sin(6 * X[:, 0])])
FIT, TEST = slice(0, 600), slice(600, None)


def small(**options):
    return SoftBoostingRegressor(**{"n_estimators": 5, "random_state": 0, **options})


def test_the_loss_is_half_the_squared_error_and_its_terms_are_its_derivatives():
    rng = np.random.default_rng(0)
    y, z, weight = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.uniform(0.1, 2, 20)
    value, gradient = SquaredError(y, weight)(z)
    assert value == pytest.approx(np.average(((z - y) ** 2).sum(axis=1), weights=weight) / 2)
    step = 1e-6 * rng.normal(size=z.shape)
    after, _ = SquaredError(y, weight)(z + step)
    assert after - value == pytest.approx(float((gradient * step).sum()), rel=1e-4)
    slope, curvature = np.empty((2, *z.shape))
    SquaredError(y, weight).newton(slice(0, 20), 3, z, slope, curvature)
    assert (slope == gradient).all()
    assert np.allclose(curvature, weight[:, None] / weight.sum())


def test_values_are_the_ridge_regression_on_leaves():
    model = small(value_bits=16, refit_l2_regularization=1e-2).fit(X, Y)
    leaves = evaluate.leaves(model.compact_, X)
    at = (leaves[:, :, None] == np.arange(leaves.max() + 1)).any(axis=1).astype(float)
    z = (Y - Y.mean()) / Y.std()
    oracle = Ridge(1e-2 * len(X), fit_intercept=False, tol=1e-12).fit(at, z)
    expected = oracle.predict(at) * Y.std() + Y.mean()
    assert np.abs(model.predict(X) - expected).max() < 0.02 * Y.std()


@pytest.mark.parametrize(("n", "leaves"), [(8, 4), (16, 8)])
def test_it_is_no_worse_than_scikit_learns_of_the_same_size(n, leaves):
    peer = GradientBoostingRegressor(
        n_estimators=n, max_leaf_nodes=leaves, max_depth=None, learning_rate=0.3, random_state=0
    ).fit(X[FIT], Y[FIT])
    model = SoftBoostingRegressor(n, max_leaf_nodes=leaves, random_state=0).fit(X[FIT], Y[FIT])
    assert model.score(X[TEST], Y[TEST]) > peer.score(X[TEST], Y[TEST]) - 0.01


@pytest.mark.parametrize("y", [Y, MANY], ids=["one", "many"])
@pytest.mark.parametrize("init", [None, "linear"])
def test_eight_bits_cost_nothing_and_few_bits_little(y, init):
    fine, eight, three = (
        small(n_estimators=12, value_bits=bits, init=init)
        .fit(X[FIT], y[FIT])
        .score(X[TEST], y[TEST])
        for bits in (16, 8, "ternary")
    )
    assert eight == pytest.approx(fine, abs=3e-3)
    assert three > fine - 0.1


def test_a_linear_start_helps_where_the_truth_is_linear():
    rows, y = load_diabetes(return_X_y=True)
    y = rows @ np.arange(10.0)
    started = small(init="linear").fit(rows, y)
    assert started.compact_.tables_of(LinearTable)
    assert started.score(rows, y) > max(0.999, small().fit(rows, y).score(rows, y))
    assert started.score(rows, y) > SoftLinearRegressor().fit(rows, y).score(rows, y) - 1e-3


@pytest.mark.parametrize("init", [None, "linear"])
def test_units_of_the_targets_change_nothing_but_units(init):
    units = np.array([2.0**-30, 1, 2.0**60])
    one = small(init=init).fit(X, MANY)
    other = small(init=init).fit(X, MANY * units)
    if init is None:
        assert np.array_equal(other.compact_.scores(X), one.compact_.scores(X))
    close = 0 if init is None else 1e-3 * MANY.std(axis=0)  # a solver stops where it stops
    assert (np.abs(other.predict(X) / units - one.predict(X)) <= close).all()


@pytest.mark.filterwarnings("ignore:int32 scores lose:UserWarning")
@pytest.mark.parametrize("init", [None, "linear"])
@pytest.mark.parametrize("bits", ["ternary", 8, 16])
@pytest.mark.parametrize("offset", [1e3, -1e6, 1e9, 1e14])
def test_targets_far_from_zero_lose_resolution_and_never_overflow(offset, bits, init):
    model = small(value_bits=bits, init=init).fit(X, Y + offset)
    assert int(model.compact_.score_bound.max()) < 2**31
    least = abs(offset) / 2**29
    assert np.abs(model.predict(X) - offset - Y).mean() < 2 * Y.std() + 8 * least
    if abs(offset) <= 1e6:
        assert model.score(X, Y + offset) > small(value_bits=bits, init=init).fit(X, Y).score(
            X, Y
        ) - (5e-3 if bits == "ternary" else 2e-3)


@pytest.mark.filterwarnings("ignore:int32 scores lose:UserWarning")
@given(
    seeds,
    st.sampled_from(["ternary", 2, 8, 16]),
    st.integers(1, 3),
    st.sampled_from([None, "linear"]),
)
@settings(max_examples=25)
def test_whatever_the_targets_scores_are_defined_and_near(seed, bits, S, init):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    rows = rng.integers(0, 5, (n, 2)).astype(float)
    size, offset = 10.0 ** rng.uniform(-30, 30, S), rng.choice([0, 0, 1, 1e3, 1e8], S)
    y = (rng.integers(-3, 4, (n, S)) * rng.choice([0, 1, 1e-6], (n, S)) + offset) * size
    model = small(n_estimators=3, value_bits=bits, init=init).fit(rows, y)
    told = model.predict(rows).reshape(n, S)
    # A shared step may tell a target no better than its mean; it is never far worse.
    error = np.sqrt(((told - y) ** 2).mean(axis=0))
    assert (error <= 1.3 * y.std(axis=0) + np.abs(y).max(axis=0) / 2**26).all()


@pytest.mark.parametrize("value", [0.0, -7.0, 1e-30, 1e30, 0.1])
@pytest.mark.parametrize("init", [None, "linear"])
def test_constant_targets_are_constants(value, init):
    model = small(init=init).fit(X, np.full(len(X), value))
    assert np.allclose(model.predict(X), value, rtol=2**-26, atol=0)
    assert not model.compact_.tables_of(TreeTable)
    both = small(init=init).fit(X, np.column_stack([Y, np.full(len(X), value)]))
    assert np.allclose(both.predict(X)[:, 1], value, rtol=2**-26, atol=0)
    alone = small(init=init).fit(X, Y).score(X, Y)
    assert r2_score(Y, both.predict(X)[:, 0]) == pytest.approx(alone, abs=0.02)


@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_only_proportions_of_weights_count(factor):
    """Powers of two change no digit of a weight, so that the models are equal."""
    weight = np.random.default_rng(0).random(len(X))
    model = small(l2_regularization=1e-3).fit(X, MANY, weight).compact_
    assert small(l2_regularization=1e-3).fit(X, MANY, factor * weight).compact_.equals(model)


def test_weights_equal_repeated_rows_and_rows_without_are_not_seen():
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    weighted = small().fit(X, MANY, weight)
    repeated = small().fit(np.repeat(X, weight, axis=0), np.repeat(MANY, weight, axis=0))
    ours, theirs = weighted.compact_.tables[0], repeated.compact_.tables[0]
    assert np.array_equal(ours.feature, theirs.feature)
    assert np.array_equal(ours.threshold, theirs.threshold)
    # The refit stops before the last digits, which hang on the processor: a leaf may round apart,
    # and those that are refitted after it make up for it.
    assert np.abs(ours.values - theirs.values).max() <= 3
    step = weighted.compact_.scale * ours.unit
    assert np.abs((weighted.predict(X) - repeated.predict(X)) / step).mean() < 0.5
    spoilt = np.where(weight[:, None] > 0, MANY, 1e30)
    assert small().fit(X, spoilt, weight).compact_.equals(weighted.compact_)


def test_subsampling_and_limits_reach_the_trees():
    seen = small(subsample=0.5).fit(X, Y)
    assert not seen.compact_.equals(small().fit(X, Y).compact_)
    assert seen.compact_.equals(small(subsample=0.5).fit(X, Y).compact_)
    assert len(small(max_depth=1).fit(X, Y).compact_.table(TreeTable).feature) == 5
    sizes = np.bincount(evaluate.leaves(small(min_samples_leaf=100).fit(X, Y).compact_, X).ravel())
    assert sizes.min() >= 100


@pytest.mark.parametrize("init", [None, "linear"])
def test_nan_is_learnt(init):
    rows = X.copy()
    rows[::5, 3] = np.nan
    assert small(n_estimators=16, init=init).fit(rows, Y).score(rows, Y) > 0.7


@pytest.mark.parametrize("y", [np.where(Y > 20, np.nan, Y), np.where(Y > 20, np.inf, Y)])
def test_targets_that_are_not_finite_are_refused(y):
    with pytest.raises(ValueError, match="Input y contains"):
        small().fit(X, y)


@pytest.mark.parametrize("y", [Y, MANY], ids=["one", "many"])
@pytest.mark.parametrize("options", [{}, {"init": "linear", "value_bits": "ternary"}], ids=str)
def test_file_and_graph_answer_as_the_model(y, options, tmp_path):
    model = small(**options).fit(X, y)
    model.save(tmp_path / "model.skd")
    assert load(tmp_path / "model.skd").equals(model.compact_)
    session = onnxruntime.InferenceSession(model.to_onnx().SerializeToString())
    rows = adversarial_rows(model.compact_, 0, n=400, dtype="float32")
    value, scores = session.run(None, {"X": rows})
    assert np.array_equal(scores, model.compact_.scores(rows))
    assert np.allclose(value, model.compact_.predict(rows).reshape(value.shape), rtol=1e-6)
