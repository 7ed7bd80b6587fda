"""Files of text, Parquet and Arrow become data frames, or one line that says what is wrong."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from skdistill.dataframe.files import DatasetError, quoted, read_frame

FRAME = pd.DataFrame({"a": [1.5, -2.0, 0.1], "city": ["Köln", "Liège", "x,y;z"], "n": [1, 2, 3]})


def write(tmp_path, text, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("name", ["table.csv", "table.tsv", "table.TXT"])
def test_text_of_any_separator_and_encoding(tmp_path, separator, encoding, name):
    text = FRAME.to_csv(index=False, sep=separator, lineterminator="\r\n")
    frame, notes = read_frame(write(tmp_path, text, name, encoding))
    pd.testing.assert_frame_equal(frame, FRAME)
    assert notes == ([f"{name} is not UTF-8 and was read as Latin-1"] * (encoding == "latin-1"))


@pytest.mark.parametrize("name", ["table.parquet", "table.pq", "table.feather", "table.arrow"])
def test_files_of_parquet_and_arrow(tmp_path, name):
    path = tmp_path / name
    if "p" in path.suffix:
        FRAME.to_parquet(path)
    else:
        FRAME.to_feather(path)
    frame, notes = read_frame(path)
    pd.testing.assert_frame_equal(frame, FRAME)
    assert notes == []


def test_a_stream_of_arrow(tmp_path):
    table = pa.Table.from_pandas(FRAME)
    with pa.ipc.new_stream(str(tmp_path / "table.arrow"), table.schema) as writer:
        writer.write_table(table)
    pd.testing.assert_frame_equal(read_frame(tmp_path / "table.arrow")[0], FRAME)


def test_a_decimal_comma(tmp_path):
    frame, notes = read_frame(write(tmp_path, "a;b;c\n1,5;x;3\n-2;y;4\n"))
    assert frame["a"].tolist() == [1.5, -2.0] and frame["c"].tolist() == [3, 4]
    assert notes == ["numbers have a decimal comma in 'a'"]
    frame, notes = read_frame(write(tmp_path, "a;b\n1,2,3;x\n4,5;y\n"))  # a list is no number
    assert frame["a"].tolist() == ["1,2,3", "4,5"] and notes == []


def test_a_decimal_comma_is_of_a_column(tmp_path):
    text = "a;b;c\n1,5;0.1;1.234,5\n-;0.2;7\n"
    frame, notes = read_frame(write(tmp_path, text))
    assert frame["a"].tolist() == ["1.5", "-"]  # marks are read with those of other columns
    assert frame["b"].tolist() == [0.1, 0.2]
    assert frame["c"].tolist() == [1234.5, 7]
    assert notes == ["numbers have a decimal comma in 'a', 'c'"]


@pytest.mark.parametrize("text", ["\n\na,b\n1,2\n", '"a\x85",b\n1,2\n', '"a\nb",b\n1,2\n'])
def test_line_breaks_before_and_in_the_header(tmp_path, text):
    frame, _ = read_frame(write(tmp_path, text))
    assert len(frame.columns) == 2 and frame["b"].tolist() == [2]


def test_numbers_of_rows_are_left_out(tmp_path):
    path = tmp_path / "table.csv"
    FRAME.to_csv(path)
    frame, notes = read_frame(path)
    pd.testing.assert_frame_equal(frame, FRAME)
    assert notes == ["left out the first column, which has no name and numbers the rows"]
    FRAME.iloc[[2, 0, 1]].to_csv(path)  # as after a split
    frame, more = read_frame(path)
    assert list(frame.columns) == list(FRAME.columns) and more == notes


def test_a_single_column(tmp_path):
    assert read_frame(write(tmp_path, "y\n1\n2\n"))[0]["y"].tolist() == [1, 2]


def test_numbers_are_those_that_python_reads(tmp_path):
    values = np.random.default_rng(0).normal(size=200)
    text = "a,b\n" + "".join(f"{value!r},1\n" for value in values.tolist())
    assert read_frame(write(tmp_path, text))[0]["a"].tolist() == values.tolist()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", "", "empty.csv is empty"),
        ("empty.csv", " \n\n", "empty.csv is empty"),
        ("header.csv", "a,b\n", "header.csv has a header and no rows"),
        ("twice.csv", "a,b,a\n1,2,3\n", "has several columns named 'a': rename them"),
        ("wide.csv", "a,b\n1,2,3\n4,5,6\n", "has rows with more fields than its header"),
        ("comment.csv", "# made by x\na,b,c\n1,2,3\n", "has rows with more fields than its header"),
        ("ragged.csv", "a,b\n1,2\n4,5,6\n", "cannot be read: Error tokenizing data"),
        ("zeros.csv", "a\0\0\0", "zeros.csv is no text"),
        ("text.parquet", "a,b\n1,2\n", "text.parquet cannot be read"),
        ("text.arrow", "a,b\n1,2\n", "text.arrow cannot be read"),
        ("table.doc", "a,b\n1,2\n", "has the extension '.doc'; what can be read is .csv, .tsv"),
        ("table", "a,b\n1,2\n", "has the extension ''"),
    ],
)
def test_files_that_will_not_do(tmp_path, name, content, message):
    with pytest.raises(DatasetError, match=message.replace(".", r"\.")):
        read_frame(write(tmp_path, content, name))


def test_types_of_arrow_that_pandas_has_not(tmp_path):
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1]), pa.array(["x"])])
    table = pa.table({"a": union})
    with pa.ipc.new_file(str(tmp_path / "table.arrow"), table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(DatasetError, match="cannot be read: No known equivalent Pandas block"):
        read_frame(tmp_path / "table.arrow")


def test_names_that_occur_twice_in_parquet(tmp_path):
    table = pa.table([[1], [2]], names=["a", "a"])
    pa.parquet.write_table(table, tmp_path / "table.parquet")
    with pytest.raises(DatasetError, match="has several columns named 'a'"):
        read_frame(tmp_path / "table.parquet")


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DatasetError, match="there is no file"):
        read_frame(tmp_path / "no.csv")
    with pytest.raises(DatasetError, match="is a folder, not a table"):
        read_frame(tmp_path)


@pytest.mark.parametrize("module", ["pandas", "pyarrow"])
def test_a_missing_library_is_named(tmp_path, monkeypatch, module):
    path = write(tmp_path, "a,b\n1,2\n")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"needs {module}: pip install 'skdistill\[cli\]'"):
        read_frame(path)


def test_names_in_quotes():
    assert quoted(["a", 1]) == "'a', '1'"
    assert quoted("abcdefg") == "'a', 'b', 'c', 'd', 'e' and 2 more"
