"""Random compact models, and rows that try to tell two implementations of them apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from skdistill import CompactModel
from skdistill.compact import CategoryTable, InputGrid, LinearTable, NetTable, TreeTable
from skdistill.compact.tables.limits import value_limits
from skdistill.compact.tables.tree_table import MAX_LEAF_SCORE
from skdistill.quantization.binning import rounding_grid

VALUE_BITS = ("ternary", *range(2, 17))
INPUT_DTYPES = ("float32", "float64", "int32", "int64")
MAX32 = float(np.finfo(np.float32).max)
_FLOATS = [0.0, 1e-45, 1e-38, 0.1, 1 / 3, 0.5, 1.0, 2.5, 2.0**24, 2.0**24 + 2, MAX32]
_WHOLE = [0, 1, 2, 6, 2**24 - 1, 2**24, 2**31 - 2, 2**31 - 1, 2**53 + 1, 2**63 - 1]
_EDGES = {
    "float32": [*_FLOATS, *(-x for x in _FLOATS), np.inf],
    "int32": [x for i in _WHOLE[:8] for x in (i, -i - 1)],
}
_ANYWHERE = [
    *_FLOATS,
    1e-300,
    1e-39,
    2.0,
    7.0,
    2.0**24 + 1,
    2.0**31,
    2.0**53,
    3.5e38,
    1e300,
    np.inf,
]
_ANYWHERE += [-x for x in _ANYWHERE] + [np.nan]
_INTEGERS = [x for i in _WHOLE for x in (i, -i - 1)]
_LABELS = {
    "str": lambda k: np.array([f"größe {i}" for i in range(k)]),
    "int": lambda k: np.arange(k) * 3 - 4,
    "wide": lambda k: np.arange(k) + 2**60,
    "bool": lambda k: np.arange(k) > 0,
}

seeds = st.integers(0, 2**32 - 1)
units = st.sampled_from([1, 1, 1, 2, 37, 1000])


@st.composite
def compact_models(draw, regression=False):
    """Valid models of every shape: without tables, with trees that share nodes, linear, both."""
    rng = np.random.default_rng(draw(seeds))
    n_features = draw(st.integers(1, 6))
    if regression:
        K, S, link, labels = 0, draw(st.integers(1, 3)), "identity", None
    else:
        K = draw(st.sampled_from([1, 2, 2, 2, 3, 3, 4, 7, 30]))
        S = 1 if K <= 2 else K
        link = draw(st.sampled_from(["normalize", "sigmoid" if S == 1 else "softmax"]))
        labels = _LABELS[draw(st.sampled_from(["str", "int", "wide"] + ["bool"] * (K <= 2)))](K)
    tables = []
    if draw(st.sampled_from([True, True, True, False])):
        grid = _random_grid(rng, n_features, draw(st.sampled_from(["float32", "int32"])))
        bits, n_trees = draw(st.sampled_from(VALUE_BITS)), draw(st.integers(1, 9))
        tables.append(random_trees(rng, grid, S, bits, n_trees, draw(units)))
    if draw(st.booleans()):
        tables.append(random_linear(rng, n_features, S, draw(st.sampled_from(VALUE_BITS))))
    bias = rng.integers(-3, 4, S) * rng.choice([0, 1, 1000])
    model = CompactModel(n_features, bias, 1.0, link, labels, tables)
    scale = rng.choice([0.3, 3, 10]) / max(1, int(model.score_bound.max()))
    if regression and draw(st.booleans()):
        scale = scale * 10.0 ** rng.integers(-20, 20, S)
    names = tuple(f"ä{i}" for i in range(n_features)) if rng.random() < 0.5 else None
    threshold = random_threshold(model)
    return CompactModel(n_features, bias, scale, link, labels, tables, names, threshold=threshold)


def random_threshold(model):
    """A threshold within reach of the scores, at their ends and beyond; 0 for half the models."""
    bound = int(model.score_bound[0])
    rng = np.random.default_rng(bound)
    if model.n_classes != 2 or rng.random() < 0.5:
        return 0
    ends = [-1, 1, bound, bound - 1, -bound, -bound - 1, 2**31 - 1, -(2**31)]
    return int(rng.choice([*ends, *rng.integers(-bound, bound + 1, len(ends))]))


def _random_grid(rng, n_features, dtype):
    features = np.flatnonzero(rng.random(n_features) < 0.7)
    edges = [_random_edges(rng, dtype, int(rng.integers(0, 7))) for _ in features]
    offsets = np.cumsum([0] + [len(e) for e in edges])
    return InputGrid(features, offsets, np.concatenate([np.empty(0, dtype), *edges]).astype(dtype))


def _random_edges(rng, dtype, count):
    if dtype == "int32":
        other = rng.integers(-50, 50, count)
    else:
        other = rng.normal(size=count) * 10.0 ** rng.integers(-3, 4)
    pool = np.unique(np.concatenate([rng.choice(_EDGES[dtype], count), other]).astype(dtype))
    return np.sort(rng.choice(pool, min(count, len(pool)), replace=False))


def random_trees(rng, grid, S, bits, n_trees, unit):
    """Nodes point to any later node or to any leaf: trees, shared subtrees, single leaves."""
    splits = np.flatnonzero(grid.counts > 0)
    N = int(rng.integers(0, 13)) if len(splits) else 0
    L = int(rng.integers(1, 9))
    feature = rng.choice(splits, N) if N else np.empty(0, int)
    left, right = (np.array([_child(rng, i, N, L) for i in range(N)], int) for _ in range(2))
    roots = np.where(
        rng.random(n_trees) < 0.2,
        -rng.integers(1, L + 1, n_trees),
        rng.integers(0, N, n_trees) if N else -1,
    )
    low, high = value_limits(bits, signed=bool(rng.random() < 0.7))
    values = rng.integers(low, high + 1, (L, S))
    return TreeTable(
        grid,
        roots,
        feature,
        rng.integers(0, grid.counts[feature]),
        left,
        right,
        rng.random(N) < 0.5,
        values,
        bits,
        min(unit, MAX_LEAF_SCORE // max(1, int(np.abs(values).max()))),
    )


def _child(rng, node, N, L):
    inner = node + 1 < N and rng.random() < 0.7
    return rng.integers(node + 1, min(N, node + 4)) if inner else -rng.integers(1, L + 1)


def random_linear(rng, n_features, S, bits):
    features = np.sort(rng.choice(n_features, rng.integers(1, n_features + 1), replace=False))
    low, high = value_limits(bits, signed=True)
    u = len(features)
    offset = (rng.normal(size=u) * rng.choice([0, 1, 100], u)).astype(np.float32)
    inv_step = (2.0 ** rng.uniform(-6, 6, u)).astype(np.float32)
    inv_step[rng.random(u) < 0.1] = rng.choice([1e-38, 3e38])
    input_bits = int(rng.integers(2, 12))
    return LinearTable(
        features, offset, inv_step, input_bits, rng.integers(low, high + 1, (u, S)), bits
    )


@st.composite
def tree_models(draw):
    """Models as learners make them: trees that share nothing, many kinds of thresholds."""
    rng = np.random.default_rng(draw(seeds))
    return tree_model(rng, lambda options: draw(st.sampled_from(options)))


def tree_model(rng, choose=None) -> CompactModel:
    """A model of trees; `choose` picks one of a list, by default at random."""
    choose = choose or (lambda options: options[rng.integers(len(options))])
    n_features = choose([1, 3, 8, 8, 30, 64, 300])
    K = choose([0, 2, 2, 3, 3, 5, 16, 17, 100])
    S = choose([1, 3]) if K == 0 else 1 if K == 2 else K
    bits = choose(VALUE_BITS)
    linear = []
    if choose([False, False, True, True, False]):
        linear.append(_learnt_linear(rng, choose, n_features, S))
    grid = _learnt_grid(rng, choose, n_features, linear)
    shape = choose(["random", "balanced", "left"])
    T = choose([1, 1, 1, 3, 12])
    most = choose([0, 1, 5, 5, 40, 40, 90, 90, 300]) if K <= 17 else choose([1, 5, 90])
    most = min(most, 60) if shape == "left" and T > 3 else most
    splits = [most] * T if choose([True, False]) else rng.integers(0, most + 1, T).tolist()
    if not grid.counts.any():
        splits = [0] * T
    low, high = value_limits(bits, signed=choose([True, True, False]))
    rows = rng.integers(low, high + 1, (choose([1, 2, 7, 1000, 1000]), S))
    unit = min(choose([1, 1, 1, 2, 1000]), MAX_LEAF_SCORE // max(1, int(np.abs(rows).max())))
    missing = choose([0.0, 0.0, 0.3])
    trees = quantized_trees(rng, grid, shape, splits, rows, bits, unit, missing)
    trees = with_learnt_leaves(trees, splits)
    bias = rng.integers(-3, 4, S) * choose([0, 1, 1000])
    links = ["identity"] if K == 0 else ["normalize", "sigmoid" if S == 1 else "softmax"]
    labels = None if K == 0 else np.arange(K)
    link = choose(links)
    tables = [trees, *linear]
    model = CompactModel(n_features, bias, 1.0, link, labels, tables)
    scale = choose([1e-3, 0.3, 3.0, 30.0]) / max(1, int(model.score_bound.max()))
    threshold = random_threshold(model)
    return CompactModel(n_features, bias, scale, link, labels, tables, threshold=threshold)


def _learnt_grid(rng, choose, n_features, linear):
    """Thresholds at quantiles, at even steps, at the borders of a linear part, at integers."""
    kinds = ["quantile", "few bits", "even", "even", "whole", "int32", "far", "half"]
    few = all(len(table.features) * table.q_max < 20_000 for table in linear) and linear
    kind = choose(["borders"] * 12 + kinds if few else kinds)
    if kind == "borders":
        (linear,) = linear
        whole = rounding_grid(linear.features, linear.offset, linear.inv_step, linear.input_bits)
        counts = np.minimum(whole.counts, rng.integers(1, 60, len(whole.counts)))
        edges = [
            np.sort(rng.choice(whole.edges[a:b], count, replace=False))
            for a, b, count in zip(whole.offsets, whole.offsets[1:], counts, strict=False)
        ]
        return _grid(linear.features, edges)
    features = np.flatnonzero(rng.random(n_features) < choose([0.3, 0.9, 1.0]))
    features = features if len(features) else np.arange(1)
    most = choose([1, 4, 30, 254, 1000 if len(features) < 9 else 60])
    counts = np.full(len(features), most) if choose([True, False]) else None
    counts = rng.integers(1, most + 1, len(features)) if counts is None else counts
    size, centre = 10.0 ** rng.integers(-3, 4, len(features)), rng.normal(size=len(features)) * 9
    edges = []
    for f, count in enumerate(counts):
        if kind == "quantile":
            one = np.float32(rng.normal(size=count) * size[f] + centre[f])
        elif kind == "few bits":
            one = np.float32(rng.integers(-128, 128, count) * 2.0 ** rng.integers(-9, 9, count))
        elif kind == "even":
            step, origin = 2.0 ** rng.integers(-7, 5), rng.choice([0, 0, -9, 40, -100000])
            one = np.float32(step * (origin + rng.integers(0, count + 1, count)))
        elif kind == "far":
            one = np.float32(rng.integers(2**24, 2**31, count) * rng.choice([-1, 1], count))
        elif kind == "half":
            one = np.float32(rng.integers(-128, 256, count) + 0.5)
        else:
            wide = rng.choice([100, 256, 30000, 2**30])
            one = rng.integers(-wide // 2, wide, count).astype("i4" if kind == "int32" else "f4")
        if kind == "quantile" and rng.random() < 0.05:
            one = np.append(one, np.float32(np.inf))
        edges.append(np.unique(one))
    return _grid(features, edges)


def _grid(features, edges):
    return InputGrid(features, np.cumsum([0] + [len(e) for e in edges]), np.concatenate(edges))


def quantized_trees(rng, grid, shape, splits, rows, bits, unit, missing):
    """Trees of so many splits, each a random cut of a random feature."""
    usable = np.flatnonzero(grid.counts)
    roots, left, right, N, L = [], [], [], 0, 0
    for size in splits:
        child = np.full((size, 2), -1)
        free = [(0, 0), (0, 1)]
        for node in range(1, size):
            at = {"random": rng.integers(len(free)), "balanced": 0, "left": -1}[shape]
            parent, side = free.pop(int(at))
            child[parent, side] = node
            free += [(node, 1), (node, 0)]
        leaves = child < 0
        child[~leaves] += N
        child[leaves] = ~(L + rng.permutation(int(leaves.sum())))
        roots.append(N if size else ~L)
        left.append(child[:, 0])
        right.append(child[:, 1])
        N, L = N + size, L + size + 1
    feature = rng.choice(usable, N) if N else np.zeros(0, int)
    return TreeTable(
        grid,
        roots,
        feature,
        rng.integers(0, grid.counts[feature]) if N else feature,
        np.concatenate(left),
        np.concatenate(right),
        rng.random(N) < missing,
        rows[rng.integers(len(rows), size=L)],
        bits,
        unit,
    )


def with_learnt_leaves(trees, splits):
    """A third each: values as they are, one score a tree as boosters grow them, many pure leaves.

    Draws from a generator of its own, so that models with the values as they are stay the same.
    """
    values, S = trees.values.copy(), trees.n_scores
    rng = np.random.default_rng(len(values) + abs(int(values.sum())))
    kind = rng.choice(["any", "boosters", "pure"])
    if kind == "any" or S == 1:
        return trees
    if kind == "boosters":
        score = rng.integers(S, size=len(splits))
        if rng.random() < 0.5:
            score = np.arange(len(splits)) % S
        leaf_score = np.repeat(score, np.array(splits) + 1)
        values[leaf_score[:, None] != np.arange(S)] = 0
    else:
        values = np.abs(np.maximum(values, -values.max(initial=1)))
        pure = np.flatnonzero(rng.random(len(values)) < 0.6)
        values[pure] = 0
        top = max(1, int(values.max(initial=1)))
        values[pure, rng.integers(S, size=len(pure))] = np.where(
            rng.random(len(pure)) < 0.9, top, 1
        )
    return replace(trees, values=values)


def _learnt_linear(rng, choose, n_features, S):
    """Steps that are powers of two or not, one for all or each its own; offsets likewise."""
    u = int(rng.integers(1, n_features + 1))
    features = np.sort(rng.choice(n_features, u, replace=False))
    offset = {
        "zero": np.zeros(u),
        "same": np.full(u, 3.0),
        "whole": rng.integers(-100, 100, u),
        "wide": rng.integers(-30000, 30000, u),
        "quarters": rng.integers(-800, 800, u) / 4,
        "short": np.float32(rng.integers(-128, 128, u) * 2.0 ** rng.integers(-9, 9, u)),
        "float": rng.normal(size=u) * 10,
    }[choose(["zero", "same", "whole", "whole", "wide", "quarters", "short", "float"])]
    inv_step = {
        "one": np.ones(u),
        "power": np.full(u, 2.0 ** rng.integers(-8, 6)),
        "powers": 2.0 ** rng.integers(-8, 6, u),
        "extreme": 2.0 ** rng.choice([-120, -90, -40, -20, 20, 40, 90, 120], u),
        "factor": np.full(u, 0.37),
        "factors": np.exp(rng.normal(size=u)),
    }[choose(["one", "power", "powers", "extreme", "factor", "factors"])]
    bits, input_bits = choose(VALUE_BITS), choose([2, 4, 8, 8, 12, 16])
    high = min(value_limits(bits, signed=True)[1], 2**30 // (u << (input_bits - 1)))
    weights = rng.integers(-high, high + 1, (u, S))
    return LinearTable(
        features, np.float32(offset), np.float32(inv_step), input_bits, weights, bits
    )


def adversarial_rows(model: CompactModel, seed: int, n: int = 60, dtype: str = "float64"):
    """Rows at, beside and a hair off every point where the model's answer may change."""
    rng = np.random.default_rng(seed)
    columns = [
        _column(rng, _turning_points(model, j), n, np.dtype(dtype)) for j in range(model.n_features)
    ]
    return np.column_stack(columns)


