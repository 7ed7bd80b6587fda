"""Unlabeled rows that the user has."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skdistill.utils.documentation import DocumentationLinkMixin


class Pool(DocumentationLinkMixin, BaseEstimator):
    """Unlabeled rows that are there already.

    Parameters
    ----------
    X : data frame or array-like of shape (n_rows, n_features)
        With the columns that the distiller is fitted on; in a Pipeline, those that
        arrive at the distiller.

    Examples
    --------
    >>> from skdistill import Pool
    >>> Pool([[1.0], [2.0]]).sample([[0.0]])
    [[1.0], [2.0]]
    """

    def __init__(self, X: Any) -> None:
        self.X = X

    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Return the pool.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training rows, which are ignored.
        random_state : int, RandomState instance or None, default=None
            Ignored.

        Returns
        -------
        rows : data frame or array-like of shape (n_rows, n_features)
            `X` of the constructor, not a copy.

        Raises
        ------
        ValueError
            If the pool has no rows.
        """
        if np.shape(self.X)[0] == 0:
            raise ValueError("X of Pool has no rows: pass rows to label, or set transfer_set=None")
        return self.X
