"""The two samplers that MUNGE is compared with: columns on their own, and a mixture.

Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", sections 3.1 and 3.2. For tables of
numbers without missing values, as those of the benchmarks are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_random_state

from skdistill.transfer.munge import like_columns


class Marginals(BaseEstimator):
    """Rows whose columns are drawn one by one from their values in the training rows.

    "RANDOM" of the paper: it forgets everything that one column says about another.
    """

    def __init__(self, n_per_sample: int = 20) -> None:
        self.n_per_sample = n_per_sample

    def sample(self, X: np.ndarray, random_state: Any = None) -> np.ndarray:
        rng = check_random_state(random_state)
        drawn = rng.randint(len(X), size=(self.n_per_sample * len(X), X.shape[1]))
        return np.take_along_axis(X, drawn, axis=0)


class NaiveBayes(BaseEstimator):
    """Rows of a mixture in whose components the columns are independent and normal.

    "NBE" of the paper, after Lowd & Domingos 2005, "Naive Bayes models for probability
    estimation". As in MUNGE, whole numbers stay whole and no value leaves the range of its column.
    """

    def __init__(self, n_per_sample: int = 20, n_components: int = 20) -> None:
        self.n_per_sample = n_per_sample
        self.n_components = n_components

    def sample(self, X: np.ndarray, random_state: Any = None) -> np.ndarray:
        values = X.astype(np.float64)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        deviation[deviation == 0] = 1
        n_components = min(self.n_components, len(np.unique(values, axis=0)))
        rng = check_random_state(random_state)
        mixture = GaussianMixture(
            n_components, covariance_type="diag", reg_covar=1e-3, max_iter=300, random_state=rng
        )
        mixture.fit((values - mean) / deviation)
        drawn, _ = mixture.sample(self.n_per_sample * len(values))
        rows = mean + deviation * drawn
        return like_columns(values, rows[rng.permutation(len(rows))]).astype(X.dtype)
