"""The two samplers that MUNGE was compared with: columns on their own, and a mixture."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

from skdistill.transfer.rows import as_numbers, in_form_of, within_reach

_FACTOR = [Interval(Integral, 1, None, closed="left")]


class Marginals(BaseEstimator):
    """Rows whose columns are drawn one by one from their values in the training rows.

    "RANDOM" of Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.1: it
    forgets all that one column says about another.

    Parameters
    ----------
    factor : int, default=20
        Synthetic rows for each training row.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import Marginals
    >>> Marginals(factor=3).sample(np.eye(4), random_state=0).shape
    (12, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {"factor": _FACTOR}

    def __init__(self, factor: int = 20) -> None:
        self.factor = factor

    @_fit_context(prefer_skip_nested_validation=True)
    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Draw rows.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Numeric; a pandas data frame comes back as one, with the same dtypes.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : array-like of shape (factor * n, d)
        """
        rng = check_random_state(random_state)
        values = as_numbers(X)
        drawn = rng.randint(len(values), size=(self.factor * len(values), values.shape[1]))
        return in_form_of(X, np.take_along_axis(values, drawn, axis=0))


class NaiveBayes(BaseEstimator):
    """Rows of a mixture in whose components the columns are independent and normal.

    "NBE" of Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.2, after
    Lowd & Domingos 2005, "Naive Bayes models for probability estimation". As in `munge`,
    whole numbers stay whole and no value leaves the range of its column. Missing values count
    as their column's median, and no row has one.

    Parameters
    ----------
    factor : int, default=20
        Synthetic rows for each training row.
    n_components : int, default=20
        Components of the mixture; no more than there are different rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import NaiveBayes
    >>> NaiveBayes(factor=3, n_components=2).sample(np.eye(4), random_state=0).shape
    (12, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {"factor": _FACTOR, "n_components": _FACTOR}

    def __init__(self, factor: int = 20, n_components: int = 20) -> None:
        self.factor = factor
        self.n_components = n_components

    @_fit_context(prefer_skip_nested_validation=True)
    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Fit the mixture and draw rows from it.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Numeric; a pandas data frame comes back as one, with the same dtypes.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : array-like of shape (factor * n, d)
        """
        values = as_numbers(X)
        seen = ~np.isnan(values).all(axis=0)
        filled = np.zeros(values.shape)
        filled[:, seen] = np.where(
            np.isnan(values[:, seen]), np.nanmedian(values[:, seen], axis=0), values[:, seen]
        )
        centre, unit = filled.mean(axis=0), filled.std(axis=0)
        unit[unit == 0] = 1
        few = min(self.n_components, len(np.unique(filled, axis=0)))
        filled = np.resize(filled, (max(2, len(filled)), filled.shape[1]))  # EM wants two rows
        rng = check_random_state(random_state)
        mixture = GaussianMixture(
            few, covariance_type="diag", reg_covar=1e-3, max_iter=300, random_state=rng
        )
        drawn, _ = mixture.fit((filled - centre) / unit).sample(self.factor * len(values))
        rows = centre + unit * drawn
        rows[:, ~seen] = np.nan
        return in_form_of(X, within_reach(values, rows[rng.permutation(len(rows))]))
