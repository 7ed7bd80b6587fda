"""Rounding never changes an answer that it must keep, and never lets a score overflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import InputGrid, LinearTable, TreeTable
from skdistill.compact.packing.threshold_codes import rounding_borders
from skdistill.compact.tables import linear_table
from skdistill.compact.tables.limits import INT32_MAX, value_limits
from skdistill.quantization.binning import fit_grid, round_down, rounding_grid, simplest
from skdistill.quantization.leaf_values import LOGIT_RANGE, leaf_logits, leaf_votes
from skdistill.quantization.linear_weights import linear_input, linear_weights
from tests.strategies import VALUE_BITS, seeds

MAX32 = float(np.finfo(np.float32).max)
singles = st.floats(width=32, allow_nan=False)
finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
doubles = st.floats(allow_nan=False)
value_bits = st.sampled_from(VALUE_BITS)


@given(doubles, singles)
def test_round_down_keeps_every_float32_comparison(threshold, x):
    (rounded,) = round_down(np.array([threshold]))
    assert rounded.dtype == np.float32
    with np.errstate(over="ignore"):
        above, below = (np.nextafter(rounded, np.float32(to)) for to in (np.inf, -np.inf))
    for value in map(float, (x, rounded, above, below, np.inf, -np.inf)):
        assert (value <= threshold) == (value <= float(rounded))


@given(
    doubles | st.integers(-(2**33), 2**33).map(lambda i: i / 2), st.integers(-(2**31), 2**31 - 1)
)
def test_round_down_keeps_every_int32_comparison(threshold, x):
    (rounded,) = round_down(np.array([threshold]), "int32").tolist()
    for value in (x, rounded - 1, rounded, rounded + 1):
        if threshold >= -(2**31) and -(2**31) <= value < 2**31:
            assert (value <= threshold) == (value <= rounded)


def test_round_down_at_the_ends_of_the_range():
    ends = np.array([-np.inf, -1e300, -MAX32, -0.0, MAX32, 1e300, np.inf])
    assert round_down(ends).tolist() == [-np.inf, -np.inf, -MAX32, 0, MAX32, MAX32, np.inf]
    low, high = -(2**31), 2**31 - 1
    assert round_down(ends, "int32").tolist() == [low, low, low, 0, high, high, high]


def column(values, **how):
    return np.asarray(values, **how)[:, None]


def codes_of(X, bits, weight=None):
    return fit_grid(X, bits, weight).encode(X)[0]


@pytest.mark.parametrize("bits", [2, 3, 8, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("missing", [False, True])
def test_as_many_values_as_codes_are_all_kept_apart(bits, dtype, missing):
    rng = np.random.default_rng(bits)
    count = 2**bits - 1 - missing  # where there are NaN, they need a code as well
    values = rng.choice(10**6, count, replace=False).astype(dtype)
    X = np.repeat(values, rng.integers(1, 30, count))
    if missing:
        X = np.append(X.astype(np.float32), [np.nan] * 5)
    rng.shuffle(X)
    grid, codes = fit_grid(column(X), bits), codes_of(column(X), bits)
    assert len(grid.edges) <= 2**bits - 2
    for code in range(count):
        assert len(np.unique(X[codes == code])) == 1
    assert len(np.unique(codes[~np.isnan(X)])) == count


@given(seeds, st.integers(2, 6), st.booleans(), st.booleans())
def test_grids_respect_their_bits_and_never_merge_what_they_could_part(
    seed, bits, missing, weighted
):
    rng = np.random.default_rng(seed)
    X = rng.choice(rng.normal(size=rng.integers(1, 200)), rng.integers(1, 400)).astype(np.float32)
    X[rng.random(len(X)) < 0.2 * missing] = np.nan
    weight = rng.integers(0, 4, len(X)).astype(float) if weighted else None
    if weighted and not weight.any():
        weight[0] = 1
    grid = fit_grid(column(X), bits, weight)
    seen = X if weight is None else X[weight > 0]
    values, has_nan = np.unique(seen[~np.isnan(seen)]), np.isnan(seen).any()
    assert len(grid.edges) <= 2**bits - 2
    if len(values) + has_nan <= 2**bits - 1:
        assert len(grid.edges) == (len(values) - 1 + has_nan if len(values) else 0)
    if has_nan and len(values):
        assert grid.edges[-1] == np.inf
    # Edges lie on the left value or between two, so that no two of them part the same values.
    assert len(np.unique(np.searchsorted(values, grid.edges, side="right"))) == len(grid.edges)


@given(seeds, st.integers(2, 6), st.sampled_from([np.float32, np.int32]))
def test_weights_equal_repeated_rows(seed, bits, dtype):
    rng = np.random.default_rng(seed)
    X = (
        rng.normal(scale=100, size=(rng.integers(1, 150), 2))
        .round(rng.integers(0, 3))
        .astype(dtype)
    )
    if dtype == np.float32:
        X[rng.random(X.shape) < 0.05] = np.nan
    weight = rng.integers(0, 5, len(X))
    weight[0] = 1
    repeated = fit_grid(np.repeat(X, weight, axis=0), bits)
    for factor in (1.0, 3.0, 0.1):
        weighted = fit_grid(X, bits, weight * factor)
        assert np.array_equal(weighted.edges, repeated.edges)
        assert np.array_equal(weighted.offsets, repeated.offsets)


@given(seeds, st.integers(2, 6))
def test_the_order_of_the_rows_does_not_matter(seed, bits):
    rng = np.random.default_rng(seed)
    X, weight = rng.integers(0, 99, (200, 1)).astype(np.float32), rng.random(200)
    order = rng.permutation(200)
    assert np.array_equal(
        fit_grid(X, bits, weight).edges, fit_grid(X[order], bits, weight[order]).edges
    )


@given(seeds, st.integers(2, 5))
def test_a_value_that_holds_more_than_its_share_ends_a_bin(seed, bits):
    rng = np.random.default_rng(seed)
    heavy = np.repeat(rng.choice(9, 3, replace=False), rng.integers(1, 3000, 3))
    X = column(np.append(heavy, rng.normal(4, 5, 300)), dtype=np.float32)
    codes, (values, counts) = codes_of(X, bits), np.unique(X, return_counts=True)
    for value in values[counts > len(X) / (2**bits - 1) * (1 + 1e-6)]:
        code = codes[X[:, 0] == value][0]
        assert X[codes == code].max() == value


def test_bins_of_a_continuous_column_hold_even_shares():
    X = column(np.random.default_rng(0).normal(size=30_000), dtype=np.float32)
    counts = np.bincount(codes_of(X, 4))
    assert len(counts) == 15
    assert counts.min() > 1500  # an edge may move by a quarter of a bin of 2,000 rows
    assert counts.max() < 2500
    weight = np.where(X[:, 0] > 0, 9.0, 1.0)
    shares = np.bincount(codes_of(X, 4, weight), weight)
    assert shares.min() > 7500
    assert shares.max() < 12_500


def test_all_edges_are_spent_on_a_column_with_heavy_values():
    rng = np.random.default_rng(0)
    X = column(np.append(np.zeros(5000), rng.normal(size=5000)), dtype=np.float32)
    assert len(fit_grid(X, 5).edges) == 2**5 - 2


def test_columns_without_two_values_have_no_edge():
    X = np.array([[1, np.nan, 2], [1, np.nan, np.nan], [1, np.nan, 2]], np.float32)
    grid = fit_grid(X, 8)
    assert grid.counts.tolist() == [0, 0, 1]  # 2 parts from NaN
    assert grid.edges.tolist() == [np.inf]
    assert grid.encode(X).tolist() == [[0, 0, 0], [1, 1, 1], [0, 2, 0]]


def test_numbers_beyond_the_training_range_do_not_go_the_way_of_nan():
    grid = fit_grid(column([1, 5, 9, np.nan], dtype=np.float32), 8)
    beyond = np.array([[9.1], [1e30], [np.inf], [-np.inf], [np.nan]])
    assert grid.encode(beyond).tolist() == [[2, 2, 2, 0, 4]]


def test_rows_without_weight_are_not_seen():
    X = column([0, 1, 2, 3, np.nan], dtype=np.float32)
    grid = fit_grid(X, 8, np.array([1.0, 0, 2, 0, 0]))
    assert grid.edges.tolist() == [1]


def test_int32_columns_part_neighbours_of_any_size():
    values = [-(2**31), -(2**31) + 1, -1, 0, 2**24, 2**24 + 1, 2**31 - 2, 2**31 - 1]
    X = column(values, dtype=np.int32)
    assert fit_grid(X, 8).dtype == "int32"
    assert codes_of(X, 8).tolist() == list(range(8))


def test_float32_neighbours_and_subnormals_are_parted():
    tiny = np.float32(1e-45)
    values = np.array(
        [-tiny, 0, tiny, 2 * tiny, 1, np.nextafter(np.float32(1), np.float32(2)), MAX32]
    )
    assert codes_of(column(values, dtype=np.float32), 8).tolist() == list(range(7))
    assert codes_of(column([0.0, -0.0, 1], dtype=np.float32), 8).tolist() == [0, 0, 1]


def random_leaves(seed, K, L=50):
    """Probabilities with near-ties, zeros and certainties among them."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(K, rng.choice([0.02, 0.3, 1, 1000])), L)
    P[:5] = 1 / K
    P[5:10] = np.eye(K)[rng.integers(0, K, 5)]
    P[10:20] = 1 / K + rng.normal(size=(10, K)) * 1e-9
    i, j = rng.integers(0, K, (2, 10))
    P[20:30] = (np.eye(K)[i] + np.eye(K)[j]) / 2
    return P / P.sum(axis=1, keepdims=True)


