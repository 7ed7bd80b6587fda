"""Exports drawn at random, of every kind of model, and rows that go as deep as they can."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from skdistill import CompactModel
from skdistill.compact import InputGrid, TreeTable
from skdistill.compact.tables.limits import value_limits
from skdistill.export.c import prepare_source
from tests.export.c.harness import INPUTS, OPTIMIZE, Case, rows_for
from tests.nets import linear_beside, net_model, trees_beside
from tests.strategies import (
    VALUE_BITS,
    category_tables,
    labelled_rows,
    quantized_trees,
    random_linear,
    random_trees,
    tree_model,
    with_learnt_leaves,
)

WEIGHTS = {
    "any trees": 20,
    "deep": 14,
    "wide": 12,
    "many trees": 16,
    "boosters": 12,
    "forest": 8,
    "shared": 3,
    "linear": 5,
    "linear and trees": 4,
    "categories": 4,
    "net": 5,
    "net and more": 4,
}
"""Kinds of models, and how often each is drawn."""

TREES = tuple(kind for kind in WEIGHTS if not kind.startswith("net"))
_OUTPUTS = ("label", "label", "scores", "scores", "proba_float", "proba_q15")
_LARGEST = (150, 400, 400, 1500)  # splits of a model: larger ones have no other code


def random_case(seed: int, kinds: tuple[str, ...] | None = None) -> tuple[str, Case] | None:
    """The kind and the export of a seed; None where no options suit the model.

    `kinds` are those to draw from.
    """
    rng = np.random.default_rng([seed, 15])
    names = list(kinds or WEIGHTS)
    weights = np.array([WEIGHTS[name] for name in names], float)
    kind = names[rng.choice(len(names), p=weights / weights.sum())]
    model = _model(kind, rng)
    output = str(rng.choice(_OUTPUTS))
    if model.classes is None:
        bits = int(rng.integers(0, 31))
        output = ["scores", "value", f"value_q{bits}"][rng.integers(3)]
    layout = [None, "table", "code"][rng.integers(3)]
    optimize = OPTIMIZE[rng.integers(3)]
    for input in rng.permutation(INPUTS):
        missing = None
        if rng.random() < 0.3:
            missing = {"float32": "never", "codes": None}.get(str(input), "max")
        case = Case(model, str(input), output, layout, missing, optimize)
        if _suits(case):
            return kind, case
    return None


def _suits(case: Case) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            prepare_source(
                case.model,
                input_dtype=case.input,
                output=case.output,
                missing_value=case.missing_value,
            )
    except ValueError:
        return False
    return True


def _model(kind: str, rng: np.random.Generator) -> CompactModel:
    seed = int(rng.integers(2**31))
    if kind == "net":
        return net_model(seed, whole=None, with_categories=seed % 3 == 0)
    if kind == "net and more":
        beside = [(linear_beside,), (trees_beside,), (linear_beside, trees_beside)][seed % 3]
        return net_model(seed, beside=beside, whole=None)
    if kind == "any trees":
        return tree_model(rng)
    if kind == "categories":
        model = tree_model(rng, lambda options: options[rng.integers(min(len(options), 4))])
        return replace(model, categories=category_tables(rng, model.n_features))
    if kind == "linear and trees":
        options = [False, False, True, True, False]
        return tree_model(rng, lambda o: o == options or o[rng.integers(len(o))])
    return _learnt(kind, rng)


def _learnt(kind: str, rng: np.random.Generator) -> CompactModel:
    """Models of a table whose sizes go with their kind."""
    choose = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    n = int(choose(2, 8, 30, 60, 200))
    K = int(choose(0, 2, 2, 3, 5, 10, 26))
    T, most, shape = 1, 30, "random"
    if kind == "deep":
        T, most, shape = choose(1, 1, 2, 5), choose(15, 60, 120, 300), choose("left", "random")
    elif kind == "wide":
        n, T, most = choose(100, 300, 700, 1500), choose(1, 3, 20, 60), choose(1, 3, 15, 60)
    elif kind in ("many trees", "forest"):
        T, most = choose(30, 60, 100, 200, 400), choose(1, 1, 3, 7, 15)
        shape = choose("balanced", "balanced", "random", "left")
    elif kind == "boosters":
        K, most = int(choose(3, 4, 7, 10, 20)), choose(1, 3, 7, 15)
        T, shape = K * choose(1, 2, 5, 15), "balanced"
    if kind == "forest":
        K = int(choose(2, 3, 5, 10))
    S = int(choose(1, 1, 3)) if K == 0 else 1 if K == 2 else K
    most = max(1, min(most, choose(*_LARGEST) // T))
    splits = [most] * T if choose(True, False) else rng.integers(0, most + 1, T).tolist()
    grid = _grid(rng, choose, n)
    low, high = value_limits(bits := choose(*VALUE_BITS, 8, 8, 4), signed=choose(True, False))
    if kind == "linear":
        tables = [random_linear(rng, n, S, bits)]
    elif kind == "shared":
        tables = [random_trees(rng, grid, S, bits, choose(1, 2, 9, 40), choose(1, 1, 7))]
    else:
        rows = rng.integers(low, high + 1, (choose(3, 40, 1000), S))
        missing = choose(0.0, 0.0, 0.3)
        trees = quantized_trees(rng, grid, shape, splits, rows, bits, 1, missing)
        if choose(True, False):  # rows that go deepest in all trees at once
            order = rng.permutation(np.flatnonzero(grid.counts))
            feature = order[np.arange(len(trees.feature)) % len(order)]
            trees = replace(trees, feature=feature, threshold=rng.integers(0, grid.counts[feature]))
        if kind == "boosters" and choose(True, True, False):
            leaf_score = np.repeat(np.arange(T) % S, np.array(splits) + 1)
            values = trees.values * (leaf_score[:, None] == np.arange(S))
            trees = replace(trees, values=values)
        elif kind == "forest":
            trees = with_learnt_leaves(trees, splits)
        tables = [trees]
    bias = rng.integers(-3, 4, S) * choose(0, 1, 1000)
    link = "identity" if K == 0 else choose("normalize", "sigmoid" if S == 1 else "softmax")
    classes = None if K == 0 else np.arange(K)
    model = CompactModel(n, bias, 1.0, link, classes, tables)
    scale = choose(1e-3, 0.3, 3.0, 30.0) / max(1, int(model.score_bound.max()))
    if K == 0 and S > 1 and choose(True, False):
        scale = scale * rng.uniform(0.1, 1, S)
    threshold = int(rng.integers(-9, 10)) if model.n_classes == 2 and choose(True, False) else 0
    return CompactModel(n, bias, scale, link, classes, tables, threshold=threshold)


def _grid(rng, choose, n: int) -> InputGrid:
    """Thresholds: bytes, half words, words, floats; a few or many for a column."""
    most, kind = choose(1, 3, 3, 20, 100), choose("i1", "u1", "i2", "i4", "far", "f4", "f4", "step")
    edges = []
    for _ in range(n):
        count = int(rng.integers(1, most + 1))
        if kind in ("i1", "u1", "i2"):
            limits = np.iinfo(kind)
            one = rng.integers(limits.min, limits.max - 1, count).astype("i4")
        elif kind in ("i4", "far"):
            wide = 2**17 if kind == "i4" else 2**31 - 2
            one = rng.integers(-wide, wide, count).astype("i4")
        elif kind == "step":
            one = np.float32(rng.integers(-100, 300, count) * 0.25)
        else:
            one = np.float32(rng.normal(size=count) * 10.0 ** rng.integers(-3, 4))
        edges.append(np.unique(one))
    return InputGrid(np.arange(n), np.cumsum([0, *map(len, edges)]), np.concatenate(edges))


def case_rows(case: Case, seed: int, n: int = 16, n_deep: int = 8) -> np.ndarray:
    """Rows at the turning points and rows that go deep; labels in columns of categories."""
    rng = np.random.default_rng([seed, 16])
    X = rows_for(case, seed, n)
    deep = deep_rows(case.model, rng, n_deep)
    if case.input not in ("float32", "codes"):
        limits = np.iinfo(case.input)
        deep = np.clip(np.floor(deep), limits.min, limits.max - (case.missing_value == "max"))
    X = np.vstack([X, deep])
    if case.missing_value == "never":
        X = np.nan_to_num(X, posinf=np.inf, neginf=-np.inf)
    if len(case.model.categories):
        return labelled_rows(rng, case.model.categories, X.shape[1], len(X), X)
    return X


def deep_rows(model: CompactModel, rng: np.random.Generator, n: int) -> np.ndarray:
    """Rows that take the longest path of as many trees as they can, which is found greedily."""
    tables = list(model.tables_of(TreeTable))
    X = np.zeros((n if tables else 0, model.n_features))
    for table in tables:
        depth = _depths_below(table)
        left, right = table.left.tolist(), table.right.tolist()
        feature, threshold = table.feature.tolist(), table.threshold.tolist()
        for x in X:
            low, high = [0] * len(table.grid.counts), table.grid.counts.tolist()
            for root in rng.permutation(table.roots)[:120].tolist():
                node = root
                while node >= 0:
                    f, cut = feature[node], threshold[node]
                    sides = (depth[left[node]], depth[right[node]])
                    goes_left = sides[0] > sides[1] or (sides[0] == sides[1] and rng.random() < 0.5)
                    if low[f] > cut or high[f] <= cut:
                        goes_left = low[f] <= cut
                    if goes_left:
                        high[f], node = min(high[f], cut), left[node]
                    else:
                        low[f], node = max(low[f], cut + 1), right[node]
            for f, column in enumerate(table.grid.features.tolist()):
                edges = table.grid.edges[table.grid.offsets[f] : table.grid.offsets[f + 1]]
                if len(edges):
                    k = int(rng.integers(low[f], high[f] + 1))
                    x[column] = edges[k] if k < len(edges) else np.float64(edges[-1]) + 1
    return X


def _depths_below(table: TreeTable) -> list[int]:
    """Nodes of the longest path from each node on; leaves, which are negative, have none."""
    N = len(table.feature)
    below = [0] * (N + len(table.values) + 1)
    for node in range(N - 1, -1, -1):
        below[node] = 1 + max(below[table.left[node]], below[table.right[node]])
    return below
