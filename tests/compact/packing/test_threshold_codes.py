"""Threshold codes keep the order: ``x <= edge`` exactly where ``q(x) <= cut``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.compact.packing.threshold_codes import (
    KEY_OF_INFINITY,
    candidates,
    even_steps,
    key,
    ready_codes,
    rounding_borders,
)
from skdistill.compact.tables import linear_table
from skdistill.quantization.binning import rounding_grid
from tests.strategies import compact_models, seeds, tree_models

floats = st.floats(width=32, allow_nan=False)
models = st.one_of(tree_models(), compact_models())


def grid_of(*edges, dtype="f4"):
    """A grid over the first columns."""
    return InputGrid(
        np.arange(len(edges)), np.cumsum([0] + [len(e) for e in edges]), np.concatenate(edges)
    ) if dtype is None else grid_of(*[np.array(e, dtype) for e in edges], dtype=None)  # fmt: skip


def steps(x, exponent, origin):
    """``ceil(x / 2^exponent) - origin`` of exact numbers."""
    scaled = Fraction(float(x)) / Fraction(2) ** int(exponent)
    return -((-scaled.numerator) // scaled.denominator) - int(origin)


def near(edges, rng):
    """Numbers at, beside and far from edges."""
    edges = edges[np.isfinite(edges)]
    with np.errstate(over="ignore", under="ignore"):
        beside = [np.nextafter(edges, np.float32(to)) for to in (-np.inf, np.inf)]
        far = (rng.normal(size=20) * 10.0 ** rng.integers(-40, 39, 20)).astype("f4")
    ends = np.float32([0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38])
    return np.concatenate([edges, *beside, far, ends])


@given(st.lists(floats, min_size=2, max_size=30))
def test_keys_are_in_the_order_of_the_numbers(numbers):
    x = np.array(numbers, "f4")
    assert np.array_equal(key(x)[:, None] <= key(x), x[:, None] <= x)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50))
def test_keys_of_any_bits(bits):
    x = np.array(bits, np.uint32).view("f4")
    assert np.array_equal(key(x) > KEY_OF_INFINITY, np.isnan(x))
    assert np.array_equal(key(x)[~np.isnan(x)][:, None] <= key(x)[~np.isnan(x)],
                          x[~np.isnan(x)][:, None] <= x[~np.isnan(x)])  # fmt: skip


def test_the_largest_keys_are_those_of_nan():
    nan = np.array([0x7F800001, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF], np.uint32).view("f4")
    assert (key(nan) > KEY_OF_INFINITY).all()
    assert key(np.float32([np.inf]))[0] == KEY_OF_INFINITY
    assert key(np.float32([0.0, -0.0])).tolist() == [0x7F800000] * 2


@given(models, seeds)
def test_every_kind_of_codes_parts_the_rows_as_the_edges_do(model, seed):
    for trees in model.tables_of(TreeTable):
        check_codes(model, trees.grid, np.random.default_rng(seed))


def check_codes(model, grid, rng):
    for codes in candidates(grid, model.tables_of(LinearTable)):
        assert len(codes.cut) == len(grid.edges)
        assert codes.cut.min(initial=0) >= (0 if codes.kind != "value" else -(2**31))
        for f in rng.permutation(len(grid.features))[:3]:
            at = slice(grid.offsets[f], grid.offsets[f + 1])
            edges, cut = grid.edges[at], codes.cut[at]
            if codes.kind == "value":
                assert np.array_equal(cut, edges)
                continue
            edges, cut = edges[:40], cut[:40]
            if grid.dtype == "int32":  # rounded inputs of whole numbers below 2^24
                x = np.concatenate([edges, edges - 1, edges + 1])
                left = x[:, None] <= edges
                x = x.astype("f4")
            else:
                x = near(edges, rng)
                left = x[:, None] <= edges
            if codes.kind == "key":  # cuts without their low bits
                q, cut = key(x), cut << codes.drop
            elif codes.kind == "steps":
                q = np.array([steps(v, codes.exponent[f], codes.origin[f]) for v in x], object)
            else:
                assert codes.kind == "rounded"
                (linear,) = model.tables_of(LinearTable)
                j = codes.inputs[f]
                assert linear.features[j] == grid.features[f]
                assert codes.n_inputs == len(linear.features)
                q = linear_table.round_input(x, linear, j) + linear.q_max
                assert q.max() <= codes.largest
            assert np.array_equal((q[:, None] <= cut).astype(bool), left), codes.kind


@given(models)
def test_ready_codes_part_the_rows_as_the_edges_do(model):
    if model.input_dtype == "int32":
        return
    for trees in model.tables_of(TreeTable):
        grid, cut = trees.grid, ready_codes(trees.grid).cut
        x = near(grid.edges[:60], np.random.default_rng(0))
        code = grid.encode(np.repeat(x[:, None], model.n_features, axis=1))
        for f in range(len(grid.features)):
            at = slice(grid.offsets[f], grid.offsets[f + 1])
            assert np.array_equal(code[f][:, None] <= cut[at], x[:, None] <= grid.edges[at])


edge_lists = st.lists(
    st.lists(st.integers(-300, 300), min_size=1, max_size=9, unique=True), min_size=1, max_size=4
)


@given(edge_lists, st.integers(-90, 80), st.integers(-(2**12), 2**12))
def test_even_steps_give_the_edges_back(lists, exponent, offset):
    edges = [np.sort(np.array(one) + offset) * 2.0**exponent for one in lists]
    grid = grid_of(*edges)
    (found,) = even_steps(grid)
    assert found.cut.min() >= 0
    counts = grid.counts
    back = np.repeat(found.origin, counts) + found.cut
    back = np.ldexp(back.astype(float), np.repeat(found.exponent, counts))
    assert np.array_equal(back, grid.edges)
    first = found.cut[grid.offsets[:-1]]
    assert ((first == 0) | (found.origin == 0)).all()


@pytest.mark.parametrize(
    ("edges", "exact"),
    [
        ([[0, 1, 2, 4], [0.75, 1.0]], True),
        ([[0.1, 0.2, 7]], False),
        ([[1, np.inf]], False),
        ([[2.0**-101]], False),
        ([[2.0**-100]], True),
        ([[0, 2.0**-24]], True),
        ([[1, 1 + 2.0**-23]], False),  # 2^23 steps, where a float may saturate
        ([[2.0**21, 2.0**21 + 1]], True),
        ([[2.0**22, 2.0**22 + 1]], False),
        ([[0, 1, 65533]], True),
        ([[0, 1, 65534]], False),
        ([[0]], True),
        ([[-(2.0**127), 2.0**127]], False),
        ([[], [1.0]], False),
    ],
)
def test_even_steps_are_told_exactly_or_not_at_all(edges, exact):
    grid = grid_of(*edges)
    found = even_steps(grid)
    assert bool(found) == exact
    for steps in found:
        back = (np.repeat(steps.origin, grid.counts) + steps.cut).astype(float)
        assert np.array_equal(np.ldexp(back, np.repeat(steps.exponent, grid.counts)), grid.edges)


@given(st.integers(0, 2**32 - 1), st.integers(2, 8))
def test_borders_of_rounding_part_the_rows_as_the_edges_do(seed, bits):
    rng = np.random.default_rng(seed)
    offset = np.float32(rng.normal(size=3) * 10.0 ** rng.integers(-3, 4, 3))
    inv_step = np.float32(2.0 ** rng.integers(-6, 7, 3))
    linear = LinearTable([1, 2, 4], offset, inv_step, bits, np.zeros((3, 1)), 8)
    grid = rounding_grid(linear.features, offset, inv_step, bits)
    borders = rounding_borders(grid, linear)
    for f in range(3):
        at = slice(grid.offsets[f], grid.offsets[f + 1])
        edges = grid.edges[at]
        x = np.concatenate([near(edges, rng), np.float32([-np.inf, np.inf]), offset[f : f + 1]])
        q = linear_table.round_input(x, linear, f)
        assert np.array_equal(q[:, None] <= borders[at], x[:, None] <= edges)


@pytest.mark.parametrize(
    ("edges", "dtype", "column", "border"),
    [
        ([0.5], "f4", 0, 0),
        ([0.25], "f4", 0, None),
        ([500], "f4", 0, None),  # beyond saturation
        ([0.5], "f4", 1, None),  # a column that the linear part does not read
        ([np.inf], "f4", 0, None),
        ([3], "i4", 0, 3),
        ([2**24], "i4", 0, None),
    ],
)
def test_what_is_a_border_of_rounding(edges, dtype, column, border):
    linear = LinearTable([0], [0.0], [1.0], 8, [[1]], 8)
    found = rounding_borders(InputGrid([column], [0, 1], np.array(edges, dtype)), linear)
    assert (None if found is None else found.tolist()) == (None if border is None else [border])


def test_low_bits_that_no_edge_has_are_left_out():
    found = candidates(grid_of([0.5, 1.5]))
    assert [(each.kind, each.drop) for each in found] == [("key", 0), ("key", 22), ("steps", 0)]
    assert [each.kind for each in candidates(grid_of([3, 5], dtype="i4"))] == ["value"]
