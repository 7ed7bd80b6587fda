"""Tables as numbers: the same from every container, by hand, or refused by name."""

from __future__ import annotations

import datetime
import decimal
import math

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skdistill.compact.tables.categories import CategoryTable
from skdistill.dataframe import encode_table, read_table
from tests.dataframe.tables import CONTAINERS, columns_of, listed_tables


def table_by_hand(table):
    """Values and labels of a table that is a dictionary of lists, by plain Python."""
    values, labels = [], []
    for column in table.values():
        known = [each for each in column if each not in (None, "")]
        if any(isinstance(each, str) for each in known):
            names = sorted(set(known))
            labels.append(names)
            values.append([math.nan if x in (None, "") else names.index(x) for x in column])
        else:
            labels.append(None)
            values.append([math.nan if x in (None, "") else float(x) for x in column])
    return np.array(values, float).T, labels


def assert_same(table, values, labels):
    assert_array_equal(table.values, values)
    assert [None if each is None else each.tolist() for each in table.labels] == labels


@given(table=listed_tables())
def test_the_same_from_every_container(table):
    values, labels = table_by_hand(table)
    texts = [name for name in table if name.startswith("text")]
    for kind, make in CONTAINERS.items():
        X = make(table)
        read = read_table(X, texts if kind != "objects" else columns_of(table, "text"))
        assert_same(read, values, labels)
        assert read.names == (None if kind == "objects" else tuple(table))
        if kind != "objects":
            assert_same(read_table(X), values, labels)
        of_texts = [each for each in read.labels if each is not None]
        assert all(each.dtype.kind == "U" for each in of_texts)
        assert read.values.dtype == np.float64 or not of_texts


@given(table=listed_tables(), other=listed_tables())
def test_known_missing_and_unknown_labels(table, other):
    other = {name: other.get(name, column) for name, column in table.items()}
    n = min(map(len, other.values()))
    other = {name: column[:n] for name, column in other.items()}
    fitted = read_table(CONTAINERS["polars"](table))
    columns = [j for j, each in enumerate(fitted.labels) if each is not None]
    labels = [fitted.labels[j] for j in columns]
    # Texts where fit saw none at all are no numbers.
    if any(
        name.startswith("text") and j not in columns and any(column)
        for j, (name, column) in enumerate(other.items())
    ):
        with pytest.raises(ValueError, match=r"^could not convert string to float"):
            encode_table(CONTAINERS["polars"](other), columns, labels)
        return
    expected = table_by_hand(other)[0]
    for j, names in zip(columns, labels, strict=True):
        names, column = names.tolist(), list(other.values())[j]
        expected[:, j] = [
            len(names) if x in (None, "") else names.index(x) if x in names else len(names) + 1
            for x in column
        ]
    for make in CONTAINERS.values():
        assert_array_equal(encode_table(make(other), columns, labels), expected)


@given(table=listed_tables(), other=listed_tables())
def test_a_compact_model_reads_arrays_alike(table, other):
    X, rows = CONTAINERS["objects"](table), CONTAINERS["objects"](other)
    read = read_table(X, columns_of(table, "text"))
    columns = [j for j, each in enumerate(read.labels) if each is not None]
    numbers = [j for j in range(X.shape[1]) if j not in columns]
    if not columns or rows.shape[1] < X.shape[1]:
        return
    labels = [read.labels[j] for j in columns]
    rows = rows[:, : X.shape[1]]
    rows[:, numbers] = 0
    of_model = CategoryTable(columns, labels, np.zeros(sum(len(each) + 2 for each in labels)))
    assert_array_equal(of_model.index(rows), encode_table(rows, columns, labels))


