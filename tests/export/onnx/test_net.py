"""Nets in ONNX Runtime answer as in Python, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.export.onnx.parity import count_mismatches, open_session, probe_rows
from tests.nets import linear_beside, net_model, trees_beside


def probes(model, seed):
    """Rows at the borders of all codes, and extremes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(20, model.n_features)) * 30
    X[:, model.categories.columns] = rng.integers(0, 5, (20, len(model.categories)))
    rows = probe_rows(model, X.astype(np.float32))
    return rows[rng.choice(len(rows), min(len(rows), 1500), replace=False)]


@pytest.mark.parametrize("seed", range(100))
def test_random_nets(seed):
    beside = [(), (), (linear_beside,), (trees_beside,), (linear_beside, trees_beside)][seed % 5]
    model = net_model(seed, beside=beside, with_categories=seed % 3 == 0)
    session = open_session(model.to_onnx().SerializeToString())
    assert count_mismatches(model, session, probes(model, seed)) == 0


@pytest.mark.parametrize("input_dtype", ["int32", "float64"])
def test_other_inputs(input_dtype):
    for seed in range(8):
        model = net_model(seed, whole=True)
        session = open_session(model.to_onnx(input_dtype=input_dtype).SerializeToString())
        rng = np.random.default_rng(seed)
        X = rng.integers(-300, 300, (200, model.n_features))
        assert count_mismatches(model, session, X) == 0


def test_probabilities_and_columns_as_inputs():
    for seed in range(30):
        model = net_model(seed, with_categories=True)
        if model.classes is None:
            continue
        onnx_model = model.to_onnx(per_column_inputs=True)
        session = open_session(onnx_model.SerializeToString())
        X = probes(model, seed)
        assert count_mismatches(model, session, X) == 0
        whole = open_session(model.to_onnx().SerializeToString())
        assert [each.name for each in whole.get_outputs()] == ["label", "probabilities", "scores"]


def test_int8_ends_do_not_saturate():
    """The largest codes, units and weights at once, which a product of 8 bits would clip."""
    from skdistill import CompactModel
    from skdistill.compact import HiddenLayer, NetTable

    n = 64
    layers = [
        HiddenLayer(np.full((n, n), 127), np.full(n, 127), np.full(n, 12), 8),
        HiddenLayer(np.full((n, n), -128), np.full(n, 127), np.full(n, 15), 8),
    ]
    zeros = np.zeros(n, int)
    inputs = [np.arange(n), zeros, zeros, zeros]
    net = NetTable(*inputs, layers[:1], -np.ones((1, n)), 8)
    deep = NetTable(*inputs, layers, np.full((1, n), -128), 8)
    X = np.array([[np.inf], [-np.inf], [np.nan], [0], [1e30]], np.float32) * np.ones(
        (1, n), np.float32
    )
    for each in (net, deep):
        model = CompactModel(n, [0], 1.0, "sigmoid", [0, 1], [each])
        session = open_session(model.to_onnx().SerializeToString())
        assert len(np.unique(model.scores(X))) > 1
        assert count_mismatches(model, session, X) == 0
