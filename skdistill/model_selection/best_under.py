"""The best candidate of a scikit-learn search within a budget, for its parameter `refit`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skdistill.utils.byte_sizes import parse_bytes


def best_under(budget: int | str, *, size: str = "size", score: str | None = None) -> BestUnder:
    """Make a `refit` that picks the best candidate within a budget.

    For the parameter `refit` of `GridSearchCV`, `RandomizedSearchCV` and the other searches of
    scikit-learn. Their `scoring` is a dict that names a scorer of the size, such as
    `model_size_scorer` or `flash_scorer`, besides one that candidates are compared by. A
    candidate is within the budget if it is so on all splits.

    The search then refits the candidate on all rows, which may take a few bytes more or less
    than on a split. Where that must not be, search over the students' `max_bytes`.

    Parameters
    ----------
    budget : int or str
        Bytes, as in "2KB" or 2048; for `instructions_scorer` the number of instructions.
    size : str, default="size"
        Name of the scorer of the size in `scoring`. It is minus a number of bytes or
        instructions.
    score : str, default=None
        Name of the scorer whose mean is compared. None is the only other one.

    Returns
    -------
    refit : BestUnder
        Takes ``cv_results_`` and returns ``best_index_``. It raises a ValueError that names the
        smallest candidate if none is within the budget.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skdistill import SoftTreeClassifier
    >>> from skdistill.metrics import model_size_scorer
    >>> from skdistill.model_selection import best_under
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     SoftTreeClassifier(),
    ...     {"max_leaf_nodes": [2, 3, 16]},
    ...     scoring={"accuracy": "accuracy", "size": model_size_scorer},
    ...     refit=best_under("10B"),
    ... ).fit(X, y)
    >>> search.best_params_
    {'max_leaf_nodes': 3}
    """
    return BestUnder(parse_bytes(budget), size, score)


@dataclass(frozen=True)
class BestUnder:
    """What `best_under` makes.

    Parameters
    ----------
    budget : int
        Bytes or instructions.
    size : str
        Name of the scorer of the size.
    score : str or None
        Name of the scorer that is compared.
    """

    budget: int
    size: str
    score: str | None

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Pick a candidate.

        Parameters
        ----------
        cv_results : dict of str to array
            ``cv_results_`` of a search.

        Returns
        -------
        best_index : int
            The first of those with the best mean score.

        Raises
        ------
        ValueError
            If no candidate is within the budget on all splits, or a scorer is missing.
        """
        start = "mean_test_"
        scorers = [name.removeprefix(start) for name in cv_results if name.startswith(start)]
        if self.size not in scorers:
            raise ValueError(
                f"best_under needs a scorer of the size named {self.size!r} in scoring, such as "
                f'{{"score": "accuracy", "{self.size}": model_size_scorer}}; it has {scorers}'
            )
        score = self._score_name([name for name in scorers if name != self.size])
        sizes = -_of_splits(cv_results, self.size).min(axis=0)  # the largest of all splits
        means = np.asarray(cv_results[f"mean_test_{score}"], np.float64)
        if (sizes < 0).any():
            raise ValueError(
                f"{self.size!r} must be a scorer of minus the size, as model_size_scorer is, got "
                f"a score of {-sizes.min():g}"
            )
        scored = np.isfinite(means) & np.isfinite(sizes)
        if not scored.any():
            raise ValueError(f"best_under found no candidate with a {score!r} and a {self.size!r}")
        fits = scored & (sizes <= self.budget)
        if not fits.any():
            smallest = int(np.argmin(np.where(scored, sizes, np.inf)))
            raise ValueError(
                f"no candidate has a {self.size!r} within the budget of {self.budget}: the "
                f"smallest has {sizes[smallest]:.0f}, with {cv_results['params'][smallest]}"
            )
        return int(np.argmax(np.where(fits, means, -np.inf)))

    def _score_name(self, others: list[str]) -> str:
        """The scorer that is compared."""
        if self.score is None and len(others) == 1:
            return others[0]
        if self.score in others:
            return str(self.score)
        raise ValueError(
            f"score must name the scorer that best_under compares, one of {others}, "
            f"got {self.score!r}"
        )


def _of_splits(cv_results: Mapping[str, Any], scorer: str) -> NDArray[np.float64]:
    """Scores of all splits, float64 array of shape (n_splits, n_candidates)."""
    splits = [
        np.asarray(values, np.float64)
        for name, values in cv_results.items()
        if re.fullmatch(rf"split\d+_test_{re.escape(scorer)}", name)
    ]
    return np.stack(splits)