def test_lists_of_strings_and_numbers():
    assert_same(
        read_table([["b", 1], ["a", None]], [0]), [[1, 1], [0, math.nan]], [["a", "b"], None]
    )


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.Categorical(["b", None, "a", "b"], categories=["unused", "b", "a"])),
        pd.Series(["b", None, "a", "b"], dtype=object),
        pd.Series(["b", float("nan"), "a", "b"], dtype=object),
        pd.Series(["b", pd.NA, "a", "b"], dtype=object),
        pd.Series(["b", "", "a", "b"], dtype=object),
        pd.Series(["b", None, "a", "b"], dtype="string"),
        pd.Series(["b", None, "a", "b"], dtype="string[pyarrow]"),
        pl.Series(["b", None, "a", "b"]),
        pl.Series(["b", "", "a", "b"], dtype=pl.Categorical),
        pl.Series(["b", None, "a", "b"], dtype=pl.Enum(["unused", "b", "a"])),
        pa.chunked_array([["b", None], ["a", "b"]]),
        pa.chunked_array([pa.array(["b", None, "a", "b"], pa.large_string())]),
        pa.chunked_array([pa.array(["b", None, "a", "b"], pa.string_view())]),
        pa.chunked_array([pa.array([None, "b"]).dictionary_encode()] * 2).slice(1, 2),
        pa.chunked_array(
            [pa.DictionaryArray.from_arrays([3, 1, 0, 2], ["a", None, "b", "b", "c"])]
        ),
    ],
    ids=lambda column: str(getattr(column, "dtype", getattr(column, "type", None))),
)
def test_types_of_text(column):
    frame = {"Series": pd.DataFrame, "ChunkedArray": pa.table}[type(column).__name__]
    X = (pl.DataFrame if isinstance(column, pl.Series) else frame)({"x": column})
    read = read_table(X)
    if len(column) == 2:
        assert_same(read, [[0], [math.nan]], [["b"]])
    else:
        assert_same(read, [[1], [math.nan], [0], [1]], [["a", "b"]])


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"x": pd.Categorical([7, None, -2], categories=[8, 7, -2])}),
        pd.DataFrame({"x": pd.Categorical([7.0, None, -2.0])}),
        pd.DataFrame({"x": pd.array([7, None, -2], dtype="Int64")}),
        pd.DataFrame({"x": pd.Series([7, None, -2.0], dtype=object)}),
        pl.DataFrame({"x": [7, None, -2]}),
        pa.table({"x": pa.array([7, None, -2]).dictionary_encode()}),
        pa.table({"x": [7.0, None, -2.0]}),
        np.array([[7], [math.nan], [-2]]),
        np.array([[7], [None], [-2]], dtype=object),
    ],
)
def test_whole_numbers_as_labels(X):
    read = read_table(X, [0])
    assert_same(read, [[1], [math.nan], [0]], [[-2, 7]])
    assert read.labels[0].dtype == np.int64
    assert encode_table(X, [0], [np.array([-2, 8])]).tolist() == [[3], [2], [0]]


def integers(X):
    return [each.is_integer for each in read_table(X).formats]


def test_columns_of_integers():
    columns = {"a": [1, 2], "b": [1.0, 2.0], "c": ["x", "y"], "d": [True, False]}
    for make in (pd.DataFrame, pl.DataFrame, pa.table):
        assert integers(make(columns)) == [True, False, False, False]
    X = pd.DataFrame({"a": pd.array([1, None], dtype="Int8"), "b": pd.Categorical([1, 2])})
    assert integers(X) == [True, False]
    assert integers(np.ones((1, 2), np.uint8)) == [True, True]
    assert integers(sparse.csr_array(np.eye(2))) == [False, False]


def test_booleans_as_labels_are_0_and_1():
    for X in (
        pd.DataFrame({"x": [True, False]}),
        pd.DataFrame({"x": pd.Categorical([True, False])}),
        np.array([[True], [False]]),
        np.array([[True], [False]], dtype=object),
    ):
        assert_same(read_table(X, [True]), [[1], [0]], [[0, 1]])


def test_numbers_of_python_are_numbers_and_categories_are_categories():
    X = pd.DataFrame({"o": pd.Series([1, None, 2.5, pd.NA], dtype=object)})
    assert_same(read_table(X), [[1], [math.nan], [2.5], [math.nan]], [None])
    X = pd.DataFrame({"c": pd.Categorical([3, 5])})
    assert_same(read_table(X), [[0], [1]], [[3, 5]])
    assert_same(read_table(X, None), [[3], [5]], [None])


@pytest.mark.parametrize(
    "X",
    [
        np.ones((3, 2), np.int32),
        np.asfortranarray(np.ones((3, 2), np.float32)),
        np.ones((3, 2), bool),
        np.ones((0, 2)),
        sparse.csr_array(np.eye(3)),
    ],
)
def test_arrays_of_numbers_are_untouched(X):
    for which in ("from_dtype", None, [], [False] * X.shape[1]):
        assert read_table(X, which).values is X
        assert read_table(X, which).labels == (None,) * X.shape[1]


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": np.int32([1, 2]), "b": np.int32([3, 4])}),
        pd.DataFrame({"a": np.int32([1, 2]), "b": np.int8([3, 4])}),
        pd.DataFrame({"a": np.float32([1, 2]), "b": np.float32([3, math.nan])}),
        pd.DataFrame({"a": np.float32([1, 2]), "b": [3, 4]}),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [3.5, 4]}),
        pd.DataFrame({"a": pd.array([1.5, None], dtype="Float64")}),
        pd.DataFrame({"a": [True, False]}),
        pl.DataFrame({"a": [1, 2], "b": [3, 4]}),
        pl.DataFrame({"a": [1, None], "b": [3.5, math.nan]}),
        pa.table({"a": [1, 2], "b": [3, 4]}),
        pa.table({"a": [1, None], "b": [3.5, None]}),
    ],
)
def test_frames_of_numbers_are_what_scikit_learn_makes_of_them(X):
    expected = check_array(X, ensure_all_finite=False)
    read = read_table(X)
    assert read.values.dtype == expected.dtype
    assert_array_equal(read.values, expected)


