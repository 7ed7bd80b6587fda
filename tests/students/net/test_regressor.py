"""The network student for values: several targets, each in its own scale."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from skdistill import SoftNetRegressor

FAST = {"max_iter": 40, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(800, 3)).astype(np.float32)
Y = np.sin(2 * X[:, 0]) + X[:, 1] * (X[:, 2] > 0)


def test_it_fits_what_is_not_linear():
    net = SoftNetRegressor((24, 12), weight_bits=6, **FAST).fit(X, Y)
    assert net.score(X, Y) > 0.95 > LinearRegression().fit(X, Y).score(X, Y) + 0.3


def test_targets_have_scales_of_their_own():
    y = np.column_stack([Y, 1e6 * Y + 1e8, 1e-20 * X[:, 0], np.full(len(X), 12.5)])
    net = SoftNetRegressor((24,), **FAST).fit(X, y)
    predicted = net.predict(X)
    residual = ((y - predicted) ** 2).mean(axis=0)[:3] / y[:, :3].var(axis=0)
    assert (residual < 0.1).all()
    assert (predicted[:, 3] == 12.5).all()


def test_scale_and_offset_of_a_target_hardly_matter():
    one = SoftNetRegressor((16,), **FAST).fit(X, Y).predict(X)
    other = SoftNetRegressor((16,), **FAST).fit(X, 1024 * Y).predict(X)
    assert other == pytest.approx(1024 * one, rel=1e-5, abs=1e-2)


def test_a_constant_target_is_met_exactly():
    net = SoftNetRegressor().fit(X, np.full(len(X), -3.75))
    assert (net.predict(X) == -3.75).all() and net.compact_.tables == ()


def test_constant_columns_leave_the_mean():
    net = SoftNetRegressor().fit(np.ones((4, 1)), [1.0, 2.0, 3.0, 4.0])
    assert net.predict([[0.0]]) == pytest.approx([2.5], abs=0.02)


def test_a_target_may_lie_far_from_0():
    net = SoftNetRegressor((16,), **FAST).fit(X, Y + 1e6)
    assert net.score(X, Y + 1e6) > 0.75


def test_a_target_too_far_from_0_warns_the_caller_of_fit():
    with pytest.warns(UserWarning, match="int32 scores lose about") as caught:
        net = SoftNetRegressor((16,), **FAST).fit(X, Y + 1e8)
    assert caught[0].filename == __file__
    assert np.abs(net.predict(X) - (Y + 1e8)).mean() < 1e8 * 2**-24


@pytest.mark.parametrize("other", [Y + 1e9, 1e-40 * Y])
def test_a_target_that_float32_does_not_hold_spoils_no_other(other):
    net = SoftNetRegressor((16,), **FAST)
    alone = net.fit(X, Y).score(X, Y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "int32 scores lose")
        predicted = net.fit(X, np.column_stack([Y, other])).predict(X)
    assert r2_score(Y, predicted[:, 0]) > alone - 0.05


def test_targets_that_vary_less_than_float32_numbers_are_constants():
    net = SoftNetRegressor((16,), **FAST).fit(X, 1e-300 * Y)
    assert net.compact_.tables == () and (net.predict(X) == 0).all()


@pytest.mark.parametrize("max_bytes", [150, 1500])
def test_a_network_takes_no_more_than_max_bytes(max_bytes):
    y = np.column_stack([Y, 1e6 * Y + 1e8])
    net = SoftNetRegressor(max_bytes=max_bytes, max_iter=2, random_state=0).fit(X, y)
    assert 0.85 * max_bytes < net.compact_.nbytes <= max_bytes
