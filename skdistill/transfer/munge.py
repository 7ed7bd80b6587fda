"""MUNGE: rows that look like the data, made of pairs of neighbours.

Bucila, Caruana & Niculescu-Mizil 2006, "Model compression", section 3.3 and algorithm 1.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state

from skdistill.dataframe import category_columns, read_table, write_table
from skdistill.transfer.further_rows import within_reach
from skdistill.transfer.neighbours import nearest_other
from skdistill.utils._sklearn_compat import Interval, StrOptions, _fit_context, validate_params

_CONSTRAINTS: dict[str, list[Any]] = {
    "factor": [Interval(Integral, 1, None, closed="left")],
    "p": [Interval(Real, 0, 1, closed="both")],
    "s": [Interval(Real, 0, None, closed="neither")],
}


@validate_params(
    {
        **_CONSTRAINTS,
        "X": ["array-like"],
        "random_state": ["random_state"],
        "categorical_features": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def munge(
    X: ArrayLike,
    factor: int = 20,
    p: float = 0.5,
    s: float = 1.0,
    random_state: Any = None,
    categorical_features: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Make `factor` times as many rows as `X` has.

    Each pass copies `X`, goes through its rows and, with probability `p` for each column,
    lets row i and its nearest neighbour j change places: with u = x_i, v = x_j and
    sd = abs(u − v) / s, x_i is drawn from N(v, sd) and x_j from N(u, sd). Categories are
    swapped: none is invented.

    Neighbours are near in numbers scaled to [0, 1] and alike in categories: of least sum of
    squared differences and of the number of categories that differ, of which each counts as
    much as two numbers a whole range apart.

    Three choices beside the paper: neighbours are taken once, among the rows of `X`, and
    not again after every change; columns that hold whole numbers only stay whole; and no
    value leaves the range its column has in `X`. A missing value of either row leaves
    both as they are.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Numeric; NaN allowed.
    factor : int, default=20
        Number of passes.
    p : float in [0, 1], default=0.5
        Probability that a column of a row is changed.
    s : float, default=1.0
        The greater, the closer the new values are to the old.
    random_state : int, RandomState instance or None, default=None
    categorical_features : array-like of indices or bools, default=None
        Columns that hold categories, as numbers of any kind. None has none.

    Returns
    -------
    rows : float64 array of shape (factor * n, d)

    Raises
    ------
    ValueError
        For infinities, and for `categorical_features` that are not of `X`.

    Examples
    --------
    >>> from skdistill import munge
    >>> munge([[0.0, 1.0], [1.0, 3.0], [2.0, 9.0]], factor=2, random_state=0).shape
    (6, 2)
    >>> rows = munge([[0.0, 1], [0.1, 4], [0.2, 9]], 2, categorical_features=[1])
    >>> set(rows[:, 1]) <= {1, 4, 9}
    True
    """
    _refuse_categories(X)
    X = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    nominal = _nominal(categorical_features, X.shape[1])
    rows = np.tile(X, (factor, 1))
    if len(X) > 1:
        _exchange(rows, nearest_other(X, nominal), nominal, p, s, rng)
    return within_reach(X, rows)


def _nominal(categorical_features: Any, n_features: int) -> NDArray[np.bool_]:
    """A mask of the nominal columns."""
    nominal = np.zeros(n_features, bool)
    if categorical_features is None:
        return nominal
    given = np.asarray(categorical_features)
    if given.dtype == bool:
        fits = given.shape == nominal.shape
    else:
        fits = given.ndim == 1 and (given.size == 0 or given.dtype.kind in "iu")
        fits = fits and bool(((given >= -n_features) & (given < n_features)).all())
        given = given.astype(int) if fits else given
    if not fits:
        raise ValueError(
            f"categorical_features must be indices of the {n_features} columns of X, or a mask "
            f"of them; got {categorical_features!r}"
        )
    nominal[given] = True
    return nominal


def _refuse_categories(X: Any) -> None:
    """Categories that are numbers would become numbers between them."""
    dtypes = X.dtypes.items() if hasattr(X, "dtypes") and hasattr(X, "astype") else []
    names = [name for name, dtype in dtypes if str(dtype) == "category"]
    if names:
        raise ValueError(f"munge needs numbers, these are categories: {names}; use Munge")


@njit(cache=True)
def _exchange(rows, nearest, nominal, p, s, rng):
    n = len(nearest)
    for start in range(0, len(rows), n):
        for i in range(n):
            a, b = rows[start + i], rows[start + nearest[i]]
            for j in range(rows.shape[1]):
                if rng.random() >= p:
                    continue
                u, v = a[j], b[j]
                if u != u or v != v:
                    continue
                if nominal[j]:
                    a[j], b[j] = v, u
                    continue
                sd = abs(u - v) / s
                a[j] = v + sd * rng.standard_normal()
                b[j] = u + sd * rng.standard_normal()


class Munge(BaseEstimator):
    """`munge` as a transfer object.

    Parameters
    ----------
    factor : int, default=20
        Synthetic rows for each training row.
    p : float in [0, 1], default=0.5
        Probability that a column of a row is changed.
    s : float, default=1.0
        The greater, the closer the new values are to the old.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Names, indices or a mask of the columns that hold categories; "from_dtype" takes
        those of a data frame that are of a type for categories or of strings.
    class_shares : {"keep", "balanced"}, default=None
        Neighbours may be of different classes, and their offspring may be told to be of
        the greater one. A distilled classifier weighs further rows so that the mean of their
        soft labels is that of the training rows, or the same for all classes
        (`skdistill.transfer.entropy_balancing`). None leaves the weights as they are; values of
        regressors have no shares.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import Munge
    >>> Munge(factor=3).sample(np.eye(4), random_state=0).shape
    (12, 4)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **_CONSTRAINTS,
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "class_shares": [StrOptions({"keep", "balanced"}), None],
    }

    def __init__(
        self,
        factor: int = 20,
        p: float = 0.5,
        s: float = 1.0,
        *,
        categorical_features: Any = "from_dtype",
        class_shares: str | None = None,
    ) -> None:
        self.factor = factor
        self.p = p
        self.s = s
        self.categorical_features = categorical_features
        self.class_shares = class_shares

    @_fit_context(prefer_skip_nested_validation=True)
    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Make rows like those of `X`.

        Parameters
        ----------
        X : data frame or array-like of shape (n, d)
            Numbers and categories.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : data frame or array of shape (factor * n, d)
            Of the kind and the types of `X`.

        Raises
        ------
        ValueError, TypeError
            For columns of another kind; see `skdistill.dataframe.read_table`.
        """
        table = read_table(X, self.categorical_features)
        # What another column says of a number is none between two categories: a teacher that
        # reads the types of a data frame would refuse it.
        nominal = category_columns(X) | [each is not None for each in table.labels]
        rows = munge(table.values, self.factor, self.p, self.s, random_state, nominal)
        return write_table(X, rows, table.labels)
