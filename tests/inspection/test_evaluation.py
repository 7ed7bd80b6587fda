"""Gains, sizes and latencies are what their definitions say."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from skdistill.inspection.evaluation import latency, paired_gain, pickled_size
from skdistill.inspection.results import Gain


def test_z_is_mcnemar_s_statistic_of_hits():
    assert paired_gain(np.zeros(9)) == Gain(0.0, 0.0)
    assert paired_gain(np.ones(9)) == Gain(1.0, 3.0)
    mean, z = paired_gain(np.array([1.0] * 9 + [-1.0] * 4 + [0.0] * 7))
    assert mean == 0.25
    assert z == pytest.approx(5 / np.sqrt(13))  # McNemar's


def test_bytes_of_a_pickle_are_counted_as_they_come():
    model = [np.arange(300_000), "x" * 70_000, {"a": 1}]
    assert pickled_size(model) == len(pickle.dumps(model))


def test_latency_passes_single_rows_in_turn_after_a_warm_up():
    X = np.arange(6.0).reshape(3, 2)
    rows = []
    assert latency(rows.append, X, n_calls=4) > 0
    assert all(row.shape == (1, 2) for row in rows)
    assert [row[0, 0] for row in rows] == [0, 2, 4, 0, 2, 4, 0]
