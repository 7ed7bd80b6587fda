"""Probes find what differs, and nothing where nothing does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from skdistill import CompactModel
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.export.onnx import to_onnx
from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from tests.strategies import category_tables, compact_models, labelled_rows, seeds


@pytest.fixture(scope="module")
def tree():
    """Two splits, the second of which only rows with a large first column reach."""
    grid = InputGrid([0, 2], [0, 1, 2], np.array([2.5, 0.1], np.float32))
    nodes = [0], [0, 1], [0, 0], [-1, -2], [1, -3], [True, False]
    table = TreeTable(grid, *nodes, [[-3], [2], [5]], 8)
    return CompactModel(3, [0], 0.5, "sigmoid", ["no", "yes"], [table])


def shifted(model, **edges_by):
    """`model` with its thresholds moved."""
    trees = model.table(TreeTable)
    edges = trees.grid.edges.copy()
    for at, edge in edges_by.items():
        edges[int(at[1:])] = edge
    return model.with_table(replace(trees, grid=replace(trees.grid, edges=edges)))


@given(compact_models() | compact_models(regression=True), seeds)
@settings(max_examples=20)
def test_an_export_has_no_mismatch_on_its_probes(model, seed):
    dtype = np.dtype(model.input_dtype)
    X = np.random.default_rng(seed).integers(-3, 4, (10, model.n_features)).astype(dtype)
    rows = probe_rows(model, X, seed=seed)
    assert rows.dtype == dtype
    content = to_onnx(model, input_dtype=model.input_dtype).SerializeToString()
    assert count_mismatches(model, open_session(content), rows) == 0


@pytest.mark.parametrize("edge", ["e0", "e1"])
@pytest.mark.parametrize("towards", [-np.inf, np.inf])
def test_probes_find_a_threshold_that_is_off_by_the_least_float(tree, tmp_path, edge, towards):
    X = np.array([[0, 0, 0], [9, 0, 0]], np.float32)  # the second row reaches the second split
    right = tree.table(TreeTable).grid.edges[int(edge[1:])]
    wrong = shifted(tree, **{edge: np.nextafter(right, np.float32(towards))})
    to_onnx(wrong, tmp_path / "wrong.onnx")
    session = open_session(tmp_path / "wrong.onnx")
    assert count_mismatches(tree, session, X) == 0
    assert count_mismatches(tree, session, probe_rows(tree, X)) > 0


def test_probes_find_a_wrong_way_for_nan(tree):
    trees = replace(tree.table(TreeTable), nan_left=~tree.table(TreeTable).nan_left)
    session = open_session(to_onnx(tree.with_table(trees)).SerializeToString())
    X = np.ones((2, 3), np.float32)
    assert count_mismatches(tree, session, X) == 0
    assert count_mismatches(tree, session, probe_rows(tree, X)) > 0


def test_probes_find_a_wrong_offset_of_a_linear_model():
    def linear(offset):
        table = LinearTable([1], [offset], [3.0], 8, [[7]], 8)
        return CompactModel(2, [0], 0.1, "sigmoid", [0, 1], [table])

    session = open_session(to_onnx(linear(2.0**-16)).SerializeToString())
    X = np.zeros((3, 2), np.float32)
    assert count_mismatches(linear(0.0), session, X) == 0
    assert count_mismatches(linear(0.0), session, probe_rows(linear(0.0), X)) > 0


def test_a_row_with_other_scores_counts_once_though_its_label_is_right(tree):
    values = tree.table(TreeTable).values.copy()
    values[2] += 1
    trees = replace(tree.table(TreeTable), values=values)
    session = open_session(to_onnx(tree.with_table(trees)).SerializeToString())
    X = np.array([[0, 0, 0], [9, 0, 0], [9, 0, 1]], np.float32)
    assert count_mismatches(tree, session, X) == 1


def test_probes_stay_few_and_repeat_themselves():
    rng = np.random.default_rng(0)
    u = 64
    table = LinearTable(np.arange(u), np.zeros(u), np.ones(u), 12, rng.integers(-9, 9, (u, 1)), 8)
    model = CompactModel(u, [0], 0.1, "sigmoid", [0, 1], [table])
    X = rng.normal(size=(50, u)).astype(np.float32)
    rows = probe_rows(model, X, seed=3)
    assert len(rows) == 20_000
    np.testing.assert_array_equal(rows, probe_rows(model, X, seed=3))


def test_a_constant_model_has_nothing_to_probe():
    model = CompactModel(2, [5], 0.1, "sigmoid", ["no", "yes"])
    assert probe_rows(model, np.ones((4, 2))).shape == (0, 2)


def test_without_onnxruntime_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install 'skdistill\[onnx\]'"):
        open_session("any.onnx")


@given(compact_models(), seeds)
def test_rows_with_categories_have_known_labels_and_others(model, seed):
    rng = np.random.default_rng(seed)
    table = category_tables(rng, model.n_features)
    model = replace(model, categories=table)
    rows = probe_rows(model, labelled_rows(rng, table, model.n_features, 20), seed=seed)
    assert rows.shape[1] == model.n_features
    content = to_onnx(model, input_dtype="float64").SerializeToString()
    assert count_mismatches(model, open_session(content), rows) == 0
    if len(rows) > 500:
        indexes = table.index(rows)[:, table.columns]
        assert (indexes.max(axis=0) == table.counts + 1).all()
