"""The regression tree: scikit-learn's at the same size, in integers; values of any size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill import SoftTreeRegressor
from skdistill.compact import TreeTable, evaluate
from tests.strategies import adversarial_rows, seeds

FINE = {"threshold_bits": 16, "value_bits": 16}


def data(seed, n=600, S=1, d=4, values=200):
    """Columns of at most 255 values; targets of different units that tie nowhere."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, values, (n, d)).astype(float)
    Y = np.sin(X / 40) @ rng.normal(size=(d, S)) + rng.normal(size=(n, S)) / 3
    return X, (Y * 10.0 ** np.arange(S)).squeeze(axis=1) if S == 1 else Y, rng.uniform(0.2, 3, n)


def squared_loss(leaf, y, weight):
    y = y.reshape(len(y), -1)
    total = 0.0
    for number in np.unique(leaf):
        rows, w = y[leaf == number], weight[leaf == number, None]
        total += float((w * (rows - (w * rows).sum(axis=0) / w.sum()) ** 2).sum())
    return total


@pytest.mark.parametrize("S", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("budget", [2, 17, 64])
def test_it_is_scikit_learns_tree_in_structure_and_values(S, weighted, budget):
    X, y, weight = data(S + budget, S=S)
    weight = weight if weighted else np.ones(len(X))
    if S > 1:  # in the units in which a tree of several targets sees them
        y = y / np.sqrt(np.cov(y.T, aweights=weight, ddof=0).diagonal())
    student = SoftTreeRegressor(max_leaf_nodes=budget, value_bits=16).fit(X, y, weight)
    oracle = DecisionTreeRegressor(max_leaf_nodes=budget, random_state=0)
    oracle.fit(X, y, sample_weight=weight)
    leaf = evaluate.leaves(student.compact_, X)[:, 0]
    expected = squared_loss(oracle.apply(X), y, weight)
    assert squared_loss(leaf, y, weight) == pytest.approx(expected, rel=2e-3 if S > 1 else 1e-6)
    assert len(student.compact_.table(TreeTable).values) == oracle.get_n_leaves() == budget
    if S == 1:
        assert np.allclose(student.predict(X), oracle.predict(X), rtol=0, atol=1e-4)
        assert np.allclose(student.feature_importances_, oracle.feature_importances_, atol=2e-3)


@pytest.mark.parametrize("limit", [{"max_depth": 3}, {"min_samples_leaf": 9}, {"ccp_alpha": 0.02}])
def test_limits_are_those_of_scikit_learn(limit):
    X, y, weight = data(5)
    limit = {name: 2500 * x if name == "ccp_alpha" else x for name, x in limit.items()}
    student = SoftTreeRegressor(max_leaf_nodes=100, value_bits=16, **limit).fit(X, 50 * y, weight)
    oracle = DecisionTreeRegressor(max_leaf_nodes=100, random_state=0, **limit)
    oracle.fit(X, 50 * y, sample_weight=weight)
    assert np.allclose(student.predict(X), oracle.predict(X), rtol=0, atol=5e-3)
    assert 2 < len(student.compact_.table(TreeTable).values) < 100


@pytest.mark.parametrize("S", [1, 2])
def test_leaves_hold_weighted_means_within_half_a_step(S):
    X, y, weight = data(0, S=S)
    for bits in (8, 12, 16):
        student = SoftTreeRegressor(max_leaf_nodes=20, value_bits=bits).fit(X, y, weight)
        leaf = evaluate.leaves(student.compact_, X)[:, 0]
        told, y2 = student.predict(X).reshape(len(X), -1), y.reshape(len(X), -1)
        for number in np.unique(leaf):
            at = leaf == number
            mean = np.average(y2[at], axis=0, weights=weight[at])
            step = np.ptp(told, axis=0) / (2**bits - 1)
            assert (np.abs(told[at] - mean) <= 0.52 * step + 1e-8 * np.ptp(y2, axis=0)).all()


@pytest.mark.parametrize("name", ["diabetes", "friedman1"])
def test_eight_bits_cost_nothing(name):
    sets = {"diabetes": load_diabetes(return_X_y=True), "friedman1": make_friedman1(1000, noise=1)}
    X, y = sets[name]
    few, many = (
        cross_val_score(SoftTreeRegressor(max_leaf_nodes=16, value_bits=bits), X, y, cv=4).mean()
        for bits in (8, 16)
    )
    assert few == pytest.approx(many, abs=2e-3)


@pytest.mark.parametrize("bits", ["ternary", 2, 4, 8, 16, np.int64(5)])
@pytest.mark.parametrize("S", [1, 3])
def test_values_respect_their_bits_and_use_all_levels(bits, S):
    X, y, weight = data(1, S=S)
    student = SoftTreeRegressor(value_bits=bits).fit(X, y, weight)
    table = student.compact_.table(TreeTable)
    assert table.value_bits == bits
    levels = 3 if bits == "ternary" else 2 ** int(bits)
    assert (np.ptp(table.values, axis=0) + 1 == levels).all()
    assert student.score(X, y, weight) > 0.2


@pytest.mark.parametrize("bits", ["ternary", 2, 3])
def test_few_levels_are_placed_by_least_squares(bits):
    X, y, _ = data(2)
    y = y + 100 * (y > np.quantile(y, 0.99)) + 1e4
    student = SoftTreeRegressor(value_bits=bits).fit(X, y)
    assert np.mean(student.predict(X)) == pytest.approx(y.mean(), abs=0.01 * y.std())
    spread = np.quantile(y, [0, 0.4, 1])
    even = spread[np.abs(y[:, None] - spread).argmin(axis=1)]
    assert np.mean((student.predict(X) - y) ** 2) < np.mean((even - y) ** 2) + y.var() / 2


@pytest.mark.parametrize("size", [1e-37, 1e-30, 1e-6, 1.0, 1e9, 1e30, 1e38])
@pytest.mark.parametrize("S", [1, 2])
@pytest.mark.parametrize("bits", ["ternary", 8, 16])
def test_targets_of_any_size(size, S, bits):
    X, y, _ = data(3, S=S)
    y = y / np.abs(y).max() * size
    unit = SoftTreeRegressor(value_bits=bits).fit(X, y / size)
    student = SoftTreeRegressor(value_bits=bits).fit(X, y)
    leaf = [evaluate.leaves(model.compact_, X)[:, 0] for model in (unit, student)]
    assert np.array_equal(*leaf)
    if size > 1e-36:
        assert np.allclose(student.predict(X) / size, unit.predict(X), rtol=1e-3, atol=1e-4)


@pytest.mark.filterwarnings("ignore:int32 scores lose:UserWarning")
@pytest.mark.parametrize("offset", [1e3, -1e6, 1e9, 1e15])
@pytest.mark.parametrize("bits", ["ternary", 8, 16])
def test_targets_far_from_zero_lose_resolution_and_never_overflow(offset, bits):
    X, y, _ = data(4)
    student = SoftTreeRegressor(value_bits=bits).fit(X, y + offset)
    assert int(student.compact_.score_bound.max()) < 2**31
    near = SoftTreeRegressor(value_bits=bits).fit(X, y)
    least = abs(offset) / 2**30  # what 31 bits can tell of such numbers
    error = np.abs(student.predict(X) - offset - near.predict(X)).max()
    assert error <= 4 * least + 0.01 * np.ptp(y) + np.spacing(abs(offset))
    if offset == 1e3:
        assert student.score(X, y + offset) == pytest.approx(near.score(X, y), abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 1.0, -7.0, 2**30 - 1.0, 1e-30, 1e30, 0.1, 3.4e38, -1e-45])
