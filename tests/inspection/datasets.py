"""Data sets of the tests."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_wine

from skdistill.inspection.results import Dataset


def wine(missing=True):
    data = load_wine()
    X = data.data.copy()
    if missing:
        X[::7, 2] = np.nan
    y = np.array([f"größe {number}" for number in data.target])
    return Dataset(X, y, list(data.feature_names))
