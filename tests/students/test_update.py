"""Adapting: only values move, no further than they may, and to where the user's rows are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier

from skdistill import (
    CompactModel,
    SoftBoostingClassifier,
    SoftBoostingRegressor,
    SoftLinearClassifier,
    SoftTreeClassifier,
    SoftTreeRegressor,
    adapt,
    convert,
)
from skdistill.compact import InputGrid, LinearTable, TreeTable, evaluate
from skdistill.compact.tables.tree_table import MAX_LEAF_SCORE
from skdistill.device.compile import build
from skdistill.device.cores import find_target
from skdistill.device.emulate import run
from skdistill.export.c import device_input, to_c, value_table
from tests.strategies import compact_models, seeds, units

WINE, CANCER = load_wine(return_X_y=True), load_breast_cancer(return_X_y=True)
STUDENTS = [
    SoftTreeClassifier(max_leaf_nodes=8),
    SoftBoostingClassifier(6, value_bits=4, random_state=0),
    SoftBoostingClassifier(6, init="linear", value_bits="ternary", random_state=0),
    SoftLinearClassifier(),
]


def log_loss(model, X, y):
    P = evaluate.probabilities(model, model.scores(X))
    return -np.log(P[np.arange(len(y)), y]).mean()


def assert_same_but_for_values(a, b):
    assert np.array_equal(a.scale, b.scale)
    assert (a.link, a.n_features) == (b.link, b.n_features)
    for trees in a.tables_of(TreeTable):
        others = b.table(TreeTable)
        assert replace(trees, values=others.values).equals(others)
    if a.tables_of(LinearTable):
        assert np.array_equal(a.table(LinearTable).weights, b.table(LinearTable).weights)


@pytest.mark.parametrize("data", [WINE, CANCER], ids=["wine", "cancer"])
@pytest.mark.parametrize("student", STUDENTS)
def test_a_user_whose_sensors_are_off_is_served_better(student, data):
    X, y = data
    student.fit(X[::2], y[::2])
    theirs = X[1::2] + X.std(axis=0) * (np.arange(X.shape[1]) < 4)
    before = log_loss(student.compact_, theirs, y[1::2])
    own = adapt(student, theirs, y[1::2], bias=True)
    assert_same_but_for_values(own, student.compact_)
    assert log_loss(own, theirs, y[1::2]) < before
    if own.tables_of(TreeTable):
        leaves = adapt(student, theirs, y[1::2])
        assert_same_but_for_values(leaves, student.compact_)
        assert log_loss(leaves, theirs, y[1::2]) <= before


@given(compact_models(), seeds, st.floats(0.01, 2), st.booleans())
def test_no_value_moves_further_than_it_may(model, seed, max_delta, bias):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, model.n_features)) * 3
    y = rng.choice(model.classes, 20)
    if model.link == "normalize" or (not model.tables_of(TreeTable) and not bias):
        with pytest.raises(ValueError, match=r"link 'normalize'|model has no trees"):
            adapt(model, X, y, bias=bias)
        return
    own = adapt(model, X, y, max_delta=max_delta, l2_regularization=1e-3, bias=bias)
    assert_same_but_for_values(own, model)
    unit = model.scale
    assert (np.abs(own.bias - model.bias) * unit <= (max_delta + unit) * bias).all()
    if model.tables_of(TreeTable):
        moved = (
            np.abs(
                own.table(TreeTable).scaled_values.astype(float)
                - model.table(TreeTable).scaled_values
            )
            * unit
        )
        assert (moved <= max_delta + unit * model.table(TreeTable).unit).all()
        unseen = np.ones(len(moved), bool)
        unseen[evaluate.leaves(model, X)] = False
        assert (moved[unseen] == 0).all()


@given(
    st.one_of(compact_models(), compact_models(regression=True)), seeds, st.floats(1, 1e12), units
)
def test_moves_of_any_size_leave_a_valid_model(model, seed, max_delta, unit):
    """A `CompactModel` validates itself: leaves within 2**24, scores within int32."""
    assume(model.link != "normalize")
    for trees in model.tables_of(TreeTable):
        most = max(1, int(np.abs(trees.values).max()))
        model = model.with_table(replace(trees, unit=min(unit, MAX_LEAF_SCORE // most)))
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, model.n_features)) * 3
    if model.classes is None:
        span = model.score_bound * np.asarray(model.scale, float)
        y, max_delta = (
            rng.normal(size=(20, model.n_scores)) * span * 100,
            1.0 + float(span.max()) * 100,
        )
    else:
        y = rng.choice(model.classes, 20)
    own = adapt(model, X, y, max_delta=max_delta, l2_regularization=1e-9, bias=True)
    assert_same_but_for_values(own, model)


def test_a_leaf_stays_within_what_float32_adds_up_exactly():
    grid = InputGrid([0], [0, 1], np.float32([0]))
    trees = TreeTable(grid, [-1], [], [], [], [], [], [[16_700]], value_bits=16, unit=1000)
    model = CompactModel(1, [0], 1.0, "identity", None, [trees])
    own = adapt(model, np.zeros((9, 1)), np.full(9, 1e8), max_delta=1e9)
    assert own.table(TreeTable).values.tolist() == [[MAX_LEAF_SCORE // 1000]]


def test_scores_stay_within_int32_however_many_trees_there_are():
    """200 trees of one leaf of nearly 2**23 each: 200 leaves of 2**24 would overflow."""
    low, high = 2**23 - 2**9, 2**24 - 2**9
    grid = InputGrid([0], [0, 1], np.float32([0]))
    leaves = {"values": [[low // 512]], "value_bits": 16, "unit": 512}
    trees = TreeTable(grid, [-1] * 200, [], [], [], [], [], **leaves)
    model = CompactModel(1, [0], 1.0, "identity", None, [trees])
    own = adapt(model, np.zeros((9, 1)), np.full(9, 200.0 * high), max_delta=1e9)
    assert own.table(TreeTable).values[0, 0] > model.table(TreeTable).values[0, 0]
    assert own.score_bound[0] > 0.99 * 2**31


def test_leaf_values_alone_move_unless_the_bias_is_asked_for():
    X, y = CANCER
    student = SoftBoostingClassifier(6, random_state=0).fit(X, y)
    alone = adapt(student, X, 1 - y)
    assert np.array_equal(alone.bias, student.compact_.bias)
    assert not np.array_equal(
        alone.table(TreeTable).values, student.compact_.table(TreeTable).values
    )
    both = adapt(student, X, 1 - y, bias=True)
    assert not np.array_equal(both.bias, student.compact_.bias)
    assert np.array_equal(alone.table(TreeTable).values, both.table(TreeTable).values)


@pytest.mark.parametrize("layout", ["table", "code"])
def test_adapted_values_are_written_over_those_of_a_device(layout):
    """On the emulated core: the program copies `value_table` over the values it keeps in RAM."""
    X, y = load_wine(return_X_y=True)
    model = SoftBoostingClassifier(4, random_state=0).fit(X[::2], y[::2]).compact_
    own = adapt(model, X[1::2] + X.std(axis=0), y[1::2])
    options = {"output": "scores", "layout": layout}
    table = value_table(model, own, **options)
    numbers = ", ".join(str(value) for value in table.ravel())
    kind = f"{table.dtype}_t"
    program = f"""