@pytest.mark.parametrize("S", [1, 2])
def test_constant_targets_are_constants(value, S):
    y = np.full((20, S), value)
    student = SoftTreeRegressor().fit(np.arange(20.0)[:, None], y)
    assert not student.compact_.tables_of(TreeTable)
    told = student.predict([[0.0], [np.nan], [1e9]])
    assert told.shape == ((3,) if S == 1 else (3, 2))
    assert np.allclose(told, value, rtol=2**-29, atol=1e-37)
    if value == float(np.float32(value)) and abs(value) > 1e-37:
        assert (told == value).all()
    assert student.feature_importances_.tolist() == [0]


def test_one_constant_target_beside_one_that_varies():
    X, y, _ = data(5)
    both = SoftTreeRegressor(value_bits=16).fit(X, np.column_stack([y, np.full(len(y), 1e20)]))
    alone = SoftTreeRegressor(value_bits=16).fit(X, y)
    assert np.allclose(both.predict(X)[:, 0], alone.predict(X), rtol=0, atol=1e-3)
    assert np.allclose(both.predict(X)[:, 1], 1e20, rtol=1e-8)


def test_units_of_the_targets_change_nothing_but_units():
    X, y, weight = data(6, S=3)
    units = np.array([2.0**-40, 1, 2.0**60])
    one = SoftTreeRegressor(max_leaf_nodes=30).fit(X, y, weight)
    other = SoftTreeRegressor(max_leaf_nodes=30).fit(X, y * units, weight)
    assert np.array_equal(other.compact_.scores(X), one.compact_.scores(X))
    assert np.array_equal(other.predict(X), one.predict(X) * units)


@pytest.mark.parametrize("S", [1, 3])
@pytest.mark.parametrize("values", [200, 10**6])
def test_the_order_of_the_rows_changes_nothing(S, values):
    X, y, weight = data(7, S=S, values=values)
    order = np.random.default_rng(1).permutation(len(X))
    student = SoftTreeRegressor().fit(X, y, weight)
    other = SoftTreeRegressor().fit(X[order], y[order], weight[order])
    assert student.compact_.equals(other.compact_)


