"""Pipelines and the models that they become, side by side."""

from __future__ import annotations

import numpy as np

from skdistill import CompactModel, convert
from skdistill.converters.pipeline.differences import count_differences
from skdistill.converters.wrappers import unwrap
from tests.strategies import MAX32, adversarial_rows


def fold(pipeline, X=None, dtype="float64"):
    """The converted Pipeline, for rows of NumPy's own type."""
    return convert(pipeline, X, dtype=dtype)


def own_model(pipeline):
    """Compact model of the last step."""
    last = unwrap(pipeline).model
    return last if isinstance(last, CompactModel) else last.compact_


def own_scores(pipeline, X):
    """What the Pipeline's last model says of what the steps before make of `X`."""
    with np.errstate(all="ignore"):  # sums of the largest numbers
        for _, step in unwrap(pipeline).steps:
            X = step.transform(X)
    return own_model(pipeline).scores(np.asarray(X))


def differences(pipeline, model, X):
    """Rows that the Pipeline and its model answer differently."""
    return count_differences(unwrap(pipeline).steps, own_model(pipeline), model, X)


def telling_rows(model, dtype, X=None, *, missing=True, seed=0):
    """Finite float32 numbers and NaN: at and beside all thresholds, at the ends, everywhere."""
    parts = [adversarial_rows(model, seed, n=400)]
    if X is not None:
        parts += [X, np.random.default_rng(seed).normal(X.mean(axis=0), 2 * X.std(axis=0), X.shape)]
    with np.errstate(over="ignore"):
        rows = np.clip(np.concatenate(parts).astype(np.float32), -MAX32, MAX32)
    return np.where(np.isnan(rows) & (not missing), 0, rows).astype(dtype)


def with_holes(X, share=0.1):
    return np.where(np.random.default_rng(0).random(X.shape) < share, np.nan, X)
