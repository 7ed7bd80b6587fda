"""Labels and indexes in ONNX Runtime give what they give in Python."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnxruntime")

from skdistill import CompactModel
from skdistill.compact import CategoryTable
from skdistill.export.onnx import to_onnx
from skdistill.export.onnx.categories import Part, graph_input, ranked_table
from skdistill.export.onnx.parity import count_mismatches, open_session
from tests.strategies import category_tables, compact_models, labelled_rows, seeds, tree_models

DTYPES = st.sampled_from(["float32", "float64"])


@given(st.one_of(tree_models(), compact_models()), seeds, st.booleans(), DTYPES)
def test_labels(model, seed, columns, dtype):
    rng = np.random.default_rng(seed)
    table = category_tables(rng, model.n_features)
    model = replace(model, categories=table)
    proto = to_onnx(model, per_column_inputs=columns, input_dtype=dtype)
    X = labelled_rows(rng, table, model.n_features, 60)
    assert count_mismatches(model, open_session(proto.SerializeToString()), X) == 0
    assert len(proto.graph.input) == (model.n_features if columns else 1)


@given(compact_models(), seeds)
def test_any_number_in_place_of_an_index(model, seed):
    rng = np.random.default_rng(seed)
    table = category_tables(rng, model.n_features)
    model = replace(model, categories=table)
    X = (rng.normal(size=(60, model.n_features)) * 30).astype(np.float32)
    odd = [0, -0.0, 0.9, 1, 2, 3.5, 5, 29.99, 30, 31, 120, 121, 122, -3, -0.5, 1e9, np.nan, np.inf]
    for column in table.columns:
        X[:, column] = rng.choice(odd, len(X))
    assert count_mismatches(model, open_session(to_onnx(model).SerializeToString()), X) == 0


def test_integer_inputs_take_indexes_and_whole_labels():
    table = CategoryTable([0, 1], [["a", "b"], [5, 7]], range(8))
    grid_free = CompactModel(2, [0], 1.0, "sigmoid", [0, 1], categories=table)
    X = np.array([["b", 7], ["q", 6], ["", 5]], object)
    feed = graph_input(grid_free, X, input_dtype="int64")
    assert feed["X"].dtype == np.int64 and feed["X"][:, 0].tolist() == [1, 3, 2]
    with pytest.raises(ValueError, match="missing values, which int64"):
        graph_input(grid_free, np.array([["b", None]], object), input_dtype="int64")


@given(st.one_of(tree_models(), compact_models()), seeds, st.booleans(), st.booleans())
def test_the_largest_integer_can_be_missing(model, seed, categories, columns):
    rng = np.random.default_rng(seed)
    n, d = 60, model.n_features
    X = rng.integers(-99, 99, (n, d)).astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    if categories:
        table = category_tables(rng, d)
        model = replace(model, categories=table)
        X = labelled_rows(rng, table, d, n, X)
    for dtype in ("int32", "int64"):
        options = {"input_dtype": dtype, "per_column_inputs": columns, "missing_value": "max"}
        feed = graph_input(model, X, **options)
        assert not any(np.issubdtype(x.dtype, np.floating) for x in feed.values())
        session = open_session(to_onnx(model, **options).SerializeToString())
        (scores,) = session.run(["scores"], feed)
        np.testing.assert_array_equal(scores, model.scores(X))


def test_missing_is_for_integers():
    model = CompactModel(2, [0], 1.0, "sigmoid", [0, 1])
    with pytest.raises(ValueError, match="float32 has NaN"):
        to_onnx(model, missing_value="max")
    with pytest.raises(ValueError, match="missing_value must be"):
        to_onnx(model, missing_value="smallest", input_dtype="int32")


def test_strings_beside_integers_miss_no_number():
    table = CategoryTable([0], [["a", "b"]], range(4))
    model = CompactModel(2, [0], 1.0, "sigmoid", [0, 1], categories=table)
    X = np.array([["b", 7], ["", 6], [None, 5]], object)
    for _ in range(20):
        junk = np.full(X.shape, np.nan)
        del junk  # memory that is used again holds NaN
        feed = graph_input(model, X, input_dtype="int64", per_column_inputs=True)
        assert feed["x0"].ravel().tolist() == ["b", "", ""] and feed["x1"].dtype == np.int64


@pytest.mark.parametrize(
    ("part", "message"),
    [(Part("both", True, 2), "not all of its columns"), (Part("c", True, 1), "labels are numbers")],
)
def test_strings_where_there_are_none_are_refused(part, message):
    table = CategoryTable([0], [[5, 7]], [0, 1, 2, 3])
    with pytest.raises(ValueError, match=message):
        ranked_table(None, table, [part], "float32", "x")