#include <stdint.h>
#include <string.h>
extern {kind} model_values[{table.size}];
static const {kind} adapted[{table.size}] = {{{numbers}}};
void model_scores(const float *x, int32_t *scores);
void adapted_scores(const float *x, int32_t *scores) {{
  memcpy(model_values, adapted, sizeof adapted);
  model_scores(x, scores);
}}
"""
    exported = to_c(model, name="model", values_in_ram=True, **options)
    sources = {"model.c": exported, "program.c": program}
    functions = ["model_scores", "adapted_scores"]
    image = build(sources, find_target("cortex-m0"), functions)
    rows = device_input(model, X, "float32")
    for function, expected in zip(functions, (model, own), strict=True):
        outputs = run(image, function, rows, output_bytes=4 * model.n_scores).outputs
        assert np.array_equal(outputs.view(np.int32), expected.scores(X))


@pytest.mark.parametrize("student", [SoftTreeRegressor(), SoftBoostingRegressor(6, random_state=0)])
def test_regressions_move_toward_the_users_values(student):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.column_stack([X[:, 0], 5 * X[:, 1]])
    student.fit(X, y)
    theirs = y + np.array([0.5, 2.0])
    before = np.square(student.predict(X) - theirs).mean(axis=0)
    for bias in (False, True):
        own = adapt(student, X, theirs, bias=bias, max_delta=3.0)
        told = evaluate.predict(own, own.scores(X))
        assert (np.square(told - theirs).mean(axis=0) < before).all()


def test_what_was_learnt_stays_where_rows_say_nothing_else():
    X, y = CANCER
    student = SoftBoostingClassifier(6, random_state=0).fit(X, y)
    own = adapt(student, X[:20], student.predict(X[:20]))
    assert (own.predict(X) == student.predict(X)).mean() > 0.97


def test_weights_are_repetitions():
    X, y = WINE
    student = SoftBoostingClassifier(4, random_state=0).fit(X, y)
    times = np.random.default_rng(0).integers(0, 3, len(X))
    weighted = adapt(student, X, np.roll(y, 5), times)
    repeated = adapt(student, np.repeat(X, times, axis=0), np.repeat(np.roll(y, 5), times))
    away = weighted.table(TreeTable).values - repeated.table(TreeTable).values
    assert np.abs(away).max() <= 1 and (away == 0).mean() > 0.9  # L-BFGS takes other steps


def test_columns_in_another_order_are_refused():
    X = pd.DataFrame(WINE[0]).add_prefix("x")
    model = SoftTreeClassifier(max_leaf_nodes=4).fit(X, WINE[1])
    assert adapt(model, X, WINE[1]).equals(adapt(model, X.to_numpy(), WINE[1]))
    with pytest.raises(ValueError, match="feature names should match"):
        adapt(model, X[X.columns[::-1]], WINE[1])


def test_refusals_name_what_is_wrong():
    X, y = WINE
    forest = convert(RandomForestClassifier(3, random_state=0).fit(X, y))
    with pytest.raises(ValueError, match="normalize"):
        adapt(forest, X, y)
    linear = SoftLinearClassifier().fit(X, y)
    with pytest.raises(ValueError, match=r"model has no trees.*pass bias=True"):
        adapt(linear, X, y)
    with pytest.raises(ValueError, match="among the model's classes: \\[7\\]"):
        adapt(linear, X[:1], [7], bias=True)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        adapt(linear, X, y[:-1], bias=True)
    with pytest.raises(ValueError, match="'max_delta' parameter"):
        adapt(linear, X, y, bias=True, max_delta=0)
    one = SoftTreeClassifier().fit(X, np.zeros(len(X)))
    assert adapt(one, X, np.zeros(len(X)), bias=True) is one.compact_
