"""Which column is learnt, of which rows, and whether it holds classes or quantities."""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import pytest

from skdistill.dataframe.files import DatasetError
from skdistill.dataframe.labelled import read_labelled

N = 60


def frame(**columns):
    rng = np.random.default_rng(0)
    base = {"a": rng.normal(size=N), "b": rng.integers(0, 9, N), "y": ["no", "yes"] * (N // 2)}
    return pd.DataFrame(base | columns)


def read(tmp_path, data, target="y", kind="parquet", **arguments):
    path = tmp_path / f"table.{kind}"
    if kind == "parquet":
        data.to_parquet(path)
    else:
        data.to_csv(path, index=False)
    return read_labelled(path, target, **arguments)


@pytest.mark.parametrize(
    ("labels", "kind", "expected"),
    [
        (np.arange(N) % 3, "i", [0, 1, 2]),
        (np.arange(N) % 20, "i", list(range(20))),
        (np.arange(N) % 2 * 1.0, "i", [0, 1]),
        (np.arange(N) % 2 > 0, "b", [False, True]),
        (pd.Categorical(np.arange(N) % 2 + 7), "i", [7, 8]),
        (pd.Categorical(["u", "v"] * (N // 2), categories=["v", "u", "w"]), "U", ["u", "v"]),
        (pd.array(np.arange(N) % 2, dtype="Int64"), "i", [0, 1]),
        (pd.array(np.arange(N) % 2 > 0, dtype="boolean"), "b", [False, True]),
        (pd.array(["u", "v"] * (N // 2), dtype="string"), "U", ["u", "v"]),
        ([str(i % 30) for i in range(N)], "U", sorted(str(i) for i in range(30))),
    ],
)
def test_classes_of_many_kinds(tmp_path, labels, kind, expected):
    table = read(tmp_path, frame(y=labels))
    assert table.task == "classification"
    assert table.y.dtype.kind == kind
    assert np.unique(table.y).tolist() == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.arange(N) / 2, "'y' holds numbers with fractions"),
        (np.arange(N) % 2 + 0.5, "'y' holds numbers with fractions"),
        (np.arange(N) % 21, "'y' holds 21 different numbers"),
        ([decimal.Decimal(i) / 4 for i in range(N)], "'y' holds numbers with fractions"),
    ],
)
def test_quantities_make_a_regression(tmp_path, values, reason):
    table = read(tmp_path, frame(y=values))
    assert (table.task, table.reason) == ("regression", reason)
    assert table.y.dtype == np.float64
    assert table.y.tolist() == [float(value) for value in values]


def test_the_task_can_be_chosen(tmp_path):
    table = read(tmp_path, frame(y=np.arange(N)), task="classification")
    assert table.y.dtype == np.int64 and table.reason == "by --task classification"
    for values in (np.arange(N) % 3, np.arange(N) % 2 > 0):
        table = read(tmp_path, frame(y=values), task="regression")
        assert table.y.dtype == np.float64 and table.task == "regression"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [False, True], [0.5, 1.5]])
def test_rows_without_a_label_go_with_a_note(tmp_path, kind, labels):
    y = pd.Series(labels * (N // 2), dtype=object)
    whole = read(tmp_path, frame(y=y.infer_objects()), kind=kind)
    y[[3, 4]] = None
    if isinstance(labels[1], int | float) and not isinstance(labels[1], bool):
        y = y.astype(float)
    table = read(tmp_path, frame(y=y), kind=kind)
    assert table.notes == ["left out 2 rows without a value in 'y'"]
    np.testing.assert_array_equal(table.X.to_numpy(), np.delete(whole.X.to_numpy(), [3, 4], axis=0))
    assert table.y.tolist() == np.delete(whole.y, [3, 4]).tolist()


def test_blank_text_is_no_label(tmp_path):
    table = read(tmp_path, frame(y=["no", "yes", " "] * (N // 3)))
    assert len(table.y) == 40 and np.unique(table.y).tolist() == ["no", "yes"]
    table = read(tmp_path, frame(y=["1.5", "2", ""] * (N // 3)))
    assert table.task == "regression" and np.unique(table.y).tolist() == [1.5, 2]


def test_strings_and_blanks_stay_in_the_frame(tmp_path):
    table = read(tmp_path, frame(city=["Bonn", None] * (N // 2)), kind="csv")
    assert table.X["city"].dropna().unique().tolist() == ["Bonn"]
    assert table.X["city"].isna().sum() == N // 2


def test_columns_can_be_dropped(tmp_path):
    day = pd.date_range("2024", periods=N)
    table = read(tmp_path, frame(day=day, z=np.nan), drop=["day", "z"])
    assert list(table.X.columns) == ["a", "b"] and table.notes == []


def test_columns_that_are_not_named_by_strings(tmp_path):
    data = frame().rename(columns={"a": "0", "y": "1"})
    assert list(read(tmp_path, data, target="1", kind="csv").X.columns) == ["0", "b"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"when": pd.Timestamp("2020-01-01")}, "dates or times such as .* in 'when'"),
        ({"z": [np.inf] + [0.0] * (N - 1)}, "infinity, or numbers beyond float32, in 'z'"),
        ({"z": [1e39] + [0.0] * (N - 1)}, "infinity, or numbers beyond float32, in 'z'"),
        ({"y": "only"}, "target 'y' holds the single class 'only': two are needed"),
        ({"y": 0.5}, "target 'y' holds the single value 0.5"),
        ({"y": [np.inf, 0.0] * (N // 2)}, "target 'y' holds infinity"),
        ({"y": pd.date_range("2020", periods=N)}, "target 'y' holds dates or times"),
        ({"y": np.nan}, "has no row with a value in the target 'y'"),
        ({"y": ["", " "] * (N // 2)}, "has no row with a value in the target 'y'"),
    ],
)
def test_columns_that_will_not_do(tmp_path, columns, message):
    with pytest.raises(DatasetError, match=message):
        read(tmp_path, frame(**columns))


def test_many_labels_are_refused(tmp_path):
    data = pd.DataFrame({"a": np.arange(4004.0), "y": [f"id {i % 1001}" for i in range(4004)]})
    with pytest.raises(DatasetError, match="holds 1,001 different labels, more than 1,000"):
        read(tmp_path, data)
    ids = data.assign(id=data["y"], y=data["a"] % 2)
    with pytest.raises(
        DatasetError, match=r"column 'id' has 1,001 labels, at most .*\(--drop id\)"
    ):
        read(tmp_path, ids)


def test_a_table_of_labels_alone(tmp_path):
    with pytest.raises(DatasetError, match="has no column beside the target 'y'"):
        read(tmp_path, frame()[["y"]])


@pytest.mark.parametrize(
    ("target", "drop", "message"),
    [
        ("yy", [], "has no column 'yy'; did you mean 'y'"),
        ("label", [], "has no column 'label'; it has 'a', 'b', 'y'"),
        ("y", ["c"], "has no column 'c'; it has 'a', 'b', 'y'"),
        ("y", ["y"], "column 'y' is the target and cannot be dropped"),
    ],
)
def test_columns_that_are_not_there(tmp_path, target, drop, message):
    with pytest.raises(DatasetError, match=message):
        read(tmp_path, frame(), target, drop=drop)
