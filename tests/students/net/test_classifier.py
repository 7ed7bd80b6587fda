"""The network student: labels, probabilities, weights, bytes, categories, missing values."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.metrics import log_loss

from skdistill import SoftNetClassifier
from skdistill.compact import NetTable
from skdistill.students.net.tables import largest_weight
from skdistill.targets import SoftTargets

FAST = {"max_iter": 30, "random_state": 0}


def rings(n=600, seed=0):
    """Two classes that no linear model parts."""
    X = np.random.default_rng(seed).normal(size=(n, 2))
    return X, (np.hypot(*X.T) > 1.1).astype(int)


@pytest.mark.parametrize("sizes", [(16,), (8, 8)])
def test_what_no_linear_model_parts(sizes):
    X, y = rings()
    net = SoftNetClassifier(sizes, **FAST).fit(X, y)
    assert net.score(*rings(seed=1)) > 0.95
    (table,) = net.compact_.tables
    assert [len(layer.weights) for layer in table.hidden] == list(sizes)
    assert net.n_iter_ == 30


@pytest.mark.parametrize("bits", ["ternary", 2, 3, 4, 5, 8])
def test_weights_are_of_few_bits_and_nothing_is_lost_by_rounding(bits):
    X, y = load_digits(return_X_y=True)
    net = SoftNetClassifier((24,), weight_bits=bits, output_bits=bits, **FAST).fit(X, y)
    (table,) = net.compact_.tables
    assert np.abs(table.weights).max() <= largest_weight(bits)
    assert np.abs(table.hidden[0].weights).max() <= largest_weight(bits)
    assert net.score(X, y) > 0.97


@pytest.mark.parametrize("max_bytes", [200, 1000, 4000])
def test_a_network_takes_no_more_than_max_bytes(max_bytes):
    X, y = load_wine(return_X_y=True)
    net = SoftNetClassifier(max_bytes=max_bytes, max_iter=2, random_state=0).fit(X, y)
    assert 0.9 * max_bytes < net.compact_.nbytes <= max_bytes


def test_number_of_layers():
    X, y = load_iris(return_X_y=True)
    for settings in ({}, {"max_bytes": 300}):
        net = SoftNetClassifier(n_hidden_layers=2, max_iter=2, **settings).fit(X, y)
        assert len(net.compact_.table(NetTable).hidden) == 2
    net.set_params(n_hidden_layers=1).fit(X, y)
    assert len(net.compact_.table(NetTable).hidden) == 1


def test_max_bytes_chooses_the_layers():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"max_bytes=500 chooses .* got \(8,\)"):
        SoftNetClassifier((8,), max_bytes=500).fit(X, y)
    with pytest.raises(ValueError, match="max_bytes=5 is too small"):
        SoftNetClassifier(max_bytes=5).fit(X, y)


def test_the_number_of_layers_is_that_of_the_sizes():
    X, y = load_iris(return_X_y=True)
    for sizes in ((8,), 8):
        with pytest.raises(ValueError, match=r"n_hidden_layers=2 is for .*'auto', got \(?8"):
            SoftNetClassifier(sizes, n_hidden_layers=2).fit(X, y)
    net = SoftNetClassifier((4, 4), n_hidden_layers=2, max_iter=1).fit(X, y)
    assert len(net.compact_.table(NetTable).hidden) == 2


@pytest.mark.parametrize("sizes", [(), (0,), (3, 3, 3), (2.5,), ("a",), 40000])
def test_other_layers_are_refused(sizes):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="hidden_layer_sizes must be 'auto' or the units of"):
        SoftNetClassifier(sizes).fit(X, y)


def test_an_int_is_one_layer():
    X, y = load_iris(return_X_y=True)
    one = SoftNetClassifier(5, max_iter=2, random_state=0).fit(X, y)
    assert one.compact_.equals(
        SoftNetClassifier((5,), max_iter=2, random_state=0).fit(X, y).compact_
    )


def test_one_seed_is_one_network_on_any_number_of_threads():
    X, y = load_digits(return_X_y=True)
    most = numba.get_num_threads()
    models = []
    try:
        for n_threads in sorted({1, min(2, most), most}):
            numba.set_num_threads(n_threads)
            models.append(SoftNetClassifier((8,), max_iter=3, random_state=0).fit(X, y).compact_)
    finally:
        numba.set_num_threads(most)
    assert all(model.equals(models[0]) for model in models)
    other = SoftNetClassifier((8,), max_iter=3, random_state=1).fit(X, y).compact_
    assert not other.equals(models[0])


def test_rows_in_another_order_give_the_same_network():
    X, y = load_wine(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    net = SoftNetClassifier((8,), max_iter=3, random_state=0)
    model = net.fit(X, y).compact_
    assert net.fit(X[order], y[order]).compact_.equals(model)


def test_soft_labels_are_learnt_as_probabilities():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    p = 1 / (1 + np.exp(-2 * X[:, 0]))
    net = SoftNetClassifier((8,), **FAST).fit(X, np.column_stack([1 - p, p]))
    assert np.abs(net.predict_proba(X)[:, 1] - p).mean() < 0.02


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_alpha_0_does_not_look_at_the_teacher(temperature):
    X, y = load_iris(return_X_y=True)
    teacher = np.random.default_rng(0).dirichlet(np.ones(3), len(X))
    net = SoftNetClassifier((8,), max_iter=3, random_state=0)
    model = net.fit(X, SoftTargets(teacher, y, 0.0, temperature)).compact_
    assert net.fit(X, y).compact_.equals(model)


def test_temperature_is_not_seen_in_the_probabilities():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    p = 1 / (1 + np.exp(-2 * X[:, 0]))
    targets = SoftTargets(np.column_stack([1 - p, p]), temperature=3.0)
    net = SoftNetClassifier((8,), **FAST).fit(X, targets)
    assert np.abs(net.predict_proba(X)[:, 1] - p).mean() < 0.03


def test_class_weight_is_weight_of_rows():
    X, y = rings(200)
    net = SoftNetClassifier((8,), class_weight={0: 3.0, 1: 1.0}, max_iter=5, random_state=0)
    model = net.fit(X, y).compact_
    net.set_params(class_weight=None)
    assert net.fit(X, y, np.where(y == 0, 3.0, 1.0)).compact_.equals(model)


def test_missing_values_have_a_code_of_their_own():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    X[rng.random(600) < 0.3, 1] = np.nan
    y = np.isnan(X[:, 1]).astype(int)
    net = SoftNetClassifier((8,), **FAST).fit(X, y)
    assert net.score(X, y) > 0.99
    (table,) = net.compact_.tables
    assert table.missing_code[1] != 0 and (table.missing_code[[0, 2]] == 0).all()


def test_categories_learn_codes():
    """Labels whose effect depends on another column: no order by mean targets can show it."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 8, 3000)
    x = rng.normal(size=3000)
    y = ((x > 0) == (label % 2 == 0)).astype(int)
    frame = pd.DataFrame({"x": x, "label": pd.Categorical([f"c{i}" for i in label])})
    net = SoftNetClassifier((8,), **FAST).fit(frame, y)
    assert net.score(frame, y) > 0.97
    unknown = pd.DataFrame({"x": [0.5], "label": pd.Categorical(["other"])})
    assert net.predict(unknown).shape == (1,)
    ranks = net.compact_.categories.ranks_of(0)[:8].astype(int)
    even, odd = ranks[::2], ranks[1::2]
    assert even.max() < odd.min() or odd.max() < even.min()