def model_of_leaves(values, bias, scale, link, bits):
    """A model whose row i falls into leaf i, to read leaves through the real semantics."""
    L = len(values)
    chain = np.arange(L - 1)
    grid = InputGrid([0], [0, L - 1], chain.astype(np.float32))
    right = np.append(chain[1:], ~(L - 1))
    trees = TreeTable(
        grid, [0], np.zeros(L - 1), chain, ~chain, right, np.zeros(L - 1, bool), values, bits
    )
    K = 2 if values.shape[1] == 1 else values.shape[1]
    return CompactModel(1, bias, scale, link, np.arange(K), [trees])


def answers(values, bias, scale, link, bits):
    model, X = model_of_leaves(values, bias, scale, link, bits), np.arange(len(values))[:, None]
    return model.predict(X), model.predict_proba(X)


@given(seeds, st.integers(2, 40), value_bits)
def test_leaf_logits_keep_every_label(seed, K, bits):
    P = random_leaves(seed, K)
    labels, _ = answers(*leaf_logits(P, bits), "sigmoid" if K == 2 else "softmax", bits)
    assert np.array_equal(labels, P.argmax(axis=1))


@given(seeds, st.integers(2, 40), value_bits)
def test_leaf_votes_of_one_tree_keep_every_label(seed, K, bits):
    P = random_leaves(seed, K)
    labels, _ = answers(*leaf_votes(P, bits, 1), "normalize", bits)
    assert np.array_equal(labels, P.argmax(axis=1))


