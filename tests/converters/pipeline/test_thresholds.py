"""Raw thresholds are the last numbers that the steps take to a threshold or below."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from skdistill.converters.pipeline.steps import read_steps
from skdistill.converters.pipeline.thresholds import raw_thresholds, settle_splits
from tests.strategies import seeds


@given(
    scaler=st.sampled_from([StandardScaler(), RobustScaler(), MinMaxScaler((-1, 3), clip=True)]),
    dtype=st.sampled_from(["float32", "float64"]),
    casts=st.booleans(),
    seed=seeds,
)
def test_the_next_number_is_above(scaler, dtype, casts, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(10.0 ** rng.integers(-3, 6), 10.0 ** rng.integers(-3, 4), (30, 3))
    steps = make_pipeline(scaler, StandardScaler()).fit(X.astype(dtype))
    column, threshold = rng.integers(3, size=40), rng.normal(size=40)
    raw = raw_thresholds(
        read_steps(steps.steps, 3), column, threshold, dtype, casts_to_float32=casts
    )

    def behind(x):
        values = steps.transform(np.repeat(x.astype(dtype)[:, None], 3, axis=1))
        values = values[np.arange(len(x)), column]
        return values.astype(np.float32) if casts else values

    finite = np.where(np.isfinite(raw), raw, 0).astype(dtype)
    below, above = behind(finite) <= threshold, behind(np.nextafter(finite, np.inf)) > threshold
    assert (below & above)[np.isfinite(raw)].all()
    largest = np.full(40, 1e30, np.float32)
    assert (behind(largest) <= threshold)[raw == np.inf].all()
    assert (behind(-largest) > threshold)[raw == -np.inf].all()


@pytest.mark.parametrize("nan_left", [False, True])
def test_settled_splits_send_every_row_where_it_went(nan_left):
    threshold = np.array([-np.inf, -1.0, 0.0, np.inf])
    splits = settle_splits(threshold, np.full(4, nan_left))
    for x in (-3.0, -1.0, 0.0, 2.0, np.nan):
        left = nan_left if np.isnan(x) else x <= threshold
        settled = splits.nan_left if np.isnan(x) else x <= splits.threshold
        settled = np.where(splits.swapped, ~settled, settled)
        settled = np.where(splits.idle, splits.threshold > 0, settled)
        assert (settled == left).all()
    assert (splits.threshold[~splits.idle] > -np.inf).all()
    assert splits.idle.tolist() == [not nan_left, False, False, nan_left]
