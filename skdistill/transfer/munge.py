"""MUNGE: rows that look like the data, made of pairs of neighbours.

Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.3 and algorithm 1.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state

from skdistill.dataframe import EncodedTable, numeric_table, read_table, write_table
from skdistill.transfer.neighbours import nearest_other
from skdistill.utils._sklearn_compat import Interval, StrOptions, _fit_context
from skdistill.utils.documentation import DocumentationLinkMixin
from skdistill.utils.jit import njit


class Munge(DocumentationLinkMixin, BaseEstimator):
    """Synthetic rows near the training rows, by MUNGE.

    Each pass copies the training rows, goes through them and, with probability
    `swap_probability` for each column, lets row i and its nearest neighbour j change places:
    with u = x_i, v = x_j and sd = abs(u − v) / `local_variance`, x_i is drawn from N(v, sd) and
    x_j from N(u, sd). Categories are swapped: none is invented.

    Neighbours are near in numbers scaled to [0, 1] and alike in categories: of least sum of
    squared differences and of the number of categories that differ, of which each counts as
    much as two numbers a whole range apart.

    Four choices beside the paper: neighbours are taken once, among the training rows, and
    not again after every change; of more than `block_size` rows they are the nearest of a
    block; columns that hold whole numbers only stay whole; and no value leaves the range its
    column has in the training rows. A missing value of either row leaves both as they are.

    Parameters
    ----------
    n_per_sample : int, default=20
        Number of passes: synthetic rows for each training row.
    swap_probability : float in [0, 1], default=0.5
        Probability that a column of a row is changed; p of the paper.
    local_variance : float, default=1.0
        The greater it is, the closer the new values are to the old; s of the paper.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Names, indices or a mask of the columns that hold categories; "from_dtype" takes
        those of a data frame that are of a type for categories or of strings.
    class_proportions : {"keep", "balanced"}, default=None
        Neighbours may be of different classes, and the teacher may label most of the rows between
        them with the larger one. A distilled classifier weighs the synthetic rows so that the
        mean of their soft labels is that of the training rows ("keep"), or the same for all
        classes ("balanced"), by entropy balancing (Hainmueller 2012, section 3). None leaves the
        weights as they are. Regressors ignore it.
    block_size : int or None, default=65536
        The search compares all pairs of rows, so that ten times the rows take a hundred times as
        long. More rows than these are divided at medians into blocks of near rows (a k-d tree),
        and neighbours are searched within a block. None compares all rows.

    References
    ----------
    Bentley 1975, "Multidimensional binary search trees used for associative searching".

    Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.3.

    Hainmueller 2012, "Entropy balancing for causal effects", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import Munge
    >>> Munge(n_per_sample=3).sample(np.eye(4), random_state=0).shape
    (12, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "n_per_sample": [Interval(Integral, 1, None, closed="left")],
        "swap_probability": [Interval(Real, 0, 1, closed="both")],
        "local_variance": [Interval(Real, 0, None, closed="neither")],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "class_proportions": [StrOptions({"keep", "balanced"}), None],
        "block_size": [Interval(Integral, 3, None, closed="left"), None],
    }

    def __init__(
        self,
        n_per_sample: int = 20,
        swap_probability: float = 0.5,
        local_variance: float = 1.0,
        *,
        categorical_features: Any = "from_dtype",
        class_proportions: str | None = None,
        block_size: int | None = 65_536,
    ) -> None:
        self.n_per_sample = n_per_sample
        self.swap_probability = swap_probability
        self.local_variance = local_variance
        self.categorical_features = categorical_features
        self.class_proportions = class_proportions
        self.block_size = block_size

    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Make rows like those of `X`.

        Parameters
        ----------
        X : data frame or array-like of shape (n_samples, n_features)
            Numbers and categories.
        random_state : int, RandomState instance or None, default=None
            Decides which columns of which rows change, and to what.

        Returns
        -------
        rows : data frame or array of shape (n_per_sample * n_samples, n_features)
            Of the kind and the types of `X`.

        Raises
        ------
        ValueError
            For infinities, and as `skdistill.dataframe.read_table`.
        TypeError
            For columns that are neither numbers nor categories.
        """
        return self.sample_table(read_table(X, self.categorical_features), random_state).native

    @_fit_context(prefer_skip_nested_validation=True)
    def sample_table(self, table: EncodedTable, random_state: Any = None) -> EncodedTable:
        """Make rows like those of a table that is read already.

        Parameters
        ----------
        table : EncodedTable
            Columns with labels, and those of a type for categories, hold categories;
            `categorical_features` is not asked.
        random_state : int, RandomState instance or None, default=None
            As in `sample`.

        Returns
        -------
        rows : EncodedTable
            With the labels of `table`, and n_per_sample rows for each of its rows.

        Raises
        ------
        ValueError
            For infinities.
        """
        X = check_array(table.values, dtype=np.float64, ensure_all_finite="allow-nan")
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
        # A column may be of a type for categories and be read as numbers. A value between two
        # categories would be none: a teacher that reads the types of a data frame refuses it.
        by_type = np.array([form.is_categorical for form in table.formats], bool)
        is_categorical = table.has_labels | by_type
        rows = np.tile(X, (self.n_per_sample, 1))
        if len(X) > 1:
            _swap_with_neighbours(
                rows,
                nearest_other(X, is_categorical, self.block_size),
                is_categorical,
                self.swap_probability,
                self.local_variance,
                rng,
            )
        rows = like_columns(X, rows)
        native = write_table(table, rows, table.labels)
        if table.values is table.native:
            return numeric_table(native)
        return EncodedTable(native, rows, table.labels, table.names, table.formats)


def like_columns(X: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put rows into the range of each column of `X`, and round them where all of it is whole.

    Parameters
    ----------
    X : float64 array of shape (n_samples, n_features)
        NaN where a value is missing.
    rows : float64 array of shape (n_rows, n_features)
        Any numbers; NaN stays.

    Returns
    -------
    rows : float64 array of shape (n_rows, n_features)
        Clipped and rounded.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer.munge import like_columns
    >>> like_columns(np.array([[1.0, 0.5], [3.0, 1.5]]), np.array([[2.2, 2.2]])).tolist()
    [[2.0, 1.5]]
    """
    with np.errstate(invalid="ignore"):
        whole = (np.isnan(X) | (np.rint(X) == X)).all(axis=0)
    rows = np.where(whole, np.rint(rows), rows)
    seen = ~np.isnan(X).all(axis=0)
    low, high = np.nanmin(X[:, seen], axis=0), np.nanmax(X[:, seen], axis=0)
    rows[:, seen] = np.clip(rows[:, seen], low, high)
    return rows


@njit
def _swap_with_neighbours(
    rows: NDArray[np.float64],
    nearest: NDArray[np.int64],
    is_categorical: NDArray[np.bool_],
    swap_probability: float,
    local_variance: float,
    rng: np.random.Generator,
) -> None:
    """Algorithm 1 of the paper, in place, on `len(rows) / len(nearest)` copies of the data.

    Row i and its neighbour change together, so that a row may be changed several times in a
    pass: by itself and by all rows whose neighbour it is. A column is drawn for before missing
    values are looked at, so that these do not shift the random numbers of the others.
    """
    n_samples = len(nearest)
    for start in range(0, len(rows), n_samples):
        for i in range(n_samples):
            a, b = rows[start + i], rows[start + nearest[i]]
            for j in range(rows.shape[1]):
                if rng.random() >= swap_probability:
                    continue
                u, v = a[j], b[j]
                if u != u or v != v:  # NaN
                    continue
                if is_categorical[j]:
                    a[j], b[j] = v, u
                    continue
                sd = abs(u - v) / local_variance
                a[j] = v + sd * rng.standard_normal()
                b[j] = u + sd * rng.standard_normal()