def _turning_points(model, column):
    points = [0.0]
    for trees in model.tables_of(TreeTable):
        for f in np.flatnonzero(trees.grid.features == column):
            points += trees.grid.edges[trees.grid.offsets[f] : trees.grid.offsets[f + 1]].tolist()
    for linear in model.tables_of(LinearTable):
        for f in np.flatnonzero(linear.features == column):
            half_ways = np.arange(-linear.q_max - 2, linear.q_max + 2) + 0.5
            points += (linear.offset[f] + half_ways / np.float64(linear.inv_step[f])).tolist()
    for net in model.tables_of(NetTable):
        for f in np.flatnonzero(net.features == column):
            half_ways = np.arange(-129, 129) + 0.5
            points += (net.offset[f] + np.ldexp(half_ways, -int(net.power[f]))).tolist()
    return np.array(points)


def _column(rng, points, n, dtype):
    if dtype.kind == "i":
        info = np.iinfo(dtype)
        with np.errstate(invalid="ignore"):
            near = np.clip(np.floor(rng.choice(points, n)), -(2.0**62), 2.0**62).astype(np.int64)
        near = np.clip(near + rng.integers(-1, 3, n), info.min, info.max)
        anywhere = [x for x in _INTEGERS if info.min <= x <= info.max]
        return np.where(
            rng.random(n) < 0.7, near, rng.choice(np.array(anywhere, np.int64), n)
        ).astype(dtype)
    at = rng.choice(points, n)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        single = at.astype(np.float32)
        up, down = (
            np.nextafter(single, np.float32(to)).astype(np.float64) for to in (np.inf, -np.inf)
        )
        single = single.astype(np.float64)
        beside = np.stack([at, single, up, down, (single + up) / 2, (single + down) / 2])
        hair = np.nextafter(beside, rng.choice([-np.inf, np.inf], n))
        values = np.concatenate(
            [beside, hair, [rng.choice(_ANYWHERE, n)], [rng.choice(_ANYWHERE, n)]]
        )
        return values[rng.integers(0, len(values), n), np.arange(n)].astype(dtype)


def category_tables(rng, n_features) -> CategoryTable:
    """Labels and ranks of some columns."""
    columns = np.sort(rng.choice(n_features, rng.integers(1, min(n_features, 5) + 1), False))
    labels = []
    for _ in columns:
        C = int(rng.choice([1, 2, 5, 30, 120]))
        text = np.sort([f"ä{i:03d}" for i in range(C)])
        labels.append(text if rng.random() < 0.6 else np.unique(rng.integers(-9, 99, C)))
    return CategoryTable(columns, labels, rng.integers(0, 128, sum(len(c) + 2 for c in labels)))


def labelled_rows(rng, table, n_features, n, numbers=None):
    """An array of objects with known, missing and unknown labels beside `numbers`."""
    X = np.empty((n, n_features), object)
    X[:] = rng.normal(size=(n, n_features)) * 30 if numbers is None else numbers
    for column, labels in zip(table.columns, table.labels, strict=True):
        pool = [*labels.tolist(), None, "", float("nan"), "nobody", 12345]
        X[:, column] = [pool[k] for k in rng.integers(0, len(pool), n)]
    return X
