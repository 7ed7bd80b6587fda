"""Tables of every kind become rows and labels, or one line that says what to do."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from skdistill.dataframe.files import DatasetError, quoted, read_dataset

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
        data.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return read_dataset(path, target, **arguments)


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_a_file_comes_back_as_it_was_written(tmp_path, kind):
    data = frame()
    table = read(tmp_path, data, kind=kind)
    np.testing.assert_array_equal(table.X, data[["a", "b"]].to_numpy())
    assert table.y.tolist() == data["y"].tolist()
    assert table.columns == ["a", "b"]
    assert table.notes == []


@pytest.mark.parametrize(
    ("labels", "kind", "expected"),
    [
        (np.arange(N) % 3, "i", [0, 1, 2]),
        (np.arange(N) % 2 * 1.0, "i", [0, 1]),
        (np.arange(N) % 2 > 0, "b", [False, True]),
        (pd.Categorical(np.arange(N) % 2 + 7), "i", [7, 8]),
        (pd.Categorical(["u", "v"] * (N // 2), categories=["v", "u", "w"]), "U", ["u", "v"]),
        (pd.array(np.arange(N) % 2, dtype="Int64"), "i", [0, 1]),
        (pd.array(np.arange(N) % 2 > 0, dtype="boolean"), "b", [False, True]),
        (pd.array(["u", "v"] * (N // 2), dtype="string"), "U", ["u", "v"]),
    ],
)
def test_labels_of_many_kinds(tmp_path, labels, kind, expected):
    y = read(tmp_path, frame(y=labels)).y
    assert y.dtype.kind == kind
    assert np.unique(y).tolist() == expected


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [False, True]])
def test_rows_without_a_label_go_with_a_note(tmp_path, kind, labels):
    y = pd.Series(labels * (N // 2), dtype=object)
    whole = read(tmp_path, frame(y=y.infer_objects()), kind=kind)
    y[[3, 4]] = None
    if labels == [0, 1]:
        y = y.astype(float)
    table = read(tmp_path, frame(y=y), kind=kind)
    assert table.notes == ["left out 2 rows without a value in 'y'"]
    np.testing.assert_array_equal(table.X, np.delete(whole.X, [3, 4], axis=0))
    assert table.y.tolist() == np.delete(whole.y, [3, 4]).tolist()


def test_numeric_columns_of_every_kind_with_missing_values(tmp_path):
    b = pd.array(np.arange(N), dtype="Int64")
    b[5] = pd.NA
    c = pd.array(np.arange(N) % 2 > 0, dtype="boolean")
    c[6] = pd.NA
    X = read(tmp_path, frame(b=b, c=c, d=np.arange(N) % 3 > 0, e=np.float32(0.1))).X
    assert X.dtype == np.float64
    assert np.argwhere(np.isnan(X)).tolist() == [[5, 1], [6, 2]]
    assert X[7].tolist()[1:] == [7, 1, 1, np.float32(0.1)]


def test_whole_numbers_that_float32_rounds_are_noted(tmp_path):
    ids, even = 2**24 + np.arange(N), 2**24 + 2 * np.arange(N)
    table = read(tmp_path, frame(ids=ids, even=even, floats=ids + 0.5))
    assert table.notes == ["rounded whole numbers beyond 2**24 to float32 in 'ids'"]


def test_columns_can_be_dropped(tmp_path):
    table = read(tmp_path, frame(city="x", z=np.nan), drop=["city", "z"])
    assert table.columns == ["a", "b"]


def test_columns_that_are_not_named_by_strings(tmp_path):
    data = frame().rename(columns={"a": 0, "y": 1})
    data.columns = pd.Index(["0", "b", "1"])
    assert read(tmp_path, data, target="1").columns == ["0", "b"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"city": "x", "town": "y"}, "not numeric: 'city', 'town'; turn such columns into numbers"),
        ({"my city": "x"}, r"leave them out \(--drop 'my city'\); categories come with a later"),
        ({"when": pd.Timestamp("2020-01-01")}, "not numeric: 'when'"),
        ({"z": np.nan, "w": np.nan}, r"no value at all in 'z', 'w'; leave out \(--drop z --drop w"),
        ({"z": [np.inf] + [0.0] * (N - 1)}, "infinity, or values beyond float32, in 'z'"),
        ({"z": [1e39] + [0.0] * (N - 1)}, "infinity, or values beyond float32, in 'z'"),
        ({"y": "only"}, "target 'y' holds the single class 'only': two are needed"),
        (
            {"y": np.linspace(0, 1, N)},
            "holds numbers such as 0.0169492, which are no classes: regr",
        ),
        ({"y": np.arange(N)}, "60 different numbers in 60 rows and looks like a quantity: regress"),
        ({"y": [np.inf, 0.0] * (N // 2)}, "holds numbers such as inf"),
        ({"y": pd.date_range("2020", periods=N)}, "holds points in time, which are no classes"),
        ({"y": np.nan}, "there is no row with a value in 'y'"),
    ],
)
def test_columns_that_will_not_do(tmp_path, columns, message):
    with pytest.raises(DatasetError, match=message):
        read(tmp_path, frame(**columns))


def test_many_labels_are_refused_before_a_teacher_tries(tmp_path):
    data = pd.DataFrame({"a": np.arange(4004.0), "y": [f"id {i % 1001}" for i in range(4004)]})
    with pytest.raises(DatasetError, match="holds 1,001 different labels, more than 1,000"):
        read(tmp_path, data)


def test_a_table_of_labels_alone(tmp_path):
    with pytest.raises(DatasetError, match="has no column beside the target"):
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


def test_semicolons_are_suspected(tmp_path):
    (tmp_path / "t.csv").write_text("a;y\n1;u\n2;v\n")
    with pytest.raises(DatasetError, match="single column: are its columns separated by commas"):
        read_dataset(tmp_path / "t.csv", "y")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"x", r"t.xlsx has the extension '.xlsx'; what can be read is .csv, .tsv, .par"),
        ("t.csv", b"", "t.csv cannot be read: No columns to parse"),
        ("t.csv", b"a,y\n1,2\n1,2,3\n", "t.csv cannot be read: Error tokenizing data"),
        ("t.csv", b"a,\xff\n1,2\n", "t.csv cannot be read: .*utf-8"),
        ("t.parquet", b"no parquet", "t.parquet cannot be read: "),
        ("t.csv", None, "there is no file .*t.csv"),
    ],
)
def test_files_that_will_not_do(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_dataset(tmp_path / name, "y")
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(DatasetError, match="is a folder"):
        read_dataset(tmp_path / "t.csv", "y")


@pytest.mark.parametrize("module", ["pandas", "pyarrow"])
def test_a_missing_extra_is_named(tmp_path, monkeypatch, module):
    frame().to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"needs {module}: pip install 'skdistill\[cli\]'"):
        read_dataset(tmp_path / "t.parquet", "y")


def test_long_lists_are_cut():
    assert quoted("abc") == "'a', 'b', 'c'"
    assert quoted(range(7)) == "'0', '1', '2', '3', '4' and 2 more"