def test_early_stopping_ends_before_max_iter_and_holds_rows_out():
    X, _ = rings(400)
    y = np.random.default_rng(0).integers(0, 2, len(X))  # nothing to learn
    net = SoftNetClassifier((32,), max_iter=100, n_iter_no_change=5, random_state=0).fit(X, y)
    assert 30 < net.n_iter_ < 100
    net.set_params(validation_fraction=0.99)  # of two rows one is left
    assert net.fit([[0.0], [1.0]], [0, 1]).n_iter_ > 30


def test_early_stopping_where_all_rows_are_missing():
    X, P = np.full((9, 1), np.nan), np.full((9, 2), 0.5)
    net = SoftNetClassifier((4,), n_iter_no_change=2, max_iter=3).fit(X, P)
    assert net.compact_.tables == ()


@pytest.mark.parametrize("n_iter_no_change", [None, 3])
def test_a_learning_rate_that_is_too_large_is_named(n_iter_no_change):
    X, y = rings(100)
    settings = {"n_iter_no_change": n_iter_no_change, "max_iter": 5}
    with pytest.raises(ValueError, match=r"not finite: lower learning_rate_init=1e\+30"):
        SoftNetClassifier((4,), learning_rate_init=1e30, **settings).fit(X, y)


def test_a_penalty_that_is_too_large_is_named():
    X, y = rings(100)
    with pytest.raises(ValueError, match=r"not finite: lower l2_regularization=1e\+30$"):
        SoftNetClassifier((4,), l2_regularization=1e30, max_iter=5).fit(X, y)


def test_a_column_that_varies_too_little_warns_the_caller_of_fit():
    X, y = rings(200)
    X[:, 1] *= 1e-31
    with pytest.warns(UserWarning, match=r"column 1 of X .* of 1e-31, .* multiply") as caught:
        net = SoftNetClassifier((4,), max_iter=2).fit(X, y)
    assert caught[0].filename == __file__
    assert net.compact_.table(NetTable).features.tolist() == [0]


