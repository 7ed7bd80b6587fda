"""The two samplers that MUNGE was compared with: columns on their own, and a mixture."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture
from sklearn.utils import check_random_state

from skdistill.dataframe import read_table, write_table
from skdistill.transfer.further_rows import as_numbers, within_reach
from skdistill.utils._sklearn_compat import Interval, StrOptions, _fit_context

_COUNT = [Interval(Integral, 1, None, closed="left")]
_CATEGORICAL = [StrOptions({"from_dtype"}), "array-like", None]


class Marginals(BaseEstimator):
    """Rows whose columns are drawn one by one from their values in the training rows.

    "RANDOM" of Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.1: it
    forgets all that one column says about another.

    Parameters
    ----------
    factor : int, default=20
        Synthetic rows for each training row.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Names, indices or a mask of the columns that hold categories, as in `Munge`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import Marginals
    >>> Marginals(factor=3).sample(np.eye(4), random_state=0).shape
    (12, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "factor": _COUNT,
        "categorical_features": _CATEGORICAL,
    }

    def __init__(self, factor: int = 20, *, categorical_features: Any = "from_dtype") -> None:
        self.factor = factor
        self.categorical_features = categorical_features

    @_fit_context(prefer_skip_nested_validation=True)
    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Draw rows.

        Parameters
        ----------
        X : data frame or array-like of shape (n, d)
            Numbers and categories.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : data frame or array of shape (factor * n, d)
            Of the kind and the types of `X`.
        """
        rng = check_random_state(random_state)
        table = read_table(X, self.categorical_features)
        values = as_numbers(table.values)
        drawn = rng.randint(len(values), size=(self.factor * len(values), values.shape[1]))
        return write_table(X, np.take_along_axis(values, drawn, axis=0), table.labels)


class NaiveBayes(BaseEstimator):
    """Rows of a mixture in whose components the columns are independent and normal.

    "NBE" of Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.2, after
    Lowd & Domingos 2005, "Naive Bayes models for probability estimation". As in `munge`,
    whole numbers stay whole and no value leaves the range of its column. Missing values count
    as their column's median, and no row has one.

    Categories are drawn by their frequencies in a component. Its rows are found with a column
    of 0 and 1 for each category that counts as normal, as all others do; the paper's
    mixture counts categories from the first step on.

    Parameters
    ----------
    factor : int, default=20
        Synthetic rows for each training row.
    n_components : int, default=20
        Components of the mixture; no more than there are different rows.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Names, indices or a mask of the columns that hold categories, as in `Munge`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import NaiveBayes
    >>> NaiveBayes(factor=3, n_components=2).sample(np.eye(4), random_state=0).shape
    (12, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "factor": _COUNT,
        "n_components": _COUNT,
        "categorical_features": _CATEGORICAL,
    }

    def __init__(
        self,
        factor: int = 20,
        n_components: int = 20,
        *,
        categorical_features: Any = "from_dtype",
    ) -> None:
        self.factor = factor
        self.n_components = n_components
        self.categorical_features = categorical_features

    @_fit_context(prefer_skip_nested_validation=True)
    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Fit the mixture and draw rows from it.

        Parameters
        ----------
        X : data frame or array-like of shape (n, d)
            Numbers and categories.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : data frame or array of shape (factor * n, d)
            Of the kind and the types of `X`.
        """
        table = read_table(X, self.categorical_features)
        values = as_numbers(table.values)
        nominal = np.array([each is not None for each in table.labels])
        numbers = values[:, ~nominal]
        seen = ~np.isnan(numbers).all(axis=0)
        filled = np.zeros(numbers.shape)
        filled[:, seen] = np.where(
            np.isnan(numbers[:, seen]), np.nanmedian(numbers[:, seen], axis=0), numbers[:, seen]
        )
        centre, unit = filled.mean(axis=0), filled.std(axis=0)
        unit[unit == 0] = 1
        is_one = [x[:, None] == np.unique(x[~np.isnan(x)]) for x in values[:, nominal].T]
        few = min(self.n_components, len(np.unique(np.hstack([filled, *is_one]), axis=0)))
        Z = np.hstack([(filled - centre) / unit, *is_one])
        Z = np.resize(Z, (max(2, len(Z)), Z.shape[1]))  # EM wants two rows
        rng = check_random_state(random_state)
        mixture = GaussianMixture(
            few, covariance_type="diag", reg_covar=1e-3, max_iter=300, random_state=rng
        )
        drawn, component = mixture.fit(Z).sample(self.factor * len(values))
        rows = np.empty((len(drawn), values.shape[1]))
        rows[:, ~nominal] = centre + unit * drawn[:, : numbers.shape[1]]
        rows[:, np.isnan(values).all(axis=0)] = np.nan
        if nominal.any():
            belongs = mixture.predict_proba(Z)[: len(values)]
            for j in np.flatnonzero(nominal):
                rows[:, j] = _drawn(values[:, j], belongs, component, rng)
        rows = within_reach(values, rows[rng.permutation(len(rows))])
        return write_table(X, rows, table.labels)


def _drawn(
    x: NDArray[np.float64],
    belongs: NDArray[np.float64],
    component: NDArray[np.intp],
    rng: np.random.RandomState,
) -> NDArray[np.float64]:
    """Categories by their frequencies in the component of each row, which all have a bit of all."""
    known = ~np.isnan(x)
    categories, place = np.unique(x[known], return_inverse=True)
    is_one = np.eye(len(categories))[place]
    counts = belongs[known].T @ is_one + 1e-9 * is_one.mean(axis=0)  # some have missing ones only
    below = np.cumsum(counts, axis=1)
    below /= below[:, -1:]
    drawn = (rng.random_sample(len(component))[:, None] >= below[component]).sum(axis=1)
    return categories[drawn]