@given(seeds, st.integers(2, 9))
def test_leaf_logits_of_many_bits_are_the_probabilities(seed, K):
    P = np.random.default_rng(seed).dirichlet(np.full(K, 2.0), 50)
    _, told = answers(*leaf_logits(P, 16), "sigmoid" if K == 2 else "softmax", 16)
    inside = P.max(axis=1) / P.min(axis=1) < 1000
    assert np.allclose(told[inside], P[inside], rtol=0, atol=2e-4)


@given(seeds, st.integers(2, 9), st.sampled_from([2, 4, 8, "ternary"]))
def test_leaf_logits_are_off_by_a_rounding_step_at_most(seed, K, bits):
    P = random_leaves(seed, K)
    values, bias, scale = leaf_logits(P, bits)
    z = (values + bias) * scale
    P = np.maximum(P, 1e-300)
    if K == 2:
        wanted = np.log(P[:, 1:] / P[:, :1]).clip(-LOGIT_RANGE, LOGIT_RANGE)
    else:
        wanted = np.log(P / P.max(axis=1, keepdims=True)).clip(-LOGIT_RANGE)
        z -= z.max(axis=1, keepdims=True)
    assert np.abs(z - wanted).max() <= scale + 1e-9
    assert (np.abs(z - wanted) <= scale / 2 + 1e-9).mean() > 0.5


