"""The input grid: what a code means, and which grids are refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.compact import InputGrid, TreeTable
from tests.strategies import adversarial_rows, compact_models, seeds


def as_compared(grid, x):
    """`x` as the grid compares it."""
    if grid.dtype == "int32":
        return float(x)
    with np.errstate(over="ignore"):
        return float(np.float32(x))


def edges_of(grid, f):
    return grid.edges[grid.offsets[f] : grid.offsets[f + 1]].tolist()


@given(compact_models(), seeds, st.sampled_from(["float32", "float64", "int32"]))
def test_code_counts_edges_below_and_agrees_with_every_comparison(model, seed, dtype):
    if not model.tables_of(TreeTable):
        return
    grid, X = (
        model.table(TreeTable).grid,
        adversarial_rows(model, seed, dtype=dtype),
    )
    codes = grid.encode(X)
    assert codes.shape == (len(grid.features), len(X))
    for f, column in enumerate(grid.features):
        edges = edges_of(grid, f)
        for code, x in zip(codes[f].tolist(), X[:, column], strict=True):
            x = as_compared(grid, x)
            if x != x:
                assert code == len(edges) + 1
                continue
            assert code == sum(edge < x for edge in edges)
            assert [code <= t for t in range(len(edges))] == [x <= edge for edge in edges]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 253, 254, 255, 256, 65534])
def test_codes_of_full_grids_are_narrow_and_exact(count):
    grid = InputGrid([0], [0, count], np.arange(count, dtype=np.float32))
    X = np.append(np.arange(-1, count + 1), [0.5, np.nan, np.inf, -np.inf])[:, None]
    codes = grid.encode(X)[0]
    assert codes.dtype == (np.uint8 if count <= 254 else np.uint16)
    expected = [0, *range(count), count, min(1, count), count + 1, count, 0]
    assert codes.tolist() == expected


def test_rows_beyond_one_block_get_the_codes_of_their_own_values():
    grid = InputGrid([0, 2], [0, 3, 4], np.array([-1, 0, 1, 5], np.float32))
    X = np.random.default_rng(0).normal(size=(5000, 3)) * 3
    expected = [(X[:, [0]] > [-1, 0, 1]).sum(axis=1), (X[:, 2] > 5).astype(int)]
    assert np.array_equal(grid.encode(X), expected)


def test_float64_is_rounded_to_float32_before_it_is_compared():
    grid = InputGrid([0], [0, 1], np.array([0.1], np.float32))
    hair = np.nextafter(np.float64(np.float32(0.1)), 1)
    assert grid.encode(np.array([[hair], [0.1], [0.1000001]])).tolist() == [[0, 0, 1]]


def test_int32_edges_part_integers_that_float32_would_merge():
    grid = InputGrid([0], [0, 1], np.array([2**24], np.int32))
    X = np.array([[2**24], [2**24 + 1]])
    assert grid.dtype == "int32"
    assert grid.encode(X.astype(np.int64)).tolist() == [[0, 1]]
    assert grid.encode(X.astype(np.int32)).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("features", "offsets", "edges", "message"),
    [
        ([1, 0], [0, 1, 2], [1.0, 2.0], "ascending column"),
        ([0, 0], [0, 1, 2], [1.0, 2.0], "ascending column"),
        ([-1], [0, 1], [1.0], "ascending column"),
        ([0], [0, 1, 2], [1.0, 2.0], "offsets has 3"),
        ([0], [0, 1], [1.0, 2.0], "offsets must rise"),
        ([0], [1, 2], [1.0, 2.0], "offsets must rise"),
        ([0, 1, 2], [0, 2, 1, 2], [1.0, 2.0], "offsets must rise"),
        # Differences that wrap around in int32 look as if the offsets rose.
        ([0, 1, 2], [0, 2**31 - 1, -2, 2], [1.0, 2.0], "offsets must rise"),
        ([0], [0, 2], [2.0, 1.0], "strictly ascending"),
        ([0], [0, 2], [1.0, 1.0], "strictly ascending"),
        ([0], [0, 2], [-0.0, 0.0], "strictly ascending"),
        ([0, 1], [0, 1, 3], [5.0, 2.0, 2.0], "strictly ascending"),
        ([0], [0, 1], [-np.inf], "above"),
        ([0], [0, 1], [np.nan], "cannot hold"),
        ([0], [0, 2], [np.inf, np.inf], "ascending"),
        ([0], [0, 1], [np.nan], "float32 cannot hold"),
        ([0], [0, 1], [0.1], "float32 cannot hold"),
        ([0.5], [0, 1], [1.0], "int32 cannot hold"),
        ([0], [0, 1], [[1.0]], "dimension"),
        ([0], [0, 1], np.array([2**31]), "int32 cannot hold"),
        ([0], [0, 65535], np.arange(65535.0), "more than 65534 edges"),
    ],
)
def test_contradicting_tables_are_refused(features, offsets, edges, message):
    with pytest.raises(ValueError, match=message):
        InputGrid(features, offsets, edges)


def test_features_without_edges_are_allowed_anywhere():
    grid = InputGrid([0, 1, 2, 3], [0, 0, 2, 2, 2], np.array([1, 2], np.float32))
    assert grid.counts.tolist() == [0, 2, 0, 0]
    assert grid.encode(np.full((1, 4), 1.5)).tolist() == [[0], [1], [0], [0]]
    assert grid.encode(np.full((1, 4), np.nan)).tolist() == [[1], [3], [1], [1]]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))]
)
def test_tables_are_copies_that_stay_read_only(copied):
    edges = np.array([1, 2], np.float32)
    grid = InputGrid([0], [0, 2], edges)
    edges[0] = 9
    for table in (grid, copied(grid)):
        assert table.edges.tolist() == [1, 2]
        with pytest.raises(ValueError, match="read-only"):
            table.edges[0] = 0
        with pytest.raises(AttributeError):
            table.edges = edges


BENT = {  # columns whose edges lie close together somewhere
    "even": lambda x: x,
    "exponential": lambda x: np.exp(12 * x),
    "whole": lambda x: np.rint(20 * x),
    "huge": lambda x: 1e38 * x,
    "tiny": lambda x: 1e-43 * x,
    "one far away": lambda x: np.where(x > 3, 1e30, x),
}


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("bent", BENT)
@pytest.mark.parametrize("count", [1, 2, 3, 254, 4000])
def test_many_rows_get_the_codes_of_a_binary_search(count, bent, dtype):
    """Beyond some thousand rows buckets of numbers come first."""
    rng = np.random.default_rng(count)
    with np.errstate(over="ignore"):
        x = BENT[bent](rng.normal(size=count)).astype(np.float32)
    limit = np.finfo(np.float32).max if dtype == "float32" else 2**31 - 1
    x = np.clip(x.astype(np.float64), -limit, limit).astype(dtype)
    edges = np.unique(x)
    if dtype == "float32":
        edges = np.append(edges, np.float32(np.inf))
    grid = InputGrid([0], [0, len(edges)], edges)
    wide = edges.astype(np.float64 if dtype == "int32" else np.float32)
    with np.errstate(over="ignore", under="ignore"):
        neighbours = [np.nextafter(wide, wide.dtype.type(end)) for end in (-np.inf, np.inf)]
    ends = [-np.inf, np.inf, np.nan, 0.0, -0.0, limit, -limit]
    rows = np.concatenate([wide, *neighbours, ends]).astype(np.float64)
    rows = np.resize(rows, (2**14 + 5, 1))
    expected = np.searchsorted(wide, rows[:, 0].astype(wide.dtype), side="left")
    expected[np.isnan(rows[:, 0])] = len(edges) + 1
    assert np.array_equal(grid.encode(rows)[0], expected)