@pytest.mark.parametrize("missing", [{"a": [None, None]}, {"a": ["", ""]}])
def test_a_column_without_values_holds_numbers(missing):
    for make in (pd.DataFrame, pl.DataFrame, pa.table):
        for which in ("from_dtype", [0], None):
            assert_same(read_table(make(missing), which), [[math.nan]] * 2, [None])
    assert_same(read_table(np.array([[None], [None]]), [0]), [[math.nan]] * 2, [None])
    assert_same(read_table(np.full((2, 1), math.nan), [0]), [[math.nan]] * 2, [None])


def test_tables_without_rows():
    for X in (
        pd.DataFrame({"a": pd.Series([], dtype=object), "b": pd.Series([], dtype=float)}),
        pl.DataFrame({"a": [], "b": []}, schema={"a": pl.String, "b": pl.Float64}),
        pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.float64())}),
    ):
        assert read_table(X).values.shape == (0, 2)
        labels = [np.array(["x"])]
        assert encode_table(X, [0], labels).shape == (0, 2)


def test_infinities_pass():
    X = pd.DataFrame({"a": [math.inf, -math.inf], "c": ["x", "y"]})
    assert_array_equal(read_table(X).values, [[math.inf, 0], [-math.inf, 1]])


def test_names_that_are_no_strings_are_no_names():
    assert read_table(pd.DataFrame([[1, 2]])).names is None
    assert read_table(pd.DataFrame([["a", 2]])).labels[0].tolist() == ["a"]


@pytest.mark.parametrize(
    ("categorical_features", "expected"),
    [
        ("from_dtype", [True, False, False]),
        (["c", "n"], [True, True, False]),
        ([2, 0], [True, False, True]),
        (np.array([True, True, False]), [True, True, False]),
        (pd.Index(["c"]), [True, False, False]),
    ],
)
def test_which_columns_hold_categories(categorical_features, expected):
    X = pd.DataFrame({"c": ["x", "y"], "n": [1, 2], "m": [3, 4]})
    for table in (X, pl.DataFrame(X.to_dict("list")), pa.table(X.to_dict("list"))):
        read = read_table(table, categorical_features)
        assert [each is not None for each in read.labels] == expected


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("dtype", "categorical_features must be 'from_dtype', None or"),
        ([0.5], "categorical_features must be an array-like of bool, int or str, got: float64"),
        ([None, "a"], "categorical_features must be an array-like of bool, int or str"),
        ([True], r"categorical_features set as a boolean mask must have shape \(n_features,\)"),
        ([2], r"indices must be in \[0, n_features - 1\], got: \[2\]"),
        ([-1], r"indices must be in \[0, n_features - 1\]"),
        (["z"], "categorical_features has an item value 'z' which is not a valid feature name"),
    ],
)
def test_categorical_features_that_do_not_fit(which, message):
    with pytest.raises(ValueError, match=message):
        read_table(pd.DataFrame({"a": [1], "b": [2]}), which)


def test_names_need_a_data_frame():
    with pytest.raises(ValueError, match="on data without feature names"):
        read_table(np.ones((2, 2)), ["a"])


@pytest.mark.parametrize(
    "make",
    [
        lambda values: pd.DataFrame({"x": pd.Series(values, dtype=object)}),
        lambda values: pd.DataFrame({"x": pd.array(values, pd.ArrowDtype(pa.decimal128(4, 2)))}),
        lambda values: pl.DataFrame({"x": values}),
        lambda values: pa.table({"x": values}),
        lambda values: np.array([values], dtype=object).T,
    ],
)
def test_decimals_are_numbers(make):
    X = make([decimal.Decimal("0.5"), None, decimal.Decimal(3)])
    assert_same(read_table(X), [[0.5], [math.nan], [3.0]], [None])
    assert_array_equal(encode_table(X, [], []), [[0.5], [math.nan], [3.0]])


