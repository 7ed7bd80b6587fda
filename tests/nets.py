"""Random nets, and models with a net among their tables."""

from __future__ import annotations

import numpy as np

from skdistill import CompactModel
from skdistill.compact import (
    CategoryTable,
    HiddenLayer,
    InputGrid,
    LinearTable,
    NetTable,
    TreeTable,
)
from skdistill.compact.tables.categories import NO_CATEGORIES

NET_BITS = ("ternary", *range(2, 9))
_POWERS = [-100, -30, -9, -3, -1, 0, 1, 4, 7, 12, 40, 100]


def _weights(rng, shape, bits):
    low, high = (-1, 1) if bits == "ternary" else (-(1 << bits - 1), (1 << bits - 1) - 1)
    if rng.random() < 0.2:  # the ends, where sums are largest
        return rng.choice([low, high], shape)
    return rng.integers(low, high + 1, shape)


def random_layer(rng, n_inputs, n_units, bits):
    """Shifts at which many units lie within 0 … 255, and some do not."""
    weights = _weights(rng, (n_units, n_inputs), bits)
    size = np.sqrt(n_inputs) * 60 * (1 if bits == "ternary" else 1 << (bits - 2))
    shift = np.clip(np.log2(size / 100) + rng.integers(-2, 3, n_units), 0, 15)
    if rng.random() < 0.3:
        shift[:] = shift[0]
    return HiddenLayer(weights, rng.integers(-128, 128, n_units), shift.astype(int), bits)


def random_net(rng, n_features, n_scores, *, whole=None, categories=NO_CATEGORIES):
    """A net of every shape; with `whole`, offsets and powers are those of integer columns."""
    whole = rng.random() < 0.5 if whole is None else whole
    choose = lambda options: options[rng.integers(len(options))]  # noqa: E731
    features = np.sort(rng.choice(n_features, rng.integers(1, 2 * n_features + 1)))
    if rng.random() < 0.4:
        features = np.arange(n_features)
    n = len(features)
    if whole:
        offset, power = rng.integers(-128, 300, n), rng.integers(-4, 3, n)
    else:
        offset = rng.normal(size=n) * 10.0 ** rng.integers(-3, 4, n)
        offset = np.float32(offset) if rng.random() < 0.5 else np.rint(offset)
        power = rng.choice(_POWERS, n)
    offset = offset * choose([0, 1, 1])
    power = np.full(n, power[0]) if rng.random() < 0.5 else power
    ranks = np.isin(features, categories.columns)
    offset = np.where(ranks, rng.integers(0, 128, n), offset)
    power = np.where(ranks, rng.integers(-1, 3, n), power)
    missing = rng.integers(-127, 128, n) * choose([0, 1])
    width, hidden = n, []
    for _ in range(choose([1, 1, 2, 2, 3])):
        n_units = choose([1, 2, 3, 7, 8, 16, 21, 40])
        hidden.append(random_layer(rng, width, n_units, choose(NET_BITS)))
        width = n_units
    if rng.random() < 0.5:  # all layers in one table
        bits = choose(NET_BITS)
        hidden = [random_layer(rng, *h.weights.shape[::-1], bits) for h in hidden]
        output_bits = bits
    else:
        output_bits = choose(NET_BITS)
    return NetTable(
        features,
        np.float32(offset),
        power,
        missing,
        hidden,
        _weights(rng, (n_scores, width), output_bits),
        output_bits,
    )


def random_categories(rng, n_features):
    """Some columns of categories, with ranks up to 127."""
    columns = np.flatnonzero(rng.random(n_features - 1) < 0.4)
    labels = [[f"label {i}" for i in range(rng.integers(1, 9))] for _ in columns]
    sizes = [len(each) + 2 for each in labels]
    return CategoryTable(columns, labels, rng.integers(0, 128, sum(sizes)))


def net_model(seed, *, beside=(), whole=None, with_categories=False):
    """A model with a net; `beside` are tables that stand with it."""
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(2, 9))
    categories = random_categories(rng, n_features) if with_categories else NO_CATEGORIES
    K = int(rng.choice([0, 2, 3, 5, 26]))
    S = {0: int(rng.integers(1, 4)), 2: 1}.get(K, K)
    link = "identity" if K == 0 else "sigmoid" if S == 1 else "softmax"
    net = random_net(rng, n_features, S, whole=whole, categories=categories)
    tables = [net, *(make(rng, n_features, S) for make in beside)]
    bias = rng.integers(-3, 4, S) * rng.choice([0, 1, 1000])
    classes = None if K == 0 else np.arange(K)
    model = CompactModel(n_features, bias, 1.0, link, classes, tables, categories=categories)
    scale = rng.choice([0.3, 3, 30]) / max(1, int(model.score_bound.max()))
    return CompactModel(n_features, bias, scale, link, classes, tables, categories=categories)


def linear_beside(rng, n_features, S):
    """A linear table on some columns."""
    features = np.flatnonzero(rng.random(n_features) < 0.7)
    features = features if len(features) else np.arange(1)
    n = len(features)
    steps = np.float32(2.0 ** rng.integers(-4, 4, n))
    return LinearTable(
        features, np.float32(rng.integers(-9, 9, n)), steps, 8, rng.integers(-8, 8, (n, S)), 4
    )


def trees_beside(rng, n_features, S):
    """Two stumps."""
    grid = InputGrid([0, n_features - 1], [0, 1, 2], np.float32([0.5, 3]))
    values = rng.integers(-8, 8, (4, S))
    return TreeTable(grid, [0, 1], [0, 1], [0, 0], [-1, -3], [-2, -4], [False, True], values, 4)