@given(seeds, st.integers(2, 9), value_bits, st.integers(1, 5))
def test_leaf_votes_are_the_mean_of_the_trees(seed, K, bits, trees):
    P = random_leaves(seed, K)
    values, bias, scale = leaf_votes(P, bits, trees)
    low, high = value_limits(bits, signed=bool((values < 0).any()))
    assert low <= values.min() <= values.max() <= high
    step = 1 / (2 * high) if K == 2 else 1 / (2 if bits == "ternary" else high)
    if K == 2:
        told = 0.5 + scale * trees * values[:, 0]
        assert np.abs(told - P[:, 1]).max() <= step
    else:
        told = scale * (trees * values + bias)  # as if all trees agreed
        assert np.abs(told - P).max() <= step * (1.5 + 1e-9)


def test_certain_leaves_use_the_whole_range():
    values, _, _ = leaf_logits(np.array([[0.0, 1.0], [1.0, 0.0]]), 8)
    assert values.tolist() == [[127], [-127]]
    values, _, _ = leaf_logits(np.eye(3), 8)
    assert values.tolist() == (np.eye(3) * 255).tolist()
    values, bias, scale = leaf_votes(np.eye(3), "ternary", 4)
    assert ((4 * values + bias) * scale).tolist() == np.eye(3).tolist()


@given(
    seeds,
    value_bits,
    st.sampled_from([1, 3]),
    st.integers(2, 16),
    st.sampled_from([1.0, 0.5, 0.01]),
)
def test_linear_weights_cannot_overflow_and_fit_their_bits(seed, bits, S, input_bits, shrink):
    rng = np.random.default_rng(seed)
    u = int(rng.integers(1, 600))
    size = 10.0 ** rng.integers(-30, 30, 2)
    W, b = rng.normal(size=(u, S)) * size[0], rng.normal(size=S) * size[1]
    W *= rng.random(W.shape) < rng.choice([0, 0.5, 1])
    weights, bias, scale = linear_weights(W, b, bits, 2 ** (input_bits - 1) - 1, shrink)
    steps = np.zeros(u, np.float32), np.ones(u, np.float32)
    table = LinearTable(
        np.arange(u), *steps, input_bits, weights, bits
    )  # refuses what bits cannot hold
    model = CompactModel(u, bias, scale, "identity", None, [table])  # refuses what can overflow
    assert int(model.score_bound.max()) <= INT32_MAX


@given(seeds, st.sampled_from([4, 8, 16]))
def test_linear_weights_are_rounded_to_the_finest_step_that_fits(seed, bits):
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(5, 3)), rng.normal(size=3) * 100
    weights, bias, scale = linear_weights(W, b, bits, 127)
    assert np.abs(weights).max() == 2 ** (bits - 1) - 1
    assert np.abs(weights * scale - W).max() <= scale / 2 * (1 + 1e-9)
    assert np.abs(bias * scale - b).max() <= scale / 2 * (1 + 1e-9)


