"""The figures of a summary are those of the packed tables and of the file."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import CategoryTable, LinearTable
from skdistill.compact.file_format import to_bytes
from skdistill.compact.summary import summarize
from tests.strategies import compact_models, tree_models

models = st.one_of(tree_models(), compact_models(), compact_models(regression=True))


@given(models)
def test_bytes_add_up_to_nbytes_and_files_are_as_large_as_said(model):
    summary = summarize(model)
    assert summary.nbytes == model.nbytes
    assert summary.file_bytes == len(to_bytes(model))
    assert [kind for kind, *_ in summary.tables] == [table.kind for table in model.tables]
    assert [n for _, _, n, _ in summary.tables] == [len(table.columns) for table in model.tables]


def linear_model(**others):
    linear = LinearTable([0, 2], [0.5, 0], [2.0, 1], 8, [[1, 2, -3], [0, 1, 0]], 4)
    return CompactModel(3, [1, 2, 3], 0.5, "softmax", ["a", "b", "c"], [linear], **others)


def test_a_summary_prints_as_a_table():
    lines = str(summarize(linear_model())).splitlines()
    assert lines[0] == "3 classes from 3 columns of float32, 2 of them read; link softmax"
    assert lines[1].split() == ["table", "holds", "columns", "bytes"]
    assert lines[2].split() == ["linear", "weights", "of", "2", "columns", "2", "11"]
    assert lines[3].split() == ["bias", "3"]
    assert lines[4].split()[-1] == "14"
    assert len({len(line) for line in lines[1:]}) == 1


def test_ranks_and_scales_are_counted_beside_the_tables():
    categories = CategoryTable([2], [["a", "b"]], [0, 1, 2, 3])
    assert summarize(linear_model(categories=categories)).other_bytes == {"bias": 3, "ranks": 4}
    values = CompactModel(1, [1, 2], [0.5, 0.1], "identity", None)
    assert summarize(values).other_bytes == {"bias": 2, "scale": 8}
    assert str(summarize(values)).startswith("2 values from 1 column of float32, 0 of them read")


def test_html_escapes_what_it_shows_and_closes_what_it_opens():
    html = summarize(linear_model())._repr_html_()
    opened = re.findall(r"<(\w+)", html)
    assert sorted(opened) == sorted(re.findall(r"</(\w+)>", html))
    assert html.count("<tr>") == 5
    assert ">14<" in html


def test_labels_that_no_file_holds_leave_its_size_open():
    model = CompactModel(1, [0], 1.0, "sigmoid", np.array([("a",), None], object))
    assert summarize(model).file_bytes is None
    assert "file" not in str(summarize(model))
    assert "<table>" in model._repr_html_()