def test_constant_columns_leave_the_mean_probabilities():
    P = np.tile([[0.2, 0.3, 0.5]], (10, 1))
    net = SoftNetClassifier().fit(np.ones((10, 2)), P)
    assert net.predict_proba(np.zeros((1, 2))) == pytest.approx(P[:1], abs=1e-4)
    assert net.compact_.tables == () and net.n_iter_ == 0
    assert net.fit(np.ones((10, 2)), P[:, :2] / 0.5).predict_proba(np.zeros((1, 2)))[
        0
    ] == pytest.approx([0.4, 0.6], abs=1e-4)


def test_importances_are_zero_for_noise_that_is_not_read():
    X, y = rings()
    X = np.column_stack([X, np.zeros(len(X))])
    net = SoftNetClassifier((8,), **FAST).fit(X, y)
    assert net.feature_importances_[2] == 0
    assert net.feature_importances_.sum() == pytest.approx(1)
    assert net.compact_.table(NetTable).features.tolist() == [0, 1]


def test_too_many_columns_are_refused_before_training():
    X = np.arange(2 * 32_769).reshape(2, -1) % 7
    with pytest.raises(ValueError, match="reads 32767 columns at most, but X has 32768 that are"):
        SoftNetClassifier((1,), max_iter=10**9).fit(X[:, :32_768], [0, 1])


@pytest.mark.parametrize("every", [100, 20])
@pytest.mark.parametrize("sentinel", [-9999.0, 1e30])
def test_sentinels_leave_the_other_numbers_readable(sentinel, every):
    X, y = rings(2000)
    X[::every, 0] = sentinel
    y[::every] = 1
    net = SoftNetClassifier((16,), **FAST).fit(X, y)
    ordinary = np.arange(len(X)) % every > 0
    assert net.score(X[ordinary], y[ordinary]) > 0.95
    assert net.score(X[~ordinary], y[~ordinary]) > 0.95


def noisy(n, seed=0):
    """Ten columns, one of which says something about the class."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 10))
    return X, (rng.random(n) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(int)


def test_few_noisy_rows_are_not_learnt_by_heart():
    X, y = noisy(500)
    X_test, y_test = noisy(4000, seed=1)
    net = SoftNetClassifier(max_iter=60, random_state=0).fit(X, y)
    free = SoftNetClassifier(max_iter=60, l2_regularization=0, random_state=0).fit(X, y)
    best = log_loss(y_test, 1 / (1 + np.exp(-2 * X_test[:, 0])))
    loss = log_loss(y_test, net.predict_proba(X_test))
    assert loss < best + 0.15
    assert log_loss(y_test, free.predict_proba(X_test)) > best + 0.6


@pytest.mark.parametrize(
    ("n", "share"), [(9000, 1 - 9000 / 10_000), (9800, 0.06), (10_000, 0.06), (20_000, 0.03)]
)
def test_many_rows_need_less_of_a_penalty(n, share):
    X, y = noisy(n)
    auto = SoftNetClassifier((4,), max_iter=2, random_state=0).fit(X, y).compact_
    net = SoftNetClassifier((4,), max_iter=2, l2_regularization=0.004 * share, random_state=0)
    np.testing.assert_allclose(net.fit(X, y).compact_.scale, auto.scale, rtol=1e-6)
    free = SoftNetClassifier((4,), max_iter=2, l2_regularization=0, random_state=0).fit(X, y)
    assert free.compact_.scale != auto.scale


@pytest.mark.parametrize(("alpha", "share"), [(0.0, 1.0), (0.5, 0.25), (1.0, 0.0)])
def test_labels_of_a_teacher_need_less_of_a_penalty(alpha, share):
    X, y = noisy(500)
    targets = SoftTargets(np.full((500, 2), 0.5), y, alpha)
    auto = SoftNetClassifier((4,), max_iter=2, random_state=0).fit(X, targets).compact_
    l2_regularization = 0.004 * share * (1 - 500 / 10_000)
    net = SoftNetClassifier((4,), max_iter=2, l2_regularization=l2_regularization, random_state=0)
    assert net.fit(X, targets).compact_.equals(auto)


def test_labels_as_probabilities_have_the_penalty_of_labels():
    X, y = noisy(500)
    net = SoftNetClassifier((4,), max_iter=2, random_state=0)
    assert net.fit(X, np.eye(2)[y]).compact_.equals(net.fit(X, y).compact_)


def test_a_penalty_makes_weights_smaller():
    X, y = rings()
    sizes = []
    for l2_regularization in (0, 1e-3, 1e-2):
        net = SoftNetClassifier((16,), l2_regularization=l2_regularization, **FAST).fit(X, y)
        sizes.append(np.abs(net.compact_.scores(X) * net.compact_.scale).mean())
    assert sizes[0] > sizes[1] > sizes[2]