def test_linear_weights_that_all_round_up_cannot_overflow():
    W = np.ones((1000, 1))  # in the finest unit that holds their sum each would be 65.54
    weights, bias, _ = linear_weights(W, np.zeros(1), 16, 32767)
    worst = 32767 * int(np.abs(weights).sum()) + int(bias[0])
    assert 0.98 * INT32_MAX < worst <= INT32_MAX


def test_linear_weights_of_zero_are_zero():
    weights, bias, scale = linear_weights(np.zeros((3, 2)), np.zeros(2), 8, 127)
    assert not weights.any()
    assert not bias.any()
    assert scale > 0


@given(seeds, st.integers(2, 16))
def test_linear_input_reaches_the_farthest_value_unless_it_is_an_outlier(seed, bits):
    rng = np.random.default_rng(seed)
    X = (rng.uniform(-1, 1, size=(300, 3)) * [1, 1e-6, 1e6] + [0, 5, -7]).astype(np.float32)
    X[0, 2] = 1e9
    offset, inv_step, useful = linear_input(X, np.ones(300), bits)
    assert useful.all()
    table = LinearTable([0, 1, 2], offset, inv_step, bits, np.zeros((3, 1)), 8)
    q = linear_table.quantize_input(X, table)
    assert (np.frexp(inv_step)[0] == 0.5).all()  # powers of two
    most = np.abs(q).max(axis=0)
    assert (most >= table.q_max // 2).all()
    assert most[2] <= table.q_max
    back = offset + q / inv_step.astype(np.float64)
    inside = np.abs(q[1:]) < table.q_max
    assert (np.abs(back - X)[1:] <= 0.51 / inv_step + 1e-6 * np.abs(X[1:]))[inside].all()
    assert inside.mean() > 0.5


def test_linear_input_gives_an_outlier_no_more_than_eight_deviations():
    X = np.tile([[-1.5], [1.5]], (5000, 1)).astype(np.float32)
    _, inv_step, _ = linear_input(X, np.ones(10_000), 8)
    assert inv_step[0] == 64
    X[0] = 1e6
    _, inv_step, _ = linear_input(X, np.ones(10_000), 8)
    finest = 127 / (8 * X.std(dtype=np.float64))
    assert finest / 2 < inv_step[0] <= finest


def test_whole_numbers_stay_whole():
    X = np.random.default_rng(0).integers(3, 12, (50, 1)).astype(np.float32)
    offset, inv_step, _ = linear_input(X, np.ones(50), 8)
    assert inv_step[0] == 1
    assert offset[0] == np.rint(X.mean())


def test_linear_input_weights_equal_repeated_rows_and_ignore_rows_without():
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(40, 2)).astype(np.float32), rng.integers(0, 4, 40)
    X[weight == 0] = 1e6
    weighted = linear_input(X, weight.astype(float), 8)
    repeated = linear_input(np.repeat(X, weight, axis=0), np.ones(weight.sum()), 8)
    assert np.allclose(weighted[0], repeated[0], rtol=1e-6)
    assert np.allclose(weighted[1], repeated[1], rtol=1e-6)


def test_columns_too_narrow_for_a_step_are_not_useful():
    X = np.array([[3, 0, 1], [3, 1e-45, 2], [3, 0, 3]], np.float32)
    offset, inv_step, useful = linear_input(X, np.ones(3), 8)
    assert useful.tolist() == [False, False, True]
    assert inv_step[:2].tolist() == [1, 1]
    assert offset[0] == 3


