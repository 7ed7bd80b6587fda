"""The semantics, against an interpreter that walks the tables one Python number at a time."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import InputGrid, LinearTable, TreeTable, evaluate
from tests.strategies import INPUT_DTYPES, adversarial_rows, compact_models, seeds


def to_float32(x):
    """Nearest float32, ties to even, infinite beyond; in one rounding for integers too."""
    if isinstance(x, int):
        shift = max(0, abs(x).bit_length() - 53)
        x = float((abs(x) >> shift | (abs(x) % (1 << shift) > 0)) << shift) * (-1 if x < 0 else 1)
    return ctypes.c_float(x).value


def walk(trees, x, root):
    """Leaf that one row reaches."""
    grid, node = trees.grid, root
    while node >= 0:
        f, t = int(trees.feature[node]), int(trees.threshold[node])
        v = x[int(grid.features[f])]
        v = to_float32(v) if grid.dtype == "float32" else float(v)
        threshold = grid.edges[int(grid.offsets[f]) : int(grid.offsets[f + 1])][t].item()
        left = bool(trees.nan_left[node]) if math.isnan(v) else v <= threshold
        node = int(trees.left[node] if left else trees.right[node])
    return -node - 1


def rounded_input(linear, x, f):
    """q of one value: every float32 operation is one in double, rounded once more."""
    v = to_float32(x[int(linear.features[f])])
    steps = to_float32(to_float32(v - linear.offset[f].item()) * linear.inv_step[f].item())
    if math.isnan(steps):
        return 0
    most = 2 ** (linear.input_bits - 1) - 1
    return round(min(max(steps, -most), most))


def scores_of_row(model, x):
    total = [int(b) for b in model.bias]
    for trees in model.tables_of(TreeTable):
        for root in trees.roots.tolist():
            values = trees.values[walk(trees, x, root)].tolist()
            total = [a + trees.unit * v for a, v in zip(total, values, strict=True)]
    for linear in model.tables_of(LinearTable):
        for f in range(len(linear.features)):
            q = rounded_input(linear, x, f)
            total = [a + q * int(w) for a, w in zip(total, linear.weights[f], strict=True)]
    return total


def probabilities_of_row(model, row):
    z = [s * model.scale for s in row]
    if len(model.classes) == 1:
        return [1.0]
    if len(z) == 1:
        p = 1 / (1 + math.exp(-z[0])) if model.link == "sigmoid" else min(max(0.5 + z[0], 0), 1)
        return [1 - p, p]
    votes = [math.exp(v - max(z)) if model.link == "softmax" else max(v, 0) for v in z]
    return [v / sum(votes) if sum(votes) else 1 / len(votes) for v in votes]


def label_of_row(model, row):
    if len(row) == 1:
        number = int(row[0] > model.threshold)
    else:
        number = max(range(len(row)), key=lambda k: (row[k], -k))
    return model.classes[0 if len(model.classes) == 1 else number]


@given(compact_models(), seeds, st.sampled_from(INPUT_DTYPES))
def test_scores_labels_and_probabilities_equal_the_interpreter(model, seed, dtype):
    X = adversarial_rows(model, seed, n=40, dtype=dtype)
    expected = [scores_of_row(model, x) for x in X.tolist()]
    scores = model.scores(X)
    assert scores.dtype == np.int32
    assert scores.tolist() == expected
    assert model.predict(X).tolist() == [label_of_row(model, row) for row in expected]
    P = model.predict_proba(X)
    assert np.allclose(
        P, [probabilities_of_row(model, row) for row in expected], rtol=0, atol=1e-12
    )
    assert np.allclose(P.sum(axis=1), 1, rtol=0, atol=1e-12)


@given(compact_models(regression=True), seeds)
def test_regression_models_answer_scaled_scores(model, seed):
    X = adversarial_rows(model, seed, n=20)
    expected = np.array([scores_of_row(model, x) for x in X.tolist()]) * model.scale
    assert np.array_equal(model.predict(X), expected[:, 0] if model.n_scores == 1 else expected)
    with pytest.raises(ValueError, match="no probabilities"):
        model.predict_proba(X)


@given(compact_models(), seeds)
def test_leaves_are_those_of_the_interpreter(model, seed):
    X = adversarial_rows(model, seed, n=20)
    if not model.tables_of(TreeTable):
        with pytest.raises(ValueError, match="no trees table"):
            evaluate.leaves(model, X)
        return
    trees = model.table(TreeTable)
    expected = [[walk(trees, x, root) for root in trees.roots.tolist()] for x in X.tolist()]
    assert evaluate.leaves(model, X).tolist() == expected


@given(compact_models(), seeds)
def test_labels_are_where_probabilities_are_largest(model, seed):
    scores = model.scores(adversarial_rows(model, seed))
    P = evaluate.probabilities(model, scores)
    if len(model.classes) > 1:
        chosen = P[np.arange(len(P)), evaluate.labels(scores)]
        assert (chosen >= P.max(axis=1) - 1e-12).all()


def constant(bias, link="softmax", scale=1.0, classes=None):
    K = 2 if len(bias) == 1 else len(bias)
    return CompactModel(1, bias, scale, link, np.arange(K) if classes is None else classes)


@pytest.mark.parametrize(
    ("bias", "label"),
    [
        ([0], 0),
        ([1], 1),
        ([-1], 0),
        ([5, 5, 5], 0),
        ([1, 7, 7], 1),
        ([7, 1, 7], 0),
        ([-3, -2, -2], 1),
    ],
)
@pytest.mark.parametrize("link", ["logits", "normalize"])
def test_ties_go_to_the_lowest_class(bias, label, link):
    if link == "logits":
        link = "sigmoid" if len(bias) == 1 else "softmax"
    assert constant(bias, link).predict([[0]]).tolist() == [label]


def test_one_class_is_answered_whatever_the_score():
    model = constant([-5], "sigmoid", classes=["only"])
    assert model.predict([[0], [1]]).tolist() == ["only", "only"]
    assert model.predict_proba([[0], [1]]).tolist() == [[1], [1]]


def test_probabilities_of_extreme_scores_neither_overflow_nor_vanish():
    most = 2**31 - 1
    assert constant([most, -most, 0]).predict_proba([[0]]).tolist() == [[1, 0, 0]]
    assert constant([-most], "sigmoid").predict_proba([[0]]).tolist() == [[1, 0]]
    assert constant([most], "sigmoid", 1e30).predict_proba([[0]]).tolist() == [[0, 1]]
    assert constant([most], "normalize").predict_proba([[0]]).tolist() == [[0, 1]]


def test_votes_are_shares_and_no_vote_is_even():
    assert constant([1, 0, 3], "normalize").predict_proba([[0]]).tolist() == [[0.25, 0, 0.75]]
    assert constant([-1, 0, 3], "normalize").predict_proba([[0]]).tolist() == [[0, 0, 1]]
    assert constant([-1, -2, 0, -9], "normalize").predict_proba([[0]]).tolist() == [[0.25] * 4]
    assert constant([1], "normalize", 0.25).predict_proba([[0]]).tolist() == [[0.25, 0.75]]


def ruler(offset, inv_step, bits=8):
    """A model whose score is the rounded input."""
    linear = LinearTable([0], np.float32([offset]), np.float32([inv_step]), bits, [[1]], 8)
    return CompactModel(1, [0], 1.0, "identity", None, [linear])


def test_linear_inputs_round_half_to_even_saturate_and_read_nan_as_the_offset():
    X = np.array([[0.5], [1.5], [2.5], [-0.5], [-1.5], [126.5], [127.5], [1e300], [-1e300]])
    assert ruler(0, 1).scores(X)[:, 0].tolist() == [0, 2, 2, 0, -2, 126, 127, 127, -127]
    assert ruler(3, 1).scores([[np.nan], [np.inf], [-np.inf]])[:, 0].tolist() == [0, 127, -127]
    assert ruler(0, 3e38, 2).scores([[1e-45], [0.0], [-1e30]])[:, 0].tolist() == [0, 0, -1]


def test_linear_inputs_are_subtracted_and_multiplied_with_a_rounding_each():
    offset, inv_step = np.float32(0.1), np.float32(1 / 3)
    half_ways = (np.arange(-2000, 2000) + 0.5) / np.float64(inv_step) + np.float64(offset)
    X = half_ways.astype(np.float32)
    X = np.concatenate(
        [X, np.nextafter(X, np.float32(-np.inf)), np.nextafter(X, np.float32(np.inf))]
    )
    away = [to_float32(x - offset.item()) for x in X.tolist()]
    expected = [round(to_float32(x * inv_step.item())) for x in away]
    fused = [round(to_float32((x - offset.item()) * inv_step.item())) for x in X.tolist()]
    assert expected != fused  # else the rows below could not tell one way from the other
    assert ruler(offset, inv_step, 16).scores(X[:, None])[:, 0].tolist() == expected


def test_rows_beyond_one_chunk_are_answered_as_alone():
    grid = InputGrid([0, 1], [0, 1, 2], np.array([0, 1], np.float32))
    children = [1, -1], [-1, -2]
    trees = TreeTable(grid, [0, 1], [0, 1], [0, 0], *children, [True, False], [[3], [-4]], 8)
    linear = LinearTable([1], [0.5], [2.0], 4, [[5]], 8)
    model = CompactModel(2, [0], 1.0, "sigmoid", [0, 1], [trees, linear])
    X = np.random.default_rng(1).normal(size=(2 * evaluate.CHUNK + 3, 2))
    parts = [model.scores(X[i : i + 1000]) for i in range(0, len(X), 1000)]
    assert np.array_equal(model.scores(X), np.concatenate(parts))
    leaves = [evaluate.leaves(model, X[i : i + 1000]) for i in range(0, len(X), 1000)]
    assert np.array_equal(evaluate.leaves(model, X), np.concatenate(leaves))


@given(compact_models(), seeds)
def test_the_layout_of_the_rows_does_not_matter(model, seed):
    X = adversarial_rows(model, seed)
    expected = model.scores(X)
    wide = np.repeat(X, 2, axis=0)
    assert np.array_equal(model.scores(np.asfortranarray(X)), expected)
    assert np.array_equal(model.scores(wide[::2]), expected)
    assert np.array_equal(model.scores(X.tolist()), expected)
    assert model.scores(X[:0]).shape == (0, model.n_scores)
    assert model.predict(X[:0]).shape == (0,)


@pytest.mark.parametrize("X", [[1, 2], [[1, 2], [3, 4]], [[[1]]]])
def test_rows_that_are_no_numeric_table_are_refused(X):
    with pytest.raises(ValueError, match="X must"):
        constant([1], "sigmoid").scores(X)


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="could not convert string to float: 'a' in column 0"):
        constant([1], "sigmoid").scores([["a"]])
    with pytest.raises(ValueError, match="Complex data not supported"):
        constant([1], "sigmoid").scores([[1j]])
    assert constant([1], "sigmoid").scores([[None]]).tolist() == [[1]]


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_data_frames_have_the_columns_of_the_model_in_their_order(kind):
    model = CompactModel(2, [0], 1.0, "sigmoid", [0, 1], feature_names=("size", "age"))
    assert model.predict(kind({"size": [1.0], "age": [2.0]})).tolist() == [0]
    for names in (("age", "size"), ("size", "rent")):
        with pytest.raises(ValueError, match=r"feature names should match .* \['size', 'age'\]"):
            model.predict(kind({name: [1.0] for name in names}))
    unnamed = CompactModel(2, [0], 1.0, "sigmoid", [0, 1])
    with pytest.warns(UserWarning, match="X has feature names, but the model has none"):
        assert unnamed.predict(kind({"age": [1.0], "size": [2.0]})).tolist() == [0]
