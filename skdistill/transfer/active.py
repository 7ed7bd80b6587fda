"""Rows where they are needed: near those for which the student does not answer as the teacher."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import Interval

from skdistill.transfer.munge import Munge


class Active(BaseEstimator):
    """MUNGE in several passes, the later ones of rows where student and teacher differ.

    After each pass a student is fitted; rows are drawn with their distance between its
    answer and the teacher's as weight, and MUNGE makes new ones of these. Near to the
    resampling in Jacobs et al. 2022, "AI/ML for network security: the emperor has no clothes"
    (Trustee).

    A distiller asks every transfer object that has `passes` in this way: the first rows are
    those of `sample`, and after each fit, `passes` times, it adds those of `resample`.

    Parameters
    ----------
    factor : int, default=20
        Synthetic rows for each training row, of all passes together.
    passes : int, default=2
        Passes after the first, which costs as many further fits of the student.
    p : float in [0, 1], default=0.5
    s : float, default=1.0
        As of `Munge`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import Active
    >>> active = Active(factor=6, passes=2)
    >>> first = active.sample(np.eye(4), random_state=0)
    >>> first.shape, active.resample(first, np.arange(8), 4, random_state=0).shape
    ((8, 4), (8, 4))
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "factor": [Interval(Integral, 1, None, closed="left")],
        "passes": [Interval(Integral, 1, None, closed="left")],
        "p": [Interval(Real, 0, 1, closed="both")],
        "s": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, factor: int = 20, passes: int = 2, p: float = 0.5, s: float = 1.0) -> None:
        self.factor = factor
        self.passes = passes
        self.p = p
        self.s = s

    @_fit_context(prefer_skip_nested_validation=True)
    def sample(self, X: Any, random_state: Any = None) -> Any:
        """Make the rows of the first pass, by MUNGE.

        Parameters
        ----------
        X : array-like of shape (n, d)
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : array-like of shape (m, d)
            With m = n * ceil(factor / (passes + 1)).
        """
        return Munge(self._times, self.p, self.s).sample(X, random_state)

    def resample(
        self, X: Any, gap: NDArray[np.float64], n_training: int, random_state: Any = None
    ) -> Any:
        """Make the rows of a later pass.

        Parameters
        ----------
        X : array-like of shape (n, d)
            All rows so far.
        gap : float64 array of shape (n,), >= 0
            How far the student's answer is from the teacher's.
        n_training : int
            How many of them are training rows.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        rows : array-like of shape (m, d)
            As many as `sample` made; none where the gap is 0 everywhere.
        """
        rng = check_random_state(random_state)
        few = min(n_training, int((gap > 0).sum()))
        if few == 0:
            return _safe_indexing(X, [])
        parents = rng.choice(len(gap), few, replace=False, p=gap / gap.sum())
        total = self._times * n_training
        rows = Munge(-(-total // few), self.p, self.s).sample(_safe_indexing(X, parents), rng)
        return rows[:total]

    @property
    def _times(self) -> int:
        """Rows of a pass for each training row."""
        return -(-self.factor // (self.passes + 1))
