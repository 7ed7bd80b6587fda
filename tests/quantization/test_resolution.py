"""Targets far from 0: enough bits, or a warning with what is lost."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdistill import (
    DistilledRegressor,
    SoftBoostingRegressor,
    SoftLinearRegressor,
    SoftTreeRegressor,
    convert,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1000, 4))
F = X @ [1.0, -2.0, 0.5, 3.0]
F /= F.std()
STUDENTS = [
    SoftTreeRegressor(max_leaf_nodes=32),
    SoftBoostingRegressor(8, random_state=0),
    SoftBoostingRegressor(8, init="linear", random_state=0),
    SoftLinearRegressor(),
    DistilledRegressor(Ridge(), SoftLinearRegressor(), transfer_set=None, cv=2),
]
CONVERTED = [
    DecisionTreeRegressor(max_depth=5),
    RandomForestRegressor(5, max_depth=5, random_state=0),
    GradientBoostingRegressor(n_estimators=10),
    HistGradientBoostingRegressor(max_iter=10),
    LinearRegression(),
    make_pipeline(StandardScaler(), Ridge()),
]


def lost(converted, estimator):
    """Root mean squared error of the conversion, in standard deviations."""
    expected = estimator.predict(X)
    return np.sqrt(np.mean((converted.predict(X) - expected) ** 2)) / expected.std()


def fit_around(estimator, mean):
    """Fit targets around `mean`; CART, which adds up their squares, is moved there afterwards.

    Squares of 1e8 leave a float64 no digits for the gain of a split: the tree would be chance.
    """
    if not isinstance(estimator, (DecisionTreeRegressor, RandomForestRegressor)):
        return estimator.fit(X, F + mean)
    estimator.fit(X, F)
    for tree in getattr(estimator, "estimators_", [estimator]):
        tree.tree_.value[:] += mean
    return estimator


def figure(caught):
    """What a warning says is lost."""
    (text,) = {str(warning.message) for warning in caught}
    return float(text.split("about ")[1].split("%")[0]) / 100


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_students_say_what_they_lose(student):
    for mean in (0.0, -1e4):
        student.fit(X, F + mean)  # warnings are errors
    mean = 1e9
    for target in (F + mean, np.column_stack([F, F + mean])):
        column = "column 1 of y" if target.ndim > 1 else "y"
        with pytest.warns(UserWarning, match=f"int32 scores .* {column}, which .* 1e.09") as caught:
            student.fit(X, target)
        assert figure(caught) > 0.2


@pytest.mark.parametrize("estimator", CONVERTED, ids=lambda e: type(e).__name__)
def test_convert_says_what_it_loses(estimator):
    for mean in (0.0, 1e4):
        assert lost(convert(fit_around(estimator, mean), X), estimator) < 0.03
    fit_around(estimator, -1e8)
    with pytest.warns(UserWarning, match="int32 scores .* near -1e.08.*: subtract") as caught:
        model = convert(estimator, X)
    assert caught[0].filename == __file__
    told, measured = figure(caught), lost(model, estimator)
    assert measured / 2 < told < 2 * measured or (told == 1 and measured > 0.5)


@pytest.mark.parametrize("mean", [0.0, 1e3, 1e5, -1e5])
def test_more_bits_never_lose_more(mean):
    y = F + mean + 0.1 * np.random.default_rng(1).normal(size=len(F))
    linear = LinearRegression().fit(X, y)
    for name in ("value_bits", "threshold_bits"):
        errors = [lost(convert(linear, X, **{name: bits}), linear) for bits in (4, 6, 8, 12, 16)]
        assert all(later <= 1.1 * earlier + 0.002 for earlier, later in pairwise(errors))
        assert errors[2] < 0.02 and errors[-1] < 0.01
    assert lost(convert(linear, X), linear) < 0.01


def test_fewer_input_bits_than_asked_for_need_a_reason():
    linear = LinearRegression().fit(X, F + 1e4)
    assert convert(linear, X, threshold_bits=12).tables[0].input_bits == 12
    far = LinearRegression().fit(X, F + 1e5)
    assert convert(far, X, threshold_bits=16).tables[0].input_bits < 12


@pytest.mark.parametrize(("init", "trees"), [(None, 8), (None, 32), ("linear", 8)])
def test_the_figure_of_boosting_is_near_what_is_measured(init, trees):
    def error(y):
        student = SoftBoostingRegressor(trees, init=init, random_state=0).fit(X, y)
        return np.sqrt(np.mean((student.predict(X) - y) ** 2))

    near = error(F)
    with pytest.warns(UserWarning, match="int32") as caught:
        far = error(F + 1e8)
    assert 0.3 < figure(caught) / np.sqrt(far**2 - near**2) < 3


def test_constant_targets_lose_nothing():
    for student in STUDENTS[:4]:
        student.fit(X, np.full(len(X), 1e9))
        student.fit(X, np.column_stack([F, np.full(len(X), 1e9)]))
    convert(LinearRegression().fit(X, np.full(len(X), 1e9)), X)
    convert(DecisionTreeRegressor().fit(X, np.full(len(X), 1e9)))


def test_inputs_that_float32_rounds():
    rows = X + np.array([0, 4e6, 0, 0])
    linear = LinearRegression().fit(rows, F)
    with pytest.warns(
        UserWarning, match=r"float32 rounds .*, most of it by column 1: sub"
    ) as caught:
        model = convert(linear, rows)
    measured = np.sqrt(np.mean((model.predict(rows) - linear.predict(rows)) ** 2))
    told = float(str(caught[0].message).split("loses ")[1].split("%")[0]) / 100
    assert caught[0].filename == __file__ and measured / 2 < told < 2 * measured
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        convert(linear, rows.astype(np.float32))  # nothing is left to lose
        convert(LinearRegression().fit(X + 1e3, F), X + 1e3)
