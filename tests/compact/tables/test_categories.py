"""Columns of categories: labels, indexes, ranks, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import NO_CATEGORIES, CategoryTable
from skdistill.compact.evaluate import scores
from skdistill.compact.file_format import from_bytes, to_bytes
from skdistill.compact.tables.categories import lookup
from tests.strategies import category_tables, compact_models, labelled_rows, seeds

COLOURS = CategoryTable([1], [["blue", "green", "red"]], [2, 0, 1, 7, 9])


@given(seeds, st.sampled_from(["str", "int"]), st.integers(1, 20))
def test_lookup_finds_what_a_dictionary_finds(seed, kind, C):
    rng = np.random.default_rng(seed)
    labels = np.unique(rng.integers(-30, 30, C))
    labels = np.sort(labels.astype(str)) if kind == "str" else labels
    pool = [*labels.tolist(), None, float("nan"), pd.NA, "", "nobody", 1.5, 10**9]
    values = np.array([pool[k] for k in rng.integers(0, len(pool), 50)] + [None], object)
    known = {label: k for k, label in enumerate(labels.tolist())}
    blank = [v is None or v is pd.NA or v == "" or v != v for v in values]
    expected = [
        len(labels) if no else known.get(v, len(labels) + 1)
        for v, no in zip(values, blank, strict=True)
    ]
    np.testing.assert_array_equal(lookup(values, labels), expected)


def test_numbers_are_labels_where_these_are_numbers_and_else_indexes():
    x = np.array([0, 5, 7, 2, -1, np.nan, 5.5])
    assert lookup(x, np.array([5, 7])).tolist() == [3, 0, 1, 3, 3, 2, 3]
    assert lookup(x, np.array(["a", "b"])).tolist() == [0, 3, 3, 2, 3, 2, 3]


def test_an_index_is_the_whole_part_in_float32():
    x = np.array(
        [-0.0, 0.9, 1.0, 2.99, 3.0, 3.5, 4.0, -0.1, 1e30, np.inf, -np.inf, np.nan, 3 - 1e-12]
    )
    ranks = COLOURS.rank(np.column_stack([x, x]))
    assert ranks[:, 1].tolist() == [2, 2, 0, 1, 7, 7, 9, 9, 9, 9, 9, 7, 7]
    np.testing.assert_array_equal(ranks[:, 0], x)


def test_strings_and_objects_and_numbers_say_the_same():
    text = np.array([["0.5", "red"], ["1", ""], ["2", "pink"]])
    objects = np.array([[0.5, "red"], [1, None], [2, "pink"]], object)
    numbers = np.array([[0.5, 2], [1, 3], [2, 4]])
    for X in (text, objects, numbers):
        np.testing.assert_array_equal(COLOURS.index(X), numbers)


def test_other_columns_must_be_numbers():
    with pytest.raises(ValueError, match="must be numeric but for its category columns"):
        COLOURS.index(np.array([["x", "red"]], object))


@given(compact_models(), seeds)
def test_a_model_reads_ranks_in_place_of_labels(model, seed):
    rng = np.random.default_rng(seed)
    table = category_tables(rng, model.n_features)
    X = labelled_rows(rng, table, model.n_features, 30)
    ranked = table.rank(table.index(X))
    both = replace(model, categories=table)
    np.testing.assert_array_equal(both.scores(X), scores(model, ranked))
    np.testing.assert_array_equal(both.predict(X), model.predict(ranked))
    assert from_bytes(to_bytes(both), CompactModel).equals(both)
    assert not both.equals(model)


def test_a_byte_a_category_is_counted_where_the_column_is_read():
    model = CompactModel(3, [0], 1.0, "sigmoid", [0, 1], categories=COLOURS)
    assert model.nbytes == 0
    assert len(COLOURS.of_columns(np.array([0, 2]))) == 0
    assert len(COLOURS.of_columns(np.array([1])).ranks) == 5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(columns=[]), "labels has 1 entries for 0 columns"),
        (dict(columns=[-1]), "ascending column numbers"),
        (dict(columns=[1, 2]), "labels has 1 entries for 2 columns"),
        (dict(ranks=[1, 2, 3]), "ranks has 3 entries, the labels need 5"),
        (dict(ranks=[0, 0, 0, 0, 128]), "at most 127"),
        (dict(labels=[["b", "a", "c"]]), "ascending"),
        (dict(labels=[["a", "a", "b"]]), "ascending"),
        (dict(labels=[["", "a", "b"]]), "empty string"),
        (dict(labels=[[0.5, 1.5, 2.0]]), "strings or integers"),
        (dict(labels=[[1, 2, 2**24 + 1]]), "within"),
        (dict(labels=[[]]), "strings or integers|1 to 254"),
    ],
)
def test_wrong_tables_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(COLOURS, **wrong)


def test_a_table_beyond_the_inputs_is_refused():
    with pytest.raises(ValueError, match="beyond n_features"):
        CompactModel(1, [0], 1.0, "sigmoid", [0, 1], categories=COLOURS)


def test_no_categories_leave_numbers_as_they_are():
    X = np.array([[1.5, np.nan], [-0.0, 3]])
    assert len(NO_CATEGORIES) == 0
    assert NO_CATEGORIES.index(X) is X
    assert NO_CATEGORIES.rank(X) is X
    with pytest.raises(ValueError, match="X must be numeric, got dtype object"):
        NO_CATEGORIES.index(X.astype(object))