@pytest.mark.parametrize("S", [1, 3])
def test_weights_equal_repeated_rows_bit_for_bit(S):
    X, y, _ = data(8, S=S)
    X, weight = X.copy(), np.random.default_rng(2).integers(0, 4, len(X))
    X[::7, 1] = np.nan
    weighted = SoftTreeRegressor().fit(X, y, weight).compact_
    repeated = SoftTreeRegressor().fit(np.repeat(X, weight, axis=0), np.repeat(y, weight, axis=0))
    assert repeated.compact_.equals(weighted)
    assert SoftTreeRegressor().fit(X, y, weight * 0.25).compact_.equals(weighted)
    spoilt = np.where((weight > 0).reshape(-1, *[1] * (y.ndim - 1)), y, 1e30)
    assert SoftTreeRegressor().fit(X, spoilt, weight).compact_.equals(weighted)


def test_nan_goes_where_it_helps():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)).round(1)
    X[rng.random(400) < 0.3, 0] = np.nan
    y = np.where(np.isnan(X[:, 0]), 5.0, np.where(X[:, 0] > 0, 1.0, -1.0))
    student = SoftTreeRegressor(max_leaf_nodes=3).fit(X, y)
    assert np.allclose(student.predict(X), y, atol=0.03)
    told = student.predict([[np.inf, 0], [-np.inf, 0], [1e300, 0]])
    assert np.allclose(told, [1, -1, 1], atol=0.03)


@pytest.mark.filterwarnings("ignore:int32 scores lose:UserWarning")
@given(seeds, st.sampled_from(["ternary", 2, 8, 16]), st.integers(1, 3))
def test_whatever_the_targets_scores_are_defined_and_near(seed, bits, S):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    X = rng.integers(0, 5, (n, 2)).astype(float)
    size, offset = 10.0 ** rng.uniform(-30, 30, S), rng.choice([0, 0, 1, 1e3, 1e8], S)
    y = (rng.integers(-3, 4, (n, S)) * rng.choice([1, 1e-6], (n, S)) + offset) * size
    student = SoftTreeRegressor(value_bits=bits).fit(X, y)
    told = student.predict(X).reshape(n, S)
    reach, least = np.ptp(y, axis=0), np.abs(y).max(axis=0) / 2**28
    beyond = 0.01 if bits in (8, 16) else 0.5  # few levels are even, the values are not
    assert (told >= y.min(axis=0) - beyond * reach - least).all()
    assert (told <= y.max(axis=0) + beyond * reach + least).all()
    assert (((told - y) ** 2).mean(axis=0) <= (1.001 * y.std(axis=0) + least) ** 2).all()


def test_a_column_of_targets_is_one_target():
    X, y, _ = data(0)
    column = SoftTreeRegressor().fit(X, y[:, None])
    assert column.compact_.equals(SoftTreeRegressor().fit(X, y).compact_)
    assert column.predict(X).shape == (len(X),)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.0, np.nan], "Input y contains NaN"),
        ([0.0, np.inf], "Input y contains infinity"),
        ([[0.0, 1], [-np.inf, 2]], "Input y contains infinity"),
        ([0.0, 1e39], r"Input y contains infinity or a value too large for dtype\('float32'\)"),
        ([0.0], "inconsistent numbers"),
        (["a", "b"], "could not convert"),
        (np.empty((2, 0)), "0 columns|0 feature"),
        (np.zeros((2, 1, 1)), "dim"),
        (None, "requires y"),
    ],
    ids=repr,
)
def test_targets_that_are_none_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        SoftTreeRegressor().fit([[0.0], [1.0]], y)


@pytest.mark.parametrize(
    "parameters",
    [{"value_bits": 1}, {"threshold_bits": 17}, {"max_leaf_nodes": 1}, {"ccp_alpha": -1.0}],
    ids=repr,
)
def test_parameters_out_of_range_are_refused_by_name(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        SoftTreeRegressor(**parameters).fit([[0.0], [1.0]], [0, 1])


def test_pruning_beyond_all_gains_leaves_the_mean():
    X, y, weight = data(0)
    for size in (1e-30, 1.0):
        student = SoftTreeRegressor(ccp_alpha=1e9).fit(X, y * size, weight)
        assert not student.compact_.tables_of(TreeTable)
        mean = np.average(y * size, weights=weight)
        assert student.predict(X) == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("S", [1, 2])
def test_every_answer_is_a_reading_of_the_compact_model(S, tmp_path):
    X, y, weight = data(S, S=S)
    X[::9, 0] = np.nan
    frame = pd.DataFrame(X, columns=list("abcd"))
    student = SoftTreeRegressor(max_leaf_nodes=20).fit(frame, y, weight)
    rows = adversarial_rows(student.compact_, 0, n=200)
    told = student.predict(pd.DataFrame(rows, columns=list("abcd")))
    assert np.array_equal(told, student.compact_.predict(rows))
    assert student.compact_.feature_names == ("a", "b", "c", "d")
    student.save(tmp_path / "tree.skd")
    assert skdistill.load(tmp_path / "tree.skd").equals(student.compact_)
    student.to_onnx(tmp_path / "tree.onnx", input_dtype="float64")
    assert (tmp_path / "tree.onnx").stat().st_size > 0
    assert not hasattr(student, "predict_proba")