@given(finite32, finite32)
def test_the_simplest_number_lies_inside_and_has_fewest_bits(a, b):
    low, high = np.float32(min(a, b)), np.float32(max(a, b))
    (found,) = simplest(np.array([low]), np.array([high]))
    assert low <= found <= high

    def zeros(x):
        return (int(np.float32(x).view(np.uint32)) | 1 << 31) & -int(np.float32(x).view(np.uint32))

    for x in (low, high, np.float32(low / 2 + high / 2)):
        assert found == 0 or x == 0 or zeros(found) >= zeros(x)


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_even_edges_are_multiples_of_a_power_of_two(bits):
    rng = np.random.default_rng(0)
    X = np.float32(rng.normal(size=(3000, 3)) * [1, 1e-3, 1e4] + [0, 5, 1e4])
    grid = fit_grid(X, bits, binning="uniform")
    assert (grid.counts <= 2**bits - 2).all()
    assert (grid.counts >= (2**bits - 2) // 2).all()
    for j in range(3):
        edges = grid.edges[grid.offsets[j] : grid.offsets[j + 1]].astype(np.float64)
        steps = np.diff(edges)
        assert (steps == steps[0]).all()
        assert np.frexp(steps[0])[0] == 0.5
        assert (edges / steps[0] % 1 == 0).all()
        assert X[:, j].min() <= edges[0]
        assert edges[-1] < X[:, j].max()


def test_even_edges_part_whole_numbers_and_nan_and_skip_constants():
    X = np.array([[3, 0, 1], [4, 0, 1], [9, 0, np.nan]], np.float32)
    grid = fit_grid(X, 8, binning="uniform")
    assert grid.edges[: grid.offsets[1]].tolist() == [3, 4, 5, 6, 7, 8]
    assert grid.counts[1:].tolist() == [0, 1]
    assert grid.edges[-1] == np.inf


def test_even_edges_reach_rare_values_where_there_is_nothing_else():
    X = np.zeros((1000, 1), np.float32)
    X[0] = 100
    assert len(fit_grid(X, 4, binning="uniform").edges)


@pytest.mark.parametrize("low", [2**24 + 2, 2**25 + 4, 2**26 + 8, 10**9])
def test_whole_numbers_beyond_float32s_are_parted(low):
    high = np.nextafter(np.float32(low), np.float32(np.inf))
    X = np.array([[low], [high]], np.float32)
    assert fit_grid(X, 8).encode(X).tolist() == [[0, 1]]


def test_even_edges_of_int32_columns_are_not_rounded():
    X = (1_700_000_001 + 2 * np.arange(60, dtype=np.int32))[:, None]
    assert fit_grid(X, 8, binning="uniform").encode(X)[0].tolist() == list(range(0, 120, 2))


def test_even_edges_begin_inside_the_column():
    X = np.array([[0.3], [0.3], [0.7], [np.nan]], np.float32)
    assert fit_grid(X, 2, binning="uniform").encode(X).tolist() == [[0, 0, 1, 3]]  # 3 is NaN


def test_borders_of_rounding_finer_than_float32_are_one_edge():
    X = (1.7e9 + 1e4 * np.random.default_rng(0).random((50, 1))).astype(np.float32)
    offset, inv_step, useful = linear_input(X, np.ones(50), 8)
    assert useful.all()
    grid = rounding_grid(np.array([0]), offset, inv_step, 8)
    assert 0 < len(grid.edges) < 254
    linear = LinearTable([0], offset, inv_step, 8, [[1]], 8)
    assert rounding_borders(grid, linear) is not None


def test_inputs_at_the_ends_of_float32_have_an_offset():
    X = np.array([[3.3e38], [3.4e38], [-3.4e38]], np.float32)
    offset, _, _ = linear_input(X, np.ones(3), 2)
    assert np.isfinite(offset).all()


@pytest.mark.parametrize("seed", [3831, *range(60)])
def test_edges_ascend_however_unevenly_the_values_are_held(seed):
    """Weights over many orders: taking heavy values out one after the other does not settle."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 300))
    values = np.arange(n).astype(np.float32)
    held = (rng.uniform(1.1, 1.9) ** rng.uniform(0, rng.uniform(8, 25), n)).astype(int)
    bits = int(rng.integers(3, 9))
    grid = fit_grid(values[:, None], bits, held.clip(1, 20000).astype(float))
    assert (np.diff(grid.edges) > 0).all()
    assert len(grid.edges) <= 2**bits - 2