@pytest.mark.parametrize(
    ("make", "remedy"),
    [
        (pd.DataFrame, r"pd.to_numeric\(X\['x'\], errors='coerce'\) makes them numbers with NaN"),
        (pl.DataFrame, r"X\['x'\].cast\(pl.Float64, strict=False\) makes them numbers with NaN"),
        (pa.table, "turn it into numbers"),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
def test_numbers_as_text(make, remedy):
    note = rf"it holds numbers as text, and ' ' in 2 rows: {remedy}"
    X = make({"x": ["1.5", " ", "3", "4", " ", ""]})
    with pytest.raises(ValueError, match=rf"^could not convert .*: ' ' in column 'x'; {note}"):
        read_table(X, None)
    with pytest.raises(ValueError, match=rf"^could not convert .*: ' ' in column 'x'; {note}"):
        encode_table(X, [], [])
    with pytest.warns(UserWarning, match=f"'x' is read as categories, but {note}"):
        assert read_table(X).labels[0].tolist() == [" ", "1.5", "3", "4"]
    read_table(X, ["x"])  # whoever names it means it
    many = make({"x": [" ", " ", *(f"{k / 7:.6f}" for k in range(400))]})
    with pytest.raises(ValueError, match=f"'x' has 401 labels, at most 254 .*: {note}"):
        read_table(many)


def test_text_that_is_no_number_stays_text():
    for texts in (["01", "02"], ["nan", "inf", "-inf"], ["a", "1.5"], ["1", "2", "other"]):
        assert read_table(pd.DataFrame({"x": texts})).labels[0].tolist() == sorted(texts)


def test_text_in_an_array_of_objects_is_read_as_scikit_learn_reads_it():
    X = np.array([["1.5", 2], ["", None]], dtype=object)
    assert_same(read_table(X), [[1.5, 2], [math.nan, math.nan]], [None, None])


TIME = datetime.datetime(2020, 1, 1)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"x": pd.to_datetime(["2020-01-01"])}),
        pd.DataFrame({"x": pd.to_datetime(["2020-01-01"], utc=True)}),
        pd.DataFrame({"x": pd.to_timedelta([1])}),
        pd.DataFrame({"x": pd.period_range("2020", periods=1)}),
        pd.DataFrame({"x": pd.Categorical([TIME])}),
        pd.DataFrame({"x": pd.Categorical([pd.Interval(0, 1)])}),
        pd.DataFrame({"x": pd.Series([TIME.date()], dtype=object)}),
        pd.DataFrame({"x": [[1, 2]]}),
        pd.DataFrame({"x": [{"a": 1}]}),
        pd.DataFrame({"x": [b"bytes"]}),
        pd.DataFrame({"x": [1j]}),
        *(
            make({"x": [value]})
            for make in (pl.DataFrame, pa.table)
            for value in (TIME, TIME - TIME, TIME.date(), TIME.time(), [1], {"a": 1}, b"bytes")
        ),
        pl.DataFrame({"x": pl.Series([object()], dtype=pl.Object)}),
        pa.table({"x": pa.array([b"bytes"]).dictionary_encode()}),
    ],
)
def test_other_kinds_are_refused_by_name(X):
    for which in ("from_dtype", None, [0]):
        with pytest.raises(TypeError, match=r"column 'x' holds .*; turn the column into"):
            read_table(X, which)
    with pytest.raises(TypeError, match=r"column 'x' holds .*; turn the column into"):
        encode_table(X, [0], [np.array(["a"])])


@pytest.mark.parametrize("value", [{"foo": "bar"}, b"bytes", TIME, 1j, (1, 2)])
def test_objects_in_arrays_are_refused_in_the_words_of_scikit_learn(value):
    X = np.ones((2, 2), object)
    X[0, 1] = value
    for which in ("from_dtype", [1]):
        with pytest.raises(TypeError, match=r"column 1 .*argument must be .* string.* number"):
            read_table(X, which)


def test_arrays_of_other_types_are_refused():
    for X in (np.array([["2020"]], "M8[D]"), np.array([[b"a"]])):
        with pytest.raises(TypeError, match="column 0 holds"):
            read_table(X)


