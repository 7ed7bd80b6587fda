"""What was trained is what runs."""

from __future__ import annotations

import numpy as np
import pytest

from skdistill.compact import NO_CATEGORIES
from skdistill.students.net.inputs import fit_inputs
from skdistill.students.net.kernels import raw_predictions
from skdistill.students.net.layout import Batches
from skdistill.students.net.tables import largest_weight, net_table
from skdistill.students.net.training import Schedule, as_integers, learn


@pytest.mark.parametrize("n_hints", [0, 2])
@pytest.mark.parametrize("hidden", [(6,), (5, 4)])
@pytest.mark.parametrize("bits", ["ternary", 3, 4, 8])
def test_the_table_scores_as_the_last_forward_pass(hidden, bits, n_hints):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(90, 4)).astype(np.float32)
    X[::7, 2] = np.nan
    y = np.sin(X[:, :1] * 2) + np.isnan(X[:, 2:3])
    weight = np.ones(len(X))
    inputs = fit_inputs(X, weight, NO_CATEGORIES)
    batches = Batches(
        np.ascontiguousarray(inputs.fixed_codes(X)),
        inputs.lookup_inputs,
        inputs.lookups(X),
        y[None],
        np.zeros(0),
        weight,
        np.cos(X[:, :n_hints]).astype(np.float64),
        0.5,
    )
    sizes, levels = [4, *hidden, 1], [largest_weight(bits)] * (len(hidden) + 1)
    schedule = Schedule(5, 0.01, 32, None, 1e-3)
    learnt = learn(sizes, levels, batches, inputs.codes, schedule, rng)
    net = as_integers(learnt)
    missing_code, _ = inputs.learnt_codes(net.codes, NO_CATEGORIES)
    table = net_table(inputs, net, missing_code, bits, bits)
    scores = np.zeros((len(X), 1), np.int32)
    table.add_scores(X, scores)
    z = raw_predictions(*learnt[:3], batches, np.arange(len(X), dtype=np.int32))
    assert scores * net.scale + net.intercept == pytest.approx(z, rel=1e-5, abs=1e-5)
    assert learnt.n_iter == 5