def test_strings_in_a_column_of_numbers():
    frame = {"a": [1.0], "b": ["x"]}
    for make in (pd.DataFrame, pl.DataFrame, pa.table):
        for which in (None, ["a"]):
            with pytest.raises(ValueError, match=r"^could not convert string to float: 'x' in col"):
                read_table(make(frame), which)
        with pytest.raises(ValueError, match="in column 'b'; name the column in categorical_feat"):
            read_table(make(frame), ["a"])
        with pytest.raises(ValueError, match="in column 'b'; in fit it held numbers or nothing"):
            encode_table(make(frame), [], [])
    for X in (np.array([[1.0, "x"]]), np.array([[1.0, "x"]], dtype=object), [[1.0, "x"]]):
        with pytest.raises(ValueError, match=r"^could not convert string to float: '.*' in col"):
            read_table(X)


def test_strings_and_numbers_mixed():
    for which in ("from_dtype", [0]):
        with pytest.raises(ValueError, match="column 'x' mixes strings and numbers"):
            read_table(pd.DataFrame({"x": pd.Series(["a", 1], dtype=object)}), which)
    with pytest.raises(ValueError, match="column 0 mixes strings and numbers"):
        read_table(np.array([["a"], [1]], dtype=object), [0])


def test_too_many_labels():
    values = [f"label {k}" for k in range(10_000)]
    for make in (pd.DataFrame, pl.DataFrame, pa.table):
        assert len(read_table(make({"x": values[:254]})).labels[0]) == 254
        with pytest.raises(ValueError, match=r"column 'x' has 255 labels, at most 254 .* group"):
            read_table(make({"x": values[:255]}))
        with pytest.raises(ValueError, match=r"column 'x' has 10,000 labels, .*OrdinalEncoder"):
            read_table(make({"x": values}))
    with pytest.raises(ValueError, match="column 0 has 300 labels"):
        read_table(np.arange(300)[:, None], [0])


@pytest.mark.parametrize("label", [0.5, math.inf, 2.0**24 + 1])
def test_labels_that_are_no_whole_numbers(label):
    for X in (np.array([[label]]), np.array([[label]], dtype=object)):
        said = rf"column 0 holds {label!r}: .* must be whole, within"
        with pytest.raises(ValueError, match=said):
            read_table(X, [0])
    with pytest.raises(ValueError, match=r"column 'x' holds .* must be whole, within"):
        read_table(pd.DataFrame({"x": pd.Categorical([label])}))


def test_labels_with_nul():
    with pytest.raises(ValueError, match="column 'x' has labels that hold the character NUL"):
        read_table(pd.DataFrame({"x": ["b", "a\0"]}))  # beside "a", pandas 2 takes it for "a"
    labels = [np.array(["a", "b"])]
    assert encode_table(pd.DataFrame({"x": ["b", "a\0"]}), [0], labels).tolist() == [[1], [3]]


def test_names_that_occur_twice():
    for X in (
        pd.DataFrame([[1, 2, 3]], columns=["a", "b", "a"]),
        pa.Table.from_arrays([pa.array([1])] * 3, names=["a", "b", "a"]),
    ):
        with pytest.raises(ValueError, match=r"column names must differ, .*: \['a'\]"):
            read_table(X)


def test_labels_of_another_kind_are_unknown():
    numbers, texts = np.array([1, 2]), np.array(["1", "2"])
    assert encode_table(pd.DataFrame({"x": ["1", "3"]}), [0], [numbers]).tolist() == [[3], [3]]
    X = pd.DataFrame({"x": pd.Categorical([1, 2])})
    assert encode_table(X, [0], [texts]).tolist() == [[3], [3]]
    # A column of numbers holds indexes, as it does in an array.
    for X in (pd.DataFrame({"x": [1, 7]}), np.array([[1], [7]])):
        assert encode_table(X, [0], [texts]).tolist() == [[1], [3]]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_scikit_learn_sees_names_and_their_order(make):
    estimator = BaseEstimator()
    X = make({"a": [1], "b": ["x"]})
    assert validate_data(estimator, X, skip_check_array=True) is X
    assert tuple(estimator.feature_names_in_) == read_table(X).names
    with pytest.raises(ValueError, match="in the same order"):
        validate_data(estimator, make({"b": ["x"], "a": [1]}), skip_check_array=True, reset=False)


@pytest.mark.parametrize("values", [[3, 1, 3], [True, False, True], ["b", "a", "b"]])
def test_ordered_categories_of_pandas_are_read_as_others(values):
    tables = [
        read_table(pd.DataFrame({"x": pd.Categorical(values, ordered=ordered)}))
        for ordered in (False, True)
    ]
    assert [table.values.tolist() for table in tables] == [[[1.0], [0.0], [1.0]]] * 2
    assert tables[0].labels[0].tolist() == tables[1].labels[0].tolist() == sorted(set(values))
